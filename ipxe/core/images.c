// SPDX-License-Identifier: MPL-2.0
// See images.h.
#include "core/images.h"

#include "base/fmt.h"

bool images_name_fits(const char *name)
{
    size_t len = 0;
    for (; name[len]; len++)
        if (name[len] <= ' ' || name[len] > '~')
            return false;
    return len > 0 && len < SEAL_NAME_MAX;
}

struct core_image *images_next(struct core_images *images, const struct core_image *image)
{
    uint32_t after = image ? image->order : 0;
    struct core_image *next = NULL;
    for (unsigned i = 0; i < ARRAY_SIZE(images->slots); i++) {
        struct core_image *other = &images->slots[i];
        if (other->order > after && (!next || other->order < next->order))
            next = other;
    }
    return next;
}

struct core_image *images_last(struct core_images *images)
{
    struct core_image *last = NULL, *image = NULL;
    while ((image = images_next(images, image)))
        last = image;
    return last;
}

struct core_image *images_find(struct core_images *images, const char *name)
{
    struct core_image *image = NULL;
    while ((image = images_next(images, image)) && strcmp(image->name, name) != 0)
        ;
    return image;
}

bool images_have_room(struct core_images *images, const char *name)
{
    unsigned others = 0;
    for (struct core_image *image = NULL; (image = images_next(images, image));)
        others += strcmp(image->name, name) != 0;
    return others < IMAGES_MAX;
}

struct core_image *images_spare(struct core_images *images)
{
    struct core_image *image = images->slots;
    while (image->order || image == images->coming || image == images->partial)
        image++;
    return image;
}

void images_select(struct core_images *images, struct core_image *image)
{
    image->order = ++images->order;
}

struct core_image *images_of_seal(struct core_images *images, const struct seal *seal)
{
    struct core_image *image = NULL;
    while ((image = images_next(images, image)))
        if (image->seal.detached && seal->detached && digest_equal(image->seal.image_id, seal->image_id, SHA256_SIZE))
            break;
    return image;
}

int images_missing(const struct core_image *image)
{
    return image->missing ? __builtin_ctz(image->missing) : -1;
}

void images_drop(struct core_images *images, struct core_image *image)
{
    image->order = 0;
    image->missing = image->stale = 0;
    image->sealed_first = image->arguments = false;
    image->keep = KEEP_UNSOUGHT;
    if (images->coming == image)
        images->coming = NULL;
    if (images->partial == image)
        images->partial = NULL;
    if (images->done == image)
        images->done = NULL;
}

const char *images_names(struct core_images *images)
{
    char *text = images->text;
    size_t len = 0, cap = sizeof images->text;
    for (struct core_image *image = NULL; len < cap && (image = images_next(images, image));)
        len += (size_t)fmt_snprintf(text + len, cap - len, "%s%s", len ? ", " : "", image->name);
    return len ? text : "none";
}
