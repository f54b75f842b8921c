// SPDX-License-Identifier: MPL-2.0
// signet embed: script and trust anchors into a finished artefact (doc/embed-format.md), or into all artefacts of a disk
// image. The bare artefact is never changed but for its slot, so embedding again starts from the same bytes: what comes
// out depends only on the bare artefact and on what is embedded.
#include "embed_artefact.h"
#include "embed_usb.h"
#include "file.h"
#include "keys.h"
#include "opts.h"
#include "report.h"
#include "script/script_check.h"
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#define ARTEFACT_MAX (64 * 1024 * 1024)
#define NATIVE "native" // --drivers
#define FIRMWARE "firmware"

static const struct opt_help help = {
    .usage = "[--script F] [--trust PUB]... [--threshold N] [--floor N] [--product P] [--drivers WHOSE] ARTEFACT -o OUT\n"
             "       signet embed --show ARTEFACT",
    .about = "Puts the script and the public keys that a firmware trusts into a finished artefact (undionly.kpxe, ipxe.efi), or\n"
             "into all that are in a disk image (usb.img). What is not named keeps what the artefact holds already; --trust\n"
             "names all keys anew. With --clear nothing is kept. An artefact without keys boots nothing.",
};

// What is embedded into: a file, or the parts of a disk image. What is kept is what the first of them holds.
struct target {
    struct embed_usb *usb; // NULL: a file, which is the only part
    struct embed_usb_part parts[EMBED_USB_PARTS];
    size_t count;
};

static int read_target(struct target *t, const char *path, bool clear)
{
    int is_usb = embed_usb_is(path);
    if (is_usb < 0)
        return -1;
    if (is_usb) {
        t->usb = embed_usb_open(path, t->parts, &t->count);
        if (!t->usb)
            return -1;
    } else {
        struct artefact *a = &t->parts[0].artefact;
        a->name = path;
        a->data = file_read(path, ARTEFACT_MAX, &a->len);
        if (!a->data)
            return -1;
        t->count = 1;
    }
    for (size_t i = 0; i < t->count; i++)
        if (artefact_parse(&t->parts[i].artefact, clear) != 0)
            return -1;
    return 0;
}

static void free_target(struct target *t)
{
    for (size_t i = 0; i < t->count; i++)
        free(t->parts[i].made);
    if (t->usb)
        embed_usb_close(t->usb);
    else
        free(t->parts[0].artefact.data);
    free(t);
}

static int show(const struct target *t, bool json)
{
    const struct artefact *a = &t->parts[0].artefact;
    struct report report;
    char hex[2 * KEY_ID_SIZE + 1];
    const struct trust_store *trust = &a->now.trust;
    report_begin(&report, json);
    report_number(&report, "size", a->len);
    report_number(&report, "bare size", a->base);
    report_number(&report, "capacity", a->capacity);
    report_number(&report, "script size", a->now.script_len);
    report_number(&report, "threshold", MAX(trust->threshold, 1u));
    report_number(&report, "counter floor", trust->counter_floor);
    report_text(&report, "product", "%s", trust->product);
    report_text(&report, "drivers", "%s", a->flags & EMBED_FLAG_FIRMWARE_DRIVERS ? FIRMWARE : NATIVE);
    report_list(&report, "keys");
    for (uint32_t i = 0; i < trust->key_count; i++) {
        report_item(&report, "key", i);
        report_text(&report, "id", "%s", tool_hex(trust->keys[i].id, KEY_ID_SIZE, hex));
        report_text(&report, "type", "%s", key_algorithm_name(trust->keys[i].algorithm));
    }
    report_list_end(&report);
    if (!json && a->now.script_len)
        printf("script:\n%.*s%s", (int)a->now.script_len, a->now.script,
               a->now.script[a->now.script_len - 1] == '\n' ? "" : "\n");
    if (json)
        report_text(&report, "script", "%.*s", (int)a->now.script_len, a->now.script ? a->now.script : "");
    report_end(&report);
    for (size_t i = 1; i < t->count; i++) {
        const struct artefact *other = &t->parts[i].artefact;
        if (other->blob_len != a->blob_len || (a->blob && memcmp(other->blob, a->blob, a->blob_len) != 0))
            tool_error(other->name, "note: holds something else than what is shown");
    }
    return tool_flush();
}

