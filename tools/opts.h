// SPDX-License-Identifier: MPL-2.0
// Command lines. Each subcommand states its options in one table, from which both the parser and --help
// are made. Forms taken: -oX, -o X, -ab (flags), --long X, --long=X, "--" ends the options; options and
// operands may be mixed.
#pragma once
#include "tool.h"

enum opt_kind {
    OPT_FLAG,   // target: bool
    OPT_TEXT,   // target: const char *; given twice is wrong usage
    OPT_LIST,   // target: struct opt_list; may be repeated
    OPT_NUMBER, // target: uint64_t; decimal or 0x hex, in [min, max]
};

struct opt_list {
    const char **items; // of the process's arguments
    size_t count;
};

struct opt {
    char letter;          // 0 = none
    const char *name;     // long name, without "--"; NULL = none
    enum opt_kind kind;
    void *target;
    const char *argument; // what --help calls the argument
    const char *help;
    uint64_t min, max;    // OPT_NUMBER; max 0 = no limit
    bool *given;          // OPT_NUMBER: set when the option was there; may be NULL
};

// How a table's lines are written.
#define OPTION_FLAG(l, n, t, h) { .letter = l, .name = n, .kind = OPT_FLAG, .target = t, .help = h }
#define OPTION_TEXT(l, n, t, a, h) { .letter = l, .name = n, .kind = OPT_TEXT, .target = t, .argument = a, .help = h }
#define OPTION_LIST(l, n, t, a, h) { .letter = l, .name = n, .kind = OPT_LIST, .target = t, .argument = a, .help = h }
#define OPTION_NUMBER(l, n, t, a, lo, hi, g, h)                                                                        \
    { .letter = l, .name = n, .kind = OPT_NUMBER, .target = t, .argument = a, .min = lo, .max = hi, .given = g, .help = h }

struct opt_help {
    const char *usage;    // after "signet NAME "
    const char *about;    // a paragraph, may hold newlines
};

// Parses argv[0..argc) (without the program's and the subcommand's names). --help and --version are
// answered here. Returns -1 to go on, or the exit status with which to end. Operands go to *operands.
int opts_parse(const struct opt *table, size_t count, const struct opt_help *help, int argc, char **argv,
               struct opt_list *operands);

void opt_list_add(struct opt_list *list, const char *item);

// "signet 0.1.0 (commit)" on standard output.
void opts_print_version(void);
