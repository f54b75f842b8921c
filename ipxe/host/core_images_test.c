// SPDX-License-Identifier: MPL-2.0
// Several images in memory, in the whole core: fetched, listed, selected, replaced, freed and started by name.
#include "host/testworld.h"

#include "block/testdisk.h"
#include "core/images.h"

#define STOCK_MAX (IMAGES_MAX + 2)
#define PARTITION (1024 * 1024)
#define SERVER "p2://10.0.0.1/"
#define START "#!ipxe\ndhcp\n"

static struct testimage stock[STOCK_MAX]; // what the server has, by the names that are sealed in
static struct p2_image stock_served[STOCK_MAX];
static unsigned stock_count;
static struct testdisk disk;

static const struct p2_image *stock_by_name(void *ctx, const char *name)
{
    for (unsigned i = 0; i < stock_count; i++)
        if (strcmp(name, stock[i].seal.name) == 0)
            return &stock_served[i];
    return NULL;
}

static const struct p2_image *stock_by_tag(void *ctx, const uint8_t tag[P2_TAG_SIZE])
{
    for (unsigned i = 0; i < stock_count; i++)
        if (memcmp(tag, stock_served[i].id, P2_TAG_SIZE) == 0)
            return &stock_served[i];
    return NULL;
}

static const uint8_t *stock_bytes(void *ctx, const struct p2_image *image, uint8_t space, uint64_t offset, uint32_t length)
{
    const struct testimage *from = &stock[image - stock_served];
    const uint8_t *base = space == P2_SPACE_SEAL ? from->file : space == P2_SPACE_LIST ? from->list : from->payload;
    return base + offset;
}

// Holds what is started against the image whose name its command line has.
static void look(struct host_machine *m, const struct platform_boot *boot)
{
    const char *name = strstr(boot->cmdline, "signet.name=");
    const uint8_t *kernel = m->platform.map(m, boot->kernel, boot->kernel_len);
    const uint8_t *initrd = m->platform.map(m, boot->initrd, boot->initrd_len);
    for (unsigned i = 0; i < stock_count && name && kernel && initrd; i++) {
        const struct seal *seal = &stock[i].seal;
        size_t len = strlen(seal->name);
        if (strncmp(name + 12, seal->name, len) == 0 && name[12 + len] == ' ')
            w.out->memory_right = memcmp(boot->setup, stock[i].payload, SETUP_SIZE) == 0 &&
                                  memcmp(kernel, stock[i].payload + SETUP_SIZE, w.kernel_size - SETUP_SIZE) == 0 &&
                                  memcmp(initrd, stock[i].payload + seal->parts[1].offset, (size_t)seal->parts[1].size) == 0;
    }
}

// An image of its own content; its kernel asks for 8 MiB and gets `memory`.
static void add(const char *name, uint64_t memory)
{
    unsigned i = stock_count++;
    w.version = (uint8_t)(i + 1);
    make_image(name, key_a, memory);
    stock[i] = w.image;
    stock_served[i] = w.served;
    memset(&w.image, 0, sizeof w.image);
}

static void set_stock(const char *const *names, unsigned count)
{
    set_up("img", key_a);
    testimage_free(&w.image);
    memset(&w.image, 0, sizeof w.image);
    stock_count = 0;
    for (unsigned i = 0; i < count; i++)
        add(names[i], 8 * MIB);
    w.server.config.images.by_name = stock_by_name;
    w.server.config.images.by_tag = stock_by_tag;
    w.server.config.images.bytes = stock_bytes;
    w.machine.on_boot = look;
}

static const char *script;
static void (*before)(void);

static void two(void)
{
    set_stock((const char *const[]){ "one", "two" }, 2);
    if (before)
        before();
    run(script, &key_a, 0);
}

static struct outcome *with_two(const char *text)
{
    script = text;
    return in_child(two);
}

static bool booted(const struct outcome *out, const char *name)
{
    char line[100];
    snprintf(line, sizeof line, "boot: starting %s (counter 7)\n", name);
    return out->booted && out->memory_right && out->live_allocations == 0 && said(out, line);
}

static unsigned times(const struct outcome *out, const char *text)
{
    unsigned n = 0;
    for (const char *p = out->transcript; (p = strstr(p, text)); p += strlen(text))
        n++;
    return n;
}

