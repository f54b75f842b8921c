// SPDX-License-Identifier: MPL-2.0
// An HTTP server on the simulated wire, with manners that a test chooses for each connection. One connection at a time, over a wire
// that loses nothing.
#pragma once
#include "host/testworld.h"

#define SEGMENT 1400
#define ISS 1000000u

// What a server does once the request is there.
struct manners {
    const char *at_once; // said first
    const char *then;    // said over and over
    uint64_t every_us;   // so often; 0: never
    bool resets, ends;   // after at_once and the body
    const uint8_t *body; // behind at_once
    size_t body_len;
    bool refuses;        // the connection
    bool keeps;          // a further request on it is heard once this one is answered
};
// At SYN (request NULL) and when the request is there: what the server at `to` does.
static void answer(const struct net_addr *to, const char *request, struct manners *ret);

static struct {
    struct manners manners;
    struct net_addr client, server;
    uint32_t seq, ack, acked;
    uint16_t window;
    bool open, asked;
    uint64_t next_us, last_us;
    unsigned connections;
} tcp;

static void send_segment(struct simnet *net, uint8_t flags, const void *data, size_t len)
{
    const struct simnet_segment segment = { .seq = tcp.seq, .ack = tcp.ack, .flags = flags, .window = 0x4000, .data = data, .len = len };
    simnet_send_tcp(net, &tcp.server, &tcp.client, &segment);
    tcp.seq += (uint32_t)len + ((flags & (SIMNET_SYN | SIMNET_FIN)) != 0);
}

static void say(struct simnet *net, const char *text)
{
    size_t len = strlen(text);
    for (size_t at = 0; at < len; at += SEGMENT)
        send_segment(net, SIMNET_ACK | SIMNET_PSH, text + at, MIN(len - at, (size_t)SEGMENT));
}

// As much of the body as the window takes, and then the end.
static void push(struct simnet *net)
{
    struct manners *m = &tcp.manners;
    while (tcp.asked && m->body_len && tcp.seq - tcp.acked + SEGMENT < tcp.window && net->count < SIMNET_QUEUE_MAX / 2) {
        size_t n = MIN(m->body_len, (size_t)SEGMENT);
        send_segment(net, SIMNET_ACK | SIMNET_PSH, m->body, n);
        m->body += n;
        m->body_len -= n;
    }
    if (!tcp.asked || m->body_len || !(m->resets || m->ends))
        return;
    send_segment(net, SIMNET_ACK | (m->resets ? SIMNET_RST : SIMNET_FIN), NULL, 0);
    m->resets = m->ends = false;
}

static void segment(struct simnet *net, const struct net_addr *from, const struct net_addr *to, const struct simnet_segment *s)
{
    if (!(s->flags & SIMNET_SYN) && from->port != tcp.client.port)
        return; // of a connection before
    if (s->flags & SIMNET_RST) {
        tcp.open = false;
        return;
    }
    if (s->flags & SIMNET_SYN) {
        tcp.connections++;
        tcp.client = *from;
        tcp.server = *to;
        tcp.seq = ISS;
        tcp.ack = s->seq + 1;
        tcp.manners = (struct manners){ 0 };
        answer(to, NULL, &tcp.manners);
        tcp.open = tcp.manners.at_once != NULL; // or it never answers
        if (tcp.manners.refuses)
            send_segment(net, SIMNET_ACK | SIMNET_RST, NULL, 0);
        tcp.asked = false;
        if (tcp.open)
            send_segment(net, SIMNET_SYN | SIMNET_ACK, NULL, 0);
        return;
    }
    if (!tcp.open || s->seq != tcp.ack)
        return;
    tcp.window = s->window;
    tcp.acked = s->ack;
    tcp.ack += (uint32_t)s->len + (s->flags & SIMNET_FIN);
    if (s->len || s->flags & SIMNET_FIN)
        send_segment(net, SIMNET_ACK, NULL, 0);
    if (tcp.asked && s->len && tcp.manners.keeps && !tcp.manners.body_len)
        tcp.asked = false;
    if (s->len && !tcp.asked) {
        char request[2048];
        snprintf(request, sizeof request, "%.*s", (int)s->len, (const char *)s->data);
        answer(to, request, &tcp.manners);
        tcp.asked = true;
        say(net, tcp.manners.at_once);
        tcp.next_us = net->machine->now_us + tcp.manners.every_us;
    }
    push(net);
}

static void tick(struct simnet *net, uint64_t now)
{
    serve(net, now);
    // As much as the window takes: what is said faster than that waits.
    if (tcp.open)
        push(net);
    if (tcp.open && tcp.asked && tcp.manners.every_us && now >= tcp.next_us && tcp.seq - tcp.acked + SEGMENT < tcp.window &&
        net->count < SIMNET_QUEUE_MAX / 2) {
        say(net, tcp.manners.then);
        tcp.next_us = now + tcp.manners.every_us;
    }
}


static void set_up_http(void)
{
    set_up("img", key_a);
    w.net.tcp = segment;
    w.net.tick = tick;
}
