// SPDX-License-Identifier: MPL-2.0
// What `signet install` does with EFI system partitions: install_esp.h. As on other places, all of them are looked at before
// the first file is written.
#include "install_esp.h"
#include "embed_artefact.h"
#include "embed_pe.h"
#include "file.h"
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

struct esps {
    struct install_esp *items;
    size_t count;
};

// Another name of a file system that is there already: the other disk of a RAID 1.
static const struct install_esp *twin(const struct esps *all, const struct install_esp *esp)
{
    struct stat a, b;
    for (size_t i = 0; i < all->count; i++)
        if (stat(all->items[i].mount, &a) == 0 && stat(esp->mount, &b) == 0 && a.st_dev == b.st_dev && a.st_ino == b.st_ino)
            return &all->items[i];
    return NULL;
}

// Looking may be anywhere; what shall be changed (if only in a dry run) must be an EFI system partition.
static int open_all(struct esps *all, const struct install_esp_wanted *w, bool change)
{
    bool writable = change && !w->dry_run;
    size_t total = w->disks->count + w->folders->count;
    all->items = tool_alloc(total * sizeof *all->items);
    for (size_t i = 0; i < total; i++) {
        struct install_esp *esp = &all->items[all->count];
        int r = i < w->disks->count ? install_esp_open_disk(esp, w->disks->items[i])
                                    : install_esp_open_folder(esp, w->folders->items[i - w->disks->count], w->force || !change);
        const struct install_esp *same = r == 0 ? twin(all, esp) : NULL;
        if (same) {
            if (!w->json)
                printf("%s: the same file system as %s\n", esp->subject, same->subject);
            install_esp_close(esp);
            continue;
        }
        all->count++;
        if (r != 0 || install_esp_read(esp, writable) != 0)
            return -1;
        esp->files.dry_run = w->dry_run;
    }
    return 0;
}

static void close_all(struct esps *all)
{
    for (size_t i = 0; i < all->count; i++)
        install_esp_close(&all->items[i]);
    free(all->items);
}

static bool holds(const struct install_esp *esp, unsigned spot, const uint8_t *data, size_t len)
{
    return esp->spots[spot].ours && esp->spots[spot].len == len && memcmp(esp->spots[spot].data, data, len) == 0;
}

static uint8_t *read_image(const struct install_esp_wanted *w, size_t *ret_len)
{
    uint8_t *data = file_read(w->image, INSTALL_FILE_MAX, ret_len);
    bool sound = data && embed_pe_machine(data, *ret_len) && embed_pe_intact(data, *ret_len);
    if (sound && artefact_check_anchors(w->image, data, *ret_len, w->no_anchors) == 0)
        return data;
    if (data && !sound)
        tool_error(w->image, embed_pe_machine(data, *ret_len) ? "is damaged: its checksum does not hold"
                                                          : "is none of Signet's UEFI applications (ipxe.efi, ipxe-arm64.efi)");
    free(data);
    return NULL;
}

// ---- install -------------------------------------------------------------------------------------------

static int write_files(struct install_esp *esp, unsigned i, const uint8_t *data, size_t len)
{
    const struct install_esp_spot *spot = &install_esp_spots[i];
    const uint8_t *present = esp->spots[i].data;
    // Another system's file comes back by `remove`; a damaged one is no version to go back to.
    bool foreign = present && !esp->spots[i].ours, damaged = present && !foreign && !embed_pe_intact(present, esp->spots[i].len);
    if (install_files_folder(&esp->files, "EFI") != 0 || install_files_folder(&esp->files, spot->folder) != 0)
        return -1;
    const char *keep = foreign ? spot->saved : damaged ? spot->bad : spot->old;
    if (install_files_replace(&esp->files, spot->name, keep, data, len) != 0)
        return -1;
    return damaged ? install_files_remove(&esp->files, spot->bad) : 0;
}

// The entries that start the file, one for each partition: found or made. "" in *ret_number without one, else the last one's.
static int make_entries(const struct install_esp *esp, unsigned spot, bool dry_run, char ret_number[INSTALL_NVRAM_NUMBER_MAX])
{
    struct install_nvram_file file;
    unsigned known = 0;
    ret_number[0] = '\0';
    for (unsigned i = 0; i < esp->partition_count; i++) {
        if (!install_esp_entry(esp, &install_esp_spots[spot], i, &file))
            continue;
        known++;
        ret_number[0] = '\0';
        int r = install_nvram_find(&file, ret_number);
        if (r == 1)
            r = install_nvram_create(&file, dry_run);
        if (r == 0 && !ret_number[0] && !dry_run)
            r = install_nvram_find(&file, ret_number);
        if (r < 0 || (r != 0 && !dry_run))
            return -1;
    }
    if (!known)
        tool_error(esp->subject, "note: is on no partition that a boot entry could name, so none was made");
    return 0;
}

