// SPDX-License-Identifier: MPL-2.0
// Network bootstrap programs of others, run on top of Signet (PXE 2.1; doc/bios.md, "Programs on top of it"). While one runs, base memory
// and all from 1 MiB on are its own. Signet lies in a block at the top of memory then, hidden from the BIOS's memory map, its addresses lead
// there by pages, and 12 KiB in base memory hold the entries of the PXE API.
#pragma once
#include "core/platform.h"

// Runs it: struct platform's boot(). 0, ERR_BOOT_STATUS (it returned another value than PXENV_EXIT_SUCCESS), ERR_BOOT_NO_ROOM,
// ERR_BOOT_NO_PXE (its card is worked by a ROM whose PXE services are not there).
int program_run(const struct platform_boot *boot);
