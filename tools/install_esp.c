// SPDX-License-Identifier: MPL-2.0
// See install_esp.h.
#include "install_esp.h"
#include "base/bytes.h"
#include "crypto/digest.h"
#include "embed_pe.h"
#include "install_sys.h"
#include <errno.h>
#include <inttypes.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#define FAT_ROOT_INODE 1
#define MBR_DISK_SIGNATURE 440

#define SPOT(title, machine, entry, folder, file)                                                                       \
    { title, machine, entry, folder, folder "/" file, folder "/" file ".old", folder "/" file ".saved", folder "/" file ".new", \
      folder "/" file ".bad" }
const struct install_esp_spot install_esp_spots[INSTALL_ESP_SPOTS] = {
    SPOT("x64", PE_MACHINE_X64, "\\EFI\\signet\\ipxe.efi", "EFI/signet", "ipxe.efi"),
    SPOT("arm64", PE_MACHINE_ARM64, "\\EFI\\signet\\ipxe-arm64.efi", "EFI/signet", "ipxe-arm64.efi"),
    SPOT("removable x64", PE_MACHINE_X64, NULL, "EFI/BOOT", "BOOTX64.EFI"),
    SPOT("removable arm64", PE_MACHINE_ARM64, NULL, "EFI/BOOT", "BOOTAA64.EFI"),
};

// ---- finding -------------------------------------------------------------------------------------------

static bool is_esp(const struct install_table *table, const struct partition *p)
{
    return table->kind == INSTALL_TABLE_GPT ? memcmp(p->type, GPT_TYPE_ESP, GPT_GUID_SIZE) == 0 : p->type[0] == MBR_TYPE_ESP;
}

char *install_esp_mounted(const struct install_dev *dev, const struct install_table *table, unsigned *ret_number, unsigned *ret_count)
{
    char *found = NULL;
    unsigned mounted = 0;
    struct stat st;
    *ret_number = *ret_count = 0;
    for (unsigned i = 0; i < table->count; i++) {
        const struct partition *p = &table->items[i];
        dev_t device;
        if (!is_esp(table, p))
            continue;
        if ((*ret_count)++ == 0)
            *ret_number = p->number;
        if (!dev->block || fstat(dev->fd, &st) != 0 || !install_sys_partition(st.st_rdev, p->number, &device))
            continue;
        char *where = install_sys_mounted(device, true);
        if (!where)
            continue;
        if (mounted++ == 0) {
            found = where;
            *ret_number = p->number;
        } else {
            free(where);
        }
    }
    if (mounted > 1) {
        free(found);
        found = NULL;
    }
    return found;
}

// The partition as boot entries name it.
static int identify(struct install_esp *esp, struct install_dev *dev, const struct install_table *table)
{
    uint8_t sector[INSTALL_SECTOR];
    char guid[GPT_GUID_TEXT];
    for (unsigned i = 0; i < table->count; i++) {
        if (table->items[i].number != esp->number)
            continue;
        if (table->kind == INSTALL_TABLE_GPT) {
            gpt_guid_format(table->items[i].uuid, guid);
            snprintf(esp->signature, sizeof esp->signature, "GPT,%s", guid);
        } else {
            if (dev->read(dev, 0, 1, sector) != 0)
                return -1;
            snprintf(esp->signature, sizeof esp->signature, "MBR,0x%" PRIx32, load32_le(sector + MBR_DISK_SIGNATURE));
        }
    }
    return 0;
}

static int read_spots(struct install_esp *esp, bool writable)
{
    if (install_files_open(&esp->files, esp->mount, writable) != 0)
        return -1;
    for (unsigned i = 0; i < INSTALL_ESP_SPOTS; i++) {
        int r = install_files_get(&esp->files, install_esp_spots[i].name, &esp->spots[i].data, &esp->spots[i].len);
        if (r < 0)
            return -1;
        // In the folder of our own whatever bears the name; in the other one there may be another system's file.
        esp->spots[i].ours =
            r == 0 && (install_esp_spots[i].entry || embed_pe_machine(esp->spots[i].data, esp->spots[i].len) == install_esp_spots[i].machine);
    }
    return 0;
}

// Why no partition was found, and what to do.
static void say_not_mounted(const struct install_esp *esp, const struct install_dev *dev, unsigned count)
{
    struct stat st;
    dev_t device;
    char *file = NULL;
    if (dev->block && fstat(dev->fd, &st) == 0 && install_sys_partition(st.st_rdev, esp->number, &device))
        file = install_sys_file(device);
    if (count == 0)
        tool_error(dev->path, "has no EFI system partition");
    else if (!dev->block)
        tool_error(dev->path, "is an image file: attach it (`losetup --find --show --partscan`), mount partition %u, "
                              "and name the folder by --esp-path", esp->number);
    else if (count > 1)
        tool_error(dev->path, "has %u EFI system partitions: mount one, and name its folder by --esp-path", count);
    else
        tool_error(dev->path, "partition %u, its EFI system partition, is not mounted: `mount %s /boot/efi`, and again", esp->number,
                   file ? file : "PARTITION");
    free(file);
}

