// SPDX-License-Identifier: MPL-2.0
// What a person is told while something long is transferred: how much of it, how fast, and how long it will take. Bytes and
// times go in, a text comes out; the same for every transport.
#pragma once
#include "base/base.h"

#define METER_PAUSE_US 500000   // between two texts
#define METER_TEXT_MAX 56       // with NUL: "100 % of 4194304 MiB, 1048576 KiB/s, 9999 min left"

struct meter {
    uint64_t start_us, start_bytes; // the rate is counted from here
    uint64_t shown_us;              // 0: nothing was shown yet
};

// Begins; `done` bytes are there already, by other means.
void meter_start(struct meter *m, uint64_t done, uint64_t now);

// Is a text due? Twice a second, and once more when it is `whole`, if there was one before.
static inline bool meter_due(const struct meter *m, bool whole, uint64_t now)
{
    return whole ? m->shown_us != 0 : now - MAX(m->shown_us, m->start_us) >= METER_PAUSE_US;
}

// Writes it: "45 % of 300 MiB, 87 MiB/s, 2 s left".
void meter_text(struct meter *m, char text[METER_TEXT_MAX], uint64_t done, uint64_t total, uint64_t now);
