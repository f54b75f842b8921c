// SPDX-License-Identifier: MPL-2.0
// Which partition a disk: URI means: disk://[DISK]/[SELECTOR], doc/scripts.md.
#pragma once
#include "block/gpt.h"
#include "proto/uri.h"

enum disk_select_by { DISK_BY_DEFAULT, DISK_BY_NUMBER, DISK_BY_LABEL, DISK_BY_UUID, DISK_BY_TYPE, DISK_BY_RANGE };
struct disk_select {
    enum disk_select_by by;
    uint64_t number, first, sectors; // first, sectors: of a raw range of the disk
    uint8_t guid[GPT_GUID_SIZE];
    char label[GPT_LABEL_MAX];
};

// The selector of a URI. ERR_URI_MALFORMED.
int disk_select_parse(const struct uri *uri, struct disk_select *ret);

// Whether it means this partition; never for a raw range.
bool disk_select_matches(const struct disk_select *s, const struct partition *p);
