// SPDX-License-Identifier: MPL-2.0
// Asking: whom to send HELLO to, and when. What the answers mean is client_servers.c's.
#include "phase2/client_parts.h"

void p2c_hello_init(struct p2_client *c, const struct p2_client_config *config)
{
    p2c_random(c, c->hello.nonce, sizeof c->hello.nonce);
    memcpy(c->hello.targets, config->targets, config->target_count * sizeof *config->targets);
    c->hello.target_count = config->target_count;
}

void p2c_hello_open(struct p2_client *c, struct p2_client_server *server)
{
    server->hello_open = P2C_LARGE && c->setup.block_max > P2_BLOCK_MAX ? P2_HELLO_OPEN_LARGE : P2_HELLO_OPEN;
    server->hello_next = c->now;
    server->hello_tries = 0;
}

void p2c_hello_discover(struct p2_client *c)
{
    if (c->hello.on)
        return;
    c->hello.on = true;
    c->hello.next = c->now;
    c->hello.target = 0;
    c->hello.pause = P2_HELLO_FIRST;
    for (uint32_t i = 0; i < c->servers.fixed_count; i++)
        if (c->servers.at[i].state == P2S_HEARD)
            p2c_hello_open(c, &c->servers.at[i]);
}

void p2c_hello_enough(struct p2_client *c)
{
    c->hello.on = false;
}

void p2c_hello_stop(struct p2_client *c)
{
    for (uint32_t i = 0; i < P2_CLIENT_SERVERS; i++)
        c->servers.at[i].hello_open = P2_HELLO_SHUT;
}

bool p2c_hello_asked(const struct p2_client *c)
{
    for (uint32_t i = 0; i < c->servers.fixed_count; i++) {
        const struct p2_client_server *s = &c->servers.at[i];
        if (s->state == P2S_HEARD && s->hello_open && c->now >= s->hello_next)
            return false;
    }
    return !c->hello.target_count || (c->hello.target == 0 && c->now < c->hello.next);
}

// A server the caller named that never answered is asked only while servers are looked for.
static bool hello_active(const struct p2_client *c, const struct p2_client_server *s)
{
    return s->state != P2S_FREE && s->hello_open && (s->state != P2S_HEARD || !s->fixed || c->hello.on);
}

static int hello_write(struct p2_client *c, const uint8_t *nonce, bool large, uint8_t *buf, size_t cap)
{
    struct p2_message m;
    memset(&m, 0, sizeof m);
    m.type = P2_HELLO;
    memcpy(m.nonce, nonce, P2_NONCE_SIZE);
    if (c->bound)
        memcpy(m.hello.tag, c->image_id, P2_TAG_SIZE);
    memcpy(m.hello.name, c->setup.image, sizeof m.hello.name);
    m.hello.facts = c->setup.facts;
    m.hello.window_max = c->window.max;
    if (P2C_LARGE && large)
        m.hello.block_max = c->setup.block_max;
    return p2_wire_write(&m, buf, cap);
}

// The pause after the n-th repetition, and up to a quarter more so that a hall of machines does not ask in step.
static uint64_t hello_pause(struct p2_client *c, uint64_t pause)
{
    uint8_t random;
    p2c_random(c, &random, 1);
    return pause + (pause / 4 * random >> 8);
}

// Whom to ask now. Begun at a random place: among a crowd of invented addresses the real one's turn must not
// depend on when it was heard of.
static struct p2_client_server *hello_due(struct p2_client *c)
{
    uint8_t start = 0;
    bool any = false;
    for (uint32_t i = 0; i < P2_CLIENT_SERVERS; i++)
        any |= hello_active(c, &c->servers.at[i]) && c->now >= c->servers.at[i].hello_next;
    if (!any)
        return NULL;
    p2c_random(c, &start, 1);
    for (uint32_t i = 0;; i++) {
        struct p2_client_server *s = &c->servers.at[(start + i) % P2_CLIENT_SERVERS];
        if (hello_active(c, s) && c->now >= s->hello_next)
            return s;
    }
}

static int hello_send(struct p2_client *c, struct p2_client_server *s, uint8_t *buf, size_t cap, struct net_addr *ret_to)
{
    uint64_t pause = MIN((uint64_t)P2_HELLO_FIRST << MIN(s->hello_tries, 4u), (uint64_t)P2_HELLO_LAST);
    *ret_to = s->addr;
    if (P2C_LARGE && s->hello_open == P2_HELLO_OPEN_LARGE) {
        s->hello_open = P2_HELLO_OPEN; // the plain one follows at once
        return hello_write(c, s->nonce, true, buf, cap);
    }
    s->hello_tries++;
    s->hello_sent = c->now;
    s->hello_next = c->now + hello_pause(c, pause);
    return hello_write(c, s->nonce, false, buf, cap);
}

int p2c_hello_output_current(struct p2_client *c, uint8_t *buf, size_t cap, struct net_addr *ret_to)
{
    struct p2_client_server *s = p2c_current(c);
    if (!s || !hello_active(c, s) || c->now < s->hello_next)
        return 0;
    return hello_send(c, s, buf, cap, ret_to);
}

int p2c_hello_output(struct p2_client *c, uint8_t *buf, size_t cap, struct net_addr *ret_to)
{
    // Discovery first: asking invented servers one by one must not put it off.
    if (c->hello.on && c->hello.target_count && c->now >= c->hello.next) {
        *ret_to = c->hello.targets[c->hello.target];
        c->hello.sent = c->now;
        if (++c->hello.target == c->hello.target_count) {
            c->hello.target = 0;
            c->hello.next = c->now + hello_pause(c, c->hello.pause);
            c->hello.pause = MIN(c->hello.pause * 2, (uint64_t)P2_HELLO_LAST);
        }
        return hello_write(c, c->hello.nonce, false, buf, cap);
    }
    struct p2_client_server *s = hello_due(c);
    return s ? hello_send(c, s, buf, cap, ret_to) : 0;
}

uint64_t p2c_hello_deadline(const struct p2_client *c)
{
    uint64_t t = UINT64_MAX;
    for (uint32_t i = 0; i < P2_CLIENT_SERVERS; i++)
        if (hello_active(c, &c->servers.at[i]))
            t = MIN(t, c->servers.at[i].hello_next);
    bool looking = c->phase == P2_DISCOVER || p2c_fetching(c);
    return looking && c->hello.on && c->hello.target_count ? MIN(t, c->hello.next) : t;
}
