// SPDX-License-Identifier: MPL-2.0
// The DHCP client machine (dhcp.h):
//
//   DISCOVERING --offer--> [wait for a proxy] --> REQUESTING --ack--> DONE
//        ^                                         ^   |  |--ack, nobody named a file--> PROXYING, LISTENING --> DONE
//        |                                         |   |  \--ack, or PROXYING brought a menu--> CHOOSING --> ASKING --> DONE
//        |                                         '---+--nak or silence, and another server offered, too
//        '---------------------------------------------'--nak
#include "base/addr.h"
#include "base/cursor.h"
#include "proto/dhcp.h"

#define OP_REPLY 2
#define JITTER_MASK 0x1ffff // up to 131 ms

void dhcp_client_init(struct dhcp_client *c, const struct dhcp_config *config, uint64_t now)
{
    memset(c, 0, sizeof *c);
    c->config = *config;
    if (c->config.attempts == 0)
        c->config.attempts = DHCP_ATTEMPTS;
    if (c->config.proxy_wait_us == 0)
        c->config.proxy_wait_us = DHCP_PROXY_LATE_US;
    c->state = DHCP_DISCOVERING;
    c->send_due = true;
    c->started = c->deadline = now;
}

bool dhcp_client_bound(const struct dhcp_client *c)
{
    return c->bound;
}

int dhcp_client_result(const struct dhcp_client *c)
{
    return c->state == DHCP_DONE || c->state == DHCP_FAILED ? c->error : PENDING;
}

uint64_t dhcp_client_deadline(const struct dhcp_client *c)
{
    if (c->state == DHCP_DONE || c->state == DHCP_FAILED)
        return UINT64_MAX;
    if (c->state == DHCP_CHOOSING)
        return dhcp_renew_deadline(c);
    return c->send_due ? 0 : c->deadline;
}

// --- sending ---

static void go(struct dhcp_client *c, enum dhcp_state state, uint64_t now)
{
    c->state = state;
    c->tries = 0;
    c->send_due = true;
    c->nak = false;
    c->deadline = now;
}

static void give_up(struct dhcp_client *c, int error)
{
    c->state = DHCP_FAILED;
    c->error = error;
    c->send_due = false;
}

static bool lacks_boot(const struct dhcp_client *c)
{
    return c->config.want_proxy && c->lease.filename[0] == 0 && !c->lease.no_pxedhcp;
}

// The PXE server that counts: a proxy, else who gave the address.
static const struct dhcp_lease *pxe_server(const struct dhcp_client *c)
{
    return c->proxy.packet_len ? &c->proxy : &c->lease;
}

const struct dhcp_lease *dhcp_client_menu(const struct dhcp_client *c)
{
    return c->state == DHCP_CHOOSING ? pxe_server(c) : NULL;
}

void dhcp_client_settle(struct dhcp_client *c)
{
    c->state = DHCP_DONE;
    c->send_due = false;
}

static void give_up_item(struct dhcp_client *c)
{
    dhcp_client_settle(c);
    c->error = ERR_PXE_NO_SERVER;
}

// Who is asked next for the menu's item, in this round.
static bool find_peer(struct dhcp_client *c, unsigned i)
{
    c->peer = i;
    return c->state == DHCP_ASKING && dhcp_menu_peer(pxe_server(c), c->item, c->tries, i, c->asked_address);
}

void dhcp_client_choose(struct dhcp_client *c, uint16_t type, uint64_t now)
{
    dhcp_client_settle(c);
    c->item = type;
    if (type == DHCP_MENU_LOCAL)
        return;
    go(c, DHCP_ASKING, now);
    if (!find_peer(c, 0))
        give_up_item(c);
}

// With the address: what is not known about the boot is asked for at the PXE server that was heard, then waited for. A file that the
// lease names comes before a proxy's menu, as before a proxy's file.
static void complete(struct dhcp_client *c, uint64_t now)
{
    const struct dhcp_lease *server = pxe_server(c);
    bool wants_menu = c->config.want_proxy && !c->lease.no_pxedhcp && !c->item &&
                      (server == &c->lease || c->lease.filename[0] == 0) && dhcp_menu_is_there(server);
    if (c->config.want_proxy && c->proxy.packet_len)
        dhcp_lease_add_boot(&c->lease, &c->proxy);
    dhcp_client_settle(c);
    if (wants_menu)
        c->state = DHCP_CHOOSING;
    else if (!lacks_boot(c))
        return;
    else if (server->pxe && !c->asked) {
        c->asked = true;
        memcpy(c->asked_address, server->server_id, 4);
        go(c, DHCP_PROXYING, now);
    } else if (now < c->listen_until) {
        c->state = DHCP_LISTENING;
        c->send_due = false;
        c->deadline = c->listen_until;
    }
}

static bool same_server(const struct dhcp_lease *lease, const uint8_t id[4])
{
    return memcmp(lease->server_id, id, 4) == 0;
}

