// SPDX-License-Identifier: MPL-2.0
// The boot flow: banner, trust anchors, cards, script, and what happens when the script is over.
#include "core/core.h"

#include "base/version.h"
#include "core/commands.h"
#include "core/helpers.h"
#include "core/http_line.h"
#include "core/menus.h"
#include "core/network.h"
#include "core/params.h"
#include "core/policy.h"
#include "core/scripts.h"
#include "core/vars.h"
#include "net/net.h"

#define AUTOEXEC "file://boot/signet/autoexec.ipxe"
#define LAST_CHANCE_S 10 // before the next boot device, so that the reason can be read and a key pressed

// Without a script a person may help; without a person the machine goes on to its next boot device.
static const char no_script[] = "#!ipxe\n"
                                "echo No script is embedded in this Signet.\n";

// The anchors and the script of `signet embed`. Without anchors there is nothing that could be booted, and that
// is said before anything else is tried.
static int read_embedded(struct core *core, const struct core_options *options)
{
    int err = 0;
    if (options->embed)
        err = embed_parse(options->embed, options->embed_len, &core->embed);
    if (err) {
        memset(&core->embed, 0, sizeof core->embed); // nothing of it is trusted
        console_error("seal", err, "what was embedded into this Signet cannot be used; it boots nothing");
        return err;
    }
    const struct trust_store *trust = &core->embed.trust;
    if (trust->key_count == 0) {
        console_error("seal", ERR_SEAL_NO_TRUST, "no image can be verified; put anchors in with `signet embed`");
        return 0;
    }
    console_say("seal", "%u trust anchor%s, %u must have signed%s%s", trust->key_count, trust->key_count == 1 ? "" : "s",
                MAX(trust->threshold, 1u), trust->product[0] ? ", product " : "", trust->product);
    return 0;
}

static void choose_digest(void)
{
    const char *name;
    switch (sha256_accelerate(&name)) {
    case SHA256_BY_LIBRARY: break;
    case SHA256_BY_HARDWARE: console_say("digest", "SHA-256 by %s", name); break;
    case SHA256_BY_LIBRARY_AS_HARDWARE_IS_WRONG:
        console_say("digest", "%s gives wrong results here and is not used", name);
        break;
    }
}

// The script that the platform found.
static int run_given(struct core *core, const struct core_options *options)
{
    static struct uri base;
    console_say("script", "running %s", options->script_name);
    if (options->script_base && uri_parse(options->script_base, &base) == 0)
        core->base = &base;
    int err = core_run_script(core, options->script_name, options->script, options->script_len);
    core->base = NULL;
    return err;
}

// ERR_NOT_FOUND: there is no script from outside.
static int run_outside(struct core *core, const struct core_options *options)
{
    if (!options->script && !(options->folder && core_file_is_there(core, AUTOEXEC)))
        return ERR_NOT_FOUND;
    int err = options->script ? run_given(core, options) : core_chain(core, AUTOEXEC, NULL, "", true);
    if (err)
        console_error("script", err, "%s ended; the embedded script follows",
                      options->script ? options->script_name : AUTOEXEC);
    return err;
}

// The outside script when there is one; the embedded one, when there is none or it failed.
static int run_scripts(struct core *core, const struct core_options *options)
{
    if (run_outside(core, options) == 0)
        return 0;
    return core->embed.script ? core_run_script(core, "embedded", core->embed.script, core->embed.script_len) :
                                core_run_script(core, "none embedded", no_script, sizeof no_script - 1);
}

// A script that just ended, or failed, may have been meant otherwise; one that says `exit` has said what it wants.
static void last_chance(struct core *core, int err)
{
    if (err)
        console_error("script", err, "the script ended; next boot device in %u s, press a key for the shell", LAST_CHANCE_S);
    else
        console_say("script", "the script ended; next boot device in %u s, press a key for the shell", LAST_CHANCE_S);
    core->key = -1;
    if (core_sleep(core, (uint64_t)LAST_CHANCE_S * 1000000, true) == 1) {
        core->key = -1;
        (void)core_shell(core);
    }
}

int core_main(const struct platform *platform, const struct core_options *options)
{
    static struct core core; // about 120 KiB
    memset(&core, 0, sizeof core);
    core.platform = platform;
    core.key = -1;
    core.entry_us = core_now(&core);
    console_init(platform);
    console_print("%s %s\n", signet_build, platform->name);
    core_scripts_start(core_commands, core_command_count);
    core_fetch_start(core_transports, core_transport_count);
    core_shell_start();
    core_menus_start();
    core_params_start();
    core_http_start();
    core_helpers_init();
    choose_digest();
    (void)read_embedded(&core, options);
    core_measure_policy(&core);
    core_floor_start(&core);
    core_network_start(&core);
    core_settings_init(&core);

    int err = run_scripts(&core, options);
    if (!core_scripts_exited())
        last_chance(&core, err);
    console_say("boot", "leaving Signet for the next boot device");
    net_stop();
    return err;
}
