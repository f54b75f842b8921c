// SPDX-License-Identifier: MPL-2.0
// A response in pieces must come out as in one piece.
#include "proto/http.h"

#include "base/fuzz.h"

#include <stdlib.h>

static int count(void *ctx, const uint8_t *data, size_t len)
{
    uint64_t *sum = ctx;
    for (size_t i = 0; i < len; i++)
        *sum = *sum * 31 + data[i] + 1;
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct http_response whole, pieces;
    uint64_t sum_whole = 0, sum_pieces = 0;
    const struct range asked = { size % 3, size % 2 ? RANGE_END : size };
    http_init(&whole, &asked, count, &sum_whole);
    (void)http_input(&whole, data, size);
    http_closed(&whole);
    http_init(&pieces, &asked, count, &sum_pieces);
    for (size_t at = 0, step = size ? data[0] % 17 + 1 : 1; at < size; at += step)
        (void)http_input(&pieces, data + at, MIN(step, size - at));
    http_closed(&pieces);
    if (http_result(&whole) != http_result(&pieces) || sum_whole != sum_pieces || whole.offset != pieces.offset)
        abort();
    // A part is no more than what was asked for, unless it says that it is the whole.
    if (http_result(&whole) == 0 && whole.status == 206 && !whole.chunked && !whole.location[0] && whole.offset > asked.to)
        abort();
    return 0;
}
