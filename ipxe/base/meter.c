// SPDX-License-Identifier: MPL-2.0
// See meter.h.
#include "base/meter.h"

#include "base/div.h"
#include "base/fmt.h"

#define RATE_AFTER_MS 1000 // before that a rate says nothing
#define MINUTES_FROM 120   // seconds

static uint32_t kib(uint64_t bytes)
{
    return (uint32_t)MIN((bytes + KIB - 1) / KIB, (uint64_t)UINT32_MAX);
}

void meter_start(struct meter *m, uint64_t done, uint64_t now)
{
    *m = (struct meter){ .start_us = now, .start_bytes = done };
}

static int write_rate(const struct meter *m, char *text, size_t cap, uint64_t done, uint64_t total, uint64_t now)
{
    uint32_t ms = (uint32_t)div64_32(now - m->start_us, 1000, NULL);
    uint32_t rate = ms < RATE_AFTER_MS ? 0 : (uint32_t)div64_32((uint64_t)kib(done - m->start_bytes) * 1000, ms, NULL);
    if (rate == 0)
        return 0;
    bool mib = rate >= 10 * 1024;
    int n = fmt_snprintf(text, cap, ", %u %s/s", mib ? rate >> 10 : rate, mib ? "MiB" : "KiB");
    uint32_t left = kib(total - done) / rate + 1;
    if (done < total)
        n += fmt_snprintf(text + n, cap - (size_t)n, left < MINUTES_FROM ? ", %u s left" : ", %u min left",
                          left < MINUTES_FROM ? left : left / 60);
    return n;
}

void meter_text(struct meter *m, char text[METER_TEXT_MAX], uint64_t done, uint64_t total, uint64_t now)
{
    bool whole = done >= total;
    m->shown_us = whole ? 0 : now;
    uint32_t percent = whole ? 100 : (uint32_t)div64_32((uint64_t)(done / KIB) * 100, kib(total), NULL);
    int n = fmt_snprintf(text, METER_TEXT_MAX, "%u %% of %u MiB", percent, (unsigned)((total + MIB - 1) >> 20));
    write_rate(m, text + n, METER_TEXT_MAX - (size_t)n, done, total, now);
}
