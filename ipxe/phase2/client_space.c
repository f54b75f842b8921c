// SPDX-License-Identifier: MPL-2.0
// What is asked for. The intake knows what is here; of each of its slots it is kept here which blocks are under way, which were
// lost, and who sent them.
#include "base/range.h"
#include "phase2/client_parts.h"

_Static_assert((int)P2_SPACE_SEAL == INTAKE_SEAL && (int)P2_SPACE_LIST == INTAKE_LIST && (int)P2_SPACE_PAYLOAD == INTAKE_PAYLOAD,
               "the wire's spaces are the intake's");

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
static uint32_t *asked_of(const struct p2_client *c, uint32_t slot)
{
    return intake_bits(&c->intake, c->space.asked, slot);
}

static uint32_t block_length(const struct p2_client *c, const struct intake_slot *slot, uint32_t block)
{
    return MIN(c->intake.block_size, slot->length - block * c->intake.block_size);
}

// Nothing of the slot's piece is asked for.
static void ask_clear(struct p2_client *c, uint32_t index)
{
    struct p2_ask *ask = &c->space.ask[index];
    ask->blocks = (c->slots[index].length + c->intake.block_size - 1) / c->intake.block_size;
    ask->next_new = ask->again = 0;
    ask->source = P2C_NONE;
    memset(asked_of(c, index), 0, c->intake.slot_words * 4);
}

void p2c_slot_clear(struct p2_client *c, uint32_t index)
{
    p2c_flow_forget(c, index);
    intake_clear(&c->intake, index);
    ask_clear(c, index);
}

void p2c_space_begin(struct p2_client *c, enum intake_space space, uint64_t size, uint32_t piece_shift)
{
    p2c_flow_restart(c);
    intake_begin(&c->intake, space, size, piece_shift);
    c->space.next = 0;
}

void p2c_space_begun(struct p2_client *c)
{
    c->space.next = 0;
}

void p2c_space_restart(struct p2_client *c)
{
    p2c_flow_restart(c);
    intake_restart(&c->intake);
    c->space.next = 0;
}

void p2c_space_block_size(struct p2_client *c, uint32_t block_size, bool proven)
{
    p2c_flow_restart(c);
    c->intake.block_size = block_size;
    c->space.block_proven = proven;
    // Of pieces that are whole only bytes are hashed; the others start anew.
    for (uint32_t i = 0; i < c->intake.busy; i++)
        if (!intake_whole(&c->slots[c->intake.order[i]]))
            p2c_slot_clear(c, c->intake.order[i]);
}

// --- asking ---

// New chunks are begun in batches: while most slots wait to be hashed nothing more is asked for, or each READ
// would ask for as little as the last bit of hashing set free.
static bool slot_allowed(const struct p2_client *c)
{
    const struct intake *in = &c->intake;
    return in->busy < in->slot_count && (in->space != INTAKE_PAYLOAD || in->whole <= in->slot_count / 2);
}

void p2c_space_pass(struct p2_client *c)
{
    while (c->space.next < c->intake.piece_count && intake_done(&c->intake, c->space.next))
        c->space.next++;
}

static bool slot_open(struct p2_client *c)
{
    if (c->space.next == c->intake.piece_count || !slot_allowed(c))
        return false;
    int index = intake_open(&c->intake, c->space.next++);
    p2c_space_pass(c);
    ask_clear(c, (uint32_t)index);
    c->space.ask[index].only = 0;
    return true;
}

bool p2c_space_wants(const struct p2_client *c)
{
    for (uint32_t i = 0; i < c->intake.busy; i++) {
        const struct p2_ask *ask = &c->space.ask[c->intake.order[i]];
        if (ask->again || ask->next_new < ask->blocks)
            return true;
    }
    return c->space.next < c->intake.piece_count && slot_allowed(c);
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
    const struct intake_slot *slot = &c->slots[index];
    uint64_t offset = ((uint64_t)slot->piece << c->intake.piece_shift) + (uint64_t)block * c->intake.block_size;
    if (!range_add(read, offset, block_length(c, slot, block)))
        return false;
    bit_set(asked_of(c, index), block);
    p2c_flow_asked(c, index, block);
    return true;
}

