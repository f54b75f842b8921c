// SPDX-License-Identifier: MPL-2.0
// A connection over a carrier of the test's own, as TLS will be one: what its owner is told and when nobody waits any longer.
#include "core/connection.h"

#include "base/test.h"

static struct {
    uint64_t now_us;
    // The carrier.
    int errors[4]; // what its calls of connect say, one after the other; the last one again and again
    unsigned connects, closes;
    int send_error;
    char sent[16];
    // The owner.
    unsigned opened, ended;
    char got[16];
} t;

static uint64_t now_us(void *ctx)
{
    return t.now_us;
}

static void idle(void *ctx, uint64_t deadline)
{
    t.now_us += 100000;
}

static int no_key(void *ctx)
{
    return -1;
}

static unsigned no_cards(void *ctx, struct card **ret)
{
    return 0;
}

static void zeros(void *ctx, void *buf, size_t len)
{
    memset(buf, 0, len);
}

static const struct platform platform = { .now_us = now_us, .idle = idle, .console_getkey = no_key, .cards = no_cards, .random = zeros };

static int carry_connect(struct connection *c, const struct net_addr *to)
{
    int err = t.errors[MIN(t.connects, ARRAY_SIZE(t.errors) - 1)];
    t.connects++;
    c->handle = err ? NULL : &t;
    return err;
}

static int carry_send(struct connection *c, const void *data, size_t len)
{
    memcpy(t.sent, data, len);
    return t.send_error;
}

static void carry_close(struct connection *c)
{
    t.closes++;
}

static const struct connection_carrier carrier = { carry_connect, carry_send, carry_close };

static struct core core;
static struct connection connection;
static struct core_names names;

static int opened(void *ctx)
{
    t.opened++;
    return connection_send(ctx, "ask", 4);
}

static void bytes(void *ctx, const uint8_t *data, size_t len)
{
    memcpy(t.got, data, len);
}

static void ended(void *ctx)
{
    t.ended++;
    connection_close(ctx);
}

static const struct connection_owner owner = { opened, bytes, ended };
static const uint8_t v4[4] = { 10, 0, 0, 1 };

static void set_up(void)
{
    memset(&t, 0, sizeof t);
    core = (struct core){ .platform = &platform, .key = -1 };
    connection = (struct connection){ .core = &core, .carrier = &carrier, .owner = &owner, .ctx = &connection };
    CHECK_EQ(net_start(&platform), ERR_NET_NO_CARD); // it runs all the same
}

static struct net_addr six(void)
{
    return (struct net_addr){ .ip = { 0xfe, 0x80, [15] = 1 }, .port = 80 };
}

TEST(bytes_both_ways)
{
    struct net_addr to = net_addr_v4(v4, 80);
    set_up();
    core_names_set(&names, &core, &to);
    CHECK_EQ(connection_connect(&connection, &to), 0);
    CHECK(!connection.answered, t.opened == 0);
    connection_opened(&connection);
    CHECK(connection.answered, t.opened == 1);
    CHECK_STR(t.sent, "ask");
    connection.owner->bytes(connection.ctx, (const uint8_t *)"told", 5);
    CHECK_STR(t.got, "told");
    uint64_t wake = UINT64_MAX;
    CHECK_EQ(connection_judge(&connection, &names, &wake), 0);
    CHECK_EQ(wake, UINT64_MAX); // it is open: how long its owner waits for bytes is the owner's
    connection.owner->ended(connection.ctx);
    CHECK(t.ended == 1, t.closes == 1, connection.answered, !connection.handle);
}

TEST(what_breaks_is_told)
{
    struct net_addr to = net_addr_v4(v4, 80);
    uint64_t wake = UINT64_MAX;
    set_up();
    core_names_set(&names, &core, &to);
    CHECK_EQ(connection_connect(&connection, &to), 0);
    connection_broke(&connection, ERR_CONN_RESET);
    CHECK_EQ(connection_judge(&connection, &names, &wake), ERR_CONN_RESET);
    CHECK(!connection.handle, !connection.answered);
    t.send_error = ERR_NO_MEMORY; // the next one begins anew, and its question cannot be sent
    CHECK_EQ(connection_connect(&connection, &to), 0);
    CHECK_EQ(connection.error, 0);
    connection_opened(&connection);
    CHECK_EQ(connection_judge(&connection, &names, &wake), ERR_NO_MEMORY);
}

TEST(a_way_may_still_come_for_ipv6_alone)
{
    struct net_addr to4 = net_addr_v4(v4, 80), to6 = six();
    set_up();
    t.errors[0] = t.errors[1] = ERR_NET_NO_ADDRESS;
    t.errors[2] = ERR_NET_NO_ROUTE;
    CHECK_EQ(connection_connect(&connection, &to6), 0);
    CHECK_EQ(t.connects, 4);
    CHECK_EQ(connection.since, t.now_us);
    set_up();
    t.errors[0] = ERR_NET_NO_ROUTE;
    CHECK_EQ(connection_connect(&connection, &to4), ERR_NET_NO_ROUTE);
    CHECK(t.connects == 1, t.now_us == 0);
    set_up();
    for (unsigned i = 0; i < ARRAY_SIZE(t.errors); i++)
        t.errors[i] = ERR_NET_NO_ADDRESS;
    CHECK_EQ(connection_connect(&connection, &to6), ERR_NET_NO_ADDRESS);
    CHECK(t.now_us > 4900000, t.now_us < 5500000);
    set_up();
    t.errors[0] = ERR_NO_MEMORY;
    CHECK_EQ(connection_connect(&connection, &to6), ERR_NO_MEMORY);
    CHECK_EQ(t.now_us, 0);
}

TEST(silence_gives_way_to_the_next_address)
{
    struct net_addr to = net_addr_v4(v4, 80), other = six();
    uint64_t wake = UINT64_MAX;
    set_up();
    core_names_set(&names, &core, &to);
    names.addrs[1][names.count[1]++] = other;
    (void)core_names_take(&names);
    CHECK_EQ(connection_connect(&connection, &to), 0);
    CHECK_EQ(connection_judge(&connection, &names, &wake), 0);
    CHECK_EQ(wake, connection.since + CORE_PATIENCE_US + 1);
    t.now_us = wake;
    CHECK_EQ(connection_judge(&connection, &names, &wake), ERR_TIMED_OUT);
    connection_opened(&connection); // who answers late is not left
    CHECK_EQ(connection_judge(&connection, &names, &wake), 0);
}

TEST_MAIN(T(bytes_both_ways), T(what_breaks_is_told), T(a_way_may_still_come_for_ipv6_alone), T(silence_gives_way_to_the_next_address))
