// SPDX-License-Identifier: MPL-2.0
// The DHCP client against servers that are there, late, odd or hostile.
#include "proto/testdhcpclient.h"

TEST(discover_says_who_we_are)
{
    start(true);
    CHECK_EQ(dhcp_client_deadline(&c), 0);
    CHECK(next_sent() >= DHCP_PACKET_MIN);
    CHECK_EQ(load32_be(to.dst), 0xffffffff);
    CHECK_EQ(load32_be(to.src), 0);
    CHECK(to.dst_port == 67, to.src_port == 68);
    CHECK_EQ(sent[0], 1);
    CHECK_EQ(load32_be(sent + 4), 0xcafe);
    CHECK_EQ(load16_be(sent + 10), 0x8000);
    CHECK(memcmp(sent + 28, mac, 6) == 0);
    CHECK_EQ(sent_u8(DHCP_MESSAGE_TYPE), DHCP_DISCOVER);
    uint8_t v[256];
    CHECK_EQ(dhcp_option(sent, sent_len, DHCP_VENDOR_CLASS, -1, v, sizeof v), 32);
    CHECK(memcmp(v, "PXEClient:Arch:00000:UNDI:002001", 32) == 0);
    CHECK_EQ(dhcp_option(sent, sent_len, DHCP_USER_CLASS, -1, v, sizeof v), 4);
    CHECK(memcmp(v, "iPXE", 4) == 0);
    CHECK_EQ(dhcp_option(sent, sent_len, DHCP_CLIENT_UUID, -1, v, sizeof v), 17);
    CHECK(v[0] == 0, v[1] == 0x5a);
    CHECK_EQ(dhcp_option(sent, sent_len, DHCP_CLIENT_ARCH, -1, v, sizeof v), 2);
    CHECK_EQ(dhcp_option(sent, sent_len, DHCP_CLIENT_NDI, -1, v, sizeof v), 3);
    CHECK_EQ(dhcp_option(sent, sent_len, DHCP_CLIENT_ID, -1, v, sizeof v), 7);
    CHECK_EQ(dhcp_option(sent, sent_len, DHCP_IPXE, DHCP_FEATURE_HTTP, v, sizeof v), 1);
    CHECK_EQ(dhcp_option(sent, sent_len, DHCP_IPXE, DHCP_FEATURE_HTTPS, v, sizeof v), ERR_NOT_FOUND);
    CHECK(dhcp_option(sent, sent_len, DHCP_PARAMETERS, -1, v, sizeof v) > 10);
    CHECK_EQ(sent_u8(DHCP_SERVER_ID), 0);
    // Too small a buffer sends nothing rather than half of it.
    start(true);
    CHECK_EQ(dhcp_client_output(&c, sent, 299, &to, now), 0);
}

TEST(offer_request_ack)
{
    start(true);
    next_sent();
    offer("web.0");
    hear(server, 67);
    CHECK_EQ(dhcp_client_deadline(&c), 0); // names a file: nothing to wait for
    CHECK(next_sent() > 0);
    CHECK_EQ(sent_u8(DHCP_MESSAGE_TYPE), DHCP_REQUEST);
    uint8_t v[4];
    CHECK_EQ(dhcp_option(sent, sent_len, DHCP_REQUESTED_IP, -1, v, 4), 4);
    CHECK(memcmp(v, address, 4) == 0);
    CHECK_EQ(dhcp_option(sent, sent_len, DHCP_SERVER_ID, -1, v, 4), 4);
    CHECK(memcmp(v, server, 4) == 0);
    CHECK(!dhcp_client_bound(&c));
    CHECK_EQ(dhcp_client_result(&c), PENDING);
    ack(NULL);
    hear(server, 67);
    CHECK(dhcp_client_bound(&c));
    CHECK_EQ(dhcp_client_result(&c), 0);
    CHECK_EQ(dhcp_client_deadline(&c), UINT64_MAX);
    CHECK_STR(c.lease.filename, "web.0"); // only the offer said it
    CHECK_STR(c.lease.hostname, "node17");
    CHECK_EQ(next_sent(), 0);
}

