// SPDX-License-Identifier: MPL-2.0
// What a DHCP client says (dhcp.h): the same about itself in each message, whoever it goes to (PXE 2.1 table 2-1).
#include "base/cursor.h"
#include "base/fmt.h"
#include "proto/dhcp.h"

#define OP_REQUEST 1
#define HTYPE_ETHERNET 1
#define FLAG_BROADCAST 0x8000 // we cannot hear unicast before we have the address

#define DHCP_NTP 42
#define PXE_VENDOR 128 // to 135: what PXE servers may say of their own (PXE 2.1 table 2-1)

// Routes come before routers (RFC 3442).
static const uint8_t wanted[] = {
    DHCP_SUBNET_MASK,    DHCP_ROUTES,     DHCP_ROUTER,    DHCP_DNS,       DHCP_HOSTNAME,     DHCP_DOMAIN,           DHCP_ROOT_PATH,
    DHCP_MTU,            DHCP_NTP,        DHCP_LEASE_TIME, DHCP_SERVER_ID,   DHCP_VENDOR_CLASS,     DHCP_BOOTFILE,
    DHCP_VENDOR_OPTIONS, DHCP_IPXE,       DHCP_DOMAIN_SEARCH,                DHCP_TFTP_SERVER_NAME,
    PXE_VENDOR,          PXE_VENDOR + 1,  PXE_VENDOR + 2, PXE_VENDOR + 3,    PXE_VENDOR + 4,        PXE_VENDOR + 5,
    PXE_VENDOR + 6,      PXE_VENDOR + 7,
};

static void put_option(struct builder *b, uint8_t code, const void *data, size_t len)
{
    builder_u8(b, code);
    builder_u8(b, (uint8_t)len);
    builder_bytes(b, data, len);
}

size_t dhcp_class(const struct dhcp_config *config, char text[DHCP_CLASS_MAX])
{
    return (size_t)fmt_snprintf(text, DHCP_CLASS_MAX, "PXEClient:Arch:%05u:UNDI:%s", (unsigned)config->arch,
                                config->arch ? "003010" : "002001");
}

// Who we are: everything that servers choose an answer by (PXE 2.1 table 2-1, RFC 4578).
static void put_identity(const struct dhcp_config *config, struct builder *b)
{
    bool efi = config->arch != 0;
    char vendor[DHCP_CLASS_MAX];
    put_option(b, DHCP_VENDOR_CLASS, vendor, dhcp_class(config, vendor));
    put_option(b, DHCP_USER_CLASS, "iPXE", 4);
    uint8_t id[7] = { HTYPE_ETHERNET };
    memcpy(id + 1, config->mac, 6);
    put_option(b, DHCP_CLIENT_ID, id, sizeof id);
    const uint8_t arch[2] = { (uint8_t)(config->arch >> 8), (uint8_t)config->arch };
    put_option(b, DHCP_CLIENT_ARCH, arch, sizeof arch);
    const uint8_t ndi[3] = { 1, efi ? 3 : 2, efi ? 10 : 1 }; // as option 60 has it
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
    if (c->state == DHCP_ASKING) {
        const uint8_t item[] = { DHCP_BOOT_ITEM, 4, (uint8_t)(c->item >> 8), (uint8_t)c->item, 0, 0, DHCP_END };
        put_option(&b, DHCP_VENDOR_OPTIONS, item, sizeof item);
    }
    builder_u8(&b, DHCP_END);
    if (b.len < DHCP_PACKET_MIN)
        builder_zeros(&b, DHCP_PACKET_MIN - b.len);
    return b.bad ? 0 : b.len;
}
