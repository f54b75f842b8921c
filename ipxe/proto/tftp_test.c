// SPDX-License-Identifier: MPL-2.0
#include "proto/tftp.h"

#include "base/test.h"

// A small server of the test's own: options or not, losses by a seeded generator.
struct server {
    const uint8_t *file;
    size_t len;
    bool options;
    uint16_t block_size, window;
    uint64_t next, acked; // blocks
    bool open;
};

static uint8_t received[300000];
static size_t received_len;
static uint32_t seed;

static const struct net_addr server_addr = { .ip = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 10, 0, 0, 1 }, .port = TFTP_PORT };

static struct net_addr at_port(uint16_t port)
{
    struct net_addr a = server_addr;
    a.port = port;
    return a;
}

static void give(struct tftp_client *c, uint16_t port, const void *packet, size_t len, uint64_t now)
{
    struct net_addr from = at_port(port);
    tftp_input(c, &from, packet, len, now);
}

static uint32_t random32(void)
{
    seed = seed * 1664525 + 1013904223;
    return seed >> 8;
}

static int keep(void *ctx, const uint8_t *data, size_t len)
{
    if (len > sizeof received - received_len)
        return ERR_TOO_LARGE;
    memcpy(received + received_len, data, len);
    received_len += len;
    return 0;
}

// Takes a request or an ACK; the datagrams to send are then blocks acked+1 .. acked+window.
static bool server_take(struct server *s, const uint8_t *p, size_t len, uint8_t *answer, size_t *answer_len)
{
    *answer_len = 0;
    if (load16_be(p) == 1) {
        s->open = true;
        s->acked = 0;
        bool asked = len > strlen((const char *)p + 2) + 2 + 7;
        if (s->options && asked) {
            static const uint8_t oack[] = "\0\6blksize\0" "1000\0WindowSize\0" "4\0tsize\0" "250000";
            memcpy(answer, oack, sizeof oack);
            *answer_len = sizeof oack;
            s->block_size = 1000;
            s->window = 4;
            return false;
        }
        s->block_size = 512;
        s->window = 1;
        return true;
    }
    uint16_t number = load16_be(p + 2);
    while ((uint16_t)s->acked != number)
        s->acked = s->acked > number && s->acked - number < 64 ? s->acked - 1 : s->acked + 1;
    return s->acked * s->block_size <= s->len;
}

static int transfer(size_t len, bool options, uint32_t loss_percent, struct tftp_client *c)
{
    static uint8_t file[250000];
    for (size_t i = 0; i < sizeof file; i++)
        file[i] = (uint8_t)(i * 7 + i / 256);
    struct server s = { .file = file, .len = len, .options = options };
    received_len = 0;
    uint64_t now = 0;
    if (tftp_init(c, "boot/x", &server_addr, 1500, keep, NULL, now) != 0)
        return ERR_INTERNAL;
    for (int turns = 0; tftp_result(c) == PENDING && turns < 100000; turns++) {
        uint8_t buf[TFTP_REQUEST_MAX], packet[2048];
        struct net_addr to;
        size_t n = tftp_output(c, buf, sizeof buf, &to, now);
        if (!n) {
            now = MAX(now, tftp_deadline(c));
            continue;
        }
        now += 1000;
        if (random32() % 100 < loss_percent)
            continue;
        size_t answer;
        bool data = server_take(&s, buf, n, packet, &answer);
        if (answer && random32() % 100 >= loss_percent)
            give(c, 2000, packet, answer, now);
        for (uint64_t b = s.acked + 1; data && b <= s.acked + s.window && (b - 1) * s.block_size <= s.len; b++) {
            size_t at = (size_t)(b - 1) * s.block_size, size = MIN((size_t)s.block_size, s.len - at);
            store16_be(packet, 3);
            store16_be(packet + 2, (uint16_t)b);
            memcpy(packet + 4, file + at, size);
            if (random32() % 100 >= loss_percent)
                give(c, 2000, packet, size + 4, now);
        }
    }
    int result = tftp_result(c);
    if (result == 0 && (received_len != len || memcmp(received, file, len) != 0))
        return ERR_INTERNAL;
    return result;
}

static struct tftp_client client;

TEST(sizes_around_the_block)
{
    static const size_t sizes[] = { 0, 1, 511, 512, 513, 999, 1000, 1001, 4000, 250000 };
    for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
        CHECK_EQ(transfer(sizes[i], true, 0, &client), 0);
        CHECK_EQ(client.block_size, 1000);
        CHECK_EQ(transfer(sizes[i], false, 0, &client), 0);
        CHECK_EQ(client.block_size, 512);
    }
}

