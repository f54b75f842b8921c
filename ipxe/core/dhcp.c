// SPDX-License-Identifier: MPL-2.0
// Network configuration: the lease that the ROM has already, DHCP of our own otherwise.
#include "core/network.h"
#include "core/vars.h"

#include "base/fmt.h"
#include "net/net.h"
#include "proto/dhcp6.h"

#define LINK_WAIT_US 4000000u // copper takes two or three seconds
#define LINK_LOOK_US 100000u   // a link that comes up wakes nobody
#define ANY_CARD CARDS_MAX
#define PROXY_WAIT_AGAIN_US 6000000u // for a ProxyDHCP server, in rounds behind the first
#define DHCP6_AFTER 2 // DISCOVERs without an answer: a second
#define ATTEMPTS_SILENT 2 // 3 s, on a card of several whose network has no DHCP server as it seems

static struct {
    unsigned lease_nic; // the card that got a lease last, plus 1; 0: none yet
    uint32_t silent;    // bit n: on the nth card no DHCP server answered
    struct net_udp *dhcp; // of the client that runs, or of the lease that is kept; NULL: there was neither yet
} state; // of this start

void core_network_start(struct core *core)
{
    memset(&state, 0, sizeof state);
    int err = net_start(core->platform);
    if (err) {
        console_error("net", err, "only local sources are left");
        return;
    }
    for (unsigned i = 0; i < net_nic_count(); i++) {
        const struct card_info *n = net_nic(i);
        console_say("net", "net%u %02x:%02x:%02x:%02x:%02x:%02x %s (%s)", i, n->mac[0], n->mac[1], n->mac[2], n->mac[3],
                    n->mac[4], n->mac[5], n->chip, n->driver);
    }
}

static int open_all(void)
{
    int result = ERR_NET_NO_CARD;
    for (unsigned nic = 0; nic < net_nic_count(); nic++) {
        int err = net_open(nic);
        if (err)
            console_error("net", err, "card net%u (%s) cannot be used", nic, net_nic(nic)->chip);
        else
            result = 0;
    }
    return result;
}

static bool has_link(unsigned nic)
{
    bool found = false;
    for (unsigned i = 0; i < net_nic_count(); i++)
        found |= (nic == ANY_CARD || nic == i) && net_link(i);
    return found;
}

// Until the card has a link, or any (`nic` is ANY_CARD), or it is `end`. What is sent too early is lost, and sent again only
// after a second or more. 0 or ERR_CANCELLED.
static int await_link(struct core *core, unsigned nic, uint64_t end)
{
    int err = 0;
    while (!err && !has_link(nic) && core_now(core) < end)
        err = core_turn(core, core_now(core) + LINK_LOOK_US);
    return err;
}

int core_open_network(struct core *core)
{
    int err = open_all();
    return err ? err : await_link(core, ANY_CARD, core_now(core) + LINK_WAIT_US);
}

static void say_lease(unsigned nic, const struct dhcp_lease *lease, const char *from)
{
    console_say("dhcp", "net%u %u.%u.%u.%u/%u.%u.%u.%u gateway %u.%u.%u.%u next-server %u.%u.%u.%u (%s)", nic,
                lease->ip[0], lease->ip[1], lease->ip[2], lease->ip[3], lease->mask[0], lease->mask[1], lease->mask[2],
                lease->mask[3], lease->gateway[0], lease->gateway[1], lease->gateway[2], lease->gateway[3],
                lease->next_server[0], lease->next_server[1], lease->next_server[2], lease->next_server[3], from);
}

static void use_lease(struct core *core, unsigned nic, const struct dhcp_lease *lease, const struct dhcp_lease *proxy, const char *from)
{
    state.lease_nic = nic + 1;
    core_settings_lease(core, nic, lease, proxy);
    say_lease(nic, lease, from);
}

// The ROM's DHCPACK, completed by its boot server's reply. False when it lacks something.
static bool cached_lease(unsigned nic, struct dhcp_lease *lease, struct dhcp_lease *reply)
{
    const struct card_info *info = net_nic(nic);
    reply->packet_len = 0;
    if (!info->dhcp_ack || dhcp_lease_read(info->dhcp_ack, info->dhcp_ack_len, lease) != 0)
        return false;
    if (info->boot_reply && dhcp_lease_read(info->boot_reply, info->boot_reply_len, reply) == 0)
        dhcp_lease_add_boot(lease, reply);
    return dhcp_lease_is_complete(lease);
}

// What the firmware's PXE got over IPv6: an address and name servers. False when there is no such answer.
static bool use_cached_lease6(struct core *core, unsigned nic)
{
    const struct card_info *info = net_nic(nic);
    struct dhcp6_lease lease;
    return info->dhcp6_reply && dhcp6_lease_read(info->dhcp6_reply, info->dhcp6_reply_len, &lease) == 0 && lease.has_ip &&
           core_dhcp6_use(core, nic, &lease, false);
}

