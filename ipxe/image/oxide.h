// SPDX-License-Identifier: MPL-2.0
// The 4096-byte header, version 2, of the Oxide boot-image tools: read and written as an unsigned
// import/export format. The file is this header followed by data_size bytes of data.
//
// lookimage shows it in the form that the README of those tools shows, one `name = value` a line, in this
// order (the flags in hexadecimal and by name: "(empty)" or "COMPRESSED"):
//
//     image name = testing-tar
//     flags = 0x0 ((empty))
//     data size = 838860800
//     image size = 838860800
//     target size = 4294967296
//     image sum = c18d8f9a...            64 hexadecimal digits
//     dataset name = rpool/ROOT/ramdisk
//
// and for a compressed image one line more, image size divided by data size to two places: "ratio = 2.31x".
#pragma once
#include "base/err.h"
#include "crypto/digest.h"

#define OXIDE_HEADER_SIZE 4096
#define OXIDE_MAGIC 0x1deb0075u
#define OXIDE_VERSION 2
#define OXIDE_TEXT_MAX 128 // dataset name and image name, each with NUL
#define OXIDE_DATASET_DEFAULT "rpool/ROOT/ramdisk"
#define OXIDE_TARGET_DEFAULT (4 * GIB)

// All integers little-endian.
enum oxide_offset {
    OXIDE_AT_MAGIC = 0,        // u32
    OXIDE_AT_VERSION = 4,      // u32
    OXIDE_AT_FLAGS = 8,        // u64
    OXIDE_AT_DATA_SIZE = 16,   // u64
    OXIDE_AT_IMAGE_SIZE = 24,  // u64
    OXIDE_AT_TARGET_SIZE = 32, // u64
    OXIDE_AT_SHA256 = 40,      // 32 bytes
    OXIDE_AT_DATASET = 72,     // 128 bytes, NUL-terminated
    OXIDE_AT_NAME = 200,       // 128 bytes, NUL-terminated; older writers left it empty
    OXIDE_AT_REST = 328,       // zero when written, passed over when read
};

#define OXIDE_FLAG_COMPRESSED 1ull // the data is one zlib stream (RFC 1950)

struct oxide_header {
    uint64_t flags;
    uint64_t data_size;   // bytes behind the header
    uint64_t image_size;  // bytes of the image; more than data_size when it is compressed
    uint64_t target_size; // bytes of the ramdisk it is put into
    uint8_t sha256[SHA256_SIZE]; // of the image, not of its compressed form
    char dataset[OXIDE_TEXT_MAX]; // ZFS dataset that is the root, printable ASCII, may be empty
    char name[OXIDE_TEXT_MAX];    // image name, likewise
};

// True when the bytes begin with the magic: cheap, to tell formats apart.
bool oxide_is_header(const uint8_t *data, size_t len);

// Reads a header. ERR_TRUNCATED, ERR_OXIDE_MAGIC, ERR_SEAL_VERSION for another version, ERR_OXIDE_FIELD for
// sizes that do not agree (0 < data <= image <= target, data == image unless compressed), a flag that is not
// known, or a text that is not terminated or not printable.
int oxide_parse(const uint8_t *data, size_t len, struct oxide_header *ret);

// Writes a header. ERR_INVALID for what oxide_parse would refuse.
int oxide_build(const struct oxide_header *header, uint8_t buf[OXIDE_HEADER_SIZE]);
