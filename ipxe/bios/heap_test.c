// SPDX-License-Identifier: MPL-2.0
#include "bios/heap.c"
#include "base/test.h"

static _Alignas(16) uint8_t arena[64 * 1024];

static uint32_t next_random(uint32_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 17;
    *state ^= *state << 5;
    return *state;
}

TEST(gives_aligned_memory_of_its_own)
{
    struct heap h;
    heap_init(&h, arena, sizeof arena);
    uint8_t *a = heap_alloc(&h, 1), *b = heap_alloc(&h, 100), *c = heap_alloc(&h, 0);
    CHECK(a, b, c, a != b, b != c);
    CHECK((uintptr_t)a % 16 == 0, (uintptr_t)b % 16 == 0, (uintptr_t)c % 16 == 0);
    memset(a, 1, 1);
    memset(b, 2, 100);
    CHECK(heap_check(&h));
    heap_free(&h, b);
    heap_free(&h, a);
    heap_free(&h, c);
    heap_free(&h, NULL);
    CHECK(heap_check(&h));
    CHECK_EQ(h.used, 0);
}

TEST(whole_arena_can_be_had_again)
{
    struct heap h;
    heap_init(&h, arena, sizeof arena);
    size_t most = sizeof arena - 2 * sizeof(struct heap_block);
    for (int i = 0; i < 3; i++) {
        void *p = heap_alloc(&h, most);
        CHECK(p != NULL);
        CHECK(heap_alloc(&h, 1) == NULL);
        heap_free(&h, p);
        void *parts[8];
        for (int k = 0; k < 8; k++)
            CHECK((parts[k] = heap_alloc(&h, 4000)) != NULL);
        for (int k = 0; k < 8; k += 2)
            heap_free(&h, parts[k]);
        CHECK(heap_check(&h));
        for (int k = 1; k < 8; k += 2)
            heap_free(&h, parts[k]);
        CHECK(heap_check(&h));
    }
    CHECK(heap_alloc(&h, most + 1) == NULL);
    CHECK(heap_alloc(&h, SIZE_MAX) == NULL);
    CHECK(heap_alloc(&h, SIZE_MAX - 15) == NULL);
}

TEST(random_use_keeps_contents)
{
    enum { SLOTS = 200, STEPS = 200000 };
    static struct {
        uint8_t *p;
        size_t len;
        uint8_t fill;
    } slots[SLOTS];
    memset(slots, 0, sizeof slots);
    struct heap h;
    heap_init(&h, arena, sizeof arena);
    uint32_t state = 12345, refused = 0;
    for (unsigned step = 0; step < STEPS; step++) {
        unsigned i = next_random(&state) % SLOTS;
        if (slots[i].p) {
            for (size_t k = 0; k < slots[i].len; k++)
                CHECK(slots[i].p[k] == slots[i].fill);
            heap_free(&h, slots[i].p);
            slots[i].p = NULL;
        } else {
            slots[i].len = next_random(&state) % 1500;
            slots[i].fill = (uint8_t)step;
            slots[i].p = heap_alloc(&h, slots[i].len);
            if (slots[i].p)
                memset(slots[i].p, slots[i].fill, slots[i].len);
            else
                refused++;
        }
        if (step % 64 == 0)
            CHECK(heap_check(&h));
    }
    CHECK(refused > 0); // it was full at times, so the refusals were exercised
    for (unsigned i = 0; i < SLOTS; i++)
        heap_free(&h, slots[i].p);
    CHECK(heap_check(&h));
    CHECK_EQ(h.used, 0);
    CHECK(heap_alloc(&h, sizeof arena - 2 * sizeof(struct heap_block)) != NULL);
}

TEST(check_finds_an_overrun)
{
    struct heap h;
    heap_init(&h, arena, sizeof arena);
    uint8_t *a = heap_alloc(&h, 32);
    CHECK(heap_alloc(&h, 32) != NULL);
    CHECK(heap_check(&h));
    memset(a, 0xee, 48);
    CHECK(!heap_check(&h));
}

TEST_MAIN(T(gives_aligned_memory_of_its_own), T(whole_arena_can_be_had_again), T(random_use_keeps_contents),
          T(check_finds_an_overrun))
