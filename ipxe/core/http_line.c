// SPDX-License-Identifier: MPL-2.0
// See http_line.h.
#include "core/http_line.h"

#include "base/fmt.h"
#include "proto/http_request.h"

#define LINES 2 // a redirect leads to another server, and the next file is on the first one again

struct line {
    struct connection connection; // first: a connection is its line
    char host[URI_HOST_MAX];
    uint16_t port;
    uint64_t turn; // when it was kept
    bool kept;
};

static struct line lines[LINES];
static uint64_t turns;

void core_http_start(void)
{
    memset(lines, 0, sizeof lines);
}

static struct line *line_of(struct connection *c)
{
    return container_of(c, struct line, connection);
}

void http_line_drop(struct connection *c)
{
    line_of(c)->kept = false;
    if (c->handle)
        connection_close(c);
}

static void idle_ended(void *ctx)
{
    http_line_drop(ctx);
}

static void idle_bytes(void *ctx, const uint8_t *data, size_t len)
{
    http_line_drop(ctx);
}

static const struct connection_owner nobody = { NULL, idle_bytes, idle_ended };

static uint16_t port_of(const struct uri *uri)
{
    return uri->port ? uri->port : HTTP_PORT;
}

struct connection *http_line_take(const struct uri *uri, const struct connection_owner *owner, void *ctx)
{
    for (struct line *line = lines; line < lines + LINES; line++) {
        if (!line->kept || !line->connection.handle || line->port != port_of(uri) || strcmp(line->host, uri->host) != 0)
            continue;
        line->kept = false;
        line->connection.owner = owner;
        line->connection.ctx = ctx;
        return &line->connection;
    }
    return NULL;
}

struct connection *http_line_new(struct core *core, const struct uri *uri, const struct connection_owner *owner, void *ctx)
{
    struct line *line = lines;
    for (struct line *other = lines + 1; other < lines + LINES; other++)
        if (line->kept && (!other->kept || other->turn < line->turn))
            line = other;
    http_line_drop(&line->connection);
    line->connection = (struct connection){ .core = core, .carrier = &connection_tcp, .owner = owner, .ctx = ctx };
    line->port = port_of(uri);
    fmt_snprintf(line->host, sizeof line->host, "%s", uri->host);
    return &line->connection;
}

void http_line_keep(struct connection *c)
{
    struct line *line = line_of(c);
    line->kept = c->handle && line->host[0]; // without a name it is whatever DHCP says next
    if (!line->kept) {
        http_line_drop(c);
        return;
    }
    line->turn = ++turns;
    c->owner = &nobody;
    c->ctx = c;
}

void core_http_hang_up(void)
{
    for (struct line *line = lines; line < lines + LINES; line++)
        if (line->kept)
            http_line_drop(&line->connection);
}
