// SPDX-License-Identifier: MPL-2.0
// URIs (RFC 3986, RFC 6874 zones): p2://server/name, p2:///name, tftp://, http://, and references relative to the
// one that the running script came from. Pure; everything is copied into the struct.
#pragma once
#include "base/err.h"

#define URI_TEXT_MAX 4097 // a whole URI, with NUL
#define URI_SCHEME_MAX 16
#define URI_HOST_MAX 256
#define URI_PATH_MAX URI_TEXT_MAX
#define URI_QUERY_MAX URI_TEXT_MAX
#define URI_USER_MAX 256
#define URI_LIST_MAX 32

// 8 KiB: not for a stack.
struct uri {
    char scheme[URI_SCHEME_MAX]; // lower case; "" for a relative reference
    bool has_authority;          // "//" was there (the host may still be "")
    char host[URI_HOST_MAX];     // decoded, lower case; IPv6 without brackets, "%zone" kept ("fe80::1%net0")
    bool host_is_v6;
    char user[URI_USER_MAX];     // "name:password", still coded; never written out again
    uint16_t port;               // 0: none given
    char path[URI_PATH_MAX];     // still percent-coded, as given: "/a%20b"
    bool has_query;
    char query[URI_QUERY_MAX];   // behind '?', still coded; fragments are dropped, but for
    bool has_params;             // "##params", "##params=list": the request takes a list of parameters along (proto/params.h)
    char params[URI_LIST_MAX];   // whose name this is, "" is one, too
};

// Reads a URI or a relative reference. ERR_URI_MALFORMED (bad port,
// bracket or percent escape, control characters, spaces are taken and coded), ERR_TOO_LARGE.
int uri_parse(const char *text, struct uri *ret);

// The reference resolved against a base (RFC 3986 5.2.2, dot segments removed). `base` must have a scheme.
// ERR_TOO_LARGE, ERR_URI_MALFORMED. ret may not be one of the inputs.
int uri_resolve(const struct uri *base, const struct uri *reference, struct uri *ret);

// The user's name and password, decoded; "" where there is no colon. False: the URI has none, or one that is too long or holds a NUL.
bool uri_user(const struct uri *uri, char *name, char *password, size_t cap);

// Writes it as text, without user and parameters, NUL-terminated: its length or ERR_TOO_LARGE.
int uri_format(const struct uri *uri, char *buf, size_t cap);

// The path decoded, without its first '/': what a TFTP request or the native protocol's image name needs
// ("p2:///web-1" -> "web-1"). ERR_URI_MALFORMED when the decoded text holds a NUL, ERR_TOO_LARGE.
int uri_path_name(const struct uri *uri, char *buf, size_t cap);

// The path's last part decoded: "http://server/a/web%2d1" -> "web-1", "" where it ends with '/' or is none. Errors as above.
int uri_last_name(const struct uri *uri, char *buf, size_t cap);

// Path and query as an HTTP request line wants them, at least "/".
int uri_request_target(const struct uri *uri, char *buf, size_t cap);
