// SPDX-License-Identifier: MPL-2.0
// signet-host: the firmware's core as a Linux process on a tap device. It fetches, verifies and places an image
// as the firmware does and, in place of starting it, writes what would be started into files. For tests.
//
//   signet-host --bare FILE          writes an empty artefact, for `signet embed` to put script and anchors into
//   signet-host --tap tap0 [--artefact FILE] [--memory MIB] [--mac xx:..] [--keys TEXT] [--disk FILE[,sector=4096]]...
//               [--out PREFIX]
//
// Exit status: 0 an image would have been started, 1 the core came back or left, 2 wrong usage.
#include "core/core.h"
#include "base/bytes.h"
#include "base/range.h"
#include "host/host.h"
#include "image/embed.h"

#include <errno.h>
#include <getopt.h>
#include <stdlib.h>

#define HELPERS 2
#define ARTEFACT_MAX (EMBED_SLOT_SIZE + EMBED_BLOB_MAX)

static const char *out_prefix;

static void write_file(struct host_machine *m, const char *suffix, const void *data, size_t len)
{
    char path[4096];
    snprintf(path, sizeof path, "%s.%s", out_prefix, suffix);
    FILE *f = fopen(path, "wb");
    if (!f || fwrite(data, 1, len, f) != len || fclose(f) != 0) {
        fprintf(stderr, "signet-host: %s: %s\n", path, strerror(errno));
        exit(1);
    }
}

static void on_boot(struct host_machine *m, const struct platform_boot *boot)
{
    printf("host: would start kernel of %llu bytes, initrd of %llu bytes, command line: %s\n",
           (unsigned long long)boot->kernel_len, (unsigned long long)boot->initrd_len, boot->cmdline);
    if (!out_prefix)
        return;
    write_file(m, "setup", boot->setup, boot->setup_len);
    write_file(m, "kernel", m->platform.map(m, boot->kernel, boot->kernel_len), (size_t)boot->kernel_len);
    if (boot->initrd_len)
        write_file(m, "initrd", m->platform.map(m, boot->initrd, boot->initrd_len), (size_t)boot->initrd_len);
    write_file(m, "cmdline", boot->cmdline, strlen(boot->cmdline));
}

static int usage(void)
{
    fprintf(stderr, "usage: signet-host --tap TAP [--artefact FILE] [--memory MIB] [--mac MAC] [--keys TEXT] [--out PREFIX]\n"
                    "                   [--disk FILE[,sector=4096]]...\n"
                    "       signet-host --bare FILE\n");
    return 2;
}

static bool parse_mac(const char *text, uint8_t mac[6])
{
    return sscanf(text, "%2hhx:%2hhx:%2hhx:%2hhx:%2hhx:%2hhx", &mac[0], &mac[1], &mac[2], &mac[3], &mac[4], &mac[5]) == 6;
}

static int fail(const char *path)
{
    fprintf(stderr, "signet-host: %s: %s\n", path, strerror(errno));
    return 1;
}

// An artefact that is nothing but its slot.
static int write_bare(const char *path)
{
    uint8_t slot[EMBED_SLOT_SIZE] = { 0 };
    memcpy(slot + SLOT_MAGIC, EMBED_SLOT_MAGIC, sizeof EMBED_SLOT_MAGIC);
    store32_le(slot + SLOT_KIND, EMBED_NBP);
    store32_le(slot + SLOT_BASE, sizeof slot);
    FILE *f = fopen(path, "wb");
    if (!f || fwrite(slot, 1, sizeof slot, f) != sizeof slot || fclose(f) != 0)
        return fail(path);
    return 0;
}

// Script and anchors of an artefact, as the firmware's start-up code finds them.
static int read_artefact(const char *path, struct core_options *ret)
{
    static uint8_t file[ARTEFACT_MAX];
    FILE *f = fopen(path, "rb");
    if (!f)
        return fail(path);
    size_t len = fread(file, 1, sizeof file, f), slot = 0;
    fclose(f);
    if (embed_find_slot(file, len, &slot) != 0) {
        fprintf(stderr, "signet-host: %s: no slot\n", path);
        return 1;
    }
    uint32_t offset = load32_le(file + slot + SLOT_OFFSET), length = load32_le(file + slot + SLOT_LENGTH);
    if (offset && range_fits(offset, length, len))
        *ret = (struct core_options){ .embed = file + offset, .embed_len = length };
    return 0;
}

int main(int argc, char **argv)
{
    static const struct option options[] = { { "tap", 1, 0, 't' },  { "artefact", 1, 0, 'f' }, { "memory", 1, 0, 'm' },
                                             { "mac", 1, 0, 'a' },  { "keys", 1, 0, 'k' }, { "out", 1, 0, 'o' },
                                             { "bare", 1, 0, 'b' },   { "disk", 1, 0, 'd' },
                                             { NULL, 0, NULL, 0 } };
    static struct host_machine m;
    const char *tap = NULL, *artefact = NULL;
    host_init(&m);
    m.real_time = true;
    m.helpers = HELPERS;
    m.console = stdout;
    m.on_boot = on_boot;
    for (int c; (c = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        if (c == 't')
            tap = optarg;
        else if (c == 'f')
            artefact = optarg;
        else if (c == 'b')
            return write_bare(optarg);
        else if (c == 'm')
            m.memory_size = strtoull(optarg, NULL, 0) * MIB;
        else if (c == 'a' && parse_mac(optarg, m.card.info.mac))
            continue;
        else if (c == 'k')
            m.keys = optarg;
        else if (c == 'd') {
            if (!host_disk_open(&m, optarg))
                return fail(optarg);
        } else if (c == 'o')
            out_prefix = optarg;
        else
            return usage();
    }
    if (!tap || optind != argc)
        return usage();
    struct core_options core_options = { 0 };
    if (artefact && read_artefact(artefact, &core_options) != 0)
        return 1;
    int fd = host_tap_open(tap);
    if (fd < 0)
        return fail(tap);
    m.wire = host_tap_wire(&fd);
    core_options.folder = m.storage.count > 0; // the first disk is the one that was booted from
    int err = host_run(&m, &core_options);
    if (!m.booted)
        printf("host: the core %s, status %d\n", m.left ? "left the machine" : "came back", err);
    bool booted = m.booted;
    host_free(&m);
    return booted ? 0 : 1;
}
