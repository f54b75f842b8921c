// SPDX-License-Identifier: MPL-2.0
// The transport `http://server[:port]/file`: requests and the pure parser (proto/http.h) between a connection and the sink.
#include "base/fmt.h"
#include "base/progress.h"
#include "base/version.h"
#include "core/connection.h"
#include "core/sink.h"
#include "proto/http.h"

struct http_fetch {
    struct core *core;
    struct core_sink *sink;
    struct core_names names;
    struct connection connection;
    struct range range; // what is asked for
    struct http_response response;
    struct progress progress;
    char request[HTTP_REQUEST_MAX];
    size_t request_len;
};

static int http_body(void *ctx, const uint8_t *data, size_t len)
{
    struct http_fetch *f = ctx;
    progress_add(&f->progress, len, core_now(f->core));
    return core_sink_bytes(f->sink, f->response.offset, data, len);
}

static int http_opened(void *ctx)
{
    struct http_fetch *f = ctx;
    return connection_send(&f->connection, f->request, f->request_len);
}

static void http_bytes(void *ctx, const uint8_t *data, size_t len)
{
    struct http_fetch *f = ctx;
    (void)http_input(&f->response, data, len);
}

static void http_ended(void *ctx)
{
    struct http_fetch *f = ctx;
    http_closed(&f->response);
}

static const struct connection_owner http_owner = { http_opened, http_bytes, http_ended };

// 0 also when the sink has enough.
static int http_step(void *ctx, uint64_t *wake)
{
    struct http_fetch *f = ctx;
    int result = http_result(&f->response);
    if (result != PENDING)
        return result;
    if (core_sink_enough(f->sink))
        return 0;
    *wake = progress_deadline(&f->progress);
    int err = connection_judge(&f->connection, &f->names, wake);
    if (!err)
        err = progress_judge(&f->progress, core_now(f->core));
    return err ? err : PENDING;
}

// From one address of the server.
static int http_ask(struct http_fetch *f, const struct net_addr *server)
{
    http_init(&f->response, &f->range, http_body, f);
    progress_start(&f->progress, core_now(f->core));
    int err = connection_connect(&f->connection, server);
    if (err)
        return err;
    err = core_drive(f->core, http_step, f);
    connection_close(&f->connection);
    if (err == ERR_HTTP_ERROR)
        console_say("http", "the server answered %u", f->response.status);
    return err;
}

// One request. 0 when the body is in the sink, or a redirect is in response.location.
static int http_once(struct http_fetch *f, const struct uri *uri)
{
    char agent[48];
    int err = core_names_servers(&f->names, f->core, uri, HTTP_PORT);
    fmt_snprintf(agent, sizeof agent, "Signet/%s", signet_version);
    if (!err)
        err = http_request(f->request, sizeof f->request, uri, agent, &f->range);
    if (err < 0)
        return err;
    f->request_len = (size_t)err;
    struct net_addr server = core_names_take(&f->names);
    do {
        err = http_ask(f, &server);
    } while (err && !f->connection.answered && (err = core_names_next(&f->names, "http", err, &server)) == 0);
    return err;
}

// Where a redirect leads, in *uri.
static int http_follow(struct http_fetch *f, struct uri *uri)
{
    static struct uri reference, next;
    int err = uri_parse(f->response.location, &reference);
    if (!err)
        err = uri_resolve(uri, &reference, &next);
    if (err)
        return err;
    *uri = next;
    console_say("http", "redirected to %s://%s%s", uri->scheme, uri->host, uri->path);
    return strcmp(uri->scheme, "http") == 0 ? 0 : ERR_URI_SCHEME;
}

// Through redirects, and as often as a busy server wants.
static int http_run(struct http_fetch *f, struct uri *uri)
{
    unsigned redirects = 0, retries = 0;
    for (;;) {
        int err = http_once(f, uri);
        unsigned wait = err == ERR_HTTP_ERROR && f->response.status == 503 ? f->response.retry_after : 0;
        if (wait && retries++ < HTTP_RETRIES_MAX) {
            console_say("http", "it is busy, and asked again in %u s", wait);
            err = core_sleep(f->core, wait * 1000000ull, false);
        } else if (!err && f->response.location[0]) {
            err = redirects++ == HTTP_REDIRECTS_MAX ? ERR_HTTP_REDIRECTS : http_follow(f, uri);
        } else {
            return err;
        }
        if (err)
            return err;
    }
}

int core_http_fetch(struct core *core, const struct uri *uri)
{
    static struct http_fetch fetch;
    static struct uri here;
    fetch.core = core;
    fetch.connection = (struct connection){ .core = core, .carrier = &connection_tcp, .owner = &http_owner, .ctx = &fetch };
    fetch.response.status = 0; // of the fetch before
    console_say("http", "fetching %s from %s", uri->path, uri->host);
    int err = core_sink_open(&fetch.sink, core, uri);
    if (err) {
        console_error("http", err, "cannot fetch %s", uri->path);
        return err;
    }
    while ((err = core_sink_next(fetch.sink, err, &fetch.range)) == 0) {
        here = *uri;
        err = http_run(&fetch, &here);
        if (!fetch.response.part)
            fetch.range.to = RANGE_END;
        if (err && fetch.response.status == 416)
            break; // the file has no more
    }
    return core_sink_close(fetch.sink, MIN(err, 0));
}
