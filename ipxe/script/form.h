// SPDX-License-Identifier: MPL-2.0
// A form on a terminal: lines of text to be filled in, one below the other. Pure, as menu_view.h is.
// Keys: those of script/lineedit.h within a field; up and down, tab; enter goes to the next field, and takes the form behind the last one,
// as ctrl-X does anywhere; escape and ctrl-C leave.
#pragma once
#include "script/keys.h"
#include "script/lineedit.h"
#include "script/screen.h"

#define FORM_FIELDS_MAX 16

struct form_field {
    const char *name, *text; // which setting; what stands before it ("": the name)
    bool secret;             // shows as stars
    bool gap;                // a line of text alone
    char value[LINEEDIT_MAX];
};

struct form {
    const struct screen *screen;
    const char *title;
    struct form_field fields[FORM_FIELDS_MAX];
    unsigned count, at;
    struct lineedit edit; // of the field that is filled in
    struct keys keys;
};

void form_init(struct form *f, const char *title);
// A field at the end, with a value to change; what does not fit a line is cut. ERR_TOO_LARGE: there are FORM_FIELDS_MAX. The texts must stay.
int form_add(struct form *f, const char *name, const char *text, bool secret, bool gap, const char *value);
int form_start(struct form *f, const struct screen *screen); // draws; ERR_NOT_FOUND: nothing to fill in
// The next byte, as menu_view_step. PENDING; 0: the values are in the fields; ERR_CANCELLED.
int form_step(struct form *f, int byte, uint64_t now_us, uint64_t *wake);
void form_draw(struct form *f);
