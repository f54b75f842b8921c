// SPDX-License-Identifier: MPL-2.0
#include "base/addr.h"

#include "base/test.h"
#include <arpa/inet.h>

static bool parse(const char *s, struct net_addr *a)
{
    return net_addr_parse(s, strlen(s), a);
}

// Reads a text, compares with libc's reading of it, and writes it again.
static bool round_trip(const char *in, const char *out)
{
    struct net_addr a = { 0 };
    uint8_t expected[16];
    char text[NET_ADDR_TEXT_MAX];
    if (!parse(in, &a) || inet_pton(AF_INET6, in, expected) != 1 || memcmp(a.ip, expected, 16) != 0)
        return false;
    if (strcmp(net_addr_format(&a, text), out) == 0)
        return true;
    printf("  %s became %s\n", in, text);
    return false;
}

TEST(ipv4)
{
    struct net_addr a = { .port = 20530, .zone = 3 };
    char text[NET_ADDR_TEXT_MAX];
    CHECK(parse("192.0.2.1", &a));
    CHECK(net_addr_is_v4(&a));
    CHECK_STR(net_addr_format(&a, text), "192.0.2.1:20530");
    CHECK_EQ(a.zone, 0);
    CHECK(parse("255.255.255.255", &a), parse("0.0.0.0", &a));
    a.port = 0;
    CHECK_STR(net_addr_format(&a, text), "0.0.0.0");
}

TEST(ipv6)
{
    CHECK(round_trip("::", "[::]"));
    CHECK(round_trip("::1", "[::1]"));
    CHECK(round_trip("1::", "[1::]"));
    CHECK(round_trip("fe80::5054:ff:fe12:3456", "[fe80::5054:ff:fe12:3456]"));
    CHECK(round_trip("2001:DB8:0:0:0:0:0:1", "[2001:db8::1]"));
    CHECK(round_trip("2001:db8:0:1:1:1:1:1", "[2001:db8:0:1:1:1:1:1]"));
    CHECK(round_trip("1:2:3:4:5:6:7:8", "[1:2:3:4:5:6:7:8]"));
    CHECK(round_trip("1:0:0:2:0:0:0:3", "[1:0:0:2::3]"));
    CHECK(round_trip("1:0:0:2:3:0:0:4", "[1::2:3:0:0:4]"));
    CHECK(round_trip("0:0:0:0:0:0:0:0", "[::]"));
    CHECK(round_trip("1:2:3:4:5:6:7::", "[1:2:3:4:5:6:7:0]"));
    CHECK(round_trip("::2:3:4:5:6:7:8", "[0:2:3:4:5:6:7:8]"));
    CHECK(round_trip("64:ff9b::192.0.2.33", "[64:ff9b::c000:221]"));
    CHECK(round_trip("::ffff:192.0.2.33", "192.0.2.33"));
    CHECK(round_trip("1:2:3:4:5:6:1.2.3.4", "[1:2:3:4:5:6:102:304]"));
}

TEST(zones_and_brackets)
{
    struct net_addr a = { 0 };
    char text[NET_ADDR_TEXT_MAX];
    CHECK(parse("[fe80::1%2]", &a));
    a.port = 80;
    CHECK_EQ(a.zone, 2);
    CHECK_STR(net_addr_format(&a, text), "[fe80::1%2]:80");
    CHECK(parse("ff02::5032%255", &a));
    CHECK_EQ(a.zone, 255);
    CHECK(parse("[::1]", &a));
    CHECK_EQ(a.zone, 0);
    // The longest text there is fits.
    memset(a.ip, 0xff, sizeof a.ip);
    a.zone = 255;
    a.port = 65535;
    CHECK_STR(net_addr_format(&a, text), "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff%255]:65535");
}

