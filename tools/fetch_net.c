// SPDX-License-Identifier: MPL-2.0
// Sockets of `signet fetch`.
#include "fetch_net.h"
#include "bootserver_net.h" // the two forms of an address
#include <errno.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define SOCKET_BUFFER (4 * 1024 * 1024)
#define BUFFER_PER_DATAGRAM 2304 // what the kernel charges a socket for a full frame
#define RECEIVE_MAX 65536 // what the kernel joins
_Static_assert(P2_MESSAGE_LARGE < RECEIVE_MAX, "room for every message");
#ifndef UDP_GRO
#define UDP_GRO 104
#endif

static int open_one(int family)
{
    int on = 1, size = SOCKET_BUFFER;
    int fd = socket(family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -1;
    if (family == AF_INET6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
    else
        setsockopt(fd, SOL_SOCKET, SO_BROADCAST, &on, sizeof on);
    setsockopt(fd, SOL_UDP, UDP_GRO, &on, sizeof on);
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
    setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size);
    return fd;
}

int fetch_net_open(struct fetch_net *net)
{
    int size = 0;
    socklen_t len = sizeof size;
    *net = (struct fetch_net){ .v4 = open_one(AF_INET), .v6 = open_one(AF_INET6) };
    if (net->v4 < 0 && net->v6 < 0) {
        tool_error(NULL, "no socket: %s", strerror(errno));
        return -1;
    }
    getsockopt(net->v4 >= 0 ? net->v4 : net->v6, SOL_SOCKET, SO_RCVBUF, &size, &len);
    net->rx_buffers = (uint16_t)MIN(size / BUFFER_PER_DATAGRAM, UINT16_MAX);
    return 0;
}

void fetch_net_close(struct fetch_net *net)
{
    if (net->v4 >= 0)
        close(net->v4);
    if (net->v6 >= 0)
        close(net->v6);
}

// The zone of an interface, 0 when it has none (or the table is full).
static uint8_t zone_of(struct fetch_net *net, uint32_t ifindex)
{
    if (!ifindex)
        return 0;
    for (unsigned i = 0; i < net->interface_count; i++)
        if (net->interfaces[i] == ifindex)
            return (uint8_t)(i + 1);
    if (net->interface_count == FETCH_INTERFACES_MAX)
        return 0;
    net->interfaces[net->interface_count++] = ifindex;
    return (uint8_t)net->interface_count;
}

static uint32_t ifindex_of(const struct fetch_net *net, uint8_t zone)
{
    return zone && zone <= net->interface_count ? net->interfaces[zone - 1] : 0;
}

static struct net_addr from_sockaddr(struct fetch_net *net, const struct sockaddr_storage *ss)
{
    struct net_addr a = net_from_sockaddr(ss);
    if (ss->ss_family == AF_INET6)
        a.zone = zone_of(net, ((const struct sockaddr_in6 *)ss)->sin6_scope_id);
    return a;
}

int fetch_net_resolve(struct fetch_net *net, const char *host, uint16_t port, struct net_addr *ret, unsigned max)
{
    struct addrinfo hints = { .ai_family = AF_UNSPEC, .ai_socktype = SOCK_DGRAM }, *found;
    char service[8];
    int count = 0;
    snprintf(service, sizeof service, "%u", port);
    int r = getaddrinfo(host, service, &hints, &found);
    if (r != 0) {
        tool_error(host, "%s", gai_strerror(r));
        return -1;
    }
    for (struct addrinfo *a = found; a && (unsigned)count < max; a = a->ai_next) {
        struct sockaddr_storage ss = { 0 };
        if ((a->ai_family == AF_INET && net->v4 < 0) || (a->ai_family == AF_INET6 && net->v6 < 0) ||
            a->ai_addrlen > sizeof ss)
            continue;
        memcpy(&ss, a->ai_addr, a->ai_addrlen);
        ret[count++] = from_sockaddr(net, &ss);
    }
    freeaddrinfo(found);
    if (count == 0)
        tool_error(host, "has no address that this host can reach");
    return count ? count : -1;
}

uint16_t fetch_net_block(const struct fetch_net *net, const struct net_addr *from)
{
    struct sockaddr_storage ss;
    socklen_t len = net_to_sockaddr(from, ifindex_of(net, from->zone), &ss);
    return net_block_to(&ss, len);
}

unsigned fetch_net_targets(struct fetch_net *net, const char *interface, uint16_t port, struct net_addr *ret,
                           unsigned max)
{
    static const uint8_t group4[4] = P2_GROUP_V4, everyone[4] = { 255, 255, 255, 255 };
    static const uint8_t group6[16] = P2_GROUP_V6;
    struct if_nameindex *all = if_nameindex();
    unsigned count = 0;
    if (net->v4 >= 0 && count < max)
        ret[count++] = net_addr_v4(everyone, port);
    for (struct if_nameindex *n = all; n && n->if_index; n++) {
        if (interface ? strcmp(interface, n->if_name) != 0 : n->if_index == if_nametoindex("lo"))
            continue;
        uint8_t zone = zone_of(net, n->if_index);
        if (net->v6 >= 0 && count < max) {
            ret[count] = (struct net_addr){ .port = port, .zone = zone };
            memcpy(ret[count++].ip, group6, 16);
        }
        if (net->v4 >= 0 && count < max) {
            ret[count] = net_addr_v4(group4, port);
            ret[count++].zone = zone;
        }
    }
    if (all)
        if_freenameindex(all);
    return count;
}

void fetch_net_send(struct fetch_net *net, const uint8_t *data, size_t len, const struct net_addr *to)
{
    struct sockaddr_storage ss;
    uint32_t ifindex = ifindex_of(net, to->zone);
    bool v4 = net_addr_is_v4(to);
    union {
        char bytes[CMSG_SPACE(sizeof(struct in_pktinfo))];
        struct cmsghdr align;
    } control = { { 0 } };
    struct iovec iov = { (void *)data, len };
    struct msghdr m = { .msg_name = &ss, .msg_namelen = net_to_sockaddr(to, ifindex, &ss), .msg_iov = &iov,
                        .msg_iovlen = 1 };
    if (v4 && ifindex) {
        struct in_pktinfo info = { .ipi_ifindex = (int)ifindex };
        m.msg_control = &control;
        m.msg_controllen = sizeof control;
        struct cmsghdr *c = CMSG_FIRSTHDR(&m);
        *c = (struct cmsghdr){ CMSG_LEN(sizeof info), IPPROTO_IP, IP_PKTINFO };
        memcpy(CMSG_DATA(c), &info, sizeof info);
    }
    (void)sendmsg(v4 ? net->v4 : net->v6, &m, MSG_DONTWAIT);
}

// Of what size the datagrams were that the kernel joined; the last may be shorter.
static size_t piece_size(struct msghdr *m, size_t len)
{
    for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c))
        if (c->cmsg_level == SOL_UDP && c->cmsg_type == UDP_GRO) {
            int size;
            memcpy(&size, CMSG_DATA(c), sizeof size);
            return size > 0 ? (size_t)size : len;
        }
    return len;
}

