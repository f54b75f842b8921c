// SPDX-License-Identifier: MPL-2.0
// What a network bootstrap program finds under it: the PXE API (proto/pxe_api.h) over the network stack and one card.
#pragma once
#include "core/session.h"
#include "proto/pxe_api.h"

// The card that a program is about: the one that unscoped settings mean, which is that of the last lease, or else the next one that has
// an IPv4 address. False: none has.
bool core_nbp_card(const struct core *core, unsigned *ret_nic);

// Fills in what boot() needs. `packets`, whose bytes are read at the program's first call, are what DHCP has said on that card. All other
// cards are closed until core_nbp_end().
void core_nbp_start(struct core *core, unsigned nic, const struct pxe_api_packets *packets, struct platform_nbp *ret);

// boot() has come back: the card is the stack's, and the others are open as they were.
void core_nbp_end(void);
