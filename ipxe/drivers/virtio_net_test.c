// SPDX-License-Identifier: MPL-2.0
#include "drivers/virtio_net.h"

#include "drivers/testvirtio_pci.h"

// The frame with this number: its length and its bytes follow from it.
static size_t frame_make(unsigned number, uint8_t *frame)
{
    size_t len = 14 + number * 7919u % (FRAME_RECEIVE_MAX - 14 + 1);
    for (size_t i = 0; i < len; i++)
        frame[i] = (uint8_t)(number + i * 31);
    return len;
}
static bool deliver(unsigned number)
{
    uint8_t frame[FRAME_RECEIVE_MAX];
    return card_deliver(frame, frame_make(number, frame));
}
static bool receives(unsigned number)
{
    uint8_t expected[FRAME_RECEIVE_MAX], *frame;
    size_t len = frame_make(number, expected);
    int n = card_receive(net, &frame);
    if (n != (int)len || memcmp(frame, expected, len) != 0)
        return false;
    memset(frame, 0xaa, len); // it is the caller's until the next one
    return true;
}
static bool receives_nothing(void)
{
    uint8_t *frame;
    return card_receive(net, &frame) == 0;
}
static int send(unsigned number)
{
    uint8_t frame[FRAME_RECEIVE_MAX];
    size_t len = MIN(frame_make(number, frame), FRAME_MAX);
    return card_send(net, frame, len);
}
static bool was_sent(unsigned at, unsigned number)
{
    uint8_t frame[FRAME_RECEIVE_MAX];
    size_t len = MIN(frame_make(number, frame), FRAME_MAX);
    return card.lengths[at % CARD_FRAMES] == len && memcmp(card.frames[at % CARD_FRAMES], frame, len) == 0;
}

TEST(receives_in_order_over_several_laps)
{
    EITHER_INTERFACE(legacy) {
        CHECK(begin(legacy));
        CHECK(receives_nothing());
        unsigned next = 0;
        for (unsigned number = 0; number < 3000;) {
            for (unsigned burst = number % 97 + 1; burst; burst--)
                CHECK(deliver(number++));
            while (next < number)
                CHECK(receives(next++));
            CHECK(receives_nothing());
        }
        CHECK(finish());
    }
}

// What is not polled for waits in the ring; the card rings for new buffers when it has none.
TEST(a_full_ring_loses_nothing_that_was_delivered)
{
    EITHER_INTERFACE(legacy) {
        CHECK(begin(legacy));
        unsigned next = 0, number = 0;
        for (unsigned lap = 0; lap < 5; lap++) {
            while (deliver(number))
                number++;
            CHECK(number - next >= net->info.rx_buffers * 3u / 4); // but for those on their way back
            while (next < number)
                CHECK(receives(next++));
            CHECK(receives_nothing());
        }
        CHECK(finish());
    }
}

TEST(ten_thousand_frames_touch_hardly_a_register)
{
    EITHER_INTERFACE(legacy) {
        CHECK(begin(legacy));
        card.accesses = 0;
        uint64_t clock = card.now;
        for (unsigned number = 0; number < 10000; number++) {
            CHECK(deliver(number));
            CHECK(receives(number));
            CHECK(receives_nothing());
        }
        CHECK_EQ(card.accesses, 0);
        CHECK_EQ(card.now, clock); // nor the clock
        card.always_notify = true;
        (void)card_has_buffer(CARD_RX);
        for (unsigned number = 0; number < 10000; number++) {
            CHECK(deliver(number));
            CHECK(receives(number));
        }
        CHECK_EQ(card.accesses, 10000 / (net->info.rx_buffers / 4)); // it did ask
        CHECK(finish());
    }
}

