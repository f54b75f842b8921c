// SPDX-License-Identifier: MPL-2.0
// The local copy: an image that came from the network and was verified is kept in an image partition, when the setting
// `keep` says so, and boots from there when the network does not. What lies there is trusted no more than the network.
#include "core/keep.h"

static struct keep keep; // 100 KiB: one image at a time is fetched or started, so there is one copy of it at a time

// --- the place ---

// A type of an MBR says nothing about whose a partition is (md, ZFS and others are found in type da as well), and neither do
// zeros: Signet's is what carries its mark, which `signet keep` made. Of a GPT the type itself is that mark.
static int check_owner(struct keep *k, const struct partition *p)
{
    const struct imgdisk *place = &k->place;
    if (memcmp(p->type, GPT_TYPE_SIGNET_IMAGE, GPT_GUID_SIZE) == 0)
        return 0;
    if (!place->slots[0].marked && !place->slots[1].marked) // of a place too small for slots, too
        return ERR_DISK_FOREIGN;
    uint32_t size = place->dev.sector_size;
    int err = block_read(&place->dev, 0, (IMGSLOT_FRONT + size - 1) / size, k->buffer);
    return err ? err : imgslot_front_fits(k->buffer) ? 0 : ERR_DISK_FOREIGN;
}

// The first partition that is meant is the place. One of another type is never written to, whatever the setting says.
static int visit_partition(void *ctx, const struct block_device *dev, const struct partition *p)
{
    struct keep *k = ctx;
    if (!disk_select_matches(&k->selector, p) || !partition_is_image(p))
        return ERR_DISK_PARTITION;
    imgdisk_open(&k->place, dev, k->buffer);
    int err = check_owner(k, p);
    if (err)
        return err;
    for (unsigned i = 0; i < IMGSLOT_COUNT; i++)
        keep_look(k, i);
    return 0;
}

static int visit_disk(void *ctx, const struct block_device *disk)
{
    return core_partitions(((struct keep *)ctx)->core, disk, visit_partition, ctx);
}

static int find_place(struct keep *k, const char *setting)
{
    static struct uri uri;
    int err = uri_parse(setting, &uri);
    if (!err && strcmp(uri.scheme, "disk") != 0)
        err = ERR_URI_SCHEME;
    if (!err)
        err = disk_select_parse(&uri, &k->selector);
    return err ? err : core_disks(k->core, uri.host, visit_disk, k);
}

bool core_keep_wanted(struct core *core)
{
    const uint8_t *value;
    size_t len;
    enum setting_type type;
    return settings_find(&core->settings, "keep", &value, &len, &type) == 0 && len > 0;
}

bool keep_open(struct keep **ret, struct core *core, struct core_image *image)
{
    static char setting[URI_TEXT_MAX];
    struct keep *k = *ret = &keep;
    if (!image->remote || image->seal.detached || settings_get(&core->settings, "keep", setting, sizeof setting) <= 0)
        return false;
    if (image->keep != KEEP_UNSOUGHT)
        return image->keep == KEEP_OPEN;
    for (struct core_image *other = NULL; (other = images_next(&core->images, other));)
        if (other->keep == KEEP_OPEN)
            other->keep = KEEP_UNSOUGHT; // what was found for it is overwritten
    memset(k, 0, offsetof(struct keep, buffer));
    k->core = core;
    k->image = image;
    int err = find_place(k, setting);
    if (err)
        console_error("keep", err, "no local copy on \"%s\"", setting);
    image->keep = err ? KEEP_NONE : KEEP_OPEN;
    return !err;
}

// --- writing ---

static int write_sectors(struct keep *k, const struct block_device *slot, uint64_t lba, size_t bytes)
{
    return block_write(slot, lba, (uint32_t)bytes / slot->sector_size, k->buffer);
}

// The sector with the slot's header, or with the mark of an empty slot: after all that was written, before all that will be.
static int write_header(struct keep *k, const struct block_device *slot, const struct imgslot *header)
{
    int err = block_flush(slot);
    memset(k->buffer, 0, BLOCK_SECTOR_MAX);
    if (!header)
        imgslot_build_mark(k->buffer);
    else if (!err)
        err = imgslot_build(header, k->buffer);
    if (!err)
        err = write_sectors(k, slot, 0, slot->sector_size);
    return err ? err : block_flush(slot);
}

