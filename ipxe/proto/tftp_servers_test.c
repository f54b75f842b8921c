// SPDX-License-Identifier: MPL-2.0
// The TFTP client against servers as they are, and as they should not be, on a wire with losses and on virtual time. What
// real servers do was measured: windows of tftpd-hpa 7 and of atftpd, answers from another address, numbers behind 65535.
#include "proto/tftp.h"

#include "base/test.h"

#define MS 1000ull
#define S 1000000ull
#define QUEUE 512
#define PACKET_MAX 1500
#define DELAY (1 * MS)

enum kind {
    RFC,          // a new window behind every ACK (RFC 7440; atftpd)
    KEEPS_WINDOW, // the rest of the old window, then it waits for the ACK of its end (tftpd-hpa 7)
    REPEATS,      // one block, for ever
    TRICKLES,     // a block every 25 s
    STOPS,        // in the middle
    OACKS,        // the OACK, for ever
    ERR8_ONCE,    // refuses options
};

static struct {
    enum kind kind;
    uint32_t len, start_over; // 65535 + 1 is start_over
    uint16_t other_port;
    bool other_address, options, small; // small: blocks of 8 bytes
    const char *oack; // its text, NULL: the usual one
    size_t oack_len;
    uint16_t block_size, window;
    uint32_t loss; // of 1000
    uint32_t drop; // the datagram that is lost besides
    // The run.
    bool open, ended;
    uint32_t acked, sent, end; // blocks; `end`: of the window that is under way
    uint64_t timer;
    unsigned requests, acks, errors, last_error, datagrams;
} sv;

static struct {
    uint64_t at;
    size_t len;
    uint8_t data[PACKET_MAX];
} queue[QUEUE];
static unsigned queue_head, queue_count;
static uint32_t seed, taken;
static bool damaged;
static struct tftp_client client;

static uint32_t random32(void)
{
    seed = seed * 1664525 + 1013904223;
    return seed >> 8;
}

static uint8_t byte_at(uint32_t i)
{
    return (uint8_t)(i * 7 + i / 251);
}

static int take(void *ctx, const uint8_t *data, size_t len)
{
    for (size_t i = 0; i < len; i++)
        damaged |= data[i] != byte_at(taken + (uint32_t)i);
    taken += (uint32_t)len;
    return 0;
}

static void post(const void *data, size_t len, uint64_t now)
{
    if (random32() % 1000 < sv.loss || queue_count == QUEUE)
        return;
    unsigned slot = (queue_head + queue_count++) % QUEUE;
    queue[slot].at = now + DELAY;
    queue[slot].len = len;
    memcpy(queue[slot].data, data, len);
}

static uint16_t number_of(uint32_t block)
{
    return (uint16_t)(block <= UINT16_MAX ? block : (block - UINT16_MAX - 1) % (UINT16_MAX + 1u - sv.start_over) + sv.start_over);
}

static void post_block(uint32_t block, uint64_t now)
{
    uint8_t packet[PACKET_MAX];
    uint32_t at = (block - 1) * sv.block_size;
    if (at > sv.len)
        return;
    uint32_t size = MIN((uint32_t)sv.block_size, sv.len - at);
    store16_be(packet, 3);
    store16_be(packet + 2, number_of(block));
    for (uint32_t i = 0; i < size; i++)
        packet[4 + i] = byte_at(at + i);
    if (++sv.datagrams != sv.drop)
        post(packet, 4 + size, now);
}

static void burst(uint32_t from, uint64_t now)
{
    for (uint32_t b = from; b <= sv.end; b++)
        post_block(b, now);
    sv.timer = now + 1 * S;
}

static void post_oack(uint64_t now)
{
    uint8_t usual[64];
    size_t len = 2 + (size_t)sprintf((char *)usual + 2, "blksize%c%u%cWindowSize%c16%ctsize%c250000", 0, sv.block_size, 0, 0, 0, 0) + 1;
    store16_be(usual, 6);
    post(sv.oack ? (const void *)sv.oack : usual, sv.oack ? sv.oack_len : len, now);
    sv.timer = now + 1 * S;
}

static void serve_request(const uint8_t *data, size_t len, uint64_t now)
{
    bool asked = len > strlen((const char *)data + 2) + 2 + 7;
    sv.requests++;
    if (sv.open && asked)
        return;
    if (asked && sv.kind == ERR8_ONCE) {
        post("\0\5\0\10no options", 15, now);
        return;
    }
    sv.open = true;
    if (asked && sv.options) {
        sv.block_size = sv.small ? 8 : 1000;
        sv.window = 16;
        post_oack(now);
        return;
    }
    sv.block_size = 512;
    sv.window = 1;
    sv.end = 1;
    burst(1, now);
}

