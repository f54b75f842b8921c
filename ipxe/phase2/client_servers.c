// SPDX-License-Identifier: MPL-2.0
// Who is there. Discovery's HELLO goes to groups and carries a nonce that everyone on the link can read; so
// an answer to it says no more than "ask me". Each server that answers is asked again, alone, with a nonce
// that only it and we know, and only that answer counts. Servers named by the caller are asked that way at
// once. One server is the current one; the others wait for it to fail.
#include "phase2/client_parts.h"

static const struct p2_client_server *at(const struct p2_client *c, uint32_t i)
{
    return &c->servers.at[i];
}

static void server_new(struct p2_client *c, struct p2_client_server *server, const struct net_addr *addr, bool fixed)
{
    memset(server, 0, sizeof *server);
    server->addr = *addr;
    server->state = P2S_HEARD;
    server->fixed = fixed;
    p2c_random_nonce(c, addr, server->nonce);
    p2c_hello_open(c, server);
}

void p2c_servers_init(struct p2_client *c, const struct p2_client_config *config)
{
    for (uint32_t i = 0; i < config->server_count; i++)
        server_new(c, &c->servers.at[i], &config->servers[i], true);
    c->servers.fixed_count = config->server_count;
    p2c_hello_discover(c);
}

struct p2_client_server *p2c_servers_find(struct p2_client *c, const struct net_addr *from, const uint8_t *nonce)
{
    for (uint32_t i = 0; i < P2_CLIENT_SERVERS; i++) {
        struct p2_client_server *s = &c->servers.at[i];
        if (s->state != P2S_FREE && equal8(s->nonce, nonce) && net_addr_equal(&s->addr, from))
            return s;
    }
    return NULL;
}

static bool useless(struct p2_client *c, const struct p2_client_server *s)
{
    const struct p2_client_server *current = p2c_current(c);
    if (s->state == P2S_DROPPED || s == current)
        return s != current;
    bool slow = current && s->tried && s->rate < P2_RATE_BLOCKS && s->rate <= 2 * current->rate; // no reason to go back to it
    return slow || s->fruitless || (c->bound && !p2c_turn_same_image(c, s));
}

// Room for one more server: a free entry; else one that never answered us, asked before not yet asked (a crowd
// of invented addresses must not keep the real one out, so it is taken at random); else one that was dropped, has another image
// or brought nothing, or too little, in its turn: an OFFER costs nothing.
static struct p2_client_server *server_room(struct p2_client *c)
{
    struct p2_client_server *heard = NULL, *given_up = NULL;
    uint8_t start;
    p2c_random(c, &start, 1);
    for (uint32_t i = 0; i < P2_CLIENT_SERVERS; i++)
        if (c->servers.at[i].state == P2S_FREE)
            return &c->servers.at[i];
    for (uint32_t i = 0; i < P2_CLIENT_SERVERS; i++) {
        struct p2_client_server *s = &c->servers.at[(start + i) % P2_CLIENT_SERVERS];
        if (s->fixed)
            continue;
        if (s->state == P2S_HEARD && s->hello_tries)
            return s;
        if (s->state == P2S_HEARD)
            heard = s;
        if (useless(c, s) && (!given_up || s->tried < given_up->tried))
            given_up = s;
    }
    return heard ? heard : given_up;
}

int p2c_servers_heard(struct p2_client *c, const struct net_addr *from)
{
    // Only for a while after we asked: nobody can keep us busy with invented servers during the download.
    if (c->now - c->hello.sent > P2_HEARD_TIME)
        return ERR_NOT_FOUND;
    for (uint32_t i = 0; i < P2_CLIENT_SERVERS; i++)
        if (c->servers.at[i].state != P2S_FREE && net_addr_equal(&c->servers.at[i].addr, from))
            return 0;
    struct p2_client_server *server = server_room(c);
    if (!server)
        return ERR_NOT_FOUND;
    server_new(c, server, from, false);
    return 0;
}

struct p2_client_server *p2c_servers_answered(struct p2_client *c, const struct net_addr *from, const uint8_t *nonce)
{
    uint8_t good[P2_NONCE_SIZE];
    p2c_random_nonce(c, from, good);
    if (c->phase > P2_PAYLOAD || !digest_equal(good, nonce, sizeof good))
        return NULL;
    struct p2_client_server *server = server_room(c);
    if (!server)
        return NULL;
    server_new(c, server, from, false);
    server->hello_tries = 2; // when it was asked is not known any more: no round trip to be learned
    return server;
}

