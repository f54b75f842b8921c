// SPDX-License-Identifier: MPL-2.0
// The commands of a script that is followed (seal_walk.h): those that bring and start images note it down, those that ask give every answer,
// the rest succeeds.
#include "seal_walk_parts.h"
#include "seal_words.h"
#include <stdlib.h>

// --- images ---

static void free_image(struct walk_image *image)
{
    free(image->name);
    free(image->uri);
    free(image->arguments);
    free(image->seal);
}

void walk_free_images(struct walk *w)
{
    for (size_t i = 0; i < w->image_count; i++)
        free_image(&w->images[i]);
    w->image_count = 0;
    w->selected = -1;
}

static int image_at(const struct walk *w, const char *name)
{
    for (size_t i = w->image_count; i-- > 0;)
        if (strcmp(w->images[i].name, name) == 0)
            return (int)i;
    return -1;
}

static void set_arguments(struct walk_image *image, const char *text)
{
    free(image->arguments);
    image->arguments = tool_strdup(text);
}

// What the options of these commands leave is of no use here, but has to be read over.
struct options {
    const char *name, *timeout, *replace, *autofree, *key, *preset, *menu, *gap, *keep;
};

static int read_options(struct script *s, int argc, char **argv, struct options *o, int min)
{
    *o = (struct options){ 0 };
    const struct script_option table[] = {
        { 'n', "name", true, &o->name },         { 't', "timeout", true, &o->timeout }, { 'r', "replace", false, &o->replace },
        { 'a', "autofree", false, &o->autofree }, { 'k', "key", true, &o->key },         { 'd', "default", true, &o->preset },
        { 'm', "menu", true, &o->menu },         { 'g', "gap", false, &o->gap },        { 0, "retimeout", true, &o->timeout },
    };
    return script_options(s, argc, argv, table, ARRAY_SIZE(table), min, -1);
}

// Brings what argv[at] names, with what stands behind it. Its place among the images, or an error.
static int bring(struct walk *w, int argc, char **argv, int at, const char *name, bool kernel)
{
    char last[URI_PATH_MAX];
    struct walk_image image = { .kernel = kernel };
    image.uri = walk_find(w, argv[at], last, &image.text, &image.len);
    if (!image.uri)
        return ERR_NOT_FOUND;
    image.name = tool_strdup(name ? name : last);
    image.arguments = tool_strdup(script_join(argc, argv, at + 1));
    if (w->image_count == WALK_IMAGES_MAX) {
        free_image(&image);
        return ERR_SCRIPT_LIMIT;
    }
    if (kernel && !image.text) {
        image.seal = w->seal;
        w->seal = NULL;
    }
    w->images[w->image_count] = image;
    return (int)w->image_count++;
}

static int run_fetch(struct script *s, int argc, char **argv)
{
    struct walk *w = s->ctx;
    struct options o;
    bool kernel = strcmp(argv[0], "kernel") == 0 || strcmp(argv[0], "imgselect") == 0 || strcmp(argv[0], "imgload") == 0;
    int at = read_options(s, argc, argv, &o, 1), r = at < 0 ? at : bring(w, argc, argv, at, o.name, kernel);
    if (r >= 0 && kernel)
        w->selected = r;
    return MIN(r, 0);
}

static int run_imgselect(struct script *s, int argc, char **argv)
{
    struct walk *w = s->ctx;
    int at = image_at(w, argv[argc - 1]);
    if (at < 0)
        return run_fetch(s, argc, argv);
    w->selected = at;
    return 0;
}

static int run_imgargs(struct script *s, int argc, char **argv)
{
    struct walk *w = s->ctx;
    int at = image_at(w, argv[1]);
    if (at < 0)
        return ERR_NOT_FOUND;
    set_arguments(&w->images[at], script_join(argc, argv, 2));
    return 0;
}

// The seal itself is what is being made: where it shall lie is what counts.
static int run_seal(struct script *s, int argc, char **argv)
{
    struct walk *w = s->ctx;
    struct options o;
    char name[URI_PATH_MAX];
    int at = read_options(s, argc, argv, &o, 1);
    if (at < 0)
        return at;
    free(w->seal);
    w->seal = walk_resolve(w, argv[at], name);
    return w->seal ? 0 : ERR_NOT_FOUND;
}

static void remove_image(struct walk *w, int at)
{
    free_image(&w->images[at]);
    memmove(&w->images[at], &w->images[at + 1], (--w->image_count - (size_t)at) * sizeof *w->images);
    w->selected = w->selected == at ? -1 : w->selected - (w->selected > at);
}

static int run_imgfree(struct script *s, int argc, char **argv)
{
    struct walk *w = s->ctx;
    int at = argc < 2 ? -1 : image_at(w, argv[1]);
    if (argc < 2)
        walk_free_images(w);
    else if (at >= 0)
        remove_image(w, at);
    return argc >= 2 && at < 0 ? ERR_NOT_FOUND : 0;
}

