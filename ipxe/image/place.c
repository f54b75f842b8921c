// SPDX-License-Identifier: MPL-2.0
// The memory plan (place.h): a few dozen attempts, each a pass over what must be placed, and the first that places
// everything wins. The order of attempts is the order of preference.
#include "image/place.h"

#include "base/range.h"
#include "image/place_demand.h"

#define HUGE_PAGE (2 * MIB)
#define SMALL_ALIGN ((uint64_t)64)

enum kernel_choice { KERNEL_PREFERRED, KERNEL_LOW, KERNEL_HIGH, KERNEL_MOVED, KERNEL_CHOICES };
enum order { INITRD_FIRST, RAMDISKS_FIRST, RAMDISKS_BEST_FIT, ORDERS };

struct attempt {
    enum kernel_choice kernel;
    uint64_t initrd_below, ramdisk_align;
    enum order order;
};

struct planner {
    const struct place_input *in;
    struct place_demand demand;
    struct place_plan *plan;
    unsigned placed; // things placed in this attempt
    struct place_shortfall failure;
};

// --- one attempt ---

static bool fail(struct planner *p, enum place_what what, int part, uint64_t address, uint64_t needed, uint64_t below)
{
    const struct place_plan *plan = p->plan;
    p->failure = (struct place_shortfall){ .what = what, .part = part, .address = address, .needed = needed };
    p->failure.available = address ? place_room_at(&plan->room, address) : place_room_largest(&plan->room, below);
    return false;
}

// Takes [base, base+length) for good.
static void hold(struct planner *p, uint64_t base, uint64_t length)
{
    struct place_plan *plan = p->plan;
    place_room_take(&plan->room, base, length);
    plan->held[plan->held_count++] = (struct mem_region){ base, length };
}

// Bytes from `at` on in a region of the list.
static uint64_t listed_at(const struct mem_region *list, unsigned count, uint64_t at)
{
    for (unsigned i = 0; i < count; i++)
        if (at >= list[i].base && at - list[i].base < list[i].length)
            return list[i].length - (at - list[i].base);
    return 0;
}

// Bytes from `at` on that are free when the kernel starts.
static uint64_t free_at_start(const struct planner *p, uint64_t at)
{
    const struct place_input *in = p->in;
    uint64_t step = place_room_at(&p->plan->room, at);
    if (step == 0)
        step = listed_at(in->firmware, in->firmware_count, at);
    for (unsigned i = 0; i < in->other_count && step == 0; i++)
        step = listed_at(in->others[i]->held, in->others[i]->held_count, at);
    return step;
}

// Is all of [base, base+length) RAM that is ours when the kernel starts?
static bool covered(const struct planner *p, uint64_t base, uint64_t length)
{
    if (length > p->in->limit || base > p->in->limit - length)
        return false;
    uint64_t at = base, end = base + length;
    while (at < end) {
        uint64_t step = free_at_start(p, at);
        if (step == 0)
            return false;
        at = step < end - at ? at + step : end;
    }
    return true;
}

// The kernel waits in a staging place and moves to its address at the start. What its memory has free beside
// the code can be used until then.
static bool place_moved_kernel(struct planner *p, uint64_t address)
{
    struct place_plan *plan = p->plan;
    const struct place_demand *d = &p->demand;
    if (address < PLACE_LOW_LIMIT || !covered(p, address, d->memory))
        return fail(p, PLACE_KERNEL, d->kernel_part, address, d->memory, 0);
    for (unsigned i = 0; i < plan->room.count; i++) {
        const struct mem_region *r = &plan->room.pieces[i];
        place_room_add(&plan->hollow, MAX(r->base, address + d->kernel_len), MIN(r->base + r->length, address + d->memory));
    }
    hold(p, address, d->memory);
    uint64_t at;
    if (place_room_low(&plan->hollow, d->kernel_file, PAGE, 0, &at))
        place_room_take(&plan->hollow, at, d->kernel_file);
    else if (place_room_high(&plan->room, d->kernel_file, PAGE, p->in->limit, &at))
        hold(p, at, d->kernel_file);
    else
        return fail(p, PLACE_KERNEL, d->kernel_part, 0, d->kernel_file, p->in->limit);
    plan->kernel = at;
    plan->kernel_run = address;
    return true;
}

