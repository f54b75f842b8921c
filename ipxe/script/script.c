// SPDX-License-Identifier: MPL-2.0
// Running scripts and lines: script_run -> run_line -> execute -> a row of a command table.
#include "script/script.h"

#include "base/fmt.h"
#include "script/script_lex.h"

void script_init(struct script *s, const struct script_command *commands, size_t count, const struct script_ops *ops,
                 void *ctx)
{
    memset(s, 0, sizeof *s);
    s->commands = commands;
    s->command_count = count;
    s->ops = ops;
    s->ctx = ctx;
}

static const struct script_command *find_in(const struct script_command *table, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(table[i].name, name) == 0)
            return &table[i];
    return NULL;
}

// The built-in ones take no options, but `--` may stand before their arguments, as in iPXE.
static int run_builtin(struct script *s, const struct script_command *command, int argc, char **argv)
{
    int first = script_options(s, argc, argv, NULL, 0, command->min_args, command->max_args);
    return first < 0 ? first : command->run(s, argc - first + 1, argv + first - 1);
}

// The arguments are in argv, expanded. An empty command succeeds: that is what `dhcp ||` means.
static int execute(struct script *s, int argc, char **argv)
{
    argv[argc] = NULL;
    if (argc == 0)
        return 0;
    const struct script_command *command = find_in(s->commands, s->command_count, argv[0]);
    bool builtin = !command;
    if (builtin)
        command = find_in(script_builtins, script_builtin_count, argv[0]);
    if (!command) {
        script_printf(s, "%s: command not found (try `help`)\n", argv[0]);
        return ERR_SCRIPT_COMMAND;
    }
    s->running = command;
    if (argc > 1 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0))
        return script_usage(s, "this is what it takes");
    if (builtin && command != script_builtins) // `echo` is the first, and has one
        return run_builtin(s, command, argc, argv);
    int given = argc - 1;
    if (given < command->min_args)
        return script_usage(s, "an argument is missing");
    if (command->max_args >= 0 && given > command->max_args)
        return script_usage(s, "too many arguments");
    return command->run(s, argc, argv);
}

int script_execute(struct script *s, int argc, int first)
{
    return execute(s, argc - first, s->argv + first);
}

// Expands one word behind the arguments that are there.
static int add_argument(struct script *s, const struct script_token *word, int *argc)
{
    if (*argc >= SCRIPT_ARGS_MAX)
        return ERR_SCRIPT_LIMIT;
    char *to = s->args + s->args_used;
    int n = script_expand_word(s, word, to, sizeof s->args - s->args_used);
    if (n < 0)
        return n;
    s->argv[(*argc)++] = to;
    s->args_used += (size_t)n + 1;
    return 0;
}

// Runs the commands of a line, left to right. A fault of the line itself (syntax, limits) ends it whatever follows.
static int run_line(struct script *s, const char *line, size_t len)
{
    struct script_lex lex = { .at = line, .end = line + len };
    struct script_token token = { .kind = TOKEN_OR };
    bool run = true;
    int status = 0;
    do {
        int argc = 0;
        s->args_used = 0;
        for (script_lex_next(&lex, &token); token.kind == TOKEN_WORD; script_lex_next(&lex, &token)) {
            int rc = run ? add_argument(s, &token, &argc) : 0;
            if (rc < 0)
                return rc;
        }
        if (run) {
            status = execute(s, argc, s->argv);
            if (status < 0 && s->ops->failed)
                s->ops->failed(s->ctx, status);
            if (s->exiting || s->jumped || s->replaced)
                return status;
        }
        run = token.kind == TOKEN_OR ? status < 0 : status >= 0;
    } while (token.kind != TOKEN_END);
    return MIN(status, 0);
}

// A reason is said once, by whoever knows most of it.
static void print_error(struct script *s, int err, const char *end)
{
    bool said = s->ops->said && s->ops->said(s->ctx, err);
    script_printf(s, "%s%s[%s]%s\n", said ? "" : err_text(err), said ? "" : " ", err_code(err), end);
}

int script_line(struct script *s, const char *line, size_t len)
{
    size_t pos = 0;
    unsigned lines = 0;
    s->text = NULL;
    s->exiting = s->jumped = s->replaced = false;
    int n = script_lex_line(line, len, &pos, &lines, s->line, sizeof s->line);
    if (n == ERR_NOT_FOUND)
        return 0;
    int status = n < 0 ? n : run_line(s, s->line, (size_t)n);
    if (status < 0 && !s->exiting)
        print_error(s, status, "");
    return status;
}

bool script_is_script(const char *text, size_t len)
{
    static const char *const marks[] = { "#!ipxe", "#!gpxe" };
    for (size_t i = 0; i < ARRAY_SIZE(marks); i++) {
        size_t n = strlen(marks[i]);
        if (len >= n && memcmp(text, marks[i], n) == 0)
            return len == n || text[n] == '\n' || text[n] == '\r' || text[n] == ' ' || text[n] == '\t';
    }
    return false;
}

// One logical line of the running script. 0 to go on.
static int step(struct script *s)
{
    int rc = s->ops->poll ? s->ops->poll(s->ctx) : 0;
    if (rc < 0)
        return rc;
    s->line_number = s->next_line;
    int n = script_lex_line(s->text, s->len, &s->pos, &s->next_line, s->line, sizeof s->line);
    if (n < 0)
        return n;
    // Behind a label there may be a command, as in iPXE.
    const char *rest = s->line, *label;
    size_t label_len = script_lex_label(s->line, (size_t)n, &label);
    if (label_len > 0)
        rest = label + label_len;
    s->jumped = false;
    return run_line(s, rest, (size_t)(s->line + n - rest));
}

int script_run(struct script *s, const char *text, size_t len)
{
    if (!script_is_script(text, len))
        return ERR_SCRIPT_NOT_SCRIPT;
    s->text = text;
    s->len = len;
    s->pos = 0;
    s->next_line = 1;
    s->exiting = s->jumped = s->replaced = false;
    s->exit_code = 0;
    int status = 0;
    while (status >= 0 && !s->exiting && !s->replaced && s->pos < s->len)
        status = step(s);
    if (s->exiting) {
        status = s->exit_code ? ERR_SCRIPT_EXIT : 0;
    } else if (status < 0 && !s->replaced) {
        script_printf(s, "script: line %u", s->line_number);
        if (s->name) {
            s->ops->print(s->ctx, " of ", 4);
            s->ops->print(s->ctx, s->name, strlen(s->name));
        }
        s->ops->print(s->ctx, ": ", 2);
        print_error(s, status, "; the script ends");
    }
    s->text = NULL;
    return MIN(status, 0);
}
