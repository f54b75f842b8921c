// SPDX-License-Identifier: MPL-2.0
// signet lookimage: the command line, and which format a file has.
#include "lookimage.h"
#include "base/bytes.h"
#include "file.h"
#include "image/oxide.h"
#include "keys.h"
#include "opts.h"
#include "phase2/seal.h"
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#define EXIT_UNREADABLE EXIT_USAGE

static const struct opt_help help = {
    .usage = "[-s] [--trust PUB]... [--files DIR] [--json] IMG|SEAL",
    .about = "Shows a phase-2 image (or an Oxide one, header version 2) and checks every sum and signature in it; of a\n"
             "detached seal also the files that it covers, by name in the folder of the seal.\n"
             "Exit status: 0 intact and trusted, 1 damaged or untrusted, 2 not readable or not an image. Without\n"
             "--trust a phase-2 image is untrusted; an Oxide image, whose format has no signatures, is only checked.",
};

// The verdict in one line, and the exit status.
static int conclude(struct report *report, const struct lookimage *look, const struct look_result *result, bool trusts)
{
    const char *sums = result->damaged ? "DAMAGED" : look->skip_sums ? "sums not checked" : "intact";
    const char *trust = trusts ? result->trusted ? ", trusted" : ", UNTRUSTED" : "";
    bool bad = result->damaged || (trusts && !result->trusted);
    // An Oxide image in order is shown in the very lines of the Oxide tool.
    if (!trusts && !bad && !report->json)
        return EXIT_OK;
    const char *why = result->why ? result->why : result->err ? err_text(result->err) : "";
    if (!bad || !*why)
        report_text(report, "result", "%s%s", sums, trust);
    else if (!result->err)
        report_text(report, "result", "%s%s: %s", sums, trust, why);
    else
        report_text(report, "result", "%s%s: %s (%s)", sums, trust, why, err_code(result->err));
    return bad ? EXIT_FAIL : EXIT_OK;
}

static int look_at(struct lookimage *look, bool json, bool trust_asked)
{
    uint8_t magic[8] = { 0 };
    size_t len = (size_t)MIN(look->size, (uint64_t)sizeof magic);
    if (file_read_at(look->fd, look->path, 0, magic, len) != 0)
        return EXIT_UNREADABLE;
    bool is_seal = memcmp(magic, SEAL_MAGIC, sizeof magic) == 0;
    if (!is_seal && load32_le(magic) != OXIDE_MAGIC) {
        tool_error(look->path, "is neither a phase-2 image nor an Oxide boot image (%s)", err_code(ERR_SEAL_MAGIC));
        return EXIT_UNREADABLE;
    }
    struct report report;
    struct look_result result = { 0 };
    report_begin(&report, json);
    bool readable = is_seal ? look_seal(look, &report, &result) : look_oxide(look, &report, &result);
    int status = readable ? conclude(&report, look, &result, is_seal || trust_asked) : EXIT_UNREADABLE;
    report_end(&report);
    return tool_flush() == EXIT_OK ? status : EXIT_UNREADABLE;
}

int lookimage_main(int argc, char **argv)
{
    struct lookimage look = { 0 };
    struct opt_list trust = { 0 }, operands = { 0 };
    bool json = false;
    const char *product = NULL;
    uint64_t threshold = 0;
    const struct opt table[] = {
        OPTION_FLAG('s', "skip-checksum", &look.skip_sums, "show the header, check signatures, but do not read the payload"),
        OPTION_LIST('t', "trust", &trust, "PUB", "trust this public key; may be repeated"),
        OPTION_NUMBER(0, "threshold", &threshold, "N", 1, TRUST_KEYS_MAX, NULL, "so many trusted keys must have signed (default 1)"),
        OPTION_NUMBER(0, "floor", &look.trust.counter_floor, "N", 0, 0, NULL, "smallest security counter that is accepted"),
        OPTION_TEXT(0, "product", &product, "P", "accept images for this product only"),
        OPTION_TEXT(0, "files", &look.files, "DIR", "where a detached seal's files lie (default: where it lies itself)"),
        OPTION_FLAG(0, "json", &json, "write JSON"),
    };
    int status = opts_parse(table, ARRAY_SIZE(table), &help, argc, argv, &operands);
    if (status >= 0)
        return status;
    if (operands.count != 1)
        return tool_usage(NULL, operands.count ? "one image at a time" : "no image given");
    if (product && strlen(product) >= sizeof look.trust.product)
        return tool_usage("--product", "is longer than %zu characters", sizeof look.trust.product - 1);
    look.path = operands.items[0];
    look.trust.threshold = (uint32_t)threshold;
    if (product)
        snprintf(look.trust.product, sizeof look.trust.product, "%s", product);
    if (trust_load(&look.trust, trust.items, trust.count) != 0)
        return EXIT_UNREADABLE;

    struct stat st;
    look.fd = file_open(look.path, &st);
    if (look.fd < 0)
        return EXIT_UNREADABLE;
    look.size = (uint64_t)st.st_size;
    posix_fadvise(look.fd, 0, 0, POSIX_FADV_SEQUENTIAL);
    status = look_at(&look, json, trust.count > 0);
    close(look.fd);
    return status;
}
