// SPDX-License-Identifier: MPL-2.0
// The whole core and a PXE server's menu: what a person sees and presses, what happens when there is none, who is asked then.
#include "host/testworld.h"

static struct {
    uint8_t seconds;  // of the prompt
    bool group;       // the items' servers are asked for in groups, not listed
    bool silent;      // there is no boot server
    bool local_first; // the first item is the local boot, too
    const char *keys; // typed once the prompt is there
    uint64_t late_us; // and not before
    const char *script;
} t;

static const char *script_of_item = "#!ipxe\ndhcp || echo FAILED\necho FILE ${filename} ITEM ${proxydhcp/43.71:hex}\nexit\n";

static void boot_server(const struct net_addr *from, const struct net_addr *to, const uint8_t *data, size_t len)
{
    static const uint8_t me[4] = { 10, 0, 0, 1 };
    uint8_t item[4], reply[400] = { 2, 1, 6 };
    if (dhcp_option(data, len, DHCP_VENDOR_OPTIONS, DHCP_BOOT_ITEM, item, 4) != 4 || t.silent)
        return;
    memcpy(reply + 4, data + 4, 4); // xid
    memcpy(reply + 16, data + 12, 4);
    memcpy(reply + 28, data + 28, 16);
    snprintf((char *)reply + 108, 64, "%s-item%u", to->ip[15] == 255 ? "all" : (to->ip[12] & 0xf0) == 224 ? "group" : "listed", item[1]);
    const uint8_t options[] = { 0x63, 0x82, 0x53, 0x63, 53, 1, DHCP_ACK, 54, 4, 10, 0, 0, 1, 60, 9, 'P', 'X', 'E', 'C', 'l', 'i',
                                'e', 'n', 't', 43, 7, 71, 4, item[0], item[1], 0, 0, 255, 255 };
    memcpy(reply + 236, options, sizeof options);
    struct net_addr source = net_addr_v4(me, to->port);
    simnet_send_udp(&w.net, &source, from, reply, sizeof reply);
}

static void datagram_or_boot(struct simnet *net, const struct net_addr *from, const struct net_addr *to, const uint8_t *data, size_t len)
{
    uint8_t v[8];
    if ((to->port == 67 || to->port == 4011) && dhcp_option(data, len, DHCP_VENDOR_OPTIONS, -1, v, sizeof v) == 7)
        boot_server(from, to, data, len);
    else
        datagram(net, from, to, data, len);
}

static void tick(struct simnet *net, uint64_t now)
{
    if (t.keys && now >= t.late_us && w.machine.transcript && strstr(w.machine.transcript, "Press F8")) {
        w.machine.keys = t.keys;
        t.keys = NULL;
    }
    serve(net, now);
}

static void boot_menu(void)
{
    static uint8_t options[100] = { 60, 9, 'P', 'X', 'E', 'C', 'l', 'i', 'e', 'n', 't', 43 };
    const uint8_t menu[] = { 6, 1, t.group ? 0 : 3, 7, 4, 224, 0, 1, 9, 8, 14, 0x80, 1, 1, 10, 0, 0, 1, 0x80, 2, 1, 10, 0, 0, 1,
                             9, 15, 0x80, 1, 3, 'o', 'n', 'e', 0, 0, 0, 0x80, 2, 3, 't', 'w', 'o',
                             10, 9, t.seconds, 'P', 'r', 'e', 's', 's', ' ', 'F', '8', 255 };
    set_up("img", key_a);
    options[12] = sizeof menu;
    memcpy(options + 13, menu, sizeof menu);
    if (t.group)
        options[13 + 11] = 0x70; // other types than those of the items
    if (t.group)
        options[13 + 18] = 0x70;
    if (t.local_first)
        options[13 + 27] = options[13 + 28] = 0;
    options[13 + sizeof menu] = 255;
    w.dhcp_options = options;
    w.dhcp_options_len = 13 + sizeof menu + 1;
    w.net.udp = datagram_or_boot;
    w.net.tick = tick;
    run(t.script ? t.script : script_of_item, &key_a, 0);
}

