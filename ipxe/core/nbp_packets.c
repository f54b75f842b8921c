// SPDX-License-Identifier: MPL-2.0
// See nbp_packets.h.
#include "core/nbp_packets.h"

#include "base/fmt.h"
#include "core/network.h"
#include "net/net.h"

static bool option_of(void *ctx, uint8_t code, const uint8_t **ret, size_t *ret_len)
{
    char name[4];
    enum setting_type type;
    fmt_snprintf(name, sizeof name, "%u", code);
    return settings_find(ctx, name, ret, ret_len, &type) == 0;
}

// All of it, or nothing.
static void get(const struct settings *settings, const char *name, void *to, size_t size)
{
    const uint8_t *value;
    size_t len;
    enum setting_type type;
    if (settings_find(settings, name, &value, &len, &type) == 0 && len <= size)
        memcpy(to, value, len);
}

void core_nbp_packets(struct core *core, unsigned nic, struct pxe_origin *origin, struct pxe_api_packets *ret)
{
    static uint8_t discover[DHCP_PACKET_MAX], answer[PXE_PACKET_MAX];
    uint8_t ip[4], mask[4], gateway[4];
    if (net_ip4_is_none(origin->server)) {
        get(&core->settings, "next-server", origin->server, sizeof origin->server);
        get(&core->settings, "filename", origin->file, sizeof origin->file - 1);
    }
    (void)net_get_ipv4(nic, ip, mask, gateway);
    uint16_t discover_len = (uint16_t)core_dhcp_discover(core, nic, discover);
    uint16_t len = (uint16_t)pxe_answer_build(origin, ip, discover, option_of, &core->settings, answer);
    *ret = (struct pxe_api_packets){ { discover, answer, answer }, { discover_len, len, len } };
}