// Up to `blocks` of a slot: first those that were lost, then new ones.
static uint32_t slot_ask(struct p2_client *c, uint32_t index, uint32_t blocks, struct p2_read *read, bool *full)
{
    struct p2_ask *ask = &c->space.ask[index];
    const uint32_t *have = intake_bits(&c->intake, c->have, index), *asked = asked_of(c, index);
    uint32_t n = 0;
    for (uint32_t i = c->slots[index].front / c->intake.block_size; ask->again && i < ask->next_new && n < blocks; i++) {
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
        ask->again--;
        n++;
    }
    while (ask->next_new < ask->blocks && n < blocks) {
        if (!slot_ask_block(c, index, ask->next_new, read)) {
            *full = true;
            return n;
        }
        ask->next_new++;
        n++;
    }
    return n;
}

uint32_t p2c_space_ask(struct p2_client *c, uint32_t blocks, struct p2_read *read)
{
    uint32_t n = 0;
    bool full = false;
    for (uint32_t i = 0; n < blocks && !full; i++) {
        if (i == c->intake.busy && !slot_open(c))
            break;
        n += slot_ask(c, c->intake.order[i], blocks - n, read, &full);
    }
    return n;
}

void p2c_space_lost(struct p2_client *c, uint32_t index, uint32_t block)
{
    bit_clear(asked_of(c, index), block);
    c->space.ask[index].again++;
}

// After a mismatch a chunk comes from one server alone; when that one changes, so does all of the chunk.
void p2c_space_server_changed(struct p2_client *c)
{
    for (uint32_t i = 0; i < c->intake.busy; i++) {
        uint32_t index = c->intake.order[i];
        struct p2_ask *ask = &c->space.ask[index];
        if (ask->only && ask->only != c->servers.current && !intake_whole(&c->slots[index])) {
            p2c_slot_clear(c, index);
            ask->only = (uint8_t)c->servers.current;
        }
    }
}

// --- arriving ---

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
    if (piece >= c->space.next)
        return ERR_NOT_FOUND; // never asked for
    return data_again(c);
}

static void data_new(struct p2_client *c, uint32_t server, uint32_t index, uint32_t block, const struct p2_data *data)
{
    struct p2_ask *ask = &c->space.ask[index];
    bool was_asked = bit_get(asked_of(c, index), block);
    intake_take(&c->intake, index, block * c->intake.block_size, data->bytes, data->length);
    bit_clear(asked_of(c, index), block);
    ask->source = ask->source == P2C_NONE || ask->source == server ? (uint8_t)server : P2C_MIXED;
    ask->again -= !was_asked;
    if (data->length == c->intake.block_size)
        c->servers.at[server].full_seen = c->space.block_proven = true;
    c->progress.blocks_received++;
    p2c_turn_block(c, data->length);
    p2c_flow_arrived(c, index, block, data->stamp, was_asked);
}

int p2c_space_data(struct p2_client *c, uint32_t server, const struct p2_data *data)
{
    const struct intake *in = &c->intake;
    if (data->space != in->space || !range_fits(data->offset, data->length, in->size))
        return ERR_NOT_FOUND;
    uint32_t piece = (uint32_t)(data->offset >> in->piece_shift);
    int found = intake_slot(in, piece);
    if (found < 0)
        return data_elsewhere(c, piece);

    uint32_t index = (uint32_t)found;
    const struct intake_slot *slot = &c->slots[index];
    if (intake_whole(slot))
        return data_again(c);
    uint32_t within = (uint32_t)(data->offset - ((uint64_t)piece << in->piece_shift)), block = within / in->block_size;
    if (block * in->block_size != within || data->length != block_length(c, slot, block))
        return ERR_NOT_FOUND; // of another block size, or not a block at all
    if (intake_has(in, index, within))
        return data_again(c);
    const struct p2_ask *ask = &c->space.ask[index];
    if ((block >= ask->next_new && !bit_get(asked_of(c, index), block)) || (ask->only && ask->only != server + 1))
        return ERR_NOT_FOUND;
    data_new(c, server, index, block, data);
    return 0;
}
