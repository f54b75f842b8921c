// SPDX-License-Identifier: MPL-2.0
// From a URI to an image in memory or a running script, through the table of transports.
#include "core/session.h"

#include "base/fmt.h"

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

// What an image that comes from there is called, "" where only its seal says.
static void choose_name(struct core_images *images, const struct core_transport *transport, const struct uri *uri, const char *name)
{
    int len = 0;
    images->asked_name[0] = 0;
    if (name)
        fmt_snprintf(images->asked_name, sizeof images->asked_name, "%s", name);
    else if (transport->names)
        len = uri_last_name(uri, images->asked_name, sizeof images->asked_name);
    if (len < 0 || !images_name_fits(images->asked_name))
        images->asked_name[0] = 0;
}

int core_chain(struct core *core, const char *uri_text, const char *name, bool boot)
{
    // One for all levels: a transport that runs a script, which chains on, is done with it then.
    static struct uri uri;
    struct core_images *images = &core->images;
    int err = resolve_uri(core, uri_text, &uri);
    const struct core_transport *transport = NULL;
    for (size_t i = 0; !err && i < transport_count; i++)
        if (strcmp(transports[i].scheme, uri.scheme) == 0)
            transport = &transports[i];
    if (!err && !transport && !uri.scheme[0] && boot)
        return core_image_unknown(core, "boot", uri_text);
    if (!err && !transport)
        err = uri.scheme[0] ? ERR_URI_SCHEME : ERR_URI_MALFORMED;
    if (err) {
        console_error("fetch", err, "%s", uri_text);
        return err;
    }
    choose_name(images, transport, &uri, name);
    images->asked_remote = transport->remote;
    images->asked_start = boot;
    images->done = NULL;
    memset(&images->asked_origin, 0, sizeof images->asked_origin);
    err = transport->fetch(core, &uri);
    struct core_image *image = images->done;
    images->done = NULL; // a script around this one has brought none
    return !err && boot && image ? core_image_start(core, image) : err;
}
