// SPDX-License-Identifier: MPL-2.0
// The protocols of UEFI's driver model (UEFI 2.10, chapter 11), as efi/uefi.h has the others.
#pragma once
#include "efi/uefi.h"

// 11.1. Of two drivers that would both take a device, the higher version gets it; the lowest sixteen are a firmware's own.
#define EFI_DRIVER_BINDING_GUID                                                                                        \
    { 0x18a031ab, 0xb443, 0x4d1a, { 0xa5, 0xc0, 0x0c, 0x09, 0x26, 0x1e, 0x9f, 0x71 } }
struct efi_driver_binding {
    efi_status (*supported)(struct efi_driver_binding *self, efi_handle controller, struct efi_device_path *remaining);
    efi_status (*start)(struct efi_driver_binding *self, efi_handle controller, struct efi_device_path *remaining);
    efi_status (*stop)(struct efi_driver_binding *self, efi_handle controller, uint64_t count, efi_handle *children);
    uint32_t version;
    efi_handle image, handle;
};

// 11.5, and the protocol of EFI 1.10 that came before it: the same but for its languages.
#define EFI_COMPONENT_NAME2_GUID                                                                                       \
    { 0x6a7a5cff, 0xe8d9, 0x4f70, { 0xba, 0xda, 0x75, 0xab, 0x30, 0x25, 0xce, 0x14 } }
#define EFI_COMPONENT_NAME_GUID                                                                                        \
    { 0x107a772c, 0xd5e1, 0x11d4, { 0x9a, 0x46, 0x00, 0x90, 0x27, 0x3f, 0xc1, 0x4d } }
struct efi_component_name {
    efi_status (*driver)(struct efi_component_name *self, const char *language, const uint16_t **ret);
    efi_status (*controller)(struct efi_component_name *self, efi_handle controller, efi_handle child, const char *language,
                             const uint16_t **ret);
    const char *languages; // RFC 4646, "en"; the older protocol: ISO 639-2, "eng"
};

// 11.14: what a driver in an option ROM is written for.
#define EFI_DRIVER_SUPPORTED_VERSION_GUID                                                                              \
    { 0x5c198761, 0x16a8, 0x4e69, { 0x97, 0x2c, 0x89, 0xd6, 0x79, 0x54, 0xf8, 0x1d } }
struct efi_driver_supported_version {
    uint32_t length, version;
};
