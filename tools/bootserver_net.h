// SPDX-License-Identifier: MPL-2.0
// The boot server's sockets: batches in, batches out by reference, answers from the address that was asked.
#pragma once
#include "opts.h"
#include "phase2/server.h"
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#define NET_SOCKETS_MAX 8
#define NET_BATCH 64        // datagrams taken in at once
#define NET_QUEUE 64        // runs of datagrams that wait to be sent
#define NET_QUEUE_BLOCKS 256 // datagrams in them, large ones counted as p2_block_frames says; what waits in the protocol
                             // machine instead is in the order of turns
#define NET_PATHS_MAX 255   // fits net_addr's zone
#define NET_GROUPS_MAX 256  // interfaces on which the groups were joined
// Datagrams handed to the kernel as one: no more than any kernel with GSO takes (64), and than any card cuts up: with
// its heads, also those of a tunnel, it stays below 64 KiB.
#define NET_GSO_BLOCKS 64
#define NET_GSO_BYTES 65000

// Where an answer has to leave: the protocol machine carries its number as the zone of a client's address.
struct net_path {
    uint8_t socket;
    uint32_t ifindex;   // of link-local IPv6, otherwise 0: the route decides
    uint8_t local[16];  // source address, zeros: the kernel's choice
    uint64_t heard;     // counts datagrams
};

struct net_datagram {
    struct net_addr from;
    const uint8_t *data; // valid until the next net_receive
    size_t len;
};

struct net {
    int sockets[NET_SOCKETS_MAX];
    bool is_v6[NET_SOCKETS_MAX];
    bool whole[NET_SOCKETS_MAX]; // what is too long for the way is not sent in fragments but refused
    unsigned socket_count;
    uint16_t port;
    const char *interface; // NULL: all
    bool gso;              // blocks for one client go to the kernel as one message to be cut up
    uint64_t gso_pause[NET_PATHS_MAX + 1]; // until then they do not, by path: a send was refused for it
    struct net_path paths[NET_PATHS_MAX];
    unsigned path_count;
    uint64_t heard;
    uint32_t joined[NET_GROUPS_MAX];
    unsigned joined_count;
    bool discovery; // bound to all addresses: multicast and broadcast are heard
    // What waits for room in the socket. Its image pointers hold until it is sent.
    struct p2_send queue[NET_QUEUE];
    unsigned queue_first, queue_count, queue_blocks;
    bool blocked;         // the socket was full: wait for POLLOUT
    uint64_t pause_until; // the interface was full: wait until then
    uint64_t dropped, syscalls;
};

// Opens the sockets: one for each listen address, or IPv4 and IPv6 for all. Port 0 takes a free one.
// 0, or -1 after a message.
int net_open(struct net *net, const struct opt_list *listen, uint16_t port, const char *interface, bool gso);
void net_close(struct net *net);

// Joins the discovery groups on interfaces that came up since the last call.
void net_join_groups(struct net *net);

// Up to NET_BATCH datagrams that are waiting. Returns how many.
unsigned net_receive(struct net *net, struct net_datagram datagrams[NET_BATCH]);

// The largest block that one datagram carries to a client (ctx: struct net), for struct p2_server_config.
uint16_t net_path_block(void *ctx, const struct net_addr *client);

// The same for an address in the other form: 0 when the way there is not known.
uint16_t net_block_to(const struct sockaddr_storage *to, socklen_t len);

// Room in the queue for a run of at most P2_SERVER_QUANTUM datagrams, as they are counted; fill net_queue_slot and count it by net_queue_push.
struct p2_send *net_queue_slot(struct net *net); // NULL when full
void net_queue_push(struct net *net);

// Sends what is queued, as far as it goes. `broken` is called for an image whose bytes the kernel could not
// read.
void net_flush(struct net *net, uint64_t now, void (*broken)(void *ctx, const struct p2_image *image), void *ctx);

// Fills pollfds (NET_SOCKETS_MAX). Returns their number.
unsigned net_poll(const struct net *net, struct pollfd *fds);

// "192.0.2.7:49152", "[fe80::1%eth0]:49152".
#define NET_CLIENT_TEXT_MAX 96
char *net_client_text(const struct net *net, const struct net_addr *addr, char text[NET_CLIENT_TEXT_MAX]);

// Between the two forms of an address; `zone` of a link-local one is an interface number.
socklen_t net_to_sockaddr(const struct net_addr *addr, uint32_t ifindex, struct sockaddr_storage *ret);
struct net_addr net_from_sockaddr(const struct sockaddr_storage *ss);
