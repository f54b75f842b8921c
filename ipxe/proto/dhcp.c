// SPDX-License-Identifier: MPL-2.0
// Reading DHCP packets (dhcp.h). The client machine is in dhcp_client.c.
#include "proto/dhcp.h"

#include "base/addr.h"
#include "base/cursor.h"
#include "base/range.h"

// Offsets of the BOOTP fields (RFC 2131 figure 1).
enum bootp {
    BOOTP_OP = 0,
    BOOTP_YIADDR = 16,
    BOOTP_SIADDR = 20,
    BOOTP_SNAME = 44,
    BOOTP_FILE = 108,
    BOOTP_MAGIC = 236,
    BOOTP_OPTIONS = 240,
};
#define MAGIC 0x63825363u
#define OP_REPLY 2
#define OVERLOAD_FILE 1
#define OVERLOAD_SNAME 2

// The areas that hold options, in the order in which they are read (RFC 2131 4.1).
enum area { AREA_OPTIONS, AREA_FILE, AREA_SNAME, AREAS };

static void area_bounds(size_t len, enum area area, size_t *start, size_t *end)
{
    *start = area == AREA_OPTIONS ? BOOTP_OPTIONS : area == AREA_FILE ? BOOTP_FILE : BOOTP_SNAME;
    *end = area == AREA_OPTIONS ? len : area == AREA_FILE ? BOOTP_MAGIC : BOOTP_FILE;
}

// Reads the option at *at, below `end`. False at the end of the area or where an option is cut off.
static bool next_in_area(const uint8_t *packet, size_t *at, size_t end, uint8_t *ret_code, const uint8_t **ret_data,
                         size_t *ret_len)
{
    while (*at < end && packet[*at] == DHCP_PAD)
        (*at)++;
    if (*at >= end || packet[*at] == DHCP_END || end - *at < 2)
        return false;
    size_t len = packet[*at + 1];
    if (!range_fits(*at + 2, len, end))
        return false;
    *ret_code = packet[*at];
    *ret_data = packet + *at + 2;
    *ret_len = len;
    *at += 2 + len;
    return true;
}

static bool has_options(const uint8_t *packet, size_t len)
{
    return len >= BOOTP_OPTIONS && load32_be(packet + BOOTP_MAGIC) == MAGIC;
}

// Option 52, from the option field alone.
static unsigned overload(const uint8_t *packet, size_t len)
{
    size_t at = BOOTP_OPTIONS, n;
    uint8_t code;
    const uint8_t *data;
    while (next_in_area(packet, &at, len, &code, &data, &n))
        if (code == DHCP_OVERLOAD && n >= 1)
            return data[0];
    return 0;
}

bool dhcp_option_next(const uint8_t *packet, size_t len, size_t *pos, uint8_t *ret_code, const uint8_t **ret_data,
                      size_t *ret_len)
{
    if (!has_options(packet, len))
        return false;
    // The position is the area and, from 1 on, the offset in the packet.
    size_t area = *pos >> 16, at = *pos & 0xffff, start, end;
    unsigned extra = overload(packet, len);
    for (; area < AREAS; area++, at = 0) {
        bool used = area == AREA_OPTIONS || (area == AREA_FILE && (extra & OVERLOAD_FILE)) ||
                    (area == AREA_SNAME && (extra & OVERLOAD_SNAME));
        if (!used)
            continue;
        area_bounds(MIN(len, (size_t)0xffff), (enum area)area, &start, &end);
        if (at == 0)
            at = start;
        if (next_in_area(packet, &at, end, ret_code, ret_data, ret_len)) {
            *pos = area << 16 | at;
            return true;
        }
    }
    *pos = (size_t)AREAS << 16;
    return false;
}

// Joins the pieces of one option.
static int join_option(const uint8_t *packet, size_t len, int code, uint8_t *buf, size_t cap)
{
    size_t pos = 0, n, used = 0;
    uint8_t found;
    const uint8_t *data;
    while (dhcp_option_next(packet, len, &pos, &found, &data, &n)) {
        if (found != code)
            continue;
        if (n > cap - used)
            return ERR_TOO_LARGE;
        memcpy(buf + used, data, n);
        used += n;
    }
    return used ? (int)used : ERR_NOT_FOUND;
}

