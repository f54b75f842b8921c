// SPDX-License-Identifier: MPL-2.0
// Sockets of the boot server: opening, receiving, paths. Sending is in bootserver_send.c.
#include "bootserver_net.h"
#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <netinet/udp.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define RECEIVE_MAX 1024 // more than any message of a client: longer ones are not ours
#define RECEIVE_BUFFER (4 * 1024 * 1024)
// Some milliseconds of a fast wire. What lies there leaves in the order in which it came: were it more, a client with a small
// window would wait for all that a greedy one had put before it, whoever's turn it is.
#define SEND_BUFFER (256 * 1024)
#define HEADS_MAX (P2_DATA_FIXED + 8 + 40) // before a block: DATA's, UDP's, IPv6's
_Static_assert(P2_CLIENT_MESSAGE_MAX < RECEIVE_MAX, "room for every message and a sign of longer ones");

// ---- addresses -----------------------------------------------------------------------------------------

socklen_t net_to_sockaddr(const struct net_addr *addr, uint32_t ifindex, struct sockaddr_storage *ret)
{
    memset(ret, 0, sizeof *ret);
    if (net_addr_is_v4(addr)) {
        struct sockaddr_in *v4 = (struct sockaddr_in *)ret;
        v4->sin_family = AF_INET;
        v4->sin_port = htons(addr->port);
        memcpy(&v4->sin_addr, addr->ip + 12, 4);
        return sizeof *v4;
    }
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)ret;
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons(addr->port);
    memcpy(&v6->sin6_addr, addr->ip, 16);
    v6->sin6_scope_id = ifindex;
    return sizeof *v6;
}

struct net_addr net_from_sockaddr(const struct sockaddr_storage *ss)
{
    if (ss->ss_family == AF_INET) {
        const struct sockaddr_in *v4 = (const struct sockaddr_in *)ss;
        return net_addr_v4((const uint8_t *)&v4->sin_addr, ntohs(v4->sin_port));
    }
    const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)ss;
    struct net_addr a = { .port = ntohs(v6->sin6_port) };
    memcpy(a.ip, &v6->sin6_addr, 16);
    return a;
}

char *net_client_text(const struct net *net, const struct net_addr *addr, char text[NET_CLIENT_TEXT_MAX])
{
    struct net_addr plain = *addr;
    char number[NET_ADDR_TEXT_MAX], name[IF_NAMESIZE] = "";
    plain.zone = 0;
    net_addr_format(&plain, number);
    // The zone is a path of ours; people want the interface, and only where it is part of the address.
    if (net_addr_is_link_local(addr) && addr->zone && addr->zone <= net->path_count)
        if_indextoname(net->paths[addr->zone - 1].ifindex, name);
    char *bracket = strchr(number, ']');
    if (*name && bracket)
        snprintf(text, NET_CLIENT_TEXT_MAX, "%.*s%%%s%s", (int)(bracket - number), number, name, bracket);
    else
        snprintf(text, NET_CLIENT_TEXT_MAX, "%s", number);
    return text;
}

// ---- opening -------------------------------------------------------------------------------------------

static void set_int(int fd, int level, int option, int value)
{
    (void)setsockopt(fd, level, option, &value, sizeof value);
}

