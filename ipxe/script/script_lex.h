// SPDX-License-Identifier: MPL-2.0
// Cutting a script into logical lines, and a line into words and operators. Inner header of script/.
//
// Lines end with LF or CR LF; a backslash right before the end joins the next line. Words are separated by
// blanks; `||` and `&&` are operators only as words of their own, and a word that begins with `#` starts a comment
// that reaches to the end, so that URIs need no quoting. `${...}` may hold blanks.
//
// Scripts written for iPXE hold apostrophes and paths with backslashes that mean themselves. So a quote counts
// only at the start of a word, and only when the same quote stands at the end of a word further on (`echo can't`
// is plain); and a backslash only before a blank, a quote or `$`, or, between double quotes, before a backslash.
#pragma once
#include "script/script.h"

enum script_token_kind { TOKEN_WORD, TOKEN_OR, TOKEN_AND, TOKEN_END };

struct script_token {
    enum script_token_kind kind;
    char quote; // '"' or '\'' around the word, else 0; text is without them
    const char *text;
    size_t len;
};

struct script_lex {
    const char *at, *end;
};

// Joins the logical line at *pos of the text into buf (no NUL counted in the length; one is written). Moves *pos
// behind it and adds its physical lines to *line. Returns its length, ERR_SCRIPT_LIMIT when it does not fit
// (*pos has moved all the same), ERR_SCRIPT_SYNTAX when it holds a NUL, ERR_NOT_FOUND at the end of the text.
int script_lex_line(const char *text, size_t len, size_t *pos, unsigned *line, char *buf, size_t cap);

// The next token.
void script_lex_next(struct script_lex *lex, struct script_token *ret);

// The length of `${...}` at `text`, nested ones included, or 0 when its end is missing.
size_t script_lex_reference(const char *text, size_t len);

// The label of a line (":retry" -> "retry"): its length, or 0 when the line has none. *ret points into the line.
size_t script_lex_label(const char *line, size_t len, const char **ret);

// Is text[0] a backslash that escapes text[1]?
bool script_lex_escapes(const char *text, size_t len, char quote);

// Expands one word into buf, NUL-terminated (script_expand.c). Returns the length or ERR_SCRIPT_LIMIT.
int script_expand_word(struct script *s, const struct script_token *word, char *buf, size_t cap);
