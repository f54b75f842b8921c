// SPDX-License-Identifier: MPL-2.0
// signet embed: script and trust anchors into a finished artefact (doc/embed-format.md). The bare artefact
// is never changed but for its slot, so embedding again starts from the same bytes: what comes out depends
// only on the bare artefact and on what is embedded.
#include "image/embed.h"
#include "base/bytes.h"
#include "base/range.h"
#include "embed_pe.h"
#include "file.h"
#include "keys.h"
#include "opts.h"
#include "report.h"
#include <stdio.h>
#include <stdlib.h>

#define ARTEFACT_MAX (64 * 1024 * 1024)

static const struct opt_help help = {
    .usage = "[--script F] [--trust PUB]... [--threshold N] [--floor N] [--product P] ARTEFACT -o OUT\n"
             "       signet embed --show ARTEFACT",
    .about = "Puts the script and the public keys that a firmware trusts into a finished artefact (undionly.kpxe, ipxe.efi).\n"
             "What is not named keeps what the artefact holds already; --trust names all keys anew. With --clear\n"
             "nothing is kept. An artefact without keys boots nothing.",
};

struct artefact {
    const char *path;
    uint8_t *data;
    size_t len;
    uint8_t *slot; // in data
    uint32_t kind, base, capacity;
    uint8_t *blob; // in data, NULL when there is none
    size_t blob_len;
    struct embed now; // what it holds
};

// With `clear` what it holds is not looked at, so that damage there does not matter.
static int read_artefact(struct artefact *a, const char *path, bool clear)
{
    size_t at;
    a->path = path;
    a->data = file_read(path, ARTEFACT_MAX, &a->len);
    if (!a->data)
        return -1;
    if (embed_find_slot(a->data, a->len, &at) < 0) {
        tool_error(path, "is not a Signet artefact: it has no place for a script and keys");
        return -1;
    }
    a->slot = a->data + at;
    a->kind = load32_le(a->slot + SLOT_KIND);
    a->base = embed_slot_base(a->slot, at);
    a->capacity = load32_le(a->slot + SLOT_CAPACITY);
    if (a->kind != EMBED_NBP && a->kind != EMBED_EFI) {
        tool_error(path, "is an artefact of a kind that this version does not know (%u)", a->kind);
        return -1;
    }
    uint32_t offset = load32_le(a->slot + SLOT_OFFSET), length = load32_le(a->slot + SLOT_LENGTH);
    if (clear || (offset == 0 && length == 0))
        return 0;
    int r = offset != a->base || !range_fits(offset, length, a->len)
                ? ERR_EMBED_DAMAGED
                : embed_parse(a->data + offset, length, &a->now);
    if (r < 0) {
        tool_error(path, "%s (%s); --clear starts anew", err_text(r), err_code(r));
        return -1;
    }
    a->blob = a->data + offset;
    a->blob_len = length;
    return 0;
}

static int show(const struct artefact *a, bool json)
{
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
    return tool_flush();
}

struct wanted {
    const char *script_path, *product, *output;
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
                tool_error(a->path, "a key that it holds cannot be read");
            return -1;
        }
        anchors->spki[i] = (struct digest_piece){ key->der, key->der_len };
        anchors->count++;
    }
    return 0;
}

static uint8_t *read_script(const char *path, size_t *ret_len)
{
    uint8_t *script = file_read(path, EMBED_BLOB_MAX, ret_len);
    if (!script)
        return NULL;
    if (memchr(script, 0, *ret_len))
        tool_error(path, "is not a script: it holds NUL bytes");
    else if (*ret_len < 6 || memcmp(script, "#!ipxe", 6) != 0)
        tool_error(path, "is not a script: it must begin with #!ipxe");
    else
        return script;
    free(script);
    return NULL;
}

static int write_artefact(const struct artefact *a, const uint8_t *blob, size_t blob_len, const char *output)
{
    struct file_out out;
    uint64_t total = (uint64_t)a->base + blob_len;
    if (total > UINT32_MAX || (a->capacity && total > a->capacity))
        return tool_error(a->path, "script and keys do not fit: %llu bytes, and this artefact may have %u",
                          (unsigned long long)total, a->capacity);
    store32_le(a->slot + SLOT_OFFSET, a->base);
    store32_le(a->slot + SLOT_LENGTH, (uint32_t)blob_len);
    uint8_t *pe = NULL;
    const uint8_t *head = a->data, *tail = blob;
    size_t head_len = a->base, tail_len = blob_len;
    bool was_signed = false;
    if (a->kind == EMBED_EFI) {
        size_t len;
        pe = embed_pe_build(a->path, a->data, a->base, blob, blob_len, &len, &was_signed);
        if (!pe)
            return EXIT_FAIL;
        head = pe;
        tail = pe + head_len;
        tail_len = len - head_len;
    }
    int status = EXIT_OK;
    if (file_out_begin(&out, output, 0666) != 0 || file_out_write(&out, 0, head, head_len) != 0 ||
        file_out_write(&out, head_len, tail, tail_len) != 0 || file_out_commit(&out, true) != 0) {
        file_out_abort(&out);
        status = EXIT_FAIL;
    }
    free(pe);
    if (status == EXIT_OK && was_signed)
        tool_error(output, "note: its Authenticode signature is gone; sign it again for Secure Boot");
    return status;
}

static int embed_into(struct artefact *a, const struct wanted *w)
{
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
        tool_error(a->path, "script and keys: %s (%s)", err_text(r), err_code(r));
        goto done;
    }
    status = write_artefact(a, blob, (size_t)len, w->output);
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
    if (w.show && (w.output || w.clear || w.script_path || w.trust.count || w.threshold_given || w.floor_given || w.product))
        return tool_usage("--show", "writes nothing and takes no other option but --json");
    if (w.product && strlen(w.product) >= TRUST_PRODUCT_MAX)
        return tool_usage("--product", "is longer than %d characters", TRUST_PRODUCT_MAX - 1);

    struct artefact *a = tool_alloc(sizeof *a);
    int r = read_artefact(a, operands.items[0], w.clear);
    status = r != 0 ? EXIT_FAIL : w.show ? show(a, w.json) : embed_into(a, &w);
    free(a->data);
    free(a);
    return status;
}