TEST(waits_for_a_proxy)
{
    start(true);
    next_sent();
    offer(NULL);
    hear(server, 67);
    CHECK_EQ(dhcp_client_deadline(&c), now + DHCP_PROXY_WAIT_US);
    proxy_answer(DHCP_OFFER, "proxied");
    hear(proxy, 67);
    CHECK(next_sent() > 0);
    CHECK_EQ(sent_u8(DHCP_MESSAGE_TYPE), DHCP_REQUEST);
    ack(NULL);
    hear(server, 67);
    CHECK_EQ(dhcp_client_result(&c), 0);
    CHECK_STR(c.lease.filename, "proxied");
    CHECK(memcmp(c.lease.next_server, proxy, 4) == 0);
    CHECK(memcmp(c.lease.ip, address, 4) == 0);
    // The proxy comes first.
    start(true);
    next_sent();
    proxy_answer(DHCP_OFFER, "proxied");
    hear(proxy, 67);
    CHECK(dhcp_client_deadline(&c) > now);
    offer(NULL);
    hear(server, 67);
    CHECK_EQ(dhcp_client_deadline(&c), 0);
    // None comes: the request goes out after the wait.
    start(true);
    next_sent();
    offer(NULL);
    hear(server, 67);
    uint64_t heard = now;
    CHECK(next_sent() > 0);
    CHECK_EQ(sent_u8(DHCP_MESSAGE_TYPE), DHCP_REQUEST);
    CHECK_EQ(now, heard + DHCP_PROXY_WAIT_US);
    // Not wanted, or told not to: at once.
    start(false);
    next_sent();
    offer(NULL);
    hear(server, 67);
    CHECK_EQ(dhcp_client_deadline(&c), 0);
    start(true);
    next_sent();
    offer(NULL);
    b.len--;
    option(DHCP_IPXE, "\xb0\x01\x01", 3);
    end();
    hear(server, 67);
    CHECK_EQ(dhcp_client_deadline(&c), 0);
}

TEST(asks_the_proxy_on_4011)
{
    start(true);
    next_sent();
    offer(NULL);
    hear(server, 67);
    proxy_answer(DHCP_OFFER, NULL); // is there, but says the file only when asked
    hear(proxy, 67);
    next_sent();
    ack(NULL);
    hear(server, 67);
    CHECK_EQ(c.state, DHCP_PROXYING);
    CHECK(dhcp_client_bound(&c));
    CHECK_EQ(dhcp_client_result(&c), PENDING);
    CHECK(next_sent() > 0);
    CHECK_EQ(to.dst_port, 4011);
    CHECK(memcmp(to.dst, proxy, 4) == 0, memcmp(to.src, address, 4) == 0);
    CHECK(memcmp(sent + 12, address, 4) == 0); // ciaddr
    CHECK_EQ(load16_be(sent + 10), 0);
    CHECK_EQ(sent_u8(DHCP_MESSAGE_TYPE), DHCP_REQUEST);
    proxy_answer(DHCP_ACK, "late.0");
    hear(proxy, 4011);
    CHECK_EQ(dhcp_client_result(&c), 0);
    CHECK_STR(c.lease.filename, "late.0");
    // One that stays silent costs seconds, not the lease.
    start(true);
    next_sent();
    proxy_answer(DHCP_OFFER, NULL);
    hear(proxy, 67);
    offer(NULL);
    hear(server, 67);
    next_sent();
    ack(NULL);
    hear(server, 67);
    uint64_t bound_at = now;
    while (next_sent())
        CHECK_EQ(to.dst_port, 4011);
    CHECK_EQ(dhcp_client_result(&c), 0);
    CHECK(now - bound_at < 4000000);
}

// What comes next is offered, and taken back once it is asked for.
static void offer_and_refuse(void)
{
    offer(NULL);
    hear(server, 67);
    next_sent();
    begin(zero, zero, 0xcafe);
    option_u8(DHCP_MESSAGE_TYPE, DHCP_NAK);
    option(DHCP_SERVER_ID, server, 4);
    end();
    hear(server, 67);
}

