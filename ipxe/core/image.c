// SPDX-License-Identifier: MPL-2.0
// An image in memory: planned from its verified seal before the first chunk is asked for, started when every
// chunk has been verified where it lies.
#include "core/policy.h"

#include "base/fmt.h"
#include "base/range.h"
#include "core/http_line.h"
#include "core/nbp_packets.h"
#include "image/arm64.h"
#include "image/bzimage.h"
#include "net/net.h"

#define MIB_OF(bytes) (unsigned)(((bytes) + MIB - 1) >> 20)

static const char *shortfall_name(const struct seal *seal, enum place_what what)
{
    return what == PLACE_KERNEL && seal_target_is_application(seal->target) ? "application" : place_what_name(what);
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
        uint64_t loaded = seal_part_end(&image->seal, i) - part->offset;
        if (part->kind == PART_KERNEL || part->kind == PART_APPLICATION || part->memory <= loaded)
            continue;
        uint8_t *rest = p->map(p->ctx, image->plan.part_address[i] + loaded, part->memory - loaded);
        if (!rest)
            return false;
        memset(rest, 0, (size_t)(part->memory - loaded));
    }
    return true;
}

// Of one bit a chunk.
static size_t bits_size(const struct seal *seal)
{
    return (seal->chunk_count + 7) / 8;
}

static int fill_map(struct core *core, struct core_image *image)
{
    const struct platform *p = core->platform;
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
    if (!image->list || !image->chunk_bits)
        return ERR_BOOT_NO_ROOM;
    image->seal_bytes = image->chunk_bits + bits_size(&image->seal);
    return 0;
}

// Data can be loaded by every machine, and started by none.
static bool can_start(const struct platform *p, uint32_t target)
{
    return target < TARGET_END && (p->targets >> target & 1);
}

static int check_seal(struct core *core, const struct seal *seal, const char *name)
{
    int err = core_floor_check(core, seal);
    if (err)
        return err;
    if (seal->target != TARGET_DATA && !can_start(core->platform, seal->target)) {
        console_error("boot", ERR_BOOT_TARGET, "%s is for %s, which this machine does not start; refused before the download",
                      seal->name, seal_target_name(seal->target));
        return ERR_BOOT_TARGET;
    }
    if (!images_have_room(&core->images, name)) {
        console_error("boot", ERR_BOOT_IMAGES, "%s is one more than %u; refused before the download, `imgfree` gives one of them back: %s",
                      name, IMAGES_MAX, images_names(&core->images));
        return ERR_BOOT_IMAGES;
    }
    return 0;
}

static int place(struct core *core, struct core_image *image)
{
    const struct platform *p = core->platform;
    struct mem_region usable[PLATFORM_REGIONS_MAX], firmware[PLATFORM_REGIONS_MAX];
    const struct place_plan *others[IMAGES_MAX];
    struct place_input input = {
        .seal = &image->seal,
        .usable = usable,
        .usable_count = p->memory(p->ctx, usable),
        .firmware = firmware,
        .firmware_count = p->firmware_memory ? p->firmware_memory(p->ctx, firmware) : 0,
        .others = others,
        .limit = p->memory_limit,
        .whole_kernel = p->whole_kernel,
        .work_size = bits_size(&image->seal) + image->seal_len,
    };
    uint64_t held = 0;
    for (struct core_image *other = NULL; (other = images_next(&core->images, other)); held += place_held(&other->plan))
        others[input.other_count++] = &other->plan;
    struct place_shortfall shortfall = { .part = -1 };
    int err = place_plan(&input, &image->plan, &shortfall);
    if (err == ERR_BOOT_NO_ROOM)
        say_shortfall(&image->seal, &shortfall);
    else if (err)
        console_error("boot", err, "%s: its parts cannot be placed", image->seal.name);
    if (err == ERR_BOOT_NO_ROOM && held)
        console_say("boot", "%u MiB are held by other images, which `imgfree` gives back: %s", MIB_OF(held), images_names(&core->images));
    return err;
}

int core_image_plan(struct core *core, const struct seal *seal)
{
    struct core_images *images = &core->images;
    struct core_image *image = images->partial;
    const char *name = images->asked_name[0] ? images->asked_name : seal->name;
    struct seal_view view;
    bool same = image && digest_equal(image->seal.image_id, seal->image_id, SHA256_SIZE);
    if (image && !same)
        core_image_free(core, image);
    struct core_image *known = images_of_seal(images, seal);
    if (known) {
        image = known;
        same = true;
    }
    int err = check_seal(core, seal, name);
    if (err)
        return err;
    if (!same) {
        image = images_spare(images);
        image->seal = *seal;
        (void)seal_view(images->seal, sizeof images->seal, &view); // it is verified
        image->seal_len = seal_size(&view);
        err = place(core, image);
        if (err)
            return err;
        err = fill_map(core, image);
        if (err) {
            core_image_free(core, image);
            return err;
        }
        memcpy(image->seal_bytes, images->seal, image->seal_len);
        image->seal.bytes = image->seal_bytes;
    }
    if (known) {
        // Its list comes anew, into the place of the one that judges its files: until it is verified there is no such image.
        image->stale |= ~image->missing;
        image->order = 0;
    }
    memcpy(image->name, name, sizeof image->name);
    image->remote = images->asked_remote;
    images->coming = image;
    return 0;
}

