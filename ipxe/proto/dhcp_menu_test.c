// SPDX-License-Identifier: MPL-2.0
// PXE boot menus and the discovery of boot servers. The options of packets marked "dnsmasq" are what version 2.90 sent, byte for byte.
#include "proto/testdhcpclient.h"

#define ITEM_0 0x8000
#define ITEM_1 0x8001
#define EVERYBODY 0xffffffffu

static const uint8_t other[4] = { 10, 0, 0, 3 };

// Options in hexadecimal, behind the magic.
static void options_hex(const char *hex)
{
    for (; hex[0] && hex[1]; hex += 2) {
        const char digits[3] = { hex[0], hex[1], 0 };
        builder_u8(&b, (uint8_t)strtoul(digits, NULL, 16));
    }
}

#define DNSMASQ(type) "3501" type "36040a0000023c09505845436c69656e746111005a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a"
// --pxe-service=x86PC,one,first --pxe-service=x86PC,two,second
#define TWO "2b280601030a04ff505845080e8000010a0000028001010a000002090c8000036f6e6580010374776fffff"
// --pxe-prompt="Press F8",5 and the two
#define PROMPT "2b2d060103080e8000010a0000028001010a000002090c8000036f6e6580010374776f0a09055072657373204638ffff"
// one of them alone
#define ONE "2b1b0601030a040050584508078000010a00000209068000036f6e65ffff"
// --pxe-prompt=Choose,3 --pxe-service="x86PC,Local disk,0" --pxe-service=x86PC,Install,first --pxe-service=x86PC,Other,7
#define LOCAL "2b3706010208078000010a000002091f00000a4c6f63616c206469736b800007496e7374616c6c0007054f746865720a070343686f6f7365ffff"

static void answer_hex(const uint8_t yiaddr[4], const uint8_t siaddr[4], const char *hex)
{
    begin(yiaddr, siaddr, 0xcafe);
    options_hex(hex);
    builder_zeros(&b, b.len < 300 ? 300 - b.len : 0);
}

static struct dhcp_lease menu;

static void read_menu(const char *hex)
{
    answer_hex(zero, zero, hex);
    CHECK_EQ(dhcp_lease_read(packet, b.len, &menu), 0);
}

// 43 of these bytes, as a server of our own would say it.
static void menu_of(uint8_t type, const void *options, size_t len)
{
    begin(zero, zero, 0xcafe);
    option_u8(DHCP_MESSAGE_TYPE, type);
    option(DHCP_SERVER_ID, proxy, 4);
    option_text(DHCP_VENDOR_CLASS, "PXEClient");
    option(DHCP_VENDOR_OPTIONS, options, len);
    end();
}
#define MENU(...) menu_of(DHCP_OFFER, (const uint8_t[]){ __VA_ARGS__ }, sizeof(const uint8_t[]){ __VA_ARGS__ })
#define ITEMS 9, 12, 0x80, 0, 3, 'o', 'n', 'e', 0x80, 1, 3, 't', 'w', 'o'

static void boot_server(const uint8_t from[4], uint16_t port, uint16_t type, const char *file)
{
    const uint8_t item[] = { DHCP_BOOT_ITEM, 4, (uint8_t)(type >> 8), (uint8_t)type, 0, 0, 255 };
    begin(address, from, 0xcafe);
    option_u8(DHCP_MESSAGE_TYPE, DHCP_ACK);
    option(DHCP_SERVER_ID, from, 4);
    option_text(DHCP_VENDOR_CLASS, "PXEClient");
    if (type)
        option(DHCP_VENDOR_OPTIONS, item, sizeof item);
    if (file)
        option_text(DHCP_BOOTFILE, file);
    end();
    hear(from, port);
}

