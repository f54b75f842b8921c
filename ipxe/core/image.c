// SPDX-License-Identifier: MPL-2.0
// The image in memory: planned from its verified seal before the first chunk is asked for, started when every
// chunk has been verified where it lies.
#include "core/policy.h"

#include "base/fmt.h"
#include "base/range.h"
#include "image/arm64.h"
#include "image/bzimage.h"
#include "net/net.h"

#define MIB_OF(bytes) (unsigned)(((bytes) + MIB - 1) >> 20)

static const char *shortfall_name(const struct seal *seal, enum place_what what)
{
    return what == PLACE_KERNEL && seal_target_is_efi(seal->target) ? "application" : place_what_name(what);
}

static void say_shortfall(const struct seal *seal, const struct place_shortfall *s)
{
    const char *name = s->part >= 0 ? seal->parts[s->part].name : seal->name;
    if (s->address)
        console_error("boot", ERR_BOOT_NO_ROOM, "%s: %s %s needs %u MiB at %u MiB, %u MiB are free there; refused before the download",
                      seal->name, shortfall_name(seal, s->what), name, MIB_OF(s->needed), MIB_OF(s->address),
                      (unsigned)(s->available >> 20));
    else
        console_error("boot", ERR_BOOT_NO_ROOM, "%s: %s %s needs %u MiB, the largest free piece of memory has %u MiB; refused before the download",
                      seal->name, shortfall_name(seal, s->what), name, MIB_OF(s->needed), (unsigned)(s->available >> 20));
    console_say("boot", "the whole image needs %u MiB, this machine has %u MiB free for it", MIB_OF(s->total_needed),
                (unsigned)(s->total_available >> 20));
}

// Memory that parts ask for behind their bytes: theirs from now on, and zero, so that a small file can make a large ramdisk.
static bool claim_rest(const struct platform *p, const struct core_image *image)
{
    for (uint32_t i = 0; i < image->seal.part_count; i++) {
        const struct seal_part *part = &image->seal.parts[i];
        uint64_t loaded = (part->size + PAYLOAD_ALIGN - 1) & ~(uint64_t)(PAYLOAD_ALIGN - 1);
        if (part->kind == PART_KERNEL || part->kind == PART_APPLICATION || part->memory <= loaded)
            continue;
        uint8_t *rest = p->map(p->ctx, image->plan.part_address[i] + loaded, part->memory - loaded);
        if (!rest)
            return false;
        memset(rest, 0, (size_t)(part->memory - loaded));
    }
    return true;
}

static int fill_map(struct core *core)
{
    const struct platform *p = core->platform;
    struct core_image *image = &core->image;
    const struct place_plan *plan = &image->plan;
    image->map = (struct scatter){ .size = image->seal.payload_size, .count = plan->piece_count };
    for (uint32_t i = 0; i < plan->piece_count; i++) {
        const struct place_piece *piece = &plan->pieces[i];
        uint8_t *memory = p->map(p->ctx, piece->address, piece->length);
        if (!memory)
            return ERR_BOOT_NO_ROOM;
        image->map.pieces[i] = (struct scatter_piece){ piece->offset, piece->length, memory };
    }
    if (!claim_rest(p, image))
        return ERR_BOOT_NO_ROOM;
    image->list = p->map(p->ctx, plan->list.base, plan->list.length);
    image->chunk_bits = p->map(p->ctx, plan->work.base, plan->work.length);
    return image->list && image->chunk_bits ? 0 : ERR_BOOT_NO_ROOM;
}

// Data can be loaded by every machine, and started by none.
static bool can_start(const struct platform *p, uint32_t target)
{
    return target < TARGET_END && (p->targets >> target & 1);
}

