// SPDX-License-Identifier: MPL-2.0
// DHCP packets as servers send them, and as they should not.
#include "proto/testdhcp.h"

TEST(reads_a_lease)
{
    full_ack(1);
    option_text(DHCP_BOOTFILE, "http://10.0.0.1/boot.ipxe");
    option(DHCP_IPXE, "\xb0\x01\x01\x06\x02\xab\xcd", 7);
    end();
    CHECK_EQ(dhcp_lease_read(packet, b.len, &lease), 0);
    CHECK(memcmp(lease.ip, address, 4) == 0, memcmp(lease.mask, "\xff\xff\xff\x00", 4) == 0);
    CHECK(memcmp(lease.gateway, "\x0a\x00\x00\xfe", 4) == 0, memcmp(lease.next_server, server, 4) == 0);
    CHECK_EQ(lease.dns_count, 3);
    CHECK_EQ(lease.dns[2][0], 3);
    CHECK_EQ(lease.lease_s, 3600);
    CHECK_EQ(lease.mtu, 1500);
    CHECK_EQ(lease.type, DHCP_ACK);
    CHECK_STR(lease.hostname, "node17");
    CHECK_STR(lease.domain, "rack.example");
    CHECK_STR(lease.root_path, "nbd:10.0.0.1");
    CHECK_STR(lease.filename, "http://10.0.0.1/boot.ipxe");
    CHECK(lease.no_pxedhcp, !lease.pxe);
    CHECK(dhcp_lease_is_complete(&lease));
    uint8_t buf[8];
    CHECK_EQ(dhcp_option(packet, b.len, 175, 6, buf, sizeof buf), 2);
    CHECK_EQ(buf[1], 0xcd);
    CHECK_EQ(dhcp_option(packet, b.len, 175, 7, buf, sizeof buf), ERR_NOT_FOUND);
    CHECK_EQ(dhcp_option(packet, b.len, 175, 6, buf, 1), ERR_TOO_LARGE);
    CHECK_EQ(dhcp_option(packet, b.len, 200, -1, buf, sizeof buf), ERR_NOT_FOUND);
    CHECK_EQ(dhcp_option(packet, 100, 1, -1, buf, sizeof buf), ERR_DHCP_MALFORMED);
}

TEST(file_and_sname_fields)
{
    full_ack(1);
    memcpy(packet + 44, "boot.example", 13);
    memcpy(packet + 108, "undionly.kpxe", 14);
    end();
    CHECK_EQ(dhcp_lease_read(packet, b.len, &lease), 0);
    CHECK_STR(lease.filename, "undionly.kpxe");
    CHECK_STR(lease.tftp_server_name, "boot.example");
    // siaddr 0: the name is taken when it is an address.
    memset(packet + 20, 0, 4);
    memcpy(packet + 44, "10.9.8.7", 9);
    CHECK_EQ(dhcp_lease_read(packet, b.len, &lease), 0);
    CHECK(memcmp(lease.next_server, "\x0a\x09\x08\x07", 4) == 0);
    // A file field without a NUL and with odd bytes.
    memset(packet + 108, 'x', 128);
    packet[108 + 5] = '\n';
    CHECK_EQ(dhcp_lease_read(packet, b.len, &lease), 0);
    CHECK_STR(lease.filename, "xxxxx");
    memset(packet + 108, 'x', 128);
    CHECK_EQ(dhcp_lease_read(packet, b.len, &lease), 0);
    CHECK_EQ(strlen(lease.filename), 128);
}

