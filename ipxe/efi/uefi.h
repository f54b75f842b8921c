// SPDX-License-Identifier: MPL-2.0
// The part of the UEFI specification (2.10) that Signet uses, written from it: types, the three tables, protocols.
// Members that are never called are void pointers, so that the tables' layout is right and nothing can be called by
// a wrong type. Names are the specification's in this project's spelling. The compiler's target gives the calling
// convention (Microsoft's on x86-64, AAPCS64 on arm64); no function with a variable argument list is declared.
#pragma once
#include "base/base.h"

typedef uint64_t efi_status; // UINTN; errors have the highest bit
typedef void *efi_handle;
typedef void *efi_event;

#define EFI_ERROR_BIT 0x8000000000000000ull
#define EFI_SUCCESS 0ull
#define EFI_INVALID_PARAMETER (EFI_ERROR_BIT | 2)
#define EFI_UNSUPPORTED (EFI_ERROR_BIT | 3)
#define EFI_BUFFER_TOO_SMALL (EFI_ERROR_BIT | 5)
#define EFI_NOT_READY (EFI_ERROR_BIT | 6)
#define EFI_DEVICE_ERROR (EFI_ERROR_BIT | 7)
#define EFI_OUT_OF_RESOURCES (EFI_ERROR_BIT | 9)
#define EFI_VOLUME_FULL (EFI_ERROR_BIT | 11)
#define EFI_NOT_FOUND (EFI_ERROR_BIT | 14)
#define EFI_ACCESS_DENIED (EFI_ERROR_BIT | 15)
#define EFI_NOT_STARTED (EFI_ERROR_BIT | 19)
#define EFI_ALREADY_STARTED (EFI_ERROR_BIT | 20)
#define EFI_ABORTED (EFI_ERROR_BIT | 21)
#define EFI_SECURITY_VIOLATION (EFI_ERROR_BIT | 26)

static inline bool efi_failed(efi_status status)
{
    return (status & EFI_ERROR_BIT) != 0;
}

struct efi_guid {
    uint32_t a;
    uint16_t b, c;
    uint8_t d[8];
};

struct efi_header {
    uint64_t signature;
    uint32_t revision, size, crc32, reserved;
};

// --- console (chapter 12) ---

struct efi_input_key {
    uint16_t scan, unicode;
};

struct efi_text_input {
    void *reset;
    efi_status (*read_key)(struct efi_text_input *self, struct efi_input_key *ret);
    efi_event wait_for_key;
};

struct efi_text_output {
    void *reset;
    efi_status (*output)(struct efi_text_output *self, const uint16_t *text);
    void *test;
    efi_status (*query_mode)(struct efi_text_output *self, size_t mode, size_t *ret_columns, size_t *ret_rows);
    efi_status (*set_mode)(struct efi_text_output *self, size_t mode);
    efi_status (*set_attribute)(struct efi_text_output *self, size_t attribute);
    efi_status (*clear)(struct efi_text_output *self);
    efi_status (*set_cursor)(struct efi_text_output *self, size_t column, size_t row);
    efi_status (*enable_cursor)(struct efi_text_output *self, bool visible);
    const struct efi_text_mode *mode;
};
struct efi_text_mode {
    int32_t count, mode; // and more
};

// --- boot services (chapter 7) ---

enum efi_allocate { EFI_ALLOCATE_ANY, EFI_ALLOCATE_MAX, EFI_ALLOCATE_ADDRESS };
enum efi_memory_type {
    EFI_RESERVED_MEMORY,
    EFI_LOADER_CODE,
    EFI_LOADER_DATA,
    EFI_BOOT_SERVICES_CODE,
    EFI_BOOT_SERVICES_DATA,
    EFI_RUNTIME_CODE,
    EFI_RUNTIME_DATA,
    EFI_CONVENTIONAL_MEMORY,
};
#define EFI_PAGE_SIZE ((uint64_t)4096)
#define EFI_MEMORY_WB 0x8ull           // can be cached: ordinary RAM
#define EFI_MEMORY_SP 0x40000ull       // meant for something special