// The kernel's memory is kept free for the loader, and the file lies elsewhere.
static bool place_whole_kernel(struct planner *p)
{
    struct place_plan *plan = p->plan;
    const struct place_demand *d = &p->demand;
    uint64_t at;
    if (!place_room_high(&plan->room, d->memory, PAGE, p->in->limit, &at))
        return fail(p, PLACE_KERNEL, d->kernel_part, 0, d->memory, p->in->limit);
    hold(p, at, d->memory);
    if (!place_room_high(&plan->room, d->kernel_file, PAGE, p->in->limit, &plan->kernel))
        return fail(p, PLACE_KERNEL, d->kernel_part, 0, d->kernel_file, p->in->limit);
    hold(p, plan->kernel, d->kernel_file);
    if (d->initrd_span && !place_room_high(&plan->room, d->initrd_span, PAGE, p->in->limit, &at))
        return fail(p, PLACE_INITRD, -1, 0, d->initrd_span, p->in->limit);
    if (d->initrd_span)
        hold(p, at, d->initrd_span);
    plan->kernel_run = plan->kernel;
    return true;
}

static bool place_kernel(struct planner *p, enum kernel_choice choice)
{
    if (p->in->whole_kernel)
        return place_whole_kernel(p);
    struct place_plan *plan = p->plan;
    const struct place_demand *d = &p->demand;
    const struct seal_part *part = &p->in->seal->parts[d->kernel_part];
    uint64_t align = part->align ? part->align : PAGE, at = part->address;
    bool anywhere = part->align != 0 || part->address == 0, found = false;
    // A relocatable kernel that finds itself below its preferred address moves up to it: stay above.
    uint64_t least = MAX(part->address, (uint64_t)PLACE_LOW_LIMIT);
    switch (choice) {
    case KERNEL_PREFERRED: found = at != 0 && place_room_at(&plan->room, at) >= d->memory; break;
    case KERNEL_LOW:
        found = anywhere && place_room_low(&plan->room, d->memory, align, least, &at);
        break;
    case KERNEL_HIGH:
        found = anywhere && place_room_high(&plan->room, d->memory, align, p->in->limit, &at) && at >= least;
        break;
    default: return place_moved_kernel(p, part->address);
    }
    if (!found)
        return fail(p, PLACE_KERNEL, d->kernel_part, part->address, d->memory, p->in->limit);
    hold(p, at, d->memory);
    place_room_add(&plan->hollow, at + d->kernel_file, at + d->memory);
    plan->kernel = plan->kernel_run = at;
    return true;
}

// Something that is needed until the start only: in the kernel's own memory, or else wherever there is room.
static bool place_small(struct planner *p, enum place_what what, uint64_t size, uint64_t *ret)
{
    struct place_plan *plan = p->plan;
    *ret = 0;
    if (size == 0)
        return true;
    if (place_room_low(&plan->hollow, size, SMALL_ALIGN, 0, ret))
        place_room_take(&plan->hollow, *ret, size);
    else if (place_room_high(&plan->room, size, SMALL_ALIGN, p->in->limit, ret))
        hold(p, *ret, size);
    else
        return fail(p, what, -1, 0, size, p->in->limit);
    p->placed++;
    return true;
}

// At the address that the part asks for, and if it may be elsewhere, and that is taken, where there is room.
static bool place_part(struct planner *p, unsigned i, uint64_t size, uint64_t align, uint64_t below, bool best_fit)
{
    static const enum place_what whats[] = { [PART_INITRD] = PLACE_INITRD, [PART_RAMDISK] = PLACE_RAMDISK, [PART_MODULE] = PLACE_MODULE };
    struct place_room *room = &p->plan->room;
    const struct seal_part *part = &p->in->seal->parts[i];
    uint64_t at = part->address, least = MAX(align, (uint64_t)part->align);
    if (at == 0 || place_room_at(room, at) < size) {
        if (place_is_fixed(part))
            return fail(p, whats[part->kind], (int)i, at, size, 0);
        if (!(best_fit ? place_room_best(room, size, least, &at) : place_room_high(room, size, least, below, &at)))
            return fail(p, whats[part->kind], (int)i, 0, size, below);
    }
    hold(p, at, size);
    p->plan->part_address[i] = at;
    p->placed++;
    return true;
}

