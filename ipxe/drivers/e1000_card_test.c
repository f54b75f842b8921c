// SPDX-License-Identifier: MPL-2.0
// The card itself: whose it is, its address, its link, reset, and how it is left.
#include "drivers/teste1000.h"

TEST(knows_its_cards)
{
    CHECK(e1000_driver.knows(0x8086, 0x100E)); // QEMU's e1000
    CHECK(e1000_driver.knows(0x8086, 0x100C)); // e1000-82544gc
    CHECK(e1000_driver.knows(0x8086, 0x100F)); // e1000-82545em, and VMware's
    CHECK(e1000_driver.knows(0x8086, 0x10D3)); // e1000e
    CHECK(!e1000_driver.knows(0x1AF4, 0x100E));
    static const uint16_t igb[] = { 0x10C9, 0x10E8, 0x1526, 0x150E, 0x1521, 0x1533, 0x1539 };
    for (unsigned i = 0; i < ARRAY_SIZE(igb); i++)
        CHECK(igb_driver.knows(0x8086, igb[i]), !e1000_driver.knows(0x8086, igb[i]), !igb_driver.knows(0x1AF4, igb[i]));
    CHECK(!igb_driver.knows(0x8086, 0x100E), !igb_driver.knows(0x8086, 0x10D3));
    CHECK(!igb_driver.knows(0x8086, 0x10E7)); // 82576 without a PHY
    CHECK(e1000_driver.size <= sizeof state, igb_driver.size <= sizeof state);
}

TEST(address_from_registers_and_from_eeprom)
{
    for (int kind = PCI; kind < QUEUES; kind++) {
        uint8_t mac[6] = { 0 };
        card_new(kind);
        CHECK_EQ(its_driver()->probe(&card_pci, mac), 0);
        CHECK(memcmp(mac, card_mac, 6) == 0);
        CHECK(is_left_alone(PCI_COMMAND_IO));
        CHECK_EQ(card.writes, 0);

        card_new(kind);
        card.no_autoload = true;
        REG(E1000_RAL0) = REG(E1000_RAH0) = 0;
        memset(mac, 0, 6);
        CHECK_EQ(its_driver()->probe(&card_pci, mac), 0);
        CHECK(memcmp(mac, card_mac, 6) == 0);
        CHECK(is_left_alone(PCI_COMMAND_IO));

        // Opened, the card filters by it although it did not load it.
        CHECK_EQ(open_card(), 0);
        CHECK(memcmp(net->info.mac, card_mac, 6) == 0);
        CHECK(frame_in(60, 1), receives(60, 1));
        CHECK(close_card());
    }
}

TEST(address_of_the_second_port)
{
    uint8_t mac[6], expected[6];
    memcpy(expected, card_mac, 6);
    expected[5] ^= 1;
    for (int loaded = 0; loaded < 2; loaded++) {
        card_new(PCI);
        card.port_b = true;
        card.no_autoload = !loaded;
        REG(E1000_RAH0) = 0;
        autoload();
        CHECK_EQ(its_driver()->probe(&card_pci, mac), 0);
        CHECK(memcmp(mac, expected, 6) == 0);
    }
}

TEST(no_address_is_an_error)
{
    static const uint16_t words[] = { 0, 0xFFFF, 0x0101 }; // all zeros, all ones, a multicast address
    for (unsigned i = 0; i < ARRAY_SIZE(words); i++) {
        card_new(i);
        for (unsigned k = 0; k < 3; k++)
            card.eeprom[k] = words[i];
        autoload();
        uint8_t mac[6];
        CHECK_EQ(its_driver()->probe(&card_pci, mac), ERR_NET_LINK);
        CHECK_EQ(open_card(), ERR_NET_LINK);
        CHECK(is_left_alone(PCI_COMMAND_IO));
    }
    // The EEPROM does not answer; with queues it is not asked.
    for (int kind = EXPRESS; kind < KINDS; kind++) {
        card_new(kind);
        card.no_autoload = true;
        card.eeprom_silent = kind == EXPRESS;
        REG(E1000_RAH0) = 0;
        CHECK_EQ(open_card(), ERR_NET_LINK);
        CHECK(is_left_alone(PCI_COMMAND_IO));
    }
    CHECK(card.now < 2 * NIC_WAIT_US);
}

