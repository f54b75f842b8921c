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

static void add_piece(struct images *images, const struct image *first)
{
    if (images->piece_count == images->piece_room) {
        images->piece_room += 16 + images->piece_room;
        images->pieces = tool_realloc(images->pieces, images->piece_room * sizeof *images->pieces);
    }
    images->pieces[images->piece_count++] = (struct image_piece){ .first = first };
}

// Names for P2_ERROR_TEXT: as many as fit make a piece.
static void list_pieces(struct images *images)
{
    size_t used = 0;
    images->piece_count = 0;
    for (const struct image *i = images->current; i; i = i->next) {
        char name[P2_ERROR_TEXT];
        if (i->broken)
            continue;
        int full = snprintf(name, sizeof name, "%s", i->file_name);
        if (full >= (int)sizeof name)
            memcpy(name + sizeof name - 3, "..", 3);
        if (!used || used + 2 + strlen(name) >= P2_ERROR_TEXT) {
            add_piece(images, i);
            used = 0;
        }
        char *text = images->pieces[images->piece_count - 1].text;
        used += (size_t)snprintf(text + used, P2_ERROR_TEXT - used, "%s%s", used ? ", " : "", name);
    }
}

// What is meant without a name: the only image, under however many names, or the one called "default".
static const struct image *meant(const struct images *images)
{
    const struct image *only = images->current;
    for (const struct image *i = images->current; i && only; i = i->next) {
        if (memcmp(i->p2.id, only->p2.id, sizeof i->p2.id) != 0)
            only = NULL;
        else if (only->broken)
            only = i;
    }
    return only ? only : called(images, "default");
}

static void know_unnamed(struct images *images)
{
    if (images->unnamed_known)
        return;
    images->unnamed = meant(images);
    images->piece_count = 0;
    if (images->count > 1 && !images->unnamed)
        list_pieces(images);
    images->unnamed_known = true;
}

static const struct p2_image *find_name(void *ctx, const char *name)
{
    struct images *images = ctx;
    if (!*name)
        know_unnamed(images);
    const struct image *image = *name ? called(images, name) : images->unnamed;
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

bool images_choice(const struct images *images, char *text, size_t cap)
{
    size_t good = 0;
    for (const struct image *i = images->current; i; i = i->next)
        good += !i->broken;
    if (!good || meant(images))
        return false;
    char broken[64] = "";
    if (good < images->count)
        snprintf(broken, sizeof broken, ", %zu of which cannot be read,", images->count - good);
    int n = snprintf(text, cap, "%zu images%s and none is called \"default\":", images->count, broken);
    const char *comma = "";
    for (const struct image *i = images->current; i && (size_t)n < cap; i = i->next) {
        if (i->broken)
            continue;
        n += snprintf(text + n, cap - (size_t)n, "%s %s", comma, i->file_name);
        comma = ",";
    }
    return true;
}

static const struct p2_image *choice(void *ctx, uint32_t turn, char text[P2_ERROR_TEXT])
{
    struct images *images = ctx;
    know_unnamed(images);
    if (!images->piece_count)
        return NULL;
    const struct image_piece *piece = &images->pieces[turn % images->piece_count];
    memcpy(text, piece->text, P2_ERROR_TEXT);
    return &piece->first->p2;
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
    images->unnamed_known = false;
}
