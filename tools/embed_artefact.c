// SPDX-License-Identifier: MPL-2.0
// See embed_artefact.h.
#include "embed_artefact.h"
#include "base/bytes.h"
#include "base/range.h"
#include "block/bootslot.h"
#include "embed_pe.h"

int artefact_parse(struct artefact *a, bool clear)
{
    size_t at, len = a->len;
    uint8_t *data = a->data;
    int rom = romfile_open(a->data, a->len, &a->rom);
    if (rom == ERR_INVALID) {
        tool_error(a->name, "is a damaged option ROM: its lengths or its sum are wrong; take it anew");
        return -1;
    }
    if (rom == 0) {
        data = a->rom.program;
        len = a->rom.length;
    }
    if (embed_find_slot(data, len, &at) < 0) {
        tool_error(a->name, "is not a Signet artefact: it has no place for a script and keys");
        return -1;
    }
    a->slot = data + at;
    a->kind = load32_le(a->slot + SLOT_KIND);
    a->base = embed_slot_base(a->slot, at);
    a->capacity = load32_le(a->slot + SLOT_CAPACITY);
    a->flags = clear ? 0 : load32_le(a->slot + SLOT_FLAGS);
    if (a->rom.program && (a->kind != EMBED_NBP || a->capacity == 0 || a->capacity > a->rom.room)) {
        tool_error(a->name, "is a damaged option ROM: what it says of the room for a script and keys is not so; take it anew");
        return -1;
    }
    if (a->kind != EMBED_NBP && a->kind != EMBED_EFI) {
        tool_error(a->name, "is an artefact of a kind that this version does not know (%u)", a->kind);
        return -1;
    }
    uint32_t offset = load32_le(a->slot + SLOT_OFFSET), length = load32_le(a->slot + SLOT_LENGTH);
    if (clear || (offset == 0 && length == 0))
        return 0;
    int r = offset != a->base || !range_fits(offset, length, len)
                ? ERR_EMBED_DAMAGED
                : embed_parse(data + offset, length, &a->now);
    if (r < 0) {
        tool_error(a->name, "%s (%s); --clear starts anew", err_text(r), err_code(r));
        return -1;
    }
    a->blob = data + offset;
    a->blob_len = length;
    return 0;
}

int artefact_check_anchors(const char *name, const uint8_t *data, size_t len, bool none_allowed)
{
    struct artefact a = { .name = name, .data = (uint8_t *)data, .len = len };
    if (artefact_parse(&a, false) != 0)
        return -1;
    if (a.now.trust.key_count > 0 || none_allowed)
        return 0;
    tool_error(name, "holds no trust anchor and boots nothing: `signet embed --trust PUB` puts one in (--no-anchors: all the same)");
    return -1;
}

int artefact_check_boot_area(const char *name, uint8_t *data, size_t len)
{
    struct romfile rom;
    size_t at;
    const char *what = NULL;
    if (romfile_open(data, len, &rom) != ERR_NOT_FOUND)
        what = "a network card's option ROM";
    else if (embed_find_slot(data, len, &at) == 0 && at < BOOTSLOT_STAGE_SIZE)
        what = "what a PXE ROM loads (undionly.kpxe)";
    if (what)
        tool_error(name, "is %s, without the stage that the MBR starts: a disk takes a bootarea.bin", what);
    return what ? -1 : 0;
}

uint8_t *artefact_build(struct artefact *a, const uint8_t *blob, size_t blob_len, size_t *ret_len, bool *ret_signed)
{
    uint64_t total = (uint64_t)a->base + blob_len;
    if (total > UINT32_MAX || (a->capacity && total > a->capacity)) {
        tool_error(a->name, "script and keys do not fit: %llu bytes, and this artefact may have %u", (unsigned long long)total,
                   a->capacity);
        return NULL;
    }
    store32_le(a->slot + SLOT_OFFSET, a->base);
    store32_le(a->slot + SLOT_LENGTH, (uint32_t)blob_len);
    store32_le(a->slot + SLOT_FLAGS, a->flags);
    *ret_signed = false;
    if (a->kind == EMBED_EFI)
        return embed_pe_build(a->name, a->data, a->base, blob, blob_len, a->fixed ? a->len : 0, ret_len, ret_signed);
    bool is_rom = a->rom.program != NULL; // of which all stays, but for the program's end
    size_t in_front = is_rom ? (size_t)(a->rom.program - a->data) : 0;
    *ret_len = is_rom ? a->len : total;
    uint8_t *file = tool_alloc(*ret_len);
    memcpy(file, a->data, is_rom ? a->len : a->base);
    memcpy(file + in_front + a->base, blob, blob_len);
    if (is_rom)
        romfile_close(file, (uint32_t)total);
    return file;
}
