// SPDX-License-Identifier: MPL-2.0
// The boot entries of a running UEFI, read and written by the program efibootmgr.
#pragma once
#include "tool.h"

// A file that an entry starts.
struct install_nvram_file {
    const char *disk;      // "/dev/sda"
    unsigned partition;    // its number
    const char *signature; // of the partition, as efibootmgr prints it: "GPT,<lower-case GUID>" or "MBR,0x<disk signature>"
    const char *path;      // "\EFI\signet\ipxe.efi"
};

// Whether a UEFI with boot entries runs this system, and whether there is an efibootmgr to change them.
bool install_nvram_running(void);
bool install_nvram_tool(void);

#define INSTALL_NVRAM_LABEL "Signet"
#define INSTALL_NVRAM_NUMBER_MAX 5 // "0003"

// Whether a line of `efibootmgr -v` is an entry that starts the file; its number.
bool install_nvram_match(const char *line, const struct install_nvram_file *file, char ret_number[INSTALL_NVRAM_NUMBER_MAX]);

// The entry that starts the file: 0; 1: there is none; -1 after a message.
int install_nvram_find(const struct install_nvram_file *file, char ret_number[INSTALL_NVRAM_NUMBER_MAX]);

// Makes an entry, the first in the boot order; removes one. With dry_run the command is printed. 0, or -1 after a message.
int install_nvram_create(const struct install_nvram_file *file, bool dry_run);
int install_nvram_delete(const char *number, bool dry_run);