// Larger blocks are offered to who asked for them alone.
static bool offer_sane(const struct p2_client *c, const struct p2_offer *o)
{
    uint32_t largest = P2C_LARGE ? MAX(c->setup.block_max, P2_BLOCK_MAX) : P2_BLOCK_MAX;
    return o->seal_size >= SEAL_HEAD_SIZE && o->seal_size <= SEAL_MAX && o->list_size >= SHA256_SIZE &&
           o->list_size % SHA256_SIZE == 0 && o->list_size / SHA256_SIZE <= CHUNK_COUNT_MAX && o->payload_size >= 1 &&
           o->payload_size <= (uint64_t)CHUNK_COUNT_MAX * CHUNK_SIZE_MAX && o->block_max >= P2_BLOCK_MIN &&
           o->block_max <= largest && o->window_max >= 1;
}

static void seal_begin(struct p2_client *c, const struct p2_client_server *server)
{
    memcpy(c->image_id, server->offer.image_id, sizeof c->image_id);
    c->phase = P2_SEAL;
    p2c_space_begin(c, INTAKE_SEAL, server->offer.seal_size, 31);
}

// A cookie is good for blocks as large as were offered with it.
static void cookie_renew(struct p2_client_server *server, const struct p2_offer *offer)
{
    memcpy(server->offer.cookie, offer->cookie, sizeof offer->cookie);
    if (P2C_LARGE)
        server->offer.block_max = offer->block_max;
}

int p2c_servers_offer(struct p2_client *c, struct p2_client_server *server, const struct p2_offer *offer)
{
    if (!server->hello_open || !offer_sane(c, offer))
        return ERR_NOT_FOUND;
    if (server->hello_tries == 1)
        p2c_flow_sample(c, c->now - server->hello_sent);
    server->hello_open = P2_HELLO_SHUT;
    server->cookie_time = c->now;
    bool current = server == p2c_current(c);
    // A server whose image was replaced may still hold the one we are at: it keeps its place, and its
    // READs will tell. One that was dropped only needs a cookie, to be told how it ended.
    if (server->state == P2S_DROPPED || (server->state == P2S_BOUND && c->bound && p2c_turn_same_image(c, server)))
        cookie_renew(server, offer);
    else
        server->offer = *offer;
    if (P2C_LARGE && current && c->intake.block_size > offer->block_max)
        p2c_space_block_size(c, offer->block_max, c->space.block_proven);
    if (current && !c->bound && c->phase == P2_SEAL && !p2c_turn_same_image(c, server)) {
        // Replaced before its seal was here. One that is so again and again would never be there.
        if (++server->seal_tries >= P2_SEAL_TRIES) {
            p2c_servers_drop(c, c->servers.current - 1, ERR_P2_SERVERS_BAD);
            return 0;
        }
        seal_begin(c, server);
    }
    if (server->state == P2S_HEARD)
        server->state = P2S_BOUND;
    if (current && c->servers.reset_seen) {
        // What it rejected must be asked for again; if blocks kept coming the RESET was not its own.
        c->servers.reset_seen = false;
        if (c->turn.data_at <= c->servers.reset_at)
            p2c_flow_restart(c);
    }
    return 0;
}

// Each HELLO is answered by a piece of the list; pieces come in any order, and again.
static void choice_keep(struct p2_client *c, const struct p2_error *error)
{
    static const uint8_t none[P2_TAG_SIZE];
    uint32_t i = 0;
    while (i < P2_CHOICES_MAX && c->servers.choices[i][0] && memcmp(c->servers.choices[i], error->text, P2_ERROR_TEXT) != 0)
        i++;
    if (i < P2_CHOICES_MAX && !equal8(error->tag, none))
        memcpy(c->servers.choices[i], error->text, P2_ERROR_TEXT);
}

