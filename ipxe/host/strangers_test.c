// SPDX-License-Identifier: MPL-2.0
// Strangers on the link whom nobody can find, by the hundred: whatever they send, and whatever lwIP answers, the machine's own
// packets go out as before, without a look-up of their neighbour and without want of memory.
#include "base/test.h"
#include "host/testwire.h"
#pragma clang diagnostic ignored "-Wunused-function" // of what testframes.h has for others
#include "host/testframes.h"

#define STRANGERS 200
#define PING_LONG 30000
#define PIECE 1400
#define PORT 4000
#define ROUTERS 3 // lwIP's list

static struct {
    unsigned lookups;   // of the peer
    unsigned datagrams; // to the peer
    unsigned answers;   // to strangers, where they came from
    unsigned elsewhere; // and not there
    uint8_t to[6], source[16]; // of the last datagram over IPv6
    unsigned announcements; // that our address is ours
    bool rogues_answer; // routers of strangers say where they are, and that is all
    struct net_udp *udp;
    uint8_t from[6];    // the stranger's hardware address
} t;

static uint8_t big[PING_LONG + 64];
static struct choices dice = { .state = 1 };
static const uint8_t rogue_mac[6] = { 2, 0x66 }, rogue_ip6[16] = { 0xfe, 0x80, [12] = 0x66 };

static void put(struct frame f)
{
    memcpy(f.bytes + 6, t.from, 6);
    wire_put(&f);
}

// A message to all nodes or to the machine, without a spoiled bit.
static void put_icmp6(const uint8_t *mac, const uint8_t *from, const uint8_t *to, uint8_t *message, size_t len)
{
    struct frame f = { .len = ETH };
    memcpy(t.from, mac, 6);
    memcpy(f.bytes, own_mac, 6);
    store16_be(f.bytes + 12, 0x86dd);
    store16_be(message + 2, 0);
    store16_be(message + 2, (uint16_t)~sum_up(sum_up(sum_up(58 + (uint32_t)len, from, 16), to, 16), message, len));
    append(&f, (uint8_t[]){ 0x60, 0, 0, 0, (uint8_t)(len >> 8), (uint8_t)len, 58, 255 }, 8);
    append(&f, from, 16);
    append(&f, to, 16);
    append(&f, message, len);
    put(f);
}

static void put_neighbor(const uint8_t target[16], const uint8_t mac[6])
{
    uint8_t na[32] = { 136, [4] = 0x60, [24] = 2, 1 };
    memcpy(na + 8, target, 16);
    memcpy(na + 26, mac, 6);
    put_icmp6(mac, target, own_ip6, na, sizeof na);
}

// The machine says to everyone that its address is its own.
static bool says_ours(const uint8_t *frame)
{
    const uint8_t *body = frame + ETH;
    if (load16_be(frame + 12) == 0x0806)
        return frame[0] == 0xff && memcmp(body + 8, own_mac, 6) == 0 && memcmp(body + 14, own_ip4, 4) == 0 && memcmp(body + 24, own_ip4, 4) == 0;
    return frame[0] == 0x33 && body[6] == 58 && body[40] == 136 && (body[44] & 0x20) && memcmp(body + 48, own_ip6, 16) == 0 &&
           memcmp(body + 66, own_mac, 6) == 0;
}

// Answers for the peer alone.
static int wire_send(void *ctx, const void *frame, size_t len)
{
    static const uint8_t stranger[2] = { 2, 0x77 };
    const uint8_t *in = frame, *body = in + ETH;
    uint16_t type = load16_be(in + 12);
    bool v6 = type == 0x86dd;
    const uint8_t *asked = asked_for(in);
    if (asked && memcmp(asked, v6 ? peer_ip6 : peer_ip4, v6 ? 16 : 4) == 0) {
        t.lookups++;
        memcpy(t.from, peer_mac, 6);
        put(peer_has(in));
    } else if (says_ours(in)) {
        t.announcements++;
    } else if (asked) {
        if (v6 && t.rogues_answer && memcmp(asked, rogue_ip6, 14) == 0)
            put_neighbor(asked, rogue_mac);
    } else if ((type == 0x0800 && body[9] == 17) || (v6 && body[6] == 17)) {
        t.datagrams += memcmp(in, peer_mac, 6) == 0;
        memcpy(t.to, in, 6);
        if (v6)
            memcpy(t.source, body + 8, 16);
    } else if (type == 0x0800 || (v6 && !(in[0] & 1))) {
        *(memcmp(in, stranger, 2) == 0 ? &t.answers : &t.elsewhere) += 1;
    }
    return 0;
}

static void datagram(void *ctx, unsigned nic, const struct net_addr *from, const uint8_t *data, size_t len) {}

static void wait(uint64_t us)
{
    wire.machine.now_us += us;
    drain();
}

static bool say(bool v6)
{
    struct net_addr to = net_addr_v4(peer_ip4, PORT);
    if (v6) {
        memcpy(to.ip, peer_ip6, 16);
        to.zone = 1;
    }
    unsigned before = t.datagrams;
    int err = net_udp_send(t.udp, &to, "hello", 5);
    return err == 0 && t.datagrams == before + 1; // at once: nothing is waited for
}