static bool was_refused(const struct dhcp_client *c, const struct dhcp_lease *offer)
{
    for (unsigned i = 0; i < c->refused_count; i++)
        if (same_server(offer, c->refused[i]))
            return true;
    return false;
}

// The better of two offers is of a server that has not refused; then, of a PXE server; then, that names a file (PXE 2.1 section 2.2).
static unsigned worth(const struct dhcp_client *c, const struct dhcp_lease *offer)
{
    return (was_refused(c, offer) ? 0 : 4) + (c->config.want_proxy && offer->pxe ? 2 : 0) + (offer->filename[0] != 0);
}

static void keep_spare(struct dhcp_client *c, const struct dhcp_lease *offer)
{
    if (!same_server(offer, c->lease.server_id) && !was_refused(c, offer) &&
        (!c->spare.packet_len || worth(c, offer) > worth(c, &c->spare)))
        c->spare = *offer;
}

static bool has_spare(const struct dhcp_client *c)
{
    return c->spare.packet_len && c->spares < DHCP_SPARES_MAX;
}

// Who offers and then refuses, or says no more, is no reason to go without an address: the other offer is taken, or all are
// asked again. Those who do so by turns are tried in bounded number.
static void refuse(struct dhcp_client *c, int error, uint64_t now)
{
    memcpy(c->refused[c->refused_count++], c->lease.server_id, 4);
    if (has_spare(c)) {
        c->spares++;
        c->lease = c->spare;
        c->spare.packet_len = 0;
        go(c, DHCP_REQUESTING, now);
        return;
    }
    c->have_offer = false;
    if (++c->naks >= DHCP_NAKS_MAX)
        give_up(c, error);
    else
        go(c, DHCP_DISCOVERING, now);
}

static void request_timed_out(struct dhcp_client *c, uint64_t now)
{
    bool others = has_spare(c) || c->spares;
    if (c->nak)
        refuse(c, ERR_DHCP_REFUSED, now);
    else if (others && c->tries >= DHCP_SPARE_AFTER)
        refuse(c, ERR_DHCP_NO_ACK, now);
    else if (c->tries >= c->config.attempts)
        give_up(c, ERR_DHCP_NO_ACK);
    else
        c->send_due = true;
}

static void timed_out(struct dhcp_client *c, uint64_t now)
{
    if (c->state == DHCP_REQUESTING)
        request_timed_out(c, now);
    else if (c->state == DHCP_DISCOVERING && c->have_offer)
        go(c, DHCP_REQUESTING, now); // no proxy came in time
    else if (c->state == DHCP_LISTENING || (c->state == DHCP_PROXYING && c->tries >= DHCP_PROXY_ATTEMPTS))
        complete(c, now); // the address is good without
    else if (c->state == DHCP_ASKING && c->tries >= DHCP_BOOT_ATTEMPTS)
        give_up_item(c);
    else if (c->state == DHCP_DISCOVERING && c->tries >= c->config.attempts)
        give_up(c, c->naks ? ERR_DHCP_REFUSED : ERR_DHCP_NO_OFFER);
    else
        c->send_due = true;
}

size_t dhcp_client_output(struct dhcp_client *c, uint8_t *buf, size_t cap, struct dhcp_datagram *ret, uint64_t now)
{
    if (c->state == DHCP_DONE || c->state == DHCP_CHOOSING)
        return dhcp_renew_output(c, buf, cap, ret, now);
    if (c->state != DHCP_FAILED && !c->send_due && now >= c->deadline)
        timed_out(c, now);
    if (!c->send_due || c->state == DHCP_DONE || c->state == DHCP_FAILED)
        return 0;
    size_t len = dhcp_build(c, buf, cap, now);
    if (len == 0)
        return 0;
    struct dhcp_datagram d = { .src_port = DHCP_CLIENT_PORT, .dst_port = DHCP_SERVER_PORT };
    memset(d.dst, 0xff, 4);
    if (c->bound) {
        memcpy(d.src, c->lease.ip, 4);
        memcpy(d.dst, c->asked_address, 4);
        if (load32_be(d.dst) != UINT32_MAX)
            d.dst_port = DHCP_PROXY_PORT;
    }
    *ret = d;
    if (find_peer(c, c->peer + 1))
        return len; // it is due, too
    c->send_due = false;
    // Machines that were switched on together must not ask together for ever.
    uint32_t jitter = (c->config.jitter >> (c->tries & 7)) & JITTER_MASK, step = DHCP_FIRST_TIMEOUT_US;
    c->deadline = now + (c->state == DHCP_ASKING ? step * (c->tries + 1) : (uint64_t)step << MIN(c->tries, 5u)) + jitter;
    c->tries++;
    (void)find_peer(c, 0);
    return len;
}

// --- hearing ---

// An offer without an address from a PXE server: ProxyDHCP. The first that names a file stays.
static bool hear_proxy(struct dhcp_client *c)
{
    if (!c->heard.pxe || (c->proxy.packet_len && (c->proxy.filename[0] || !c->heard.filename[0])))
        return false;
    c->proxy = c->heard;
    c->asked = false;
    return true;
}