TEST(reads_what_dnsmasq_sends)
{
    struct dhcp_menu_item item;
    char text[DHCP_MENU_TEXT_MAX];
    read_menu(DNSMASQ("02") TWO);
    CHECK(dhcp_menu_is_there(&menu));
    CHECK_EQ(dhcp_menu_prompt(&menu, text), DHCP_MENU_WAITS);
    CHECK_STR(text, "PXE");
    CHECK(dhcp_menu_item(&menu, 1, &item));
    CHECK_EQ(item.type, ITEM_1);
    CHECK_STR(item.text, "two");
    CHECK(!dhcp_menu_item(&menu, 2, &item));
    read_menu(DNSMASQ("02") PROMPT);
    CHECK_EQ(dhcp_menu_prompt(&menu, text), 5);
    CHECK_STR(text, "Press F8");
    read_menu(DNSMASQ("02") ONE);
    CHECK_EQ(dhcp_menu_prompt(&menu, text), 0);
    read_menu(DNSMASQ("02") LOCAL);
    CHECK(dhcp_menu_item(&menu, 0, &item));
    CHECK_EQ(item.type, DHCP_MENU_LOCAL);
    CHECK_STR(item.text, "Local disk");
    CHECK(dhcp_menu_item(&menu, 2, &item));
    CHECK_EQ(item.type, 7);
    // A UEFI client's offer, and the answer of port 4011 to an architecture that has no line: no menu.
    read_menu(DNSMASQ("02") "ff");
    CHECK(!dhcp_menu_is_there(&menu));
    read_menu(DNSMASQ("05") "2b0a0601080a0400505845ffff");
    CHECK(!dhcp_menu_is_there(&menu));
}

TEST(damaged_menus_have_no_items)
{
    static const uint8_t whole[] = { 9, 8, 0x80, 0, 5, 'a', 'b', 'c', 7, 'e' };
    struct dhcp_menu_item item;
    char text[DHCP_MENU_TEXT_MAX];
    for (size_t n = 0; n <= sizeof whole; n++) {
        menu_of(DHCP_OFFER, whole, n);
        CHECK_EQ(dhcp_lease_read(packet, b.len, &menu), 0);
        CHECK_EQ(dhcp_menu_item(&menu, 0, &item), n == sizeof whole);
    }
    CHECK_STR(item.text, "abc"); // a control character ends a text
    CHECK_EQ(dhcp_menu_prompt(&menu, text), DHCP_MENU_WAITS); // nobody says how long
    CHECK_STR(text, "");
    MENU(ITEMS);
    packet[240 + 3 + 6 + 2] = 'Q'; // no "PXEClient": 43 is some other vendor's
    CHECK_EQ(dhcp_lease_read(packet, b.len, &menu), 0);
    CHECK(!dhcp_menu_is_there(&menu));
}

// Bit 3 counts where a file is named, and nowhere else.
TEST(a_file_to_be_taken_is_no_menu)
{
    for (int with_file = 0; with_file < 2; with_file++) {
        MENU(6, 1, 8, ITEMS);
        b.len--;
        if (with_file)
            option_text(DHCP_BOOTFILE, "boot.0");
        end();
        CHECK_EQ(dhcp_lease_read(packet, b.len, &menu), 0);
        CHECK_EQ(dhcp_menu_is_there(&menu), !with_file);
    }
}

// Everybody who is asked in a try, as text: the last byte of each address.
static const char *peers(uint16_t type, unsigned try)
{
    static char text[64];
    uint8_t ip[4];
    size_t n = 0;
    text[0] = 0;
    for (unsigned i = 0; dhcp_lease_read(packet, b.len, &menu) == 0 && dhcp_menu_peer(&menu, type, try, i, ip) && i < 8; i++)
        n += (size_t)snprintf(text + n, sizeof text - n, "%u.%u ", ip[0], ip[3]);
    return text;
}

#define GROUP 7, 4, 224, 0, 0, 9
#define SERVERS 8, 21, 0x80, 0, 2, 10, 0, 0, 3, 10, 0, 0, 4, 0x80, 2, 0, 0, 5, 1, 10, 0, 0, 5

