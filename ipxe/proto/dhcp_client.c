// SPDX-License-Identifier: MPL-2.0
// The DHCP client machine (dhcp.h):
//
//   DISCOVERING --offer--> [wait for a proxy] --> REQUESTING --ack--> DONE
//        ^                                         ^   |  \--ack, nobody named a file--> PROXYING, LISTENING --> DONE
//        |                                         '---+--nak or silence, and another server offered, too
//        '---------------------------------------------'--nak
#include "base/addr.h"
#include "base/cursor.h"
#include "base/fmt.h"
#include "proto/dhcp.h"

#define OP_REQUEST 1
#define OP_REPLY 2
#define HTYPE_ETHERNET 1
#define FLAG_BROADCAST 0x8000 // we cannot hear unicast before we have the address
#define JITTER_MASK 0x1ffff   // up to 131 ms

#define DHCP_NTP 42
#define PXE_VENDOR 128 // to 135: what PXE servers may say of their own (PXE 2.1 table 2-1)

#define PXE_BOOT_ITEM 71 // in option 43: a menu's item, and its layer 0

// Routes come before routers (RFC 3442).
static const uint8_t wanted[] = {
    DHCP_SUBNET_MASK,    DHCP_ROUTES,     DHCP_ROUTER,    DHCP_DNS,       DHCP_HOSTNAME,     DHCP_DOMAIN,           DHCP_ROOT_PATH,
    DHCP_MTU,            DHCP_NTP,        DHCP_LEASE_TIME, DHCP_SERVER_ID,   DHCP_VENDOR_CLASS,     DHCP_BOOTFILE,
    DHCP_VENDOR_OPTIONS, DHCP_IPXE,       DHCP_DOMAIN_SEARCH,                DHCP_TFTP_SERVER_NAME,
    PXE_VENDOR,          PXE_VENDOR + 1,  PXE_VENDOR + 2, PXE_VENDOR + 3,    PXE_VENDOR + 4,        PXE_VENDOR + 5,
    PXE_VENDOR + 6,      PXE_VENDOR + 7,
};

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
    return c->state == DHCP_DONE ? 0 : c->state == DHCP_FAILED ? c->error : PENDING;
}

uint64_t dhcp_client_deadline(const struct dhcp_client *c)
{
    if (c->state == DHCP_DONE || c->state == DHCP_FAILED)
        return UINT64_MAX;
    return c->send_due ? 0 : c->deadline;
}

// --- sending ---

static void put_option(struct builder *b, uint8_t code, const void *data, size_t len)
{
    builder_u8(b, code);
    builder_u8(b, (uint8_t)len);
    builder_bytes(b, data, len);
}

// Who we are: everything that servers choose an answer by (PXE 2.1 table 2-1, RFC 4578).
static void put_identity(const struct dhcp_config *config, struct builder *b)
{
    bool efi = config->arch != 0;
    char vendor[40];
    int n = fmt_snprintf(vendor, sizeof vendor, "PXEClient:Arch:%05u:UNDI:%s", (unsigned)config->arch,
                         efi ? "003010" : "002001");
    put_option(b, DHCP_VENDOR_CLASS, vendor, (size_t)n);
    put_option(b, DHCP_USER_CLASS, "iPXE", 4);
    uint8_t id[7] = { HTYPE_ETHERNET };
    memcpy(id + 1, config->mac, 6);
    put_option(b, DHCP_CLIENT_ID, id, sizeof id);
    const uint8_t arch[2] = { (uint8_t)(config->arch >> 8), (uint8_t)config->arch };
    put_option(b, DHCP_CLIENT_ARCH, arch, sizeof arch);
    const uint8_t ndi[3] = { 1, efi ? 3 : 2, efi ? 16 : 1 };
    put_option(b, DHCP_CLIENT_NDI, ndi, sizeof ndi);
    if (config->has_uuid) {
        uint8_t uuid[17] = { 0 };
        memcpy(uuid + 1, config->uuid, 16);
        put_option(b, DHCP_CLIENT_UUID, uuid, sizeof uuid);
    }
    uint8_t features[3 * DHCP_FEATURES_MAX];
    size_t len = 0;
    for (unsigned i = 0; i < MIN(config->feature_count, (unsigned)DHCP_FEATURES_MAX); i++) {
        features[len++] = config->features[i];
        features[len++] = 1;
        features[len++] = 1;
    }
    put_option(b, DHCP_IPXE, features, len);
}

