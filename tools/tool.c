// SPDX-License-Identifier: MPL-2.0
// Messages and memory for the subcommands.
#include "tool.h"
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static const char *current_name;

void tool_set_name(const char *name)
{
    current_name = name;
}

const char *tool_name(void)
{
    return current_name;
}

static bool progress_shown;

void tool_progress(const char *text)
{
    if (*text || progress_shown)
        fprintf(stderr, "\r\033[K%s", text);
    progress_shown = *text != '\0';
}

// Writes the line in one piece, so that lines of processes that share standard error do not mix.
static struct alias {
    char *subject, *shown, *name;
} *aliases;
static size_t alias_count;

static const struct alias *alias_of(const char *subject)
{
    for (size_t i = alias_count; subject && i-- > 0;)
        if (strcmp(aliases[i].subject, subject) == 0)
            return &aliases[i];
    return NULL;
}

void tool_alias(const char *subject, const char *shown, const char *name)
{
    aliases = tool_realloc(aliases, (alias_count + 1) * sizeof *aliases);
    aliases[alias_count++] = (struct alias){ tool_strdup(subject), tool_strdup(shown), tool_strdup(name) };
}

const char *tool_alias_name(const char *subject)
{
    const struct alias *alias = alias_of(subject);
    return alias ? alias->name : NULL;
}

static void message(const char *subject, const char *tail, const char *format, va_list args)
{
    const struct alias *alias = alias_of(subject);
    subject = alias ? alias->shown : subject;
    char text[1024], line[1536];
    vsnprintf(text, sizeof text, format, args);
    int n = snprintf(line, sizeof line, "signet%s%s: %s%s%s%s\n", current_name ? " " : "",
                     current_name ? current_name : "", subject ? subject : "", subject ? ": " : "", text, tail);
    if (n >= (int)sizeof line)
        line[sizeof line - 2] = '\n';
    fflush(stdout);
    tool_progress("");
    fputs(line, stderr);
}

int tool_error(const char *subject, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    message(subject, "", format, args);
    va_end(args);
    return EXIT_FAIL;
}

int tool_errno(const char *subject, int err)
{
    return tool_error(subject, "%s", strerror(err));
}

int tool_usage(const char *subject, const char *format, ...)
{
    char tail[80];
    snprintf(tail, sizeof tail, " (see signet %s%s--help)", current_name ? current_name : "", current_name ? " " : "");
    va_list args;
    va_start(args, format);
    message(subject, tail, format, args);
    va_end(args);
    return EXIT_USAGE;
}

void *tool_alloc(size_t len)
{
    void *p = calloc(1, len ? len : 1);
    if (!p)
        exit(tool_errno(NULL, ENOMEM));
    return p;
}

void *tool_realloc(void *old, size_t len)
{
    void *p = realloc(old, len ? len : 1);
    if (!p)
        exit(tool_errno(NULL, ENOMEM));
    return p;
}

char *tool_strdup(const char *text)
{
    size_t len = strlen(text) + 1;
    return memcpy(tool_alloc(len), text, len);
}

char *tool_format(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    char *text = NULL;
    if (vasprintf(&text, format, args) < 0)
        exit(tool_errno(NULL, ENOMEM));
    va_end(args);
    return text;
}

#define QUOTED_MAX 512 // of what `message` takes

char *tool_quoted(const char *path)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./+-,@%=:";
    const char *prefix = *path == '-' ? "./" : "";
    if (*path && path[strspn(path, plain)] == '\0' && strlen(path) < QUOTED_MAX)
        return tool_format("%s%s", prefix, path);
    // Nothing means anything to a shell inside single quotes, but their end.
    char text[QUOTED_MAX + 8];
    size_t len = 0;
    for (; *path; path++) {
        if ((unsigned char)*path < ' ' || *path == 0x7f || len > QUOTED_MAX)
            return tool_strdup("FILE");
        len += (size_t)snprintf(text + len, sizeof text - len, *path == '\'' ? "'\\''" : "%c", *path);
    }
    return tool_format("'%s%.*s'", prefix, (int)len, text);
}

char *tool_hex(const void *data, size_t len, char *text)
{
    static const char digits[] = "0123456789abcdef";
    const uint8_t *b = data;
    for (size_t i = 0; i < len; i++) {
        text[2 * i] = digits[b[i] >> 4];
        text[2 * i + 1] = digits[b[i] & 15];
    }
    text[2 * len] = '\0';
    return text;
}

bool tool_find_build(const uint8_t *data, size_t len, char ret[TOOL_BUILD_MAX])
{
    static const char mark[] = "Signet ";
    const uint8_t *end = data + len, *at = data;
    while (at && (at = memmem(at, (size_t)(end - at), mark, sizeof mark - 1))) {
        at += sizeof mark - 1;
        const uint8_t *close = memchr(at, ')', MIN((size_t)(end - at), (size_t)TOOL_BUILD_MAX - 1));
        bool good = close && *at >= '0' && *at <= '9' && memchr(at, '(', (size_t)(close - at));
        for (const uint8_t *c = at; good && c < close; c++)
            good = *c >= ' ' && *c <= '~';
        if (good) {
            memcpy(ret, at, (size_t)(close + 1 - at));
            ret[close + 1 - at] = '\0';
            return true;
        }
    }
    return false;
}

int tool_flush(void)
{
    if (fflush(stdout) == 0 && !ferror(stdout))
        return EXIT_OK;
    return tool_errno("standard output", errno);
}

uint64_t tool_now_us(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000;
}
