// SPDX-License-Identifier: MPL-2.0
// See sending.h.
#include "core/sending.h"

#include "base/err.h"

int sending_judge(struct sending *s, int err, const struct net_addr *to, uint64_t now)
{
    if (!s->error)
        s->since = now;
    s->error = err;
    if (!err || err == ERR_NET_LINK)
        return 0;
    bool no_way = err == ERR_NET_NO_ADDRESS || err == ERR_NET_NO_ROUTE;
    return (no_way && to && net_addr_is_v4(to) && !to->zone) || now - s->since >= SENDING_LIMIT_US ? err : 0;
}

int sending_reason(const struct sending *s, int err)
{
    return s->error && (err == ERR_TIMED_OUT || err == ERR_P2_NO_SERVER || err == ERR_P2_STALLED) ? s->error : err;
}