size_t dhcp_build(const struct dhcp_client *c, uint8_t *buf, size_t cap, uint64_t now)
{
    struct builder b = builder_make(buf, MIN(cap, (size_t)DHCP_PACKET_MAX));
    uint8_t type = c->state == DHCP_DISCOVERING ? DHCP_DISCOVER : DHCP_REQUEST;
    const uint8_t max_size[2] = { DHCP_PACKET_MAX >> 8, DHCP_PACKET_MAX & 0xff };
    builder_u8(&b, OP_REQUEST);
    builder_u8(&b, HTYPE_ETHERNET);
    builder_u8(&b, 6);
    builder_u8(&b, 0);
    builder_u32_be(&b, c->config.xid);
    builder_u16_be(&b, (uint16_t)MIN((now - c->started) >> 20, (uint64_t)UINT16_MAX)); // near enough to seconds
    builder_u16_be(&b, c->bound ? 0 : FLAG_BROADCAST);
    if (c->bound)
        builder_bytes(&b, c->lease.ip, 4); // ciaddr
    else
        builder_zeros(&b, 4);
    builder_zeros(&b, 12);
    builder_bytes(&b, c->config.mac, 6);
    builder_zeros(&b, 10 + 64 + 128);
    builder_u32_be(&b, 0x63825363u);
    put_option(&b, DHCP_MESSAGE_TYPE, &type, 1);
    put_option(&b, DHCP_MAX_SIZE, max_size, 2);
    put_identity(&c->config, &b);
    put_option(&b, DHCP_PARAMETERS, wanted, sizeof wanted);
    if (c->state == DHCP_REQUESTING) {
        put_option(&b, DHCP_SERVER_ID, c->lease.server_id, 4);
        put_option(&b, DHCP_REQUESTED_IP, c->lease.ip, 4);
    }
    if (c->item.type) {
        const uint8_t item[] = { PXE_BOOT_ITEM, 4, (uint8_t)(c->item.type >> 8), (uint8_t)c->item.type, 0, 0, DHCP_END };
        put_option(&b, DHCP_VENDOR_OPTIONS, item, sizeof item);
    }
    builder_u8(&b, DHCP_END);
    if (b.len < DHCP_PACKET_MIN)
        builder_zeros(&b, DHCP_PACKET_MIN - b.len);
    return b.bad ? 0 : b.len;
}

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

// With the address: what is not known about the boot is asked for at the PXE server that was heard, then waited for.
static void complete(struct dhcp_client *c, uint64_t now)
{
    const struct dhcp_lease *server = c->proxy.packet_len ? &c->proxy : &c->lease;
    if (c->config.want_proxy && c->proxy.packet_len)
        dhcp_lease_add_boot(&c->lease, &c->proxy);
    c->state = DHCP_DONE;
    dhcp_renew_begin(c, now);
    if (!lacks_boot(c))
        return;
    if (server->pxe && !c->asked) {
        c->asked = true;
        memcpy(c->proxy_address, server->server_id, 4);
        (void)dhcp_menu_first(server->packet, server->packet_len, &c->item);
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

// The better of two offers is of a server that has not refused; then, that names a file.
static unsigned worth(const struct dhcp_client *c, const struct dhcp_lease *offer)
{
    return (was_refused(c, offer) ? 0 : 2) + (offer->filename[0] != 0);
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
    else if (c->state != DHCP_PROXYING && c->tries >= c->config.attempts)
        give_up(c, c->naks ? ERR_DHCP_REFUSED : ERR_DHCP_NO_OFFER);
    else
        c->send_due = true;
}

size_t dhcp_client_output(struct dhcp_client *c, uint8_t *buf, size_t cap, struct dhcp_datagram *ret, uint64_t now)
{
    if (c->state == DHCP_DONE)
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
    if (c->state == DHCP_PROXYING) {
        memcpy(d.src, c->lease.ip, 4);
        const uint8_t *server = c->item.type ? c->item.server : c->proxy_address;
        if (!net_ip4_is_none(server)) { // an item that no server is known for is asked for by broadcast
            memcpy(d.dst, server, 4);
            d.dst_port = DHCP_PROXY_PORT;
        }
    }
    *ret = d;
    c->send_due = false;
    // Machines that were switched on together must not ask together for ever.
    uint32_t jitter = (c->config.jitter >> (c->tries & 7)) & JITTER_MASK;
    c->deadline = now + ((uint64_t)DHCP_FIRST_TIMEOUT_US << MIN(c->tries, 5u)) + jitter;
    c->tries++;
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
        complete(c, now);
    } else if (c->heard.type == DHCP_NAK && !c->nak) {
        c->nak = true;
        c->deadline = MIN(c->deadline, now + DHCP_NAK_WAIT_US);
    }
}

// With the address: an answer of port 4011, or a proxy that is late. An ACK that comes twice is neither.
static void hear_when_bound(struct dhcp_client *c, uint16_t from_port, uint64_t now)
{
    if (!c->heard.pxe || (c->heard.type != DHCP_ACK && c->heard.type != DHCP_OFFER))
        return;
    if (c->heard.type == DHCP_OFFER && from_port == DHCP_SERVER_PORT) {
        if (net_ip4_is_none(c->heard.ip) && hear_proxy(c))
            complete(c, now);
    } else if (c->state == DHCP_PROXYING && (c->heard.filename[0] || from_port == DHCP_PROXY_PORT)) {
        struct dhcp_boot_item asked = c->item;
        c->proxy = c->heard;
        complete(c, now);
        // A menu instead of a file: its first item is asked for, once.
        if (lacks_boot(c) && !asked.type && dhcp_menu_first(c->proxy.packet, c->proxy.packet_len, &c->item))
            go(c, DHCP_PROXYING, now);
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
    if (c->state == DHCP_DONE) {
        dhcp_renew_input(c, now);
    } else if (c->bound) {
        hear_when_bound(c, from_port, now);
    } else if (c->state == DHCP_REQUESTING) {
        hear_in_request(c, now);
    } else if (c->heard.type == DHCP_OFFER) {
        hear_offer(c, now);
    } else if (c->heard.type == 0 && !net_ip4_is_none(c->heard.ip) && len >= DHCP_PACKET_MIN) {
        c->lease = c->heard; // BOOTP, which has no short packets: nothing more to ask
        c->bound = true;
        c->state = DHCP_DONE;
    }
}