// Everything that speaks against an install and can be told before.
static int may_install(struct install_esp *esp, unsigned i, bool entry, const uint8_t *data, size_t len)
{
    const struct install_esp_spot *spot = &install_esp_spots[i];
    struct install_nvram_file file;
    char number[INSTALL_NVRAM_NUMBER_MAX];
    for (unsigned k = 0; entry && k < esp->partition_count; k++)
        if (install_esp_entry(esp, spot, k, &file) && install_nvram_find(&file, number) < 0)
            return -1;
    const char *const names[] = { spot->old, spot->saved, spot->fresh, spot->bad };
    return holds(esp, i, data, len) ? 0 : install_files_may_replace(&esp->files, spot->folder, names, ARRAY_SIZE(names), spot->fresh, len);
}

static int install_one(struct install_esp *esp, const struct install_esp_wanted *w, unsigned spot, bool entry, const uint8_t *data, size_t len)
{
    char number[INSTALL_NVRAM_NUMBER_MAX] = "";
    bool same = holds(esp, spot, data, len);
    if (!same && write_files(esp, spot, data, len) != 0)
        return -1;
    if (entry && make_entries(esp, spot, w->dry_run, number) != 0)
        return -1;
    if (same || !w->dry_run)
        printf("%s: %s (%s%s%s)\n", esp->subject, same ? "up to date" : "installed", install_esp_spots[spot].name,
               number[0] ? ", boot entry " : "", number);
    return 0;
}

int install_esp_install(const struct install_esp_wanted *w)
{
    struct esps all = { 0 };
    size_t len;
    unsigned spot = 0;
    int r = -1;
    uint8_t *data = read_image(w, &len);
    if (!data)
        return EXIT_FAIL;
    while (install_esp_spots[spot].machine != embed_pe_machine(data, len) || !install_esp_spots[spot].entry != w->removable)
        spot++;
    bool entry = !w->removable && !w->no_nvram;
    if (entry && !install_nvram_running()) {
        tool_error(NULL, "note: this system was not started by UEFI, so no boot entry is made (--removable needs none)");
        entry = false;
    } else if (entry && !install_nvram_tool()) {
        tool_error(NULL, "a boot entry is made by efibootmgr, which is not installed (--no-nvram: without an entry)");
        goto done;
    }
    if (open_all(&all, w, true) == 0)
        r = 0;
    for (size_t i = 0; r == 0 && i < all.count; i++)
        r = may_install(&all.items[i], spot, entry, data, len);
    for (size_t i = 0; r == 0 && i < all.count; i++)
        r = install_one(&all.items[i], w, spot, entry, data, len);
done:
    close_all(&all);
    free(data);
    return r == 0 ? tool_flush() : EXIT_FAIL;
}

// ---- status, verify ------------------------------------------------------------------------------------

static bool any_ours(const struct install_esp *esp)
{
    bool ours = false;
    for (unsigned i = 0; i < INSTALL_ESP_SPOTS; i++)
        ours |= esp->spots[i].ours;
    return ours;
}

int install_esp_status(const struct install_esp_wanted *w)
{
    struct esps all = { 0 };
    struct report r;
    int status = EXIT_FAIL;
    if (open_all(&all, w, false) == 0) {
        report_begin(&r, w->json);
        report_list(&r, "disks");
        for (size_t i = 0; i < all.count; i++) {
            report_item(&r, "disk", (unsigned)i);
            report_text(&r, "path", "%s", all.items[i].subject);
            report_text(&r, "place", "%s", any_ours(&all.items[i]) ? "esp" : "none");
            install_esp_report(&r, &all.items[i]);
        }
        report_list_end(&r);
        report_end(&r);
        status = tool_flush();
    }
    close_all(&all);
    return status;
}

static bool has_entry(const struct install_esp *esp, unsigned spot)
{
    struct install_nvram_file file;
    char number[INSTALL_NVRAM_NUMBER_MAX];
    if (!install_nvram_running() || !install_nvram_tool())
        return true; // nobody knows
    for (unsigned i = 0; i < esp->partition_count; i++)
        if (install_esp_entry(esp, &install_esp_spots[spot], i, &file) && install_nvram_find(&file, number) != 0)
            return false;
    return true;
}

// Number of differences of one from what an install leaves, each said.
static int check(const struct esps *all, size_t at, const struct install_esp_wanted *w, const uint8_t *image, size_t len)
{
    const struct install_esp *esp = &all->items[at];
    int found = 0;
    if (!any_ours(esp))
        return tool_error(esp->subject, "holds no Signet");
    for (unsigned i = 0; i < INSTALL_ESP_SPOTS; i++) {
        const struct install_esp_spot *spot = &install_esp_spots[i];
        if (!esp->spots[i].ours)
            continue;
        if (!embed_pe_intact(esp->spots[i].data, esp->spots[i].len))
            found += tool_error(esp->subject, "%s is damaged: its checksum does not hold", spot->name);
        else if (image && embed_pe_machine(image, len) == spot->machine && !holds(esp, i, image, len))
            found += tool_error(esp->subject, "%s is not %s", spot->name, w->image);
        else if (artefact_check_anchors(esp->subject, esp->spots[i].data, esp->spots[i].len, w->no_anchors) != 0)
            found++;
        for (size_t k = 0; k < at; k++)
            if (all->items[k].spots[i].ours && !holds(esp, i, all->items[k].spots[i].data, all->items[k].spots[i].len))
                found += tool_error(esp->subject, "%s is another one than on %s", spot->name, all->items[k].subject);
        if (!w->no_nvram && !has_entry(esp, i))
            found += tool_error(esp->subject, "%s has no boot entry", spot->name);
    }
    if (found == 0)
        printf("%s: as installed\n", esp->subject);
    return found;
}

