// SPDX-License-Identifier: MPL-2.0
// mkimage: phase-2 images. The size of the seal is known before the payload is read, so the payload is
// streamed to its final place and the seal written in front of it at the end.
#include "image/arm64.h"
#include "image/bzimage.h"
#include "image/pe.h"
#include "image/place.h"
#include "keys.h"
#include "mkimage.h"
#include "payload.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

// What the firmware appends to the command line, at its longest: " signet.name=" " signet.counter="
// " signet.ramdisk=0x...,0x..." with their numbers, one of the last for each ramdisk.
static size_t cmdline_extra(const struct seal *seal, size_t ramdisks)
{
    return strlen(" signet.name=") + strlen(seal->name) + strlen(" signet.counter=") + 20 +
           ramdisks * (strlen(" signet.ramdisk=0x,0x") + 32);
}

// Appends the file that will be started, and reads what its headers may take into `head` (PE_HEADERS_MAX bytes).
static struct seal_part *add_program(struct payload *p, uint32_t kind, const char *path, uint8_t *head, size_t *ret_len)
{
    struct seal_part *part = payload_add(p, kind, path);
    if (!part)
        return NULL;
    *ret_len = (size_t)MIN(part->size, (uint64_t)PE_HEADERS_MAX);
    return file_read_at(p->files[0].fd, path, 0, head, *ret_len) == 0 ? part : NULL;
}

// What a Linux kernel asks of memory, and the longest command line that it takes. The error of bzimage_parse for what is
// no kernel.
static int fill_linux(struct seal *seal, struct seal_part *part, const uint8_t *head, size_t len, uint32_t *ret_limit)
{
    struct bzimage kernel;
    struct arm64_image arm64;
    int r = bzimage_parse(head, len, part->size, &kernel);
    if (r == 0) {
        part->address = kernel.pref_address;
        part->memory = kernel.init_size;
        part->align = kernel.alignment;
        part->split = kernel.setup_size;
        *ret_limit = kernel.cmdline_size;
    } else if (arm64_parse(head, len, part->size, &arm64) == 0) {
        seal->target = TARGET_LINUX_ARM64;
        part->memory = arm64.memory;
        part->align = ARM64_ALIGN;
        *ret_limit = ARM64_CMDLINE_MAX;
        r = 0;
    }
    return r;
}

static int fill_application(struct seal *seal, struct seal_part *part, const struct pe_image *pe, const char *path)
{
    if (pe->machine != PE_MACHINE_X64 && pe->machine != PE_MACHINE_ARM64) {
        tool_error(path, "is an EFI application for a processor that Signet does not run on (machine 0x%x)", pe->machine);
        return -1;
    }
    seal->target = pe->machine == PE_MACHINE_X64 ? TARGET_EFI_X64 : TARGET_EFI_ARM64;
    part->kind = PART_APPLICATION;
    part->memory = MAX((uint64_t)pe->memory, part->size);
    return 0;
}

static int check_cmdline(const struct mkimage *m, const struct seal *seal, uint32_t limit)
{
    size_t have = strlen(seal->cmdline), extra = cmdline_extra(seal, m->ramdisks.count);
    if (have + extra <= limit)
        return 0;
    tool_error("--cmdline", "%zu characters and the %zu that the firmware appends are more than this kernel takes (%u)",
               have, extra, limit);
    return -1;
}

// A Linux kernel, or a unified kernel image, which is an EFI application with all that Linux needs in it.
static int add_kernel(struct payload *p, const struct mkimage *m)
{
    uint8_t head[PE_HEADERS_MAX];
    size_t len;
    struct pe_image pe;
    uint32_t limit;
    struct seal_part *part = add_program(p, PART_KERNEL, m->kernel, head, &len);
    if (!part)
        return -1;
    int r = fill_linux(p->seal, part, head, len, &limit);
    if (r == 0)
        return check_cmdline(m, p->seal, limit);
    if (r != ERR_BOOT_FORMAT || pe_parse(head, len, part->size, &pe) != 0) {
        tool_error(m->kernel, "is not a Linux bzImage that can be booted: %s (%s)", err_text(r), err_code(r));
        return -1;
    }
    if (!pe.unified) {
        tool_error(m->kernel, "is an EFI application and no kernel; --efi makes an image of it");
        return -1;
    }
    if (m->initrds.count || m->ramdisks.count) {
        tool_error(m->kernel, "is a unified kernel image: it brings its own initrd, and nothing can be added");
        return -1;
    }
    return fill_application(p->seal, part, &pe, m->kernel);
}

static int add_application(struct payload *p, const struct mkimage *m)
{
    uint8_t head[PE_HEADERS_MAX];
    size_t len;
    struct pe_image pe;
    struct seal_part *part = add_program(p, PART_APPLICATION, m->efi, head, &len);
    if (!part)
        return -1;
    int r = pe_parse(head, len, part->size, &pe);
    if (r != 0) {
        tool_error(m->efi, "is not an EFI application: %s (%s)", err_text(r), err_code(r));
        return -1;
    }
    return fill_application(p->seal, part, &pe, m->efi);
}

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

static int add_parts(struct payload *p, const struct mkimage *m)
{
    if (m->ramdisks.count > PLACE_RAMDISKS_MAX) {
        tool_error(m->ramdisks.items[PLACE_RAMDISKS_MAX], "is one ramdisk too many: firmware places %d",
                   PLACE_RAMDISKS_MAX);
        return -1;
    }
    if (m->kernel && add_kernel(p, m) != 0)
        return -1;
    if (m->efi && add_application(p, m) != 0)
        return -1;
    for (size_t i = 0; i < m->initrds.count; i++)
        if (!payload_add(p, PART_INITRD, m->initrds.items[i]))
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
        file_seal_name(m->kernel ? m->kernel : m->efi ? m->efi : m->ramdisks.items[0], seal->name, sizeof seal->name);
    snprintf(seal->product, sizeof seal->product, "%s", m->product ? m->product : "");
    snprintf(seal->dataset, sizeof seal->dataset, "%s", m->dataset ? m->dataset : "");
    snprintf(seal->cmdline, sizeof seal->cmdline, "%s", m->cmdline ? m->cmdline : "");
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
static int check_seal(const struct signers *signers, const uint8_t *buf, int len)
{
    struct trust_store trust = { .threshold = signers->count };
    struct seal *seen = tool_alloc(sizeof *seen);
    struct seal_view view;
    int r = 0;
    for (uint32_t i = 0; i < signers->count && r >= 0; i++)
        r = trust_add(&trust, &signers->public_keys[i].trust);
    if (r >= 0 && signers->count)
        r = seal_open(buf, (size_t)len, &trust, seen);
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
    int r = len < 0 ? len : check_seal(signers, buf, len);
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
    payload_init(&payload, seal);
    describe(m, seal);
    // The output is begun first: a place that cannot be written to is told before gigabytes are read.
    if (load_signers(signers, &m->keys) == 0 && add_parts(&payload, m) == 0 &&
        payload_chunks(&payload, (uint32_t)m->chunk_size, m->output) == 0 &&
        mkimage_begin(&out, m->output) == 0 && write_image(&payload, signers, &out, image_id) == 0 &&
        file_out_commit(&out, true) == 0) {
        char hex[2 * SHA256_SIZE + 1];
        printf("image name = %s\nimage id = %s\ntarget = %s\npayload size = %" PRIu64 "\nsignatures = %u\n", seal->name,
               tool_hex(image_id, sizeof image_id, hex), seal_target_name(seal->target), seal->payload_size, signers->count);
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
