// SPDX-License-Identifier: MPL-2.0
// The two readers behind `signet lookimage`.
#pragma once
#include "crypto/trust.h"
#include "phase2/seal.h"
#include "report.h"

struct lookimage {
    const char *path;
    int fd;
    uint64_t size;
    bool skip_sums; // -s
    const char *files; // folder of a detached seal's files; NULL: where the seal lies
    struct trust_store trust; // without keys: nothing is trusted
};

// What was found out; the exit status follows from it.
struct look_result {
    bool damaged;
    bool trusted;
    int err;         // the first reason against it, in a reader's order (doc/phase2-format.md, 7); 0: none
    const char *why; // the same as a phrase where the error's own text does not do
};

// Each prints its part of the report. False after a message: the file could not be read.
bool look_seal(const struct lookimage *look, struct report *report, struct look_result *ret);
bool look_oxide(const struct lookimage *look, struct report *report, struct look_result *ret);

// The files of a detached seal, by their parts' names, against its list, which is verified: each that is missing, damaged, too short or
// too long is named.
void look_files(const struct lookimage *look, struct report *report, const struct seal *seal, const uint8_t *list, struct look_result *ret);
