// SPDX-License-Identifier: MPL-2.0
// See progress.h.
#include "base/progress.h"

int progress_judge(struct progress *p, uint64_t now)
{
    if (now >= p->last_us + PROGRESS_SILENCE_US)
        return ERR_TIMED_OUT;
    if (now < p->window_us + PROGRESS_WINDOW_US)
        return 0;
    if (p->window_bytes < PROGRESS_LEAST)
        return ERR_TOO_SLOW;
    p->window_us = now;
    p->window_bytes = 0;
    return 0;
}

uint64_t progress_deadline(const struct progress *p)
{
    return MIN(p->last_us + PROGRESS_SILENCE_US, p->window_us + PROGRESS_WINDOW_US);
}
