// SPDX-License-Identifier: MPL-2.0
#include "proto/dhcp6.h"

#include "base/cursor.h"
#include "base/test.h"

static uint8_t packet[1472];
static struct builder b;
static struct dhcp6_lease lease;

static void option(uint16_t code, const void *data, size_t len)
{
    builder_u16_be(&b, code);
    builder_u16_be(&b, (uint16_t)len);
    builder_bytes(&b, data, len);
}

// IA_NA with one address that ends in `last` and is valid for so many seconds.
static void address(uint8_t last, uint32_t valid_s)
{
    uint8_t ia[12 + 4 + 24] = { 0 };
    store16_be(ia + 12, DHCP6_IA_ADDRESS);
    store16_be(ia + 14, 24);
    memcpy(ia + 16, (const uint8_t[]){ 0xfd, 0x50, 0x50, 0x55 }, 4);
    ia[16 + 15] = last;
    store32_be(ia + 36, valid_s);
    option(DHCP6_IA_NA, ia, sizeof ia);
}

// As dnsmasq answers: client and server identifier, address, name servers, boot file.
static void start(void)
{
    uint8_t dns[32] = { 0x20, 0x01, [15] = 1, [16] = 0x20, [31] = 2 };
    memset(packet, 0, sizeof packet);
    b = builder_make(packet, sizeof packet);
    builder_bytes(&b, (const uint8_t[]){ DHCP6_REPLY, 1, 2, 3 }, 4);
    option(1, "client", 6);
    option(2, "server", 6);
    address(0x42, 3600);
    option(DHCP6_DNS, dns, sizeof dns);
    option(DHCP6_BOOT_URL, "tftp://[fd50::1]/a/ipxe.efi", 27);
}

static int read_packet(size_t len)
{
    memset(&lease, 0xee, sizeof lease);
    return dhcp6_lease_read(packet, len, &lease);
}

TEST(a_reply)
{
    start();
    CHECK_EQ(read_packet(b.len), 0);
    CHECK(lease.has_ip, lease.ip[0] == 0xfd, lease.ip[15] == 0x42);
    CHECK_EQ(lease.dns_count, 2);
    CHECK_EQ(lease.dns[1][15], 2);
    CHECK_STR(lease.boot_url, "tftp://[fd50::1]/a/ipxe.efi");
}

// The firmware keeps it in a buffer of fixed size that says no length.
TEST(zeros_behind_the_last_option)
{
    start();
    CHECK_EQ(read_packet(sizeof packet), 0);
    CHECK_STR(lease.boot_url, "tftp://[fd50::1]/a/ipxe.efi");
}

TEST(every_truncation)
{
    start();
    size_t whole = b.len;
    unsigned good = 0;
    for (size_t len = 0; len < whole; len++) {
        int err = read_packet(len);
        CHECK(err == 0 || err == ERR_DHCP_MALFORMED);
        good += err == 0; // between two options
    }
    CHECK_EQ(good, 5);
}

TEST(addresses)
{
    static const uint8_t nothing[12];
    start();
    b.len = 4;
    address(1, 0); // given back, or never given
    address(2, 60);
    address(3, 60);
    CHECK_EQ(read_packet(b.len), 0);
    CHECK(lease.has_ip, lease.ip[15] == 2);
    b.len = 4;
    option(DHCP6_IA_NA, nothing, 12);
    CHECK_EQ(read_packet(b.len), 0);
    CHECK(!lease.has_ip);
    b.len = 4;
    option(DHCP6_IA_NA, nothing, 11);
    CHECK_EQ(read_packet(b.len), ERR_DHCP_MALFORMED);
    // An address that its option is too short for, inside an IA that is whole.
    b.len = 4;
    option(DHCP6_IA_NA, (const uint8_t[20]){ [13] = DHCP6_IA_ADDRESS, [15] = 4 }, 20);
    CHECK_EQ(read_packet(b.len), ERR_DHCP_MALFORMED);
}

TEST(odd_contents)
{
    char url[600];
    memset(url, 'x', sizeof url);
    start();
    b.len = 4;
    option(DHCP6_BOOT_URL, url, DHCP6_BOOT_URL_MAX);
    CHECK_EQ(read_packet(b.len), 0);
    CHECK_STR(lease.boot_url, "");
    b.len = 4;
    option(DHCP6_BOOT_URL, "tftp://[::1]/a b", 16);
    CHECK_EQ(read_packet(b.len), 0);
    CHECK_STR(lease.boot_url, "");
    b.len = 4;
    option(DHCP6_DNS, url, 17);
    CHECK_EQ(read_packet(b.len), ERR_DHCP_MALFORMED);
    b.len = 4;
    option(DHCP6_DNS, url, 16 * 5);
    CHECK_EQ(read_packet(b.len), 0);
    CHECK_EQ(lease.dns_count, DHCP6_DNS_MAX);
    packet[0] = DHCP6_ADVERTISE;
    CHECK_EQ(read_packet(b.len), 0);
    packet[0] = DHCP6_REQUEST;
    CHECK_EQ(read_packet(b.len), ERR_DHCP_MALFORMED);
}

// Options without content, a search list (RFC 3646: as DHCPv4's), a NUL behind the URL.
TEST(odd_servers)
{
    start();
    option(DHCP6_DNS, "", 0);
    option(DHCP6_BOOT_URL, "", 0);
    option(DHCP6_SEARCH, "\3lab\4test\0\3abc\0", 15);
    CHECK_EQ(read_packet(b.len), 0);
    CHECK_EQ(lease.dns_count, 2);
    CHECK_STR(lease.boot_url, "tftp://[fd50::1]/a/ipxe.efi");
    CHECK_STR(lease.search, "lab.test abc");
    b.len = 4;
    option(DHCP6_SEARCH, "\300\0", 2);
    option(DHCP6_BOOT_URL, "http://[::1]/x\0", 15);
    CHECK_EQ(read_packet(b.len), 0);
    CHECK_STR(lease.search, "");
    CHECK_STR(lease.boot_url, "http://[::1]/x");
}

TEST_MAIN(T(a_reply), T(zeros_behind_the_last_option), T(every_truncation), T(addresses), T(odd_contents),
          T(odd_servers))
