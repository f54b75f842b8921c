// SPDX-License-Identifier: MPL-2.0
// The DHCPv6 client machine (dhcp6.h; RFC 8415 section 18.2, RFC 5970):
//
//   SOLICITING --advertise, and the second is over--> REQUESTING --reply--> DONE
//        '--silence, or no address to be had--> INFORMING --reply--> DONE
#include "base/cursor.h"
#include "base/fmt.h"
#include "proto/dhcp6.h"

#define SECOND_US 1000000u
#define ATTEMPTS 2 // of each message: after 1 and 2 s
#define PREFERRED 255 // no other server needs to be waited for (RFC 8415 section 18.2.1)

enum option {
    CLIENT_ID = 1,
    SERVER_ID = 2,
    ORO = 6,
    PREFERENCE = 7,
    ELAPSED = 8,
    STATUS = 13,
    USER_CLASS = 15,
    VENDOR_CLASS = 16,
    CLIENT_ARCH = 61,
    CLIENT_NII = 62,
};
#define DUID_LL 3
#define DUID_UUID 4
#define HARDWARE_ETHERNET 1
#define ENTERPRISE_INTEL 343 // whose vendor class "PXEClient:..." is

void dhcp6_client_init(struct dhcp6_client *c, const struct dhcp_config *config, uint64_t now)
{
    memset(c, 0, sizeof *c);
    c->config = *config;
    c->message = DHCP6_SOLICIT;
    c->best = -1;
    c->started = now;
    c->result = PENDING;
}

// --- saying ---

static void put(struct builder *b, uint16_t code, const void *data, size_t len)
{
    builder_u16_be(b, code);
    builder_u16_be(b, (uint16_t)len);
    builder_bytes(b, data, len);
}

// The same for ever, whoever asks on this machine (RFC 6355), as its firmware has it; else the card's.
static size_t make_duid(const struct dhcp_config *config, uint8_t duid[DHCP6_DUID_MAX])
{
    store16_be(duid, config->has_uuid ? DUID_UUID : DUID_LL);
    if (config->has_uuid) {
        memcpy(duid + 2, config->uuid, 16);
        return 18;
    }
    store16_be(duid + 2, HARDWARE_ETHERNET);
    memcpy(duid + 4, config->mac, 6);
    return 10;
}

static void put_identity(struct builder *b, const struct dhcp_config *config)
{
    static const uint8_t user[] = { 0, 4, 'i', 'P', 'X', 'E' }, nii[] = { 1, 3, 10 };
    uint8_t duid[DHCP6_DUID_MAX], arch[2], class[6 + DHCP_CLASS_MAX];
    put(b, CLIENT_ID, duid, make_duid(config, duid));
    store16_be(arch, config->arch);
    put(b, CLIENT_ARCH, arch, 2);
    put(b, CLIENT_NII, nii, sizeof nii);
    put(b, USER_CLASS, user, sizeof user);
    size_t len = dhcp_class(config, (char *)class + 6);
    store32_be(class, ENTERPRISE_INTEL);
    store16_be(class + 4, (uint16_t)len);
    put(b, VENDOR_CLASS, class, 6 + len);
}

