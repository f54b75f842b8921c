// SPDX-License-Identifier: MPL-2.0
// Text and JSON writers of report.h.
#include "report.h"
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

static void json_string(const char *text)
{
    putchar('"');
    for (const unsigned char *p = (const unsigned char *)text; *p; p++) {
        if (*p == '"' || *p == '\\')
            printf("\\%c", *p);
        else if (*p < 0x20 || *p >= 0x7f)
            printf("\\u%04x", *p);
        else
            putchar(*p);
    }
    putchar('"');
}

// Everything up to the value.
static void name_part(struct report *r, const char *name)
{
    if (!r->json) {
        if (r->item)
            printf("%s %u ", r->item, r->index);
        printf("%s = ", name);
        return;
    }
    char key[64];
    snprintf(key, sizeof key, "%s", name);
    for (char *p = key; *p; p++)
        if (*p == ' ')
            *p = '_';
    printf("%s\n%s", r->first ? "" : ",", r->item ? "      " : "  ");
    r->first = false;
    json_string(key);
    printf(": ");
}

void report_begin(struct report *r, bool json)
{
    *r = (struct report){ .json = json, .first = true };
    if (json)
        putchar('{');
}

void report_end(struct report *r)
{
    if (r->json)
        printf("\n}\n");
}

void report_text(struct report *r, const char *name, const char *format, ...)
{
    char text[4096];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    name_part(r, name);
    if (r->json) {
        json_string(text);
        return;
    }
    // Names come out of files that nobody vouches for: no control byte reaches the terminal.
    for (char *p = text; *p; p++)
        putchar((unsigned char)*p < 0x20 || *p == 0x7f ? '?' : *p);
    putchar('\n');
}

void report_number(struct report *r, const char *name, uint64_t value)
{
    name_part(r, name);
    printf("%" PRIu64 "%s", value, r->json ? "" : "\n");
}

void report_list(struct report *r, const char *name)
{
    if (!r->json)
        return;
    name_part(r, name);
    putchar('[');
    r->first = true;
}

void report_item(struct report *r, const char *name, unsigned index)
{
    if (r->json)
        printf("%s\n    {", index == 0 ? "" : "\n    },");
    r->item = name;
    r->index = index;
    r->first = true;
}

void report_list_end(struct report *r)
{
    if (r->json)
        printf("%s]", r->item ? "\n    }\n  " : "");
    r->item = NULL;
    r->first = false;
}
