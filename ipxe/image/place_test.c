// SPDX-License-Identifier: MPL-2.0
// The memory plan: real machines and images by hand, then many random ones against the properties that every plan
// must have, and small ones against an exhaustive search.
#include "base/range.h"
#include "base/test.h"
#include "image/place.h"

#define CLOUD_SPLIT 0x4200u
#define CLOUD_FILE (14 * MIB + 0x123)
#define CLOUD_INIT (60 * MIB)

static struct seal seal;
static struct place_plan plan;
static struct place_shortfall shortfall;

static uint64_t align4k(uint64_t v)
{
    return (v + 4095) & ~(uint64_t)4095;
}

static void start_seal(void)
{
    memset(&seal, 0, sizeof seal);
    seal.chunk_size = CHUNK_SIZE_DEFAULT;
    seal.target = TARGET_LINUX_X86;
}

static struct seal_part *add(uint32_t kind, uint64_t size)
{
    struct seal_part *p = &seal.parts[seal.part_count++];
    p->kind = kind;
    p->size = size;
    p->offset = seal.payload_size;
    seal.payload_size = align4k(p->offset + size);
    seal.chunk_count = (uint32_t)((seal.payload_size + seal.chunk_size - 1) / seal.chunk_size);
    return p;
}

static struct seal_part *add_kernel(uint64_t size, uint64_t address, uint64_t memory, uint32_t align, uint32_t split)
{
    struct seal_part *p = add(PART_KERNEL, size);
    p->address = address;
    p->memory = memory;
    p->align = align;
    p->split = split;
    return p;
}

static void add_cloud_kernel(void)
{
    add_kernel(CLOUD_FILE, 16 * MIB, CLOUD_INIT, 2 * MIB, CLOUD_SPLIT);
}

// --- the properties ---

struct used {
    uint64_t base, length;
    const char *what;
};

static bool inside(const struct mem_region *regions, unsigned count, uint64_t base, uint64_t length)
{
    // The regions may touch: walk.
    uint64_t at = base, end = base + length;
    bool moved = true;
    while (at < end && moved) {
        moved = false;
        for (unsigned i = 0; i < count; i++) {
            if (at >= regions[i].base && at - regions[i].base < regions[i].length) {
                at += MIN(end - at, regions[i].length - (at - regions[i].base));
                moved = true;
            }
        }
    }
    return at >= end;
}

static const char *check_pieces(const struct place_input *in)
{
    uint64_t at = 0;
    for (unsigned i = 0; i < plan.piece_count; i++) {
        const struct place_piece *p = &plan.pieces[i];
        if (p->offset != at || p->length == 0)
            return "pieces are not end to end";
        if (!inside(in->usable, in->usable_count, p->address, p->length))
            return "a piece lies outside of usable memory";
        if (p->address < PLACE_LOW_LIMIT || p->address + p->length > in->limit)
            return "a piece lies out of reach";
        at += p->length;
        for (unsigned k = 0; k < i; k++)
            if (range_overlaps(p->address, p->length, plan.pieces[k].address, plan.pieces[k].length))
                return "two pieces overlap";
    }
    return at == in->seal->payload_size ? NULL : "pieces do not cover the payload";
}

// Where byte `offset` of the payload lands.
static uint64_t home(uint64_t offset)
{
    for (unsigned i = 0; i < plan.piece_count; i++)
        if (offset >= plan.pieces[i].offset && offset - plan.pieces[i].offset < plan.pieces[i].length)
            return plan.pieces[i].address + (offset - plan.pieces[i].offset);
    return UINT64_MAX;
}

