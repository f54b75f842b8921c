// SPDX-License-Identifier: MPL-2.0
// Frames: rings, filters, and when the card is asked for what.
#include "drivers/teste1000.h"

TEST_EACH(receives_over_several_laps)
{
    CHECK_EQ(open_new(kind), 0);
    CHECK(receives_nothing());
    // In bursts of every size up to the ring's, so that its end falls everywhere into them.
    uint32_t sent = 0, got = 0;
    for (unsigned burst = 1; burst < net->info.rx_buffers; burst += 13) {
        for (unsigned i = 0; i < burst; i++, sent++)
            CHECK(frame_in(60 + sent % (FRAME_RECEIVE_MAX - 59), sent));
        for (; got < sent; got++)
            CHECK(receives(60 + got % (FRAME_RECEIVE_MAX - 59), got));
        CHECK(receives_nothing());
    }
    CHECK(sent > 10 * E1000_RX_COUNT);
    CHECK_EQ(card.dropped, 0);
    CHECK(close_card());
}

// A frame stays as it was until the next receive(), even while the card fills all that it has.
TEST_EACH(a_frame_is_valid_until_the_next)
{
    CHECK_EQ(open_new(kind), 0);
    uint8_t expected[FRAME_RECEIVE_MAX], *frame;
    uint32_t sent = 0;
    for (uint32_t number = 0; number < 3 * E1000_RX_COUNT; number++) {
        while (REG(E1000_RDH) != REG(E1000_RDT))
            CHECK(frame_in(FRAME_RECEIVE_MAX, sent++));
        make_frame(expected, FRAME_RECEIVE_MAX, number);
        CHECK_EQ(card_receive(net, &frame), FRAME_RECEIVE_MAX);
        CHECK(memcmp(frame, expected, FRAME_RECEIVE_MAX) == 0);
        while (REG(E1000_RDH) != REG(E1000_RDT))
            CHECK(frame_in(FRAME_RECEIVE_MAX, sent++));
        CHECK(memcmp(frame, expected, FRAME_RECEIVE_MAX) == 0);
    }
    CHECK(close_card());
}

TEST_EACH(registers_are_left_alone_while_frames_come)
{
    CHECK_EQ(open_new(kind), 0);
    unsigned reads = card.reads, writes = card.writes, clock_reads = card.clock_reads;
    for (uint32_t i = 0; i < 10000; i++) {
        CHECK(frame_in(FRAME_RECEIVE_MAX, i));
        CHECK(receives(FRAME_RECEIVE_MAX, i));
        CHECK(receives_nothing());
    }
    CHECK_EQ(card.reads - reads, 0);
    CHECK_EQ(card.clock_reads - clock_reads, 0);
    CHECK(card.writes - writes <= 10000 / E1000_RX_BATCH + 1);
    CHECK(close_card());
}

TEST_EACH(overrun_and_recovery)
{
    CHECK_EQ(open_new(kind), 0);
    uint32_t stored = 0;
    for (uint32_t i = 0; i < 2 * E1000_RX_COUNT; i++)
        stored += frame_in(100, i);
    CHECK(stored >= net->info.rx_buffers);
    CHECK_EQ(card.dropped, 2 * E1000_RX_COUNT - stored);
    for (uint32_t i = 0; i < stored; i++)
        CHECK(receives(100, i));
    CHECK(receives_nothing());
    for (uint32_t i = 0; i < net->info.rx_buffers; i++)
        CHECK(frame_in(100, i));
    for (uint32_t i = 0; i < net->info.rx_buffers; i++)
        CHECK(receives(100, i));
    CHECK(close_card());
}

