// SPDX-License-Identifier: MPL-2.0
// The network stack: lwIP over the platform's cards. One stack in a process (lwIP's state is global), so
// these functions take no context. Card numbers are the platform's; a zone is card number + 1.
#pragma once
#include "base/addr.h"
#include "core/platform.h"
#include "proto/dhcp.h"

// Starts lwIP and registers the platform's cards (none is opened yet). It begins from nothing: what it was started for before, on
// whatever platform, is forgotten, even where that came to no end (a power cut, a boot).
// ERR_NET_NO_CARD when there is none: the stack runs all the same.
int net_start(const struct platform *platform);

// The reverse: cards are closed, sockets, connections, look-ups, addresses and routes are no more, and no handle of theirs may be
// used. There are no cards until net_start, which can follow as often as one likes.
void net_stop(void);

// Opens a card and brings up its IPv6 link-local address (SLAAC goes on by itself). 0 when it is open already.
int net_open(unsigned nic);

// Closes a card, which loses its addresses.
void net_close(unsigned nic);

// Closes every connection and card: no frame is received until one is opened.
void net_close_all(void);

bool net_is_open(unsigned nic);
bool net_link(unsigned nic); // is it open, and has it a link? True where the platform cannot tell
unsigned net_nic_count(void);
const struct card_info *net_nic(unsigned nic);

// Tells a card once more which multicast addresses it is to receive: somebody else has had it.
void net_tell_groups(unsigned nic);

// The fewest frames under way beyond which an open card is known to stall (struct card_info). 0: none is known.
unsigned net_rx_limit(void);
// The receive buffers of the narrowest open card. 0: not known.
unsigned net_rx_buffers(void);

// Takes in frames that have arrived and runs lwIP's timers. Returns how much came of it: frames taken, and connections and look-ups that
// have ended.
unsigned net_poll(void);

// When net_poll has timers to run, though no frame came; of the platform's clock. UINT64_MAX: there are none.
uint64_t net_deadline(void);

// Received frames that were dropped because lwIP would not have survived them, or would have been misled (patches/lwip).
unsigned long net_refused(void);

// IPv4 of a card, network order. A gateway of 0 means none. The first card with a gateway has the default route.
void net_set_ipv4(unsigned nic, const uint8_t ip[4], const uint8_t mask[4], const uint8_t gateway[4]);
bool net_get_ipv4(unsigned nic, uint8_t ip[4], uint8_t mask[4], uint8_t gateway[4]); // false: not set

// Further IPv4 routes of a card in place of those it had; of the gateway 0.0.0.0 are networks on its link. The longest
// prefix holds; what is on a card's own network stays there, and the default gateway has the rest.
void net_set_routes(unsigned nic, const struct dhcp_route *routes, unsigned count);

// The IP MTU of an open card's link, for what is sent and for what TCP asks others to send. Never above the card's own,
// which is also what 0 and a value below DHCP_MTU_MIN mean.
void net_set_mtu(unsigned nic, uint16_t mtu);
// The MTU of the link that leads to an address.
uint16_t net_mtu(const struct net_addr *to);

// One more IPv6 address of a card, which is known to be unique on its link (a /64). ERR_NO_MEMORY when it has its fill.
int net_add_ipv6(unsigned nic, const uint8_t ip[16]);

// The i-th valid IPv6 address of a card (0 = link-local). False when there are no more.
bool net_get_ipv6(unsigned nic, unsigned i, uint8_t ip[16]);

// Name servers for net_resolve, most wanted first, in place of those that it had from there. Whoever is first in this list is
// asked first; NET_DNS_MAX of all are kept. A look-up under way ends, unless the list is the one that was set before.
enum net_dns_from {
    NET_DNS_SETTINGS, // a person or an IPv4 lease
    NET_DNS_DHCP6,
    NET_DNS_ROUTER, // an IPv6 router's advertisement, which net/ hears by itself
    NET_DNS_FROM
};
#define NET_DNS_MAX 4
void net_set_dns(enum net_dns_from from, const struct net_addr *servers, unsigned count);
bool net_has_dns(void);

// Domains for names without a dot, most wanted first, a blank between two; "": none. The text is copied.
void net_set_search(const char *domains);
// The i-th name that `name` may stand for, into buf: completed by each domain, at last itself. False when there are no more.
bool net_search_name(const char *name, unsigned i, char *buf, size_t cap);