void core_image_free(struct core *core, struct core_image *image)
{
    const struct platform *p = core->platform;
    for (unsigned i = 0; p->unmap && i < image->plan.held_count; i++)
        p->unmap(p->ctx, image->plan.held[i].base, image->plan.held[i].length);
    images_drop(&core->images, image);
}

void core_image_free_all(struct core *core)
{
    struct core_image *image;
    while ((image = images_last(&core->images)))
        core_image_free(core, image);
    if (core->images.partial)
        core_image_free(core, core->images.partial);
}

int core_image_unknown(struct core *core, const char *part, const char *name)
{
    console_error(part, ERR_BOOT_NO_IMAGE, "\"%s\" (in memory: %s)", name, images_names(&core->images));
    return ERR_BOOT_NO_IMAGE;
}

void core_image_fail(struct core *core)
{
    struct core_images *images = &core->images;
    if (!images->coming)
        return;
    if (images->coming->seal.detached) {
        core_image_free(core, images->coming); // its list may lie there in part
        return;
    }
    images->partial = images->coming;
    images->partial->keep = KEEP_UNSOUGHT;
    images->coming = NULL;
}

void core_image_done(struct core *core)
{
    struct core_images *images = &core->images;
    struct core_image *image = images->coming, *old = images_find(images, image->name);
    if (old)
        core_image_free(core, old);
    images->coming = images->partial = NULL; // which can only be the same
    image->origin = images->asked_origin;
    images_select(images, image);
    images->done = image;
}

void core_image_sealed(struct core *core)
{
    struct core_images *images = &core->images;
    struct core_image *image = images->coming, *old = images_find(images, image->name);
    if (old && old != image)
        core_image_free(core, old);
    images->coming = NULL;
    image->missing = (uint32_t)((1ull << image->seal.part_count) - 1);
    image->sealed_first = image->arguments = false;
    images_select(images, image);
    images->done = image;
}

// The verified command line and what the seal says, so that the booted system knows what it is. An application gets
// its options exactly as they were sealed: its syntax is its own, and a unified kernel image prefers options to the command
// line that it carries. A network bootstrap program has none.
static int build_cmdline(const struct core_image *image, char *cmdline, size_t cap)
{
    const struct seal *seal = &image->seal;
    const char *line = image->arguments ? image->cmdline : seal->cmdline;
    if (seal_target_is_application(seal->target))
        return (size_t)fmt_snprintf(cmdline, cap, "%s", line) < cap ? 0 : ERR_BOOT_CMDLINE;
    size_t len = (size_t)fmt_snprintf(cmdline, cap, "%s%ssignet.name=%s signet.counter=%llu", line, line[0] ? " " : "", seal->name,
                                      (unsigned long long)seal->counter);
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

static int describe_boot(const struct platform *p, const struct core_image *image, const char *cmdline, struct platform_boot *ret)
{
    const struct place_plan *plan = &image->plan;
    *ret = (struct platform_boot){
        .application = seal_target_is_efi(image->seal.target),
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

// A network bootstrap program is served as long as it runs.
static int run(struct core *core, struct core_image *image, struct platform_boot *boot)
{
    const struct platform *p = core->platform;
    struct pxe_api_packets packets;
    struct platform_nbp nbp;
    unsigned nic;
    if (!PXE_SERVICES || image->seal.target != TARGET_NBP)
        return p->boot(p->ctx, boot);
    if (!core_nbp_card(core, &nic))
        return ERR_NET_NO_ADDRESS;
    core_nbp_packets(core, nic, &image->origin, &packets);
    core_nbp_start(core, nic, &packets, &nbp);
    boot->nbp = &nbp;
    int err = p->boot(p->ctx, boot);
    core_nbp_end();
    return err;
}

int core_image_start(struct core *core, struct core_image *image)
{
    const struct platform *p = core->platform;
    if (image->missing) {
        console_error("boot", ERR_BOOT_PARTS, "%s lacks %s, which `%s` brings", image->name, image->seal.parts[images_missing(image)].name,
                      image->missing & 1 ? "kernel" : "initrd");
        return ERR_BOOT_PARTS;
    }
    if (!can_start(p, image->seal.target) || image->plan.kernel_part < 0) {
        console_error("boot", ERR_BOOT_TARGET, "%s holds nothing that can be started here", image->seal.name);
        return ERR_BOOT_TARGET;
    }
    static char cmdline[CORE_CMDLINE_MAX]; // must outlive this frame: the platform reads it last of all
    struct platform_boot boot;
    int err = build_cmdline(image, cmdline, sizeof cmdline);
    if (!err)
        err = core_measure_start(core, &image->seal, cmdline);
    if (!err)
        err = describe_boot(p, image, cmdline, &boot);
    if (!err)
        err = check_file(image, &boot, p->whole_kernel);
    if (!err)
        err = core_keep_image(core, image);
    if (!err) {
        console_say("boot", "starting %s (counter %llu)", image->seal.name, (unsigned long long)image->seal.counter);
        core_floor_expect(core, &image->seal);
        core_http_hang_up();
        err = run(core, image, &boot);
        core_floor_forget(core);
    }
    if (err)
        console_error("boot", err, seal_target_is_application(image->seal.target) ? "%s failed" : "%s was not started", image->seal.name);
    else
        console_say("boot", "%s has ended", image->seal.name);
    // What has run may have changed it, and a network bootstrap program any of them.
    if (image->seal.target == TARGET_NBP && (!err || err == ERR_BOOT_STATUS))
        core_image_free_all(core);
    else
        core_image_free(core, image);
    return err;
}
