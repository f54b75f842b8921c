// SPDX-License-Identifier: MPL-2.0
// See scripts.h.
#include "core/scripts.h"

#include "core/policy.h"
#include "core/vars.h"

static struct {
    const struct script_command *commands;
    size_t command_count;
    struct script levels[CORE_CHAIN_DEPTH_MAX];
    unsigned depth; // levels that are in use
    unsigned count; // scripts that were begun
} scripts;

void core_scripts_start(const struct script_command *commands, size_t count)
{
    memset(&scripts, 0, sizeof scripts);
    scripts.commands = commands;
    scripts.command_count = count;
}

struct script *core_script_open(struct core *core)
{
    if (scripts.depth == CORE_CHAIN_DEPTH_MAX)
        return NULL;
    struct script *s = &scripts.levels[scripts.depth++];
    script_init(s, scripts.commands, scripts.command_count, &core_script_ops, core);
    return s;
}

void core_script_close(void)
{
    scripts.depth--;
}

unsigned core_scripts_run(void)
{
    return scripts.count;
}

bool core_scripts_exited(void)
{
    return scripts.levels[0].exiting;
}

int core_run_script(struct core *core, const char *from, const char *text, size_t len)
{
    struct script *s = core_script_open(core);
    if (!s) {
        console_error("script", ERR_SCRIPT_DEPTH, "a script runs a script runs a script, %u deep", CORE_CHAIN_DEPTH_MAX);
        return ERR_SCRIPT_DEPTH;
    }
    scripts.count++;
    core_measure_script(core, from, text, len);
    s->name = from;
    int err = script_run(s, text, len);
    core_script_close();
    return err;
}
