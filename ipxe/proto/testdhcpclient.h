// SPDX-License-Identifier: MPL-2.0
// For tests: a DHCP client on virtual time, and what servers say to it.
#pragma once
#include "proto/testdhcp.h"

static struct dhcp_client c;
static uint8_t sent[DHCP_PACKET_MAX];
static size_t sent_len;
static struct dhcp_datagram to;
static uint64_t now;

static UNUSED void start(bool want_proxy)
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
static UNUSED size_t next_sent(void)
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

static UNUSED uint8_t sent_u8(int code)
{
    uint8_t v[256];
    return dhcp_option(sent, sent_len, code, -1, v, sizeof v) >= 1 ? v[0] : 0;
}

static UNUSED void hear(const uint8_t from[4], uint16_t port)
{
    dhcp_client_input(&c, from, port, packet, b.len, now);
}

static UNUSED void offer(const char *filename)
{
    begin(address, server, 0xcafe);
    option_u8(DHCP_MESSAGE_TYPE, DHCP_OFFER);
    option(DHCP_SERVER_ID, server, 4);
    if (filename)
        option_text(DHCP_BOOTFILE, filename);
    end();
}

static UNUSED void proxy_answer(uint8_t type, const char *filename)
{
    begin(zero, proxy, 0xcafe);
    option_u8(DHCP_MESSAGE_TYPE, type);
    option(DHCP_SERVER_ID, proxy, 4);
    option_text(DHCP_VENDOR_CLASS, "PXEClient");
    if (filename)
        option_text(DHCP_BOOTFILE, filename);
    end();
}

static UNUSED void ack(const char *filename)
{
    full_ack(0xcafe);
    if (filename)
        option_text(DHCP_BOOTFILE, filename);
    end();
}

static UNUSED void bound_without_a_file(void)
{
    start(true);
    next_sent();
    offer(NULL);
    hear(server, 67);
    next_sent();
    ack(NULL);
    hear(server, 67);
}
