// SPDX-License-Identifier: MPL-2.0
// TCP peers that do what no kernel does, beneath a whole HTTP fetch on virtual time: shut windows, segment sizes that nobody can use,
// storms of resets, connections of strangers, ends too early. The file comes all the same, or the connection ends soon with a true
// error and the next source boots.
#include "base/progress.h"
#include "host/testworld.h"

#define SECONDS 1000000ull
#define ISS 4000000000u // wraps on the way
#define WINDOW 0x4000
#define HEAD "HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n"
#define BODY "#!ipxe\necho REACHED\n"
#define STORM 200 // segments at once; the wire holds more

// What a peer does in place of what a server should do. NULL: that.
struct manners {
    uint16_t window, mss; // window: of its SYN; mss 0 is said, too
    void (*meet)(struct simnet *net);  // at each SYN
    void (*serve)(struct simnet *net); // once, when the request is whole
    void (*act)(struct simnet *net);   // each half second
};

static struct {
    const struct manners *manners;
    struct net_addr client, server;
    uint32_t seq, ack; // the peer's next byte, and the one that it expects
    uint16_t window;
    unsigned met, asked; // SYNs; bytes of the request
    char request[1024];
    uint64_t next_us, asked_us;
} tcp;

static void put_from(struct simnet *net, const struct net_addr *from, uint8_t flags, uint32_t seq, uint32_t ack, const char *data)
{
    const struct simnet_segment segment = { .seq = seq, .ack = ack, .flags = flags, .window = tcp.window,
                                            .data = (const uint8_t *)data, .len = strlen(data) };
    simnet_send_tcp(net, from, &tcp.client, &segment);
}

static void put(struct simnet *net, uint8_t flags, uint32_t seq, uint32_t ack, const char *data)
{
    put_from(net, &tcp.server, flags, seq, ack, data);
}

static void say(struct simnet *net, uint8_t flags, const char *data)
{
    put(net, flags | SIMNET_ACK, tcp.seq, tcp.ack, data);
    tcp.seq += (uint32_t)strlen(data) + ((flags & (SIMNET_SYN | SIMNET_FIN)) != 0);
}

static void greet(struct simnet *net)
{
    tcp.seq = ISS;
    say(net, SIMNET_SYN, "");
}

static void give(struct simnet *net)
{
    say(net, SIMNET_PSH, HEAD BODY);
    say(net, SIMNET_FIN, "");
}

static void segment(struct simnet *net, const struct net_addr *from, const struct net_addr *to, const struct simnet_segment *s)
{
    const struct manners *m = tcp.manners;
    if (s->flags & SIMNET_RST || memcmp(to->ip, w.server_addr.ip, 16) != 0)
        return;
    if (s->flags & SIMNET_SYN) {
        tcp.client = *from;
        tcp.server = *to;
        tcp.ack = s->seq + 1;
        tcp.window = m->window;
        tcp.met++;
        if (m->meet)
            m->meet(net);
        else
            greet(net);
        return;
    }
    if (s->seq != tcp.ack || !(s->len || s->flags & SIMNET_FIN))
        return;
    size_t taken = MIN(s->len, (size_t)tcp.window);
    taken = MIN(taken, sizeof tcp.request - 1 - tcp.asked);
    memcpy(tcp.request + tcp.asked, s->data, taken);
    tcp.asked += (unsigned)taken;
    tcp.ack += (uint32_t)taken + (taken == s->len && s->flags & SIMNET_FIN);
    say(net, 0, "");
    if (tcp.asked_us || !strstr(tcp.request, "\r\n\r\n"))
        return;
    tcp.asked_us = net->machine->now_us;
    if (m->serve)
        m->serve(net);
    else
        give(net);
}

static void tick(struct simnet *net, uint64_t now)
{
    serve(net, now);
    if (tcp.met && tcp.manners->act && now >= tcp.next_us) {
        tcp.next_us = now + SECONDS / 2;
        tcp.manners->act(net);
    }
}

// --- manners ---

static void open_later(struct simnet *net)
{
    if (tcp.met && !tcp.asked && net->machine->now_us > 12 * SECONDS) {
        tcp.window = WINDOW;
        say(net, 0, "");
    }
}

static void shut_at_once(struct simnet *net)
{
    greet(net);
    tcp.window = 0;
    say(net, 0, "");
}

static void syn_alone(struct simnet *net)
{
    put(net, SIMNET_SYN, ISS, 0, "");
}

