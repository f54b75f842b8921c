// SPDX-License-Identifier: MPL-2.0
// What the files of snp_device.h have in common: what is known of a card, and the steps that more than one of its calls takes.
#pragma once
#include "drivers/nic.h"
#include "efi/uefi.h"

#define SNP_STATE_SENT_MAX 64u  // buffers that GetStatus has not named yet; beyond that Transmit says EFI_NOT_READY
#define SNP_STATE_HEADER 14     // bytes of an Ethernet header

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
    void *sent[SNP_STATE_SENT_MAX]; // buffers that the caller gets back, the oldest at `sent_first`
    unsigned sent_first, sent_count;
    uint32_t interrupts;
    struct snp_statistics counts;
};

static inline struct snp_device *snp_state_of(struct efi_snp *snp)
{
    return container_of(snp, struct snp_device, snp);
}

// In front of each call: takes the firmware's priority, and looks at the state. An error: the caller has to return it, and nothing
// was taken.
efi_status snp_state_enter(struct efi_snp *snp, uint64_t *ret_tpl);
// The same in any state.
efi_status snp_state_enter_any(struct efi_snp *snp, uint64_t *ret_tpl);
// Behind it; `status` for the caller to return.
efi_status snp_state_exit(uint64_t tpl, efi_status status);

// The next frame that passes the filters is `frame`, if there is one.
void snp_state_fetch(struct snp_device *device);
// Forgets what was received and sent, and what filters let in.
void snp_state_empty(struct snp_device *device);
// Tells the card of address and filters. ERR_NET_LINK.
int snp_state_tell(struct snp_device *device);
// Does a filter ask for a frame to this address?
bool snp_state_wants(const struct snp_device *device, const uint8_t mac[6]);
void snp_state_clear_counts(struct snp_device *device);
// Counts a frame, received or sent, by whom it is for: in one of the three.
void snp_state_count(const struct snp_device *device, const uint8_t *frame, uint64_t *unicast, uint64_t *broadcast, uint64_t *multicast);
