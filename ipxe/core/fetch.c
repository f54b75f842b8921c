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

// ERR_URI_MALFORMED: it names no transport.
static int find(struct core *core, const char *uri_text, struct uri *ret, const struct core_transport **ret_transport)
{
    int err = resolve_uri(core, uri_text, ret);
    for (size_t i = 0; !err && i < transport_count; i++)
        if (strcmp(transports[i].scheme, ret->scheme) == 0) {
            *ret_transport = &transports[i];
            return 0;
        }
    return err ? err : ret->scheme[0] ? ERR_URI_SCHEME : ERR_URI_MALFORMED;
}

int core_fetch_find(struct core *core, const char *uri_text, struct uri *ret, const struct core_transport **ret_transport)
{
    int err = find(core, uri_text, ret, ret_transport);
    if (err)
        console_error("fetch", err, "%s", uri_text);
    return err;
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

int core_fetch(struct core *core, const struct core_transport *transport, const struct uri *uri, const char *name)
{
    struct core_images *images = &core->images;
    choose_name(images, transport, uri, name);
    images->asked_remote = transport->remote;
    images->asked_beside = transport->files;
    images->done = NULL;
    images->unknown = false;
    memset(&images->asked_origin, 0, sizeof images->asked_origin);
    int err = transport->fetch(core, uri);
    images->asked = ASKED_FILE;
    images->asked_start = false;
    return err;
}

// An image that has come, with its arguments, and started.
static int go_on(struct core *core, struct core_image *image, const char *arguments, bool boot)
{
    int err = image && arguments[0] ? core_image_arguments(core, image, arguments) : 0;
    return !err && boot && image ? core_image_start(core, image) : err;
}

int core_chain(struct core *core, const char *uri_text, const char *name, const char *arguments, bool boot)
{
    // One for all levels: a transport that runs a script, which chains on, is done with it then.
    static struct uri uri;
    struct core_images *images = &core->images;
    const struct core_transport *transport;
    int err = find(core, uri_text, &uri, &transport);
    if (err == ERR_URI_MALFORMED && !uri.scheme[0] && boot)
        return core_image_unknown(core, "boot", uri_text);
    if (err) {
        console_error("fetch", err, "%s", uri_text);
        return err;
    }
    images->asked_start = boot;
    err = core_fetch(core, transport, &uri, name);
    if (images->unknown) {
        err = core_kernel_of_file(core, uri_text, name, "");
        if (err == ERR_NOT_FOUND) {
            err = ERR_SEAL_MAGIC;
            console_error("seal", err, "%s is no script, has no seal and is not started", uri_text);
        }
    }
    struct core_image *image = images->done;
    images->done = NULL; // a script around this one has brought none
    return err ? err : go_on(core, image, arguments, boot);
}
