// SPDX-License-Identifier: MPL-2.0
// See http.h.
#include "proto/http.h"

#include "base/ascii.h"
#include "base/fmt.h"

int http_request(char *buf, size_t cap, const struct uri *uri, const char *agent)
{
    const char *open = uri->host_is_v6 ? "[" : "", *close = uri->host_is_v6 ? "]" : "";
    char port[8] = "";
    if (uri->port)
        fmt_snprintf(port, sizeof port, ":%u", uri->port);
    size_t len = (size_t)fmt_snprintf(buf, cap, "GET ");
    int target = len < cap ? uri_request_target(uri, buf + len, cap - len) : ERR_TOO_LARGE;
    if (target < 0)
        return target;
    len += (size_t)target;
    len += (size_t)fmt_snprintf(buf + len, cap - len, " HTTP/1.1\r\nHost: %s%s%s%s\r\nUser-Agent: %s\r\nAccept: */*\r\n"
                                "Connection: close\r\n\r\n", open, uri->host, close, port, agent);
    return len < cap ? (int)len : ERR_TOO_LARGE;
}

void http_init(struct http_response *r, http_sink *sink, void *ctx)
{
    memset(r, 0, sizeof *r);
    r->sink = sink;
    r->ctx = ctx;
    r->length = UINT64_MAX;
}

static int fail(struct http_response *r, int err)
{
    r->state = HTTP_FAILED;
    r->error = err;
    return err;
}

// The value of a header line when its name is `name` (lower case, RFC 9110 5.1), else NULL.
static const char *header_value(const char *line, const char *name)
{
    while (*name && ascii_lower(*line) == *name) {
        line++;
        name++;
    }
    if (*name || *line != ':')
        return NULL;
    line++;
    while (*line == ' ' || *line == '\t')
        line++;
    return line;
}

static bool same_token(const char *a, const char *b)
{
    while (*b && ascii_lower(*a) == *b) {
        a++;
        b++;
    }
    return !*b && (!*a || *a == ' ' || *a == '\t');
}

static int status_line(struct http_response *r)
{
    uint64_t status;
    if (r->line_len < 12 || memcmp(r->line, "HTTP/1.", 7) != 0 || r->line[8] != ' ' ||
        !fmt_parse_u64(r->line + 9, 3, 10, &status))
        return fail(r, ERR_HTTP_MALFORMED);
    // Nothing of an interim response is left over.
    r->status = (unsigned)status;
    r->length = UINT64_MAX;
    r->chunked = r->whole = false;
    r->retry_after = 0;
    r->location[0] = 0;
    r->state = HTTP_HEADERS;
    return 0;
}

static int take_length(struct http_response *r, const char *value)
{
    uint64_t length;
    // Two lengths that differ are how requests are smuggled (RFC 9112 6.3): refused.
    if (!fmt_parse_u64(value, strlen(value), 10, &length) || (r->length != UINT64_MAX && r->length != length))
        return fail(r, ERR_HTTP_MALFORMED);
    r->length = length;
    return 0;
}

// "bytes 0-4/5": RFC 9110 14.4.
static bool is_whole(const char *range)
{
    uint64_t last, size;
    const char *slash = strchr(range, '/');
    return strncmp(range, "bytes 0-", 8) == 0 && slash && fmt_parse_u64(range + 8, (size_t)(slash - range) - 8, 10, &last) &&
           fmt_parse_u64(slash + 1, strlen(slash + 1), 10, &size) && size && last == size - 1;
}

static int header_line(struct http_response *r)
{
    const char *value;
    uint64_t seconds;
    if (++r->header_lines > HTTP_HEADERS_MAX)
        return fail(r, ERR_HTTP_MALFORMED);
    while (r->line_len && (r->line[r->line_len - 1] == ' ' || r->line[r->line_len - 1] == '\t'))
        r->line[--r->line_len] = 0;
    if ((value = header_value(r->line, "content-length")))
        return take_length(r, value);
    if ((value = header_value(r->line, "transfer-encoding"))) {
        if (!same_token(value, "chunked") && !same_token(value, "identity"))
            return fail(r, ERR_HTTP_MALFORMED);
        r->chunked = same_token(value, "chunked");
    } else if ((value = header_value(r->line, "location"))) {
        size_t len = strlen(value);
        if (r->line_cut || len >= sizeof r->location)
            return fail(r, ERR_TOO_LARGE);
        memcpy(r->location, value, len + 1);
    } else if ((value = header_value(r->line, "content-range"))) {
        r->whole = is_whole(value);
    } else if ((value = header_value(r->line, "retry-after"))) {
        if (fmt_parse_u64(value, strlen(value), 10, &seconds) && seconds <= HTTP_RETRY_AFTER_MAX)
            r->retry_after = (unsigned)seconds;
    }
    return 0;
}

