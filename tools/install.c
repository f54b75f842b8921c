// SPDX-License-Identifier: MPL-2.0
// signet install: boot bits onto disks and image files (doc/howto-disk.md). Everything is looked at first, on all disks; only
// when nothing speaks against it on any of them is the first sector written.
#include "embed_artefact.h"
#include "file.h"
#include "install_esp.h"
#include "install_look.h"
#include "install_scan.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

static const struct opt_help help = {
    .usage = "--disk DEV... --zfs|--bios-boot|--gap --image bootarea.bin [--mbr mbr.bin] [--slot a|b]\n"
             "       signet install --disk DEV... --esp | --esp-path DIR... --image ipxe.efi [--removable] [--no-nvram]\n"
             "       signet install --refresh --disk DEV... [--zfs|--bios-boot|--gap] [--pool POOL]\n"
             "       signet install status|verify|remove --disk DEV... [--esp] | --esp-path DIR...\n"
             "       --pool POOL alone, without --disk: all disks of the pool that are here",
    .about = "Writes what a BIOS boots from disk: the MBR's code and a slot of the boot area. DEV is a whole disk or an image\n"
             "file. The slot not in use is written and read back before the MBR names it, so that the old or the new\n"
             "version boots whenever the power goes. Partition table, pool labels and data stay as they are. With --esp it puts\n"
             "Signet onto the mounted EFI system partition, with a boot entry, as carefully.",
};

// ---- looking -------------------------------------------------------------------------------------------

// The area of a kind, or without one the area that Signet is in. 0, 1: none, with *why; -1 after a message.
static int look_for(struct install_target *t, const struct install_wanted *w, const char **why)
{
    t->pool[0] = '\0';
    *why = "holds no boot bits of Signet";
    for (enum install_kind kind = 0; kind < INSTALL_KINDS; kind++) {
        const char *reason;
        if (w->kind >= 0 && (enum install_kind)w->kind != kind)
            continue;
        int r = install_area_find(&t->dev, &t->table, kind, w->pool, &t->area, &reason);
        if (r < 0)
            return -1;
        if (r > 0) {
            if (w->kind >= 0)
                *why = reason;
            continue;
        }
        // A place that is too small cannot be Signet's; only when it was asked for is that worth a message.
        if (w->kind < 0 && !install_slots_fit(t->area.lba, t->area.sectors))
            continue;
        t->room[kind] = true;
        if (kind == INSTALL_ZFS)
            snprintf(t->pool, sizeof t->pool, "%s", t->area.label.pool);
        if (install_slots_read(&t->dev, t->area.lba, t->area.sectors, &t->slots) != 0)
            return -1;
        if (w->kind >= 0 || install_slots_ours(&t->slots)) {
            t->found = true;
            return 0;
        }
        install_slots_free(&t->slots);
    }
    return 1;
}

static int look(struct install_targets *all, const struct install_wanted *w)
{
    bool writable = !w->dry_run && (w->action == INSTALL_DO_INSTALL || w->action == INSTALL_DO_REMOVE);
    enum install_dev_use use = writable ? INSTALL_DEV_WRITE : w->action == INSTALL_DO_STATUS ? INSTALL_DEV_TABLE : INSTALL_DEV_READ;
    all->items = tool_alloc(w->disks.count * sizeof *all->items);
    for (size_t i = 0; i < w->disks.count; i++) {
        struct install_target *t = &all->items[i];
        const char *why;
        if (install_dev_open(&t->dev, w->disks.items[i], use) != 0)
            return -1;
        all->count++;
        t->dev.dry_run = w->dry_run;
        if (install_table_read(&t->dev, &t->table) != 0)
            return -1;
        int r = t->dev.unit > 1 ? 1 : look_for(t, w, &why); // no BIOS boots from larger sectors
        if (r < 0)
            return -1;
        if (r > 0 && t->table.kind == INSTALL_TABLE_DAMAGED && !t->room[INSTALL_ZFS])
            why = t->table.damage;
        else if (w->action == INSTALL_DO_STATUS)
            continue;
        if (r > 0) {
            tool_error(t->dev.path, "%s", why);
            return -1;
        }
    }
    return 0;
}

