// SPDX-License-Identifier: MPL-2.0
// Frames that a network could send, made of choices: the bytes of a fuzzer's input, or a seeded stream. Lengths and checksums are
// right unless a choice says otherwise, so that a frame gets as far into the stack as it can. Used by frames_fuzz.c and
// frames_sim.c; the network around it is testnet.h.
#pragma once
#include "host/testpeer.h"

#define ARRAY_PICK(c, a) ((a)[pick((c), ARRAY_SIZE(a))])

struct choices {
    const uint8_t *data; // NULL: the seeded stream
    size_t left;
    uint64_t state;
};

static bool choices_left(const struct choices *c)
{
    return !c->data || c->left > 0;
}

static uint32_t choice(struct choices *c)
{
    if (!c->data) { // xorshift64*
        c->state ^= c->state >> 12;
        c->state ^= c->state << 25;
        c->state ^= c->state >> 27;
        return (uint32_t)((c->state * 0x2545f4914f6cdd1dull) >> 32);
    }
    uint32_t value = 0;
    for (int i = 0; i < 2 && c->left; i++, c->left--)
        value = value << 8 | *c->data++;
    return value;
}

static uint32_t pick(struct choices *c, size_t count)
{
    return choice(c) % (uint32_t)count;
}

static bool one_in(struct choices *c, unsigned n)
{
    return pick(c, n) == 1 % n;
}

static uint32_t choice32(struct choices *c)
{
    static const uint32_t edges[] = { 0, 1, 2, 59, 60, 0x7fff, 0xffff, 0x7fffffff, 0xffffffff };
    return one_in(c, 2) ? ARRAY_PICK(c, edges) : choice(c) << 16 ^ choice(c);
}

// Addresses besides testpeer.h's: the peer is a router, a name server and all servers in one. Then groups, strangers.
static const uint8_t own_global[16] = { 0x20, 1, 0xd, 0xb8, [15] = 2 }, peer_global[16] = { 0x20, 1, 0xd, 0xb8, [15] = 1 };
static const uint8_t all_nodes[16] = { 0xff, 2, [15] = 1 };
static const uint8_t solicited[16] = { 0xff, 2, [11] = 1, 0xff, 0x12, 0x34, 0x56 };

static const uint8_t *to_ip4(struct choices *c)
{
    static const uint8_t others[][4] =
        { { 10, 0, 0, 255 }, { 255, 255, 255, 255 }, { 224, 0, 0, 1 }, { 239, 1, 2, 3 }, { 10, 0, 0, 9 }, { 0 }, { 127, 0, 0, 1 } };
    return one_in(c, 4) ? ARRAY_PICK(c, others) : own_ip4;
}

static const uint8_t *from_ip4(struct choices *c)
{
    static const uint8_t others[][4] =
        { { 10, 0, 0, 2 }, { 10, 0, 0, 7 }, { 192, 168, 1, 1 }, { 10, 0, 0, 255 }, { 224, 0, 0, 1 }, { 0 }, { 127, 0, 0, 1 } };
    return one_in(c, 4) ? ARRAY_PICK(c, others) : peer_ip4;
}

static const uint8_t *to_ip6(struct choices *c)
{
    switch (pick(c, 8)) {
    case 0:
        return all_nodes;
    case 1:
        return solicited;
    case 2:
        return peer_ip6;
    case 3:
    case 4:
        return own_global;
    default:
        return own_ip6;
    }
}

static const uint8_t *from_ip6(struct choices *c)
{
    static const uint8_t unspecified[16], mapped[16] = { [10] = 0xff, 0xff, 10, 0, 0, 1 };
    switch (pick(c, 16)) {
    case 0:
        return unspecified;
    case 1:
        return mapped;
    case 2:
        return all_nodes;
    case 3:
        return own_ip6;
    default:
        return one_in(c, 2) ? peer_global : peer_ip6;
    }
}

static void fill(struct choices *c, uint8_t *out, size_t len)
{
    uint32_t mix = choice(c);
    for (size_t i = 0; i < len; i++) {
        mix = mix * 1103515245 + 12345;
        out[i] = (uint8_t)(mix >> 16);
    }
}

