// SPDX-License-Identifier: MPL-2.0
// See script_lex.h.
#include "script/script_lex.h"

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

// A line ends with LF, CR LF, or CR, as editors of all times have it.
static size_t end_size(const char *end, size_t left)
{
    return left > 1 && end[0] == '\r' && end[1] == '\n' ? 2 : left ? 1 : 0;
}

// Copies one physical line's part of a logical line. *more: it ends with a continuation.
static int append_line(const char *from, size_t n, char *buf, size_t cap, size_t *used, bool *more)
{
    *more = n > 0 && from[n - 1] == '\\';
    if (*more)
        n--;
    if (memchr(from, 0, n))
        return ERR_SCRIPT_SYNTAX;
    if (n >= cap - *used)
        return ERR_SCRIPT_LIMIT;
    memcpy(buf + *used, from, n);
    *used += n;
    return 0;
}

int script_lex_line(const char *text, size_t len, size_t *pos, unsigned *line, char *buf, size_t cap)
{
    if (*pos >= len)
        return ERR_NOT_FOUND;
    size_t used = 0;
    int status = 0;
    bool more = true;
    while (more && *pos < len) {
        const char *from = text + *pos;
        size_t n = 0, left = len - *pos;
        while (n < left && from[n] != '\n' && from[n] != '\r')
            n++;
        *pos += n + end_size(from + n, left - n);
        (*line)++;
        int rc = append_line(from, n, buf, cap, &used, &more);
        if (rc < 0 && status == 0)
            status = rc;
    }
    if (status < 0)
        return status;
    buf[used] = 0;
    return (int)used;
}

size_t script_lex_reference(const char *text, size_t len)
{
    size_t depth = 0;
    for (size_t i = 0; i < len; i++) {
        if (text[i] == '$' && i + 1 < len && text[i + 1] == '{') {
            depth++;
            i++;
        } else if (text[i] == '}' && depth > 0 && --depth == 0) {
            return i + 1;
        }
    }
    return 0;
}

bool script_lex_escapes(const char *text, size_t len, char quote)
{
    if (len < 2 || text[0] != '\\' || quote == '\'')
        return false;
    char c = text[1];
    return c == '"' || c == '$' || (quote ? c == '\\' : is_blank(c) || c == '\'');
}

// The position of the quote that ends the quoted word whose text starts at `text`, or NULL.
static const char *closing_quote(const char *text, const char *end, char quote)
{
    for (const char *p = text; p < end; p++) {
        if (script_lex_escapes(p, (size_t)(end - p), quote)) {
            p++;
            continue;
        }
        if (*p == quote && (p + 1 == end || is_blank(p[1])))
            return p;
    }
    return NULL;
}

// The end of an unquoted word: a blank ends it also within `${...}`, as in iPXE.
static const char *word_end(const char *p, const char *end)
{
    while (p < end && !is_blank(*p))
        p += script_lex_escapes(p, (size_t)(end - p), 0) ? 2 : 1;
    return p;
}

void script_lex_next(struct script_lex *lex, struct script_token *ret)
{
    while (lex->at < lex->end && is_blank(*lex->at))
        lex->at++;
    struct script_token token = { .kind = TOKEN_END, .text = lex->at };
    if (lex->at == lex->end || *lex->at == '#') {
        lex->at = lex->end;
        *ret = token;
        return;
    }
    char first = *lex->at;
    const char *close = first == '"' || first == '\'' ? closing_quote(lex->at + 1, lex->end, first) : NULL;
    if (close) {
        token = (struct script_token){ .kind = TOKEN_WORD, .quote = first, .text = lex->at + 1 };
        token.len = (size_t)(close - token.text);
        lex->at = close + 1;
        *ret = token;
        return;
    }
    const char *end = word_end(lex->at, lex->end);
    token.kind = TOKEN_WORD;
    token.len = (size_t)(end - lex->at);
    if (token.len == 2 && memcmp(token.text, "||", 2) == 0)
        token.kind = TOKEN_OR;
    else if (token.len == 2 && memcmp(token.text, "&&", 2) == 0)
        token.kind = TOKEN_AND;
    lex->at = end;
    *ret = token;
}

size_t script_lex_label(const char *line, size_t len, const char **ret)
{
    const char *p = line, *end = line + len;
    while (p < end && is_blank(*p))
        p++;
    if (p == end || *p != ':')
        return 0;
    const char *start = ++p;
    while (p < end && !is_blank(*p))
        p++;
    *ret = start;
    return (size_t)(p - start);
}
