// SPDX-License-Identifier: MPL-2.0
// Facts on standard output, either as "name = value" lines or as one JSON object. In JSON, spaces in names
// become underscores; items of a list are objects, in text their fields begin with "LIST N ".
#pragma once
#include "tool.h"

struct report {
    bool json;
    bool first;        // JSON: no comma yet
    const char *item;  // text: name of the list while inside an item
    unsigned index;
};

void report_begin(struct report *r, bool json);
void report_end(struct report *r);

void report_text(struct report *r, const char *name, const char *format, ...) PRINTF_LIKE(3, 4);
void report_number(struct report *r, const char *name, uint64_t value);

// A list: report_list, then for each item report_item and its fields, then report_list_end. Not nested.
void report_list(struct report *r, const char *name);
void report_item(struct report *r, const char *name, unsigned index);
void report_list_end(struct report *r);
