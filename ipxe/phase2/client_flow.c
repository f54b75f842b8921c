// SPDX-License-Identifier: MPL-2.0
// What is under way. Every block that is asked for gets the next running number; the server sends in that
// order, so an arrival with a much higher number says that lower ones were lost (selective repeat). The
// number of blocks outstanding is the window: it starts at what the card can hold, doubles while all goes
// well, and is halved when more is lost than a noisy link explains.
#include "phase2/client_parts.h"

#define STEPS ARRAY_SIZE(block_steps)
static const uint16_t block_steps[] = { P2_BLOCK_MAX, P2_BLOCK_MID, P2_BLOCK_SMALL, P2_BLOCK_MIN };

// A round is one window's worth of requests, at least ROUND_MIN so that one loss is not taken for many; where losses are
// the rule, or must show something subtle, ROUND_SURE.
#define ROUND_MIN 32
#define ROUND_SURE 128
#define BACKOFF_MAX 6
#define WINDOW_SMALL 64 // up to here READs are spared: half a window of credit at a time, above a quarter

static struct p2_flight *flight_at(struct p2_client *c, uint32_t number)
{
    return &c->flow.flight[number % P2_CLIENT_FLIGHT];
}
static bool before(uint32_t a, uint32_t b)
{
    return (int32_t)(a - b) < 0;
}

void p2c_flow_init(struct p2_client *c, const struct p2_client_config *config)
{
    p2c_window_init(c, config);
    c->flow.reorder = P2_REORDER_FIRST;
    c->flow.rto_floor = P2_RTO_MIN;
}

static void round_start(struct p2_client *c)
{
    c->flow.round_end = c->flow.tail;
    c->flow.round_lost = c->flow.round_arrived = 0;
}

void p2c_flow_fresh(struct p2_client *c)
{
    c->flow.backoff = c->flow.timeouts_row = 0;
    p2c_window_fresh(c);
    c->flow.rtt_min = 0;
}

void p2c_flow_restart(struct p2_client *c)
{
    for (uint32_t n = c->flow.head; n != c->flow.tail; n++) {
        struct p2_flight *f = flight_at(c, n);
        if (f->state)
            p2c_space_lost(c, f->slot, f->block);
        f->state = 0;
    }
    c->flow.head = c->flow.top = c->flow.hint = c->flow.tail;
    c->flow.outstanding = 0;
    c->flow.rto_at = 0;
    c->flow.cancel = true;
    c->flow.timeout_open = false;
    round_start(c);
}

void p2c_flow_forget(struct p2_client *c, uint32_t slot)
{
    for (uint32_t n = c->flow.head; n != c->flow.tail; n++) {
        struct p2_flight *f = flight_at(c, n);
        if (f->state && f->slot == slot) {
            f->state = 0;
            c->flow.outstanding--;
        }
    }
    if (!c->flow.outstanding)
        c->flow.rto_at = 0;
}

// --- round trips (RFC 6298, with a floor of milliseconds: these are local networks) ---

void p2c_flow_sample(struct p2_client *c, uint64_t rtt)
{
    uint32_t r = (uint32_t)MIN(rtt, (uint64_t)P2_RTO_MAX);
    c->flow.rtt_min = c->flow.rtt_min ? MIN(c->flow.rtt_min, MAX(r, 1u)) : MAX(r, 1u);
    if (c->flow.srtt == 0) {
        c->flow.srtt = MAX(r, 1u);
        c->flow.rttvar = r / 2;
    } else {
        uint32_t error = r > c->flow.srtt ? r - c->flow.srtt : c->flow.srtt - r;
        c->flow.rttvar = c->flow.rttvar - c->flow.rttvar / 4 + error / 4;
        c->flow.srtt = MAX(c->flow.srtt - c->flow.srtt / 8 + r / 8, 1u);
    }
}

static uint64_t rto(const struct p2_client *c)
{
    uint64_t t = c->flow.srtt ? MAX(c->flow.srtt + 4 * c->flow.rttvar, c->flow.rto_floor) : P2_RTO_FIRST;
    return MIN(t << c->flow.backoff, (uint64_t)P2_RTO_MAX);
}

static void sample_stamp(struct p2_client *c, uint16_t stamp)
{
    uint32_t i = stamp % P2_CLIENT_STAMPS;
    if (c->flow.stamps[i].stamp != stamp || !c->flow.stamps[i].open)
        return;
    c->flow.stamps[i].open = false;
    p2c_flow_sample(c, c->now - c->flow.stamps[i].sent);
}