static void hear_offer(struct dhcp_client *c, uint64_t now)
{
    bool first = false;
    if (net_ip4_is_none(c->heard.ip)) {
        (void)hear_proxy(c);
    } else if (!c->have_offer) {
        first = true;
        c->lease = c->heard;
        c->have_offer = true;
    } else if (worth(c, &c->heard) > worth(c, &c->lease)) {
        struct dhcp_lease *former = &c->lease;
        if (!same_server(former, c->heard.server_id) && !was_refused(c, former))
            c->spare = *former;
        c->lease = c->heard;
    } else {
        keep_spare(c, &c->heard);
    }
    if (!c->have_offer)
        return;
    if (first)
        c->listen_until = now + c->config.proxy_wait_us;
    if (!was_refused(c, &c->lease) && (!lacks_boot(c) || c->proxy.packet_len || c->lease.pxe)) {
        go(c, DHCP_REQUESTING, now);
    } else if (first) {
        c->deadline = now + DHCP_PROXY_WAIT_US;
        c->send_due = false;
    }
}

static void hear_in_request(struct dhcp_client *c, uint64_t now)
{
    if (c->heard.type == DHCP_OFFER) {
        if (net_ip4_is_none(c->heard.ip))
            (void)hear_proxy(c);
        else
            keep_spare(c, &c->heard);
        return;
    }
    // Only the server that was asked may answer.
    if (load32_be(c->heard.server_id) != load32_be(c->lease.server_id))
        return;
    if (c->heard.type == DHCP_ACK && !net_ip4_is_none(c->heard.ip)) {
        dhcp_lease_add_boot(&c->heard, &c->lease); // what only the offer said about the boot still holds
        c->heard.pxe |= c->lease.pxe;
        c->lease = c->heard;
        c->bound = true;
        dhcp_renew_begin(c, now);
        complete(c, now);
    } else if (c->heard.type == DHCP_NAK && !c->nak) {
        c->nak = true;
        c->deadline = MIN(c->deadline, now + DHCP_NAK_WAIT_US);
    }
}

// With the address: an answer of port 4011, a boot server's, or a proxy that is late. An ACK that comes twice is none of them.
static void hear_when_bound(struct dhcp_client *c, const uint8_t from[4], uint16_t from_port, uint64_t now)
{
    if (!c->heard.pxe || (c->heard.type != DHCP_ACK && c->heard.type != DHCP_OFFER))
        return;
    if (c->state == DHCP_ASKING) {
        if (c->heard.type == DHCP_ACK && dhcp_menu_accepts(pxe_server(c), c->item, &c->heard, from)) {
            c->lease.filename[0] = 0; // what was named beside the menu
            c->proxy = c->heard;
            complete(c, now);
        }
    } else if (c->heard.type == DHCP_OFFER && from_port == DHCP_SERVER_PORT) {
        if (net_ip4_is_none(c->heard.ip) && hear_proxy(c))
            complete(c, now);
    } else if (c->state == DHCP_PROXYING && (c->heard.filename[0] || from_port == DHCP_PROXY_PORT)) {
        c->proxy = c->heard;
        complete(c, now);
    }
}

// Ours: an answer with our transaction and our hardware address.
static bool is_ours(const struct dhcp_client *c, const uint8_t *data, size_t len)
{
    struct cursor cur = cursor_make(data, len);
    uint8_t op = cursor_u8(&cur);
    cursor_bytes(&cur, 3);
    uint32_t xid = cursor_u32_be(&cur);
    cursor_bytes(&cur, 20);
    const uint8_t *mac = cursor_bytes(&cur, 6);
    return cursor_ok(&cur) && op == OP_REPLY && xid == c->config.xid && memcmp(mac, c->config.mac, 6) == 0;
}

void dhcp_client_input(struct dhcp_client *c, const uint8_t from[4], uint16_t from_port, const uint8_t *data,
                       size_t len, uint64_t now)
{
    if (from_port != DHCP_SERVER_PORT && from_port != DHCP_PROXY_PORT)
        return;
    if (c->state == DHCP_FAILED)
        return;
    if (!is_ours(c, data, len) || dhcp_lease_read(data, len, &c->heard) != 0)
        return;
    if (net_ip4_is_none(c->heard.server_id)) // some servers forget it
        memcpy(c->heard.server_id, from, 4);
    if (c->state == DHCP_DONE || c->state == DHCP_CHOOSING) {
        dhcp_renew_input(c, now);
    } else if (c->bound) {
        hear_when_bound(c, from, from_port, now);
    } else if (c->state == DHCP_REQUESTING) {
        hear_in_request(c, now);
    } else if (c->heard.type == DHCP_OFFER) {
        hear_offer(c, now);
    } else if (c->heard.type == 0 && !net_ip4_is_none(c->heard.ip) && len >= DHCP_PACKET_MIN) {
        c->lease = c->heard; // BOOTP, which has no short packets: nothing more to ask
        c->bound = true;
        dhcp_client_settle(c);
    }
}
