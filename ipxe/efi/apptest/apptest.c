// SPDX-License-Identifier: MPL-2.0
// An EFI application for the boot table: started from a sealed image, it says what it was given, tries what the words of
// its load options ask for, and comes back. What it prints is what ci/qemu/table_efi.py waits for.
//
//   load   LoadImage of \vmlinuz on any file system, which no seal covers
//   fail   ends with EFI_NOT_FOUND
//   driver calls the first card's interface as its driver (efi/driver/) offers it, and unloads that driver
#include "base/bytes.h"
#include "base/fmt.h"
#include "efi/driver/model.h"
#include "efi/uefi.h"

#define BALLAST (4 << 20) // bytes that its copy in memory has and its file has not
#define OPTIONS_MAX 200
#define MAP_SLACK 8

static const struct efi_guid loaded_image_guid = EFI_LOADED_IMAGE_GUID, snp_guid = EFI_SIMPLE_NETWORK_GUID,
                             file_system_guid = EFI_FILE_SYSTEM_GUID, binding_guid = EFI_DRIVER_BINDING_GUID,
                             names_guid = EFI_COMPONENT_NAME2_GUID;
static struct efi_system_table *sys;
static struct efi_boot_services *bs;
static efi_handle me;
static volatile uint8_t ballast[BALLAST];

efi_status efi_main(efi_handle image, struct efi_system_table *system);

static void say(const char *format, ...) PRINTF_LIKE(1, 2);
static void say(const char *format, ...)
{
    char text[OPTIONS_MAX + 100];
    uint16_t wide[sizeof text + 3];
    va_list args;
    va_start(args, format);
    fmt_vsnprintf(text, sizeof text, format, args);
    va_end(args);
    size_t n = 0;
    for (const char *c = text; *c; c++)
        wide[n++] = (uint8_t)*c;
    wide[n++] = '\r';
    wide[n++] = '\n';
    wide[n] = 0;
    (void)sys->con_out->output(sys->con_out, wide);
}

// Pages that the firmware has left, so that its caller's balance can be drawn over several runs.
static uint64_t free_pages(void)
{
    uint64_t size = 0, key, step = 0, pages = 0;
    uint32_t version;
    void *map;
    if (bs->get_memory_map(&size, NULL, &key, &step, &version) != EFI_BUFFER_TOO_SMALL)
        return 0;
    size += MAP_SLACK * step;
    if (efi_failed(bs->allocate_pool(EFI_LOADER_DATA, size, &map)))
        return 0;
    if (!efi_failed(bs->get_memory_map(&size, map, &key, &step, &version))) {
        for (uint64_t at = 0; size - at >= step; at += step) {
            struct efi_memory_descriptor d;
            memcpy(&d, (const uint8_t *)map + at, sizeof d);
            pages += d.type == EFI_CONVENTIONAL_MEMORY ? d.pages : 0;
        }
    }
    (void)bs->free_pool(map);
    return pages;
}

// Can the first card be had for oneself? Not while someone else has it so.
static efi_status take_card(void)
{
    efi_handle *handles;
    uint64_t count = 0;
    void *snp;
    efi_status status = bs->locate_handles(EFI_BY_PROTOCOL, &snp_guid, NULL, &count, &handles);
    if (efi_failed(status))
        return status;
    status = bs->open_protocol(handles[0], &snp_guid, &snp, me, NULL, EFI_OPEN_EXCLUSIVE);
    if (!efi_failed(status)) {
        (void)bs->close_protocol(handles[0], &snp_guid, me, NULL);
        (void)bs->connect(handles[0], NULL, NULL, true);
    }
    (void)bs->free_pool(handles);
    return status;
}

// The whole file from the first file system that has it; free_pool's. NULL when none has.
static void *read_file(const uint16_t *name, uint64_t cap, uint64_t *ret_size)
{
    efi_handle *handles;
    uint64_t count = 0;
    void *data = NULL;
    if (efi_failed(bs->locate_handles(EFI_BY_PROTOCOL, &file_system_guid, NULL, &count, &handles)))
        return NULL;
    for (uint64_t i = 0; i < count && !data; i++) {
        struct efi_file_system *fs;
        struct efi_file *root, *file;
        if (efi_failed(bs->handle_protocol(handles[i], &file_system_guid, (void **)&fs)) || efi_failed(fs->open_volume(fs, &root)))
            continue;
        if (!efi_failed(root->open(root, &file, name, EFI_FILE_READ, 0))) {
            *ret_size = cap;
            if (!efi_failed(bs->allocate_pool(EFI_LOADER_DATA, cap, &data)) && efi_failed(file->read(file, ret_size, data))) {
                (void)bs->free_pool(data);
                data = NULL;
            }
            (void)file->close(file);
        }
        (void)root->close(root);
    }
    (void)bs->free_pool(handles);
    return data;
}

static void try_load(void)
{
    static const struct efi_device_path nowhere = { EFI_PATH_END, EFI_PATH_END_ALL, { 4, 0 } };
    uint64_t size;
    efi_handle image = NULL;
    void *file = read_file(u"\\vmlinuz", 64 << 20, &size);
    if (!file) {
        say("APPTEST load: no file");
        return;
    }
    efi_status status = bs->load_image(false, me, (struct efi_device_path *)&nowhere, file, size, &image);
    say("APPTEST load: %llu bytes, status 0x%llx", (unsigned long long)size, (unsigned long long)status);
    if (image)
        (void)bs->unload_image(image);
    (void)bs->free_pool(file);
}

