// SPDX-License-Identifier: MPL-2.0
// Output files: pairs of which every rename fails once or is the last thing before the power goes, and links of other users in a folder that
// all may write to.
#include "base/test.h"
#include "file.h"
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <sys/wait.h>
#include <unistd.h>

static char top[] = "/tmp/signet-file.XXXXXX";
static int calls, fails_at, cut_at;

static int failing(int folder, const char *from, int to_folder, const char *to, unsigned flags)
{
    int call = calls++;
    if (call == cut_at)
        _exit(0);
    if (call == fails_at) {
        errno = EIO;
        return -1;
    }
    return renameat2(folder, from, to_folder, to, flags);
}

static int drop(const char *path, const struct stat *st, int kind, struct FTW *ftw)
{
    return remove(path);
}

static void begin(void)
{
    strcpy(top + strlen(top) - 6, "XXXXXX");
    if (!mkdtemp(top) || chdir(top) != 0)
        abort();
    calls = 0;
    fails_at = cut_at = -1;
    file_rename = failing;
}

static void end(void)
{
    file_rename = renameat2;
    if (chdir("/") != 0 || nftw(top, drop, 8, FTW_DEPTH | FTW_PHYS) != 0)
        abort();
}

static void put(const char *name, const char *text)
{
    FILE *f = fopen(name, "w");
    if (!f || fputs(text, f) < 0 || fclose(f) != 0)
        abort();
}

// The first byte of a file; 0: there is none.
static char first_of(const char *name)
{
    FILE *f = fopen(name, "r");
    int c = f ? fgetc(f) : 0;
    if (f)
        fclose(f);
    return (char)c;
}

static unsigned files(void)
{
    unsigned count = 0;
    FILE *f = popen("ls -A | wc -l", "r");
    if (!f || fscanf(f, "%u", &count) != 1)
        abort();
    pclose(f);
    return count;
}

static int write_pair(bool replace)
{
    struct file_out a, b;
    if (file_out_begin(&a, "k.key", 0600) != 0)
        return -1;
    if (file_out_begin(&b, "k.pub", 0666) != 0 || file_out_write(&a, 0, "new", 3) != 0 || file_out_write(&b, 0, "new", 3) != 0)
        abort();
    int r = file_out_commit_pair(&a, &b, replace);
    file_out_abort(&a);
    file_out_abort(&b);
    return r;
}

TEST(a_pair_or_nothing_whichever_step_fails)
{
    for (unsigned there = 0; there < 4; there++) {
        for (int step = 0;; step++) {
            begin();
            if (there & 1)
                put("k.key", "old");
            if (there & 2)
                put("k.pub", "old");
            unsigned before = files();
            fails_at = step;
            int r = write_pair(true);
            bool done = calls <= step;
            CHECK_EQ(r, done ? 0 : -1);
            CHECK_EQ(first_of("k.key"), done ? 'n' : there & 1 ? 'o' : 0);
            CHECK_EQ(first_of("k.pub"), done ? 'n' : there & 2 ? 'o' : 0);
            CHECK_EQ(files(), done ? 2 : before);
            end();
            if (done)
                break;
            CHECK(step < 10);
        }
    }
}

TEST(without_replace_nothing_that_is_there_goes)
{
    for (unsigned there = 1; there < 4; there++) {
        begin();
        if (there & 1)
            put("k.key", "old");
        if (there & 2)
            put("k.pub", "old");
        unsigned before = files();
        CHECK_EQ(write_pair(false), -1);
        CHECK_EQ(first_of("k.key"), there & 1 ? 'o' : 0);
        CHECK_EQ(first_of("k.pub"), there & 2 ? 'o' : 0);
        CHECK_EQ(files(), before);
        end();
    }
}

