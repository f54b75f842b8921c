// SPDX-License-Identifier: MPL-2.0
// The commands about the machine and the clock, and those of iPXE in whose place Signet has something else. See commands.h.
#include "core/commands.h"

#include "base/cpuid.h"

static struct core *core_of(struct script *s)
{
    return s->ctx;
}

// Succeeds when a bit of what the processor says of itself is set: leaf 1, or 80000001h with --ext; EDX, or ECX with --ecx.
CORE_COMMAND(cpuid)
{
    const char *ext = NULL, *ecx = NULL;
    const struct script_option options[] = { { 'e', "ext", false, &ext }, { 'a', "amd", false, &ext }, { 'c', "ecx", false, &ecx } };
    int first = script_options(s, argc, argv, options, ARRAY_SIZE(options), 1, 1);
    uint32_t bit, values[4];
    int err = first < 0 ? first : script_number(s, argv[first], &bit);
    if (err)
        return err;
    if (!cpuid_read(ext ? CPUID_EXTENDED : CPUID_STANDARD, values))
        return ERR_UNSUPPORTED;
    return values[ecx ? CPUID_ECX : CPUID_EDX] >> (bit & 31) & 1 ? 0 : ERR_SCRIPT_FALSE;
}

// Nothing goes on behind a command that has ended.
CORE_COMMAND(sync)
{
    const char *timeout = NULL;
    const struct script_option options[] = { { 't', "timeout", true, &timeout } };
    uint32_t milliseconds;
    int first = script_options(s, argc, argv, options, ARRAY_SIZE(options), 0, 0);
    return first < 0 ? first : timeout ? script_number(s, timeout, &milliseconds) : 0;
}

CORE_COMMAND(time)
{
    uint64_t start = core_now(core_of(s));
    int err = script_execute(s, argc, 1);
    unsigned milliseconds = (unsigned)(core_now(core_of(s)) - start) / 1000; // beyond 71 minutes it begins anew
    script_printf(s, "%s: %u.%03u s\n", argv[1], milliseconds / 1000, milliseconds % 1000);
    return err;
}

// Every image is trusted by a seal or is not started, so what this asks for is so; the contrary is not to be had.
CORE_COMMAND(imgtrust)
{
    const char *allow = NULL, *permanent = NULL;
    const struct script_option options[] = { { 'a', "allow", false, &allow }, { 'p', "permanent", false, &permanent } };
    int first = script_options(s, argc, argv, options, ARRAY_SIZE(options), 0, 0);
    if (first >= 0 && allow)
        script_printf(s, "imgtrust: nothing starts that no trust anchor has signed, and no command changes that\n");
    return first < 0 ? first : allow ? ERR_UNSUPPORTED : 0;
}

CORE_COMMAND(imgverify)
{
    script_printf(s, "imgverify: an image in memory was verified by its seal already; leave this line out\n");
    return ERR_UNSUPPORTED;
}

// Of a SAN, and iPXE's own way to boot without a script.
CORE_COMMAND(elsewhere)
{
    script_printf(s, "%s: not here; `exit` goes to the machine's next boot device, `dhcp` and `chain` boot from the network\n", argv[0]);
    return ERR_UNSUPPORTED;
}
