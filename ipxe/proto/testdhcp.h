// SPDX-License-Identifier: MPL-2.0
// For tests: DHCP packets as servers send them.
#pragma once
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
static UNUSED void option_text(uint8_t code, const char *text)
{
    option(code, text, strlen(text));
}
static void end(void)
{
    builder_u8(&b, DHCP_END);
}

static struct dhcp_lease lease;

static UNUSED void full_ack(uint32_t xid)
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
