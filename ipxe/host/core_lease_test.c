// SPDX-License-Identifier: MPL-2.0
// The whole core and what it learns of its network before it fetches: leases, those of a ROM as well, the link, the MTU, the card.
#include "host/testworld.h"

#include "proto/dhcp6.h"

static void boot_cached(void)
{
    set_up("img", key_a);
    static uint8_t ack[300];
    ack[0] = 2, ack[1] = 1, ack[2] = 6;
    memcpy(ack + 16, (const uint8_t[]){ 10, 0, 0, 50 }, 4);
    memcpy(ack + 20, (const uint8_t[]){ 10, 0, 0, 1 }, 4);
    memcpy(ack + 236, (const uint8_t[]){ 0x63, 0x82, 0x53, 0x63, 53, 1, 5, 1, 4, 255, 255, 255, 0, 54, 4, 10, 0, 0, 1, 255 }, 20);
    w.machine.card.info.dhcp_ack = ack;
    w.machine.card.info.dhcp_ack_len = sizeof ack;
    run("#!ipxe\ndhcp\nchain p2://${next-server}/image\n", &key_a, 0);
}
TEST(cached_dhcpack_means_no_second_dhcp)
{
    struct outcome *out = in_child(boot_cached);
    CHECK(said(out, "no second DHCP"));
    CHECK(out->booted, out->memory_right);
    CHECK_EQ(out->discovers, 0);
}

// A REPLY with the address fd50::42 and nothing else, as a firmware keeps it: zeros behind it.
static void boot_cached_v6(void)
{
    set_up("img", key_a);
    static uint8_t reply[100] = { DHCP6_REPLY, [5] = DHCP6_IA_NA, [7] = 40, [21] = DHCP6_IA_ADDRESS, [23] = 24,
                                  [24] = 0xfd, [25] = 0x50, [39] = 0x42, [47] = 60 };
    w.machine.card.info.dhcp6_reply = reply;
    w.machine.card.info.dhcp6_reply_len = sizeof reply;
    w.dhcp = false;
    w.net.ip4 = false;
    run("#!ipxe\ndhcp\nifstat\nchain p2:///image\n", &key_a, 0);
}
TEST(cached_dhcpv6_reply_gives_an_address)
{
    struct outcome *out = in_child(boot_cached_v6);
    CHECK(said(out, "net0 [fd50::42] (the firmware's answer over IPv6"), said(out, "  [fd50::42]\n"));
    CHECK(out->booted, out->memory_right);
    CHECK_EQ(out->discovers, 0);
}

static void mtus(void)
{
    static const uint8_t options[] = { 26, 2, 0x05, 0x78, 255 };
    set_up("img", key_a);
    w.dhcp_options = options;
    w.dhcp_options_len = sizeof options;
    run("#!ipxe\necho A ${mtu}\nset net0/mtu 1300\ndhcp\necho B ${net0/mtu} ${mtu}\nclear net0/mtu\necho C ${net0/mtu} ${mtu}\n"
        "ifclose\necho D ${net0/mtu}\nset mtu 1200\nifopen\ndhcp\nclear mtu\necho E ${mtu}\nexit\n", &key_a, 0);
}
// What is set comes before a lease's MTU, and that ends with the lease.
TEST(an_mtu_is_set_leased_and_the_cards)
{
    struct outcome *out = in_child(mtus);
    CHECK(said(out, "A 1500\n"), said(out, "B 1300 1300\n"), said(out, "C 1400 1400\n"));
    CHECK(said(out, "D 1500\n"), said(out, "E 1400\n"));
}

static void jumbo(void)
{
    static const uint8_t options[] = { 26, 2, 0x23, 0x28, 255 };
    set_up("img", key_a);
    w.dhcp_options = options;
    w.dhcp_options_len = sizeof options;
    run("#!ipxe\ndhcp\necho A ${mtu}\nexit\n", &key_a, 0);
}
TEST(no_mtu_is_larger_than_the_cards)
{
    CHECK(said(in_child(jumbo), "A 1500\n"));
}

#define LINK_US 1500000u // between two DISCOVERs of a client that does not wait
static void boot_late_link(void)
{
    set_up("img", key_a);
    w.machine.link_us = LINK_US;
    run(BOOT_V4, &key_a, 0);
}
TEST(the_first_frame_waits_for_the_link)
{
    struct outcome *out = in_child(boot_late_link);
    CHECK(out->booted, out->memory_right);
    CHECK(out->now_us > LINK_US, out->now_us < LINK_US + 1000000u);
}