int dhcp_option(const uint8_t *packet, size_t len, int code, int sub, uint8_t *buf, size_t cap)
{
    if (len < DHCP_FIXED_SIZE)
        return ERR_DHCP_MALFORMED;
    if (sub < 0)
        return join_option(packet, len, code, buf, cap);
    uint8_t whole[DHCP_OPTION_MAX];
    int whole_len = join_option(packet, len, code, whole, sizeof whole);
    if (whole_len < 0)
        return whole_len;
    size_t at = 0, n;
    uint8_t found;
    const uint8_t *data;
    while (next_in_area(whole, &at, (size_t)whole_len, &found, &data, &n)) {
        if (found != sub || n == 0)
            continue;
        if (n > cap)
            return ERR_TOO_LARGE;
        memcpy(buf, data, n);
        return (int)n;
    }
    return ERR_NOT_FOUND;
}

// --- leases ---

void dhcp_text(char *to, size_t cap, const uint8_t *from, size_t len)
{
    size_t n = 0;
    while (n < len && n + 1 < cap && from[n] >= 0x20 && from[n] != 0x7f) {
        to[n] = (char)from[n];
        n++;
    }
    to[n] = 0;
}

static void read_text(const uint8_t *packet, size_t len, int code, char *to, size_t cap)
{
    uint8_t buf[DHCP_OPTION_MAX];
    int n = dhcp_option(packet, len, code, -1, buf, sizeof buf);
    if (n > 0)
        dhcp_text(to, cap, buf, (size_t)n);
}

static bool read_fixed(const uint8_t *packet, size_t len, int code, int sub, uint8_t *to, size_t size)
{
    uint8_t buf[DHCP_OPTION_MAX];
    int n = dhcp_option(packet, len, code, sub, buf, sizeof buf);
    if (n < (int)size)
        return false;
    memcpy(to, buf, size);
    return true;
}

void dhcp_class_mask(const uint8_t ip[4], uint8_t mask[4])
{
    store32_be(mask, ip[0] < 128 ? 0xff000000u : ip[0] < 192 ? 0xffff0000u : 0xffffff00u);
}

static void read_names(const uint8_t *packet, size_t len, struct dhcp_lease *lease)
{
    unsigned extra = has_options(packet, len) ? overload(packet, len) : 0;
    if (!(extra & OVERLOAD_FILE))
        dhcp_text(lease->filename, sizeof lease->filename, packet + BOOTP_FILE, BOOTP_MAGIC - BOOTP_FILE);
    if (!(extra & OVERLOAD_SNAME))
        dhcp_text(lease->tftp_server_name, sizeof lease->tftp_server_name, packet + BOOTP_SNAME,
                  BOOTP_FILE - BOOTP_SNAME);
    read_text(packet, len, DHCP_BOOTFILE, lease->filename, sizeof lease->filename);
    read_text(packet, len, DHCP_TFTP_SERVER_NAME, lease->tftp_server_name, sizeof lease->tftp_server_name);
    read_text(packet, len, DHCP_HOSTNAME, lease->hostname, sizeof lease->hostname);
    read_text(packet, len, DHCP_DOMAIN, lease->domain, sizeof lease->domain);
    read_text(packet, len, DHCP_ROOT_PATH, lease->root_path, sizeof lease->root_path);
    uint8_t buf[DHCP_OPTION_MAX];
    int n = dhcp_option(packet, len, DHCP_DOMAIN_SEARCH, -1, buf, sizeof buf);
    if (n > 0)
        (void)dhcp_search_read(buf, (size_t)n, lease->search, sizeof lease->search);
}

// RFC 3442: where the server says routes, its routers are not to be used.
static void read_gateway(const uint8_t *packet, size_t len, struct dhcp_lease *lease)
{
    struct dhcp_route routes[DHCP_ROUTES_MAX];
    uint8_t buf[DHCP_OPTION_MAX];
    int n = dhcp_option(packet, len, DHCP_ROUTES, -1, buf, sizeof buf);
    if (n < 0 || dhcp_routes_read(buf, (size_t)n, routes, lease->gateway) < 0)
        read_fixed(packet, len, DHCP_ROUTER, -1, lease->gateway, 4);
}

