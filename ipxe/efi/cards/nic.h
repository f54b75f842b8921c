// SPDX-License-Identifier: MPL-2.0
// The cards at work, whoever drives them.
#pragma once
#include "net/card.h"

// struct platform's `cards`: those of cards_find. Opening takes a card from the firmware; where a native driver fails, that is
// said and the firmware's is used. Closing gives it back.
unsigned nic_cards(void *ctx, struct card *ret[CARDS_MAX]);
void nic_close_all(void);
// Has a frame passed since this was asked last?
bool nic_frame_passed(void);

// The open cards are the firmware's while something else runs.
void nic_lend(void);
// Before a kernel: no card that Signet itself drives reaches memory any more.
void nic_quiet(void);
// What nic_lend or nic_quiet took is as before: open, with the same multicast filters. A card that cannot be had back stays
// closed and loses every frame.
void nic_resume(void);