static struct outcome *with(uint8_t seconds, const char *keys)
{
    t.seconds = seconds;
    t.keys = keys;
    return in_child(boot_menu);
}

TEST(nobody_chooses_the_first_item)
{
    struct outcome *out = with(0, NULL);
    CHECK(said(out, "pxe: one\n"), said(out, "FILE listed-item1 ITEM 80:01:00:00\n"));
    CHECK(!said(out, "Press F8"));
    CHECK(out->now_us < 3000000);
    out = with(3, NULL);
    CHECK(said(out, "\rPress F8 3 s"), said(out, "\rPress F8 2 s"), said(out, "\rPress F8 1 s"), said(out, "FILE listed-item1"));
    CHECK(!said(out, "F8 4 s"));
    CHECK(out->now_us > 3000000, out->now_us < 6000000);
}

TEST(a_key_shows_the_items)
{
    static const char *const keys[] = { "x\x1b[B" "1c", "\x1b[19~c", "\x1b" "c" };
    for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
        struct outcome *out = with(3, keys[i]);
        CHECK(said(out, "  a  one\n"), said(out, "  c  two\n"), said(out, "pxe: two\n"), said(out, "FILE listed-item2"));
        CHECK(!said(out, "F8 1 s")); // whoever looks at the items has the time that it takes
    }
    CHECK(said(with(3, "x\r"), "FILE listed-item1"));
}

// Five minutes without a key, whether the menu had no time of its own or a key was pressed once.
TEST(nobody_is_there)
{
    static const struct {
        uint8_t seconds;
        const char *keys;
    } cases[] = { { 255, NULL }, { 255, "z" }, { 3, "x" } };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct outcome *out = with(cases[i].seconds, cases[i].keys);
        CHECK(said(out, "  c  two\n"), said(out, "FILE listed-item1"));
        CHECK(out->now_us > 300000000, out->now_us < 306000000);
    }
}

// 255: the items at once, and nothing is taken from a person; ctrl-C goes on without, and with the address.
TEST(a_menu_that_waits)
{
    struct outcome *out = with(255, "zc");
    CHECK(said(out, "  a  one\n"), said(out, "FILE listed-item2"));
    t.late_us = 250000000;
    out = with(255, "c");
    CHECK(said(out, "FILE listed-item2"));
    CHECK(out->now_us > t.late_us);
    t.late_us = 0;
    out = with(255, "\3");
    CHECK(said(out, "FAILED\n"), said(out, "FILE  ITEM"), said(out, "net0 10.0.0.99/"));
}

TEST(groups_are_asked)
{
    t.group = true;
    CHECK(said(with(0, NULL), "FILE group-item1"));
    t.group = false;
}

TEST(no_boot_server)
{
    t.silent = true;
    struct outcome *out = with(0, NULL);
    CHECK(said(out, "[N20]"), said(out, "FILE  ITEM"));
    CHECK(!said(out, "FAILED")); // there is an address
    CHECK(out->now_us > 10000000, out->now_us < 13000000);
    t.silent = false;
}

// A person leaves for the next boot device. When nobody has chosen, the script has the word.
TEST(the_local_boot)
{
    struct outcome *out = with(3, "xb");
    CHECK(out->left);
    CHECK(!said(out, "FILE"));
    t.local_first = true;
    t.script = "#!ipxe\ndhcp && echo GOOD || echo LOCALLY\nchain p2://10.0.0.1/image\n";
    for (uint8_t seconds = 0; seconds < 3; seconds += 2) {
        out = with(seconds, NULL);
        CHECK(said(out, "[N21]"), said(out, "LOCALLY\n"), out->booted, !out->left);
    }
    out = with(2, "x\r");
    CHECK(out->left, !out->booted);
    t.local_first = false;
    t.script = NULL;
}

TEST_MAIN(T(nobody_chooses_the_first_item), T(a_key_shows_the_items), T(nobody_is_there), T(a_menu_that_waits), T(groups_are_asked),
          T(no_boot_server), T(the_local_boot))
