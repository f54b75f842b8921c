// SPDX-License-Identifier: MPL-2.0
// Power cut before every single step of replacing and restoring a file. The file system lies in memory and keeps no order:
// of what was done since the last sync, any subset may have reached the disk, name by name, and clusters that were
// freed are garbage. After each cut the name that is booted from must lead to a whole file, the old or the new one, and the
// installer, called again, must finish the job. The same steps once more on a real folder, the process ended at each.
#include "base/test.h"
#include "install_files.h"
#include <errno.h>
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { NAMES = 4, CONTENTS = 32, CHANGES_MAX = 8, LENGTH = 5000, NONE = -1 };

#define BOOT "EFI/signet/ipxe.efi"
#define OLD BOOT ".old"

// ---- a file system without order -----------------------------------------------------------------------

struct change {
    enum { SET, DATA, FREE, MOVE } kind; // MOVE: both names at once, as a journal does it
    int name, content, from;
};

struct memory_files {
    struct install_files files;
    char names[NAMES][40];
    int durable[NAMES], cached[NAMES]; // contents, or NONE
    uint8_t versions[CONTENTS];        // what a file is filled with; 0: garbage
    int content_count;
    struct change pending[CHANGES_MAX];
    unsigned pending_count, events, cut;
    bool dead, exchanges; // exchanges: FAT; else a file system with a journal, which cannot exchange
};

static struct memory_files *memory_of(struct install_files *f)
{
    return (struct memory_files *)(void *)((char *)f - offsetof(struct memory_files, files));
}

static int slot_of(struct memory_files *m, const char *name)
{
    for (int i = 0; i < NAMES; i++) {
        if (!m->names[i][0])
            snprintf(m->names[i], sizeof m->names[i], "%s", name);
        if (strcmp(m->names[i], name) == 0)
            return i;
    }
    abort();
}

static void note(struct memory_files *m, struct change change)
{
    if (m->pending_count == CHANGES_MAX)
        abort();
    m->pending[m->pending_count++] = change;
    if (change.kind == SET || change.kind == MOVE)
        m->cached[change.name] = change.content;
    if (change.kind == MOVE)
        m->cached[change.from] = NONE;
}

static bool cut_here(struct memory_files *m)
{
    m->dead |= m->events++ == m->cut;
    return m->dead;
}

static int memory_read(struct install_files *f, const char *name, uint8_t **ret_data, size_t *ret_len)
{
    struct memory_files *m = memory_of(f);
    int content = m->cached[slot_of(m, name)];
    if (m->dead || content == NONE)
        return m->dead ? -EIO : -ENOENT;
    *ret_data = memset(tool_alloc(LENGTH), m->versions[content], LENGTH);
    *ret_len = LENGTH;
    return 0;
}

static int memory_write(struct install_files *f, const char *name, const void *data, size_t len)
{
    struct memory_files *m = memory_of(f);
    int slot = slot_of(m, name), content = m->content_count;
    if (cut_here(m))
        return -EIO;
    if (len != LENGTH || m->cached[slot] != NONE || content == CONTENTS)
        abort();
    m->versions[m->content_count++] = *(const uint8_t *)data;
    note(m, (struct change){ .kind = SET, .name = slot, .content = content });
    note(m, (struct change){ .kind = DATA, .content = content });
    return 0;
}

static int memory_rename(struct install_files *f, const char *from, const char *to)
{
    struct memory_files *m = memory_of(f);
    int a = slot_of(m, from), b = slot_of(m, to), gone = m->cached[b];
    if (cut_here(m))
        return -EIO;
    if (m->cached[a] == NONE)
        return -ENOENT;
    if (!m->exchanges) {
        note(m, (struct change){ .kind = MOVE, .name = b, .content = m->cached[a], .from = a });
        return 0;
    }
    note(m, (struct change){ .kind = SET, .name = b, .content = m->cached[a] });
    note(m, (struct change){ .kind = SET, .name = a, .content = NONE });
    if (gone != NONE)
        note(m, (struct change){ .kind = FREE, .content = gone });
    return 0;
}