int core_image_plan(struct core *core, const struct seal *seal)
{
    const struct platform *p = core->platform;
    struct mem_region usable[PLATFORM_REGIONS_MAX], firmware[PLATFORM_REGIONS_MAX];
    struct core_image *image = &core->image;
    bool same = image->partial && digest_equal(image->seal.image_id, seal->image_id, SHA256_SIZE);
    if (!same)
        core_image_forget(core);
    int err = core_floor_check(core, seal);
    if (err)
        return err;
    if (seal->target != TARGET_DATA && !can_start(p, seal->target)) {
        console_error("boot", ERR_BOOT_TARGET, "%s is for %s, which this machine does not start; refused before the download",
                      seal->name, seal_target_name(seal->target));
        return ERR_BOOT_TARGET;
    }
    image->planned = same;
    if (same)
        return 0; // its parts, and what they need, are the same
    image->seal = *seal;
    struct place_input input = {
        .seal = &image->seal,
        .usable = usable,
        .usable_count = p->memory(p->ctx, usable),
        .firmware = firmware,
        .firmware_count = p->firmware_memory ? p->firmware_memory(p->ctx, firmware) : 0,
        .limit = p->memory_limit,
        .whole_kernel = p->whole_kernel,
        .work_size = (seal->chunk_count + 7) / 8,
    };
    struct place_shortfall shortfall = { .part = -1 };
    err = place_plan(&input, &image->plan, &shortfall);
    if (err == ERR_BOOT_NO_ROOM)
        say_shortfall(seal, &shortfall);
    else if (err)
        console_error("boot", err, "%s: its parts cannot be placed", seal->name);
    if (!err)
        err = fill_map(core);
    image->planned = !err;
    return err;
}

void core_image_forget(struct core *core)
{
    struct core_image *image = &core->image;
    image->planned = image->verified = image->partial = false;
    image->keep = KEEP_UNSOUGHT;
    if (core->platform->unmap)
        core->platform->unmap(core->platform->ctx);
}

void core_image_fail(struct core *core)
{
    struct core_image *image = &core->image;
    image->partial |= image->planned;
    image->planned = image->verified = false;
    image->keep = KEEP_UNSOUGHT;
}

// The verified command line and what the seal says, so that the booted system knows what it is. An application gets
// its options exactly as they were sealed: its syntax is its own, and a unified kernel image prefers options to the command
// line that it carries.
static int build_cmdline(const struct core_image *image, char *cmdline, size_t cap)
{
    const struct seal *seal = &image->seal;
    if (seal_target_is_efi(seal->target))
        return (size_t)fmt_snprintf(cmdline, cap, "%s", seal->cmdline) < cap ? 0 : ERR_BOOT_CMDLINE;
    size_t len = (size_t)fmt_snprintf(cmdline, cap, "%s%ssignet.name=%s signet.counter=%llu", seal->cmdline,
                                      seal->cmdline[0] ? " " : "", seal->name, (unsigned long long)seal->counter);
    for (uint32_t i = 0, n = 0; i < seal->part_count && len < cap; i++) {
        if (seal->parts[i].kind != PART_RAMDISK || n >= image->plan.ramdisk_count)
            continue;
        const struct seal_part *part = &seal->parts[i];
        len += (size_t)fmt_snprintf(cmdline + len, cap - len, " signet.ramdisk=0x%llx,0x%llx",
                                    (unsigned long long)image->plan.ramdisks[n++].base,
                                    (unsigned long long)(part->memory ? part->memory : part->size));
    }
    return len < cap ? 0 : ERR_BOOT_CMDLINE;
}

static int describe_boot(struct core *core, const char *cmdline, struct platform_boot *ret)
{
    const struct platform *p = core->platform;
    const struct place_plan *plan = &core->image.plan;
    *ret = (struct platform_boot){
        .application = seal_target_is_efi(core->image.seal.target),
        // An arm64 kernel has no setup sectors: the address alone counts.
        .setup = p->map(p->ctx, plan->setup, MAX(plan->setup_len, (uint64_t)1)),
        .setup_len = (size_t)plan->setup_len,
        .kernel = plan->kernel,
        .kernel_len = plan->kernel_len,
        .kernel_address = plan->kernel_run,
        .initrd = plan->initrd,
        .initrd_len = plan->initrd_len,
        .cmdline = cmdline,
        .ramdisk_count = plan->ramdisk_count,
    };
    if (!ret->setup)
        return ERR_BOOT_FORMAT;
    memcpy(ret->ramdisks, plan->ramdisks, plan->ramdisk_count * sizeof ret->ramdisks[0]);
    if (plan->kernel_run != plan->kernel)
        ret->moves[ret->move_count++] = (struct platform_move){ plan->kernel_run, plan->kernel, plan->kernel_len };
    return 0;
}

