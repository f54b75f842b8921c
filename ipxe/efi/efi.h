// SPDX-License-Identifier: MPL-2.0
// What every file of efi/ works with: the tables that the firmware gave to efi_main, and small helpers over them.
#pragma once
#include "efi/uefi.h"

extern struct efi_system_table *efi_system;
extern struct efi_boot_services *efi_boot;
extern efi_handle efi_image;               // Signet itself
extern struct efi_loaded_image *efi_loaded; // of Signet

// Takes what the firmware gave to the entry point; everything else of efi/ may be called afterwards. False: the firmware does
// not say who loaded Signet, so that nothing can be found.
bool efi_begin(efi_handle image, struct efi_system_table *system);

// The protocol of a handle, without opening it in the sense of the driver model; NULL when there is none.
void *efi_protocol(efi_handle handle, const struct efi_guid *guid);

// All handles with a protocol (NULL: all handles). The array is efi_boot->free_pool's. 0 when there are none.
unsigned efi_handles(const struct efi_guid *guid, efi_handle **ret);

// A configuration table, NULL when there is none.
void *efi_table(const struct efi_guid *guid);
