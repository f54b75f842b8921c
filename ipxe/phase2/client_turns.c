// SPDX-License-Identifier: MPL-2.0
// How the current server does in its turn, and whether another one may do better. It may be slow, far away or busy; or lie about all it has.
#include "phase2/client_parts.h"

// Until the seal is verified its size is a claim as well, and two claims that differ cannot be mixed.
bool p2c_turn_same_image(const struct p2_client *c, const struct p2_client_server *s)
{
    return memcmp(s->offer.image_id, c->image_id, P2_IMAGE_ID_SIZE) == 0 &&
           (c->bound || c->phase != P2_SEAL || s->offer.seal_size == c->intake.size);
}

static bool eligible(const struct p2_client *c, uint32_t i)
{
    const struct p2_client_server *s = &c->servers.at[i];
    return s->state == P2S_BOUND && i + 1 != c->servers.current && (!c->bound || p2c_turn_same_image(c, s));
}

// Never tried before tried, fewer strikes, longest ago.
static bool better(const struct p2_client *c, uint32_t a, uint32_t b)
{
    if (c->servers.at[a].strikes != c->servers.at[b].strikes)
        return c->servers.at[a].strikes < c->servers.at[b].strikes;
    return c->servers.at[a].tried < c->servers.at[b].tried;
}

uint32_t p2c_turn_next(const struct p2_client *c)
{
    uint32_t best = P2C_NOBODY;
    for (uint32_t i = 0; i < P2_CLIENT_SERVERS; i++)
        if (eligible(c, i) && (best == P2C_NOBODY || better(c, i, best)))
            best = i;
    return best;
}

bool p2c_turn_fruitful(const struct p2_client *c)
{
    return c->turn.data_at > c->turn.since;
}

bool p2c_turn_slow(struct p2_client *c)
{
    if (c->now - c->turn.slow_at < P2_SLOW_TIME)
        return false;
    bool result = c->turn.slow_blocks < P2_SLOW_BLOCKS;
    c->turn.slow_at = c->now;
    c->turn.slow_blocks = 0;
    return result;
}

// A server that trickles is no reason to fail, but others may do better: who is there is asked again, too. The fastest known
// has the next turn, and those not yet tried have theirs behind it: ever new ones cost it half of the time, no more.
uint32_t p2c_turn_faster(struct p2_client *c)
{
    struct p2_client_server *server = p2c_current(c);
    if (c->now - c->turn.rate_at < P2_RATE_TIME)
        return P2C_NOBODY;
    uint32_t fastest = P2C_NOBODY, untried = P2C_NOBODY, rate = 2 * c->turn.rate_blocks;
    server->rate = c->turn.rate_blocks;
    c->turn.rate_at = c->now;
    c->turn.rate_blocks = 0;
    if (server->rate >= P2_RATE_BLOCKS)
        return P2C_NOBODY;
    p2c_hello_discover(c);
    for (uint32_t i = 0; i < P2_CLIENT_SERVERS; i++) {
        const struct p2_client_server *s = &c->servers.at[i];
        if (!eligible(c, i) || s->strikes > server->strikes)
            continue;
        if (!s->tried && untried == P2C_NOBODY && 2 * server->rate < P2_RATE_BLOCKS)
            untried = i;
        if (s->tried && s->rate > rate) {
            fastest = i;
            rate = s->rate;
        }
    }
    return fastest != P2C_NOBODY ? fastest : untried;
}

// How long the current server may bring nothing. Those that answered HELLO and nothing else are many where somebody wants no boot.
uint64_t p2c_turn_patience(const struct p2_client *c)
{
    if (p2c_turn_fruitful(c) || p2c_turn_next(c) == P2C_NOBODY)
        return P2_FAILOVER_AFTER;
    return MIN((uint64_t)P2_FIRST_AFTER << MIN(c->servers.at[c->servers.current - 1].fruitless, 3u), (uint64_t)P2_FAILOVER_AFTER);
}

int p2c_turn_judge(struct p2_client *c)
{
    c->turn.watch.last_us = c->now; // silence is judged by stall_us
    return c->now - c->turn.progress_at >= c->setup.stall_us ? ERR_P2_STALLED : progress_judge(&c->turn.watch, c->now);
}

uint64_t p2c_turn_deadline(const struct p2_client *c)
{
    uint64_t t = MAX(c->turn.progress_at, c->turn.since) + p2c_turn_patience(c);
    t = MIN(t, c->turn.progress_at + c->setup.stall_us);
    t = MIN(t, MIN(c->turn.slow_at + P2_SLOW_TIME, c->turn.rate_at + P2_RATE_TIME));
    return MIN(t, c->turn.watch.window_us + PROGRESS_WINDOW_US);
}

// ---- what happens in it --------------------------------------------------------------------------------

void p2c_turn_begin(struct p2_client *c)
{
    c->turn.since = c->turn.rate_at = c->now;
    c->turn.rate_blocks = 0;
}

void p2c_turn_again(struct p2_client *c)
{
    c->turn.since = c->now;
}

void p2c_turn_rest(struct p2_client *c)
{
    c->turn.clock_stopped = false;
    c->turn.progress_at = c->turn.slow_at = c->turn.rate_at = c->now;
    c->turn.slow_blocks = c->turn.rate_blocks = 0;
    progress_start(&c->turn.watch, c->now);
}

void p2c_turn_stop(struct p2_client *c)
{
    c->turn.clock_stopped = true;
}

void p2c_turn_block(struct p2_client *c, uint32_t length)
{
    c->turn.progress_at = c->now;
    progress_add(&c->turn.watch, length, c->now);
    uint32_t blocks = P2C_LARGE ? p2_block_frames(length) : 1;
    c->turn.slow_blocks += blocks;
    c->turn.rate_blocks += blocks;
}

void p2c_turn_data(struct p2_client *c)
{
    c->turn.data_at = c->now;
}
