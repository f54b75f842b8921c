// SPDX-License-Identifier: MPL-2.0
// Names in folders of a FAT file system: the short one (8.3) of an entry, and the long one that the entries before it carry.
// Pure.
#pragma once
#include "base/base.h"

#define FAT_ENTRY_SIZE 32
#define FAT_NAME_UNITS 260 // UTF-16 units of a long name, in whole entries

// A long name while its entries pass by, last part first. Zeros: nothing gathered.
struct fat_name {
    uint16_t units[FAT_NAME_UNITS];
    unsigned count; // of units
    unsigned next;  // order of the entry that must come next; 0: the short entry
    uint8_t sum;    // of the short name that it belongs to
    bool valid;
};

// Takes an entry of a long name.
void fat_name_take(struct fat_name *name, const uint8_t *entry);

// Whether a short entry, behind the entries that were gathered, has this name (UTF-8; the case of ASCII letters does not
// count).
bool fat_name_is(const struct fat_name *gathered, const uint8_t *entry, const char *text, size_t len);

// The name that people see: the long one, where there is one, else the short one. What does not fit is cut off.
void fat_name_text(const struct fat_name *gathered, const uint8_t *entry, char *to, size_t cap);