// Both begin: RFC 9293 3.5, figure 7.
static void syn_crosses(struct simnet *net)
{
    put(net, SIMNET_SYN, ISS, 0, "");
    greet(net);
}

static struct net_addr stranger(void)
{
    struct net_addr other = tcp.server;
    other.ip[15] ^= 0x40;
    return other;
}

static void stranger_greets(struct simnet *net)
{
    struct net_addr other = stranger();
    put_from(net, &other, SIMNET_SYN | SIMNET_ACK, ISS, tcp.ack, "");
}

static void stranger_greets_first(struct simnet *net)
{
    stranger_greets(net);
    greet(net);
}

// Who does not see the connection knows its ports, and guesses the numbers. The server itself is slow.
static void blind_acks_first(struct simnet *net)
{
    for (unsigned i = 1; i <= STORM; i++)
        put(net, i % 2 ? SIMNET_ACK : SIMNET_SYN | SIMNET_ACK, ISS + i, tcp.ack + i * 77777, "");
    if (net->machine->now_us > 5 * SECONDS)
        greet(net);
}

static void blind_resets_first(struct simnet *net)
{
    for (unsigned i = 1; i <= STORM; i++)
        put(net, SIMNET_RST | (i % 2 ? SIMNET_ACK : 0), ISS + i, tcp.ack + i, "");
    greet(net);
}

static void resets_near(struct simnet *net)
{
    for (unsigned i = 1; i <= STORM; i++)
        put(net, SIMNET_RST | (i % 2 ? SIMNET_ACK : 0), tcp.seq + (i % 4 ? i : -i), tcp.ack, "");
    give(net);
}

static void syns_in_between(struct simnet *net)
{
    for (unsigned i = 0; i < STORM; i++)
        put(net, SIMNET_SYN | (i % 2 ? SIMNET_ACK : 0), tcp.seq + i, tcp.ack, "");
    give(net);
}

static void acks_of_nothing(struct simnet *net)
{
    for (unsigned i = 0; i < STORM; i++)
        put(net, SIMNET_ACK, tcp.seq, tcp.ack + i * 50, "");
    give(net);
}

static void reset_exactly(struct simnet *net)
{
    put(net, SIMNET_RST, tcp.seq, 0, "");
}

static void end_before_the_head(struct simnet *net)
{
    say(net, SIMNET_FIN, "");
}

static void end_with_the_greeting(struct simnet *net)
{
    say(net, SIMNET_SYN | SIMNET_FIN, "");
}

static void end_before_the_request(struct simnet *net)
{
    greet(net);
    say(net, SIMNET_FIN, "");
}

static void bytes_behind_the_end(struct simnet *net)
{
    say(net, SIMNET_FIN, "");
    say(net, SIMNET_PSH, HEAD BODY);
}

static void never_end(struct simnet *net)
{
    say(net, SIMNET_PSH, HEAD BODY);
}

// The same numbers, other bytes: what was taken in holds.
static void two_truths(struct simnet *net)
{
    uint32_t at = tcp.seq, body = at + sizeof HEAD - 1;
    say(net, SIMNET_PSH, HEAD);
    put(net, SIMNET_ACK, at, tcp.ack, "HTTP/1.1 404 No\r\n\r\n");
    say(net, SIMNET_PSH, "#!ipxe\necho REA");
    put(net, SIMNET_ACK, body, tcp.ack, "#!ipxe\necho OTHCHED\n");
    put(net, SIMNET_ACK, body + 7, tcp.ack, "echo OTHERS!\n");
    tcp.seq += 5;
    say(net, SIMNET_FIN, "");
}

// As long as a frame can be, though less was asked for.
static void jumbo(struct simnet *net)
{
    char text[1460 + 1];
    snprintf(text, sizeof text, "HTTP/1.1 200 OK\r\nX: %01429d\r\n\r\n#!ipxe\n", 0);
    say(net, SIMNET_PSH, text);
    snprintf(text, sizeof text, "#%01445d\necho REACHED\n", 0);
    say(net, SIMNET_PSH, text);
    say(net, SIMNET_FIN, "");
}

