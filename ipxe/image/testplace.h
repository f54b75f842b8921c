// SPDX-License-Identifier: MPL-2.0
// Images and machines for tests of the memory plan, and the properties that every plan must have.
#pragma once
#include "base/range.h"
#include "base/test.h"
#include "image/place.h"

#define CLOUD_SPLIT 0x4200u
#define CLOUD_FILE (14 * MIB + 0x123)
#define CLOUD_INIT (60 * MIB)

static struct seal seal;
static struct place_plan plan;
static struct place_shortfall shortfall;
static const struct place_plan *others[2]; // images that are in memory already
static unsigned other_count;

UNUSED static uint64_t align4k(uint64_t v)
{
    return (v + 4095) & ~(uint64_t)4095;
}

UNUSED static void start_seal(void)
{
    memset(&seal, 0, sizeof seal);
    seal.chunk_size = CHUNK_SIZE_DEFAULT;
    seal.target = TARGET_LINUX_X86;
}

UNUSED static struct seal_part *add(uint32_t kind, uint64_t size)
{
    struct seal_part *p = &seal.parts[seal.part_count++];
    p->kind = kind;
    p->size = size;
    p->offset = seal.payload_size;
    seal.payload_size = align4k(p->offset + size);
    seal.chunk_count = (uint32_t)((seal.payload_size + seal.chunk_size - 1) / seal.chunk_size);
    return p;
}

UNUSED static struct seal_part *add_kernel(uint64_t size, uint64_t address, uint64_t memory, uint32_t align, uint32_t split)
{
    struct seal_part *p = add(PART_KERNEL, size);
    p->address = address;
    p->memory = memory;
    p->align = align;
    p->split = split;
    return p;
}

UNUSED static void add_cloud_kernel(void)
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
    struct mem_region all[2 * PLACE_REGIONS_MAX + ARRAY_SIZE(others) * PLACE_HELD_MAX];
    unsigned n = 0;
    for (unsigned i = 0; i < in->usable_count; i++)
        all[n++] = in->usable[i];
    for (unsigned i = 0; moved && i < in->firmware_count; i++)
        all[n++] = in->firmware[i];
    for (unsigned i = 0; moved && i < in->other_count; i++)
        for (unsigned k = 0; k < in->others[i]->held_count; k++)
            all[n++] = in->others[i]->held[k];
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

// What it uses it holds, and nothing of that is another's, but for memory that a kernel gets when it starts.
static const char *check_held(const struct place_input *in)
{
    if (plan.held_count > PLACE_HELD_MAX)
        return "too much is held";
    for (unsigned i = 0; i < plan.piece_count; i++)
        if (!inside(plan.held, plan.held_count, plan.pieces[i].address, plan.pieces[i].length))
            return "a piece is not held";
    if (!inside(plan.held, plan.held_count, plan.list.base, plan.list.length) ||
        !inside(plan.held, plan.held_count, plan.work.base, plan.work.length))
        return "bookkeeping is not held";
    if (plan.kernel_part >= 0 && !in->whole_kernel && !inside(plan.held, plan.held_count, plan.kernel_run, plan.kernel_memory))
        return "the kernel's memory is not held";
    for (unsigned i = 0; i < in->other_count; i++)
        for (unsigned k = 0; k < in->others[i]->held_count; k++) {
            const struct mem_region *held = &in->others[i]->held[k];
            for (unsigned n = 0; n < plan.piece_count; n++)
                if (range_overlaps(held->base, held->length, plan.pieces[n].address, plan.pieces[n].length))
                    return "a piece lies in another image";
            if (range_overlaps(held->base, held->length, plan.list.base, plan.list.length) ||
                range_overlaps(held->base, held->length, plan.work.base, plan.work.length))
                return "bookkeeping lies in another image";
        }
    return NULL;
}

UNUSED static const char *check_plan(const struct place_input *in)
{
    const char *why = check_pieces(in);
    why = why ? why : check_kernel(in);
    why = why ? why : check_initrd(in);
    why = why ? why : check_wishes(in);
    why = why ? why : check_held(in);
    return why ? why : check_apart(in);
}

UNUSED static int plan_for(const struct mem_region *usable, unsigned count, const struct mem_region *firmware, unsigned fw)
{
    struct place_input in = { &seal, usable, count, firmware, fw, others, other_count, 4 * GIB, 4096 + seal.chunk_count, false };
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
UNUSED static int plan_pc(uint64_t mib)
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
