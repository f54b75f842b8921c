// SPDX-License-Identifier: MPL-2.0
// What every test of the driver of vmxnet3 does with the card that is a program.
#pragma once
#include "drivers/testvmxnet3_card.h"

static _Alignas(16) uint8_t state[1024];
static struct card *net; // with the driver under test

static void card_new(void)
{
    free(card.memory);
    card = (struct model){ .revisions = 7, .upts = 1, .command = PCI_COMMAND_IO };
    memcpy(card.mac, card_mac, 6);
}

static int open_card(void)
{
    net = bind_card(&vmxnet3_driver, &card_pci, state);
    return card_open(net);
}

static int open_new(void)
{
    card_new();
    return open_card();
}

// Nothing of the card's is left with us, nothing of ours with it, and it was never mistreated.
static bool is_left_alone(uint16_t command)
{
    if (card.fault)
        printf("  %s\n", card.fault);
    return !card.fault && card.pieces == 0 && card.command == command && (!card.active || card.deaf);
}

static bool close_card(void)
{
    card_close(net);
    return is_left_alone(PCI_COMMAND_IO);
}

// A frame to us whose contents follow from its number.
static void make_frame(uint8_t *frame, size_t len, uint32_t number)
{
    for (size_t i = 0; i < len; i++)
        frame[i] = (uint8_t)(number * 31 + i * 7);
    memcpy(frame, card_mac, 6);
    frame[12] = 8;
    store32_le(frame + 14, number);
}

static bool frame_in(size_t len, uint32_t number)
{
    uint8_t frame[2048];
    make_frame(frame, len, number);
    return wire_in(frame, len);
}

// The next frame is this one.
static bool receives(size_t len, uint32_t number)
{
    uint8_t expected[FRAME_RECEIVE_MAX], *frame;
    make_frame(expected, len, number);
    int got = card_receive(net, &frame);
    return got == (int)len && memcmp(frame, expected, len) == 0;
}

static bool receives_nothing(void)
{
    uint8_t *frame = NULL;
    return card_receive(net, &frame) == 0 && !frame;
}

static bool hears(const uint8_t group[6])
{
    uint8_t frame[60] = { 0 }, *got;
    memcpy(frame, group, 6);
    return wire_in(frame, 60) && card_receive(net, &got) == 60 && memcmp(got, group, 6) == 0;
}