// What an upper layer is in: the IP packet around it.
struct envelope {
    bool v6;
    const uint8_t *from, *to;
    uint8_t proto, ttl;
};

static struct envelope envelope(struct choices *c, bool v6, uint8_t proto)
{
    return (struct envelope){ v6, v6 ? from_ip6(c) : from_ip4(c), v6 ? to_ip6(c) : to_ip4(c), proto, 64 };
}

// Sets the checksum at `at` of the upper layer; sometimes a wrong one, or none.
static void seal(struct choices *c, const struct envelope *e, uint8_t *upper, size_t len, size_t at)
{
    if (len < at + 2)
        return;
    size_t ip = e->v6 ? 16 : 4;
    uint32_t sum = 0;
    if (e->v6 || e->proto == 6 || e->proto == 17)
        sum = sum_up(sum_up(e->proto + (uint32_t)len % 65535, e->from, ip), e->to, ip);
    store16_be(upper + at, 0);
    uint16_t right = (uint16_t)~sum_up(sum, upper, len);
    store16_be(upper + at, one_in(c, 32) ? (uint16_t)choice(c) : right);
}

static struct frame ethernet(struct choices *c, uint16_t type)
{
    static const uint8_t broadcast[6] = { 255, 255, 255, 255, 255, 255 }, group[6] = { 0x33, 0x33, 0, 0, 0, 1 };
    struct frame f = { .len = ETH };
    memcpy(f.bytes, one_in(c, 8) ? broadcast : one_in(c, 8) ? group : own_mac, 6);
    memcpy(f.bytes + 6, peer_mac, 6);
    store16_be(f.bytes + 12, type);
    return f;
}

static void append(struct frame *f, const void *bytes, size_t len)
{
    len = MIN(len, sizeof f->bytes - f->len);
    memcpy(f->bytes + f->len, bytes, len);
    f->len += len;
}

struct piece { // of a packet's payload; the whole of it: offset 0, no more
    uint16_t id;
    uint32_t offset; // bytes
    bool more;
};

static struct frame ip4(struct choices *c, const struct envelope *e, const uint8_t *payload, size_t len, struct piece piece)
{
    struct frame f = ethernet(c, 0x0800);
    uint8_t ip[60] = { 0 };
    size_t head = 20;
    if (e->proto == 2 || one_in(c, 16)) { // options: a router alert, or anything
        head = e->proto == 2 ? 24 : 20 + 4 * pick(c, 11);
        fill(c, ip + 20, head - 20);
        if (e->proto == 2)
            memcpy(ip + 20, (uint8_t[]){ 0x94, 4, 0, 0 }, 4);
    }
    ip[0] = (uint8_t)(0x40 | head / 4);
    store16_be(ip + 2, (uint16_t)(head + len));
    store16_be(ip + 4, piece.id);
    store16_be(ip + 6, (uint16_t)(piece.offset / 8 | (piece.more ? 0x2000 : 0)));
    ip[8] = e->ttl;
    ip[9] = e->proto;
    memcpy(ip + 12, e->from, 4);
    memcpy(ip + 16, e->to, 4);
    if (one_in(c, 32)) // a broken head with a good checksum
        ip[pick(c, 10)] = (uint8_t)choice(c);
    store16_be(ip + 10, (uint16_t)~sum_up(0, ip, (size_t)(ip[0] & 15) * 4));
    append(&f, ip, head);
    append(&f, payload, len);
    return f;
}

