// SPDX-License-Identifier: MPL-2.0
// lookimage: phase-2 images. The judgement is the firmware's own code; what is added here is that it goes on
// after the first finding, so that every damaged chunk is named.
#include "base/range.h"
#include "file.h"
#include "image/cpio.h"
#include "keys.h"
#include "lookimage.h"
#include <stdio.h>
#include <stdlib.h>

static const char *kind_name(uint32_t kind)
{
    static const char *const names[] = { "unknown", "kernel", "initrd", "ramdisk", "module", "application" };
    return names[kind < ARRAY_SIZE(names) ? kind : 0];
}

static void note(struct look_result *result, int err)
{
    if (!result->err)
        result->err = err;
}

static void damage(struct report *report, struct look_result *result, const char *check, int err)
{
    report_text(report, check, "%s (%s)", err_text(err), err_code(err));
    result->damaged = true;
    note(result, err);
}

// What stands in front of a part's file: the head of a cpio archive, whose last entry the file is.
static void print_front(struct report *report, const struct seal *seal, const struct seal_part *part)
{
    struct cpio_view entry;
    report_number(report, "bytes in front", part->front_len);
    if (!cpio_last(seal->bytes + part->front_at, part->front_len, &entry)) {
        report_text(report, "front", "is no head of a cpio archive");
        return;
    }
    report_text(report, "becomes file", "/%.*s", (int)entry.path_len, entry.path);
    report_text(report, "with mode", "%04o", (unsigned)(entry.mode & CPIO_MODE_MAX));
    if (entry.size != seal_file_size(part))
        report_text(report, "front", "says %u bytes, and the file has another length", entry.size);
}

static void print_seal(struct report *report, const struct seal *seal)
{
    report_text(report, "image name", "%s", seal->name);
    if (*seal->product)
        report_text(report, "product", "%s", seal->product);
    report_number(report, "counter", seal->counter);
    report_text(report, "target", "%s", seal_target_name(seal->target));
    // An application without one gets no load options, a kernel the empty text.
    if (seal_target_is_linux(seal->target) || *seal->cmdline)
        report_text(report, "command line", "%s", seal->cmdline);
    if (*seal->arguments)
        report_text(report, "allowed arguments", "%s", seal->arguments);
    if (*seal->dataset)
        report_text(report, "dataset name", "%s", seal->dataset);
    if (seal->detached)
        report_text(report, "payload", "files that lie elsewhere (a detached seal)");
    report_list(report, "parts");
    for (uint32_t i = 0; i < seal->part_count; i++) {
        const struct seal_part *part = &seal->parts[i];
        char hex[2 * SHA256_SIZE + 1];
        report_item(report, "part", i);
        report_text(report, "kind", "%s", kind_name(part->kind));
        report_text(report, "name", "%s", part->name);
        report_number(report, "offset", part->offset);
        report_number(report, "size", part->size);
        if (part->address)
            report_text(report, "address", "0x%llx", (unsigned long long)part->address);
        if (part->memory)
            report_number(report, "memory", part->memory);
        if (part->align || part->kind == PART_KERNEL)
            report_text(report, "align", "0x%x", part->align);
        if (part->kind == PART_KERNEL)
            report_number(report, "split", part->split);
        if (part->front_len)
            print_front(report, seal, part);
        if (seal->detached)
            report_text(report, "file sha-256", "%s", tool_hex(seal->files[i], SHA256_SIZE, hex));
    }
    report_list_end(report);
}

// Each signature for itself, then the store's judgement of them all.
static void check_signatures(const struct lookimage *look, struct report *report, const struct seal_view *view,
                             struct look_result *result)
{
    static const char domain[] = SEAL_DOMAIN;
    const struct digest_piece message[] = { { domain, sizeof domain }, { view->head, SEAL_HEAD_SIZE + view->body_size } };
    report_list(report, "signatures");
    for (uint32_t i = 0; i < view->signature_count; i++) {
        struct seal_signature sig = seal_signature_at(view, i);
        const struct trust_key *key = trust_find(&look->trust, sig.key_id);
        const char *name = key_algorithm_name(sig.algorithm);
        char hex[2 * KEY_ID_SIZE + 1];
        report_item(report, "signature", i);
        report_text(report, "key", "%s", tool_hex(sig.key_id, KEY_ID_SIZE, hex));
        if (name)
            report_text(report, "algorithm", "%s", name);
        else
            report_text(report, "algorithm", "%u (not known)", sig.algorithm);
        const char *state = "key not given";
        if (key && key->algorithm != sig.algorithm)
            state = "BAD: algorithm is not the key's";
        else if (key)
            state = sig_verify(key, message, ARRAY_SIZE(message), sig.bytes, sig.size) == 0 ? "good" : "BAD";
        report_text(report, "state", "%s", state);
    }
    report_list_end(report);

