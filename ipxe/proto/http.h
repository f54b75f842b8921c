// SPDX-License-Identifier: MPL-2.0
// The answer to an HTTP/1.1 request (RFC 9110, 9112) for a file or a range of it: a parser that takes bytes as they come. No I/O; the
// caller owns the connection, and watches that the body gets on (base/progress.h). What is asked is built by http_request.h.
#pragma once
#include "base/err.h"
#include "base/range.h"
#include "proto/http_auth.h"
#include "proto/uri.h"

#define HTTP_LINE_MAX (URI_TEXT_MAX + 64) // so much of a line is kept; what is longer is cut, and matters in a Location only
#define HTTP_HEADERS_MAX 128    // lines, those of interim responses included
#define HTTP_REDIRECTS_MAX 5
#define HTTP_USERS_MAX 2        // times that a request is sent again with a user's name
#define HTTP_RETRIES_MAX 5      // of a server that is busy and says when to ask again
#define HTTP_RETRY_AFTER_MAX 30 // s; what is longer is not waited for
#define HTTP_DRAIN_MAX 65536    // bytes of an error's page that are worth a connection

typedef int http_sink(void *ctx, const uint8_t *data, size_t len);

enum http_state {
    HTTP_STATUS_LINE,
    HTTP_HEADERS,
    HTTP_BODY_LENGTH, // Content-Length bytes
    HTTP_BODY_CLOSE,  // until the server closes
    HTTP_CHUNK_SIZE,
    HTTP_CHUNK_DATA,
    HTTP_CHUNK_END,
    HTTP_TRAILERS,
    HTTP_COMPLETE,
    HTTP_FAILED,
};

struct http_response {
    http_sink *sink;
    void *ctx;
    struct range asked;
    enum http_state state;
    int error;
    unsigned status; // 200, 404, ...
    uint64_t length; // of the body; UINT64_MAX = not said
    uint64_t left;   // of the body, or of the chunk
    uint64_t offset; // of the body's next byte in the file
    uint64_t part;   // of a 206: its length when it is what was asked for. Else 0
    bool chunked;
    bool persistent; // the server does not close behind its answer, as far as it says
    bool draining;   // the body is no file and goes nowhere: `verdict` holds
    bool whole;      // its end was read
    int verdict;     // 0: a redirect
    struct http_challenge challenge; // of a 401: what the server wants
    unsigned header_lines;
    unsigned retry_after;         // s, 0: not said, or longer than is waited for
    char location[URI_TEXT_MAX];  // of a redirect, "" otherwise
    char line[HTTP_LINE_MAX];
    size_t line_len;
    bool line_cut;
};

void http_init(struct http_response *r, const struct range *asked, http_sink *sink, void *ctx);

// The next bytes of the response. Only a body goes to the sink, from the file's byte r->offset on: that of a 200 or a 203, which is
// the whole file whatever was asked for, or that of a 206 which is just what was asked for, as far as the file goes. An answer that is no
// file counts when its page has been read as well, or when that is too long. 0 or the error that ended it: ERR_HTTP_ERROR (another status
// and no redirect), ERR_NOT_FOUND (404, 410), ERR_TRUNCATED (416: the file ends before what was asked for), ERR_HTTP_MALFORMED,
// ERR_TOO_LARGE (a Location), or the sink's.
int http_input(struct http_response *r, const uint8_t *data, size_t len);

// The server has closed the connection.
void http_closed(struct http_response *r);

// The connection is good for another request: the answer has come to its end, nothing is behind it, and the server keeps it open.
bool http_reusable(const struct http_response *r);

// Nothing of an answer has come yet.
bool http_is_untouched(const struct http_response *r);

// PENDING, 0 when the body is whole or a redirect was given (location is not ""), else the error.
int http_result(const struct http_response *r);
