// SPDX-License-Identifier: MPL-2.0
// Whatever a server wants, the answer is one line, and quotes what it said.
#include "proto/http_auth.h"

#include "base/fuzz.h"

#include <stdlib.h>

static void hash(enum http_scheme scheme, const char *const *pieces, size_t count, char ret[HTTP_HASH_HEX_MAX])
{
    memset(ret, 'a', HTTP_HASH_HEX_MAX - 1);
    ret[HTTP_HASH_HEX_MAX - 1] = 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char text[2048], line[4096];
    static const uint8_t dice[HTTP_CLIENT_NONCE];
    static const struct http_user user = { "name", "password" };
    struct http_challenge c = { 0 };
    size = MIN(size, sizeof text - 1);
    for (size_t i = 0; i < size; i++)
        text[i] = data[i] < 0x20 || data[i] == 0x7f ? ' ' : (char)data[i]; // http.c gives it no line break and no NUL
    text[size] = 0;
    http_challenge_read(&c, text);
    if (!c.scheme)
        return 0;
    int len = http_authorization(line, sizeof line, &c, &user, "GET", "/target", dice, hash);
    if (len < 0 || strlen(line) != (size_t)len || strstr(line, "\r\n") != line + len - 2)
        abort();
    if (c.scheme != HTTP_AUTH_BASIC && (!c.nonce[0] || !strstr(line, c.nonce) || !strstr(text, c.nonce)))
        abort();
    return 0;
}