TEST(overload_and_long_options)
{
    begin(address, zero, 1);
    option_u8(DHCP_MESSAGE_TYPE, DHCP_ACK);
    option_u8(DHCP_OVERLOAD, 3);
    option_text(DHCP_ROOT_PATH, "first-");
    end();
    // In `file`: the second piece of the root path and the boot file; in `sname`: the host name.
    memcpy(packet + 108, "\x11\x07second-\x43\x05p.bin\xff", 17);
    memcpy(packet + 44, "\x0c\x02h1\x00\x11\x05third\xff", 13);
    CHECK_EQ(dhcp_lease_read(packet, b.len, &lease), 0);
    CHECK_STR(lease.root_path, "first-second-third");
    CHECK_STR(lease.filename, "p.bin");
    CHECK_STR(lease.hostname, "h1");
    size_t pos = 0, len;
    uint8_t code;
    const uint8_t *data;
    static const uint8_t order[] = { 53, 52, 17, 17, 67, 12, 17 };
    for (size_t i = 0; i < sizeof order; i++) {
        CHECK(dhcp_option_next(packet, b.len, &pos, &code, &data, &len));
        CHECK_EQ(code, order[i]);
    }
    CHECK(!dhcp_option_next(packet, b.len, &pos, &code, &data, &len));
    CHECK(!dhcp_option_next(packet, b.len, &pos, &code, &data, &len));
    // Without option 52 the same fields are text.
    packet[240 + 3] = DHCP_PAD;
    packet[240 + 4] = packet[240 + 5] = DHCP_PAD;
    CHECK_EQ(dhcp_lease_read(packet, b.len, &lease), 0);
    CHECK_STR(lease.root_path, "first-");
}

TEST(mask_of_the_class)
{
    static const uint8_t ips[3][4] = { { 10, 1, 2, 3 }, { 172, 16, 0, 1 }, { 192, 168, 0, 1 } };
    static const uint32_t masks[3] = { 0xff000000, 0xffff0000, 0xffffff00 };
    for (int i = 0; i < 3; i++) {
        begin(ips[i], zero, 1);
        option_u8(DHCP_MESSAGE_TYPE, DHCP_ACK);
        end();
        CHECK_EQ(dhcp_lease_read(packet, b.len, &lease), 0);
        CHECK_EQ(load32_be(lease.mask), masks[i]);
        CHECK(dhcp_lease_is_complete(&lease));
    }
}

// No machine can have such an address: the answer is none, and another server's counts. A mask that is none is not there.
TEST(addresses_and_masks_that_are_none)
{
    static const struct { uint8_t ip[4]; bool good; } ips[] = {
        { { 10, 0, 0, 255 }, true }, { { 1, 0, 0, 1 }, true }, { { 126, 1, 1, 1 }, true }, { { 128, 0, 0, 1 }, true }, { { 223, 1, 1, 1 }, true },
        { { 240, 0, 0, 1 }, true }, { { 0, 0, 0, 0 }, true }, // a proxy gives none
        { { 0, 0, 0, 1 }, false }, { { 127, 0, 0, 1 }, false }, { { 224, 0, 0, 1 }, false }, { { 239, 255, 80, 50 }, false },
        { { 255, 255, 255, 255 }, false },
    };
    for (size_t i = 0; i < ARRAY_SIZE(ips); i++) {
        begin(ips[i].ip, server, 1);
        option_u8(DHCP_MESSAGE_TYPE, DHCP_OFFER);
        end();
        CHECK_EQ(dhcp_lease_read(packet, b.len, &lease), ips[i].good ? 0 : ERR_DHCP_MALFORMED);
    }
    static const struct { uint8_t mask[4]; uint32_t used; } masks[] = {
        { { 255, 255, 255, 255 }, 0xffffffff }, { { 128, 0, 0, 0 }, 0x80000000 }, { { 255, 255, 254, 0 }, 0xfffffe00 },
        { { 255, 0, 255, 0 }, 0xff000000 }, { { 0, 0, 0, 255 }, 0xff000000 }, { { 0, 0, 0, 0 }, 0xff000000 }, // the class's
    };
    for (size_t i = 0; i < ARRAY_SIZE(masks); i++) {
        begin(address, server, 1);
        option_u8(DHCP_MESSAGE_TYPE, DHCP_ACK);
        option(DHCP_SUBNET_MASK, masks[i].mask, 4);
        end();
        CHECK_EQ(dhcp_lease_read(packet, b.len, &lease), 0);
        CHECK_EQ(load32_be(lease.mask), masks[i].used);
    }
}

