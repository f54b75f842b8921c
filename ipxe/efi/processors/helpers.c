// SPDX-License-Identifier: MPL-2.0
// See helpers.h. What both ways have in common.
#include "efi/processors/helpers.h"

#include "efi/clock.h"
#include "efi/console.h"
#include "efi/efi.h"

#define SETTLE_US 1000000
#define SETTLE_STEP_US 1000

void helpers_stop(void)
{
    // The board is closed: they leave by themselves, and helpers_settle() waits for them when that matters.
}

void helpers_settle(void)
{
    uint64_t end = clock_us() + SETTLE_US;
    while (!helpers_back()) {
        if (clock_us() >= end) {
            static const char text[] = "efi: a processor does not come back\n";
            console_write_text(text, sizeof text - 1);
            return;
        }
        (void)efi_boot->stall(SETTLE_STEP_US);
    }
}