static void serve_ack(uint16_t number, uint64_t now)
{
    sv.acks++;
    uint32_t first = sv.acked, block = first;
    while (block <= first + sv.window && number_of(block) != number)
        block++;
    if (block > first + sv.window)
        return;
    if (block == first && sv.kind >= REPEATS)
        return; // paced by the timer alone
    sv.ended |= (uint64_t)block * sv.block_size > sv.len;
    sv.acked = block;
    if (sv.kind != KEEPS_WINDOW || block >= sv.end)
        sv.end = block + sv.window;
    if (sv.kind == STOPS && block > 20)
        return;
    if (sv.kind == TRICKLES || sv.kind == REPEATS)
        sv.timer = now + (sv.kind == TRICKLES ? 25 * S : 0);
    else
        burst(block + 1, now);
}

static void serve_timer(uint64_t now)
{
    if (!sv.open || sv.ended || now < sv.timer)
        return;
    sv.timer = now + (sv.kind == TRICKLES ? 25 * S : sv.kind == REPEATS ? 100 * MS : 1 * S);
    if (sv.kind == REPEATS)
        post_block(1, now);
    else if (sv.kind == TRICKLES)
        post_block(sv.acked + 1, now);
    else if (sv.kind == OACKS || sv.end == 0)
        post_oack(now);
    else if (sv.kind != STOPS)
        burst(sv.acked + 1, now);
}

// Runs a transfer; the virtual time that it took.
static int transfer(uint64_t *ret_us, uint16_t mtu)
{
    static const uint8_t ip[4] = { 10, 0, 0, 1 };
    struct net_addr server = net_addr_v4(ip, TFTP_PORT), from = server;
    from.port = 2000;
    from.ip[15] += sv.other_address;
    uint64_t now = 5 * S, start = now;
    queue_count = taken = 0;
    damaged = false;
    *ret_us = 0;
    if (tftp_init(&client, "x", &server, mtu, take, NULL, now) != 0)
        return ERR_INTERNAL;
    while (now < start + 900 * S) {
        uint8_t out[TFTP_REQUEST_MAX];
        struct net_addr to;
        size_t n;
        while ((n = tftp_output(&client, out, sizeof out, &to, now)) > 0) {
            if (random32() % 1000 < sv.loss)
                continue;
            uint16_t op = load16_be(out);
            bool right = op == 1 ? net_addr_equal(&to, &server) : net_addr_equal(&to, &from);
            damaged |= !right;
            if (op == 1)
                serve_request(out, n, now);
            else if (op == 4)
                serve_ack(load16_be(out + 2), now);
            else if (op == 5)
                sv.errors++, sv.last_error = load16_be(out + 2), sv.ended = true;
        }
        int result = tftp_result(&client);
        if (result != PENDING) {
            *ret_us = now - start;
            return result || (!damaged && taken == sv.len) ? result : ERR_INTERNAL;
        }
        serve_timer(now);
        if (queue_count && queue[queue_head].at <= now) {
            tftp_input(&client, &from, queue[queue_head].data, queue[queue_head].len, now);
            queue_head = (queue_head + 1) % QUEUE;
            queue_count--;
            continue;
        }
        uint64_t next = tftp_deadline(&client);
        if (queue_count)
            next = MIN(next, queue[queue_head].at);
        if (sv.open && !sv.ended && sv.kind != STOPS)
            next = MIN(next, sv.timer);
        now = MAX(next, now + 1);
    }
    return ERR_INTERNAL; // it never ended
}

static int run(enum kind kind, uint32_t len, bool options, uint32_t loss, uint64_t *ret_us)
{
    sv = (typeof(sv)){ .kind = kind, .len = len, .options = options, .loss = loss };
    return transfer(ret_us, 1500);
}

TEST(another_address_of_the_server)
{
    uint64_t us;
    sv = (typeof(sv)){ .len = 50000, .other_address = true, .options = true };
    CHECK_EQ(transfer(&us, 1500), 0);
    sv = (typeof(sv)){ .len = 50000, .other_address = true };
    CHECK_EQ(transfer(&us, 1500), 0);
    CHECK(!damaged, us < 2 * S);
}

