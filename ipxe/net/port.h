// SPDX-License-Identifier: MPL-2.0
// Shared by the files of net/ alone: lwIP's types beside ours.
#pragma once
#include "lwip/ip_addr.h"
#include "lwip/netif.h"
#include "net/net.h"

// What net_start and net_stop begin with, each file's own part: nothing is open, nothing is known.
void net_port_init(const struct platform *platform); // clock and randomness for lwIP
void net_udp_init(void);
void net_tcp_init(void);
void net_tcp_end(void); // says goodbye on every connection while there are cards; their owners hear that they broke
void net_ether_init(void);
void net_routes_init(void);
void net_dns_init(void);
unsigned net_netif_init(const struct platform *platform); // learns of the platform's cards: their number. NULL: it has none

const struct platform *net_port_platform(void);
void net_port_ended(void); // a connection or a look-up came to its end, maybe by a timer: its owner wants to know before he sleeps
unsigned net_port_take_ended(void); // how many since the last call

// Received frames: frames.c.
void net_frames_init(void);                                 // behind lwip_init
bool net_take_frame(struct netif *netif, struct card *card); // the card's next one; false: there is none, or no room

// lwIP's packets on their way out: answers.c. It is told who sent the frame that lwIP has at the moment, by the hardware address. NULL:
// lwIP has none.
void net_answer_to(const uint8_t *from);
err_t net_output4(struct netif *netif, struct pbuf *p, const ip4_addr_t *to);
err_t net_output6(struct netif *netif, struct pbuf *p, const ip6_addr_t *to);

// lwIP address <-> ours. `netif` gives the zone of an address that needs one.
struct net_addr net_from_lwip(const ip_addr_t *ip, uint16_t port, const struct netif *netif);
void net_to_lwip(const struct net_addr *addr, ip_addr_t *ret);

struct netif *net_netif(unsigned nic); // NULL when not open
struct card *net_card(unsigned nic);
int net_error(err_t err);              // lwIP's error as ours, but for ERR_RTE
int net_route_error(const ip_addr_t *to); // what ERR_RTE means there: no address, or no route
bool net_has_source(const ip_addr_t *to); // has an open card an address that hosts like this one can answer?

// Gives a received frame to the socket that it is for, if that can be told without lwIP. False: lwIP's turn.
bool net_direct(struct netif *netif, const uint8_t *frame, size_t len);
// Tells the socket or the look-up whose datagram is refused by this frame, if it is such an error.
void net_refused_datagram(struct netif *netif, const uint8_t *frame, size_t len);
void net_udp_refuse(const struct net_addr *to, uint16_t port, const uint8_t *sent, size_t len); // sent from this port
unsigned net_doubts(void); // how often net_doubt was called: another way is wanted
// Who hears of refusals for ports that are no socket's: those that lwIP has opened itself.
typedef void net_lwip_refusal(const struct net_addr *to, uint16_t port, const uint8_t *sent, size_t len);
void net_udp_on_lwip_refusal(net_lwip_refusal *refused);
// The look-up at hand is given up: its name servers are no more.
void net_forget_lookup(void);
// What routers' advertisements brought to cards that are closed by now is gone.
void net_forget_closed_dns(void);
// False when no socket has this port.
bool net_udp_deliver(struct netif *netif, uint16_t port, const struct net_addr *from, const uint8_t *data, size_t len);
// The same for a raw socket, by the frame's type. Costs a look at a number while there is no such socket.
bool net_ether_deliver(const struct netif *netif, const uint8_t *frame, size_t len);
