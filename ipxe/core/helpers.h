// SPDX-License-Identifier: MPL-2.0
// Digests on the machine's other processors, where the platform has any: started for a download, stopped before
// anything else happens to the memory. Everything works without them, only slower.
#pragma once
#include "crypto/hashboard.h"

struct core;

// For each start: none works, and none has failed.
void core_helpers_init(void);

// For a download. Says how many there are.
void core_helpers_start(struct core *core);
// No processor touches a job or its bytes any more.
void core_helpers_stop(struct core *core);

// A job to fill in and give, NULL when they are busy or there are none.
struct hash_job *core_helpers_free(void);
void core_helpers_give(struct core *core, struct hash_job *job);
// A job that is done, until it is released; NULL: none.
struct hash_job *core_helpers_done(struct core *core);
void core_helpers_release(struct hash_job *job);
// Have they a job now? What they bring back wakes nobody.
bool core_helpers_busy(void);
// How many of this download came back.
unsigned core_helpers_jobs(void);
// Does one of their jobs here that none of them has begun; false: there is none. Takes as long as a chunk takes.
bool core_helpers_work(void);
// Have they had jobs for so long without a result that they must count as lost? Says so; none are left then.
bool core_helpers_lost(struct core *core);