// Asks, and is sent one packet at `at`: does the transfer belong to the sender from there on, and has it ended?
static bool chosen_by(const struct net_addr *from, const char *packet, size_t len, uint64_t at)
{
    uint8_t out[TFTP_REQUEST_MAX];
    struct net_addr to;
    (void)tftp_output(&client, out, sizeof out, &to, at);
    tftp_input(&client, from, (const uint8_t *)packet, len, at);
    return client.peer.port || tftp_result(&client) != PENDING;
}

// The request goes to a server that says nothing yet, and others speak.
TEST(strangers_are_not_the_server)
{
    static const uint8_t ip[4] = { 10, 0, 0, 1 };
    static const struct { const char *packet; size_t len; bool error; } answers[] =
        { { "\0\3\0\1text", 8, false }, { "\0\6blksize\0" "512", 14, false }, { "\0\5\0\1none", 9, true }, { "\0\5\0\10none", 9, true } };
    struct net_addr server = net_addr_v4(ip, TFTP_PORT), other = server, from = server;
    from.port = other.port = 2000;
    from.zone = other.zone = 1;
    other.ip[15]++;
    for (size_t i = 0; i < ARRAY_SIZE(answers); i++) {
        taken = 0;
        CHECK_EQ(tftp_init(&client, "x", &server, 1500, take, NULL, 5 * S), 0);
        CHECK(!chosen_by(&other, answers[i].packet, answers[i].len, 5 * S));
        CHECK(!chosen_by(&other, answers[i].packet, answers[i].len, 6 * S - 1));
        CHECK_STR(client.message, "");
        CHECK_EQ(taken, 0);
        struct tftp_client silent = client;
        CHECK_EQ(chosen_by(&other, answers[i].packet, answers[i].len, 6 * S), !answers[i].error);
        client = silent;
        (void)chosen_by(&from, answers[i].packet, answers[i].len, 6 * S - 1);
        CHECK(client.peer.port || client.plain);
    }
    // A server that refuses options is there: the second begins anew.
    CHECK(client.plain, !chosen_by(&other, answers[0].packet, answers[0].len, 7 * S - 2));
    CHECK(chosen_by(&from, answers[0].packet, answers[0].len, 7 * S - 2));
    CHECK(net_addr_equal(&client.peer, &from));
}

TEST(numbers_start_over_at_0_or_at_1)
{
    uint64_t us;
    for (uint32_t over = 0; over < 2; over++)
        for (int options = 0; options < 2; options++) {
            sv = (typeof(sv)){ .len = 140000 * (options ? 8u : 512), .start_over = over, .options = options, .small = true, .loss = 1 };
            CHECK_EQ(transfer(&us, 1500), 0); // twice around
        }
    // Behind 65535 alone: whichever datagram of the burst is lost there.
    for (uint32_t drop = 1; drop <= 40; drop++) {
        sv = (typeof(sv)){ .len = 65600 * 8, .options = true, .small = true, .drop = 65520 + drop };
        CHECK_EQ(transfer(&us, 1500), 0);
    }
}

// 34 MB with a lost datagram now and then: 0.5 s for each of them is what d6ec2cc took.
TEST(a_lost_datagram_costs_little)
{
    uint64_t none, us;
    CHECK_EQ(run(KEEPS_WINDOW, 34000000, true, 0, &none), 0);
    for (int kind = RFC; kind <= KEEPS_WINDOW; kind++) {
        seed = 5;
        CHECK_EQ(run((enum kind)kind, 34000000, true, 1, &us), 0);
        CHECK(us < none + 6 * S); // some 35 losses; those at a window's end cost a timer
        CHECK(sv.datagrams < 34000 * 11 / 10);
    }
}

TEST(losses_of_every_kind_of_server)
{
    uint64_t us;
    for (int kind = RFC; kind <= KEEPS_WINDOW; kind++)
        for (seed = 1; seed < 2000; seed += 37) {
            uint32_t keep = seed;
            CHECK_EQ(run((enum kind)kind, 100000 + seed, seed & 1, 100, &us), 0);
            CHECK(us < 200 * S);
            seed = keep;
        }
}