void p2c_servers_hint(struct p2_client *c, struct p2_client_server *server, const struct p2_message *m)
{
    bool reset = m->type == P2_RESET;
    if (!reset) {
        server->refused = c->now;
        bool none = m->error.code == P2_ERROR_NO_IMAGE || m->error.code == P2_ERROR_NO_TAG;
        server->refusals += none;
        c->servers.refusals += none;
        if (none && !c->bound && !c->setup.image[0])
            choice_keep(c, &m->error);
        if (m->error.code == P2_ERROR_BUSY)
            c->servers.busy_at = server->busy_at = MAX(c->now, 1u);
    }
    // Only the server that is being read from (or told the end) has something to say, and not too often.
    bool concerned = server == p2c_current(c) || c->finish.server == (uint32_t)(server - c->servers.at) + 1;
    if (!concerned || (c->servers.hint_at && c->now - c->servers.hint_at < P2_HINT_PAUSE))
        return;
    c->servers.hint_at = MAX(c->now, 1u);
    if (reset) {
        c->servers.reset_seen = true;
        c->servers.reset_at = c->now;
    }
    if (!server->hello_open)
        p2c_hello_open(c, server);
}

// ---- the current server --------------------------------------------------------------------------------

void p2c_servers_switch(struct p2_client *c, uint32_t index)
{
    struct p2_client_server *server = &c->servers.at[index], *last = p2c_current(c);
    if (last)
        last->fruitless = p2c_turn_fruitful(c) ? 0 : last->fruitless + 1;
    if (c->servers.current || c->bound)
        c->progress.failovers++;
    c->servers.current = index + 1;
    p2c_turn_begin(c);
    server->tried = MAX(c->now, 1u);
    p2c_flow_fresh(c);
    c->servers.reset_seen = false;
    p2c_flow_restart(c);
    uint32_t largest = MIN(c->setup.block_max, server->offer.block_max);
    if (c->intake.block_size > largest || !c->space.block_proven)
        p2c_space_block_size(c, largest, c->space.block_proven);
    if (!c->bound && (c->phase == P2_DISCOVER || !p2c_turn_same_image(c, server)))
        seal_begin(c, server);
    else
        p2c_space_server_changed(c);
    if (c->now - server->cookie_time >= P2_COOKIE_RENEW && !server->hello_open)
        p2c_hello_open(c, server);
}

void p2c_servers_drop(struct p2_client *c, uint32_t index, int error)
{
    struct p2_client_server *server = &c->servers.at[index];
    if (server->state == P2S_DROPPED)
        return;
    server->state = P2S_DROPPED;
    server->error = error;
    server->hello_open = P2_HELLO_SHUT;
    c->progress.servers_dropped++;
    c->servers.dropped_at = c->now;
    if (!c->servers.first_error) {
        c->servers.first_error = error;
        c->servers.first_error_server = index + 1;
    }
    if (++c->servers.drops >= P2_DROPS_MAX) {
        p2c_fail(c, c->servers.first_error);
        return;
    }
    if (c->servers.current != index + 1)
        return;
    c->servers.current = 0;
    p2c_flow_restart(c);
    if (!c->bound)
        c->phase = P2_DISCOVER;
    uint32_t other = p2c_turn_next(c);
    if (other != P2C_NOBODY)
        p2c_servers_switch(c, other);
    else
        p2c_hello_discover(c);
}

void p2c_servers_blame(struct p2_client *c, uint32_t index, int error)
{
    struct p2_client_server *server = &c->servers.at[index];
    if (++server->strikes >= P2_STRIKES_MAX) {
        p2c_servers_drop(c, index, error);
        return;
    }
    uint32_t other = p2c_turn_next(c);
    if (index + 1 == c->servers.current && other != P2C_NOBODY && c->servers.at[other].strikes < server->strikes)
        p2c_servers_switch(c, other);
}

// ---- timers --------------------------------------------------------------------------------------------

// Some server may still come: it was heard of, or it serves.
static bool hope(const struct p2_client *c)
{
    for (uint32_t i = 0; i < P2_CLIENT_SERVERS; i++) {
        const struct p2_client_server *s = at(c, i);
        if (s->state == P2S_BOUND && (!c->bound || p2c_turn_same_image(c, s)))
            return true;
        if (s->state == P2S_HEARD && s->refusals == 0)
            return true;
    }
    return false;
}

// Why there is no server: the first real reason counts.
static int reason(const struct p2_client *c, int otherwise)
{
    if (c->servers.first_error)
        return c->servers.first_error;
    return p2c_busy(c, c->servers.busy_at) ? ERR_P2_BUSY : c->servers.refusals ? ERR_P2_NO_IMAGE : otherwise;
}

