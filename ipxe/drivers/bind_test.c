// SPDX-License-Identifier: MPL-2.0
// bind.c over the table as it is, and a PCI function that is a program.
#include "drivers/bind.h"

#include "drivers/teste1000.h"
#include "drivers/virtio_net.h"
#include "drivers/vmxnet3.h"

#define ETHERNET 0x020000u
#define DISK 0x010802u

TEST(a_function_has_the_driver_that_knows_it)
{
    CHECK(bind_driver(0x8086, 0x100E, ETHERNET) == &e1000_driver);
    CHECK(bind_driver(0x8086, 0x10D3, ETHERNET) == &e1000_driver);
    CHECK(bind_driver(0x8086, 0x10C9, ETHERNET) == &igb_driver);
    CHECK(bind_driver(0x1AF4, 0x1000, ETHERNET) == &virtio_net_driver);
    CHECK(bind_driver(0x1AF4, 0x1041, ETHERNET) == &virtio_net_driver);
    CHECK(bind_driver(0x15AD, 0x07B0, ETHERNET) == &vmxnet3_driver);
    CHECK(!bind_driver(0x1AF4, 0x100E, ETHERNET));
    CHECK(!bind_driver(0x8086, 0x100E, DISK)); // an id alone is no network card
    CHECK(!bind_driver(0xFFFF, 0xFFFF, 0xFFFFFF)); // nothing is there
}

TEST(a_function_has_one_driver_and_a_driver_every_call)
{
    static const uint16_t vendors[] = { 0x8086, 0x1AF4, 0x15AD, 0x10EC, 0xFFFF };
    for (unsigned v = 0; v < ARRAY_SIZE(vendors); v++)
        for (unsigned device = 0; device <= UINT16_MAX; device++) {
            unsigned known = 0;
            for (size_t i = 0; i < nic_driver_count; i++)
                known += nic_drivers[i]->knows(vendors[v], (uint16_t)device);
            CHECK(known <= 1);
        }
    for (size_t i = 0; i < nic_driver_count; i++) {
        const struct nic_driver *d = nic_drivers[i];
        CHECK(strlen(d->name) < sizeof net->info.driver);
        CHECK(d->size >= sizeof(struct nic));
        CHECK(d->probe, d->ops.open, d->ops.close, d->ops.link);
        CHECK(d->ops.multicast, d->ops.send, d->ops.receive);
    }
}

TEST(a_function_becomes_a_card)
{
    static uint8_t frame[60];
    card_new(PCI);
    memset(state, 0xee, sizeof state);
    const struct nic_driver *driver = bind_driver(card_pci.vendor, card_pci.device, ETHERNET);
    CHECK(driver, driver->size <= sizeof state);
    net = bind_card(driver, &card_pci, state);
    CHECK_STR(net->info.driver, "e1000");
    CHECK_STR(net->info.chip, "PCI 8086:100e");
    CHECK_EQ(card.reads + card.writes, 0); // nothing is done to it before it is opened
    for (unsigned start = 0; start < 3; start++) {
        CHECK_EQ(card_open(net), 0);
        CHECK(memcmp(net->info.mac, card_mac, 6) == 0);
        CHECK(net->info.rx_buffers > 0, net->info.mtu == 1500);
        CHECK(card_link(net));
        CHECK(frame_in(100, start));
        CHECK(receives(100, start));
        CHECK(receives_nothing());
        CHECK_EQ(card_send(net, frame, sizeof frame), 0);
        CHECK_EQ(card.sent_count, start + 1);
        CHECK(close_card());
    }
    CHECK_STR(net->info.driver, "e1000");
    CHECK_EQ(open_new(EXPRESS), 0);
    CHECK_STR(net->info.chip, "PCI 8086:10d3");
    CHECK(close_card());
    card.gone = true;
    CHECK_EQ(card_open(net), ERR_NET_LINK);
    CHECK_EQ(card.pieces, 0);
}

TEST_MAIN(T(a_function_has_the_driver_that_knows_it), T(a_function_has_one_driver_and_a_driver_every_call), T(a_function_becomes_a_card))
