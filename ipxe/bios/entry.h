// SPDX-License-Identifier: MPL-2.0
// The ways into Signet, one file each (entry_*.c). An entry says what differs; all else are parts that know neither entries nor
// main.c, which puts them together.
#pragma once
#include "base/base.h"

struct bios_entry {
    uint8_t drive;                // the BIOS's number of the disk that Signet came from; 0: it came from none
    void (*find_network)(void);   // adds the cards (bios/undi.h)
    void (*said)(void);           // tells people where Signet came from; may be NULL
    void (*before_kernel)(void);  // the last thing before a kernel is started; may be NULL
};

// Whoever entered Signet left it in the registers (bios/handed.h). NULL: not this way.
const struct bios_entry *entry_disk(void);
const struct bios_entry *entry_rom(void);
// A PXE ROM, or whoever loads a file as one does.
const struct bios_entry *entry_nbp(void);
