// SPDX-License-Identifier: MPL-2.0
// lwIP's network interfaces over cards (net/card.h): frames out, addresses, multicast filters.
#include "net/port.h"

#include "lwip/mld6.h"
#include "lwip/nd6.h"
#include "netif/ethernet.h"

struct interface {
    struct netif netif;
    struct card *card;
    uint8_t macs[CARD_GROUPS_MAX][6]; // multicast filter, as lwIP asked for
    uint8_t mac_uses[CARD_GROUPS_MAX];
    bool open;
};

static struct {
    struct interface interfaces[CARDS_MAX];
    unsigned count;
} net;

struct netif *net_netif(unsigned nic)
{
    return net_is_open(nic) ? &net.interfaces[nic].netif : NULL;
}

struct card *net_card(unsigned nic)
{
    return net.interfaces[nic].card;
}

static err_t send_frame(struct netif *netif, struct pbuf *p)
{
    uint8_t flat[FRAME_MAX];
    const void *frame = p->payload;
    if (p->tot_len > FRAME_MAX)
        return ERR_BUF;
    if (p->next) {
        pbuf_copy_partial(p, flat, p->tot_len, 0);
        frame = flat;
    }
    return card_send(((const struct interface *)netif->state)->card, frame, p->tot_len) == 0 ? ERR_OK : ERR_IF;
}

// The card gets the whole list each time.
static int tell_groups(const struct interface *in)
{
    uint8_t list[CARD_GROUPS_MAX][6];
    unsigned count = 0;
    for (unsigned i = 0; i < CARD_GROUPS_MAX; i++)
        if (in->mac_uses[i])
            memcpy(list[count++], in->macs[i], 6);
    return in->open ? card_multicast(in->card, (const uint8_t(*)[6])list, count) : 0;
}

void net_tell_groups(unsigned nic)
{
    (void)tell_groups(&net.interfaces[nic]);
}

// Two groups can share one MAC, hence the use counts.
static err_t multicast_filter(struct interface *in, const uint8_t mac[6], enum netif_mac_filter_action action)
{
    unsigned slot = CARD_GROUPS_MAX;
    for (unsigned i = 0; i < CARD_GROUPS_MAX; i++) {
        if (in->mac_uses[i] && memcmp(in->macs[i], mac, 6) == 0) {
            slot = i;
            break;
        }
        if (!in->mac_uses[i] && slot == CARD_GROUPS_MAX)
            slot = i;
    }
    if (slot == CARD_GROUPS_MAX)
        return ERR_MEM;
    if (action == NETIF_ADD_MAC_FILTER) {
        memcpy(in->macs[slot], mac, 6);
        in->mac_uses[slot]++;
    } else if (in->mac_uses[slot]) {
        in->mac_uses[slot]--;
    }
    return tell_groups(in) ? ERR_IF : ERR_OK;
}

// RFC 2464 7: 33-33 and the low 32 bits of the group.
static err_t mld_filter(struct netif *netif, const ip6_addr_t *group, enum netif_mac_filter_action action)
{
    const uint8_t *ip = (const uint8_t *)group->addr;
    uint8_t mac[6] = { 0x33, 0x33, ip[12], ip[13], ip[14], ip[15] };
    return multicast_filter(netif->state, mac, action);
}

static err_t set_up(struct netif *netif)
{
    const struct card_info *info = &((struct interface *)netif->state)->card->info;
    netif->name[0] = 'n';
    netif->name[1] = 'e';
    netif->output = net_output4;
    netif->output_ip6 = net_output6;
    netif->linkoutput = send_frame;
    netif->mtu = info->mtu ? info->mtu : 1500;
    netif->hwaddr_len = 6;
    memcpy(netif->hwaddr, info->mac, 6);
    netif->flags = NETIF_FLAG_BROADCAST | NETIF_FLAG_ETHARP | NETIF_FLAG_ETHERNET | NETIF_FLAG_MLD6;
    netif_set_mld_mac_filter(netif, mld_filter);
    return ERR_OK;
}

unsigned net_netif_init(const struct platform *platform)
{
    struct card *cards[CARDS_MAX];
    memset(&net, 0, sizeof net);
    net.count = platform ? platform->cards(platform->ctx, cards) : 0;
    for (unsigned i = 0; i < net.count; i++)
        net.interfaces[i].card = cards[i];
    return net.count;
}

