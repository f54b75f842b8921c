// SPDX-License-Identifier: MPL-2.0
// See console.h.
#include "core/console.h"

#include "base/fmt.h"

#define PROGRESS_COLUMNS 78

static struct {
    const struct platform *platform;
    bool in_progress;
    unsigned count; // of what was said
    int said; // the error whose sentence was said last
} console;

void console_init(const struct platform *platform)
{
    console.platform = platform;
    console.in_progress = false;
    console.said = 0;
}

static void write_text(const char *text, int len)
{
    len = MIN(MAX(len, 0), CONSOLE_LINE_MAX - 1);
    console.count++;
    console.platform->console_write(console.platform->ctx, text, (size_t)len);
}

static void end_progress(void)
{
    if (console.in_progress)
        write_text("\n", 1);
    console.in_progress = false;
}

void console_print(const char *format, ...)
{
    char line[CONSOLE_LINE_MAX];
    va_list args;
    va_start(args, format);
    int len = fmt_vsnprintf(line, sizeof line, format, args);
    va_end(args);
    end_progress();
    write_text(line, len);
}

void console_write(const char *text, size_t len)
{
    end_progress();
    console.count++;
    console.platform->console_write(console.platform->ctx, text, len);
}

void console_draw(const char *text, size_t len)
{
    console.in_progress = false; // its line is not there any more
    console.platform->console_write(console.platform->ctx, text, len);
}

unsigned console_count(void)
{
    return console.count;
}

void console_say(const char *part, const char *format, ...)
{
    char line[CONSOLE_LINE_MAX];
    va_list args;
    va_start(args, format);
    fmt_vsnprintf(line, sizeof line, format, args);
    va_end(args);
    console_print("%s: ", part); // in pieces: what is long loses its end, never the line's
    console_print("%s", line);
    console_print("\n");
}

void console_error(const char *part, int err, const char *format, ...)
{
    char line[CONSOLE_LINE_MAX];
    va_list args;
    va_start(args, format);
    fmt_vsnprintf(line, sizeof line, format, args);
    va_end(args);
    console_print("%s: ", part);
    console_print("%s", line);
    console_print("%s%s [%s]\n", console_said(err) ? "" : ": ", console_said(err) ? "" : err_text(err), err_code(err));
    console.said = err;
}

bool console_said(int err)
{
    return console.said == err;
}

void console_forget(void)
{
    console.said = 0;
}

void console_meter(struct meter *m, const char *part, uint64_t done, uint64_t total, uint64_t now)
{
    char text[METER_TEXT_MAX], line[PROGRESS_COLUMNS + 2];
    if (!meter_due(m, done >= total, now))
        return;
    meter_text(m, text, done, total, now);
    int len = fmt_snprintf(line, sizeof line, "\r%s: %s", part, text);
    len = MIN(len, PROGRESS_COLUMNS + 1);
    memset(line + len, ' ', (size_t)(PROGRESS_COLUMNS + 1 - len)); // over what was there
    write_text(line, PROGRESS_COLUMNS + 1);
    console.in_progress = true;
}
