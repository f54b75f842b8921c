// SPDX-License-Identifier: MPL-2.0
// The memory plan for real machines and images, by hand.
#include "image/testplace.h"

TEST(kernel_and_initrd)
{
    start_seal();
    add_cloud_kernel();
    add(PART_INITRD, 2 * MIB + 5);
    add(PART_INITRD, 300);
    CHECK_EQ(plan_pc(512), 0);
    CHECK_EQ(plan.kernel, 16 * MIB);
    CHECK_EQ(plan.kernel_run, 16 * MIB);
    CHECK_EQ(plan.initrd + align4k(plan.initrd_len), 512 * MIB); // as high as it gets
    CHECK_EQ(plan.initrd_len, align4k(2 * MIB + 5) + 300);
    CHECK_EQ(plan.piece_count, 3); // setup, kernel, both initrds
    CHECK(plan.list.base >= 16 * MIB + CLOUD_FILE, plan.list.base < 16 * MIB + CLOUD_INIT);
}

TEST(the_smallest_machine_that_runs_the_kernel)
{
    // 16 MiB below, 60 MiB of kernel, 3 MiB of initrd: nothing besides what must be there at the end.
    start_seal();
    add_cloud_kernel();
    add(PART_INITRD, 3 * MIB);
    CHECK_EQ(plan_pc(80), 0); // 4 MiB more than the kernel's end: the initrd above
    CHECK_EQ(plan_pc(79), 0);
    CHECK_EQ(plan_pc(78), 0); // now the initrd goes below the kernel, into 8..16 MiB
    CHECK(plan.initrd < 16 * MIB);
    CHECK_EQ(plan_pc(76), 0);
    CHECK_EQ(plan_pc(75), ERR_BOOT_NO_ROOM);
    CHECK_EQ(shortfall.what, PLACE_KERNEL);
    CHECK_EQ(shortfall.needed, CLOUD_INIT);
    CHECK_EQ(shortfall.available, 59 * MIB);
    CHECK_EQ(shortfall.address, 16 * MIB);
    CHECK_EQ(shortfall.total_available, 67 * MIB);
    CHECK_EQ(shortfall.total_needed, CLOUD_INIT + 3 * MIB);
}

TEST(sixty_four_mib)
{
    start_seal();
    add_kernel(8 * MIB, 16 * MIB, 30 * MIB, 2 * MIB, CLOUD_SPLIT);
    add(PART_INITRD, 16 * MIB);
    CHECK_EQ(plan_pc(64), 0);
    CHECK_EQ(plan.kernel_run, 16 * MIB);
    // More than the 18 MiB above the kernel: the kernel makes room by going up.
    add(PART_INITRD, 10 * MIB);
    CHECK_EQ(plan_pc(64), 0);
    CHECK_EQ(plan.kernel_run, 34 * MIB);
    CHECK_EQ(plan.initrd, 8 * MIB);
    add(PART_INITRD, 4096);
    CHECK_EQ(plan_pc(64), ERR_BOOT_NO_ROOM);
    CHECK_EQ(shortfall.what, PLACE_INITRD);
    CHECK_EQ(shortfall.part, 1);
    CHECK_EQ(shortfall.needed, 26 * MIB + 4096);
    CHECK_EQ(shortfall.available, 26 * MIB);
}

TEST(large_ramdisk_in_4_gib)
{
    // 3 GiB of low memory with holes as a PC has them; 2.2 GiB of ramdisk.
    struct mem_region usable[] = { { 0, 0x9f000 }, { 8 * MIB, 3 * GIB - 8 * MIB - 0x22000 }, { 4 * GIB, GIB } };
    struct mem_region firmware[] = { { MIB, 7 * MIB } };
    start_seal();
    add_cloud_kernel();
    add(PART_INITRD, 40 * MIB);
    add(PART_RAMDISK, 2 * GIB + 200 * MIB + 17);
    CHECK_EQ(plan_for(usable, 3, firmware, 1), 0);
    CHECK_EQ(plan.kernel_run, 16 * MIB);
    CHECK_EQ(plan.ramdisk_count, 1);
    CHECK_EQ(plan.ramdisks[0].base & (2 * MIB - 1), 0);
    CHECK_EQ(plan.ramdisks[0].length, align4k(2 * GIB + 200 * MIB + 17));
    CHECK(plan.initrd + plan.initrd_len <= PLACE_INITRD_SOFT_LIMIT);
    // One that fills all but the kernel's memory to the page still fits, if only page-aligned and with the initrd
    // high.
    start_seal();
    add_cloud_kernel();
    add(PART_INITRD, 7 * MIB);
    add(PART_RAMDISK, 3 * GIB - 16 * MIB - CLOUD_INIT - 0x22000);
    CHECK_EQ(plan_for(usable, 3, firmware, 1), 0);
    CHECK(plan.initrd < 16 * MIB);
    start_seal();
    add_cloud_kernel();
    add(PART_INITRD, 9 * MIB);
    add(PART_RAMDISK, 3 * GIB - 16 * MIB - CLOUD_INIT - 0x22000);
    CHECK_EQ(plan_for(usable, 3, firmware, 1), ERR_BOOT_NO_ROOM);
    CHECK(shortfall.total_needed > shortfall.total_available);
}

