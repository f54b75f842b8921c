// SPDX-License-Identifier: MPL-2.0
// Chunks that the caller had already, from an older image on a disk: judged where they lie, like those from the network,
// and never asked for when they are good.
#include "phase2/client_parts.h"

// The caller may have taken its time over what it has: no server is to blame for that.
static bool present(struct p2_client *c, uint32_t chunk)
{
    p2c_turn_stop(c);
    return c->memory.chunk_bits[chunk / 8] >> (chunk % 8) & 1;
}

static bool matches(const struct p2_client *c, uint32_t chunk, uint32_t length)
{
    uint64_t offset = (uint64_t)chunk << c->space.piece_shift;
    uint8_t digest[SHA256_SIZE];
    struct sha256 sha;
    sha256_init(&sha);
    for (uint32_t done = 0; done < length;) {
        size_t n = 0;
        const uint8_t *p = scatter_at(&c->memory.map, offset + done, length - done, &n);
        if (!p || n == 0)
            return false;
        sha256_update(&sha, p, n);
        done += (uint32_t)n;
    }
    sha256_final(&sha, digest);
    return digest_equal(digest, c->memory.list + (size_t)chunk * SHA256_SIZE, sizeof digest);
}

int p2_client_local(struct p2_client *c, uint32_t chunk)
{
    if (c->phase != P2_PAYLOAD || chunk >= c->space.piece_count || c->memory.passing.room)
        return ERR_INVALID;
    if (present(c, chunk))
        return 1;
    if (chunk < c->space.piece_next)
        return ERR_INVALID; // on its way into the same memory
    uint32_t length = p2c_space_length(c, chunk);
    if (!matches(c, chunk, length))
        return 0;
    c->memory.chunk_bits[chunk / 8] |= (uint8_t)(1u << (chunk % 8));
    c->space.pieces_done++;
    c->progress.bytes_verified += length;
    c->progress.bytes_local += length;
    p2c_space_pass(c);
    return 1;
}