// The first of the handles with a protocol, and their number.
static efi_handle first_handle(const struct efi_guid *guid, uint64_t *ret_count)
{
    efi_handle *handles, first = NULL;
    *ret_count = 0;
    if (efi_failed(bs->locate_handles(EFI_BY_PROTOCOL, guid, NULL, ret_count, &handles)))
        return NULL;
    first = handles[0];
    (void)bs->free_pool(handles);
    return first;
}

// Each call that changes a card's mind, and a count that must be of one frame.
static void use_card(struct efi_snp *snp)
{
    uint8_t frame[60] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };
    struct efi_mac other = { { 2, 0, 0, 0, 0, 1 } };
    uint64_t counts[26] = { 0 }, size = sizeof counts;
    void *buffer = NULL;
    uint32_t all = EFI_SNP_UNICAST | EFI_SNP_BROADCAST | EFI_SNP_PROMISCUOUS;
    unsigned failed = 0;
    failed += efi_failed(snp->start(snp));
    failed += efi_failed(snp->initialize(snp, 0, 0));
    failed += efi_failed(snp->receive_filters(snp, all, 0, true, 0, NULL));
    failed += efi_failed(snp->receive_filters(snp, 0, EFI_SNP_PROMISCUOUS, true, 0, NULL));
    failed += efi_failed(snp->station_address(snp, false, &other));
    failed += efi_failed(snp->station_address(snp, true, NULL));
    failed += efi_failed(snp->reset(snp, false));
    failed += efi_failed(snp->statistics(snp, true, NULL, NULL));
    failed += efi_failed(snp->transmit(snp, 0, sizeof frame, frame, NULL, NULL, NULL));
    failed += efi_failed(snp->get_status(snp, NULL, &buffer));
    failed += efi_failed(snp->statistics(snp, false, &size, counts));
    failed += efi_failed(snp->shutdown(snp));
    failed += efi_failed(snp->stop(snp));
    say("APPTEST interface: %u calls failed, %u frame sent, its buffer %s", failed, (unsigned)counts[11],
        buffer == frame ? "came back" : "is lost");
}

static bool is_ours(const uint16_t *name)
{
    static const uint16_t ours[] = u"Signet network card driver";
    size_t i = 0;
    while (ours[i] && name[i] == ours[i])
        i++;
    return !ours[i] && !name[i];
}

// The image that calls itself so, as an administrator would find it.
static efi_handle find_driver(void)
{
    efi_handle *handles, found = NULL;
    struct efi_component_name *names;
    struct efi_driver_binding *binding;
    const uint16_t *name;
    uint64_t count = 0;
    if (efi_failed(bs->locate_handles(EFI_BY_PROTOCOL, &binding_guid, NULL, &count, &handles)))
        return NULL;
    for (uint64_t i = 0; i < count; i++)
        if (!efi_failed(bs->handle_protocol(handles[i], &names_guid, (void **)&names)) && !efi_failed(names->driver(names, "en", &name)) &&
            is_ours(name) && !efi_failed(bs->handle_protocol(handles[i], &binding_guid, (void **)&binding)))
            found = binding->image;
    (void)bs->free_pool(handles);
    return found;
}

static void try_driver(void)
{
    uint64_t before, after;
    efi_handle card = first_handle(&snp_guid, &before), driver = find_driver();
    struct efi_snp *snp;
    if (card && !efi_failed(bs->open_protocol(card, &snp_guid, (void **)&snp, me, NULL, EFI_OPEN_EXCLUSIVE))) {
        use_card(snp);
        (void)bs->close_protocol(card, &snp_guid, me, NULL);
    }
    efi_status status = driver ? bs->unload_image(driver) : EFI_NOT_FOUND;
    (void)first_handle(&snp_guid, &after);
    say("APPTEST driver: unloaded, status 0x%llx; %u handles before, %u after", (unsigned long long)status, (unsigned)before, (unsigned)after);
}

efi_status efi_main(efi_handle image, struct efi_system_table *system)
{
    sys = system;
    bs = system->boot;
    me = image;
    struct efi_loaded_image *loaded;
    char options[OPTIONS_MAX] = "";
    if (efi_failed(bs->handle_protocol(image, &loaded_image_guid, (void **)&loaded)))
        return EFI_UNSUPPORTED;
    const uint16_t *wide = loaded->options;
    for (size_t i = 0; i < loaded->options_size / 2 && i + 1 < sizeof options; i++)
        options[i] = (char)wide[i];
    for (size_t i = 0; i < sizeof ballast; i += EFI_PAGE_SIZE)
        ballast[i] = 1;
    say("APPTEST options \"%s\" (%u bytes), device %s, card 0x%llx", options, loaded->options_size,
        loaded->device ? "there" : "none", (unsigned long long)take_card());
    say("APPTEST %llu free pages", (unsigned long long)free_pages());
    if (strncmp(options, "load", 4) == 0)
        try_load();
    if (strncmp(options, "driver", 6) == 0)
        try_driver();
    return strncmp(options, "fail", 4) == 0 ? EFI_NOT_FOUND : EFI_SUCCESS;
}
