// SPDX-License-Identifier: MPL-2.0
// What is asked of a web server (RFC 9110, 9112): a GET of a file or of a range of it, or a form by POST; as text.
#pragma once
#include "base/range.h"
#include "proto/uri.h"

#define HTTP_PORT 80
#define HTTP_REQUEST_MAX 11000 // with NUL: what goes out at once, see TCP_SND_BUF of config/lwip

struct http_ask {
    const char *method;
    const struct uri *uri;
    const char *agent;
    const struct range *range;
    const char *authorization, *headers; // further lines, each with its CRLF; "": none
    const char *form;                    // application/x-www-form-urlencoded. NULL: the request has no body
};

// "GET /path?query HTTP/1.1" with Host, User-Agent, Accept and Connection: keep-alive; with Range, unless all is wanted; the further lines,
// and the body. Its length or ERR_TOO_LARGE.
int http_request(char *buf, size_t cap, const struct http_ask *ask);
