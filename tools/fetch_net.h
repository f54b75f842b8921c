// SPDX-License-Identifier: MPL-2.0
// The fetching side's sockets: one for IPv4, one for IPv6. A zone in a net_addr is an index (from 1) into the
// table of interfaces here, since interface numbers may be larger than it can hold.
#pragma once
#include "base/addr.h"
#include "opts.h"
#include "phase2/client.h"
#include <sys/types.h>

#define FETCH_INTERFACES_MAX 64
// Datagrams taken in at once. Where the kernel joins them these are up to 64 KiB each: more would not stay in a processor's
// nearest cache until they are copied to their place.
#define FETCH_BATCH 16
#define FETCH_BATCH_JOINED 4

struct fetch_net {
    int v4, v6; // -1: the host has none
    uint32_t interfaces[FETCH_INTERFACES_MAX];
    unsigned interface_count;
    uint16_t rx_buffers; // datagrams that the sockets hold
    bool joined;         // the kernel joins datagrams
};

int fetch_net_open(struct fetch_net *net);
void fetch_net_close(struct fetch_net *net);

// Addresses of a host (literal, "fe80::1%eth0", or a name to be looked up). Their number, or -1 after a message.
int fetch_net_resolve(struct fetch_net *net, const char *host, uint16_t port, struct net_addr *ret, unsigned max);

// Where to ask when no server is named: the discovery groups on `interface` (NULL: on all that are up) and the
// IPv4 broadcast address. Their number.
unsigned fetch_net_targets(struct fetch_net *net, const char *interface, uint16_t port, struct net_addr *ret,
                           unsigned max);

// The largest block that one datagram carries from an address, for struct p2_client_config: its way is taken to be as wide as ours.
uint16_t fetch_net_block(const struct fetch_net *net, const struct net_addr *from);

// Sends one datagram; what cannot be sent is lost, as on any wire.
void fetch_net_send(struct fetch_net *net, const uint8_t *data, size_t len, const struct net_addr *to);

// Hands over a batch of the datagrams that are waiting. Returns the number of messages they came in.
unsigned fetch_net_receive(struct fetch_net *net, void (*take)(void *ctx, const uint8_t *data, size_t len,
                                                               const struct net_addr *from), void *ctx);

// Waits for a datagram or for `news`, an eventfd (-1: none), which it clears; at most `us`.
void fetch_net_wait(const struct fetch_net *net, int news, uint64_t us);