TEST(relocates_when_taken)
{
    // Something holds 20..24 MiB: a relocatable kernel goes above it, to its alignment.
    struct mem_region usable[] = { { 8 * MIB, 12 * MIB }, { 24 * MIB + 4096, 200 * MIB } };
    start_seal();
    add_cloud_kernel();
    CHECK_EQ(plan_for(usable, 2, NULL, 0), 0);
    CHECK_EQ(plan.kernel_run, 26 * MIB);
    CHECK_EQ(plan.kernel, 26 * MIB);
    // A fixed one cannot.
    start_seal();
    add_kernel(4 * MIB, 16 * MIB, 20 * MIB, 0, 1024);
    CHECK_EQ(plan_for(usable, 2, NULL, 0), ERR_BOOT_NO_ROOM);
    CHECK_EQ(shortfall.what, PLACE_KERNEL);
    CHECK_EQ(shortfall.available, 4 * MIB);
    // Not even when it could be loaded below its address.
    struct mem_region low[] = { { MIB, 14 * MIB } };
    start_seal();
    add_kernel(MIB, 16 * MIB, 8 * MIB, 2 * MIB, 1024);
    CHECK_EQ(plan_for(low, 1, NULL, 0), ERR_BOOT_NO_ROOM);
}

TEST(moves_over_the_firmware)
{
    // A kernel fixed at 1 MiB, where Signet sits.
    struct mem_region firmware[] = { { MIB, 7 * MIB } };
    struct mem_region usable[] = { { 8 * MIB, 24 * MIB } };
    start_seal();
    add_kernel(3 * MIB + 7, MIB, 14 * MIB, 0, 2048);
    add(PART_INITRD, 8 * MIB);
    CHECK_EQ(plan_for(usable, 1, firmware, 1), 0);
    CHECK_EQ(plan.kernel_run, MIB);
    CHECK(plan.kernel != MIB);
    CHECK(plan.kernel >= 8 * MIB, plan.kernel < 15 * MIB); // staged in its own bss
    // A hole between firmware and free memory makes it impossible.
    struct mem_region holed[] = { { 9 * MIB, 24 * MIB } };
    CHECK_EQ(plan_for(holed, 1, firmware, 1), ERR_BOOT_NO_ROOM);
}

TEST(initrd_above_2_gib_only_when_it_must)
{
    struct mem_region usable[] = { { 8 * MIB, 3 * GIB } };
    start_seal();
    add_cloud_kernel();
    add(PART_INITRD, 100 * MIB);
    CHECK_EQ(plan_for(usable, 1, NULL, 0), 0);
    CHECK_EQ(plan.initrd, 2 * GIB - 100 * MIB);
    start_seal();
    add_cloud_kernel();
    add(PART_INITRD, 2 * GIB + 100 * MIB);
    CHECK_EQ(plan_for(usable, 1, NULL, 0), 0);
    CHECK_EQ(plan.initrd_len, 2 * GIB + 100 * MIB);
}

// For UEFI the file stays in one piece, and what LoadImage will allocate must still be free.
static const char *check_whole(const struct place_input *in)
{
    const struct seal_part *p = &in->seal->parts[plan.kernel_part];
    if (home(p->offset) != plan.setup || plan.setup + plan.setup_len != plan.kernel || plan.setup_len != p->split)
        return "the file is not in one piece";
    if (home(p->offset + p->size - 1) != plan.kernel + plan.kernel_len - 1 || plan.kernel_run != plan.kernel)
        return "the kernel does not lie where the plan says";
    static struct place_room left;
    place_room_fill(&left, in->usable, in->usable_count, PLACE_LOW_LIMIT, in->limit);
    for (unsigned i = 0; i < plan.piece_count; i++)
        place_room_take(&left, plan.pieces[i].address, plan.pieces[i].length);
    place_room_take(&left, plan.list.base, plan.list.length);
    place_room_take(&left, plan.work.base, plan.work.length);
    return place_room_largest(&left, UINT64_MAX) >= p->memory ? NULL : "no room is left for the kernel's own memory";
}

