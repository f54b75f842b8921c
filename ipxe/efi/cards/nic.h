// SPDX-License-Identifier: MPL-2.0
// The cards at work, whoever drives them. All take cards_find's numbers.
#pragma once
#include "core/platform.h"

// Takes the card from the firmware. Where a native driver fails, that is said and the firmware's is used. ERR_NET_NO_CARD,
// ERR_NET_LINK.
int nic_open(unsigned nic);
void nic_close(unsigned nic); // gives it back to the firmware
void nic_close_all(void);
bool nic_link(unsigned nic); // is it open, with a link as far as its driver knows?

// The open cards are the firmware's while something else runs.
void nic_lend(void);
// Before a kernel: no card that Signet itself drives reaches memory any more.
void nic_quiet(void);
// What nic_lend or nic_quiet took is as before: open, with the same multicast filters. A card that cannot be had back stays
// closed and loses every frame.
void nic_resume(void);

int nic_multicast(unsigned nic, const uint8_t (*macs)[6], unsigned count);
int nic_send(unsigned nic, const void *frame, size_t len);
int nic_receive(unsigned nic, uint8_t **ret_frame); // valid until the next one, of any card
