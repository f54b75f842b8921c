// SPDX-License-Identifier: MPL-2.0
// What the parts of a seal ask of memory. Inner header of place.c.
#pragma once
#include "image/place.h"

#define PAGE ((uint64_t)4096)

// What the seal asks for, taken together once.
struct place_demand {
    int kernel_part;
    uint64_t split, kernel_len; // kernel_len without padding
    uint64_t kernel_file;       // with the padding behind it
    uint64_t memory;
    uint64_t initrd_span, initrd_len; // with and without the last one's padding
    uint64_t initrd_room;             // initrd_span, and what the last one's `memory` asks for behind it
    uint64_t list_size;
};

// The part's bytes and the padding that follows them in the payload. With the memory that it asks for, in whole pages.
uint64_t place_padded(const struct seal *seal, unsigned i);
uint64_t place_room_of(const struct seal *seal, unsigned i);

// Only its own address will do (and it is not what is started, whose loader decides).
bool place_is_fixed(const struct seal_part *part);

// Reads the parts and checks that they are what a plan can be made of. Errors as place_plan.
int place_demand(const struct place_input *in, struct place_demand *ret);
