// SPDX-License-Identifier: MPL-2.0
#include "proto/http_auth.h"

#include "base/fmt.h"
#include "base/test.h"
#include "crypto/digest.h"

static void hash(enum http_scheme scheme, const char *const *pieces, size_t count, char ret[HTTP_HASH_HEX_MAX])
{
    struct digest_piece list[8];
    uint8_t digest[DIGEST_MAX];
    for (size_t i = 0; i < count; i++)
        list[i] = (struct digest_piece){ pieces[i], strlen(pieces[i]) };
    if (scheme == HTTP_AUTH_MD5)
        md5_pieces(list, count, digest);
    else
        sha256_pieces(list, count, digest);
    for (size_t i = 0; i < (scheme == HTTP_AUTH_MD5 ? 16 : 32); i++)
        fmt_snprintf(ret + 2 * i, 3, "%02x", digest[i]);
}

static struct http_challenge c;
static char line[4096];
static const uint8_t dice[HTTP_CLIENT_NONCE] = { 1, 2, 3, 0xfe };

static enum http_scheme challenge(const char *value)
{
    memset(&c, 0, sizeof c);
    http_challenge_read(&c, value);
    return c.scheme;
}

static const char *answer(const struct http_user *user, const char *target)
{
    return http_authorization(line, sizeof line, &c, user, "GET", target, dice, hash) < 0 ? "refused" : line;
}

