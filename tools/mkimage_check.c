// SPDX-License-Identifier: MPL-2.0
// mkimage and seal: what was asked for, judged without a look at a file.
#include "base/range.h"
#include "mkimage.h"
#include "phase2/arguments.h"
#include "phase2/seal.h"

static bool printable(const char *text, size_t max, char lowest)
{
    size_t len = strlen(text);
    for (size_t i = 0; i < len; i++)
        if (text[i] < lowest || text[i] > '~')
            return false;
    return len < max && (len > 0 || lowest == ' ');
}

static int check_name(const char *option, const char *text, size_t max)
{
    if (!text || printable(text, max, '!'))
        return -1;
    return tool_usage(option, "must be 1 to %zu printable ASCII characters without spaces", max - 1);
}

// What is wrong with a text of patterns that arguments_sound refuses.
static const char *pattern_fault(const char *text)
{
    if (!*text || *text == ' ' || text[strlen(text) - 1] == ' ' || strstr(text, "  "))
        return "is empty, or has a blank too many: one blank stands between two patterns";
    for (const char *p = text; *p; p++)
        if (*p < ' ' || *p > '~' || *p == '"')
            return "has a character that no pattern may have: printable ASCII without \" is left";
    return "has a * in the name of an argument: it may only stand behind a =, as in console=*";
}

static int check_patterns(const struct mkimage *m)
{
    size_t len = 0;
    if (m->allow.count && !m->kernel && !m->efi)
        return tool_usage("--allow", "is of no use without --kernel or --efi");
    for (size_t i = 0; i < m->allow.count; i++) {
        const char *text = m->allow.items[i];
        if (!*text || !arguments_sound(text))
            return tool_usage("--allow", "\"%s\" %s", text, pattern_fault(text));
        len += strlen(text) + 1;
    }
    if (len > SEAL_CMDLINE_MAX)
        return tool_usage("--allow", "all patterns together must be at most %d characters", SEAL_CMDLINE_MAX - 1);
    return -1;
}

static int check_parts(const struct mkimage *m)
{
    if (m->detached && !m->kernel && !m->efi && !m->nbp)
        return tool_usage(NULL, "nothing to seal: --kernel, --efi or --nbp is needed");
    if (!m->kernel && !m->efi && !m->nbp && !m->ramdisks.count)
        return tool_usage(NULL, "nothing to put into an image: --kernel, --efi, --nbp or -i is needed");
    if (m->efi && (m->kernel || m->nbp || m->initrds.count || m->ramdisks.count))
        return tool_usage("--efi", "an EFI application is alone in its image");
    if (m->nbp && (m->kernel || m->initrds.count || m->ramdisks.count))
        return tool_usage("--nbp", "a network bootstrap program is alone in its image");
    if (!m->kernel && m->initrds.count)
        return tool_usage("--initrd", "is of no use without --kernel");
    if (!m->kernel && !m->efi && m->cmdline)
        return tool_usage("--cmdline", "is of no use without --kernel or --efi");
    return check_patterns(m);
}

static int check_keys(const struct mkimage *m)
{
    if (m->keys.count && m->is_unsigned)
        return tool_usage("--unsigned", "contradicts --key");
    if (!m->keys.count && m->detached)
        return tool_usage(NULL, "no --key given");
    if (!m->keys.count && !m->is_unsigned)
        return tool_usage(NULL, "no --key given; say --unsigned if the image shall not be signed");
    if (m->keys.count > SEAL_SIGNATURES_MAX)
        return tool_usage("--key", "at most %d keys can sign an image", SEAL_SIGNATURES_MAX);
    return -1;
}

int mkimage_check(const struct mkimage *m)
{
    int r;
    if (!m->output && !m->detached) // whose name comes from the program's
        return tool_usage("-o", "no output file given");
    if ((r = check_parts(m)) >= 0 || (r = check_keys(m)) >= 0)
        return r;
    if ((r = check_name("--name", m->name, SEAL_NAME_MAX)) >= 0 ||
        (r = check_name("--product", m->product, SEAL_NAME_MAX)) >= 0 ||
        (r = check_name("--dataset", m->dataset, sizeof((struct seal *)0)->dataset)) >= 0)
        return r;
    if (m->cmdline && !printable(m->cmdline, SEAL_CMDLINE_MAX, ' '))
        return tool_usage("--cmdline", "must be printable ASCII of at most %d characters", SEAL_CMDLINE_MAX - 1);
    if (!is_power_of_two(m->chunk_size))
        return tool_usage("--chunk-size", "must be a power of two");
    return -1;
}