static int open_socket(struct net *net, const struct net_addr *addr, uint32_t ifindex, bool must)
{
    bool v6 = !net_addr_is_v4(addr);
    char text[NET_ADDR_TEXT_MAX];
    struct sockaddr_storage ss;
    socklen_t len = net_to_sockaddr(addr, ifindex, &ss);
    net_addr_format(addr, text);
    int fd = socket(v6 ? AF_INET6 : AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) {
        // A host without IPv6 (or without IPv4) is served by the other.
        return must ? (tool_error(text, "no socket: %s", strerror(errno)), -1) : 0;
    }
    if (v6)
        set_int(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1);
    set_int(fd, v6 ? IPPROTO_IPV6 : IPPROTO_IP, v6 ? IPV6_RECVPKTINFO : IP_PKTINFO, 1);
    set_int(fd, SOL_SOCKET, SO_RCVBUF, RECEIVE_BUFFER);
    set_int(fd, SOL_SOCKET, SO_SNDBUF, SEND_BUFFER);
    set_int(fd, SOL_SOCKET, SO_RCVBUFFORCE, RECEIVE_BUFFER); // beyond the system's limit, where we may
    set_int(fd, SOL_SOCKET, SO_SNDBUFFORCE, SEND_BUFFER);
    if (net->interface &&
        setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, net->interface, (socklen_t)strlen(net->interface)) != 0) {
        tool_errno(net->interface, errno);
        close(fd);
        return -1;
    }
    if (bind(fd, (struct sockaddr *)&ss, len) != 0) {
        int err = errno;
        close(fd);
        if (!must && (err == EADDRNOTAVAIL || err == EAFNOSUPPORT))
            return 0;
        if (err == EADDRINUSE)
            tool_error(text, "port is in use: another boot server? (--port N takes another)");
        else
            tool_errno(text, err);
        return -1;
    }
    net->sockets[net->socket_count] = fd;
    net->is_v6[net->socket_count++] = v6;
    if (net->port == 0) {
        len = sizeof ss;
        if (getsockname(fd, (struct sockaddr *)&ss, &len) == 0)
            net->port = net_from_sockaddr(&ss).port;
    }
    return 0;
}

// A literal, with an interface's name or number behind '%' for link-local IPv6.
static int parse_listen(const char *text, struct net_addr *ret, uint32_t *ret_ifindex)
{
    const char *percent = strchr(text, '%');
    size_t len = percent ? (size_t)(percent - text) : strlen(text);
    *ret_ifindex = 0;
    if (!net_addr_parse(text, len, ret))
        return tool_usage("--listen", "\"%s\" is not an IPv4 or IPv6 address", text);
    if (percent && !(*ret_ifindex = if_nametoindex(percent + 1)) &&
        !(*ret_ifindex = (uint32_t)strtoul(percent + 1, NULL, 10)))
        return tool_usage("--listen", "no interface called \"%s\"", percent + 1);
    if (net_addr_is_link_local(ret) && !percent)
        return tool_usage("--listen", "\"%s\" is there on every link: its interface is wanted, too, as in %s%%eth0", text, text);
    return -1;
}

int net_open(struct net *net, const struct opt_list *listen, uint16_t port, const char *interface, bool gso)
{
    *net = (struct net){ .port = port, .interface = interface, .gso = gso };
    if (interface && if_nametoindex(interface) == 0) {
        tool_error(interface, "no interface of that name");
        return -1;
    }
    if (listen->count == 0) {
        static const uint8_t any[4];
        struct net_addr v4 = net_addr_v4(any, net->port), v6 = { .port = net->port };
        net->discovery = true;
        int r = open_socket(net, &v4, 0, false);
        v6.port = net->port; // the one that was taken, when a free one was asked for
        if (r == 0)
            r = open_socket(net, &v6, 0, net->socket_count == 0);
        return r;
    }
    if (listen->count > NET_SOCKETS_MAX) {
        tool_usage("--listen", "at most %d addresses", NET_SOCKETS_MAX);
        return -1;
    }
    for (size_t i = 0; i < listen->count; i++) {
        struct net_addr addr;
        uint32_t ifindex;
        if (parse_listen(listen->items[i], &addr, &ifindex) >= 0)
            return -1;
        addr.port = net->port;
        if (open_socket(net, &addr, ifindex, true) != 0)
            return -1;
    }
    return 0;
}

void net_close(struct net *net)
{
    for (unsigned i = 0; i < net->socket_count; i++)
        close(net->sockets[i]);
    net->socket_count = 0;
}

// ---- discovery groups ----------------------------------------------------------------------------------