struct wanted {
    const char *script_path, *product, *drivers, *output;
    struct opt_list trust;
    uint64_t threshold, floor;
    bool threshold_given, floor_given, clear, show, json;
};

// The keys to embed, as DER. Present ones are written out again from what the firmware made of them.
struct anchors {
    struct public_key keys[TRUST_KEYS_MAX];
    struct digest_piece spki[TRUST_KEYS_MAX];
    size_t count;
};

static int collect_anchors(struct anchors *anchors, const struct wanted *w, const struct artefact *a)
{
    const struct trust_store *present = &a->now.trust;
    size_t count = w->trust.count ? w->trust.count : w->clear ? 0 : present->key_count;
    if (count > TRUST_KEYS_MAX) {
        tool_error("--trust", "%s (limit %d)", err_text(ERR_TRUST_FULL), TRUST_KEYS_MAX);
        return -1;
    }
    for (size_t i = 0; i < count; i++) {
        struct public_key *key = &anchors->keys[i];
        if (w->trust.count ? public_key_load(w->trust.items[i], key) : public_key_from_trust(&present->keys[i], key)) {
            if (!w->trust.count)
                tool_error(a->name, "a key that it holds cannot be read");
            return -1;
        }
        anchors->spki[i] = (struct digest_piece){ key->der, key->der_len };
        anchors->count++;
    }
    return 0;
}

static void say_finding(void *ctx, unsigned line, int err, const char *word, size_t len, bool handled)
{
    char where[PATH_MAX + 16];
    const char *what = err == ERR_SCRIPT_SYNTAX && len ? "a ${ without its }" : err_text(err);
    snprintf(where, sizeof where, "%s:%u", (const char *)ctx, line);
    tool_error(where, "%s%s%s%.*s", handled ? "note: " : "", what, len ? ": " : "", (int)len, word);
}

static uint8_t *read_script(const char *path, size_t *ret_len)
{
    uint8_t *script = file_read(path, EMBED_BLOB_MAX, ret_len);
    if (!script)
        return NULL;
    if (memchr(script, 0, *ret_len))
        tool_error(path, "is not a script: it holds NUL bytes");
    else if (!script_is_script((const char *)script, *ret_len))
        tool_error(path, "is not a script: it must begin with #!ipxe");
    else
        return script;
    free(script);
    return NULL;
}

static int write_file(const struct embed_usb_part *part, const char *output)
{
    struct file_out out;
    if (file_out_begin(&out, output, 0666) == 0 && file_out_write(&out, 0, part->made, part->made_len) == 0 &&
        file_out_commit(&out, true) == 0)
        return 0;
    file_out_abort(&out);
    return -1;
}

static int write_target(struct target *t, const uint8_t *blob, size_t blob_len, const char *output)
{
    bool was_signed[EMBED_USB_PARTS];
    for (size_t i = 0; i < t->count; i++) {
        struct embed_usb_part *part = &t->parts[i];
        part->made = artefact_build(&part->artefact, blob, blob_len, &part->made_len, &was_signed[i]);
        if (!part->made)
            return EXIT_FAIL;
    }
    if (t->usb ? embed_usb_write(t->usb, output) : write_file(&t->parts[0], output))
        return EXIT_FAIL;
    for (size_t i = 0; i < t->count; i++)
        if (was_signed[i])
            tool_error(t->usb ? t->parts[i].artefact.name : output,
                       "note: its Authenticode signature is gone; sign it again for Secure Boot");
    return EXIT_OK;
}

