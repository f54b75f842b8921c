// SPDX-License-Identifier: MPL-2.0
// See binding.h. What the driver and its cards are called, for people (UEFI 2.10, 11.5): in English.
#include "efi/driver/binding.h"

static const uint16_t driver_name[] = u"Signet network card driver";

static efi_status name_driver(struct efi_component_name *self, const char *language, const uint16_t **ret)
{
    if (!language || !ret)
        return EFI_INVALID_PARAMETER;
    if (strcmp(language, self->languages) != 0)
        return EFI_UNSUPPORTED;
    *ret = driver_name;
    return EFI_SUCCESS;
}

static efi_status name_controller(struct efi_component_name *self, efi_handle controller, efi_handle child, const char *language,
                                  const uint16_t **ret)
{
    if (!controller || !language || !ret)
        return EFI_INVALID_PARAMETER;
    struct binding_card *card = binding_find(controller);
    if (strcmp(language, self->languages) != 0 || !card || (child && child != card->child))
        return EFI_UNSUPPORTED;
    *ret = card->name;
    return EFI_SUCCESS;
}

struct efi_component_name names_protocol = { name_driver, name_controller, "en" };
struct efi_component_name names_old_protocol = { name_driver, name_controller, "eng" };
