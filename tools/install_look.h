// SPDX-License-Identifier: MPL-2.0
// The disks of one call of `signet install`, as install.c found them, and the two actions that only look at them.
#pragma once
#include "install_place.h"
#include "install_slots.h"
#include "opts.h"

enum install_action { INSTALL_DO_INSTALL, INSTALL_DO_STATUS, INSTALL_DO_VERIFY, INSTALL_DO_REMOVE };

struct install_wanted {
    enum install_action action;
    struct opt_list disks, folders;
    bool kinds[INSTALL_KINDS], esp, removable, no_nvram, no_anchors, dry_run, refresh, force, json;
    int kind; // -1: not said
    const char *image, *mbr, *pool, *slot;
};

// Whether the options go together; w->action and w->kind are set. -1: they do; else the exit status, after a message.
int install_check_usage(struct install_wanted *w, const struct opt_list *operands);

struct install_target {
    struct install_dev dev;
    struct install_table table;
    struct install_area area;
    struct install_slots slots;
    bool found; // area and slots are set
    bool room[INSTALL_KINDS]; // places that were looked for and are there, whether or not anything of Signet's lies in them
    char pool[ZFSLABEL_NAME_MAX]; // of room[INSTALL_ZFS]
};

struct install_targets {
    struct install_target *items;
    size_t count;
};

// Reads mbr.bin, the one that was named or the one beside the image. 0, or -1 after a message.
int install_mbr_read(const struct install_wanted *w, uint8_t code[MBR_CODE_SIZE]);

// The disk with the newest boot bits; NULL: none has any.
const struct install_target *install_newest(const struct install_targets *all);

// Exit statuses, after output or messages.
int install_status(const struct install_targets *all, const struct install_wanted *w);
int install_verify(struct install_targets *all, const struct install_wanted *w);
