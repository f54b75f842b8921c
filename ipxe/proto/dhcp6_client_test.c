// SPDX-License-Identifier: MPL-2.0
// The DHCPv6 client against servers that are there, stateless, several, silent or not meant.
#include "base/cursor.h"
#include "base/test.h"
#include "proto/dhcp6.h"

#define XID 0x77abcdefu
#define S 1000000u

static const uint8_t mac[6] = { 0x52, 0x54, 0, 0x12, 0x34, 0x56 };
static struct dhcp6_client c;
static uint8_t sent[DHCP6_PACKET_MAX], packet[600];
static size_t sent_len;
static struct builder b;
static uint64_t now;

static void start(bool with_uuid)
{
    struct dhcp_config config = { .arch = 7, .has_uuid = with_uuid, .xid = XID };
    memcpy(config.mac, mac, 6);
    memset(config.uuid, 0x5a, 16);
    now = 5 * S;
    dhcp6_client_init(&c, &config, now);
}

// Lets time pass to the next datagram: its type, 0 when there is none any more.
static uint8_t next_sent(void)
{
    while (dhcp6_client_deadline(&c) != UINT64_MAX) {
        now = MAX(now, dhcp6_client_deadline(&c));
        sent_len = dhcp6_client_output(&c, sent, sizeof sent, now);
        if (sent_len)
            return sent[0];
    }
    return 0;
}

// An option of what was sent: its length, -1 when it is not there.
static int sent_option(uint16_t code, const uint8_t **ret)
{
    struct cursor cur = cursor_make(sent, sent_len);
    (void)cursor_bytes(&cur, 4);
    while (cur.len) {
        uint16_t found = cursor_u16_be(&cur), len = cursor_u16_be(&cur);
        *ret = cursor_bytes(&cur, len);
        if (found == code && *ret)
            return len;
    }
    return -1;
}

static void option(uint16_t code, const void *data, size_t len)
{
    builder_u16_be(&b, code);
    builder_u16_be(&b, (uint16_t)len);
    builder_bytes(&b, data, len);
}

// A message of a server that is called so, for the client that has sent last.
static void begin(uint8_t type, const char *server)
{
    const uint8_t *id = NULL;
    int len = sent_option(1, &id);
    b = builder_make(packet, sizeof packet);
    builder_u32_be(&b, (uint32_t)type << 24 | (XID & 0xffffff));
    option(1, id, (size_t)MAX(len, 0));
    option(2, server, strlen(server));
}

static void address(uint8_t last)
{
    uint8_t ia[40] = { [13] = DHCP6_IA_ADDRESS, [15] = 24, [16] = 0xfd, [17] = 0x50, [31] = last, [39] = 60 };
    option(DHCP6_IA_NA, ia, sizeof ia);
}

static void hear(void)
{
    dhcp6_client_input(&c, packet, b.len, now);
}

TEST(solicit_request_reply)
{
    const uint8_t *v;
    start(true);
    CHECK_EQ(next_sent(), DHCP6_SOLICIT);
    CHECK_EQ(load32_be(sent), 1u << 24 | (XID & 0xffffff));
    CHECK_EQ(sent_option(1, &v), 18); // DUID-UUID
    CHECK(v[1] == 4, v[2] == 0x5a);
    CHECK_EQ(sent_option(61, &v), 2);
    CHECK_EQ(v[1], 7);
    CHECK_EQ(sent_option(62, &v), 3);
    CHECK(v[0] == 1, v[1] == 3, v[2] == 10);
    CHECK_EQ(sent_option(16, &v), 6 + 32);
    CHECK_EQ(load32_be(v), 343);
    CHECK(memcmp(v + 4, "\0\x20PXEClient:Arch:00007:UNDI:003010", 34) == 0);
    CHECK_EQ(sent_option(15, &v), 6);
    CHECK(memcmp(v, "\0\4iPXE", 6) == 0);
    CHECK_EQ(sent_option(6, &v), 8);
    CHECK(memcmp(v, "\0\27\0\30\0\73\0\74", 8) == 0);
    CHECK_EQ(sent_option(DHCP6_IA_NA, &v), 12);
    CHECK_EQ(sent_option(2, &v), -1);
    begin(DHCP6_ADVERTISE, "server");
    address(9);
    hear();
    uint64_t heard = now;
    CHECK_EQ(next_sent(), DHCP6_REQUEST);
    CHECK_EQ(now, heard + S); // others are heard, too
    CHECK_EQ(sent_option(2, &v), 6);
    CHECK(memcmp(v, "server", 6) == 0);
    CHECK_EQ(sent_option(DHCP6_IA_NA, &v), 40);
    CHECK(memcmp(v, mac + 2, 4) == 0, v[16] == 0xfd, v[31] == 9);
    begin(DHCP6_REPLY, "server");
    address(9);
    option(DHCP6_BOOT_URL, "http://[fd50::1]/boot", 21);
    option(DHCP6_BOOT_PARAMETERS, "\0\3one\0\3two\0\7cut", 15);
    hear();
    CHECK_EQ(c.result, 0);
    CHECK(c.lease.has_ip, c.lease.ip[15] == 9);
    CHECK_STR(c.lease.boot_url, "http://[fd50::1]/boot");
    CHECK_STR(c.lease.boot_parameters, "one two");
    CHECK_EQ(next_sent(), 0);
    // Without a UUID the card is who asks.
    start(false);
    next_sent();
    CHECK_EQ(sent_option(1, &v), 10);
    CHECK(v[1] == 3, v[3] == 1, memcmp(v + 4, mac, 6) == 0);
}

