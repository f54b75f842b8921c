// SPDX-License-Identifier: MPL-2.0
// The option parser and the writer of --help.
#include "opts.h"
#include "base/fmt.h"
#include "base/version.h"
#include <inttypes.h>
#include <stdio.h>

void opt_list_add(struct opt_list *list, const char *item)
{
    list->items = tool_realloc(list->items, (list->count + 1) * sizeof *list->items);
    list->items[list->count++] = item;
}

void opts_print_version(void)
{
    printf("signet %s (%s)\n", signet_version, signet_commit);
}

static void print_option(char letter, const char *name, const char *argument, const char *help)
{
    char left[64];
    char shortform[4] = "";
    if (letter)
        snprintf(shortform, sizeof shortform, "-%c", letter);
    snprintf(left, sizeof left, "  %2s%s%s%s%s%s", shortform, letter && name ? ", " : "  ", name ? "--" : "",
             name ? name : "", argument ? " " : "", argument ? argument : "");
    // Help that does not fit beside its option goes below it.
    if (strlen(left) > 30)
        printf("%s\n%32s", left, "");
    else
        printf("%-32s", left);
    for (const char *p = help; *p; p++) {
        putchar(*p);
        if (*p == '\n')
            printf("%32s", "");
    }
    putchar('\n');
}

static void print_help(const struct opt *table, size_t count, const struct opt_help *help)
{
    printf("Usage: signet %s %s\n\n%s\n\nOptions:\n", tool_name(), help->usage, help->about);
    for (size_t i = 0; i < count; i++)
        print_option(table[i].letter, table[i].name, table[i].argument, table[i].help);
    print_option(0, "help", NULL, "show this and end");
    print_option(0, "version", NULL, "show the version and end");
}

static int take(const struct opt *o, const char *shown, const char *value)
{
    switch (o->kind) {
    case OPT_FLAG:
        *(bool *)o->target = true;
        break;
    case OPT_TEXT:
        if (*(const char **)o->target)
            return tool_usage(shown, "given twice");
        *(const char **)o->target = value;
        break;
    case OPT_LIST:
        opt_list_add(o->target, value);
        break;
    case OPT_NUMBER: {
        uint64_t n;
        uint64_t max = o->max ? o->max : UINT64_MAX;
        if (!fmt_parse_u64(value, strlen(value), 0, &n))
            return tool_usage(shown, "\"%s\" is not a number", value);
        if (n < o->min || n > max)
            return tool_usage(shown, "%s is outside %" PRIu64 "..%" PRIu64, value, o->min, max);
        *(uint64_t *)o->target = n;
        if (o->given)
            *o->given = true;
        break;
    }
    }
    return -1;
}

struct parser {
    const struct opt *table;
    size_t count;
    const struct opt_help *help;
    int argc;
    char **argv;
    int at; // index of the argument after the current one
};

static int parse_long(struct parser *p, const char *arg)
{
    const char *equals = strchr(arg, '=');
    size_t len = equals ? (size_t)(equals - arg) : strlen(arg);
    char shown[64];
    snprintf(shown, sizeof shown, "--%.*s", (int)MIN(len, (size_t)48), arg);
    if (!equals && strcmp(arg, "help") == 0) {
        print_help(p->table, p->count, p->help);
        return tool_flush();
    }
    if (!equals && strcmp(arg, "version") == 0) {
        opts_print_version();
        return tool_flush();
    }
    for (size_t i = 0; i < p->count; i++) {
        const struct opt *o = &p->table[i];
        if (!o->name || strlen(o->name) != len || memcmp(o->name, arg, len) != 0)
            continue;
        if (o->kind == OPT_FLAG)
            return equals ? tool_usage(shown, "takes no argument") : take(o, shown, NULL);
        if (equals)
            return take(o, shown, equals + 1);
        if (p->at >= p->argc)
            return tool_usage(shown, "needs an argument (%s)", o->argument);
        return take(o, shown, p->argv[p->at++]);
    }
    return tool_usage(shown, "option not known");
}

static int parse_short(struct parser *p, const char *arg)
{
    for (; *arg; arg++) {
        char shown[3] = { '-', *arg, '\0' };
        const struct opt *o = NULL;
        for (size_t i = 0; i < p->count && !o; i++)
            if (p->table[i].letter == *arg)
                o = &p->table[i];
        if (!o && *arg == 'h') {
            print_help(p->table, p->count, p->help);
            return tool_flush();
        }
        if (!o)
            return tool_usage(shown, "option not known");
        if (o->kind != OPT_FLAG) {
            if (arg[1])
                return take(o, shown, arg + 1);
            if (p->at >= p->argc)
                return tool_usage(shown, "needs an argument (%s)", o->argument);
            return take(o, shown, p->argv[p->at++]);
        }
        int status = take(o, shown, NULL);
        if (status >= 0)
            return status;
    }
    return -1;
}

int opts_parse(const struct opt *table, size_t count, const struct opt_help *help, int argc, char **argv,
               struct opt_list *operands)
{
    struct parser p = { .table = table, .count = count, .help = help, .argc = argc, .argv = argv };
    while (p.at < argc) {
        const char *arg = argv[p.at++];
        if (arg[0] != '-' || arg[1] == '\0') {
            opt_list_add(operands, arg);
            continue;
        }
        if (strcmp(arg, "--") == 0) {
            while (p.at < argc)
                opt_list_add(operands, argv[p.at++]);
            break;
        }
        int status = arg[1] == '-' ? parse_long(&p, arg + 2) : parse_short(&p, arg + 1);
        if (status >= 0)
            return status;
    }
    return -1;
}