// With up to three extension headers in front, now and then.
static struct frame ip6(struct choices *c, const struct envelope *e, const uint8_t *payload, size_t len, struct piece piece)
{
    static const uint8_t kinds[] = { 0, 60, 43, 44, 59, 51, 0, 60 };
    struct frame f = ethernet(c, 0x86dd);
    uint8_t ip[40] = { 0x60 }, chain[128];
    size_t head = 0;
    uint8_t *slot = &ip[6];
    unsigned extra = one_in(c, 6) ? 1 + pick(c, 3) : 0;
    for (unsigned i = 0; i < extra; i++) {
        size_t size = 8 * (1 + (size_t)pick(c, 3));
        *slot = ARRAY_PICK(c, kinds);
        uint8_t *ext = chain + head;
        fill(c, ext, size);
        ext[1] = one_in(c, 16) ? (uint8_t)choice(c) : (uint8_t)(size / 8 - 1);
        if (*slot == 44)
            store16_be(ext + 2, one_in(c, 2) ? 0 : (uint16_t)choice(c));
        else if (!one_in(c, 4)) // padding alone
            memcpy(ext + 2, (uint8_t[]){ 1, (uint8_t)(size - 4) }, 2), memset(ext + 4, 0, size - 4);
        slot = ext;
        head += size;
    }
    if (piece.offset || piece.more) {
        *slot = 44;
        uint8_t *ext = chain + head;
        memset(ext, 0, 8);
        store16_be(ext + 2, (uint16_t)(piece.offset | piece.more));
        store16_be(ext + 6, piece.id);
        slot = ext;
        head += 8;
    }
    *slot = e->proto;
    store16_be(ip + 4, one_in(c, 64) ? (uint16_t)choice(c) : (uint16_t)(head + len));
    ip[7] = e->ttl;
    memcpy(ip + 8, e->from, 16);
    memcpy(ip + 24, e->to, 16);
    append(&f, ip, 40);
    append(&f, chain, head);
    append(&f, payload, len);
    return f;
}

static struct frame packet(struct choices *c, const struct envelope *e, const uint8_t *payload, size_t len)
{
    return e->v6 ? ip6(c, e, payload, len, (struct piece){ 0 }) : ip4(c, e, payload, len, (struct piece){ .id = (uint16_t)choice(c) });
}

// What any frame may suffer: a tag, a cut, padding, a wrong byte.
static void damage(struct choices *c, struct frame *f)
{
    if (one_in(c, 12) && f->len + 4 <= sizeof f->bytes) {
        memmove(f->bytes + 16, f->bytes + 12, f->len - 12);
        store16_be(f->bytes + 12, 0x8100);
        store16_be(f->bytes + 14, one_in(c, 2) ? 0xa000 : (uint16_t)choice(c));
        f->len += 4;
    }
    if (one_in(c, 24))
        f->len = pick(c, f->len + 1);
    size_t more = pick(c, 64);
    if (one_in(c, 24))
        f->len = MIN(f->len + more, sizeof f->bytes);
    if (one_in(c, 24) && f->len)
        f->bytes[pick(c, f->len)] ^= (uint8_t)(1u << pick(c, 8));
}

// --- upper layers: each writes into `out` and returns its length ---

static size_t echo(struct choices *c, struct envelope *e, uint8_t *out, size_t len)
{
    fill(c, out, 8 + len);
    out[0] = e->v6 ? 128 : 8;
    out[1] = 0;
    seal(c, e, out, 8 + len, 2);
    return 8 + len;
}

// An error message that quotes `quoted`, what the machine has sent.
static size_t icmp_error(struct choices *c, struct envelope *e, uint8_t *out, const uint8_t *quoted, size_t len)
{
    static const uint8_t types4[] = { 3, 3, 3, 3, 4, 5, 11, 12, 0, 13, 17, 18 }, types6[] = { 1, 1, 2, 2, 2, 3, 4, 129, 0, 200 };
    static const uint32_t mtus[] = { 0, 1, 40, 47, 48, 49, 55, 56, 60, 61, 68, 576, 1279, 1280, 1500, 9000, 65535, 0xffffffff };
    out[0] = e->v6 ? ARRAY_PICK(c, types6) : ARRAY_PICK(c, types4);
    out[1] = (uint8_t)pick(c, 8);
    store32_be(out + 4, ARRAY_PICK(c, mtus));
    len = pick(c, 4) ? MIN(len, (size_t)1000) : pick(c, len + 1);
    memcpy(out + 8, quoted, len);
    seal(c, e, out, 8 + len, 2);
    return 8 + len;
}

