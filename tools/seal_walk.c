// SPDX-License-Identifier: MPL-2.0
// See seal_walk.h: settings, ways, and what is found on them.
#include "seal_walk_parts.h"
#include "seal_words.h"
#include <stdio.h>
#include <stdlib.h>

void walk_note(struct walk *w, const char *format, ...)
{
    char text[1024];
    va_list args;
    va_start(args, format);
    int len = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    char *shown = words_shown(text, MIN((size_t)len, sizeof text - 1));
    struct opt_list *notes = &w->result->notes;
    for (size_t i = 0; i < notes->count; i++)
        if (strcmp(notes->items[i], shown) == 0) {
            free(shown);
            return;
        }
    opt_list_add(notes, shown);
}

// --- settings ---

static int absent_at(const struct walk *w, const char *name)
{
    for (size_t i = 0; i < w->absent.count; i++)
        if (strcmp(w->absent.items[i], name) == 0)
            return (int)i;
    return -1;
}

static void make_present(struct walk *w, const char *name)
{
    int at = absent_at(w, name);
    if (at < 0)
        return;
    free((char *)w->absent.items[at]);
    w->absent.items[at] = w->absent.items[--w->absent.count];
}

// A name without its type.
static size_t bare(const char *name, char ret[SCRIPT_NAME_MAX])
{
    size_t len = MIN(strcspn(name, ":"), (size_t)SCRIPT_NAME_MAX - 1);
    memcpy(ret, name, len);
    ret[len] = '\0';
    return len;
}

static int get(void *ctx, const char *name, char *buf, size_t cap)
{
    struct walk *w = ctx;
    char plain[SCRIPT_NAME_MAX];
    bare(name, plain);
    int r = settings_get(&w->settings, name, buf, cap);
    if (r >= 0 || r == ERR_TOO_LARGE || !*name || absent_at(w, plain) >= 0)
        return r;
    if (cap < strlen(name) + 3)
        return ERR_TOO_LARGE;
    return sprintf(buf, "%c%s%c", WORDS_OPEN, name, WORDS_CLOSE);
}

static int clear(void *ctx, const char *name)
{
    struct walk *w = ctx;
    char plain[SCRIPT_NAME_MAX];
    if (bare(name, plain) && absent_at(w, plain) < 0)
        opt_list_add(&w->absent, tool_strdup(plain));
    return settings_clear(&w->settings, name);
}

static int set(void *ctx, const char *name, const char *text)
{
    struct walk *w = ctx;
    char plain[SCRIPT_NAME_MAX];
    bare(name, plain);
    if (!*text) {
        (void)clear(ctx, name);
        return 0;
    }
    make_present(w, plain);
    if (!words_unknown(text))
        return settings_set(&w->settings, name, text);
    // Of no type that is known here: it stays text, and what cannot be that, is as unknown as what it was set to.
    char *as_text = tool_format("%s:string", plain);
    if (settings_set(&w->settings, as_text, text) < 0)
        (void)settings_clear(&w->settings, plain);
    free(as_text);
    return 0;
}

static int update(void *ctx, const char *name, const char *text)
{
    struct walk *w = ctx;
    make_present(w, name);
    return settings_update(&w->settings, name, text);
}

// What the interpreter itself says is a note; a script's own texts are not shown (walk_commands).
static void print(void *ctx, const char *text, size_t len)
{
    struct walk *w = ctx;
    bool ended = w->over || w->lines > WALK_LINES_MAX; // by us, which is no fault of the script
    for (size_t i = 0; i < len && !ended; i++) {
        if (text[i] == '\n') {
            walk_note(w, "%.*s", (int)w->said_len, w->said);
            w->said_len = 0;
        } else if (w->said_len < sizeof w->said) {
            w->said[w->said_len++] = text[i];
        }
    }
}

static int poll(void *ctx)
{
    struct walk *w = ctx;
    return w->over || ++w->lines > WALK_LINES_MAX ? ERR_CANCELLED : 0;
}

