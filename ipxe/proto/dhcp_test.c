// SPDX-License-Identifier: MPL-2.0
// DHCP: packets as servers send them, and the client machine against servers that are there, late, odd or hostile.
#include "base/cursor.h"
#include "base/test.h"
#include "proto/dhcp.h"

static const uint8_t mac[6] = { 0x52, 0x54, 0, 0x12, 0x34, 0x56 };
static const uint8_t server[4] = { 10, 0, 0, 1 }, address[4] = { 10, 0, 0, 77 }, proxy[4] = { 10, 0, 0, 2 };
static const uint8_t zero[4];

// --- a packet under construction ---

static uint8_t packet[2000];
static struct builder b;

static void begin(const uint8_t yiaddr[4], const uint8_t siaddr[4], uint32_t xid)
{
    memset(packet, 0, sizeof packet);
    b = builder_make(packet, sizeof packet);
    builder_u8(&b, 2);
    builder_u8(&b, 1);
    builder_u8(&b, 6);
    builder_u8(&b, 0);
    builder_u32_be(&b, xid);
    builder_zeros(&b, 8);
    builder_bytes(&b, yiaddr, 4);
    builder_bytes(&b, siaddr, 4);
    builder_zeros(&b, 4);
    builder_bytes(&b, mac, 6);
    builder_zeros(&b, 10 + 64 + 128);
    builder_u32_be(&b, 0x63825363);
}
static void option(uint8_t code, const void *data, size_t len)
{
    builder_u8(&b, code);
    builder_u8(&b, (uint8_t)len);
    builder_bytes(&b, data, len);
}
static void option_u8(uint8_t code, uint8_t v)
{
    option(code, &v, 1);
}
static void option_text(uint8_t code, const char *text)
{
    option(code, text, strlen(text));
}
static void end(void)
{
    builder_u8(&b, DHCP_END);
}

static struct dhcp_lease lease;

static void full_ack(uint32_t xid)
{
    begin(address, server, xid);
    option_u8(DHCP_MESSAGE_TYPE, DHCP_ACK);
    option(DHCP_SERVER_ID, server, 4);
    option(DHCP_SUBNET_MASK, "\xff\xff\xff\x00", 4);
    option(DHCP_ROUTER, "\x0a\x00\x00\xfe\x0a\x00\x00\xfd", 8);
    option(DHCP_DNS, "\x01\x01\x01\x01\x02\x02\x02\x02\x03\x03\x03\x03\x04\x04\x04\x04", 16);
    option(DHCP_LEASE_TIME, "\x00\x00\x0e\x10", 4);
    option(DHCP_MTU, "\x05\xdc", 2);
    option_text(DHCP_HOSTNAME, "node17");
    option_text(DHCP_DOMAIN, "rack.example");
    option_text(DHCP_ROOT_PATH, "nbd:10.0.0.1");
}

