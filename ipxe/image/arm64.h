// SPDX-License-Identifier: MPL-2.0
// Linux/arm64 "Image": the 64-byte header (Documentation/arm64/booting.rst). Pure: mkimage reads it to fill in PART, the
// firmware to check what it starts by the EFI stub.
#pragma once
#include "base/bytes.h"
#include "base/err.h"

#define ARM64_HEADER_SIZE 64
#define ARM64_ALIGN 0x10000 // what the EFI stub asks of its place at most
#define ARM64_CMDLINE_MAX 2047 // COMMAND_LINE_SIZE is 2048 with the NUL

struct arm64_image {
    uint64_t memory; // what the kernel takes from where it is loaded, BSS included: PART's `memory`
};

// Reads the header at the start of an Image. `data` holds its first `len` bytes, `file_size` is the size of the whole.
// ERR_TRUNCATED, ERR_BOOT_FORMAT (no Image, big-endian, or smaller in memory than in the file), ERR_BOOT_TOO_OLD (no
// size in the header, before Linux 3.17), ERR_BOOT_NO_STUB.
int arm64_parse(const uint8_t *data, size_t len, uint64_t file_size, struct arm64_image *ret);
