// SPDX-License-Identifier: MPL-2.0
// Frames: rings, filters, and when the card is asked for what.
#include "drivers/testvmxnet3.h"

TEST(receives_over_several_laps)
{
    CHECK_EQ(open_new(), 0);
    CHECK(receives_nothing());
    uint32_t sent = 0, got = 0;
    for (unsigned burst = 1; burst <= net->info.rx_buffers; burst += 13) {
        for (unsigned i = 0; i < burst; i++, sent++)
            CHECK(frame_in(60 + sent % (FRAME_RECEIVE_MAX - 59), sent));
        for (; got < sent; got++)
            CHECK(receives(60 + got % (FRAME_RECEIVE_MAX - 59), got));
        CHECK(receives_nothing());
    }
    CHECK(sent > 10 * VMXNET3_RX_COUNT);
    CHECK_EQ(card.dropped, 0);
    CHECK(close_card());
}

// A frame stays as it was until the next receive(), even while the card fills all that it has.
TEST(a_frame_is_valid_until_the_next)
{
    CHECK_EQ(open_new(), 0);
    uint8_t expected[FRAME_RECEIVE_MAX], *frame;
    uint32_t sent = 0;
    for (uint32_t number = 0; number < 3 * VMXNET3_RX_COUNT; number++) {
        while (frame_in(FRAME_RECEIVE_MAX, sent))
            sent++;
        make_frame(expected, FRAME_RECEIVE_MAX, number);
        CHECK_EQ(card_receive(net, &frame), FRAME_RECEIVE_MAX);
        CHECK(memcmp(frame, expected, FRAME_RECEIVE_MAX) == 0);
        while (frame_in(FRAME_RECEIVE_MAX, sent))
            sent++;
        CHECK(memcmp(frame, expected, FRAME_RECEIVE_MAX) == 0);
    }
    CHECK(close_card());
}

TEST(registers_are_left_alone_while_frames_come)
{
    CHECK_EQ(open_new(), 0);
    unsigned reads = card.reads, writes = card.writes, clock_reads = card.clock_reads;
    for (uint32_t i = 0; i < 10000; i++) {
        CHECK(frame_in(FRAME_RECEIVE_MAX, i));
        CHECK(receives(FRAME_RECEIVE_MAX, i), receives_nothing());
    }
    CHECK(card.reads == reads, card.writes == writes, card.clock_reads == clock_reads);
    CHECK(close_card());
}

// Such a card hears of new buffers: in batches while frames come, and in any case before it has none left.
TEST(a_card_that_wants_to_be_told)
{
    card_new();
    card.wants_producer = true;
    CHECK_EQ(open_card(), 0);
    for (uint32_t lap = 0; lap < 4; lap++) {
        uint32_t n = 0, got = 0;
        while (frame_in(60, n))
            n++;
        CHECK(n >= VMXNET3_RX_COUNT - 1 - 128);
        unsigned writes = card.writes;
        for (; got < n; got++)
            CHECK(receives(60, got));
        CHECK(card.writes - writes <= n / 128 + 1);
        CHECK(receives_nothing());
        writes = card.writes;
        CHECK(receives_nothing());
        CHECK_EQ(card.writes, writes);
    }
    CHECK(close_card());
}

TEST(overrun_and_recovery)
{
    CHECK_EQ(open_new(), 0);
    for (unsigned lap = 0; lap < 3; lap++) {
        uint32_t stored = 0;
        for (uint32_t i = 0; i < 2 * VMXNET3_RX_COUNT; i++)
            stored += frame_in(100, i);
        CHECK(stored >= net->info.rx_buffers);
        for (uint32_t i = 0; i < stored; i++)
            CHECK(receives(100, i));
        CHECK(receives_nothing());
    }
    CHECK(close_card());
}

TEST(buffers_that_the_card_leaves_out_come_back)
{
    CHECK_EQ(open_new(), 0);
    for (uint32_t i = 0; i < 3 * VMXNET3_RX_COUNT; i++) {
        card.skips = i % 5;
        CHECK(frame_in(60, i), receives(60, i));
    }
    CHECK_EQ(card.dropped, 0);
    CHECK(close_card());
}

