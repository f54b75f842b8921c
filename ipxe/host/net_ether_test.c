// SPDX-License-Identifier: MPL-2.0
// Raw Ethernet sockets over a wire that the test holds the other end of.
#include "host/host.h"
#include "net/net.h"

#include "base/bytes.h"
#include "base/test.h"

#define ETH 14
#define TYPE 0x88a2u
#define OTHER 0x88b5u

static const uint8_t own_mac[6] = { 0x52, 0x54, 0, 0x12, 0x34, 0x56 }, peer_mac[6] = { 0x52, 0x54, 0, 0, 0, 1 };
static const uint8_t broadcast[6] = { 255, 255, 255, 255, 255, 255 };

static struct {
    struct host_machine machine;
    uint8_t in[FRAME_RECEIVE_MAX], sent[FRAME_MAX]; // towards the machine, and its last one
    size_t in_len, sent_len;
    unsigned frames_sent, got;
    uint8_t from[6], data[FRAME_RECEIVE_MAX];
    size_t len;
    struct net_ether *ether;
} t;

static int wire_send(void *ctx, const void *frame, size_t len)
{
    memcpy(t.sent, frame, len);
    t.sent_len = len;
    t.frames_sent++;
    return 0;
}

static int wire_receive(void *ctx, void *buf, size_t cap)
{
    size_t len = MIN(t.in_len, cap);
    memcpy(buf, t.in, len);
    t.in_len = 0;
    return (int)len;
}

static void receive(void *ctx, const uint8_t from[6], const uint8_t *data, size_t len)
{
    CHECK(ctx == &t);
    memcpy(t.from, from, 6);
    memcpy(t.data, data, len);
    t.len = len;
    t.got++;
}

// Is the frame with these bytes behind its type given to the socket, whole?
static bool gives(const uint8_t to[6], uint16_t type, const void *data, size_t len)
{
    unsigned before = t.got;
    memcpy(t.in, to, 6);
    memcpy(t.in + 6, peer_mac, 6);
    store16_be(t.in + 12, type);
    memcpy(t.in + ETH, data, len);
    t.in_len = ETH + len;
    (void)net_poll();
    return t.got == before + 1 && t.len == len && memcmp(t.data, data, len) == 0 && memcmp(t.from, peer_mac, 6) == 0;
}

static void set_up(void)
{
    static bool started;
    if (!started) {
        host_init(&t.machine);
        t.machine.random_state = 1;
        t.machine.wire = (struct host_wire){ .send = wire_send, .receive = wire_receive };
        CHECK_EQ(net_start(&t.machine.platform), 0);
        started = true;
    }
    CHECK_EQ(net_open(0), 0);
    net_ether_close(t.ether);
    t.ether = NULL;
    t.got = 0;
}

TEST(frames_of_its_type_are_the_sockets)
{
    uint8_t data[FRAME_RECEIVE_MAX - ETH];
    set_up();
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (uint8_t)(i * 7);
    CHECK(!gives(own_mac, TYPE, data, 46)); // nobody listens: lwIP drops it
    t.ether = net_ether_open(0, TYPE, receive, &t);
    CHECK(t.ether);
    for (size_t len = 0; len <= sizeof data; len++)
        CHECK(gives(len & 1 ? own_mac : broadcast, TYPE, data, len));
    CHECK(!gives(own_mac, OTHER, data, 46));
    CHECK(!gives(peer_mac, TYPE, data, 46)); // let through by a card that takes all, and for somebody else
    net_ether_close(t.ether);
    CHECK(!gives(own_mac, TYPE, data, 46));
}

TEST(a_priority_tag_is_taken_off)
{
    uint8_t tagged[4 + 46] = { 0xe0, 0, TYPE >> 8, TYPE & 0xff, 1, 2, 3 };
    set_up();
    t.ether = net_ether_open(0, TYPE, receive, &t);
    CHECK(!gives(own_mac, 0x8100, tagged, sizeof tagged)); // not as it came
    CHECK(t.got == 1, t.len == 46, memcmp(t.data, tagged + 4, 46) == 0, memcmp(t.from, peer_mac, 6) == 0);
    tagged[1] = 5; // another network's
    CHECK(!gives(own_mac, 0x8100, tagged, sizeof tagged));
    CHECK_EQ(t.got, 1);
}