struct efi_memory_descriptor {
    uint32_t type;
    uint64_t physical, virtual, pages, attribute;
};

#define EFI_EVT_TIMER 0x80000000u
#define EFI_EVT_NOTIFY_WAIT 0x100u
#define EFI_EVT_EXIT_BOOT_SERVICES 0x201u
#define EFI_TPL_CALLBACK 8
#define EFI_TPL_NOTIFY 16
enum efi_timer { EFI_TIMER_CANCEL, EFI_TIMER_PERIODIC, EFI_TIMER_RELATIVE };
enum efi_locate { EFI_ALL_HANDLES, EFI_BY_NOTIFY, EFI_BY_PROTOCOL };
#define EFI_NATIVE_INTERFACE 0
#define EFI_OPEN_BY_CHILD 0x08
#define EFI_OPEN_BY_DRIVER 0x10
#define EFI_OPEN_EXCLUSIVE 0x20
struct efi_open_entry {
    efi_handle agent, controller;
    uint32_t attributes, count;
};

struct efi_device_path {
    uint8_t type, subtype, length[2];
};

struct efi_boot_services {
    struct efi_header header;
    uint64_t (*raise_tpl)(uint64_t tpl); // the one before
    void (*restore_tpl)(uint64_t tpl);
    efi_status (*allocate_pages)(int how, int type, uint64_t pages, uint64_t *address);
    efi_status (*free_pages)(uint64_t address, uint64_t pages);
    efi_status (*get_memory_map)(uint64_t *size, void *map, uint64_t *key, uint64_t *descriptor_size, uint32_t *version);
    efi_status (*allocate_pool)(int type, uint64_t size, void **ret);
    efi_status (*free_pool)(void *memory);
    efi_status (*create_event)(uint32_t type, uint64_t tpl, void (*notify)(efi_event event, void *context), void *context,
                               efi_event *ret);
    efi_status (*set_timer)(efi_event event, int how, uint64_t hundred_ns);
    efi_status (*wait_for_event)(uint64_t count, efi_event *events, uint64_t *ret_index);
    efi_status (*signal_event)(efi_event event);
    efi_status (*close_event)(efi_event event);
    efi_status (*check_event)(efi_event event);
    efi_status (*install_protocol)(efi_handle *handle, const struct efi_guid *guid, int type, void *interface);
    void *reinstall_protocol;
    efi_status (*uninstall_protocol)(efi_handle handle, const struct efi_guid *guid, void *interface);
    efi_status (*handle_protocol)(efi_handle handle, const struct efi_guid *guid, void **ret);
    void *reserved, *register_notify, *locate_handle;
    efi_status (*locate_device_path)(const struct efi_guid *guid, struct efi_device_path **path, efi_handle *ret);
    void *install_configuration_table;
    efi_status (*load_image)(bool boot_policy, efi_handle parent, struct efi_device_path *path, const void *source,
                             uint64_t size, efi_handle *ret);
    efi_status (*start_image)(efi_handle image, uint64_t *ret_exit_size, uint16_t **ret_exit_data);
    efi_status (*exit)(efi_handle image, efi_status status, uint64_t data_size, uint16_t *data);
    efi_status (*unload_image)(efi_handle image);
    void *exit_boot_services, *get_monotonic_count;
    efi_status (*stall)(uint64_t us);
    efi_status (*set_watchdog)(uint64_t seconds, uint64_t code, uint64_t size, uint16_t *data);
    efi_status (*connect)(efi_handle controller, efi_handle *drivers, struct efi_device_path *remaining, bool recursive);
    efi_status (*disconnect)(efi_handle controller, efi_handle driver, efi_handle child);
    efi_status (*open_protocol)(efi_handle handle, const struct efi_guid *guid, void **ret, efi_handle agent,
                                efi_handle controller, uint32_t attributes);
    efi_status (*close_protocol)(efi_handle handle, const struct efi_guid *guid, efi_handle agent, efi_handle controller);
    efi_status (*open_information)(efi_handle handle, const struct efi_guid *guid, struct efi_open_entry **ret, uint64_t *ret_count);
    void *protocols_per_handle;
    efi_status (*locate_handles)(int how, const struct efi_guid *guid, void *key, uint64_t *ret_count, efi_handle **ret);
    efi_status (*locate_protocol)(const struct efi_guid *guid, void *registration, void **ret);
};