TEST(bits_say_who_is_asked)
{
    MENU(ITEMS); // nothing is forbidden, no group is named
    CHECK_STR(peers(ITEM_0, 0), "255.255 ");
    MENU(GROUP, ITEMS);
    CHECK_STR(peers(ITEM_0, 0), "224.9 255.255 ");
    MENU(6, 1, 1, GROUP, ITEMS);
    CHECK_STR(peers(ITEM_0, 0), "224.9 ");
    MENU(6, 1, 2, GROUP, ITEMS);
    CHECK_STR(peers(ITEM_0, 0), "255.255 ");
    MENU(6, 1, 3, GROUP, ITEMS);
    CHECK_STR(peers(ITEM_0, 0), "");
    MENU(7, 4, 10, 0, 0, 9, ITEMS); // no group's address
    CHECK_STR(peers(ITEM_0, 0), "255.255 ");
    // Those that are listed come first, and the others when they were silent.
    MENU(GROUP, SERVERS, ITEMS);
    CHECK_STR(peers(ITEM_0, 0), "10.3 10.4 ");
    CHECK_STR(peers(ITEM_0, 1), "10.3 10.4 224.9 255.255 ");
    CHECK_STR(peers(5, 0), "10.5 ");
    CHECK_STR(peers(0x8002, 0), "224.9 255.255 "); // listed with no address: any server of this type
    CHECK_STR(peers(ITEM_1, 0), "224.9 255.255 ");
    MENU(6, 1, 3, GROUP, SERVERS, ITEMS);
    CHECK_STR(peers(ITEM_0, 3), "10.3 10.4 ");
    // "Only those that are listed" leaves a type that is not out.
    MENU(6, 1, 4, SERVERS, ITEMS);
    CHECK_STR(peers(ITEM_1, 0), "");
    CHECK_STR(peers(0x8002, 0), "255.255 ");
    // A list that is cut off counts as far as it goes.
    MENU(8, 10, 0x80, 1, 1, 10, 0, 0, 6, 0x80, 0, 2, ITEMS);
    CHECK_STR(peers(ITEM_1, 0), "10.6 ");
    CHECK_STR(peers(ITEM_0, 0), "255.255 ");
}

static void choosing(const char *hex)
{
    bound_without_a_file();
    answer_hex(zero, zero, hex);
    hear(proxy, 67);
    CHECK_EQ(c.state, DHCP_CHOOSING);
    CHECK(dhcp_client_bound(&c), dhcp_client_menu(&c));
    CHECK_EQ(dhcp_client_result(&c), PENDING);
}

static void is_asked_for(uint16_t type, uint32_t dst)
{
    uint8_t v[256];
    CHECK_EQ(dhcp_option(sent, sent_len, DHCP_VENDOR_OPTIONS, 71, v, sizeof v), 4);
    CHECK_EQ(load32_be(v), (uint32_t)type << 16);
    CHECK_EQ(load32_be(to.dst), dst);
    CHECK_EQ(to.dst_port, dst == EVERYBODY ? 67 : 4011);
    CHECK_EQ(to.src_port, 68);
    CHECK(memcmp(to.src, address, 4) == 0, memcmp(sent + 12, address, 4) == 0);
    CHECK_EQ(sent_u8(DHCP_MESSAGE_TYPE), DHCP_REQUEST);
    CHECK_EQ(dhcp_option(sent, sent_len, DHCP_VENDOR_CLASS, -1, v, sizeof v), 32);
    CHECK(memcmp(v, "PXEClient:Arch:00000:UNDI:002001", 32) == 0);
    CHECK_EQ(dhcp_option(sent, sent_len, DHCP_CLIENT_ARCH, -1, v, sizeof v), 2);
    CHECK_EQ(dhcp_option(sent, sent_len, DHCP_CLIENT_NDI, -1, v, sizeof v), 3);
    CHECK_EQ(dhcp_option(sent, sent_len, DHCP_CLIENT_UUID, -1, v, sizeof v), 17);
}