static int memory_exchange(struct install_files *f, const char *a, const char *b)
{
    struct memory_files *m = memory_of(f);
    int x = slot_of(m, a), y = slot_of(m, b), content = m->cached[x];
    if (!m->exchanges)
        return -EINVAL;
    if (cut_here(m))
        return -EIO;
    note(m, (struct change){ .kind = SET, .name = x, .content = m->cached[y] });
    note(m, (struct change){ .kind = SET, .name = y, .content = content });
    return 0;
}

static int memory_remove(struct install_files *f, const char *name)
{
    struct memory_files *m = memory_of(f);
    int slot = slot_of(m, name), content = m->cached[slot];
    if (cut_here(m))
        return -EIO;
    if (content == NONE)
        return -ENOENT;
    note(m, (struct change){ .kind = SET, .name = slot, .content = NONE });
    note(m, (struct change){ .kind = FREE, .content = content });
    return 0;
}

static int memory_sync(struct install_files *f)
{
    struct memory_files *m = memory_of(f);
    if (cut_here(m))
        return -EIO;
    memcpy(m->durable, m->cached, sizeof m->durable);
    for (unsigned i = 0; i < m->pending_count; i++)
        if (m->pending[i].kind == FREE)
            m->versions[m->pending[i].content] = 0;
    m->pending_count = 0;
    return 0;
}

static void memory_begin(struct memory_files *m, bool exchanges)
{
    memset(m, 0, sizeof *m);
    m->files = (struct install_files){ .path = "memory", .read = memory_read, .write = memory_write, .rename = memory_rename,
                                       .exchange = memory_exchange, .remove = memory_remove, .sync = memory_sync };
    m->exchanges = exchanges;
    m->cut = UINT32_MAX;
    for (int i = 0; i < NAMES; i++)
        m->durable[i] = m->cached[i] = NONE;
}

// The file system as the next start finds it, when of what was pending just the changes in `mask` came to be.
static struct memory_files after_cut(const struct memory_files *m, unsigned mask)
{
    struct memory_files found = *m;
    for (unsigned i = 0; i < m->pending_count; i++) {
        const struct change *c = &m->pending[i];
        bool done = mask & 1u << i;
        if (c->kind == DATA ? !done : c->kind == FREE && done)
            found.versions[c->content] = 0;
        if (done && (c->kind == SET || c->kind == MOVE))
            found.durable[c->name] = c->content;
        if (done && c->kind == MOVE)
            found.durable[c->from] = NONE;
    }
    memcpy(found.cached, found.durable, sizeof found.cached);
    found.pending_count = 0;
    found.dead = false;
    found.cut = UINT32_MAX;
    return found;
}

// ---- cutting -------------------------------------------------------------------------------------------

enum { ABSENT = -1, GARBAGE = 0 };

static int version_of(struct memory_files *m, const char *name)
{
    int content = m->cached[slot_of(m, name)];
    return content == NONE ? ABSENT : m->versions[content];
}

static int replace_by(struct install_files *f, uint8_t version)
{
    uint8_t data[LENGTH];
    memset(data, version, sizeof data);
    return install_files_replace(f, BOOT, OLD, data, sizeof data);
}

static int restore(struct install_files *f, uint8_t version)
{
    return install_files_restore(f, BOOT, OLD);
}

// Every cut of one job on a file system that has `before` in the boot path; `after` is what the job brings there.
static bool survives(const struct memory_files *start, int (*job)(struct install_files *f, uint8_t version), int before, int after,
                     unsigned *cuts)
{
    for (unsigned cut = 0;; cut++) {
        struct memory_files m = *start;
        m.events = 0;
        m.cut = cut;
        if (job(&m.files, (uint8_t)after) == 0)
            return version_of(&m, BOOT) == after && cut > 3;
        for (unsigned mask = 0; mask < 1u << m.pending_count; mask++) {
            struct memory_files found = after_cut(&m, mask);
            int version = version_of(&found, BOOT);
            (*cuts)++;
            if (version != before && version != after)
                return false;
            if (job == replace_by && (replace_by(&found.files, (uint8_t)after) != 0 || version_of(&found, BOOT) != after))
                return false;
        }
    }
}