static void set_up(bool v6)
{
    if (!t.udp) {
        wire_start(wire_send);
        t.udp = net_udp_open(0, datagram, NULL);
    }
    drain();
    (void)say(v6);
    drain();
    t.lookups = t.answers = t.elsewhere = 0;
}

// One stranger's message, in pieces where it is long.
typedef size_t message(struct envelope *e, unsigned n);

static void send_pieces(const struct envelope *e, size_t len, uint16_t id, bool unfinished)
{
    for (size_t at = 0; at < len; at += PIECE) {
        struct piece p = { id, (uint32_t)at, unfinished || at + PIECE < len };
        size_t cut = MIN(len - at, (size_t)PIECE);
        put(e->v6 ? ip6(&dice, e, big + at, cut, p) : ip4(&dice, e, big + at, cut, p));
    }
    drain();
}

// Answers to them go where they came from; the peer is looked for again `lookups` times at most, and what is for it goes out.
static bool survives(bool v6, message *make, bool unfinished, unsigned lookups)
{
    set_up(v6);
    unsigned unsent = 0;
    for (unsigned n = 0; n < STRANGERS; n++) {
        uint8_t ip[16];
        memcpy(ip, v6 ? peer_ip6 : peer_ip4, v6 ? 16 : 4);
        ip[v6 ? 14 : 2] = v6 ? 7 : 0;
        ip[v6 ? 15 : 3] = (uint8_t)(20 + n);
        memcpy(t.from, (uint8_t[]){ 2, 0x77, 0, 0, 0, (uint8_t)n }, 6);
        struct envelope e = { v6, ip, v6 ? own_ip6 : own_ip4, v6 ? 58 : 1, 255 };
        size_t len = make(&e, n);
        if (len)
            send_pieces(&e, len, (uint16_t)n, unfinished);
        wait(20000);
        unsent += !say(v6);
    }
    bool good = unsent <= lookups && t.lookups <= lookups && !t.elsewhere;
    if (!good)
        fprintf(stderr, "v%d: %u of %u unsent, %u look-ups of the peer, %u answers elsewhere\n", v6 ? 6 : 4, unsent, STRANGERS, t.lookups,
                t.elsewhere);
    return good;
}

static size_t ping(struct envelope *e, unsigned n)
{
    return echo(&dice, e, big, 56);
}

static size_t long_ping(struct envelope *e, unsigned n)
{
    return echo(&dice, e, big, PING_LONG);
}

static size_t first_piece(struct envelope *e, unsigned n)
{
    e->proto = 17;
    return PIECE;
}

static size_t unknown_port(struct envelope *e, unsigned n)
{
    e->proto = 17;
    return udp(&dice, e, big, 9, (uint16_t)(1 + n), 100);
}

static size_t connection(struct envelope *e, unsigned n)
{
    e->proto = 6;
    memset(big, 0, 20);
    store16_be(big, (uint16_t)(1024 + n));
    store16_be(big + 2, 22);
    big[12] = 0x50;
    big[13] = 2; // SYN
    seal(&dice, e, big, 20, 16);
    return 20;
}

TEST(pings)
{
    for (int v6 = 0; v6 < 2; v6++) {
        CHECK(survives(v6, ping, false, 0));
        CHECK(t.answers > STRANGERS / 2); // the generator spoils some
    }
}

TEST(long_pings)
{
    for (int v6 = 0; v6 < 2; v6++) {
        CHECK(survives(v6, long_ping, false, 0));
        CHECK(t.answers > STRANGERS / 10 * (PING_LONG / 1500)); // of its pieces, each of which may be spoiled
    }
}

TEST(what_no_port_takes)
{
    for (int v6 = 0; v6 < 2; v6++) {
        CHECK(survives(v6, unknown_port, false, 0));
        CHECK(t.answers > STRANGERS / 2);
        CHECK(survives(v6, connection, false, 0));
        CHECK(t.answers > STRANGERS / 2);
    }
}

// Each is given up for a later one, or in time, and nobody is told.
TEST(fragments_that_never_end)
{
    for (int v6 = 0; v6 < 2; v6++) {
        CHECK(survives(v6, first_piece, true, 0));
        for (unsigned i = 0; i < 70; i++)
            wait(1000000);
    }
}

static size_t who_has(struct envelope *e, unsigned n)
{
    struct frame f = { .len = ETH };
    memset(f.bytes, 0xff, 6);
    store16_be(f.bytes + 12, 0x0806);
    append(&f, (uint8_t[]){ 0, 1, 8, 0, 6, 4, 0, 1 }, 8);
    append(&f, t.from, 6);
    append(&f, e->from, 4);
    append(&f, own_mac, 6);
    append(&f, own_ip4, 4);
    f.len = 60;
    put(f);
    drain();
    return 0;
}