#define NET_ADDRESSES_MAX 4 // of a name and a family; an answer's further ones are not kept

// Looks up a host name's addresses of one family (AAAA or A), in the order of the answer, with port 0 and no zone. Starts on
// the first call with a name and family and is polled while it is PENDING: their number, ERR_DNS_FAILED, or
// ERR_CONN_REFUSED (the last name server does not serve). The name is copied; another one gives up the one before, whose
// answer is worth nothing from then on.
int net_resolve(const char *name, bool v6, struct net_addr ret[NET_ADDRESSES_MAX]);

// Has an open card an address that a host with this one can answer?
bool net_can_send(const struct net_addr *to);

// What was sent there found no answer. Where a router is on the way (IPv6) and the link has others, the next one has its turn, with an
// address of its own network: true. Which one is honest nobody can say beforehand.
bool net_doubt(const struct net_addr *to);

// --- UDP ---

struct net_udp;
// `nic` is the card that received it. Data is valid during the call only.
typedef void net_udp_receiver(void *ctx, unsigned nic, const struct net_addr *from, const uint8_t *data, size_t len);

// Opens a socket on a local port (0: one by chance, that nobody can guess). NULL when out of memory or the port is in use.
struct net_udp *net_udp_open(uint16_t port, net_udp_receiver *receive, void *ctx);
void net_udp_close(struct net_udp *udp);

// `to` is a host that refuses what this socket has sent to that port, as an ICMP error says which quotes it: who forges one has to
// guess the socket's port. NULL: the owner does not want to know.
typedef void net_udp_refusal(void *ctx, const struct net_addr *to);
void net_udp_on_refusal(struct net_udp *udp, net_udp_refusal *refused);

// Sends one datagram. A zone in `to` chooses the card (needed for multicast, broadcast, link-local). What goes to the same host leaves by
// the same card and from the same address as before, until the card has that address no more, there is no route, or net_doubt was called.
// ERR_NET_NO_ADDRESS, ERR_NET_NO_ROUTE, ERR_NO_MEMORY, ERR_NET_LINK.
int net_udp_send(struct net_udp *udp, const struct net_addr *to, const void *data, size_t len);

// --- TCP ---

struct net_tcp;
enum net_tcp_event {
    NET_TCP_CONNECTED,
    NET_TCP_DATA,   // data, len
    NET_TCP_CLOSED, // the peer has sent everything
    NET_TCP_FAILED, // err: ERR_CONN_REFUSED, ERR_CONN_RESET, ERR_TIMED_OUT. The handle is dead after this call
};
typedef void net_tcp_receiver(void *ctx, enum net_tcp_event event, const uint8_t *data, size_t len, int err);

// ERR_NET_NO_ADDRESS: no card has one of this family. ERR_NET_NO_ROUTE. ERR_NO_MEMORY. *ret is NULL then.
int net_tcp_connect(const struct net_addr *to, net_tcp_receiver *receive, void *ctx, struct net_tcp **ret);
int net_tcp_send(struct net_tcp *tcp, const void *data, size_t len); // from NET_TCP_CONNECTED on; ERR_INVALID before
void net_tcp_close(struct net_tcp *tcp); // any time, NULL allowed

// --- Ethernet ---

struct net_ether;
// What is behind the type, with whatever a short frame was filled up with. It and `from` are valid during the call only, in which the
// socket may send and may be closed.
typedef void net_ether_receiver(void *ctx, const uint8_t from[6], const uint8_t *data, size_t len);

// Opens a socket for the frames of one type (EtherType, IEEE 802) on one card, which may be closed yet: those to its address, to groups
// and to all. NULL: no such card; no such type, or one that lwIP takes (IP, ARP, IPv6, a VLAN's); the type has a socket on that card;
// all sockets are in use. Nothing is queued: a frame is given to `receive` by net_poll, or to nobody.
struct net_ether *net_ether_open(unsigned nic, uint16_t type, net_ether_receiver *receive, void *ctx);
void net_ether_close(struct net_ether *ether); // NULL allowed

// Sends one frame of the socket's type. ERR_TOO_LARGE (more than 1500 bytes), ERR_NET_LINK (also where the card is closed).
int net_ether_send(const struct net_ether *ether, const uint8_t to[6], const void *data, size_t len);
