// SPDX-License-Identifier: MPL-2.0
// Scripts that run scripts, and the shell, which is a script that is typed (scripts.c): levels, of which the innermost one runs.
#pragma once
#include "core/session.h"

#define CORE_CHAIN_DEPTH_MAX 8

// Nothing runs, and these are the commands that there will be. For each start; the table must stay.
void core_scripts_start(const struct script_command *commands, size_t count);

// One level deeper, until it is closed. NULL: deep enough.
struct script *core_script_open(struct core *core);
void core_script_close(void);

// How many scripts were begun: whether a command has run one.
unsigned core_scripts_run(void);

// Did the outermost script that ran last end by `exit`?
bool core_scripts_exited(void);
