// SPDX-License-Identifier: MPL-2.0
#include "drivers/e1000.h"

#include "drivers/teste1000.h"

static _Alignas(16) uint8_t state[2048];
static struct nic_facts facts;

static int open_card(void)
{
    memset(state, 0, sizeof state);
    memset(&facts, 0, sizeof facts);
    return e1000_driver.open(state, &card_pci, &facts);
}

static int open_new(bool express)
{
    card_new(express);
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
    e1000_driver.close(state);
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
    int got = e1000_driver.receive(state, &frame);
    return got == (int)len && memcmp(frame, expected, len) == 0;
}

static bool receives_nothing(void)
{
    uint8_t *frame = NULL;
    return e1000_driver.receive(state, &frame) == 0 && !frame;
}

TEST(knows_its_cards)
{
    CHECK(e1000_driver.knows(0x8086, 0x100E)); // QEMU's e1000
    CHECK(e1000_driver.knows(0x8086, 0x100C)); // e1000-82544gc
    CHECK(e1000_driver.knows(0x8086, 0x100F)); // e1000-82545em, and VMware's
    CHECK(e1000_driver.knows(0x8086, 0x10D3)); // e1000e
    CHECK(!e1000_driver.knows(0x1AF4, 0x100E));
    CHECK(!e1000_driver.knows(0x8086, 0x10C9)); // 82576: other descriptors
    CHECK(e1000_driver.state_size <= sizeof state);
}

TEST(address_from_registers_and_from_eeprom)
{
    for (int express = 0; express < 2; express++) {
        uint8_t mac[6] = { 0 };
        card_new(express);
        CHECK_EQ(e1000_driver.probe(&card_pci, mac), 0);
        CHECK(memcmp(mac, card_mac, 6) == 0);
        CHECK(is_left_alone(PCI_COMMAND_IO));
        CHECK_EQ(card.writes, 0);

        card_new(express);
        card.no_autoload = true;
        REG(E1000_RAL0) = REG(E1000_RAH0) = 0;
        memset(mac, 0, 6);
        CHECK_EQ(e1000_driver.probe(&card_pci, mac), 0);
        CHECK(memcmp(mac, card_mac, 6) == 0);
        CHECK(is_left_alone(PCI_COMMAND_IO));

        // Opened, the card filters by it although it did not load it.
        CHECK_EQ(open_card(), 0);
        CHECK(memcmp(facts.mac, card_mac, 6) == 0);
        CHECK(frame_in(60, 1) && receives(60, 1));
        CHECK(close_card());
    }
}

TEST(address_of_the_second_port)
{
    uint8_t mac[6], expected[6];
    memcpy(expected, card_mac, 6);
    expected[5] ^= 1;
    for (int loaded = 0; loaded < 2; loaded++) {
        card_new(false);
        card.port_b = true;
        card.no_autoload = !loaded;
        REG(E1000_RAH0) = 0;
        autoload();
        CHECK_EQ(e1000_driver.probe(&card_pci, mac), 0);
        CHECK(memcmp(mac, expected, 6) == 0);
    }
}

TEST(no_address_is_an_error)
{
    static const uint16_t words[] = { 0, 0xFFFF, 0x0101 }; // all zeros, all ones, a multicast address
    for (unsigned i = 0; i < ARRAY_SIZE(words); i++) {
        card_new(i & 1);
        for (unsigned k = 0; k < 3; k++)
            card.eeprom[k] = words[i];
        autoload();
        uint8_t mac[6];
        CHECK_EQ(e1000_driver.probe(&card_pci, mac), ERR_NET_LINK);
        CHECK_EQ(open_card(), ERR_NET_LINK);
        CHECK(is_left_alone(PCI_COMMAND_IO));
    }
    card_new(true);
    card.no_autoload = card.eeprom_silent = true;
    REG(E1000_RAH0) = 0;
    CHECK_EQ(open_card(), ERR_NET_LINK);
    CHECK(is_left_alone(PCI_COMMAND_IO));
    CHECK(card.now < 2 * NIC_WAIT_US);
}