TEST(buffers_may_come_back_in_any_order)
{
    EITHER_INTERFACE(legacy) {
        CHECK(begin(legacy));
        for (unsigned round = 0; round < 500; round++) {
            uint8_t frame[3][12 + FRAME_RECEIVE_MAX];
            uint16_t id[3];
            for (unsigned i = 0; i < 3; i++) {
                memset(frame[i], 0, 12);
                size_t len = card_header() + frame_make(3 * round + i, frame[i] + card_header());
                CHECK(card_has_buffer(CARD_RX));
                id[i] = card_pop(CARD_RX);
                CHECK_EQ(card_copy(CARD_RX, id[i], 0, frame[i], len, true), len);
            }
            for (unsigned i = 3; i-- > 0;)
                card_push(CARD_RX, id[i], (uint32_t)(card_header() + frame_make(3 * round + i, frame[0])));
            for (unsigned i = 3; i-- > 0;)
                CHECK(receives(3 * round + i));
        }
        CHECK(finish());
    }
}

TEST(rings_of_every_size)
{
    EITHER_INTERFACE(legacy) {
        for (unsigned max = legacy ? 2 : 1; max <= (legacy ? 32768 : 4096); max *= 2) {
            card_make(legacy);
            card.queues[CARD_RX].max = card.queues[CARD_TX].max = (uint16_t)max;
            CHECK_EQ(open_card(), 0);
            CHECK_EQ(net->info.rx_buffers, MIN(max >> legacy, 1024));
            for (unsigned number = 0; number < 5000; number++) {
                CHECK(deliver(number));
                CHECK(receives(number));
                CHECK(receives_nothing()); // gives back what may be the only buffer
                if (number < 300) {
                    CHECK_EQ(send(number), 0);
                    CHECK(was_sent(number, number));
                }
            }
            CHECK(finish());
        }
        card_make(legacy);
        card.queues[CARD_RX].max = 0;
        CHECK_EQ(open_card(), ERR_NET_LINK);
        card.queues[CARD_RX].max = 24;
        CHECK_EQ(open_card(), ERR_NET_LINK);
        CHECK(is_tidy());
    }
}

TEST(sends)
{
    EITHER_INTERFACE(legacy) {
        uint8_t too_long[FRAME_MAX + 1] = { 0 };
        CHECK(begin(legacy));
        for (unsigned number = 0; number < 1000; number++) {
            CHECK_EQ(send(number), 0);
            CHECK_EQ(card.sent, number + 1);
            CHECK(was_sent(number, number));
        }
        CHECK_EQ(card_send(net, too_long, sizeof too_long), ERR_NET_LINK);
        CHECK_EQ(card.sent, 1000);
        CHECK(finish());
    }
}

TEST(answers_are_told_of_together)
{
    EITHER_INTERFACE(legacy) {
        CHECK(begin(legacy));
        CHECK_EQ(send(0), 0);
        CHECK_EQ(card.sent, 1); // at once: nothing was received
        for (unsigned number = 1; number <= 100; number++) {
            CHECK(deliver(number));
            CHECK(receives(number));
            CHECK_EQ(send(number), 0);
            CHECK(card.sent + 15 >= number);
        }
        CHECK_EQ(card.queues[CARD_TX].bells, 1 + 100 / 16);
        CHECK(receives_nothing());
        CHECK_EQ(card.sent, 101);
        for (unsigned number = 0; number <= 100; number++)
            CHECK(was_sent(number, number));
        CHECK(deliver(101));
        CHECK(receives(101));
        CHECK_EQ(send(101), 0);
        CHECK(finish());
        CHECK_EQ(card.sent, 102); // before the end
    }
}

TEST(close_waits_for_what_was_sent_but_not_for_ever)
{
    EITHER_INTERFACE(legacy) {
        CHECK(begin(legacy));
        card.tx_stands = true;
        CHECK_EQ(send(0), 0);
        uint64_t before = card.now;
        CHECK(finish());
        CHECK(card.now - before >= 50000, card.now - before < 60000);
    }
}

