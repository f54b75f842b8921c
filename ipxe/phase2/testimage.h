// SPDX-License-Identifier: MPL-2.0
// Makes whole signed images in memory, for tests of everything that reads or carries them.
//
//     struct testimage image;
//     testimage_make(&image, "build-1", 100000, 7, TESTKEY_P256_A);
//     ... image.file, image.len; image.seal_len; image.list; image.payload ...
//     testimage_free(&image);
#pragma once
#include "base/fmt.h"
#include "phase2/seal.h"
#include "crypto/testkeys.h"

#include <stdlib.h>

struct testpart {
    uint32_t kind; // enum part_kind
    const char *name;
    const void *data;
    size_t size;
    uint64_t address, memory; // as in struct seal_part
    uint32_t align, split;
};

struct testimage {
    uint8_t *file; // the whole of it, as mkimage would write it; free with testimage_free
    size_t len;
    size_t seal_len;  // file[0 .. seal_len) is the seal
    uint8_t *list;    // into file: seal.chunk_count * 32 bytes
    uint8_t *payload; // into file: seal.payload_size bytes
    struct seal seal; // what was built, image_id and list_digest filled in
};

// What the fields of a plain image are: set name, counter and so on as wanted, then testimage_build.
static inline struct seal testimage_fields(const char *name)
{
    struct seal seal = { .chunk_size = CHUNK_SIZE_MIN, .counter = 1, .target = TARGET_LINUX_X86 };
    fmt_snprintf(seal.name, sizeof seal.name, "%s", name);
    fmt_snprintf(seal.cmdline, sizeof seal.cmdline, "console=ttyS0 panic=1");
    return seal;
}

// Signs head and body at the start of the file again and writes the table behind them, for tests that
// changed a signed byte. The table keeps its length when the keys are of the same algorithms as before.
// Returns the seal's length.
static inline size_t testimage_sign(uint8_t *file, size_t message_len, const enum testkey_name *keys, uint32_t count,
                                    size_t cap)
{
    static uint8_t bytes[SEAL_SIGNATURES_MAX][SIG_SIZE_MAX];
    static struct trust_key public[SEAL_SIGNATURES_MAX];
    struct seal_signature signatures[SEAL_SIGNATURES_MAX];
    struct digest_piece message[2] = { { SEAL_DOMAIN, sizeof SEAL_DOMAIN }, { file, message_len } };
    for (uint32_t i = 0; i < count; i++) {
        public[i] = testkey_public(keys[i]);
        signatures[i] = (struct seal_signature){
            .key_id = public[i].id,
            .algorithm = public[i].algorithm,
            .bytes = bytes[i],
            .size = (uint32_t)testkey_sign(keys[i], message, 2, bytes[i]),
        };
    }
    int table = seal_build_table(signatures, count, file + message_len, cap - message_len);
    if (table < 0)
        __builtin_trap();
    return message_len + (size_t)table;
}

// Builds an image of these parts; key_count may be 0 (unsigned). Offsets, sizes, chunk count and digests
// are filled in here. False when seal_build refuses the fields.
static inline bool testimage_build(struct testimage *ret, const struct seal *fields, const struct testpart *parts,
                                   uint32_t part_count, const enum testkey_name *keys, uint32_t key_count)
{
    struct seal *seal = &ret->seal;
    const char *by;
    (void)sha256_accelerate(&by); // as Signet does at its start: tests of whole images hash for the most part
    memset(ret, 0, sizeof *ret);
    *seal = *fields;
    seal->part_count = part_count;
    for (uint32_t i = 0; i < part_count; i++) {
        struct seal_part *p = &seal->parts[i];
        *p = (struct seal_part){ .kind = parts[i].kind, .offset = seal->payload_size, .size = parts[i].size,
                                 .address = parts[i].address, .memory = parts[i].memory, .align = parts[i].align,
                                 .split = parts[i].split };
        fmt_snprintf(p->name, sizeof p->name, "%s", parts[i].name);
        seal->payload_size += (parts[i].size + PAYLOAD_ALIGN - 1) & ~(uint64_t)(PAYLOAD_ALIGN - 1);
    }
    seal->chunk_count = (uint32_t)((seal->payload_size + seal->chunk_size - 1) / seal->chunk_size);

    size_t list_len = (size_t)seal->chunk_count * SHA256_SIZE;
    size_t cap = SEAL_MAX + list_len + PAYLOAD_ALIGN + (size_t)seal->payload_size;
    uint8_t *payload = calloc(1, (size_t)seal->payload_size), *list = calloc(1, list_len);
    ret->file = calloc(1, cap);
    if (!payload || !list || !ret->file)
        __builtin_trap();
    for (uint32_t i = 0; i < part_count; i++)
        memcpy(payload + seal->parts[i].offset, parts[i].data, parts[i].size);
    for (uint32_t i = 0; i < seal->chunk_count; i++)
        sha256(payload + (size_t)i * seal->chunk_size, seal_chunk_length(seal, i), list + (size_t)i * SHA256_SIZE);
    sha256(list, list_len, seal->list_digest);

    int message = seal_build(seal, ret->file, SEAL_MAX);
    if (message > 0) {
        ret->seal_len = testimage_sign(ret->file, (size_t)message, keys, key_count, SEAL_MAX);
        struct seal_view view;
        if (seal_view(ret->file, ret->seal_len, &view) != 0)
            __builtin_trap();
        seal_image_id(&view, seal->image_id);
        ret->list = ret->file + seal_list_offset(&view);
        ret->payload = ret->file + seal_payload_offset(&view);
        ret->len = (size_t)(seal_payload_offset(&view) + seal->payload_size);
        memcpy(ret->list, list, list_len);
        memcpy(ret->payload, payload, (size_t)seal->payload_size);
    } else {
        free(ret->file);
        ret->file = NULL;
    }
    free(list);
    free(payload);
    return message > 0;
}

static inline void testimage_free(struct testimage *image)
{
    free(image->file);
    image->file = NULL;
}

// The plain case: a "kernel" of `size` bytes and an "initrd" of a third of that, filled with bytes that
// depend on name and counter, signed by one key. Chunks are CHUNK_SIZE_MIN.
static inline void testimage_make(struct testimage *ret, const char *name, size_t size, uint64_t counter,
                                  enum testkey_name key)
{
    struct seal fields = testimage_fields(name);
    fields.counter = counter;
    uint8_t *data = malloc(size + size / 3 + 1);
    struct testkey_stream stream = { .block = (uint32_t)counter << 24 };
    sha256(name, strlen(name), stream.seed);
    if (!data || testkey_random(&stream, data, size + size / 3 + 1) != 0)
        __builtin_trap();
    struct testpart parts[2] = {
        { .kind = PART_KERNEL, .name = "vmlinuz", .data = data, .size = size, .address = 0x1000000,
          .memory = 2 * size, .align = 0x200000, .split = size > 4096 ? 1024 : 0 },
        { .kind = PART_INITRD, .name = "initrd.img", .data = data + size, .size = size / 3 + 1, .align = 4096 },
    };
    if (!testimage_build(ret, &fields, parts, 2, &key, 1))
        __builtin_trap();
    free(data);
}