const struct script_ops walk_script_ops = { .get = get, .set = set, .clear = clear, .print = print, .poll = poll, .update = update };

// --- files ---

// The reference as a whole URI, and the last part of its path.
static int resolve(const struct walk *w, const char *reference, char *uri, size_t cap, char *name)
{
    struct uri *both = tool_alloc(2 * sizeof *both);
    int r = uri_parse(reference, &both[0]);
    if (r == 0)
        r = uri_resolve(w->base, &both[0], &both[1]);
    if (r == 0)
        r = MIN(uri_format(&both[1], uri, cap), 0);
    if (r == 0)
        r = MIN(uri_last_name(&both[1], name, URI_PATH_MAX), 0);
    free(both);
    return r;
}

static void note_error(struct walk *w, const char *reference, int err)
{
    walk_note(w, "%s is not followed: %s (%s)", reference, err_text(err), err_code(err));
}

char *walk_resolve(struct walk *w, const char *reference, char *ret_name)
{
    char uri[URI_TEXT_MAX];
    if (words_unknown(reference)) {
        const char *open = strchr(reference, WORDS_OPEN) + 1;
        int len = (int)strcspn(open, WORDS_MARKS);
        walk_note(w, "%s is not followed: %.*s is not known here (--set %.*s=VALUE)", reference, len, open, len, open);
        return NULL;
    }
    int r = resolve(w, reference, uri, sizeof uri, ret_name);
    if (r == 0)
        return tool_strdup(uri);
    note_error(w, reference, r);
    return NULL;
}

char *walk_find(struct walk *w, const char *reference, char *ret_name, const char **ret_text, size_t *ret_len)
{
    char *uri = walk_resolve(w, reference, ret_name);
    int r = uri ? w->ops->find(w->ctx, uri, ret_text, ret_len) : 0;
    if (r == 0)
        return uri;
    note_error(w, reference, r);
    free(uri);
    return NULL;
}

// --- what is started ---

static void free_start(struct walk_start *start)
{
    for (uint32_t i = 0; i < start->initrd_count; i++) {
        free(start->initrds[i].uri);
        free(start->initrds[i].rest);
    }
    free(start->kernel);
    free(start->seal);
    free(start->arguments);
}

static bool same_start(const struct walk_start *a, const struct walk_start *b)
{
    if (strcmp(a->kernel, b->kernel) != 0 || strcmp(a->seal, b->seal) != 0 || strcmp(a->arguments, b->arguments) != 0 ||
        a->initrd_count != b->initrd_count)
        return false;
    for (uint32_t i = 0; i < a->initrd_count; i++)
        if (strcmp(a->initrds[i].uri, b->initrds[i].uri) != 0 || strcmp(a->initrds[i].rest, b->initrds[i].rest) != 0)
            return false;
    return true;
}

void walk_start(struct walk *w)
{
    struct walk_result *result = w->result;
    struct walk_start start = { 0 };
    const struct walk_image *kernel = &w->images[w->selected];
    start.kernel = tool_strdup(kernel->uri);
    start.seal = tool_strdup(kernel->seal ? kernel->seal : "");
    start.arguments = tool_strdup(kernel->arguments);
    w->over = true;
    for (size_t i = 0; i < w->image_count; i++) {
        const struct walk_image *image = &w->images[i];
        if (image->kernel || image->text || image == kernel)
            continue;
        if (start.initrd_count == SEAL_PARTS_MAX - 1) {
            walk_note(w, "%s is started with more files than a seal covers (%d)", start.kernel, SEAL_PARTS_MAX);
            free_start(&start);
            return;
        }
        start.initrds[start.initrd_count++] = (struct walk_initrd){ tool_strdup(image->uri), tool_strdup(image->arguments) };
    }
    for (size_t i = 0; i < result->count; i++)
        if (same_start(&result->starts[i], &start)) {
            free_start(&start);
            return;
        }
    result->starts = tool_realloc(result->starts, (result->count + 1) * sizeof start);
    result->starts[result->count++] = start;
}

