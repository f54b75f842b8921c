// SPDX-License-Identifier: MPL-2.0
// Three lines: sealed words, patterns, what a script gives.
#include "base/err.h"
#include "base/fuzz.h"
#include "phase2/arguments.h"

#include <stdlib.h>

#define LINE_MAX 600
#define MUST(condition)                                                                                                \
    do {                                                                                                               \
        if (!(condition))                                                                                              \
            __builtin_trap();                                                                                          \
    } while (0)

static char lines[3][LINE_MAX], first[2 * LINE_MAX], second[2 * LINE_MAX];

static void judge(bool drop_initrd)
{
    struct arguments_word bad = { 0 };
    int len = arguments_judge(lines[0], lines[1], drop_initrd, lines[2], first, sizeof first, &bad);
    MUST(len == ERR_SEAL_ARGUMENT || (len >= 0 && (size_t)len == strlen(first)));
    if (len < 0) {
        const char *in = bad.missing ? lines[0] : lines[2];
        MUST(bad.len > 0 && bad.text >= in && bad.text + bad.len <= in + strlen(in));
        return;
    }
    // What was taken is taken again, as it is: with the sealed words, and with nothing that hangs on initrd= being passed over.
    MUST(arguments_judge(lines[0], lines[1], false, first, second, sizeof second, &bad) == len);
    MUST(strcmp(first, second) == 0);
    // Less room is told.
    char *small = malloc((size_t)len + 1);
    MUST(arguments_judge(lines[0], lines[1], drop_initrd, lines[2], small, (size_t)len + 1, &bad) == len);
    if (len > 0)
        MUST(arguments_judge(lines[0], lines[1], drop_initrd, lines[2], small, (size_t)len, &bad) == ERR_BOOT_CMDLINE);
    free(small);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    memset(lines, 0, sizeof lines);
    for (size_t i = 0, line = 0, at = 0; i < size && line < 3; i++) {
        if (data[i] == '\n') {
            line++;
            at = 0;
        } else if (data[i] != '\0' && at + 1 < LINE_MAX) {
            lines[line][at++] = (char)data[i];
        }
    }
    if (!arguments_sound(lines[1]))
        lines[1][0] = '\0';
    judge(false);
    judge(true);
    return 0;
}