static bool life(bool exchanges)
{
    struct memory_files m;
    unsigned cuts = 0;
    int messages = dup(STDERR_FILENO), null = open("/dev/null", O_WRONLY);
    dup2(null, STDERR_FILENO); // each cut is an error, and says so
    memory_begin(&m, exchanges);
    bool good = survives(&m, replace_by, ABSENT, 1, &cuts) && replace_by(&m.files, 1) == 0;
    for (uint8_t version = 2; good && version < 5; version++) {
        good = survives(&m, replace_by, version - 1, version, &cuts);
        good = good && replace_by(&m.files, version) == 0 && version_of(&m, OLD) == version - 1;
    }
    good = good && survives(&m, restore, 4, 3, &cuts) && restore(&m.files, 0) == 0;
    good = good && version_of(&m, BOOT) == 3 && version_of(&m, OLD) == ABSENT;
    dup2(messages, STDERR_FILENO);
    close(messages);
    close(null);
    printf("  %u cuts\n", cuts);
    return good && cuts > 70;
}

TEST(any_cut_on_fat)
{
    CHECK(life(true));
}

TEST(any_cut_where_names_cannot_be_exchanged)
{
    CHECK(life(false));
}

// ---- a real folder -------------------------------------------------------------------------------------

static struct install_files real;
static unsigned steps_left;

static void count_step(void)
{
    if (steps_left-- == 0)
        _exit(3);
}

static int real_write(struct install_files *f, const char *name, const void *data, size_t len)
{
    count_step();
    return real.write(f, name, data, len);
}

static int real_rename(struct install_files *f, const char *from, const char *to)
{
    count_step();
    return real.rename(f, from, to);
}

static int real_exchange(struct install_files *f, const char *a, const char *b)
{
    count_step();
    return real.exchange(f, a, b);
}

static int real_sync(struct install_files *f)
{
    count_step();
    return real.sync(f);
}

static int real_version(const char *name)
{
    uint8_t *data;
    size_t len;
    int r = install_files_get(&real, name, &data, &len);
    if (r != 0)
        return r > 0 ? ABSENT : GARBAGE;
    int version = len == LENGTH && memcmp(data, data + 1, LENGTH - 1) == 0 ? data[0] : GARBAGE;
    free(data);
    return version;
}

// In a process of its own, which ends before step `steps`. True when it came to its end.
static bool replace_in_child(uint8_t version, unsigned steps)
{
    int status;
    pid_t child = fork();
    if (child == 0) {
        struct install_files f = real;
        f.write = real_write, f.rename = real_rename, f.exchange = real_exchange, f.sync = real_sync;
        steps_left = steps;
        _exit(replace_by(&f, version) != 0);
    }
    return waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

TEST(a_real_folder_and_a_process_that_ends)
{
    char path[] = "/tmp/signet-files.XXXXXX";
    CHECK(mkdtemp(path) != NULL);
    CHECK_EQ(install_files_open(&real, path, true), 0);
    CHECK_EQ(install_files_folder(&real, "EFI"), 0);
    CHECK_EQ(install_files_folder(&real, "EFI/signet"), 0);
    CHECK_EQ(install_files_folder(&real, "EFI/signet"), 0);
    uint8_t version = 1;
    unsigned steps = 0;
    for (; !replace_in_child(version, steps); steps++) {
        int found = real_version(BOOT);
        CHECK(found == ABSENT || found == version);
    }
    for (version = 2; version < 4; version++) {
        for (steps = 0; !replace_in_child(version, steps); steps++) {
            int found = real_version(BOOT);
            CHECK(found == version || found == version - 1);
        }
        CHECK(steps > 5);
        CHECK_EQ(real_version(BOOT), version);
    }
    CHECK_EQ(install_files_restore(&real, BOOT, OLD), 0);
    CHECK(real_version(BOOT) > 0, real_version(OLD) == ABSENT);
    CHECK_EQ(install_files_restore(&real, BOOT, OLD), 0);
    CHECK_EQ(real_version(BOOT), ABSENT);
    CHECK_EQ(install_files_remove(&real, BOOT ".new"), 0);
    CHECK_EQ(install_files_remove(&real, "EFI/signet"), 0);
    CHECK_EQ(install_files_remove(&real, "EFI"), 0);
    install_files_close(&real);
    CHECK_EQ(rmdir(path), 0);
}

TEST_MAIN(T(any_cut_on_fat), T(any_cut_where_names_cannot_be_exchanged), T(a_real_folder_and_a_process_that_ends))
