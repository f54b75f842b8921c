// SPDX-License-Identifier: MPL-2.0
// See client.h: the interface, the phases, judging seal and list, the end.
#include "base/range.h"
#include "phase2/client_parts.h"

_Static_assert(sizeof(struct p2_client) <= 64 * 1024, "struct p2_client stays modest");

int p2_client_init(struct p2_client *c, const struct p2_client_config *config, uint64_t now)
{
    size_t name_len = config->image ? strlen(config->image) : 0;
    if (!config->trust || !config->seed || config->seed_len < P2_CLIENT_SEED_MIN ||
        config->seed_len > P2_CLIENT_SEED_MAX || !config->seal_buf || config->seal_cap < SEAL_MAX ||
        name_len >= P2_NAME_MAX || config->server_count + config->target_count == 0 ||
        config->server_count > P2_CLIENT_SERVERS || config->target_count > P2_CLIENT_TARGETS)
        return ERR_INVALID;
    memset(c, 0, sizeof *c);
    c->trust = config->trust;
    p2_wire_text(c->image, sizeof c->image, config->image);
    c->facts = config->facts;
    memcpy(c->seed, config->seed, config->seed_len);
    c->seed_len = config->seed_len;
    c->seal_buf = config->seal_buf;
    c->block_max = config->block_max ? config->block_max : P2_BLOCK_MAX;
    c->block_max = MAX(MIN(c->block_max, P2_BLOCK_MAX), P2_BLOCK_MIN);
    c->discover_us = config->discover_us ? config->discover_us : P2_DISCOVER_DEFAULT;
    c->stall_us = config->stall_us ? config->stall_us : P2_STALL_DEFAULT;
    c->started = c->now = c->progress_at = c->slow_at = c->rate_at = now;
    progress_start(&c->watch, now);
    c->phase = P2_DISCOVER;
    p2c_flow_init(c, config);
    p2c_servers_init(c, config);
    return 0;
}

void p2c_random(struct p2_client *c, uint8_t *buf, size_t len)
{
    uint8_t counter[4], digest[SHA256_SIZE];
    store32_le(counter, c->seed_counter++);
    struct digest_piece pieces[2] = { { c->seed, c->seed_len }, { counter, sizeof counter } };
    sha256_pieces(pieces, 2, digest);
    memcpy(buf, digest, MIN(len, sizeof digest));
}

void p2c_fail(struct p2_client *c, int error)
{
    if (c->phase >= P2_FAILED)
        return;
    c->error = error;
    c->phase = P2_FAILED;
    c->rto_at = 0;
}

static void clock_set(struct p2_client *c, uint64_t now)
{
    c->now = MAX(c->now, now);
}

// ---- input ---------------------------------------------------------------------------------------------

static int input_discovery(struct p2_client *c, const struct p2_message *m, const struct net_addr *from)
{
    if (c->phase >= P2_VERIFIED)
        return ERR_NOT_FOUND;
    // Either means that a server may be there; what it has to say counts when it says it to us alone.
    if (m->type == P2_OFFER || m->type == P2_ERROR)
        return p2c_servers_heard(c, from);
    return ERR_NOT_FOUND;
}

static int input_data(struct p2_client *c, struct p2_client_server *server, const struct p2_data *data)
{
    if (!p2c_fetching(c) || server->state != P2S_BOUND || !server->tried || data->serial != 0 ||
        !equal8(data->tag, c->image_id))
        return ERR_NOT_FOUND;
    int rc = p2c_space_data(c, (uint32_t)(server - c->servers), data);
    if (rc == 0 && server == p2c_current(c))
        c->data_at = c->now;
    return rc;
}

static int input_server(struct p2_client *c, struct p2_client_server *server, const struct p2_message *m)
{
    bool finish = c->phase == P2_FINISHING && c->finish_server == (uint32_t)(server - c->servers) + 1;
    switch (m->type) {
    case P2_DATA: return input_data(c, server, &m->data);
    case P2_OFFER: {
        int rc = p2c_servers_offer(c, server, &m->offer);
        if (rc == 0 && finish)
            c->finish_next = c->now; // now it has a cookie that is good
        return rc;
    }
    case P2_FINISHED_ACK:
        if (!finish)
            return ERR_NOT_FOUND;
        c->phase = P2_DONE;
        return 0;
    case P2_ERROR:
    case P2_RESET:
        if (server->state == P2S_DROPPED && !finish)
            return ERR_NOT_FOUND;
        p2c_servers_hint(c, server, m);
        return 0;
    default: return ERR_NOT_FOUND;
    }
}

int p2_client_input(struct p2_client *c, const uint8_t *data, size_t len, const struct net_addr *from, uint64_t now)
{
    struct p2_message m;
    clock_set(c, now);
    int rc = c->phase == P2_DONE ? ERR_NOT_FOUND : p2_wire_read(data, len, &m);
    if (rc == 0 && equal8(m.nonce, c->discovery_nonce)) {
        rc = input_discovery(c, &m, from);
    } else if (rc == 0) {
        struct p2_client_server *server = p2c_servers_find(c, from, m.nonce);
        if (!server && m.type == P2_OFFER)
            server = p2c_servers_answered(c, from, m.nonce);
        rc = server ? input_server(c, server, &m) : ERR_NOT_FOUND;
    }
    if (rc != 0)
        c->progress.ignored++;
    return rc;
}

