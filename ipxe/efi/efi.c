// SPDX-License-Identifier: MPL-2.0
// See efi.h.
#include "efi/efi.h"

#include <string.h>

struct efi_system_table *efi_system;
struct efi_boot_services *efi_boot;
efi_handle efi_image;
struct efi_loaded_image *efi_loaded;

bool efi_begin(efi_handle image, struct efi_system_table *system)
{
    static const struct efi_guid loaded_image_guid = EFI_LOADED_IMAGE_GUID;
    efi_system = system;
    efi_boot = system->boot;
    efi_image = image;
    efi_loaded = efi_protocol(image, &loaded_image_guid);
    return efi_loaded != NULL;
}

// HandleProtocol and not OpenProtocol, which would note us as an agent until we close it again.
void *efi_protocol(efi_handle handle, const struct efi_guid *guid)
{
    void *interface;
    if (!handle || efi_failed(efi_boot->handle_protocol(handle, guid, &interface)))
        return NULL;
    return interface;
}

unsigned efi_handles(const struct efi_guid *guid, efi_handle **ret)
{
    uint64_t count = 0;
    efi_handle *handles;
    if (efi_failed(efi_boot->locate_handles(guid ? EFI_BY_PROTOCOL : EFI_ALL_HANDLES, guid, NULL, &count, &handles)))
        return 0;
    *ret = handles;
    return (unsigned)count;
}

void *efi_table(const struct efi_guid *guid)
{
    for (uint64_t i = 0; i < efi_system->table_count; i++)
        if (memcmp(&efi_system->tables[i].guid, guid, sizeof *guid) == 0)
            return efi_system->tables[i].table;
    return NULL;
}