TEST(receives_over_several_laps)
{
    for (int express = 0; express < 2; express++) {
        CHECK_EQ(open_new(express), 0);
        CHECK(receives_nothing());
        // In bursts of every size up to the ring's, so that its end falls everywhere into them.
        uint32_t sent = 0, got = 0;
        for (unsigned burst = 1; burst < facts.rx_buffers; burst += 13) {
            for (unsigned i = 0; i < burst; i++, sent++)
                CHECK(frame_in(60 + sent % 1455, sent));
            for (; got < sent; got++)
                CHECK(receives(60 + got % 1455, got));
            CHECK(receives_nothing());
        }
        CHECK(sent > 10 * E1000_RX_COUNT);
        CHECK_EQ(card.dropped, 0);
        CHECK(close_card());
    }
}

// A frame stays as it was until the next receive(), even while the card fills all that it has.
TEST(a_frame_is_valid_until_the_next)
{
    CHECK_EQ(open_new(false), 0);
    uint8_t expected[1514], *frame;
    uint32_t sent = 0;
    for (uint32_t number = 0; number < 3 * E1000_RX_COUNT; number++) {
        while (REG(E1000_RDH) != REG(E1000_RDT))
            CHECK(frame_in(1514, sent++));
        make_frame(expected, 1514, number);
        CHECK_EQ(e1000_driver.receive(state, &frame), 1514);
        CHECK(memcmp(frame, expected, 1514) == 0);
        while (REG(E1000_RDH) != REG(E1000_RDT))
            CHECK(frame_in(1514, sent++));
        CHECK(memcmp(frame, expected, 1514) == 0);
    }
    CHECK(close_card());
}

TEST(registers_are_left_alone_while_frames_come)
{
    CHECK_EQ(open_new(false), 0);
    unsigned reads = card.reads, writes = card.writes, clock_reads = card.clock_reads;
    for (uint32_t i = 0; i < 10000; i++) {
        CHECK(frame_in(1514, i));
        CHECK(receives(1514, i));
        CHECK(receives_nothing());
    }
    CHECK_EQ(card.reads - reads, 0);
    CHECK_EQ(card.clock_reads - clock_reads, 0);
    CHECK(card.writes - writes <= 10000 / E1000_RX_BATCH + 1);
    CHECK(close_card());
}

TEST(overrun_and_recovery)
{
    CHECK_EQ(open_new(false), 0);
    uint32_t stored = 0;
    for (uint32_t i = 0; i < 2 * E1000_RX_COUNT; i++)
        stored += frame_in(100, i);
    CHECK(stored >= facts.rx_buffers);
    CHECK_EQ(card.dropped, 2 * E1000_RX_COUNT - stored);
    for (uint32_t i = 0; i < stored; i++)
        CHECK(receives(100, i));
    CHECK(receives_nothing());
    for (uint32_t i = 0; i < facts.rx_buffers; i++)
        CHECK(frame_in(100, i));
    for (uint32_t i = 0; i < facts.rx_buffers; i++)
        CHECK(receives(100, i));
    CHECK(close_card());
}

// Whatever stands in a descriptor: lengths, errors, frames in several pieces.
TEST(bad_frames_are_dropped)
{
    static const struct {
        uint16_t length;
        uint32_t status;
    } bad[] = {
        { 0, E1000_RX_END },      { 13, E1000_RX_END },        { 1515, E1000_RX_END },       { 2048, E1000_RX_END },
        { 0xFFFF, E1000_RX_END }, { 60, E1000_RX_END | 0x100 }, { 60, E1000_RX_END | 0x8000 }, { 60, E1000_RX_END | 0x0200 },
        { 60, 0 },                { 60, E1000_RX_END }, // two pieces: the second one is no frame either
        { 2048, 0 },              { 2048, 0 },                 { 100, E1000_RX_END },
    };
    CHECK_EQ(open_new(false), 0);
    uint8_t frame[2048] = { 0 };
    for (unsigned lap = 0; lap < E1000_RX_COUNT; lap++) {
        for (unsigned i = 0; i < ARRAY_SIZE(bad); i++)
            CHECK(card_put(frame, sizeof frame, bad[i].length, bad[i].status | E1000_RX_DONE));
        CHECK(frame_in(60, lap));
        CHECK(receives(60, lap));
        CHECK(receives_nothing());
    }
    // VLAN tag and checksum, which stand in the same words, mean nothing.
    make_frame(frame, 60, 7);
    CHECK(card_put(frame, 60, 60, 0x12340000 | 0x74 | E1000_RX_DONE | E1000_RX_END));
    CHECK(receives(60, 7));
    CHECK(close_card());
}

