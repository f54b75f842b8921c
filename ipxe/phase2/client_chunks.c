// SPDX-License-Identifier: MPL-2.0
// What is said about chunks, between the intake and who uses or serves them: who is to blame for a bad one, chunks that the
// caller had already or does not hold.
#include "phase2/client_parts.h"

void p2c_chunk_judged(void *ctx, uint32_t slot, bool good)
{
    struct p2_client *c = ctx;
    uint32_t source = c->space.ask[slot].source;
    if (good) {
        if (source < P2_CLIENT_SERVERS)
            c->servers.at[source].strikes /= 2;
        return;
    }
    c->progress.bad_chunks++;
    p2c_slot_clear(c, slot);
    // Only when one server alone sent all of it is it known whose fault it is.
    if (source < P2_CLIENT_SERVERS)
        p2c_servers_blame(c, source, ERR_P2_SERVERS_BAD);
    c->space.ask[slot].only = (uint8_t)c->servers.current;
}

int p2_client_local(struct p2_client *c, uint32_t chunk)
{
    if (c->phase != P2_PAYLOAD)
        return ERR_INVALID;
    int result = intake_local(&c->intake, chunk);
    // The caller may have taken its time over what it has: no server is to blame for that.
    if (result >= 0)
        p2c_turn_stop(c);
    p2c_space_pass(c);
    return result;
}

size_t p2_client_room(const struct p2_client *c)
{
    return intake_room(&c->intake);
}
