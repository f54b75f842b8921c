// SPDX-License-Identifier: MPL-2.0
// An initrd of a detached seal, which may be a plain file that becomes one of the initial file system.
#pragma once
#include "payload.h"

// "FILE", or "FILE PATH [mode=OCTAL] [mkdir=N]" as the line `initrd` of a script has it. False after a message.
struct sealed_initrd {
    char *file, *path; // path: NULL when it is an archive as it is. free() both
    uint32_t mode;
    int folders;
};
bool sealed_initrd_parse(const char *text, struct sealed_initrd *ret);

// Appends it to the payload, with a cpio head in front when it has a path. The text may also be the name of a file as it is, blanks in it
// included. 0, or -1 after a message.
int sealed_initrd(struct payload *p, const char *text);
