// SPDX-License-Identifier: MPL-2.0
// What this Signet can do, as tables: a new command, transport or driver is one row here.
#include "core/core.h"
#include "core/state.h"
#include "drivers/e1000.h"
#include "drivers/virtio_net.h"

const struct script_command core_commands[] = {
    { "boot", 0, 1, "[URI]", command_boot },
    { "chain", 1, 3, "[--autofree] [--replace] URI", command_chain },
    { "dhcp", 0, -1, "[--force] [netN]...", command_dhcp },
    { "floor", 0, 2, "[--clear [PRODUCT]]", command_floor },
    { "ifconf", 0, -1, "[--force] [netN]...", command_dhcp },
    { "ifopen", 0, 1, "[netN]", command_ifopen },
    { "ifstat", 0, 0, "", command_ifstat },
    { "imgfetch", 1, 1, "URI", command_imgfetch },
    { "imgfree", 0, 0, "", command_imgfree },
    { "imgstat", 0, 0, "", command_imgstat },
    { "poweroff", 0, 0, "", command_poweroff },
    { "prompt", 0, -1, "[--key KEY] [--timeout MS] [TEXT]...", command_prompt },
    { "reboot", 0, 0, "", command_reboot },
    { "shell", 0, 0, "", command_shell },
    { "sleep", 1, 1, "SECONDS", command_sleep },
};
const size_t core_command_count = ARRAY_SIZE(core_commands);

const struct core_transport core_transports[] = {
    { "disk", core_disk_fetch, .remote = false },
    { "file", core_file_fetch, .remote = false },
    { "http", core_http_fetch, .remote = true },
    { "p2", core_p2_fetch, .remote = true },
    { "tftp", core_tftp_fetch, .remote = true },
};
const size_t core_transport_count = ARRAY_SIZE(core_transports);

const struct nic_driver *const core_drivers[] = {
    &e1000_driver,
    &virtio_net_driver,
};
const size_t core_driver_count = ARRAY_SIZE(core_drivers);