static void close_all(struct install_targets *all)
{
    for (size_t i = 0; i < all->count; i++) {
        if (all->items[i].found)
            install_slots_free(&all->items[i].slots);
        install_dev_close(&all->items[i].dev);
    }
    free(all->items);
}

static int may_write(struct install_target *t, const struct install_wanted *w)
{
    const struct install_slots *s = &t->slots;
    if (install_area_allowed(&t->dev, &t->area) != 0 || install_area_alone(&t->dev, &t->table, &t->area, s->lba, s->sectors) != 0)
        return -1;
    if (t->area.kind != INSTALL_ZFS && !w->force) {
        struct install_area whole;
        int r = install_area_covered(&t->dev, &t->table, &whole);
        if (r == 0)
            tool_error(t->dev.path, "has labels of a vdev of pool %s over the whole disk: --zfs, if it is in use (--force: install all the same)",
                       whole.label.pool);
        if (r <= 0)
            return -1;
    }
    // What lies under a former table may be anything, if the table is the one that counts after all.
    if (w->force && !t->area.behind_table)
        return 0;
    if (s->mbr_ours && !s->mbr_here) {
        tool_error(t->dev.path, "Signet is installed in another place of this disk: `signet install remove` first (--force: install anyway)");
        return -1;
    }
    // Leftovers of a raidz expansion are nobody's: what the expansion kept there was given back when it was done.
    bool leftovers = t->area.kind == INSTALL_ZFS && t->area.label.expanded;
    if (s->first_unknown != UINT64_MAX && !leftovers) {
        tool_error(t->dev.path, "something unknown lies there already, from sector %" PRIu64 " on%s", s->first_unknown,
                   t->area.behind_table ? ", and the disk has a partition table" : " (--force: write over it)");
        return -1;
    }
    return 0;
}

static int same_pool(const struct install_targets *all)
{
    for (size_t i = 1; i < all->count; i++) {
        const struct zfslabel *a = &all->items[0].area.label, *b = &all->items[i].area.label;
        if (all->items[i].area.kind == INSTALL_ZFS && a->pool_guid != b->pool_guid) {
            tool_error(all->items[i].dev.path, "belongs to pool %s, not to %s: one pool at a time", b->pool, a->pool);
            return -1;
        }
    }
    return 0;
}

static bool is_here(const struct install_targets *all, uint64_t guid)
{
    for (size_t i = 0; i < all->count; i++)
        if (all->items[i].area.label.guid == guid)
            return true;
    return false;
}

// A disk of the pool that was not named boots nothing, or something old: said, but no error (it may be gone).
static void note_missing(const struct install_targets *all)
{
    uint64_t missing = 0, tops = 0;
    const struct zfslabel *first = &all->items[0].area.label;
    if (all->items[0].area.kind != INSTALL_ZFS)
        return;
    for (size_t i = 0; i < all->count; i++) {
        const struct zfslabel *label = &all->items[i].area.label;
        bool seen = false;
        for (size_t k = 0; k < i; k++)
            seen |= all->items[k].area.label.top_guid == label->top_guid;
        if (seen)
            continue;
        tops++;
        for (uint32_t k = 0; k < MIN(label->leaf_count, (uint32_t)ZFSLABEL_LEAVES_MAX); k++)
            missing += !is_here(all, label->leaves[k]);
    }
    if (missing || tops < first->top_count)
        tool_error(NULL, "note: pool %s has more devices than were named (%" PRIu64 " of these vdevs, %" PRIu64 " other vdevs)", first->pool,
                   missing, first->top_count - MIN(tops, first->top_count));
}

// ---- what to write -------------------------------------------------------------------------------------