// But for a card that does not send at all.
TEST_EACH(what_was_sent_leaves_before_close)
{
    static const uint8_t frame[60];
    CHECK_EQ(open_new(kind), 0);
    card.sends_late = true;
    for (unsigned i = 0; i < 5; i++)
        CHECK_EQ(card_send(net, frame, 60), 0);
    CHECK_EQ(card.sent_count, 0);
    CHECK(close_card());
    CHECK_EQ(card.sent_count, 5);
    CHECK_EQ(open_new(kind), 0);
    card.holds_frames = true;
    CHECK_EQ(card_send(net, frame, 60), 0);
    uint64_t before = card.now;
    CHECK(close_card());
    CHECK(card.now - before < NIC_WAIT_US / 10);
    CHECK_EQ(card.sent_count, 0);
}

// As QEMU's 82576 after each reset, and any that a system before us put to sleep. One that has agreed upon a link keeps it.
TEST(a_phy_that_sleeps_is_woken)
{
    card_new(QUEUES);
    card.phy_asleep = true;
    CHECK_EQ(open_card(), 0);
    CHECK_EQ(card.negotiations, 1);
    CHECK(!card_link(net));
    card.now += NEGOTIATION_TAKES_US;
    CHECK(card_link(net), frame_in(60, 1), receives(60, 1));
    CHECK(close_card());
    CHECK_EQ(open_card(), 0);
    CHECK(card_link(net));
    CHECK_EQ(card.negotiations, 1);
    CHECK(close_card());
    // One that does not answer costs little, and its link is what the card says.
    card_new(QUEUES);
    card.phy_silent = true;
    CHECK_EQ(open_card(), 0);
    CHECK(card.now < NIC_WAIT_US / 10, card_link(net));
    CHECK(close_card());
}

TEST(a_queue_that_stays_out_of_use)
{
    card_new(QUEUES);
    card.queue_sticks = true;
    CHECK_EQ(open_card(), ERR_NET_LINK);
    CHECK(card.now < 2 * NIC_WAIT_US);
    CHECK(is_left_alone(PCI_COMMAND_IO));
    card.queue_sticks = false;
    CHECK_EQ(open_card(), 0);
    CHECK(frame_in(60, 1), receives(60, 1));
    CHECK(close_card());
}

// By firmware behind our back, or an error on the bus: the look at the link begins anew, with the groups that are wanted.
TEST_EACH(a_reset_in_mid_transfer)
{
    static const uint8_t group[1][6] = { { 0x33, 0x33, 0, 0, 0, 1 } };
    uint8_t frame[60] = { 0 }, *got;
    CHECK_EQ(open_new(kind), 0);
    CHECK_EQ(card_multicast(net, group, 1), 0);
    for (unsigned lap = 0; lap < 3; lap++) {
        for (uint32_t i = 0; i < 300; i++)
            CHECK(frame_in(60, i));
        for (uint32_t i = 0; i < 100 + lap; i++)
            CHECK(receives(60, i));
        CHECK_EQ(card_send(net, frame, 60), 0);
        forget();
        card.phy_asleep = card.queues;
        CHECK(!frame_in(60, 300));
        for (unsigned i = 0; i < 3 * E1000_TX_COUNT; i++)
            CHECK_EQ(card_send(net, frame, 60), 0); // dropped, all but those that the ring takes
        (void)card_link(net);
        card.now += NEGOTIATION_TAKES_US;
        CHECK(card_link(net));
        for (uint32_t i = 0; i < 2 * E1000_RX_COUNT; i++)
            CHECK(frame_in(60, i), receives(60, i));
        CHECK(receives_nothing());
        memcpy(frame, group[0], 6);
        CHECK(wire_in(frame, 60), card_receive(net, &got) == 60);
        card.sent_count = 0;
        for (uint32_t i = 0; i < 3 * E1000_TX_COUNT; i++)
            CHECK_EQ(card_send(net, frame, 60), 0);
        CHECK(receives_nothing());
        CHECK_EQ(card.sent_count, 3 * E1000_TX_COUNT);
    }
    // One that does not come back has no link.
    forget();
    card.reset_sticks = true;
    CHECK(!card_link(net));
    card_close(net);
    CHECK_EQ(card.pieces, 0);
    CHECK_EQ(card.command, PCI_COMMAND_IO);
}

TEST_EACH(link_comes_up_late)
{
    card_new(kind);
    card.link_us = 3000000;
    CHECK_EQ(open_card(), 0);
    CHECK(card.now < 100000); // open did not wait for it
    CHECK(!card_link(net));
    unsigned reads = card.reads, writes = card.writes;
    card.now = 3000000;
    CHECK(card_link(net));
    CHECK_EQ(card.reads - reads, 2);
    CHECK_EQ(card.writes, writes);
    card.link_us = UINT64_MAX; // the cable is out
    CHECK(!card_link(net));
    CHECK(close_card());
}

