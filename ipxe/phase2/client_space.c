// SPDX-License-Identifier: MPL-2.0
// What has arrived. A space (seal, list, payload) is cut into pieces, a piece into blocks. Pieces in the
// works lie in slots, each with two bits a block: `have` (it is here) and `asked` (it is under way). A block
// is written once, at its final place.
#include "base/range.h"
#include "phase2/client_parts.h"

#define FREE UINT32_MAX // slot.piece

static uint32_t *bits_of(const struct p2_client *c, const uint32_t *map, uint32_t slot)
{
    return (uint32_t *)(uintptr_t)map + slot * c->space.slot_words;
}
static bool bit_get(const uint32_t *bits, uint32_t i)
{
    return bits[i / 32] >> (i % 32) & 1;
}
static void bit_set(uint32_t *bits, uint32_t i)
{
    bits[i / 32] |= 1u << (i % 32);
}
static void bit_clear(uint32_t *bits, uint32_t i)
{
    bits[i / 32] &= ~(1u << (i % 32));
}

uint32_t p2c_space_length(const struct p2_client *c, uint32_t piece)
{
    uint64_t start = (uint64_t)piece << c->space.piece_shift;
    return (uint32_t)MIN(c->space.size - start, (uint64_t)1 << c->space.piece_shift);
}

static uint32_t block_length(const struct p2_client *c, const struct p2_slot *slot, uint32_t block)
{
    return MIN(c->space.block_size, slot->length - block * c->space.block_size);
}

void p2c_slot_clear(struct p2_client *c, uint32_t index)
{
    struct p2_slot *slot = &c->space.slots[index];
    p2c_flow_forget(c, index);
    c->space.whole -= slot->blocks != 0 && slot->received == slot->blocks;
    slot->blocks = (slot->length + c->space.block_size - 1) / c->space.block_size;
    slot->received = slot->next_new = slot->again = slot->prefix = slot->hashed = 0;
    slot->source = P2C_NONE;
    slot->away = slot->home = false;
    memset(bits_of(c, c->space.have, index), 0, c->space.slot_words * 4);
    memset(bits_of(c, c->space.asked, index), 0, c->space.slot_words * 4);
    sha256_init(&slot->sha);
}

uint32_t p2c_slots_of(uint64_t largest, uint32_t *ret_words)
{
    // Room for the smallest blocks, so that a change of block size does not change the slots.
    uint32_t blocks = ((uint32_t)largest + P2_BLOCK_MIN - 1) / P2_BLOCK_MIN;
    *ret_words = (blocks + 31) / 32;
    return MIN((uint32_t)P2_CLIENT_SLOTS, P2_CLIENT_SLOT_BITS / 32 / *ret_words);
}

void p2c_space_begin(struct p2_client *c, uint8_t space, uint64_t size, uint32_t piece_shift)
{
    p2c_flow_restart(c);
    uint64_t largest = MIN(size, (uint64_t)1 << piece_shift);
    c->space.id = space;
    c->space.size = size;
    c->space.piece_shift = piece_shift;
    c->space.piece_count = (uint32_t)((size + ((uint64_t)1 << piece_shift) - 1) >> piece_shift);
    c->space.slot_count = p2c_slots_of(largest, &c->space.slot_words);
    p2c_space_restart(c);
}

void p2c_space_restart(struct p2_client *c)
{
    p2c_flow_restart(c);
    for (uint32_t i = 0; i < P2_CLIENT_SLOTS; i++) {
        c->space.slots[i].piece = FREE;
        c->space.slots[i].blocks = 0;
    }
    c->space.busy = c->space.whole = 0;
    c->space.piece_next = c->space.pieces_done = 0;
}

void p2c_space_block_size(struct p2_client *c, uint32_t block_size)
{
    p2c_flow_restart(c);
    // Slots that are whole are counted in blocks no more (only their bytes are hashed), the others start anew.
    for (uint32_t i = 0; i < c->space.busy; i++) {
        struct p2_slot *slot = &c->space.slots[c->space.order[i]];
        bool whole = slot->received == slot->blocks;
        if (whole)
            continue;
        uint32_t before = c->space.block_size;
        c->space.block_size = block_size;
        p2c_slot_clear(c, c->space.order[i]);
        c->space.block_size = before;
    }
    c->space.block_size = block_size;
}

// --- asking ---

static bool piece_wanted(const struct p2_client *c, uint32_t piece)
{
    return c->space.id != P2_SPACE_PAYLOAD || !(c->memory.chunk_bits[piece / 8] >> (piece % 8) & 1);
}

