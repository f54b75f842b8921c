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
    c->window_max = config->window_max ? MIN(config->window_max, P2_CLIENT_WINDOW_MAX) : P2_CLIENT_WINDOW_MAX;
    c->window = MIN(MAX(MIN(initial, WINDOW_START), P2_CLIENT_WINDOW_MIN), c->window_max);
    // Below what the card is known to hold the window need not fall; without that knowledge, to half.
    c->window_floor = config->rx_buffers ? MIN(c->window, FLOOR_MAX) : MAX(c->window / 2, P2_CLIENT_WINDOW_MIN);
    c->threshold = c->window_max;
}

void p2c_window_fresh(struct p2_client *c)
{
    c->window = MAX(c->window, c->window_floor);
    c->threshold = c->window_max;
    c->noise = c->trial = c->ceiling_rounds = 0;
}

static uint32_t window_limit(struct p2_client *c)
{
    const struct p2_client_server *server = p2c_current(c);
    uint32_t limit = server && server->offer.window_max ? MIN(c->window_max, server->offer.window_max) : c->window_max;
    return MAX(limit, 1u);
}

bool p2c_window_noisy(const struct p2_client *c)
{
    return c->noise > LOSS_NOISY;
}

// Making the window smaller is an experiment. Where it did not help, the window was not the reason for the losses: it
// goes back, and what is lost is what this way has. At the floor, which is trusted, only a clear answer counts. A
// small window remembers where it was too large.
static void trial_judge(struct p2_client *c, uint32_t loss, bool queue)
{
    bool trusted = c->trial_window <= c->window_floor;
    bool helped = loss * 4 < c->trial_loss * (trusted ? 1 : 3) || (SHARE - loss) * 4 > (SHARE - c->trial_loss) * 5;
    if (queue || loss > LOSS_ALL)
        return; // shows nothing
    if (!helped) {
        c->noise = MAX(c->noise, loss);
        c->window = MAX(c->window, c->trial_window);
        c->window_floor = MAX(c->window_floor, MIN(c->trial_window, FLOOR_MAX));
    } else if (c->trial_window <= WINDOW_START && !p2c_window_noisy(c)) {
        c->window_floor = MIN(c->window_floor, c->window);
        c->ceiling = c->trial_window - 1;
        c->ceiling_rounds = CEILING_ROUNDS;
    }
}

static void window_shrink(struct p2_client *c, uint32_t loss)
{
    if (!c->trial) {
        c->trial_window = c->window;
        c->trial_loss = loss;
    }
    uint32_t floor = c->trial_window <= c->window_floor ? P2_CLIENT_WINDOW_MIN : c->window_floor;
    uint32_t window = MAX(c->window / 2, floor);
    if (window < c->window)
        c->trial = TRIAL_ROUNDS;
    else if (window == P2_CLIENT_WINDOW_MIN && loss <= LOSS_ALL)
        c->noise = (c->noise + loss) / 2; // no smaller window would show more
    c->window = c->threshold = MIN(window, c->window);
}

static void window_grow(struct p2_client *c, uint32_t lost)
{
    uint32_t limit = p2c_window_noisy(c) ? WINDOW_NOISY : window_limit(c);
    if (c->ceiling_rounds && --c->ceiling_rounds && !p2c_window_noisy(c))
        limit = MIN(limit, c->ceiling);
    if (c->window >= limit)
        return;
    if (lost == 0 && c->window < c->threshold)
        c->window = MIN(c->window * 2, c->threshold);
    else
        c->window += p2c_window_noisy(c) ? MAX(c->window / 4, 1u) : lost ? 1 : MAX(c->window / 16, 1u);
    c->window = MIN(c->window, limit);
}

void p2c_window_judge(struct p2_client *c, uint32_t lost, uint32_t arrived)
{
    uint32_t total = lost + arrived, loss = lost * SHARE / total;
    bool used = total >= c->window / 2 && c->srtt <= 2 * c->rtt_min + QUEUE_MAX; // else the window is not the limit
    bool queue = c->srtt > 2 * c->rtt_min + QUEUE_FULL;
    if (c->trial && --c->trial == 0)
        trial_judge(c, loss, queue);
    if (loss > (queue ? LOSS_QUEUE : MAX(LOSS_MOST, c->noise * 5 / 4)))
        window_shrink(c, loss);
    else if (used)
        window_grow(c, lost);
    if (loss < c->noise)
        c->noise -= (c->noise - loss + 7) / 8;
    c->window = MAX(MIN(c->window, window_limit(c)), 1u);
}

bool p2c_window_subtle(const struct p2_client *c)
{
    return p2c_window_noisy(c) || (c->trial == 1 && c->trial_window <= c->window_floor);
}
