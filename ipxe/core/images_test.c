// SPDX-License-Identifier: MPL-2.0
#include "core/images.h"

#include "base/test.h"

static struct core_images images;

static struct core_image *bring(const char *name)
{
    if (!images_have_room(&images, name))
        return NULL;
    struct core_image *image = images_spare(&images), *old = images_find(&images, name);
    if (old)
        images_drop(&images, old);
    snprintf(image->name, sizeof image->name, "%s", name);
    images_select(&images, image);
    return image;
}

static void start(void)
{
    memset(&images, 0, sizeof images);
}

TEST(nothing_is_there)
{
    start();
    CHECK(!images_next(&images, NULL));
    CHECK(!images_last(&images));
    CHECK(!images_find(&images, "web"));
    CHECK(!images_find(&images, ""));
    CHECK(images_have_room(&images, "web"));
    CHECK_STR(images_names(&images), "none");
}

TEST(in_the_order_they_came)
{
    start();
    struct core_image *a = bring("a"), *b = bring("b"), *c = bring("c");
    CHECK_STR(images_names(&images), "a, b, c");
    CHECK(images_last(&images) == c);
    CHECK(images_find(&images, "b") == b);
    CHECK(!images_find(&images, "ab"));
    images_select(&images, a);
    CHECK(images_last(&images) == a);
    CHECK_STR(images_names(&images), "b, c, a");
    images_drop(&images, a);
    CHECK(images_last(&images) == c); // the one that came before it
    CHECK(!images_find(&images, "a"));
    b = bring("b");
    CHECK_STR(images_names(&images), "c, b");
    CHECK(images_last(&images) == b);
}

TEST(so_many_and_no_more)
{
    char name[8];
    start();
    for (unsigned i = 0; i < IMAGES_MAX; i++) {
        snprintf(name, sizeof name, "n%u", i);
        CHECK(bring(name));
    }
    CHECK(!images_have_room(&images, "another"));
    CHECK(!bring("another"));
    // One that is replaced stays until the new one is there: there is a place for both.
    CHECK(images_have_room(&images, "n3"));
    struct core_image *old = images_find(&images, "n3"), *coming = images_spare(&images);
    CHECK(coming != old, coming->order == 0);
    CHECK(bring("n3") == coming);
    images_drop(&images, images_find(&images, "n0"));
    CHECK(bring("another"));
    CHECK(!bring("n0"));
}

TEST(what_is_on_its_way_has_its_place)
{
    start();
    images.coming = images_spare(&images);
    images.partial = images.coming;
    struct core_image *other = images_spare(&images);
    CHECK(other != images.coming);
    CHECK(!images_last(&images)); // and no name yet
    CHECK_STR(images_names(&images), "none");
    images.done = images.coming;
    images_drop(&images, images.coming);
    CHECK(!images.coming, !images.partial, !images.done);
}

TEST(names)
{
    char long_name[SEAL_NAME_MAX + 1];
    memset(long_name, 'x', sizeof long_name);
    long_name[SEAL_NAME_MAX] = 0;
    CHECK(!images_name_fits(long_name));
    long_name[SEAL_NAME_MAX - 1] = 0;
    CHECK(images_name_fits(long_name), images_name_fits("web-1.img"), images_name_fits("a/b:c"));
    CHECK(!images_name_fits(""), !images_name_fits("a b"), !images_name_fits("a\x1b[2J"), !images_name_fits("b\xc3\xbcro"));
    // A list that is too long for a line is cut.
    start();
    for (unsigned i = 0; i < IMAGES_MAX; i++) {
        long_name[0] = (char)('a' + i);
        CHECK(bring(long_name));
    }
    CHECK_EQ(strlen(images_names(&images)), IMAGES_TEXT_MAX - 1);
    CHECK(memcmp(images_names(&images), "axxx", 4) == 0);
}

TEST_MAIN(T(nothing_is_there), T(in_the_order_they_came), T(so_many_and_no_more), T(what_is_on_its_way_has_its_place), T(names))
