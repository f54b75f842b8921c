// SPDX-License-Identifier: MPL-2.0
#include "proto/http_request.h"

#include "base/test.h"

static const struct range whole = { 0, RANGE_END };

TEST(request_text)
{
    static char text[HTTP_REQUEST_MAX], longest[URI_TEXT_MAX];
    static struct uri uri;
    struct http_ask ask = { .method = "GET", .uri = &uri, .agent = "Signet/1", .range = &whole, .authorization = "", .headers = "" };
    CHECK_EQ(uri_parse("http://me:secret@[fe80::1]:8080/a?b#c", &uri), 0);
    CHECK(http_request(text, sizeof text, &ask) > 0);
    CHECK_STR(text, "GET /a?b HTTP/1.1\r\nHost: [fe80::1]:8080\r\nUser-Agent: Signet/1\r\nAccept: */*\r\nConnection: keep-alive\r\n\r\n");
    for (size_t cap = 1; cap < strlen(text); cap++)
        CHECK_EQ(http_request(longest, cap, &ask), ERR_TOO_LARGE);
    ask.range = &(struct range){ 5, RANGE_END };
    CHECK(http_request(text, sizeof text, &ask) > 0);
    CHECK(strstr(text, "\r\nRange: bytes=5-\r\n") != NULL);
    ask.range = &(struct range){ 0, UINT64_MAX - 1 };
    CHECK(http_request(text, sizeof text, &ask) > 0);
    CHECK(strstr(text, "\r\nRange: bytes=0-18446744073709551613\r\n") != NULL);
    ask.range = &whole;
    sprintf(longest, "http://h?%0*d", URI_TEXT_MAX - 1 - 9, 0);
    CHECK_EQ(uri_parse(longest, &uri), 0);
    CHECK(http_request(text, sizeof text, &ask) > URI_TEXT_MAX);
    CHECK(memcmp(text, "GET /?0", 7) == 0, strstr(text, "\r\nHost: h\r\n"));
}

TEST(a_form)
{
    static char text[1024];
    static struct uri uri;
    CHECK_EQ(uri_parse("http://h/x.php##params", &uri), 0);
    const struct http_ask ask = { .method = "POST", .uri = &uri, .agent = "S", .range = &whole, .authorization = "Authorization: Basic eA==\r\n",
                                  .headers = "X-A: 1\r\nX-B: 2\r\n", .form = "a=b&c=%20" };
    int len = http_request(text, sizeof text, &ask);
    CHECK_STR(text, "POST /x.php HTTP/1.1\r\nHost: h\r\nUser-Agent: S\r\nAccept: */*\r\n"
                    "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 9\r\nConnection: keep-alive\r\nAuthorization: Basic eA==\r\n"
                    "X-A: 1\r\nX-B: 2\r\n\r\na=b&c=%20");
    CHECK_EQ(len, strlen(text));
    CHECK_EQ(http_request(text, (size_t)len, &ask), ERR_TOO_LARGE);
    CHECK_EQ(http_request(text, (size_t)len + 1, &ask), len);
}

TEST_MAIN(T(request_text), T(a_form))
