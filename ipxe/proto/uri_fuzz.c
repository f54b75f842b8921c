// SPDX-License-Identifier: MPL-2.0
// Two lines, a base and a reference. What is written must be read as the same again, also after resolving.
#include "base/base.h"
#include "base/fuzz.h"
#include "proto/uri.h"

static void check(const struct uri *uri)
{
    static struct uri again;
    static char text[URI_TEXT_MAX], twice[URI_TEXT_MAX];
    char name[64];
    int n = uri_format(uri, text, sizeof text);
    (void)uri_path_name(uri, name, sizeof name);
    (void)uri_request_target(uri, name, sizeof name);
    // A relative path whose first segment holds a colon reads as a scheme: such are only resolved, never written.
    if (n < 0 || uri->scheme[0] == 0)
        return;
    if (strlen(text) != (size_t)n || uri_parse(text, &again) != 0)
        __builtin_trap();
    if (uri_format(&again, twice, sizeof twice) != n || strcmp(text, twice) != 0)
        __builtin_trap();
    if (strcmp(uri->host, again.host) != 0 || strcmp(uri->path, again.path) != 0 || uri->port != again.port)
        __builtin_trap();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char text[2 * URI_TEXT_MAX];
    static struct uri base, reference, out;
    size = MIN(size, sizeof text - 1);
    if (size)
        memcpy(text, data, size);
    text[size] = 0;
    char *lf = strchr(text, '\n');
    if (lf)
        *lf = 0;
    bool have_base = uri_parse(text, &base) == 0;
    if (have_base)
        check(&base);
    if (!lf || uri_parse(lf + 1, &reference) != 0)
        return 0;
    check(&reference);
    if (have_base && uri_resolve(&base, &reference, &out) == 0)
        check(&out);
    return 0;
}
