// SPDX-License-Identifier: MPL-2.0
#include "drivers/virtqueue.h"

#include "base/test.h"

static struct virtqueue q;
static uint8_t *memory;
static struct vring_used *used; // the device's view

static void start(uint16_t size)
{
    memory = aligned_alloc(VIRTQUEUE_PAGE, virtqueue_bytes(size));
    memset(memory, 0, virtqueue_bytes(size));
    virtqueue_init(&q, memory, size);
    used = (struct vring_used *)(void *)(memory + virtqueue_used_at(size));
}
static void device_uses(uint32_t id, uint32_t length)
{
    used->ring[used->index & (q.size - 1)] = (struct vring_used_entry){ id, length };
    used->index++;
}

// By the formula of the legacy interface (section 2.7.2), which the specification gives as code.
TEST(layout)
{
    for (uint32_t size = 1; size <= VIRTQUEUE_MAX; size *= 2) {
        uint16_t n = (uint16_t)size;
        size_t driver = 16 * size + 2 * (3 + size), device = 6 + 8 * size;
        CHECK_EQ(virtqueue_available_at(n), 16 * size);
        CHECK_EQ(virtqueue_used_at(n), (driver + 4095) / 4096 * 4096);
        CHECK_EQ(virtqueue_bytes(n), (driver + 4095) / 4096 * 4096 + (device + 4095) / 4096 * 4096);
    }
}

TEST(starts_empty_and_asks_for_no_interrupt)
{
    uint32_t id, length;
    start(4);
    CHECK_EQ(q.available->flags, VRING_NO_INTERRUPT);
    CHECK_EQ(q.available->index, 0);
    CHECK(!virtqueue_take(&q, &id, &length));
    free(memory);
}

TEST(what_is_offered_is_seen_when_published)
{
    start(4);
    virtqueue_describe(&q, 2, 0x123456789a, 77, VRING_NEXT | VRING_DEVICE_WRITES, 3);
    CHECK(memcmp(memory + 32, "\x9a\x78\x56\x34\x12\0\0\0\x4d\0\0\0\3\0\3\0", 16) == 0);
    virtqueue_offer(&q, 2);
    virtqueue_offer(&q, 1);
    CHECK_EQ(q.available->index, 0);
    CHECK(virtqueue_publish(&q));
    CHECK_EQ(q.available->index, 2);
    CHECK_EQ(q.available->ring[0], 2);
    CHECK_EQ(q.available->ring[1], 1);
    used->flags = VRING_NO_NOTIFY;
    virtqueue_offer(&q, 0);
    CHECK(!virtqueue_publish(&q));
    CHECK_EQ(q.available->index, 3);
    free(memory);
}

TEST(indices_go_round_at_65536)
{
    start(8);
    for (uint32_t n = 0; n < 200000; n++) {
        uint32_t id, length;
        virtqueue_offer(&q, (uint16_t)(n % 8));
        virtqueue_publish(&q);
        CHECK_EQ(q.available->ring[n % 8], n % 8);
        CHECK_EQ(q.available->index, (n + 1) % 65536);
        device_uses(n % 8, n);
        CHECK(virtqueue_take(&q, &id, &length));
        CHECK_EQ(id, n % 8);
        CHECK_EQ(length, n);
        CHECK(!virtqueue_take(&q, &id, &length));
    }
    free(memory);
}

TEST(entries_are_taken_in_order_up_to_a_whole_ring)
{
    start(8);
    for (uint32_t lap = 0; lap < 3; lap++) {
        uint32_t id, length;
        for (uint32_t i = 0; i < 8; i++)
            device_uses(7 - i, 100 * lap + i);
        for (uint32_t i = 0; i < 8; i++) {
            CHECK(virtqueue_take(&q, &id, &length));
            CHECK_EQ(id, 7 - i);
            CHECK_EQ(length, 100 * lap + i);
        }
        CHECK(!virtqueue_take(&q, &id, &length));
    }
    free(memory);
}

TEST(an_index_beyond_the_ring_is_none)
{
    uint32_t id, length;
    start(8);
    used->index = 9;
    CHECK(!virtqueue_take(&q, &id, &length));
    used->index = 0xffff;
    CHECK(!virtqueue_take(&q, &id, &length));
    used->index = 0;
    device_uses(5, 6);
    CHECK(virtqueue_take(&q, &id, &length)); // a device that comes to its senses is heard
    CHECK_EQ(id, 5);
    CHECK_EQ(length, 6);
    free(memory);
}

TEST_MAIN(T(layout), T(starts_empty_and_asks_for_no_interrupt), T(what_is_offered_is_seen_when_published),
          T(indices_go_round_at_65536), T(entries_are_taken_in_order_up_to_a_whole_ring), T(an_index_beyond_the_ring_is_none))