// --- runtime services (chapter 8) ---

#define EFI_VARIABLE_NON_VOLATILE 1u
#define EFI_VARIABLE_BOOT_SERVICES 2u
#define EFI_VARIABLE_RUNTIME 4u
enum efi_reset { EFI_RESET_COLD, EFI_RESET_WARM, EFI_RESET_SHUTDOWN };

struct efi_runtime_services {
    struct efi_header header;
    void *get_time, *set_time, *get_wakeup_time, *set_wakeup_time, *set_virtual_address_map, *convert_pointer;
    efi_status (*get_variable)(const uint16_t *name, const struct efi_guid *vendor, uint32_t *attributes, uint64_t *size,
                               void *data);
    void *get_next_variable_name;
    efi_status (*set_variable)(const uint16_t *name, const struct efi_guid *vendor, uint32_t attributes, uint64_t size,
                               const void *data);
    void *get_high_monotonic_count;
    void (*reset)(int how, efi_status status, uint64_t size, void *data);
};

struct efi_configuration_table {
    struct efi_guid guid;
    void *table;
};

struct efi_system_table {
    struct efi_header header;
    uint16_t *vendor;
    uint32_t vendor_revision;
    efi_handle console_in_handle;
    struct efi_text_input *con_in;
    efi_handle console_out_handle;
    struct efi_text_output *con_out;
    efi_handle standard_error_handle;
    struct efi_text_output *std_err;
    struct efi_runtime_services *runtime;
    struct efi_boot_services *boot;
    uint64_t table_count;
    struct efi_configuration_table *tables;
};

// --- protocols ---

#define EFI_LOADED_IMAGE_GUID                                                                                          \
    { 0x5b1b31a1, 0x9562, 0x11d2, { 0x8e, 0x3f, 0x00, 0xa0, 0xc9, 0x69, 0x72, 0x3b } }
struct efi_loaded_image {
    uint32_t revision;
    efi_handle parent;
    struct efi_system_table *system;
    efi_handle device;
    struct efi_device_path *path;
    void *reserved;
    uint32_t options_size; // bytes
    void *options;
    void *base;
    uint64_t size;
    int code_type, data_type;
    efi_status (*unload)(efi_handle image);
};

#define EFI_DEVICE_PATH_GUID                                                                                           \
    { 0x09576e91, 0x6d3f, 0x11d2, { 0x8e, 0x39, 0x00, 0xa0, 0xc9, 0x69, 0x72, 0x3b } }

// Chapter 24.1.
#define EFI_SIMPLE_NETWORK_GUID                                                                                        \
    { 0xa19832b9, 0xac25, 0x11d3, { 0x9a, 0x2d, 0x00, 0x90, 0x27, 0x3f, 0xc1, 0x4d } }