TEST(retries_and_gives_up)
{
    start(true);
    unsigned count = 0;
    uint64_t begun = now, last = now;
    while (next_sent()) {
        CHECK(count == 0 || now - last >= ((uint64_t)DHCP_FIRST_TIMEOUT_US << (count - 1)));
        last = now;
        count++;
        if (count > 1)
            CHECK(load16_be(sent + 8) > 0); // secs
    }
    CHECK_EQ(count, DHCP_ATTEMPTS);
    CHECK_EQ(dhcp_client_result(&c), ERR_DHCP_NO_OFFER);
    CHECK(now - begun >= 15000000, now - begun < 16000000);
    // A server that offers and then dies.
    start(false);
    next_sent();
    offer(NULL);
    hear(server, 67);
    for (count = 0; next_sent(); count++)
        CHECK_EQ(sent_u8(DHCP_MESSAGE_TYPE), DHCP_REQUEST);
    CHECK_EQ(count, DHCP_ATTEMPTS);
    CHECK_EQ(dhcp_client_result(&c), ERR_DHCP_NO_ACK);
    // Refused twice.
    start(false);
    for (int i = 0; i < 2; i++) {
        next_sent();
        CHECK_EQ(sent_u8(DHCP_MESSAGE_TYPE), DHCP_DISCOVER);
        offer_and_refuse();
    }
    CHECK_EQ(next_sent(), 0);
    CHECK_EQ(dhcp_client_result(&c), ERR_DHCP_REFUSED);
    // Refused once, and then it is silent.
    start(false);
    next_sent();
    offer_and_refuse();
    while (next_sent())
        CHECK_EQ(sent_u8(DHCP_MESSAGE_TYPE), DHCP_DISCOVER);
    CHECK_EQ(dhcp_client_result(&c), ERR_DHCP_REFUSED);
}

// Several servers on one wire, in the order in which they answer: server i is 10.0.0.i+1 and gives 10.0.0.i+101.
enum manners { SILENT, REFUSES, GIVES };

static void say(uint8_t type, uint8_t number, uint8_t generation)
{
    const uint8_t id[4] = { 10, 0, generation, number }, gives[4] = { 10, 0, generation, (uint8_t)(100 + number) };
    begin(type == DHCP_NAK ? zero : gives, zero, 0xcafe);
    option_u8(DHCP_MESSAGE_TYPE, type);
    option(DHCP_SERVER_ID, id, 4);
    end();
    hear(id, 67);
}

// Runs to the end among them.
static void run_among(const enum manners *manners, unsigned count, bool ever_new)
{
    uint8_t generation = 0, asked[4] = { 0 };
    start(false);
    while (next_sent()) {
        bool discover = sent_u8(DHCP_MESSAGE_TYPE) == DHCP_DISCOVER;
        generation += ever_new;
        if (!discover) {
            CHECK_EQ(dhcp_option(sent, sent_len, DHCP_SERVER_ID, -1, asked, 4), 4);
            enum manners m = manners[asked[3] - 1];
            if (m != SILENT)
                say(m == GIVES ? DHCP_ACK : DHCP_NAK, asked[3], asked[2]);
        }
        for (unsigned i = 0; (discover || ever_new) && i < count; i++)
            say(DHCP_OFFER, (uint8_t)(i + 1), generation);
    }
}

// Who offers and then says no more, or refuses, costs a moment and not the lease.
TEST(one_of_three_gives)
{
    for (unsigned bad = 0; bad < 4; bad++)
        for (unsigned place = 0; place < 3; place++) {
            enum manners manners[3] = { bad & 1 ? REFUSES : SILENT, bad & 2 ? REFUSES : SILENT };
            manners[2] = manners[place];
            manners[place] = GIVES;
            run_among(manners, 3, false);
            CHECK_EQ(dhcp_client_result(&c), 0);
            CHECK_EQ(c.lease.ip[3], 101 + place);
            CHECK(now - 5000000 <= 8000000);
        }
}