TEST(servers_that_never_end)
{
    uint64_t us;
    CHECK_EQ(run(REPEATS, 100000, false, 0, &us), ERR_TIMED_OUT);
    CHECK(us <= 31 * S, sv.errors == 1);
    CHECK_EQ(run(TRICKLES, 10000000, false, 0, &us), ERR_TOO_SLOW);
    CHECK(us <= 61 * S, sv.errors == 1);
    CHECK_EQ(run(TRICKLES, 10000000, true, 0, &us), ERR_TOO_SLOW);
    CHECK_EQ(run(STOPS, 100000, true, 0, &us), ERR_TIMED_OUT);
    CHECK(us <= 32 * S, sv.errors == 1, sv.acks > 4);
    sv = (typeof(sv)){ .kind = OACKS, .options = true, .len = 5000, .oack = "\0\6tsize\0" "9", .oack_len = 10 };
    (void)transfer(&us, 1500);
    CHECK(us <= 31 * S);
}

TEST(options_refused_and_unasked)
{
    uint64_t us;
    CHECK_EQ(run(ERR8_ONCE, 30000, true, 0, &us), 0);
    CHECK_EQ(sv.requests, 2);
    CHECK_STR(client.message, "");
    static const char *const refused[] = { "\0\6blksize\0" "99999", "\0\6windowsize\0" "17", "\0\6tsize\0" "big  ", "\0\6blksize\0" "1433 " };
    for (size_t i = 0; i < ARRAY_SIZE(refused); i++) {
        sv = (typeof(sv)){ .len = 30000, .options = true, .oack = refused[i], .oack_len = 2 + strlen(refused[i] + 2) + 1 };
        sv.oack_len += strlen(refused[i] + sv.oack_len) + 1;
        CHECK_EQ(transfer(&us, 1500), ERR_TFTP_ERROR);
        CHECK_EQ(sv.errors, 1);
        CHECK_EQ(sv.last_error, 8);
    }
    // atftpd's multicast, which nobody asked for; its value is no number.
    static const char multicast[] = "\0\6multicast\0" "239.255.0.0,1758,1\0timeout\0x\0blksize\0" "1000\0windowsize\0" "16";
    sv = (typeof(sv)){ .len = 30000, .options = true, .oack = multicast, .oack_len = sizeof multicast };
    CHECK_EQ(transfer(&us, 1500), 0);
}

// A datagram fits the way: IPv6's header 40, UDP's 8, TFTP's 4.
TEST(block_size_by_mtu)
{
    static const struct {
        uint16_t mtu, asked;
    } cases[] = { { 0, 1432 }, { 1500, 1432 }, { 9000, 1432 }, { 1400, 1348 }, { 1280, 1228 }, { 576, 524 }, { 20, 1432 } };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct net_addr server = { .port = TFTP_PORT }, to;
        uint8_t out[TFTP_REQUEST_MAX];
        char wanted[24];
        CHECK_EQ(tftp_init(&client, "x", &server, cases[i].mtu, take, NULL, 0), 0);
        size_t n = tftp_output(&client, out, sizeof out, &to, 0);
        snprintf(wanted, sizeof wanted, "blksize%c%u", 0, cases[i].asked);
        CHECK(memmem(out, n, wanted, 8 + strlen(wanted + 8) + 1));
    }
}

TEST(a_caller_that_gives_up_tells_the_server)
{
    static const uint8_t data[516] = { 0, 3, 0, 1 };
    struct net_addr server = { .port = TFTP_PORT }, peer = { .port = 2000 }, to;
    uint8_t out[TFTP_REQUEST_MAX];
    for (int answered = 0; answered < 2; answered++) {
        CHECK_EQ(tftp_init(&client, "x", &server, 0, take, NULL, 0), 0);
        CHECK(tftp_output(&client, out, sizeof out, &to, 0) > 0);
        if (answered)
            tftp_input(&client, &peer, data, sizeof data, 0);
        tftp_abort(&client, ERR_CANCELLED);
        CHECK_EQ(tftp_output(&client, out, sizeof out, &to, 0) > 0, answered);
        CHECK(!answered || (load16_be(out) == 5 && load16_be(out + 2) == 0 && to.port == 2000));
        CHECK_EQ(tftp_output(&client, out, sizeof out, &to, 0), 0);
        CHECK_EQ(tftp_result(&client), ERR_CANCELLED);
    }
}

TEST_MAIN(T(another_address_of_the_server), T(strangers_are_not_the_server), T(numbers_start_over_at_0_or_at_1),
          T(a_lost_datagram_costs_little), T(losses_of_every_kind_of_server), T(servers_that_never_end),
          T(options_refused_and_unasked), T(block_size_by_mtu), T(a_caller_that_gives_up_tells_the_server))