TEST(the_best_of_several)
{
    const uint8_t *v;
    start(true);
    next_sent();
    static const struct {
        const char *name;
        int preference; // -1: none
        bool url;
    } servers[] = { { "plain", -1, false }, { "file", -1, true }, { "wanted", 1, false }, { "late", 0, true } };
    for (size_t i = 0; i < ARRAY_SIZE(servers); i++) {
        begin(DHCP6_ADVERTISE, servers[i].name);
        address((uint8_t)i);
        if (servers[i].preference >= 0)
            option(7, (uint8_t[]){ (uint8_t)servers[i].preference }, 1);
        if (servers[i].url)
            option(DHCP6_BOOT_URL, "tftp://[fd50::1]/x", 18);
        hear();
    }
    CHECK_EQ(next_sent(), DHCP6_REQUEST);
    CHECK_EQ(sent_option(2, &v), 6);
    CHECK(memcmp(v, "wanted", 6) == 0);
    // One that is preferred to all is not kept waiting.
    start(true);
    next_sent();
    begin(DHCP6_ADVERTISE, "first");
    address(1);
    option(7, "\xff", 1);
    hear();
    CHECK_EQ(dhcp6_client_deadline(&c), now);
}

// No address to be had, at once or when it is asked for: what a stateless server knows is asked for.
TEST(a_stateless_server)
{
    const uint8_t *v;
    for (int how = 0; how < 3; how++) {
        start(true);
        next_sent();
        begin(DHCP6_ADVERTISE, "server");
        if (how == 0)
            option(13, "\0\2none", 6);
        if (how == 1)
            address(9);
        if (how < 2)
            hear();
        if (how == 1) {
            CHECK_EQ(next_sent(), DHCP6_REQUEST);
            begin(DHCP6_REPLY, "server");
            option(13, "\0\2gone", 6);
            hear();
        }
        while (next_sent() == DHCP6_SOLICIT)
            ;
        CHECK_EQ(sent[0], DHCP6_INFORM);
        CHECK_EQ(sent_option(DHCP6_IA_NA, &v), -1);
        CHECK(now - 5 * S <= 3 * S);
        begin(DHCP6_REPLY, "server");
        address(66); // which an answer to this has not
        option(DHCP6_BOOT_URL, "tftp://[fd50::1]/x", 18);
        hear();
        CHECK_EQ(c.result, 0);
        CHECK(!c.lease.has_ip);
        CHECK_STR(c.lease.boot_url, "tftp://[fd50::1]/x");
    }
}

TEST(silence)
{
    unsigned count = 0;
    start(true);
    for (; next_sent(); count++)
        CHECK_EQ(sent[0], count < 2 ? DHCP6_SOLICIT : DHCP6_INFORM);
    CHECK_EQ(count, 4);
    CHECK_EQ(c.result, ERR_DHCP_NO_OFFER);
    CHECK_EQ(now - 5 * S, 6 * S);
    CHECK_EQ(dhcp6_client_deadline(&c), UINT64_MAX);
    // Too small a buffer sends nothing rather than half of it.
    start(true);
    CHECK_EQ(dhcp6_client_output(&c, sent, 60, now), 0);
}

TEST(what_is_not_ours)
{
    start(true);
    next_sent();
    for (int wrong = 0; wrong < 6; wrong++) {
        begin(wrong == 0 ? DHCP6_REPLY : wrong == 1 ? DHCP6_SOLICIT : DHCP6_ADVERTISE, wrong == 2 ? "" : "server");
        address(1);
        packet[3] ^= wrong == 3;  // the transaction
        packet[10] ^= wrong == 4; // the client
        if (wrong == 5)
            b.len--;
        hear();
        CHECK(c.best < 0, c.result == PENDING);
    }
    for (size_t n = 0; n < 4; n++)
        dhcp6_client_input(&c, packet, n, now);
    begin(DHCP6_ADVERTISE, "server");
    address(1);
    hear();
    CHECK_EQ(next_sent(), DHCP6_REQUEST);
    begin(DHCP6_REPLY, "other"); // nobody asked it
    address(2);
    hear();
    CHECK_EQ(c.result, PENDING);
    begin(DHCP6_ADVERTISE, "server");
    address(2);
    hear();
    CHECK_EQ(c.lease.ip[15], 1);
}

TEST_MAIN(T(solicit_request_reply), T(the_best_of_several), T(a_stateless_server), T(silence), T(what_is_not_ours))
