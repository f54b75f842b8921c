// SPDX-License-Identifier: MPL-2.0
// The commands of scripts and the shell: the table (conf.c) and the functions (commands.c, image_commands.c, menu_commands.c,
// form_commands.c, net_commands.c, system_commands.c, floor.c, params.c, listing.c).
#pragma once
#include "core/session.h"

extern const struct script_command core_commands[];
extern const size_t core_command_count;

// Lets a person type lines until `exit`. ERR_SCRIPT_DEPTH: within a shell, or too deep.
int core_shell(struct core *core);
void core_shell_start(void); // for each start: nothing was typed yet

// A card by its name, "net0". ERR_SCRIPT_USAGE, said: there is none of this name.
int core_card_by_name(struct script *s, const char *name, unsigned *ret);

#define CORE_COMMAND(name) int command_##name(struct script *s, int argc, char **argv)
CORE_COMMAND(boot);
CORE_COMMAND(cat);
CORE_COMMAND(choose);
CORE_COMMAND(colour);
CORE_COMMAND(config);
CORE_COMMAND(console);
CORE_COMMAND(cpair);
CORE_COMMAND(cpuid);
CORE_COMMAND(dhcp);
CORE_COMMAND(elsewhere);
CORE_COMMAND(floor);
CORE_COMMAND(form);
CORE_COMMAND(ifclose);
CORE_COMMAND(iflinkwait);
CORE_COMMAND(ifopen);
CORE_COMMAND(ifstat);
CORE_COMMAND(imgargs);
CORE_COMMAND(imgfetch);
CORE_COMMAND(imgfree);
CORE_COMMAND(imgselect);
CORE_COMMAND(imgstat);
CORE_COMMAND(imgtrust);
CORE_COMMAND(imgverify);
CORE_COMMAND(initrd);
CORE_COMMAND(item);
CORE_COMMAND(kernel);
CORE_COMMAND(login);
CORE_COMMAND(ls);
CORE_COMMAND(menu);
CORE_COMMAND(nslookup);
CORE_COMMAND(param);
CORE_COMMAND(params);
CORE_COMMAND(poweroff);
CORE_COMMAND(present);
CORE_COMMAND(prompt);
CORE_COMMAND(read);
CORE_COMMAND(reboot);
CORE_COMMAND(route);
CORE_COMMAND(seal);
CORE_COMMAND(shell);
CORE_COMMAND(sleep);
CORE_COMMAND(sync);
CORE_COMMAND(time);
