// SPDX-License-Identifier: MPL-2.0
// The lists that `params` and `param` make (params.c), and what a request takes of them.
#pragma once
#include "core/session.h"
#include "proto/params.h"

void core_params_start(void); // for each start: there are no lists

struct core_params {
    bool post;                         // the body is sent, else nothing but the headers
    char headers[PARAMS_HEADERS_MAX];  // lines, each with CRLF
    char body[PARAMS_FORM_MAX];
};

// Of the list that the URI names; it is gone then, so that each is sent once. A URI without a list, and one that is no more, make an empty
// form. ERR_TOO_LARGE.
int core_params_take(const struct uri *uri, struct core_params *ret);
