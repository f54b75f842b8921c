// SPDX-License-Identifier: MPL-2.0
// A connection to a server that carries bytes both ways, for whoever speaks over one: TCP. TLS over TCP is one more carrier, and
// who speaks HTTP sees no difference.
#pragma once
#include "core/names.h"

struct connection;

struct connection_carrier {
    // Begins to connect; connection_opened or connection_broke tells how that went. ERR_NET_NO_ADDRESS, ERR_NET_NO_ROUTE, ERR_NO_MEMORY.
    int (*connect)(struct connection *c, const struct net_addr *to);
    int (*send)(struct connection *c, const void *data, size_t len); // once it is open; the bytes are copied
    void (*close)(struct connection *c);                             // any time; nothing is told any more
};
extern const struct connection_carrier connection_tcp;

// What its owner is told, in core_turn and core_glance. Each call may close the connection.
struct connection_owner {
    int (*opened)(void *ctx); // time to send what is asked. Its error breaks the connection
    void (*bytes)(void *ctx, const uint8_t *data, size_t len);
    void (*ended)(void *ctx); // the server has sent everything
};

struct connection {
    struct core *core;
    const struct connection_carrier *carrier;
    const struct connection_owner *owner;
    void *ctx;      // the owner's
    void *handle;   // the carrier's. NULL: it has none
    bool answered;  // it was opened, whatever came of it
    int error;      // it could not be opened, or broke: ERR_CONN_REFUSED, ERR_CONN_RESET, ERR_TIMED_OUT
    uint64_t since; // when connecting began
};

// Connects to one address. `c` is the caller's, filled in up to ctx, and stays where it is until connection_close. Waits only where a card
// that has just come up has no way yet.
int connection_connect(struct connection *c, const struct net_addr *to);

// Why it is not to be waited for any longer, or 0: it broke, or it is still not open and `names` has another address to try. *wake is
// moved up to when that must be asked again.
int connection_judge(const struct connection *c, struct core_names *names, uint64_t *wake);

int connection_send(struct connection *c, const void *data, size_t len);
void connection_close(struct connection *c);

// For carriers.
void connection_opened(struct connection *c);
void connection_broke(struct connection *c, int err); // the handle is dead
