// SPDX-License-Identifier: MPL-2.0
// The commands with effects. Each is a row of core_commands (conf.c); doc/scripts.md tells users about them.
#include "core/commands.h"
#include "core/network.h"
#include "core/policy.h"
#include "core/scripts.h"
#include "core/vars.h"

#include "base/fmt.h"
#include "net/net.h"
#include "script/lineedit.h"

#define SHELL_PROMPT "signet> "

static struct lineedit edit; // its history lasts from one shell to the next, and ends with the start

static struct core *core_of(struct script *s)
{
    return s->ctx;
}

int core_card_by_name(struct script *s, const char *name, unsigned *ret)
{
    uint64_t nic;
    if (strncmp(name, "net", 3) == 0 && fmt_parse_u64(name + 3, strlen(name + 3), 10, &nic) && nic < net_nic_count()) {
        *ret = (unsigned)nic;
        return 0;
    }
    return script_usage(s, "no such card");
}

// Configures the named cards, or all until one has an address.
CORE_COMMAND(dhcp)
{
    const char *force = NULL, *timeout = NULL, *by = "dhcp";
    const struct script_option options[] = { { 'f', "force", false, &force }, { 'c', "configurator", true, &by },
                                             { 't', "timeout", true, &timeout } };
    uint32_t milliseconds;
    int first = script_options(s, argc, argv, options, ARRAY_SIZE(options), 0, -1);
    int err = first < 0 ? first : timeout ? script_number(s, timeout, &milliseconds) : 0;
    if (err)
        return err;
    if (strcmp(by, "ipv6") == 0) // it configures itself on a card that is open
        return core_open_network(core_of(s));
    if (strcmp(by, "dhcp") != 0)
        return script_usage(s, "there are the configurators dhcp and ipv6");
    err = first == argc ? core_dhcp_any(core_of(s), force != NULL) : 0;
    for (int i = first; i < argc; i++) {
        unsigned nic;
        err = core_card_by_name(s, argv[i], &nic);
        if (!err)
            err = core_dhcp(core_of(s), nic, force != NULL);
        if (err)
            break;
    }
    if (err && err != ERR_SCRIPT_USAGE)
        console_error("dhcp", err, "no address by DHCP");
    return err;
}

CORE_COMMAND(ifopen)
{
    unsigned nic;
    int err = argc == 1 ? core_open_network(core_of(s)) : core_card_by_name(s, argv[1], &nic);
    if (!err && argc > 1)
        err = net_open(nic);
    core_apply_addresses(core_of(s));
    return err;
}

CORE_COMMAND(ifclose)
{
    unsigned only = 0;
    int err = argc > 1 ? core_card_by_name(s, argv[1], &only) : 0;
    for (unsigned nic = 0; !err && nic < net_nic_count(); nic++) {
        if (argc > 1 && nic != only)
            continue;
        core_settings_forget(core_of(s), nic);
        net_close(nic);
    }
    core_apply_addresses(core_of(s));
    return err;
}

CORE_COMMAND(ifstat)
{
    unsigned only = 0;
    int err = argc > 1 ? core_card_by_name(s, argv[1], &only) : 0;
    if (err)
        return err;
    for (unsigned nic = 0; nic < net_nic_count(); nic++) {
        if (argc > 1 && nic != only)
            continue;
        const struct card_info *info = net_nic(nic);
        script_printf(s, "net%u: %02x:%02x:%02x:%02x:%02x:%02x %s %s%s\n", nic, info->mac[0], info->mac[1], info->mac[2],
                      info->mac[3], info->mac[4], info->mac[5], info->driver, info->chip,
                      net_is_open(nic) ? "" : " (closed)");
        uint8_t ip[4], mask[4], gateway[4];
        char text[NET_ADDR_TEXT_MAX];
        if (net_get_ipv4(nic, ip, mask, gateway))
            script_printf(s, "  %u.%u.%u.%u mask %u.%u.%u.%u gateway %u.%u.%u.%u\n", ip[0], ip[1], ip[2], ip[3], mask[0],
                          mask[1], mask[2], mask[3], gateway[0], gateway[1], gateway[2], gateway[3]);
        struct net_addr addr = { 0 };
        for (unsigned i = 0; net_get_ipv6(nic, i, addr.ip); i++)
            script_printf(s, "  %s\n", net_addr_format(&addr, text));
    }
    return net_nic_count() ? 0 : ERR_NET_NO_CARD;
}

CORE_COMMAND(sleep)
{
    uint32_t seconds;
    int err = script_number(s, argv[1], &seconds);
    return err ? err : core_sleep(core_of(s), (uint64_t)seconds * 1000000, false);
}

void core_shell_start(void)
{
    lineedit_init(&edit);
}

// One line from the keyboard. False at the end of the shell (ctrl-D).
static bool read_line(struct core *core)
{
    char echo[LINEEDIT_ECHO_MAX];
    lineedit_start(&edit, NULL);
    console_print(SHELL_PROMPT);
    for (;;) {
        int key = core_turn(core, UINT64_MAX) == ERR_CANCELLED ? 3 : core_take_key(core);
        if (key < 0)
            continue;
        size_t echo_len;
        enum lineedit_event event = lineedit_key(&edit, key, echo, &echo_len);
        console_print("%.*s", (int)echo_len, echo);
        if (event == LINEEDIT_CANCEL)
            console_print(SHELL_PROMPT);
        else if (event != LINEEDIT_MORE)
            return event == LINEEDIT_DONE;
    }
}

int core_shell(struct core *core)
{
    struct script *s = core->shell ? NULL : core_script_open(core);
    if (!s)
        return ERR_SCRIPT_DEPTH;
    core->shell = s;
    console_print("Signet shell; `help` lists commands, `exit` leaves\n");
    while (!s->exiting && read_line(core)) {
        core_measure_text(core, "line", edit.line);
        console_forget();
        (void)script_line(s, edit.line, strlen(edit.line));
    }
    core->shell = NULL;
    core_script_close();
    return 0;
}

CORE_COMMAND(shell)
{
    return core_shell(core_of(s));
}

static int leave(struct script *s, enum platform_leave how)
{
    const struct platform *p = core_of(s)->platform;
    net_close_all();
    p->leave(p->ctx, how);
    return ERR_UNSUPPORTED; // the platform could not
}

CORE_COMMAND(reboot)
{
    return leave(s, LEAVE_REBOOT);
}

CORE_COMMAND(poweroff)
{
    return leave(s, LEAVE_POWEROFF);
}
