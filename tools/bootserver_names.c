// SPDX-License-Identifier: MPL-2.0
// What the protocol machine asks of the image set: by name, by tag, and where the bytes are.
#include "bootserver_images.h"
#include <stdio.h>

// A file's name wins over a seal's; among images of one name, the one with the highest counter, then the
// one loaded last.
static const struct image *called(const struct images *images, const char *name)
{
    const struct image *best = NULL;
    for (const struct image *i = images->current; i; i = i->next) {
        if (i->broken)
            continue;
        if (strcmp(i->file_name, name) == 0)
            return i;
        if (strcmp(i->name, name) == 0 && (!best || i->counter >= best->counter))
            best = i;
    }
    return best;
}

static const struct p2_image *find_name(void *ctx, const char *name)
{
    const struct images *images = ctx;
    const struct image *image = *name ? called(images, name) : NULL;
    if (!*name)
        image = images->count == 1 ? images->current : called(images, "default");
    return image && !image->broken ? &image->p2 : NULL;
}

static const struct p2_image *find_tag(void *ctx, const uint8_t tag[P2_TAG_SIZE])
{
    struct images *images = ctx;
    // Asked for every datagram, and mostly for the same image.
    if (images->last && !images->last->broken && memcmp(images->last->p2.id, tag, P2_TAG_SIZE) == 0)
        return &images->last->p2;
    const struct image *const lists[] = { images->current, images->retired };
    for (size_t l = 0; l < ARRAY_SIZE(lists); l++)
        for (const struct image *i = lists[l]; i; i = i->next)
            if (!i->broken && memcmp(i->p2.id, tag, P2_TAG_SIZE) == 0) {
                images->last = i;
                return &i->p2;
            }
    return NULL;
}

static bool choice_needed(const struct images *images)
{
    return images->count > 1 && !called(images, "default");
}

bool images_choice(const struct images *images, char *text, size_t cap)
{
    if (!choice_needed(images))
        return false;
    int n = snprintf(text, cap, "%zu images and none is called \"default\":", images->count);
    for (const struct image *i = images->current; i && n >= 0 && (size_t)n < cap; i = i->next)
        n += snprintf(text + n, cap - (size_t)n, " %s%s", i->file_name, i->next ? "," : "");
    return true;
}

// Names for P2_ERROR_TEXT: as many as fit make a piece. The first image of piece number `wanted`, its text (when not NULL),
// and how many pieces there are.
static const struct image *choice_piece(const struct images *images, uint32_t wanted, char *text, uint32_t *ret_pieces)
{
    const struct image *first = NULL;
    uint32_t number = 0;
    size_t used = 0;
    for (const struct image *i = images->current; i; i = i->next) {
        char name[P2_ERROR_TEXT];
        int full = snprintf(name, sizeof name, "%s", i->file_name);
        if (full >= (int)sizeof name)
            memcpy(name + sizeof name - 3, "..", 3);
        if (used && used + 2 + strlen(name) >= P2_ERROR_TEXT) {
            number++;
            used = 0;
        }
        if (number == wanted && text)
            snprintf(text + used, P2_ERROR_TEXT - used, "%s%s", used ? ", " : "", name);
        if (number == wanted && !first)
            first = i;
        used += strlen(name) + (used ? 2 : 0);
    }
    *ret_pieces = number + 1;
    return first;
}

static const struct p2_image *choice(void *ctx, uint32_t turn, char text[P2_ERROR_TEXT])
{
    const struct images *images = ctx;
    uint32_t pieces;
    if (!choice_needed(images))
        return NULL;
    choice_piece(images, 0, NULL, &pieces);
    return &choice_piece(images, turn % pieces, text, &pieces)->p2;
}

struct p2_images images_interface(struct images *images)
{
    return (struct p2_images){ .ctx = images, .by_name = find_name, .by_tag = find_tag, .choice = choice };
}

const uint8_t *image_bytes(const struct p2_image *p2, uint8_t space, uint64_t offset)
{
    const struct image *image = p2->handle;
    uint64_t base = space == P2_SPACE_LIST ? image->list_offset : space == P2_SPACE_PAYLOAD ? image->payload_offset : 0;
    return image->map + base + offset;
}

void image_break(struct images *images, const struct p2_image *p2)
{
    struct image *image = p2->handle;
    if (!image->broken)
        images->notice(images->notice_ctx, IMAGE_CHANGED_IN_PLACE, image->path, image, "cut short while it was served");
    image->broken = true;
}
