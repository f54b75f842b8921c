// SPDX-License-Identifier: MPL-2.0
// See connection.h.
#include "core/connection.h"

#include "net/net.h"

#define ROUTE_LIMIT_US 5000000u

// A card that has just come up may have to wait for the router's advertisement.
struct attempt {
    struct connection *connection;
    const struct net_addr *to;
    uint64_t end;
};

static int connect_step(void *ctx, uint64_t *wake)
{
    const struct attempt *a = ctx;
    int err = a->connection->carrier->connect(a->connection, a->to);
    bool may_come = !net_addr_is_v4(a->to) && (err == ERR_NET_NO_ADDRESS || err == ERR_NET_NO_ROUTE);
    *wake = a->end;
    return may_come && core_now(a->connection->core) <= a->end ? PENDING : err;
}

int connection_connect(struct connection *c, const struct net_addr *to)
{
    c->handle = NULL;
    c->answered = false;
    c->error = 0;
    int err = core_drive(c->core, connect_step, &(struct attempt){ c, to, core_now(c->core) + ROUTE_LIMIT_US });
    c->since = core_now(c->core);
    return err;
}

int connection_judge(const struct connection *c, struct core_names *names, uint64_t *wake)
{
    if (c->error || c->answered)
        return c->error;
    *wake = MIN(*wake, core_names_deadline(names, c->since));
    return core_names_judge(names, c->since);
}

int connection_send(struct connection *c, const void *data, size_t len)
{
    return c->carrier->send(c, data, len);
}

void connection_close(struct connection *c)
{
    c->carrier->close(c);
    c->handle = NULL;
}

void connection_opened(struct connection *c)
{
    c->answered = true;
    c->error = c->owner->opened(c->ctx);
}

void connection_broke(struct connection *c, int err)
{
    c->handle = NULL;
    c->error = err;
}

// ---- TCP ---------------------------------------------------------------------------------------------------

static void tcp_event(void *ctx, enum net_tcp_event event, const uint8_t *data, size_t len, int err)
{
    struct connection *c = ctx;
    if (event == NET_TCP_CONNECTED)
        connection_opened(c);
    else if (event == NET_TCP_DATA)
        c->owner->bytes(c->ctx, data, len);
    else if (event == NET_TCP_CLOSED)
        c->owner->ended(c->ctx);
    else
        connection_broke(c, err);
}

static int tcp_connect(struct connection *c, const struct net_addr *to)
{
    struct net_tcp *tcp;
    int err = net_tcp_connect(to, tcp_event, c, &tcp);
    c->handle = tcp;
    return err;
}

static int tcp_send(struct connection *c, const void *data, size_t len)
{
    return net_tcp_send(c->handle, data, len);
}

static void tcp_close(struct connection *c)
{
    net_tcp_close(c->handle);
}

const struct connection_carrier connection_tcp = { tcp_connect, tcp_send, tcp_close };
