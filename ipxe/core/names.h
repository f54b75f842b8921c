// SPDX-License-Identifier: MPL-2.0
// The addresses of a URI's host, in the order in which they are to be tried: the first one of the family that this machine has
// an address in, the other family's first one, then the further ones by turns. Both: IPv4 comes first. The other family is looked
// up when it is needed only, since some name servers never answer for it.
#pragma once
#include "core/network.h"
#include "net/net.h"

// An address that has not answered for so long gives way, where there is another one; the last one has the time that the
// transport gives it. A server's answer to a SYN or a request that was lost once has come by then.
#define CORE_PATIENCE_US 5000000u

struct core_names {
    struct core *core;
    uint16_t port;
    char name[URI_HOST_MAX + DHCP_NAME_MAX]; // in full
    struct net_addr addrs[2][NET_ADDRESSES_MAX]; // IPv4, IPv6
    uint8_t count[2], taken[2];
    bool first; // index of the family that comes first
    bool asked; // nothing is left to look up
    uint64_t end; // of the other family's look-up; 0: not begun
    unsigned detours; // times that an address was asked again through another router
};

// Host name or address literal, with the URI's port or `port`. 0: there is an address to take. ERR_DNS_FAILED (a name server that
// refuses is said to do so), ERR_URI_MALFORMED, ERR_CANCELLED.
int core_names_open(struct core_names *n, struct core *core, const struct uri *uri, uint16_t port);

// A single address.
void core_names_set(struct core_names *n, struct core *core, const struct net_addr *addr);

// Of a file's server: the cards are opened, and a URI without a host means the next server of DHCP. 0 or an error of these.
int core_names_servers(struct core_names *n, struct core *core, const struct uri *uri, uint16_t port);

// Is there one more among those that are known?
bool core_names_left(const struct core_names *n);

// The same, and the other family is looked up if nobody has yet; frames are taken in meanwhile. It counts only where this machine
// has an address to send from. 1, 0, or ERR_CANCELLED.
int core_names_more(struct core_names *n);

// For every round in which the address that was asked at `since` has not answered: ERR_TIMED_OUT when it gives way to another one, else
// 0. The other family is looked up step by step meanwhile, so the address has its turn until there is a better one.
int core_names_judge(struct core_names *n, uint64_t since);

// When core_names_judge may say something else though no frame came; UINT64_MAX: never.
uint64_t core_names_deadline(const struct core_names *n, uint64_t since);

// The next one, which there is.
struct net_addr core_names_take(struct core_names *n);

// The address *addr has failed with `err`: takes the next one, and says so for `part`; the same one where there is another router
// to it. 0, or `err` when there is none, or ERR_CANCELLED.
int core_names_next(struct core_names *n, const char *part, int err, struct net_addr *addr);
