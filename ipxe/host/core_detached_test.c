// SPDX-License-Identifier: MPL-2.0
// Files that lie on a server, sealed by a file beside them, in the whole core: `kernel`, `initrd`, `imgargs` and `boot` as people write them,
// and everything that a server, a script or a stranger can do to them.
#include "host/testhttp.h"

#include "phase2/testdetached.h"

#define BASE "http://10.0.0.1/b/"
#define START "#!ipxe\ndhcp\n"
#define KERNEL START "kernel " BASE "vmlinuz quiet\n"
#define ALL KERNEL "initrd " BASE "initrd.img\ninitrd " BASE "extra.img\n"
#define FILES_MAX 16
#define LOG_MAX 8192
#define STARTED_MAX 4096

// A file on the server.
struct file {
    const char *path;
    const uint8_t *bytes;
    size_t len, cut; // the first body ends there; 0: whole
    unsigned asked;  // so many times, this one included
};
static struct file files[FILES_MAX];
static unsigned file_count;
static struct testdetached set, other;
static struct testimage whole;
static char *requests, *started; // lines "/b/vmlinuz from 0"; the command line: both shared with the child
static char head[256];
static void (*on_request)(struct file *f); // what the server does meanwhile

static struct file *file_of(const char *request)
{
    size_t len = strcspn(request + 4, " ");
    for (unsigned i = 0; i < file_count; i++)
        if (strlen(files[i].path) == len && memcmp(files[i].path, request + 4, len) == 0)
            return &files[i];
    return NULL;
}

static void answer(const struct net_addr *to, const char *request, struct manners *ret)
{
    ret->at_once = request ? head : "";
    if (!request)
        return;
    struct file *f = file_of(request);
    if (f && ++f->asked && on_request)
        on_request(f);
    unsigned long long from = 0;
    const char *range = strstr(request, "Range: bytes=");
    if (range)
        (void)sscanf(range, "Range: bytes=%llu-", &from);
    snprintf(requests + strlen(requests), LOG_MAX - strlen(requests), "%.*s from %llu\n", (int)strcspn(request + 4, " "), request + 4, from);
    ret->ends = true;
    if (!f || from >= f->len) {
        snprintf(head, sizeof head, "HTTP/1.1 %s\r\nContent-Length: 0\r\n\r\n", f ? "416 No" : "404 Not Found");
        return;
    }
    snprintf(head, sizeof head, "HTTP/1.1 %s\r\nContent-Range: bytes %llu-%zu/%zu\r\nContent-Length: %zu\r\n\r\n", range ? "206 Part" : "200 OK",
             from, f->len - 1, f->len, f->len - (size_t)from);
    ret->body = f->bytes + from;
    ret->body_len = f->len - (size_t)from;
    if (f->cut) {
        ret->body_len = MIN(ret->body_len, f->cut);
        ret->resets = true;
        f->cut = 0;
    }
}

static struct file *add(const char *path, const uint8_t *bytes, size_t len)
{
    files[file_count] = (struct file){ .path = path, .bytes = bytes, .len = len };
    return &files[file_count++];
}

// What is started has the bytes of the seal's parts, and the command line that is looked for in the transcript.
static void look(struct host_machine *m, const struct platform_boot *boot)
{
    const struct seal_part *parts = set.seal.parts;
    const uint8_t *kernel = m->platform.map(m, boot->kernel, boot->kernel_len);
    const uint8_t *initrd = m->platform.map(m, boot->initrd, boot->initrd_len);
    w.out->memory_right = boot->setup_len == SETUP_SIZE && memcmp(boot->setup, set.payload, SETUP_SIZE) == 0 &&
                          memcmp(kernel, set.payload + SETUP_SIZE, (size_t)parts[0].size - SETUP_SIZE) == 0 &&
                          boot->initrd_len == parts[2].offset + parts[2].size - parts[1].offset &&
                          memcmp(initrd, set.payload + parts[1].offset, boot->initrd_len) == 0;
    snprintf(started, STARTED_MAX, "%s", boot->cmdline);
}

