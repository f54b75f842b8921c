// SPDX-License-Identifier: MPL-2.0
// The door into the core: each platform calls core_main() with itself filled in, and may do so again.
#pragma once
#include "core/platform.h"

struct core_options {
    const uint8_t *embed; // the blob that `signet embed` put in (image/embed.h), NULL without
    size_t embed_len;     // bytes
    // A script from outside that runs before the embedded one, which follows only when it fails. It can choose among
    // sources and never what is trusted. NULL without.
    const char *script;
    size_t script_len;
    const char *script_name; // where it comes from, for people
    const char *script_base; // URI that relative URIs in it are relative to; NULL without
    // Signet was started from a disk whose folder "signet" may hold such a script; it is looked for when `script` is NULL.
    bool folder;
};

// Runs Signet: says what it is, reads trust anchors and script, runs the script. Returns when the machine
// should go to its next boot device (0), or with the error that ended the script; a boot does not return.
// The platform must outlive the call. Nothing of a start is left to the next one, also where boot() or leave() did not come back.
int core_main(const struct platform *platform, const struct core_options *options);
