// SPDX-License-Identifier: MPL-2.0
// The transport `http://server[:port]/file`: requests and the pure parser (proto/http.h) between lwIP's TCP and the sink.
#include "base/fmt.h"
#include "base/progress.h"
#include "base/version.h"
#include "core/names.h"
#include "core/sink.h"
#include "proto/http.h"

#define ROUTE_LIMIT_US 5000000u

struct http_fetch {
    struct core *core;
    struct core_sink *sink;
    struct core_names names;
    struct net_tcp *tcp;
    bool connected;
    struct range range; // what is asked for
    struct http_response response;
    struct progress progress;
    uint64_t since; // when the connection was begun
    int error;      // its
    char request[HTTP_REQUEST_MAX];
    size_t request_len;
};

static int http_body(void *ctx, const uint8_t *data, size_t len)
{
    struct http_fetch *f = ctx;
    progress_add(&f->progress, len, core_now(f->core));
    return core_sink_bytes(f->sink, f->response.offset, data, len);
}

static void http_event(void *ctx, enum net_tcp_event event, const uint8_t *data, size_t len, int err)
{
    struct http_fetch *f = ctx;
    f->connected |= event == NET_TCP_CONNECTED;
    if (event == NET_TCP_CONNECTED)
        f->error = net_tcp_send(f->tcp, f->request, f->request_len);
    else if (event == NET_TCP_DATA)
        (void)http_input(&f->response, data, len);
    else if (event == NET_TCP_CLOSED)
        http_closed(&f->response);
    else {
        f->tcp = NULL; // dead already
        f->error = err;
    }
}

// A card that has just come up may have to wait for the router's advertisement.
static int http_connect(struct http_fetch *f, const struct net_addr *server)
{
    uint64_t end = core_now(f->core) + ROUTE_LIMIT_US;
    for (;;) {
        int err = net_tcp_connect(server, http_event, f, &f->tcp);
        if (net_addr_is_v4(server) || (err != ERR_NET_NO_ADDRESS && err != ERR_NET_NO_ROUTE) || core_now(f->core) > end)
            return err;
        err = core_turn(f->core, end);
        if (err)
            return err;
    }
}

// 0 also when the sink has enough.
static int http_step(void *ctx, uint64_t *wake)
{
    struct http_fetch *f = ctx;
    int result = http_result(&f->response);
    if (result != PENDING)
        return result;
    if (f->error || core_sink_enough(f->sink))
        return f->error;
    int err = progress_judge(&f->progress, core_now(f->core));
    *wake = progress_deadline(&f->progress);
    if (!err && !f->connected) {
        err = core_names_judge(&f->names, f->since);
        *wake = MIN(*wake, core_names_deadline(&f->names, f->since));
    }
    return err ? err : PENDING;
}

// From one address of the server.
static int http_ask(struct http_fetch *f, const struct net_addr *server)
{
    f->error = 0;
    f->connected = false;
    http_init(&f->response, &f->range, http_body, f);
    progress_start(&f->progress, core_now(f->core));
    int err = http_connect(f, server);
    if (err)
        return err;
    f->since = core_now(f->core);
    err = core_drive(f->core, http_step, f);
    net_tcp_close(f->tcp);
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
    } while (err && !f->connected && (err = core_names_next(&f->names, "http", err, &server)) == 0);
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