size_t dhcp6_client_output(struct dhcp6_client *c, uint8_t *buf, size_t cap, uint64_t now)
{
    static const uint8_t wanted[] = { 0, DHCP6_DNS, 0, DHCP6_SEARCH, 0, DHCP6_BOOT_URL, 0, DHCP6_BOOT_PARAMETERS };
    if (c->result != PENDING || now < c->deadline)
        return 0;
    if (c->best >= 0 && c->message == DHCP6_SOLICIT) { // all who wanted to have answered
        c->message = DHCP6_REQUEST;
        c->tries = 0;
    } else if (c->tries >= ATTEMPTS && c->message != DHCP6_INFORM) {
        c->message = DHCP6_INFORM;
        c->tries = 0;
    } else if (c->tries >= ATTEMPTS) {
        c->result = ERR_DHCP_NO_OFFER;
        return 0;
    }
    struct builder b = builder_make(buf, cap);
    uint8_t elapsed[2], ia[12 + 28] = { 0 };
    builder_u32_be(&b, (uint32_t)c->message << 24 | (c->config.xid & 0xffffff));
    store16_be(elapsed, (uint16_t)MIN((now - c->started) >> 13, (uint64_t)UINT16_MAX)); // near enough to hundredths
    put(&b, ELAPSED, elapsed, 2);
    put_identity(&b, &c->config);
    put(&b, ORO, wanted, sizeof wanted);
    if (c->message == DHCP6_REQUEST)
        put(&b, SERVER_ID, c->server, c->server_len);
    memcpy(ia, c->config.mac + 2, 4); // the identity association of this card
    store16_be(ia + 12, DHCP6_IA_ADDRESS);
    store16_be(ia + 14, 24);
    memcpy(ia + 16, c->lease.ip, 16);
    if (c->message != DHCP6_INFORM)
        put(&b, DHCP6_IA_NA, ia, c->message == DHCP6_REQUEST ? sizeof ia : 12);
    c->deadline = now + (SECOND_US << c->tries++) + (c->config.jitter & 0xffff);
    return b.bad ? 0 : b.len;
}

// --- hearing ---

// What says whether a message is for this client, and how good it is.
struct head {
    uint8_t server[DHCP6_DUID_MAX];
    size_t server_len;
    bool ours, refused;
    int preference;
};

static bool read_head(const struct dhcp6_client *c, struct cursor cur, struct head *h)
{
    uint8_t duid[DHCP6_DUID_MAX];
    size_t duid_len = make_duid(&c->config, duid);
    (void)cursor_bytes(&cur, 4);
    while (cur.len) {
        uint16_t code = cursor_u16_be(&cur), len = cursor_u16_be(&cur);
        const uint8_t *data = cursor_bytes(&cur, len);
        if (!data)
            return false;
        if (code == CLIENT_ID)
            h->ours = len == duid_len && memcmp(data, duid, len) == 0;
        else if (code == SERVER_ID && len <= DHCP6_DUID_MAX) {
            memcpy(h->server, data, len);
            h->server_len = len;
        } else if (code == PREFERENCE && len == 1)
            h->preference = data[0];
        else if (code == STATUS && len >= 2)
            h->refused = load16_be(data) != 0;
    }
    return h->ours && h->server_len;
}

void dhcp6_client_input(struct dhcp6_client *c, const uint8_t *data, size_t len, uint64_t now)
{
    struct head h = { 0 };
    struct dhcp6_lease lease;
    if (c->result != PENDING || len < 4 || (load32_be(data) & 0xffffff) != (c->config.xid & 0xffffff) ||
        !read_head(c, cursor_make(data, len), &h) || dhcp6_lease_read(data, len, &lease) != 0)
        return;
    bool good = !h.refused && (lease.has_ip || c->message == DHCP6_INFORM);
    if (c->message == DHCP6_SOLICIT && data[0] == DHCP6_ADVERTISE) {
        int worth = h.preference * 2 + (lease.boot_url[0] != 0);
        if (good && worth > c->best) {
            c->best = worth;
            c->lease = lease;
            memcpy(c->server, h.server, h.server_len);
            c->server_len = h.server_len;
        } else if (!good && c->best < 0) {
            c->tries = ATTEMPTS; // it has none; whether it knows more is asked for once the second is over
        }
        if (good && h.preference == PREFERRED)
            c->deadline = now;
    } else if (c->message != DHCP6_SOLICIT && data[0] == DHCP6_REPLY) {
        if (c->message == DHCP6_REQUEST && (h.server_len != c->server_len || memcmp(h.server, c->server, h.server_len) != 0))
            return;
        if (!good) { // taken back: what else it knows is asked for
            c->tries = ATTEMPTS;
            c->deadline = now;
            return;
        }
        c->lease = lease;
        c->lease.has_ip &= c->message == DHCP6_REQUEST;
        c->result = 0;
    }
}

uint64_t dhcp6_client_deadline(const struct dhcp6_client *c)
{
    return c->result == PENDING ? c->deadline : UINT64_MAX;
}
