// SPDX-License-Identifier: MPL-2.0
// What the writers behind `signet mkimage` and `signet seal` are asked for.
#pragma once
#include "file.h"
#include "opts.h"

#define MKIMAGE_DATASET "rpool/ROOT/ramdisk" // what the Oxide tools put when nobody says otherwise
#define MKIMAGE_TARGET_MIB 4096              // likewise: the ramdisk's size on the target
#define MKIMAGE_ALLOW_HELP "arguments that a script may add, such as 'console=*'; may be repeated"
#define MKIMAGE_TARGET_MIB_MAX (1u << 24)

// The rows of their tables of options that are the same.
#define MKIMAGE_PROGRAM_OPTIONS(m)                                                                                            \
    OPTION_TEXT(0, "kernel", &(m).kernel, "F", "Linux kernel (bzImage or arm64 Image), or a unified kernel image"),            \
    OPTION_TEXT(0, "efi", &(m).efi, "F", "EFI application; --cmdline is its load options"),                                   \
    OPTION_TEXT(0, "nbp", &(m).nbp, "F", "network bootstrap program (PXE), as pxelinux.0 is one"),                             \
    OPTION_LIST(0, "initrd", &(m).initrds, "F", "initrd; repeat to have several, in this order")

struct mkimage {
    const char *output, *name, *product, *kernel, *efi, *nbp, *cmdline, *dataset, *sum_file;
    struct opt_list keys, initrds, ramdisks, allow;
    uint64_t counter, chunk_size, target_mib;
    bool target_given, compress, is_unsigned;
    bool detached; // a seal of files that stay where they are: an initrd is "FILE", or "FILE PATH [mode=OCTAL] [mkdir=N]"
};

// Judges all of it that can be judged without touching a file. -1 to go on, or an exit status after a message.
int mkimage_check(const struct mkimage *m);

// A phase-2 image, signed by the keys (or with an empty signature table), or a detached seal. An exit status.
int mkimage_seal(const struct mkimage *m);

// An Oxide image with a version-2 header around one raw ramdisk. An exit status.
int mkimage_oxide(const struct mkimage *m);
