// SPDX-License-Identifier: MPL-2.0
// Makes detached seals with their files in memory, for tests of what reads them.
#pragma once
#include "phase2/testimage.h"

// The head of an archive, as far as its readers look: magic, 104 digits, a name.
#define TESTDETACHED_DIGITS "00000000000000000000000000"
#define TESTDETACHED_FRONT "070701" TESTDETACHED_DIGITS TESTDETACHED_DIGITS TESTDETACHED_DIGITS TESTDETACHED_DIGITS "opt/site/extra.bin"
#define TESTDETACHED_PARTS 3

struct testdetached {
    uint8_t *file; // seal and list, as `signet seal` writes them
    size_t len, seal_len;
    struct seal seal;
    uint8_t *files[TESTDETACHED_PARTS];
    size_t file_len[TESTDETACHED_PARTS];
    uint8_t *payload; // what the parts make in memory
};

static inline void testdetached_free(struct testdetached *d)
{
    for (unsigned i = 0; i < TESTDETACHED_PARTS; i++)
        free(d->files[i]);
    free(d->file);
    free(d->payload);
}

// A kernel (NULL: bytes), an initrd and one with a front; sizes in bytes of the files.
static inline void testdetached_build(struct testdetached *ret, const struct seal *fields, const size_t sizes[TESTDETACHED_PARTS],
                                      const uint8_t *kernel)
{
    static const uint32_t kinds[TESTDETACHED_PARTS] = { PART_KERNEL, PART_INITRD, PART_INITRD };
    static const char *const names[TESTDETACHED_PARTS] = { "vmlinuz", "initrd.img", "extra.img" };
    static const uint8_t fronts[] = TESTDETACHED_FRONT;
    struct seal *seal = &ret->seal;
    const enum testkey_name key = TESTKEY_P256_A;
    memset(ret, 0, sizeof *ret);
    *seal = *fields;
    seal->detached = true;
    seal->part_count = TESTDETACHED_PARTS;
    seal->bytes = fronts;
    for (unsigned i = 0; i < TESTDETACHED_PARTS; i++) {
        struct seal_part *p = &seal->parts[i];
        struct testkey_stream stream = { .block = i << 24 };
        sha256(seal->name, strlen(seal->name), stream.seed);
        ret->file_len[i] = sizes[i];
        ret->files[i] = malloc(sizes[i] + 1);
        if (!ret->files[i] || testkey_random(&stream, ret->files[i], sizes[i]) != 0)
            __builtin_trap();
        if (i == 0 && kernel)
            memcpy(ret->files[0], kernel, sizes[0]);
        sha256(ret->files[i], sizes[i], seal->files[i]);
        *p = (struct seal_part){ .kind = kinds[i], .offset = seal->payload_size };
        p->front_len = i == 2 ? sizeof fronts : 0;
        p->size = p->front_len + sizes[i];
        fmt_snprintf(p->name, sizeof p->name, "%s", names[i]);
        uint64_t align = i + 1 < TESTDETACHED_PARTS ? seal->chunk_size : PAYLOAD_ALIGN;
        seal->payload_size = (p->offset + p->size + align - 1) & ~(align - 1);
    }
    seal->parts[0].memory = 2 * sizes[0];
    seal->parts[0].address = 0x1000000;
    seal->parts[0].align = 0x200000;
    seal->parts[0].split = sizes[0] > 4096 ? 1024 : 0;
    if (kernel)
        seal->parts[0].split = (kernel[0x1f1] + 1u) * 512;
    if (kernel)
        seal->parts[0].memory = 8u << 20;
    seal->chunk_count = (uint32_t)((seal->payload_size + seal->chunk_size - 1) / seal->chunk_size);
    ret->payload = calloc(1, (size_t)seal->payload_size);
    for (unsigned i = 0; i < TESTDETACHED_PARTS; i++) {
        uint8_t *at = ret->payload + seal->parts[i].offset;
        memcpy(at, fronts, seal->parts[i].front_len);
        memcpy(at + seal->parts[i].front_len, ret->files[i], sizes[i]);
    }
    size_t list_len = (size_t)seal->chunk_count * SHA256_SIZE;
    uint8_t *list = malloc(list_len);
    for (uint32_t i = 0; i < seal->chunk_count; i++)
        sha256(ret->payload + (size_t)i * seal->chunk_size, seal_chunk_length(seal, i), list + (size_t)i * SHA256_SIZE);
    sha256(list, list_len, seal->list_digest);
    ret->file = malloc(SEAL_MAX + list_len);
    int message = seal_build(seal, ret->file, SEAL_MAX);
    if (message < 0)
        __builtin_trap();
    ret->seal_len = testimage_sign(ret->file, (size_t)message, &key, 1, SEAL_MAX);
    memcpy(ret->file + ret->seal_len, list, list_len);
    ret->len = ret->seal_len + list_len;
    free(list);
}

static inline void testdetached_make(struct testdetached *ret)
{
    struct seal fields = testimage_fields("debian-12");
    const size_t sizes[TESTDETACHED_PARTS] = { 30000, 9000, 5000 };
    strcpy(fields.cmdline, "quiet");
    strcpy(fields.arguments, "console=* single");
    testdetached_build(ret, &fields, sizes, NULL);
}
