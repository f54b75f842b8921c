// SPDX-License-Identifier: MPL-2.0
// The end: a server is told how it ended, a few times, and then it is over.
#include "phase2/client_parts.h"

// Whom to tell: the current server, else the one whose failure counts, else any that gave a cookie.
static uint32_t finish_server(const struct p2_client *c)
{
    if (c->servers.current)
        return c->servers.current;
    if (c->servers.first_error_server && c->servers.at[c->servers.first_error_server - 1].state == P2S_DROPPED)
        return c->servers.first_error_server;
    for (uint32_t i = 0; i < P2_CLIENT_SERVERS; i++)
        if (c->servers.at[i].state >= P2S_BOUND)
            return i + 1;
    return 0;
}

void p2_client_finish(struct p2_client *c, const struct p2_report *report, uint64_t now)
{
    p2c_clock_set(c, now);
    if (c->phase >= P2_FINISHING)
        return;
    c->finish.server = finish_server(c);
    c->finish.next = c->now;
    c->phase = c->finish.server ? P2_FINISHING : P2_DONE;
    p2c_hello_stop(c);
    struct p2_finished *f = &c->finish.message;
    memset(f, 0, sizeof *f);
    memcpy(f->tag, c->image_id, P2_TAG_SIZE);
    f->bytes = c->intake.bytes_verified;
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

int p2c_finish_output(struct p2_client *c, uint8_t *buf, size_t cap, struct net_addr *ret_to)
{
    if (c->phase != P2_FINISHING || c->now < c->finish.next)
        return 0;
    if (c->finish.tries++ == P2_FINISH_TRIES) {
        c->phase = P2_DONE; // told or not: the boot goes on
        return 0;
    }
    const struct p2_client_server *server = &c->servers.at[c->finish.server - 1];
    struct p2_message m;
    memset(&m, 0, sizeof m);
    m.type = P2_FINISHED;
    memcpy(m.nonce, server->nonce, P2_NONCE_SIZE);
    m.finished = c->finish.message;
    memcpy(m.finished.cookie, server->offer.cookie, P2_COOKIE_SIZE);
    c->finish.next = c->now + P2_FINISH_PAUSE;
    *ret_to = server->addr;
    return p2_wire_write(&m, buf, cap);
}

void p2c_finish_cookie(struct p2_client *c)
{
    c->finish.next = c->now;
}
