// SPDX-License-Identifier: MPL-2.0
// A world for the PXE API: a program's memory, a wire, and a TFTP server on it. What a call names outside of the program's memory is
// out of reach.
#pragma once
#include "base/bytes.h"
#include "proto/pxe_api.h"

#include <stdio.h>
#include <stdlib.h>

#define MEMORY_FROM 0x1000u // the program's, but for what is the firmware's
#define MEMORY_TO 0x200000u
#define OWN_FROM 0x9c000u
#define OWN_TO 0x9e000u
#define LOW 0x9f000u // of 4608 bytes
#define LOW_SIZE 4608u
#define BLOCK 0x2000u  // where the tests put a parameter block
#define BUFFER 0x3000u // and its buffer
#define FILE_MAX_SIZE 200000

struct world_datagram {
    unsigned socket;
    struct net_addr addr;
    size_t len;
    uint8_t data[1500];
};

static uint8_t memory_bytes[MEMORY_TO];
static struct pxe_api api;
static struct {
    uint64_t now;
    bool open[PXE_API_SOCKETS];
    uint16_t port[PXE_API_SOCKETS];
    uint16_t port_taken; // no socket can have it
    struct world_datagram sent;
    unsigned coming_count, sent_count;
    // the card
    bool card_open, card_fails, wire_fails, everything;
    unsigned group_count, stack_filters;
    uint8_t groups[16][6];
    uint8_t frame[1600], out[1600];
    size_t frame_len, out_len;
    // the TFTP server
    const char *name;
    uint32_t file_len;
    bool options, silent, silent_later;
    uint32_t block_size, window;
    unsigned errors;  // ERROR packets that it was sent
    uint32_t acked;   // the last ACK's block
    unsigned turns;
} world;

static struct world_datagram world_coming[64]; // world.coming_count of them
static uint8_t world_file[FILE_MAX_SIZE];

static const uint8_t own_ip[4] = { 10, 0, 0, 99 }, server_ip[4] = { 10, 0, 0, 1 };
static const uint8_t own_mac[6] = { 0x52, 0x54, 0, 0x12, 0x34, 0x56 };

static uint64_t world_now(void)
{
    return world.now += 10;
}

static void *world_memory(uint32_t address, uint32_t len)
{
    uint64_t end = (uint64_t)address + len;
    if (!len || address / PXE_API_PIECE != (end - 1) / PXE_API_PIECE)
        abort();
    if (address < MEMORY_FROM || end > MEMORY_TO || (address < OWN_TO && end > OWN_FROM))
        return NULL;
    return memory_bytes + address;
}

static void world_deliver(unsigned socket, uint16_t port, const uint8_t *data, size_t len)
{
    if (world.coming_count == 64)
        return;
    struct world_datagram *d = &world_coming[world.coming_count++];
    d->socket = socket;
    d->addr = net_addr_v4(server_ip, port);
    d->len = len;
    memcpy(d->data, data, len);
}

static void world_send_block(unsigned socket, uint32_t number)
{
    uint8_t packet[1500];
    uint64_t at = (uint64_t)(number - 1) * world.block_size;
    if (at > world.file_len)
        return;
    size_t len = MIN((size_t)world.block_size, (size_t)(world.file_len - at));
    store16_be(packet, 3);
    store16_be(packet + 2, (uint16_t)number);
    memcpy(packet + 4, world_file + at, len);
    world_deliver(socket, 3000, packet, 4 + len);
}

static void world_request(unsigned socket, const uint8_t *data, size_t len)
{
    uint8_t packet[200] = { 0, 6 };
    size_t out = 2;
    if (strcmp((const char *)data + 2, world.name) != 0) {
        static const uint8_t error[] = { 0, 5, 0, 1, 'n', 'o', 0 };
        world_deliver(socket, 3000, error, sizeof error);
        return;
    }
    world.block_size = 512;
    world.window = 1;
    const char *p = (const char *)data + 2, *end = (const char *)data + len;
    p += strlen(p) + 1;
    p += strlen(p) + 1;
    while (world.options && p < end) {
        const char *value = p + strlen(p) + 1;
        uint32_t number = (uint32_t)atoi(value);
        if (strcmp(p, "blksize") == 0)
            number = world.block_size = MIN(number, 1400u);
        else if (strcmp(p, "windowsize") == 0)
            number = world.window = MIN(number, 4u);
        else
            number = world.file_len;
        out += (size_t)snprintf((char *)packet + out, sizeof packet - out, "%s", p) + 1;
        out += (size_t)snprintf((char *)packet + out, sizeof packet - out, "%u", number) + 1;
        p = value + strlen(value) + 1;
    }
    if (world.options)
        world_deliver(socket, 3000, packet, out);
    else
        world_send_block(socket, 1);
}

