// SPDX-License-Identifier: MPL-2.0
// A kernel's verified header against what its seal plans, and the memory that a ramdisk asks for, in the whole core.
#include "host/testworld.h"

#define RAMDISK_SIZE 5001
#define RAMDISK_MEMORY (300 * KIB)

static struct testpart wanted; // the kernel's part; data and size are filled in
static bool whole, bare;       // by a stub; without a ramdisk

static void look_at_ramdisk(struct host_machine *m, const struct platform_boot *boot)
{
    const struct mem_region *r = &boot->ramdisks[0];
    const uint8_t *bytes = r->length >= RAMDISK_MEMORY ? m->platform.map(m, r->base, RAMDISK_MEMORY) : NULL;
    char words[100];
    snprintf(words, sizeof words, " signet.ramdisk=0x%llx,0x%x", (unsigned long long)r->base, (unsigned)RAMDISK_MEMORY);
    w.out->memory_right = boot->ramdisk_count == 1 && bytes && strstr(boot->cmdline, words);
    for (size_t i = 0; i < RAMDISK_MEMORY && w.out->memory_right; i++)
        w.out->memory_right = bytes[i] == (i < RAMDISK_SIZE ? 0x5a : 0);
}

static void machine(void)
{
    static uint8_t kernel[KERNEL_SIZE], ramdisk[RAMDISK_SIZE];
    set_up("img", key_a);
    testimage_free(&w.image);
    make_kernel(kernel, KERNEL_SIZE);
    memset(ramdisk, 0x5a, sizeof ramdisk);
    struct seal fields = testimage_fields("img");
    struct testpart parts[] = { wanted, { .kind = PART_RAMDISK, .name = "disk", .data = ramdisk, .size = sizeof ramdisk, .memory = RAMDISK_MEMORY } };
    parts[0].data = kernel;
    parts[0].size = sizeof kernel;
    build_image(&fields, parts, bare ? 1 : 2, key_a);
    w.machine.on_boot = look_at_ramdisk;
    w.machine.platform.whole_kernel = whole;
    run(BOOT_V4, &key_a, 0);
}

static struct outcome *start(uint64_t address, uint64_t memory, uint32_t align)
{
    wanted = (struct testpart){ .kind = PART_KERNEL, .name = "vmlinuz", .address = address, .memory = memory, .align = align,
                                .split = SETUP_SIZE };
    return in_child(machine);
}

TEST(a_ramdisk_has_its_memory_and_zeros_in_it)
{
    for (int i = 0; i < 2; i++) {
        whole = i;
        struct outcome *out = start(0x1000000, 0x800000, 0x200000);
        CHECK(out->booted, out->memory_right);
    }
}

// The header of make_kernel asks for 8 MiB at 16 MiB or above, on a multiple of 2 MiB.
TEST(a_kernel_that_asks_for_more_than_its_part_plans)
{
    for (int i = 0; i < 2; i++) {
        whole = i;
        bare = true;
        struct outcome *out = start(0x1000000, 0x7ff000, 0x200000);
        CHECK(!out->booted, said(out, "[B10]"));
        out = start(0x1000000, 0, 0x200000); // as much as is loaded
        CHECK(!out->booted, said(out, "[B10]"));
        out = start(0x1000000, 0x900000, 0x200000); // more does no harm
        CHECK(out->booted);
    }
}

TEST(a_kernel_that_would_move_out_of_its_memory)
{
    whole = false;
    bare = true;
    struct outcome *out = start(0x1001000, 0x800000, 0x1000);
    CHECK(!out->booted, said(out, "[B10]"));
    out = start(0x1200000, 0x800000, 0);
    CHECK(out->booted);
    // A stub finds its own place.
    whole = true;
    out = start(0x1001000, 0x800000, 0x1000);
    CHECK(out->booted);
}

TEST_MAIN(T(a_ramdisk_has_its_memory_and_zeros_in_it), T(a_kernel_that_asks_for_more_than_its_part_plans),
          T(a_kernel_that_would_move_out_of_its_memory))
