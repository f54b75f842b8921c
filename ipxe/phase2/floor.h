// SPDX-License-Identifier: MPL-2.0
// The kept anti-rollback floor: for each product the highest security counter of an image that has run well on this
// machine (doc/floor.md is normative). Pure: what is kept, and when it rises. Where it is kept is the platform's.
//
// A boot that would raise the floor leaves a *pending* record behind, which only the firmware can read and write, and
// tells the started system its token. The system gives the token back when it is content with itself; the next
// start of Signet finds both and raises the floor to what was pending, never to what somebody asks for.
#pragma once
#include "base/err.h"
#include "phase2/seal.h"

#define FLOOR_PRODUCTS_MAX 8
#define FLOOR_TOKEN_SIZE 16
#define FLOOR_TOKEN_TEXT (2 * FLOOR_TOKEN_SIZE) // lower-case hexadecimal digits, without a NUL

// Kept as: "SGNFLR01", u32 count, u32 zero, then `count` times a product (64 bytes, NUL-padded) and a u64 counter; no
// product twice, no counter 0. Integers little-endian.
#define FLOOR_MAGIC "SGNFLR01"
#define FLOOR_HEAD_SIZE 16
#define FLOOR_ENTRY_SIZE (SEAL_NAME_MAX + 8)
#define FLOOR_SIZE_MAX (FLOOR_HEAD_SIZE + FLOOR_PRODUCTS_MAX * FLOOR_ENTRY_SIZE)

struct floor_entry {
    char product[SEAL_NAME_MAX]; // "": images that name none
    uint64_t counter;            // the smallest that may boot
};
struct floor { // all zero: nothing is kept
    uint32_t count;
    struct floor_entry entries[FLOOR_PRODUCTS_MAX]; // zeros from `count` on
};

// Reads what is kept. ERR_INVALID; *ret is emptied then.
int floor_read(const uint8_t *data, size_t len, struct floor *ret);
// Writes it: its length.
size_t floor_write(const struct floor *floor, uint8_t ret[FLOOR_SIZE_MAX]);

// The smallest counter of this product that may boot; 0 when none is kept.
uint64_t floor_of(const struct floor *floor, const char *product);

// Raises a product's floor; never lowers it. ERR_TOO_LARGE when that would be one product too many.
int floor_raise(struct floor *floor, const char *product, uint64_t counter);

// Forgets a product's floor. False when none was kept.
bool floor_forget(struct floor *floor, const char *product);

// Kept as: "SGNPEND1", u64 counter, product (64 bytes, NUL-padded), token.
#define FLOOR_PENDING_MAGIC "SGNPEND1"
#define FLOOR_PENDING_SIZE (16 + SEAL_NAME_MAX + FLOOR_TOKEN_SIZE)
struct floor_pending {
    char product[SEAL_NAME_MAX];
    uint64_t counter;
    uint8_t token[FLOOR_TOKEN_SIZE]; // random, of one boot
};

// ERR_INVALID; *ret is emptied then.
int floor_pending_read(const uint8_t *data, size_t len, struct floor_pending *ret);
void floor_pending_write(const struct floor_pending *pending, uint8_t ret[FLOOR_PENDING_SIZE]);

// What the system is told.
void floor_token_text(const struct floor_pending *pending, char ret[FLOOR_TOKEN_TEXT]);
// Is this what it was told? A line feed behind it is forgiven.
bool floor_reported(const struct floor_pending *pending, const uint8_t *report, size_t len);