TEST(bad_frames_without_end_do_not_keep_us)
{
    CHECK_EQ(open_new(false), 0);
    card.floods = true;
    for (unsigned i = 0; i < E1000_RX_COUNT - 1; i++)
        CHECK(card_put("", 1, 60, E1000_RX_DONE));
    unsigned writes = card.writes;
    CHECK(receives_nothing());
    CHECK_EQ(card.writes - writes, E1000_RX_COUNT / E1000_RX_BATCH);
    CHECK(close_card());
}

TEST(sends_over_several_laps)
{
    for (int express = 0; express < 2; express++) {
        CHECK_EQ(open_new(express), 0);
        unsigned reads = card.reads, writes = card.writes;
        for (uint32_t i = 0; i < 3 * E1000_TX_COUNT; i++) {
            uint8_t frame[1514];
            size_t len = 18 + i * 7;
            make_frame(frame, len, i);
            CHECK_EQ(e1000_driver.send(state, frame, len), 0);
            CHECK_EQ(card.sent_count, i + 1);
            CHECK_EQ(card.sent[i].len, len);
            CHECK(memcmp(card.sent[i].bytes, frame, len) == 0);
        }
        CHECK_EQ(card.reads, reads);
        CHECK_EQ(card.writes - writes, 3 * E1000_TX_COUNT);
        CHECK(close_card());
    }
}

TEST(a_full_transmit_ring_drops_the_newest)
{
    CHECK_EQ(open_new(false), 0);
    card.holds_frames = true;
    uint8_t frame[60];
    for (uint32_t lap = 0; lap < 3; lap++) {
        for (uint32_t i = 0; i < E1000_TX_COUNT + 20; i++) {
            make_frame(frame, 60, i);
            CHECK_EQ(e1000_driver.send(state, frame, 60), 0);
        }
        card.sent_count = 0;
        card_transmit();
        CHECK_EQ(card.sent_count, E1000_TX_COUNT - 1);
        for (uint32_t i = 0; i < card.sent_count; i++)
            CHECK_EQ(load32_le(card.sent[i].bytes + 14), i);
    }
    CHECK(close_card());
}

TEST(frames_of_impossible_length_are_not_sent)
{
    CHECK_EQ(open_new(false), 0);
    static const uint8_t frame[4096];
    CHECK_EQ(e1000_driver.send(state, frame, 1515), ERR_NET_LINK);
    CHECK_EQ(e1000_driver.send(state, frame, sizeof frame), ERR_NET_LINK);
    CHECK_EQ(e1000_driver.send(state, frame, 0), ERR_NET_LINK);
    CHECK_EQ(card.sent_count, 0);
    CHECK_EQ(e1000_driver.send(state, frame, 1514), 0);
    CHECK_EQ(card.sent_count, 1);
    CHECK(close_card());
}

static bool hears(const uint8_t group[6])
{
    uint8_t frame[60] = { 0 }, *got;
    memcpy(frame, group, 6);
    return wire_in(frame, 60) && e1000_driver.receive(state, &got) == 60 && memcmp(got, group, 6) == 0;
}