#define EFI_SNP_FILTERS_MAX 16
enum { EFI_SNP_STOPPED, EFI_SNP_STARTED, EFI_SNP_INITIALIZED };
enum {
    EFI_SNP_UNICAST = 0x01,
    EFI_SNP_MULTICAST = 0x02,
    EFI_SNP_BROADCAST = 0x04,
    EFI_SNP_PROMISCUOUS = 0x08,
    EFI_SNP_ALL_MULTICAST = 0x10,
};
struct efi_mac {
    uint8_t bytes[32];
};
struct efi_snp_mode {
    uint32_t state, address_size, header_size, packet_max, nvram_size, nvram_access_size;
    uint32_t filter_mask, filter_setting, filter_max, filter_count;
    struct efi_mac filters[EFI_SNP_FILTERS_MAX];
    struct efi_mac current, broadcast, permanent;
    uint8_t type; // RFC 1700 hardware type: 1 = Ethernet
    bool address_changeable, multiple_tx, media_present_supported, media_present;
};
struct efi_snp {
    uint64_t revision;
    efi_status (*start)(struct efi_snp *self);
    efi_status (*stop)(struct efi_snp *self);
    efi_status (*initialize)(struct efi_snp *self, uint64_t extra_rx, uint64_t extra_tx);
    efi_status (*reset)(struct efi_snp *self, bool thorough);
    efi_status (*shutdown)(struct efi_snp *self);
    efi_status (*receive_filters)(struct efi_snp *self, uint32_t enable, uint32_t disable, bool reset_multicast,
                                  uint64_t count, struct efi_mac *filters);
    efi_status (*station_address)(struct efi_snp *self, bool reset, struct efi_mac *mac);
    efi_status (*statistics)(struct efi_snp *self, bool reset, uint64_t *size, void *ret);
    efi_status (*group_to_mac)(struct efi_snp *self, bool ipv6, const uint8_t *ip, struct efi_mac *ret);
    efi_status (*nvdata)(struct efi_snp *self, bool read, uint64_t offset, uint64_t size, void *buffer);
    efi_status (*get_status)(struct efi_snp *self, uint32_t *interrupts, void **ret_buffer);
    efi_status (*transmit)(struct efi_snp *self, uint64_t header_size, uint64_t size, void *buffer, struct efi_mac *src,
                           struct efi_mac *dst, uint16_t *protocol);
    efi_status (*receive)(struct efi_snp *self, uint64_t *header_size, uint64_t *size, void *buffer, struct efi_mac *src,
                          struct efi_mac *dst, uint16_t *protocol);
    efi_event wait_for_packet;
    struct efi_snp_mode *mode;
};

// Chapter 24.2, version 3.1. Only whether a card has it is looked at.
#define EFI_NETWORK_INTERFACE_GUID                                                                                     \
    { 0x1aced566, 0x76ed, 0x4218, { 0xbc, 0x81, 0x76, 0x7f, 0x1f, 0x97, 0x7a, 0x89 } }

// Chapter 24.3.
#define EFI_PXE_GUID                                                                                                   \
    { 0x03c4e603, 0xac28, 0x11d3, { 0x9a, 0x2d, 0x00, 0x90, 0x27, 0x3f, 0xc1, 0x4d } }
#define EFI_PXE_PACKET_SIZE 1472
struct efi_pxe_mode {
    bool started, ipv6_available, ipv6_supported, using_ipv6, bis_supported, bis_detected, auto_arp, send_guid;
    bool discover_valid, ack_received, proxy_received, pxe_discover_valid, pxe_reply_received, bis_reply_received;
    bool icmp_error, tftp_error, callbacks;
    uint8_t ttl, tos;
    uint32_t station_ip[4], subnet_mask[4];
    _Alignas(4) uint8_t discover[EFI_PXE_PACKET_SIZE];
    uint8_t ack[EFI_PXE_PACKET_SIZE], proxy[EFI_PXE_PACKET_SIZE], pxe_discover[EFI_PXE_PACKET_SIZE];
    uint8_t pxe_reply[EFI_PXE_PACKET_SIZE];
};
_Static_assert(offsetof(struct efi_pxe_mode, station_ip) == 20 && offsetof(struct efi_pxe_mode, discover) == 52,
               "EFI_PXE_BASE_CODE_MODE");
enum { EFI_PXE_TFTP_SIZE = 1, EFI_PXE_TFTP_READ = 2 };
struct efi_pxe {
    uint64_t revision;
    void *start, *stop, *dhcp, *discover;
    efi_status (*mtftp)(struct efi_pxe *self, int operation, void *buffer, bool overwrite, uint64_t *size,
                        uint64_t *block_size, const uint32_t server[4], const char *name, void *info, bool no_buffer);
    void *udp_write, *udp_read, *set_filter, *arp, *set_parameters, *set_station, *set_packets;
    struct efi_pxe_mode *mode;
};

// Chapter 14.4.
#define EFI_PCI_IO_GUID                                                                                                \
    { 0x4cf5b200, 0x68b8, 0x4ca5, { 0x9e, 0xec, 0xb2, 0x3e, 0x3f, 0x50, 0x02, 0x9a } }
