// SPDX-License-Identifier: MPL-2.0
// See names.h.
#include "core/names.h"

#include "base/fmt.h"

#define RESOLVE_LIMIT_US 10000000u
#define DETOURS_MAX 2            // lwIP keeps three routers
#define ADVERTISEMENT_LIMIT_US 10000000u // of a card that has just come up: lwIP solicits three times, 4 s apart

// Can this machine send to the family's addresses, as far as its own ones go?
static bool has_family(bool v6)
{
    static const struct net_addr somewhere[2] = { { .ip = { [10] = 0xff, 0xff, 192, 0, 2, 1 } }, { .ip = { 0x20, 0x01, 0x0d, 0xb8 } } };
    return net_can_send(&somewhere[v6]);
}

// An AAAA record may hold an IPv4 address (::ffff:192.0.2.1), so the family is the address's own.
static void add(struct core_names *n, struct net_addr addr)
{
    bool v6 = !net_addr_is_v4(&addr);
    if (n->count[v6] == NET_ADDRESSES_MAX)
        return;
    addr.port = n->port;
    if (!addr.zone && net_addr_is_link_local(&addr))
        addr.zone = 1; // link-local without a zone: the first card
    n->addrs[v6][n->count[v6]++] = addr;
}

// One step of a look-up. 0: there are addresses of this family.
static int glance(struct core_names *n, bool v6, uint64_t end)
{
    struct net_addr found[NET_ADDRESSES_MAX];
    int count = net_resolve(n->name, v6, found);
    for (int i = 0; count != PENDING && i < count; i++)
        add(n, found[i]);
    if (count == PENDING)
        return core_now(n->core) > end ? ERR_DNS_FAILED : PENDING;
    return MIN(count, 0);
}

struct look {
    struct core_names *names;
    bool v6;
    uint64_t end;
};

static int look_step(void *ctx, uint64_t *wake)
{
    const struct look *look = ctx;
    *wake = look->end;
    return glance(look->names, look->v6, look->end);
}

static int ask(struct core_names *n, bool v6, uint64_t end)
{
    return core_drive(n->core, look_step, &(struct look){ n, v6, end });
}

// Without IPv4 the name server comes with a router's advertisement.
static int wait_for_server(struct core *core)
{
    uint64_t end = core_now(core) + ADVERTISEMENT_LIMIT_US;
    int err = 0;
    while (!err && !net_has_dns() && !has_family(false) && core_now(core) < end)
        err = core_turn(core, end);
    return err;
}

// A short name stands for several, of which the first one counts that has an address of either family.
static int look_up(struct core_names *n, const char *host)
{
    int err = wait_for_server(n->core);
    if (!err)
        err = ERR_DNS_FAILED;
    uint64_t end = core_now(n->core) + RESOLVE_LIMIT_US;
    n->first = !has_family(false);
    for (unsigned i = 0; err == ERR_DNS_FAILED && net_search_name(host, i, n->name, sizeof n->name); i++) {
        err = ask(n, n->first, end);
        n->asked = err == ERR_DNS_FAILED;
        if (n->asked)
            err = ask(n, !n->first, end);
    }
    if (err != ERR_CONN_REFUSED)
        return err;
    console_say("dns", "the name server refuses to answer for %s", n->name); // the host that is asked for has refused nothing
    return ERR_DNS_FAILED;
}

// "net0" or "1" behind the % of a link-local literal.
static bool parse_zone(const char *zone, uint8_t *ret)
{
    if (strncmp(zone, "net", 3) == 0)
        zone += 3;
    uint64_t nic;
    if (!fmt_parse_u64(zone, strlen(zone), 10, &nic) || nic >= net_nic_count())
        return false;
    *ret = (uint8_t)(nic + 1);
    return true;
}

void core_names_set(struct core_names *n, struct core *core, const struct net_addr *addr)
{
    *n = (struct core_names){ .core = core, .port = addr->port, .asked = true };
    add(n, *addr);
}

int core_names_open(struct core_names *n, struct core *core, const struct uri *uri, uint16_t port)
{
    struct net_addr addr = { .port = uri->port ? uri->port : port };
    const char *zone = strchr(uri->host, '%');
    size_t len = zone ? (size_t)(zone - uri->host) : strlen(uri->host);
    if (net_addr_parse(uri->host, len, &addr)) {
        if (zone && !parse_zone(zone + 1, &addr.zone))
            return ERR_URI_MALFORMED;
        core_names_set(n, core, &addr);
        return 0;
    }
    *n = (struct core_names){ .core = core, .port = addr.port };
    return look_up(n, uri->host);
}

int core_names_servers(struct core_names *n, struct core *core, const struct uri *uri, uint16_t port)
{
    int err = core_open_network(core);
    if (err)
        return err;
    if (uri->host[0])
        return core_names_open(n, core, uri, port);
    const uint8_t *ip;
    size_t len;
    enum setting_type type;
    if (settings_find(&core->settings, "next-server", &ip, &len, &type) != 0 || len != 4)
        return ERR_URI_MALFORMED;
    struct net_addr server = net_addr_v4(ip, uri->port ? uri->port : port);
    core_names_set(n, core, &server);
    return 0;
}

bool core_names_left(const struct core_names *n)
{
    return n->taken[0] < n->count[0] || n->taken[1] < n->count[1];
}

// One step of looking up the other family, which counts once this machine has an address of it.
static int ask_other(struct core_names *n)
{
    if (n->asked || !has_family(!n->first))
        return 0;
    if (!n->end)
        n->end = core_now(n->core) + RESOLVE_LIMIT_US;
    int err = glance(n, !n->first, n->end);
    n->asked = err != PENDING;
    return err;
}

static int other_step(void *ctx, uint64_t *wake)
{
    struct core_names *n = ctx;
    int err = ask_other(n);
    *wake = n->end;
    return err;
}

int core_names_more(struct core_names *n)
{
    int err = core_drive(n->core, other_step, n);
    return err == ERR_CANCELLED ? err : core_names_left(n);
}

int core_names_judge(struct core_names *n, uint64_t since)
{
    if (core_now(n->core) - since <= CORE_PATIENCE_US || ask_other(n) == PENDING)
        return 0;
    return core_names_left(n) ? ERR_TIMED_OUT : 0;
}

uint64_t core_names_deadline(const struct core_names *n, uint64_t since)
{
    uint64_t end = since + CORE_PATIENCE_US + 1;
    if (core_now(n->core) >= end)
        end = n->asked || !n->end ? UINT64_MAX : n->end;
    return end;
}

struct net_addr core_names_take(struct core_names *n)
{
    bool v6 = n->first ^ (n->taken[n->first] > n->taken[!n->first]);
    if (n->taken[v6] == n->count[v6])
        v6 = !v6;
    return n->addrs[v6][n->taken[v6]++];
}

int core_names_next(struct core_names *n, const char *part, int err, struct net_addr *addr)
{
    char failed[NET_ADDR_TEXT_MAX], next[NET_ADDR_TEXT_MAX];
    bool detour = err == ERR_TIMED_OUT && n->detours < DETOURS_MAX && net_doubt(addr);
    int more = detour ? 1 : err == ERR_CANCELLED ? 0 : core_names_more(n);
    if (more <= 0)
        return more ? more : err;
    net_addr_format(addr, failed);
    if (detour) {
        n->detours++;
        console_say(part, "%s: %s [%s]; trying another router", failed, err_text(err), err_code(err));
        return 0;
    }
    *addr = core_names_take(n);
    console_say(part, "%s: %s [%s]; trying %s", failed, err_text(err), err_code(err), net_addr_format(addr, next));
    return 0;
}
