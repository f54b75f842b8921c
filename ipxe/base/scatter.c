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

// Either from `src` into the map or out of it to `dst`.
static bool move(const struct scatter *map, uint64_t offset, const uint8_t *src, uint8_t *dst, size_t len)
{
    if (!range_fits(offset, len, map->size))
        return false;
    for (size_t done = 0; done < len;) {
        size_t n = 0;
        uint8_t *here = scatter_at(map, offset + done, len - done, &n);
        if (!here)
            return false;
        if (src)
            memcpy(here, src + done, n);
        else
            memcpy(dst + done, here, n);
        done += n;
    }
    return true;
}

bool scatter_read(const struct scatter *map, uint64_t offset, void *dst, size_t len)
{
    return move(map, offset, NULL, dst, len);
}

bool scatter_write(const struct scatter *map, uint64_t offset, const void *src, size_t len)
{
    return move(map, offset, src, NULL, len);
}