enum { EFI_PCI_WIDTH_8, EFI_PCI_WIDTH_16, EFI_PCI_WIDTH_32 };
enum { EFI_PCI_GET, EFI_PCI_SET, EFI_PCI_ENABLE, EFI_PCI_DISABLE, EFI_PCI_SUPPORTED }; // of `attributes`
#define EFI_PCI_IO 0x0100ull
#define EFI_PCI_MEMORY 0x0200ull
#define EFI_PCI_BUS_MASTER 0x0400ull
#define EFI_PCI_DUAL_ADDRESS_CYCLE 0x8000ull
#define EFI_PCI_PASS_THROUGH_BAR 0xff // the offset is an address of the bus
#define EFI_PCI_COMMON_BUFFER 2       // of `map`: both sides read and write
struct efi_pci_io;
struct efi_pci_space {
    efi_status (*read)(struct efi_pci_io *self, int width, uint8_t bar, uint64_t offset, uint64_t count, void *ret);
    efi_status (*write)(struct efi_pci_io *self, int width, uint8_t bar, uint64_t offset, uint64_t count, void *data);
};
struct efi_pci_io {
    void *poll_memory, *poll_ports;
    struct efi_pci_space memory, ports;
    efi_status (*config_read)(struct efi_pci_io *self, int width, uint32_t offset, uint64_t count, void *ret);
    efi_status (*config_write)(struct efi_pci_io *self, int width, uint32_t offset, uint64_t count, void *data);
    void *copy;
    efi_status (*map)(struct efi_pci_io *self, int operation, void *memory, uint64_t *length, uint64_t *ret_bus, void **ret_mapping);
    efi_status (*unmap)(struct efi_pci_io *self, void *mapping);
    efi_status (*allocate)(struct efi_pci_io *self, int how, int type, uint64_t pages, void **ret, uint64_t attributes);
    efi_status (*free)(struct efi_pci_io *self, uint64_t pages, void *memory);
    void *flush, *location;
    efi_status (*attributes)(struct efi_pci_io *self, int operation, uint64_t attributes, uint64_t *ret);
};

// PI specification 1.8, volume 2, 13.4.
#define EFI_MP_SERVICES_GUID                                                                                           \
    { 0x3fdda605, 0xa76e, 0x4f46, { 0xad, 0x29, 0x12, 0xf4, 0x53, 0x1b, 0x3d, 0x08 } }
struct efi_mp_services {
    efi_status (*count)(struct efi_mp_services *self, uint64_t *ret_count, uint64_t *ret_enabled);
    void *processor_info;
    // With an event it returns at once, and the event is signalled when `procedure` has returned on all of them.
    efi_status (*startup_all)(struct efi_mp_services *self, void (*procedure)(void *arg), bool one_by_one, efi_event event,
                              uint64_t timeout_us, void *arg, uint64_t **ret_failed);
    void *startup_this, *switch_first, *enable_disable, *who_am_i;
};

// Chapter 13.
#define EFI_LOAD_FILE2_GUID                                                                                            \
    { 0x4006c0c1, 0xfcb3, 0x403e, { 0x99, 0x6d, 0x4a, 0x6c, 0x87, 0x24, 0xe0, 0x6d } }
struct efi_load_file {
    efi_status (*load)(struct efi_load_file *self, struct efi_device_path *path, bool boot_policy, uint64_t *size, void *buffer);
};
#define EFI_FILE_SYSTEM_GUID                                                                                           \
    { 0x964e5b22, 0x6459, 0x11d2, { 0x8e, 0x39, 0x00, 0xa0, 0xc9, 0x69, 0x72, 0x3b } }
#define EFI_FILE_READ 1ull
struct efi_file {
    uint64_t revision;
    efi_status (*open)(struct efi_file *self, struct efi_file **ret, const uint16_t *name, uint64_t mode, uint64_t attributes);
    efi_status (*close)(struct efi_file *self);
    void *delete;
    efi_status (*read)(struct efi_file *self, uint64_t *size, void *buffer);
};
struct efi_file_system {
    uint64_t revision;
    efi_status (*open_volume)(struct efi_file_system *self, struct efi_file **ret);
};