// Follows a script that has come as an image, which it is no longer then.
static int run_image(struct walk *w, int at)
{
    struct uri *base = tool_alloc(sizeof *base);
    const char *text = w->images[at].text;
    size_t len = w->images[at].len;
    int r = uri_parse(w->images[at].uri, base);
    remove_image(w, at);
    if (r == 0)
        r = walk_run(w, text, len, base);
    free(base);
    return r;
}

// boot, imgexec, chain: an image that is here, or one to be brought; a script is followed.
static int run_start(struct script *s, int argc, char **argv)
{
    struct walk *w = s->ctx;
    struct options o;
    int at = read_options(s, argc, argv, &o, 0), r = at;
    if (at >= 0 && at < argc) {
        r = image_at(w, argv[at]);
        if (r < 0)
            r = bring(w, argc, argv, at, o.name, true);
        else if (at + 1 < argc)
            set_arguments(&w->images[r], script_join(argc, argv, at + 1));
        if (r >= 0)
            w->selected = r;
    }
    if (r < 0)
        return r;
    if (w->selected < 0)
        return ERR_NOT_FOUND;
    if (!w->images[w->selected].text) {
        walk_start(w);
        return 0;
    }
    r = run_image(w, w->selected);
    w->over |= o.replace != NULL;
    return r;
}

// --- questions ---

static int run_builtin(const char *name, struct script *s, int argc, char **argv)
{
    for (size_t i = 0; i < script_builtin_count; i++)
        if (strcmp(script_builtins[i].name, name) == 0)
            return script_builtins[i].run(s, argc, argv);
    return ERR_INTERNAL;
}

void walk_free_items(struct walk *w, const char *menu)
{
    size_t kept = 0;
    for (size_t i = 0; i < w->item_count; i++) {
        if (menu && strcmp(w->items[i].menu, menu) != 0) {
            w->items[kept++] = w->items[i];
            continue;
        }
        free(w->items[i].menu);
        free(w->items[i].label);
    }
    w->item_count = kept;
}

static int run_menu(struct script *s, int argc, char **argv)
{
    struct options o;
    int at = read_options(s, argc, argv, &o, 0);
    if (at > 0)
        walk_free_items(s->ctx, o.name ? o.name : "");
    return MIN(at, 0);
}

static int run_item(struct script *s, int argc, char **argv)
{
    struct walk *w = s->ctx;
    struct options o;
    const char *preset = NULL; // --default has no value here
    const struct script_option table[] = { { 'k', "key", true, &o.key }, { 'm', "menu", true, &o.menu }, { 'g', "gap", false, &o.gap },
                                           { 'd', "default", false, &preset } };
    o = (struct options){ 0 };
    int at = script_options(s, argc, argv, table, ARRAY_SIZE(table), 0, -1);
    if (at < 0 || o.gap || at == argc)
        return MIN(at, 0);
    if (w->item_count == WALK_ITEMS_MAX)
        return ERR_SCRIPT_LIMIT;
    w->items[w->item_count++] = (struct walk_item){ tool_strdup(o.menu ? o.menu : ""), tool_strdup(argv[at]) };
    return 0;
}

static int run_choose(struct script *s, int argc, char **argv)
{
    struct walk *w = s->ctx;
    struct options o;
    const struct script_option table[] = { { 't', "timeout", true, &o.timeout }, { 'd', "default", true, &o.preset },
                                           { 'm', "menu", true, &o.menu }, { 'k', "keep", false, &o.keep },
                                           { 'r', "retimeout", true, &o.timeout } };
    o = (struct options){ 0 };
    int at = script_options(s, argc, argv, table, ARRAY_SIZE(table), 1, 1);
    if (at < 0)
        return at;
    const char *labels[WALK_ITEMS_MAX];
    unsigned count = 0;
    for (size_t i = 0; i < w->item_count; i++)
        if (strcmp(w->items[i].menu, o.menu ? o.menu : "") == 0)
            labels[count++] = w->items[i].label;
    unsigned pick = walk_pick(w, s, count + 1); // the last one: nothing is chosen
    if (pick == count || count == 0)
        return ERR_CANCELLED;
    int r = s->ops->set(w, argv[at], labels[pick]);
    if (!o.keep)
        walk_free_items(w, o.menu ? o.menu : "");
    return r;
}

static int run_either(struct script *s, int argc, char **argv)
{
    return walk_pick(s->ctx, s, 2) ? ERR_SCRIPT_FALSE : 0;
}

static int run_isset(struct script *s, int argc, char **argv)
{
    const char *text = script_join(argc, argv, 1);
    if (words_unknown(text))
        return run_either(s, argc, argv);
    return *text ? 0 : ERR_SCRIPT_FALSE;
}

static int run_iseq(struct script *s, int argc, char **argv)
{
    if (words_unknown(argv[1]) || words_unknown(argv[2]))
        return run_either(s, argc, argv);
    return strcmp(argv[1], argv[2]) == 0 ? 0 : ERR_SCRIPT_FALSE;
}