// --- ways ---

unsigned walk_pick(struct walk *w, const struct script *s, unsigned count)
{
    unsigned visits = 0;
    for (size_t i = 0; i < w->depth; i++)
        visits += w->visits[i].text == s->text && w->visits[i].line == s->line_number;
    if (count < 2)
        return 0;
    if (visits >= WALK_VISITS_MAX || w->depth == WALK_CHOICES_MAX) {
        w->over = true;
        return 0;
    }
    w->visits[w->depth] = (struct walk_visit){ s->text, s->line_number };
    if (w->depth == w->known)
        w->choices[w->known++] = (struct walk_choice){ .count = count };
    return w->choices[w->depth++].taken;
}

// The next way. False: all of them were followed.
static bool next_way(struct walk *w)
{
    w->known = w->depth;
    while (w->known && w->choices[w->known - 1].taken + 1 == w->choices[w->known - 1].count)
        w->known--;
    if (w->known)
        w->choices[w->known - 1].taken++;
    return w->known;
}

int walk_run(struct walk *w, const char *text, size_t len, const struct uri *base)
{
    if (w->scripts == WALK_SCRIPTS_MAX)
        return ERR_SCRIPT_LIMIT;
    struct script *s = tool_alloc(sizeof *s);
    const struct uri *before = w->base;
    script_init(s, walk_commands, walk_command_count, &walk_script_ops, w);
    w->base = base;
    w->scripts++;
    int status = script_run(s, text, len);
    w->scripts--;
    w->base = before;
    free(s);
    return status;
}

static void reset(struct walk *w)
{
    walk_free_images(w);
    walk_free_items(w, NULL);
    for (size_t i = 0; i < w->absent.count; i++)
        free((char *)w->absent.items[i]);
    w->absent.count = 0;
    free(w->seal);
    w->seal = NULL;
    w->selected = -1;
    w->depth = 0;
    w->lines = 0;
    w->over = false;
    w->said_len = 0;
    settings_init(&w->settings, w->arena, sizeof w->arena);
    settings_use(&w->settings, "net0");
}

static int give_settings(struct walk *w)
{
    for (size_t i = 0; i < w->sets->count; i++) {
        const char *text = w->sets->items[i], *equals = strchr(text, '=');
        char *name = tool_format("%.*s", equals ? (int)(equals - text) : 0, text);
        int r = equals && *name ? set(w, name, equals + 1) : ERR_INVALID;
        if (r < 0)
            tool_usage("--set", "\"%s\": NAME=VALUE is wanted, or NAME= for a setting that is not there (%s)", text, err_text(r));
        free(name);
        if (r < 0)
            return -1;
    }
    return 0;
}

int walk_script(const char *text, size_t len, const struct uri *base, const struct opt_list *sets, const struct walk_ops *ops, void *ctx,
                struct walk_result *ret)
{
    struct walk *w = tool_alloc(sizeof *w);
    unsigned ways = 0;
    int r;
    *ret = (struct walk_result){ 0 };
    *w = (struct walk){ .ops = ops, .ctx = ctx, .sets = sets, .result = ret, .selected = -1 };
    do {
        reset(w);
        r = give_settings(w);
        if (r != 0)
            break;
        (void)walk_run(w, text, len, base);
        ret->cut = ++ways == WALK_WAYS_MAX;
    } while (next_way(w) && !ret->cut);
    reset(w);
    free(w->absent.items);
    free(w);
    return r;
}

void walk_free(struct walk_result *result)
{
    for (size_t i = 0; i < result->count; i++)
        free_start(&result->starts[i]);
    for (size_t i = 0; i < result->notes.count; i++)
        free((char *)result->notes.items[i]);
    free(result->starts);
    free(result->notes.items);
}