// The client that runs, and then that of the lease that was got last, as long as core->renew is there. Who asks once more and gets
// nothing keeps what there was before.
static struct dhcp_run {
    struct core *core;
    struct dhcp_client client;
    unsigned nic;
    bool bound;    // its address is set
    bool choosing; // from a menu
    bool six;      // DHCPv6 runs, too
} run, last;

static void dhcp_received(void *ctx, unsigned nic, const struct net_addr *from, const uint8_t *data, size_t len)
{
    if (nic == run.nic && net_addr_is_v4(from))
        dhcp_client_input(&run.client, from->ip + 12, from->port, data, len, core_now(run.core));
    run.core->renew_us = 0; // it may have ended the lease
}

static void dhcp_send_due(void)
{
    uint8_t packet[DHCP_PACKET_MAX];
    struct dhcp_datagram datagram;
    size_t len = dhcp_client_output(&run.client, packet, sizeof packet, &datagram, core_now(run.core));
    if (!len)
        return;
    struct net_addr to = net_addr_v4(datagram.dst, datagram.dst_port);
    to.zone = (uint8_t)(run.nic + 1);
    (void)net_udp_send(state.dhcp, &to, packet, len); // a lost packet is sent again
}

// Whose lease ends goes on all the same: a boot that is under way is more likely to come to its end so.
static uint64_t renew(struct core *core)
{
    uint8_t ip[4], mask[4], gateway[4];
    const uint8_t *leased = run.client.lease.ip;
    bool over = dhcp_client_over(&run.client, core->turn_us);
    if (over)
        console_say("dhcp", "net%u: the lease of %u.%u.%u.%u is over, nobody renewed it; it stays in use", run.nic,
                    leased[0], leased[1], leased[2], leased[3]);
    // The card may be closed, or have another address.
    if (over || !net_get_ipv4(run.nic, ip, mask, gateway) || memcmp(ip, leased, 4) != 0)
        core->renew = NULL;
    else
        dhcp_send_due();
    return SLEEPS_BY_DEADLINE ? dhcp_renew_deadline(&run.client) : 0;
}

static bool dhcp_open(struct core *core, unsigned nic)
{
    run.core = core;
    run.nic = nic;
    run.bound = run.choosing = run.six = false;
    if (!state.dhcp)
        state.dhcp = net_udp_open(DHCP_CLIENT_PORT, dhcp_received, NULL);
    return state.dhcp;
}

static void dhcp_configure(struct core *core, unsigned nic, bool force, struct dhcp_config *config)
{
    const struct platform *p = core->platform;
    memcpy(config->mac, net_nic(nic)->mac, 6);
    config->arch = p->pxe_arch;
    const char *uuid = p->smbios ? p->smbios(p->ctx, "uuid") : NULL;
    config->has_uuid = uuid && setting_parse(SETTING_UUID, uuid, config->uuid, 16) == 16;
    config->want_proxy = true;
    if (force) // a round brought nothing: now there is time
        config->proxy_wait_us = PROXY_WAIT_AGAIN_US;
    if (force && net_nic_count() > 1 && (state.silent & 1u << nic))
        config->attempts = ATTEMPTS_SILENT;
    static const uint8_t features[] = { DHCP_FEATURE_HTTP, DHCP_FEATURE_TFTP, DHCP_FEATURE_DNS, DHCP_FEATURE_BZIMAGE };
    memcpy(config->features, features, sizeof features);
    config->feature_count = sizeof features;
    p->random(p->ctx, &config->xid, sizeof config->xid);
    p->random(p->ctx, &config->jitter, sizeof config->jitter);
}

// The local boot that a person has chosen leaves Signet. Nobody's choice does not: whoever can answer DHCP could have the disk started
// then, which no seal covers; a script decides.
static int menu_step(struct core *core, const struct dhcp_lease *menu, uint64_t *wake)
{
    struct dhcp_menu_item item;
    if (!run.choosing)
        core_pxe_menu_start(core, menu);
    run.choosing = true;
    int chosen = core_pxe_menu_step(core, menu, &item, wake);
    if (chosen == PENDING)
        return chosen;
    console_print("\n");
    console_say("pxe", "%s", item.text);
    dhcp_client_choose(&run.client, item.type, core_now(core));
    *wake = WAKE_AT_ONCE;
    if (item.type != DHCP_MENU_LOCAL)
        return PENDING;
    if (chosen == PXE_MENU_BY_KEY) {
        net_close_all();
        core->platform->leave(core->platform->ctx, LEAVE_EXIT);
    }
    return ERR_PXE_LOCAL;
}

static int dhcp_step(void *ctx, uint64_t *wake)
{
    const struct dhcp_lease *lease = &run.client.lease;
    if (!run.bound && dhcp_client_bound(&run.client)) {
        net_set_ipv4(run.nic, lease->ip, lease->mask, lease->gateway);
        run.bound = true;
    }
    dhcp_send_due();
    *wake = dhcp_client_deadline(&run.client);
    const struct dhcp_lease *menu = dhcp_client_menu(&run.client);
    if (DHCPV6 && !run.client.have_offer && run.client.tries >= DHCP6_AFTER) { // nobody gives an IPv4 address, as it seems
        if (!run.six)
            core_dhcp6_start(run.core, run.nic, &run.client.config);
        run.six = true;
        if (core_dhcp6_step(wake))
            return 0;
    }
    return menu ? menu_step(run.core, menu, wake) : dhcp_client_result(&run.client);
}

