// SPDX-License-Identifier: MPL-2.0
// Taking an image in: seal, chunk list, chunks. Its bytes come in any order, at any offset, from whoever carries them: the
// native protocol, a file that is read from front to back, a copy on a disk. The intake says what is missing, puts each byte
// in its final place once, and judges what is there. Pure; all memory is the owner's.
//
// A space (seal, list, payload) is cut into pieces, the payload's are the chunks. A piece in the works has a slot: its front is
// what is here without a gap from its start on; behind the front, whole blocks are counted one by one, if there is memory for
// their bits. In the payload a piece is hashed along its front, here or elsewhere, and judged when it is whole.
//
// Security: a chunk counts as verified only when its bytes, where they lie, have the digest that the list has for it, which has
// the digest that the seal has for the list, which the trust store accepts. A byte that is here is never written again, unless
// its chunk proved bad.
#pragma once
#include "base/scatter.h"
#include "crypto/hashboard.h"
#include "phase2/seal.h"

#define INTAKE_SLOTS_MAX 64
#define INTAKE_LIST_PIECE 20 // log2 of the list's pieces

enum intake_space { INTAKE_SEAL, INTAKE_LIST, INTAKE_PAYLOAD };

struct intake_slot {
    uint32_t piece; // INTAKE_FREE: none
    uint32_t length, front, hashed; // bytes
    uint32_t ahead; // blocks that are here behind the front
    bool away; // whole, and hashed elsewhere
    bool home; // to be hashed here
    struct sha256 sha;
};
#define INTAKE_FREE UINT32_MAX

// Memory of an owner that does not hold the payload: a chunk lies there only until it is judged.
struct intake_passing {
    uint8_t *room; // intake_room bytes
    // A good chunk: its place in the payload and its bytes, which stay only for the call. NULL: only verified.
    void (*take)(void *ctx, uint64_t offset, const uint8_t *bytes, size_t len);
    void *ctx;
};

struct intake_config {
    const struct trust_store *trust;
    uint8_t *seal_buf; // SEAL_MAX bytes
    bool detached;     // a detached seal is wanted, and no image's
    // Pieces in the works at a time, at most INTAKE_SLOTS_MAX. Who carries bytes in order and has digests made elsewhere needs one
    // more than HASHBOARD_JOBS.
    struct intake_slot *slots;
    uint32_t slot_count;
    uint32_t *bits; // one for each block of each slot; NULL: bytes of a piece come in order only
    uint32_t bit_count, block_min; // blocks are never smaller
    // A chunk in a slot is about to be closed because it is good, or was emptied because it is bad.
    void (*judged)(void *ctx, uint32_t slot, bool good);
    void *ctx;
};

struct intake {
    struct intake_config config;
    struct seal seal; // verified
    // given by intake_accept
    struct scatter map;
    struct intake_passing passing; // instead of the map, when it has room
    uint8_t *list;
    uint8_t *chunk_bits;
    // the space that is being taken in
    enum intake_space space;
    uint64_t size;
    uint32_t piece_shift, piece_count, pieces_done;
    uint32_t block_size;
    uint32_t slot_count, slot_words;  // slots in use for this space; words of bits of each
    uint8_t order[INTAKE_SLOTS_MAX];  // busy slots by ascending piece
    uint32_t busy, whole;             // whole: busy slots that lack no byte
    uint32_t last;                    // the slot that bytes went into last
    bool helped;                      // chunks are hashed elsewhere as well
    uint64_t bytes_verified, bytes_local, bytes_received; // of the payload; local: without being received
};

// --- the spaces ---

void intake_init(struct intake *in, const struct intake_config *config);

// Begins a space of so many bytes, with nothing of it here; intake_restart: the same space.
void intake_begin(struct intake *in, enum intake_space space, uint64_t size, uint32_t piece_shift);
void intake_restart(struct intake *in);

// Is all of the space here (seal, list), or verified (payload)?
static inline bool intake_complete(const struct intake *in)
{
    return in->pieces_done == in->piece_count;
}

// The seal's bytes are all in seal_buf: judges them and fills in->seal. ERR_SEAL_*.
int intake_seal(struct intake *in, size_t len);