static bool join_on(struct net *net, uint32_t ifindex)
{
    bool any = false;
    for (unsigned i = 0; i < net->socket_count; i++) {
        static const uint8_t group4[4] = P2_GROUP_V4, group6[16] = P2_GROUP_V6;
        int r;
        if (net->is_v6[i]) {
            struct ipv6_mreq m = { .ipv6mr_interface = ifindex };
            memcpy(&m.ipv6mr_multiaddr, group6, 16);
            r = setsockopt(net->sockets[i], IPPROTO_IPV6, IPV6_JOIN_GROUP, &m, sizeof m);
        } else {
            struct ip_mreqn m = { .imr_ifindex = (int)ifindex };
            memcpy(&m.imr_multiaddr, group4, 4);
            r = setsockopt(net->sockets[i], IPPROTO_IP, IP_ADD_MEMBERSHIP, &m, sizeof m);
        }
        any |= r == 0 || errno == EADDRINUSE;
    }
    return any;
}

void net_join_groups(struct net *net)
{
    if (!net->discovery)
        return;
    struct if_nameindex *all = if_nameindex();
    unsigned kept = 0;
    // Interfaces that are gone took their membership with them: forget them, their number may come back.
    for (unsigned i = 0; i < net->joined_count; i++) {
        bool here = false;
        for (struct if_nameindex *n = all; n && n->if_index; n++)
            here |= n->if_index == net->joined[i];
        if (here)
            net->joined[kept++] = net->joined[i];
    }
    net->joined_count = kept;
    for (struct if_nameindex *n = all; n && n->if_index && net->joined_count < NET_GROUPS_MAX; n++) {
        if (net->interface && strcmp(net->interface, n->if_name) != 0)
            continue;
        bool known = false;
        for (unsigned i = 0; i < net->joined_count; i++)
            known |= net->joined[i] == n->if_index;
        if (!known && join_on(net, n->if_index))
            net->joined[net->joined_count++] = n->if_index;
    }
    if (all)
        if_freenameindex(all);
}

// ---- receiving -----------------------------------------------------------------------------------------

// The number of a path. Interfaces come and go, so the one on which nothing was heard for longest makes room.
static uint8_t path_number(struct net *net, const struct net_path *path)
{
    unsigned oldest = 0;
    for (unsigned i = 0; i < net->path_count; i++) {
        struct net_path *p = &net->paths[i];
        if (p->socket == path->socket && p->ifindex == path->ifindex && memcmp(p->local, path->local, 16) == 0) {
            p->heard = ++net->heard;
            return (uint8_t)(i + 1);
        }
        if (p->heard < net->paths[oldest].heard)
            oldest = i;
    }
    unsigned at = net->path_count < NET_PATHS_MAX ? net->path_count++ : oldest;
    net->paths[at] = *path;
    net->paths[at].heard = ++net->heard;
    net->gso_pause[at + 1] = 0; // of the one before
    return (uint8_t)(at + 1);
}

// A socket whose way to somebody the kernel has chosen; -1: it has none.
static int socket_towards(const struct sockaddr_storage *to, socklen_t len)
{
    int fd = socket(to->ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 && connect(fd, (const struct sockaddr *)to, len) != 0) {
        close(fd);
        fd = -1;
    }
    return fd;
}

// The source address that this host uses towards a client: what an answer to a multicast HELLO comes from, so
// that it is the address the client then reads from.
static void choose_source(const struct sockaddr_storage *to, uint8_t local[16])
{
    struct sockaddr_storage own;
    socklen_t len = sizeof own;
    int fd = socket_towards(to, sizeof(struct sockaddr_in6));
    if (fd < 0)
        return;
    if (getsockname(fd, (struct sockaddr *)&own, &len) == 0)
        memcpy(local, &((struct sockaddr_in6 *)&own)->sin6_addr, 16);
    close(fd);
}