// ---- judging -------------------------------------------------------------------------------------------

static int seal_judge(struct p2_client *c, const struct p2_offer *offer)
{
    int rc = seal_open(c->seal_buf, (size_t)c->space_size, c->trust, &c->seal);
    if (rc != 0)
        return rc;
    // The seal is good, but is it what was offered? A server that says otherwise is not to be relied on.
    if (!digest_equal(c->seal.image_id, c->image_id, sizeof c->image_id) ||
        offer->list_size != (uint64_t)c->seal.chunk_count * SHA256_SIZE || offer->payload_size != c->seal.payload_size)
        return ERR_P2_SERVERS_BAD;
    return 0;
}

static void seal_arrived(struct p2_client *c)
{
    struct p2_client_server *server = p2c_current(c);
    int rc = server ? seal_judge(c, &server->offer) : ERR_P2_STALLED;
    if (rc == 0) {
        c->bound = true;
        c->phase = P2_SEALED;
        c->progress.bytes_total = c->seal.payload_size;
        return;
    }
    if (rc == ERR_SEAL_NO_TRUST) {
        p2c_fail(c, rc); // no server can mend that
        return;
    }
    // It may have been damaged on the way, or forged blocks got in: only what fails repeatedly is the server's.
    p2c_space_restart(c);
    if (server && ++server->seal_tries >= P2_SEAL_TRIES)
        p2c_servers_drop(c, c->current - 1, rc);
}

static void list_arrived(struct p2_client *c)
{
    if (seal_check_list(&c->seal, c->list, (size_t)c->space_size) == 0) {
        c->phase = P2_PAYLOAD;
        p2c_space_begin(c, P2_SPACE_PAYLOAD, c->seal.payload_size, (uint32_t)__builtin_ctz(c->seal.chunk_size));
        return;
    }
    c->progress.bad_chunks++;
    p2c_space_restart(c);
    if (!c->current)
        return;
    uint32_t bad = c->current - 1, other = p2c_turn_next(c);
    c->servers[bad].strikes++;
    if (c->servers[bad].strikes >= P2_STRIKES_MAX)
        p2c_servers_drop(c, bad, ERR_SEAL_LIST);
    else if (other != P2C_NOBODY && c->servers[other].strikes < c->servers[bad].strikes)
        p2c_servers_switch(c, other);
}

bool p2_client_quiet(const struct p2_client *c)
{
    return c->outstanding == 0;
}

size_t p2_client_work(struct p2_client *c, size_t max_bytes)
{
    size_t done = 0;
    switch (c->phase) {
    case P2_SEAL:
        if (c->pieces_done == c->piece_count) {
            done = (size_t)c->space_size;
            seal_arrived(c);
        }
        return done;
    case P2_LIST:
        if (c->pieces_done == c->piece_count) {
            done = (size_t)c->space_size;
            list_arrived(c);
        }
        return done;
    case P2_PAYLOAD:
        done = p2c_space_hash(c, max_bytes);
        if (c->phase == P2_PAYLOAD && c->pieces_done == c->piece_count)
            c->phase = P2_VERIFIED;
        return done;
    default: return 0;
    }
}

// ---- output --------------------------------------------------------------------------------------------

static int finish_output(struct p2_client *c, uint8_t *buf, size_t cap, struct net_addr *ret_to)
{
    if (c->now < c->finish_next)
        return 0;
    if (c->finish_tries++ == P2_FINISH_TRIES) {
        c->phase = P2_DONE; // told or not: the boot goes on
        return 0;
    }
    const struct p2_client_server *server = &c->servers[c->finish_server - 1];
    struct p2_message m;
    memset(&m, 0, sizeof m);
    m.type = P2_FINISHED;
    memcpy(m.nonce, server->nonce, P2_NONCE_SIZE);
    m.finished = c->finished;
    memcpy(m.finished.cookie, server->offer.cookie, P2_COOKIE_SIZE);
    c->finish_next = c->now + P2_FINISH_PAUSE;
    *ret_to = server->addr;
    return p2_wire_write(&m, buf, cap);
}

int p2_client_output(struct p2_client *c, uint8_t *buf, size_t cap, struct net_addr *ret_to, uint64_t now)
{
    if (cap < P2_CLIENT_MESSAGE_MAX)
        return ERR_TOO_LARGE;
    clock_set(c, now);
    if (c->phase == P2_DONE)
        return 0;
    p2c_servers_tick(c);
    if (p2c_fetching(c))
        p2c_flow_tick(c);
    if (c->phase == P2_VERIFIED || c->phase == P2_FAILED)
        return 0;
    // What the download needs comes first, so that servers that only claim to be there cannot hold it up.
    int n = p2c_hello_output_current(c, buf, cap, ret_to);
    if (n == 0)
        n = p2c_flow_output(c, buf, cap, ret_to);
    if (n == 0)
        n = p2c_hello_output(c, buf, cap, ret_to);
    if (n == 0 && c->phase == P2_FINISHING)
        n = finish_output(c, buf, cap, ret_to);
    return n;
}

