// SPDX-License-Identifier: MPL-2.0
// Entry and end of the driver image, which a card's option ROM brings or somebody loads. doc/efi.md, "The driver".
#include "efi/driver/binding.h"
#include "efi/efi.h"

efi_status efi_main(efi_handle image, struct efi_system_table *system);

static efi_status unload(efi_handle image)
{
    return binding_end();
}

efi_status efi_main(efi_handle image, struct efi_system_table *system)
{
    if (!efi_begin(image, system))
        return EFI_UNSUPPORTED;
    efi_status status = binding_begin();
    if (!efi_failed(status))
        efi_loaded->unload = unload;
    return status;
}