// What has no choice comes before everything that has one.
static bool place_fixed(struct planner *p)
{
    const struct seal *seal = p->in->seal;
    for (unsigned i = 0; i < seal->part_count; i++) {
        const struct seal_part *part = &seal->parts[i];
        uint64_t size = part->kind == PART_INITRD ? p->demand.initrd_room : place_room_of(seal, i);
        if (place_is_fixed(part) && !place_part(p, i, size, PAGE, p->in->limit, false))
            return false;
    }
    return true;
}

static bool place_initrds(struct planner *p, uint64_t below)
{
    struct place_plan *plan = p->plan;
    const struct seal *seal = p->in->seal;
    uint64_t at = 0;
    for (unsigned i = 0; i < seal->part_count; i++) {
        if (seal->parts[i].kind != PART_INITRD)
            continue;
        if (at == 0) {
            if (!place_is_fixed(&seal->parts[i]) && !place_part(p, i, p->demand.initrd_room, PAGE, below, false))
                return false;
            plan->initrd = at = plan->part_address[i];
            plan->initrd_len = p->demand.initrd_len;
        }
        plan->part_address[i] = at;
        at += place_padded(seal, i);
    }
    return true;
}

static bool place_others(struct planner *p, uint64_t align, bool best_fit)
{
    struct place_plan *plan = p->plan;
    const struct seal *seal = p->in->seal;
    plan->ramdisk_count = 0;
    for (unsigned i = 0; i < seal->part_count; i++) {
        const struct seal_part *part = &seal->parts[i];
        bool ramdisk = part->kind == PART_RAMDISK;
        if (!ramdisk && part->kind != PART_MODULE)
            continue;
        uint64_t size = place_room_of(seal, i);
        if (!place_is_fixed(part) && !place_part(p, i, size, ramdisk ? align : PAGE, p->in->limit, best_fit))
            return false;
        if (ramdisk)
            plan->ramdisks[plan->ramdisk_count++] = (struct mem_region){ plan->part_address[i], size };
    }
    return true;
}

static void set_room(struct planner *p)
{
    const struct place_input *in = p->in;
    unsigned count = MIN(in->usable_count, (unsigned)PLACE_REGIONS_MAX);
    place_room_fill(&p->plan->room, in->usable, count, PLACE_LOW_LIMIT, in->limit);
    for (unsigned i = 0; i < in->other_count; i++)
        for (unsigned k = 0; k < in->others[i]->held_count; k++)
            place_room_take(&p->plan->room, in->others[i]->held[k].base, in->others[i]->held[k].length);
    p->plan->hollow.count = 0;
    p->plan->held_count = 0;
}

static bool try_attempt(struct planner *p, const struct attempt *a)
{
    struct place_plan *plan = p->plan;
    const struct place_demand *d = &p->demand;
    set_room(p);
    p->placed = 0;
    if (!place_fixed(p))
        return false;
    if (d->kernel_part >= 0) {
        if (!place_kernel(p, a->kernel))
            return false;
        p->placed++;
    }
    bool first = a->order == INITRD_FIRST, best = a->order == RAMDISKS_BEST_FIT;
    if (!place_small(p, PLACE_SETUP, d->split, &plan->setup))
        return false;
    if (first && !place_initrds(p, a->initrd_below))
        return false;
    if (!place_others(p, a->ramdisk_align, best))
        return false;
    if (!first && !place_initrds(p, a->initrd_below))
        return false;
    plan->list.length = d->list_size;
    plan->work.length = p->in->work_size;
    return place_small(p, PLACE_LIST, d->list_size, &plan->list.base) &&
           place_small(p, PLACE_WORK, p->in->work_size, &plan->work.base);
}

// --- before and after ---