TEST(whole_kernels)
{
    unsigned fits = 0;
    random_state = 11;
    for (unsigned round = 0; round < 3000; round++) {
        struct mem_region usable[] = { { MIB + (uint64_t)rnd(40) * MIB, (uint64_t)(1 + rnd(200)) * MIB },
                                       { 300 * MIB, (uint64_t)(1 + rnd(300)) * MIB } };
        start_seal();
        add_kernel(8192 + rnd(20 << 20), 16 * MIB, rnd(90 << 20), 2 * MIB, 512 * (1 + rnd(15)));
        if (rnd(2))
            add(PART_INITRD, 1 + rnd(60 << 20));
        if (rnd(3) == 0)
            add(PART_RAMDISK, 1 + rnd(200 << 20));
        struct place_input in = { &seal, usable, 2, NULL, 0, NULL, 0, 4 * GIB, 100, true };
        if (place_plan(&in, &plan, &shortfall) != 0)
            continue;
        fits++;
        const char *why = check_pieces(&in);
        why = why ? why : check_initrd(&in);
        why = why ? why : check_whole(&in);
        if (why)
            printf("  round %u: %s\n", round, why);
        CHECK(!why);
    }
    CHECK(fits > 500, fits < 2900);
}

// An EFI application is a kernel's file that nothing is split off, and nothing else is in its image.
TEST(applications)
{
    struct mem_region usable[] = { { MIB, 100 * MIB } };
    struct place_input in = { &seal, usable, 1, NULL, 0, NULL, 0, UINT64_MAX, 100, true };
    start_seal();
    seal.target = TARGET_EFI_X64;
    add(PART_APPLICATION, 30 * MIB)->memory = 32 * MIB;
    CHECK_EQ(place_plan(&in, &plan, &shortfall), 0);
    CHECK(!check_pieces(&in));
    CHECK(!check_whole(&in));
    CHECK_EQ(plan.setup, plan.kernel);
    CHECK_EQ(plan.kernel_len, 30 * MIB);
    usable[0].length = 60 * MIB;
    CHECK_EQ(place_plan(&in, &plan, &shortfall), ERR_BOOT_NO_ROOM);
}

// A network bootstrap program waits anywhere that a 32-bit loader reaches, and nothing moves at its start.
TEST(bootstrap_programs)
{
    start_seal();
    seal.target = TARGET_NBP;
    add(PART_APPLICATION, NBP_SIZE_MAX);
    CHECK_EQ(plan_pc(512), 0);
    CHECK(plan.kernel != 0, plan.kernel_run == plan.kernel);
    CHECK_EQ(plan.setup, plan.kernel);
    CHECK_EQ(plan.kernel_len, NBP_SIZE_MAX);
    CHECK_EQ(plan.piece_count, 1);
}

// --- beside images that are in memory already ---

TEST(a_second_image_leaves_the_first_alone)
{
    static struct place_plan first;
    start_seal();
    add_cloud_kernel();
    add(PART_INITRD, 2 * MIB);
    CHECK_EQ(plan_pc(512), 0);
    first = plan;
    CHECK_EQ(place_held(&first), CLOUD_INIT + 2 * MIB);
    others[0] = &first;
    other_count = 1;
    CHECK_EQ(plan_pc(512), 0); // plan_for holds it against the first
    CHECK_EQ(plan.kernel_run, 16 * MIB + CLOUD_INIT);
    CHECK_EQ(plan.initrd + 2 * MIB, first.initrd);
    // Where there is no room behind it, the second kernel waits as a file, and moves to where the first one was.
    CHECK_EQ(plan_pc(92), 0);
    CHECK_EQ(plan.kernel_run, 16 * MIB);
    CHECK(plan.kernel >= 16 * MIB + CLOUD_INIT, plan.setup >= 16 * MIB + CLOUD_INIT || plan.setup < 16 * MIB);
    CHECK_EQ(plan_pc(89), ERR_BOOT_NO_ROOM); // 14 MiB it has, less the setup sectors
    CHECK_EQ(shortfall.total_available, 8 * MIB + 13 * MIB);
    other_count = 0;
    CHECK_EQ(plan_pc(89), 0);
}

// What another image holds is free once the kernel starts, so a kernel with one address alone waits for it.
TEST(a_kernel_moves_over_another_image)
{
    static struct place_plan first;
    start_seal();
    add_kernel(9 * MIB, 16 * MIB, 30 * MIB, 0, CLOUD_SPLIT);
    CHECK_EQ(plan_pc(128), 0);
    first = plan;
    others[0] = &first;
    other_count = 1;
    CHECK_EQ(plan_pc(128), 0);
    CHECK_EQ(plan.kernel_run, 16 * MIB);
    CHECK(plan.kernel != 16 * MIB, plan.kernel >= 46 * MIB);
    CHECK_EQ(plan_pc(54), ERR_BOOT_NO_ROOM); // no room to wait in
    other_count = 0;
}

