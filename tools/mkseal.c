// SPDX-License-Identifier: MPL-2.0
// mkimage: phase-2 images, and the detached seals of `signet seal`. The size of the seal is known before the payload is read, so the payload
// is streamed to its final place and the seal written in front of it at the end.
#include "image/place.h"
#include "keys.h"
#include "mkimage.h"
#include "mkimage_program.h"
#include "payload.h"
#include "seal_initrd.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

static int add_ramdisk(struct payload *p, const struct mkimage *m, const char *path)
{
    struct seal_part *part = payload_add(p, PART_RAMDISK, path);
    if (!part)
        return -1;
    if (!m->target_given)
        return 0;
    part->memory = m->target_mib * MIB;
    if (part->memory < part->size) {
        tool_error(path, "has %" PRIu64 " bytes and does not fit into -s %" PRIu64 " MiB", part->size, m->target_mib);
        return -1;
    }
    return 0;
}

static int add_parts(struct payload *p, const struct mkimage *m, const char **ret_doors)
{
    if (m->ramdisks.count > PLACE_RAMDISKS_MAX) {
        tool_error(m->ramdisks.items[PLACE_RAMDISKS_MAX], "is one ramdisk too many: firmware places %d",
                   PLACE_RAMDISKS_MAX);
        return -1;
    }
    if (mkimage_program(p, m, ret_doors) != 0)
        return -1;
    for (size_t i = 0; i < m->initrds.count; i++)
        if (m->detached ? sealed_initrd(p, m->initrds.items[i]) != 0 : !payload_add(p, PART_INITRD, m->initrds.items[i]))
            return -1;
    for (size_t i = 0; i < m->ramdisks.count; i++)
        if (add_ramdisk(p, m, m->ramdisks.items[i]) != 0)
            return -1;
    return 0;
}

static void describe(const struct mkimage *m, struct seal *seal)
{
    if (m->name)
        snprintf(seal->name, sizeof seal->name, "%s", m->name);
    else
        file_seal_name(m->kernel ? m->kernel : m->efi ? m->efi : m->nbp ? m->nbp : m->ramdisks.items[0], seal->name, sizeof seal->name);
    snprintf(seal->product, sizeof seal->product, "%s", m->product ? m->product : "");
    snprintf(seal->dataset, sizeof seal->dataset, "%s", m->dataset ? m->dataset : "");
    snprintf(seal->cmdline, sizeof seal->cmdline, "%s", m->cmdline ? m->cmdline : "");
    for (size_t i = 0, len = 0; i < m->allow.count; i++)
        len += (size_t)snprintf(seal->arguments + len, sizeof seal->arguments - len, "%s%s", i ? " " : "", m->allow.items[i]);
    seal->detached = m->detached;
    seal->counter = m->counter;
    seal->target = m->kernel ? TARGET_LINUX_X86 : TARGET_DATA;
}

struct signers {
    struct signing_key *keys[SEAL_SIGNATURES_MAX];
    struct public_key public_keys[SEAL_SIGNATURES_MAX];
    uint32_t count;
};

static int load_signers(struct signers *s, const struct opt_list *paths)
{
    for (size_t i = 0; i < paths->count; i++) {
        struct signing_key *key = key_load(paths->items[i]);
        if (!key)
            return -1;
        s->keys[s->count++] = key;
        struct public_key *pub = &s->public_keys[i];
        if (key_public(key, pub) != 0) {
            tool_error(paths->items[i], "its public half cannot be encoded");
            return -1;
        }
        for (size_t j = 0; j < i; j++) {
            if (memcmp(s->public_keys[j].trust.id, pub->trust.id, KEY_ID_SIZE) == 0) {
                tool_error(paths->items[i], "is the same key as %s", paths->items[j]);
                return -1;
            }
        }
    }
    return 0;
}

// Head, body and table into buf (SEAL_MAX bytes). With `sign` false the signatures are zeros: for the size.
static int build_seal(const struct seal *seal, const struct signers *signers, bool sign, uint8_t *buf)
{
    static const char domain[] = SEAL_DOMAIN;
    uint8_t raw[SEAL_SIGNATURES_MAX][SIG_SIZE_MAX] = { 0 };
    struct seal_signature entries[SEAL_SIGNATURES_MAX];
    int len = seal_build(seal, buf, SEAL_MAX);
    if (len < 0)
        return len;
    const struct digest_piece message[] = { { domain, sizeof domain }, { buf, (size_t)len } };
    for (uint32_t i = 0; i < signers->count; i++) {
        const struct trust_key *key = &signers->public_keys[i].trust;
        entries[i] = (struct seal_signature){ key->id, key->algorithm, raw[i], (uint32_t)sig_size(key->algorithm) };
        int r = sign ? key_sign(signers->keys[i], message, ARRAY_SIZE(message), raw[i]) : 0;
        if (r < 0)
            return r;
    }
    int table = seal_build_table(entries, signers->count, buf + len, SEAL_MAX - (size_t)len);
    return table < 0 ? table : len + table;
}

