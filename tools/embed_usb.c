// SPDX-License-Identifier: MPL-2.0
// See embed_usb.h.
#include "embed_usb.h"
#include "base/bytes.h"
#include "file.h"
#include "block/fat.h"
#include "install_place.h"
#include "install_slots.h"
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#define EFI_FILE_MAX (16 * MIB)
#define COPY_SIZE (1 * MIB)
#define RUN_SECTORS 2048

// Where a part lies: in a slot (efi NULL), or in a file of the FAT file system in a partition.
struct place {
    unsigned slot;
    const char *efi;
    uint64_t volume; // first sector
    uint64_t sectors;
};

struct embed_usb {
    struct install_dev dev;
    struct install_table table;
    struct install_area area;
    struct install_slots slots;
    struct embed_usb_part *parts;
    struct place places[EMBED_USB_PARTS];
    size_t count;
    uint64_t volume; // that `fat` reads
    struct fat fat;
};

int embed_usb_is(const char *path)
{
    uint8_t sector[INSTALL_SECTOR] = { 0 };
    struct stat st;
    int fd = file_open(path, &st);
    if (fd < 0)
        return -1;
    int r = st.st_size < INSTALL_SECTOR ? 0 : file_read_at(fd, path, 0, sector, sizeof sector);
    if (r == 0)
        r = load32_le(sector + MBR_FIELDS) == MBR_MAGIC && load16_le(sector + 510) == 0xaa55;
    close(fd);
    return r;
}

// --- what is in it ---

static int add(struct embed_usb *usb, const struct place *place, const char *name, uint8_t *data, size_t len)
{
    if (usb->count == EMBED_USB_PARTS) {
        tool_error(usb->dev.path, "holds more than %d artefacts", EMBED_USB_PARTS);
        free(data);
        return -1;
    }
    usb->places[usb->count] = *place;
    usb->parts[usb->count++] = (struct embed_usb_part){
        .artefact = { .name = tool_format("%s: %s", usb->dev.path, name), .data = data, .len = len, .fixed = place->efi != NULL }
    };
    return 0;
}

static int find_slots(struct embed_usb *usb)
{
    const char *why;
    int r = install_area_find(&usb->dev, &usb->table, INSTALL_GAP, NULL, &usb->area, &why);
    if (r > 0)
        tool_error(usb->dev.path, "%s", why);
    if (r != 0 || install_slots_read(&usb->dev, usb->area.lba, usb->area.sectors, &usb->slots) != 0)
        return -1;
    for (unsigned i = 0; i < BOOTSLOT_COUNT; i++) {
        const struct place place = { .slot = i };
        char name[] = "slot A";
        name[sizeof name - 2] = (char)('A' + i);
        if (usb->slots.header[i] && !usb->slots.good[i])
            tool_error(usb->dev.path, "note: %s is damaged and stays as it is", name);
        if (!usb->slots.good[i])
            continue;
        uint8_t *data = tool_alloc(usb->slots.slots[i].length);
        memcpy(data, usb->slots.payloads[i], usb->slots.slots[i].length);
        if (add(usb, &place, name, data, usb->slots.slots[i].length) != 0)
            return -1;
    }
    return 0;
}

static int read_sector(void *ctx, uint32_t sector, void *buf)
{
    struct embed_usb *usb = ctx;
    return install_dev_read(&usb->dev, usb->volume + sector, 1, buf) == 0 ? 0 : ERR_IO;
}

// 0, ERR_NOT_FOUND (no such file, or no FAT file system), or another error after a message.
static int find_file(struct embed_usb *usb, const struct place *place, struct fat_file *ret)
{
    const struct fat_ops ops = { usb, read_sector };
    usb->volume = place->volume;
    int err = fat_mount(&usb->fat, &ops, INSTALL_SECTOR, place->sectors);
    if (!err)
        err = fat_find(&usb->fat, place->efi, ret);
    if (err == ERR_UNSUPPORTED)
        err = ERR_NOT_FOUND; // made for disks with other sectors: no firmware finds a file there either
    if (err && err != ERR_NOT_FOUND)
        tool_error(usb->dev.path, "%s: %s", place->efi, err_text(err == ERR_INVALID ? ERR_DISK_FILES : err));
    return err;
}

// Calls `move` for each run of a file: sectors of the image, and where in the file their bytes are.
typedef int move_run(void *ctx, struct embed_usb *usb, uint64_t lba, size_t offset, size_t bytes);
static int each_run(struct embed_usb *usb, struct fat_file *file, move_run *move, void *ctx)
{
    struct fat_run run;
    for (size_t at = 0;; at += run.bytes) {
        if (fat_run(&usb->fat, file, RUN_SECTORS, &run) != 0) {
            tool_error(usb->dev.path, "%s", err_text(ERR_DISK_FILES));
            return -1;
        }
        if (run.bytes == 0)
            return 0;
        if (move(ctx, usb, usb->volume + run.sector, at, run.bytes) != 0)
            return -1;
    }
}

static int read_run(void *ctx, struct embed_usb *usb, uint64_t lba, size_t offset, size_t bytes)
{
    return file_read_at(usb->dev.fd, usb->dev.path, lba * INSTALL_SECTOR, (uint8_t *)ctx + offset, bytes);
}

