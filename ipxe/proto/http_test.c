// SPDX-License-Identifier: MPL-2.0
#include "proto/http.h"

#include "base/test.h"

static char body[4096];
static size_t body_len;

static int keep(void *ctx, const uint8_t *data, size_t len)
{
    if (len > sizeof body - 1 - body_len)
        return ERR_TOO_LARGE;
    memcpy(body + body_len, data, len);
    body_len += len;
    body[body_len] = 0;
    return 0;
}

// The response in pieces of `step`; the result after the server closed.
static int run(struct http_response *r, const char *text, size_t step, bool close)
{
    body_len = 0;
    body[0] = 0;
    http_init(r, keep, NULL);
    for (size_t at = 0, len = strlen(text); at < len; at += step)
        if (http_input(r, (const uint8_t *)text + at, MIN(step, len - at)) != 0)
            break;
    if (close)
        http_closed(r);
    return http_result(r);
}

static struct http_response response;

TEST(lengths_and_chunks_in_any_pieces)
{
    static const char *const texts[] = {
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\ncontent-LENGTH:5\r\nX: y\r\n\r\nhello",
        "HTTP/1.1 200 OK\nContent-Length: 5\n\nhello",
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2;x=y\r\nlo\r\n0\r\nTrailer: 1\r\n\r\n",
        "HTTP/1.0 200 OK\r\n\r\nhello",
    };
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
        for (size_t step = 1; step < 90; step += 4) {
            CHECK_EQ(run(&response, texts[i], step, true), 0);
            CHECK_STR(body, "hello");
        }
    CHECK_EQ(run(&response, "HTTP/1.1 204 No\r\n\r\n", 5, true), ERR_HTTP_ERROR);
    CHECK_EQ(run(&response, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", 5, false), 0);
}

TEST(refusals)
{
    CHECK_EQ(run(&response, "HTTP/1.1 404 Not Found\r\nContent-Length: 3\r\n\r\nno!", 9, true), ERR_NOT_FOUND);
    CHECK_EQ(body_len, 0);
    CHECK_EQ(run(&response, "HTTP/1.1 500 Oops\r\n\r\n", 9, true), ERR_HTTP_ERROR);
    CHECK_EQ(run(&response, "SSH-2.0-OpenSSH\r\n", 9, true), ERR_HTTP_ERROR);
    CHECK_EQ(run(&response, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n", 9, true), ERR_HTTP_ERROR);
    CHECK_EQ(run(&response, "HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n", 9, true), ERR_HTTP_ERROR);
    CHECK_EQ(run(&response, "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n", 9, true), ERR_HTTP_ERROR);
    CHECK_EQ(run(&response, "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n", 9, true), ERR_HTTP_ERROR);
    CHECK_EQ(run(&response, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n", 9, true), ERR_HTTP_ERROR);
    CHECK_EQ(run(&response, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabcX\r\n", 9, true), ERR_HTTP_ERROR);
    CHECK_EQ(run(&response, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell", 9, true), ERR_TRUNCATED);
    CHECK_EQ(run(&response, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell", 9, false), 1);
}

TEST(long_lines_and_endless_headers_end)
{
    static char text[HTTP_LINE_MAX + 100];
    memset(text, 'a', sizeof text - 1);
    memcpy(text, "HTTP/1.1 200 OK\r\n", 17);
    CHECK_EQ(run(&response, text, 100, false), ERR_HTTP_ERROR);
    static char many[17 + 4 * (HTTP_HEADERS_MAX + 2) + 1];
    memcpy(many, "HTTP/1.1 200 OK\r\n", 17);
    for (size_t i = 0; i < HTTP_HEADERS_MAX + 2; i++)
        memcpy(many + 17 + 4 * i, "a:\r\n", 4);
    CHECK_EQ(run(&response, many, 100, false), ERR_HTTP_ERROR);
}

TEST(redirects)
{
    CHECK_EQ(run(&response, "HTTP/1.1 302 Found\r\nLocation: http://b/x\r\nContent-Length: 0\r\n\r\n", 7, true), 0);
    CHECK_STR(response.location, "http://b/x");
    CHECK_EQ(run(&response, "HTTP/1.1 302 Found\r\n\r\n", 7, true), ERR_HTTP_ERROR);
    CHECK_EQ(run(&response, "HTTP/1.1 200 OK\r\nLocation: http://b/x\r\nContent-Length: 1\r\n\r\nx", 7, true), 0);
    CHECK_STR(response.location, "");
}

TEST(request_text)
{
    char text[HTTP_REQUEST_MAX];
    CHECK(http_request(text, sizeof text, "[fe80::1]:8080", "/a?b", "Signet/1") > 0);
    CHECK_STR(text, "GET /a?b HTTP/1.1\r\nHost: [fe80::1]:8080\r\nUser-Agent: Signet/1\r\nAccept: */*\r\nConnection: close\r\n\r\n");
    CHECK_EQ(http_request(text, 40, "host", "/a", "Signet/1"), ERR_TOO_LARGE);
}

TEST_MAIN(T(lengths_and_chunks_in_any_pieces), T(refusals), T(long_lines_and_endless_headers_end), T(redirects),
          T(request_text))
