// SPDX-License-Identifier: MPL-2.0
// Sending of the boot server: a queue of datagrams goes out by sendmmsg, image bytes straight from the
// mapping. Consecutive blocks for one client go as one message that the kernel (or the card) cuts up.
#include "bootserver_images.h"
#include "bootserver_net.h"
#include <errno.h>
#include <netinet/udp.h>

#define FULL_PAUSE 1000     // us to wait when an interface's queue is full
#define GSO_PAUSE 5000000u  // us without GSO on a path after it was refused there
#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif

// Datagrams of a run.
static unsigned blocks_of(const struct p2_send *s)
{
    return s->length ? (s->length + s->block_size - 1) / s->block_size : 1;
}

// As what each of them is counted.
static unsigned frames_of(const struct p2_send *s)
{
    return s->length ? p2_block_frames(s->block_size) : 1;
}

static bool is_large(const struct p2_send *s)
{
    return s->length && s->block_size > P2_BLOCK_MAX;
}

struct p2_send *net_queue_slot(struct net *net)
{
    if (net->queue_count == NET_QUEUE || net->queue_blocks + P2_SERVER_QUANTUM > NET_QUEUE_BLOCKS)
        return NULL;
    return &net->queue[(net->queue_first + net->queue_count) % NET_QUEUE];
}

void net_queue_push(struct net *net)
{
    const struct p2_send *s = &net->queue[(net->queue_first + net->queue_count++) % NET_QUEUE];
    net->queue_blocks += blocks_of(s) * frames_of(s);
}

static struct p2_send *queued(struct net *net, unsigned i)
{
    return &net->queue[(net->queue_first + i) % NET_QUEUE];
}

// Takes so many datagrams from the front.
static void pop(struct net *net, unsigned datagrams)
{
    while (datagrams) {
        struct p2_send *s = queued(net, 0);
        unsigned blocks = blocks_of(s);
        net->queue_blocks -= MIN(datagrams, blocks) * frames_of(s);
        if (datagrams < blocks) {
            s->offset += datagrams * (uint32_t)s->block_size;
            s->length -= datagrams * (uint32_t)s->block_size;
            return;
        }
        datagrams -= blocks;
        net->queue_first = (net->queue_first + 1) % NET_QUEUE;
        net->queue_count--;
    }
}

static unsigned socket_of(const struct net *net, const struct net_addr *to)
{
    if (to->zone && to->zone <= net->path_count)
        return net->paths[to->zone - 1].socket;
    for (unsigned i = 0; i < net->socket_count; i++)
        if (net->is_v6[i] == !net_addr_is_v4(to))
            return i;
    return 0;
}

static bool same_client(const struct net_addr *a, const struct net_addr *b)
{
    return memcmp(a->ip, b->ip, sizeof a->ip) == 0 && a->port == b->port && a->zone == b->zone;
}

union control {
    char bytes[CMSG_SPACE(sizeof(struct in6_pktinfo)) + CMSG_SPACE(sizeof(uint16_t))];
    struct cmsghdr align;
};

// Source address, and the size of the pieces that the kernel shall cut (0: none).
static void fill_control(const struct net *net, const struct net_addr *to, uint16_t piece, union control *control,
                         struct msghdr *m)
{
    const struct net_path *path = to->zone && to->zone <= net->path_count ? &net->paths[to->zone - 1] : NULL;
    size_t used = 0;
    memset(control, 0, sizeof *control);
    m->msg_control = control;
    m->msg_controllen = sizeof *control;
    struct cmsghdr *c = CMSG_FIRSTHDR(m);
    if (path && net_addr_is_v4(to)) {
        struct in_pktinfo info = { 0 };
        memcpy(&info.ipi_spec_dst, path->local + 12, 4);
        *c = (struct cmsghdr){ CMSG_LEN(sizeof info), IPPROTO_IP, IP_PKTINFO };
        memcpy(CMSG_DATA(c), &info, sizeof info);
        used += CMSG_SPACE(sizeof info);
    } else if (path) {
        struct in6_pktinfo info = { .ipi6_ifindex = path->ifindex };
        memcpy(&info.ipi6_addr, path->local, 16);
        *c = (struct cmsghdr){ CMSG_LEN(sizeof info), IPPROTO_IPV6, IPV6_PKTINFO };
        memcpy(CMSG_DATA(c), &info, sizeof info);
        used += CMSG_SPACE(sizeof info);
    }
    if (piece) {
        c = (struct cmsghdr *)(void *)(control->bytes + used);
        *c = (struct cmsghdr){ CMSG_LEN(sizeof piece), SOL_UDP, UDP_SEGMENT };
        memcpy(CMSG_DATA(c), &piece, sizeof piece);
        used += CMSG_SPACE(sizeof piece);
    }
    m->msg_controllen = used;
    if (!used)
        m->msg_control = NULL;
}

struct batch {
    struct mmsghdr messages[NET_QUEUE_BLOCKS];
    struct iovec iov[2 * NET_QUEUE_BLOCKS];
    uint8_t heads[NET_QUEUE_BLOCKS][P2_DATA_FIXED];
    struct sockaddr_storage to[NET_QUEUE_BLOCKS];
    union control control[NET_QUEUE_BLOCKS];
    unsigned items[NET_QUEUE_BLOCKS]; // datagrams in each message
    unsigned count, datagrams, iovs, socket;
    size_t piece, total; // of the message that is being made: its first datagram's size, its own
    bool open;           // it may grow
    bool large;          // all of them are blocks of more than P2_BLOCK_MAX
};

