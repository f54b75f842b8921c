// SPDX-License-Identifier: MPL-2.0
// The watch over a download, for every transport: does it get on? Bytes and times go in, a verdict comes out. Only bytes
// that bring the file further count: a repeated block, a header or an answer that says "wait" is no progress, so a server
// cannot hold a machine by sending such things for ever.
#pragma once
#include "base/err.h"

#define PROGRESS_SILENCE_US 30000000u // without a new byte
#define PROGRESS_WINDOW_US 60000000u  // each such window must bring PROGRESS_LEAST bytes
#define PROGRESS_LEAST (60u * 1024)   // 1 KiB/s: blocks of 512 bytes, one for each round trip of half a second

struct progress {
    uint64_t last_us;      // when the last new byte came
    uint64_t window_us;    // when the window began
    uint64_t window_bytes; // new bytes in it
};

// Begins, or begins anew after something else than the server took the time (a local copy was read, a server that failed was
// given up for the next one).
static inline void progress_start(struct progress *p, uint64_t now)
{
    *p = (struct progress){ .last_us = now, .window_us = now };
}

// So many new bytes have come; 0 changes nothing.
static inline void progress_add(struct progress *p, uint64_t bytes, uint64_t now)
{
    if (bytes == 0)
        return;
    p->last_us = now;
    p->window_bytes += bytes;
}

// 0: it goes on; ERR_TIMED_OUT: nothing new for too long; ERR_TOO_SLOW: less than the least rate over a window. To be asked
// while more is expected from the network, and after everything that has arrived was taken.
int progress_judge(struct progress *p, uint64_t now);

// When the verdict can change without a new byte.
uint64_t progress_deadline(const struct progress *p);
