// SPDX-License-Identifier: MPL-2.0
// The commands about cards and addresses that ask and change nothing. See commands.h.
#include "core/commands.h"

#include "base/fmt.h"
#include "core/names.h"

#define LINK_WAIT_MS 15000 // unless --timeout says how long, as in iPXE
#define LINK_LOOK_US 50000

static struct core *core_of(struct script *s)
{
    return s->ctx;
}

// As net_addr_format, without brackets.
static const char *plain_address(const struct net_addr *addr, char text[NET_ADDR_TEXT_MAX])
{
    (void)net_addr_format(addr, text);
    if (text[0] != '[')
        return text;
    char *end = strchr(text, ']');
    if (end)
        *end = 0;
    return text + 1;
}

// The routes of each open card, a line each.
CORE_COMMAND(route)
{
    for (unsigned nic = 0; nic < net_nic_count(); nic++) {
        uint8_t ip[4], mask[4], gateway[4];
        if (net_get_ipv4(nic, ip, mask, gateway)) {
            script_printf(s, "net%u: %u.%u.%u.%u/%u.%u.%u.%u", nic, ip[0], ip[1], ip[2], ip[3], mask[0], mask[1], mask[2], mask[3]);
            if (!net_ip4_is_none(gateway))
                script_printf(s, " gw %u.%u.%u.%u", gateway[0], gateway[1], gateway[2], gateway[3]);
            script_printf(s, "\n");
        }
        struct net_addr addr = { 0 };
        char text[NET_ADDR_TEXT_MAX];
        for (unsigned i = 0; net_get_ipv6(nic, i, addr.ip); i++)
            script_printf(s, "net%u: %s/64\n", nic, plain_address(&addr, text));
    }
    return 0;
}

// Waits until the named cards, or all, have a link.
CORE_COMMAND(iflinkwait)
{
    const char *timeout = NULL;
    const struct script_option options[] = { { 't', "timeout", true, &timeout } };
    uint32_t milliseconds = LINK_WAIT_MS;
    int first = script_options(s, argc, argv, options, ARRAY_SIZE(options), 0, -1);
    int err = first < 0 ? first : timeout ? script_number(s, timeout, &milliseconds) : 0;
    struct core *core = core_of(s);
    uint64_t end = core_now(core) + (uint64_t)milliseconds * 1000;
    for (unsigned nic = 0, i = (unsigned)first; !err && (first == argc ? nic < net_nic_count() : (int)i < argc); nic++, i++) {
        unsigned card = nic;
        if (first < argc)
            err = core_card_by_name(s, argv[i], &card);
        if (!err)
            err = net_open(card);
        while (!err && !net_link(card))
            err = core_now(core) < end ? core_sleep(core, LINK_LOOK_US, false) : ERR_NET_LINK;
    }
    return err;
}

// An address of a name, into a setting.
CORE_COMMAND(nslookup)
{
    static struct core_names names;
    static struct uri uri;
    char text[NET_ADDR_TEXT_MAX];
    memset(&uri, 0, sizeof uri);
    if (strlen(argv[2]) >= sizeof uri.host)
        return script_usage(s, "this name is too long");
    memcpy(uri.host, argv[2], strlen(argv[2]));
    int err = core_names_open(&names, core_of(s), &uri, 1);
    if (err)
        return err;
    struct net_addr addr = core_names_take(&names);
    addr.port = 0;
    char name[SCRIPT_NAME_MAX];
    (void)fmt_snprintf(name, sizeof name, "%s%s", argv[1], strchr(argv[1], ':') ? "" : net_addr_is_v4(&addr) ? ":ipv4" : ":ipv6");
    return s->ops->set(s->ctx, name, plain_address(&addr, text));
}