TEST(sends)
{
    static const uint8_t data[1501] = { 1, 2, 3 };
    set_up();
    t.ether = net_ether_open(0, TYPE, receive, &t);
    CHECK_EQ(net_ether_send(t.ether, peer_mac, data, 1500), 0);
    CHECK_EQ(t.sent_len, FRAME_MAX);
    CHECK(memcmp(t.sent, peer_mac, 6) == 0, memcmp(t.sent + 6, own_mac, 6) == 0);
    CHECK_EQ(load16_be(t.sent + 12), TYPE);
    CHECK(memcmp(t.sent + ETH, data, 1500) == 0);
    unsigned before = t.frames_sent;
    CHECK_EQ(net_ether_send(t.ether, peer_mac, data, 1501), ERR_TOO_LARGE);
    net_close(0);
    before += t.frames_sent - before; // what lwIP says of its leaving
    CHECK_EQ(net_ether_send(t.ether, peer_mac, data, 60), ERR_NET_LINK);
    CHECK_EQ(t.frames_sent, before);
    CHECK_EQ(net_open(0), 0); // the socket is still there
    CHECK_EQ(net_ether_send(t.ether, peer_mac, data, 60), 0);
    CHECK(gives(own_mac, TYPE, data, 60));
}

TEST(one_socket_for_a_type_and_none_for_lwips)
{
    static const uint16_t refused[] = { 0, 46, 1500, 0x05ff, 0x0800, 0x0806, 0x86dd, 0x8100 };
    struct net_ether *sockets[64];
    unsigned n = 0;
    set_up();
    for (unsigned i = 0; i < ARRAY_SIZE(refused); i++)
        CHECK(!net_ether_open(0, refused[i], receive, &t));
    CHECK(!net_ether_open(1, TYPE, receive, &t)); // no such card
    t.ether = net_ether_open(0, TYPE, receive, &t);
    CHECK(t.ether, !net_ether_open(0, TYPE, receive, &t));
    while (n < ARRAY_SIZE(sockets) && (sockets[n] = net_ether_open(0, (uint16_t)(OTHER + n), receive, &t)))
        n++;
    CHECK(n >= 3, n < ARRAY_SIZE(sockets)); // a bound, and room behind it again
    CHECK(gives(own_mac, OTHER, "", 0));
    while (n > 0)
        net_ether_close(sockets[--n]);
    CHECK(!gives(own_mac, OTHER, "", 0), gives(own_mac, TYPE, "", 0));
    net_ether_close(NULL);
}

// A runt, a frame that ends within its head, and what follows them.
TEST(short_frames_do_no_harm)
{
    set_up();
    t.ether = net_ether_open(0, TYPE, receive, &t);
    for (size_t len = 1; len < ETH; len++) {
        memset(t.in, 0xff, sizeof t.in);
        memcpy(t.in + 12, (uint8_t[]){ TYPE >> 8, TYPE & 0xff }, 2);
        t.in_len = len;
        (void)net_poll();
        CHECK_EQ(t.got, 0);
    }
    CHECK(gives(own_mac, TYPE, "abc", 3));
}

static void close_itself(void *ctx, const uint8_t from[6], const uint8_t *data, size_t len)
{
    CHECK_EQ(net_ether_send(t.ether, from, data, len), 0); // an answer while the frame is lent
    net_ether_close(t.ether);
    t.ether = net_ether_open(0, OTHER, receive, &t);
}

TEST(a_receiver_may_answer_and_close_its_socket)
{
    set_up();
    t.ether = net_ether_open(0, TYPE, close_itself, &t);
    CHECK(!gives(own_mac, TYPE, "ping", 4));
    CHECK(t.sent_len == ETH + 4, memcmp(t.sent + ETH, "ping", 4) == 0, memcmp(t.sent, peer_mac, 6) == 0);
    CHECK(!gives(own_mac, TYPE, "ping", 4), gives(own_mac, OTHER, "pong", 4));
}

TEST_MAIN(T(frames_of_its_type_are_the_sockets), T(a_priority_tag_is_taken_off), T(sends),
          T(one_socket_for_a_type_and_none_for_lwips), T(short_frames_do_no_harm), T(a_receiver_may_answer_and_close_its_socket))
