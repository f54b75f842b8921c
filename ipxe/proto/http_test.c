// SPDX-License-Identifier: MPL-2.0
#include "proto/http.h"

#include "base/test.h"

static char body[4096];
static size_t body_len;

static const struct range whole = { 0, RANGE_END };
static struct range asked = { 0, RANGE_END };

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
    http_init(r, &asked, keep, NULL);
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
    CHECK_EQ(run(&response, "SSH-2.0-OpenSSH\r\n", 9, true), ERR_HTTP_MALFORMED);
    CHECK_EQ(run(&response, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n", 9, true), ERR_HTTP_MALFORMED);
    CHECK_EQ(run(&response, "HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n", 9, true), ERR_HTTP_MALFORMED);
    CHECK_EQ(run(&response, "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n", 9, true), ERR_HTTP_MALFORMED);
    CHECK_EQ(run(&response, "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n", 9, true), ERR_HTTP_MALFORMED);
    CHECK_EQ(run(&response, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n", 9, true), ERR_HTTP_MALFORMED);
    CHECK_EQ(run(&response, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabcX\r\n", 9, true), ERR_HTTP_MALFORMED);
    CHECK_EQ(run(&response, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell", 9, true), ERR_TRUNCATED);
    CHECK_EQ(run(&response, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell", 9, false), PENDING);
}

// Lines that do not matter may be as long as they like; a Location up to what a URI may have.
TEST(long_lines_and_endless_headers_end)
{
    static char text[3 * HTTP_LINE_MAX];
    for (size_t len = HTTP_LINE_MAX - 40; len < 2 * HTTP_LINE_MAX; len += 13) {
        int n = sprintf(text, "HTTP/1.1 200 OK\r\nCookie: %0*d\r\nContent-Length: 2\r\n\r\nhi", (int)len, 0);
        CHECK_EQ(run(&response, text, (size_t)n / 7, false), 0);
        CHECK_STR(body, "hi");
    }
    sprintf(text, "HTTP/1.1 302 %04000d\r\nLocation: http://h/%0*d\r\n\r\n", 0, URI_TEXT_MAX - 1 - 9, 0);
    CHECK_EQ(run(&response, text, 100, true), 0);
    CHECK_EQ(strlen(response.location), URI_TEXT_MAX - 1);
    sprintf(text, "HTTP/1.1 302 Found\r\nLocation: http://h/%0*d\r\n\r\n", URI_TEXT_MAX - 9, 0);
    CHECK_EQ(run(&response, text, 100, true), ERR_TOO_LARGE);
    sprintf(text, "HTTP/1.1 302 Found\r\nLocation: http://h/%0*d\r\n\r\n", 2 * URI_TEXT_MAX, 0);
    CHECK_EQ(run(&response, text, 100, true), ERR_TOO_LARGE);
    static char many[17 + 4 * (HTTP_HEADERS_MAX + 2) + 1];
    memcpy(many, "HTTP/1.1 200 OK\r\n", 17);
    for (size_t i = 0; i < HTTP_HEADERS_MAX + 2; i++)
        memcpy(many + 17 + 4 * i, "a:\r\n", 4);
    CHECK_EQ(run(&response, many, 100, false), ERR_HTTP_MALFORMED);
    // Interim responses count as well.
    static char interim[HTTP_HEADERS_MAX * 40 + 1];
    for (size_t i = 0; i < HTTP_HEADERS_MAX; i++)
        strcat(interim, "HTTP/1.1 102 Processing\r\na:\r\nb:\r\n\r\n");
    CHECK_EQ(run(&response, interim, 100, false), ERR_HTTP_MALFORMED);
}

TEST(blanks_around_values)
{
    static const char *const texts[] = {
        "HTTP/1.1 200 OK\r\nContent-Length: \t 5 \t\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\nContent-Length: 5 \nTransfer-Encoding: identity \n\nhello",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked \r\n\r\n5 \r\nhello\r\n0\r\n\r\n",
        "HTTP/1.1 206 Partial Content\r\nContent-Range: bytes 0-4/5\r\nContent-Length: 5\r\n\r\nhello",
        "HTTP/1.1 203 Copied\r\nContent-Length: 5\r\n\r\nhello",
        // What an interim response says is not said of the real one.
        "HTTP/1.1 103 Early Hints\r\nContent-Length: 9\r\nTransfer-Encoding: chunked\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
    };
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
        for (size_t step = 1; step < 90; step += 4) {
            CHECK_EQ(run(&response, texts[i], step, true), 0);
            CHECK_STR(body, "hello");
        }
    CHECK_EQ(run(&response, "HTTP/1.1 302 Found\r\nLocation:\t/x \t \r\n\r\n", 7, true), 0);
    CHECK_STR(response.location, "/x");
    CHECK_EQ(run(&response, "HTTP/1.1 101 Switching\r\n\r\n", 7, true), ERR_HTTP_ERROR);
}

// A part is no file, whatever its length says.
TEST(parts_are_not_the_whole)
{
    static const char *const ranges[] = { "bytes 0-4/6", "bytes 1-5/6", "bytes 0-4/*", "bytes 0-4", "bytes 0-/5", "bytes */5",
                                          "bytes 0-18446744073709551615/0", "lines 0-4/5", "" };
    CHECK_EQ(run(&response, "HTTP/1.1 206 Partial Content\r\nContent-Length: 5\r\n\r\nhello", 9, true), ERR_HTTP_ERROR);
    for (size_t i = 0; i < ARRAY_SIZE(ranges); i++) {
        char text[160];
        snprintf(text, sizeof text, "HTTP/1.1 206 Partial Content\r\nContent-Range: %s\r\nContent-Length: 5\r\n\r\nhello", ranges[i]);
        CHECK_EQ(run(&response, text, 9, true), ERR_HTTP_ERROR);
    }
}

// Which answers to a request for a part are good, and where in the file their bytes lie.
TEST(ranges)
{
    static const struct {
        struct range asked;
        const char *head;
        int result;
        uint64_t end; // offset behind the body
    } cases[] = {
        { { 3, RANGE_END }, "206 Part\r\nContent-Range: bytes 3-7/8\r\nContent-Length: 5", 0, 8 },
        { { 3, RANGE_END }, "206 Part\r\nContent-Range: bytes 3-7/*\r\nContent-Length: 5", 0, 8 },
        { { 3, 8 }, "206 Part\r\nContent-Range: bytes 3-7/100\r\nContent-Length: 5", 0, 8 },
        { { 3, 100 }, "206 Part\r\nContent-Range: bytes 3-7/8\r\nContent-Length: 5", 0, 8 }, // the file ends before
        { { 3, 100 }, "206 Part\r\nContent-Range: bytes 3-7/100\r\nContent-Length: 5", ERR_HTTP_ERROR, 0 },
        { { 3, 100 }, "206 Part\r\nContent-Range: bytes 3-7/*\r\nContent-Length: 5", ERR_HTTP_ERROR, 0 },
        { { 3, 8 }, "206 Part\r\nContent-Range: bytes 3-7/100", 0, 8 },
        { { 3, 8 }, "206 Part\r\nContent-Range: bytes 3-8/100", ERR_HTTP_ERROR, 0 },
        { { 3, 8 }, "206 Part\r\nContent-Range: bytes 2-6/100\r\nContent-Length: 5", ERR_HTTP_ERROR, 0 },
        { { 3, 8 }, "206 Part\r\nContent-Range: bytes 4-7/100\r\nContent-Length: 4", ERR_HTTP_ERROR, 0 },
        { { 3, 8 }, "206 Part\r\nContent-Range: bytes 3-2/100", ERR_HTTP_ERROR, 0 },
        { { 3, 8 }, "206 Part\r\nContent-Range: bytes 3-7/5", ERR_HTTP_ERROR, 0 },
        { { 3, 8 }, "206 Part\r\nContent-Range: bytes 3-7/x", ERR_HTTP_ERROR, 0 },
        { { 3, 8 }, "206 Part\r\nContent-Range: bytes */100", ERR_HTTP_ERROR, 0 },
        { { 3, RANGE_END }, "206 Part\r\nContent-Range: bytes 3-18446744073709551615/*", ERR_HTTP_ERROR, 0 },
        { { 3, 8 }, "206 Part\r\nContent-Type: multipart/byteranges; boundary=x\r\nContent-Length: 5", ERR_HTTP_ERROR, 0 },
        { { 3, 8 }, "206 Part\r\nContent-Range: bytes 3-7/100\r\nContent-Length: 6", ERR_HTTP_MALFORMED, 0 },
        { { 3, 8 }, "206 Part\r\nContent-Range: bytes 3-7/100\r\nContent-Length: 4", ERR_HTTP_MALFORMED, 0 },
        { { 3, 9 }, "206 Part\r\nContent-Range: bytes 3-8/100\r\nContent-Length: 6", ERR_TRUNCATED, 0 },
        { { 3, 8 }, "200 OK\r\nContent-Length: 5", 0, 5 }, // the whole, from its beginning
        { { 3, 8 }, "200 OK\r\nContent-Range: bytes 3-7/100\r\nContent-Length: 5", 0, 5 },
        { { 3, 8 }, "416 No\r\nContent-Range: bytes */3\r\nContent-Length: 5", ERR_TRUNCATED, 0 },
        { { 0, 8 }, "416 No\r\nContent-Length: 5", ERR_HTTP_ERROR, 0 },
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        for (size_t step = 1; step < 90; step += 8) {
            char text[200];
            snprintf(text, sizeof text, "HTTP/1.1 %s\r\n\r\nhello", cases[i].head);
            asked = cases[i].asked;
            int result = run(&response, text, step, true);
            asked = whole;
            CHECK_EQ(result, cases[i].result);
            if (!result)
                CHECK_EQ(response.offset, cases[i].end);
        }
}

TEST(a_busy_server_says_when_to_ask_again)
{
    CHECK_EQ(run(&response, "HTTP/1.1 503 Busy\r\nRetry-After: 2 \r\nContent-Length: 0\r\n\r\n", 9, true), ERR_HTTP_ERROR);
    CHECK_EQ(response.retry_after, 2);
    CHECK_EQ(run(&response, "HTTP/1.1 503 Busy\r\nRetry-After: 3600\r\n\r\n", 9, true), ERR_HTTP_ERROR);
    CHECK_EQ(response.retry_after, 0);
}

TEST(redirects)
{
    CHECK_EQ(run(&response, "HTTP/1.1 302 Found\r\nLocation: http://b/x\r\nContent-Length: 0\r\n\r\n", 7, true), 0);
    CHECK_STR(response.location, "http://b/x");
    CHECK_EQ(run(&response, "HTTP/1.1 302 Found\r\n\r\n", 7, true), ERR_HTTP_ERROR);
    CHECK_EQ(run(&response, "HTTP/1.1 200 OK\r\nLocation: http://b/x\r\nContent-Length: 1\r\n\r\nx", 7, true), 0);
    CHECK_STR(response.location, "");
}

// Which answers leave the connection to the next request, and how much of them has to be there for that.
TEST(connections_that_can_be_used_again)
{
    static const struct {
        const char *text;
        bool reusable;
        int result;
    } cases[] = {
        { "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", true, 0 },
        { "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", true, 0 },
        { "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n", true, 0 },
        { "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 5\r\n\r\nhello", false, 0 },
        { "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nconnection: x , Close\r\n\r\nhello", false, 0 },
        { "HTTP/1.1 200 OK\r\nConnection: closed\r\nContent-Length: 5\r\n\r\nhello", true, 0 },
        { "HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello", false, 0 },
        { "HTTP/1.0 200 OK\r\nConnection: Keep-Alive\r\nContent-Length: 5\r\n\r\nhello", true, 0 },
        { "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello!", false, 0 }, // who says more than was asked for is not trusted with more
        { "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhelloHTTP/1.1 200 OK\r\n", false, 0 },
        { "HTTP/1.1 100 Continue\r\nConnection: close\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", true, 0 },
        { "HTTP/1.1 302 Found\r\nLocation: /x\r\nContent-Length: 4\r\n\r\ngone", true, 0 },
        { "HTTP/1.1 302 Found\r\nLocation: /x\r\n\r\n", false, 0 },
        { "HTTP/1.1 302 Found\r\nLocation: /x\r\nTransfer-Encoding: chunked\r\n\r\n4\r\ngone\r\n0\r\n\r\n", true, 0 },
        { "HTTP/1.1 404 No\r\nContent-Length: 3\r\n\r\nno!", true, ERR_NOT_FOUND },
        { "HTTP/1.1 404 No\r\nContent-Length: 65537\r\n\r\n", false, ERR_NOT_FOUND },
        { "HTTP/1.1 404 No\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n", false, ERR_NOT_FOUND }, // the verdict was there
        { "HTTP/1.1 404 No\r\n\r\nno such file", false, ERR_NOT_FOUND },
        { "HTTP/1.1 500 Oops\r\nContent-Length: 2\r\n\r\n:(", true, ERR_HTTP_ERROR },
        { "HTTP/1.1 204 Nothing\r\n\r\n", true, ERR_HTTP_ERROR },
        { "HTTP/1.1 416 No\r\nContent-Length: 1\r\n\r\n.", true, ERR_HTTP_ERROR },
        { "HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n", false, ERR_HTTP_MALFORMED },
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        for (size_t step = 1; step < 120; step += 7) {
            CHECK_EQ(run(&response, cases[i].text, step, false), cases[i].result);
            CHECK_EQ(http_reusable(&response), cases[i].reusable);
        }
    CHECK_EQ(run(&response, "HTTP/1.1 404 No\r\nContent-Length: 3\r\n\r\nno", 9, false), PENDING);
    CHECK(response.draining);
    http_closed(&response);
    CHECK_EQ(http_result(&response), ERR_NOT_FOUND);
    CHECK(!http_reusable(&response));
    CHECK_EQ(run(&response, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell", 9, false), PENDING);
    CHECK(!http_reusable(&response), !response.draining);
    CHECK_EQ(run(&response, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", 9, true), 0);
    CHECK(!http_reusable(&response)); // it has closed meanwhile
    // A page in chunks that do not end is given up.
    http_init(&response, &whole, keep, NULL);
    static const char head[] = "HTTP/1.1 404 No\r\nTransfer-Encoding: chunked\r\n\r\n", chunk[] = "100\r\n";
    static uint8_t data[258] = { [256] = '\r', '\n' };
    CHECK_EQ(http_input(&response, (const uint8_t *)head, sizeof head - 1), 0);
    unsigned chunks = 0;
    while (http_result(&response) == PENDING && chunks++ < 1000) {
        (void)http_input(&response, (const uint8_t *)chunk, sizeof chunk - 1);
        (void)http_input(&response, data, sizeof data);
    }
    CHECK_EQ(http_result(&response), ERR_NOT_FOUND);
    CHECK(chunks > HTTP_DRAIN_MAX / 256 - 2, chunks < HTTP_DRAIN_MAX / 256 + 3, !http_reusable(&response));
}

TEST(an_untouched_answer)
{
    CHECK_EQ(run(&response, "", 9, true), ERR_TRUNCATED);
    CHECK(http_is_untouched(&response));
    CHECK_EQ(run(&response, "H", 9, true), ERR_TRUNCATED);
    CHECK(!http_is_untouched(&response));
    CHECK_EQ(run(&response, "HTTP/1.1 100 Continue\r\n\r\n", 9, true), ERR_TRUNCATED);
    CHECK(!http_is_untouched(&response));
}

TEST(what_a_401_wants)
{
    CHECK_EQ(run(&response, "HTTP/1.1 401 No\r\nWWW-Authenticate: Basic realm=\"a\"\r\nWWW-Authenticate: Digest nonce=n, realm=r\r\n"
                 "Content-Length: 0\r\n\r\n", 9, false), ERR_HTTP_ERROR);
    CHECK_EQ(response.challenge.scheme, HTTP_AUTH_MD5);
    CHECK_STR(response.challenge.nonce, "n");
    CHECK_EQ(run(&response, "HTTP/1.1 401 No\r\nContent-Length: 0\r\n\r\n", 9, false), ERR_HTTP_ERROR);
    CHECK_EQ(response.challenge.scheme, HTTP_AUTH_NONE);
}

TEST_MAIN(T(lengths_and_chunks_in_any_pieces), T(refusals), T(long_lines_and_endless_headers_end), T(blanks_around_values),
          T(parts_are_not_the_whole), T(ranges), T(a_busy_server_says_when_to_ask_again), T(redirects),
          T(connections_that_can_be_used_again), T(an_untouched_answer), T(what_a_401_wants))
