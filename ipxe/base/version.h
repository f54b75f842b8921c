// SPDX-License-Identifier: MPL-2.0
// What this build calls itself.
#pragma once
extern const char signet_version[]; // "0.1.0"
extern const char signet_commit[];  // short git commit, "+" appended when the tree was changed

// "Signet 0.1.0 (1234567)": what a console shows first, and by which tools tell what a finished artefact is.
extern const char signet_build[];