uint64_t p2_client_deadline(const struct p2_client *c)
{
    switch (c->phase) {
    case P2_VERIFIED:
    case P2_FAILED:
    case P2_DONE: return UINT64_MAX;
    case P2_FINISHING: return MIN(c->finish_next, p2c_servers_deadline(c));
    default: break;
    }
    if (p2c_flow_credit(c))
        return 0;
    uint64_t t = p2c_servers_deadline(c);
    return c->rto_at ? MIN(t, c->rto_at) : t;
}

// ---- the caller's decisions ----------------------------------------------------------------------------

void p2c_accepted(struct p2_client *c, uint8_t *list_buf, uint8_t *chunk_bits)
{
    c->list = list_buf;
    c->chunk_bits = chunk_bits;
    memset(chunk_bits, 0, (c->seal.chunk_count + 7) / 8);
    c->phase = P2_LIST;
    c->clock_stopped = true;
    p2c_space_begin(c, P2_SPACE_LIST, (uint64_t)c->seal.chunk_count * SHA256_SIZE, 20);
}

int p2_client_accept(struct p2_client *c, const struct scatter *map, uint8_t *list_buf, uint8_t *chunk_bits)
{
    if (c->phase != P2_SEALED || !list_buf || !chunk_bits || map->size != c->seal.payload_size ||
        map->count > SCATTER_PIECES_MAX)
        return ERR_INVALID;
    uint64_t end = 0;
    for (uint32_t i = 0; i < map->count; i++) {
        if (map->pieces[i].offset != end || !range_fits(end, map->pieces[i].length, map->size))
            return ERR_INVALID;
        end += map->pieces[i].length;
    }
    if (end != map->size)
        return ERR_INVALID;
    c->map = *map;
    p2c_accepted(c, list_buf, chunk_bits);
    return 0;
}

// Whom to tell: the current server, else the one whose failure counts, else any that gave a cookie.
static uint32_t finish_server(const struct p2_client *c)
{
    if (c->current)
        return c->current;
    if (c->first_error_server && c->servers[c->first_error_server - 1].state == P2S_DROPPED)
        return c->first_error_server;
    for (uint32_t i = 0; i < P2_CLIENT_SERVERS; i++)
        if (c->servers[i].state >= P2S_BOUND)
            return i + 1;
    return 0;
}

void p2_client_finish(struct p2_client *c, const struct p2_report *report, uint64_t now)
{
    clock_set(c, now);
    if (c->phase >= P2_FINISHING)
        return;
    c->finish_server = finish_server(c);
    c->finish_next = c->now;
    c->rto_at = 0;
    c->phase = c->finish_server ? P2_FINISHING : P2_DONE;
    for (uint32_t i = 0; i < P2_CLIENT_SERVERS; i++)
        c->servers[i].hello_open = false;
    struct p2_finished *f = &c->finished;
    memset(f, 0, sizeof *f);
    memcpy(f->tag, c->image_id, P2_TAG_SIZE);
    f->bytes = c->progress.bytes_verified;
    f->transport_ms = report->transport_ms;
    f->digest_ms = report->digest_ms;
    f->lost = c->progress.lost;
    f->duplicates = c->progress.duplicates;
    f->outcome = report->outcome;
    if (f->outcome < P2_OUTCOME_BOOTING || f->outcome > P2_OUTCOME_REFUSED)
        f->outcome = P2_OUTCOME_FAILED;
    if (report->error)
        p2_wire_text(f->code, sizeof f->code, err_code(report->error));
    p2_wire_text(f->text, sizeof f->text, report->text ? report->text : report->error ? err_text(report->error) : "");
}

enum p2_phase p2_client_phase(const struct p2_client *c)
{
    return c->phase;
}
int p2_client_error(const struct p2_client *c)
{
    return c->error;
}
const struct seal *p2_client_seal(const struct p2_client *c)
{
    return c->bound ? &c->seal : NULL;
}

const char *p2_client_choice(const struct p2_client *c, uint32_t i)
{
    return i < P2_CHOICES_MAX && c->choices[i][0] ? c->choices[i] : NULL;
}

void p2_client_progress(const struct p2_client *c, struct p2_progress *ret)
{
    *ret = c->progress;
    ret->phase = c->phase;
    ret->window = c->window;
    ret->block_size = c->block_size;
    ret->srtt_us = c->srtt;
    for (uint32_t i = 0; i < P2_CLIENT_SERVERS; i++)
        ret->servers_known += c->servers[i].state == P2S_BOUND;
    ret->has_server = c->current != 0;
    if (c->current) {
        ret->server = c->servers[c->current - 1].addr;
        memcpy(ret->server_name, c->servers[c->current - 1].offer.server, sizeof ret->server_name);
    }
}

const char *p2_phase_name(enum p2_phase phase)
{
    static const char *const names[] = { "discover", "seal",     "sealed", "list",      "payload",
                                         "verified", "failed",   "finishing", "done" };
    return (size_t)phase < ARRAY_SIZE(names) ? names[phase] : "?";
}