static void tick_without_server(struct p2_client *c)
{
    uint32_t other = p2c_turn_next(c);
    if (other != P2C_NOBODY) {
        p2c_servers_switch(c, other);
        return;
    }
    p2c_hello_discover(c);
    uint64_t since = MAX(c->setup.started, c->servers.dropped_at);
    int why = reason(c, 0);
    // With a reason known and nobody left to hope for, the full time need not pass.
    if (why && !hope(c) && c->now - since >= P2_DECIDE_AFTER)
        p2c_fail(c, why);
    else if (!c->bound && c->now - since >= c->setup.discover_us)
        p2c_fail(c, reason(c, ERR_P2_NO_SERVER));
    else if (c->bound && c->now - c->turn.progress_at >= c->setup.stall_us)
        p2c_fail(c, reason(c, ERR_P2_STALLED));
}

static void tick_with_server(struct p2_client *c)
{
    struct p2_client_server *server = p2c_current(c);
    if (c->turn.clock_stopped || (!c->flow.outstanding && !p2c_space_wants(c)))
        p2c_turn_rest(c); // nothing is wanted from it
    uint64_t idle = c->now - c->turn.progress_at;
    int err = p2c_turn_judge(c);
    if (err) {
        p2c_fail(c, reason(c, err));
        return;
    }
    if (c->now - server->cookie_time >= P2_COOKIE_RENEW && !server->hello_open)
        p2c_hello_open(c, server);
    uint64_t wait = p2c_turn_patience(c);
    bool silent = idle >= wait && c->now - c->turn.since >= wait;
    bool refused = server->refused && server->refused >= c->turn.progress_at && idle >= P2_REFUSED_AFTER &&
                   c->now - c->turn.since >= P2_REFUSED_AFTER;
    uint32_t other = p2c_turn_faster(c);
    if (!silent && !refused && !p2c_turn_slow(c) && other == P2C_NOBODY)
        return;
    // The others that are known may be as dead: who else is there is asked at the same time.
    p2c_hello_discover(c);
    if (other == P2C_NOBODY)
        other = p2c_turn_next(c);
    if (other != P2C_NOBODY) {
        p2c_servers_switch(c, other);
    } else if (refused) {
        server->refused = 0; // nobody else: READs to it go on, and it may say so again
    } else if (silent) {
        if (!server->hello_open)
            p2c_hello_open(c, server); // it may have restarted, with another secret
        p2c_turn_again(c);
    }
}

void p2c_servers_tick(struct p2_client *c)
{
    for (uint32_t i = 0; i < P2_CLIENT_SERVERS; i++) {
        struct p2_client_server *s = &c->servers.at[i];
        if (!s->hello_open || c->now < s->hello_next || s->hello_tries < P2_HELLO_TRIES || s->fixed)
            continue;
        s->hello_open = P2_HELLO_SHUT; // a known one is asked again when it is needed
        if (s->state == P2S_HEARD)
            s->state = P2S_FREE;
    }
    if (c->phase != P2_DISCOVER && !p2c_fetching(c))
        return;
    if (!c->servers.current)
        tick_without_server(c);
    else
        tick_with_server(c);
    // Once a server delivers nobody else is looked for; the round that was begun is finished, to know others.
    if (c->hello.on && c->servers.current && c->turn.data_at && c->now - c->turn.data_at < P2_FAILOVER_AFTER && p2c_hello_asked(c))
        p2c_hello_enough(c);
}

uint64_t p2c_servers_deadline(const struct p2_client *c)
{
    uint64_t t = p2c_hello_deadline(c);
    if (c->phase != P2_DISCOVER && !p2c_fetching(c))
        return t;
    if (!c->servers.current) {
        uint64_t since = MAX(c->setup.started, c->servers.dropped_at);
        if (reason(c, 0) && !hope(c))
            return MIN(t, since + P2_DECIDE_AFTER);
        return MIN(t, c->bound ? c->turn.progress_at + c->setup.stall_us : since + c->setup.discover_us);
    }
    const struct p2_client_server *server = at(c, c->servers.current - 1);
    if (!c->flow.outstanding && !p2c_space_wants(c))
        return t; // all is here and waits to be hashed
    t = MIN(t, p2c_turn_deadline(c));
    if (server->refused && server->refused >= c->turn.progress_at)
        t = MIN(t, MAX(c->turn.progress_at, c->turn.since) + P2_REFUSED_AFTER);
    return server->hello_open ? t : MIN(t, server->cookie_time + P2_COOKIE_RENEW);
}
