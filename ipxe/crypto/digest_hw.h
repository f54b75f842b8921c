// SPDX-License-Identifier: MPL-2.0
// SHA-256's compression function by the processor's own instructions: digest_x86.c (SHA extensions), or the library's
// own code for ARMv8 in digest_armv8.c; the Makefile chooses. digest_mbedtls.c hashes one message with it, digest_openssl.c
// two at a time, each after a comparison.
#pragma once
#include "base/base.h"

extern const char sha256_hw_name[]; // what the instructions are called, for people

// Has this processor the instructions?
bool sha256_hw_present(void);

// Takes `count` blocks of 64 bytes, at any alignment, into the state (FIPS 180-4, 6.2.2). Only on a processor that has
// the instructions and whose vector registers are switched on.
void sha256_hw_blocks(uint32_t state[8], const uint8_t *data, size_t count);

// The same for two messages, `count` blocks of each, in less than the time of both (x86: digest_x86_two.c).
void sha256_hw_blocks_two(uint32_t state[8], const uint8_t *data, uint32_t other_state[8], const uint8_t *other, size_t count);
