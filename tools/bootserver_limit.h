// SPDX-License-Identifier: MPL-2.0
// How many log lines a source may cause: a stranger with a loop shall not fill a disk, nor hide what others do. The table
// is of a fixed size and never full: the source that was quiet for longest makes room.
#pragma once
#include "base/addr.h"
#include "base/base.h"

#define LIMIT_SOURCES 1024
#define LIMIT_WAYS 8
#define LIMIT_BURST 512        // lines at once: a host with many machines behind its address
#define LIMIT_EVERY 1000000u   // us for one more

struct limit_source {
    struct net_addr source;
    uint64_t full_at;  // when its budget is whole again; 0 = free entry
    uint64_t left_out; // lines since the last one that was let through
};
struct limit {
    struct limit_source sources[LIMIT_SOURCES];
    uint32_t secret; // nobody outside can aim at an entry
};

// True when a line about a client may be written; *ret_left_out is then how many of its source were left out before it.
// now > 0.
bool limit_pass(struct limit *limit, const struct net_addr *client, uint64_t now, uint64_t *ret_left_out);