    int r = seal_verify_signatures(view, &look->trust);
    if (look->trust.key_count == 0 && view->signature_count) {
        report_text(report, "check signatures", "no key given (--trust)");
        note(result, ERR_SEAL_NO_TRUST);
        result->why = "no key given";
    } else if (r < 0) {
        report_text(report, "check signatures", "%s (%s)", err_text(r), err_code(r));
        note(result, r);
        result->damaged = r == ERR_SEAL_SIGNATURE;
    } else {
        report_text(report, "check signatures", "ok");
        result->trusted = true;
    }
}

// Product and counter: the part of the policy that lies in the body.
static void check_policy(const struct lookimage *look, struct report *report, const struct seal_view *view, bool detached,
                         struct look_result *result)
{
    struct seal *seal = tool_alloc(sizeof *seal);
    int r = (detached ? seal_open_detached : seal_open)(view->head, seal_size(view), &look->trust, seal);
    free(seal);
    if (r == 0)
        return;
    report_text(report, "check policy", "%s (%s)", err_text(r), err_code(r));
    note(result, r);
    result->trusted = false;
}

// One damaged chunk: where it is in the file, and which parts it touches.
static void print_chunk(struct report *report, const struct seal *seal, uint64_t payload, uint32_t chunk, unsigned item,
                        const char *state)
{
    uint64_t at = (uint64_t)chunk * seal->chunk_size;
    uint32_t len = seal_chunk_length(seal, chunk);
    char parts[SEAL_PARTS_MAX * (SEAL_NAME_MAX + 1) + 1] = "";
    for (uint32_t i = 0; i < seal->part_count; i++) {
        const struct seal_part *part = &seal->parts[i];
        if (range_overlaps(at, len, part->offset, part->size)) {
            strcat(parts, *parts ? " " : "");
            strcat(parts, part->name);
        }
    }
    report_item(report, "damaged", item);
    report_number(report, "chunk", chunk);
    report_number(report, "file offset", payload + at);
    report_number(report, "length", len);
    report_text(report, "state", "%s", state);
    report_text(report, "parts", "%s", parts);
}

static bool check_chunks(const struct lookimage *look, struct report *report, const struct seal *seal,
                         const uint8_t *list, uint64_t payload, struct look_result *result)
{
    uint8_t *buf = tool_alloc(seal->chunk_size);
    unsigned bad = 0;
    int first = 0; // the first chunk's error
    bool readable = true;
    report_list(report, "damaged chunks");
    for (uint32_t i = 0; i < seal->chunk_count && readable; i++) {
        uint64_t at = payload + (uint64_t)i * seal->chunk_size;
        uint32_t len = seal_chunk_length(seal, i);
        uint8_t digest[SHA256_SIZE];
        if (!range_fits(at, len, look->size)) {
            print_chunk(report, seal, payload, i, bad++, at >= look->size ? "missing" : "cut off");
            first = first ? first : ERR_TRUNCATED;
            continue;
        }
        if (file_read_at(look->fd, look->path, at, buf, len) != 0) {
            readable = false;
            break;
        }
        sha256(buf, len, digest);
        if (memcmp(digest, list + (size_t)i * SHA256_SIZE, SHA256_SIZE) != 0) {
            print_chunk(report, seal, payload, i, bad++, "does not match its digest");
            first = first ? first : ERR_SEAL_CHUNK;
        }
    }
    report_list_end(report);
    free(buf);
    if (bad) {
        report_text(report, "check chunks", "%u of %u damaged (%s)", bad, seal->chunk_count, err_code(first));
        result->damaged = true;
        note(result, first);
    } else if (readable) {
        report_text(report, "check chunks", "ok");
    }
    return readable;
}