TEST(what_the_rom_kept)
{
    // A ROM's buffer is longer than the packet, and can be cut in the middle of an option.
    full_ack(1);
    end();
    CHECK_EQ(dhcp_lease_read(packet, 1472, &lease), 0);
    CHECK(dhcp_lease_is_complete(&lease));
    for (size_t cut = 0; cut < b.len; cut++) {
        int rc = dhcp_lease_read(packet, cut, &lease);
        CHECK_EQ(rc, cut < 236 ? ERR_DHCP_MALFORMED : 0);
    }
    // An offer is no lease; a request neither; a BOOTP answer is.
    packet[240 + 2] = DHCP_OFFER;
    CHECK_EQ(dhcp_lease_read(packet, b.len, &lease), 0);
    CHECK(!dhcp_lease_is_complete(&lease));
    packet[0] = 1;
    CHECK_EQ(dhcp_lease_read(packet, b.len, &lease), ERR_DHCP_MALFORMED);
    begin(address, server, 1);
    memset(packet + 236, 0, 4); // no magic at all
    CHECK_EQ(dhcp_lease_read(packet, 300, &lease), 0);
    CHECK(dhcp_lease_is_complete(&lease));
    CHECK_EQ(lease.mask[0], 255);
    begin(zero, server, 1);
    option_u8(DHCP_MESSAGE_TYPE, DHCP_ACK);
    end();
    CHECK_EQ(dhcp_lease_read(packet, b.len, &lease), 0);
    CHECK(!dhcp_lease_is_complete(&lease));
}

TEST(adding_a_boot_reply)
{
    static struct dhcp_lease a, p;
    memset(&a, 0, sizeof a);
    memset(&p, 0, sizeof p);
    strcpy(p.filename, "web.0");
    memcpy(p.next_server, proxy, 4);
    memcpy(a.next_server, server, 4);
    dhcp_lease_add_boot(&a, &p);
    CHECK_STR(a.filename, "web.0");
    CHECK(memcmp(a.next_server, proxy, 4) == 0);
    strcpy(p.filename, "other");
    memcpy(p.next_server, server, 4);
    dhcp_lease_add_boot(&a, &p);
    CHECK_STR(a.filename, "web.0");
    CHECK(memcmp(a.next_server, proxy, 4) == 0);
}

// RFC 3396: for every option, whatever its length and wherever its pieces are.
TEST(options_longer_than_255)
{
    static const uint8_t codes[] = { DHCP_BOOTFILE, DHCP_ROOT_PATH };
    static char text[600];
    memset(text, 'k', sizeof text - 1);
    memcpy(text, "http://10.0.0.1/", 16);
    text[598] = 'z';
    for (size_t i = 0; i < sizeof codes; i++) {
        begin(address, server, 1);
        option_u8(DHCP_MESSAGE_TYPE, DHCP_ACK);
        option_u8(DHCP_OVERLOAD, 3);
        option(codes[i], text, 255);
        option_u8(DHCP_LEASE_TIME, 1); // something in between
        option(codes[i], text + 255, 244);
        end();
        packet[108] = codes[i], packet[109] = 80, packet[190] = DHCP_END;
        memcpy(packet + 110, text + 499, 80);
        packet[44] = codes[i], packet[45] = 20, packet[66] = DHCP_END;
        memcpy(packet + 46, text + 579, 20);
        CHECK_EQ(dhcp_lease_read(packet, b.len, &lease), 0);
        CHECK_STR(i ? lease.root_path : lease.filename, text);
    }
    // As long as a packet can make it.
    begin(address, server, 1);
    static uint8_t whole[DHCP_OPTION_MAX];
    for (int i = 0; i < 4; i++)
        option(DHCP_BOOTFILE, text + 16, 255);
    option(DHCP_BOOTFILE, text + 16, 202);
    CHECK_EQ(b.len, DHCP_PACKET_MAX);
    CHECK_EQ(dhcp_lease_read(packet, b.len, &lease), 0);
    CHECK_EQ(strlen(lease.filename), 4 * 255 + 202);
    CHECK_EQ(dhcp_option(packet, b.len, DHCP_BOOTFILE, -1, whole, sizeof whole), 4 * 255 + 202);
}

