// SPDX-License-Identifier: MPL-2.0
// A script from outside the binary: the load options, or autoexec.ipxe beside the binary.
#pragma once
#include "core/core.h"

// Looks for it while the firmware's own network still runs, and fills in the script fields of *options. Nothing
// is changed when there is none.
void outside_find(struct core_options *options);