// The memory that a loader will need is held, too: what is fetched later does not take it.
TEST(whole_kernels_beside_each_other)
{
    static struct place_plan first;
    struct mem_region usable[] = { { MIB, 100 * MIB } };
    const struct place_plan *list[] = { &first };
    struct place_input in = { &seal, usable, 1, NULL, 0, list, 0, UINT64_MAX, 100, true };
    start_seal();
    add(PART_APPLICATION, 10 * MIB)->memory = 20 * MIB;
    CHECK_EQ(place_plan(&in, &plan, &shortfall), 0);
    first = plan;
    CHECK(place_held(&first) >= 30 * MIB);
    in.other_count = 1;
    CHECK_EQ(place_plan(&in, &plan, &shortfall), 0);
    CHECK(!check_pieces(&in));
    for (unsigned i = 0; i < first.held_count; i++)
        for (unsigned k = 0; k < plan.held_count; k++)
            CHECK(!range_overlaps(first.held[i].base, first.held[i].length, plan.held[k].base, plan.held[k].length));
    usable[0] = (struct mem_region){ 45 * MIB, 56 * MIB }; // of which the first one has the upper 30
    CHECK_EQ(place_plan(&in, &plan, &shortfall), ERR_BOOT_NO_ROOM);
    in.other_count = 0;
    CHECK_EQ(place_plan(&in, &plan, &shortfall), 0);
}

TEST(data_without_a_kernel)
{
    start_seal();
    add(PART_RAMDISK, 10 * MIB);
    CHECK_EQ(plan_pc(64), 0);
    CHECK_EQ(plan.kernel_part, -1);
    CHECK_EQ(plan.kernel_memory, 0);
    CHECK_EQ(plan.initrd_len, 0);
}

TEST(parts_that_contradict)
{
    start_seal();
    add_cloud_kernel();
    add_cloud_kernel();
    CHECK_EQ(plan_pc(512), ERR_BOOT_FORMAT);
    start_seal();
    for (int i = 0; i <= PLACE_RAMDISKS_MAX; i++)
        add(PART_RAMDISK, 4096);
    CHECK_EQ(plan_pc(512), ERR_BOOT_FORMAT);
    start_seal();
    add_kernel(4096, 16 * MIB, MIB, 0, 4096); // all of it setup
    CHECK_EQ(plan_pc(512), ERR_BOOT_FORMAT);
    start_seal();
    add_kernel(8192, 16 * MIB, MIB, 3, 512); // no power of two
    CHECK_EQ(plan_pc(512), ERR_BOOT_FORMAT);
    start_seal();
    add(PART_INITRD, 4096)->split = 512;
    CHECK_EQ(plan_pc(512), ERR_BOOT_FORMAT);
    start_seal();
    add(9, 4096);
    CHECK_EQ(plan_pc(512), ERR_BOOT_FORMAT);
    start_seal();
    CHECK_EQ(plan_pc(512), ERR_SEAL_BODY);
    start_seal();
    add(PART_INITRD, 5000)->size = 9000; // leaves the payload
    CHECK_EQ(plan_pc(512), ERR_SEAL_BODY);
    start_seal();
    add(PART_INITRD, 4096);
    add(PART_INITRD, 4096)->offset = 8192;
    CHECK_EQ(plan_pc(512), ERR_SEAL_BODY);
    start_seal();
    add(PART_INITRD, 4096)->offset = 4096;
    CHECK_EQ(plan_pc(512), ERR_SEAL_BODY);
    start_seal();
    add(PART_INITRD, 16384)->size = 4096; // padding longer than a page
    CHECK_EQ(plan_pc(512), ERR_SEAL_BODY);
}

TEST(a_ramdisk_gets_the_memory_it_asks_for)
{
    start_seal();
    add_cloud_kernel();
    add(PART_INITRD, MIB);
    add(PART_RAMDISK, 5 * MIB)->memory = 200 * MIB;
    CHECK_EQ(plan_pc(512), 0);
    CHECK_EQ(plan.ramdisks[0].length, 200 * MIB);
    CHECK_EQ(plan_pc(256), ERR_BOOT_NO_ROOM);
    CHECK_EQ(shortfall.what, PLACE_RAMDISK);
    CHECK_EQ(shortfall.needed, 200 * MIB);
    CHECK_EQ(shortfall.total_needed, CLOUD_INIT + MIB + 200 * MIB);
}

