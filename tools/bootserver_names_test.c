// SPDX-License-Identifier: MPL-2.0
// What a boot server's images are called, and what it says when nobody names one.
#include "base/test.h"
#include "bootserver_images.h"
#include <stdio.h>

#define MANY 1000

static struct image all[MANY];
static char names[MANY][16];
static struct images images;

static void notice(void *ctx, enum image_change change, const char *path, const struct image *image, const char *reason)
{
}

static struct p2_images begin(unsigned count)
{
    memset(all, 0, sizeof all);
    free(images.pieces);
    images = (struct images){ .current = all, .count = count, .notice = notice };
    for (unsigned i = 0; i < count; i++) {
        snprintf(names[i], sizeof names[i], "image-%u", i);
        all[i].path = names[i];
        all[i].file_name = names[i];
        all[i].p2.handle = &all[i];
        all[i].p2.id[0] = (uint8_t)i;
        all[i].p2.id[1] = (uint8_t)(i >> 8);
        all[i].next = i + 1 < count ? &all[i + 1] : NULL;
    }
    return images_interface(&images);
}

// Anybody may ask for it as often as he can send: what there is to choose from is not gone through for each.
TEST(a_choice_costs_no_walk)
{
    struct p2_images set = begin(MANY);
    char first[P2_ERROR_TEXT], text[P2_ERROR_TEXT];
    CHECK(!set.by_name(set.ctx, ""));
    CHECK(set.choice(set.ctx, 0, first) == &all[0].p2, strcmp(first, "image-0, image-1") == 0);
    images.current = NULL; // nothing to walk through
    for (unsigned turn = 1; turn < MANY / 2; turn++) {
        char expected[40];
        snprintf(expected, sizeof expected, "image-%u, image-%u", 2 * turn, 2 * turn + 1);
        if (strlen(expected) >= sizeof text)
            break;
        CHECK(set.choice(set.ctx, turn, text) == &all[2 * turn].p2, strcmp(text, expected) == 0);
    }
    CHECK(!set.by_name(set.ctx, ""));
}

TEST(what_cannot_be_read_is_no_choice)
{
    char text[512], piece[P2_ERROR_TEXT];
    struct p2_images set = begin(3);
    CHECK(set.choice(set.ctx, 0, piece), strcmp(piece, "image-0, image-1") == 0);
    image_break(&images, &all[0].p2);
    CHECK(set.choice(set.ctx, 0, piece) == &all[1].p2, strcmp(piece, "image-1, image-2") == 0);
    CHECK(images_choice(&images, text, sizeof text));
    CHECK(strcmp(text, "3 images, 1 of which cannot be read, and none is called \"default\": image-1, image-2") == 0);
    image_break(&images, &all[2].p2);
    CHECK(images_choice(&images, text, sizeof text));
    CHECK(strcmp(text, "3 images, 2 of which cannot be read, and none is called \"default\": image-1") == 0);
    image_break(&images, &all[1].p2);
    CHECK(!set.choice(set.ctx, 0, piece), !images_choice(&images, text, sizeof text), !set.by_name(set.ctx, ""));
}

TEST(a_default_that_breaks_is_none)
{
    char piece[P2_ERROR_TEXT], text[40];
    struct p2_images set = begin(3);
    strcpy(names[1], "default");
    CHECK(set.by_name(set.ctx, "") == &all[1].p2, !set.choice(set.ctx, 0, piece));
    image_break(&images, &all[1].p2);
    CHECK(!set.by_name(set.ctx, ""), set.choice(set.ctx, 0, piece) == &all[0].p2);
    CHECK(images_choice(&images, text, sizeof text), strlen(text) == sizeof text - 1); // cut where the room ends
}

// A link to the image in use, or a second copy, leaves nothing to choose.
TEST(one_image_under_several_names_is_the_only_one)
{
    char piece[P2_ERROR_TEXT], text[40];
    struct p2_images set = begin(3);
    for (unsigned i = 0; i < 3; i++)
        memset(all[i].p2.id, 7, sizeof all[i].p2.id);
    CHECK(set.by_name(set.ctx, "") == &all[0].p2, !set.choice(set.ctx, 0, piece), !images_choice(&images, text, sizeof text));
    image_break(&images, &all[0].p2);
    CHECK(set.by_name(set.ctx, "") == &all[1].p2);
    all[2].p2.id[P2_IMAGE_ID_SIZE - 1]++;
    images.unnamed_known = false;
    CHECK(!set.by_name(set.ctx, ""), set.choice(set.ctx, 0, piece) == &all[1].p2);
}

TEST_MAIN(T(a_choice_costs_no_walk), T(one_image_under_several_names_is_the_only_one), T(what_cannot_be_read_is_no_choice),
          T(a_default_that_breaks_is_none))
