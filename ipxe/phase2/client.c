// SPDX-License-Identifier: MPL-2.0
// See client.h: the interface, the phases, judging seal and list.
#include "base/range.h"
#include "phase2/client_parts.h"

int p2_client_init(struct p2_client *c, const struct p2_client_config *config, uint64_t now)
{
    size_t name_len = config->image ? strlen(config->image) : 0;
    if (!config->trust || !config->seed || config->seed_len < P2_CLIENT_SEED_MIN ||
        config->seed_len > P2_CLIENT_SEED_MAX || !config->seal_buf || config->seal_cap < SEAL_MAX ||
        name_len >= P2_NAME_MAX || config->server_count + config->target_count == 0 ||
        config->server_count > P2_CLIENT_SERVERS || config->target_count > P2_CLIENT_TARGETS)
        return ERR_INVALID;
    memset(c, 0, sizeof *c);
    p2_wire_text(c->setup.image, sizeof c->setup.image, config->image);
    c->setup.facts = config->facts;
    c->setup.block_max = config->block_max ? config->block_max : P2_BLOCK_MAX;
    c->setup.block_max = MAX(MIN(c->setup.block_max, P2C_LARGE ? P2_BLOCK_LARGE : P2_BLOCK_MAX), P2_BLOCK_MIN);
    c->setup.discover_us = config->discover_us ? config->discover_us : P2_DISCOVER_DEFAULT;
    c->setup.stall_us = config->stall_us ? config->stall_us : P2_STALL_DEFAULT;
    c->setup.started = c->now = now;
    c->phase = P2_DISCOVER;
    intake_init(&c->intake, &(struct intake_config){
        .trust = config->trust, .seal_buf = config->seal_buf, .slots = c->slots, .slot_count = P2_CLIENT_SLOTS, .bits = c->have,
        .bit_count = P2_CLIENT_SLOT_BITS, .block_min = P2_BLOCK_MIN, .judged = p2c_chunk_judged, .ctx = c });
    p2c_random_init(c, config);
    p2c_turn_rest(c);
    p2c_hello_init(c, config);
    p2c_flow_init(c, config);
    p2c_servers_init(c, config);
    return 0;
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
    int rc = p2c_space_data(c, (uint32_t)(server - c->servers.at), data);
    if (rc == 0 && server == p2c_current(c))
        p2c_turn_data(c);
    return rc;
}

