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

struct p2_send *net_queue_slot(struct net *net)
{
    return net->queue_count < NET_QUEUE ? &net->queue[(net->queue_first + net->queue_count) % NET_QUEUE] : NULL;
}

void net_queue_push(struct net *net)
{
    net->queue_count++;
}

static const struct p2_send *queued(const struct net *net, unsigned i)
{
    return &net->queue[(net->queue_first + i) % NET_QUEUE];
}

static void pop(struct net *net, unsigned n)
{
    net->queue_first = (net->queue_first + n) % NET_QUEUE;
    net->queue_count -= n;
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

static size_t length_of(const struct p2_send *s)
{
    return s->head_len + s->length;
}

// How many datagrams from the i-th on can go as one message: one client, all of a size, the last may be
// shorter.
static unsigned run_length(const struct net *net, unsigned i, uint64_t now)
{
    const struct p2_send *first = queued(net, i);
    size_t size = length_of(first), total = size;
    unsigned n = 1;
    if (!net->gso || now < net->gso_pause[first->to.zone] || !first->length)
        return 1;
    while (i + n < net->queue_count && n < NET_GSO_BLOCKS) {
        const struct p2_send *next = queued(net, i + n);
        size_t len = length_of(next);
        if (!same_client(&first->to, &next->to) || len > size || total + len > NET_GSO_BYTES)
            break;
        total += len;
        n++;
        if (len < size)
            break;
    }
    return n;
}

struct batch {
    struct mmsghdr messages[NET_QUEUE];
    struct iovec iov[2 * NET_QUEUE];
    struct sockaddr_storage to[NET_QUEUE];
    union control control[NET_QUEUE];
    unsigned items[NET_QUEUE]; // datagrams in each message
    unsigned count, socket;
};

// The longest run of the queue that goes through one socket.
static void build(const struct net *net, struct batch *b, uint64_t now)
{
    unsigned iovs = 0;
    b->count = 0;
    b->socket = socket_of(net, &queued(net, 0)->to);
    for (unsigned i = 0; i < net->queue_count;) {
        const struct p2_send *s = queued(net, i);
        if (socket_of(net, &s->to) != b->socket)
            break;
        unsigned n = run_length(net, i, now), at = b->count++;
        const struct net_path *path = s->to.zone && s->to.zone <= net->path_count ? &net->paths[s->to.zone - 1] : NULL;
        socklen_t len = net_to_sockaddr(&s->to, path ? path->ifindex : 0, &b->to[at]);
        struct msghdr *m = &b->messages[at].msg_hdr;
        *m = (struct msghdr){ .msg_name = &b->to[at], .msg_namelen = len, .msg_iov = &b->iov[iovs] };
        fill_control(net, &s->to, n > 1 ? (uint16_t)length_of(s) : 0, &b->control[at], m);
        for (unsigned k = 0; k < n; k++) {
            const struct p2_send *part = queued(net, i + k);
            b->iov[iovs++] = (struct iovec){ (void *)part->head, part->head_len };
            if (part->length)
                b->iov[iovs++] =
                    (struct iovec){ (void *)image_bytes(part->image, part->space, part->offset), part->length };
        }
        m->msg_iovlen = (size_t)(&b->iov[iovs] - m->msg_iov);
        b->items[at] = n;
        i += n;
    }
}

void net_flush(struct net *net, uint64_t now, void (*broken)(void *ctx, const struct p2_image *image), void *ctx)
{
    static struct batch b;
    net->blocked = false;
    if (now < net->pause_until)
        return;
    while (net->queue_count) {
        build(net, &b, now);
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
        if (b.items[0] > 1 && err != EFAULT) {
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