static int install_all(struct install_targets *all, const struct install_wanted *w, struct install_bits *bits)
{
    for (size_t i = 0; i < all->count; i++) {
        struct install_target *t = &all->items[i];
        if (may_write(t, w) != 0 || install_slots_may_write(&t->dev, &t->slots, bits) != 0)
            return -1;
    }
    for (size_t i = 0; i < all->count; i++) {
        struct install_target *t = &all->items[i];
        int r = install_slots_write(&t->dev, &t->slots, bits);
        if (r < 0)
            return -1;
        int active = install_slots_active(&t->slots);
        if (r > 0)
            printf("%s: up to date (slot %c)\n", t->dev.path, 'A' + active);
        else if (!w->dry_run)
            printf("%s: installed (%s, slot %c, sequence number %" PRIu64 ")\n", t->dev.path, install_kind_name(t->area.kind), 'A' + active,
                   t->slots.slots[active].sequence);
    }
    return 0;
}

static int do_install(struct install_targets *all, const struct install_wanted *w)
{
    uint8_t mbr[MBR_CODE_SIZE];
    uint8_t *image = NULL, *copy = NULL;
    size_t len;
    struct install_bits bits = { .mbr = mbr, .slot = -1, .rewrite = w->force };
    int r = -1;
    if (same_pool(all) != 0)
        return EXIT_FAIL;
    if (w->slot)
        bits.slot = w->slot[0] == 'b';
    if (w->image) {
        image = file_read(w->image, 64 * MIB, &len);
        if (!image || install_mbr_read(w, mbr) != 0)
            goto done;
        if (len <= BOOTSLOT_STAGE_SIZE || len > BOOTSLOT_LENGTH_MAX) {
            tool_error(w->image, "is not a bootarea.bin: it has %zu bytes, and %u to %u are possible", len, BOOTSLOT_STAGE_SIZE + 1,
                       BOOTSLOT_LENGTH_MAX);
            goto done;
        }
        if (artefact_check_boot_area(w->image, image, len) != 0 || artefact_check_anchors(w->image, image, len, w->no_anchors) != 0)
            goto done;
        bits.payload = image;
        bits.length = (uint32_t)len;
        // One number on all disks, so that the disks can be told apart by age.
        for (size_t i = 0; i < all->count; i++) {
            uint64_t last = install_slots_sequence(&all->items[i].slots);
            bits.sequence = MAX(bits.sequence, last == UINT64_MAX ? last : last + 1);
        }
    } else {
        const struct install_target *from = install_newest(all);
        if (!from) {
            tool_error(NULL, "none of the disks has boot bits to bring to the others: install with --image");
            goto done;
        }
        const struct install_slots *s = &from->slots;
        const struct bootslot *slot = &s->slots[install_slots_active(s)];
        if (artefact_check_anchors(from->dev.path, s->payloads[install_slots_active(s)], slot->length, w->no_anchors) != 0)
            goto done;
        memcpy(mbr, s->sector0, MBR_CODE_SIZE);
        bits.sequence = slot->sequence;
        bits.length = slot->length;
        // A copy, since the slots are read anew as the disks are written.
        bits.payload = copy = memcpy(tool_alloc(slot->length), s->payloads[install_slots_active(s)], slot->length);
    }
    r = install_all(all, w, &bits);
    if (r == 0)
        note_missing(all);
done:
    free(copy);
    free(image);
    return r == 0 ? tool_flush() : EXIT_FAIL;
}

static int do_remove(struct install_targets *all, const struct install_wanted *w)
{
    for (size_t i = 0; i < all->count; i++) {
        struct install_target *t = &all->items[i];
        if (install_area_allowed(&t->dev, &t->area) != 0)
            return EXIT_FAIL;
        if (!install_slots_ours(&t->slots))
            return tool_error(t->dev.path, "holds no boot bits of Signet there");
    }
    for (size_t i = 0; i < all->count; i++) {
        struct install_target *t = &all->items[i];
        bool here = t->slots.mbr_here, known = t->slots.has_record && t->slots.record.former_known;
        if (install_slots_remove(&t->dev, &t->slots) != 0)
            return EXIT_FAIL;
        if (!w->dry_run)
            printf("%s: removed, %s\n", t->dev.path,
                   !here   ? "the MBR is another's and stays"
                   : known ? "former MBR code restored"
                           : "MBR code emptied (the former one is not known)");
    }
    return tool_flush();
}