// An offer that comes only when the first server is asked already is not too late.
TEST(an_offer_behind_the_request_is_kept)
{
    for (int refuses = 0; refuses < 2; refuses++) {
        uint8_t asked[4];
        start(false);
        next_sent();
        say(DHCP_OFFER, 1, 0);
        next_sent();
        say(DHCP_OFFER, 2, 0);
        if (refuses)
            say(DHCP_NAK, 1, 0);
        do {
            CHECK(next_sent());
            CHECK_EQ(sent_u8(DHCP_MESSAGE_TYPE), DHCP_REQUEST);
            CHECK_EQ(dhcp_option(sent, sent_len, DHCP_SERVER_ID, -1, asked, 4), 4);
        } while (asked[3] == 1);
        CHECK(now - 5000000 <= (refuses ? DHCP_NAK_WAIT_US : 3500000));
        say(DHCP_ACK, 2, 0);
        CHECK_EQ(dhcp_client_result(&c), 0);
    }
}

// The one that named a file refuses: the one that it was preferred to is asked.
TEST(a_replaced_offer_is_kept)
{
    uint8_t asked[4];
    start(true);
    next_sent();
    say(DHCP_OFFER, 2, 0);
    offer("x");
    hear(server, 67);
    next_sent();
    CHECK_EQ(dhcp_option(sent, sent_len, DHCP_SERVER_ID, -1, asked, 4), 4);
    CHECK_EQ(asked[3], 1);
    say(DHCP_NAK, 1, 0);
    next_sent();
    CHECK_EQ(dhcp_option(sent, sent_len, DHCP_SERVER_ID, -1, asked, 4), 4);
    CHECK_EQ(asked[3], 2);
}

// A stranger's NAK in the server's name does not undo the server's ACK.
TEST(naks_before_the_ack)
{
    start(false);
    next_sent();
    say(DHCP_OFFER, 1, 0);
    next_sent();
    for (int i = 0; i < 1000; i++)
        say(DHCP_NAK, 1, 0);
    now += DHCP_NAK_WAIT_US / 2;
    CHECK_EQ(dhcp_client_output(&c, sent, sizeof sent, &to, now), 0);
    say(DHCP_ACK, 1, 0);
    CHECK_EQ(dhcp_client_result(&c), 0);
}

// Offers under ever new names, refused or not kept: bounded, however many there are.
TEST(those_who_refuse_by_turns_hold_nobody)
{
    static const enum manners all[][2] = { { SILENT, SILENT }, { REFUSES, REFUSES }, { SILENT, REFUSES }, { REFUSES, SILENT } };
    for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
        run_among(all[i], 2, true);
        int result = dhcp_client_result(&c);
        CHECK(result == ERR_DHCP_REFUSED || result == ERR_DHCP_NO_ACK);
        CHECK_EQ(c.spares, DHCP_SPARES_MAX);
        CHECK(now - 5000000 <= 25000000);
    }
}

TEST(better_offer_wins)
{
    start(true);
    next_sent();
    offer(NULL);
    hear(server, 67);
    begin((const uint8_t[]){ 10, 0, 0, 88 }, proxy, 0xcafe);
    option_u8(DHCP_MESSAGE_TYPE, DHCP_OFFER);
    option(DHCP_SERVER_ID, proxy, 4);
    option_text(DHCP_BOOTFILE, "x");
    end();
    hear(proxy, 67);
    next_sent();
    uint8_t v[4];
    CHECK_EQ(dhcp_option(sent, sent_len, DHCP_REQUESTED_IP, -1, v, 4), 4);
    CHECK_EQ(v[3], 88);
    ack(NULL); // of the server that was not asked
    hear(server, 67);
    CHECK_EQ(dhcp_client_result(&c), PENDING);
}

