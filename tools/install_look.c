// SPDX-License-Identifier: MPL-2.0
// See install_look.h.
#include "install_look.h"
#include "base/bytes.h"
#include "embed_artefact.h"
#include "file.h"
#include "install_esp.h"
#include "report.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

int install_mbr_read(const struct install_wanted *w, uint8_t code[MBR_CODE_SIZE])
{
    size_t len;
    char *beside = NULL;
    const char *path = w->mbr;
    if (!path) { // the one that was built with the image
        const char *slash = strrchr(w->image, '/');
        path = beside = tool_format("%.*smbr.bin", slash ? (int)(slash + 1 - w->image) : 0, w->image);
    }
    uint8_t *data = file_read(path, 64 * KIB, &len);
    int r = data ? 0 : -1;
    if (data && ((len != MBR_CODE_SIZE && len != INSTALL_SECTOR) || load32_le(data + MBR_FIELDS) != MBR_MAGIC ||
                 load16_le(data + MBR_VERSION_AT) != MBR_VERSION || load16_le(data + MBR_STAGE_COUNT) != MBR_STAGE_SECTORS)) {
        tool_error(path, "is not an mbr.bin of this version");
        r = -1;
    }
    if (r == 0)
        memcpy(code, data, MBR_CODE_SIZE);
    free(data);
    free(beside);
    return r;
}

const struct install_target *install_newest(const struct install_targets *all)
{
    const struct install_target *best = NULL;
    for (size_t i = 0; i < all->count; i++) {
        const struct install_target *t = &all->items[i];
        int active = install_slots_active(&t->slots);
        if (active < 0 || !t->slots.mbr_ours)
            continue;
        if (!best || t->slots.slots[active].sequence > best->slots.slots[install_slots_active(&best->slots)].sequence)
            best = t;
    }
    return best;
}

static void show_slot(struct report *r, const struct install_slots *s, unsigned i)
{
    char name[32], hex[2 * SHA256_SIZE + 1], build[TOOL_BUILD_MAX];
    const struct bootslot *slot = &s->slots[i];
    snprintf(name, sizeof name, "slot %c", 'a' + i);
    report_text(r, name, "%s", s->good[i] ? "good" : s->unreadable[i] ? "unreadable" : s->header[i] ? "damaged" : "empty");
    if (!s->header[i])
        return;
    snprintf(name, sizeof name, "slot %c sector", 'a' + i);
    report_number(r, name, s->places[i].lba);
    snprintf(name, sizeof name, "slot %c sequence", 'a' + i);
    report_number(r, name, slot->sequence);
    snprintf(name, sizeof name, "slot %c size", 'a' + i);
    report_number(r, name, slot->length);
    snprintf(name, sizeof name, "slot %c tries", 'a' + i);
    if (slot->tries == BOOTSLOT_CONFIRMED)
        report_text(r, name, "confirmed");
    else
        report_text(r, name, "%u", slot->tries);
    snprintf(name, sizeof name, "slot %c version", 'a' + i);
    if (s->good[i] && tool_find_build(s->payloads[i], slot->length, build))
        report_text(r, name, "%s", build);
    snprintf(name, sizeof name, "slot %c sha256", 'a' + i);
    report_text(r, name, "%s", tool_hex(slot->digest, SHA256_SIZE, hex));
}

static void show_esp(struct report *r, const struct install_target *t)
{
    unsigned number, count;
    struct install_esp esp;
    char *mount = install_esp_mounted(&t->dev, &t->table, &number, &count);
    if (!mount) {
        if (count)
            report_text(r, "esp", "not mounted");
        return;
    }
    free(mount);
    if (install_esp_open_disk(&esp, t->dev.path) == 0 && install_esp_read(&esp, false) == 0)
        install_esp_report(r, &esp);
    install_esp_close(&esp);
}

