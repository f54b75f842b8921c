// SPDX-License-Identifier: MPL-2.0
// What reading and writing a seal share; not for use outside seal*.c.
#pragma once
#include "phase2/seal.h"

#define SEAL_ALIGN 8 // fields of the body and entries of the table start on it
#define FIELD_HEAD_SIZE 8
#define TABLE_SIZE 8 // offset of the table's size in its head
#define DATASET_MAX sizeof(((struct seal *)0)->dataset)
#define DOMAIN_SIZE sizeof SEAL_DOMAIN // with its NUL

_Static_assert(DOMAIN_SIZE == 23, "the domain string is part of the format");
_Static_assert(HEAD_LIST_DIGEST + SHA256_SIZE == SEAL_HEAD_SIZE, "head layout");
_Static_assert(SEAL_BODY_MAX % SEAL_ALIGN == 0, "a body is whole words");

// Zero bytes that follow `len` bytes of a field or a signature.
static inline uint32_t seal_padding(uint32_t len)
{
    return (uint32_t)-len & (SEAL_ALIGN - 1);
}

// True when chunk size, chunk count and payload size are in bounds and agree.
bool seal_geometry_ok(uint32_t chunk_size, uint32_t chunk_count, uint64_t payload_size);

// True when the fields make a sound image: texts, target and parts by the rules of doc/phase2-format.md.
bool seal_fields_ok(const struct seal *seal);