static unsigned receive_from(struct fetch_net *net, int fd,
                             void (*take)(void *ctx, const uint8_t *data, size_t len, const struct net_addr *from),
                             void *ctx)
{
    static uint8_t bytes[FETCH_BATCH][RECEIVE_MAX];
    static struct sockaddr_storage from[FETCH_BATCH];
    static struct iovec iov[FETCH_BATCH];
    static struct mmsghdr messages[FETCH_BATCH];
    static union {
        char bytes[CMSG_SPACE(sizeof(int))];
        struct cmsghdr align;
    } control[FETCH_BATCH];
    for (unsigned i = 0; i < FETCH_BATCH; i++) {
        iov[i] = (struct iovec){ bytes[i], RECEIVE_MAX };
        messages[i].msg_hdr = (struct msghdr){ .msg_name = &from[i], .msg_namelen = sizeof from[i], .msg_iov = &iov[i],
                                               .msg_iovlen = 1, .msg_control = &control[i],
                                               .msg_controllen = sizeof control[i] };
    }
    int n = recvmmsg(fd, messages, net->joined ? FETCH_BATCH_JOINED : FETCH_BATCH, MSG_DONTWAIT, NULL);
    for (int i = 0; i < n; i++) {
        struct net_addr addr = from_sockaddr(net, &from[i]);
        if (messages[i].msg_hdr.msg_flags & MSG_TRUNC)
            continue;
        size_t size = piece_size(&messages[i].msg_hdr, messages[i].msg_len);
        net->joined |= size < messages[i].msg_len;
        for (size_t at = 0; at < messages[i].msg_len; at += size)
            take(ctx, bytes[i] + at, MIN(size, messages[i].msg_len - at), &addr);
    }
    return n > 0 ? (unsigned)n : 0;
}

unsigned fetch_net_receive(struct fetch_net *net, void (*take)(void *ctx, const uint8_t *data, size_t len,
                                                               const struct net_addr *from), void *ctx)
{
    unsigned count = 0;
    if (net->v4 >= 0)
        count += receive_from(net, net->v4, take, ctx);
    if (net->v6 >= 0)
        count += receive_from(net, net->v6, take, ctx);
    return count;
}

void fetch_net_wait(const struct fetch_net *net, int news, uint64_t us)
{
    struct pollfd fds[3] = { { .fd = net->v4, .events = POLLIN }, { .fd = net->v6, .events = POLLIN },
                             { .fd = news, .events = POLLIN } };
    struct timespec timeout = { (time_t)(us / 1000000), (long)(us % 1000000) * 1000 };
    eventfd_t count;
    if (ppoll(fds, 3, &timeout, NULL) > 0 && fds[2].revents) // a negative descriptor is passed over
        (void)eventfd_read(news, &count);
}
