// SPDX-License-Identifier: MPL-2.0
// A program of its own, at UNPACKER_BASE (bios/layout.h): start.S copies it there from the file, calls it once, and clears the
// place afterwards. It is linked by itself, since nothing of the protected-mode part is there before it has run.
#include "unpack/unpack.h"

// No variable is cleared in front of the call: of this one nothing is read before it is written.
static struct unpack_work work;

int unpacker(const uint8_t *packed, const uint8_t *end, uint8_t *to, size_t size);

// Unpacks [packed, end) to exactly `size` bytes at `to`, behind which is room. 0, or not.
__attribute__((section(".text.entry"))) int unpacker(const uint8_t *packed, const uint8_t *end, uint8_t *to, size_t size)
{
    size_t len = 0;
    int err = unpack(packed, (size_t)(end - packed), to, size + 1, &work, &len);
    return err ? err : len == size ? 0 : ERR_INVALID;
}