static const char *check_kernel(const struct place_input *in)
{
    if (plan.kernel_part < 0)
        return NULL;
    const struct seal_part *p = &in->seal->parts[plan.kernel_part];
    if (plan.setup_len != p->split || plan.kernel_len != p->size - p->split)
        return "the kernel's lengths are wrong";
    if (home(p->offset + p->split) != plan.kernel || (p->split && home(p->offset) != plan.setup))
        return "the kernel does not land where the plan says";
    if (home(p->offset + p->size - 1) != plan.kernel + plan.kernel_len - 1)
        return "the kernel is in pieces";
    if (plan.kernel_memory < p->memory)
        return "too little memory for the kernel";
    bool moved = plan.kernel != plan.kernel_run;
    if (plan.kernel_run != p->address && p->address && (!p->align || (plan.kernel_run & (p->align - 1))))
        return "the kernel runs where it cannot";
    if (plan.kernel_run < p->address)
        return "the kernel runs below its address";
    if (moved && range_overlaps(plan.kernel, plan.kernel_len, plan.kernel_run, plan.kernel_len))
        return "the kernel moves over itself";
    if (moved && range_overlaps(plan.setup, plan.setup_len, plan.kernel_run, plan.kernel_len))
        return "the move destroys the setup sectors";
    struct mem_region all[2 * PLACE_REGIONS_MAX];
    unsigned n = 0;
    for (unsigned i = 0; i < in->usable_count; i++)
        all[n++] = in->usable[i];
    for (unsigned i = 0; moved && i < in->firmware_count; i++)
        all[n++] = in->firmware[i];
    if (!inside(all, n, plan.kernel_run, plan.kernel_memory))
        return "the kernel's memory is not RAM";
    return NULL;
}

static const char *check_initrd(const struct place_input *in)
{
    uint64_t at = plan.initrd, end = 0;
    for (unsigned i = 0; i < in->seal->part_count; i++) {
        const struct seal_part *p = &in->seal->parts[i];
        if (p->kind != PART_INITRD)
            continue;
        if (home(p->offset) != at || plan.part_address[i] != at)
            return "initrds are not one range";
        end = at + p->size;
        at += align4k(p->size);
    }
    if (end != plan.initrd + plan.initrd_len)
        return "the initrd's length is wrong";
    return plan.initrd & 4095 ? "the initrd is not page aligned" : NULL;
}

// What must survive until the kernel has it, and what is needed during the download: none of it may overlap.
static const char *check_apart(const struct place_input *in)
{
    struct used late[32];
    unsigned n = 0;
    if (plan.kernel_part >= 0)
        late[n++] = (struct used){ plan.kernel_run, plan.kernel_memory, "kernel" };
    if (plan.initrd_len)
        late[n++] = (struct used){ plan.initrd, plan.initrd_len, "initrd" };
    for (unsigned i = 0; i < in->seal->part_count; i++) {
        const struct seal_part *p = &in->seal->parts[i];
        if (p->kind == PART_RAMDISK || p->kind == PART_MODULE)
            late[n++] = (struct used){ plan.part_address[i], align4k(MAX(p->size, p->memory)), "ramdisk" };
    }
    for (unsigned i = 0; i < n; i++)
        for (unsigned k = 0; k < i; k++)
            if (range_overlaps(late[i].base, late[i].length, late[k].base, late[k].length))
                return "two parts overlap in the running system";
    const struct mem_region *small[2] = { &plan.list, &plan.work };
    for (unsigned i = 0; i < 2; i++) {
        if (small[i]->length && !inside(in->usable, in->usable_count, small[i]->base, small[i]->length))
            return "bookkeeping lies outside of usable memory";
        if (small[i]->base & 15)
            return "bookkeeping is not aligned";
        for (unsigned k = 0; k < plan.piece_count; k++)
            if (range_overlaps(small[i]->base, small[i]->length, plan.pieces[k].address, plan.pieces[k].length))
                return "bookkeeping overlaps the payload";
    }
    if (range_overlaps(plan.list.base, plan.list.length, plan.work.base, plan.work.length))
        return "list and work memory overlap";
    if (plan.list.length != (uint64_t)in->seal->chunk_count * 32 || plan.work.length != in->work_size)
        return "bookkeeping has the wrong size";
    return NULL;
}