// Runts, giants, errors, frames in several pieces: the sound one behind them comes through.
TEST(bad_frames_are_dropped)
{
    static const struct {
        uint32_t length, what;
    } bad[] = {
        { 0, WHOLE },      { 13, WHOLE },     { FRAME_RECEIVE_MAX + 1, WHOLE },
        { BUFFER, WHOLE }, { 0x3FFF, WHOLE }, { 60 | VMXNET3_DONE_ERROR, WHOLE },
        { 60, 0 },         { 60, VMXNET3_DONE_START }, { 60, VMXNET3_DONE_END },
    };
    CHECK_EQ(open_new(), 0);
    uint8_t frame[BUFFER] = { 0 };
    for (unsigned lap = 0; lap < VMXNET3_RX_COUNT; lap++) {
        for (unsigned i = 0; i < ARRAY_SIZE(bad); i++)
            CHECK(card_put(frame, sizeof frame, bad[i].length, bad[i].what));
        CHECK(!frame_in(BUFFER + 1, lap));
        CHECK(frame_in(60, lap), receives(60, lap));
    }
    // Ring, sums and tag, which stand in the same words, mean nothing.
    make_frame(frame, 60, 7);
    CHECK(card_put(frame, 60, 60 | 0x12348000, WHOLE | 0x40000000));
    CHECK(receives(60, 7));
    CHECK(close_card());
}

TEST(bad_frames_do_not_keep_us)
{
    CHECK_EQ(open_new(), 0);
    for (unsigned i = 0; i < VMXNET3_RX_COUNT - 1; i++)
        CHECK(card_put("", 1, 60, 0));
    CHECK(receives_nothing());
    CHECK(frame_in(60, 1), receives(60, 1));
    CHECK(close_card());
}

TEST(sends_over_several_laps)
{
    CHECK_EQ(open_new(), 0);
    unsigned reads = card.reads, writes = card.writes;
    for (uint32_t i = 0; i < 3 * VMXNET3_TX_COUNT; i++) {
        uint8_t frame[FRAME_MAX];
        size_t len = 18 + i * 7;
        make_frame(frame, len, i);
        CHECK_EQ(card_send(net, frame, len), 0);
        CHECK_EQ(card.sent_count, i + 1);
        CHECK_EQ(card.sent[i].len, len);
        CHECK(memcmp(card.sent[i].bytes, frame, len) == 0);
    }
    CHECK_EQ(card.reads, reads);
    CHECK_EQ(card.writes - writes, 3 * VMXNET3_TX_COUNT);
    CHECK(close_card());
}

// Answers wait for each other while frames come, but not for long; without a frame in the caller's hands nothing waits.
TEST(answers_are_told_of_together)
{
    static const uint8_t answer[60];
    CHECK_EQ(open_new(), 0);
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
    CHECK(card.writes - writes <= 1000 / 16 + 1000 / 128 + 1);
    CHECK_EQ(card_send(net, answer, 60), 0);
    CHECK_EQ(card.sent_count, 1001);
    CHECK(close_card());
}

TEST(a_full_transmit_ring_drops_the_newest)
{
    CHECK_EQ(open_new(), 0);
    card.holds_frames = true;
    uint8_t frame[60];
    for (uint32_t lap = 0; lap < 3; lap++) {
        for (uint32_t i = 0; i < VMXNET3_TX_COUNT + 20; i++) {
            make_frame(frame, 60, i);
            CHECK_EQ(card_send(net, frame, 60), 0);
        }
        card.sent_count = 0;
        card_transmit();
        CHECK_EQ(card.sent_count, VMXNET3_TX_COUNT - 1);
        for (uint32_t i = 0; i < card.sent_count; i++)
            CHECK_EQ(load32_le(card.sent[i].bytes + 14), i);
    }
    CHECK(close_card());
}

TEST(frames_of_impossible_length_are_not_sent)
{
    CHECK_EQ(open_new(), 0);
    static const uint8_t frame[4096];
    CHECK_EQ(card_send(net, frame, FRAME_MAX + 1), ERR_NET_LINK);
    CHECK_EQ(card_send(net, frame, sizeof frame), ERR_NET_LINK);
    CHECK_EQ(card_send(net, frame, 13), ERR_NET_LINK);
    CHECK_EQ(card.sent_count, 0);
    CHECK_EQ(card_send(net, frame, FRAME_MAX), 0);
    CHECK_EQ(card.sent_count, 1);
    CHECK(close_card());
}

