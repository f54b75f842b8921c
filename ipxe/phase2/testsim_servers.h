// SPDX-License-Identifier: MPL-2.0
// The simulation's servers, good ones and others, and who forges their messages.
#pragma once
#include "phase2/testsim.h"

static void forge(const uint8_t *nonce, const struct net_addr *from, bool knows_image, uint64_t now)
{
    static const uint8_t types[] = { P2_DATA, P2_DATA, P2_DATA, P2_RESET, P2_ERROR, P2_OFFER, P2_FINISHED_ACK };
    struct p2_message m;
    uint8_t junk[P2_BLOCK_MAX], buf[P2_MESSAGE_MAX];
    memset(&m, 0, sizeof m);
    m.type = types[below(ARRAY_SIZE(types))];
    memcpy(m.nonce, nonce, P2_NONCE_SIZE);
    const uint8_t *id = knows_image ? image->seal.image_id : junk;
    for (size_t i = 0; i < sizeof junk; i++)
        junk[i] = (uint8_t)(i * 7 + now);
    switch (m.type) {
    case P2_DATA: {
        struct p2_data *d = &m.data;
        memcpy(d->tag, id, P2_TAG_SIZE);
        d->space = (uint8_t)below(3);
        uint32_t sizes[] = { (uint32_t)image->seal_len, image->seal.chunk_count * 32, (uint32_t)image->seal.payload_size };
        uint32_t piece = d->space == P2_SPACE_PAYLOAD ? image->seal.chunk_size : 1u << 20;
        uint32_t start = below(sizes[d->space]) / piece * piece, end = MIN(start + piece, sizes[d->space]);
        uint32_t block = below((end - start + P2_BLOCK_MAX - 1) / P2_BLOCK_MAX);
        d->offset = start + block * P2_BLOCK_MAX;
        d->length = MIN((uint32_t)P2_BLOCK_MAX, end - (uint32_t)d->offset);
        d->stamp = (uint16_t)below(40);
        d->bytes = junk;
        break;
    }
    case P2_RESET: m.reset_reason = P2_RESET_COOKIE; break;
    case P2_ERROR:
        memcpy(m.error.tag, id, P2_TAG_SIZE);
        m.error.code = (uint16_t)between(1, 4);
        break;
    case P2_OFFER:
        memcpy(m.offer.cookie, junk, P2_COOKIE_SIZE);
        memcpy(m.offer.image_id, chance(5000) ? id : junk, P2_IMAGE_ID_SIZE);
        m.offer.seal_size = chance(5000) ? (uint32_t)image->seal_len : below(SEAL_MAX + 10);
        m.offer.list_size = image->seal.chunk_count * 32;
        m.offer.payload_size = chance(5000) ? image->seal.payload_size : rng();
        m.offer.block_max = (uint16_t)between(500, 1500);
        m.offer.window_max = (uint16_t)below(2000);
        break;
    default: break;
    }
    int n = p2_wire_write(&m, buf, sizeof buf);
    if (n > 0)
        put(buf, (size_t)n, -1, from, now + below(2 * net.delay + 500));
}

static void forgers(uint64_t now)
{
    if (chance(net.forge_off)) {
        uint8_t guess[P2_NONCE_SIZE];
        for (size_t i = 0; i < sizeof guess; i++)
            guess[i] = (uint8_t)rng();
        // Off the path, but on the link: it hears discovery's HELLO.
        bool heard = net.discover && chance(5000);
        forge(heard ? seen_discovery : guess, &servers[below(net.servers)].addr, true, now);
    }
    if (seen && chance(net.forge_on))
        forge(seen_nonce, &seen_server, chance(9000), now);
    if (net.crowd && chance(3000)) {
        uint8_t ip[4] = { 10, 9, (uint8_t)below(256), (uint8_t)below(256) };
        struct net_addr nobody = net_addr_v4(ip, P2_PORT);
        struct p2_message m;
        uint8_t buf[P2_OFFER_SIZE];
        memset(&m, 0, sizeof m);
        m.type = P2_OFFER;
        memcpy(m.nonce, seen_discovery, P2_NONCE_SIZE);
        int n = p2_wire_write(&m, buf, sizeof buf);
        if (n > 0)
            put(buf, (size_t)n, -1, &nobody, now + below(300));
    }
}

static void image_view(struct p2_image *v, const struct testimage *t)
{
    *v = (struct p2_image){ .seal_size = (uint32_t)t->seal_len, .list_size = t->seal.chunk_count * 32,
                            .payload_size = t->seal.payload_size, .chunk_size = t->seal.chunk_size,
                            .handle = (void *)(uintptr_t)t, .name = t->seal.name };
    memcpy(v->id, t->seal.image_id, P2_IMAGE_ID_SIZE);
}
static const struct p2_image *by_name(void *ctx, const char *name)
{
    struct sim_server *s = ctx;
    if (!s->now || (name[0] && strcmp(name, s->now->seal.name) != 0 && strcmp(name, "boot") != 0))
        return NULL;
    return &s->image_now;
}
static const struct p2_image *by_tag(void *ctx, const uint8_t *tag)
{
    struct sim_server *s = ctx;
    if (s->now && memcmp(s->image_now.id, tag, P2_TAG_SIZE) == 0)
        return &s->image_now;
    return s->old && s->keeps_old && memcmp(s->image_old.id, tag, P2_TAG_SIZE) == 0 ? &s->image_old : NULL;
}
static const uint8_t *image_bytes(void *ctx, const struct p2_image *i, uint8_t space, uint64_t offset, uint32_t length)
{
    struct sim_server *s = ctx;
    const struct testimage *t = i->handle;
    const uint8_t *p = (space == P2_SPACE_SEAL ? t->file : space == P2_SPACE_LIST ? t->list : t->payload) + offset;
    if (space != P2_SPACE_PAYLOAD || (!s->corrupt_all && !chance(s->corrupt)))
        return p;
    memcpy(s->scratch, p, length);
    s->scratch[below(length)] ^= 1;
    return s->scratch;
}