// After a cut the former first half is there: as itself, or as file_out_former as long as the second one may be the former one.
TEST(a_cut_loses_no_half)
{
    for (int step = 0; step < 3; step++) {
        begin();
        put("k.key", "old");
        put("k.pub", "old");
        pid_t child = fork();
        if (child == 0) {
            cut_at = step;
            (void)write_pair(true);
            _exit(1);
        }
        int status;
        CHECK(waitpid(child, &status, 0) == child, status == 0);
        CHECK_EQ(first_of("k.pub"), 'o');
        CHECK(first_of("k.key") == 'o' || first_of(".k.key.signet-former") == 'o');
        // The next run that succeeds leaves nothing of it.
        CHECK_EQ(write_pair(true), 0);
        CHECK(first_of("k.key") == 'n', first_of("k.pub") == 'n', first_of(".k.key.signet-former") == 0);
        end();
    }
}

TEST(files_of_like_names_stay)
{
    begin();
    put("k.key", "old");
    put("k.pub", "old");
    put("k.key.former", "mine");
    CHECK_EQ(write_pair(true), 0);
    CHECK(first_of("k.key") == 'n', first_of("k.key.former") == 'm');
    end();
}

static int write_to(const char *path)
{
    struct file_out out;
    if (file_out_begin(&out, path, 0666) != 0)
        return -1;
    int r = file_out_write(&out, 0, "new", 3) == 0 ? file_out_commit(&out, true) : -1;
    file_out_abort(&out);
    return r;
}

TEST(links_of_others_in_a_shared_folder)
{
    if (geteuid() != 0) {
        printf("skip links_of_others_in_a_shared_folder: only root can make another user's link\n");
        return;
    }
    begin();
    CHECK(mkdir("shared", 0700) == 0, chmod("shared", 01777) == 0, mkdir("plain", 0700) == 0, mkdir("victim", 0700) == 0);
    put("victim/file", "old");
    // As the file, as a folder on the way, through a link of one's own, and as a link to what is not there yet.
    CHECK(symlink("../victim/file", "shared/a") == 0, symlink("../victim", "shared/b") == 0, symlink("shared/a", "mine") == 0,
          symlink("../victim/none", "shared/c") == 0, symlink("loop", "loop") == 0);
    static const char *const theirs[] = { "shared/a", "shared/b", "shared/c" };
    for (unsigned i = 0; i < ARRAY_SIZE(theirs); i++)
        CHECK_EQ(lchown(theirs[i], 65534, 65534), 0);
    CHECK(chown("shared", 65533, 65533) == 0);
    static const char *const paths[] = { "shared/a", "shared/b/file", "mine", "shared/c", "shared/b/new", "shared/../shared/a", "loop" };
    for (unsigned i = 0; i < ARRAY_SIZE(paths); i++)
        CHECK_EQ(write_to(paths[i]), -1);
    CHECK(first_of("victim/file") == 'o', first_of("victim/none") == 0, first_of("victim/new") == 0);
    // In a folder of one's own, and one's own link in the shared one, they are followed as ever.
    CHECK(symlink("../victim/file", "plain/a") == 0, lchown("plain/a", 65534, 65534) == 0);
    CHECK_EQ(write_to("plain/a"), 0);
    CHECK_EQ(first_of("victim/file"), 'n');
    put("victim/file", "old");
    CHECK(symlink("../victim/file", "shared/d") == 0);
    CHECK_EQ(write_to("shared/d"), 0);
    CHECK_EQ(first_of("victim/file"), 'n');
    // Another's file, or a hard link to one, is replaced, not written to; its permissions are not taken over.
    struct stat st;
    put("victim/file", "old");
    CHECK(link("victim/file", "shared/hard") == 0, chmod("victim/file", 0666) == 0, chown("victim/file", 65534, 65534) == 0);
    CHECK_EQ(write_to("shared/hard"), 0);
    CHECK(first_of("victim/file") == 'o', first_of("shared/hard") == 'n');
    CHECK(stat("shared/hard", &st) == 0, st.st_uid == 0, (st.st_mode & 022) == 0);
    end();
}

TEST_MAIN(T(a_pair_or_nothing_whichever_step_fails), T(without_replace_nothing_that_is_there_goes), T(a_cut_loses_no_half),
          T(files_of_like_names_stay), T(links_of_others_in_a_shared_folder))
