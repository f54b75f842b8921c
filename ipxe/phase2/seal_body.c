// SPDX-License-Identifier: MPL-2.0
// The signed body of a seal: its fields, and the rules that a sound image keeps (doc/phase2-format.md).
#include "base/cursor.h"
#include "base/range.h"
#include "phase2/arguments.h"
#include "phase2/seal_fields.h"

static bool printable(const char *text, size_t len, char lowest)
{
    for (size_t i = 0; i < len; i++)
        if (text[i] < lowest || text[i] > '~')
            return false;
    return true;
}

// A text in a struct: terminated, at least `least` characters, all from `lowest` to '~'.
static bool text_ok(const char *text, size_t cap, size_t least, char lowest)
{
    size_t len = strnlen(text, cap);
    return len < cap && len >= least && printable(text, len, lowest);
}

static bool part_ok(const struct seal_part *p, uint64_t expected_offset, uint64_t payload_size)
{
    if (p->offset != expected_offset || p->size == 0 || !range_fits(p->offset, p->size, payload_size))
        return false;
    // A kernel's leading sectors go elsewhere; of anything else every byte is loaded, and of a kernel some.
    if (p->kind == PART_KERNEL ? p->split >= p->size : p->split != 0)
        return false;
    uint64_t loaded = p->size - p->split;
    if (p->memory != 0 && p->memory < loaded)
        return false;
    if (!range_fits(p->address, MAX(p->memory, loaded), UINT64_MAX))
        return false;
    if ((p->align != 0 && !is_power_of_two(p->align)) || p->address % PAYLOAD_ALIGN != 0)
        return false;
    return text_ok(p->name, sizeof p->name, 1, '!');
}

// Which kinds a target takes, and in which order: kinds never descend.
static bool kind_fits_target(uint32_t target, uint32_t kind)
{
    if (seal_target_is_linux(target))
        return kind == PART_KERNEL || kind == PART_INITRD || kind == PART_RAMDISK;
    if (seal_target_is_application(target))
        return kind == PART_APPLICATION;
    return kind == PART_RAMDISK || kind == PART_MODULE;
}

// Initrds are one range of memory, end to end: the first one says where it is, and the last one what follows it.
static bool initrds_ok(const struct seal_part *first, const struct seal_part *second)
{
    if (first->kind != PART_INITRD || second->kind != PART_INITRD)
        return true;
    return first->memory <= second->offset - first->offset && second->address == 0 && second->align <= PAYLOAD_ALIGN;
}

// A detached seal's parts start on chunks, so that each file is judged by itself.
static bool next_offset(const struct seal *seal, uint32_t part, uint64_t *ret)
{
    const struct seal_part *p = &seal->parts[part];
    bool alone = seal->detached && part + 1 < seal->part_count;
    return align_up_checked(p->offset + p->size, alone ? seal->chunk_size : PAYLOAD_ALIGN, ret);
}

uint64_t seal_part_end(const struct seal *seal, uint32_t part)
{
    uint64_t end;
    return next_offset(seal, part, &end) ? end : 0; // which a sound seal has not
}

// What stands in front of a file is an archive's head, of which only initrds are made.
static bool front_ok(const struct seal *seal, const struct seal_part *p)
{
    return p->front_len == 0 || (seal->detached && p->kind == PART_INITRD && p->front_len <= SEAL_FRONT_MAX && p->front_len < p->size);
}

static bool parts_ok(const struct seal *seal)
{
    if (seal->part_count == 0 || seal->part_count > SEAL_PARTS_MAX)
        return false;
    uint64_t offset = 0;
    uint32_t programs = 0, last_kind = 0;
    for (uint32_t i = 0; i < seal->part_count; i++) {
        const struct seal_part *p = &seal->parts[i];
        if (!kind_fits_target(seal->target, p->kind) || p->kind < last_kind)
            return false;
        if (!part_ok(p, offset, seal->payload_size))
            return false;
        if (!front_ok(seal, p) || !next_offset(seal, i, &offset))
            return false;
        if ((i > 0 && !initrds_ok(p - 1, p)) || (p->split && seal->target != TARGET_LINUX_X86))
            return false;
        programs += p->kind == PART_KERNEL || p->kind == PART_APPLICATION;
        last_kind = p->kind;
    }
    // No byte of the payload lies outside the parts but padding.
    return offset == seal->payload_size && programs == (seal->target == TARGET_DATA ? 0 : 1);
}

// PXE has one place for a network bootstrap program, and no text that goes with it.
static bool nbp_ok(const struct seal *seal)
{
    const struct seal_part *p = &seal->parts[0];
    return seal->target != TARGET_NBP || (p->size <= NBP_SIZE_MAX && !(p->address | p->memory | p->align) && !seal->cmdline[0]);
}

// Only what has a command line can have more of it. An application without one uses its own, which any argument would replace as a whole.
static bool arguments_ok(const struct seal *seal)
{
    return !seal->arguments[0] || ((seal_target_is_linux(seal->target) || (seal_target_is_efi(seal->target) && seal->cmdline[0])) &&
                                   text_ok(seal->arguments, sizeof seal->arguments, 1, ' ') && arguments_sound(seal->arguments));
}

bool seal_fields_ok(const struct seal *seal)
{
    return text_ok(seal->name, sizeof seal->name, 1, '!') && text_ok(seal->product, sizeof seal->product, 0, '!') &&
           text_ok(seal->dataset, sizeof seal->dataset, 0, '!') &&
           text_ok(seal->cmdline, sizeof seal->cmdline, 0, ' ') &&
           seal->target > 0 && seal->target < TARGET_END && parts_ok(seal) && nbp_ok(seal) && arguments_ok(seal);
}

