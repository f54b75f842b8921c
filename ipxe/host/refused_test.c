// SPDX-License-Identifier: MPL-2.0
// Hosts that refuse, and hosts to which no way leads: named for what they are, in no more time than that takes, and the next
// source boots.
#include "core/sending.h"
#include "host/testworld.h"

#define NEXT "chain p2://10.0.0.1/image\n"
#define SECONDS 1000000ull

static void no_tftp(void)
{
    set_up("img", key_a);
    w.closed = 69;
    w.opens_us = UINT64_MAX;
    run("#!ipxe\ndhcp\nchain tftp://10.0.0.1/script.ipxe || echo NEXT\n" NEXT, &key_a, 0);
}
TEST(a_machine_without_a_tftp_server)
{
    struct outcome *out = in_child(no_tftp);
    CHECK(said(out, "connection refused [N16]"), said(out, "NEXT"));
    CHECK(out->booted, out->now_us < 8 * SECONDS); // most of it DHCP's wait for a proxy
}

static void no_p2(void)
{
    set_up("img", key_a);
    w.closed = P2_PORT;
    w.opens_us = UINT64_MAX;
    w.dhcp_file = "#!ipxe\necho REACHED\n";
    run("#!ipxe\ndhcp\nchain p2://10.0.0.1/image || echo NEXT\nchain tftp://10.0.0.1/script.ipxe\n", &key_a, 0);
}
TEST(a_machine_without_a_boot_server)
{
    struct outcome *out = in_child(no_p2);
    CHECK(said(out, "10.0.0.1:20530: connection refused; asking on"), said(out, "[N16]"), said(out, "REACHED"));
}

// It refuses as long as it is not up: that gives up nothing.
static void late_p2(void)
{
    set_up("img", key_a);
    w.closed = P2_PORT;
    w.opens_us = 4 * SECONDS;
    run("#!ipxe\ndhcp\n" NEXT, &key_a, 0);
}
TEST(a_boot_server_that_comes_late)
{
    struct outcome *out = in_child(late_p2);
    CHECK(said(out, "connection refused; asking on"));
    CHECK(out->booted, out->memory_right);
}

// Without a lease there is no address; without a gateway no way out of the network.
static void no_way(void)
{
    set_up("img", key_a);
    w.dhcp = false;
    run("#!ipxe\nchain tftp://192.0.2.1/x || echo A1\nchain p2://192.0.2.1/x || echo A2\n"
        "set net0/ip 10.0.0.99\nset net0/netmask 255.255.255.0\n"
        "chain tftp://192.0.2.1/x || echo R1\nchain p2://192.0.2.1/x || echo R2\n"
        "chain tftp://[2001:db8::1]/x || echo A3\nchain p2://[2001:db8::1]/x || echo A4\n" NEXT, &key_a, 0);
}
TEST(no_way_is_no_time_out)
{
    struct outcome *out = in_child(no_way);
    CHECK(!strstr(out->transcript, "[G03]"), !strstr(out->transcript, "[P01]"));
    static const char *const order[] = { "[N03]", "A1", "[N03]", "A2", "[N17]", "R1", "[N17]", "R2", "[N03]", "A3", "[N03]", "A4" };
    const char *at = out->transcript;
    for (unsigned i = 0; i < ARRAY_SIZE(order) && at; i++) {
        at = strstr(at, order[i]);
        CHECK(at || said(out, order[i]));
    }
    CHECK(out->booted, out->now_us < 30 * SECONDS);
}

// Memory that is used up for a moment, or a link that is down, costs no transfer; but if nothing else follows, that is the reason.
TEST(what_does_not_go_out)
{
    struct net_addr named = net_addr_v4((const uint8_t[]){ 10, 0, 0, 1 }, 69), on_card = named, six = { .ip = { 0x20, 1 } };
    on_card.zone = 1;
    static const int passing[] = { ERR_NO_MEMORY, ERR_NET_LINK };
    for (unsigned i = 0; i < ARRAY_SIZE(passing); i++) {
        struct sending s = { 0 };
        for (uint64_t now = 1; now < 60 * SECONDS; now += 4 * SECONDS) {
            CHECK_EQ(sending_judge(&s, passing[i], &named, now), 0);
            CHECK_EQ(sending_reason(&s, ERR_TIMED_OUT), passing[i]);
            CHECK_EQ(sending_reason(&s, ERR_SEAL_CHUNK), ERR_SEAL_CHUNK);
            CHECK_EQ(sending_judge(&s, 0, &named, now + 1), 0);
            CHECK_EQ(sending_reason(&s, ERR_TIMED_OUT), ERR_TIMED_OUT);
        }
        CHECK_EQ(sending_judge(&s, passing[i], &named, 100 * SECONDS), 0);
        CHECK_EQ(sending_judge(&s, passing[i], &named, 105 * SECONDS), passing[i] == ERR_NET_LINK ? 0 : passing[i]);
    }
    struct sending s = { 0 };
    CHECK_EQ(sending_judge(&s, ERR_NET_NO_ROUTE, &six, 1), 0); // a router may say something yet
    CHECK_EQ(sending_judge(&s, ERR_NET_NO_ROUTE, &on_card, 2), 0); // one of many that were found
    CHECK_EQ(sending_judge(&s, ERR_NET_NO_ROUTE, &six, 1 + SENDING_LIMIT_US), ERR_NET_NO_ROUTE);
    CHECK_EQ(sending_judge(&(struct sending){ 0 }, ERR_NET_NO_ROUTE, &named, 1), ERR_NET_NO_ROUTE);
    s = (struct sending){ 0 };
    CHECK_EQ(sending_judge(&s, ERR_NET_NO_ROUTE, NULL, 1), 0); // the other servers may be reached
    CHECK_EQ(sending_judge(&s, 0, NULL, 2), 0);
    CHECK_EQ(sending_judge(&s, ERR_NET_NO_ROUTE, NULL, 2 + SENDING_LIMIT_US), 0);
    CHECK_EQ(sending_judge(&s, ERR_NET_NO_ROUTE, NULL, 2 + 2 * SENDING_LIMIT_US), ERR_NET_NO_ROUTE);
}

TEST_MAIN(T(a_machine_without_a_tftp_server), T(a_machine_without_a_boot_server), T(a_boot_server_that_comes_late),
          T(no_way_is_no_time_out),
          T(what_does_not_go_out))