static size_t udp(struct choices *c, struct envelope *e, uint8_t *out, uint16_t from, uint16_t to, size_t len)
{
    store16_be(out, from);
    store16_be(out + 2, to);
    store16_be(out + 4, one_in(c, 32) ? (uint16_t)choice(c) : (uint16_t)(8 + len));
    seal(c, e, out, 8 + len, 6);
    return 8 + len;
}

static size_t nd_options(struct choices *c, uint8_t *out)
{
    static const uint8_t types[] = { 1, 2, 3, 3, 4, 5, 24, 25, 31, 14 };
    size_t at = 0;
    for (unsigned i = pick(c, 5); i > 0; i--) {
        uint8_t *o = out + at, type = ARRAY_PICK(c, types);
        size_t size = 8 * (type == 3 ? 4u : type == 25 ? 3u : type == 1 || type == 2 || type == 5 ? 1u : 1 + pick(c, 6));
        fill(c, o, size);
        o[0] = type;
        o[1] = one_in(c, 16) ? (uint8_t)choice(c) : (uint8_t)(size / 8);
        if (type == 1 || type == 2)
            memcpy(o + 2, peer_mac, 6);
        if (type == 5)
            store32_be(o + 4, one_in(c, 2) ? 1280 + pick(c, 300) : choice32(c));
        if (type == 3) {
            o[2] = one_in(c, 8) ? (uint8_t)choice(c) : 64;
            o[3] = 0xc0;
            store32_be(o + 4, choice32(c));
            store32_be(o + 8, choice32(c));
            memcpy(o + 16, one_in(c, 3) ? peer_ip6 : peer_global, 16);
            o[16 + 7] = (uint8_t)pick(c, 8);
        }
        if (type == 25) {
            store32_be(o + 4, choice32(c));
            memcpy(o + 8, peer_global, 16);
        }
        at += size;
    }
    return at;
}

// RFC 4861: 133 RS, 134 RA, 135 NS, 136 NA, 137 redirect.
static size_t neighbor(struct choices *c, struct envelope *e, uint8_t *out)
{
    size_t len = 8;
    e->ttl = one_in(c, 16) ? 64 : 255;
    memset(out, 0, 40);
    out[0] = (uint8_t)(133 + pick(c, 5));
    out[1] = one_in(c, 32);
    out[4] = (uint8_t)choice(c);
    if (out[0] == 134) {
        store16_be(out + 6, (uint16_t)choice32(c));
        store32_be(out + 8, choice32(c));
        store32_be(out + 12, choice32(c));
        len = 16;
    } else if (out[0] >= 135) {
        memcpy(out + 8, one_in(c, 2) ? from_ip6(c) : to_ip6(c), 16);
        len = 24;
        if (out[0] == 137) {
            memcpy(out + 24, one_in(c, 2) ? peer_global : to_ip6(c), 16);
            len = 40;
        }
    }
    len += nd_options(c, out + len);
    seal(c, e, out, len, 2);
    return len;
}

static size_t group_query(struct choices *c, struct envelope *e, uint8_t *out)
{
    static const uint8_t types4[] = { 0x11, 0x11, 0x12, 0x16, 0x17, 0x22 }, types6[] = { 130, 130, 131, 132, 143 };
    size_t len = (e->v6 ? 24u : 8u) + 4 * pick(c, 6);
    memset(out, 0, len);
    out[0] = e->v6 ? ARRAY_PICK(c, types6) : ARRAY_PICK(c, types4);
    store16_be(out + (e->v6 ? 4 : 0), e->v6 ? (uint16_t)choice32(c) : (uint16_t)(out[0] << 8 | (choice(c) & 0xff)));
    if (one_in(c, 2))
        memcpy(out + (e->v6 ? 8 : 4), e->to, e->v6 ? 16 : 4);
    seal(c, e, out, len, 2);
    e->ttl = 1;
    return len;
}