static uint16_t path_block(void *ctx, const struct net_addr *to)
{
    return net.large;
}

static void server_start(struct sim_server *s, uint32_t index)
{
    struct p2_server_config config = {
        .images = { .ctx = s, .by_name = by_name, .by_tag = by_tag, .bytes = image_bytes },
        .name = index ? "spare" : "first", .path_block = path_block,
        .peers = s->peers, .peer_count = SIM_PEERS, .jobs = s->jobs, .job_count = SIM_JOBS,
    };
    for (size_t i = 0; i < sizeof config.secret; i++)
        config.secret[i] = (uint8_t)rng();
    for (size_t i = 0; i < sizeof config.instance; i++)
        config.instance[i] = (uint8_t)rng();
    if (p2_server_init(&s->machine, &config) != 0)
        abort();
    s->alive = true;
}

static void server_image(struct sim_server *s, const struct testimage *t)
{
    s->now = t;
    if (t)
        image_view(&s->image_now, t);
}

// What such a server sends in place of a message: its length, 0 = nothing.
static size_t never_say(uint8_t *buf, size_t len, uint64_t now)
{
    static struct { uint8_t bytes[P2_MESSAGE_LARGE]; size_t len; uint64_t next; } old;
    if (now < old.next && old.next - now > net.never_pause)
        old.len = 0, old.next = 0; // of an earlier boot
    bool data = buf[5] == P2_DATA, due = now >= old.next;
    if (buf[5] == P2_OFFER && net.never == NEVER_ANOTHER)
        buf[32] = (uint8_t)rng(); // the id of an image that was not offered before
    if (!data || net.never == NEVER_NO)
        return len;
    old.next = due ? now + net.never_pause : old.next;
    switch (net.never) {
    case NEVER_REPEAT:
        if (!old.len)
            memcpy(old.bytes, buf, old.len = len);
        memcpy(buf + P2_HEAD_SIZE, old.bytes + P2_HEAD_SIZE, old.len - P2_HEAD_SIZE);
        return due ? old.len : 0;
    case NEVER_RESET:
    case NEVER_ANOTHER:
        memset(buf + P2_HEAD_SIZE, 0, P2_RESET_SIZE - P2_HEAD_SIZE);
        buf[5] = P2_RESET;
        buf[P2_HEAD_SIZE] = P2_RESET_COOKIE;
        return P2_RESET_SIZE;
    case NEVER_BUSY:
        memset(buf + P2_HEAD_SIZE + P2_TAG_SIZE, 0, P2_ERROR_SIZE - P2_HEAD_SIZE - P2_TAG_SIZE);
        buf[5] = P2_ERROR;
        buf[24] = P2_ERROR_BUSY;
        return due ? P2_ERROR_SIZE : 0;
    default: return due ? len : 0;
    }
}

// Server `index` is there, with the image of this boot. Returns a time in the first `span` us, for what may befall it.
static uint64_t server_place(uint32_t index, uint64_t span)
{
    struct sim_server *s = &servers[index];
    uint8_t ip[4] = { 192, 0, 2, (uint8_t)(10 + index) };
    memset(s, 0, sizeof *s);
    s->addr = net_addr_v4(ip, P2_PORT);
    server_image(s, image);
    server_start(s, index);
    return 1 + rng() % (span + 1);
}

static void server_drain(uint32_t index, uint64_t now)
{
    struct sim_server *s = &servers[index];
    uint8_t buf[P2_MESSAGE_LARGE];
    struct net_addr to;
    struct p2_event event;
    int n;
    while ((n = p2_server_output_flat(&s->machine, buf, sizeof buf, &to, now)) > 0) {
        uint32_t mtu = net.mtu[index];
        n = (int)never_say(buf, (size_t)n, now);
        if (n && net_addr_equal(&to, &client_addr) && (!mtu || (uint32_t)n + 28 <= mtu))
            wire_send(buf, (size_t)n, -1, &s->addr, now);
    }
    while (p2_server_event(&s->machine, &event))
        if (verbose && event.type != P2_EVENT_PROGRESS)
            printf("  %9.3f ms server %u: event %u outcome %u %s\n", (double)now / 1000, index, event.type,
                   event.finished.outcome, event.finished.text);
}

static void server_times(uint32_t index, uint64_t now)
{
    struct sim_server *s = &servers[index];
    if (s->dies && now >= s->dies) {
        s->alive = false;
        s->dies = 0;
    }
    if (s->returns && now >= s->returns && !s->dies) {
        server_start(s, index); // another secret: old cookies are worth nothing
        s->returns = 0;
        s->restarts++;
    }
    if (s->replaces && now >= s->replaces) {
        s->old = s->now;
        s->image_old = s->image_now;
        server_image(s, &newer);
        s->replaces = 0;
    }
}