// --- rounds ---

// Too few blocks show nothing, and on a noisy way that takes more of them.
static void round_over(struct p2_client *c)
{
    if (c->flow.round_lost + c->flow.round_arrived >= (p2c_window_subtle(c) ? ROUND_SURE : ROUND_MIN)) {
        p2c_window_judge(c, c->flow.round_lost, c->flow.round_arrived);
        round_start(c);
    } else {
        c->flow.round_end = c->flow.tail;
    }
}

// Timers proved too eager: what was taken for lost arrived after all. The window goes back to what it was.
static void timeout_undo(struct p2_client *c)
{
    c->flow.timeout_open = false;
    p2c_window_undo(c);
    c->flow.rto_floor = MIN(c->flow.rto_floor * 2, P2_RTO_FLOOR_MAX);
}

static void lose(struct p2_client *c, struct p2_flight *f)
{
    f->state = 0;
    c->flow.outstanding--;
    c->progress.lost++;
    c->flow.round_lost++;
    p2c_space_lost(c, f->slot, f->block);
}

// Moves the front over what is settled; what was overtaken by more than `reorder` later blocks is lost.
static void flight_settle(struct p2_client *c)
{
    // In a small window fewer blocks can overtake; without this bound each loss would wait for the timer.
    uint32_t reorder = MIN(c->flow.reorder, MAX(c->window.size - c->window.size / 4, P2_REORDER_FIRST));
    while (c->flow.head != c->flow.tail) {
        struct p2_flight *f = flight_at(c, c->flow.head);
        if (f->state) {
            if (!before(c->flow.head + reorder, c->flow.top))
                break;
            lose(c, f);
        }
        c->flow.head++;
    }
    if (before(c->flow.hint, c->flow.head))
        c->flow.hint = c->flow.head;
    if (before(c->flow.top, c->flow.head))
        c->flow.top = c->flow.head;
    if (!before(c->flow.head, c->flow.round_end))
        round_over(c);
}

void p2c_flow_asked(struct p2_client *c, uint32_t slot, uint32_t block)
{
    *flight_at(c, c->flow.tail) =
        (struct p2_flight){ .slot = (uint8_t)slot, .state = 1, .block = (uint16_t)block, .stamp = c->flow.stamp };
    c->flow.tail++;
    c->flow.outstanding++;
}

// The number of an outstanding request, searched from where the last one was found. False: there is none.
static bool flight_find(struct p2_client *c, uint32_t slot, uint32_t block, uint32_t *ret)
{
    uint32_t count = c->flow.tail - c->flow.head, n = c->flow.hint;
    for (uint32_t i = 0; i < count; i++, n++) {
        if (n == c->flow.tail)
            n = c->flow.head;
        const struct p2_flight *f = flight_at(c, n);
        if (f->state && f->slot == slot && f->block == block) {
            *ret = n;
            return true;
        }
    }
    return false;
}

void p2c_flow_arrived(struct p2_client *c, uint32_t slot, uint32_t block, uint16_t stamp, bool was_asked)
{
    uint32_t n = 0;
    c->flow.round_arrived++;
    c->flow.backoff = 0;
    c->flow.timeouts_row = 0;
    if (was_asked && flight_find(c, slot, block, &n)) {
        struct p2_flight *f = flight_at(c, n);
        f->state = 0;
        c->flow.outstanding--;
        c->flow.hint = n + 1;
        was_asked = f->stamp == stamp;
        if (was_asked && before(c->flow.top, n + 1))
            c->flow.top = n + 1;
    }
    if (was_asked) {
        sample_stamp(c, stamp);
        c->flow.timeout_open = false;
    } else if (c->flow.timeout_open) {
        timeout_undo(c);
    } else {
        // An answer to an earlier READ: it was late, not lost.
        c->flow.reorder = MIN(c->flow.reorder * 2, P2_REORDER_MAX);
        c->flow.round_lost -= c->flow.round_lost > 0;
    }
    flight_settle(c);
    c->flow.rto_at = c->flow.outstanding ? c->now + rto(c) : 0;
}

void p2c_flow_alive(struct p2_client *c)
{
    if (c->flow.rto_at)
        c->flow.rto_at = MAX(c->flow.rto_at, c->now + rto(c));
}

// --- timeouts ---