static void build(struct testdetached *ret, const char *name, uint8_t version)
{
    static uint8_t kernel[KERNEL_SIZE];
    static const size_t sizes[TESTDETACHED_PARTS] = { KERNEL_SIZE, 150001, 70000 };
    struct seal fields = testimage_fields(name);
    strcpy(fields.cmdline, "quiet");
    strcpy(fields.arguments, "console=* single");
    fields.counter = 7;
    fields.chunk_size = 16384;
    make_kernel(kernel, KERNEL_SIZE);
    kernel[KERNEL_SIZE - 1] = version;
    testdetached_build(ret, &fields, sizes, kernel);
}

static const char *script;
static void (*before)(void);
static const enum testkey_name *anchor = &key_a;

static void body(void)
{
    set_up_http();
    w.machine.on_boot = look;
    if (before)
        before();
    run(script, anchor, 0);
}

static struct outcome *with(const char *text)
{
    if (!set.file) {
        requests = mmap(NULL, LOG_MAX + STARTED_MAX, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        started = requests + LOG_MAX;
        build(&set, "debian-12", 0);
        build(&other, "debian-13", 1);
        testimage_make(&whole, "whole", 10000, 1, TESTKEY_P256_A);
    }
    requests[0] = started[0] = '\0';
    file_count = 0;
    add("/b/vmlinuz", set.files[0], set.file_len[0]);
    add("/b/initrd.img", set.files[1], set.file_len[1]);
    add("/b/extra.img", set.files[2], set.file_len[2]);
    add("/b/vmlinuz.seal", set.file, set.len);
    add("/b/debian.seal", set.file, set.len);
    add("/b/other.seal", other.file, other.len);
    add("/b/other", other.files[0], other.file_len[0]);
    add("/b/whole", whole.file, whole.len);
    script = text;
    return in_child(body);
}

static struct outcome *with_before(const char *text, void (*change)(void))
{
    before = change;
    struct outcome *out = with(text);
    before = NULL;
    return out;
}

static bool booted(const struct outcome *out, const char *cmdline)
{
    char line[2200];
    snprintf(line, sizeof line, "%s%ssignet.name=debian-12 signet.counter=7", cmdline, cmdline[0] ? " " : "");
    if (out->booted && out->memory_right && out->live_allocations == 0 && strcmp(started, line) == 0)
        return true;
    printf("  not so: \"%s\", booted %d, right %d\n%s\n", started, out->booted, out->memory_right, out->transcript);
    return false;
}

static bool refused(const struct outcome *out, const char *text)
{
    return !out->booted && out->live_allocations == 0 && said(out, text);
}

static unsigned asked(const char *line)
{
    unsigned n = 0;
    for (const char *p = requests; (p = strstr(p, line)); p += strlen(line))
        n++;
    return n;
}

TEST(as_people_write_it)
{
    CHECK(booted(with(ALL "boot\n"), "quiet"));
    CHECK_EQ(asked("/b/vmlinuz.seal from 0\n"), 1);
    CHECK_EQ(asked("/b/vmlinuz from 0\n"), 1);
    CHECK(booted(with(START "kernel --name main " BASE "vmlinuz initrd=root.img initrd=extra.img console=ttyS0 quiet\n"
                            "initrd --name root.img " BASE "initrd.img\n"
                            "initrd --name extra.img " BASE "extra.img /opt/site/extra.bin mode=755\nboot main\n"),
                 "console=ttyS0 quiet"));
    struct outcome *out = with(START "kernel " BASE "vmlinuz\ninitrd " BASE "initrd.img\nmodule " BASE "extra.img\n"
                                     "imgargs vmlinuz initrd=magic.img quiet console=tty0 single\nimgstat\nboot\n");
    CHECK(booted(out, "quiet console=tty0 single"));
    CHECK(said(out, "vmlinuz (debian-12) counter 7, "), said(out, ", verified\n"), said(out, "  arguments: quiet console=tty0 single\n"));
    CHECK(booted(with(START "kernel " BASE "vmlinuz\ninitrd " BASE "initrd.img\ninitrd " BASE "extra.img\nboot\n"), "quiet")); // the sealed one
    CHECK(booted(with(ALL "imgargs vmlinuz\nboot vmlinuz console=ttyS0 quiet\n"), "console=ttyS0 quiet"));
    CHECK(booted(with(START "chain " BASE "vmlinuz ||\ninitrd " BASE "initrd.img\ninitrd " BASE "extra.img\nboot\n"), "quiet"));
}

TEST(the_seal_is_named)
{
    CHECK(booted(with(START "seal " BASE "debian.seal\ninitrd " BASE "initrd.img\ninitrd " BASE "extra.img\nkernel " BASE
          "vmlinuz quiet\nboot debian ||\n"
                            "boot vmlinuz\n"), "quiet"));
    CHECK_EQ(asked("vmlinuz.seal"), 0);
    CHECK(booted(with(START "seal " BASE "debian.seal\nkernel " BASE "vmlinuz\ninitrd " BASE "initrd.img\ninitrd " BASE
          "extra.img\nimgstat\nboot debian\n"), "quiet"));
    CHECK(refused(with(START "seal " BASE "other.seal\nkernel " BASE "vmlinuz\n"), "10.0.0.1/b/vmlinuz is not vmlinuz, "
          "file 1 of debian-13 (300000 bytes): "
                                                                                   "chunk does not match its digest [S16]"));
    CHECK(refused(with(START "seal " BASE "none.seal\n"), "seal: none at 10.0.0.1/b/none.seal"));
    CHECK(refused(with(START "seal " BASE "whole\n"), "no detached seal [S21]"));
    CHECK(refused(with(START "seal " BASE "vmlinuz\n"), "[S01]"));
    CHECK(refused(with(START "chain " BASE "debian.seal\n"), "[S20]"));
    CHECK(refused(with(START "seal p2://10.0.0.1/image\n"), "[N08]"));
}

TEST(what_lacks_is_named)
{
    CHECK(refused(with(KERNEL "boot\n"), "boot: vmlinuz lacks initrd.img, which `initrd` brings: parts of the image are missing [B15]"));
    CHECK(refused(with(START "seal " BASE "debian.seal\nimgstat\nboot\n"), "boot: debian lacks vmlinuz, which `kernel` brings"));
    CHECK(refused(with(KERNEL "initrd " BASE "initrd.img\nboot\n"), "lacks extra.img"));
    CHECK(refused(with(START "initrd " BASE "initrd.img\n"), "`kernel` or `seal` names first what it belongs to: no part of this seal [S22]"));
    CHECK(refused(with(ALL "initrd " BASE "initrd.img\n"), "the seal of vmlinuz has no further file: no part of this seal [S22]"));
    CHECK(refused(with(START "kernel " BASE "initrd.img\n"), "is no image, and no .seal lies beside it; `signet seal` makes one: "
                                                             "neither signed nor sealed [S24]"));
    CHECK(refused(with(START "chain " BASE "initrd.img\n"), "initrd.img is no script, has no seal and is not started: not a phase-2 image [S01]"));
}

TEST(files_that_are_not_the_sealed_ones)
{
    CHECK(refused(with(KERNEL "initrd " BASE "extra.img\n"), "10.0.0.1/b/extra.img is not initrd.img, file 2 of debian-12"));
    CHECK(refused(with(KERNEL "initrd " BASE "initrd.img\ninitrd " BASE "initrd.img\n"), "initrd.img is not extra.img, file 3 of debian-12"));
    CHECK(refused(with(START "seal " BASE "debian.seal\nkernel " BASE "other\n"), "other is not vmlinuz"));
    // And the right one after all.
    CHECK(booted(with(KERNEL "initrd " BASE "extra.img || initrd " BASE "initrd.img\ninitrd " BASE "extra.img\nboot\n"), "quiet"));
    CHECK(refused(with(KERNEL "initrd " BASE "initrd.img\ninitrd " BASE "extra.img /etc/shadow\n"), "file 3 of vmlinuz is extra.img, "
          "and not sealed as /etc/shadow"));
    CHECK(refused(with(KERNEL "initrd " BASE "initrd.img\ninitrd " BASE "extra.img /opt/site/extra\n"), "[S22]"));
    CHECK(refused(with(KERNEL "initrd " BASE "initrd.img /init\n"), "file 2 of vmlinuz is initrd.img, and not sealed as /init"));
}

TEST(arguments)
{
    CHECK(refused(with(START "kernel " BASE "vmlinuz quiet init=/bin/sh\n"), "seal: vmlinuz: \"init=/bin/sh\" is neither sealed nor allowed"));
    CHECK_EQ(asked("/b/vmlinuz from"), 0); // before the download
    CHECK(refused(with(START "kernel " BASE "vmlinuz console=ttyS0\n"),
          "\"quiet\" is sealed and was left out: an argument that the seal does not allow [S23]"));
    CHECK(refused(with(START "kernel " BASE "vmlinuz console=\"x quiet\n"), "[S23]"));
    CHECK(refused(with(ALL "imgargs vmlinuz init=/bin/sh && boot\n"), "[S23]"));
    CHECK(booted(with(ALL "imgargs vmlinuz single quiet\nimgargs vmlinuz init=/bin/sh ||\nboot\n"), "quiet")); // falls back to the sealed one
    CHECK(refused(with(ALL "boot vmlinuz init=/bin/sh\n"), "[S23]"));
    CHECK(refused(with(START "imgargs nothing quiet\n"), "[B12]"));
    // What a kernel that did not come was given is not the next one's.
    CHECK(booted(with(START "seal " BASE "debian.seal\nkernel " BASE "gone quiet single || kernel " BASE "vmlinuz\ninitrd " BASE "initrd.img\n"
                            "initrd " BASE "extra.img\nboot\n"), "quiet"));
}

static void cut_the_initrd(void)
{
    files[1].cut = 100000;
}
static void cut_the_seal(void)
{
    files[3].cut = 500;
}
static void no_seal_at_first(void)
{
    files[3].path = "/b/elsewhere";
}
static void shorter(void)
{
    files[1].len -= 100;
}
static void longer(void)
{
    static uint8_t more[150002];
    memcpy(more, set.files[1], 150001);
    files[1].bytes = more;
    files[1].len = sizeof more;
}

TEST(servers)
{
    CHECK(booted(with_before(ALL "boot\n", cut_the_initrd), "quiet"));
    CHECK_EQ(asked("/b/initrd.img from 0\n"), 1);
    CHECK(asked("/b/initrd.img from 98304\n") + asked("/b/initrd.img from 99") + asked("/b/initrd.img from 100000\n") >= 1);
    CHECK(booted(with_before(ALL "boot\n", cut_the_seal), "quiet"));
    CHECK(refused(with_before(ALL "boot\n", no_seal_at_first), "[S24]"));
    CHECK(said(with_before(ALL "boot\n", no_seal_at_first), "seal: none at 10.0.0.1/b/vmlinuz.seal"));
    CHECK(refused(with_before(ALL "boot\n", longer), "initrd.img has more bytes than initrd.img, "
          "file 2 of debian-12 (150001 bytes): bytes follow the end of the image [S19]"));
    CHECK(!with_before(ALL "boot\n", shorter)->booted);
    CHECK(booted(with(START "kernel " BASE "vmlinuz\ninitrd " BASE "gone.img || initrd " BASE "initrd.img\ninitrd " BASE
          "extra.img\nboot\n"), "quiet"));
}

TEST(once_more)
{
    // All of it again without a byte of the files: it is in memory.
    CHECK(booted(with(ALL ALL "boot\n"), "quiet"));
    CHECK_EQ(asked("/b/vmlinuz.seal from 0\n"), 2);
    CHECK_EQ(asked("/b/vmlinuz from"), 1);
    CHECK_EQ(asked("/b/initrd.img from"), 1);
    CHECK(booted(with(ALL "imgfree\n" ALL "boot\n"), "quiet"));
    CHECK_EQ(asked("/b/vmlinuz from 0\n"), 2);
    // A failure in the midst, as a script retries.
    CHECK(booted(with(START ":again\ninc n\niseq ${n} 4 && exit ||\nkernel " BASE "vmlinuz || goto again\niseq ${n} 2 || initrd " BASE
          "nothing || goto again\n"
                            "initrd " BASE "initrd.img || goto again\ninitrd " BASE "extra.img\nboot\n") , "quiet"));
    // Another image beside it.
    struct outcome *out = with(START "seal " BASE "other.seal\nkernel --name new " BASE "other\nkernel " BASE "vmlinuz\ninitrd " BASE "initrd.img\n"
                                     "initrd " BASE "extra.img\nimgstat\nboot vmlinuz\n");
    CHECK(booted(out, "quiet"));
    CHECK(said(out, "new (debian-13) counter 7, "), said(out, "not complete"));
}

TEST(policy)
{
    anchor = &key_b;
    CHECK(refused(with(KERNEL), "signed by no trusted key [S07]"));
    anchor = NULL;
    CHECK(refused(with(KERNEL), "[S11]"));
    anchor = &key_a;
    CHECK_EQ(asked("/b/vmlinuz from"), 0);
}

// A whole image by the same command, with arguments that it does not allow, and without.
TEST(an_image)
{
    struct outcome *out = with(START "kernel " BASE "whole && imgstat\n");
    CHECK(said(out, "whole counter 1, "), said(out, "seal: none at 10.0.0.1/b/whole.seal"));
    CHECK(said(with(START "kernel " BASE "whole init=/bin/sh || echo REFUSED\n"), "REFUSED"));
    CHECK(said(with(START "kernel " BASE "whole\ninitrd " BASE "initrd.img || echo REFUSED\n"), "REFUSED"));
}

// What is no seal is not run as a script, however short.
static void a_script_as_seal(void)
{
    files[3].bytes = (const uint8_t *)"#!ipxe\n";
    files[3].len = 7;
}
static void nothing_as_seal(void)
{
    files[3].len = 0;
}
// Portals and single-page sites answer everything with a page.
static void a_page_as_seal(void)
{
    static const char page[] = "<!DOCTYPE html><html><body>Not found</body></html>\n";
    files[3].bytes = (const uint8_t *)page;
    files[3].len = sizeof page - 1;
    add("/b/whole.seal", (const uint8_t *)page, sizeof page - 1);
    add("/b/page", (const uint8_t *)page, sizeof page - 1);
}
TEST(what_is_no_seal)
{
    CHECK(refused(with_before(KERNEL "boot\n", a_page_as_seal), "10.0.0.1/b/vmlinuz.seal is no seal: not a phase-2 image [S01]"));
    CHECK(said(with_before(START "kernel " BASE "whole && imgstat\n", a_page_as_seal), "whole counter 1, "));
    CHECK(refused(with_before(START "seal " BASE "page\n", a_page_as_seal), "page is no seal: "));
    CHECK(refused(with_before(KERNEL "boot\n", a_script_as_seal), "[S01]"));
    CHECK(refused(with_before(START "seal " BASE "vmlinuz.seal\n", a_script_as_seal), "[S01]"));
    CHECK(refused(with_before(KERNEL "boot\n", nothing_as_seal), "vmlinuz.seal"));
}

// The seal once more, with a list that fits another initrd, and cut off before the list is whole; then the server says that there is none.
static uint8_t forged[150001], *forged_seal;
static void forge(struct file *f)
{
    if (f != &files[3] || f->asked == 1)
        return;
    f->bytes = forged_seal;
    f->cut = set.len - 1;
    f->path = "/b/gone"; // from the next request on
}
static void forge_list(void)
{
    const struct seal *seal = &set.seal;
    forged_seal = malloc(set.len);
    memcpy(forged_seal, set.file, set.len);
    memset(forged, 0x90, sizeof forged);
    uint64_t from = seal->parts[1].offset, to = seal->parts[2].offset;
    uint8_t *part = calloc(1, (size_t)(to - from));
    memcpy(part, forged, sizeof forged);
    for (uint64_t at = from; at < to; at += seal->chunk_size)
        sha256(part + (at - from), seal->chunk_size, forged_seal + set.seal_len + at / seal->chunk_size * SHA256_SIZE);
    free(part);
    add("/b/forged", forged, sizeof forged);
}
TEST(a_list_that_breaks_off)
{
    on_request = forge;
    struct outcome *out = with_before(KERNEL "kernel " BASE "vmlinuz ||\ninitrd " BASE "forged && echo TAKEN\n"
                                             "initrd " BASE "extra.img\nboot\n", forge_list);
    on_request = NULL;
    CHECK(refused(out, "[S22]"), strstr(out->transcript, "TAKEN") == NULL);
}

// A script that ends because what it named is no image is no such file itself.
static void scripts_on_the_server(void)
{
    static const char text[] = "#!ipxe\nchain " BASE "initrd.img\n";
    add("/b/menu.ipxe", (const uint8_t *)text, sizeof text - 1);
}
TEST(a_script_that_fails)
{
    struct outcome *out = with_before(START "chain " BASE "menu.ipxe\n", scripts_on_the_server);
    CHECK(refused(out, "[S01]"), asked("/b/initrd.img.seal") == 1);
    CHECK_EQ(asked("/b/menu.ipxe.seal"), 0);
    CHECK(refused(with_before(START "kernel " BASE "menu.ipxe\n", scripts_on_the_server), "[S01]"));
    CHECK_EQ(asked("/b/menu.ipxe.seal"), 1);
    CHECK(strstr(with_before(START "kernel " BASE "menu.ipxe\n", scripts_on_the_server)->transcript, "menu.ipxe is no image") == NULL);
}

// A copy on the disk is not made of files.
TEST(not_kept)
{
    struct outcome *out = with("#!ipxe\nset keep disk:\ndhcp\nkernel " BASE "vmlinuz\ninitrd " BASE "initrd.img\ninitrd " BASE "extra.img\nboot\n");
    CHECK(booted(out, "quiet"), strstr(out->transcript, "keep:") == NULL);
}

static unsigned long fail_at;
static void failing(void)
{
    w.machine.fail_allocation = fail_at;
}
TEST(every_allocation_may_fail)
{
    fail_at = 0;
    unsigned long count = with_before(ALL "boot\n", failing)->allocations;
    CHECK(count > 3);
    // All of the first, which come once, and a sample of those that carry frames: a boot takes a while under sanitizers.
    for (fail_at = 1; fail_at <= count; fail_at += fail_at < 10 && sizeof(void *) == 8 ? 1 : 1 + count / 12) {
        struct outcome *out = with_before(ALL "boot\n", failing);
        CHECK(out->live_allocations == 0, out->booted ? out->memory_right : said(out, "[G02]"));
        if (strstr(out->transcript, "cannot be used") || strstr(out->transcript, "net0 asks") == NULL)
            continue; // nothing was embedded, or there is no card
        // A script that tries again has all of it after all.
        CHECK(booted(with_before("#!ipxe\n:again\ndhcp || goto again\nkernel " BASE "vmlinuz quiet && initrd " BASE
                                 "initrd.img && initrd " BASE "extra.img ||\n"
                                 "boot || goto again\n", failing), "quiet"));
    }
}

// Another processor that works, is never there, or takes a job with it in the midst of a file.
enum { JOB_READY = 1, JOB_TAKEN = 2 }; // as hashboard.c has them
static enum { WORKS, NEVER_COMES, STANDS_STILL, KINDS } helper;
static struct hashboard *board;
static uint64_t (*real_clock)(void *ctx);
static unsigned helper_start(void *ctx, struct hashboard *b)
{
    if (board)
        __builtin_trap(); // started twice
    hashboard_open(b, 1);
    board = b;
    return 1;
}
static void helper_stop(void *ctx)
{
    board = NULL;
}
static uint64_t helper_clock(void *ctx)
{
    if (board && helper == WORKS)
        (void)hashboard_work(board);
    if (board && helper == STANDS_STILL && board->jobs[0].state == JOB_READY)
        board->jobs[0].state = JOB_TAKEN;
    return real_clock(ctx);
}
static void look_and_count(struct host_machine *m, const struct platform_boot *boot)
{
    look(m, boot);
    w.out->memory_right &= board == NULL; // nobody works when the kernel starts
}
static void helped(void)
{
    real_clock = w.machine.platform.now_us;
    w.machine.platform.now_us = helper_clock;
    w.machine.platform.helpers_start = helper_start;
    w.machine.platform.helpers_stop = helper_stop;
    w.machine.on_boot = look_and_count;
}
TEST(helpers)
{
    for (unsigned i = 0; i < KINDS; i++) {
        helper = i;
        CHECK(booted(with_before(ALL "boot\n", helped), "quiet"));
        CHECK(booted(with_before(KERNEL "initrd " BASE "extra.img || initrd " BASE "initrd.img\ninitrd " BASE "extra.img\nboot\n", helped), "quiet"));
        CHECK(booted(with_before(ALL ALL "boot\n", helped), "quiet"));
    }
}

// What happens between a kernel and its initrds.
TEST(in_between)
{
    CHECK(refused(with(KERNEL "imgfree\ninitrd " BASE "initrd.img\n"), "[S22]"));
    CHECK(refused(with(KERNEL "imgfree vmlinuz\ninitrd " BASE "initrd.img\n"), "[S22]"));
    CHECK(refused(with(ALL "kernel " BASE "vmlinuz\nboot\n"), "lacks initrd.img")); // which lies there, and is to be named again
    // Another image, which lacks the file that the first one wants; and back.
    CHECK(refused(with(KERNEL "seal " BASE "other.seal\ninitrd " BASE "initrd.img\n"), "is not initrd.img, file 2 of debian-13"));
    CHECK(booted(with(KERNEL "seal " BASE "other.seal\nimgselect vmlinuz\ninitrd " BASE "initrd.img\ninitrd " BASE "extra.img\nboot\n"), "quiet"));
    // The name of the one is given to the other, which lacks everything.
    CHECK(refused(with(ALL "seal --name vmlinuz " BASE "other.seal\nboot vmlinuz\n"), "vmlinuz lacks vmlinuz"));
    CHECK(refused(with(ALL "seal --name x " BASE "vmlinuz.seal\nboot vmlinuz ||\nboot x\n"), "x lacks vmlinuz"));
    // The seal twice, and everything is still there; and more of them than there is room for.
    CHECK(booted(with(ALL "seal " BASE "debian.seal\nseal " BASE "debian.seal\nkernel " BASE "vmlinuz quiet\ninitrd " BASE "initrd.img\n"
                          "initrd " BASE "extra.img\nboot\n"), "quiet"));
    CHECK_EQ(asked("/b/vmlinuz from"), 1);
    CHECK(booted(with(START "set i:int32 0\n:again\ninc i\nseal --name n${i} " BASE "debian.seal ||\niseq ${i} 12 || goto again\n"
                            "kernel " BASE "vmlinuz quiet\ninitrd " BASE "initrd.img\ninitrd " BASE "extra.img\nboot\n"), "quiet"));
    // Words and names that are odd.
    CHECK(refused(with(ALL "imgargs vmlinuz quiet console=x\ty\nboot\n"), "[S23]"));
    CHECK(refused(with(ALL "boot vmlinuz quiet console=\xc3\xa4\n"), "[S23]"));
    CHECK(refused(with(START "kernel --name a\xc3\xa4 " BASE "vmlinuz\n"), "a name has 1 to 63 characters"));
}

TEST_MAIN(T(as_people_write_it), T(the_seal_is_named), T(what_lacks_is_named), T(files_that_are_not_the_sealed_ones), T(arguments), T(servers),
          T(once_more), T(policy), T(an_image), T(what_is_no_seal), T(a_list_that_breaks_off), T(a_script_that_fails), T(not_kept),
          T(every_allocation_may_fail), T(in_between), T(helpers))
