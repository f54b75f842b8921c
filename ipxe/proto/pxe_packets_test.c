// SPDX-License-Identifier: MPL-2.0
// Answers for a network bootstrap program: made of a lease as a server sends it, and read again.
#include "proto/pxe_packets.h"
#include "proto/testdhcp.h"

static uint8_t answer[PXE_PACKET_MAX], discover[DHCP_PACKET_MAX], option_bytes[DHCP_OPTION_MAX];
static const struct pxe_origin origin = { { 10, 0, 0, 9 }, "dir/pxelinux.0" };

// The options of `packet`.
static bool of_packet(void *ctx, uint8_t code, const uint8_t **ret, size_t *ret_len)
{
    int len = dhcp_option(packet, b.len, code, -1, option_bytes, sizeof option_bytes);
    *ret = option_bytes;
    *ret_len = (size_t)MAX(len, 0);
    return len > 0;
}

static bool none(void *ctx, uint8_t code, const uint8_t **ret, size_t *ret_len)
{
    return false;
}

static size_t build(pxe_option *option)
{
    static struct dhcp_client c;
    struct dhcp_config config = { .xid = 0x01020304 };
    memcpy(config.mac, mac, 6);
    dhcp_client_init(&c, &config, 0);
    if (dhcp_build(&c, discover, sizeof discover, 0) < DHCP_FIXED_SIZE)
        abort();
    memset(answer, 0xaa, sizeof answer);
    return pxe_answer_build(&origin, address, discover, option, NULL, answer);
}

static void read_back(size_t len)
{
    CHECK(len > DHCP_FIXED_SIZE, len <= PXE_PACKET_MAX);
    CHECK_EQ(answer[len - 1], DHCP_END);
    for (size_t i = len; i < PXE_PACKET_MAX; i++)
        CHECK_EQ(answer[i], 0);
    CHECK_EQ(dhcp_lease_read(answer, len, &lease), 0);
    CHECK_EQ(lease.type, DHCP_ACK);
    CHECK(dhcp_lease_is_complete(&lease));
    CHECK(memcmp(lease.ip, address, 4) == 0, memcmp(lease.next_server, origin.server, 4) == 0);
    CHECK_STR(lease.filename, origin.file);
    CHECK_EQ(answer[0], 2);
    CHECK(memcmp(answer + 4, "\1\2\3\4", 4) == 0, memcmp(answer + 28, mac, 6) == 0);
}

TEST(a_lease_with_the_programs_own_server)
{
    full_ack(1);
    memcpy(packet + 44, "boot.example", 13);
    option_text(DHCP_BOOTFILE, "undionly.kpxe");
    option_text(DHCP_TFTP_SERVER_NAME, "10.0.0.1");
    option_text(209, "pxelinux.cfg/rack7");
    end();
    size_t len = build(of_packet);
    read_back(len);
    CHECK(memcmp(lease.mask, "\xff\xff\xff", 4) == 0, memcmp(lease.server_id, server, 4) == 0, memcmp(lease.gateway, "\x0a\x00\x00\xfe", 4) == 0);
    CHECK_EQ(lease.dns_count, 3);
    CHECK_EQ(lease.lease_s, 3600);
    CHECK_STR(lease.hostname, "node17");
    CHECK_STR(lease.domain, "rack.example");
    CHECK_STR(lease.tftp_server_name, "");
    CHECK_EQ(dhcp_option(answer, len, 209, -1, option_bytes, sizeof option_bytes), 18);
    CHECK(memcmp(option_bytes, "pxelinux.cfg/rack7", 18) == 0);
    CHECK_EQ(dhcp_option(answer, len, DHCP_BOOTFILE, -1, option_bytes, sizeof option_bytes), ERR_NOT_FOUND);
}

TEST(an_address_that_nobody_gave)
{
    size_t len = build(none);
    read_back(len);
    CHECK_EQ(len, 240 + 3 + 1);
    CHECK(memcmp(lease.gateway, zero, 4) == 0, lease.lease_s == 0);
}

TEST(options_in_fields)
{
    full_ack(1);
    option_u8(DHCP_OVERLOAD, 3);
    end();
    memcpy(packet + 108, "\xd1\x02hi\xff", 5);
    memcpy(packet + 44, "\xd2\x03\x61\x62\x63\xff", 6);
    size_t len = build(of_packet);
    read_back(len);
    CHECK_EQ(dhcp_option(answer, len, 209, -1, option_bytes, sizeof option_bytes), 2);
    CHECK_EQ(dhcp_option(answer, len, 210, -1, option_bytes, sizeof option_bytes), 3);
    CHECK_EQ(dhcp_option(answer, len, DHCP_OVERLOAD, -1, option_bytes, sizeof option_bytes), ERR_NOT_FOUND);
}

// Options 128 to 253 are as long as this, the last one is short.
static size_t most;
static bool too_much(void *ctx, uint8_t code, const uint8_t **ret, size_t *ret_len)
{
    static const uint8_t bytes[300] = { 1 };
    *ret = bytes;
    *ret_len = code == 254 ? 1 : most;
    return code >= 128;
}

TEST(what_has_no_room_is_left_out_whole)
{
    for (most = 1; most <= 300; most++) {
        size_t len = build(too_much), pos = 0, n, count = 0;
        uint8_t code;
        const uint8_t *data;
        read_back(len);
        while (dhcp_option_next(answer, len, &pos, &code, &data, &n)) {
            CHECK_EQ(n, code >= 128 && code < 254 ? most : 1);
            count += code >= 128 && code < 254;
        }
        CHECK_EQ(count, most > 255 ? 0 : MIN((size_t)126, (PXE_PACKET_MAX - 240 - 3 - 1) / (most + 2)));
    }
}

TEST_MAIN(T(a_lease_with_the_programs_own_server), T(an_address_that_nobody_gave), T(options_in_fields),
          T(what_has_no_room_is_left_out_whole))
