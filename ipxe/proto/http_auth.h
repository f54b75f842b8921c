// SPDX-License-Identifier: MPL-2.0
// Who asks, for HTTP: what a server wants (RFC 9110 11.6.1), and the header line that answers it: Basic (RFC 7617) or Digest with
// SHA-256 or MD5 (RFC 7616). Pure: hashes are the caller's.
#pragma once
#include "base/err.h"

#define HTTP_REALM_MAX 128 // with NUL. What is longer is answered by nobody: the challenge counts as none
#define HTTP_NONCE_MAX 256
#define HTTP_USER_MAX 128     // of a user's name and of a password each, with NUL
#define HTTP_CLIENT_NONCE 16  // random bytes
#define HTTP_HASH_HEX_MAX 65

enum http_scheme { HTTP_AUTH_NONE, HTTP_AUTH_BASIC, HTTP_AUTH_MD5, HTTP_AUTH_SHA256 }; // the later, the better

// Texts are as they stand between the quotes.
struct http_challenge {
    enum http_scheme scheme;
    bool qop;   // the server knows "auth"
    bool stale; // the password was right, and the nonce too old
    char realm[HTTP_REALM_MAX], nonce[HTTP_NONCE_MAX], opaque[HTTP_NONCE_MAX];
};

// Reads the value of a WWW-Authenticate line. The best of what it offers takes the place of *c, when it is better than that.
void http_challenge_read(struct http_challenge *c, const char *value);

struct http_user {
    char name[HTTP_USER_MAX], password[HTTP_USER_MAX];
};

// The digest in small hexadecimal digits, of a text in pieces.
typedef void http_hash(enum http_scheme scheme, const char *const *pieces, size_t count, char ret[HTTP_HASH_HEX_MAX]);

// "Authorization: ...\r\n" for one request, NUL-terminated: its length. `random` is new each time. ERR_TOO_LARGE, ERR_INVALID (a colon
// in a name for Basic, a quote or control character in a name for Digest).
int http_authorization(char *buf, size_t cap, const struct http_challenge *c, const struct http_user *user, const char *method,
                       const char *target, const uint8_t random[HTTP_CLIENT_NONCE], http_hash *hash);
