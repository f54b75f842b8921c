// SPDX-License-Identifier: MPL-2.0
// Folders of a boot server that change while they are looked at.
#include "base/test.h"
#include "bootserver_images.h"
#include "phase2/testimage.h"
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static struct {
    unsigned of[FOLDER_UNREADABLE + 1];
    const char *rename_at; // the folder goes away when this file is loaded
} said;

static char folder[] = "/tmp/signet-folder.XXXXXX", away[sizeof folder + 5];

static void notice(void *ctx, enum image_change change, const char *path, const struct image *image, const char *reason)
{
    said.of[change]++;
    if (change == IMAGE_LOADED && said.rename_at && strcmp(image->file_name, said.rename_at) == 0)
        CHECK(rename(folder, away) == 0);
}

static void put(const char *name)
{
    struct testimage image;
    testimage_make(&image, name, 20000, 1, TESTKEY_P256_A);
    int dir = open(folder, O_RDONLY | O_DIRECTORY);
    int fd = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL, 0600);
    CHECK(write(fd, image.file, image.len) == (ssize_t)image.len, close(fd) == 0, close(dir) == 0);
    testimage_free(&image);
}

static unsigned offered(const struct images *images)
{
    unsigned n = 0;
    for (const struct image *i = images->current; i; i = i->next)
        n++;
    return n;
}

// What is renamed away between the opening of the folder and a look at its files is not gone, nor is it before or behind.
TEST(a_folder_goes_away_in_the_midst_of_a_scan)
{
    struct images images;
    const char *sources[] = { folder };
    const struct opt_list list = { .items = sources, .count = 1 };
    CHECK(mkdtemp(folder));
    snprintf(away, sizeof away, "%s.away", folder);
    put("b");
    put("d");
    CHECK(images_open(&images, &list, notice, NULL) == 0, offered(&images) == 2);
    put("a");
    put("c");
    said.rename_at = "a"; // before b is looked at
    images_rescan(&images);
    CHECK(access(folder, F_OK) != 0, offered(&images) == 4);
    CHECK(said.of[IMAGE_LOADED] == 4, said.of[IMAGE_GONE] == 0, said.of[IMAGE_REFUSED] == 0);
    images_rescan(&images);
    CHECK(offered(&images) == 4, said.of[FOLDER_UNREADABLE] == 1);
    CHECK(rename(away, folder) == 0);
    images_rescan(&images);
    CHECK(offered(&images) == 4, said.of[IMAGE_LOADED] == 4, said.of[IMAGE_GONE] == 0);
    int dir = open(folder, O_RDONLY | O_DIRECTORY);
    CHECK(unlinkat(dir, "b", 0) == 0);
    images_rescan(&images); // what is gone, is
    CHECK(offered(&images) == 3, said.of[IMAGE_GONE] == 1);
    CHECK(unlinkat(dir, "a", 0) == 0, unlinkat(dir, "c", 0) == 0, unlinkat(dir, "d", 0) == 0);
    CHECK(close(dir) == 0, rmdir(folder) == 0);
    images_close(&images);
}

TEST_MAIN(T(a_folder_goes_away_in_the_midst_of_a_scan))