// Runs the DHCP client on one card to its end.
static int run_dhcp(struct core *core, unsigned nic, bool force)
{
    struct dhcp_config config = { 0 };
    dhcp_configure(core, nic, force, &config);
    bool kept = core->renew;
    last = run;
    if (!dhcp_open(core, nic))
        return ERR_NO_MEMORY;
    core->renew = NULL;
    console_say("dhcp", "net%u asks for an address (ctrl-C ends it)", nic);
    dhcp_client_init(&run.client, &config, core_now(core));
    int result = core_drive(core, dhcp_step, NULL);
    bool six = DHCPV6 && run.six && core_dhcp6_end(dhcp_client_bound(&run.client));
    // Who has had enough of waiting for a proxy has an address all the same.
    if (dhcp_client_bound(&run.client)) {
        use_lease(core, nic, &run.client.lease, &run.client.proxy, "DHCP");
        dhcp_client_settle(&run.client);
        core->renew = renew;
    } else {
        run = last;
        core->renew = kept ? renew : NULL;
        if (six && result != ERR_CANCELLED)
            result = 0;
    }
    if (result == ERR_PXE_NO_SERVER) {
        console_error("pxe", result, "net%u keeps its address", nic);
        result = 0;
    }
    state.silent = (state.silent & ~(1u << nic)) | (unsigned)(result == ERR_DHCP_NO_OFFER) << nic;
    return result;
}

size_t core_dhcp_discover(struct core *core, unsigned nic, uint8_t buf[DHCP_PACKET_MAX])
{
    last = (struct dhcp_run){ 0 }; // which only a client that runs needs
    dhcp_configure(core, nic, false, &last.client.config);
    return dhcp_build(&last.client, buf, DHCP_PACKET_MAX, 0);
}

// On an open card.
static int configure(struct core *core, unsigned nic, bool force)
{
    static struct dhcp_lease lease, reply; // 5 KiB each: off the stack
    if (!force && cached_lease(nic, &lease, &reply)) {
        struct dhcp_config config = { 0 };
        dhcp_configure(core, nic, force, &config);
        use_lease(core, nic, &lease, &reply, "the ROM's answer, no second DHCP");
        dhcp_client_adopt(&run.client, &config, &lease, core_now(core));
        core->renew = dhcp_open(core, nic) ? renew : NULL;
        return 0;
    }
    if (!force && use_cached_lease6(core, nic))
        return 0;
    return run_dhcp(core, nic, force);
}

int core_dhcp(struct core *core, unsigned nic, bool force)
{
    int err = net_open(nic);
    if (!err)
        err = await_link(core, nic, core_now(core) + LINK_WAIT_US);
    return err ? err : configure(core, nic, force);
}

// Other cards are not asked any more.
static bool is_final(int err)
{
    return !err || err == ERR_CANCELLED || err == ERR_PXE_LOCAL;
}

// In the order of the cards, but for a card without a link: that would cost 15 s of DHCP, so it comes last; it is not left
// out, for a card may be wrong about its link. All cards are waited for together.
static int dhcp_from(struct core *core, unsigned first, bool force)
{
    bool tried[CARDS_MAX] = { false };
    uint64_t end = 0; // of the wait for links; 0: none was missing yet
    int err = ERR_NET_NO_CARD;
    unsigned count = net_nic_count();
    for (unsigned i = 0; i < count; i++) {
        unsigned nic = (first + i) % count;
        bool waited = force && net_is_open(nic);
        int fault = net_open(nic);
        if (!fault && !net_link(nic) && !waited) {
            if (!end) {
                (void)open_all();
                end = core_now(core) + LINK_WAIT_US;
            }
            fault = await_link(core, nic, end);
        }
        if (fault == ERR_CANCELLED)
            return fault;
        if (!fault && !net_link(nic)) {
            console_say("dhcp", "net%u has no link", nic);
            continue;
        }
        tried[nic] = true;
        err = fault ? fault : configure(core, nic, force);
        if (is_final(err))
            return err;
    }
    for (unsigned i = 0; i < count && !is_final(err); i++)
        if (!tried[(first + i) % count])
            err = configure(core, (first + i) % count, force);
    return err;
}

// Who asks anew has found nothing that boots on the network that there is: the next card's comes first now. What the former
// one got is forgotten when another has a lease: a file of the one and a server of the other would name nothing.
int core_dhcp_any(struct core *core, bool force)
{
    unsigned before = state.lease_nic;
    int err = dhcp_from(core, force ? before : 0, force);
    if (force && before && before != state.lease_nic) {
        core_settings_forget(core, before - 1);
        core_apply_addresses(core);
    }
    return err;
}
