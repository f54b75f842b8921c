// SPDX-License-Identifier: MPL-2.0
// From a URI to an image in memory or a running script, through the table of transports.
#include "core/session.h"

static const struct core_transport *transports;
static size_t transport_count;

void core_fetch_start(const struct core_transport *table, size_t count)
{
    transports = table;
    transport_count = count;
}

static int resolve_uri(struct core *core, const char *text, struct uri *ret)
{
    static struct uri reference;
    int err = uri_parse(text, &reference);
    if (err)
        return err;
    if (reference.scheme[0] || !core->base) {
        *ret = reference;
        return 0;
    }
    return uri_resolve(core->base, &reference, ret);
}

int core_chain(struct core *core, const char *uri_text, bool boot)
{
    // One for all levels: a transport that runs a script, which chains on, is done with it then.
    static struct uri uri;
    int err = resolve_uri(core, uri_text, &uri);
    const struct core_transport *transport = NULL;
    for (size_t i = 0; !err && i < transport_count; i++)
        if (strcmp(transports[i].scheme, uri.scheme) == 0)
            transport = &transports[i];
    if (!err && !transport)
        err = uri.scheme[0] ? ERR_URI_SCHEME : ERR_URI_MALFORMED;
    if (err) {
        console_error("fetch", err, "%s", uri_text);
        return err;
    }
    if (core->image.verified)
        core_image_forget(core);
    core->image.remote = transport->remote;
    core->image.starts = boot;
    err = transport->fetch(core, &uri);
    if (!err && boot && core->image.verified)
        err = core_image_start(core);
    return err;
}
