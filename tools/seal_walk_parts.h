// SPDX-License-Identifier: MPL-2.0
// What the files of the walk share (seal_walk.h).
#pragma once
#include "script/script.h"
#include "script/settings.h"
#include "seal_walk.h"

#define WALK_IMAGES_MAX 32
#define WALK_ITEMS_MAX 64
#define WALK_CHOICES_MAX 256

struct walk_image {
    char *name, *uri, *arguments;
    char *seal; // of a kernel: URI that a line `seal` in front of it named; NULL: none
    bool kernel;      // came by `kernel`, or by a `chain`
    const char *text; // of a script, which is no part of what is started
    size_t len;
};

struct walk {
    const struct walk_ops *ops;
    void *ctx;
    const struct opt_list *sets;
    struct walk_result *result;
    // one way's
    struct settings settings;
    uint8_t arena[SETTINGS_ARENA_DEFAULT];
    struct opt_list absent; // settings that are known not to be there; allocated
    struct walk_image images[WALK_IMAGES_MAX];
    size_t image_count;
    int selected; // of images, -1: none
    char *seal;   // for the next kernel
    struct walk_item {
        char *menu, *label;
    } items[WALK_ITEMS_MAX];
    size_t item_count;
    const struct uri *base;
    unsigned lines, scripts;
    bool over;
    struct walk_visit {
        const char *text;
        unsigned line;
    } visits[WALK_CHOICES_MAX];
    // all ways'
    struct walk_choice {
        unsigned taken, count;
    } choices[WALK_CHOICES_MAX];
    size_t depth, known; // choices so far on this way; those that it follows
    char said[256];
    size_t said_len;
};

extern const struct script_command walk_commands[];
extern const size_t walk_command_count;
extern const struct script_ops walk_script_ops;

// One of so many possibilities on this way; the others have ways of their own.
unsigned walk_pick(struct walk *w, const struct script *s, unsigned count);
void walk_note(struct walk *w, const char *format, ...) PRINTF_LIKE(2, 3);

// Runs a script on this way. Its status.
int walk_run(struct walk *w, const char *text, size_t len, const struct uri *base);

// The whole URI that the text means here: free(), or NULL after a note. *ret_name: the last part of its path, URI_PATH_MAX bytes.
char *walk_resolve(struct walk *w, const char *reference, char *ret_name);
// The same of a file that is there. *ret_text as of walk_ops.
char *walk_find(struct walk *w, const char *reference, char *ret_name, const char **ret_text, size_t *ret_len);

// Notes down that the selected image is started; the way ends.
void walk_start(struct walk *w);
void walk_free_images(struct walk *w);
void walk_free_items(struct walk *w, const char *menu); // NULL: of every menu
