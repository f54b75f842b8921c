// SPDX-License-Identifier: MPL-2.0
// See install_esp.h.
#include "install_esp.h"
#include "file.h"
#include "base/bytes.h"
#include "crypto/digest.h"
#include "embed_pe.h"
#include "install_raid.h"
#include "install_sys.h"
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

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

static char *find_mounted(const struct install_dev *dev, const struct install_table *table, unsigned *ret_number, unsigned *ret_count)
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
        struct install_sys_array array;
        char *where = install_sys_mounted(device, true);
        if (!where && install_sys_array(device, &array)) {
            where = array.plain ? install_sys_mounted(array.number, true) : NULL;
            free(array.file);
        }
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

char *install_esp_mounted(const struct install_dev *dev, const struct install_table *table, unsigned *ret_number, unsigned *ret_count)
{
    char *found = find_mounted(dev, table, ret_number, ret_count);
    return found || *ret_count == 0 || !dev->block || !install_sys_automount() ? found : find_mounted(dev, table, ret_number, ret_count);
}

// A partition as boot entries name it, and whether it is a member of an array, which then is no file system of its own. 0, or -1
// after a message.
static int identify(struct install_esp_partition *esp, struct install_dev *dev, const struct install_table *table, const char **ret_raid)
{
    uint8_t sector[INSTALL_SECTOR_MAX];
    char guid[GPT_GUID_TEXT];
    *ret_raid = NULL;
    for (unsigned i = 0; i < table->count; i++) {
        const struct partition *p = &table->items[i];
        if (p->number != esp->number)
            continue;
        if (table->kind == INSTALL_TABLE_GPT) {
            gpt_guid_format(p->uuid, guid);
            snprintf(esp->signature, sizeof esp->signature, "GPT,%s", guid);
        } else {
            if (install_dev_read(dev, 0, dev->unit, sector) != 0)
                return -1;
            snprintf(esp->signature, sizeof esp->signature, "MBR,0x%" PRIx32, load32_le(sector + MBR_DISK_SIGNATURE));
        }
        return install_raid_find(dev, p->first * dev->unit, p->sectors * dev->unit, ret_raid);
    }
    return 0;
}

// Takes a partition of the system into the list. `in_array`: as a member of the array that is mounted.
static int add_partition(struct install_esp *esp, dev_t number, bool in_array)
{
    struct install_dev dev;
    struct install_table table;
    struct install_esp_partition *p = &esp->partitions[esp->partition_count];
    const char *raid;
    if (esp->partition_count == INSTALL_ESP_PARTITIONS || !install_sys_disk(number, &p->disk, &p->number))
        return 0;
    esp->partition_count++;
    if (install_dev_open(&dev, p->disk, INSTALL_DEV_TABLE) != 0)
        return -1;
    int r = install_table_read(&dev, &table);
    if (r == 0)
        r = identify(p, &dev, &table, &raid);
    install_dev_close(&dev);
    if (r != 0 || !raid || in_array)
        return r;
    tool_error(esp->subject, "partition %u of %s is a member of a RAID array (%s) and mounted by itself, behind the array's back: unmount it, "
                             "start the array (`mdadm --assemble --scan`), mount that one, and again", p->number, p->disk, raid);
    return -1;
}

// What a mounted file system lies on.
static int add_device(struct install_esp *esp, dev_t device)
{
    struct install_sys_array array;
    dev_t members[INSTALL_ESP_PARTITIONS];
    int r = 0;
    if (!install_sys_is_array(device, &array))
        return add_partition(esp, device, false);
    if (!array.plain) {
        tool_error(esp->subject, "lies on the array %s, which no firmware can read: it takes RAID 1 with metadata 1.0", array.file);
        r = -1;
    }
    size_t count = MIN(install_sys_members(device, members, INSTALL_ESP_PARTITIONS), (size_t)INSTALL_ESP_PARTITIONS);
    for (size_t i = 0; r == 0 && i < count; i++)
        r = add_partition(esp, members[i], true);
    free(array.file);
    return r;
}

int install_esp_read(struct install_esp *esp, bool writable)
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

// Why a partition of a block device is not mounted, and what to do. Advice that is right for a partition breaks an array.
static void say_unmounted(struct install_dev *dev, const struct partition *p, dev_t device)
{
    struct install_sys_array array;
    const char *raid;
    char *file = install_sys_file(device);
    if (install_sys_array(device, &array)) {
        if (array.plain)
            tool_error(dev->path, "partition %u, its EFI system partition, is a member of the array %s, which is not mounted: `mount %s /boot/efi`, "
                                  "and again", p->number, array.file, array.file);
        else
            tool_error(dev->path, "partition %u, its EFI system partition, is a member of the array %s, which no firmware can read: it takes "
                                  "RAID 1 with metadata 1.0", p->number, array.file);
        free(array.file);
    } else if (install_raid_find(dev, p->first * dev->unit, p->sectors * dev->unit, &raid) == 0) {
        if (raid)
            tool_error(dev->path, "partition %u, its EFI system partition, is a member of a RAID array (%s) that does not run: "
                                  "`mdadm --assemble --scan`, mount the array, and again", p->number, raid);
        else
            tool_error(dev->path, "partition %u, its EFI system partition, is not mounted: `mount %s /boot/efi`, and again", p->number,
                       file ? file : "PARTITION");
    }
    free(file);
}

