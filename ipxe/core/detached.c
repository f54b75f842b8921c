// SPDX-License-Identifier: MPL-2.0
// Files that stay where they are: a detached seal plans an image, and its files come one by one, each into its place (doc/phase2-format.md 4.2).
// What a script calls them chooses nothing: the seal says which file is next, and its chunk list whether it is that one.
#include "core/session.h"

#include "base/fmt.h"
#include "phase2/arguments.h"

#define SUFFIX ".seal"
#define CPIO_MAGIC "070701"
#define CPIO_HEAD 110 // bytes, then the name

static const char *part_name(const struct core_image *image, uint32_t part)
{
    return image->seal.parts[part].name;
}

// The transport of a URI, which must be one of single files.
static int find_file(struct core *core, const char *uri_text, struct uri *ret, const struct core_transport **ret_transport)
{
    int err = core_fetch_find(core, uri_text, ret, ret_transport);
    if (err || (*ret_transport)->files)
        return err;
    console_error("seal", ERR_URI_SCHEME, "%s: files and their seals come over http, tftp and file", uri_text);
    return ERR_URI_SCHEME;
}

static int fetch_seal(struct core *core, const struct core_transport *transport, const struct uri *uri, const char *name)
{
    core->images.asked = ASKED_SEAL;
    return core_fetch(core, transport, uri, name);
}

int core_seal(struct core *core, const char *uri_text, const char *name)
{
    static struct uri uri;
    const struct core_transport *transport;
    char own[SEAL_NAME_MAX] = "";
    int err = find_file(core, uri_text, &uri, &transport);
    if (err)
        return err;
    // debian.seal makes the image debian.
    int len = name ? 0 : uri_last_name(&uri, own, sizeof own), cut = len - (int)strlen(SUFFIX);
    if (cut > 0 && strcmp(own + cut, SUFFIX) == 0) {
        own[cut] = '\0';
        name = own;
    }
    err = fetch_seal(core, transport, &uri, name);
    if (!err)
        core->images.done->sealed_first = true;
    return err;
}

static int fetch_part(struct core *core, struct core_image *image, uint32_t part, const char *uri_text)
{
    static struct uri uri;
    struct core_images *images = &core->images;
    const struct core_transport *transport;
    int err = find_file(core, uri_text, &uri, &transport);
    if (err)
        return err;
    images->asked = ASKED_PART;
    images->asked_image = image;
    images->asked_part = part;
    err = core_fetch(core, transport, &uri, NULL);
    if (err)
        return err;
    image->missing &= ~(1u << part);
    if (part == 0)
        image->origin = images->asked_origin;
    images->done = image;
    if (images_missing(image) < 0)
        console_say("seal", "%s is complete: %u files verified", image->name, image->seal.part_count);
    return 0;
}

// The first file of an image. A name that is given from now on is the image's; another image that has it goes.
static int fetch_first(struct core *core, struct core_image *image, const char *uri_text, const char *name, const char *arguments)
{
    int err = core_image_arguments(core, image, arguments);
    if (!err)
        err = fetch_part(core, image, 0, uri_text);
    if (err || !name)
        return err;
    struct core_image *other = images_find(&core->images, name);
    if (other && other != image)
        core_image_free(core, other);
    fmt_snprintf(image->name, sizeof image->name, "%s", name);
    core->images.done = image;
    return 0;
}

int core_kernel_of_file(struct core *core, const char *uri_text, const char *name, const char *arguments)
{
    static struct uri uri;
    const struct core_transport *transport;
    char own[SEAL_NAME_MAX] = "";
    int err = find_file(core, uri_text, &uri, &transport);
    if (err)
        return err;
    if (!name && uri_last_name(&uri, own, sizeof own) > 0 && images_name_fits(own))
        name = own;
    size_t len = strlen(uri.path);
    if (len + sizeof SUFFIX > sizeof uri.path)
        return ERR_TOO_LARGE;
    memcpy(uri.path + len, SUFFIX, sizeof SUFFIX);
    err = fetch_seal(core, transport, &uri, name);
    return err ? err : fetch_first(core, core->images.done, uri_text, name, arguments);
}

