// SPDX-License-Identifier: MPL-2.0
// The card itself: whose it is, its address, its link, reset, and how it is left.
#include "drivers/testvmxnet3.h"

TEST(knows_its_card)
{
    CHECK(vmxnet3_driver.knows(0x15AD, 0x07B0));
    CHECK(!vmxnet3_driver.knows(0x15AD, 0x07B1), !vmxnet3_driver.knows(0x8086, 0x07B0));
    CHECK(bind_driver(0x15AD, 0x07B0, 0x020000) == &vmxnet3_driver);
    CHECK(vmxnet3_driver.size <= sizeof state);
}

TEST(the_address_and_nothing_more)
{
    uint8_t mac[6] = { 0 };
    card_new();
    CHECK_EQ(vmxnet3_driver.probe(&card_pci, mac), 0);
    CHECK(memcmp(mac, card_mac, 6) == 0);
    CHECK_EQ(card.writes, 0);
    CHECK(is_left_alone(PCI_COMMAND_IO));
    CHECK_EQ(open_card(), 0);
    CHECK(memcmp(net->info.mac, card_mac, 6) == 0, net->info.mtu == 1500, net->info.rx_buffers == VMXNET3_RX_COUNT - 1);
    CHECK(close_card());
}

// Another one than the card would have after a reset: that of whoever had it before.
TEST(the_address_that_was_set_stays)
{
    static const uint8_t other[6] = { 0x02, 0, 0, 0, 0, 7 };
    uint8_t frame[60] = { 0x02, 0, 0, 0, 0, 7 }, *got;
    card_new();
    memcpy(card.mac, other, 6);
    CHECK_EQ(open_card(), 0);
    CHECK(memcmp(net->info.mac, other, 6) == 0);
    CHECK(wire_in(frame, 60), card_receive(net, &got) == 60);
    CHECK(close_card());
}

TEST(no_address_is_an_error)
{
    static const uint8_t macs[3][6] = { { 0 }, { 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF }, { 1, 2, 3, 4, 5, 6 } };
    for (unsigned i = 0; i < ARRAY_SIZE(macs); i++) {
        uint8_t mac[6];
        card_new();
        memcpy(card.mac, macs[i], 6);
        CHECK_EQ(vmxnet3_driver.probe(&card_pci, mac), ERR_NET_LINK);
        CHECK_EQ(open_card(), ERR_NET_LINK);
        CHECK_EQ(card.allocs, 0);
        CHECK(is_left_alone(PCI_COMMAND_IO));
    }
}

TEST(other_revisions_are_not_driven)
{
    for (unsigned i = 0; i < 2; i++) {
        uint8_t mac[6];
        card_new();
        *(i ? &card.upts : &card.revisions) = 6;
        CHECK_EQ(vmxnet3_driver.probe(&card_pci, mac), ERR_NET_LINK);
        CHECK_EQ(open_card(), ERR_NET_LINK);
        CHECK(is_left_alone(PCI_COMMAND_IO));
    }
}

TEST(a_card_that_refuses)
{
    card_new();
    card.refuses = true;
    CHECK_EQ(open_card(), ERR_NET_LINK);
    CHECK(is_left_alone(PCI_COMMAND_IO));
    card.refuses = false;
    CHECK_EQ(open_card(), 0);
    CHECK(frame_in(60, 1), receives(60, 1));
    CHECK(close_card());
}

TEST(a_card_in_use_is_taken_over)
{
    CHECK_EQ(open_new(), 0);
    for (uint32_t i = 0; i < 700; i++)
        CHECK(frame_in(60, i));
    card.pieces = 0; // its driver is gone, and with it the memory
    free(card.memory);
    card.memory = NULL;
    card.command = PCI_COMMAND_IO | PCI_COMMAND_MEMORY;
    CHECK_EQ(open_card(), 0);
    for (uint32_t i = 0; i < 1500; i++)
        CHECK(frame_in(60, i), receives(60, i));
    card_close(net);
    CHECK(is_left_alone(PCI_COMMAND_IO | PCI_COMMAND_MEMORY));
}