static int embed_into(struct target *t, const struct wanted *w)
{
    struct artefact *a = &t->parts[0].artefact;
    static const struct embed nothing;
    const struct embed *keep = w->clear ? &nothing : &a->now;
    struct anchors *anchors = tool_alloc(sizeof *anchors);
    uint8_t *blob = tool_alloc(EMBED_BLOB_MAX), *script = NULL;
    int status = EXIT_FAIL;
    struct embed_source source = {
        .script = keep->script,
        .script_len = keep->script_len,
        .threshold = w->threshold_given ? (uint32_t)w->threshold : keep->trust.threshold,
        .counter_floor = w->floor_given ? w->floor : keep->trust.counter_floor,
        .product = w->product ? w->product : keep->trust.product,
        .spki = anchors->spki,
    };
    if (w->script_path) {
        script = read_script(w->script_path, &source.script_len);
        source.script = (const char *)script;
        if (!script)
            goto done;
    }
    if (collect_anchors(anchors, w, a) != 0)
        goto done;
    source.spki_count = anchors->count;
    int len = embed_build(&source, blob, EMBED_BLOB_MAX);
    struct embed check;
    if (len >= 0 && source.threshold > anchors->count && source.threshold > 1)
        len = ERR_INVALID;
    if (len == ERR_INVALID && source.threshold > anchors->count) {
        tool_error("--threshold", "%u signatures can never come from %zu key%s", source.threshold, anchors->count,
                   anchors->count == 1 ? "" : "s");
        goto done;
    }
    int r = len < 0 ? len : embed_parse(blob, (size_t)len, &check);
    if (r < 0) {
        tool_error(a->name, "script and keys: %s (%s)", err_text(r), err_code(r));
        goto done;
    }
    // What fits is judged as the firmware will read it.
    if (script && script_check(source.script, source.script_len, say_finding, (void *)w->script_path) != 0)
        goto done;
    uint32_t flags = !w->drivers ? a->flags : strcmp(w->drivers, FIRMWARE) == 0 ? EMBED_FLAG_FIRMWARE_DRIVERS : 0;
    for (size_t i = 0; i < t->count; i++)
        t->parts[i].artefact.flags = flags;
    status = write_target(t, blob, (size_t)len, w->output);
    if (status == EXIT_OK && anchors->count == 0)
        tool_error(w->output, "note: it holds no trust anchor and will boot nothing");
done:
    free(script);
    free(blob);
    free(anchors);
    return status;
}

int embed_main(int argc, char **argv)
{
    struct wanted w = { 0 };
    struct opt_list operands = { 0 };
    const struct opt table[] = {
        OPTION_TEXT('o', "output", &w.output, "OUT", "write the artefact here; it may be ARTEFACT itself"),
        OPTION_TEXT(0, "script", &w.script_path, "F", "script (#!ipxe) that runs first"),
        OPTION_LIST('t', "trust", &w.trust, "PUB", "trust this public key; repeat for several"),
        OPTION_NUMBER(0, "threshold", &w.threshold, "N", 1, TRUST_KEYS_MAX, &w.threshold_given,
                      "so many of the keys must have signed an image"),
        OPTION_NUMBER(0, "floor", &w.floor, "N", 0, 0, &w.floor_given, "smallest security counter that boots"),
        OPTION_TEXT(0, "product", &w.product, "P", "boot only images for this product (\"\": any)"),
        OPTION_TEXT(0, "drivers", &w.drivers, "WHOSE",
                    "who drives the network cards: " NATIVE " (Signet those that it knows;\n"
                    "the default) or " FIRMWARE " (UNDI or SNP all of them)"),
        OPTION_FLAG(0, "clear", &w.clear, "keep nothing of what the artefact holds"),
        OPTION_FLAG(0, "show", &w.show, "show what the artefact holds, write nothing"),
        OPTION_FLAG(0, "json", &w.json, "with --show: write JSON"),
    };
    int status = opts_parse(table, ARRAY_SIZE(table), &help, argc, argv, &operands);
    if (status >= 0)
        return status;
    if (operands.count != 1)
        return tool_usage(NULL, operands.count ? "one artefact at a time" : "no artefact given");
    if (!w.output && !w.show)
        return tool_usage("-o", "no output file given");
    if (w.show && (w.output || w.clear || w.script_path || w.trust.count || w.threshold_given || w.floor_given || w.product || w.drivers))
        return tool_usage("--show", "writes nothing and takes no other option but --json");
    if (w.product && strlen(w.product) >= TRUST_PRODUCT_MAX)
        return tool_usage("--product", "is longer than %d characters", TRUST_PRODUCT_MAX - 1);
    if (w.drivers && strcmp(w.drivers, NATIVE) != 0 && strcmp(w.drivers, FIRMWARE) != 0)
        return tool_usage("--drivers", "is " NATIVE " or " FIRMWARE);

    struct target *t = tool_alloc(sizeof *t);
    int r = read_target(t, operands.items[0], w.clear);
    status = r != 0 ? EXIT_FAIL : w.show ? show(t, w.json) : embed_into(t, &w);
    free_target(t);
    return status;
}
