// SPDX-License-Identifier: MPL-2.0
// See params.h.
#include "core/params.h"

#include "core/commands.h"

static struct params lists;

void core_params_start(void)
{
    lists.used = 0;
}

CORE_COMMAND(params)
{
    const char *name = NULL, *drop = NULL;
    const struct script_option options[] = { { 'n', "name", true, &name }, { 'd', "delete", false, &drop } };
    int first = script_options(s, argc, argv, options, ARRAY_SIZE(options), 0, 0);
    if (first < 0)
        return first;
    name = name ? name : "";
    if (drop)
        return params_delete(&lists, name) ? 0 : ERR_NOT_FOUND;
    int err = params_create(&lists, name);
    if (err)
        console_error("params", err, "no list");
    return err;
}

CORE_COMMAND(param)
{
    const char *name = NULL, *header = NULL;
    const struct script_option options[] = { { 'p', "params", true, &name }, { 'H', "header", false, &header } };
    int first = script_options(s, argc, argv, options, ARRAY_SIZE(options), 1, -1);
    if (first < 0)
        return first;
    const char *key = argv[first];
    int err = params_add(&lists, name ? name : "", header != NULL, key, script_join(argc, argv, first + 1));
    if (err == ERR_NOT_FOUND)
        console_error("param", err, "`params%s%s` makes the list, before that", name ? " --name " : "", name ? name : "");
    else if (err)
        console_error("param", err, "%s", key);
    return err;
}

int core_params_take(const struct uri *uri, struct core_params *ret)
{
    ret->headers[0] = ret->body[0] = 0;
    int len = uri->has_params ? params_form(&lists, uri->params, ret->body, sizeof ret->body) : 0;
    int err = uri->has_params ? params_headers(&lists, uri->params, ret->headers, sizeof ret->headers) : 0;
    ret->post = len > 0;
    if (uri->has_params)
        (void)params_delete(&lists, uri->params);
    return MIN(len, MIN(err, 0));
}
