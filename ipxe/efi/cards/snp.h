// SPDX-License-Identifier: MPL-2.0
// Working a card by the Simple Network Protocol. Opening takes it from the firmware's own network stack, closing gives
// it back. Below snp_stop, everything is for open cards.
#pragma once
#include "efi/cards/cards.h"

int snp_open(struct efi_card *card); // ERR_NET_LINK
void snp_close(struct efi_card *card);
// Whatever the firmware has running on a PCI function is stopped, and its stack comes off.
void snp_stop(efi_handle function);
bool snp_link(const struct efi_card *card); // true where the firmware cannot tell
int snp_set_groups(struct efi_card *card);  // the card's filters, for the groups that were asked for last
int snp_send(struct efi_card *card, const void *frame, size_t len); // at most FRAME_MAX bytes
int snp_receive(struct efi_card *card, uint8_t **ret_frame);        // valid until the next one, of any card