TEST(a_full_transmit_ring_drops_in_time)
{
    EITHER_INTERFACE(legacy) {
        CHECK(begin(legacy));
        card.tx_stands = true;
        for (unsigned number = 0; number < 64; number++)
            CHECK_EQ(send(number), 0);
        uint64_t before = card.now;
        CHECK_EQ(send(64), 0);
        CHECK(card.now - before >= 1000, card.now - before < 10000);
        CHECK_EQ(card.sent, 0);
        card.tx_stands = false;
        card_transmit();
        CHECK_EQ(card.sent, 64);
        for (unsigned number = 0; number < 64; number++)
            CHECK(was_sent(number, number));
        for (unsigned number = 65; number < 300; number++) {
            CHECK_EQ(send(number), 0);
            CHECK(was_sent(number - 1, number));
        }
        CHECK(finish());
    }
}

TEST(hostile_entries_on_receive)
{
    static const struct {
        uint32_t id, length;
    } bad[] = { { 256, 100 }, { 0xffff, 100 }, { 0x10000, 100 }, { 0xffffffff, 100 }, { 7, 0 }, { 7, 9 }, { 7, 12 }, { 7, 23 },
                { 7, 12 + FRAME_RECEIVE_MAX + 1 }, { 7, 4096 }, { 7, 0x7fffffff }, { 7, 0x80000000 }, { 7, 0xffffffff } };
    EITHER_INTERFACE(legacy) {
        CHECK(begin(legacy));
        unsigned number = 0;
        for (unsigned i = 0; i < ARRAY_SIZE(bad); i++) {
            CHECK(card_has_buffer(CARD_RX));
            (void)card_pop(CARD_RX);
            card_push(CARD_RX, bad[i].id, bad[i].length);
            CHECK(receives_nothing());
            for (unsigned good = 0; good < 10; good++) {
                CHECK(deliver(number));
                CHECK(receives(number++));
            }
        }
        // The same buffer over and over, and an index that claims more than a ring.
        for (unsigned i = 0; i < 1000; i++) {
            uint8_t *frame;
            card_push(CARD_RX, 7, 100);
            CHECK_EQ(card_receive(net, &frame), 100 - card_header());
            memset(frame, 0, FRAME_RECEIVE_MAX);
        }
        card_used(CARD_RX)->index = (uint16_t)(card.queues[CARD_RX].done + 257);
        CHECK(receives_nothing());
        CHECK(receives_nothing());
        card.wrong = NULL; // it lied about what it had been given
        CHECK(finish());
    }
}

TEST(hostile_entries_on_send)
{
    EITHER_INTERFACE(legacy) {
        CHECK(begin(legacy));
        card.tx_stands = true;
        for (unsigned number = 0; number < 64; number++)
            CHECK_EQ(send(number), 0);
        card_push(CARD_TX, 0xffffffff, 0);
        card_push(CARD_TX, 64u << legacy, 0);
        for (unsigned i = 0; i < 10; i++)
            card_push(CARD_TX, 3u << legacy, 0); // what comes back again and again is believed as often
        uint64_t before = card.now;
        for (unsigned i = 0; i < 10; i++)
            CHECK_EQ(send(100 + i), 0);
        CHECK_EQ(card.now, before);
        CHECK_EQ(send(200), 0); // dropped
        CHECK(card.now - before >= 1000);
        card.wrong = NULL;
        CHECK(finish());
    }
}

TEST(close_stops_the_card)
{
    EITHER_INTERFACE(legacy) {
        CHECK(begin(legacy));
        CHECK(deliver(1));
        CHECK(receives(1)); // and is closed with a frame in the caller's hands
        CHECK(finish());
        CHECK(!deliver(2));
        CHECK_EQ(open_card(), 0);
        CHECK(receives_nothing());
        CHECK(deliver(3));
        CHECK(receives(3));
        CHECK(finish());
    }
}

TEST(link)
{
    EITHER_INTERFACE(legacy) {
        CHECK(begin(legacy));
        CHECK(card_link(net));
        card.net[6] = 2; // wants to be announced, and has no link
        CHECK(!card_link(net));
        CHECK(finish());
    }
}