TEST(reads_a_lease)
{
    full_ack(1);
    option_text(DHCP_BOOTFILE, "http://10.0.0.1/boot.ipxe");
    option(DHCP_IPXE, "\xb0\x01\x01\x06\x02\xab\xcd", 7);
    end();
    CHECK_EQ(dhcp_lease_read(packet, b.len, &lease), 0);
    CHECK(memcmp(lease.ip, address, 4) == 0 && memcmp(lease.mask, "\xff\xff\xff\x00", 4) == 0);
    CHECK(memcmp(lease.gateway, "\x0a\x00\x00\xfe", 4) == 0 && memcmp(lease.next_server, server, 4) == 0);
    CHECK_EQ(lease.dns_count, 3);
    CHECK_EQ(lease.dns[2][0], 3);
    CHECK_EQ(lease.lease_s, 3600);
    CHECK_EQ(lease.mtu, 1500);
    CHECK_EQ(lease.type, DHCP_ACK);
    CHECK_STR(lease.hostname, "node17");
    CHECK_STR(lease.domain, "rack.example");
    CHECK_STR(lease.root_path, "nbd:10.0.0.1");
    CHECK_STR(lease.filename, "http://10.0.0.1/boot.ipxe");
    CHECK(lease.no_pxedhcp && !lease.pxe);
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

// --- the client ---

static struct dhcp_client c;
static uint8_t sent[DHCP_PACKET_MAX];
static size_t sent_len;
static struct dhcp_datagram to;
static uint64_t now;

static void start(bool want_proxy)
{
    struct dhcp_config config = { .arch = 0, .has_uuid = true, .xid = 0xcafe, .jitter = 0x12345, .want_proxy = want_proxy };
    memcpy(config.mac, mac, 6);
    memset(config.uuid, 0x5a, 16);
    config.features[0] = DHCP_FEATURE_HTTP;
    config.features[1] = DHCP_FEATURE_TFTP;
    config.feature_count = 2;
    now = 5000000;
    dhcp_client_init(&c, &config, now);
}

// Lets time pass to the next datagram; 0 when it has ended without.
static size_t next_sent(void)
{
    for (int i = 0; i < 10; i++) {
        uint64_t deadline = dhcp_client_deadline(&c);
        if (deadline == UINT64_MAX)
            return sent_len = 0;
        now = MAX(now, deadline);
        sent_len = dhcp_client_output(&c, sent, sizeof sent, &to, now);
        if (sent_len)
            return sent_len;
    }
    return 0;
}

static uint8_t sent_u8(int code)
{
    uint8_t v[256];
    return dhcp_option(sent, sent_len, code, -1, v, sizeof v) >= 1 ? v[0] : 0;
}

static void hear(const uint8_t from[4], uint16_t port)
{
    dhcp_client_input(&c, from, port, packet, b.len, now);
}

static void offer(const char *filename)
{
    begin(address, server, 0xcafe);
    option_u8(DHCP_MESSAGE_TYPE, DHCP_OFFER);
    option(DHCP_SERVER_ID, server, 4);
    if (filename)
        option_text(DHCP_BOOTFILE, filename);
    end();
}

static void proxy_answer(uint8_t type, const char *filename)
{
    begin(zero, proxy, 0xcafe);
    option_u8(DHCP_MESSAGE_TYPE, type);
    option(DHCP_SERVER_ID, proxy, 4);
    option_text(DHCP_VENDOR_CLASS, "PXEClient");
    if (filename)
        option_text(DHCP_BOOTFILE, filename);
    end();
}

static void ack(const char *filename)
{
    full_ack(0xcafe);
    if (filename)
        option_text(DHCP_BOOTFILE, filename);
    end();
}

TEST(discover_says_who_we_are)
{
    start(true);
    CHECK_EQ(dhcp_client_deadline(&c), 0);
    CHECK(next_sent() >= DHCP_PACKET_MIN);
    CHECK_EQ(load32_be(to.dst), 0xffffffff);
    CHECK_EQ(load32_be(to.src), 0);
    CHECK(to.dst_port == 67 && to.src_port == 68);
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
    CHECK(v[0] == 0 && v[1] == 0x5a);
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
    CHECK_EQ(dhcp_client_result(&c), 1);
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
    CHECK_EQ(dhcp_client_result(&c), 1);
    CHECK(next_sent() > 0);
    CHECK_EQ(to.dst_port, 4011);
    CHECK(memcmp(to.dst, proxy, 4) == 0 && memcmp(to.src, address, 4) == 0);
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
    CHECK(now - begun >= 15000000 && now - begun < 16000000);
    // A server that offers and then dies.
    start(false);
    next_sent();
    offer(NULL);
    hear(server, 67);
    for (count = 0; next_sent(); count++)
        CHECK_EQ(sent_u8(DHCP_MESSAGE_TYPE), DHCP_REQUEST);
    CHECK_EQ(count, DHCP_ATTEMPTS);
    CHECK_EQ(dhcp_client_result(&c), ERR_DHCP_NO_OFFER);
    // Refused twice.
    start(false);
    for (int i = 0; i < 2; i++) {
        next_sent();
        CHECK_EQ(sent_u8(DHCP_MESSAGE_TYPE), DHCP_DISCOVER);
        offer(NULL);
        hear(server, 67);
        next_sent();
        begin(zero, zero, 0xcafe);
        option_u8(DHCP_MESSAGE_TYPE, DHCP_NAK);
        option(DHCP_SERVER_ID, server, 4);
        end();
        hear(server, 67);
    }
    CHECK_EQ(dhcp_client_result(&c), ERR_DHCP_NO_OFFER);
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
    CHECK_EQ(dhcp_client_result(&c), 1);
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

TEST_MAIN(T(reads_a_lease), T(file_and_sname_fields), T(overload_and_long_options), T(mask_of_the_class),
          T(what_the_rom_kept), T(adding_a_boot_reply), T(discover_says_who_we_are), T(offer_request_ack),
          T(waits_for_a_proxy), T(asks_the_proxy_on_4011), T(retries_and_gives_up), T(better_offer_wins),
          T(drops_what_is_not_ours))