static int do_esp(const struct install_wanted *w)
{
    const struct install_esp_wanted esp = { .disks = &w->disks, .folders = &w->folders, .image = w->image, .removable = w->removable,
                                            .no_nvram = w->no_nvram, .no_anchors = w->no_anchors,
                                            .dry_run = w->dry_run, .force = w->force, .json = w->json };
    switch (w->action) {
    case INSTALL_DO_INSTALL: return install_esp_install(&esp);
    case INSTALL_DO_STATUS: return install_esp_status(&esp);
    case INSTALL_DO_VERIFY: return install_esp_verify(&esp);
    default: return install_esp_remove(&esp);
    }
}

// ---- command line --------------------------------------------------------------------------------------

int install_main(int argc, char **argv)
{
    struct install_wanted w = { 0 };
    struct opt_list operands = { 0 };
    const struct opt table[] = {
        OPTION_LIST('d', "disk", &w.disks, "DEV", "whole disk or image file; repeat for several"),
        OPTION_FLAG(0, "zfs", &w.kinds[INSTALL_ZFS], "into the boot area of a pool's vdev"),
        OPTION_FLAG(0, "bios-boot", &w.kinds[INSTALL_BIOS_BOOT], "into the GPT partition of type BIOS boot"),
        OPTION_FLAG(0, "gap", &w.kinds[INSTALL_GAP], "into the gap before the first partition"),
        OPTION_FLAG(0, "esp", &w.esp, "onto the mounted EFI system partition"),
        OPTION_LIST(0, "esp-path", &w.folders, "DIR", "the folder that an EFI system partition is mounted at"),
        OPTION_TEXT('i', "image", &w.image, "F", "bootarea.bin or ipxe.efi, with script and keys (signet embed)"),
        OPTION_TEXT(0, "mbr", &w.mbr, "F", "mbr.bin (default: the one beside the image)"),
        OPTION_TEXT(0, "slot", &w.slot, "a|b", "this slot, not the one that is not in use"),
        OPTION_TEXT(0, "pool", &w.pool, "POOL", "this pool; without --disk all its disks that are here"),
        OPTION_FLAG(0, "refresh", &w.refresh, "bring the newest boot bits of these disks to all of them"),
        OPTION_FLAG(0, "removable", &w.removable, "--esp: as the file that firmware starts without a boot entry"),
        OPTION_FLAG(0, "no-nvram", &w.no_nvram, "--esp: leave the boot entries alone"),
        OPTION_FLAG(0, "no-anchors", &w.no_anchors, "also what holds no trust anchor, and boots nothing"),
        OPTION_FLAG('n', "dry-run", &w.dry_run, "write nothing; print what would be written"),
        OPTION_FLAG('f', "force", &w.force, "over something unknown, or over the slot in use"),
        OPTION_FLAG(0, "json", &w.json, "status as JSON"),
    };
    int status = opts_parse(table, ARRAY_SIZE(table), &help, argc, argv, &operands);
    if (status >= 0 || (status = install_check_usage(&w, &operands)) >= 0)
        return status;
    if (w.esp)
        return do_esp(&w);
    struct install_targets all = { 0 };
    status = EXIT_FAIL;
    if ((w.disks.count > 0 || install_scan(w.pool, &w.disks) == 0) && look(&all, &w) == 0) {
        switch (w.action) {
        case INSTALL_DO_INSTALL: status = do_install(&all, &w); break;
        case INSTALL_DO_STATUS: status = install_status(&all, &w); break;
        case INSTALL_DO_VERIFY: status = install_verify(&all, &w); break;
        case INSTALL_DO_REMOVE: status = do_remove(&all, &w); break;
        }
    }
    close_all(&all);
    return status;
}