static int input_server(struct p2_client *c, struct p2_client_server *server, const struct p2_message *m)
{
    bool finish = c->phase == P2_FINISHING && c->finish.server == (uint32_t)(server - c->servers.at) + 1;
    switch (m->type) {
    case P2_DATA: return input_data(c, server, &m->data);
    case P2_OFFER: {
        int rc = p2c_servers_offer(c, server, &m->offer);
        if (rc == 0 && finish)
            p2c_finish_cookie(c); // now it has a cookie that is good
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
    p2c_clock_set(c, now);
    int rc = c->phase == P2_DONE ? ERR_NOT_FOUND : p2_wire_read(data, len, &m);
    if (rc == 0 && equal8(m.nonce, c->hello.nonce)) {
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
    const struct seal *seal = &c->intake.seal;
    int rc = intake_seal(&c->intake, (size_t)c->intake.size);
    if (rc != 0)
        return rc;
    // The seal is good, but is it what was offered? A server that says otherwise is not to be relied on.
    if (!digest_equal(seal->image_id, c->image_id, sizeof c->image_id) ||
        offer->list_size != (uint64_t)seal->chunk_count * SHA256_SIZE || offer->payload_size != seal->payload_size)
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
        c->progress.bytes_total = c->intake.seal.payload_size;
        p2c_flow_restart(c);
        return;
    }
    if (rc == ERR_SEAL_NO_TRUST) {
        p2c_fail(c, rc); // no server can mend that
        return;
    }
    // It may have been damaged on the way, or forged blocks got in: only what fails repeatedly is the server's.
    p2c_space_restart(c);
    if (server && ++server->seal_tries >= P2_SEAL_TRIES)
        p2c_servers_drop(c, c->servers.current - 1, rc);
}

static void list_arrived(struct p2_client *c)
{
    p2c_flow_restart(c);
    int err = intake_list(&c->intake);
    p2c_space_begun(c);
    if (!err) {
        c->phase = P2_PAYLOAD;
        return;
    }
    c->progress.bad_chunks++;
    if (c->servers.current)
        p2c_servers_blame(c, c->servers.current - 1, ERR_SEAL_LIST);
}

bool p2_client_quiet(const struct p2_client *c)
{
    return c->flow.outstanding == 0;
}

size_t p2_client_work(struct p2_client *c, size_t max_bytes)
{
    bool complete = intake_complete(&c->intake);
    size_t done = complete ? (size_t)c->intake.size : 0;
    switch (c->phase) {
    case P2_SEAL:
        if (complete)
            seal_arrived(c);
        return done;
    case P2_LIST:
        if (complete)
            list_arrived(c);
        return done;
    case P2_PAYLOAD:
        done = intake_work(&c->intake, max_bytes);
        if (c->phase == P2_PAYLOAD && intake_complete(&c->intake))
            c->phase = P2_VERIFIED;
        return done;
    default: return 0;
    }
}

// ---- output --------------------------------------------------------------------------------------------

int p2_client_output(struct p2_client *c, uint8_t *buf, size_t cap, struct net_addr *ret_to, uint64_t now)
{
    if (cap < P2_CLIENT_MESSAGE_MAX)
        return ERR_TOO_LARGE;
    p2c_clock_set(c, now);
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
    if (n == 0)
        n = p2c_finish_output(c, buf, cap, ret_to);
    return n;
}

uint64_t p2_client_deadline(const struct p2_client *c)
{
    switch (c->phase) {
    case P2_VERIFIED:
    case P2_FAILED:
    case P2_DONE: return UINT64_MAX;
    case P2_FINISHING: return MIN(c->finish.next, p2c_servers_deadline(c));
    default: break;
    }
    if (p2c_flow_credit(c))
        return 0;
    uint64_t t = p2c_servers_deadline(c);
    return c->flow.rto_at ? MIN(t, c->flow.rto_at) : t;
}

// ---- the caller's decisions ----------------------------------------------------------------------------

// Memory was given: goes on from SEALED.
static int accepted(struct p2_client *c, int err)
{
    if (err)
        return err;
    c->phase = P2_LIST;
    p2c_turn_stop(c);
    p2c_space_begun(c);
    return 0;
}

int p2_client_accept(struct p2_client *c, const struct scatter *map, uint8_t *list_buf, uint8_t *chunk_bits)
{
    return accepted(c, c->phase == P2_SEALED ? intake_accept(&c->intake, map, list_buf, chunk_bits) : ERR_INVALID);
}

int p2_client_accept_passing(struct p2_client *c, const struct intake_passing *passing, uint8_t *list_buf, uint8_t *chunk_bits)
{
    return accepted(c, c->phase == P2_SEALED ? intake_accept_passing(&c->intake, passing, list_buf, chunk_bits) : ERR_INVALID);
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
    return c->bound ? &c->intake.seal : NULL;
}

const char *p2_client_choice(const struct p2_client *c, uint32_t i)
{
    return i < P2_CHOICES_MAX && c->servers.choices[i][0] ? c->servers.choices[i] : NULL;
}

void p2_client_progress(const struct p2_client *c, struct p2_progress *ret)
{
    *ret = c->progress;
    ret->phase = c->phase;
    ret->window = c->window.size;
    ret->block_size = c->intake.block_size;
    ret->bytes_verified = c->intake.bytes_verified;
    ret->bytes_received = c->intake.bytes_received;
    ret->bytes_local = c->intake.bytes_local;
    ret->srtt_us = c->flow.srtt;
    for (uint32_t i = 0; i < P2_CLIENT_SERVERS; i++)
        ret->servers_known += c->servers.at[i].state == P2S_BOUND;
    ret->has_server = c->servers.current != 0;
    if (c->servers.current) {
        ret->server = c->servers.at[c->servers.current - 1].addr;
        memcpy(ret->server_name, c->servers.at[c->servers.current - 1].offer.server, sizeof ret->server_name);
    }
}

const char *p2_phase_name(enum p2_phase phase)
{
    static const char *const names[] = { "discover", "seal",     "sealed", "list",      "payload",
                                         "verified", "failed",   "finishing", "done" };
    return (size_t)phase < ARRAY_SIZE(names) ? names[phase] : "?";
}