static void read_dns(const uint8_t *packet, size_t len, struct dhcp_lease *lease)
{
    uint8_t buf[DHCP_OPTION_MAX];
    int n = dhcp_option(packet, len, DHCP_DNS, -1, buf, sizeof buf);
    for (; lease->dns_count < DHCP_DNS_MAX && n >= (int)(lease->dns_count + 1) * 4; lease->dns_count++)
        memcpy(lease->dns[lease->dns_count], buf + lease->dns_count * 4, 4);
}

// An address that a machine may have; zeros, that no address is given, are for others to judge.
static bool is_host(const uint8_t ip[4])
{
    uint32_t all = load32_be(ip);
    bool multicast = (ip[0] & 0xf0) == 224, here = ip[0] == 0 || ip[0] == 127; // RFC 1122, 3.2.1.3
    return all == 0 || (!multicast && !here && all != UINT32_MAX);
}

// Ones, then zeros, and not zeros alone: that were the whole world on this link.
static bool is_mask(const uint8_t mask[4])
{
    uint32_t host_part = ~load32_be(mask);
    return host_part != UINT32_MAX && (host_part & (host_part + 1)) == 0;
}

int dhcp_lease_read(const uint8_t *packet, size_t len, struct dhcp_lease *ret)
{
    len = MIN(len, (size_t)DHCP_PACKET_MAX);
    if (len < DHCP_FIXED_SIZE || packet[BOOTP_OP] != OP_REPLY || !is_host(packet + BOOTP_YIADDR))
        return ERR_DHCP_MALFORMED;
    uint8_t word[4] = { 0 };
    char vendor[16] = "";
    memset(ret, 0, sizeof *ret);
    memcpy(ret->packet, packet, len);
    ret->packet_len = (uint16_t)len;
    memcpy(ret->ip, packet + BOOTP_YIADDR, 4);
    memcpy(ret->next_server, packet + BOOTP_SIADDR, 4);
    bool mask = read_fixed(packet, len, DHCP_SUBNET_MASK, -1, ret->mask, 4) && is_mask(ret->mask);
    if (!mask && !net_ip4_is_none(ret->ip))
        dhcp_class_mask(ret->ip, ret->mask);
    read_gateway(packet, len, ret);
    read_fixed(packet, len, DHCP_SERVER_ID, -1, ret->server_id, 4);
    read_fixed(packet, len, DHCP_MESSAGE_TYPE, -1, &ret->type, 1);
    if (read_fixed(packet, len, DHCP_LEASE_TIME, -1, word, 4))
        ret->lease_s = load32_be(word);
    if (read_fixed(packet, len, DHCP_MTU, -1, word, 2) && load16_be(word) >= DHCP_MTU_MIN)
        ret->mtu = load16_be(word);
    ret->no_pxedhcp = read_fixed(packet, len, DHCP_IPXE, 176, word, 1) && word[0] != 0;
    read_text(packet, len, DHCP_VENDOR_CLASS, vendor, sizeof vendor);
    ret->pxe = strncmp(vendor, "PXEClient", 9) == 0;
    read_dns(packet, len, ret);
    read_names(packet, len, ret);
    struct net_addr addr;
    if (net_ip4_is_none(ret->next_server) &&
        net_addr_parse(ret->tftp_server_name, strlen(ret->tftp_server_name), &addr) && net_addr_is_v4(&addr))
        memcpy(ret->next_server, addr.ip + 12, 4);
    return 0;
}

bool dhcp_lease_is_complete(const struct dhcp_lease *lease)
{
    return !net_ip4_is_none(lease->ip) && !net_ip4_is_none(lease->mask) && (lease->type == DHCP_ACK || lease->type == 0);
}

void dhcp_lease_add_boot(struct dhcp_lease *lease, const struct dhcp_lease *proxy)
{
    if (lease->filename[0] == 0 && proxy->filename[0] != 0) {
        memcpy(lease->filename, proxy->filename, sizeof lease->filename);
        if (!net_ip4_is_none(proxy->next_server))
            memcpy(lease->next_server, proxy->next_server, 4);
        else if (load32_be(proxy->server_id) != load32_be(lease->server_id))
            memcpy(lease->next_server, proxy->server_id, 4);
        memcpy(lease->tftp_server_name, proxy->tftp_server_name, sizeof lease->tftp_server_name);
    }
    if (net_ip4_is_none(lease->next_server))
        memcpy(lease->next_server, proxy->next_server, 4);
    if (lease->root_path[0] == 0)
        memcpy(lease->root_path, proxy->root_path, sizeof lease->root_path);
}