TEST(listed_freed_and_started_by_name)
{
    struct outcome *out = with_two(START "imgfetch " SERVER "one\nimgfetch --name second " SERVER "two\nimgstat\necho THEN\nimgfree second\n"
                                   "imgstat\nimgfree second || echo GONE\nboot one\n");
    CHECK(booted(out, "one"));
    CHECK_EQ(times(out, "one counter 7, "), 2);
    CHECK_EQ(times(out, "second (two) counter 7, "), 1);
    CHECK(said(out, "imgfree: \"second\" (in memory: one): no image of this name [B12]"), said(out, "GONE"));
    CHECK(booted(with_two(START "imgfetch " SERVER "one\nimgfetch --name second " SERVER "two\nimgfree one\nboot second\n"), "two"));
    CHECK(booted(with_two(START "imgfetch " SERVER "one\nimgfetch " SERVER "two\nchain one\n"), "one"));
    CHECK(booted(with_two(START "imgfetch " SERVER "one\nimgfetch " SERVER "two\nimgexec one\n"), "one"));
}

TEST(without_a_name_the_last_one)
{
    CHECK(booted(with_two(START "imgfetch " SERVER "one\nimgfetch " SERVER "two\nboot\n"), "two"));
    CHECK(booted(with_two(START "imgfetch " SERVER "one\nimgfetch " SERVER "two\nimgselect one\nimgexec\n"), "one"));
    CHECK(booted(with_two(START "imgfetch " SERVER "one\nimgfetch " SERVER "two\nimgfree two\nboot\n"), "one"));
    struct outcome *out = with_two(START "imgfetch " SERVER "one\nimgfetch " SERVER "two\nimgfree\nimgstat || echo NONE\nboot || exit\n");
    CHECK(said(out, "no image is loaded\n"), said(out, "NONE"), said(out, "[B04]"), !out->booted);
}

TEST(one_of_the_same_name_takes_its_place)
{
    struct outcome *out = with_two(START "imgfetch --name web " SERVER "one\nimgfetch --name web " SERVER "two\nimgstat\nboot web\n");
    CHECK(booted(out, "two"));
    CHECK_EQ(times(out, "web ("), 1);
}

static void damage(void)
{
    stock[1].payload[10000] ^= 1;
}
static void dies(void)
{
    w.dead_after_data = 400; // in the midst of the second image
}
TEST(but_only_when_it_is_verified)
{
    before = damage;
    struct outcome *out = with_two(START "imgfetch --name web " SERVER "one\nimgfetch --name web " SERVER "two || boot web\n");
    CHECK(said(out, "[P04]"), booted(out, "one"));
    before = dies;
    out = with_two(START "imgfetch --name web " SERVER "one\nimgfetch --name web " SERVER "two || imgstat\nimgfree web\nimgstat || exit\n");
    CHECK(said(out, "web (one) counter 7"), !strstr(out->transcript, "web (two)"), !out->booted);
    before = NULL;
}

TEST(names_that_nobody_has)
{
    struct outcome *out = with_two(START "boot web || imgfetch " SERVER "one\nboot web || imgselect web || imgfetch " SERVER "two\n"
                                   "chain web || exit\n");
    CHECK(said(out, "boot: \"web\" (in memory: none): no image of this name [B12]"));
    CHECK(said(out, "boot: \"web\" (in memory: one): no image"), said(out, "imgselect: \"web\" (in memory: one)"));
    CHECK(said(out, "boot: \"web\" (in memory: one, two): no image"), !out->booted);
    out = with_two(START "imgfetch --name \"a b\" " SERVER "one || echo WRONG\nexit\n");
    CHECK(said(out, "a name has 1 to 63 characters"), said(out, "WRONG"), out->sent == 0);
}

static void bad_kernel(void)
{
    testimage_free(&stock[0]);
    stock_count = 0;
    add("one", MIB); // the header says 8
    stock_count = 2;
}
TEST(the_others_are_there_when_one_does_not_start)
{
    before = bad_kernel;
    struct outcome *out = with_two(START "imgfetch " SERVER "two\nimgfetch " SERVER "one\nboot || imgstat\nboot one || boot two\n");
    before = NULL;
    CHECK(booted(out, "two"));
    CHECK(said(out, "one was not started"), said(out, "[B10]"), said(out, "\"one\" (in memory: two)"));
}

static void narrow(void)
{
    w.machine.memory_size = 8 * MIB + 64 * KIB; // the first kernel's, its initrd, and no room for another kernel's file
}
TEST(too_little_memory_for_both)
{
    before = narrow;
    struct outcome *out = with_two(START "imgfetch " SERVER "one\nimgfetch " SERVER "two || boot one\n");
    CHECK(said(out, "refused before the download"), said(out, "[B03]"));
    CHECK(said(out, "boot: 9 MiB are held by other images, which `imgfree` gives back: one\n"), booted(out, "one"));
    // The new one is no reason to throw away the old one: a person says so.
    out = with_two(START "imgfetch --name web " SERVER "one\nimgfetch --name web " SERVER "two || boot web\n");
    CHECK(said(out, "[B03]"), booted(out, "one"));
    out = with_two(START "imgfetch " SERVER "one\nimgfree one\nchain " SERVER "two\n");
    CHECK(booted(out, "two"));
    before = NULL;
}

