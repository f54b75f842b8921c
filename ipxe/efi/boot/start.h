// SPDX-License-Identifier: MPL-2.0
// What starting Linux and starting any other application have in common: verified bytes through LoadImage, the text of
// the load options, and what is said about it.
#pragma once
#include "core/platform.h"
#include "efi/uefi.h"
#include "image/pe.h"
#include "phase2/seal.h"

#define START_OPTIONS_MAX (SEAL_CMDLINE_MAX + 1024) // characters, with the NUL
#if defined(__x86_64__)
#define START_MACHINE PE_MACHINE_X64
#define START_TARGETS (1u << TARGET_LINUX_X86 | 1u << TARGET_EFI_X64)
#else
#define START_MACHINE PE_MACHINE_ARM64
#define START_TARGETS (1u << TARGET_LINUX_ARM64 | 1u << TARGET_EFI_ARM64)
#endif

// Reads the headers of the file. ERR_BOOT_TARGET for another processor's, else as pe_parse.
int start_inspect(const struct platform_boot *boot, struct pe_image *ret);

// LoadImage of the verified file, for which the seal vouches under Secure Boot; `options` becomes the load options, ""
// none. They stay valid until the next call. ERR_BOOT_DENIED, ERR_BOOT_NO_ROOM, ERR_BOOT_FORMAT, ERR_BOOT_CMDLINE: nothing is loaded.
int start_load(const struct platform_boot *boot, const char *options, efi_handle *ret);

void start_say_status(const char *what, efi_status status);
