// SPDX-License-Identifier: MPL-2.0
// The head of a slot on a disk: what boot slots (bootslot.h) and image slots (imgslot.h) have in common. One sector, so
// that a disk writes it whole or not at all:
//
//   magic (8) | u32 version | the slot's fields to byte 63 | SHA-256 of bytes 0-63 | zeros to byte 511
#pragma once
#include "base/err.h"
#include "crypto/digest.h"

#define SLOTHEAD_SIZE 512
enum slothead_offset {
    SLOTHEAD_AT_MAGIC = 0,
    SLOTHEAD_AT_VERSION = 8,
    SLOTHEAD_AT_FIELDS = 12,
    SLOTHEAD_AT_SUM = 64,
    SLOTHEAD_AT_END = 96,
};

// The larger is the newer.
static inline uint64_t slothead_next_sequence(uint64_t last)
{
    return last == UINT64_MAX ? last : last + 1;
}

// Everything but the fields. ERR_TRUNCATED (less than SLOTHEAD_SIZE bytes), ERR_NOT_FOUND (no such magic),
// ERR_UNSUPPORTED (version), ERR_INVALID (sum wrong, or bytes behind it that are not zero).
int slothead_check(const uint8_t *sector, size_t len, const char *magic, uint32_t version);

// Completes a sector whose fields are filled in and which is zero elsewhere.
void slothead_finish(uint8_t sector[SLOTHEAD_SIZE], const char *magic, uint32_t version);