// Short messages come through and full ones never did: the path may swallow large packets. Where this block size has worked
// with another server, asking that one comes first. Blocks that not every path carries are given up at the first doubt, and
// even where they came through before: a way may change, and the usual ones cost little.
static bool too_large(const struct p2_client *c, const struct p2_client_server *server)
{
    bool again = c->flow.timeouts_row >= P2_STEP_DOWN_AFTER;
    if (p2c_busy(c, server->busy_at))
        return false;
    if (p2c_large(c))
        return again || !server->full_seen;
    return again && !server->full_seen && (!c->space.block_proven || p2c_turn_next(c) == P2C_NOBODY);
}

static void step_down(struct p2_client *c)
{
    for (uint32_t i = 0; i < STEPS; i++)
        if (block_steps[i] < c->intake.block_size) {
            if (P2C_LARGE)
                p2c_current(c)->full_seen = false; // of this size none came yet
            p2c_space_block_size(c, block_steps[i], false);
            p2c_flow_fresh(c); // nothing was wrong with the window
            return;
        }
}

void p2c_flow_tick(struct p2_client *c)
{
    struct p2_client_server *server = p2c_current(c);
    if (!c->flow.rto_at || c->now < c->flow.rto_at || !server)
        return;
    c->progress.timeouts++;
    c->progress.lost += c->flow.outstanding;
    uint32_t before = c->window.size, lost = c->flow.round_lost + (c->flow.timeouts_row ? 0 : c->flow.outstanding);
    uint32_t arrived = c->flow.round_arrived;
    p2c_flow_restart(c);
    c->flow.round_lost = lost;
    c->flow.round_arrived = arrived;
    round_over(c);
    c->flow.timeout_open = true;
    p2c_window_timeout(c, before, c->flow.backoff > 0);
    c->flow.backoff = MIN(c->flow.backoff + 1, (uint32_t)BACKOFF_MAX);
    c->flow.timeouts_row++;
    if (too_large(c, server))
        step_down(c);
}

// --- READ ---

uint32_t p2c_flow_credit(const struct p2_client *c)
{
    if (!p2c_fetching(c) || !p2c_linked(c) || c->flow.outstanding >= c->window.size)
        return 0;
    uint32_t used = c->flow.tail - c->flow.head, room = P2_CLIENT_FLIGHT - used;
    uint32_t credit = MIN(MIN(c->window.size - c->flow.outstanding, room), p2c_blocks(c, P2_READ_BLOCKS_MAX));
    uint32_t batch = MAX(c->window.size / (p2c_window_noisy(c) ? 8 : c->window.size <= WINDOW_SMALL ? 2 : 4), 1u);
    if (credit < batch && c->flow.outstanding)
        return 0;
    return p2c_space_wants(c) ? credit : 0;
}

int p2c_flow_output(struct p2_client *c, uint8_t *buf, size_t cap, struct net_addr *ret_to)
{
    uint32_t credit = p2c_flow_credit(c);
    if (!credit)
        return 0;
    struct p2_client_server *server = p2c_current(c);
    struct p2_message m;
    memset(&m, 0, sizeof m);
    m.type = P2_READ;
    memcpy(m.nonce, server->nonce, P2_NONCE_SIZE);
    memcpy(m.read.cookie, server->offer.cookie, P2_COOKIE_SIZE);
    memcpy(m.read.tag, c->image_id, P2_TAG_SIZE);
    if (++c->flow.stamp == 0)
        c->flow.stamp = 1; // 0 means multicast
    m.read.stamp = c->flow.stamp;
    m.read.block_size = (uint16_t)c->intake.block_size;
    m.read.flags = c->flow.cancel ? P2_READ_CANCEL : 0;
    m.read.space = (uint8_t)c->intake.space;
    m.read.verified = c->intake.bytes_verified;
    m.read.lost = c->progress.lost;
    bool first = c->flow.outstanding == 0;
    if (p2c_space_ask(c, credit, &m.read) == 0)
        return 0;
    c->flow.cancel = false;
    c->flow.stamps[c->flow.stamp % P2_CLIENT_STAMPS].stamp = c->flow.stamp;
    c->flow.stamps[c->flow.stamp % P2_CLIENT_STAMPS].open = true;
    c->flow.stamps[c->flow.stamp % P2_CLIENT_STAMPS].sent = c->now;
    if (first)
        c->flow.rto_at = c->now + rto(c);
    if (!before(c->flow.head, c->flow.round_end))
        c->flow.round_end = c->flow.tail;
    c->progress.reads_sent++;
    *ret_to = server->addr;
    return p2_wire_write(&m, buf, cap);
}