TEST(a_part_lies_at_its_only_address)
{
    for (unsigned kind = PART_INITRD; kind <= PART_RAMDISK; kind++) {
        start_seal();
        add_cloud_kernel();
        struct seal_part *p = add(kind, 5 * MIB);
        p->address = 100 * MIB;
        CHECK_EQ(plan_pc(512), 0);
        CHECK_EQ(plan.part_address[1], 100 * MIB);
        // The kernel gives way to what has no choice, where it may.
        p->address = 20 * MIB;
        CHECK_EQ(plan_pc(512), 0);
        CHECK_EQ(plan.part_address[1], 20 * MIB);
        CHECK(plan.kernel_run >= 25 * MIB);
        p->address = 600 * MIB;
        CHECK_EQ(plan_pc(512), ERR_BOOT_NO_ROOM);
        CHECK_EQ(shortfall.address, 600 * MIB);
        CHECK_EQ(shortfall.part, 1);
        // With an alignment it is the first choice only.
        p->align = 64 * MIB;
        CHECK_EQ(plan_pc(512), 0);
        CHECK_EQ(plan.part_address[1], 448 * MIB);
        p->address = 100 * MIB;
        CHECK_EQ(plan_pc(512), 0);
        CHECK_EQ(plan.part_address[1], 100 * MIB);
    }
}

TEST(modules_and_initrds_get_what_they_ask_for)
{
    start_seal();
    seal.target = TARGET_DATA;
    struct seal_part *p = add(PART_MODULE, 5000);
    p->align = 32 * MIB;
    p->memory = 3 * MIB;
    CHECK_EQ(plan_pc(64), 0);
    CHECK_EQ(plan.part_address[0], 32 * MIB);
    start_seal();
    add_cloud_kernel();
    add(PART_INITRD, 5000)->align = MIB;
    add(PART_INITRD, 5000)->memory = 100 * MIB;
    CHECK_EQ(plan_pc(512), 0);
    CHECK_EQ(plan.initrd, 411 * MIB);
    CHECK_EQ(plan.initrd_len, 8192 + 5000);
    CHECK_EQ(plan_pc(160), ERR_BOOT_NO_ROOM);
}

TEST(strange_memory_maps)
{
    start_seal();
    add_cloud_kernel();
    add(PART_INITRD, MIB);
    CHECK_EQ(plan_for(NULL, 0, NULL, 0), ERR_BOOT_NO_ROOM);
    CHECK_EQ(shortfall.total_available, 0);
    // Touching regions are one; odd bounds are cut to pages; what wraps or lies beyond the limit does no harm.
    struct mem_region touching[] = { { 8 * MIB + 1, 12 * MIB - 1 }, { 20 * MIB, 30 * MIB }, { 50 * MIB, 50 * MIB + 77 },
                                     { 5 * GIB, GIB }, { UINT64_MAX - 4095, 4096 } };
    CHECK_EQ(plan_for(touching, 5, NULL, 0), 0);
    CHECK_EQ(plan.kernel_run, 16 * MIB);
    struct mem_region wraps[] = { { 8 * MIB, UINT64_MAX } };
    CHECK_EQ(plan_for(wraps, 1, NULL, 0), 0);
    // A kernel with no wishes goes to the lowest place.
    start_seal();
    add_kernel(MIB, 0, 0, 0, 512);
    CHECK_EQ(plan_pc(64), 0);
    CHECK_EQ(plan.kernel_run, 8 * MIB);
}

TEST(names)
{
    CHECK_STR(place_what_name(PLACE_KERNEL), "kernel");
    CHECK_STR(place_what_name(PLACE_WORK), "work memory");
    CHECK_STR(place_what_name((enum place_what)99), "?");
}
TEST_MAIN(T(kernel_and_initrd), T(the_smallest_machine_that_runs_the_kernel), T(sixty_four_mib),
          T(large_ramdisk_in_4_gib), T(relocates_when_taken), T(moves_over_the_firmware),
          T(initrd_above_2_gib_only_when_it_must), T(whole_kernels), T(applications), T(bootstrap_programs),
          T(a_second_image_leaves_the_first_alone), T(a_kernel_moves_over_another_image), T(whole_kernels_beside_each_other),
          T(data_without_a_kernel), T(parts_that_contradict),
          T(a_ramdisk_gets_the_memory_it_asks_for), T(a_part_lies_at_its_only_address), T(modules_and_initrds_get_what_they_ask_for),
          T(strange_memory_maps), T(names))