uint16_t net_block_to(const struct sockaddr_storage *to, socklen_t len)
{
    bool v6 = to->ss_family == AF_INET6;
    int mtu = 0, fd = socket_towards(to, len);
    socklen_t size = sizeof mtu;
    if (fd < 0)
        return 0;
    if (getsockopt(fd, v6 ? IPPROTO_IPV6 : IPPROTO_IP, v6 ? IPV6_MTU : IP_MTU, &mtu, &size) != 0)
        mtu = 0;
    close(fd);
    return (uint16_t)MIN(MAX(mtu - HEADS_MAX, 0), P2_BLOCK_LARGE);
}

uint16_t net_path_block(void *ctx, const struct net_addr *client)
{
    const struct net *net = ctx;
    struct sockaddr_storage to;
    uint32_t ifindex = client->zone && client->zone <= net->path_count ? net->paths[client->zone - 1].ifindex : 0;
    socklen_t len = net_to_sockaddr(client, ifindex, &to);
    return net_block_to(&to, len);
}

static struct net_addr client_addr(struct net *net, unsigned socket, const struct sockaddr_storage *from, struct msghdr *m)
{
    struct net_addr addr = net_from_sockaddr(from);
    struct net_path path = { .socket = (uint8_t)socket };
    for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
        if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
            struct in_pktinfo info;
            memcpy(&info, CMSG_DATA(c), sizeof info);
            // The address that was asked, or for broadcast and multicast the interface's own.
            memcpy(path.local + 12, &info.ipi_spec_dst, 4);
        } else if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO) {
            struct in6_pktinfo info;
            memcpy(&info, CMSG_DATA(c), sizeof info);
            if (net_addr_is_link_local(&addr))
                path.ifindex = info.ipi6_ifindex;
            if (info.ipi6_addr.s6_addr[0] == 0xff)
                choose_source(from, path.local);
            else
                memcpy(path.local, &info.ipi6_addr, 16);
        }
    }
    addr.zone = path_number(net, &path);
    return addr;
}

unsigned net_receive(struct net *net, struct net_datagram datagrams[NET_BATCH])
{
    static uint8_t bytes[NET_BATCH][RECEIVE_MAX];
    static struct sockaddr_storage from[NET_BATCH];
    static union {
        char bytes[CMSG_SPACE(sizeof(struct in6_pktinfo)) + CMSG_SPACE(sizeof(struct in_pktinfo))];
        struct cmsghdr align;
    } control[NET_BATCH];
    static struct iovec iov[NET_BATCH];
    static struct mmsghdr messages[NET_BATCH];
    unsigned count = 0, used = 0;
    for (unsigned s = 0; s < net->socket_count && used < NET_BATCH; s++) {
        // An equal share for each socket, so that a flood on one does not starve the other.
        unsigned first = used, want = (NET_BATCH - first) / (net->socket_count - s);
        for (unsigned i = first; i < first + want; i++) {
            iov[i] = (struct iovec){ bytes[i], RECEIVE_MAX };
            messages[i].msg_hdr = (struct msghdr){ .msg_name = &from[i], .msg_namelen = sizeof from[i],
                                                   .msg_iov = &iov[i], .msg_iovlen = 1,
                                                   .msg_control = &control[i], .msg_controllen = sizeof control[i] };
        }
        int n = recvmmsg(net->sockets[s], messages + first, want, MSG_DONTWAIT, NULL);
        net->syscalls++;
        for (int i = 0; i < n; i++) {
            struct mmsghdr *m = &messages[used];
            const struct sockaddr_storage *ss = &from[used];
            const uint8_t *data = bytes[used++];
            if (m->msg_hdr.msg_flags & MSG_TRUNC)
                continue;
            datagrams[count++] = (struct net_datagram){ .from = client_addr(net, s, ss, &m->msg_hdr), .data = data,
                                                        .len = m->msg_len };
        }
    }
    return count;
}

unsigned net_poll(const struct net *net, struct pollfd *fds)
{
    for (unsigned i = 0; i < net->socket_count; i++)
        fds[i] = (struct pollfd){ .fd = net->sockets[i], .events = (short)(POLLIN | (net->blocked ? POLLOUT : 0)) };
    return net->socket_count;
}
