// SPDX-License-Identifier: MPL-2.0
// What `signet embed` puts into a finished artefact: a slot in the binary that says where, and a blob
// (script, trust anchors, policy) at that place. Shared by the firmware and the tool; doc/embed-format.md.
#pragma once
#include "base/err.h"
#include "crypto/trust.h"

// The slot: 64 bytes, 16-aligned in the file, exactly one in an artefact; found by its magic.
#define EMBED_SLOT_MAGIC "SIGNET-EMBED-01" // 16 bytes with the NUL
#define EMBED_SLOT_SIZE 64
#define EMBED_SLOT_ALIGN 16
enum embed_slot_offset {
    SLOT_MAGIC = 0,     // 16 bytes
    SLOT_KIND = 16,     // u32 enum embed_kind
    SLOT_OFFSET = 20,   // u32 file offset of the blob, 0 = none yet
    SLOT_LENGTH = 24,   // u32 bytes of the blob
    SLOT_CAPACITY = 28, // u32 largest file the door can take, in bytes, 0 = no limit
    SLOT_BASE = 32,     // u32 size of the bare artefact (where a blob is appended), set by the linker
    SLOT_FLAGS = 36,    // u32 EMBED_FLAG_*; the rest of the slot is zero
};
// The cards stay the firmware's drivers': UNDI in BIOS, the Simple Network Protocol in UEFI.
#define EMBED_FLAG_FIRMWARE_DRIVERS 1u
#define EMBED_FLAGS EMBED_FLAG_FIRMWARE_DRIVERS // all that there are
// EMBED_EFI: a PE/COFF file whose slot lies in its last section, .signet. SLOT_BASE is 0: the blob follows the slot, in
// the file and in memory, and the section grows with it.
enum embed_kind { EMBED_NBP = 1, EMBED_EFI = 2 };

// The blob: magic (8), u32 length of the whole, u32 zero, SHA-256 of all that follows it (32); then
// entries: u16 type, u16 zero, u32 length, data, zero padding to 8. The sum finds damage, not attackers:
// who can write the artefact can write its anchors.
#define EMBED_BLOB_MAGIC "SGNTEMB1"
#define EMBED_BLOB_HEAD_SIZE 48
#define EMBED_BLOB_MAX (64 * 1024)
enum embed_entry {
    EMBED_SCRIPT = 1,    // text of the script, at most once
    EMBED_TRUST_KEY = 2, // SubjectPublicKeyInfo in DER, repeats
    EMBED_POLICY = 3,    // u32 threshold, u32 zero, u64 counter floor, product name (rest), at most once
};

struct embed {
    const char *script; // points into the blob; NULL without
    size_t script_len;
    struct trust_store trust;
};

// Reads a blob whole. ERR_EMBED_DAMAGED for a wrong sum or structure, ERR_KEY_* for a bad key, ERR_TRUST_FULL.
// *ret is emptied on an error.
int embed_parse(const uint8_t *blob, size_t len, struct embed *ret);

// Finds the slot in an artefact: its offset, or ERR_NOT_FOUND (none, or more than one).
int embed_find_slot(const uint8_t *file, size_t len, size_t *ret_offset);

// Where the blob belongs in the file, from the slot at `offset` in it.
uint32_t embed_slot_base(const uint8_t *slot, size_t offset);

// Serialises. `spki[i]` are DER keys. Returns the length or a negative error.
struct embed_source {
    const char *script;
    size_t script_len;
    const struct digest_piece *spki;
    size_t spki_count;
    uint32_t threshold;
    uint64_t counter_floor;
    const char *product; // NULL or ""
};
int embed_build(const struct embed_source *source, uint8_t *buf, size_t cap);
