// SPDX-License-Identifier: MPL-2.0
// What the interpreter and its commands say (script.h).
#include "base/fmt.h"
#include "script/script.h"

void script_printf(struct script *s, const char *format, ...)
{
    char text[SCRIPT_MESSAGE_MAX];
    va_list args;
    va_start(args, format);
    int n = fmt_vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (n > 0)
        s->ops->print(s->ctx, text, MIN((size_t)n, sizeof text - 1));
}

int script_usage(struct script *s, const char *why)
{
    const struct script_command *command = s->running;
    script_printf(s, "%s: %s\n", command->name, why);
    script_printf(s, "usage: %s%s%s\n", command->name, command->usage[0] ? " " : "", command->usage);
    return ERR_SCRIPT_USAGE;
}
