// SPDX-License-Identifier: MPL-2.0
// EFI_SIMPLE_NETWORK_PROTOCOL (UEFI 2.10, section 24.1), produced over a card of net/card.h: states, return codes, filters, buffers and
// counts. Beside the firmware's task priority, its events and its Stall nothing of it is called, so that a program can be both
// ends in a test.
//
// What the specification leaves open:
// - A frame that is sent is copied into the card's ring at once, so GetStatus names its buffer the next time that it is asked.
// - The card lets in more than is asked for; what no filter asked for is dropped here, and counted nowhere.
// - A frame that does not fit the caller's buffer stays the next one.
// - Initialize waits for a link, up to SNP_DEVICE_LINK_US, unless it was waited for in vain since there was one: firmware asks for
//   the link right behind it, and gives a card without one up.
// - Each call may be made at any priority up to TPL_NOTIFY, at which it runs.
#pragma once
#include "drivers/nic.h"
#include "efi/uefi.h"

#define SNP_DEVICE_SENT_MAX 64u        // buffers that GetStatus has not named yet; beyond that Transmit says EFI_NOT_READY
#define SNP_DEVICE_LINK_US 3000000u
#define SNP_DEVICE_LINK_STEP_US 10000u // between two looks

enum { SNP_RECEIVE_INTERRUPT = 1, SNP_TRANSMIT_INTERRUPT = 2 };

// EFI_NETWORK_STATISTICS, and which of its members are counted; the others are all ones.
struct snp_statistics {
    uint64_t rx_total, rx_good, rx_undersize, rx_oversize, rx_dropped, rx_unicast, rx_broadcast, rx_multicast, rx_crc_error, rx_bytes;
    uint64_t tx_total, tx_good, tx_undersize, tx_oversize, tx_dropped, tx_unicast, tx_broadcast, tx_multicast, tx_crc_error, tx_bytes;
    uint64_t collisions, unsupported_protocol, rx_duplicated, rx_decrypt_error, tx_error, tx_retry;
};
_Static_assert(sizeof(struct snp_statistics) == 26 * 8, "EFI_NETWORK_STATISTICS");

struct snp_device {
    struct efi_snp snp;
    struct efi_snp_mode mode;
    const struct nic_driver *driver;
    struct card *card;
    bool gone;           // the system has the machine: nothing is touched any more
    bool no_link_before; // it was waited for in vain
    bool everything;     // the card is told to let all frames in
    bool groups_told;    // the card has had a list of multicast addresses
    uint8_t *frame;      // received, and lent by the card; NULL: none
    uint64_t frame_size;
    void *sent[SNP_DEVICE_SENT_MAX]; // buffers that the caller gets back, the oldest at `sent_first`
    unsigned sent_first, sent_count;
    uint32_t interrupts;
    struct snp_statistics counts;
};

// Stopped, with this permanent address, over a closed card of this driver. EFI_OUT_OF_RESOURCES and whatever else CreateEvent says:
// nothing was made. Card and device must stay where they are until snp_device_end, which closes the card.
efi_status snp_device_begin(struct snp_device *device, const struct nic_driver *driver, struct card *card, const uint8_t mac[6]);
void snp_device_end(struct snp_device *device);

// The card stands still for good: at ExitBootServices. The caller sees to it that the card's memory is not freed.
void snp_device_leave(struct snp_device *device);

// --- among the files of this interface ---

static inline struct snp_device *snp_device_of(struct efi_snp *snp)
{
    return container_of(snp, struct snp_device, snp);
}

// In front of each call: takes the firmware's priority, and looks at the state. An error: the caller has to return it, and nothing
// was taken.
efi_status snp_device_enter(struct efi_snp *snp, uint64_t *ret_tpl);
// Behind it; `status` for the caller to return.
efi_status snp_device_exit(uint64_t tpl, efi_status status);

// The next frame that passes the filters is `frame`, if there is one.
void snp_device_fetch(struct snp_device *device);
// Forgets what was received and sent, and what filters let in.
void snp_device_empty(struct snp_device *device);
// Tells the card of address and filters. ERR_NET_LINK.
int snp_device_tell(struct snp_device *device);
// Does a filter ask for a frame to this address?
bool snp_device_wants(const struct snp_device *device, const uint8_t mac[6]);
void snp_device_clear_counts(struct snp_device *device);

// Of struct efi_snp: snp_filters.c, snp_traffic.c.
efi_status snp_filters_receive(struct efi_snp *snp, uint32_t enable, uint32_t disable, bool reset, uint64_t count, struct efi_mac *groups);
efi_status snp_filters_address(struct efi_snp *snp, bool reset, struct efi_mac *mac);
efi_status snp_filters_group(struct efi_snp *snp, bool ipv6, const uint8_t *ip, struct efi_mac *ret);
efi_status snp_traffic_statistics(struct efi_snp *snp, bool reset, uint64_t *size, void *ret);
efi_status snp_traffic_status(struct efi_snp *snp, uint32_t *ret_interrupts, void **ret_buffer);
efi_status snp_traffic_transmit(struct efi_snp *snp, uint64_t header_size, uint64_t size, void *buffer, struct efi_mac *source,
                                struct efi_mac *destination, uint16_t *protocol);
efi_status snp_traffic_receive(struct efi_snp *snp, uint64_t *ret_header_size, uint64_t *size, void *buffer, struct efi_mac *ret_source,
                               struct efi_mac *ret_destination, uint16_t *ret_protocol);
