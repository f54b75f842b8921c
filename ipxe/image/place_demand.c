// SPDX-License-Identifier: MPL-2.0
// See place_demand.h.
#include "image/place_demand.h"

#include "base/range.h"

uint64_t place_padded(const struct seal *seal, unsigned i)
{
    uint64_t end = i + 1 < seal->part_count ? seal->parts[i + 1].offset : seal->payload_size;
    return end - seal->parts[i].offset;
}

uint64_t place_room_of(const struct seal *seal, unsigned i)
{
    uint64_t memory;
    if (!align_up_checked(seal->parts[i].memory, PAGE, &memory))
        memory = UINT64_MAX & ~(PAGE - 1);
    return MAX(place_padded(seal, i), memory);
}

bool place_is_fixed(const struct seal_part *part)
{
    return part->address != 0 && part->align == 0 && part->kind != PART_KERNEL && part->kind != PART_APPLICATION;
}

int place_demand(const struct place_input *in, struct place_demand *ret)
{
    const struct seal *seal = in->seal;
    struct place_demand d = { .kernel_part = -1, .list_size = (uint64_t)seal->chunk_count * SHA256_SIZE };
    unsigned ramdisks = 0;
    if (seal->part_count == 0 || seal->part_count > SEAL_PARTS_MAX || seal->parts[0].offset != 0)
        return ERR_SEAL_BODY;
    for (unsigned i = 0; i < seal->part_count; i++) {
        const struct seal_part *part = &seal->parts[i];
        uint64_t next = i + 1 < seal->part_count ? seal->parts[i + 1].offset : seal->payload_size;
        if (part->size == 0 || next > seal->payload_size || part->offset >= next || (next & (PAYLOAD_ALIGN - 1)) ||
            part->size > next - part->offset || next != seal_part_end(seal, i))
            return ERR_SEAL_BODY;
        if (part->kind != PART_KERNEL && part->split != 0)
            return ERR_BOOT_FORMAT;
        switch (part->kind) {
        case PART_KERNEL:
        case PART_APPLICATION:
            if (d.kernel_part >= 0 || part->split >= part->size || (part->align && !is_power_of_two(part->align)))
                return ERR_BOOT_FORMAT;
            d.kernel_part = (int)i;
            d.split = in->whole_kernel ? 0 : part->split;
            d.kernel_len = part->size - d.split;
            d.kernel_file = next - part->offset - d.split;
            d.memory = MAX(part->memory, d.kernel_file);
            break;
        case PART_INITRD:
            d.initrd_len = d.initrd_span + part->size;
            d.initrd_room = d.initrd_span + place_room_of(seal, i);
            d.initrd_span += next - part->offset;
            break;
        case PART_RAMDISK:
            if (++ramdisks > PLACE_RAMDISKS_MAX)
                return ERR_BOOT_FORMAT;
            break;
        case PART_MODULE: break;
        default: return ERR_BOOT_FORMAT;
        }
    }
    *ret = d;
    return 0;
}