TEST(drops_what_is_not_ours)
{
    start(false);
    next_sent();
    offer("evil");
    packet[4] ^= 1; // transaction
    hear(server, 67);
    packet[4] ^= 1;
    packet[28] ^= 1; // hardware address
    hear(server, 67);
    packet[28] ^= 1;
    hear(server, 1067); // port
    packet[0] = 1; // a request
    hear(server, 67);
    packet[0] = 2;
    for (size_t n = 0; n < 243; n++)
        dhcp_client_input(&c, server, 67, packet, n, now);
    CHECK_EQ(c.state, DHCP_DISCOVERING);
    CHECK(!c.have_offer);
    ack("early"); // nobody asked yet
    hear(server, 67);
    CHECK_EQ(c.state, DHCP_DISCOVERING);
    proxy_answer(DHCP_OFFER, "x");
    packet[240 + 3 + 6 + 2] = 'Q'; // no "PXEClient"
    hear(proxy, 67);
    CHECK_EQ(c.proxy.packet_len, 0);
    // BOOTP servers still exist.
    begin(address, server, 0xcafe);
    builder_zeros(&b, DHCP_PACKET_MIN - b.len);
    hear(server, 67);
    CHECK_EQ(dhcp_client_result(&c), 0);
    CHECK(dhcp_client_bound(&c));
    offer("late");
    hear(server, 67);
    CHECK_STR(c.lease.filename, "");
}

// RFC 3442, RFC 3397: what is asked for.
TEST(asks_for_routes_before_routers)
{
    uint8_t v[256];
    start(true);
    next_sent();
    int n = dhcp_option(sent, sent_len, DHCP_PARAMETERS, -1, v, sizeof v), routes = -1, routers = -1, search = -1;
    for (int i = 0; i < n; i++) {
        routes = v[i] == DHCP_ROUTES ? i : routes;
        routers = v[i] == DHCP_ROUTER ? i : routers;
        search = v[i] == DHCP_DOMAIN_SEARCH ? i : search;
    }
    CHECK(routes >= 0, routes < routers, search >= 0);
}

// A router's DHCP names itself as next server and no file; a proxy names a file and no server (dnsmasq's dhcp-boot).
TEST(a_proxys_file_goes_with_the_proxy)
{
    for (int with_id = 0; with_id < 2; with_id++) {
        start(true);
        next_sent();
        offer(NULL);
        hear(server, 67);
        begin(zero, zero, 0xcafe);
        option_u8(DHCP_MESSAGE_TYPE, DHCP_OFFER);
        if (with_id)
            option(DHCP_SERVER_ID, proxy, 4);
        option_text(DHCP_VENDOR_CLASS, "PXEClient");
        option_text(DHCP_BOOTFILE, "boot.kpxe");
        end();
        hear(proxy, 67);
        next_sent();
        ack(NULL);
        hear(server, 67);
        CHECK_EQ(dhcp_client_result(&c), 0);
        CHECK_STR(c.lease.filename, "boot.kpxe");
        CHECK(memcmp(c.lease.next_server, proxy, 4) == 0);
    }
}

// The DHCP server is the PXE server: option 60 in its own offer, no file, which is on port 4011.
TEST(a_pxe_server_that_gives_the_address_is_asked_on_4011)
{
    for (int offer_only = 0; offer_only < 2; offer_only++) {
        start(true);
        next_sent();
        offer(NULL);
        b.len--;
        option_text(DHCP_VENDOR_CLASS, "PXEClient");
        end();
        hear(server, 67);
        CHECK_EQ(dhcp_client_deadline(&c), 0); // it is the one that would be waited for
        next_sent();
        CHECK_EQ(sent_u8(DHCP_MESSAGE_TYPE), DHCP_REQUEST);
        full_ack(0xcafe);
        if (!offer_only)
            option_text(DHCP_VENDOR_CLASS, "PXEClient");
        end();
        hear(server, 67);
        CHECK_EQ(c.state, DHCP_PROXYING);
        hear(server, 67); // the ACK once more answers nothing
        CHECK_EQ(c.state, DHCP_PROXYING);
        CHECK(next_sent() > 0);
        CHECK_EQ(to.dst_port, 4011);
        CHECK(memcmp(to.dst, server, 4) == 0);
        proxy_answer(DHCP_ACK, "from-4011");
        hear(server, 4011);
        CHECK_EQ(dhcp_client_result(&c), 0);
        CHECK_STR(c.lease.filename, "from-4011");
    }
}