TEST_EACH(a_card_in_use_is_taken_over)
{
    card_new(kind);
    card.no_reset = true; // the rings are where the other driver left them
    card.command = PCI_COMMAND_IO | PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER;
    REG(E1000_RCTL) = E1000_RCTL_ENABLE | E1000_RCTL_ALL_MULTICAST;
    REG(E1000_TCTL) = E1000_TCTL_ENABLE;
    REG(E1000_RDLEN) = REG(E1000_TDLEN) = 4096;
    REG(E1000_RDH) = REG(E1000_TDH) = REG(E1000_TDT) = 200;
    REG(E1000_RDT) = 199;
    REG(E1000_CTRL) |= card.express ? E1000_CTRL_MASTER_DISABLE : 0;
    CHECK_EQ(open_card(), 0);
    for (uint32_t i = 0; i < 600; i++)
        CHECK(frame_in(60, i), receives(60, i));
    CHECK(receives_nothing());
    uint8_t frame[60] = { 0 };
    CHECK_EQ(card_send(net, frame, 60), 0);
    CHECK_EQ(card.sent_count, 1);
    card_close(net);
    CHECK(is_left_alone(PCI_COMMAND_IO | PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER));
}

TEST_EACH(a_reset_that_never_ends)
{
    card_new(kind);
    card.reset_sticks = true;
    CHECK_EQ(open_card(), ERR_NET_LINK);
    CHECK(card.now < 2 * NIC_WAIT_US);
    CHECK_EQ(card.allocs, 0);
    CHECK(is_left_alone(PCI_COMMAND_IO));

    // When it is closed: it loses the bus, whatever it had before, and the memory comes back.
    card_new(kind);
    card.command = PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER;
    CHECK_EQ(open_card(), 0);
    card.reset_sticks = true;
    card_close(net);
    CHECK(is_left_alone(PCI_COMMAND_MEMORY));
}

TEST(access_to_memory_that_never_ends)
{
    card_new(EXPRESS);
    card.master_sticks = true;
    CHECK_EQ(open_card(), 0);
    CHECK(frame_in(60, 1), receives(60, 1));
    CHECK(close_card());
    CHECK(card.now < 2 * NIC_WAIT_US);
}

TEST_EACH(a_card_that_is_gone)
{
    card_new(kind);
    card.gone = true;
    uint8_t mac[6];
    CHECK_EQ(its_driver()->probe(&card_pci, mac), ERR_NET_LINK);
    CHECK_EQ(open_card(), ERR_NET_LINK);
    CHECK(card.now < NIC_WAIT_US / 10);
    CHECK_EQ(card.command, PCI_COMMAND_IO);
    // Pulled out while it is open.
    CHECK_EQ(open_new(kind), 0);
    card.gone = true;
    CHECK(receives_nothing(), !card_link(net));
    card_close(net);
    CHECK_EQ(card.pieces, 0);
    CHECK_EQ(card.command, PCI_COMMAND_IO);
}

TEST(every_allocation_fails_once)
{
    unsigned failed = 0;
    for (unsigned nth = 1;; nth++) {
        card_new(nth % KINDS);
        card.alloc_fails = nth;
        int err = open_card();
        if (!err)
            break;
        CHECK_EQ(err, ERR_NO_MEMORY);
        CHECK(is_left_alone(PCI_COMMAND_IO));
        failed++;
    }
    CHECK(failed > 0);
    CHECK(close_card());
}

TEST_EACH(nothing_is_written_after_close)
{
    CHECK_EQ(open_new(kind), 0);
    CHECK(frame_in(60, 1));
    CHECK(close_card());
    CHECK(!frame_in(60, 2)); // the receiver is off: with it on, the card would write to memory that is ours no more
    REG(E1000_TDT) = 1;
    card_transmit();
    CHECK(!card.fault);
    CHECK_EQ(card.sent_count, 0);
    // And it can be opened again.
    CHECK_EQ(open_card(), 0);
    CHECK(receives_nothing());
    CHECK(frame_in(60, 3), receives(60, 3));
    CHECK(close_card());
}

TEST_MAIN(T(knows_its_cards), T(address_from_registers_and_from_eeprom), T(address_of_the_second_port),
          T(no_address_is_an_error), T(a_phy_that_sleeps_is_woken), T(a_queue_that_stays_out_of_use), T(a_reset_in_mid_transfer),
          T(what_was_sent_leaves_before_close), T(link_comes_up_late),
          T(a_card_in_use_is_taken_over), T(a_reset_that_never_ends), T(access_to_memory_that_never_ends),
          T(a_card_that_is_gone), T(every_allocation_fails_once), T(nothing_is_written_after_close))