static void no_link(void)
{
    set_up("img", key_a);
    w.machine.link_us = UINT64_MAX;
    run("#!ipxe\nifopen\necho opened\ndhcp || echo no address\nexit\n", &key_a, 0);
}
TEST(without_a_link_everything_goes_on)
{
    struct outcome *out = in_child(no_link);
    CHECK(said(out, "opened\n"), said(out, "net0 has no link"), said(out, "[N04]"), said(out, "no address\n"));
    CHECK(out->now_us > 4000000u, out->now_us < 30000000u);
}

static void no_dhcp(void)
{
    set_up("img", key_a);
    w.dhcp = false;
    run("#!ipxe\ndhcp || echo going on without an address\nchain p2:///image\n", &key_a, 0);
}
TEST(without_dhcp_the_script_goes_on)
{
    struct outcome *out = in_child(no_dhcp);
    CHECK(said(out, "[N04]"));
    CHECK(said(out, "going on without an address"));
    CHECK(out->booted, out->memory_right);
}

static void no_card(void)
{
    set_up("img", key_a);
    w.machine.no_card = true;
    run(BOOT_V4, &key_a, 0);
}
TEST(no_card_is_said)
{
    struct outcome *out = in_child(no_card);
    CHECK(!out->booted);
    CHECK(said(out, "[N01]"));
}

// A lease of a minute, and a boot that takes five. So many requests: each asks at half of what is left.
static void outlive(void)
{
    set_up("img", key_a);
    w.lease_s = 60;
    run("#!ipxe\ndhcp\nsleep 300\nchain p2://10.0.0.1/image\n", &key_a, 0);
}
TEST(a_lease_is_renewed)
{
    struct outcome *out = in_child(outlive);
    CHECK(out->booted);
    CHECK(out->renewals[0] == 9 || out->renewals[0] == 10);
    CHECK(out->renewals[1] == 0, out->discovers == 1);
    CHECK(!strstr(out->transcript, "is over"));
}

static void outlive_a_server(void)
{
    w.forgets = true;
    outlive();
}
// It asks for itself, then everyone, then says so once and goes on.
TEST(a_lease_that_nobody_renews)
{
    struct outcome *out = in_child(outlive_a_server);
    w.forgets = false;
    CHECK(out->booted, out->renewals[0] == 2);
    CHECK(out->renewals[1] >= 3, out->renewals[1] <= 5);
    CHECK(said(out, "dhcp: net0: the lease of 10.0.0.99 is over, nobody renewed it; it stays in use\n"));
    CHECK(!strstr(strstr(out->transcript, "is over") + 1, "is over"));
}

static void outlive_without_card(void)
{
    set_up("img", key_a);
    w.lease_s = 60;
    run("#!ipxe\ndhcp\nset net0/ip 10.0.0.7\nsleep 300\nchain p2://10.0.0.1/image\n", &key_a, 0);
}
TEST(another_address_is_not_renewed)
{
    struct outcome *out = in_child(outlive_without_card);
    CHECK(out->booted, out->renewals[0] == 0, out->renewals[1] == 0, !strstr(out->transcript, "is over"));
}

// As the default script does after a round that brought nothing.
static void ask_in_vain(void)
{
    set_up("img", key_a);
    w.lease_s = 200;
    w.once = true;
    run("#!ipxe\ndhcp\ndhcp ||\nsleep 300\nchain p2://10.0.0.1/image\n", &key_a, 0);
}
TEST(who_asks_again_in_vain_keeps_the_lease)
{
    struct outcome *out = in_child(ask_in_vain);
    w.once = false;
    CHECK(out->booted, out->discovers > 1, out->renewals[0] >= 2);
    CHECK(!strstr(out->transcript, "is over"));
}

TEST_MAIN(T(cached_dhcpack_means_no_second_dhcp), T(cached_dhcpv6_reply_gives_an_address),
          T(an_mtu_is_set_leased_and_the_cards), T(no_mtu_is_larger_than_the_cards), T(the_first_frame_waits_for_the_link),
          T(without_a_link_everything_goes_on), T(without_dhcp_the_script_goes_on), T(no_card_is_said),
          T(a_lease_is_renewed), T(a_lease_that_nobody_renews), T(another_address_is_not_renewed),
          T(who_asks_again_in_vain_keeps_the_lease))