TEST(filters)
{
    static const uint8_t groups[3][6] = {
        { 0x33, 0x33, 0, 0, 0, 1 }, { 0x33, 0x33, 0xff, 0x12, 0x34, 0x56 }, { 1, 0, 0x5e, 0x7f, 0xff, 0xfa }
    };
    static const uint8_t broadcast[6] = { 255, 255, 255, 255, 255, 255 }, other[6] = { 0x52, 0x54, 0, 1, 2, 3 };
    CHECK_EQ(open_new(false), 0);
    CHECK(hears(broadcast) && hears(card_mac) && !hears(other));
    CHECK(!hears(groups[0]) && !hears(groups[1]) && !hears(groups[2]));
    unsigned writes = card.writes;
    CHECK_EQ(e1000_driver.multicast(state, groups, 3), 0);
    CHECK_EQ(card.writes - writes, 3);
    CHECK(hears(groups[0]) && hears(groups[1]) && hears(groups[2]) && !hears(other));
    CHECK_EQ(e1000_driver.multicast(state, groups + 1, 1), 0);
    CHECK(!hears(groups[0]) && hears(groups[1]) && !hears(groups[2]));
    CHECK_EQ(e1000_driver.multicast(state, NULL, 0), 0);
    CHECK(!hears(groups[1]) && hears(broadcast));
    // Every bit of the table, one group each.
    for (unsigned i = 0; i < 4096; i += 37) {
        uint8_t group[1][6] = { { 1, 0, 0x5e, 0, (uint8_t)(i << 4), (uint8_t)(i >> 4) } };
        CHECK_EQ(e1000_driver.multicast(state, group, 1), 0);
        CHECK(hears(group[0]));
    }
    CHECK(close_card());
}

// The groups of whoever had the card before.
TEST(an_old_multicast_table_is_cleared)
{
    static const uint8_t group[6] = { 0x33, 0x33, 0, 0, 0, 1 };
    card_new(true);
    card.no_reset = true;
    for (unsigned i = 0; i < E1000_MTA_WORDS; i++)
        REG(E1000_MTA + 4 * i) = ALL_ONES;
    CHECK_EQ(open_card(), 0);
    CHECK(!hears(group));
    CHECK(close_card());
}

TEST(link_comes_up_late)
{
    for (int express = 0; express < 2; express++) {
        card_new(express);
        card.link_us = 3000000;
        CHECK_EQ(open_card(), 0);
        CHECK(card.now < 100000); // open did not wait for it
        CHECK(!e1000_driver.link(state));
        unsigned reads = card.reads, writes = card.writes;
        card.now = 3000000;
        CHECK(e1000_driver.link(state));
        CHECK_EQ(card.reads - reads, 1);
        CHECK_EQ(card.writes, writes);
        card.link_us = UINT64_MAX; // the cable is out
        CHECK(!e1000_driver.link(state));
        CHECK(close_card());
    }
}

// QEMU's 8254x hear nothing for a second after they were started; what the driver does later does not start that again.
TEST(qemu_is_deaf_at_first)
{
    static const uint8_t group[1][6] = { { 0x33, 0x33, 0, 0, 0, 1 } };
    card_new(false);
    card.deaf = card.no_reset = true;
    CHECK_EQ(open_card(), 0);
    CHECK(!e1000_driver.link(state) && !frame_in(60, 1));
    CHECK_EQ(e1000_driver.multicast(state, group, 1), 0);
    card.now += E1000_QEMU_DEAF_US;
    CHECK(e1000_driver.link(state) && frame_in(60, 2) && receives(60, 2) && hears(group[0]));
    CHECK(close_card());
    // Its 82574 has no such thing, nor have other makers' cards: there the link counts at once.
    card_new(true);
    card.deaf = card.no_reset = true;
    CHECK_EQ(open_card(), 0);
    CHECK(e1000_driver.link(state));
    CHECK(close_card());
    CHECK_EQ(open_new(false), 0);
    CHECK(e1000_driver.link(state));
    CHECK(close_card());
}

