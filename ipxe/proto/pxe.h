// SPDX-License-Identifier: MPL-2.0
// The PXE API (Preboot Execution Environment Specification 2.1, sections 3 and 4): the two structures that lead to it, its functions,
// their status and their parameter blocks; and the FILE functions, which are iPXE's addition to it. Signet calls them (bios/pxe.h) and
// serves them (proto/pxe_api.h). Numbers are little-endian, but for addresses and ports of IPv4, which are in network order.
#pragma once
#include "base/segoff.h"

enum pxe_function {
    PXENV_START_UNDI = 0x00,
    PXENV_UNDI_STARTUP = 0x01,
    PXENV_UNDI_CLEANUP = 0x02,
    PXENV_UNDI_INITIALIZE = 0x03,
    PXENV_UNDI_RESET_ADAPTER = 0x04,
    PXENV_UNDI_SHUTDOWN = 0x05,
    PXENV_UNDI_OPEN = 0x06,
    PXENV_UNDI_CLOSE = 0x07,
    PXENV_UNDI_TRANSMIT = 0x08,
    PXENV_UNDI_SET_MCAST_ADDRESS = 0x09,
    PXENV_UNDI_SET_STATION_ADDRESS = 0x0a,
    PXENV_UNDI_SET_PACKET_FILTER = 0x0b,
    PXENV_UNDI_GET_INFORMATION = 0x0c,
    PXENV_UNDI_GET_STATISTICS = 0x0d,
    PXENV_UNDI_CLEAR_STATISTICS = 0x0e,
    PXENV_UNDI_INITIATE_DIAGS = 0x0f,
    PXENV_UNDI_FORCE_INTERRUPT = 0x10,
    PXENV_UNDI_GET_MCAST_ADDRESS = 0x11,
    PXENV_UNDI_GET_NIC_TYPE = 0x12,
    PXENV_UNDI_GET_IFACE_INFO = 0x13,
    PXENV_UNDI_ISR = 0x14,
    PXENV_STOP_UNDI = 0x15, // the specification gives UNDI_GET_STATE the same number
    PXENV_TFTP_OPEN = 0x20,
    PXENV_TFTP_CLOSE = 0x21,
    PXENV_TFTP_READ = 0x22,
    PXENV_TFTP_READ_FILE = 0x23,
    PXENV_TFTP_GET_FSIZE = 0x25,
    PXENV_UDP_OPEN = 0x30,
    PXENV_UDP_CLOSE = 0x31,
    PXENV_UDP_READ = 0x32,
    PXENV_UDP_WRITE = 0x33,
    PXENV_UNLOAD_STACK = 0x70,
    PXENV_GET_CACHED_INFO = 0x71,
    PXENV_RESTART_TFTP = 0x73,
    PXENV_START_BASE = 0x75,
    PXENV_STOP_BASE = 0x76,
    PXENV_FILE_OPEN = 0xe0,
    PXENV_FILE_CLOSE = 0xe1,
    PXENV_FILE_SELECT = 0xe2,
    PXENV_FILE_READ = 0xe3,
    PXENV_FILE_GET_SIZE = 0xe4,
    PXENV_FILE_EXEC = 0xe5,
    PXENV_FILE_API_CHECK = 0xe6,
    PXENV_FILE_EXIT_HOOK = 0xe7,
};

// What a call returns in AX, and the Status of its block.
enum { PXENV_EXIT_SUCCESS = 0, PXENV_EXIT_FAILURE = 1 };
enum pxe_status_code {
    PXE_SUCCESS = 0x00,
    PXE_FAILURE = 0x01,
    PXE_BAD_FUNC = 0x02,
    PXE_UNSUPPORTED = 0x03,
    PXE_OUT_OF_RESOURCES = 0x06,
    PXE_UDP_CLOSED = 0x18,
    PXE_UDP_OPEN = 0x19,
    PXE_TFTP_CLOSED = 0x1a,
    PXE_TFTP_OPEN = 0x1b,
    PXE_TFTP_OPEN_TIMEOUT = 0x32,
    PXE_TFTP_READ_TIMEOUT = 0x35,
    PXE_TFTP_ERROR_OPCODE = 0x36,
    PXE_TFTP_CANNOT_OPEN = 0x38,
    PXE_TFTP_CANNOT_READ = 0x39,
    PXE_TFTP_NOT_FOUND = 0x3b,
    PXE_TFTP_NO_FILESIZE = 0x3e,
    PXE_TFTP_PACKET_SIZE = 0x3f,
    PXE_UNDI_CANNOT_INITIALIZE = 0x63,
    PXE_UNDI_INVALID_STATE = 0x6a,
    PXE_UNDI_TRANSMIT_ERROR = 0x6b,
    PXE_UNDI_INVALID_PARAMETER = 0x6c,
};