// But for a card that does not send at all.
TEST(what_was_sent_leaves_before_close)
{
    static const uint8_t frame[60];
    CHECK_EQ(open_new(), 0);
    card.sends_late = true;
    for (unsigned i = 0; i < 5; i++)
        CHECK_EQ(card_send(net, frame, 60), 0);
    CHECK_EQ(card.sent_count, 0);
    CHECK(close_card());
    CHECK_EQ(card.sent_count, 5);
    CHECK_EQ(open_new(), 0);
    card.holds_frames = true;
    CHECK_EQ(card_send(net, frame, 60), 0);
    uint64_t before = card.now;
    CHECK(close_card());
    CHECK(card.now - before < NIC_WAIT_US / 10, card.sent_count == 0);
}

TEST(filters)
{
    static const uint8_t groups[CARD_GROUPS_MAX][6] = {
        { 0x33, 0x33, 0, 0, 0, 1 }, { 0x33, 0x33, 0xff, 0x12, 0x34, 0x56 }, { 1, 0, 0x5e, 0x7f, 0xff, 0xfa }, [15] = { 1, 0, 0x5e, 1, 2, 3 }
    };
    static const uint8_t broadcast[6] = { 255, 255, 255, 255, 255, 255 }, other[6] = { 0x52, 0x54, 0, 1, 2, 3 };
    CHECK_EQ(open_new(), 0);
    CHECK(hears(broadcast), hears(card_mac), !hears(other));
    CHECK(!hears(groups[0]), !hears(groups[1]), !hears(groups[2]));
    CHECK_EQ(card_multicast(net, groups, 3), 0);
    CHECK(hears(groups[0]), hears(groups[1]), hears(groups[2]), !hears(other), hears(card_mac), hears(broadcast));
    CHECK_EQ(card_multicast(net, groups + 1, 1), 0);
    CHECK(!hears(groups[0]), hears(groups[1]), !hears(groups[2]));
    CHECK_EQ(card_multicast(net, groups, CARD_GROUPS_MAX), 0);
    CHECK(hears(groups[0]), hears(groups[15]));
    CHECK_EQ(card_multicast(net, NULL, 0), 0);
    CHECK(!hears(groups[1]), hears(broadcast));
    // Tags are not the card's matter.
    for (unsigned vlan = 0; vlan < 4096; vlan += 273) {
        uint8_t tagged[64] = { 0 }, *got;
        memcpy(tagged, card_mac, 6);
        store16_be(tagged + 12, 0x8100);
        store16_be(tagged + 14, (uint16_t)vlan);
        CHECK(wire_in(tagged, 64), card_receive(net, &got) == 64, memcmp(got, tagged, 64) == 0);
    }
    CHECK(close_card());
}

TEST(everything_and_back)
{
    static const uint8_t group[6] = { 0x33, 0x33, 0, 0, 0, 1 }, other[6] = { 0x52, 0x54, 0, 1, 2, 3 };
    CHECK_EQ(open_new(), 0);
    CHECK_EQ(vmxnet3_driver.ops.promiscuous(net, true), 0);
    CHECK(hears(other), hears(group), hears(card_mac));
    // It stays so when the card has stopped and was begun with anew.
    card.stops = true;
    CHECK(card_link(net), card.activations == 2);
    card.stops = false;
    CHECK(hears(other), hears(group));
    CHECK_EQ(vmxnet3_driver.ops.promiscuous(net, false), 0);
    CHECK(!hears(other), !hears(group), hears(card_mac));
    CHECK_EQ(vmxnet3_driver.ops.promiscuous(net, true), 0);
    CHECK(close_card());
    CHECK_EQ(open_card(), 0); // and is over with the closing
    CHECK(!hears(other), hears(card_mac));
    CHECK(close_card());
}

TEST_MAIN(T(receives_over_several_laps), T(a_frame_is_valid_until_the_next),
          T(registers_are_left_alone_while_frames_come), T(a_card_that_wants_to_be_told), T(overrun_and_recovery),
          T(buffers_that_the_card_leaves_out_come_back), T(bad_frames_are_dropped), T(bad_frames_do_not_keep_us),
          T(sends_over_several_laps), T(answers_are_told_of_together), T(a_full_transmit_ring_drops_the_newest),
          T(frames_of_impossible_length_are_not_sent), T(what_was_sent_leaves_before_close), T(filters), T(everything_and_back))
