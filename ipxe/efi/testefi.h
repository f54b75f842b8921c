// SPDX-License-Identifier: MPL-2.0
// A firmware that is made up, for tests of efi/: its tables, empty, where efi.h's globals lead. A test fills in the calls that it
// wants to see, and writes those of efi.h's functions itself that the code under test asks.
#pragma once
#include "efi/efi.h"

static struct efi_boot_services services;
static struct efi_runtime_services runtime;
static struct efi_system_table tables = { .boot = &services, .runtime = &runtime };
static struct efi_loaded_image loaded;

struct efi_system_table *efi_system = &tables;
struct efi_boot_services *efi_boot = &services;
struct efi_loaded_image *efi_loaded = &loaded;
efi_handle efi_image;

// FreePool for what was never allocated.
UNUSED static efi_status free_nothing(void *memory)
{
    return EFI_SUCCESS;
}
