// SPDX-License-Identifier: MPL-2.0
// See http.h.
#include "proto/http.h"

#include "base/ascii.h"
#include "base/fmt.h"

static bool is_whole(const struct range *range)
{
    return !range->from && range->to == RANGE_END;
}

void http_init(struct http_response *r, const struct range *asked, http_sink *sink, void *ctx)
{
    memset(r, 0, sizeof *r);
    r->asked = *asked;
    r->sink = sink;
    r->ctx = ctx;
    r->length = UINT64_MAX;
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
    return !*b && (!*a || *a == ' ' || *a == '\t' || *a == ',');
}

// Is it one of the list's (RFC 9110 5.6.1)?
static bool has_token(const char *list, const char *token)
{
    for (; *list; list += *list == ',') {
        while (*list == ' ' || *list == '\t')
            list++;
        if (same_token(list, token))
            return true;
        while (*list && *list != ',')
            list++;
    }
    return false;
}

static int status_line(struct http_response *r)
{
    uint64_t status;
    if (r->line_len < 12 || memcmp(r->line, "HTTP/1.", 7) != 0 || r->line[8] != ' ' ||
        !fmt_parse_u64(r->line + 9, 3, 10, &status))
        return ERR_HTTP_MALFORMED;
    r->persistent = r->line[7] != '0';
    // Nothing of an interim response is left over.
    r->status = (unsigned)status;
    r->length = UINT64_MAX;
    r->part = 0;
    r->chunked = false;
    r->retry_after = 0;
    r->location[0] = 0;
    memset(&r->challenge, 0, sizeof r->challenge);
    r->state = HTTP_HEADERS;
    return 0;
}

// Two lengths that differ are how requests are smuggled (RFC 9112 6.3): refused.
static int set_length(struct http_response *r, uint64_t length)
{
    if (r->length != UINT64_MAX && r->length != length)
        return ERR_HTTP_MALFORMED;
    r->length = length;
    return 0;
}

static int take_length(struct http_response *r, const char *value)
{
    uint64_t length;
    return fmt_parse_u64(value, strlen(value), 10, &length) ? set_length(r, length) : ERR_HTTP_MALFORMED;
}

// Reads a number up to `end`, and goes behind that.
static bool number(const char **text, char end, uint64_t *ret)
{
    const char *from = *text, *to = strchr(from, end);
    if (!to)
        return false;
    *text = to + 1;
    return fmt_parse_u64(from, (size_t)(to - from), 10, ret);
}

// "bytes 0-4/5", or "/*" where the size is not known (RFC 9110 14.4). The part's length, or 0 when it is not what was asked for.
static uint64_t part_length(const struct range *asked, const char *value)
{
    uint64_t first, last, size = RANGE_END;
    if (strncmp(value, "bytes ", 6) != 0)
        return 0;
    value += 6;
    if (!number(&value, '-', &first) || !number(&value, '/', &last) || (*value != '*' && !number(&value, 0, &size)))
        return 0;
    // Nobody asked for a part: the whole is good, and some caches say it so.
    uint64_t end = MIN(asked->to, size);
    if (first != asked->from || last < first || last >= end || (last + 1 != end && (end != RANGE_END || is_whole(asked))))
        return 0;
    return last - first + 1;
}