// Zeros between list and payload, as far as the file goes.
static bool check_padding(const struct lookimage *look, struct report *report, const struct seal_view *view,
                          struct look_result *result)
{
    uint8_t pad[PAYLOAD_ALIGN];
    uint64_t from = seal_list_offset(view) + seal_list_size(view), payload = seal_payload_offset(view);
    size_t len = (size_t)(MIN(payload, look->size) - from);
    if (len && file_read_at(look->fd, look->path, from, pad, len) != 0)
        return false;
    for (size_t i = 0; i < len; i++) {
        if (pad[i]) {
            damage(report, result, "check padding", ERR_SEAL_PADDING);
            break;
        }
    }
    return true;
}

static void check_end(const struct lookimage *look, struct report *report, uint64_t end, struct look_result *result)
{
    if (look->size <= end)
        return;
    report_text(report, "check size", "%llu bytes too many at the end (%s)", (unsigned long long)(look->size - end),
                err_code(ERR_SEAL_TRAILING));
    result->damaged = true;
    note(result, ERR_SEAL_TRAILING);
}

static bool check_sums(const struct lookimage *look, struct report *report, const struct seal_view *view,
                       const struct seal *seal, struct look_result *result)
{
    uint64_t at = seal_list_offset(view);
    size_t len = (size_t)seal_list_size(view);
    if (!range_fits(at, len, look->size)) {
        damage(report, result, "check chunk list", ERR_TRUNCATED);
        return true;
    }
    uint8_t *list = tool_alloc(len);
    bool readable = file_read_at(look->fd, look->path, at, list, len) == 0;
    if (readable) {
        int r = seal_check_list(seal, list, len);
        if (r < 0)
            damage(report, result, "check chunk list", r);
        else
            report_text(report, "check chunk list", "ok");
        if (seal->detached) {
            check_end(look, report, at + len, result);
            if (r == 0)
                look_files(look, report, seal, list, result);
        } else {
            readable = check_padding(look, report, view, result) &&
                       check_chunks(look, report, seal, list, seal_payload_offset(view), result);
            check_end(look, report, seal_payload_offset(view) + view->payload_size, result);
        }
    }
    free(list);
    return readable;
}

bool look_seal(const struct lookimage *look, struct report *report, struct look_result *ret)
{
    size_t len = (size_t)MIN(look->size, (uint64_t)SEAL_MAX);
    uint8_t *data = tool_alloc(SEAL_MAX);
    struct seal *seal = tool_alloc(sizeof *seal);
    struct seal_view view;
    char hex[2 * SHA256_SIZE + 1];
    bool readable = file_read_at(look->fd, look->path, 0, data, len) == 0;
    if (!readable)
        goto done;
    report_text(report, "format", "phase-2 image, version %u", len >= HEAD_SIZE ? load16_le(data + HEAD_VERSION) : 0);
    int r = seal_view(data, len, &view);
    if (r < 0) {
        damage(report, ret, "check seal", r);
        goto done;
    }
    uint8_t id[SHA256_SIZE];
    seal_image_id(&view, id);
    r = seal_parse_body(&view, seal);
    if (r == 0)
        print_seal(report, seal);
    if (r == 0 && look->files && !seal->detached) {
        tool_error(look->path, "%s, but an image: --files is not for it (%s)", err_text(ERR_SEAL_ATTACHED), err_code(ERR_SEAL_ATTACHED));
        readable = false;
        goto done;
    }
    report_text(report, "image id", "%s", tool_hex(id, sizeof id, hex));
    report_number(report, "payload size", view.payload_size);
    report_number(report, "chunk size", view.chunk_size);
    report_number(report, "chunk count", view.chunk_count);
    check_signatures(look, report, &view, ret);
    if (r < 0) {
        // The lengths of the head would do to go on, but without a body there is no knowing what for.
        damage(report, ret, "check seal", r);
        goto done;
    }
    report_text(report, "check seal", "ok");
    if (ret->trusted)
        check_policy(look, report, &view, seal->detached, ret);
    if (look->skip_sums)
        report_text(report, "check chunks", "skipped");
    else
        readable = check_sums(look, report, &view, seal, ret);
done:
    free(seal);
    free(data);
    return readable;
}
