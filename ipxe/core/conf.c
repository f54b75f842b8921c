// SPDX-License-Identifier: MPL-2.0
// What this Signet can do, as tables: a new transport is one row here, a command one of script/command_list.h.
#include "core/commands.h"
#include "script/command_list.h"

#define ROW(name, function, least, most, usage) { name, least, most, usage, command_##function },
const struct script_command core_commands[] = { SCRIPT_COMMAND_LIST(ROW) };
const size_t core_command_count = ARRAY_SIZE(core_commands);

const struct core_transport core_transports[] = {
    { "disk", core_disk_fetch, .remote = false, .names = false, .files = false },
    { "file", core_file_fetch, .remote = false, .names = true, .files = true },
    { "http", core_http_fetch, .remote = true, .names = true, .files = true },
    { "p2", core_p2_fetch, .remote = true, .names = true, .files = false },
    { "tftp", core_tftp_fetch, .remote = true, .names = true, .files = true },
};
const size_t core_transport_count = ARRAY_SIZE(core_transports);