static void say_not_mounted(struct install_dev *dev, const struct install_table *table, unsigned number, unsigned count)
{
    struct stat st;
    dev_t device = 0;
    if (count == 0) {
        tool_error(dev->path, "%s", table->kind == INSTALL_TABLE_DAMAGED ? table->damage : "has no EFI system partition");
    } else if (!dev->block || fstat(dev->fd, &st) != 0) {
        tool_error(dev->path, "is an image file: attach it (`losetup --find --show --partscan`), mount partition %u, "
                              "and name the folder by --esp-path", number);
    } else if (count > 1) {
        tool_error(dev->path, "has %u EFI system partitions: mount one, and name its folder by --esp-path", count);
    } else {
        (void)install_sys_partition(st.st_rdev, number, &device);
        for (unsigned i = 0; i < table->count; i++)
            if (table->items[i].number == number)
                say_unmounted(dev, &table->items[i], device);
    }
}

int install_esp_open_disk(struct install_esp *esp, const char *disk)
{
    struct install_dev dev;
    struct install_table table;
    unsigned count = 0, number;
    struct stat st;
    *esp = (struct install_esp){ .subject = disk, .files.fd = -1 };
    if (install_dev_open(&dev, disk, INSTALL_DEV_TABLE) != 0)
        return -1;
    int r = install_table_read(&dev, &table);
    if (r == 0) {
        esp->mount = install_esp_mounted(&dev, &table, &number, &count);
        if (!esp->mount)
            say_not_mounted(&dev, &table, number, count);
        r = esp->mount ? 0 : -1;
    }
    install_dev_close(&dev);
    if (r == 0 && stat(esp->mount, &st) != 0) {
        tool_errno(esp->mount, errno);
        r = -1;
    }
    return r == 0 ? add_device(esp, st.st_dev) : r;
}

int install_esp_open_folder(struct install_esp *esp, const char *folder, bool any_fs)
{
    struct statfs fs;
    struct stat st;
    *esp = (struct install_esp){ .subject = folder, .mount = tool_strdup(folder), .files.fd = -1 };
    // Opened, since a mere look does not make the system mount what it mounts on demand.
    int fd = file_open_target(folder, O_RDONLY | O_DIRECTORY);
    if (fd < 0)
        return -1;
    int err = fstat(fd, &st) != 0 || fstatfs(fd, &fs) != 0 ? errno : 0;
    close(fd);
    if (err) {
        tool_errno(folder, err);
        return -1;
    }
    bool fat = fs.f_type == MSDOS_SUPER_MAGIC;
    if (!any_fs && (!fat || st.st_ino != FAT_ROOT_INODE)) {
        tool_error(folder, fat ? "is a folder of an EFI system partition: name the one that it is mounted at"
                               : "is not on a FAT file system: is the EFI system partition mounted there? (--force: all the same)");
        return -1;
    }
    return add_device(esp, st.st_dev);
}

void install_esp_close(struct install_esp *esp)
{
    for (unsigned i = 0; i < INSTALL_ESP_SPOTS; i++)
        free(esp->spots[i].data);
    install_files_close(&esp->files);
    free(esp->mount);
    for (unsigned i = 0; i < esp->partition_count; i++)
        free(esp->partitions[i].disk);
}

bool install_esp_entry(const struct install_esp *esp, const struct install_esp_spot *spot, unsigned i, struct install_nvram_file *ret)
{
    if (!spot->entry || i >= esp->partition_count || !esp->partitions[i].signature[0])
        return false;
    const struct install_esp_partition *p = &esp->partitions[i];
    *ret = (struct install_nvram_file){ .disk = p->disk, .partition = p->number, .signature = p->signature, .path = spot->entry };
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
    for (unsigned k = 0; k < MAX(esp->partition_count, 1u); k++) {
        bool known = install_nvram_running() && install_nvram_tool() && install_esp_entry(esp, spot, k, &file);
        int found = known ? install_nvram_find(&file, number) : -1;
        char *title = k ? tool_format("boot entry %u", k + 1) : tool_strdup("boot entry");
        report_text(r, field(spot, title, name), "%s", found == 0 ? number : found > 0 ? "none" : "not known");
        free(title);
    }
}

void install_esp_report(struct report *r, const struct install_esp *esp)
{
    report_text(r, "esp", "%s", esp->mount);
    if (esp->partition_count)
        report_number(r, "esp partition", esp->partitions[0].number);
    if (esp->partition_count > 1)
        report_number(r, "esp members", esp->partition_count);
    for (unsigned i = 0; i < INSTALL_ESP_SPOTS; i++)
        if (esp->spots[i].ours)
            report_spot(r, esp, i);
}