// dnsmasq as a proxy: the second of two items.
TEST(an_item_of_dnsmasq)
{
    choosing(DNSMASQ("02") TWO);
    dhcp_client_choose(&c, ITEM_1, now);
    CHECK(next_sent() > 0);
    is_asked_for(ITEM_1, 0x0a000002);
    answer_hex(address, proxy, DNSMASQ("05") "2b07470480010000ffff");
    memcpy(packet + 108, "second.0", 8);
    hear(proxy, 4011);
    CHECK_EQ(dhcp_client_result(&c), 0);
    CHECK_STR(c.lease.filename, "second.0");
    CHECK(memcmp(c.lease.next_server, proxy, 4) == 0, memcmp(c.lease.ip, address, 4) == 0);
    // With a prompt its answer has that again, which is no new menu.
    choosing(DNSMASQ("02") LOCAL);
    dhcp_client_choose(&c, ITEM_0, now);
    next_sent();
    answer_hex(address, proxy, DNSMASQ("05") "2b104704800000000a070343686f6f7365ffff");
    memcpy(packet + 108, "first.0", 7);
    hear(proxy, 4011);
    CHECK_EQ(dhcp_client_result(&c), 0);
    CHECK_STR(c.lease.filename, "first.0");
    // A type that has no server in the list is asked for on the link.
    choosing(DNSMASQ("02") LOCAL);
    dhcp_client_choose(&c, 7, now);
    next_sent();
    is_asked_for(7, EVERYBODY);
    // The local boot asks nobody.
    choosing(DNSMASQ("02") LOCAL);
    dhcp_client_choose(&c, DHCP_MENU_LOCAL, now);
    CHECK_EQ(dhcp_client_result(&c), 0);
    CHECK_EQ(next_sent(), 0);
}

// dnsmasq for UEFI: the offer is bare, the menu is on port 4011.
TEST(a_menu_from_port_4011)
{
    uint8_t v[8];
    bound_without_a_file();
    answer_hex(zero, proxy, DNSMASQ("02") "ff");
    hear(proxy, 67);
    CHECK(next_sent() > 0);
    CHECK_EQ(dhcp_option(sent, sent_len, DHCP_VENDOR_OPTIONS, -1, v, sizeof v), ERR_NOT_FOUND);
    CHECK_EQ(to.dst_port, 4011);
    answer_hex(zero, proxy, DNSMASQ("05") TWO);
    hear(proxy, 4011);
    CHECK_EQ(c.state, DHCP_CHOOSING);
    dhcp_client_choose(&c, ITEM_0, now);
    next_sent();
    is_asked_for(ITEM_0, 0x0a000002);
    boot_server(proxy, 4011, ITEM_0, "first.efi");
    CHECK_STR(c.lease.filename, "first.efi");
    CHECK_EQ(dhcp_client_result(&c), 0);
}

// dnsmasq as the whole DHCP server: the menu is in the offer and in the acknowledgement that give the address.
TEST(a_menu_of_the_dhcp_server)
{
    static const char *const lease = "36040a0000013304000000e10104ffffff003c09505845436c69656e74" TWO;
    char text[300];
    start(true);
    next_sent();
    for (const char *const *type = (const char *const[]){ "350102", "350105", NULL }; *type; type++) {
        snprintf(text, sizeof text, "%s%s", *type, lease);
        answer_hex(address, server, text);
        hear(server, 67);
        next_sent();
    }
    CHECK_EQ(c.state, DHCP_CHOOSING);
    dhcp_client_choose(&c, ITEM_0, now);
    next_sent();
    is_asked_for(ITEM_0, 0x0a000002);
    boot_server(proxy, 4011, ITEM_0, "one.0");
    CHECK_EQ(dhcp_client_result(&c), 0);
    CHECK_STR(c.lease.filename, "one.0");
    CHECK(memcmp(c.lease.next_server, proxy, 4) == 0);
}

static void asks_for_item_0(void)
{
    MENU(6, 1, 4, GROUP, SERVERS, ITEMS);
    bound_without_a_file();
    MENU(6, 1, 4, GROUP, SERVERS, ITEMS);
    hear(proxy, 67);
    CHECK_EQ(c.state, DHCP_CHOOSING);
    dhcp_client_choose(&c, ITEM_0, now);
    CHECK(next_sent() > 0);
    is_asked_for(ITEM_0, 0x0a000003);
    CHECK(next_sent() > 0);
    is_asked_for(ITEM_0, 0x0a000004);
}