int install_esp_verify(const struct install_esp_wanted *w)
{
    struct esps all = { 0 };
    size_t len = 0;
    int found = 0;
    uint8_t *image = w->image ? read_image(w, &len) : NULL;
    bool readable = (image || !w->image) && open_all(&all, w, false) == 0;
    for (size_t i = 0; readable && i < all.count; i++)
        found += check(&all, i, w, image, len);
    close_all(&all);
    free(image);
    return readable && found == 0 ? tool_flush() : EXIT_FAIL;
}

// ---- remove --------------------------------------------------------------------------------------------

static int remove_entries(const struct install_esp *esp, unsigned spot, bool dry_run)
{
    struct install_nvram_file file;
    char number[INSTALL_NVRAM_NUMBER_MAX];
    int r = 0;
    for (unsigned i = 0; r >= 0 && i < esp->partition_count && install_nvram_running() && install_nvram_tool(); i++) {
        r = install_esp_entry(esp, &install_esp_spots[spot], i, &file) ? install_nvram_find(&file, number) : 1;
        if (r == 0)
            r = install_nvram_delete(number, dry_run);
    }
    return MIN(r, 0);
}

// A folder with something else in it stays.
static void remove_empty_folders(struct install_files *files)
{
    static const char *const folders[] = { "EFI/signet", "EFI/BOOT", "EFI" };
    for (size_t i = 0; !files->dry_run && i < ARRAY_SIZE(folders); i++)
        (void)files->remove(files, folders[i]);
    (void)files->sync(files);
}

// What a spot has beside its file and is Signet's: in the folder of our own also half of a file that a power cut has left.
static bool beside_is_ours(struct install_esp *esp, const struct install_esp_spot *spot, const char *name)
{
    uint8_t *data;
    size_t len;
    if (install_files_get(&esp->files, name, &data, &len) != 0)
        return false;
    bool ours = spot->entry || embed_pe_machine(data, len);
    free(data);
    return ours;
}

// 0, or -1 after a message. Also finishes a removal that was cut short.
static int remove_spot(struct install_esp *esp, const struct install_esp_wanted *w, unsigned i)
{
    const struct install_esp_spot *spot = &install_esp_spots[i];
    const char *const beside[] = { spot->saved, spot->old, spot->fresh, spot->bad };
    // The entry first, so that none is left that leads nowhere.
    if (esp->spots[i].ours && ((!w->no_nvram && remove_entries(esp, i, w->dry_run) != 0) ||
                               install_files_restore(&esp->files, spot->name, spot->saved) != 0))
        return -1;
    for (size_t k = 0; k < ARRAY_SIZE(beside); k++) {
        if (!beside_is_ours(esp, spot, beside[k]))
            continue;
        if (install_files_remove(&esp->files, beside[k]) != 0)
            return -1;
    }
    return 0;
}

// Whether there is anything to be removed; a message when there is not.
static int may_remove(struct install_esp *esp)
{
    for (unsigned i = 0; i < INSTALL_ESP_SPOTS; i++) {
        const struct install_esp_spot *spot = &install_esp_spots[i];
        const char *const beside[] = { spot->saved, spot->old, spot->fresh, spot->bad };
        bool any = esp->spots[i].ours;
        for (size_t k = 0; k < ARRAY_SIZE(beside); k++)
            any = any || beside_is_ours(esp, spot, beside[k]);
        if (any)
            return install_files_may_change(&esp->files);
    }
    tool_error(esp->subject, "holds no Signet");
    return -1;
}

static int remove_one(struct install_esp *esp, const struct install_esp_wanted *w)
{
    for (unsigned i = 0; i < INSTALL_ESP_SPOTS; i++)
        if (remove_spot(esp, w, i) != 0)
            return -1;
    remove_empty_folders(&esp->files);
    if (!w->dry_run)
        printf("%s: removed\n", esp->subject);
    return 0;
}

int install_esp_remove(const struct install_esp_wanted *w)
{
    struct esps all = { 0 };
    int r = open_all(&all, w, true);
    for (size_t i = 0; r == 0 && i < all.count; i++)
        r = may_remove(&all.items[i]);
    for (size_t i = 0; r == 0 && i < all.count; i++)
        r = remove_one(&all.items[i], w);
    close_all(&all);
    return r == 0 ? tool_flush() : EXIT_FAIL;
}
