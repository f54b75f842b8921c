// SPDX-License-Identifier: MPL-2.0
// The signed phase-2 image: layout, reading, verification (doc/phase2-format.md is normative).
//
//   file = seal | chunk list | zero padding to 4096 | payload
//   detached seal = seal | chunk list; the payload's parts are files that lie elsewhere
//   seal = head (64 bytes) | body | signature table
//   the signed message = SEAL_DOMAIN (with its NUL) | head | body
//   image id = SHA-256 of the signed message
//
// The head holds every length, so nothing before the signature check depends on more than fixed offsets.
#pragma once
#include "base/bytes.h"
#include "base/err.h"
#include "crypto/trust.h"

#define SEAL_DOMAIN "signet phase-2 seal v1" // hashed with its terminating NUL: 23 bytes
#define SEAL_MAGIC "SIGNETP2"                // 8 bytes, no NUL
#define SEAL_VERSION 1
#define SEAL_HEAD_SIZE 64
#define SEAL_BODY_MAX (32 * 1024)
#define SEAL_TABLE_MAX (64 * 1024)
#define SEAL_MAX (SEAL_HEAD_SIZE + SEAL_BODY_MAX + SEAL_TABLE_MAX)
#define SEAL_SIGNATURES_MAX 16
#define SEAL_PARTS_MAX 16
#define SEAL_NAME_MAX 64     // with NUL
#define SEAL_CMDLINE_MAX 2048 // with NUL
#define NBP_SIZE_MAX 0x7c000u // PXE has it at 0x7C00, and base memory goes on for firmware's own
#define CHUNK_SIZE_DEFAULT (256 * 1024)
#define CHUNK_SIZE_MIN (4 * 1024)
#define CHUNK_SIZE_MAX (4 * 1024 * 1024)
#define CHUNK_COUNT_MAX (1u << 20)
#define PAYLOAD_ALIGN 4096 // every part starts on it, and so does the payload in the file
#define CHUNK_SIZE_DETACHED (64 * 1024) // default of detached seals, whose parts start on a chunk
#define SEAL_FRONT_MAX 4096

// Offsets in the head; all integers little-endian.
enum seal_head {
    HEAD_MAGIC = 0,         // 8 bytes
    HEAD_VERSION = 8,       // u16
    HEAD_SIZE = 10,         // u16 = 64
    HEAD_BODY_SIZE = 12,    // u32, multiple of 8, 8..SEAL_BODY_MAX
    HEAD_CHUNK_SIZE = 16,   // u32, power of two in [CHUNK_SIZE_MIN, CHUNK_SIZE_MAX]
    HEAD_CHUNK_COUNT = 20,  // u32 = ceil(payload_size / chunk_size), 1..CHUNK_COUNT_MAX
    HEAD_PAYLOAD_SIZE = 24, // u64, multiple of PAYLOAD_ALIGN, not 0
    HEAD_LIST_DIGEST = 32,  // SHA-256 of the chunk list
};

// Body = fields, each: u16 type, u16 zero, u32 length, data, zero padding to 8. Ascending by type; only
// PART and FRONT repeat. A type not known with SEAL_FIELD_OPTIONAL set is passed over, without it is refused.
#define SEAL_FIELD_OPTIONAL 0x8000
enum seal_field {
    FIELD_NAME = 1,    // build name: printable ASCII without spaces, 1..63
    FIELD_PRODUCT = 2, // product name: same rules, may be absent
    FIELD_COUNTER = 3, // u64 security counter
    FIELD_TARGET = 4,  // u32 enum seal_target
    FIELD_CMDLINE = 5, // printable ASCII with spaces, 0..2047, no NUL
    FIELD_PART = 6,    // struct below
    FIELD_DATASET = 7, // dataset name (Oxide/illumos ramdisks), as NAME but 1..127, optional
    FIELD_FILES = 8,   // the SHA-256 of each part's file, in their order: the seal is detached
    FIELD_FRONT = 9,   // u32 part, then 1..SEAL_FRONT_MAX bytes that stand in front of its file: detached seals, initrds alone
    FIELD_ARGUMENTS = 10, // what may come to the command line: patterns (phase2/arguments.h), 1..2047
};

