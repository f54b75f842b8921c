// SPDX-License-Identifier: MPL-2.0
// Chunks of the image in memory that a copy on the disk has under the same digest: read into their places and judged
// there, instead of fetched. See keep.h.
#include "core/keep.h"

#define CHUNKS_MAX (16 * 1024) // of either image: one list has to lie on the heap, and each is searched for the other's

// The copy's chunk list, held to the copy's seal.
static int read_list(struct keep *k, unsigned slot, uint8_t *list, size_t size)
{
    uint8_t digest[SHA256_SIZE];
    const struct scatter map = { .size = size, .count = 1, .pieces = { { 0, size, list } } };
    int err = keep_read(k, slot, k->copies[slot].list, &map, 0, size);
    if (err)
        return err;
    sha256(list, size, digest);
    return digest_equal(digest, k->copies[slot].list_digest, sizeof digest) ? 0 : ERR_SEAL_LIST;
}

// The chunk with this digest, looked for from `hint` on: what stayed the same mostly follows what stayed the same.
static bool find_chunk(const uint8_t *list, uint32_t count, const uint8_t *digest, uint32_t hint, uint32_t *ret)
{
    for (uint32_t i = 0, at = hint; i < count; i++, at++) {
        at = at < count ? at : 0;
        if (memcmp(list + (size_t)at * SHA256_SIZE, digest, SHA256_SIZE) == 0) {
            *ret = at;
            return true;
        }
    }
    return false;
}

// A damaged chunk does not end it: the others may be sound.
static int reuse_chunks(struct keep *k, unsigned slot, const uint8_t *list, core_keep_judge *judge, void *ctx)
{
    struct core_image *image = k->image;
    const struct keep_copy *copy = &k->copies[slot];
    uint32_t judged = 0;
    int err = 0, damage = 0;
    for (uint32_t chunk = 0, old = 0; chunk < image->seal.chunk_count && !err; chunk++) {
        uint32_t length = seal_chunk_length(&image->seal, chunk);
        err = core_disk_turn(k->core, &k->turned);
        if (err || image->chunk_bits[chunk / 8] >> chunk % 8 & 1 ||
            !find_chunk(list, copy->chunk_count, image->list + (size_t)chunk * SHA256_SIZE, old, &old))
            continue;
        uint64_t offset = (uint64_t)old++ * copy->chunk_size;
        // The last chunk of an image may be short, and then has the digest of no other length.
        err = length > copy->payload_size - offset ? ERR_INTERNAL : 0;
        if (!err)
            err = keep_read(k, slot, copy->payload + offset, &image->map, (uint64_t)chunk * image->seal.chunk_size, length);
        judged++;
        if (!err && !judge(ctx, chunk))
            damage = ERR_SEAL_CHUNK;
    }
    err = err ? err : damage;
    // Nothing of this one is left to be read but its padding.
    k->copies[slot].sound = !err && copy->same && judged == copy->chunk_count && keep_judge_padding(k, slot) == 0;
    return err;
}

static int reuse_copy(struct keep *k, unsigned slot, core_keep_judge *judge, void *ctx)
{
    const struct platform *p = k->core->platform;
    uint32_t count = k->copies[slot].chunk_count;
    size_t size = (size_t)count * SHA256_SIZE;
    uint8_t *list = MAX(count, k->image->seal.chunk_count) <= CHUNKS_MAX ? p->alloc(p->ctx, size) : NULL;
    if (!list)
        return ERR_NO_MEMORY;
    int err = read_list(k, slot, list, size);
    if (!err)
        err = reuse_chunks(k, slot, list, judge, ctx);
    p->free(p->ctx, list);
    return err;
}

int core_keep_reuse(struct core *core, core_keep_judge *judge, void *ctx)
{
    struct keep *k;
    unsigned order[IMGSLOT_COUNT];
    int err = 0;
    unsigned count = keep_open(&k, core, core->images.coming) ? imgslot_order(k->place.slots, order) : 0;
    for (unsigned i = 0; i < count && err != ERR_CANCELLED; i++) {
        struct keep_copy *copy = &k->copies[order[i]];
        if (!copy->good || copy->chunk_size != k->image->seal.chunk_size)
            continue;
        err = reuse_copy(k, order[i], judge, ctx);
        if (!err || err == ERR_CANCELLED)
            continue;
        keep_complain(k, order[i], err, "what is missing is fetched");
        copy->good = err == ERR_NO_MEMORY; // else it is damaged, and the next copy goes there
    }
    return err == ERR_CANCELLED ? err : 0;
}