TEST(hears_a_late_proxy)
{
    bound_without_a_file();
    CHECK(dhcp_client_bound(&c));
    CHECK_EQ(dhcp_client_result(&c), PENDING);
    now += 1500000;
    proxy_answer(DHCP_OFFER, "late.0");
    hear(proxy, 67);
    CHECK_EQ(dhcp_client_result(&c), 0);
    CHECK_STR(c.lease.filename, "late.0");
    CHECK(memcmp(c.lease.next_server, proxy, 4) == 0, memcmp(c.lease.ip, address, 4) == 0);
    // One that wants to be asked is asked then.
    bound_without_a_file();
    proxy_answer(DHCP_OFFER, NULL);
    hear(proxy, 67);
    CHECK(next_sent() > 0);
    CHECK_EQ(to.dst_port, 4011);
    proxy_answer(DHCP_ACK, "asked.0");
    hear(proxy, 4011);
    CHECK_STR(c.lease.filename, "asked.0");
    // None comes: the lease is good without, after as long as the caller says.
    bound_without_a_file();
    uint64_t offered = now - DHCP_PROXY_WAIT_US;
    CHECK_EQ(next_sent(), 0);
    CHECK_EQ(dhcp_client_result(&c), 0);
    CHECK_EQ(now, offered + DHCP_PROXY_LATE_US);
    // A second address, or what is no PXE server's, changes nothing.
    bound_without_a_file();
    offer("other");
    hear(proxy, 67);
    proxy_answer(DHCP_OFFER, "x");
    packet[240 + 3 + 6 + 2] = 'Q';
    hear(proxy, 67);
    CHECK_EQ(c.state, DHCP_LISTENING);
}

// Servers that forget to say who they are are known by their address; a refusal by somebody else refuses nothing.
TEST(a_server_without_an_id)
{
    for (int nak = 0; nak < 2; nak++) {
        start(false);
        next_sent();
        begin(address, server, 0xcafe);
        option_u8(DHCP_MESSAGE_TYPE, DHCP_OFFER);
        end();
        hear(server, 67);
        next_sent();
        CHECK_EQ(sent_u8(DHCP_SERVER_ID), 10);
        begin(nak ? zero : address, server, 0xcafe);
        option_u8(DHCP_MESSAGE_TYPE, nak ? DHCP_NAK : DHCP_ACK);
        end();
        hear(proxy, 67);
        CHECK_EQ(c.state, DHCP_REQUESTING);
        hear(server, 67);
        next_sent(); // a NAK is believed when no ACK follows
        CHECK_EQ(c.state, nak ? DHCP_DISCOVERING : DHCP_DONE);
    }
}

// Through a relay: the datagrams come from the relay, the server says who it is, and the relay's option 82 may still be there.
TEST(a_relay_in_between)
{
    static const uint8_t relay[4] = { 10, 0, 0, 254 }, far[4] = { 192, 0, 2, 1 };
    start(false);
    for (uint8_t type = DHCP_OFFER; type <= DHCP_ACK; type = (uint8_t)(type + DHCP_ACK - DHCP_OFFER)) {
        next_sent();
        begin(address, far, 0xcafe);
        memcpy(packet + 24, relay, 4);
        option_u8(DHCP_MESSAGE_TYPE, type);
        option(DHCP_SERVER_ID, far, 4);
        option(82, "\x01\x04port\x02\x03sw1", 11);
        end();
        hear(relay, 67);
    }
    CHECK_EQ(dhcp_client_result(&c), 0);
    CHECK(memcmp(c.lease.server_id, far, 4) == 0, memcmp(c.lease.next_server, far, 4) == 0);
}

TEST_MAIN(T(discover_says_who_we_are), T(offer_request_ack), T(waits_for_a_proxy), T(asks_the_proxy_on_4011),
          T(retries_and_gives_up), T(one_of_three_gives), T(an_offer_behind_the_request_is_kept), T(a_replaced_offer_is_kept),
          T(naks_before_the_ack), T(those_who_refuse_by_turns_hold_nobody), T(better_offer_wins), T(drops_what_is_not_ours),
          T(asks_for_routes_before_routers),
          T(a_proxys_file_goes_with_the_proxy), T(a_pxe_server_that_gives_the_address_is_asked_on_4011), T(hears_a_late_proxy),
          T(a_server_without_an_id), T(a_relay_in_between))
