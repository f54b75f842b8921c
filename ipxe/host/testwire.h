// SPDX-License-Identifier: MPL-2.0
// A machine with the stack of net/ on a wire of the test's own: frames wait in a queue until the machine asks for them. What it
// sends goes to the test's function; the peer's answers to "who has" are made here.
#pragma once
#include "host/host.h"
#include "host/testpeer.h"
#include "net/net.h"

#include <stdlib.h>

#define WIRE_QUEUE 64

static struct {
    struct host_machine machine;
    struct frame queue[WIRE_QUEUE]; // towards the machine
    unsigned head, queued;
} wire;

static const uint8_t wire_mask[4] = { 255, 255, 255, 0 }, no_ip4[4];

static void wire_put(const struct frame *f)
{
    if (wire.queued == WIRE_QUEUE)
        abort();
    wire.queue[(wire.head + wire.queued++) % WIRE_QUEUE] = *f;
}

static int wire_receive(void *ctx, void *buf, size_t cap)
{
    if (!wire.queued)
        return 0;
    const struct frame *f = &wire.queue[wire.head];
    wire.head = (wire.head + 1) % WIRE_QUEUE;
    wire.queued--;
    memcpy(buf, f->bytes, f->len);
    return (int)f->len;
}

static void drain(void)
{
    while (net_poll() > 0)
        ;
}

// The machine's card is open and has its address.
static void wire_start(int (*send)(void *ctx, const void *frame, size_t len))
{
    host_init(&wire.machine);
    wire.machine.random_state = 1;
    wire.machine.wire = (struct host_wire){ .send = send, .receive = wire_receive };
    if (net_start(&wire.machine.platform) != 0 || net_open(0) != 0)
        abort();
    net_set_ipv4(0, own_ip4, wire_mask, no_ip4);
    drain();
}

// A frame from the peer, without what is in it.
static struct frame from_peer(uint16_t type)
{
    struct frame f = { .len = ETH };
    memcpy(f.bytes, own_mac, 6);
    memcpy(f.bytes + 6, peer_mac, 6);
    store16_be(f.bytes + 12, type);
    return f;
}

// Is this ARP's or neighbour discovery's question (RFC 826, RFC 4861 4.3)? The address that it asks for, or NULL.
static const uint8_t *asked_for(const uint8_t *frame)
{
    const uint8_t *body = frame + ETH;
    switch (load16_be(frame + 12)) {
    case 0x0806:
        return body[7] == 1 ? body + 24 : NULL;
    case 0x86dd:
        return body[6] == 58 && body[40] == 135 ? body + 48 : NULL;
    default:
        return NULL;
    }
}

// The peer's answer to such a question: it has that address.
static struct frame peer_has(const uint8_t *question)
{
    struct frame f = from_peer(load16_be(question + 12));
    uint8_t *out = f.bytes + ETH;
    const uint8_t *in = question + ETH, *address = asked_for(question);
    if (load16_be(question + 12) == 0x0806) {
        memcpy(out, in, 8);
        out[7] = 2;
        memcpy(out + 8, peer_mac, 6);
        memcpy(out + 14, address, 4);
        memcpy(out + 18, in + 8, 10);
        f.len = 60;
        return f;
    }
    uint8_t *na = out + 40;
    const size_t size = 32;
    memcpy(out, (const uint8_t[]){ 0x60, 0, 0, 0, 0, (uint8_t)size, 58, 255 }, 8);
    memcpy(out + 8, peer_ip6, 16);
    memcpy(out + 24, own_ip6, 16);
    memcpy(na, (const uint8_t[]){ 136, [4] = 0x60, [24] = 2, 1, [31] = 0 }, size);
    memcpy(na + 8, address, 16);
    memcpy(na + 26, peer_mac, 6);
    store16_be(na + 2, (uint16_t)~sum_up(sum_up(58 + (uint32_t)size, out + 8, 32), na, size));
    f.len = ETH + 40 + size;
    return f;
}
