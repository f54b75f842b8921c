// SPDX-License-Identifier: MPL-2.0
// See scatter.h.
#include "base/scatter.h"

#include "base/range.h"

uint8_t *scatter_at(const struct scatter *map, uint64_t offset, size_t want, size_t *ret_len)
{
    for (uint32_t i = 0; i < map->count; i++) {
        const struct scatter_piece *p = &map->pieces[i];
        if (offset < p->offset || offset - p->offset >= p->length)
            continue;
        uint64_t inside = offset - p->offset;
        *ret_len = (size_t)MIN((uint64_t)want, p->length - inside);
        return p->memory + inside;
    }
    return NULL;
}

bool scatter_write(const struct scatter *map, uint64_t offset, const void *src, size_t len)
{
    if (!range_fits(offset, len, map->size))
        return false;
    const uint8_t *from = src;
    while (len > 0) {
        size_t n = 0;
        uint8_t *to = scatter_at(map, offset, len, &n);
        if (!to)
            return false;
        memcpy(to, from, n);
        offset += n;
        from += n;
        len -= n;
    }
    return true;
}