// Reads the finished seal as a machine that trusts these keys would.
static int check_seal(const struct signers *signers, bool detached, const uint8_t *buf, int len)
{
    struct trust_store trust = { .threshold = signers->count };
    struct seal *seen = tool_alloc(sizeof *seen);
    struct seal_view view;
    int r = 0;
    for (uint32_t i = 0; i < signers->count && r >= 0; i++)
        r = trust_add(&trust, &signers->public_keys[i].trust);
    if (r >= 0 && signers->count)
        r = (detached ? seal_open_detached : seal_open)(buf, (size_t)len, &trust, seen);
    else if (r >= 0 && (r = seal_view(buf, (size_t)len, &view)) == 0)
        r = seal_parse_body(&view, seen);
    free(seen);
    return r < 0 ? r : 0;
}

static int write_image(struct payload *p, const struct signers *signers, struct file_out *out, uint8_t image_id[])
{
    struct seal *seal = p->seal;
    uint8_t *buf = tool_alloc(SEAL_MAX);
    size_t list_size = (size_t)seal->chunk_count * SHA256_SIZE;
    uint8_t *list = tool_alloc(list_size);
    struct seal_view view;
    int status = -1;
    int len = build_seal(seal, signers, false, buf);
    if (len >= 0)
        len = seal_view(buf, (size_t)len, &view) == 0 ? len : ERR_INTERNAL;
    uint64_t list_at = len < 0 ? 0 : seal_list_offset(&view);
    if (len >= 0) {
        if (payload_write(p, out, seal_payload_offset(&view), list) != 0)
            goto done;
        sha256(list, list_size, seal->list_digest);
        int again = build_seal(seal, signers, true, buf);
        len = again == len || again < 0 ? again : ERR_INTERNAL;
    }
    int r = len < 0 ? len : check_seal(signers, seal->detached, buf, len);
    if (r < 0) {
        tool_error(out->path, "the seal could not be made: %s (%s)", err_text(r), err_code(r));
        goto done;
    }
    if (file_out_write(out, 0, buf, (size_t)len) != 0 || file_out_write(out, list_at, list, list_size) != 0)
        goto done;
    if (seal_view(buf, (size_t)len, &view) == 0)
        seal_image_id(&view, image_id);
    status = 0;
done:
    free(list);
    free(buf);
    return status;
}

int mkimage_seal(const struct mkimage *m)
{
    int status = EXIT_FAIL;
    struct seal *seal = tool_alloc(sizeof *seal);
    struct signers *signers = tool_alloc(sizeof *signers);
    struct payload payload;
    struct file_out out = { .fd = -1 };
    uint8_t image_id[SHA256_SIZE] = { 0 };
    const char *doors = NULL;
    payload_init(&payload, seal);
    describe(m, seal);
    // The output is begun first: a place that cannot be written to is told before gigabytes are read.
    if (load_signers(signers, &m->keys) == 0 && add_parts(&payload, m, &doors) == 0 &&
        payload_chunks(&payload, (uint32_t)m->chunk_size, m->output) == 0 &&
        file_out_begin_apart(&out, m->output, 0666) == 0 && write_image(&payload, signers, &out, image_id) == 0 &&
        file_out_commit(&out, true) == 0) {
        char hex[2 * SHA256_SIZE + 1];
        printf("image name = %s\nimage id = %s\ntarget = %s\n", seal->name, tool_hex(image_id, sizeof image_id, hex), seal_target_name(seal->target));
        if (doors)
            printf("starts in = %s\n", doors);
        if (*seal->arguments)
            printf("allowed arguments = %s\n", seal->arguments);
        printf("payload size = %" PRIu64 "\nsignatures = %u\n", seal->payload_size, signers->count);
        status = tool_flush();
    }
    file_out_abort(&out);
    payload_close(&payload);
    for (uint32_t i = 0; i < signers->count; i++)
        key_free(signers->keys[i]);
    free(signers);
    free(seal);
    return status;
}