// Does the text fit, with anything in place of its settings that are not known?
static bool may_be(const char *text, const char *label, size_t len)
{
    if (*text == WORDS_OPEN) {
        unsigned depth = 0;
        do
            depth += (*text == WORDS_OPEN) - (*text == WORDS_CLOSE);
        while (*text++ && depth);
        for (size_t i = 0; i <= len; i++)
            if (may_be(text, label + i, len - i))
                return true;
        return false;
    }
    return len == 0 ? !*text : *text == *label && may_be(text + 1, label + 1, len - 1);
}

// `goto boot_${platform}`: every label that it may mean. One of which nothing is known means none.
static int run_goto(struct script *s, int argc, char **argv)
{
    struct label {
        const char *text;
        size_t len;
    } labels[WALK_ITEMS_MAX];
    unsigned count = 0;
    char *wanted = argv[1];
    bool open = words_unknown(wanted) && (*wanted != WORDS_OPEN || wanted[strlen(wanted) - 1] != WORDS_CLOSE);
    for (const char *p = s->text, *end = p ? p + s->len : p; open && p && p < end && count < WALK_ITEMS_MAX;) {
        const char *line = p;
        size_t len = 1;
        while (p < end && *p++ != '\n')
            ;
        if (*line != ':')
            continue;
        while (line + len < p && line[len] > ' ')
            len++;
        if (may_be(wanted, line + 1, len - 1))
            labels[count++] = (struct label){ line + 1, len - 1 };
    }
    unsigned pick = walk_pick(s->ctx, s, count);
    char *label = count ? tool_format("%.*s", (int)labels[pick].len, labels[pick].text) : tool_strdup(wanted);
    char *both[] = { argv[0], label, NULL };
    int r = run_builtin("goto", s, 2, both);
    free(label);
    return r;
}

// --- the rest ---

static int run_nothing(struct script *s, int argc, char **argv)
{
    return 0;
}

static int run_end(struct script *s, int argc, char **argv)
{
    ((struct walk *)s->ctx)->over = true;
    return 0;
}

// A setting that is counted, and was not set before, begins at 0.
static int run_inc(struct script *s, int argc, char **argv)
{
    char text[SCRIPT_NAME_MAX + 8] = "";
    char *typed = tool_format("%s:int32", argv[1]);
    if (s->ops->get(s->ctx, argv[1], text, sizeof text) >= 0 && words_unknown(text))
        (void)s->ops->set(s->ctx, typed, "0");
    free(typed);
    return run_builtin("inc", s, argc, argv);
}

#define ANY(name, run) { name, 0, -1, "", run }
const struct script_command walk_commands[] = {
    ANY("kernel", run_fetch), ANY("initrd", run_fetch), ANY("module", run_fetch), ANY("imgfetch", run_fetch), ANY("imgload", run_imgselect),
    { "imgselect", 1, -1, "NAME|URI", run_imgselect }, { "imgargs", 1, -1, "NAME [ARGUMENTS]", run_imgargs }, ANY("imgfree", run_imgfree),
    ANY("boot", run_start), ANY("imgexec", run_start), ANY("chain", run_start),
    ANY("menu", run_menu), ANY("item", run_item), ANY("choose", run_choose),
    ANY("prompt", run_either), ANY("cpuid", run_either), ANY("login", run_either),
    ANY("isset", run_isset), { "iseq", 2, 2, "VALUE VALUE", run_iseq }, { "inc", 1, 2, "NAME [STEP]", run_inc }, { "goto", 1, 1, "LABEL", run_goto },
    ANY("shell", run_end), ANY("reboot", run_end), ANY("poweroff", run_end), ANY("sanboot", run_end), ANY("autoboot", run_end),
    ANY("echo", run_nothing), ANY("show", run_nothing), ANY("help", run_nothing), ANY("seal", run_seal), ANY("sleep", run_nothing),
    ANY("sync", run_nothing), ANY("dhcp", run_nothing), ANY("ifconf", run_nothing), ANY("ifopen", run_nothing), ANY("ifclose", run_nothing),
    ANY("ifstat", run_nothing), ANY("iflinkwait", run_nothing), ANY("route", run_nothing), ANY("vcreate", run_nothing),
    ANY("vdestroy", run_nothing), ANY("nslookup", run_nothing), ANY("ping", run_nothing), ANY("ntp", run_nothing), ANY("nstat", run_nothing),
    ANY("ipstat", run_nothing), ANY("imgstat", run_nothing), ANY("imgverify", run_nothing), ANY("imgtrust", run_nothing),
    ANY("console", run_nothing), ANY("colour", run_nothing), ANY("cpair", run_nothing), ANY("config", run_nothing),
    ANY("params", run_nothing), ANY("param", run_nothing), ANY("form", run_nothing), ANY("present", run_nothing), ANY("cat", run_nothing),
    ANY("ls", run_nothing), ANY("floor", run_nothing), ANY("sanhook", run_nothing), ANY("sanunhook", run_nothing), ANY("pciscan", run_nothing),
    ANY("usbscan", run_nothing), ANY("certstat", run_nothing),
};
const size_t walk_command_count = ARRAY_SIZE(walk_commands);