// Memory for what the verified seal tells of, and begins the list. `map` covers exactly the payload and is copied; list holds
// chunk_count * 32 bytes, chunk_bits (chunk_count + 7) / 8: in the payload, bit i is set when chunk i is verified. ERR_INVALID.
int intake_accept(struct intake *in, const struct scatter *map, uint8_t *list, uint8_t *chunk_bits);
size_t intake_room(const struct intake *in); // bytes
// In place of seal and list, of which one is verified and the other lies there already, and is held to the seal once more, since everything hangs
// on it: the payload goes on, with the chunks that chunk_bits says are verified. ERR_INVALID, ERR_SEAL_LIST.
int intake_resume(struct intake *in, const struct seal *seal, const struct scatter *map, uint8_t *list, uint8_t *chunk_bits);
int intake_accept_passing(struct intake *in, const struct intake_passing *passing, uint8_t *list, uint8_t *chunk_bits);

// The list is complete: judges it, and begins the payload. ERR_SEAL_LIST, and it begins anew.
int intake_list(struct intake *in);

// --- bytes ---

// Bytes of the space from an offset on. Returns how many of them, from the first on, are here now; fewer than len when no slot
// is free (hash, and give other pieces' bytes first), when they lie behind a gap and not on a block, or beyond the space's end. Bytes of
// two pieces wait for the first one's slot, so a carrier out of order gives them piece by piece.
size_t intake_put(struct intake *in, uint64_t offset, const uint8_t *bytes, size_t len);

// For carriers that open pieces themselves:
uint32_t intake_length(const struct intake *in, uint32_t piece); // bytes
int intake_find(const struct intake *in, uint32_t piece);        // where in in->order, or -1
int intake_slot(const struct intake *in, uint32_t piece);        // its slot, or -1
int intake_open(struct intake *in, uint32_t piece);              // its slot now, or -1: none is free. Not for one that is open
void intake_clear(struct intake *in, uint32_t slot);             // empties it but leaves it its piece
void intake_close(struct intake *in, uint32_t at);               // the piece in in->order[at] is done, or not wanted
// Bytes of an open piece, as intake_put.
size_t intake_take(struct intake *in, uint32_t slot, uint32_t within, const uint8_t *bytes, size_t len);
// Is the block that begins there here?
bool intake_has(const struct intake *in, uint32_t slot, uint32_t within);

static inline bool intake_whole(const struct intake_slot *slot)
{
    return slot->front == slot->length;
}
// Is a chunk verified, or a piece of the list here?
static inline bool intake_done(const struct intake *in, uint32_t piece)
{
    return in->space != INTAKE_SEAL && in->chunk_bits[piece / 8] >> (piece % 8) & 1;
}
// The words of a slot's bits in a map like config.bits.
static inline uint32_t *intake_bits(const struct intake *in, const uint32_t *map, uint32_t slot)
{
    return (uint32_t *)(uintptr_t)map + slot * in->slot_words;
}
// The bytes of an open piece from `from` on: at most `want` in *ret_len, as many as lie in one piece of memory. NULL: none.
uint8_t *intake_at(const struct intake *in, uint32_t slot, uint32_t from, size_t want, size_t *ret_len);

// --- digests (intake_digest.c) ---

// Hashes up to about max_bytes of chunks; those that are whole are judged. Returns the bytes hashed.
size_t intake_work(struct intake *in, size_t max_bytes);

// Digests elsewhere, for an owner with other processors. intake_job fills in a job for a chunk that is whole (false: there is
// none now). intake_job_done brings it back with its digest; any number may be out, and come back in any order. A digest that
// does not match is not believed: that chunk is hashed again here. Since the first job intake_work hashes only whole chunks
// that nobody took out.
bool intake_job(struct intake *in, struct hash_job *job);
void intake_job_done(struct intake *in, const struct hash_job *job);
// No job that is out will come back, nor will more be given out: all is hashed here, and a late result is ignored.
void intake_jobs_lost(struct intake *in);

// A chunk that was written through the map by somebody else: hashed there. 1 when it is good, and verified from now on; 0 when
// it is not; ERR_INVALID when there is no such chunk, or it is in the works.
int intake_local(struct intake *in, uint32_t chunk);
