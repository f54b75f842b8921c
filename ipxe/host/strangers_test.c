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
    struct net_udp *udp;
    uint8_t from[6];    // the stranger's hardware address
} t;

static uint8_t big[PING_LONG + 64];
static struct choices dice = { .state = 1 };

static void put(struct frame f)
{
    memcpy(f.bytes + 6, t.from, 6);
    wire_put(&f);
}

// Answers for the peer alone.
static int wire_send(void *ctx, const void *frame, size_t len)
{
    static const uint8_t stranger[2] = { 2, 0x77 };
    const uint8_t *in = frame, *body = in + ETH;
    uint16_t type = load16_be(in + 12);
    bool v6 = type == 0x86dd;
    if (asked_for(in)) {
        if (memcmp(asked_for(in), v6 ? peer_ip6 : peer_ip4, v6 ? 16 : 4) != 0)
            return 0;
        t.lookups++;
        memcpy(t.from, peer_mac, 6);
        put(peer_has(in));
    } else if ((type == 0x0800 && body[9] == 17) || (v6 && body[6] == 17)) {
        t.datagrams += memcmp(in, peer_mac, 6) == 0;
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

TEST_MAIN(T(pings), T(long_pings), T(what_no_port_takes), T(fragments_that_never_end), T(who_asks_for_us))