// !PXE (section 3.1): offsets.
enum bang_pxe {
    BANG_SIGNATURE = 0, // "!PXE"
    BANG_LENGTH = 4,
    BANG_SUM = 5,
    BANG_ENTRY = 16,        // real-mode entry point
    BANG_CALLOUT = 24,
    BANG_SEGMENT_COUNT = 29,
    BANG_SEGMENTS = 32,     // descriptors of 8 bytes: u16 segment, u32 address, u16 size
    BANG_SEGMENTS_MIN = 7,
    BANG_SIZE_MIN = 0x58,
};
// PXENV+ (section 3.2).
enum pxenv {
    PXENV_SIGNATURE = 0, // "PXENV+"
    PXENV_VERSION = 6,
    PXENV_LENGTH = 8,
    PXENV_SUM = 9,
    PXENV_ENTRY = 0x0a,
    PXENV_SEGMENTS = 0x14,  // five of u16 segment, u16 size: stack, base code's data and code, UNDI's data and code
    PXENV_BANG = 0x28, // far pointer to !PXE, from version 2.1 on
    PXENV_SIZE_MIN = 0x26,
    PXENV_SIZE_2_1 = 0x2c,
};

// Every block begins with this one.
struct PACKED pxe_status {
    uint16_t status;
};

// --- UNDI ---

#define PXE_MCAST_MAX 8
struct PACKED pxe_mcast {
    uint16_t count;
    uint8_t address[PXE_MCAST_MAX][16];
};
struct PACKED pxe_undi_initialize {
    uint16_t status;
    uint32_t protocol_ini;
    uint8_t reserved[8];
};
struct PACKED pxe_undi_open {
    uint16_t status, flag, filter;
    struct pxe_mcast mcast;
};
#define FILTER_DIRECTED 1
#define FILTER_BROADCAST 2
#define FILTER_PROMISCUOUS 4
struct PACKED pxe_undi_set_mcast { // and of UNDI_RESET_ADAPTER
    uint16_t status;
    struct pxe_mcast mcast;
};
struct PACKED pxe_undi_set_station {
    uint16_t status;
    uint8_t address[16];
};
struct PACKED pxe_undi_set_filter {
    uint16_t status;
    uint8_t filter;
};
enum pxe_protocol { PXE_PROTOCOL_NONE = 0, PXE_PROTOCOL_IP = 1, PXE_PROTOCOL_ARP = 2, PXE_PROTOCOL_RARP = 3 };
enum { PXE_TRANSMIT_TO = 0, PXE_TRANSMIT_BROADCAST = 1 };
struct PACKED pxe_undi_transmit {
    uint16_t status;
    uint8_t protocol, flag; // protocol PXE_PROTOCOL_NONE: the frame has its Ethernet header
    struct segoff destination, tbd; // an Ethernet address, struct pxe_tbd
    uint32_t reserved[2];
};
#define PXE_TBD_BLOCKS_MAX 8
#define PXE_TBD_FAR 1 // pointer_type: `data` is segment and offset; 0: an address of 32 bits
struct PACKED pxe_tbd_head {
    uint16_t length; // of the immediate data, which go first
    struct segoff data;
    uint16_t block_count;
};
struct PACKED pxe_tbd_block {
    uint8_t pointer_type, reserved;
    uint16_t length;
    struct segoff data;
};
struct PACKED pxe_tbd {
    struct pxe_tbd_head head;
    struct pxe_tbd_block blocks[PXE_TBD_BLOCKS_MAX];
};
struct PACKED pxe_undi_information {
    uint16_t status, base_io, irq, mtu, hardware_type, address_len;
    uint8_t current_address[16], permanent_address[16];
    uint16_t rom_segment, rx_buffers, tx_buffers;
};
struct PACKED pxe_undi_statistics {
    uint16_t status;
    uint32_t sent, received, bad_crc, no_room;
};
struct PACKED pxe_undi_mcast_address {
    uint16_t status;
    uint8_t ip[4], address[16];
};
struct PACKED pxe_undi_iface {
    uint16_t status;
    char type[16];
    uint32_t link_speed, service_flags;
    uint32_t reserved[4];
};
#define SERVICE_BROADCAST 0x0001 // NDIS 2.0.1's flags
#define SERVICE_MULTICAST 0x0002
#define SERVICE_PROMISCUOUS 0x0008
#define SERVICE_RESET 0x0400
#define SERVICE_OPEN_CLOSE 0x0800
#define SERVICE_IRQ 0x1000
#define PXE_NIC_PCI 2
struct PACKED pxe_undi_nic_type {
    uint16_t status;
    uint8_t type; // 2 = PCI, 4 = CardBus
    uint16_t vendor, device;
    uint8_t base_class, sub_class, interface, revision;
    uint16_t bus_dev_fn, sub_vendor, sub_device;
};
enum { PXE_ISR_IN_START = 1, PXE_ISR_IN_PROCESS = 2, PXE_ISR_IN_NEXT = 3 };
enum { PXE_ISR_OUT_OURS = 0, PXE_ISR_OUT_NOT_OURS = 1 };                 // of START
enum { PXE_ISR_OUT_DONE = 0, PXE_ISR_OUT_TRANSMIT = 2, PXE_ISR_OUT_RECEIVE = 3 }; // of the others
enum { PXE_PACKET_DIRECTED = 0, PXE_PACKET_BROADCAST = 1, PXE_PACKET_MULTICAST = 2 };
struct PACKED pxe_undi_isr {
    uint16_t status, flag, buffer_length, frame_length, header_length;
    struct segoff frame;
    uint8_t protocol, packet_type;
};

