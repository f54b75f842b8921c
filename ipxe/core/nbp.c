// SPDX-License-Identifier: MPL-2.0
// See nbp.h. The keyboard and the screen are the program's: time passes here without core_turn, and nothing is said.
#include "core/nbp.h"

#include "base/bytes.h"
#include "core/network.h"
#include "net/net.h"

static struct {
    struct core *core;
    struct platform_nbp *platform;
    struct pxe_api_packets packets;
    unsigned nic, closed; // closed: bits of the other cards that were open
    bool called;
    struct net_udp *sockets[PXE_API_SOCKETS];
    struct pxe_api api;
} nbp;

static uint64_t now(void)
{
    return core_now(nbp.core);
}

static void *memory(uint32_t address, uint32_t len)
{
    const struct platform *p = nbp.core->platform;
    return p->map(p->ctx, address, len);
}

static void turn(void)
{
    struct core *core = nbp.core;
    core->turn_us = core_now(core);
    (void)net_poll();
    if (core->renew)
        core->renew_us = core->renew(core);
}

static void received(void *ctx, unsigned nic, const struct net_addr *from, const uint8_t *data, size_t len)
{
    struct net_udp **socket = ctx;
    pxe_api_datagram(&nbp.api, (unsigned)(socket - nbp.sockets), from, data, len);
}

static void close_socket(unsigned socket)
{
    net_udp_close(nbp.sockets[socket]);
    nbp.sockets[socket] = NULL;
}

static bool listen(unsigned socket, uint16_t port)
{
    close_socket(socket);
    nbp.sockets[socket] = net_udp_open(port, received, &nbp.sockets[socket]);
    return nbp.sockets[socket];
}

// All other cards are closed, so that it can leave by one alone.
static int send(unsigned socket, const struct net_addr *to, const void *data, size_t len)
{
    return net_udp_send(nbp.sockets[socket], to, data, len);
}

// A closed card loses its addresses, which the settings still have.
static int card(bool open)
{
    if (!open) {
        net_close(nbp.nic);
        return 0;
    }
    int err = net_open(nbp.nic);
    core_apply_addresses(nbp.core);
    return err;
}

static int filter(const uint8_t (*macs)[6], unsigned count, bool everything)
{
    struct card *c = nbp.platform->card;
    int err = c->ops->promiscuous ? c->ops->promiscuous(c, everything) : 0;
    if (macs)
        return err ? err : card_multicast(c, macs, count);
    net_tell_groups(nbp.nic);
    return err;
}

static int transmit(const void *frame, size_t len)
{
    return card_send(nbp.platform->card, frame, len);
}

// A card's frames are no longer than there is room for.
static int receive(void *frame, size_t cap)
{
    uint8_t *from;
    int len = card_receive(nbp.platform->card, &from);
    if (len <= 0)
        return 0;
    memcpy(frame, from, (size_t)len);
    return len;
}

const struct pxe_api_world pxe_api_world = { now, memory, turn, listen, close_socket, send, net_mtu, card, filter, transmit, receive };

// What is known of the card.
static void know(struct pxe_api_self *self)
{
    const struct card *c = nbp.platform->card;
    const struct card_info *info = &c->info;
    uint8_t mask[4], gateway[4];
    (void)net_get_ipv4(nbp.nic, self->ip, mask, gateway);
    memcpy(self->mac, info->mac, 6);
    self->rx_buffers = info->rx_buffers;
    self->everything = c->ops->promiscuous;
    self->nic.type = PXE_NIC_PCI;
    self->nic.vendor = info->pci.vendor;
    self->nic.device = info->pci.device;
    store32_be(&self->nic.base_class, info->pci.class_revision); // in this order they are the word
    self->nic.bus_dev_fn = info->pci.at;
    store32_le(&self->nic.sub_vendor, info->pci.subsystem);
}

// The first call: only boot() knows where the program can see anything.
static void begin(void)
{
    const struct platform_nbp *p = nbp.platform;
    pxe_api_init(&nbp.api, p->low, memory(p->low, p->low_size), p->low_size, &nbp.packets);
    know(&nbp.api.self);
    net_tell_groups(nbp.nic); // boot() has opened the card anew
    nbp.called = true;
}

static uint16_t call(void *ctx, uint16_t function, uint32_t block)
{
    if (!nbp.called)
        begin();
    uint16_t ax = pxe_api_call(&nbp.api, function, block);
    nbp.platform->unload = nbp.api.unload;
    return ax;
}

bool core_nbp_card(const struct core *core, unsigned *ret_nic)
{
    uint8_t ip[4], mask[4], gateway[4];
    unsigned nic = (unsigned)(core->settings.current[3] - '0'); // "net0": there are CARDS_MAX at most
    for (unsigned i = 0; i < net_nic_count(); i++, nic++) {
        *ret_nic = nic % net_nic_count();
        if (net_get_ipv4(*ret_nic, ip, mask, gateway))
            return true;
    }
    return false;
}

void core_nbp_start(struct core *core, unsigned nic, const struct pxe_api_packets *packets, struct platform_nbp *ret)
{
    struct card *cards[CARDS_MAX];
    (void)core->platform->cards(core->platform->ctx, cards);
    *ret = (struct platform_nbp){ .card = cards[nic], .call = call };
    nbp.core = core;
    nbp.platform = ret;
    nbp.packets = *packets;
    nbp.nic = nic;
    nbp.closed = 0;
    nbp.called = false;
    for (unsigned i = 0; i < net_nic_count(); i++) {
        if (i == nic || !net_is_open(i))
            continue;
        net_close(i);
        nbp.closed |= 1u << i;
    }
}

void core_nbp_end(void)
{
    if (nbp.called)
        (void)pxe_api_end(&nbp.api); // without it nothing arrives, as without a link
    for (unsigned i = 0; i < net_nic_count(); i++)
        if (nbp.closed >> i & 1)
            (void)net_open(i);
    core_apply_addresses(nbp.core);
    net_tell_groups(nbp.nic);
}