// Chapter 13.9.
#define EFI_BLOCK_IO_GUID                                                                                              \
    { 0x964e5b21, 0x6459, 0x11d2, { 0x8e, 0x39, 0x00, 0xa0, 0xc9, 0x69, 0x72, 0x3b } }
struct efi_block_media {
    uint32_t media_id; // another one for each medium that is put in
    bool removable, present, logical_partition, read_only, write_caching;
    uint32_t block_size, io_align; // io_align: of buffers; 0, 1 or a power of two
    uint64_t last_block;
};
struct efi_block_io {
    uint64_t revision;
    struct efi_block_media *media;
    void *reset;
    efi_status (*read)(struct efi_block_io *self, uint32_t media_id, uint64_t lba, uint64_t size, void *buffer);
    efi_status (*write)(struct efi_block_io *self, uint32_t media_id, uint64_t lba, uint64_t size, void *buffer);
    efi_status (*flush)(struct efi_block_io *self);
};

// Chapter 37.5.
#define EFI_RNG_GUID                                                                                                   \
    { 0x3152bca5, 0xeade, 0x433d, { 0x86, 0x2e, 0xc0, 0x1c, 0xdc, 0x29, 0x1f, 0x44 } }
struct efi_rng {
    void *get_info;
    efi_status (*get)(struct efi_rng *self, const struct efi_guid *algorithm, uint64_t size, uint8_t *ret);
};

// TCG EFI Protocol Specification, family 2.0, chapter 6.
#define EFI_TCG2_GUID                                                                                                  \
    { 0x607f766c, 0x7455, 0x42be, { 0x93, 0x0b, 0xe4, 0xd7, 0x6d, 0xb2, 0x72, 0x0f } }
#define EV_IPL 0xd // TCG PC Client Platform Firmware Profile, 10.4.1: for the boot loader's own use
struct efi_tcg2_capability {
    uint8_t size;
    uint8_t structure_version[2], protocol_version[2];
    uint32_t hash_algorithms, event_logs;
    bool tpm_present;
    uint16_t command_max, response_max;
    uint32_t manufacturer, bank_count, active_banks;
};
struct PACKED efi_tcg2_event { // the event itself follows
    uint32_t size;             // of all of it
    uint32_t header_size;      // from here to the event
    uint16_t header_version;   // 1
    uint32_t pcr, type;
};
#define EFI_TCG2_EVENT_HEADER 14
struct efi_tcg2 {
    efi_status (*get_capability)(struct efi_tcg2 *self, struct efi_tcg2_capability *ret);
    void *get_event_log;
    efi_status (*hash_log_extend)(struct efi_tcg2 *self, uint64_t flags, uint64_t data, uint64_t data_size,
                                  struct efi_tcg2_event *event);
};

// Configuration tables.
#define EFI_ACPI2_GUID                                                                                                 \
    { 0x8868e871, 0xe4f1, 0x11d3, { 0xbc, 0x22, 0x00, 0x80, 0xc7, 0x3c, 0x88, 0x81 } }
#define EFI_SMBIOS_GUID                                                                                                \
    { 0xeb9d2d31, 0x2d88, 0x11d3, { 0x9a, 0x16, 0x00, 0x90, 0x27, 0x3f, 0xc1, 0x4d } }
#define EFI_SMBIOS3_GUID                                                                                               \
    { 0xf2fd1544, 0x9794, 0x4a2c, { 0x99, 0x2e, 0xe5, 0xbb, 0xcf, 0x20, 0xe3, 0x94 } }

// Device path nodes (chapter 10).
enum { EFI_PATH_HARDWARE = 1, EFI_PATH_MESSAGING = 3, EFI_PATH_MEDIA = 4, EFI_PATH_END = 0x7f };
enum { EFI_PATH_HARDWARE_MEMORY = 3, EFI_PATH_MESSAGING_MAC = 11, EFI_PATH_MESSAGING_URI = 24, EFI_PATH_END_ALL = 0xff };
enum { EFI_PATH_MEDIA_VENDOR = 3, EFI_PATH_MEDIA_FILE = 4 };
