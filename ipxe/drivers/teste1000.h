// SPDX-License-Identifier: MPL-2.0
// What every test of the drivers of Intel's gigabit cards does with the card that is a program.
#pragma once
#include "drivers/teste1000_card.h"

// With a card of each kind.
#define TEST_EACH(name)                                                                                                \
    static void name##_with(int kind);                                                                                 \
    TEST(name)                                                                                                         \
    {                                                                                                                  \
        for (int kind = PCI; kind < KINDS && !test_failures; kind++)                                                   \
            name##_with(kind);                                                                                         \
    }                                                                                                                  \
    static void name##_with(int kind)

static _Alignas(16) uint8_t state[2048];
static struct card *net; // with the driver under test

static const struct nic_driver *its_driver(void)
{
    return card.queues ? &igb_driver : &e1000_driver;
}

static int open_card(void)
{
    net = bind_card(its_driver(), &card_pci, state);
    return card_open(net);
}

static int open_new(int kind)
{
    card_new(kind);
    return open_card();
}

// Nothing of the card's is left with us, nothing of ours with it, and it was never mistreated.
static bool is_left_alone(uint16_t command)
{
    return !card.fault && card.pieces == 0 && card.command == command && !(REG(E1000_RCTL) & E1000_RCTL_ENABLE) &&
           !(REG(E1000_TCTL) & E1000_TCTL_ENABLE) && (card.reset_sticks || !(REG(E1000_CTRL) & E1000_CTRL_MASTER_DISABLE));
}

static bool close_card(void)
{
    card_close(net);
    if (card.fault)
        printf("  %s\n", card.fault);
    return is_left_alone(PCI_COMMAND_IO);
}

// A frame to us whose contents follow from its number.
static void make_frame(uint8_t *frame, size_t len, uint32_t number)
{
    for (size_t i = 0; i < len; i++)
        frame[i] = (uint8_t)(number * 31 + i * 7);
    memcpy(frame, card_mac, 6);
    store32_le(frame + 14, number);
}

static bool frame_in(size_t len, uint32_t number)
{
    uint8_t frame[1518];
    make_frame(frame, len, number);
    return wire_in(frame, len);
}

// The next frame is this one.
static bool receives(size_t len, uint32_t number)
{
    uint8_t expected[1518], *frame;
    make_frame(expected, len, number);
    int got = card_receive(net, &frame);
    return got == (int)len && memcmp(frame, expected, len) == 0;
}

static bool receives_nothing(void)
{
    uint8_t *frame = NULL;
    return card_receive(net, &frame) == 0 && !frame;
}
