// SPDX-License-Identifier: MPL-2.0
// How many blocks may be outstanding: the window. It starts at what the card can hold, doubles while all goes well, and is
// halved when more is lost than a noisy link explains. Whether the window was the reason shows what is lost after that.
#include "phase2/client_parts.h"

// Losses are shares of 256. More than LOSS_MOST in a round: the way may be too narrow for the window. More than
// LOSS_ALL: as if nobody were there, which tells nothing about the window.
#define SHARE 256
#define LOSS_MOST (SHARE / 10)
#define LOSS_ALL (SHARE * 7 / 8)
// A way that loses so much by itself is noisy: READs are many and small there, so that those which arrive tell of those
// which did not, and the window stays small for the sake of others.
#define LOSS_NOISY (SHARE / 6)
#define WINDOW_NOISY 32
// Noise loses blocks on an empty way as well. Behind a queue, blocks are lost because it is full, and a window that is
// not made smaller then loses as many in every round.
#define QUEUE_FULL 8000u // us beyond twice the shortest round trip
#define LOSS_QUEUE (SHARE / 50)
// Blocks that wait somewhere on the way longer than this gain nothing: the window does not grow further.
#define QUEUE_MAX 100000u // us beyond twice the shortest round trip
#define WINDOW_START 32   // largest window to begin with; it doubles every round from there
#define FLOOR_MAX 16u     // a window as small is not given up without proof
#define TRIAL_ROUNDS 2    // the first round after a change still has blocks from before it
#define CEILING_ROUNDS 32 // for so long a window that proved too large is not tried again

void p2c_window_init(struct p2_client *c, const struct p2_client_config *config)
{
    uint32_t initial = config->window_initial ? config->window_initial
                       : config->rx_buffers   ? config->rx_buffers
                                              : P2_CLIENT_WINDOW_DEFAULT;
    c->window.max = config->window_max ? MIN(config->window_max, P2_CLIENT_WINDOW_MAX) : P2_CLIENT_WINDOW_MAX;
    c->window.size = MIN(MAX(MIN(initial, WINDOW_START), P2_CLIENT_WINDOW_MIN), c->window.max);
    // Below what the card is known to hold the window need not fall; without that knowledge, to half.
    c->window.floor = config->rx_buffers ? MIN(c->window.size, FLOOR_MAX) : MAX(c->window.size / 2, P2_CLIENT_WINDOW_MIN);
    c->window.threshold = c->window.max;
}

void p2c_window_fresh(struct p2_client *c)
{
    c->window.size = MAX(c->window.size, c->window.floor);
    c->window.threshold = c->window.max;
    c->window.noise = c->window.trial = c->window.ceiling_rounds = 0;
}

static uint32_t window_limit(struct p2_client *c)
{
    const struct p2_client_server *server = p2c_current(c);
    uint32_t limit = server && server->offer.window_max ? MIN(c->window.max, server->offer.window_max) : c->window.max;
    return MAX(p2c_blocks(c, limit), 1u);
}

bool p2c_window_noisy(const struct p2_client *c)
{
    return c->window.noise > LOSS_NOISY;
}

// Making the window smaller is an experiment. Where it did not help, the window was not the reason for the losses: it
// goes back, and what is lost is what this way has. At the floor, which is trusted, only a clear answer counts. A
// small window remembers where it was too large.
static void trial_judge(struct p2_client *c, uint32_t loss, bool queue)
{
    bool trusted = c->window.trial_window <= c->window.floor;
    bool helped = loss * 4 < c->window.trial_loss * (trusted ? 1 : 3) || (SHARE - loss) * 4 > (SHARE - c->window.trial_loss) * 5;
    if (queue || loss > LOSS_ALL)
        return; // shows nothing
    if (!helped) {
        c->window.noise = MAX(c->window.noise, loss);
        c->window.size = MAX(c->window.size, c->window.trial_window);
        c->window.floor = MAX(c->window.floor, MIN(c->window.trial_window, FLOOR_MAX));
    } else if (c->window.trial_window <= WINDOW_START && !p2c_window_noisy(c)) {
        c->window.floor = MIN(c->window.floor, c->window.size);
        c->window.ceiling = c->window.trial_window - 1;
        c->window.ceiling_rounds = CEILING_ROUNDS;
    }
}

static void window_shrink(struct p2_client *c, uint32_t loss)
{
    if (!c->window.trial) {
        c->window.trial_window = c->window.size;
        c->window.trial_loss = loss;
    }
    uint32_t floor = c->window.trial_window <= c->window.floor ? P2_CLIENT_WINDOW_MIN : c->window.floor;
    uint32_t window = MAX(c->window.size / 2, floor);
    if (window < c->window.size)
        c->window.trial = TRIAL_ROUNDS;
    else if (window == P2_CLIENT_WINDOW_MIN && loss <= LOSS_ALL)
        c->window.noise = (c->window.noise + loss) / 2; // no smaller window would show more
    c->window.size = c->window.threshold = MIN(window, c->window.size);
}

static void window_grow(struct p2_client *c, uint32_t lost)
{
    uint32_t limit = p2c_window_noisy(c) ? WINDOW_NOISY : window_limit(c);
    if (c->window.ceiling_rounds && --c->window.ceiling_rounds && !p2c_window_noisy(c))
        limit = MIN(limit, c->window.ceiling);
    if (c->window.size >= limit)
        return;
    if (lost == 0 && c->window.size < c->window.threshold)
        c->window.size = MIN(c->window.size * 2, c->window.threshold);
    else
        c->window.size += p2c_window_noisy(c) ? MAX(c->window.size / 4, 1u) : lost ? 1 : MAX(c->window.size / 16, 1u);
    c->window.size = MIN(c->window.size, limit);
}

void p2c_window_judge(struct p2_client *c, uint32_t lost, uint32_t arrived)
{
    uint32_t total = lost + arrived, loss = lost * SHARE / total;
    bool used = total >= c->window.size / 2 && c->flow.srtt <= 2 * c->flow.rtt_min + QUEUE_MAX; // else the window is not the limit
    bool queue = c->flow.srtt > 2 * c->flow.rtt_min + QUEUE_FULL;
    if (c->window.trial && --c->window.trial == 0)
        trial_judge(c, loss, queue);
    if (loss > (queue ? LOSS_QUEUE : MAX(LOSS_MOST, c->window.noise * 5 / 4)))
        window_shrink(c, loss);
    else if (used)
        window_grow(c, lost);
    if (loss < c->window.noise)
        c->window.noise -= (c->window.noise - loss + 7) / 8;
    c->window.size = MAX(MIN(c->window.size, window_limit(c)), 1u);
}

bool p2c_window_subtle(const struct p2_client *c)
{
    return p2c_window_noisy(c) || (c->window.trial == 1 && c->window.trial_window <= c->window.floor);
}

void p2c_window_timeout(struct p2_client *c, uint32_t before, bool again)
{
    c->window.before = before;
    if (!again)
        c->window.threshold = MAX(before / 2, P2_CLIENT_WINDOW_MIN);
    if (!p2c_window_noisy(c))
        c->window.size = MIN(before, MAX(again ? P2_CLIENT_WINDOW_MIN : c->window.floor, P2_CLIENT_WINDOW_MIN));
}

void p2c_window_undo(struct p2_client *c)
{
    c->window.size = MAX(c->window.size, c->window.before);
    c->window.threshold = MAX(c->window.threshold, c->window.size);
}
