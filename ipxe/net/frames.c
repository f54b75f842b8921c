// SPDX-License-Identifier: MPL-2.0
// Received frames on their way to lwIP. It reads a frame where the card has it: the one copy left is from there to where
// the data belongs. What it keeps longer (fragments, segments out of order) is moved into the buffer's own memory afterwards.
//
// Who owns what: lwIP gets the buffer's only reference, as its code expects of any buffer that comes in, and gives it back by
// release(). It may do so at any time, also much later. Nobody else holds a reference, so no count is ever wrong in its eyes.
#include "net/port.h"

#include "base/bytes.h"
#include "lwip/pbuf.h"
#include "lwip/priv/tcp_priv.h"
#include "lwip/prot/ethernet.h"
#include "lwip/prot/ip4.h"
#include "lwip/prot/ip6.h"

#define BUFFERS 384
#define BUFFER_SIZE 1536
#define VLAN_TAG 4
#define VLAN_NUMBER 0x0fff

_Static_assert(FRAME_RECEIVE_MAX <= BUFFER_SIZE, "a frame has room");
_Static_assert(TCP_WND <= BUFFERS * TCP_MSS, "a window of full segments has room, in whatever order they come");

struct buffer {
    struct pbuf_custom custom; // first: release() gets a pointer to it
    struct buffer *next;       // of the free ones
    bool lent;
    uint8_t own[BUFFER_SIZE] __attribute__((aligned(MEM_ALIGNMENT)));
};

static struct buffer buffers[BUFFERS];
static struct buffer *unused;

static void release(struct pbuf *p)
{
    struct buffer *b = (struct buffer *)(void *)p;
    b->lent = false;
    b->next = unused;
    unused = b;
}

void net_frames_init(void)
{
    unused = NULL;
    for (unsigned i = BUFFERS; i-- > 0;) {
        buffers[i].custom.custom_free_function = release;
        release(&buffers[i].custom.pbuf);
    }
}

// UDP and TCP. Anything else is rare, and IPv6's reassembly keeps a pointer into a fragment's memory.
static bool stays_in_place(const uint8_t *frame, size_t len)
{
    const uint8_t *ip = frame + SIZEOF_ETH_HDR;
    if (len < SIZEOF_ETH_HDR + IP6_HLEN)
        return false;
    uint16_t type = load16_be(frame + 12);
    uint8_t proto = type == ETHTYPE_IP ? ip[9] : type == ETHTYPE_IPV6 ? ip[6] : IP_PROTO_ICMP;
    return proto == IP_PROTO_UDP || proto == IP_PROTO_TCP;
}

// Segments that wait for earlier ones have a pointer to their header, too.
static void move_segments(const struct pbuf *p, const uint8_t *frame, uint8_t *own)
{
    for (struct tcp_pcb *pcb = tcp_active_pcbs; pcb; pcb = pcb->next)
        for (struct tcp_seg *seg = pcb->ooseq; seg; seg = seg->next)
            if (seg->p == p)
                seg->tcphdr = (struct tcp_hdr *)(own + ((const uint8_t *)seg->tcphdr - frame));
}

static void input(struct netif *netif, struct buffer *b, uint8_t *frame, u16_t len)
{
    if (!stays_in_place(frame, len)) {
        net_refused_datagram(netif, frame, len);
        memcpy(b->own, frame, len);
        frame = b->own;
    }
    // A reference to memory of another's: lwIP copies it before it sends any of it or puts a longer header in front.
    struct pbuf *p = pbuf_alloced_custom(PBUF_RAW, len, PBUF_REF, &b->custom, frame, len);
    b->lent = true;
    net_answer_to(frame + ETH_HWADDR_LEN);
    if (netif->input(p, netif) != ERR_OK)
        pbuf_free(p);
    net_answer_to(NULL);
    if (!b->lent || frame == b->own)
        return;
    memcpy(b->own, frame, len);
    p->payload = b->own + ((uint8_t *)p->payload - frame);
    move_segments(p, frame, b->own);
}

// A tag of VLAN 0 says how urgent a frame is and nothing else (IEEE 802.1Q, priority tag): the frame behind it belongs to the
// untagged network. Returns where that frame begins: the addresses are moved up to its type.
static uint8_t *without_priority(uint8_t *frame, size_t *len)
{
    while (*len >= SIZEOF_ETH_HDR + VLAN_TAG && load16_be(frame + 12) == ETHTYPE_VLAN && !(load16_be(frame + 14) & VLAN_NUMBER)) {
        memmove(frame + VLAN_TAG, frame, 12);
        frame += VLAN_TAG;
        *len -= VLAN_TAG;
    }
    return frame;
}

static void slow_way(struct netif *netif, uint8_t *frame, size_t len)
{
    if (net_ether_deliver(netif, frame, len) || len > BUFFER_SIZE)
        return;
    struct buffer *b = unused;
    unused = b->next;
    input(netif, b, frame, (u16_t)len);
}

bool net_take_frame(struct netif *netif, struct card *card)
{
    if (!unused)
        pbuf_free_ooseq(); // a peer that sends all but what comes next must not make us deaf
    if (!unused)
        return false; // all buffers are in lwIP's queues; timers will free some
    uint8_t *frame;
    int got = card_receive(card, &frame);
    if (got <= 0)
        return false;
    size_t len = (size_t)got;
    while (!net_direct(netif, frame, len)) { // its one call: it is a part of the loop over the frames then
        uint8_t *inner = without_priority(frame, &len);
        if (inner == frame) {
            slow_way(netif, frame, len);
            break;
        }
        frame = inner;
    }
    return true;
}
