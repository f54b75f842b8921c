// SPDX-License-Identifier: MPL-2.0
// The two readers behind `signet lookimage`.
#pragma once
#include "crypto/trust.h"
#include "report.h"

struct lookimage {
    const char *path;
    int fd;
    uint64_t size;
    bool skip_sums; // -s
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