// The image as a file, from the places in memory that its pieces lie in.
static void file_map(const struct core_image *image, struct scatter *ret)
{
    static uint8_t zeros[PAYLOAD_ALIGN];
    struct seal_view view;
    (void)seal_view(image->seal_bytes, image->seal_len, &view); // it is verified
    uint64_t list = seal_list_offset(&view), padding = list + seal_list_size(&view), payload = seal_payload_offset(&view);
    *ret = (struct scatter){ .size = payload + image->map.size };
    ret->pieces[ret->count++] = (struct scatter_piece){ 0, list, image->seal_bytes };
    ret->pieces[ret->count++] = (struct scatter_piece){ list, padding - list, image->list };
    ret->pieces[ret->count++] = (struct scatter_piece){ padding, payload - padding, zeros };
    for (uint32_t i = 0; i < image->map.count; i++) {
        const struct scatter_piece *piece = &image->map.pieces[i];
        ret->pieces[ret->count++] = (struct scatter_piece){ payload + piece->offset, piece->length, piece->memory };
    }
}
_Static_assert(SEAL_PARTS_MAX + 1 + 3 <= SCATTER_PIECES_MAX, "the payload's pieces (image/place.c), and three in front of them");

static int write_file(struct keep *k, const struct block_device *slot, const struct scatter *file)
{
    uint64_t lba = IMGSLOT_IMAGE / slot->sector_size;
    int err = 0;
    meter_start(&k->meter, 0, core_now(k->core));
    for (uint64_t done = 0; done < file->size && !err;) {
        size_t n = (size_t)MIN(file->size - done, (uint64_t)KEEP_PIECE);
        (void)scatter_read(file, done, k->buffer, n);
        err = write_sectors(k, slot, lba, n);
        lba += n / slot->sector_size;
        done += n;
        console_meter(&k->meter, "keep", done, file->size, core_now(k->core));
        if (!err)
            err = core_disk_turn(k->core, &k->turned);
    }
    return err;
}

// Power may fail at any time, and then the other slot is whole: no image, the image's bytes, its header.
static int write_slot(struct keep *k, unsigned i, uint64_t sequence)
{
    struct scatter file;
    struct block_device slot;
    struct imgslot header = { .present = true, .sequence = sequence };
    file_map(k->image, &file);
    header.length = file.size;
    memcpy(header.image_id, k->image->seal.image_id, SHA256_SIZE);
    // A raw image may reach into the second slot.
    imgdisk_slot(&k->place, i, &slot);
    uint64_t room = slot.sectors * slot.sector_size;
    bool raw = k->copies[0].good && k->place.slots[0].sequence == 0 && k->copies[0].length > room;
    if (room < IMGSLOT_IMAGE || file.size > room - IMGSLOT_IMAGE || (i == 1 && raw))
        return ERR_DISK_ROOM;
    int err = write_header(k, &slot, NULL);
    if (!err)
        err = write_file(k, &slot, &file);
    return err ? err : write_header(k, &slot, &header);
}

// The slot that the image goes to. The other one stays, and is what boots when the power fails meanwhile: it is read whole,
// and when it would not boot it is the one that is overwritten.
static int choose_slot(struct keep *k, unsigned *ret, uint64_t *ret_sequence)
{
    int err = 0;
    for (unsigned i = 0; i < 2 && !err; i++) {
        const bool good[IMGSLOT_COUNT] = { k->copies[0].good, k->copies[1].good };
        *ret = imgslot_spare(k->place.slots, good, ret_sequence);
        err = i == 0 ? keep_judge(k, 1 - *ret) : 0;
    }
    return err;
}

// Whether the slot holds this image, all of it.
static int holds_image(struct keep *k, unsigned slot, bool *ret)
{
    int err = k->copies[slot].same ? keep_judge(k, slot) : 0;
    *ret = k->copies[slot].same && k->copies[slot].sound;
    return err;
}

static int store(struct keep *k)
{
    struct imgslot *slots = k->place.slots;
    const char *name = k->image->seal.name, *disk = k->place.dev.name;
    uint64_t sequence;
    unsigned order[IMGSLOT_COUNT] = { 0 }, spare;
    bool holds;
    (void)imgslot_order(slots, order);
    int err = holds_image(k, order[0], &holds);
    if (!err && holds) {
        console_say("keep", "%s is on %s already", name, disk);
        return 0;
    }
    if (!err)
        err = choose_slot(k, &spare, &sequence);
    if (!err)
        err = holds_image(k, spare, &holds);
    if (err)
        return err;
    if (holds && slots[spare].sequence) {
        // The server went back to the image before the last: its copy becomes the newest.
        struct block_device slot;
        imgdisk_slot(&k->place, spare, &slot);
        slots[spare].sequence = sequence;
        err = write_header(k, &slot, &slots[spare]);
    } else {
        err = write_slot(k, spare, sequence);
    }
    if (!err)
        console_say("keep", "%s is in slot %c on %s now, sequence %llu", name, 'A' + spare, disk, (unsigned long long)sequence);
    return err;
}

int core_keep_image(struct core *core, struct core_image *image)
{
    struct keep *k;
    int err = keep_open(&k, core, image) ? store(k) : 0;
    image->keep = KEEP_UNSOUGHT; // what is known about the slots is out of date now
    if (err && err != ERR_CANCELLED)
        console_error("keep", err, "%s was not kept; the boot goes on", image->seal.name);
    return err == ERR_CANCELLED ? err : 0;
}
