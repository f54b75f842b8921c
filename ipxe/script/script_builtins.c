// SPDX-License-Identifier: MPL-2.0
// The commands that every script has: text, settings, conditions and jumps. None has an effect outside.
#include "base/fmt.h"
#include "script/script.h"
#include "script/script_lex.h"

const char *script_join(int argc, char **argv, int first)
{
    if (first >= argc)
        return "";
    // The arguments lie end to end, each with its NUL: turning these into blanks joins them.
    for (int i = first; i + 1 < argc; i++)
        argv[i][strlen(argv[i])] = ' ';
    return argv[first];
}

static int run_echo(struct script *s, int argc, char **argv)
{
    const char *same_line = NULL;
    const struct script_option options[] = { { 'n', "n", false, &same_line } };
    int first = script_options(s, argc, argv, options, ARRAY_SIZE(options), 0, -1);
    if (first < 0)
        return first;
    const char *text = script_join(argc, argv, first);
    s->ops->print(s->ctx, text, strlen(text));
    if (!same_line)
        s->ops->print(s->ctx, "\n", 1);
    return 0;
}

static int run_set(struct script *s, int argc, char **argv)
{
    int rc = s->ops->set(s->ctx, argv[1], script_join(argc, argv, 2));
    if (rc < 0)
        script_printf(s, "set: %s: %s\n", argv[1], err_text(rc));
    return rc;
}

static int run_clear(struct script *s, int argc, char **argv)
{
    // Clearing what is not there is what was wanted.
    int rc = s->ops->clear(s->ctx, argv[1]);
    return rc == ERR_NOT_FOUND ? 0 : rc;
}

// "name = value", with scope and type when the caller knows them.
static int show_one(struct script *s, const char *name, char *text, size_t cap)
{
    if (s->ops->show)
        return s->ops->show(s->ctx, name, text, cap);
    int head = fmt_snprintf(text, cap, "%s = ", name);
    return (size_t)head >= cap ? ERR_TOO_LARGE : s->ops->get(s->ctx, name, text + head, cap - (size_t)head);
}

static int run_show(struct script *s, int argc, char **argv)
{
    // The rest of the argument buffer is free while a command runs.
    char *text = s->args + s->args_used;
    size_t cap = sizeof s->args - s->args_used;
    int status = 0;
    for (int i = 1; i < argc; i++) {
        int rc = show_one(s, argv[i], text, cap);
        if (rc < 0) {
            script_printf(s, "show: %s: %s\n", argv[i], err_text(rc));
            status = rc;
            continue;
        }
        s->ops->print(s->ctx, text, strlen(text));
        s->ops->print(s->ctx, "\n", 1);
    }
    return status;
}

// A number that outgrows its type begins anew, as in iPXE: its type decides how many bits of the sum are kept.
static int run_inc(struct script *s, int argc, char **argv)
{
    uint32_t value = 0, step = 1;
    char text[16];
    bool minus = argc > 2 && argv[2][0] == '-';
    int rc = argc > 2 ? script_number(s, argv[2] + minus, &step) : 0;
    if (rc < 0)
        return rc;
    rc = s->ops->get(s->ctx, argv[1], text, sizeof text);
    bool negative = rc > 0 && text[0] == '-';
    if (rc > 0 && (rc = script_number(s, text + negative, &value)) < 0)
        return rc;
    value = (negative ? 0u - value : value) + (minus ? 0u - step : step);
    fmt_snprintf(text, sizeof text, "%d", (int)value);
    return (s->ops->update ? s->ops->update : s->ops->set)(s->ctx, argv[1], text);
}

static int run_goto(struct script *s, int argc, char **argv)
{
    const char *wanted = argv[1];
    if (!s->text) {
        script_printf(s, "goto: no script is running\n");
        return ERR_SCRIPT_LABEL;
    }
    // The rest of the argument buffer takes the lines that are looked at; one that is longer holds no label.
    char *line = s->args + s->args_used;
    const size_t cap = sizeof s->args - s->args_used;
    size_t pos = 0, start = 0;
    unsigned number = 1, start_number = 1;
    int n;
    for (; (n = script_lex_line(s->text, s->len, &pos, &number, line, cap)) != ERR_NOT_FOUND;
         start = pos, start_number = number) {
        const char *label;
        size_t len = n < 0 ? 0 : script_lex_label(line, (size_t)n, &label);
        if (len == 0 || len != strlen(wanted) || memcmp(label, wanted, len) != 0)
            continue;
        s->pos = start;
        s->next_line = start_number;
        s->jumped = true;
        return 0;
    }
    script_printf(s, "goto: no label :%s in this script\n", wanted);
    return ERR_SCRIPT_LABEL;
}

static int run_isset(struct script *s, int argc, char **argv)
{
    return argc > 1 && argv[1][0] ? 0 : ERR_SCRIPT_FALSE;
}

static int run_iseq(struct script *s, int argc, char **argv)
{
    return strcmp(argv[1], argv[2]) == 0 ? 0 : ERR_SCRIPT_FALSE;
}

// Does the text name its transport ("http://...", "p2:///web")? A bare file name does not.
static int run_isuri(struct script *s, int argc, char **argv)
{
    const char *p = argc > 1 ? argv[1] : "";
    while ((*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') || (p > argv[1] && *p >= '0' && *p <= '9'))
        p++;
    return argc > 1 && p > argv[1] && strncmp(p, "://", 3) == 0 ? 0 : ERR_SCRIPT_FALSE;
}

static int run_exit(struct script *s, int argc, char **argv)
{
    uint32_t code = 0;
    int rc = argc > 1 ? script_number(s, argv[1], &code) : 0;
    if (rc < 0)
        return rc;
    s->exiting = true;
    s->exit_code = (int)(code & 0x7fffffff);
    return code ? ERR_SCRIPT_EXIT : 0;
}

// All commands of a table, or the one that is called so. True: there was one.
static bool help_table(struct script *s, const struct script_command *table, size_t count, const char *only)
{
    bool found = false;
    for (size_t i = 0; i < count; i++) {
        if (only && strcmp(table[i].name, only) != 0)
            continue;
        script_printf(s, "  %s%s%s\n", table[i].name, table[i].usage[0] ? " " : "", table[i].usage);
        found = true;
    }
    return found;
}

static int run_help(struct script *s, int argc, char **argv)
{
    const char *only = argc > 1 ? argv[1] : NULL;
    bool found = help_table(s, s->commands, s->command_count, only);
    return help_table(s, script_builtins, script_builtin_count, only) || found ? 0 : ERR_SCRIPT_COMMAND;
}

const struct script_command script_builtins[] = {
    { "echo", 0, -1, "[-n] [TEXT...]", run_echo },
    { "set", 1, -1, "NAME [VALUE...]", run_set },
    { "clear", 1, 1, "NAME", run_clear },
    { "show", 1, -1, "NAME...", run_show },
    { "inc", 1, 2, "NAME [STEP]", run_inc },
    { "goto", 1, 1, "LABEL", run_goto },
    { "isset", 0, 1, "VALUE", run_isset },
    { "iseq", 2, 2, "VALUE VALUE", run_iseq },
    { "isuri", 0, 1, "VALUE", run_isuri },
    { "exit", 0, 1, "[CODE]", run_exit },
    { "help", 0, 1, "[COMMAND]", run_help },
};
const size_t script_builtin_count = ARRAY_SIZE(script_builtins);