const char *seal_target_name(uint32_t target)
{
    static const char *const names[TARGET_END] = { "unknown", "linux-x86", "data", "linux-arm64", "efi-x64", "efi-arm64", "nbp" };
    return names[target < TARGET_END ? target : 0];
}

// --- reading ---

// The rest of the field as text. Too long, too short or unprintable makes the cursor bad.
static void read_text(struct cursor *data, char *text, size_t cap, size_t least, char lowest)
{
    size_t len = data->len;
    const uint8_t *bytes = cursor_bytes(data, len);
    if (!bytes || len < least || len >= cap || !printable((const char *)bytes, len, lowest)) {
        cursor_fail(data);
        return;
    }
    memcpy(text, bytes, len);
    text[len] = '\0';
}

static void read_part(struct cursor *data, struct seal *seal)
{
    if (seal->part_count == SEAL_PARTS_MAX) {
        cursor_fail(data);
        return;
    }
    struct seal_part *p = &seal->parts[seal->part_count++];
    p->kind = cursor_u32_le(data);
    if (cursor_u32_le(data) != 0) // flags
        cursor_fail(data);
    p->offset = cursor_u64_le(data);
    p->size = cursor_u64_le(data);
    p->address = cursor_u64_le(data);
    p->memory = cursor_u64_le(data);
    p->align = cursor_u32_le(data);
    p->split = cursor_u32_le(data);
    read_text(data, p->name, sizeof p->name, 1, '!');
}

// One for each part, which have all been read.
static void read_files(struct cursor *data, struct seal *seal)
{
    size_t len = seal->part_count * (size_t)SHA256_SIZE;
    const uint8_t *bytes = cursor_bytes(data, len);
    seal->detached = bytes && len;
    if (seal->detached)
        memcpy(seal->files, bytes, len);
    else
        cursor_fail(data);
}

// Parts ascend.
static void read_front(struct cursor *data, struct seal *seal)
{
    uint32_t part = cursor_u32_le(data);
    size_t len = data->len;
    const uint8_t *bytes = cursor_bytes(data, len);
    bool fits = bytes && len > 0 && len <= SEAL_FRONT_MAX && part < seal->part_count;
    for (uint32_t i = fits ? part : 0; fits && i < seal->part_count; i++)
        fits = seal->parts[i].front_len == 0;
    if (!fits) {
        cursor_fail(data);
        return;
    }
    seal->parts[part].front_at = (uint32_t)(bytes - seal->bytes);
    seal->parts[part].front_len = (uint32_t)len;
}

// Reads one field's data; it is whole and right when the cursor is good and empty afterwards.
static void read_field(uint16_t type, struct cursor *data, struct seal *seal)
{
    switch (type) {
    case FIELD_NAME:
        read_text(data, seal->name, sizeof seal->name, 1, '!');
        break;
    case FIELD_PRODUCT:
        read_text(data, seal->product, sizeof seal->product, 1, '!');
        break;
    case FIELD_COUNTER:
        seal->counter = cursor_u64_le(data);
        break;
    case FIELD_TARGET:
        seal->target = cursor_u32_le(data);
        break;
    case FIELD_CMDLINE:
        read_text(data, seal->cmdline, sizeof seal->cmdline, 0, ' ');
        break;
    case FIELD_PART:
        read_part(data, seal);
        break;
    case FIELD_DATASET:
        read_text(data, seal->dataset, sizeof seal->dataset, 1, '!');
        break;
    case FIELD_FILES:
        read_files(data, seal);
        break;
    case FIELD_FRONT:
        read_front(data, seal);
        break;
    case FIELD_ARGUMENTS:
        read_text(data, seal->arguments, sizeof seal->arguments, 1, ' ');
        break;
    default:
        if (type & SEAL_FIELD_OPTIONAL)
            cursor_bytes(data, data->len);
        else
            cursor_fail(data);
    }
}

static bool read_body(struct cursor *c, struct seal *seal)
{
    const uint32_t required = 1u << FIELD_NAME | 1u << FIELD_COUNTER | 1u << FIELD_TARGET;
    uint32_t seen = 0;
    uint16_t last = 0;
    while (cursor_ok(c) && c->len > 0) {
        uint16_t type = cursor_u16_le(c);
        uint16_t zero = cursor_u16_le(c);
        uint32_t len = cursor_u32_le(c);
        if (len > SEAL_BODY_MAX || zero != 0 || type < last || (type == last && type != FIELD_PART && type != FIELD_FRONT))
            return false;
        const uint8_t *bytes = cursor_bytes(c, len);
        const uint8_t *padding = cursor_bytes(c, seal_padding(len));
        if (!bytes || !padding)
            return false;
        for (uint32_t i = 0; i < seal_padding(len); i++)
            if (padding[i] != 0)
                return false;
        struct cursor data = cursor_make(bytes, len);
        read_field(type, &data, seal);
        if (!cursor_ok(&data) || data.len != 0)
            return false;
        if (type < 32)
            seen |= 1u << type;
        last = type;
    }
    return cursor_ok(c) && (seen & required) == required;
}

int seal_parse_body(const struct seal_view *view, struct seal *ret)
{
    // Filled in place, because a struct seal is too big for a small stack; emptied again on an error.
    memset(ret, 0, sizeof *ret);
    ret->chunk_size = view->chunk_size;
    ret->chunk_count = view->chunk_count;
    ret->payload_size = view->payload_size;
    ret->bytes = view->head;
    memcpy(ret->list_digest, view->head + HEAD_LIST_DIGEST, SHA256_SIZE);
    struct cursor c = cursor_make(view->body, view->body_size);
    if (!read_body(&c, ret) || !seal_fields_ok(ret)) {
        memset(ret, 0, sizeof *ret);
        return ERR_SEAL_BODY;
    }
    seal_image_id(view, ret->image_id);
    return 0;
}
