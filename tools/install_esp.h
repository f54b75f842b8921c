// SPDX-License-Identifier: MPL-2.0
// Signet on EFI system partitions: found by disk or by the folder that they are mounted at, and what lies on them.
// Everything goes through the mounted file system. Signet lies in one of two folders:
//   EFI/signet   ipxe.efi or ipxe-arm64.efi, started by a boot entry of the firmware
//   EFI/BOOT     BOOTX64.EFI or BOOTAA64.EFI, which firmware starts without an entry (removable media)
// Beside a file its previous version is kept (.old), in EFI/BOOT also what was there before Signet (.saved).
#pragma once
#include "install_files.h"
#include "install_nvram.h"
#include "install_place.h"
#include "opts.h"
#include "report.h"

#define INSTALL_ESP_SPOTS 4
#define INSTALL_ESP_PARTITIONS 8
struct install_esp_spot {
    const char *title; // "x64", "removable arm64"
    unsigned machine;  // enum pe_machine
    const char *entry; // the file as boot entries name it; NULL: none is needed
    const char *folder, *name, *old, *saved, *fresh, *bad;
};
extern const struct install_esp_spot install_esp_spots[INSTALL_ESP_SPOTS];

struct install_esp {
    const char *subject;  // what was named: a disk or a folder
    char *mount;          // where it is mounted
    // The partitions that it lies on: one, or on RAID 1 each member. None: the system does not know.
    struct install_esp_partition {
        char *disk;
        unsigned number;
        char signature[48]; // install_nvram.h
    } partitions[INSTALL_ESP_PARTITIONS];
    unsigned partition_count;
    struct install_files files;
    struct {
        bool ours;        // Signet's, if damaged; else another system's file, or none
        uint8_t *data;    // NULL: none
        size_t len;
    } spots[INSTALL_ESP_SPOTS];
};

// The mounted EFI system partition of a disk, or the one that is mounted at a folder; what is mounted on demand is. One that is a
// member of a RAID 1 is found where the array is mounted; one that was mounted behind its array's back is refused. With
// `any_fs` the folder may be of another file system than FAT. 0, or -1 after a message; close it in either case.
int install_esp_open_disk(struct install_esp *esp, const char *disk);
int install_esp_open_folder(struct install_esp *esp, const char *folder, bool any_fs);

// Reads what lies on it. 0, or -1 after a message (also when another installer is at work).
int install_esp_read(struct install_esp *esp, bool writable);
void install_esp_close(struct install_esp *esp);

// Where a disk's EFI system partition is mounted, by itself or as a member of an array (free()); NULL: it is not, or there is none,
// or several.
char *install_esp_mounted(const struct install_dev *dev, const struct install_table *table, unsigned *ret_number, unsigned *ret_count);

// The file of a spot as boot entries name it on partition `i` of esp->partition_count. False when no entry can.
bool install_esp_entry(const struct install_esp *esp, const struct install_esp_spot *spot, unsigned i, struct install_nvram_file *ret);

// The facts about one, as fields of an item.
void install_esp_report(struct report *r, const struct install_esp *esp);

// What `signet install` was asked to do with them.
struct install_esp_wanted {
    const struct opt_list *disks, *folders;
    const char *image; // NULL: none
    bool removable, no_nvram, no_anchors, dry_run, force, json;
};

// Each does all of it: messages, output, exit status (install_esp_run.c).
int install_esp_install(const struct install_esp_wanted *w);
int install_esp_status(const struct install_esp_wanted *w);
int install_esp_verify(const struct install_esp_wanted *w);
int install_esp_remove(const struct install_esp_wanted *w);
