// SPDX-License-Identifier: MPL-2.0
// Network cards that a native driver of drivers/ works, by polling. Each is a card as in net/card.h.
#pragma once
#include "net/card.h"

// The PCI function at this place (drivers/pci_bus.h) as a closed card. NULL: no driver knows it, or it is out of reach, which is
// said.
struct card *native_find(uint16_t at);

// Opens it. The first card_open() after that finds it open. 0, or an error, which is said; the card is gone then, and as it was.
int native_start(struct card *card);
// Closes it: not one byte is written into memory after this. It is gone.
void native_drop(struct card *card);
void native_drop_all(void);

// Is it one of these?
bool native_has(const struct card *card);
bool native_is_open(struct card *card); // of one of these

// Has a frame passed since this was asked last?
bool native_frame_passed(void);
