// SPDX-License-Identifier: MPL-2.0
// Working a card by the Simple Network Protocol. Opening takes it from the firmware's own network stack, closing gives
// it back. All take cards_find's numbers.
#pragma once
#include "efi/cards.h"

int snp_open(unsigned nic); // ERR_NET_NO_CARD, ERR_NET_LINK
void snp_close(unsigned nic);
void snp_close_all(void);

// The open cards are the firmware's again while something else runs, then ours as before: opened, with the same
// multicast filters. A card that cannot be had back stays closed and loses every frame.
void snp_pause(void);
void snp_resume(void);

int snp_multicast(unsigned nic, const uint8_t (*macs)[6], unsigned count);
int snp_send(unsigned nic, const void *frame, size_t len);
int snp_receive(unsigned nic, uint8_t **ret_frame); // valid until the next one, of any card
