// SPDX-License-Identifier: MPL-2.0
// Follows a script by the firmware's interpreter, with commands that note down what would be started instead of doing it. What cannot be known
// here is followed both ways: each item of a menu, a key that is pressed or not, a condition on a setting that nobody has set.
#pragma once
#include "opts.h"
#include "phase2/seal.h"
#include "proto/uri.h"

#define WALK_WAYS_MAX 2000    // through the script
#define WALK_LINES_MAX 3000   // of one way
#define WALK_VISITS_MAX 2     // of one line with a choice, on one way: a menu that comes again has been seen
#define WALK_SCRIPTS_MAX 8    // that chain each other

// What a way started: texts as sealed_words has them.
struct walk_start {
    char *kernel; // URI
    char *seal;   // URI that a line `seal` in front of it names, "" without one
    char *arguments;
    struct walk_initrd {
        char *uri, *rest; // rest: "PATH mode=755", "" for an archive as it is
    } initrds[SEAL_PARTS_MAX];
    uint32_t initrd_count;
};

struct walk_ops {
    // Is the file there? 0 or an error. *ret_text: what it holds when it is a script, until the walk's end; NULL otherwise.
    int (*find)(void *ctx, const char *uri, const char **ret_text, size_t *ret_len);
};

struct walk_result {
    struct walk_start *starts;
    size_t count;
    struct opt_list notes; // what was not followed and why, each once; allocated
    bool cut;              // there are more ways than WALK_WAYS_MAX
};

// `base`: URI of the script itself, against which others are resolved. `sets`: "NAME=VALUE", or "NAME=" for one that is not set. 0, or -1
// after a message.
int walk_script(const char *text, size_t len, const struct uri *base, const struct opt_list *sets, const struct walk_ops *ops, void *ctx,
                struct walk_result *ret);
void walk_free(struct walk_result *result);