static bool is_redirect(unsigned status)
{
    return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

// The empty line behind the headers.
static int headers_end(struct http_response *r)
{
    if (r->status >= 100 && r->status < 200 && r->status != 101) { // an interim response: the real one follows
        r->state = HTTP_STATUS_LINE;
        return 0;
    }
    if (is_redirect(r->status) && r->location[0]) {
        r->state = HTTP_COMPLETE;
        return 0;
    }
    r->location[0] = 0;
    // Nobody asked for a part: 206 is good for the whole, and some caches say it.
    if (r->status != 200 && r->status != 203 && !(r->status == 206 && r->whole))
        return fail(r, r->status == 404 || r->status == 410 ? ERR_NOT_FOUND : ERR_HTTP_ERROR);
    if (r->chunked) {
        r->length = UINT64_MAX; // RFC 9112 6.3: chunked wins
        r->state = HTTP_CHUNK_SIZE;
    } else if (r->length == UINT64_MAX) {
        r->state = HTTP_BODY_CLOSE;
    } else {
        r->left = r->length;
        r->state = r->left ? HTTP_BODY_LENGTH : HTTP_COMPLETE;
    }
    return 0;
}

static int chunk_size(struct http_response *r)
{
    size_t digits = 0;
    while (r->line[digits] && r->line[digits] != ';' && r->line[digits] != ' ' && r->line[digits] != '\t')
        digits++;
    uint64_t size = 0;
    if (digits == 0 || digits > 15 || !fmt_parse_u64(r->line, digits, 16, &size))
        return fail(r, ERR_HTTP_MALFORMED);
    r->left = size;
    r->state = size ? HTTP_CHUNK_DATA : HTTP_TRAILERS;
    return 0;
}

static int whole_line(struct http_response *r)
{
    switch (r->state) {
    case HTTP_STATUS_LINE:
        return status_line(r);
    case HTTP_HEADERS:
        return r->line_len ? header_line(r) : headers_end(r);
    case HTTP_CHUNK_SIZE:
        return chunk_size(r);
    case HTTP_CHUNK_END:
        r->state = HTTP_CHUNK_SIZE;
        return r->line_len ? fail(r, ERR_HTTP_MALFORMED) : 0;
    default: // HTTP_TRAILERS
        if (r->line_len == 0)
            r->state = HTTP_COMPLETE;
        return ++r->header_lines > 2 * HTTP_HEADERS_MAX ? fail(r, ERR_HTTP_MALFORMED) : 0;
    }
}

static int take_line(struct http_response *r, const uint8_t *data, size_t len, size_t *used)
{
    const uint8_t *end = memchr(data, '\n', len);
    size_t n = end ? (size_t)(end - data) : len, room = HTTP_LINE_MAX - 1 - r->line_len, kept = MIN(n, room);
    *used = end ? n + 1 : n;
    r->line_cut |= kept < n;
    memcpy(r->line + r->line_len, data, kept);
    r->line_len += kept;
    if (!end)
        return 0;
    if (r->line_len && r->line[r->line_len - 1] == '\r')
        r->line_len--;
    r->line[r->line_len] = 0;
    if (strlen(r->line) != r->line_len)
        return fail(r, ERR_HTTP_MALFORMED); // a NUL in a header
    int err = whole_line(r);
    r->line_len = 0;
    r->line_cut = false;
    return err;
}

static int take_body(struct http_response *r, const uint8_t *data, size_t len, size_t *used)
{
    bool counted = r->state != HTTP_BODY_CLOSE;
    size_t n = counted ? (size_t)MIN((uint64_t)len, r->left) : len;
    *used = n;
    int err = r->sink(r->ctx, data, n);
    if (err)
        return fail(r, err);
    if (counted && (r->left -= n) == 0)
        r->state = r->state == HTTP_CHUNK_DATA ? HTTP_CHUNK_END : HTTP_COMPLETE;
    return 0;
}

int http_input(struct http_response *r, const uint8_t *data, size_t len)
{
    while (len > 0 && r->state < HTTP_COMPLETE) {
        bool body = r->state == HTTP_BODY_LENGTH || r->state == HTTP_BODY_CLOSE || r->state == HTTP_CHUNK_DATA;
        size_t used = 0;
        if (body)
            (void)take_body(r, data, len, &used);
        else
            (void)take_line(r, data, len, &used);
        data += used;
        len -= used;
    }
    return r->error;
}

void http_closed(struct http_response *r)
{
    if (r->state == HTTP_BODY_CLOSE)
        r->state = HTTP_COMPLETE;
    else if (r->state < HTTP_COMPLETE)
        (void)fail(r, ERR_TRUNCATED);
}

int http_result(const struct http_response *r)
{
    if (r->state == HTTP_FAILED)
        return r->error;
    return r->state == HTTP_COMPLETE ? 0 : 1;
}