// New chunks are begun in batches: while most slots wait to be hashed nothing more is asked for, or each READ
// would ask for as little as the last bit of hashing set free.
static bool slot_allowed(const struct p2_client *c)
{
    return c->space.busy < c->space.slot_count && (c->space.id != P2_SPACE_PAYLOAD || c->space.whole <= c->space.slot_count / 2);
}

void p2c_space_pass(struct p2_client *c)
{
    while (c->space.piece_next < c->space.piece_count && !piece_wanted(c, c->space.piece_next))
        c->space.piece_next++;
}

static bool slot_open(struct p2_client *c)
{
    if (c->space.piece_next == c->space.piece_count || !slot_allowed(c))
        return false;
    uint32_t index = 0;
    while (c->space.slots[index].piece != FREE)
        index++;
    struct p2_slot *slot = &c->space.slots[index];
    slot->piece = c->space.piece_next++;
    p2c_space_pass(c);
    slot->length = p2c_space_length(c, slot->piece);
    slot->blocks = 0;
    slot->only = 0;
    p2c_slot_clear(c, index);
    c->space.order[c->space.busy++] = (uint8_t)index;
    return true;
}

void p2c_slot_close(struct p2_client *c, uint32_t at)
{
    struct p2_slot *slot = &c->space.slots[c->space.order[at]];
    c->space.whole -= slot->received == slot->blocks;
    slot->piece = FREE;
    slot->blocks = 0;
    c->space.busy--;
    memmove(c->space.order + at, c->space.order + at + 1, c->space.busy - at);
}

bool p2c_space_wants(const struct p2_client *c)
{
    for (uint32_t i = 0; i < c->space.busy; i++) {
        const struct p2_slot *slot = &c->space.slots[c->space.order[i]];
        if (slot->again || slot->next_new < slot->blocks)
            return true;
    }
    return c->space.piece_next < c->space.piece_count && slot_allowed(c);
}

// Adds a block to the ranges, joined to the last one where they touch. False when no range is left.
static bool range_add(struct p2_read *read, uint64_t offset, uint32_t length)
{
    if (read->range_count) {
        struct p2_range *last = &read->ranges[read->range_count - 1];
        if (last->offset + last->length == offset) {
            last->length += length;
            return true;
        }
    }
    if (read->range_count == (read->block_size < P2_BLOCK_SMALL ? P2_RANGES_SMALL : P2_RANGES_MAX))
        return false;
    read->ranges[read->range_count++] = (struct p2_range){ .offset = offset, .length = length };
    return true;
}

static bool slot_ask_block(struct p2_client *c, uint32_t index, uint32_t block, struct p2_read *read)
{
    struct p2_slot *slot = &c->space.slots[index];
    uint64_t offset = ((uint64_t)slot->piece << c->space.piece_shift) + (uint64_t)block * c->space.block_size;
    if (!range_add(read, offset, block_length(c, slot, block)))
        return false;
    bit_set(bits_of(c, c->space.asked, index), block);
    p2c_flow_asked(c, index, block);
    return true;
}

// Up to `blocks` of a slot: first those that were lost, then new ones.
static uint32_t slot_ask(struct p2_client *c, uint32_t index, uint32_t blocks, struct p2_read *read, bool *full)
{
    struct p2_slot *slot = &c->space.slots[index];
    const uint32_t *have = bits_of(c, c->space.have, index), *asked = bits_of(c, c->space.asked, index);
    uint32_t n = 0;
    for (uint32_t i = slot->prefix; slot->again && i < slot->next_new && n < blocks; i++) {
        if (i % 32 == 0 && (have[i / 32] | asked[i / 32]) == UINT32_MAX) {
            i += 31;
            continue;
        }
        if (bit_get(have, i) || bit_get(asked, i))
            continue;
        if (!slot_ask_block(c, index, i, read)) {
            *full = true;
            return n;
        }
        slot->again--;
        n++;
    }
    while (slot->next_new < slot->blocks && n < blocks) {
        if (!slot_ask_block(c, index, slot->next_new, read)) {
            *full = true;
            return n;
        }
        slot->next_new++;
        n++;
    }
    return n;
}

uint32_t p2c_space_ask(struct p2_client *c, uint32_t blocks, struct p2_read *read)
{
    uint32_t n = 0;
    bool full = false;
    for (uint32_t i = 0; n < blocks && !full; i++) {
        if (i == c->space.busy && !slot_open(c))
            break;
        n += slot_ask(c, c->space.order[i], blocks - n, read, &full);
    }
    return n;
}

