// SPDX-License-Identifier: MPL-2.0
#pragma once
#include "base/base.h"

// Runs a boot program on top of Signet (boot_program.S), whose calls speak through the open card. `int18`: that is how it ends. Did all come
// about, and does the card work afterwards?
bool try_program(bool int18);
// The same on a card that the ROM works: the program's calls are the ROM's, which knows none of them.
bool try_program_on_rom(void);
