// SPDX-License-Identifier: MPL-2.0
// Network cards of a machine that no PXE ROM started Signet on: UNDI brought up by the cards' own ROMs, which the BIOS left
// in memory (PXE specification 2.1: UNDI ROM ID, UNDI loader).
#pragma once
#include "drivers/pci_bus.h"
#include "net/card.h"

// Brings up the card if a ROM in memory serves it, as far as base memory goes, and adds it (bios/undi.h). A ROM may take
// memory and hide it: the BIOS's memory map is to be read afterwards. Says what it found; NULL: no card came of it.
struct card *undi_rom_start(const struct pci_bus_function *function);

// Before the machine goes back to the BIOS: takes the ROMs' UNDI out of memory again. All cards must be closed.
void undi_rom_stop(void);
