// SPDX-License-Identifier: MPL-2.0
// The PXE API of the ROM below (Preboot Execution Environment Specification 2.1): the two structures that lead to
// it, and the parameter blocks that Signet uses. Layouts are the specification's.
#pragma once
#include "base/bytes.h"
#include "base/err.h"
#include "real/real.h"

// API functions.
enum pxe_function {
    PXENV_START_UNDI = 0x00,
    PXENV_UNDI_STARTUP = 0x01,
    PXENV_UNDI_CLEANUP = 0x02,
    PXENV_UNDI_INITIALIZE = 0x03,
    PXENV_UNDI_SHUTDOWN = 0x05,
    PXENV_UNDI_OPEN = 0x06,
    PXENV_UNDI_CLOSE = 0x07,
    PXENV_UNDI_TRANSMIT = 0x08,
    PXENV_UNDI_SET_MCAST_ADDRESS = 0x09,
    PXENV_UNDI_SET_PACKET_FILTER = 0x0b,
    PXENV_UNDI_GET_INFORMATION = 0x0c,
    PXENV_UNDI_GET_NIC_TYPE = 0x12,
    PXENV_UNDI_GET_IFACE_INFO = 0x13,
    PXENV_UNDI_ISR = 0x14,
    PXENV_STOP_UNDI = 0x15,
    PXENV_TFTP_CLOSE = 0x21,
    PXENV_UDP_CLOSE = 0x31,
    PXENV_UNLOAD_STACK = 0x70,
    PXENV_GET_CACHED_INFO = 0x71,
};

// !PXE (section 3.1): offsets.
enum bang_pxe {
    BANG_SIGNATURE = 0, // "!PXE"
    BANG_LENGTH = 4,
    BANG_ENTRY = 16,        // real-mode entry point
    BANG_SEGMENT_COUNT = 29,
    BANG_SEGMENTS = 32,     // descriptors of 8 bytes: u16 segment, u32 address, u16 size
    BANG_SIZE_MIN = 0x58,
};
// PXENV+ (section 3.2).
enum pxenv {
    PXENV_SIGNATURE = 0, // "PXENV+"
    PXENV_VERSION = 6,
    PXENV_LENGTH = 8,
    PXENV_ENTRY = 0x0a,
    PXENV_BANG = 0x28, // far pointer to !PXE, from version 2.1 on
    PXENV_SIZE_MIN = 0x26,
    PXENV_SIZE_2_1 = 0x2c,
};

#define PXE_MCAST_MAX 8
struct PACKED pxe_mcast {
    uint16_t count;
    uint8_t address[PXE_MCAST_MAX][16];
};
struct PACKED pxe_status {
    uint16_t status;
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
struct PACKED pxe_undi_set_mcast {
    uint16_t status;
    struct pxe_mcast mcast;
};
struct PACKED pxe_undi_set_filter {
    uint16_t status;
    uint8_t filter;
};
struct PACKED pxe_undi_transmit {
    uint16_t status;
    uint8_t protocol, flag;
    struct segoff destination, tbd;
    uint32_t reserved[2];
};
struct PACKED pxe_tbd {
    uint16_t length;
    struct segoff data;
    uint16_t block_count;
    struct PACKED {
        uint8_t pointer_type, reserved;
        uint16_t length;
        struct segoff data;
    } blocks[8];
};
struct PACKED pxe_undi_information {
    uint16_t status, base_io, irq, mtu, hardware_type, address_len;
    uint8_t current_address[16], permanent_address[16];
    uint16_t rom_segment, rx_buffers, tx_buffers;
};
struct PACKED pxe_undi_iface {
    uint16_t status;
    char type[16];
    uint32_t link_speed, service_flags;
    uint32_t reserved[4];
};
#define SERVICE_PROMISCUOUS 0x0008
#define SERVICE_IRQ 0x1000
struct PACKED pxe_undi_nic_type {
    uint16_t status;
    uint8_t type; // 2 = PCI, 4 = CardBus
    uint16_t vendor, device;
    uint8_t base_class, sub_class, interface, revision;
    uint16_t bus_dev_fn, sub_vendor, sub_device;
};
struct PACKED pxe_cached_info {
    uint16_t status, type, size;
    struct segoff buffer;
    uint16_t limit;
};
enum pxe_packet { PXE_PACKET_DISCOVER = 1, PXE_PACKET_ACK = 2, PXE_PACKET_REPLY = 3 };

// Finds the API by what the ROM handed over at the entry, else by INT 1Ah; checks signature, length and checksum.
// 0 or ERR_NET_NO_CARD.
int pxe_find(void);

// Takes the API behind one of these two structures. 0 or ERR_NET_NO_CARD.
int pxe_use(struct segoff bang, struct segoff pxenv);

// PXE API call with a parameter block of len bytes, which is copied down and back up. The ROM's return value
// (0 = success) or, when that is success, the block's Status.
uint16_t pxe_call(uint16_t function, void *param, size_t len);

// Calls a ROM's UNDI loader with such a block. Its return value: 0 = success.
uint16_t pxe_loader(struct segoff loader, void *param, size_t len);

// Where pxe_call goes: the API that was found last, or that of the card in use.
extern struct segoff pxe_entry;

// How it was found, for people: "!PXE" or "PXENV+ 2.0".
const char *pxe_kind(void);

// The packet that the ROM keeps (at most cap bytes): its length, 0 when there is none.
size_t pxe_cached_packet(enum pxe_packet type, uint8_t *buf, size_t cap);