static char long_script[2000];
static const char *rest;
static void many(void)
{
    static char names[STOCK_MAX][8];
    const char *list[STOCK_MAX];
    size_t len = (size_t)snprintf(long_script, sizeof long_script, START);
    for (unsigned i = 0; i < STOCK_MAX; i++) {
        snprintf(names[i], sizeof names[i], "n%u", i);
        list[i] = names[i];
        if (i < IMAGES_MAX)
            len += (size_t)snprintf(long_script + len, sizeof long_script - len, "imgfetch " SERVER "%s\n", names[i]);
    }
    snprintf(long_script + len, sizeof long_script - len, "%s", rest);
    set_stock(list, STOCK_MAX);
    run(long_script, &key_a, 0);
}
TEST(so_many_and_no_more)
{
    _Static_assert(IMAGES_MAX == 8, "the texts below");
    rest = "imgfetch " SERVER "n8 || boot n0\n";
    struct outcome *out = in_child(many);
    CHECK(said(out, "boot: n8 is one more than 8; refused before the download, `imgfree` gives one of them back: n0, n1, n2, n3, n4, n5, n6, n7: "
                    "too many images in memory [B13]"));
    CHECK(booted(out, "n0"));
    // One in another's place, and one behind another that is gone.
    rest = "imgfetch --name n3 " SERVER "n8\nimgfree n0\nimgfetch " SERVER "n9\nimgstat\nboot n3\n";
    out = in_child(many);
    CHECK(booted(out, "n8"), said(out, "n3 (n8) counter 7"), said(out, "n9 counter 7"));
    CHECK_EQ(times(out, "verified\n"), 8); // of imgstat
    rest = "chain " SERVER "n9 || boot n7\n";
    CHECK(booted(in_child(many), "n7"));
}

static void by_tftp(void)
{
    w.dhcp_file = "#!ipxe\nimgfetch " SERVER "one\nimgfetch --name script.ipxe " SERVER "two\n";
}
static void by_tftp_chained(void)
{
    w.dhcp_file = "#!ipxe\nimgfetch " SERVER "one\nimgfetch " SERVER "two\nchain one\n"; // a file beside the script, or the image
}
TEST(a_script_that_only_fetches_starts_nothing)
{
    before = by_tftp;
    struct outcome *out = with_two(START "chain tftp://10.0.0.1/script.ipxe\necho BACK\nboot one\n");
    CHECK(said(out, "BACK\n"), booted(out, "one"));
    before = by_tftp_chained;
    out = with_two(START "chain tftp://10.0.0.1/script.ipxe\n");
    CHECK(out->booted, out->memory_right, said(out, "boot: starting one"));
    CHECK_EQ(out->live_allocations, 1); // the script
    before = NULL;
}

static void with_disk(void)
{
    testdisk_make(&disk, 512, PARTITION);
    host_disk_add(&w.machine, disk.data, TESTDISK_SIZE, disk.sector_size);
}
TEST(the_one_that_starts_is_kept)
{
    before = with_disk;
    struct outcome *out = with_two(START "set keep disk:\nimgfetch " SERVER "one\nimgfetch " SERVER "two\nboot one\n");
    CHECK(said(out, "keep: one is in slot A"), !strstr(out->transcript, "keep: two"), booted(out, "one"));
    before = NULL;
}

static void two_on_disk(void)
{
    with_disk();
    memcpy(testdisk_partition(&disk), stock[1].file, stock[1].len);
}
TEST(where_the_uri_has_no_name_the_seal_has_one)
{
    before = two_on_disk;
    struct outcome *out = with_two(START "imgfetch --name first " SERVER "one\nimgfetch disk:label=images\nimgstat\nboot two\n");
    CHECK(booted(out, "two"), said(out, "first (one) counter 7"), said(out, "\ntwo counter 7"));
    before = NULL;
}

TEST_MAIN(T(listed_freed_and_started_by_name), T(without_a_name_the_last_one), T(one_of_the_same_name_takes_its_place),
          T(but_only_when_it_is_verified), T(names_that_nobody_has), T(the_others_are_there_when_one_does_not_start),
          T(too_little_memory_for_both), T(so_many_and_no_more), T(a_script_that_only_fetches_starts_nothing), T(the_one_that_starts_is_kept),
          T(where_the_uri_has_no_name_the_seal_has_one))
