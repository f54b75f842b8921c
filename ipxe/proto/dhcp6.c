// SPDX-License-Identifier: MPL-2.0
// See dhcp6.h.
#include "proto/dhcp6.h"

#include "base/cursor.h"

#define IA_NA_FIXED 12 // IAID, T1, T2

// Reads the next option. False at the end, and (with a bad cursor) where one is cut off.
static bool next_option(struct cursor *c, uint16_t *ret_code, struct cursor *ret_data)
{
    if (c->len == 0)
        return false;
    *ret_code = cursor_u16_be(c);
    size_t len = cursor_u16_be(c);
    const uint8_t *data = cursor_bytes(c, len);
    if (!data || *ret_code == DHCP6_END)
        return false;
    *ret_data = cursor_make(data, len);
    return true;
}

static bool read_addresses(struct cursor ia, struct dhcp6_lease *lease)
{
    struct cursor data;
    uint16_t code;
    (void)cursor_bytes(&ia, IA_NA_FIXED);
    while (next_option(&ia, &code, &data)) {
        if (code != DHCP6_IA_ADDRESS || lease->has_ip)
            continue;
        const uint8_t *ip = cursor_bytes(&data, 16);
        (void)cursor_u32_be(&data); // preferred lifetime
        uint32_t valid_s = cursor_u32_be(&data);
        if (!cursor_ok(&data))
            return false;
        lease->has_ip = valid_s != 0;
        if (lease->has_ip)
            memcpy(lease->ip, ip, 16);
    }
    return cursor_ok(&ia);
}

static bool read_servers(struct cursor data, struct dhcp6_lease *lease)
{
    if (data.len % 16)
        return false;
    for (lease->dns_count = 0; data.len > 0 && lease->dns_count < DHCP6_DNS_MAX; lease->dns_count++)
        memcpy(lease->dns[lease->dns_count], cursor_bytes(&data, 16), 16);
    return true;
}

static void read_url(struct cursor data, char url[DHCP6_BOOT_URL_MAX])
{
    if (data.len >= DHCP6_BOOT_URL_MAX)
        return;
    while (data.len && data.data[data.len - 1] == 0)
        data.len--;
    for (size_t i = 0; i < data.len; i++)
        if (data.data[i] <= ' ' || data.data[i] > '~')
            return;
    memcpy(url, data.data, data.len);
    url[data.len] = '\0';
}

// RFC 5970 section 3.2: a length of two bytes, a text, and so on.
static void read_parameters(struct cursor data, char text[DHCP_NAME_MAX])
{
    size_t used = 0;
    while (data.len) {
        size_t len = cursor_u16_be(&data);
        const uint8_t *from = cursor_bytes(&data, len);
        if (!from || len + 1 >= DHCP_NAME_MAX - used)
            break;
        if (used)
            text[used++] = ' ';
        dhcp_text(text + used, len + 1, from, len);
        used += strlen(text + used);
    }
}

int dhcp6_lease_read(const uint8_t *packet, size_t len, struct dhcp6_lease *ret)
{
    struct dhcp6_lease lease = { 0 };
    struct cursor c = cursor_make(packet, len), data;
    uint16_t code;
    uint8_t type = cursor_u8(&c);
    bool good = (type == DHCP6_REPLY || type == DHCP6_ADVERTISE) && cursor_bytes(&c, 3); // the transaction
    while (good && next_option(&c, &code, &data)) {
        if (data.len == 0)
            continue;
        if (code == DHCP6_IA_NA)
            good = read_addresses(data, &lease);
        else if (code == DHCP6_DNS)
            good = read_servers(data, &lease);
        else if (code == DHCP6_SEARCH)
            (void)dhcp_search_read(data.data, data.len, lease.search, sizeof lease.search);
        else if (code == DHCP6_BOOT_URL)
            read_url(data, lease.boot_url);
        else if (code == DHCP6_BOOT_PARAMETERS)
            read_parameters(data, lease.boot_parameters);
    }
    if (!good || !cursor_ok(&c))
        return ERR_DHCP_MALFORMED;
    *ret = lease;
    return 0;
}
