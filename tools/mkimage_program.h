// SPDX-License-Identifier: MPL-2.0
// The file of an image that will be started.
#pragma once
#include "mkimage.h"
#include "payload.h"

// Appends kernel or application, when one is asked for: its part comes first and is filled in from the file's headers, a packed kernel
// is unpacked, or refused for a detached seal. *ret_doors: a phrase for people, how machines must start for it; untouched without a
// program. 0, or -1 after a message.
int mkimage_program(struct payload *p, const struct mkimage *m, const char **ret_doors);
