// SPDX-License-Identifier: MPL-2.0
// Keeping a lease: whom the client asks, when, and whom it believes.
#include "proto/testdhcp.h"

#define XID 0x11223344
#define S 1000000ull

static struct dhcp_client c;
static uint8_t sent[DHCP_PACKET_MAX];
static struct dhcp_datagram to;

static void bind_for(uint32_t seconds)
{
    struct dhcp_config config = { .xid = XID };
    struct dhcp_lease got = { .lease_s = seconds, .type = DHCP_ACK };
    memcpy(config.mac, mac, 6);
    memcpy(got.ip, address, 4);
    memcpy(got.server_id, server, 4);
    dhcp_client_adopt(&c, &config, &got, 1000 * S);
}

// Asks at `at` seconds, and not before.
static bool asks_at(double at)
{
    uint64_t now = 1000 * S + (uint64_t)(at * S);
    return !dhcp_client_output(&c, sent, sizeof sent, &to, now - 1) &&
           dhcp_client_output(&c, sent, sizeof sent, &to, now) >= DHCP_PACKET_MIN;
}

static void hear(uint8_t type, const uint8_t ip[4], const uint8_t id[4], uint32_t seconds, double at)
{
    uint8_t time[4];
    store32_be(time, seconds);
    begin(ip, zero, XID);
    option_u8(DHCP_MESSAGE_TYPE, type);
    option(DHCP_SERVER_ID, id, 4);
    if (seconds)
        option(DHCP_LEASE_TIME, time, 4);
    end();
    dhcp_client_input(&c, id, DHCP_SERVER_PORT, packet, b.len, 1000 * S + (uint64_t)(at * S));
}

// RFC 2131 4.3.6, RENEWING: the address is in ciaddr, and neither 50 nor 54 is there.
static bool is_renewal(const uint8_t dst[4])
{
    uint8_t v[4];
    return memcmp(to.dst, dst, 4) == 0 && to.dst_port == DHCP_SERVER_PORT && memcmp(sent + 12, address, 4) == 0 &&
           dhcp_option(sent, sizeof sent, DHCP_MESSAGE_TYPE, -1, v, 4) == 1 && v[0] == DHCP_REQUEST &&
           dhcp_option(sent, sizeof sent, DHCP_SERVER_ID, -1, v, 4) == ERR_NOT_FOUND &&
           dhcp_option(sent, sizeof sent, DHCP_REQUESTED_IP, -1, v, 4) == ERR_NOT_FOUND;
}

TEST(asks_the_server_and_then_all)
{
    static const uint8_t all[4] = { 255, 255, 255, 255 };
    bind_for(80);
    CHECK_EQ(dhcp_client_result(&c), 0);
    CHECK(asks_at(40), is_renewal(server));
    CHECK(asks_at(60), is_renewal(server));
    CHECK(asks_at(70), is_renewal(all));
    CHECK(asks_at(75), asks_at(77.5), asks_at(78.75), asks_at(79.75));
    CHECK(!dhcp_client_over(&c, 1080 * S - 1), dhcp_client_over(&c, 1080 * S));
    CHECK_EQ(dhcp_client_output(&c, sent, sizeof sent, &to, 2000 * S), 0);
}

TEST(an_answer_begins_it_anew)
{
    bind_for(80);
    CHECK(asks_at(40));
    hear(DHCP_ACK, address, server, 200, 41);
    CHECK(asks_at(141));
    hear(DHCP_ACK, address, proxy, 20, 142); // another server, which is asked from then on
    CHECK(asks_at(152), is_renewal(proxy));
}

// Another address, no time, an offer, a refusal by who did not give it: nothing changes.
TEST(others_are_not_believed)
{
    bind_for(80);
    CHECK(asks_at(40));
    hear(DHCP_ACK, proxy, server, 200, 41);
    hear(DHCP_ACK, address, server, 0, 41);
    hear(DHCP_OFFER, address, server, 200, 41);
    hear(DHCP_NAK, zero, proxy, 0, 41);
    hear(9, address, server, 200, 41); // FORCERENEW, which would have to be authenticated (RFC 3203)
    CHECK(asks_at(60), !dhcp_client_over(&c, 1079 * S));
    hear(DHCP_NAK, zero, server, 0, 61);
    CHECK(dhcp_client_over(&c, 1061 * S));
    hear(DHCP_ACK, address, server, 200, 62); // too late
    CHECK(dhcp_client_over(&c, 1063 * S));
}

TEST(lengths_of_all_sorts)
{
    static const uint32_t never[] = { 0, UINT32_MAX };
    for (size_t i = 0; i < ARRAY_SIZE(never); i++) {
        bind_for(never[i]);
        CHECK(!dhcp_client_over(&c, UINT64_MAX));
        CHECK_EQ(dhcp_client_output(&c, sent, sizeof sent, &to, UINT64_MAX - 1), 0);
    }
    bind_for(UINT32_MAX - 1);
    CHECK(asks_at((UINT32_MAX - 1) * 0.5));
    bind_for(1);
    CHECK(asks_at(4), !dhcp_client_over(&c, 1007 * S));
    hear(DHCP_ACK, address, server, 1, 5);
    CHECK(asks_at(9));
}

TEST_MAIN(T(asks_the_server_and_then_all), T(an_answer_begins_it_anew), T(others_are_not_believed), T(lengths_of_all_sorts))
