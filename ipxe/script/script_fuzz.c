// SPDX-License-Identifier: MPL-2.0
// Any bytes as a script (with a first line put in front), as shell lines, and as names and values of settings.
#include "base/fuzz.h"
#include "script/script.h"
#include "script/settings.h"

#define LINES_MAX 300 // a script may loop for ever; that is what poll is for

static struct fuzz_world {
    struct script script;
    struct settings settings;
    uint8_t arena[2048];
    unsigned polls, printed;
} w;

static int get(void *ctx, const char *name, char *buf, size_t cap)
{
    int n = settings_get(&w.settings, name, buf, cap);
    if (n >= 0 && ((size_t)n >= cap || strlen(buf) != (size_t)n))
        __builtin_trap();
    return n;
}
static int set(void *ctx, const char *name, const char *text)
{
    return settings_set(&w.settings, name, text);
}
static int clear(void *ctx, const char *name)
{
    return settings_clear(&w.settings, name);
}
static int show(void *ctx, const char *name, char *buf, size_t cap)
{
    return settings_show(&w.settings, name, buf, cap);
}
static void print(void *ctx, const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++)
        w.printed += (unsigned char)text[i];
}
static int poll(void *ctx)
{
    return ++w.polls > LINES_MAX ? ERR_CANCELLED : 0;
}
static const struct script_ops ops = { get, set, clear, show, print, poll, NULL, NULL, NULL };

static int run_good(struct script *s, int argc, char **argv)
{
    const char *key = NULL;
    const struct script_option options[] = { { 'k', "key", true, &key } };
    int first = script_options(s, argc, argv, options, ARRAY_SIZE(options), 0, -1);
    if (first < 0)
        return first;
    if (key)
        (void)script_key(key);
    return strlen(script_join(argc, argv, first)) < SCRIPT_EXPAND_MAX ? 0 : ERR_INTERNAL;
}
static int run_fail(struct script *s, int argc, char **argv)
{
    return ERR_NOT_FOUND;
}
static const struct script_command commands[] = {
    { "good", 0, -1, "", run_good },
    { "fail", 0, -1, "", run_fail },
};

static void start(void)
{
    w.polls = 0;
    settings_init(&w.settings, w.arena, sizeof w.arena);
    settings_use(&w.settings, "net0");
    script_init(&w.script, commands, ARRAY_SIZE(commands), &ops, NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char text[8 + 65536];
    if (size > 65536)
        return 0;
    memcpy(text, "#!ipxe\n", 7);
    if (size)
        memcpy(text + 7, data, size);
    start();
    (void)script_run(&w.script, text, size + 7);
    start();
    for (size_t at = 0; at < size && w.polls++ < LINES_MAX;) {
        const char *line = text + 7 + at;
        const char *lf = memchr(line, '\n', size - at);
        size_t n = lf ? (size_t)(lf - line) : size - at;
        (void)script_line(&w.script, line, n);
        at += n + 1;
    }
    return 0;
}
