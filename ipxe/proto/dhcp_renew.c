// SPDX-License-Identifier: MPL-2.0
// What the client machine does once it is done (dhcp.h): it keeps its lease (RFC 2131 4.4.5). At half of the time the server is asked,
// from seven eighths on everyone, each time when half of what is left is over. What a server says of its own about these
// times (58, 59) is not looked at, so it cannot be wrong.
#include "proto/dhcp.h"

#define SECOND_US 1000000u
#define LEAST_S 8 // a shorter lease is taken for one of this length: nobody is asked without a pause

void dhcp_renew_begin(struct dhcp_client *c, uint64_t now)
{
    uint64_t length = (uint64_t)MAX(c->lease.lease_s, LEAST_S) * SECOND_US;
    bool ends = c->lease.lease_s != 0 && c->lease.lease_s != UINT32_MAX;
    c->lease_end = ends ? now + length : 0;
    c->rebind_from = now + length - (length >> 3);
    c->renew_at = now + (length >> 1);
}

size_t dhcp_renew_output(struct dhcp_client *c, uint8_t *buf, size_t cap, struct dhcp_datagram *ret, uint64_t now)
{
    if (!c->lease_end || now < c->renew_at || now >= c->lease_end)
        return 0;
    c->renew_at = now + MAX((c->lease_end - now) >> 1, (uint64_t)SECOND_US);
    *ret = (struct dhcp_datagram){ .src_port = DHCP_CLIENT_PORT, .dst_port = DHCP_SERVER_PORT };
    memcpy(ret->src, c->lease.ip, 4);
    memset(ret->dst, 0xff, 4);
    if (now < c->rebind_from)
        memcpy(ret->dst, c->lease.server_id, 4);
    return dhcp_build(c, buf, cap, now);
}

void dhcp_renew_input(struct dhcp_client *c, uint64_t now)
{
    const struct dhcp_lease *heard = &c->heard;
    bool same_server = memcmp(heard->server_id, c->lease.server_id, 4) == 0;
    if (heard->type == DHCP_NAK && same_server && c->lease_end) {
        c->lease_end = now;
    } else if (heard->type == DHCP_ACK && memcmp(heard->ip, c->lease.ip, 4) == 0 && heard->lease_s && now < c->lease_end) {
        c->lease.lease_s = heard->lease_s;
        memcpy(c->lease.server_id, heard->server_id, 4);
        dhcp_renew_begin(c, now);
    }
}

uint64_t dhcp_renew_deadline(const struct dhcp_client *c)
{
    return c->lease_end ? MIN(c->renew_at, c->lease_end) : UINT64_MAX;
}

bool dhcp_client_over(const struct dhcp_client *c, uint64_t now)
{
    return c->state == DHCP_DONE && c->lease_end && now >= c->lease_end;
}

void dhcp_client_adopt(struct dhcp_client *c, const struct dhcp_config *config, const struct dhcp_lease *lease, uint64_t now)
{
    dhcp_client_init(c, config, now);
    c->lease = *lease;
    c->bound = true;
    dhcp_client_settle(c);
    dhcp_renew_begin(c, now);
}
