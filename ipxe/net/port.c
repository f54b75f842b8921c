// SPDX-License-Identifier: MPL-2.0
// What lwIP asks of its surroundings: a clock, random numbers, a way to report a broken assertion; and the
// conversion of addresses and errors.
#include "net/port.h"

#include "base/bytes.h"
#include "base/div.h"
#include "crypto/digest.h"
#include "lwip/sys.h"
#include "net/hooks.h"

static unsigned ended; // connections and look-ups
static const struct platform *platform;
static unsigned long refused;
static uint8_t isn_secret[32]; // of this boot
static u32_t defend_next;      // ms

void net_port_init(const struct platform *p)
{
    ended = 0;
    platform = p;
    refused = 0;
    defend_next = 0;
    p->random(p->ctx, isn_secret, sizeof isn_secret);
}

const struct platform *net_port_platform(void)
{
    return platform;
}

void net_port_ended(void)
{
    ended++;
}

unsigned net_port_take_ended(void)
{
    unsigned count = ended;
    ended = 0;
    return count;
}

u32_t sys_now(void)
{
    return (u32_t)div64_32(platform->now_us(platform->ctx), 1000, NULL);
}

uint32_t net_port_random(void)
{
    uint32_t value;
    platform->random(platform->ctx, &value, sizeof value);
    return value;
}

// RFC 6528 section 3: a clock of 4 us, and a keyed hash of the connection's ends. Who does not see the connection cannot
// guess the sum; one end's next connection still begins above the last one.
u32_t net_hook_tcp_isn(const ip_addr_t *local, u16_t local_port, const ip_addr_t *remote, u16_t remote_port)
{
    struct net_addr ends[2] = { net_from_lwip(local, local_port, NULL), net_from_lwip(remote, remote_port, NULL) };
    uint8_t message[2 * 18], mac[SHA256_SIZE];
    for (unsigned i = 0; i < 2; i++) {
        memcpy(message + i * 18, ends[i].ip, 16);
        store16_be(message + i * 18 + 16, ends[i].port);
    }
    hmac_sha256(isn_secret, sizeof isn_secret, message, sizeof message, mac);
    return load32_le(mac) + (u32_t)(platform->now_us(platform->ctx) >> 2);
}

void net_port_refused(void)
{
    refused++;
}

unsigned long net_refused(void)
{
    return refused;
}

void net_port_assert(const char *text, const char *file, int line)
{
    static const char head[] = "net: internal fault [G10] in lwIP: ";
    platform->console_write(platform->ctx, head, sizeof head - 1);
    platform->console_write(platform->ctx, text, strlen(text));
    platform->console_write(platform->ctx, "; restarting\n", 13);
    platform->leave(platform->ctx, LEAVE_REBOOT);
    for (;;)
        platform->idle(platform->ctx, UINT64_MAX);
}

struct net_addr net_from_lwip(const ip_addr_t *ip, uint16_t port, const struct netif *netif)
{
    struct net_addr addr;
    if (IP_IS_V4(ip)) {
        uint8_t v4[4];
        memcpy(v4, &ip_2_ip4(ip)->addr, 4);
        addr = net_addr_v4(v4, port);
    } else {
        addr = (struct net_addr){ .port = port };
        memcpy(addr.ip, ip_2_ip6(ip)->addr, 16);
    }
    addr.zone = netif ? (uint8_t)(netif->num + 1) : 0;
    return addr;
}

void net_to_lwip(const struct net_addr *addr, ip_addr_t *ret)
{
    if (net_addr_is_v4(addr)) {
        ip4_addr_t v4;
        memcpy(&v4.addr, addr->ip + 12, 4);
        ip_addr_copy_from_ip4(*ret, v4);
        return;
    }
    ip6_addr_t v6;
    memcpy(v6.addr, addr->ip, 16);
    ip6_addr_clear_zone(&v6);
    struct netif *netif = addr->zone ? net_netif(addr->zone - 1u) : NULL;
    if (netif)
        ip6_addr_assign_zone(&v6, IP6_UNKNOWN, netif);
    ip_addr_copy_from_ip6(*ret, v6);
}

int net_error(err_t err)
{
    switch (err) {
    case ERR_OK:
        return 0;
    case ERR_MEM:
    case ERR_BUF:
        return ERR_NO_MEMORY;
    case ERR_IF:
        return ERR_NET_LINK;
    default:
        return ERR_INVALID;
    }
}

// RFC 5227 lets a host say so once in 10 s, for the sake of two that are set up alike. A machine that boots has not the time, and two of
// them cost the link 50 frames a second.
#define DEFEND_PAUSE_MS 20
int net_hook_may_defend(void)
{
    if ((s32_t)(sys_now() - defend_next) < 0)
        return 0;
    defend_next = sys_now() + DEFEND_PAUSE_MS;
    return 1;
}