// By the 32-bit protocol a kernel goes up from where it is loaded to its own alignment and preferred address: it is there already,
// or it would leave its memory.
static bool runs_there(const struct bzimage *header, uint64_t address)
{
    if (!header->relocatable)
        return address == header->pref_address;
    return address >= header->pref_address && (address & (header->alignment - 1)) == 0;
}

// The header is verified now and must say what mkimage put into the plan.
static int check_bzimage(const struct core_image *image, const struct platform_boot *boot, bool stub)
{
    struct bzimage header;
    int err = bzimage_parse(boot->setup, boot->setup_len, boot->setup_len + boot->kernel_len, &header);
    if (!err && header.setup_size != boot->setup_len)
        err = ERR_BOOT_FORMAT;
    if (!err && (header.init_size > image->plan.kernel_memory || (!stub && !runs_there(&header, boot->kernel_address))))
        err = ERR_BOOT_PLAN;
    if (!err && strlen(boot->cmdline) > header.cmdline_size)
        err = ERR_BOOT_CMDLINE;
    // The EFI stub makes a copy of the initrds where it likes them.
    if (!err && !stub && boot->initrd_len && boot->initrd + boot->initrd_len > bzimage_initrd_limit(&header))
        err = ERR_BOOT_NO_ROOM;
    return err;
}

static int check_arm64(const struct core_image *image, const struct platform_boot *boot)
{
    struct arm64_image header;
    if (strlen(boot->cmdline) > ARM64_CMDLINE_MAX)
        return ERR_BOOT_CMDLINE;
    int err = arm64_parse(boot->setup, boot->kernel_len, boot->kernel_len, &header);
    return !err && header.memory > image->plan.kernel_memory ? ERR_BOOT_PLAN : err;
}

// What firmware and kernel agree on, read from the verified file. LoadImage judges an application itself.
static int check_file(const struct core_image *image, const struct platform_boot *boot, bool stub)
{
    switch (image->seal.target) {
    case TARGET_LINUX_X86: return check_bzimage(image, boot, stub);
    case TARGET_LINUX_ARM64: return check_arm64(image, boot);
    default: return 0;
    }
}

int core_image_start(struct core *core)
{
    const struct platform *p = core->platform;
    const struct core_image *image = &core->image;
    if (!image->verified) {
        console_error("boot", ERR_BOOT_NOTHING, "no verified image is loaded");
        return ERR_BOOT_NOTHING;
    }
    if (!can_start(p, image->seal.target) || image->plan.kernel_part < 0) {
        console_error("boot", ERR_BOOT_TARGET, "%s holds nothing that can be started here", image->seal.name);
        return ERR_BOOT_TARGET;
    }
    static char cmdline[CORE_CMDLINE_MAX]; // must outlive this frame: the platform reads it last of all
    struct platform_boot boot;
    int err = build_cmdline(image, cmdline, sizeof cmdline);
    if (!err)
        err = core_measure_start(core, cmdline);
    if (!err)
        err = describe_boot(core, cmdline, &boot);
    if (!err)
        err = check_file(image, &boot, p->whole_kernel);
    if (!err)
        err = core_keep_image(core);
    if (!err) {
        console_say("boot", "starting %s (counter %llu)", image->seal.name, (unsigned long long)image->seal.counter);
        core_floor_expect(core, &image->seal);
        err = p->boot(p->ctx, &boot);
        core_floor_forget(core);
    }
    if (err)
        console_error("boot", err, seal_target_is_efi(image->seal.target) ? "%s failed" : "%s was not started", image->seal.name);
    else
        console_say("boot", "%s has ended", image->seal.name);
    core_image_forget(core);
    return err;
}
