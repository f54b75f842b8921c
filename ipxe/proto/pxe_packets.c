// SPDX-License-Identifier: MPL-2.0
// See pxe_packets.h.
#include "proto/pxe_packets.h"

// Offsets of BOOTP's fields (RFC 2131 figure 1).
#define BOOTP_OP 0
#define BOOTP_YIADDR 16
#define BOOTP_SIADDR 20
#define BOOTP_FILE 108
#define BOOTP_OPTIONS 240 // behind the magic
#define OP_REPLY 2
#define OPTION_MAX 255 // bytes of its value

static bool has_a_field(uint8_t code)
{
    return code == DHCP_OVERLOAD || code == DHCP_MESSAGE_TYPE || code == DHCP_TFTP_SERVER_NAME || code == DHCP_BOOTFILE;
}

size_t pxe_answer_build(const struct pxe_origin *origin, const uint8_t ip[4], const uint8_t *discover, pxe_option *option, void *ctx,
                        uint8_t buf[PXE_PACKET_MAX])
{
    uint8_t *at = buf + BOOTP_OPTIONS, *end = buf + PXE_PACKET_MAX - 1; // which is DHCP_END's
    const uint8_t *value;
    size_t len;
    memset(buf, 0, PXE_PACKET_MAX);
    memcpy(buf, discover, BOOTP_OPTIONS);
    buf[BOOTP_OP] = OP_REPLY;
    memcpy(buf + BOOTP_YIADDR, ip, 4);
    memcpy(buf + BOOTP_SIADDR, origin->server, 4);
    memcpy(buf + BOOTP_FILE, origin->file, PXE_FILE_MAX);
    *at++ = DHCP_MESSAGE_TYPE;
    *at++ = 1;
    *at++ = DHCP_ACK;
    for (uint8_t code = DHCP_PAD + 1; code != DHCP_END; code++) {
        if (has_a_field(code) || !option(ctx, code, &value, &len) || len > OPTION_MAX || len + 2 > (size_t)(end - at))
            continue;
        *at++ = code;
        *at++ = (uint8_t)len;
        memcpy(at, value, len);
        at += len;
    }
    *at++ = DHCP_END;
    return (size_t)(at - buf);
}
