// SPDX-License-Identifier: MPL-2.0
// A simulated wire for the whole core: one machine under test, and peers that answer ARP, neighbour
// discovery and UDP. Frames wait in a queue with a delay and may be lost; time is the machine's fake clock.
#pragma once
#include "base/addr.h"
#include "host/host.h"

#define SIMNET_QUEUE_MAX 512

struct simnet;
// A datagram from the machine under test to `to` (unicast, broadcast or multicast).
typedef void simnet_udp(struct simnet *net, const struct net_addr *from, const struct net_addr *to,
                        const uint8_t *data, size_t len);

// A TCP segment (RFC 9293 3.1) without its options; ports are the addresses'.
struct simnet_segment {
    uint32_t seq, ack;
    uint8_t flags;
    uint16_t window;
    const uint8_t *data;
    size_t len;
};
#define SIMNET_FIN 0x01
#define SIMNET_SYN 0x02
#define SIMNET_RST 0x04
#define SIMNET_PSH 0x08
#define SIMNET_ACK 0x10
// A segment over IPv4 from the machine under test.
typedef void simnet_tcp(struct simnet *net, const struct net_addr *from, const struct net_addr *to, const struct simnet_segment *segment);

struct simnet_frame {
    uint64_t due_us;
    uint16_t len;
    uint8_t data[FRAME_MAX];
};

struct simnet {
    struct host_machine *machine;
    simnet_udp *udp;
    simnet_tcp *tcp; // NULL: the peer has no TCP
    void *user;
    uint8_t peer_ip4[4]; // the peer that is 0.0.0.0/0 too: answers ARP for every address but the machine's
    uint8_t peer_ip6[16];
    uint8_t peer_mac[6];
    uint16_t tcp_mss;     // what its SYN says (RFC 9293 3.7.1)
    bool ip4, ip6;        // which families the peer speaks
    uint32_t loss_per_64k; // chance of losing a frame towards the machine
    uint64_t delay_us;
    uint64_t random_state;
    // Called when the machine idles, to let peers act on time (servers with output, timers); may be NULL.
    void (*tick)(struct simnet *net, uint64_t now_us);
    struct simnet_frame *queue; // ring of SIMNET_QUEUE_MAX
    unsigned head, count;
    uint8_t machine_mac[6];
};

// Sends a segment to the machine under test, over IPv4; a SYN says that tcp_mss bytes fit.
void simnet_send_tcp(struct simnet *net, const struct net_addr *from, const struct net_addr *to, const struct simnet_segment *segment);

// Connects *net as the wire of `machine`. The caller fills in udp, user and the choices afterwards.
void simnet_attach(struct simnet *net, struct host_machine *machine);
void simnet_free(struct simnet *net);

// Refuses a datagram (IPv4) that the machine under test sent from `from` to `to`: `to` says by ICMP that the port is unreachable.
void simnet_refuse(struct simnet *net, const struct net_addr *from, const struct net_addr *to, const void *data, size_t len);

// Sends a datagram to the machine under test, as from `from` to `to`.
void simnet_send_udp(struct simnet *net, const struct net_addr *from, const struct net_addr *to, const void *data,
                     size_t len);
