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
#include "efi/driver/snp_state.h"

#define SNP_DEVICE_LINK_US 3000000u
#define SNP_DEVICE_LINK_STEP_US 10000u // between two looks

// Stopped, with this permanent address, over a closed card of this driver. EFI_OUT_OF_RESOURCES and whatever else CreateEvent says:
// nothing was made. Card and device must stay where they are until snp_device_end, which closes the card.
efi_status snp_device_begin(struct snp_device *device, const struct nic_driver *driver, struct card *card, const uint8_t mac[6]);
void snp_device_end(struct snp_device *device);

// The card stands still for good: at ExitBootServices. The caller sees to it that the card's memory is not freed.
void snp_device_leave(struct snp_device *device);

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