static int find_efi(struct embed_usb *usb, const struct place *place)
{
    struct fat_file file;
    int err = find_file(usb, place, &file);
    if (err)
        return err == ERR_NOT_FOUND ? 0 : -1;
    if (file.size == 0 || file.size > EFI_FILE_MAX) {
        tool_error(usb->dev.path, "%s has %u bytes", place->efi, file.size);
        return -1;
    }
    uint32_t size = file.size;
    uint8_t *data = tool_alloc(size);
    if (each_run(usb, &file, read_run, data) == 0)
        return add(usb, place, place->efi, data, size);
    free(data);
    return -1;
}

static int find_all(struct embed_usb *usb)
{
    static const char *const names[] = { "EFI/BOOT/BOOTX64.EFI", "EFI/BOOT/BOOTAA64.EFI" };
    if (install_table_read(&usb->dev, &usb->table) != 0 || find_slots(usb) != 0)
        return -1;
    for (unsigned i = 0; i < usb->table.count; i++) {
        const struct partition *p = &usb->table.items[i];
        for (size_t n = 0; n < ARRAY_SIZE(names); n++) {
            const struct place place = { .efi = names[n], .volume = p->first, .sectors = p->sectors };
            if (find_efi(usb, &place) != 0)
                return -1;
        }
    }
    if (usb->count == 0)
        tool_error(usb->dev.path, "holds no intact Signet, neither in a slot nor as an EFI application");
    return usb->count ? 0 : -1;
}

struct embed_usb *embed_usb_open(const char *path, struct embed_usb_part parts[EMBED_USB_PARTS], size_t *ret_count)
{
    struct embed_usb *usb = tool_alloc(sizeof *usb);
    usb->parts = parts;
    if (install_dev_open(&usb->dev, path, false) != 0) {
        free(usb);
        return NULL;
    }
    if (find_all(usb) != 0) {
        embed_usb_close(usb);
        return NULL;
    }
    *ret_count = usb->count;
    return usb;
}

void embed_usb_close(struct embed_usb *usb)
{
    for (size_t i = 0; i < usb->count; i++) {
        free(usb->parts[i].artefact.data);
        free((char *)usb->parts[i].artefact.name);
        usb->parts[i] = (struct embed_usb_part){ 0 };
    }
    install_slots_free(&usb->slots);
    install_dev_close(&usb->dev);
    free(usb);
}

// --- the copy ---

static int copy(struct embed_usb *usb, struct file_out *out)
{
    static uint8_t buf[COPY_SIZE];
    struct file_extent known = { 0 };
    struct stat st;
    if (fstat(usb->dev.fd, &st) != 0) {
        tool_errno(usb->dev.path, errno);
        return -1;
    }
    uint64_t size = (uint64_t)st.st_size, n;
    for (uint64_t at = 0; at < size; at += n) {
        n = MIN(size - at, (uint64_t)COPY_SIZE);
        if (file_is_hole(usb->dev.fd, &known, at, n))
            continue;
        if (file_read_at(usb->dev.fd, usb->dev.path, at, buf, n) != 0 || file_out_write(out, at, buf, n) != 0)
            return -1;
    }
    return file_out_size(out, size);
}

// The stage in front of Signet stays, and with it the sum in the MBR; the header gets the new length and digest.
static int write_slot(struct embed_usb *usb, struct file_out *out, unsigned i, const struct embed_usb_part *part)
{
    uint8_t sector[INSTALL_SECTOR];
    struct bootslot slot = usb->slots.slots[i];
    uint64_t at = usb->slots.places[i].lba * INSTALL_SECTOR;
    uint64_t room = (uint64_t)usb->slots.places[i].sectors * INSTALL_SECTOR - BOOTSLOT_PAYLOAD;
    slot.length = (uint32_t)part->made_len;
    slot.tries = BOOTSLOT_CONFIRMED; // what a person puts onto a stick is no trial of an update
    sha256(part->made, part->made_len, slot.digest);
    if (part->made_len > room || bootslot_build(&slot, sector) != 0) {
        tool_error(part->artefact.name, "script and keys do not fit: %zu bytes, and there is room for %zu", part->made_len,
                   (size_t)room);
        return -1;
    }
    // What was longer before leaves nothing behind.
    uint8_t *payload = tool_alloc(room);
    memcpy(payload, part->made, part->made_len);
    int r = file_out_write(out, at, sector, sizeof sector);
    if (r == 0)
        r = file_out_write(out, at + BOOTSLOT_PAYLOAD, payload, room);
    free(payload);
    return r;
}

struct efi_write {
    struct file_out *out;
    const uint8_t *bytes;
};
static int write_run(void *ctx, struct embed_usb *usb, uint64_t lba, size_t offset, size_t bytes)
{
    const struct efi_write *w = ctx;
    return file_out_write(w->out, lba * INSTALL_SECTOR, w->bytes + offset, bytes);
}

static int write_part(struct embed_usb *usb, struct file_out *out, const struct place *place, const struct embed_usb_part *part)
{
    struct efi_write w = { out, part->made };
    struct fat_file file;
    if (!place->efi)
        return write_slot(usb, out, place->slot, part);
    return find_file(usb, place, &file) == 0 ? each_run(usb, &file, write_run, &w) : -1;
}

int embed_usb_write(struct embed_usb *usb, const char *output)
{
    struct file_out out;
    int r = file_out_begin(&out, output, 0666);
    if (r == 0)
        r = copy(usb, &out);
    for (size_t i = 0; r == 0 && i < usb->count; i++)
        r = write_part(usb, &out, &usb->places[i], &usb->parts[i]);
    if (r == 0)
        r = file_out_commit(&out, true);
    if (r != 0)
        file_out_abort(&out);
    return r;
}
