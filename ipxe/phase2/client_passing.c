// SPDX-License-Identifier: MPL-2.0
// For a caller that does not hold the payload: chunks lie in the room of their slot until they are judged.
#include "phase2/client_parts.h"

size_t p2_client_room(const struct p2_client *c)
{
    uint32_t words, slots = p2c_slots_of(MIN(c->seal.payload_size, (uint64_t)c->seal.chunk_size), &words);
    return MIN(slots, c->seal.chunk_count) * (size_t)c->seal.chunk_size;
}

int p2_client_accept_passing(struct p2_client *c, const struct p2_passing *passing, uint8_t *list_buf, uint8_t *chunk_bits)
{
    if (c->phase != P2_SEALED || !passing->room || !list_buf || !chunk_bits)
        return ERR_INVALID;
    c->memory.passing = *passing;
    p2c_accepted(c, list_buf, chunk_bits);
    return 0;
}