enum seal_target {
    TARGET_LINUX_X86 = 1, // bzImage, 32-bit boot protocol or EFI stub
    TARGET_DATA = 2,      // parts to be kept, nothing to start (a raw ramdisk image)
    TARGET_LINUX_ARM64 = 3, // arm64 Image, EFI stub
    TARGET_EFI_X64 = 4,   // EFI application (a unified kernel image is one), x86-64
    TARGET_EFI_ARM64 = 5, // the same, arm64
    TARGET_NBP = 6,       // network bootstrap program of PXE, x86 BIOS
    TARGET_END,
};

// "linux-x86", "efi-x64", ... for messages; "unknown".
const char *seal_target_name(uint32_t target);

static inline bool seal_target_is_linux(uint32_t target)
{
    return target == TARGET_LINUX_X86 || target == TARGET_LINUX_ARM64;
}

static inline bool seal_target_is_efi(uint32_t target)
{
    return target == TARGET_EFI_X64 || target == TARGET_EFI_ARM64;
}

// One PART_APPLICATION, which runs and may come back.
static inline bool seal_target_is_application(uint32_t target)
{
    return target >= TARGET_EFI_X64 && target <= TARGET_NBP;
}

// PART data: u32 kind, u32 flags (0), u64 offset, u64 size, u64 address, u64 memory, u32 align, u32 split,
// then the name (as NAME, to the end of the field).
enum part_kind { PART_KERNEL = 1, PART_INITRD = 2, PART_RAMDISK = 3, PART_MODULE = 4, PART_APPLICATION = 5 };
#define PART_FIXED_SIZE 48

struct seal_part {
    uint32_t kind;
    uint64_t offset; // in the payload, multiple of PAYLOAD_ALIGN, ascending; parts leave no gap but padding
    uint64_t size;   // bytes used
    uint64_t address; // where it wants to be in memory (bzImage pref_address), multiple of PAYLOAD_ALIGN, 0 = anywhere
    uint64_t memory;  // memory it needs from its address on (bzImage init_size, SizeOfImage, a ramdisk's size), 0 = size
    uint32_t align;   // if it may be elsewhere: to this alignment (kernel_alignment); 0 = only at `address`
    uint32_t split;   // leading bytes that are not loaded at the address (bzImage setup sectors); x86 kernels only
    uint32_t front_at, front_len; // the first bytes of a detached seal's part, which are not in its file: they lie at seal->bytes + front_at
    char name[SEAL_NAME_MAX];
};

// What a seal says, all of it from bytes the signature covers.
struct seal {
    uint32_t chunk_size, chunk_count;
    uint64_t payload_size;
    uint8_t list_digest[SHA256_SIZE];
    uint8_t image_id[SHA256_SIZE];
    char name[SEAL_NAME_MAX];
    char product[SEAL_NAME_MAX];
    char dataset[128];
    uint64_t counter;
    uint32_t target;
    char cmdline[SEAL_CMDLINE_MAX];
    uint32_t part_count;
    struct seal_part parts[SEAL_PARTS_MAX];
    char arguments[SEAL_CMDLINE_MAX];
    bool detached;
    uint8_t files[SEAL_PARTS_MAX][SHA256_SIZE]; // of a detached seal: SHA-256 of each part's file, for people and tools; the list judges
    const uint8_t *bytes; // the seal that this was read from, which front_at counts in. Who copies the seal's bytes changes it
};

// Signature table: u32 magic "SIGT", u32 count, u32 size of the whole table, u32 zero; then entries: key id
// (32), u32 algorithm, u32 length, signature, zero padding to 8. Nothing after the last entry.
#define SEAL_TABLE_MAGIC 0x54474953u
#define SEAL_TABLE_HEAD_SIZE 16
#define SEAL_ENTRY_HEAD_SIZE 40