// Address, memory and align of everything but the kernel (doc/phase2-format.md, 4.1).
static const char *check_wishes(const struct place_input *in)
{
    bool initrds = false;
    unsigned ramdisk = 0;
    for (unsigned i = 0; i < in->seal->part_count; i++) {
        const struct seal_part *p = &in->seal->parts[i];
        uint64_t at = plan.part_address[i];
        bool first = p->kind != PART_INITRD || !initrds;
        initrds = initrds || p->kind == PART_INITRD;
        if (p->kind == PART_KERNEL || p->kind == PART_APPLICATION)
            continue;
        if (first && p->address && !p->align && at != p->address)
            return "a part is not at its only address";
        if (first && at != p->address && p->align && (at & (p->align - 1)))
            return "a part is not aligned";
        if (!inside(in->usable, in->usable_count, at, align4k(MAX(p->size, p->memory))))
            return "a part's memory is not there";
        if (p->kind == PART_RAMDISK && (plan.ramdisks[ramdisk].base != at || plan.ramdisks[ramdisk].length < p->memory))
            return "a ramdisk is smaller than it asks for";
        ramdisk += p->kind == PART_RAMDISK;
    }
    return NULL;
}

static const char *check_plan(const struct place_input *in)
{
    const char *why = check_pieces(in);
    why = why ? why : check_kernel(in);
    why = why ? why : check_initrd(in);
    why = why ? why : check_wishes(in);
    return why ? why : check_apart(in);
}

static int plan_for(const struct mem_region *usable, unsigned count, const struct mem_region *firmware, unsigned fw)
{
    struct place_input in = { &seal, usable, count, firmware, fw, 4 * GIB, 4096 + seal.chunk_count, false };
    memset(&shortfall, 0, sizeof shortfall);
    int rc = place_plan(&in, &plan, &shortfall);
    if (rc == 0) {
        const char *why = check_plan(&in);
        if (why) {
            printf("  plan broken: %s\n", why);
            return -1000;
        }
    }
    return rc;
}

// A PC of `mib` MiB whose firmware (Signet) sits from 1 to 8 MiB.
static int plan_pc(uint64_t mib)
{
    struct mem_region firmware[] = { { MIB, 7 * MIB } };
    struct mem_region usable[] = { { 8 * MIB, (mib - 8) * MIB } };
    return plan_for(usable, 1, firmware, 1);
}

static uint64_t random_state;
static uint32_t rnd(uint32_t below)
{
    random_state = random_state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)((random_state >> 33) % below);
}

// --- by hand ---

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
        struct place_input in = { &seal, usable, 2, NULL, 0, 4 * GIB, 100, true };
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
    struct place_input in = { &seal, usable, 1, NULL, 0, UINT64_MAX, 100, true };
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

// --- by chance ---

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
        struct place_input in = { &seal, usable, n, NULL, 0, 4 * GIB, 64, false };
        int rc = place_plan(&in, &plan, &shortfall);
        bool exists = arrangement_exists(usable, n, address, memory, a, b);
        CHECK_EQ(rc, exists ? 0 : ERR_BOOT_NO_ROOM);
        CHECK(rc != 0 || check_plan(&in) == NULL);
        yes += exists;
        no += !exists;
    }
    CHECK(yes > 300, no > 300);
}

TEST(names)
{
    CHECK_STR(place_what_name(PLACE_KERNEL), "kernel");
    CHECK_STR(place_what_name(PLACE_WORK), "work memory");
    CHECK_STR(place_what_name((enum place_what)99), "?");
}

TEST_MAIN(T(kernel_and_initrd), T(the_smallest_machine_that_runs_the_kernel), T(sixty_four_mib),
          T(large_ramdisk_in_4_gib), T(relocates_when_taken), T(moves_over_the_firmware),
          T(initrd_above_2_gib_only_when_it_must), T(whole_kernels), T(applications), T(data_without_a_kernel), T(parts_that_contradict),
          T(a_ramdisk_gets_the_memory_it_asks_for), T(a_part_lies_at_its_only_address), T(modules_and_initrds_get_what_they_ask_for),
          T(strange_memory_maps), T(random_images_in_random_machines), T(finds_a_plan_when_there_is_one), T(names))