TEST(empty_options_are_absent)
{
    begin(address, server, 1);
    memcpy(packet + 108, "from-field", 11);
    memcpy(packet + 44, "sname", 6);
    for (uint8_t code = 1; code < DHCP_END; code++)
        option(code, "", 0);
    end();
    CHECK_EQ(dhcp_lease_read(packet, b.len, &lease), 0);
    CHECK_STR(lease.filename, "from-field");
    CHECK_STR(lease.tftp_server_name, "sname");
    CHECK(lease.type == 0, !lease.pxe, !lease.no_pxedhcp, lease.mtu == 0, lease.dns_count == 0);
    CHECK(load32_be(lease.gateway) == 0, lease.mask[0] == 255);
    uint8_t v[8];
    for (int code = 1; code < DHCP_END; code++)
        CHECK_EQ(dhcp_option(packet, b.len, code, -1, v, sizeof v), ERR_NOT_FOUND);
    // A sub-option as well; one with content behind it counts.
    begin(address, server, 1);
    option(DHCP_IPXE, "\xb0\x00\x50\x00\x50\x01x", 7);
    end();
    CHECK_EQ(dhcp_option(packet, b.len, DHCP_IPXE, 176, v, sizeof v), ERR_NOT_FOUND);
    CHECK_EQ(dhcp_option(packet, b.len, DHCP_IPXE, 80, v, sizeof v), 1);
}

static const uint8_t some_routes[] = { 24, 10, 60, 0, 10, 0, 0, 5, 0, 10, 0, 0, 9, 32, 192, 0, 2, 1, 0, 0, 0, 0, 9, 172, 128, 10, 0, 0, 6 };

TEST(classless_routes)
{
    struct dhcp_route routes[DHCP_ROUTES_MAX];
    uint8_t everywhere[4];
    CHECK_EQ(dhcp_routes_read(some_routes, sizeof some_routes, routes, everywhere), 3);
    CHECK_EQ(load32_be(everywhere), 0x0a000009);
    CHECK(routes[0].prefix == 24, load32_be(routes[0].net) == 0x0a3c0000, load32_be(routes[0].gateway) == 0x0a000005);
    CHECK(routes[1].prefix == 32, load32_be(routes[1].net) == 0xc0000201, load32_be(routes[1].gateway) == 0);
    CHECK(routes[2].prefix == 9, load32_be(routes[2].net) == 0xac800000, load32_be(routes[2].gateway) == 0x0a000006);
    for (size_t n = 0; n < sizeof some_routes; n++)
        CHECK_EQ(dhcp_routes_read(some_routes, n, routes, everywhere), n == 0 || n == 8   ? (n ? 1 : 0) :
                                                                       n == 13            ? 1 :
                                                                       n == 22            ? 2 :
                                                                                            ERR_DHCP_MALFORMED);
    CHECK_EQ(dhcp_routes_read((const uint8_t[]){ 33, 1, 2, 3, 4, 5, 6, 7, 8, 9 }, 10, routes, everywhere), ERR_DHCP_MALFORMED);
    static uint8_t many[1400];
    for (size_t i = 0; i < sizeof many; i += 7)
        memcpy(many + i, (const uint8_t[]){ 16, 10, (uint8_t)(i / 7), 10, 0, 0, 1 }, 7);
    CHECK_EQ(dhcp_routes_read(many, sizeof many, routes, everywhere), DHCP_ROUTES_MAX);
    // The router option counts only without them, or when they cannot be read.
    static const struct {
        size_t len;
        uint32_t gateway;
    } cases[] = { { sizeof some_routes, 0x0a000009 }, { 8, 0 }, { 0, 0x0a0000fe }, { 7, 0x0a0000fe } };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        full_ack(1);
        option(DHCP_ROUTES, some_routes, cases[i].len);
        end();
        CHECK_EQ(dhcp_lease_read(packet, b.len, &lease), 0);
        CHECK_EQ(load32_be(lease.gateway), cases[i].gateway);
    }
}

#define LIST(bytes) (const uint8_t *)(bytes), sizeof(bytes) - 1