// Adds a piece, or makes the last one longer when it goes on in memory, too.
static void add_piece(struct place_plan *plan, uint64_t offset, uint64_t length, uint64_t address)
{
    struct place_piece *last = plan->piece_count ? &plan->pieces[plan->piece_count - 1] : NULL;
    if (last && last->address + last->length == address)
        last->length += length;
    else
        plan->pieces[plan->piece_count++] = (struct place_piece){ offset, length, address };
}
_Static_assert(SEAL_PARTS_MAX + 1 <= PLACE_PIECES_MAX, "each part is one piece, the kernel two");

static void finish(struct planner *p)
{
    struct place_plan *plan = p->plan;
    const struct seal *seal = p->in->seal;
    const struct place_demand *d = &p->demand;
    plan->kernel_part = d->kernel_part;
    plan->piece_count = 0;
    for (unsigned i = 0; i < seal->part_count; i++) {
        uint64_t offset = seal->parts[i].offset;
        if ((int)i == d->kernel_part) {
            plan->setup_len = d->split;
            plan->kernel_len = d->kernel_len;
            plan->kernel_memory = d->memory;
            if (d->split)
                add_piece(plan, offset, d->split, plan->setup);
            else
                plan->setup = plan->kernel;
            add_piece(plan, offset + d->split, d->kernel_file, plan->kernel);
            if (p->in->whole_kernel) {
                plan->setup = plan->kernel;
                plan->setup_len = seal->parts[i].split;
                plan->kernel += plan->setup_len;
                plan->kernel_run = plan->kernel;
                plan->kernel_len -= plan->setup_len;
            }
            plan->part_address[i] = plan->kernel;
        } else {
            add_piece(plan, offset, place_padded(seal, i), plan->part_address[i]);
        }
    }
}

static void add_totals(struct planner *p, struct place_shortfall *ret)
{
    const struct place_demand *d = &p->demand;
    const struct seal *seal = p->in->seal;
    uint64_t small = d->split + d->list_size + p->in->work_size, inside = d->memory - d->kernel_file;
    if (p->in->whole_kernel)
        ret->total_needed = d->memory + d->kernel_file + d->initrd_span + small;
    else
        ret->total_needed = d->memory + (small > inside ? small - inside : 0);
    for (unsigned i = 0; i < seal->part_count; i++)
        if ((int)i != d->kernel_part)
            ret->total_needed += place_room_of(seal, i);
    set_room(p);
    ret->total_available = place_room_total(&p->plan->room);
}

int place_plan(const struct place_input *input, struct place_plan *ret, struct place_shortfall *shortfall)
{
    memset(ret, 0, sizeof *ret);
    struct planner p = { .in = input, .plan = ret };
    int rc = place_demand(input, &p.demand);
    if (rc < 0)
        return rc;
    const uint64_t below[2] = { MIN((uint64_t)PLACE_INITRD_SOFT_LIMIT, input->limit), input->limit };
    const uint64_t aligns[2] = { HUGE_PAGE, PAGE };
    // One index counts through all combinations; the kernel's place changes last, the order first.
    unsigned combinations = KERNEL_CHOICES * 2 * 2 * ORDERS, best = 0;
    bool any = false;
    for (unsigned i = 0; i < combinations; i++) {
        struct attempt a = { .order = (enum order)(i % ORDERS) };
        a.ramdisk_align = aligns[i / ORDERS % 2];
        a.initrd_below = below[i / (ORDERS * 2) % 2];
        a.kernel = (enum kernel_choice)(i / (ORDERS * 4));
        if (try_attempt(&p, &a)) {
            finish(&p);
            return 0;
        }
        bool same = any && p.placed == best && p.failure.what == shortfall->what;
        if (!any || p.placed > best || (same && p.failure.available > shortfall->available)) {
            any = true;
            best = p.placed;
            *shortfall = p.failure;
        }
    }
    add_totals(&p, shortfall);
    return ERR_BOOT_NO_ROOM;
}

uint64_t place_held(const struct place_plan *plan)
{
    uint64_t sum = 0;
    for (unsigned i = 0; i < plan->held_count; i++)
        sum += plan->held[i].length;
    return sum;
}

const char *place_what_name(enum place_what what)
{
    static const char *const names[] = { "kernel", "initrd",     "ramdisk",    "module",
                                         "setup",  "chunk list", "work memory" };
    return (unsigned)what < ARRAY_SIZE(names) ? names[what] : "?";
}