static void message_begin(struct net *net, struct batch *b, const struct p2_send *s, uint64_t now)
{
    unsigned at = b->count++;
    const struct net_path *path = s->to.zone && s->to.zone <= net->path_count ? &net->paths[s->to.zone - 1] : NULL;
    socklen_t len = net_to_sockaddr(&s->to, path ? path->ifindex : 0, &b->to[at]);
    b->messages[at].msg_hdr = (struct msghdr){ .msg_name = &b->to[at], .msg_namelen = len, .msg_iov = &b->iov[b->iovs] };
    b->items[at] = 0;
    b->total = 0;
    b->open = net->gso && s->length && now >= net->gso_pause[s->to.zone];
}

static void message_end(struct net *net, struct batch *b, const struct net_addr *to)
{
    unsigned at = b->count - 1;
    struct msghdr *m = &b->messages[at].msg_hdr;
    m->msg_iovlen = (size_t)(&b->iov[b->iovs] - m->msg_iov);
    fill_control(net, to, b->items[at] > 1 ? (uint16_t)b->piece : 0, &b->control[at], m);
}

// One datagram more in the message: all of a message's are of a size, the last may be shorter.
static void message_add(struct batch *b, const struct p2_send *s, uint64_t offset, uint32_t length)
{
    const uint8_t *head = s->head;
    if (length) {
        p2_send_head(s, offset, b->heads[b->datagrams]);
        head = b->heads[b->datagrams];
    }
    b->iov[b->iovs++] = (struct iovec){ (void *)head, s->head_len };
    if (length)
        b->iov[b->iovs++] = (struct iovec){ (void *)image_bytes(s->image, s->space, offset), length };
    b->total += s->head_len + length;
    if (b->items[b->count - 1]++ == 0)
        b->piece = b->total;
    b->open &= s->head_len + length == b->piece;
    b->datagrams++;
}

static bool message_takes(const struct batch *b, size_t len)
{
    return b->open && len <= b->piece && b->total + len <= NET_GSO_BYTES && b->items[b->count - 1] < NET_GSO_BLOCKS;
}

// The longest part of the queue that goes through one socket, and whose blocks are large or are not.
static void build(struct net *net, struct batch *b, uint64_t now)
{
    const struct net_addr *to = NULL;
    b->count = b->datagrams = b->iovs = 0;
    b->socket = socket_of(net, &queued(net, 0)->to);
    b->large = is_large(queued(net, 0));
    for (unsigned i = 0; i < net->queue_count; i++) {
        const struct p2_send *s = queued(net, i);
        if (socket_of(net, &s->to) != b->socket || is_large(s) != b->large)
            break;
        for (uint32_t at = 0; at == 0 || at < s->length; at += s->block_size) {
            uint32_t length = MIN(s->length - at, (uint32_t)s->block_size);
            if (!to || !s->length || !same_client(to, &s->to) || !message_takes(b, s->head_len + length)) {
                if (to)
                    message_end(net, b, to);
                message_begin(net, b, s, now);
                to = &s->to;
            }
            message_add(b, s, s->offset + at, length);
            if (!s->length)
                break;
        }
    }
    message_end(net, b, to);
}

// Large blocks leave whole or not at all: the link may have lost its large frames, and a client finds out what the way
// carries only by what is missing. All others fit nearly every way, and where one does not the kernel cuts them up.
static void set_whole(struct net *net, const struct batch *b)
{
    bool v6 = net->is_v6[b->socket];
    int how = b->large ? IP_PMTUDISC_DO : IP_PMTUDISC_WANT; // the same numbers in IPv6
    if (b->large != net->whole[b->socket])
        setsockopt(net->sockets[b->socket], v6 ? IPPROTO_IPV6 : IPPROTO_IP, v6 ? IPV6_MTU_DISCOVER : IP_MTU_DISCOVER, &how, sizeof how);
    net->whole[b->socket] = b->large;
}

void net_flush(struct net *net, uint64_t now, void (*broken)(void *ctx, const struct p2_image *image), void *ctx)
{
    static struct batch b;
    net->blocked = false;
    if (now < net->pause_until)
        return;
    while (net->queue_count) {
        build(net, &b, now);
        set_whole(net, &b);
        int sent = sendmmsg(net->sockets[b.socket], b.messages, b.count, MSG_DONTWAIT);
        net->syscalls++;
        if (sent > 0) {
            for (int i = 0; i < sent; i++)
                pop(net, b.items[i]);
            continue;
        }
        // The first message of the batch is the one that was refused.
        int err = errno;
        if (err == EINTR)
            continue;
        if (err == EAGAIN) {
            net->blocked = true;
            return;
        }
        if (err == ENOBUFS || err == ENOMEM) {
            net->pause_until = now + FULL_PAUSE;
            return;
        }
        if (b.items[0] > 1 && err != EFAULT && !(b.large && err == EMSGSIZE)) {
            // Not every kernel, tunnel or MTU takes a message to cut up: one by one for a while.
            net->gso_pause[queued(net, 0)->to.zone] = now + GSO_PAUSE;
            continue;
        }
        if (err == EFAULT && queued(net, 0)->length)
            broken(ctx, queued(net, 0)->image);
        net->dropped += b.items[0];
        pop(net, b.items[0]);
    }
}
