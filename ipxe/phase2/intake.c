// SPDX-License-Identifier: MPL-2.0
// See intake.h: the spaces, and where their bytes go.
#include "phase2/intake.h"

#include "base/range.h"

static bool bit_get(const uint32_t *bits, uint32_t i)
{
    return bits[i / 32] >> (i % 32) & 1;
}

// ---- the spaces ----------------------------------------------------------------------------------------

void intake_init(struct intake *in, const struct intake_config *config)
{
    memset(in, 0, sizeof *in);
    in->config = *config;
}

// Slots for pieces of so many bytes, and words of bits of each: room for the smallest blocks, so that a change of block size
// does not change the slots.
static uint32_t slots_of(const struct intake_config *config, uint64_t largest, uint32_t *ret_words)
{
    if (!config->bits) {
        *ret_words = 0;
        return config->slot_count;
    }
    uint32_t blocks = ((uint32_t)largest + config->block_min - 1) / config->block_min;
    *ret_words = (blocks + 31) / 32;
    return MIN(config->slot_count, config->bit_count / 32 / *ret_words);
}

static void set_space(struct intake *in, enum intake_space space, uint64_t size, uint32_t piece_shift)
{
    in->space = space;
    in->size = size;
    in->piece_shift = piece_shift;
    in->piece_count = (uint32_t)((size + ((uint64_t)1 << piece_shift) - 1) >> piece_shift);
    in->slot_count = slots_of(&in->config, MIN(size, (uint64_t)1 << piece_shift), &in->slot_words);
    for (uint32_t i = 0; i < in->config.slot_count; i++)
        in->config.slots[i].piece = INTAKE_FREE;
    in->busy = in->whole = in->pieces_done = 0;
}

void intake_begin(struct intake *in, enum intake_space space, uint64_t size, uint32_t piece_shift)
{
    set_space(in, space, size, piece_shift);
    intake_restart(in);
}

void intake_restart(struct intake *in)
{
    set_space(in, in->space, in->size, in->piece_shift);
    if (in->space != INTAKE_SEAL)
        memset(in->chunk_bits, 0, (in->seal.chunk_count + 7) / 8);
}

int intake_seal(struct intake *in, size_t len)
{
    return (in->config.detached ? seal_open_detached : seal_open)(in->config.seal_buf, len, in->config.trust, &in->seal);
}

static int accepted(struct intake *in, uint8_t *list, uint8_t *chunk_bits)
{
    if (!list || !chunk_bits)
        return ERR_INVALID;
    in->list = list;
    in->chunk_bits = chunk_bits;
    intake_begin(in, INTAKE_LIST, (uint64_t)in->seal.chunk_count * SHA256_SIZE, INTAKE_LIST_PIECE);
    return 0;
}

// Pieces of memory for the payload, end to end.
static int take_map(struct intake *in, const struct scatter *map)
{
    if (map->size != in->seal.payload_size || map->count > SCATTER_PIECES_MAX)
        return ERR_INVALID;
    uint64_t end = 0;
    for (uint32_t i = 0; i < map->count; i++) {
        if (map->pieces[i].offset != end || !range_fits(end, map->pieces[i].length, map->size))
            return ERR_INVALID;
        end += map->pieces[i].length;
    }
    if (end != map->size)
        return ERR_INVALID;
    in->map = *map;
    return 0;
}

int intake_accept(struct intake *in, const struct scatter *map, uint8_t *list, uint8_t *chunk_bits)
{
    int err = take_map(in, map);
    return err ? err : accepted(in, list, chunk_bits);
}

int intake_resume(struct intake *in, const struct seal *seal, const struct scatter *map, uint8_t *list, uint8_t *chunk_bits)
{
    in->seal = *seal;
    int err = take_map(in, map);
    if (err || !list || !chunk_bits)
        return ERR_INVALID;
    err = seal_check_list(seal, list, (size_t)seal->chunk_count * SHA256_SIZE);
    if (err)
        return err;
    in->list = list;
    in->chunk_bits = chunk_bits;
    set_space(in, INTAKE_PAYLOAD, seal->payload_size, (uint32_t)__builtin_ctz(seal->chunk_size));
    for (uint32_t chunk = 0; chunk < in->piece_count; chunk++)
        in->pieces_done += intake_done(in, chunk);
    return 0;
}

size_t intake_room(const struct intake *in)
{
    uint32_t words, slots = slots_of(&in->config, MIN(in->seal.payload_size, (uint64_t)in->seal.chunk_size), &words);
    return MIN(slots, in->seal.chunk_count) * (size_t)in->seal.chunk_size;
}