static const struct {
    const char *name;
    struct manners manners;
    const char *says; // "REACHED": the file was run
} peers[] = {
    { "a server", { .window = WINDOW, .mss = 1460 }, "REACHED" },
    { "a window that never opens", { .window = 0, .mss = 1460 }, "[G03]" },
    { "a window that opens after seconds", { .window = 0, .mss = 1460, .act = open_later }, "REACHED" },
    { "a window that is shut at once", { .window = WINDOW, .mss = 1460, .meet = shut_at_once }, "[G03]" },
    { "a window of one byte", { .window = 1, .mss = 1460 }, "[G03]" },
    { "a window of two bytes", { .window = 2, .mss = 1460 }, "[G03]" },
    { "a window of 100 bytes", { .window = 100, .mss = 1460 }, "REACHED" },
    { "segments of no byte", { .window = WINDOW, .mss = 0 }, "REACHED" },
    { "segments of one byte", { .window = WINDOW, .mss = 1 }, "REACHED" },
    { "segments of eight bytes", { .window = WINDOW, .mss = 8 }, "REACHED" },
    { "segments of 65535 bytes", { .window = WINDOW, .mss = 65535 }, "REACHED" },
    { "segments longer than asked for", { .window = WINDOW, .mss = 536, .serve = jumbo }, "REACHED" },
    { "a SYN for ours, and no more", { .window = WINDOW, .mss = 1460, .meet = syn_alone }, "[G03]" },
    { "a SYN that crosses ours", { .window = WINDOW, .mss = 1460, .meet = syn_crosses }, "REACHED" },
    { "a stranger in its place", { .window = WINDOW, .mss = 1460, .meet = stranger_greets }, "[G03]" },
    { "a stranger in front", { .window = WINDOW, .mss = 1460, .meet = stranger_greets_first }, "REACHED" },
    { "blind acknowledgements in front", { .window = WINDOW, .mss = 1460, .meet = blind_acks_first }, "REACHED" },
    { "blind resets in front", { .window = WINDOW, .mss = 1460, .meet = blind_resets_first }, "REACHED" },
    { "resets in the window", { .window = WINDOW, .mss = 1460, .serve = resets_near }, "REACHED" },
    { "SYNs in between", { .window = WINDOW, .mss = 1460, .serve = syns_in_between }, "REACHED" },
    { "acknowledgements of what was not sent", { .window = WINDOW, .mss = 1460, .serve = acks_of_nothing }, "REACHED" },
    { "a reset", { .window = WINDOW, .mss = 1460, .serve = reset_exactly }, "[N12]" },
    { "an end in front of the head", { .window = WINDOW, .mss = 1460, .serve = end_before_the_head }, "[G09]" },
    { "an end in the greeting", { .window = WINDOW, .mss = 1460, .meet = end_with_the_greeting }, "REACHED" },
    { "an end in front of the request", { .window = WINDOW, .mss = 1460, .meet = end_before_the_request }, "[G09]" },
    { "bytes behind the end", { .window = WINDOW, .mss = 1460, .serve = bytes_behind_the_end }, "[G09]" },
    { "no end", { .window = WINDOW, .mss = 1460, .serve = never_end }, "REACHED" },
    { "two truths", { .window = WINDOW, .mss = 1460, .serve = two_truths }, "REACHED" },
};
static unsigned which;

static void fetch(void)
{
    set_up("img", key_a);
    w.net.tcp = segment;
    w.net.tick = tick;
    w.net.tcp_mss = peers[which].manners.mss;
    tcp.manners = &peers[which].manners;
    run("#!ipxe\ndhcp\nchain http://10.0.0.1/script || echo NEXT\nchain p2://10.0.0.1/image\n", &key_a, 0);
}

#define BEFORE_US (8 * SECONDS) // the lease, at most, with the wait for a proxy
TEST(the_file_comes_or_a_true_error)
{
    unsigned bad = 0;
    for (which = 0; which < ARRAY_SIZE(peers); which++) {
        struct outcome *out = in_child(fetch);
        bool reached = strcmp(peers[which].says, "REACHED") == 0;
        bool good = said(out, peers[which].says) && strstr(out->transcript, reached ? "REACHED" : "NEXT") && !strstr(out->transcript, "OTHERS") &&
                    out->booted && out->now_us < BEFORE_US + PROGRESS_SILENCE_US + 3 * SECONDS;
        if (!good)
            printf("  %s: %.1f s\n%s\n", peers[which].name, (double)out->now_us / SECONDS, out->transcript);
        bad += !good;
    }
    CHECK_EQ(bad, 0);
}

TEST_MAIN(T(the_file_comes_or_a_true_error))