TEST(only_the_right_boot_server_is_believed)
{
    static const uint8_t stranger[4] = { 10, 0, 0, 66 };
    asks_for_item_0();
    boot_server(other, 4011, ITEM_1, "wrong-type");
    boot_server(stranger, 4011, ITEM_0, "not-listed");
    boot_server(stranger, 4011, 0, "not-listed-nor-typed");
    boot_server(other, 4011, ITEM_0, NULL); // no file
    boot_server(other, 5000, ITEM_0, "port");
    proxy_answer(DHCP_OFFER, "late-proxy");
    hear(proxy, 67);
    ack("the-lease-once-more");
    hear(server, 67);
    // An offer is no boot server's answer, whoever makes it.
    begin(zero, other, 0xcafe);
    option_u8(DHCP_MESSAGE_TYPE, DHCP_OFFER);
    option(DHCP_SERVER_ID, other, 4);
    option_text(DHCP_VENDOR_CLASS, "PXEClient");
    option_text(DHCP_BOOTFILE, "an-offer");
    end();
    hear(other, 4011);
    // A layer that nobody asked for.
    begin(address, other, 0xcafe);
    option_u8(DHCP_MESSAGE_TYPE, DHCP_ACK);
    option(DHCP_SERVER_ID, other, 4);
    option_text(DHCP_VENDOR_CLASS, "PXEClient");
    option(DHCP_VENDOR_OPTIONS, "\x47\x04\x80\x00\x80\x00\xff", 7);
    option_text(DHCP_BOOTFILE, "credentials");
    end();
    hear(other, 4011);
    CHECK_EQ(c.state, DHCP_ASKING);
    boot_server(other, 4011, ITEM_0, "right");
    CHECK_EQ(dhcp_client_result(&c), 0);
    CHECK_STR(c.lease.filename, "right");
    CHECK(memcmp(c.lease.next_server, other, 4) == 0);
    boot_server(other, 4011, ITEM_0, "too-late");
    CHECK_STR(c.lease.filename, "right");
    // A whole menu in the answer is no new one.
    asks_for_item_0();
    begin(address, other, 0xcafe);
    option_u8(DHCP_MESSAGE_TYPE, DHCP_ACK);
    option(DHCP_SERVER_ID, other, 4);
    option_text(DHCP_VENDOR_CLASS, "PXEClient");
    option(DHCP_VENDOR_OPTIONS, (const uint8_t[]){ 71, 4, 0x80, 0, 0, 0, ITEMS }, sizeof(const uint8_t[]){ 71, 4, 0x80, 0, 0, 0, ITEMS });
    option_text(DHCP_BOOTFILE, "with-a-menu");
    end();
    hear(other, 4011);
    CHECK_EQ(dhcp_client_result(&c), 0);
    CHECK_STR(c.lease.filename, "with-a-menu");
    // A listed one need not repeat the type; who answers to all must.
    asks_for_item_0();
    boot_server(other, 4011, 0, "untyped");
    CHECK_STR(c.lease.filename, "untyped");
    bound_without_a_file();
    MENU(ITEMS);
    hear(proxy, 67);
    dhcp_client_choose(&c, ITEM_0, now);
    next_sent();
    boot_server(stranger, 67, 0, "untyped");
    CHECK_EQ(c.state, DHCP_ASKING);
    boot_server(stranger, 67, ITEM_0, "typed");
    CHECK_STR(c.lease.filename, "typed");
}

