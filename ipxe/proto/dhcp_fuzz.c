// SPDX-License-Identifier: MPL-2.0
// Any bytes as DHCP packets (each in front of its length, two bytes) to the reader, to a client that asked, and as what a network bootstrap
// program is to be told. Its
// transaction and hardware address are put in, so that they are not what a mutation must guess.
#include "base/cursor.h"
#include "base/fuzz.h"
#include "proto/dhcp.h"
#include "proto/pxe_packets.h"

#include <stdlib.h>

#define XID 0x01020304u

// The values with a form of their own, from an allocation of their size.
static void read_value(const uint8_t *bytes, size_t len)
{
    struct dhcp_route routes[DHCP_ROUTES_MAX];
    uint8_t everywhere[4];
    char text[32];
    int n = dhcp_routes_read(bytes, len, routes, everywhere);
    for (int i = 0; i < n; i++)
        if (routes[i].prefix == 0 || routes[i].prefix > 32)
            __builtin_trap();
    n = dhcp_search_read(bytes, len, text, sizeof text);
    if (strlen(text) != (size_t)MAX(n, 0))
        __builtin_trap();
    for (const char *c = text; *c; c++)
        if (*c < ' ' || *c > '~')
            __builtin_trap();
}

// A menu's items are as many as there are bytes for; each has a bounded number of servers, and answers are judged.
static void read_menu(const struct dhcp_lease *from)
{
    static const uint8_t at[4] = { 10, 0, 0, 1 };
    struct dhcp_menu_item item;
    char text[DHCP_MENU_TEXT_MAX];
    uint8_t ip[4];
    (void)dhcp_menu_prompt(from, text);
    if (strlen(text) >= sizeof text)
        __builtin_trap();
    unsigned count = 0;
    for (; count < 32 && dhcp_menu_item(from, count, &item); count++) {
        unsigned peers = 0;
        while (dhcp_menu_peer(from, item.type, count & 1, peers, ip))
            if (++peers > UINT8_MAX + 2)
                __builtin_trap();
        if (dhcp_menu_accepts(from, item.type, from, at) && !from->filename[0])
            __builtin_trap();
    }
    if (dhcp_menu_is_there(from) && !count)
        __builtin_trap();
}

static bool of_lease(void *ctx, uint8_t code, const uint8_t **ret, size_t *ret_len)
{
    static uint8_t value[DHCP_OPTION_MAX];
    const struct dhcp_lease *lease = ctx;
    int len = dhcp_option(lease->packet, lease->packet_len, code, -1, value, sizeof value);
    *ret = value;
    *ret_len = (size_t)MAX(len, 0);
    return len > 0;
}

// What a program is told is a lease, and of its options each one is as it came.
static void tell_program(struct dhcp_lease *lease)
{
    static const uint8_t discover[DHCP_FIXED_SIZE + 4] = { 1, 1, 6, [DHCP_FIXED_SIZE] = 0x63, 0x82, 0x53, 0x63 };
    static struct dhcp_lease told;
    static const struct pxe_origin origin = { { 10, 0, 0, 1 }, "f" };
    uint8_t buf[PXE_PACKET_MAX], value[DHCP_OPTION_MAX];
    size_t len = pxe_answer_build(&origin, lease->ip, discover, of_lease, lease, buf), pos = 0, n;
    if (len > sizeof buf || dhcp_lease_read(buf, len, &told) != 0 || told.type != DHCP_ACK || strcmp(told.filename, "f") != 0)
        __builtin_trap();
    uint8_t code;
    const uint8_t *data, *came;
    while (dhcp_option_next(buf, len, &pos, &code, &data, &n)) {
        int got = dhcp_option(buf, len, code, -1, value, sizeof value);
        size_t size;
        if (code != DHCP_MESSAGE_TYPE && (!of_lease(lease, code, &came, &size) || got != (int)size || memcmp(value, came, size) != 0))
            __builtin_trap();
    }
}

static void read_packet(const uint8_t *packet, size_t len)
{
    static struct dhcp_lease lease, other;
    uint8_t buf[64];
    size_t pos = 0, n, count = 0;
    uint8_t code;
    const uint8_t *data;
    while (dhcp_option_next(packet, len, &pos, &code, &data, &n)) {
        if (data < packet || data + n > packet + len || ++count > len)
            __builtin_trap();
        (void)dhcp_option(packet, len, code, count & 1 ? (int)(count & 0xff) : -1, buf, sizeof buf);
    }
    uint8_t whole[DHCP_OPTION_MAX];
    for (int option = DHCP_DOMAIN_SEARCH; option <= DHCP_ROUTES; option += DHCP_ROUTES - DHCP_DOMAIN_SEARCH) {
        int got = dhcp_option(packet, len, option, -1, whole, sizeof whole);
        uint8_t *exact = got > 0 ? malloc((size_t)got) : NULL;
        if (exact) {
            memcpy(exact, whole, (size_t)got);
            read_value(exact, (size_t)got);
            free(exact);
        }
    }
    if (dhcp_lease_read(packet, len, &lease) != 0)
        return;
    read_menu(&lease);
    tell_program(&lease);
    if (strlen(lease.filename) >= sizeof lease.filename || strlen(lease.hostname) >= sizeof lease.hostname ||
        lease.dns_count > DHCP_DNS_MAX)
        __builtin_trap();
    other = lease;
    dhcp_lease_add_boot(&other, &lease);
    (void)dhcp_lease_is_complete(&lease);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct dhcp_client c;
    static uint8_t packet[DHCP_PACKET_MAX + 8], out[DHCP_PACKET_MAX];
    static const uint8_t from[4] = { 10, 0, 0, 1 };
    struct dhcp_config config = { .mac = { 2, 0, 0, 0, 0, 1 }, .xid = XID, .want_proxy = true };
    struct dhcp_datagram to;
    struct dhcp_menu_item item;
    uint64_t now = 1;
    struct cursor cur = cursor_make(data, size);
    dhcp_client_init(&c, &config, now);
    for (int turn = 0; turn < 64; turn++) {
        (void)dhcp_client_output(&c, out, sizeof out, &to, now);
        size_t len = cursor_u16_be(&cur) % sizeof packet;
        len = MIN(len, cur.len);
        const uint8_t *bytes = cursor_bytes(&cur, len);
        if (!bytes)
            break;
        memcpy(packet, bytes, len);
        if (len >= 34) {
            store32_be(packet + 4, XID);
            memcpy(packet + 28, config.mac, 6);
        }
        read_packet(packet, len);
        dhcp_client_input(&c, from, turn & 4 ? DHCP_PROXY_PORT : DHCP_SERVER_PORT, packet, len, now);
        if (dhcp_client_result(&c) == 0 && !dhcp_client_bound(&c))
            __builtin_trap();
        if (dhcp_client_menu(&c) && dhcp_menu_item(dhcp_client_menu(&c), turn & 1, &item))
            dhcp_client_choose(&c, item.type, now);
        now += 300000;
    }
    // Whatever was heard, it ends, once nobody looks at a menu any more.
    if (dhcp_client_menu(&c))
        dhcp_client_settle(&c);
    for (int turn = 0; dhcp_client_deadline(&c) != UINT64_MAX; turn++) {
        if (turn > 200)
            __builtin_trap();
        now = MAX(now, dhcp_client_deadline(&c));
        (void)dhcp_client_output(&c, out, sizeof out, &to, now);
    }
    return 0;
}
