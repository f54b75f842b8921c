// SPDX-License-Identifier: MPL-2.0
// What lies in the slots of the local copy, and whether it would boot: by its seal, which is quick, and by all of its bytes,
// as `disk:` would read them. A copy that is to stay while the other one is written has to pass the second.
#include "core/keep.h"

void keep_complain(const struct keep *k, unsigned slot, int err, const char *what)
{
    console_error("keep", err, "%s on %s; %s", imgdisk_slot_name(&k->place, slot), k->place.dev.name, what);
}

void keep_look(struct keep *k, unsigned slot_number)
{
    struct keep_copy *copy = &k->copies[slot_number];
    const struct imgslot *slot = &k->place.slots[slot_number];
    const struct block_device *dev = &copy->dev;
    struct seal_view view;
    struct seal seal;
    imgdisk_image(&k->place, slot_number, &copy->dev);
    uint32_t sectors = (uint32_t)MIN((uint64_t)(KEEP_SEAL_ROOM / dev->sector_size), dev->sectors);
    if (!slot->present || block_read(dev, 0, sectors, k->buffer) != 0 || seal_view(k->buffer, (size_t)sectors * dev->sector_size, &view) != 0 ||
        seal_open(k->buffer, seal_size(&view), &k->core->embed.trust, &seal) != 0)
        return;
    copy->list = seal_list_offset(&view);
    copy->payload = seal_payload_offset(&view);
    copy->length = copy->payload + seal.payload_size;
    copy->chunk_size = seal.chunk_size;
    copy->chunk_count = seal.chunk_count;
    copy->payload_size = seal.payload_size;
    memcpy(copy->list_digest, seal.list_digest, sizeof copy->list_digest);
    // A header in front of another image's bytes is that of a write which the disk did not finish in order.
    copy->good = copy->length <= dev->sectors * dev->sector_size && seal.counter >= floor_of(&k->core->floor, seal.product) &&
                 (slot->sequence == 0 || (slot->length == copy->length && digest_equal(slot->image_id, seal.image_id, SHA256_SIZE)));
    copy->same = copy->good && seal_size(&view) == k->image->seal_len && memcmp(k->buffer, k->image->seal_bytes, k->image->seal_len) == 0;
}

int keep_read(struct keep *k, unsigned slot, uint64_t from, const struct scatter *map, uint64_t to, uint64_t len)
{
    const struct block_device *dev = &k->copies[slot].dev;
    uint32_t size = dev->sector_size, skip = (uint32_t)from & (size - 1);
    uint64_t lba = from >> __builtin_ctz(size);
    while (len > 0) {
        // Neither end need lie on a sector.
        uint32_t n = (uint32_t)MIN(len, (uint64_t)KEEP_PIECE - skip), sectors = (skip + n + size - 1) / size;
        int err = block_read(dev, lba, sectors, k->buffer);
        if (err)
            return err;
        if (!scatter_write(map, to, k->buffer + skip, n))
            return ERR_INTERNAL;
        lba += sectors;
        to += n;
        len -= n;
        skip = 0;
    }
    return 0;
}

// --- all of it ---

// Digests of the list from `first` on, as many as there is room for, into k->digests.
static int read_digests(struct keep *k, unsigned slot, uint32_t first, size_t *ret_size)
{
    const struct scatter map = { .size = sizeof k->digests, .count = 1, .pieces = { { 0, sizeof k->digests, k->digests } } };
    const struct keep_copy *copy = &k->copies[slot];
    *ret_size = (size_t)MIN(copy->chunk_count - first, (uint32_t)KEEP_DIGESTS) * SHA256_SIZE;
    return keep_read(k, slot, copy->list + (uint64_t)first * SHA256_SIZE, &map, 0, *ret_size);
}

static int judge_list(struct keep *k, unsigned slot)
{
    const struct keep_copy *copy = &k->copies[slot];
    struct sha256 sum;
    uint8_t digest[SHA256_SIZE];
    size_t n;
    sha256_init(&sum);
    for (uint32_t first = 0; first < copy->chunk_count; first += KEEP_DIGESTS) {
        int err = read_digests(k, slot, first, &n);
        if (err)
            return err;
        sha256_update(&sum, k->digests, n);
    }
    sha256_final(&sum, digest);
    return digest_equal(digest, copy->list_digest, sizeof digest) ? 0 : ERR_SEAL_LIST;
}

int keep_judge_padding(struct keep *k, unsigned slot)
{
    const struct scatter map = { .size = sizeof k->digests, .count = 1, .pieces = { { 0, sizeof k->digests, k->digests } } };
    const struct keep_copy *copy = &k->copies[slot];
    uint64_t from = copy->list + (uint64_t)copy->chunk_count * SHA256_SIZE, n = copy->payload - from;
    int err = keep_read(k, slot, from, &map, 0, n);
    for (size_t i = 0; i < n && !err; i++)
        err = k->digests[i] ? ERR_SEAL_CHUNK : 0;
    return err;
}
_Static_assert(KEEP_DIGESTS * SHA256_SIZE >= PAYLOAD_ALIGN, "the padding fits, too");

static int judge_chunk(struct keep *k, unsigned slot, uint32_t chunk)
{
    const struct keep_copy *copy = &k->copies[slot];
    uint32_t size = copy->dev.sector_size;
    uint64_t at = (uint64_t)chunk * copy->chunk_size, end = MIN(at + copy->chunk_size, copy->payload_size);
    uint64_t lba = (copy->payload + at) >> __builtin_ctz(size);
    struct sha256 sum;
    uint8_t digest[SHA256_SIZE];
    sha256_init(&sum);
    for (; at < end; at += KEEP_PIECE, lba += KEEP_PIECE / size) {
        uint32_t n = (uint32_t)MIN(end - at, (uint64_t)KEEP_PIECE);
        int err = block_read(&copy->dev, lba, (n + size - 1) / size, k->buffer);
        if (!err)
            err = core_disk_turn(k->core, &k->turned);
        if (err)
            return err;
        sha256_update(&sum, k->buffer, n);
        console_meter(&k->meter, "keep: check", at + n, copy->payload_size, core_now(k->core));
    }
    sha256_final(&sum, digest);
    return digest_equal(digest, k->digests + chunk % KEEP_DIGESTS * SHA256_SIZE, sizeof digest) ? 0 : ERR_SEAL_CHUNK;
}

static int judge(struct keep *k, unsigned slot)
{
    size_t n;
    meter_start(&k->meter, 0, core_now(k->core));
    int err = judge_list(k, slot);
    if (!err)
        err = keep_judge_padding(k, slot);
    for (uint32_t chunk = 0; chunk < k->copies[slot].chunk_count && !err; chunk++) {
        err = chunk % KEEP_DIGESTS ? 0 : read_digests(k, slot, chunk, &n);
        if (!err)
            err = judge_chunk(k, slot, chunk);
    }
    return err;
}

int keep_judge(struct keep *k, unsigned slot)
{
    struct keep_copy *copy = &k->copies[slot];
    int err = copy->good && !copy->sound ? judge(k, slot) : 0;
    if (err == ERR_CANCELLED)
        return err;
    if (err)
        keep_complain(k, slot, err, "it would not boot");
    copy->good = copy->good && !err;
    copy->sound = copy->good;
    return 0;
}