// PXE 2.1: four rounds, after 1, 2, 3 and 4 seconds. Then the lease is kept, and so is the file that was named beside the menu.
TEST(silent_boot_servers_cost_ten_seconds)
{
    asks_for_item_0();
    uint64_t begun = now, last = now;
    unsigned sends = 2, rounds = 1;
    for (; next_sent(); sends++) {
        is_asked_for(ITEM_0, load32_be(to.dst));
        if (now == last)
            continue;
        CHECK(now - last >= rounds * 1000000u, now - last < rounds * 1000000u + 200000u);
        last = now;
        rounds++;
    }
    CHECK_EQ(rounds, DHCP_BOOT_ATTEMPTS);
    CHECK_EQ(sends, 2 + 3 * 4); // the listed two; and with them the group and all
    CHECK_EQ(dhcp_client_result(&c), ERR_PXE_NO_SERVER);
    CHECK(now - begun >= 10000000, now - begun < 11000000);
    CHECK(dhcp_client_bound(&c));
    CHECK(memcmp(c.lease.ip, address, 4) == 0);
    // Nobody may be asked: that is known at once.
    bound_without_a_file();
    MENU(6, 1, 3, ITEMS);
    hear(proxy, 67);
    dhcp_client_choose(&c, ITEM_0, now);
    CHECK_EQ(dhcp_client_result(&c), ERR_PXE_NO_SERVER);
    CHECK_EQ(next_sent(), 0);
}

// A menu may wait for hours. The lease is renewed meanwhile, counts from when it was given, and goes on afterwards.
TEST(a_menu_keeps_its_lease)
{
    uint8_t v[4];
    choosing(DNSMASQ("02") TWO);
    uint64_t given = now, half = (uint64_t)c.lease.lease_s * 500000;
    CHECK_EQ(dhcp_client_deadline(&c), given + half);
    CHECK(next_sent() > 0);
    CHECK_EQ(dhcp_option(sent, sent_len, DHCP_VENDOR_OPTIONS, 71, v, sizeof v), ERR_NOT_FOUND);
    CHECK(memcmp(to.dst, server, 4) == 0);
    CHECK_EQ(to.dst_port, 67);
    ack(NULL);
    hear(server, 67);
    CHECK_EQ(c.state, DHCP_CHOOSING);
    CHECK_EQ(c.lease_end, now + 2 * half);
    uint64_t end = c.lease_end;
    now += half / 2;
    dhcp_client_choose(&c, ITEM_0, now);
    next_sent();
    boot_server(proxy, 4011, ITEM_0, "one.0");
    CHECK_EQ(c.lease_end, end);
    CHECK_EQ(dhcp_renew_deadline(&c), end - half);
    // Who has had enough of the menu keeps the lease.
    choosing(DNSMASQ("02") TWO);
    dhcp_client_settle(&c);
    CHECK_EQ(dhcp_client_result(&c), 0);
    CHECK(!dhcp_client_menu(&c));
    CHECK_EQ(dhcp_renew_deadline(&c), now + half);
}

// An offer of an address by the server 10.0.1.n.
static void offer_of(uint8_t n, bool pxe, bool file)
{
    const uint8_t id[4] = { 10, 0, 1, n }, gives[4] = { 10, 0, 2, n };
    begin(gives, zero, 0xcafe);
    option_u8(DHCP_MESSAGE_TYPE, DHCP_OFFER);
    option(DHCP_SERVER_ID, id, 4);
    if (pxe)
        option_text(DHCP_VENDOR_CLASS, "PXEClient");
    if (file)
        option_text(DHCP_BOOTFILE, "x");
    end();
    hear(id, 67);
}

// Of several offers a PXE server's comes before others, and then one that names a file (PXE 2.1 section 2.2).
TEST(offers_are_weighed)
{
    // While proxies are waited for: the second one is better in each case.
    for (int better = 1; better < 4; better++) {
        start(true);
        next_sent();
        offer_of(1, false, false);
        offer_of(2, better & 1, better & 2);
        CHECK(next_sent() > 0);
        CHECK_EQ(sent_u8(DHCP_MESSAGE_TYPE), DHCP_REQUEST);
        CHECK_EQ(c.lease.ip[3], 2);
    }
    // When the one that was asked refuses: in whatever order the others came.
    for (unsigned order = 0; order < 4; order++) {
        start(true);
        next_sent();
        offer_of(1, true, true);
        next_sent();
        for (unsigned i = 0; i < 4; i++)
            offer_of((uint8_t)(10 + (i ^ order)), (i ^ order) & 2, (i ^ order) & 1);
        const uint8_t id[4] = { 10, 0, 1, 1 };
        begin(zero, zero, 0xcafe);
        option_u8(DHCP_MESSAGE_TYPE, DHCP_NAK);
        option(DHCP_SERVER_ID, id, 4);
        end();
        hear(id, 67);
        CHECK(next_sent() > 0);
        CHECK_EQ(c.lease.ip[3], 13);
    }
    // Where no boot is looked for, a PXE server is like any other.
    start(false);
    next_sent();
    offer_of(1, false, false);
    offer_of(2, true, false);
    CHECK_EQ(c.lease.ip[3], 1);
}

