// SPDX-License-Identifier: MPL-2.0
// See nvram.h. A variable's attributes say who can reach it, and a running system can make variables of any name and size:
// one that has ROOM_FIRMWARE's name and not exactly its attributes is somebody else's, so it is not there. Whose it is comes
// before what is in it.
#include "efi/nvram.h"

#include "efi/efi.h"

#define NAME_MAX 32
#define VALUE_MAX 1024 // of what Signet writes, and more

static const struct efi_guid vendor = SIGNET_VENDOR_GUID;

static uint32_t attributes_of(enum platform_room room)
{
    return room == ROOM_FIRMWARE ? EFI_VARIABLE_NON_VOLATILE | EFI_VARIABLE_BOOT_SERVICES :
                                   EFI_VARIABLE_BOOT_SERVICES | EFI_VARIABLE_RUNTIME;
}

static void widen(const char *name, uint16_t out[NAME_MAX])
{
    size_t n = 0;
    while (name[n] && n < NAME_MAX - 1) {
        out[n] = (uint8_t)name[n];
        n++;
    }
    out[n] = 0;
}

static efi_status get(const char *name, uint32_t *attributes, void *buf, uint64_t *size)
{
    uint16_t wide[NAME_MAX];
    widen(name, wide);
    return efi_system->runtime->get_variable(wide, &vendor, attributes, size, buf);
}

static efi_status set(const char *name, uint32_t attributes, const void *data, size_t len)
{
    uint16_t wide[NAME_MAX];
    widen(name, wide);
    return efi_system->runtime->set_variable(wide, &vendor, attributes, len, data);
}

// A variable of any size: what fits into `buf`, and its attributes whether or not it fits. Firmware before UEFI 2.8 tells them
// only to those who take all of it. Fails as the firmware does, EFI_BUFFER_TOO_SMALL included.
static efi_status look(const char *name, uint32_t *attributes, void *buf, uint64_t *size)
{
    void *all;
    uint64_t whole = *size;
    *attributes = 0;
    efi_status status = get(name, attributes, buf, &whole);
    uint64_t needed = whole;
    if (status == EFI_BUFFER_TOO_SMALL && !efi_failed(efi_boot->allocate_pool(EFI_LOADER_DATA, needed, &all))) {
        if (efi_failed(get(name, attributes, all, &whole)))
            *attributes = 0;
        efi_boot->free_pool(all);
    }
    *size = needed;
    return status;
}

static int load(void *ctx, enum platform_room room, const char *name, void *buf, size_t cap)
{
    uint32_t attributes;
    uint64_t size = cap;
    efi_status status = look(name, &attributes, buf, &size);
    bool known = !efi_failed(status) || attributes != 0;
    if (status == EFI_NOT_FOUND || (known && room == ROOM_FIRMWARE && attributes != attributes_of(room)))
        return ERR_NOT_FOUND;
    return efi_failed(status) ? ERR_NVRAM : (int)size;
}

static int store(void *ctx, enum platform_room room, const char *name, const void *data, size_t len)
{
    static uint8_t old[VALUE_MAX];
    uint32_t attributes;
    uint64_t size = sizeof old;
    efi_status status = look(name, &attributes, old, &size);
    if (status == EFI_NOT_FOUND && len == 0)
        return 0;
    // Somebody else's goes first, for attributes cannot be changed. Ours is replaced in one step: a power cut must not
    // leave the machine without its floor.
    bool replace = status == EFI_NOT_FOUND || (len > 0 && attributes == attributes_of(room));
    if (!replace && efi_failed(set(name, 0, NULL, 0)))
        return ERR_NVRAM;
    if (len == 0)
        return 0;
    return efi_failed(set(name, attributes_of(room), data, len)) ? ERR_NVRAM : 0;
}

const struct platform_nvram efi_nvram = { load, store };