int install_esp_open_disk(struct install_esp *esp, const char *disk, bool writable)
{
    struct install_dev dev;
    struct install_table table;
    unsigned count = 0;
    *esp = (struct install_esp){ .subject = disk, .disk = tool_strdup(disk), .files.fd = -1 };
    if (install_dev_open(&dev, disk, INSTALL_DEV_TABLE) != 0)
        return -1;
    int r = install_table_read(&dev, &table);
    if (r == 0 && table.kind == INSTALL_TABLE_DAMAGED) {
        tool_error(disk, "%s", table.damage);
        r = -1;
    } else if (r == 0) {
        esp->mount = install_esp_mounted(&dev, &table, &esp->number, &count);
        if (!esp->mount)
            say_not_mounted(esp, &dev, count);
        r = esp->mount ? identify(esp, &dev, &table) : -1;
    }
    install_dev_close(&dev);
    return r == 0 ? read_spots(esp, writable) : r;
}

int install_esp_open_folder(struct install_esp *esp, const char *folder, bool writable, bool any_fs)
{
    struct install_dev dev;
    struct install_table table;
    struct statfs fs;
    struct stat st;
    *esp = (struct install_esp){ .subject = folder, .mount = tool_strdup(folder), .files.fd = -1 };
    if (stat(folder, &st) != 0 || statfs(folder, &fs) != 0) {
        tool_errno(folder, errno);
        return -1;
    }
    bool fat = fs.f_type == MSDOS_SUPER_MAGIC;
    if (!any_fs && (!fat || st.st_ino != FAT_ROOT_INODE)) {
        tool_error(folder, fat ? "is a folder of an EFI system partition: name the one that it is mounted at"
                               : "is not on a FAT file system: is the EFI system partition mounted there? (--force: all the same)");
        return -1;
    }
    if (install_sys_disk(st.st_dev, &esp->disk, &esp->number)) {
        if (install_dev_open(&dev, esp->disk, INSTALL_DEV_TABLE) != 0)
            return -1;
        int r = install_table_read(&dev, &table);
        if (r == 0)
            r = identify(esp, &dev, &table);
        install_dev_close(&dev);
        if (r != 0)
            return -1;
    }
    return read_spots(esp, writable);
}

void install_esp_close(struct install_esp *esp)
{
    for (unsigned i = 0; i < INSTALL_ESP_SPOTS; i++)
        free(esp->spots[i].data);
    install_files_close(&esp->files);
    free(esp->mount);
    free(esp->disk);
}

bool install_esp_entry(const struct install_esp *esp, const struct install_esp_spot *spot, struct install_nvram_file *ret)
{
    if (!spot->entry || !esp->disk || !esp->signature[0])
        return false;
    *ret = (struct install_nvram_file){ .disk = esp->disk, .partition = esp->number, .signature = esp->signature, .path = spot->entry };
    return true;
}

// ---- looking -------------------------------------------------------------------------------------------

#define FIELD_MAX 40
static const char *field(const struct install_esp_spot *spot, const char *what, char name[FIELD_MAX])
{
    snprintf(name, FIELD_MAX, "%s %s", spot->title, what);
    return name;
}

// What a file beside it is: a version of Signet, or something else. NULL: there is none.
static const char *kept(const struct install_esp *esp, const char *name, char build[TOOL_BUILD_MAX])
{
    struct install_files files = esp->files;
    uint8_t *data;
    size_t len;
    if (install_files_get(&files, name, &data, &len) != 0)
        return NULL;
    bool ours = embed_pe_machine(data, len) && tool_find_build(data, len, build);
    free(data);
    return ours ? build : "something else";
}

static void report_spot(struct report *r, const struct install_esp *esp, unsigned i)
{
    const struct install_esp_spot *spot = &install_esp_spots[i];
    const uint8_t *data = esp->spots[i].data;
    size_t len = esp->spots[i].len;
    char name[FIELD_MAX], build[TOOL_BUILD_MAX], hex[2 * SHA256_SIZE + 1], number[INSTALL_NVRAM_NUMBER_MAX];
    uint8_t digest[SHA256_SIZE];
    struct install_nvram_file file;
    const char *beside;
    report_text(r, spot->title, "%s", embed_pe_intact(data, len) ? "good" : "damaged");
    report_text(r, field(spot, "file", name), "%s", spot->name);
    report_text(r, field(spot, "version", name), "%s", tool_find_build(data, len, build) ? build : "not known");
    report_number(r, field(spot, "size", name), len);
    sha256(data, len, digest);
    report_text(r, field(spot, "sha256", name), "%s", tool_hex(digest, sizeof digest, hex));
    if ((beside = kept(esp, spot->old, build)))
        report_text(r, field(spot, "previous", name), "%s", beside);
    if ((beside = kept(esp, spot->saved, build)))
        report_text(r, field(spot, "saved", name), "%s", beside);
    if (!spot->entry)
        return;
    bool known = install_nvram_running() && install_nvram_tool() && install_esp_entry(esp, spot, &file);
    int found = known ? install_nvram_find(&file, number) : -1;
    report_text(r, field(spot, "boot entry", name), "%s", found == 0 ? number : found > 0 ? "none" : "not known");
}

void install_esp_report(struct report *r, const struct install_esp *esp)
{
    report_text(r, "esp", "%s", esp->mount);
    if (esp->disk)
        report_number(r, "esp partition", esp->number);
    for (unsigned i = 0; i < INSTALL_ESP_SPOTS; i++)
        if (esp->spots[i].ours)
            report_spot(r, esp, i);
}
