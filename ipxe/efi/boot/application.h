// SPDX-License-Identifier: MPL-2.0
// EFI applications other than a bare Linux: unified kernel images, shells, tools, boot loaders.
#pragma once
#include "core/platform.h"

// Runs the application. 0 when it has ended with success, ERR_BOOT_STATUS when with an error; ERR_BOOT_* when it could not
// be started. The network cards are the firmware's while it runs.
int application_run(const struct platform_boot *boot);
