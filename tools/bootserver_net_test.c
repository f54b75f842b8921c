// SPDX-License-Identifier: MPL-2.0
// The boot server's sockets over the loopback interface: what came in is handed out whole, and the datagrams that were
// queued leave, many at a time where the kernel cuts them up, singly where it refuses to.
#include "base/test.h"
#include "bootserver_images.h"
#include "bootserver_net.h"
#include <errno.h>
#include <netinet/udp.h>
#include <sys/mman.h>
#include <unistd.h>

#ifndef UDP_GRO
#define UDP_GRO 104
#endif
#define IMAGE_BYTES (128 * 1024)
#define RECEIVE_BUFFER (1024 * 1024)
#define FULL_RUNS (NET_QUEUE_BLOCKS / P2_SERVER_QUANTUM)

static struct net net;
static struct image image;
static unsigned broken_count;

// A client's socket, and its address as the server knows it.
struct client {
    int fd;
    struct net_addr addr;
};

static bool client_open(struct client *c, const char *ip)
{
    struct sockaddr_storage ss;
    socklen_t len = sizeof ss;
    int size = RECEIVE_BUFFER;
    if (!net_addr_parse(ip, strlen(ip), &c->addr))
        return false;
    c->addr.port = 0;
    c->fd = socket(net_addr_is_v4(&c->addr) ? AF_INET : AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    setsockopt(c->fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
    setsockopt(c->fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size);
    if (c->fd < 0 || bind(c->fd, (struct sockaddr *)&ss, net_to_sockaddr(&c->addr, 0, &ss)) != 0 ||
        getsockname(c->fd, (struct sockaddr *)&ss, &len) != 0)
        return false;
    c->addr = net_from_sockaddr(&ss);
    return true;
}

// The server's sockets, and an image whose bytes tell where they are.
static void set_up(bool gso)
{
    static uint8_t bytes[IMAGE_BYTES];
    const char *ips[] = { "127.0.0.1", "::1" };
    struct opt_list listen = { .items = ips, .count = 2 };
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(i ^ i >> 8 ^ i >> 16);
    image = (struct image){ .map = bytes, .map_len = sizeof bytes };
    image.p2.handle = &image;
    broken_count = 0;
    if (net_open(&net, &listen, 0, NULL, gso) != 0)
        abort();
}

static void on_broken(void *ctx, const struct p2_image *p2)
{
    broken_count++;
}

// Queues one block behind a head that names it.
static bool queue_from(const struct image *from, const struct client *to, uint32_t number, uint32_t offset,
                       uint32_t length)
{
    struct p2_send *s = net_queue_slot(&net);
    if (!s)
        return false;
    *s = (struct p2_send){ .to = to->addr, .head_len = P2_DATA_FIXED, .image = &from->p2, .space = P2_SPACE_PAYLOAD,
                           .offset = offset, .length = length, .block_size = P2_BLOCK_MAX };
    store32_le(s->head, number);
    net_queue_push(&net);
    return true;
}

static bool queue(const struct client *to, uint32_t number, uint32_t offset, uint32_t length)
{
    return queue_from(&image, to, number, offset, length);
}

// True when the next datagram is that block, whole.
static bool came(const struct client *c, uint32_t number, uint32_t offset, uint32_t length)
{
    uint8_t buf[4096];
    ssize_t n = recv(c->fd, buf, sizeof buf, 0);
    return n == (ssize_t)(P2_DATA_FIXED + length) && load32_le(buf) == number &&
           memcmp(buf + P2_DATA_FIXED, image.map + offset, length) == 0;
}

static bool nothing_more(const struct client *c)
{
    char byte;
    return recv(c->fd, &byte, 1, 0) < 0 && errno == EAGAIN;
}

// Blocks of a READ in several runs: a short one between full ones, as at the end of a chunk.
static const uint32_t lengths[] = { 1408, 1408, 1408, 256, 1408, 1408, 17 };
#define BLOCKS ARRAY_SIZE(lengths)

static bool say(const struct client *c, const char *ip, const char *text, size_t len)
{
    struct sockaddr_storage ss;
    struct net_addr to;
    if (!net_addr_parse(ip, strlen(ip), &to))
        return false;
    to.port = net.port;
    return sendto(c->fd, text, len, 0, (struct sockaddr *)&ss, net_to_sockaddr(&to, 0, &ss)) == (ssize_t)len;
}

static bool heard(const struct net_datagram *d, const struct client *from, const char *text)
{
    struct net_addr addr = d->from;
    addr.zone = 0;
    return net_addr_equal(&addr, &from->addr) && d->len == strlen(text) && memcmp(d->data, text, d->len) == 0;
}

static void send_and_compare(const struct client *c)
{
    uint32_t at = 0;
    for (uint32_t i = 0; i < BLOCKS; at += lengths[i++])
        CHECK(queue(c, i, at, lengths[i]));
    net_flush(&net, 1, on_broken, NULL);
    CHECK_EQ(net.queue_count, 0);
    at = 0;
    for (uint32_t i = 0; i < BLOCKS; at += lengths[i++])
        CHECK(came(c, i, at, lengths[i]));
    CHECK(nothing_more(c));
    CHECK_EQ(net.dropped, 0);
}

TEST(every_datagram_arrives_as_it_was_queued)
{
    for (int gso = 0; gso < 2; gso++) {
        struct client a, b;
        set_up(gso);
        CHECK(client_open(&a, "127.0.0.1"), client_open(&b, "::1"));
        send_and_compare(&a);
        send_and_compare(&b);
        CHECK_EQ(net.gso_pause[0], 0);
        close(a.fd);
        close(b.fd);
        net_close(&net);
    }
}

TEST(refused_batches_go_singly_on_that_path)
{
    struct net_datagram got[NET_BATCH];
    struct client a, b;
    int on = 1;
    set_up(true);
    CHECK(client_open(&a, "127.0.0.1"), client_open(&b, "::1"));
    CHECK(say(&a, "127.0.0.1", "a", 1), say(&b, "::1", "b", 1));
    CHECK_EQ(net_receive(&net, got), 2);
    a.addr = got[0].from;
    b.addr = got[1].from;
    CHECK(a.addr.zone, b.addr.zone, a.addr.zone != b.addr.zone);
    // The kernel cuts nothing up that shall have no checksum.
    CHECK_EQ(setsockopt(net.sockets[0], SOL_SOCKET, SO_NO_CHECK, &on, sizeof on), 0);
    send_and_compare(&a);
    send_and_compare(&b);
    CHECK(net.gso_pause[a.addr.zone] > 1);
    CHECK_EQ(net.gso_pause[b.addr.zone], 0);
    uint64_t syscalls = net.syscalls;
    send_and_compare(&a);
    CHECK_EQ(net.syscalls, syscalls + 1); // remembered: no second try
    close(a.fd);
    close(b.fd);
    net_close(&net);
}

// What the kernel got as one, seen by a receiver that takes it as one: how many blocks, 0 when nothing came.
static unsigned batch(const struct client *c, uint32_t length)
{
    static uint8_t buf[65536];
    ssize_t n = recv(c->fd, buf, sizeof buf, 0);
    return n < 0 ? 0 : (unsigned)((size_t)n / (P2_DATA_FIXED + length));
}

// A queue full of blocks in runs as the protocol machine gives them.
static unsigned batches_of(uint32_t length, unsigned ret[NET_QUEUE_BLOCKS])
{
    struct client c;
    int on = 1;
    unsigned count = 0;
    if (!client_open(&c, "127.0.0.1") || setsockopt(c.fd, SOL_UDP, UDP_GRO, &on, sizeof on) != 0)
        return 0;
    for (uint32_t i = 0; i < FULL_RUNS; i++) {
        struct p2_send *s = net_queue_slot(&net);
        if (!s)
            return 0;
        *s = (struct p2_send){ .to = c.addr, .head_len = P2_DATA_FIXED, .image = &image.p2, .space = P2_SPACE_PAYLOAD,
                               .length = P2_SERVER_QUANTUM * length, .block_size = (uint16_t)length };
        net_queue_push(&net);
    }
    net_flush(&net, 1, on_broken, NULL);
    while (count < NET_QUEUE_BLOCKS && (ret[count] = batch(&c, length)))
        count++;
    close(c.fd);
    return count;
}

TEST(batches_are_as_large_as_the_kernel_takes)
{
    unsigned got[NET_QUEUE_BLOCKS];
    set_up(true);
    CHECK_EQ(batches_of(P2_BLOCK_MAX, got), FULL_RUNS);
    for (unsigned i = 0; i < FULL_RUNS; i++)
        CHECK_EQ(got[i], 44); // 65,000 bytes
    CHECK_EQ(batches_of(P2_BLOCK_MIN, got), 4);
    CHECK(got[0] == NET_GSO_BLOCKS, got[1] == NET_GSO_BLOCKS, got[3] == FULL_RUNS * P2_SERVER_QUANTUM - 3 * NET_GSO_BLOCKS);
    CHECK(net.queue_count == 0, net.queue_blocks == 0);
    CHECK_EQ(net.gso_pause[0], 0);
    net_close(&net);
}

// Queues a run of blocks of one size, and how it came: blocks in the first message.
static unsigned run_of(const struct client *c, uint16_t block, uint32_t blocks)
{
    struct p2_send *s = net_queue_slot(&net);
    if (!s)
        return 0;
    *s = (struct p2_send){ .to = c->addr, .head_len = P2_DATA_FIXED, .image = &image.p2, .space = P2_SPACE_PAYLOAD,
                           .length = blocks * block, .block_size = block };
    net_queue_push(&net);
    uint32_t counted = net.queue_blocks;
    net_flush(&net, 1, on_broken, NULL);
    return counted == blocks * p2_block_frames(block) && net.queue_blocks == 0 ? batch(c, block) : 0;
}

// Does the kernel send in fragments what is too long?
static int fragments(int fd)
{
    int how = -1;
    socklen_t len = sizeof how;
    getsockopt(fd, IPPROTO_IP, IP_MTU_DISCOVER, &how, &len);
    return how != IP_PMTUDISC_DO;
}

TEST(large_blocks_leave_whole)
{
    struct client c;
    int on = 1;
    set_up(true);
    CHECK(client_open(&c, "127.0.0.1"));
    CHECK_EQ(setsockopt(c.fd, SOL_UDP, UDP_GRO, &on, sizeof on), 0);
    CHECK_EQ(net_path_block(&net, &c.addr), P2_BLOCK_LARGE); // the loopback interface carries them
    uint32_t most = P2_SERVER_QUANTUM / p2_block_frames(P2_BLOCK_LARGE);
    CHECK_EQ(run_of(&c, P2_BLOCK_LARGE, most), most);
    CHECK(!fragments(net.sockets[0]), nothing_more(&c));
    CHECK_EQ(run_of(&c, P2_BLOCK_MAX, 2), 2);
    CHECK(fragments(net.sockets[0]), nothing_more(&c));
    CHECK_EQ(run_of(&c, P2_BLOCK_LARGE, 1), 1);
    CHECK(!fragments(net.sockets[0]), net.dropped == 0);
    // What no datagram carries is dropped, and others have their batches on.
    CHECK_EQ(run_of(&c, 65500, 1), 0);
    CHECK(nothing_more(&c), net.dropped == 1, net.queue_count == 0, net.gso_pause[0] == 0);
    close(c.fd);
    net_close(&net);
}

// A way that nobody knows carries nothing larger.
TEST(ways_that_are_not_known)
{
    static const uint8_t everyone[4] = { 255, 255, 255, 255 };
    struct net_addr a = net_addr_v4(everyone, 7); // no socket of this kind may be connected to it
    set_up(true);
    CHECK(net_path_block(&net, &a) < P2_BLOCK_MAX);
    net_close(&net);
}

TEST(clients_are_not_mixed)
{
    struct client a, b;
    set_up(true);
    CHECK(client_open(&a, "127.0.0.1"), client_open(&b, "127.0.0.1"));
    for (uint32_t i = 0; i < 12; i++)
        CHECK(queue(i / 3 % 2 ? &b : &a, i, i * 1408, 1408));
    net_flush(&net, 1, on_broken, NULL);
    for (uint32_t i = 0; i < 12; i++)
        CHECK(came(i / 3 % 2 ? &b : &a, i, i * 1408, 1408));
    CHECK(nothing_more(&a), nothing_more(&b));
    close(a.fd);
    close(b.fd);
    net_close(&net);
}

TEST(what_is_too_long_is_passed_over)
{
    static const char endless[2000];
    struct net_datagram got[NET_BATCH];
    struct client a, b;
    set_up(true);
    CHECK(client_open(&a, "127.0.0.1"), client_open(&b, "::1"));
    CHECK(say(&a, "127.0.0.1", endless, sizeof endless), say(&a, "127.0.0.1", "one", 3), say(&a, "127.0.0.1", "two", 3));
    CHECK(say(&b, "::1", "three", 5));
    CHECK_EQ(net_receive(&net, got), 3);
    CHECK(heard(&got[0], &a, "one"), heard(&got[1], &a, "two"), heard(&got[2], &b, "three"));
    CHECK_EQ(net_receive(&net, got), 0);
    close(a.fd);
    close(b.fd);
    net_close(&net);
}

// A file that was cut short in place: its bytes cannot be read any more, those of others can.
TEST(an_image_that_cannot_be_read)
{
    struct client a, b;
    set_up(true);
    CHECK(client_open(&a, "127.0.0.1"), client_open(&b, "127.0.0.1"));
    uint8_t *gone = mmap(NULL, IMAGE_BYTES, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(gone != MAP_FAILED);
    struct image other = { .map = gone };
    other.p2.handle = &other;
    for (uint32_t i = 0; i < 4; i++)
        CHECK(queue_from(&other, &a, i, i * 1408, 1408));
    CHECK(queue(&b, 4, 0, 1408));
    net_flush(&net, 1, on_broken, NULL);
    CHECK(came(&b, 4, 0, 1408), nothing_more(&a));
    CHECK(broken_count > 0);
    CHECK_EQ(net.dropped, 4);
    CHECK_EQ(net.gso_pause[0], 0);
    munmap(gone, IMAGE_BYTES);
    close(a.fd);
    close(b.fd);
    net_close(&net);
}

TEST_MAIN(T(every_datagram_arrives_as_it_was_queued), T(refused_batches_go_singly_on_that_path),
          T(batches_are_as_large_as_the_kernel_takes), T(large_blocks_leave_whole), T(ways_that_are_not_known),
          T(clients_are_not_mixed), T(what_is_too_long_is_passed_over),
          T(an_image_that_cannot_be_read))
