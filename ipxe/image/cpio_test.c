// SPDX-License-Identifier: MPL-2.0
#include "image/cpio.h"

#include "base/err.h"
#include "base/test.h"

static uint8_t buf[600];

// What an unpacker reads: the entry at *next, which must be sound and is passed.
static void entry(size_t *next, const char *path, unsigned long mode, unsigned long size)
{
    char field[9] = "";
    unsigned long values[13];
    size_t at = *next, end = at + CPIO_ENTRY_SIZE + strlen(path) + 1;
    CHECK(memcmp(buf + at, "070701", 6) == 0);
    for (int i = 0; i < 13; i++) {
        memcpy(field, buf + at + 6 + 8 * i, 8);
        CHECK_EQ(strspn(field, "0123456789abcdef"), 8);
        values[i] = strtoul(field, NULL, 16);
    }
    CHECK_EQ(values[1], mode);
    CHECK_EQ(values[4], 1); // links
    CHECK_EQ(values[6], size);
    CHECK_EQ(values[11], strlen(path) + 1);
    for (int i = 0; i < 13; i++)
        CHECK(i == 1 || i == 4 || i == 6 || i == 11 || values[i] == 0);
    CHECK_STR((const char *)buf + at + CPIO_ENTRY_SIZE, path);
    for (; end % 4; end++)
        CHECK_EQ(buf[end], 0);
    *next = end;
}

static int make(const char *path, uint32_t mode, int folders, uint64_t size)
{
    memset(buf, 0xaa, sizeof buf);
    return cpio_head(&(struct cpio_file){ path, mode, folders, size }, buf, sizeof buf);
}

TEST(one_file)
{
    size_t at = 0;
    CHECK_EQ(make("init", CPIO_MODE, 0, 5), 116);
    entry(&at, "init", 0100644, 5);
    CHECK_EQ(at, 116);
    CHECK_EQ(buf[116], 0xaa);
    CHECK_EQ(make("//opt/site/extra.bin", 0755, 0, UINT32_MAX), 132);
    entry(&(size_t){ 0 }, "opt/site/extra.bin", 0100755, UINT32_MAX);
    CHECK_EQ(make("x", CPIO_MODE_MAX, 7, 0), 112);
    entry(&(size_t){ 0 }, "x", 0107777, 0);
}

TEST(folders)
{
    static const char *const steps[] = { "a", "a/bb", "a/bb/ccc" };
    for (int n = CPIO_FOLDERS_ALL; n <= 5; n++) {
        int len = make("a/bb/ccc/d", 0600, n, 9);
        size_t at = 0;
        for (int i = n < 0 || n > 3 ? 0 : 3 - n; i < 3; i++)
            entry(&at, steps[i], 040755, 0);
        entry(&at, "a/bb/ccc/d", 0100600, 9);
        CHECK_EQ(at, (size_t)len);
    }
}

TEST(bad)
{
    static const char *const paths[] = { "", "/", "a/", "a//b", "a/./b", "..", "a/..", "../a", ".", "a b", "a\tb", "a\x80" };
    for (size_t i = 0; i < ARRAY_SIZE(paths); i++)
        CHECK_EQ(make(paths[i], CPIO_MODE, 0, 1), ERR_INVALID);
    CHECK(make("a/...", CPIO_MODE, 0, 1) > 0);
    CHECK(make(".a/..b", CPIO_MODE, 0, 1) > 0);
    CHECK_EQ(make("a", CPIO_MODE_MAX + 1, 0, 1), ERR_INVALID);
    CHECK_EQ(make("a", 0, -2, 1), ERR_INVALID);
    CHECK_EQ(make("a", 0, 0, 1ull << 32), ERR_TOO_LARGE);
    // Any room: all of it or nothing.
    int len = make("a/b", CPIO_MODE, 1, 1);
    for (int cap = 0; cap <= len; cap++) {
        uint8_t *room = malloc((size_t)cap + 1);
        CHECK_EQ(cpio_head(&(struct cpio_file){ "a/b", CPIO_MODE, 1, 1 }, room, (size_t)cap), cap == len ? len : ERR_TOO_LARGE);
        free(room);
    }
}

TEST(read_again)
{
    struct cpio_view view;
    int len = make("/a/b", 0755, 1, 77);
    CHECK(cpio_last(buf, (size_t)len, &view));
    CHECK_EQ(view.path_len, 3);
    CHECK(memcmp(view.path, "a/b", 3) == 0);
    CHECK_EQ(view.mode, 0100755);
    CHECK_EQ(view.size, 77);
    // Nothing but whole entries, in a buffer that ends where they do.
    for (int n = 0; n <= len; n++) {
        uint8_t *room = malloc((size_t)n + 1);
        memcpy(room, buf, (size_t)n);
        CHECK_EQ(cpio_last(room, (size_t)n, &view), n == len || n == 112);
        free(room);
    }
    static const struct { int at; const char *bytes; } changes[] = { { 0, "1" }, { 6 + 8, "x" }, { 6 + 48, "0000004d" }, { 6 + 88, "ffffffff" },
                                                                     { 6 + 88, "00000001" }, { 6 + 88, "00000000" }, { 6 + 88, "00000080" },
                                                                     { 6 + 88, " 0000002" }, { 112 + 5, "2" } };
    for (size_t i = 0; i < ARRAY_SIZE(changes); i++) {
        make("/a/b", 0755, 1, 77);
        memcpy(buf + changes[i].at, changes[i].bytes, strlen(changes[i].bytes));
        CHECK(!cpio_last(buf, (size_t)len, &view));
    }
}

TEST_MAIN(T(one_file), T(folders), T(bad), T(read_again))
