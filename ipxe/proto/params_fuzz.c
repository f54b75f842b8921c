// SPDX-License-Identifier: MPL-2.0
// Lines of key, value and a list's letter. A form that comes out has as many fields as went in, and no byte that would end one; header
// lines are as many as went in.
#include "proto/params.h"

#include "base/fuzz.h"

#include <stdlib.h>

static size_t count(const char *text, const char *of)
{
    size_t n = 0;
    for (; (text = strstr(text, of)); text += strlen(of))
        n++;
    return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct params p;
    static char text[4096], form[PARAMS_FORM_MAX], headers[PARAMS_HEADERS_MAX];
    size_t fields[2] = { 0 }, lines[2] = { 0 };
    p.used = 0;
    (void)params_create(&p, "0");
    (void)params_create(&p, "1");
    size = MIN(size, sizeof text - 1);
    if (size)
        memcpy(text, data, size);
    text[size] = 0;
    for (char *line = text; *line;) {
        char *next = line + strcspn(line, ";");
        if (*next)
            *next++ = 0;
        char *value = strchr(line + 1, '\t');
        unsigned list = *line & 1, header = *line >> 1 & 1;
        if (value)
            *value++ = 0;
        if (params_add(&p, list ? "1" : "0", header, *line ? line + 1 : "", value ? value : "") == 0)
            *(header ? &lines[list] : &fields[list]) += 1;
        line = next;
    }
    for (unsigned list = 0; list < 2; list++) {
        const char *name = list ? "1" : "0";
        int len = params_form(&p, name, form, sizeof form), head = params_headers(&p, name, headers, sizeof headers);
        if (len >= 0 && (count(form, "=") != fields[list] || count(form, "&") != (fields[list] ? fields[list] - 1 : 0) || strpbrk(form, " \r\n")))
            abort();
        if (head >= 0 && (count(headers, "\r\n") != lines[list] || count(headers, "\n") != lines[list]))
            abort();
    }
    if (!params_delete(&p, "0") || params_has(&p, "0") || !params_delete(&p, "1") || p.used)
        abort();
    return 0;
}
