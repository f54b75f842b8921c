// SPDX-License-Identifier: MPL-2.0
// The memory plan by chance: random images in random machines against the properties of every plan, and small ones against an
// exhaustive search.
#include "image/testplace.h"

static void random_wishes(struct seal_part *p)
{
    if (rnd(4) == 0)
        p->address = (uint64_t)rnd(1 << 19) * 4096;
    if (p->address ? rnd(2) : rnd(8) == 0)
        p->align = 1u << rnd(28);
    if (rnd(8) == 0)
        p->memory = p->size + rnd(50 << 20);
}

static void random_image(void)
{
    start_seal();
    if (rnd(8))
        add_kernel(8192 + rnd(20 << 20), rnd(6) ? 16 * MIB : rnd(2) ? MIB : 0, rnd(4) ? rnd(80 << 20) : 0,
                   rnd(4) ? 1u << (12 + rnd(13)) : 0, 512 * (1 + rnd(15)));
    unsigned initrds = rnd(4);
    for (unsigned n = initrds; n > 0; n--) {
        struct seal_part *p = add(PART_INITRD, 1 + rnd(rnd(2) ? 100 << 20 : 9000));
        if (n == initrds)
            random_wishes(p);
        p->memory = n == 1 && rnd(8) == 0 ? p->size + rnd(50 << 20) : 0;
    }
    for (unsigned n = rnd(4); n > 0; n--)
        random_wishes(add(PART_RAMDISK, 1 + (uint64_t)rnd(1 << 20) * (rnd(4) ? 100 : 2000)));
    if (!seal.part_count || rnd(10) == 0)
        random_wishes(add(PART_MODULE, 1 + rnd(1 << 20)));
}

static unsigned random_map(struct mem_region *usable, struct mem_region *firmware, unsigned *fw)
{
    unsigned n = 0, count = 1 + rnd(6);
    *fw = rnd(3);
    if (*fw > 0)
        firmware[0] = (struct mem_region){ MIB, 7 * MIB };
    if (*fw > 1)
        firmware[1] = (struct mem_region){ (uint64_t)(9 + rnd(40)) * MIB, (uint64_t)(1 + rnd(9)) * MIB };
    uint64_t at = rnd(3) ? 8 * MIB : rnd(16 << 20);
    for (unsigned i = 0; i < count && at < 5 * GIB; i++) {
        uint64_t length = (uint64_t)rnd(4096) * (rnd(2) ? MIB / 2 : 100000) + rnd(4096);
        usable[n++] = (struct mem_region){ at, length };
        at += length + (rnd(2) ? 0 : (uint64_t)rnd(1000) * 0x8000);
    }
    return n;
}

TEST(random_images_in_random_machines)
{
    unsigned fits = 0, moved = 0, relocated = 0;
    random_state = 20530;
    for (unsigned round = 0; round < 20000; round++) {
        struct mem_region usable[8], firmware[2];
        unsigned fw, n = random_map(usable, firmware, &fw);
        random_image();
        int rc = plan_for(usable, n, firmware, fw);
        if (rc != 0 && rc != ERR_BOOT_NO_ROOM)
            printf("  round %u: %d\n", round, rc);
        CHECK(rc == 0 || rc == ERR_BOOT_NO_ROOM);
        if (rc == 0) {
            fits++;
            moved += plan.kernel != plan.kernel_run;
            relocated += plan.kernel_part >= 0 && seal.parts[0].address && plan.kernel_run != seal.parts[0].address;
        } else {
            CHECK(shortfall.needed > 0);
            CHECK(shortfall.total_needed > 0);
        }
    }
    // The chance must have reached every path.
    CHECK(fits > 2000, fits < 19000, moved > 20, relocated > 100);
}

TEST(random_images_beside_others)
{
    static struct place_plan first[ARRAY_SIZE(others)];
    unsigned fits = 0, moved = 0;
    random_state = 4711;
    for (unsigned round = 0; round < 10000; round++) {
        struct mem_region usable[8], firmware[2];
        unsigned fw, n = random_map(usable, firmware, &fw);
        other_count = 0;
        for (unsigned i = 0; i <= ARRAY_SIZE(others); i++) {
            random_image();
            int rc = plan_for(usable, n, firmware, fw); // which holds it to its properties
            CHECK(rc == 0 || rc == ERR_BOOT_NO_ROOM);
            if (rc != 0)
                continue;
            fits += other_count > 0;
            moved += other_count > 0 && plan.kernel != plan.kernel_run;
            if (i == ARRAY_SIZE(others))
                continue;
            first[other_count] = plan;
            others[other_count] = &first[other_count];
            other_count++;
        }
    }
    other_count = 0;
    CHECK(fits > 1000, moved > 50);
}

// Does any arrangement exist? Kernel fixed or at each aligned place, then both orders of the two others at each page.
// Only for tiny maps, in units of pages.
static bool arrangement_exists(const struct mem_region *usable, unsigned n, uint64_t kernel, uint64_t memory, uint64_t a,
                               uint64_t b)
{
    uint64_t top = usable[n - 1].base + usable[n - 1].length;
    if (!inside(usable, n, kernel, memory))
        return false;
    for (uint64_t x = PLACE_LOW_LIMIT; x + a <= top; x += 4096) {
        if (!inside(usable, n, x, a) || range_overlaps(x, a, kernel, memory))
            continue;
        for (uint64_t y = PLACE_LOW_LIMIT; y + b <= top; y += 4096)
            if (inside(usable, n, y, b) && !range_overlaps(y, b, kernel, memory) && !range_overlaps(x, a, y, b))
                return true;
    }
    return false;
}

TEST(finds_a_plan_when_there_is_one)
{
    // Up to 24 pages in up to three regions: the answer must be that of the exhaustive search.
    unsigned yes = 0, no = 0;
    random_state = 7;
    for (unsigned round = 0; round < 4000; round++) {
        struct mem_region usable[3];
        unsigned n = 1 + rnd(3);
        uint64_t at = MIB;
        for (unsigned i = 0; i < n; i++) {
            uint64_t length = (uint64_t)(2 + rnd(10)) * 4096;
            usable[i] = (struct mem_region){ at, length };
            at += length + (uint64_t)(1 + rnd(3)) * 4096;
        }
        uint64_t memory = (uint64_t)(3 + rnd(5)) * 4096, a = (uint64_t)(1 + rnd(6)) * 4096, b = (uint64_t)(1 + rnd(6)) * 4096;
        uint64_t address = MIB + (uint64_t)rnd(12) * 4096;
        start_seal();
        add_kernel(4096, address, memory, 0, 512); // its memory holds setup sectors, list and work, too
        add(PART_INITRD, a);
        add(PART_RAMDISK, b);
        struct place_input in = { &seal, usable, n, NULL, 0, NULL, 0, 4 * GIB, 64, false };
        int rc = place_plan(&in, &plan, &shortfall);
        bool exists = arrangement_exists(usable, n, address, memory, a, b);
        CHECK_EQ(rc, exists ? 0 : ERR_BOOT_NO_ROOM);
        CHECK(rc != 0 || check_plan(&in) == NULL);
        yes += exists;
        no += !exists;
    }
    CHECK(yes > 300, no > 300);
}

TEST_MAIN(T(random_images_in_random_machines), T(random_images_beside_others), T(finds_a_plan_when_there_is_one))