static size_t solicitation(struct envelope *e, unsigned n)
{
    memset(big, 0, 32);
    big[0] = 135;
    memcpy(big + 8, own_ip6, 16);
    big[24] = big[25] = 1;
    memcpy(big + 26, t.from, 6);
    seal(&dice, e, big, 32, 2);
    return 32;
}

// A router that takes no traffic. More of them than the list holds.
static size_t router(struct envelope *e, unsigned n)
{
    memset(big, 0, 24);
    big[0] = 134;
    store16_be(big + 6, 1800);
    big[16] = big[17] = 1;
    memcpy(big + 18, t.from, 6);
    seal(&dice, e, big, 24, 2);
    return 24;
}

TEST(who_asks_for_us)
{
    CHECK(survives(false, who_has, false, 0));
    CHECK(survives(true, solicitation, false, 0));
    CHECK(t.answers > STRANGERS / 2);
    CHECK(survives(true, router, false, ROUTERS));
}

#define PREFIXES 9 // of a stranger's advertisement

// A router advertises networks 2001:db8:.., in which its hardware address and the number are, for as long as can be said.
static void advertise(const uint8_t *mac, const uint8_t *from, uint8_t number, unsigned prefixes)
{
    uint8_t ra[24 + 32 * PREFIXES] = { 134, [6] = 0xff, 0xff, [16] = 1, 1 };
    memcpy(ra + 18, mac, 6);
    for (unsigned i = 0; i < prefixes; i++) {
        const uint8_t prefix[32] = { 3, 4, 64, 0xc0, 255, 255, 255, 255, 255, 255, 255, 255,
                                     [16] = 0x20, 1, 0xd, 0xb8, mac[1], number, 0, (uint8_t)i };
        memcpy(ra + 24 + 32 * i, prefix, 32);
    }
    put_icmp6(mac, from, all_nodes, ra, 24 + 32 * prefixes);
    drain();
}

// What goes to another network takes the honest router, from the address that belongs to it.
static bool is_routed(const struct net_addr *server)
{
    memset(t.to, 0, 6);
    (void)net_udp_send(t.udp, server, "hello", 5);
    for (unsigned i = 0; i < 8; i++)
        wait(500000); // routers that do not answer are found out
    (void)net_udp_send(t.udp, server, "hello", 5);
    drain();
    return memcmp(t.to, peer_mac, 6) == 0 && t.source[0] == 0x20 && t.source[4] == peer_mac[1];
}

// Strangers advertise themselves and whatever they like, for ever, before the honest router is heard or around it.
TEST(routers_of_strangers)
{
    const struct net_addr server = { .ip = { 0x20, 1, 0xd, 0xb8, 0xff, 0xff, [15] = 9 }, .port = PORT };
    set_up(true);
    for (uint8_t round = 0; round < 4; round++) {
        uint8_t from[16];
        t.rogues_answer = round & 1;
        memcpy(from, rogue_ip6, 16);
        for (unsigned n = 0; n < STRANGERS; n++) {
            from[15] = round & 2 ? 1 : (uint8_t)n; // one, or many
            advertise(rogue_mac, from, (uint8_t)(round & 2 ? n : 1), PREFIXES);
        }
        advertise(peer_mac, peer_ip6, round, 1);
        unsigned tries = 0;
        while (tries < ROUTERS + 1 && !is_routed(&server)) {
            net_doubt(&server);
            tries++;
        }
        CHECK(tries <= ROUTERS);
    }
}

static void claim(bool v6)
{
    memcpy(t.from, rogue_mac, 6);
    if (v6) {
        uint8_t na[32] = { 136, [4] = 0x20, [24] = 2, 1 };
        memcpy(na + 8, own_ip6, 16);
        memcpy(na + 26, rogue_mac, 6);
        put_icmp6(rogue_mac, own_ip6, all_nodes, na, sizeof na);
    } else {
        struct frame f = { .len = ETH };
        memset(f.bytes, 0xff, 6);
        store16_be(f.bytes + 12, 0x0806);
        append(&f, (uint8_t[]){ 0, 1, 8, 0, 6, 4, 0, 1 }, 8);
        append(&f, rogue_mac, 6);
        append(&f, own_ip4, 4);
        append(&f, (uint8_t[6]){ 0 }, 6);
        append(&f, own_ip4, 4);
        f.len = 60;
        put(f);
    }
    drain();
}

// Who says that our address is his own is contradicted at once, and a storm of it makes no other.
TEST(who_claims_our_address)
{
    for (int v6 = 0; v6 < 2; v6++) {
        set_up(v6);
        wait(1000000);
        t.announcements = 0;
        claim(v6);
        CHECK_EQ(t.announcements, 1);
        for (unsigned i = 0; i < 1000; i++) {
            wait(1000);
            claim(v6);
        }
        CHECK(t.announcements >= 40, t.announcements <= 52);
        CHECK(say(v6));
    }
}

TEST_MAIN(T(pings), T(long_pings), T(what_no_port_takes), T(fragments_that_never_end), T(who_asks_for_us),
          T(routers_of_strangers), T(who_claims_our_address))