// A disk without boot bits: which places it has for them.
static void show_room(struct report *r, const struct install_target *t)
{
    char list[64] = "";
    for (unsigned kind = 0; kind < INSTALL_KINDS; kind++)
        if (t->room[kind])
            snprintf(list + strlen(list), sizeof list - strlen(list), "%s%s", *list ? ", " : "", install_kind_name(kind));
    report_text(r, "room", "%s", *list ? list : "none");
    if (t->room[INSTALL_ZFS])
        report_text(r, "pool", "%s", t->pool);
}

int install_status(const struct install_targets *all, const struct install_wanted *w)
{
    struct report r;
    report_begin(&r, w->json);
    report_list(&r, "disks");
    for (size_t i = 0; i < all->count; i++) {
        const struct install_target *t = &all->items[i];
        int boots = t->found ? install_slots_boots(&t->slots) : -1;
        report_item(&r, "disk", (unsigned)i);
        report_text(&r, "path", "%s", t->dev.path);
        report_text(&r, "place", "%s", t->found && install_slots_ours(&t->slots) ? install_kind_name(t->area.kind) : "none");
        show_esp(&r, t);
        if (!t->found) {
            show_room(&r, t);
            continue;
        }
        if (t->area.kind == INSTALL_ZFS) {
            report_text(&r, "pool", "%s", t->area.label.pool);
            report_text(&r, "vdev", "%s", t->area.label.top_type);
        }
        if (t->area.kind != INSTALL_GAP)
            report_number(&r, "partition", t->area.partition.number);
        report_number(&r, "area sector", t->slots.lba);
        report_number(&r, "area sectors", t->slots.sectors);
        report_text(&r, "mbr", "%s", t->slots.mbr_here ? "signet" : t->slots.mbr_ours ? "signet, for another place" : "other");
        report_text(&r, "boots", "%s", boots < 0 ? "none" : boots ? "slot b" : "slot a");
        for (unsigned k = 0; k < BOOTSLOT_COUNT; k++)
            show_slot(&r, &t->slots, k);
    }
    report_list_end(&r);
    report_end(&r);
    return tool_flush();
}

int install_verify(struct install_targets *all, const struct install_wanted *w)
{
    uint8_t mbr[MBR_CODE_SIZE], *image = NULL;
    size_t len = 0;
    unsigned found = 0;
    if (w->image) {
        image = file_read(w->image, 64 * MIB, &len);
        if (!image || install_mbr_read(w, mbr) != 0 || artefact_check_boot_area(w->image, image, len) != 0 ||
            artefact_check_anchors(w->image, image, len, w->no_anchors) != 0) {
            free(image);
            return EXIT_FAIL;
        }
    }
    const struct install_target *best = install_newest(all);
    for (size_t i = 0; i < all->count; i++) {
        struct install_target *t = &all->items[i];
        struct install_slots *s = &t->slots;
        int active = install_slots_active(s);
        unsigned before = found;
        found += install_slots_check(&t->dev, s);
        if (active >= 0 && image && (s->slots[active].length != len || memcmp(s->payloads[active], image, len) != 0)) {
            tool_error(t->dev.path, "slot %c, which boots, is not %s", 'A' + active, w->image);
            found++;
        } else if (active >= 0 && artefact_check_anchors(t->dev.path, s->payloads[active], s->slots[active].length, w->no_anchors) != 0) {
            found++;
        }
        if (s->mbr_ours && !install_slots_code_is(s, image ? mbr : best ? best->slots.sector0 : s->sector0)) {
            tool_error(t->dev.path, "the MBR's code is another one than %s", image ? "that of the file" : "the other disks'");
            found++;
        }
        if (active >= 0 && best && memcmp(s->slots[active].digest, best->slots.slots[install_slots_active(&best->slots)].digest, SHA256_SIZE) != 0) {
            tool_error(t->dev.path, "boots another version than %s: --refresh brings them together", best->dev.path);
            found++;
        }
        if (found == before)
            printf("%s: as installed (slot %c)\n", t->dev.path, 'A' + active);
    }
    free(image);
    return found ? EXIT_FAIL : tool_flush();
}