static int header_line(struct http_response *r)
{
    const char *value;
    uint64_t seconds;
    if (++r->header_lines > HTTP_HEADERS_MAX)
        return ERR_HTTP_MALFORMED;
    while (r->line_len && (r->line[r->line_len - 1] == ' ' || r->line[r->line_len - 1] == '\t'))
        r->line[--r->line_len] = 0;
    if ((value = header_value(r->line, "content-length")))
        return take_length(r, value);
    if ((value = header_value(r->line, "transfer-encoding"))) {
        if (!same_token(value, "chunked") && !same_token(value, "identity"))
            return ERR_HTTP_MALFORMED;
        r->chunked = same_token(value, "chunked");
    } else if ((value = header_value(r->line, "location"))) {
        size_t len = strlen(value);
        if (r->line_cut || len >= sizeof r->location)
            return ERR_TOO_LARGE;
        memcpy(r->location, value, len + 1);
    } else if ((value = header_value(r->line, "content-range"))) {
        r->part = part_length(&r->asked, value);
    } else if ((value = header_value(r->line, "connection"))) {
        r->persistent = has_token(value, "keep-alive") || (r->persistent && !has_token(value, "close"));
    } else if ((value = header_value(r->line, "www-authenticate"))) {
        if (!r->line_cut)
            http_challenge_read(&r->challenge, value);
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

static void end(struct http_response *r, int err)
{
    r->state = err ? HTTP_FAILED : HTTP_COMPLETE;
    r->error = err;
}

// The answer's last byte was read.
static void finish(struct http_response *r)
{
    r->whole = true;
    end(r, r->verdict);
}

// The rest of what is no file is not waited for.
static int give_up(struct http_response *r)
{
    r->persistent = false;
    end(r, r->verdict);
    return r->verdict;
}

// Is the body a file, or part of it (0)? Else a redirect's, which is nothing (1), or an error.
static int judge(struct http_response *r)
{
    if (is_redirect(r->status) && r->location[0])
        return 1;
    r->location[0] = 0;
    if (r->status == 416 && r->asked.from)
        return ERR_TRUNCATED;
    if (r->status == 404 || r->status == 410)
        return ERR_NOT_FOUND;
    return r->status == 200 || r->status == 203 || (r->status == 206 && r->part) ? 0 : ERR_HTTP_ERROR;
}

// How long the body is (RFC 9112 6.3).
static void frame(struct http_response *r)
{
    if (r->status == 204 || r->status == 304) {
        r->state = HTTP_COMPLETE;
    } else if (r->chunked) {
        r->length = UINT64_MAX; // chunked wins
        r->state = HTTP_CHUNK_SIZE;
    } else if (r->length == UINT64_MAX) {
        r->persistent = false;
        r->state = HTTP_BODY_CLOSE;
    } else {
        r->left = r->length;
        r->state = r->left ? HTTP_BODY_LENGTH : HTTP_COMPLETE;
    }
}

// The empty line behind the headers.
static int headers_end(struct http_response *r)
{
    if (r->status >= 100 && r->status < 200 && r->status != 101) { // an interim response: the real one follows
        r->state = HTTP_STATUS_LINE;
        return 0;
    }
    int verdict = judge(r);
    r->draining = verdict != 0;
    r->verdict = MIN(verdict, 0);
    if (!r->draining && r->status == 206) {
        r->offset = r->asked.from;
        if (!r->chunked && set_length(r, r->part) != 0)
            return ERR_HTTP_MALFORMED;
    }
    frame(r);
    bool endless = r->state == HTTP_BODY_CLOSE || (r->state == HTTP_BODY_LENGTH && r->left > HTTP_DRAIN_MAX);
    return r->draining && endless ? give_up(r) : 0;
}

static int chunk_size(struct http_response *r)
{
    size_t digits = 0;
    while (r->line[digits] && r->line[digits] != ';' && r->line[digits] != ' ' && r->line[digits] != '\t')
        digits++;
    uint64_t size = 0;
    if (digits == 0 || digits > 15 || !fmt_parse_u64(r->line, digits, 16, &size))
        return ERR_HTTP_MALFORMED;
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
        return r->line_len ? ERR_HTTP_MALFORMED : 0;
    default: // HTTP_TRAILERS
        if (r->line_len == 0)
            r->state = HTTP_COMPLETE;
        return ++r->header_lines > 2 * HTTP_HEADERS_MAX ? ERR_HTTP_MALFORMED : 0;
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
        return ERR_HTTP_MALFORMED; // a NUL in a header
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
    int err = r->draining ? 0 : r->sink(r->ctx, data, n);
    if (err)
        return err;
    r->offset += n;
    if (r->draining && r->offset > HTTP_DRAIN_MAX)
        return give_up(r);
    if (counted && (r->left -= n) == 0)
        r->state = r->state == HTTP_CHUNK_DATA ? HTTP_CHUNK_END : HTTP_COMPLETE;
    return 0;
}

int http_input(struct http_response *r, const uint8_t *data, size_t len)
{
    while (len > 0 && r->state < HTTP_COMPLETE) {
        bool body = r->state == HTTP_BODY_LENGTH || r->state == HTTP_BODY_CLOSE || r->state == HTTP_CHUNK_DATA;
        size_t used = 0;
        int err = body ? take_body(r, data, len, &used) : take_line(r, data, len, &used);
        if (err)
            end(r, r->draining ? r->verdict : err);
        else if (r->state == HTTP_COMPLETE)
            finish(r);
        data += used;
        len -= used;
    }
    if (len > 0)
        r->whole = false; // nobody asked for what is behind it
    return r->error;
}

void http_closed(struct http_response *r)
{
    r->persistent = false;
    if (r->state < HTTP_COMPLETE)
        end(r, r->draining ? r->verdict : r->state == HTTP_BODY_CLOSE ? 0 : ERR_TRUNCATED);
}

bool http_reusable(const struct http_response *r)
{
    return r->whole && r->persistent;
}

bool http_is_untouched(const struct http_response *r)
{
    return !r->status && !r->line_len;
}

int http_result(const struct http_response *r)
{
    if (r->state == HTTP_FAILED)
        return r->error;
    return r->state == HTTP_COMPLETE ? 0 : PENDING;
}