TEST(a_card_that_is_gone)
{
    uint8_t mac[6], frame[60] = { 0 };
    card_new();
    card.gone = true;
    CHECK_EQ(vmxnet3_driver.probe(&card_pci, mac), ERR_NET_LINK);
    CHECK_EQ(open_card(), ERR_NET_LINK);
    CHECK(is_left_alone(PCI_COMMAND_IO));
    // Pulled out while it is open.
    CHECK_EQ(open_new(), 0);
    CHECK(frame_in(60, 1));
    card.gone = true;
    CHECK(receives(60, 1), receives_nothing(), !card_link(net));
    for (unsigned i = 0; i < 3 * VMXNET3_TX_COUNT; i++)
        CHECK_EQ(card_send(net, frame, 60), 0);
    card_close(net);
    CHECK(card.now < NIC_WAIT_US / 2, card.pieces == 0, card.command == PCI_COMMAND_IO);
}

// It loses the bus, whatever it had before, and the memory comes back.
TEST(a_reset_that_fails)
{
    card_new();
    card.command = PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER;
    CHECK_EQ(open_card(), 0);
    card.deaf = true;
    card_close(net);
    CHECK(is_left_alone(PCI_COMMAND_MEMORY));
}

TEST(every_allocation_fails_once)
{
    card_new();
    card.alloc_fails = 1;
    CHECK_EQ(open_card(), ERR_NO_MEMORY);
    CHECK(is_left_alone(PCI_COMMAND_IO));
    CHECK_EQ(open_card(), 0);
    CHECK_EQ(card.allocs, 2);
    CHECK(close_card());
}

TEST(link)
{
    card_new();
    card.no_link = true;
    CHECK_EQ(open_card(), 0);
    CHECK(!card_link(net), !frame_in(60, 1));
    card.no_link = false;
    CHECK(card_link(net), frame_in(60, 2), receives(60, 2));
    card.no_link = true;
    CHECK(!card_link(net));
    CHECK_EQ(card.activations, 1);
    CHECK(close_card());
}

// By firmware behind our back: the look at the link begins anew, with the groups that are wanted. So it does when a queue has stopped.
TEST(a_reset_in_mid_transfer)
{
    static const uint8_t group[1][6] = { { 0x33, 0x33, 0, 0, 0, 1 } }, frame[60];
    CHECK_EQ(open_new(), 0);
    CHECK_EQ(card_multicast(net, group, 1), 0);
    for (unsigned lap = 0; lap < 4; lap++) {
        for (uint32_t i = 0; i < 300; i++)
            CHECK(frame_in(60, i));
        for (uint32_t i = 0; i < 100 + lap; i++)
            CHECK(receives(60, i));
        if (lap % 2) {
            card.stops = true;
        } else {
            card_reset();
            for (unsigned i = 0; i < 3 * VMXNET3_TX_COUNT; i++)
                CHECK_EQ(card_send(net, frame, 60), 0); // dropped, all but those that the ring takes
            CHECK(!frame_in(60, 300));
        }
        CHECK(card_link(net));
        card.stops = false;
        CHECK_EQ(card.activations, lap + 2);
        for (uint32_t i = 0; i < 2 * VMXNET3_RX_COUNT; i++)
            CHECK(frame_in(60, i), receives(60, i));
        CHECK(receives_nothing(), hears(group[0]), receives_nothing());
        card.sent_count = 0;
        for (uint32_t i = 0; i < 3 * VMXNET3_TX_COUNT; i++)
            CHECK_EQ(card_send(net, frame, 60), 0);
        CHECK_EQ(card.sent_count, 3 * VMXNET3_TX_COUNT);
        CHECK(card_link(net), card.activations == lap + 2);
    }
    // One that does not come back has no link.
    card.stops = card.refuses = true;
    CHECK(!card_link(net));
    CHECK(close_card());
}

TEST(nothing_is_written_after_close)
{
    CHECK_EQ(open_new(), 0);
    CHECK(frame_in(60, 1));
    CHECK(close_card());
    CHECK(!frame_in(60, 2));
    card_transmit();
    CHECK(!card.fault, card.sent_count == 0);
    CHECK_EQ(open_card(), 0);
    CHECK(receives_nothing(), frame_in(60, 3), receives(60, 3));
    CHECK(close_card());
}

TEST_MAIN(T(knows_its_card), T(the_address_and_nothing_more), T(the_address_that_was_set_stays),
          T(no_address_is_an_error), T(other_revisions_are_not_driven), T(a_card_that_refuses),
          T(a_card_in_use_is_taken_over), T(a_card_that_is_gone), T(a_reset_that_fails),
          T(every_allocation_fails_once), T(link), T(a_reset_in_mid_transfer), T(nothing_is_written_after_close))