// Whatever stands in a descriptor: lengths, errors, frames in several pieces.
TEST_EACH(bad_frames_are_dropped)
{
    static const struct {
        uint16_t length;
        uint32_t status;
    } bad[] = {
        { 0, E1000_RX_END },      { 13, E1000_RX_END },        { FRAME_RECEIVE_MAX + 1, E1000_RX_END },       { 2048, E1000_RX_END },
        { 0xFFFF, E1000_RX_END }, { 60, E1000_RX_END | 0x100 }, { 60, E1000_RX_END | 0x8000 }, { 60, E1000_RX_END | 0x0200 },
        { 60, 0 },                { 60, E1000_RX_END }, // two pieces: the second one is no frame either
        { 2048, 0 },              { 2048, 0 },                 { 100, E1000_RX_END },
    };
    CHECK_EQ(open_new(kind), 0);
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

TEST_EACH(bad_frames_without_end_do_not_keep_us)
{
    CHECK_EQ(open_new(kind), 0);
    card.floods = true;
    for (unsigned i = 0; i < E1000_RX_COUNT - 1; i++)
        CHECK(card_put("", 1, 60, E1000_RX_DONE));
    unsigned writes = card.writes;
    CHECK(receives_nothing());
    CHECK_EQ(card.writes - writes, E1000_RX_COUNT / E1000_RX_BATCH);
    CHECK(close_card());
}

TEST_EACH(sends_over_several_laps)
{
    CHECK_EQ(open_new(kind), 0);
    unsigned reads = card.reads, writes = card.writes;
    for (uint32_t i = 0; i < 3 * E1000_TX_COUNT; i++) {
        uint8_t frame[1514];
        size_t len = 18 + i * 7;
        make_frame(frame, len, i);
        CHECK_EQ(card_send(net, frame, len), 0);
        CHECK_EQ(card.sent_count, i + 1);
        CHECK_EQ(card.sent[i].len, len);
        CHECK(memcmp(card.sent[i].bytes, frame, len) == 0);
    }
    CHECK_EQ(card.reads, reads);
    CHECK_EQ(card.writes - writes, 3 * E1000_TX_COUNT);
    CHECK(close_card());
}

// Answers wait for each other while frames come, but not for long; without a frame in the caller's hands nothing waits.
TEST_EACH(answers_are_told_of_together)
{
    static const uint8_t answer[60];
    CHECK_EQ(open_new(kind), 0);
    unsigned writes = card.writes;
    for (uint32_t i = 0; i < 1000; i++)
        CHECK(frame_in(60, i));
    for (uint32_t i = 0; i < 1000; i++) {
        CHECK(receives(60, i));
        CHECK_EQ(card_send(net, answer, 60), 0);
        CHECK(i + 1 - card.sent_count < 16);
    }
    CHECK(receives_nothing());
    CHECK_EQ(card.sent_count, 1000);
    CHECK(card.writes - writes <= 1000 / 16 + 2 * (1000 / E1000_RX_BATCH) + 2);
    CHECK_EQ(card_send(net, answer, 60), 0);
    CHECK_EQ(card.sent_count, 1001);
    CHECK(close_card());
}

TEST_EACH(a_full_transmit_ring_drops_the_newest)
{
    CHECK_EQ(open_new(kind), 0);
    card.holds_frames = true;
    uint8_t frame[60];
    for (uint32_t lap = 0; lap < 3; lap++) {
        for (uint32_t i = 0; i < E1000_TX_COUNT + 20; i++) {
            make_frame(frame, 60, i);
            CHECK_EQ(card_send(net, frame, 60), 0);
        }
        card.sent_count = 0;
        card_transmit();
        CHECK_EQ(card.sent_count, E1000_TX_COUNT - 1);
        for (uint32_t i = 0; i < card.sent_count; i++)
            CHECK_EQ(load32_le(card.sent[i].bytes + 14), i);
    }
    CHECK(close_card());
}

TEST_EACH(frames_of_impossible_length_are_not_sent)
{
    CHECK_EQ(open_new(kind), 0);
    static const uint8_t frame[4096];
    CHECK_EQ(card_send(net, frame, 1515), ERR_NET_LINK);
    CHECK_EQ(card_send(net, frame, sizeof frame), ERR_NET_LINK);
    CHECK_EQ(card_send(net, frame, 0), ERR_NET_LINK);
    CHECK_EQ(card.sent_count, 0);
    CHECK_EQ(card_send(net, frame, 1514), 0);
    CHECK_EQ(card.sent_count, 1);
    CHECK(close_card());
}

static bool hears(const uint8_t group[6])
{
    uint8_t frame[60] = { 0 }, *got;
    memcpy(frame, group, 6);
    return wire_in(frame, 60) && card_receive(net, &got) == 60 && memcmp(got, group, 6) == 0;
}

TEST_EACH(filters)
{
    static const uint8_t groups[3][6] = {
        { 0x33, 0x33, 0, 0, 0, 1 }, { 0x33, 0x33, 0xff, 0x12, 0x34, 0x56 }, { 1, 0, 0x5e, 0x7f, 0xff, 0xfa }
    };
    static const uint8_t broadcast[6] = { 255, 255, 255, 255, 255, 255 }, other[6] = { 0x52, 0x54, 0, 1, 2, 3 };
    CHECK_EQ(open_new(kind), 0);
    CHECK(hears(broadcast), hears(card_mac), !hears(other));
    CHECK(!hears(groups[0]), !hears(groups[1]), !hears(groups[2]));
    unsigned writes = card.writes;
    CHECK_EQ(card_multicast(net, groups, 3), 0);
    CHECK_EQ(card.writes - writes, 3);
    CHECK(hears(groups[0]), hears(groups[1]), hears(groups[2]), !hears(other));
    CHECK_EQ(card_multicast(net, groups + 1, 1), 0);
    CHECK(!hears(groups[0]), hears(groups[1]), !hears(groups[2]));
    CHECK_EQ(card_multicast(net, NULL, 0), 0);
    CHECK(!hears(groups[1]), hears(broadcast));
    // Every bit of the table, one group each.
    for (unsigned i = 0; i < 4096; i += 37) {
        uint8_t group[1][6] = { { 1, 0, 0x5e, 0, (uint8_t)(i << 4), (uint8_t)(i >> 4) } };
        CHECK_EQ(card_multicast(net, group, 1), 0);
        CHECK(hears(group[0]));
    }
    CHECK(close_card());
}

TEST_EACH(everything_and_back)
{
    static const uint8_t group[6] = { 0x33, 0x33, 0, 0, 0, 1 }, other[6] = { 0x52, 0x54, 0, 1, 2, 3 };
    int (*promiscuous)(struct card *, bool) = e1000_driver.ops.promiscuous;
    CHECK_EQ(open_new(kind), 0);
    CHECK_EQ(promiscuous(net, true), 0);
    CHECK(hears(other), hears(group), hears(card_mac));
    // It stays so when the card was reset by others and begun with anew.
    REG(E1000_RCTL) = 0;
    CHECK(card_link(net), hears(other), hears(group));
    CHECK_EQ(promiscuous(net, false), 0);
    CHECK(!hears(other), !hears(group), hears(card_mac));
    CHECK_EQ(promiscuous(net, true), 0);
    CHECK(close_card());
    CHECK_EQ(open_card(), 0); // and is over with the closing
    CHECK(!hears(other), hears(card_mac));
    CHECK(close_card());
}

// The groups of whoever had the card before.
TEST(an_old_multicast_table_is_cleared)
{
    static const uint8_t group[6] = { 0x33, 0x33, 0, 0, 0, 1 };
    card_new(EXPRESS);
    card.no_reset = true;
    for (unsigned i = 0; i < E1000_MTA_WORDS; i++)
        REG(E1000_MTA + 4 * i) = ALL_ONES;
    CHECK_EQ(open_card(), 0);
    CHECK(!hears(group));
    CHECK(close_card());
}

// QEMU's 8254x hear nothing for a second after they were started; what the driver does later does not start that again.
TEST(qemu_is_deaf_at_first)
{
    static const uint8_t group[1][6] = { { 0x33, 0x33, 0, 0, 0, 1 } };
    card_new(PCI);
    card.deaf = card.no_reset = true;
    CHECK_EQ(open_card(), 0);
    CHECK(!card_link(net), !frame_in(60, 1));
    CHECK_EQ(card_multicast(net, group, 1), 0);
    card.now += E1000_QEMU_DEAF_US;
    CHECK(card_link(net), frame_in(60, 2), receives(60, 2), hears(group[0]));
    CHECK_EQ(e1000_driver.ops.promiscuous(net, true), 0); // but for this, which writes to the same register
    CHECK(!card_link(net));
    CHECK(close_card());
    // Its 82574 has no such thing, nor have other makers' cards: there the link counts at once.
    card_new(EXPRESS);
    card.deaf = card.no_reset = true;
    CHECK_EQ(open_card(), 0);
    CHECK(card_link(net));
    CHECK(close_card());
    CHECK_EQ(open_new(PCI), 0);
    CHECK(card_link(net));
    CHECK(close_card());
}

TEST_MAIN(T(receives_over_several_laps), T(a_frame_is_valid_until_the_next),
          T(registers_are_left_alone_while_frames_come), T(overrun_and_recovery), T(bad_frames_are_dropped),
          T(bad_frames_without_end_do_not_keep_us), T(sends_over_several_laps), T(answers_are_told_of_together),
          T(a_full_transmit_ring_drops_the_newest), T(frames_of_impossible_length_are_not_sent), T(filters), T(everything_and_back),
          T(an_old_multicast_table_is_cleared), T(qemu_is_deaf_at_first))
