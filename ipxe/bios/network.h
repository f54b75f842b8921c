// SPDX-License-Identifier: MPL-2.0
// Where the cards come from and where they go to.
#pragma once

// The card whose PXE ROM is in memory with its API, as after a boot by it; else all that have ROMs in memory.
void network_find(void);
// For the next boot device, which may be a ROM whose cards these are.
void network_release(void);