TEST(refused)
{
    static const char *const bad[] = {
        "",           "1",          "1.2.3",       "1.2.3.4.5",   "1.2.3.256",  "01.2.3.4",    "1.2.3.4 ",
        " 1.2.3.4",   "1..2.3",     "1.2.3.",      ".1.2.3",      "[1.2.3.4]",  ":",           ":::",
        "1:2",        "1::2::3",    "12345::",     "g::",         "1:2:3:4:5:6:7:8:9",         "::1:2:3:4:5:6:7:8",
        "1:2:3:4:5:6:7:",           ":1:2:3:4:5:6:7",             "[::1",       "::1]",        "[]",
        "fe80::1%",   "fe80::1%0",  "fe80::1%256", "fe80::1%x",   "%1",         "::1.2.3",     "::1.2.3.4:1",
        "1:2:3:4:5:6:7:1.2.3.4",    "::00001",     "-1::",        "1.2.3.4%1",  "host",        "[[::1]]",
        "1:2:3:4:5:6:7:8::",        "::-1",        "0x1::",      "::ffff:1.2.3.4%1",
    };
    struct net_addr a = { .ip = { 9 }, .port = 7, .zone = 5 };
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        if (parse(bad[i], &a))
            printf("  accepted %s\n", bad[i]);
        CHECK(!parse(bad[i], &a));
    }
    CHECK(a.ip[0] == 9, a.port == 7, a.zone == 5);
}

// Random texts of the alphabet of addresses: ours and libc's inet_pton must agree on every one.
TEST(agrees_with_inet_pton)
{
    static const char alphabet[] = "0123456789abcdef::::::....0011fF";
    uint32_t x = 12345;
    unsigned accepted = 0;
    for (int i = 0; i < 300000; i++) {
        char text[48];
        x = x * 1664525u + 1013904223u;
        size_t len = (x >> 16) % 14;
        for (size_t k = 0; k < len; k++) {
            x = x * 1664525u + 1013904223u;
            text[k] = alphabet[(x >> 16) % (sizeof alphabet - 1)];
        }
        text[len] = '\0';
        uint8_t v6[16], v4[4];
        struct net_addr a = { 0 };
        bool libc6 = inet_pton(AF_INET6, text, v6) == 1, libc4 = inet_pton(AF_INET, text, v4) == 1;
        bool ours = parse(text, &a);
        if (ours != (libc6 || libc4))
            printf("  \"%s\": %d, libc %d %d\n", text, ours, libc6, libc4);
        CHECK(ours == (libc6 || libc4));
        if (ours)
            CHECK(libc4 ? memcmp(a.ip + 12, v4, 4) == 0 : memcmp(a.ip, v6, 16) == 0);
        accepted += ours;
    }
    CHECK(accepted > 100);
}

TEST(equality)
{
    struct net_addr a, b;
    const uint8_t ip[4] = { 192, 0, 2, 1 };
    a = b = net_addr_v4(ip, 5);
    CHECK(net_addr_equal(&a, &b));
    b.port = 6;
    CHECK(!net_addr_equal(&a, &b));
    b.port = 5;
    b.zone = 1;
    CHECK(net_addr_equal(&a, &b));
    a.zone = 2;
    CHECK(!net_addr_equal(&a, &b));
    a.zone = 1;
    CHECK(net_addr_equal(&a, &b));
    a.ip[15] ^= 1;
    CHECK(!net_addr_equal(&a, &b));
}

// All that tells two peers apart, and not the way by which one is reached.
TEST(bytes)
{
    struct net_addr a = net_addr_v4((const uint8_t[]){ 192, 0, 2, 1 }, 0x1234), b = a;
    uint8_t of_a[NET_ADDR_BYTES], of_b[NET_ADDR_BYTES];
    net_addr_bytes(&a, of_a);
    CHECK(memcmp(of_a, a.ip, 16) == 0, of_a[16] == 0x12, of_a[17] == 0x34);
    b.zone = 3;
    net_addr_bytes(&b, of_b);
    CHECK(memcmp(of_a, of_b, sizeof of_a) == 0);
    b.port++;
    net_addr_bytes(&b, of_b);
    CHECK(memcmp(of_a, of_b, sizeof of_a) != 0);
}

TEST_MAIN(T(ipv4), T(ipv6), T(zones_and_brackets), T(refused), T(agrees_with_inet_pton), T(equality), T(bytes))