TEST(challenges)
{
    static const struct {
        const char *value;
        enum http_scheme scheme;
    } cases[] = {
        { "Basic realm=\"x\"", HTTP_AUTH_BASIC },
        { "bAsIc", HTTP_AUTH_BASIC },
        { "Basic realm=x, charset=\"UTF-8\"", HTTP_AUTH_BASIC },
        { "Basicx realm=\"x\"", HTTP_AUTH_NONE },
        { "Negotiate", HTTP_AUTH_NONE },
        { "Negotiate abc==, Basic realm=\"x\"", HTTP_AUTH_BASIC },
        { "Bearer scope=\"a, Basic b\"", HTTP_AUTH_NONE },
        { "Digest realm=\"r\", nonce=\"n\"", HTTP_AUTH_MD5 },
        { "Digest realm=\"r\",nonce=\"n\",algorithm=md5", HTTP_AUTH_MD5 },
        { "Digest realm=\"r\", nonce=\"n\", algorithm=\"SHA-256\"", HTTP_AUTH_SHA256 },
        { "Digest realm=\"r\", nonce=\"n\", algorithm=SHA-512-256", HTTP_AUTH_NONE },
        { "Digest realm=\"r\", nonce=\"n\", algorithm=MD5-sess", HTTP_AUTH_NONE },
        { "Digest realm=\"r\", nonce=\"n\", qop=\"auth-int\"", HTTP_AUTH_NONE },
        { "Digest realm=\"r\", nonce=\"n\", qop=\"auth-int,auth\"", HTTP_AUTH_MD5 },
        { "Digest realm=\"r\"", HTTP_AUTH_NONE },
        { "Digest realm=\"r\", nonce=\"n", HTTP_AUTH_NONE },
        { "Digest realm=\"r\", nonce=\"n\\", HTTP_AUTH_NONE },
        { "Digest realm=\"r\", nonce=\"n\", Basic realm=\"x\"", HTTP_AUTH_MD5 },
        { "Basic realm=\"x\", Digest realm=\"r\", nonce=\"n\", Digest realm=\"r\", nonce=\"m\", algorithm=SHA-256", HTTP_AUTH_SHA256 },
        { "Digest realm=\"r\", nonce=\"m\", algorithm=SHA-256, Digest realm=\"r\", nonce=\"n\"", HTTP_AUTH_SHA256 },
        { "", HTTP_AUTH_NONE },
        { " , ,Basic", HTTP_AUTH_BASIC },
        { "=", HTTP_AUTH_NONE },
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        if (challenge(cases[i].value) != cases[i].scheme) {
            printf("  %s: %d\n", cases[i].value, (int)c.scheme);
            CHECK(false);
        }
    CHECK_EQ(challenge("Digest stale=TRUE, realm=\"a \\\"b\\\"\", nonce=n, opaque=o, qop=auth"), HTTP_AUTH_MD5);
    CHECK(c.stale, c.qop);
    CHECK_STR(c.realm, "a \\\"b\\\"");
    CHECK_STR(c.opaque, "o");
    // What does not fit is nothing that could be answered.
    char text[600];
    sprintf(text, "Digest realm=r, nonce=%0*d", HTTP_NONCE_MAX - 1, 0);
    CHECK_EQ(challenge(text), HTTP_AUTH_MD5);
    sprintf(text, "Digest realm=r, nonce=%0*d, Basic", HTTP_NONCE_MAX, 0);
    CHECK_EQ(challenge(text), HTTP_AUTH_BASIC);
}

TEST(basic)
{
    CHECK_EQ(challenge("Basic realm=\"WallyWorld\""), HTTP_AUTH_BASIC);
    CHECK_STR(answer(&(struct http_user){ "Aladdin", "open sesame" }, "/"), "Authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==\r\n");
    CHECK_STR(answer(&(struct http_user){ "test", "123\xc2\xa3" }, "/"), "Authorization: Basic dGVzdDoxMjPCow==\r\n"); // RFC 7617 2.1
    CHECK_STR(answer(&(struct http_user){ "a", "" }, "/"), "Authorization: Basic YTo=\r\n");
    CHECK_STR(answer(&(struct http_user){ "a:b", "c" }, "/"), "refused");
    for (size_t cap = 1; cap < 27; cap++)
        CHECK_EQ(http_authorization(line, cap, &c, &(struct http_user){ "a", "" }, "GET", "/", dice, hash), ERR_TOO_LARGE);
}

// The response that RFC 7616 3.9.1 gives, with its nonces: what is hashed is made of the line itself.
TEST(digest)
{
    const struct http_user mufasa = { "Mufasa", "Circle of Life" };
    CHECK_EQ(challenge("Digest realm=\"http-auth@example.org\", qop=\"auth, auth-int\", algorithm=MD5, "
                  "nonce=\"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v\", opaque=\"FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS\""), HTTP_AUTH_MD5);
    const char *const pieces[] = { "Mufasa", ":", c.realm, ":", "Circle of Life" };
    char secret[HTTP_HASH_HEX_MAX], asked[HTTP_HASH_HEX_MAX], right[HTTP_HASH_HEX_MAX];
    hash(c.scheme, pieces, 5, secret);
    hash(c.scheme, (const char *const[]){ "GET:/dir/index.html" }, 1, asked);
    hash(c.scheme,
         (const char *const[]){ secret, ":", c.nonce, ":00000001:f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ:auth:", asked }, 5, right);
    CHECK_STR(right, "8ca523f5e9506fed4657c9700eebdbec");
    hash(c.scheme, (const char *const[]){ secret, ":", c.nonce, ":00000001:010203fe000000000000000000000000:auth:", asked }, 5, right);
    static char expected[1024];
    sprintf(expected, "Authorization: Digest username=\"Mufasa\", realm=\"http-auth@example.org\", "
            "nonce=\"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v\", uri=\"/dir/index.html\", response=\"%s\", algorithm=MD5, "
            "opaque=\"FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS\", qop=auth, nc=00000001, cnonce=\"010203fe000000000000000000000000\"\r\n", right);
    CHECK_STR(answer(&mufasa, "/dir/index.html"), expected);
    // SHA-256, and a server of before qop (RFC 2069).
    CHECK_EQ(challenge("Digest realm=\"r\", nonce=\"n\", algorithm=SHA-256"), HTTP_AUTH_SHA256);
    hash(c.scheme, (const char *const[]){ "Mufasa:r:Circle of Life" }, 1, secret);
    hash(c.scheme, (const char *const[]){ "GET:/" }, 1, asked);
    hash(c.scheme, (const char *const[]){ secret, ":n:", asked }, 3, right);
    sprintf(expected, "Authorization: Digest username=\"Mufasa\", realm=\"r\", nonce=\"n\", uri=\"/\", response=\"%s\", "
            "algorithm=SHA-256\r\n", right);
    CHECK_STR(answer(&mufasa, "/"), expected);
    CHECK_STR(answer(&(struct http_user){ "a\"b", "" }, "/"), "refused");
    CHECK_STR(answer(&(struct http_user){ "a\nb", "" }, "/"), "refused");
}

TEST_MAIN(T(challenges), T(basic), T(digest))
