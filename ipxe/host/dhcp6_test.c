// SPDX-License-Identifier: MPL-2.0
// The whole core where nobody, or nobody in time, gives an IPv4 address: DHCPv6 beside DHCPv4.
#include "host/testworld.h"

#include "base/cursor.h"
#include "proto/dhcp6.h"

static struct {
    bool url;        // the server names a boot file
    bool stateless;  // it gives no address
    uint64_t v4_us;  // from then on there is DHCPv4, too
} t;

static void put(struct builder *b, uint16_t code, const void *data, size_t len)
{
    builder_u16_be(b, code);
    builder_u16_be(b, (uint16_t)len);
    builder_bytes(b, data, len);
}

static void answer6(const struct net_addr *from, const uint8_t *data, size_t len)
{
    static const uint8_t ia[40] = { [13] = DHCP6_IA_ADDRESS, [15] = 24, [16] = 0xfd, [17] = 0x50, [31] = 0x42, [39] = 60 };
    uint8_t reply[300];
    struct builder b = builder_make(reply, sizeof reply);
    if (len < 32 || (t.stateless && data[0] != DHCP6_INFORM))
        return;
    builder_u8(&b, data[0] == DHCP6_SOLICIT ? DHCP6_ADVERTISE : DHCP6_REPLY);
    builder_bytes(&b, data + 1, 3);
    put(&b, 1, data + 14, load16_be(data + 12)); // the client's identifier is behind the elapsed time
    put(&b, 2, "server", 6);
    if (!t.stateless)
        put(&b, DHCP6_IA_NA, ia, sizeof ia);
    if (t.url)
        put(&b, DHCP6_BOOT_URL, "p2://10.0.0.1/image", 19);
    struct net_addr source = { .ip = { 0xfe, 0x80, [15] = 1 }, .port = DHCP6_SERVER_PORT };
    simnet_send_udp(&w.net, &source, from, reply, b.len);
}

static void datagram6(struct simnet *net, const struct net_addr *from, const struct net_addr *to, const uint8_t *data, size_t len)
{
    w.dhcp = t.v4_us && net->machine->now_us >= t.v4_us;
    if (to->port == DHCP6_SERVER_PORT && to->ip[0] == 0xff && to->ip[13] == 1 && to->ip[15] == 2)
        answer6(from, data, len);
    else
        datagram(net, from, to, data, len);
}

static void boot6(void)
{
    set_up("img", key_a);
    w.net.udp = datagram6;
    run("#!ipxe\ndhcp && echo GOOD || echo FAILED\necho FILE ${filename}\nifstat\nexit\n", &key_a, 0);
}

TEST(a_boot_file_ends_the_wait)
{
    t.url = true;
    struct outcome *out = in_child(boot6);
    CHECK(said(out, "net0 [fd50::42] (DHCPv6)\n"), said(out, "GOOD\n"), said(out, "FILE p2://10.0.0.1/image\n"), said(out, "  [fd50::42]\n"));
    CHECK(out->now_us < 6000000);
    t.stateless = true;
    out = in_child(boot6);
    CHECK(said(out, "net0 keeps its addresses (DHCPv6)\n"), said(out, "GOOD\n"), said(out, "FILE p2://10.0.0.1/image\n"));
    t.url = t.stateless = false;
}

// An address alone is no reason not to wait for IPv4, and is what there is when that is over.
TEST(an_address_waits_for_ipv4)
{
    struct outcome *out = in_child(boot6);
    CHECK(said(out, "net0 [fd50::42] (DHCPv6)\n"), said(out, "GOOD\n"), said(out, "FILE \n"));
    CHECK(out->now_us > 15000000, out->now_us < 20000000);
    t.v4_us = 5000000;
    out = in_child(boot6);
    CHECK(said(out, "net0 10.0.0.99/"), said(out, "GOOD\n"), said(out, "FILE boot\n"));
    CHECK(!said(out, "fd50::42"));
    // One that knows nothing is none.
    t.v4_us = 0;
    t.stateless = true;
    out = in_child(boot6);
    CHECK(said(out, "[N04]"), said(out, "FAILED\n"));
    t.stateless = false;
}

TEST_MAIN(T(a_boot_file_ends_the_wait), T(an_address_waits_for_ipv4))