TEST(losses_cost_time_only)
{
    for (seed = 1; seed < 40; seed++)
        CHECK_EQ(transfer(30000, seed & 1, 10, &client), 0);
}

TEST(a_silent_server_ends_in_a_timeout)
{
    CHECK_EQ(transfer(1000, true, 100, &client), ERR_TIMED_OUT);
}

static int feed(const void *packet, size_t len)
{
    if (tftp_init(&client, "x", &server_addr, 1500, keep, NULL, 0) != 0)
        return ERR_INTERNAL;
    uint8_t buf[TFTP_REQUEST_MAX];
    struct net_addr to;
    tftp_output(&client, buf, sizeof buf, &to, 0);
    give(&client, 1234, packet, len, 0);
    return tftp_result(&client);
}

TEST(errors_of_the_server)
{
    CHECK_EQ(feed("\0\5\0\1File not found", 19), ERR_NOT_FOUND);
    CHECK_STR(client.message, "File not found");
    CHECK_EQ(feed("\0\5\0\2den\1ied", 12), ERR_TFTP_ERROR);
    CHECK_STR(client.message, "den?ied");
    CHECK_EQ(feed("\0\5\0\10no options", 15), PENDING); // asked again without them
    CHECK(client.plain, client.send_due);
    CHECK_EQ(feed("\0\6blksize\0" "99999", 16), ERR_TFTP_ERROR);
    CHECK_EQ(feed("\0\6blksize", 9), ERR_TFTP_ERROR);
    CHECK_EQ(feed("\0\6windowsize\0" "0", 15), ERR_TFTP_ERROR);
    CHECK_EQ(feed("\0\6blksize \0" "512", 15), PENDING); // another name: read over (found by fuzzing)
    CHECK_EQ(client.block_size, TFTP_BLOCK_SIZE_DEFAULT);
    CHECK_EQ(feed("\0", 1), PENDING);
    CHECK_EQ(feed("\0\7zz", 4), PENDING);
}

TEST(strange_ports_are_not_heard)
{
    CHECK_EQ(feed("\0\6blksize\0" "512", 14), PENDING);
    give(&client, 999, "\0\5\0\2no", 7, 0);
    CHECK_EQ(tftp_result(&client), PENDING);
    char name[TFTP_FILENAME_MAX + 1];
    memset(name, 'a', sizeof name - 1);
    name[sizeof name - 1] = 0;
    CHECK_EQ(tftp_init(&client, name, &server_addr, 1500, keep, NULL, 0), ERR_TOO_LARGE);
}

// Refused before anything came: over. Afterwards, or for another port or host, that says nothing.
TEST(refusals)
{
    CHECK_EQ(tftp_init(&client, "x", &server_addr, 1500, keep, NULL, 0), 0);
    uint8_t buf[TFTP_REQUEST_MAX];
    struct net_addr to, other = server_addr;
    tftp_output(&client, buf, sizeof buf, &to, 0);
    other.port++;
    tftp_refused(&client, &other);
    other = server_addr;
    other.ip[15] ^= 1;
    tftp_refused(&client, &other);
    CHECK_EQ(tftp_result(&client), PENDING);
    tftp_refused(&client, &to);
    CHECK_EQ(tftp_result(&client), ERR_CONN_REFUSED);
    CHECK_EQ(tftp_output(&client, buf, sizeof buf, &to, 0), 0); // nobody is there to be told
    CHECK_EQ(feed("\0\6blksize\0" "512", 14), PENDING);
    tftp_refused(&client, &client.peer);
    tftp_refused(&client, &server_addr);
    CHECK_EQ(tftp_result(&client), PENDING);
}

// A card that holds two frames.
TEST(a_small_window_is_asked_for)
{
    uint8_t request[TFTP_REQUEST_MAX + 1];
    struct net_addr to;
    CHECK_EQ(tftp_init(&client, "x", &server_addr, 1500, keep, NULL, 0), 0);
    tftp_limit_window(&client, 2);
    size_t len = tftp_output(&client, request, sizeof request - 1, &to, 0);
    static const char asked[] = "windowsize\0" "2";
    bool found = false;
    for (size_t i = 0; i + sizeof asked <= len; i++)
        found = found || memcmp(request + i, asked, sizeof asked) == 0;
    CHECK(found);
    static const uint8_t three[] = "\0\6windowsize\0" "3";
    give(&client, 2000, three, sizeof three, 1);
    CHECK_EQ(tftp_result(&client), ERR_TFTP_ERROR); // more than asked for
}

TEST_MAIN(T(sizes_around_the_block), T(losses_cost_time_only), T(a_silent_server_ends_in_a_timeout),
          T(errors_of_the_server), T(strange_ports_are_not_heard), T(refusals), T(a_small_window_is_asked_for))
