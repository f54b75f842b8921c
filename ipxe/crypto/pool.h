// SPDX-License-Identifier: MPL-2.0
// A pool of randomness: one SHA-256 state, into which everything is mixed that a machine has to offer. That is enough for
// nonces against spoofing; no key is made here.
#pragma once
#include "crypto/digest.h"

struct pool {
    uint8_t state[SHA256_SIZE]; // zero at first
    uint64_t draws;
};

// Mixes more in. What the pool held before stays in it, however poor the new bytes are.
void pool_mix(struct pool *pool, const void *data, size_t len);

// What is new at this moment: timers, and random words of the processor where there are any.
#define POOL_FRESH_MAX 64
typedef size_t pool_fresh_fn(uint8_t fresh[POOL_FRESH_MAX]); // returns how many bytes

// Random bytes. fresh() is asked and mixed in before each 32 of them, and what is given out does not tell the pool.
void pool_bytes(struct pool *pool, pool_fresh_fn *fresh, void *buf, size_t len);