int intake_accept_passing(struct intake *in, const struct intake_passing *passing, uint8_t *list, uint8_t *chunk_bits)
{
    if (!passing->room)
        return ERR_INVALID;
    in->passing = *passing;
    return accepted(in, list, chunk_bits);
}

int intake_list(struct intake *in)
{
    int err = seal_check_list(&in->seal, in->list, (size_t)in->size);
    if (err)
        intake_restart(in);
    else
        intake_begin(in, INTAKE_PAYLOAD, in->seal.payload_size, (uint32_t)__builtin_ctz(in->seal.chunk_size));
    return err;
}

// ---- slots ---------------------------------------------------------------------------------------------

uint32_t intake_length(const struct intake *in, uint32_t piece)
{
    uint64_t start = (uint64_t)piece << in->piece_shift;
    return (uint32_t)MIN(in->size - start, (uint64_t)1 << in->piece_shift);
}

// Where the piece is in in->order, or would be.
static uint32_t place_of(const struct intake *in, uint32_t piece)
{
    uint32_t low = 0, high = in->busy;
    while (low < high) {
        uint32_t mid = (low + high) / 2;
        if (in->config.slots[in->order[mid]].piece < piece)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

int intake_find(const struct intake *in, uint32_t piece)
{
    uint32_t at = place_of(in, piece);
    return at < in->busy && in->config.slots[in->order[at]].piece == piece ? (int)at : -1;
}

// What came last was of the same piece nearly always.
int intake_slot(const struct intake *in, uint32_t piece)
{
    if (in->config.slots[in->last].piece == piece)
        return (int)in->last;
    int at = intake_find(in, piece);
    return at < 0 ? -1 : in->order[at];
}

int intake_open(struct intake *in, uint32_t piece)
{
    if (in->busy == in->slot_count)
        return -1;
    uint32_t index = 0, at = place_of(in, piece);
    while (in->config.slots[index].piece != INTAKE_FREE)
        index++;
    struct intake_slot *slot = &in->config.slots[index];
    slot->piece = piece;
    slot->length = intake_length(in, piece);
    slot->front = 0;
    intake_clear(in, index);
    memmove(in->order + at + 1, in->order + at, in->busy - at);
    in->order[at] = (uint8_t)index;
    in->busy++;
    return (int)index;
}

void intake_clear(struct intake *in, uint32_t index)
{
    struct intake_slot *slot = &in->config.slots[index];
    in->whole -= intake_whole(slot);
    slot->front = slot->hashed = slot->ahead = 0;
    slot->away = slot->home = false;
    if (in->slot_words)
        memset(intake_bits(in, in->config.bits, index), 0, in->slot_words * 4);
    sha256_init(&slot->sha);
}

void intake_close(struct intake *in, uint32_t at)
{
    struct intake_slot *slot = &in->config.slots[in->order[at]];
    in->whole -= intake_whole(slot);
    slot->piece = INTAKE_FREE;
    in->busy--;
    memmove(in->order + at, in->order + at + 1, in->busy - at);
}

// ---- bytes ---------------------------------------------------------------------------------------------

// Where bytes lie when all of the piece is in one place. NULL: in the map.
static uint8_t *flat(const struct intake *in, uint32_t index)
{
    uint64_t start = (uint64_t)in->config.slots[index].piece << in->piece_shift;
    if (in->space != INTAKE_PAYLOAD)
        return (in->space == INTAKE_SEAL ? in->config.seal_buf : in->list) + start;
    return in->passing.room ? in->passing.room + ((size_t)index << in->piece_shift) : NULL;
}

uint8_t *intake_at(const struct intake *in, uint32_t index, uint32_t from, size_t want, size_t *ret_len)
{
    uint8_t *p = flat(in, index);
    *ret_len = want;
    if (p)
        return p + from;
    p = scatter_at(&in->map, ((uint64_t)in->config.slots[index].piece << in->piece_shift) + from, want, ret_len);
    return p && *ret_len ? p : NULL;
}

static void store(struct intake *in, uint32_t index, uint32_t within, const uint8_t *bytes, size_t len)
{
    uint8_t *p = flat(in, index);
    if (p)
        memcpy(p + within, bytes, len);
    else
        scatter_write(&in->map, ((uint64_t)in->config.slots[index].piece << in->piece_shift) + within, bytes, len);
    if (in->space == INTAKE_PAYLOAD)
        in->bytes_received += len;
}

static uint32_t block_length(const struct intake *in, const struct intake_slot *slot, uint32_t start)
{
    return MIN(in->block_size, slot->length - start);
}

bool intake_has(const struct intake *in, uint32_t index, uint32_t within)
{
    const struct intake_slot *slot = &in->config.slots[index];
    return within < slot->front ||
           (slot->ahead && within > slot->front && bit_get(intake_bits(in, in->config.bits, index), within / in->block_size));
}

// Over the blocks that follow and are here.
static void move_front(struct intake *in, uint32_t index)
{
    struct intake_slot *slot = &in->config.slots[index];
    while (slot->ahead && bit_get(intake_bits(in, in->config.bits, index), slot->front / in->block_size)) {
        slot->front += block_length(in, slot, slot->front);
        slot->ahead--;
    }
}

// At the front, so many bytes; up to the end of their block where others may be here already.
static uint32_t take_front(struct intake *in, uint32_t index, const uint8_t *bytes, uint32_t len)
{
    struct intake_slot *slot = &in->config.slots[index];
    if (slot->ahead)
        len = MIN(len, in->block_size - slot->front % in->block_size);
    store(in, index, slot->front, bytes, len);
    slot->front += len;
    move_front(in, index);
    return len;
}

// Behind the front: a whole block. 0: it is none.
static uint32_t take_block(struct intake *in, uint32_t index, uint32_t at, const uint8_t *bytes, uint32_t len)
{
    if (!in->slot_words || at % in->block_size != 0)
        return 0;
    struct intake_slot *slot = &in->config.slots[index];
    uint32_t length = block_length(in, slot, at);
    if (intake_has(in, index, at))
        return MIN(len, length);
    if (len < length)
        return 0;
    uint32_t block = at / in->block_size;
    store(in, index, at, bytes, length);
    intake_bits(in, in->config.bits, index)[block / 32] |= 1u << (block % 32);
    slot->ahead++;
    return length;
}

// Of seal and list, which are judged all together when the last one is here. The list may have more pieces than there are slots.
static void piece_here(struct intake *in, uint32_t piece)
{
    in->pieces_done++;
    if (in->space == INTAKE_SEAL)
        return;
    in->chunk_bits[piece / 8] |= (uint8_t)(1u << (piece % 8));
    intake_close(in, (uint32_t)intake_find(in, piece));
}

size_t intake_take(struct intake *in, uint32_t index, uint32_t within, const uint8_t *bytes, size_t len)
{
    struct intake_slot *slot = &in->config.slots[index];
    uint32_t done = 0, most = (uint32_t)MIN(len, (size_t)(slot->length - within)), n;
    in->last = index;
    if (intake_whole(slot))
        return most;
    for (; done < most; done += n) {
        uint32_t at = within + done;
        if (at < slot->front)
            n = MIN(most - done, slot->front - at);
        else if (at == slot->front)
            n = take_front(in, index, bytes + done, most - done);
        else
            n = take_block(in, index, at, bytes + done, most - done);
        if (n == 0)
            break;
    }
    if (intake_whole(slot)) {
        in->whole++;
        if (in->space != INTAKE_PAYLOAD)
            piece_here(in, slot->piece);
    }
    return done;
}

// Of one piece.
static size_t put_piece(struct intake *in, uint32_t piece, uint32_t within, const uint8_t *bytes, size_t len)
{
    if (intake_done(in, piece))
        return len;
    int known = intake_slot(in, piece), index = known < 0 ? intake_open(in, piece) : known;
    size_t n = index < 0 ? 0 : intake_take(in, (uint32_t)index, within, bytes, len);
    if (known < 0 && index >= 0 && n == 0)
        intake_close(in, (uint32_t)intake_find(in, piece));
    return n;
}

size_t intake_put(struct intake *in, uint64_t offset, const uint8_t *bytes, size_t len)
{
    size_t done = 0, n, want;
    for (len = offset < in->size ? (size_t)MIN((uint64_t)len, in->size - offset) : 0; done < len; done += n) {
        uint32_t piece = (uint32_t)((offset + done) >> in->piece_shift);
        uint32_t within = (uint32_t)(offset + done - ((uint64_t)piece << in->piece_shift));
        want = MIN(len - done, (size_t)(intake_length(in, piece) - within));
        n = put_piece(in, piece, within, bytes + done, want);
        if (n < want)
            return done + n;
    }
    return done;
}