void p2c_space_lost(struct p2_client *c, uint32_t index, uint32_t block)
{
    bit_clear(bits_of(c, c->space.asked, index), block);
    c->space.slots[index].again++;
}

// After a mismatch a chunk comes from one server alone; when that one changes, so does all of the chunk.
void p2c_space_server_changed(struct p2_client *c)
{
    for (uint32_t i = 0; i < c->space.busy; i++) {
        struct p2_slot *slot = &c->space.slots[c->space.order[i]];
        if (slot->only && slot->only != c->servers.current && slot->received < slot->blocks) {
            p2c_slot_clear(c, c->space.order[i]);
            slot->only = (uint8_t)c->servers.current;
        }
    }
}

// --- arriving ---

// Busy slots lie in ascending order.
int p2c_slot_find(const struct p2_client *c, uint32_t piece)
{
    uint32_t low = 0, high = c->space.busy;
    while (low < high) {
        uint32_t mid = (low + high) / 2;
        if (c->space.slots[c->space.order[mid]].piece < piece)
            low = mid + 1;
        else
            high = mid;
    }
    return low < c->space.busy && c->space.slots[c->space.order[low]].piece == piece ? (int)low : -1;
}

static void store(struct p2_client *c, const struct p2_slot *slot, uint32_t within, const struct p2_data *data)
{
    switch (c->space.id) {
    case P2_SPACE_SEAL: memcpy(c->setup.seal_buf + data->offset, data->bytes, data->length); break;
    case P2_SPACE_LIST: memcpy(c->memory.list + data->offset, data->bytes, data->length); break;
    default:
        if (c->memory.passing.room)
            memcpy(p2c_passing_at(c, slot, within), data->bytes, data->length);
        else
            scatter_write(&c->memory.map, data->offset, data->bytes, data->length);
        c->progress.bytes_received += data->length;
        break;
    }
}

// A block that is here already. It still says that the way is alive: what is awaited may stand behind it in a
// queue, and asking for it again would only make the queue longer.
static int data_again(struct p2_client *c)
{
    c->progress.duplicates++;
    p2c_flow_alive(c);
    return 0;
}

// A piece that was judged good answers late copies of its blocks as duplicates.
static int data_elsewhere(struct p2_client *c, uint32_t piece)
{
    if (piece >= c->space.piece_next)
        return ERR_NOT_FOUND; // never asked for
    return data_again(c);
}

int p2c_space_data(struct p2_client *c, uint32_t server, const struct p2_data *data)
{
    if (data->space != c->space.id || !range_fits(data->offset, data->length, c->space.size))
        return ERR_NOT_FOUND;
    uint32_t piece = (uint32_t)(data->offset >> c->space.piece_shift);
    int at = p2c_slot_find(c, piece);
    if (at < 0)
        return data_elsewhere(c, piece);

    uint32_t index = c->space.order[at];
    struct p2_slot *slot = &c->space.slots[index];
    if (slot->received == slot->blocks) {
        return data_again(c);
    }
    uint32_t within = (uint32_t)(data->offset - ((uint64_t)piece << c->space.piece_shift)), block = within / c->space.block_size;
    if (block * c->space.block_size != within || data->length != block_length(c, slot, block))
        return ERR_NOT_FOUND; // of another block size, or not a block at all
    uint32_t *have = bits_of(c, c->space.have, index), *asked = bits_of(c, c->space.asked, index);
    if (bit_get(have, block)) {
        return data_again(c);
    }
    bool was_asked = bit_get(asked, block);
    if ((!was_asked && block >= slot->next_new) || (slot->only && slot->only != server + 1))
        return ERR_NOT_FOUND;

    store(c, slot, within, data);
    bit_set(have, block);
    bit_clear(asked, block);
    slot->received++;
    slot->source = slot->source == P2C_NONE || slot->source == server ? (uint8_t)server : P2C_MIXED;
    while (slot->prefix < slot->blocks && bit_get(have, slot->prefix))
        slot->prefix++;
    if (!was_asked)
        slot->again--;
    if (data->length == c->space.block_size)
        c->servers.at[server].full_seen = c->space.block_proven = true;
    c->progress.blocks_received++;
    p2c_turn_block(c, data->length);
    p2c_flow_arrived(c, index, block, data->stamp, was_asked);
    if (slot->received == slot->blocks) {
        c->space.whole++;
        if (c->space.id != P2_SPACE_PAYLOAD)
            c->space.pieces_done++; // judged all together, when the last one is here
    }
    return 0;
}
