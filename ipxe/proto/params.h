// SPDX-License-Identifier: MPL-2.0
// Lists of parameters that scripts make for requests (`params`, `param`): by name, each of fields for a form and of header lines. Pure; the
// texts lie one behind the other in the caller's struct.
#pragma once
#include "base/err.h"

#define PARAMS_TEXT_MAX 3072 // of all lists, with a few bytes for each
#define PARAMS_HEADERS_MAX 2048
#define PARAMS_FORM_MAX 6144 // coded

struct params {
    size_t used;
    char text[PARAMS_TEXT_MAX];
};

// Makes an empty list; what had the name is gone. "" is a name as well. ERR_NO_MEMORY.
int params_create(struct params *p, const char *list);
// False: there was none.
bool params_delete(struct params *p, const char *list);
bool params_has(const struct params *p, const char *list);

// Adds a field, or a header line. ERR_NOT_FOUND: no such list. ERR_INVALID: a name or a value that cannot stand in a header.
// ERR_NO_MEMORY.
int params_add(struct params *p, const char *list, bool header, const char *key, const char *value);

// The list's fields as application/x-www-form-urlencoded, "a=b&key=x%20y", NUL-terminated: the length, 0: it has none. ERR_TOO_LARGE.
int params_form(const struct params *p, const char *list, char *buf, size_t cap);
// Its header lines, each with CRLF: the length. ERR_TOO_LARGE.
int params_headers(const struct params *p, const char *list, char *buf, size_t cap);