// Reset by others, in need of a reset, or gone: it has no link, nothing is received, what is sent is dropped, and closing ends.
TEST(a_card_that_works_no_more)
{
    static const uint8_t states[] = { 0, 0x4F, 0xFF }, frame[60];
    EITHER_INTERFACE(legacy) {
        for (unsigned i = 0; i < ARRAY_SIZE(states); i++) {
            uint8_t *got;
            CHECK(begin(legacy));
            CHECK(card_link(net));
            card.status = states[i];
            card.tx_stands = card.lost = true;
            CHECK(!card_link(net));
            CHECK_EQ(card_receive(net, &got), 0);
            uint64_t before = card.now;
            for (unsigned k = 0; k < 100; k++)
                CHECK_EQ(card_send(net, frame, sizeof frame), 0);
            CHECK(card.now - before < NIC_WAIT_US);
            CHECK(finish());
        }
    }
}

static const uint8_t groups[65][6] = { { 0x33, 0x33, 0, 0, 0, 1 }, { 0x01, 0, 0x5e, 0, 0, 251 } };
TEST(multicast)
{
    CHECK(begin(false));
    CHECK(!card.promiscuous, !card.all_multicast, card.group_count == 0);
    CHECK_EQ(card_multicast(net, groups, 2), 0);
    CHECK(!card.promiscuous, !card.all_multicast, card.group_count == 2);
    CHECK(memcmp(card.groups, groups, 12) == 0);
    CHECK_EQ(card_multicast(net, groups, 64), 0);
    CHECK(!card.promiscuous, !card.all_multicast, card.group_count == 64);
    CHECK_EQ(card_multicast(net, groups, 65), 0);
    CHECK(!card.promiscuous, card.all_multicast);
    CHECK_EQ(card_multicast(net, groups, 1), 0);
    CHECK(!card.promiscuous, !card.all_multicast, card.group_count == 1);
    card.refuses_table = true;
    CHECK_EQ(card_multicast(net, groups, 2), 0);
    CHECK(!card.promiscuous, card.all_multicast);
    card.refuses_all_multicast = true;
    CHECK_EQ(card_multicast(net, groups, 2), 0);
    CHECK(card.promiscuous);
    CHECK(finish());
}

TEST(everything_and_back)
{
    CHECK(begin(false));
    CHECK_EQ(virtio_net_driver.ops.promiscuous(net, true), 0);
    CHECK(card.promiscuous);
    CHECK_EQ(virtio_net_driver.ops.promiscuous(net, false), 0);
    CHECK(!card.promiscuous);
    CHECK(finish());
}

TEST(a_control_queue_that_never_answers)
{
    card_make(false);
    card.control_deaf = true;
    CHECK_EQ(open_card(), 0);
    CHECK(card.now < 2 * NIC_WAIT_US);
    uint64_t before = card.now;
    CHECK_EQ(card_multicast(net, groups, 1), ERR_NET_LINK);
    CHECK_EQ(virtio_net_driver.ops.promiscuous(net, true), ERR_NET_LINK);
    CHECK_EQ(card.now, before); // waited for only once
    CHECK(deliver(1));
    CHECK(receives(1));
    CHECK(finish());
}

TEST_MAIN(T(receives_in_order_over_several_laps), T(a_full_ring_loses_nothing_that_was_delivered),
          T(ten_thousand_frames_touch_hardly_a_register), T(buffers_may_come_back_in_any_order), T(rings_of_every_size),
          T(sends), T(answers_are_told_of_together), T(close_waits_for_what_was_sent_but_not_for_ever),
          T(a_full_transmit_ring_drops_in_time), T(hostile_entries_on_receive), T(hostile_entries_on_send),
          T(close_stops_the_card), T(link), T(a_card_that_works_no_more), T(multicast), T(everything_and_back),
          T(a_control_queue_that_never_answers))
