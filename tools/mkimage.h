// SPDX-License-Identifier: MPL-2.0
// What the two writers behind `signet mkimage` are asked for.
#pragma once
#include "file.h"
#include "opts.h"

#define MKIMAGE_DATASET "rpool/ROOT/ramdisk" // what the Oxide tools put when nobody says otherwise
#define MKIMAGE_TARGET_MIB 4096              // likewise: the ramdisk's size on the target
#define MKIMAGE_TARGET_MIB_MAX (1u << 24)

struct mkimage {
    const char *output, *name, *product, *kernel, *efi, *nbp, *cmdline, *dataset, *sum_file;
    struct opt_list keys, initrds, ramdisks;
    uint64_t counter, chunk_size, target_mib;
    bool target_given, compress, is_unsigned;
};

// A phase-2 image, signed by the keys (or with an empty signature table). An exit status.
int mkimage_seal(const struct mkimage *m);

// An Oxide image with a version-2 header around one raw ramdisk. An exit status.
int mkimage_oxide(const struct mkimage *m);