int core_kernel(struct core *core, const char *uri_text, const char *name, const char *arguments)
{
    static struct uri uri;
    const struct core_transport *transport;
    struct core_image *image = images_last(&core->images);
    if (image && image->sealed_first && image->missing & 1)
        return fetch_first(core, image, uri_text, name, arguments);
    int err = core_fetch_find(core, uri_text, &uri, &transport);
    if (err)
        return err;
    err = transport->files ? core_kernel_of_file(core, uri_text, name, arguments) : ERR_NOT_FOUND;
    if (err != ERR_NOT_FOUND && err != ERR_SEAL_MAGIC)
        return err;
    // No seal lies there, or some page: it may be a whole image.
    err = core_fetch(core, transport, &uri, name);
    if (core->images.unknown) {
        err = ERR_SEAL_NONE;
        console_error("seal", err, "%s is no image, and no " SUFFIX " lies beside it; `signet seal` makes one", uri_text);
    }
    return !err && core->images.done && arguments[0] ? core_image_arguments(core, core->images.done, arguments) : err;
}

// Is the file sealed as one of that name in the initial file system? Its front holds the heads of an archive (cpio, "newc"), each with a name and
// a NUL behind it.
static bool has_path(const struct core_image *image, uint32_t part, const char *name, size_t len)
{
    const struct seal_part *p = &image->seal.parts[part];
    const uint8_t *front = image->seal.bytes + p->front_at;
    for (size_t at = CPIO_HEAD; at + len < p->front_len; at++)
        if (memcmp(front + at - CPIO_HEAD, CPIO_MAGIC, strlen(CPIO_MAGIC)) == 0 && memcmp(front + at, name, len) == 0 && front[at + len] == '\0')
            return true;
    return false;
}

int core_part(struct core *core, const char *uri_text, const char *path)
{
    struct core_image *image = images_last(&core->images);
    if (!image || !image->seal.detached) {
        console_error("seal", ERR_SEAL_PART, "%s: `kernel` or `seal` names first what it belongs to", uri_text);
        return ERR_SEAL_PART;
    }
    // The first part of most is what starts, which another command brings.
    uint32_t kind = image->seal.parts[0].kind, missing = image->missing;
    if (kind == PART_KERNEL || kind == PART_APPLICATION)
        missing &= ~1u;
    uint32_t part = missing ? (uint32_t)__builtin_ctz(missing) : 0;
    size_t len = 0;
    while (path && path[len] && path[len] != ' ')
        len++;
    if (!missing)
        console_error("seal", ERR_SEAL_PART, "%s: the seal of %s has no further file", uri_text, image->name);
    else if (path && !has_path(image, part, path + 1, len - 1))
        console_error("seal", ERR_SEAL_PART, "%s: file %u of %s is %s, and not sealed as %.*s", uri_text, part + 1, image->name,
                      part_name(image, part), (int)len, path);
    else
        return fetch_part(core, image, part, uri_text);
    return ERR_SEAL_PART;
}

int core_image_arguments(struct core *core, struct core_image *image, const char *text)
{
    const struct seal *seal = &image->seal;
    struct arguments_word bad;
    image->arguments = false;
    if (!text[0])
        return 0;
    int err = arguments_judge(seal->cmdline, seal->arguments, seal_target_is_linux(seal->target), text, image->cmdline,
                              sizeof image->cmdline, &bad);
    if (err == ERR_SEAL_ARGUMENT)
        console_error("seal", err, "%s: \"%.*s\" %s", image->name, (int)bad.len, bad.text,
                      bad.missing ? "is sealed and was left out" : "is neither sealed nor allowed; `signet seal --allow` allows it");
    else if (err < 0)
        console_error("seal", err, "%s", image->name);
    image->arguments = err >= 0;
    return MIN(err, 0);
}