// The card of the default route stays it as long as it has a gateway.
static void choose_default(void)
{
    for (unsigned i = 0; i < net.count; i++) {
        struct netif *netif = net_netif(i);
        if (netif && (!netif_default || (ip4_addr_isany(netif_ip4_gw(netif_default)) && !ip4_addr_isany(netif_ip4_gw(netif)))))
            netif_set_default(netif);
    }
}

int net_open(unsigned nic)
{
    if (nic >= net.count)
        return ERR_NET_NO_CARD;
    struct interface *in = &net.interfaces[nic];
    if (in->open)
        return 0;
    int err = card_open(in->card);
    if (err)
        return err;
    in->open = true;
    if (!netif_add(&in->netif, IP4_ADDR_ANY4, IP4_ADDR_ANY4, IP4_ADDR_ANY4, in, set_up, ethernet_input)) {
        in->open = false;
        card_close(in->card);
        return ERR_NO_MEMORY;
    }
    in->netif.num = (u8_t)nic;
    netif_set_link_up(&in->netif);
    netif_set_up(&in->netif);
    netif_create_ip6_linklocal_address(&in->netif, 1);
    in->netif.ip6_autoconfig_enabled = 1;
    choose_default();
    return 0;
}

void net_close(unsigned nic)
{
    struct netif *netif = net_netif(nic);
    if (!netif)
        return;
    netif_set_down(netif);
    netif_remove(netif);
    net.interfaces[nic].open = false;
    card_close(net_card(nic));
    choose_default();
}

bool net_is_open(unsigned nic)
{
    return nic < net.count && net.interfaces[nic].open;
}

bool net_link(unsigned nic)
{
    return net_is_open(nic) && card_link(net_card(nic));
}

unsigned net_nic_count(void)
{
    return net.count;
}

const struct card_info *net_nic(unsigned nic)
{
    return nic < net.count ? &net_card(nic)->info : NULL;
}

// The least of a number (of this offset in struct card_info) of the open cards that have it; 0: none has.
static unsigned least_of_open(size_t offset)
{
    unsigned least = 0;
    for (unsigned nic = 0; nic < net.count; nic++) {
        uint16_t number;
        memcpy(&number, (const uint8_t *)net_nic(nic) + offset, sizeof number);
        if (net_is_open(nic) && number && (!least || number < least))
            least = number;
    }
    return least;
}

unsigned net_rx_limit(void)
{
    return least_of_open(offsetof(struct card_info, rx_limit));
}

unsigned net_rx_buffers(void)
{
    return least_of_open(offsetof(struct card_info, rx_buffers));
}

void net_set_ipv4(unsigned nic, const uint8_t ip[4], const uint8_t mask[4], const uint8_t gateway[4])
{
    struct netif *netif = net_netif(nic);
    if (!netif)
        return;
    ip4_addr_t a, m, g;
    memcpy(&a.addr, ip, 4);
    memcpy(&m.addr, mask, 4);
    memcpy(&g.addr, gateway, 4);
    netif_set_addr(netif, &a, &m, &g);
    choose_default();
}

bool net_get_ipv4(unsigned nic, uint8_t ip[4], uint8_t mask[4], uint8_t gateway[4])
{
    struct netif *netif = net_netif(nic);
    if (!netif || ip4_addr_isany(netif_ip4_addr(netif)))
        return false;
    memcpy(ip, &netif_ip4_addr(netif)->addr, 4);
    memcpy(mask, &netif_ip4_netmask(netif)->addr, 4);
    memcpy(gateway, &netif_ip4_gw(netif)->addr, 4);
    return true;
}

int net_add_ipv6(unsigned nic, const uint8_t ip[16])
{
    struct netif *netif = net_netif(nic);
    ip6_addr_t a = { 0 };
    s8_t slot;
    if (!netif)
        return ERR_NET_NO_CARD;
    memcpy(a.addr, ip, 16);
    if (netif_add_ip6_address(netif, &a, &slot) != ERR_OK || slot < 0)
        return ERR_NO_MEMORY;
    netif_ip6_addr_set_state(netif, slot, IP6_ADDR_PREFERRED);
    return 0;
}

bool net_get_ipv6(unsigned nic, unsigned i, uint8_t ip[16])
{
    struct netif *netif = net_netif(nic);
    for (int slot = 0; netif && slot < LWIP_IPV6_NUM_ADDRESSES; slot++) {
        if (!ip6_addr_isvalid(netif_ip6_addr_state(netif, slot)) || i-- > 0)
            continue;
        memcpy(ip, netif_ip6_addr(netif, slot)->addr, 16);
        return true;
    }
    return false;
}
