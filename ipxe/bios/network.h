// SPDX-License-Identifier: MPL-2.0
// Where the cards come from, who drives them, and where they go to.
#pragma once
#include "net/card.h"

// The card whose PXE ROM is in memory with its API, as after a boot by it; else all that a native driver knows or that have ROMs in
// memory. A card that a native driver knows is that driver's, unless it refuses or the artefact says otherwise (EMBED_FLAG_FIRMWARE_DRIVERS,
// image/embed.h); the ROM's UNDI drives the others.
void network_find(void);
// All of the latter kind, the one at `first` (drivers/pci_bus.h) in front of the others. That one is driven natively whatever the artefact says,
// since its ROM is Signet's own; PCI_NOWHERE: there is none.
void network_find_all(uint16_t first);
// Is there a card whose frames go through a ROM's code?
bool network_calls_roms(void);
unsigned network_cards(void *ctx, struct card *ret[CARDS_MAX]); // struct platform's `cards`
// Until the next tick at the latest, when no frame is to be expected.
void network_idle(void);

// While a program of others has the machine: all cards are closed, and those that were open opened again; `one`: that one alone.
void network_pause(void);
void network_resume(const struct card *one);
// Is it the card of the PXE ROM that started Signet, worked by that?
bool network_has_pxe(const struct card *card);

// All cards silent and their memory no longer written, for a system that is about to start. There are none afterwards.
void network_silence(void);
// For the next boot device, which may be a ROM whose cards these are.
void network_release(void);