static int world_send(unsigned socket, const struct net_addr *to, const void *data, size_t len)
{
    const uint8_t *p = data;
    if (socket >= PXE_API_SOCKETS || !world.open[socket] || !world.card_open)
        abort();
    if (len > 1500)
        return ERR_TOO_LARGE;
    world.sent.socket = socket;
    world.sent.addr = *to;
    world.sent.len = len;
    if (len)
        memcpy(world.sent.data, data, len);
    world.sent_count++;
    if (world.wire_fails)
        return ERR_NET_LINK;
    if (socket != PXE_API_TFTP || world.silent || len < 4)
        return 0;
    if (load16_be(p) == 1)
        world_request(socket, p, len);
    else if (load16_be(p) == 5)
        world.errors++;
    else if (load16_be(p) == 4 && !world.silent_later) {
        world.acked = load16_be(p + 2);
        for (uint32_t i = 1; i <= world.window; i++)
            world_send_block(socket, world.acked + i);
    }
    return 0;
}

static void world_turn(void)
{
    world.now += 10000;
    world.turns++;
    struct world_datagram d;
    while (world.coming_count > 0) {
        d = world_coming[0];
        memmove(world_coming, world_coming + 1, --world.coming_count * sizeof d);
        if (world.open[d.socket])
            pxe_api_datagram(&api, d.socket, &d.addr, d.data, d.len);
    }
}

static bool world_listen(unsigned socket, uint16_t port)
{
    if (socket >= PXE_API_SOCKETS)
        abort();
    world.open[socket] = port == 0 || port != world.port_taken;
    world.port[socket] = port;
    return world.open[socket];
}

static void world_close(unsigned socket)
{
    world.open[socket] = false;
}

static uint16_t world_mtu(const struct net_addr *to)
{
    return 1500;
}

static int world_card(bool open)
{
    if (open == world.card_open)
        abort();
    if (open && world.card_fails)
        return ERR_NET_LINK;
    world.card_open = open;
    return 0;
}

static int world_filter(const uint8_t (*macs)[6], unsigned count, bool everything)
{
    if (!world.card_open || count > PXE_MCAST_MAX || (everything && !api.self.everything))
        abort();
    world.stack_filters += !macs;
    world.everything = everything;
    world.group_count = count;
    if (count)
        memcpy(world.groups, macs, count * 6);
    return world.wire_fails ? ERR_NET_LINK : 0;
}

static int world_transmit(const void *frame, size_t len)
{
    if (!world.card_open || len > FRAME_MAX || len < 14)
        abort();
    world.out_len = len;
    memcpy(world.out, frame, len);
    return world.wire_fails ? ERR_NET_LINK : 0;
}

static int world_receive(void *frame, size_t cap)
{
    size_t len = MIN(world.frame_len, cap);
    if (!world.card_open)
        abort();
    memcpy(frame, world.frame, len);
    world.frame_len = 0;
    return (int)len;
}

const struct pxe_api_world pxe_api_world = { world_now,  world_memory, world_turn,   world_listen,   world_close,  world_send,
                                             world_mtu, world_card,   world_filter, world_transmit, world_receive };

// Whatever was in the program's memory stays there.
static void world_start(void)
{
    static const uint8_t ack[300] = { 2, 1, 6, 'a' }, reply[250] = { 2, 1, 6, 'r' };
    const struct pxe_api_packets packets = { .bytes = { NULL, ack, reply }, .len = { 0, sizeof ack, sizeof reply } };
    memset(&world, 0, sizeof world);
    world.card_open = true;
    world.name = "file";
    world.options = true;
    if (!world_file[1])
        for (size_t i = 0; i < sizeof world_file; i++)
            world_file[i] = (uint8_t)(i * 7 + i / 256);
    world.file_len = 10000;
    pxe_api_init(&api, LOW, memory_bytes + LOW, LOW_SIZE, &packets);
    memcpy(api.self.ip, own_ip, 4);
    memcpy(api.self.mac, own_mac, 6);
    api.self.everything = true;
    api.self.nic = (struct pxe_undi_nic_type){ .type = PXE_NIC_PCI, .vendor = 0x8086, .device = 0x100e, .base_class = 2, .bus_dev_fn = 0x18 };
}

__attribute__((unused)) static void world_begin(void)
{
    memset(memory_bytes, 0xee, sizeof memory_bytes);
    world_start();
}
