// SPDX-License-Identifier: MPL-2.0
// The transport `http://server[:port]/file`: requests and the pure parser (proto/http.h) between a connection and the sink. Connections are
// kept (http_line.h), and what a script adds to a request comes from params.h.
#include "base/fmt.h"
#include "base/progress.h"
#include "base/version.h"
#include "core/http_line.h"
#include "core/params.h"
#include "core/sink.h"
#include "crypto/digest.h"
#include "proto/http.h"
#include "proto/http_request.h"

#define DRAIN_US 1000000u // an error's page is waited for so long
#define AUTHORIZATION_MAX (URI_TEXT_MAX + HTTP_REALM_MAX + 2 * HTTP_NONCE_MAX + HTTP_USER_MAX + 320)

struct http_fetch {
    struct core *core;
    struct core_sink *sink;
    struct core_names names;
    struct connection *connection;
    struct range range; // what is asked for
    struct http_response response;
    struct progress progress;
    struct core_params form;
    bool post; // its body is still to be sent
    struct http_challenge challenge; // that is answered with each request, once there was one
    uint64_t drain_us;               // when the page of an error began; 0: it has not
    char authorization[AUTHORIZATION_MAX];
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
    return connection_send(f->connection, f->request, f->request_len);
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

// Why it is not to be waited for any longer, or 0.
static int http_judge(struct http_fetch *f, uint64_t *wake)
{
    uint64_t now = core_now(f->core);
    *wake = progress_deadline(&f->progress);
    int err = connection_judge(f->connection, &f->names, wake);
    if (!err)
        err = progress_judge(&f->progress, now);
    if (!f->response.draining)
        return err;
    if (!f->drain_us)
        f->drain_us = now;
    *wake = MIN(*wake, f->drain_us + DRAIN_US);
    if (err || now >= f->drain_us + DRAIN_US)
        http_closed(&f->response); // what the server has said counts, and not how
    return 0;
}

// 0 also when the sink has enough.
static int http_step(void *ctx, uint64_t *wake)
{
    struct http_fetch *f = ctx;
    int result = http_result(&f->response);
    if (result != PENDING)
        return result;
    if (core_sink_enough(f->sink))
        return 0;
    int err = http_judge(f, wake);
    return err ? err : http_result(&f->response);
}

// Waits for the answer on a connection that is asked already, or asks once it is open.
static int http_hear(struct http_fetch *f)
{
    int err = core_drive(f->core, http_step, f);
    if (http_reusable(&f->response))
        http_line_keep(f->connection);
    else
        http_line_drop(f->connection);
    return err;
}

static void http_begin(struct http_fetch *f)
{
    http_init(&f->response, &f->range, http_body, f);
    progress_start(&f->progress, core_now(f->core));
    f->drain_us = 0;
}

// On a kept connection. PENDING: there is none, or the server has closed it before this request (RFC 9112 9.3.1), as has the way to it. A
// form is sent by a connection of its own: nobody knows whether a server has read it.
static int http_again(struct http_fetch *f, const struct uri *uri)
{
    f->connection = f->post ? NULL : http_line_take(uri, &http_owner, f);
    if (!f->connection)
        return PENDING;
    http_begin(f);
    int err = connection_send(f->connection, f->request, f->request_len);
    if (err) {
        http_line_drop(f->connection);
        return PENDING;
    }
    err = http_hear(f);
    bool stale = err == ERR_CONN_RESET || err == ERR_TIMED_OUT || err == ERR_TRUNCATED;
    return stale && http_is_untouched(&f->response) ? PENDING : err;
}

// From one address of the server.
static int http_ask(struct http_fetch *f, const struct uri *uri, const struct net_addr *server)
{
    http_begin(f);
    f->connection = http_line_new(f->core, uri, &http_owner, f);
    int err = connection_connect(f->connection, server);
    return err ? err : http_hear(f);
}

static void http_digest(enum http_scheme scheme, const char *const *pieces, size_t count, char ret[HTTP_HASH_HEX_MAX])
{
    struct digest_piece list[8];
    uint8_t digest[DIGEST_MAX];
    size_t size = scheme == HTTP_AUTH_MD5 ? MD5_SIZE : SHA256_SIZE;
    for (size_t i = 0; i < count; i++)
        list[i] = (struct digest_piece){ pieces[i], strlen(pieces[i]) };
    if (scheme == HTTP_AUTH_MD5)
        md5_pieces(list, count, digest);
    else
        sha256_pieces(list, count, digest);
    for (size_t i = 0; i < size; i++)
        fmt_snprintf(ret + 2 * i, 3, "%02x", digest[i]);
}

// The URI's user. The settings that `login` fills are sent to nobody who only asks for them: a script puts them into a URI.
static bool http_user(const struct uri *uri, struct http_user *ret)
{
    memset(ret, 0, sizeof *ret);
    return uri->user[0] && uri_user(uri, ret->name, ret->password, sizeof ret->name);
}

// The request's text.
static int http_build(struct http_fetch *f, const struct uri *uri)
{
    static char target[URI_TEXT_MAX + 1];
    char agent[48];
    struct http_user user;
    uint8_t random[HTTP_CLIENT_NONCE];
    const char *method = f->post ? "POST" : "GET";
    int err = uri_request_target(uri, target, sizeof target);
    f->authorization[0] = 0;
    if (err >= 0 && f->challenge.scheme && http_user(uri, &user)) {
        f->core->platform->random(f->core->platform->ctx, random, sizeof random);
        err = http_authorization(f->authorization, sizeof f->authorization, &f->challenge, &user, method, target, random, http_digest);
    }
    fmt_snprintf(agent, sizeof agent, "Signet/%s", signet_version);
    const struct http_ask ask = { .method = method, .uri = uri, .agent = agent, .range = &f->range, .authorization = f->authorization,
                                  .headers = f->form.headers, .form = f->post ? f->form.body : NULL };
    if (err >= 0)
        err = http_request(f->request, sizeof f->request, &ask);
    f->request_len = (size_t)MAX(err, 0);
    return MIN(err, 0);
}

// One request. 0 when the body is in the sink, or a redirect is in response.location.
static int http_once(struct http_fetch *f, const struct uri *uri)
{
    int err = http_build(f, uri);
    if (!err)
        err = http_again(f, uri);
    if (err != PENDING)
        return err;
    err = core_names_servers(&f->names, f->core, uri, HTTP_PORT);
    if (err)
        return err;
    struct net_addr server = core_names_take(&f->names);
    do {
        err = http_ask(f, uri, &server);
    } while (err && !f->connection->answered && (err = core_names_next(&f->names, "http", err, &server)) == 0);
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
    bool same = next.port == uri->port && strcmp(next.host, uri->host) == 0 && strcmp(next.scheme, uri->scheme) == 0;
    if (same && !next.user[0])
        memcpy(next.user, uri->user, sizeof next.user);
    if (!same)
        f->challenge.scheme = HTTP_AUTH_NONE;
    if (f->response.status < 307)
        f->post = false; // RFC 9110 15.4.2 to 15.4.4: what became of the form is got
    *uri = next;
    console_say("http", "redirected to %s://%s%s", uri->scheme, uri->host, uri->path);
    return strcmp(uri->scheme, "http") == 0 ? 0 : ERR_URI_SCHEME;
}

// Is the request to be sent once more, with a user's name?
static bool http_wants_user(struct http_fetch *f, const struct uri *uri)
{
    struct http_user user;
    const struct http_challenge *c = &f->response.challenge;
    if (f->response.status != 401 || !c->scheme || !http_user(uri, &user) || (f->authorization[0] && !c->stale))
        return false;
    f->challenge = *c;
    return true;
}

static void http_say_status(const struct http_fetch *f)
{
    unsigned status = f->response.status;
    const char *why = status == 401 && f->authorization[0] ? ": it does not take this user's name and password"
                      : status == 401                     ? ": it wants a user's name and password"
                      : status == 403                     ? ": it does not allow that"
                      : status == 407                     ? ": a proxy wants a user's name and password"
                      : status == 429 || status == 503    ? ": it is too busy"
                      : status >= 500                     ? ": the fault is the server's own"
                                                          : "";
    console_say("http", "the server answered %u%s", status, why);
}

// Through redirects and passwords, and as often as a busy server wants.
static int http_run(struct http_fetch *f, struct uri *uri)
{
    unsigned redirects = 0, retries = 0, users = 0;
    for (;;) {
        int err = http_once(f, uri);
        bool refused = err == ERR_HTTP_ERROR;
        unsigned wait = refused && f->response.status == 503 ? f->response.retry_after : 0;
        if (refused && users < HTTP_USERS_MAX && http_wants_user(f, uri)) {
            users++;
            continue;
        }
        if (refused)
            http_say_status(f);
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
    int err = core_params_take(uri, &fetch.form);
    if (!err)
        err = core_sink_open(&fetch.sink, core, uri);
    if (err) {
        console_error("http", err, "cannot fetch %s", uri->path);
        return err;
    }
    while ((err = core_sink_next(fetch.sink, err, &fetch.range)) == 0) {
        here = *uri;
        fetch.post = fetch.form.post;
        fetch.challenge.scheme = HTTP_AUTH_NONE;
        err = http_run(&fetch, &here);
        if (!fetch.response.part)
            fetch.range.to = RANGE_END;
        if (err && fetch.response.status == 416)
            break; // the file has no more
    }
    return core_sink_close(fetch.sink, MIN(err, 0));
}