TEST(search_lists)
{
    char text[64];
    // RFC 3397's example: the second name ends in the first one.
    CHECK_EQ(dhcp_search_read(LIST("\3eng\5apple\3com\0\11marketing\300\4"), text, sizeof text), 13 + 1 + 19);
    CHECK_STR(text, "eng.apple.com marketing.apple.com");
    CHECK_EQ(dhcp_search_read(LIST("\3lab\4test\0\0\300\0"), text, sizeof text), 17); // the root completes nothing
    CHECK_STR(text, "lab.test lab.test");
    CHECK_EQ(dhcp_search_read(LIST(""), text, sizeof text), 0);
    // What does not fit is left out, whole.
    CHECK_EQ(dhcp_search_read(LIST("\3lab\4test\0\5other\4test\0"), text, 19), 8);
    CHECK_STR(text, "lab.test");
    CHECK_EQ(dhcp_search_read(LIST("\3lab\4test\0\5other\4test\0"), text, 20), 19);
    static const struct {
        const uint8_t *data;
        size_t len;
    } bad[] = {
        { LIST("\300\0") }, { LIST("\1a\300\0") }, { LIST("\1a\300\2") }, { LIST("\1a\0\1b\300\5") }, { LIST("\1a\300") },
        { LIST("\1a") }, { LIST("\3ab") }, { LIST("\100a\0") }, { LIST("\200a\0") }, { LIST("\3a b\0") }, { LIST("\3a.b\0") },
        { LIST("\3a\0b\0") }, { LIST("\1a\0\1b\377\377") }, { LIST("\1a\300\3\300\1\0") },
    };
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        strcpy(text, "before");
        CHECK_EQ(dhcp_search_read(bad[i].data, bad[i].len, text, sizeof text), ERR_DHCP_MALFORMED);
        CHECK_STR(text, "");
    }
    // Split over several options, in the middle of a label.
    full_ack(1);
    option(DHCP_DOMAIN_SEARCH, "\3la", 3);
    option(DHCP_DOMAIN_SEARCH, "b\4test\0\1x\300\0", 12 - 1);
    end();
    CHECK_EQ(dhcp_lease_read(packet, b.len, &lease), 0);
    CHECK_STR(lease.search, "lab.test x.lab.test");
    CHECK_STR(lease.domain, "rack.example");
}

TEST(what_no_link_has_is_no_mtu)
{
    static const struct {
        uint16_t given, taken;
    } cases[] = { { 0, 0 }, { 68, 0 }, { 575, 0 }, { 576, 576 }, { 1400, 1400 }, { 9000, 9000 }, { 65535, 65535 } };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        const uint8_t mtu[2] = { (uint8_t)(cases[i].given >> 8), (uint8_t)cases[i].given };
        begin(address, server, 1);
        option(DHCP_MTU, mtu, 2);
        end();
        CHECK_EQ(dhcp_lease_read(packet, b.len, &lease), 0);
        CHECK_EQ(lease.mtu, cases[i].taken);
    }
}

// A router's lease and a proxy's answer, as a ROM keeps them.
TEST(a_kept_proxys_file_goes_with_the_proxy)
{
    static struct dhcp_lease more;
    full_ack(1);
    end();
    CHECK_EQ(dhcp_lease_read(packet, b.len, &lease), 0);
    begin(zero, zero, 1);
    option(DHCP_SERVER_ID, proxy, 4);
    option_text(DHCP_BOOTFILE, "boot.kpxe");
    end();
    CHECK_EQ(dhcp_lease_read(packet, b.len, &more), 0);
    dhcp_lease_add_boot(&lease, &more);
    CHECK_STR(lease.filename, "boot.kpxe");
    CHECK(memcmp(lease.next_server, proxy, 4) == 0);
}

TEST(another_magic_is_no_option)
{
    full_ack(1);
    option_text(DHCP_BOOTFILE, "x");
    end();
    packet[236] ^= 1;
    CHECK_EQ(dhcp_lease_read(packet, b.len, &lease), 0);
    CHECK(lease.type == 0, lease.filename[0] == 0, load32_be(lease.gateway) == 0);
}

TEST_MAIN(T(reads_a_lease), T(file_and_sname_fields), T(overload_and_long_options), T(mask_of_the_class), T(addresses_and_masks_that_are_none),
          T(what_the_rom_kept), T(adding_a_boot_reply), T(options_longer_than_255), T(empty_options_are_absent),
          T(classless_routes), T(search_lists), T(what_no_link_has_is_no_mtu), T(a_kept_proxys_file_goes_with_the_proxy),
          T(another_magic_is_no_option))