// The fixed, unauthenticated view of a seal: lengths, checked against bounds and against each other.
struct seal_view {
    const uint8_t *head, *body, *table;
    uint32_t body_size, table_size, signature_count;
    uint32_t chunk_size, chunk_count;
    uint64_t payload_size;
};

struct seal_signature {
    const uint8_t *key_id; // KEY_ID_SIZE bytes
    uint32_t algorithm;
    const uint8_t *bytes;
    uint32_t size;
};

// Reads head and signature table with bounds only; `len` may be longer than the seal (a whole file). All of
// the table's entries are walked: count, sizes and padding must agree, no key id may repeat.
// ERR_TRUNCATED, ERR_SEAL_MAGIC/VERSION/LENGTH/TABLE/REPEATED. A table without entries is well-formed.
int seal_view(const uint8_t *data, size_t len, struct seal_view *ret);

// How many bytes the seal takes, as far as its first `len` bytes tell: more than `len` until all of them are there. For
// readers that get a file piece by piece; the errors are those of seal_view, at the first byte that shows them.
int seal_wants(const uint8_t *data, size_t len, size_t *ret);

// The i-th entry of a table that seal_view accepted.
struct seal_signature seal_signature_at(const struct seal_view *view, uint32_t i);

// Bytes of the whole seal, and file offsets of list and payload.
uint32_t seal_size(const struct seal_view *view);
uint64_t seal_list_offset(const struct seal_view *view);
uint64_t seal_list_size(const struct seal_view *view);
uint64_t seal_payload_offset(const struct seal_view *view);

// SHA-256 of the signed message.
void seal_image_id(const struct seal_view *view, uint8_t id[SHA256_SIZE]);

// Judges the signatures by the trust store: each entry of a trusted key must carry that key's algorithm and
// verify (one bad one refuses the image); entries of unknown keys do not count; at least `threshold`
// distinct trusted keys. ERR_SEAL_NO_TRUST, UNSIGNED, UNTRUSTED, ALGORITHM, SIGNATURE, THRESHOLD.
int seal_verify_signatures(const struct seal_view *view, const struct trust_store *trust);

// Parses the body. Only to be called on verified bytes, or to show what an unverified image claims.
// ERR_SEAL_BODY; *ret is emptied then.
int seal_parse_body(const struct seal_view *view, struct seal *ret);

// The whole judgement, in order: view, signatures, body, whether it is an image's, product and counter floor of the trust store.
// `data` must be exactly the seal (len == seal_size), in memory that no one else writes. On success *ret is
// filled, on an error emptied. ERR_SEAL_* as above, ERR_SEAL_DETACHED, ERR_SEAL_PRODUCT, ERR_SEAL_COUNTER.
int seal_open(const uint8_t *data, size_t len, const struct trust_store *trust, struct seal *ret);
// The same of a detached one; ERR_SEAL_ATTACHED in place of ERR_SEAL_DETACHED.
int seal_open_detached(const uint8_t *data, size_t len, const struct trust_store *trust, struct seal *ret);

// Bytes of the part's file: without those in front of it.
static inline uint64_t seal_file_size(const struct seal_part *part)
{
    return part->size - part->front_len;
}

// SHA-256 of the list against the seal. `list` holds chunk_count * 32 bytes. ERR_SEAL_LIST.
int seal_check_list(const struct seal *seal, const uint8_t *list, size_t len);

// Length of chunk i (the last may be short).
uint32_t seal_chunk_length(const struct seal *seal, uint32_t chunk);

// --- making seals (mkimage, tests) ---

// Where a part ends in the payload, up to which it is chunks of its own: the next one starts there.
uint64_t seal_part_end(const struct seal *seal, uint32_t part);

// Serialises head and body for the fields of *seal (list_digest, sizes and parts filled in by the caller)
// into buf. Returns the length or a negative error (ERR_TOO_LARGE, ERR_INVALID).
int seal_build(const struct seal *seal, uint8_t *buf, size_t cap);

// Appends a signature table for `count` signatures behind head and body. Returns the table's length.
int seal_build_table(const struct seal_signature *signatures, uint32_t count, uint8_t *buf, size_t cap);