// Kea's and isc-dhcp's answers say nothing of PXE: theirs is the file, and 43, if there is one, is no menu.
TEST(a_plain_server_has_no_menu)
{
    start(true);
    next_sent();
    for (uint8_t type = DHCP_OFFER; type <= DHCP_ACK; type = (uint8_t)(type + DHCP_ACK - DHCP_OFFER)) {
        begin(address, server, 0xcafe);
        option_u8(DHCP_MESSAGE_TYPE, type);
        option(DHCP_SERVER_ID, server, 4);
        memcpy(packet + 108, "boot.0", 6);
        option(DHCP_VENDOR_OPTIONS, (const uint8_t[]){ ITEMS }, sizeof(const uint8_t[]){ ITEMS });
        end();
        hear(server, 67);
        next_sent();
    }
    CHECK_EQ(dhcp_client_result(&c), 0);
    CHECK_STR(c.lease.filename, "boot.0");
}

// The lease's own file comes before a proxy's menu, as before a proxy's file; so does the word not to ask proxies.
TEST(a_leases_file_comes_before_a_proxys_menu)
{
    for (int forbids = 0; forbids < 2; forbids++) {
        start(true);
        next_sent();
        answer_hex(zero, zero, DNSMASQ("02") TWO);
        hear(proxy, 67);
        for (uint8_t type = DHCP_OFFER; type <= DHCP_ACK; type = (uint8_t)(type + DHCP_ACK - DHCP_OFFER)) {
            begin(address, server, 0xcafe);
            option_u8(DHCP_MESSAGE_TYPE, type);
            option(DHCP_SERVER_ID, server, 4);
            if (forbids)
                option(DHCP_IPXE, "\xb0\x01\x01", 3);
            else
                option_text(DHCP_BOOTFILE, "mine");
            end();
            hear(server, 67);
            next_sent();
        }
        CHECK_EQ(dhcp_client_result(&c), 0);
        CHECK_STR(c.lease.filename, forbids ? "" : "mine");
    }
}

// A PXE server that names a file and has a menu without bit 3: the menu comes first, and the file is what is left when it fails.
TEST(a_menu_beside_a_file)
{
    for (int fails = 0; fails < 2; fails++) {
        bound_without_a_file();
        MENU(6, 1, 3, SERVERS, ITEMS);
        b.len--;
        option_text(DHCP_BOOTFILE, "beside");
        end();
        hear(proxy, 67);
        CHECK_EQ(c.state, DHCP_CHOOSING);
        dhcp_client_choose(&c, ITEM_0, now);
        next_sent();
        if (!fails)
            boot_server(other, 4011, ITEM_0, "chosen");
        while (next_sent())
            ;
        CHECK_EQ(dhcp_client_result(&c), fails ? ERR_PXE_NO_SERVER : 0);
        CHECK_STR(c.lease.filename, fails ? "beside" : "chosen");
        CHECK(memcmp(c.lease.next_server, fails ? proxy : other, 4) == 0);
    }
}

TEST_MAIN(T(reads_what_dnsmasq_sends), T(damaged_menus_have_no_items), T(a_file_to_be_taken_is_no_menu), T(bits_say_who_is_asked),
          T(an_item_of_dnsmasq), T(a_menu_from_port_4011), T(a_menu_of_the_dhcp_server), T(only_the_right_boot_server_is_believed),
          T(silent_boot_servers_cost_ten_seconds), T(a_menu_keeps_its_lease), T(offers_are_weighed), T(a_plain_server_has_no_menu),
          T(a_leases_file_comes_before_a_proxys_menu), T(a_menu_beside_a_file))