TEST(a_card_in_use_is_taken_over)
{
    for (int express = 0; express < 2; express++) {
        card_new(express);
        card.no_reset = true; // the rings are where the other driver left them
        card.command = PCI_COMMAND_IO | PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER;
        REG(E1000_RCTL) = E1000_RCTL_ENABLE | E1000_RCTL_ALL_MULTICAST;
        REG(E1000_TCTL) = E1000_TCTL_ENABLE;
        REG(E1000_RDLEN) = REG(E1000_TDLEN) = 4096;
        REG(E1000_RDH) = REG(E1000_TDH) = REG(E1000_TDT) = 200;
        REG(E1000_RDT) = 199;
        REG(E1000_CTRL) |= express ? E1000_CTRL_MASTER_DISABLE : 0;
        CHECK_EQ(open_card(), 0);
        for (uint32_t i = 0; i < 600; i++)
            CHECK(frame_in(60, i) && receives(60, i));
        uint8_t frame[60] = { 0 };
        CHECK_EQ(e1000_driver.send(state, frame, 60), 0);
        CHECK_EQ(card.sent_count, 1);
        e1000_driver.close(state);
        CHECK(is_left_alone(PCI_COMMAND_IO | PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER));
    }
}

TEST(a_reset_that_never_ends)
{
    for (int express = 0; express < 2; express++) {
        card_new(express);
        card.reset_sticks = true;
        CHECK_EQ(open_card(), ERR_NET_LINK);
        CHECK(card.now < 2 * NIC_WAIT_US);
        CHECK_EQ(card.allocs, 0);
        CHECK(is_left_alone(PCI_COMMAND_IO));

        // When it is closed: it loses the bus, whatever it had before, and the memory comes back.
        card_new(express);
        card.command = PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER;
        CHECK_EQ(open_card(), 0);
        card.reset_sticks = true;
        e1000_driver.close(state);
        CHECK(is_left_alone(PCI_COMMAND_MEMORY));
    }
}

TEST(access_to_memory_that_never_ends)
{
    card_new(true);
    card.master_sticks = true;
    CHECK_EQ(open_card(), 0);
    CHECK(frame_in(60, 1) && receives(60, 1));
    CHECK(close_card());
    CHECK(card.now < 2 * NIC_WAIT_US);
}

TEST(a_card_that_is_gone)
{
    card_new(false);
    card.gone = true;
    uint8_t mac[6];
    CHECK_EQ(e1000_driver.probe(&card_pci, mac), ERR_NET_LINK);
    CHECK_EQ(open_card(), ERR_NET_LINK);
    CHECK(card.now < NIC_WAIT_US / 10);
    CHECK_EQ(card.command, PCI_COMMAND_IO);
    // Pulled out while it is open.
    CHECK_EQ(open_new(false), 0);
    card.gone = true;
    CHECK(receives_nothing());
    e1000_driver.close(state);
    CHECK_EQ(card.pieces, 0);
    CHECK_EQ(card.command, PCI_COMMAND_IO);
}

TEST(every_allocation_fails_once)
{
    unsigned failed = 0;
    for (unsigned nth = 1;; nth++) {
        card_new(nth & 1);
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

TEST(nothing_is_written_after_close)
{
    for (int express = 0; express < 2; express++) {
        CHECK_EQ(open_new(express), 0);
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
        CHECK(frame_in(60, 3) && receives(60, 3));
        CHECK(close_card());
    }
}

TEST_MAIN(T(knows_its_cards), T(address_from_registers_and_from_eeprom), T(address_of_the_second_port), T(no_address_is_an_error),
          T(receives_over_several_laps), T(a_frame_is_valid_until_the_next), T(registers_are_left_alone_while_frames_come),
          T(overrun_and_recovery), T(bad_frames_are_dropped), T(bad_frames_without_end_do_not_keep_us), T(sends_over_several_laps),
          T(a_full_transmit_ring_drops_the_newest), T(frames_of_impossible_length_are_not_sent), T(filters),
          T(an_old_multicast_table_is_cleared), T(link_comes_up_late), T(qemu_is_deaf_at_first), T(a_card_in_use_is_taken_over),
          T(a_reset_that_never_ends), T(access_to_memory_that_never_ends), T(a_card_that_is_gone), T(every_allocation_fails_once),
          T(nothing_is_written_after_close))