// --- preboot ---

struct PACKED pxe_cached_info {
    uint16_t status, type, size;
    struct segoff buffer;
    uint16_t limit;
};
enum pxe_packet { PXE_PACKET_DISCOVER = 1, PXE_PACKET_ACK = 2, PXE_PACKET_REPLY = 3 };
#define PXE_PACKETS 3

// --- TFTP ---

#define PXE_FILENAME_MAX 128 // with its NUL
struct PACKED pxe_tftp_open {
    uint16_t status;
    uint8_t server[4], gateway[4];
    char filename[PXE_FILENAME_MAX];
    uint16_t port; // network order; 0: TFTP's
    uint16_t packet_size;
};
#define PXE_PACKET_SIZE_MIN 512
struct PACKED pxe_tftp_read {
    uint16_t status, packet_number, size;
    struct segoff buffer;
};
struct PACKED pxe_tftp_read_file {
    uint16_t status;
    char filename[PXE_FILENAME_MAX];
    uint32_t size, buffer; // `buffer` is an address of 32 bits
    uint8_t server[4], gateway[4], group[4];
    uint16_t client_port, server_port; // as above
    uint16_t open_timeout, reopen_delay;
};
struct PACKED pxe_tftp_fsize {
    uint16_t status;
    uint8_t server[4], gateway[4];
    char filename[PXE_FILENAME_MAX];
    uint32_t size;
};

// --- UDP ---

struct PACKED pxe_udp_open {
    uint16_t status;
    uint8_t ip[4];
};
struct PACKED pxe_udp_write {
    uint16_t status;
    uint8_t ip[4], gateway[4], from_port[2], to_port[2];
    uint16_t size;
    struct segoff buffer;
};
#define PXE_UDP_PORT 2069 // where a write names no port of its own
struct PACKED pxe_udp_read {
    uint16_t status;
    uint8_t from_ip[4], to_ip[4], from_port[2], to_port[2];
    uint16_t size;
    struct segoff buffer;
};

// --- FILE ---

struct PACKED pxe_file_open {
    uint16_t status, handle;
    struct segoff name; // a URL, which ends with a NUL
    uint32_t reserved;
};
struct PACKED pxe_file_head { // all of FILE_CLOSE
    uint16_t status, handle;
};
struct PACKED pxe_file_select {
    uint16_t status, handle, ready;
};
#define PXE_FILE_READY 1
struct PACKED pxe_file_read {
    uint16_t status, handle, size;
    struct segoff buffer;
};
struct PACKED pxe_file_size {
    uint16_t status, handle;
    uint32_t size;
};
struct PACKED pxe_file_check {
    uint16_t status, size;
    uint32_t magic, provider, functions, flags; // functions: bit n stands for PXENV_FILE_OPEN + n
};
#define PXE_FILE_MAGIC_IN 0x91d447b2
#define PXE_FILE_MAGIC_OUT 0xe9c17b20

// Sizes as the specification has them, by which programs reserve memory.
_Static_assert(sizeof(struct pxe_undi_open) == 136 && sizeof(struct pxe_undi_transmit) == 20 && sizeof(struct pxe_tbd) == 72, "UNDI");
_Static_assert(sizeof(struct pxe_undi_information) == 50 && sizeof(struct pxe_undi_iface) == 42 && sizeof(struct pxe_undi_isr) == 16, "UNDI");
_Static_assert(sizeof(struct pxe_undi_nic_type) == 17 && sizeof(struct pxe_cached_info) == 12, "UNDI, preboot");
_Static_assert(sizeof(struct pxe_tftp_open) == 142 && sizeof(struct pxe_tftp_read_file) == 158 && sizeof(struct pxe_tftp_fsize) == 142, "TFTP");
_Static_assert(sizeof(struct pxe_udp_write) == 20 && sizeof(struct pxe_udp_read) == 20 && sizeof(struct pxe_file_check) == 20, "UDP, FILE");
