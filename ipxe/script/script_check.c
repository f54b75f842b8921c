// SPDX-License-Identifier: MPL-2.0
// See script_check.h.
#include "script/script_check.h"

#include "script/command_list.h"
#include "script/script_lex.h"

#define ROW(name, function, least, most, usage) { name, least, most, usage, NULL },
static const struct script_command with_effects[] = { SCRIPT_COMMAND_LIST(ROW) };

struct check {
    const char *text;
    size_t len;
    script_finding *report;
    void *ctx;
    unsigned line, count;
    bool handled; // by a `||` further on in this line
};

static bool text_is(const char *text, size_t len, const char *wanted)
{
    return strlen(wanted) == len && memcmp(text, wanted, len) == 0;
}

static const struct script_command *find_in(const struct script_command *table, size_t count, const char *name, size_t len)
{
    for (size_t i = 0; i < count; i++)
        if (text_is(name, len, table[i].name))
            return &table[i];
    return NULL;
}

static const struct script_command *find(const char *name, size_t len)
{
    const struct script_command *c = find_in(with_effects, ARRAY_SIZE(with_effects), name, len);
    return c ? c : find_in(script_builtins, script_builtin_count, name, len);
}

bool script_is_command(const char *name, size_t len)
{
    return find(name, len) != NULL;
}

static void found(struct check *c, int err, const char *word, size_t len)
{
    c->count += !c->handled;
    c->report(c->ctx, c->line, err, word, len, c->handled);
}

// A `${` without its end is plain text when it runs, which nobody means.
static void check_references(struct check *c, const struct script_token *word)
{
    for (size_t i = 0; word->quote != '\'' && i + 1 < word->len; i++)
        if (word->text[i] == '$' && word->text[i + 1] == '{' && !script_lex_reference(word->text + i, word->len - i)) {
            found(c, ERR_SCRIPT_SYNTAX, word->text, word->len);
            return;
        }
}

static bool has_label(const struct check *c, const char *wanted, size_t wanted_len)
{
    char line[SCRIPT_LINE_MAX];
    size_t pos = 0;
    unsigned number = 1;
    int n;
    while ((n = script_lex_line(c->text, c->len, &pos, &number, line, sizeof line)) != ERR_NOT_FOUND) {
        const char *label;
        size_t len = n < 0 ? 0 : script_lex_label(line, (size_t)n, &label);
        if (len > 0 && len == wanted_len && memcmp(label, wanted, len) == 0)
            return true;
    }
    return false;
}

// What a word says is known unless it is made of settings or has an escape.
static bool is_literal(const struct script_token *word)
{
    return !memchr(word->text, '$', word->len) && !memchr(word->text, '\\', word->len);
}

// One command: its first two words, and how many arguments there are.
static void check_command(struct check *c, const struct script_token words[2], int argc)
{
    const struct script_token *name = &words[0], *label = &words[1];
    if (argc == 0 || name->len == 0 || !is_literal(name))
        return;
    const struct script_command *command = find(name->text, name->len);
    if (!command)
        found(c, ERR_SCRIPT_COMMAND, name->text, name->len);
    else if (argc - 1 < command->min_args || (command->max_args >= 0 && argc - 1 > command->max_args))
        found(c, ERR_SCRIPT_USAGE, name->text, name->len);
    else if (text_is(command->name, strlen(command->name), "goto") && is_literal(label)) {
        size_t colon = label->len && label->text[0] == ':';
        if (!has_label(c, label->text + colon, label->len - colon))
            found(c, ERR_SCRIPT_LABEL, label->text, label->len);
    }
}

static bool has_or(struct script_lex lex)
{
    struct script_token token;
    do
        script_lex_next(&lex, &token);
    while (token.kind != TOKEN_OR && token.kind != TOKEN_END);
    return token.kind == TOKEN_OR;
}

static void check_line(struct check *c, const char *line, size_t len)
{
    struct script_lex lex = { .at = line, .end = line + len };
    struct script_token token;
    do {
        struct script_token words[2];
        int argc = 0;
        c->handled = has_or(lex);
        for (script_lex_next(&lex, &token); token.kind == TOKEN_WORD; script_lex_next(&lex, &token), argc++) {
            check_references(c, &token);
            if (argc < 2)
                words[argc] = token;
        }
        check_command(c, words, argc);
    } while (token.kind != TOKEN_END);
}

unsigned script_check(const char *text, size_t len, script_finding *report, void *ctx)
{
    struct check c = { .text = text, .len = len, .report = report, .ctx = ctx };
    char line[SCRIPT_LINE_MAX];
    size_t pos = 0;
    unsigned number = 1;
    for (;;) {
        c.line = number;
        c.handled = false;
        int n = script_lex_line(text, len, &pos, &number, line, sizeof line);
        if (n == ERR_NOT_FOUND)
            return c.count;
        const char *label, *rest = line;
        size_t label_len = n < 0 ? 0 : script_lex_label(line, (size_t)n, &label);
        if (label_len > 0)
            rest = label + label_len;
        if (n < 0)
            found(&c, n, "", 0);
        else
            check_line(&c, rest, (size_t)(line + n - rest));
    }
}
