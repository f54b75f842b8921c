// SPDX-License-Identifier: MPL-2.0
// What a script may say to a sealed command line, and the tricks by which one could say more.
#include "phase2/arguments.h"

#include "base/err.h"
#include "base/test.h"

static char out[256];
static struct arguments_word bad;

static int judge(const char *sealed, const char *patterns, const char *given)
{
    return arguments_judge(sealed, patterns, true, given, out, sizeof out, &bad);
}
static bool takes(const char *sealed, const char *patterns, const char *given, const char *result)
{
    int len = judge(sealed, patterns, given);
    return len == (int)strlen(result) && strcmp(out, result) == 0;
}
static bool refuses(const char *sealed, const char *patterns, const char *given, const char *word, bool missing)
{
    return judge(sealed, patterns, given) == ERR_SEAL_ARGUMENT && bad.len == strlen(word) && memcmp(bad.text, word, bad.len) == 0 &&
           bad.missing == missing;
}

TEST(sealed_words)
{
    CHECK(takes("", "", "", ""));
    CHECK(takes("quiet", "", "quiet", "quiet"));
    CHECK(takes("root=/dev/sda quiet", "", "  root=/dev/sda   quiet ", "root=/dev/sda quiet"));
    CHECK(refuses("root=/dev/sda quiet", "", "quiet root=/dev/sda", "quiet", false)); // order
    CHECK(refuses("root=/dev/sda quiet", "", "root=/dev/sda", "quiet", true));        // dropped
    CHECK(refuses("root=/dev/sda quiet", "", "", "root=/dev/sda", true));
    CHECK(refuses("quiet", "", "quiet quiet", "quiet", false));                       // doubled
    CHECK(refuses("quiet", "", "quiet init=/bin/sh", "init=/bin/sh", false));
    CHECK(refuses("quiet", "", "Quiet", "Quiet", false));
    CHECK(refuses("quiet", "", "quie", "quie", false));
}

TEST(patterns)
{
    CHECK(takes("quiet", "console=*", "console=ttyS0,115200 quiet console=tty0", "console=ttyS0,115200 quiet console=tty0"));
    CHECK(takes("", "ip=*", "ip=", "ip="));
    CHECK(takes("", "BOOTIF=01-*", "BOOTIF=01-52-54-00-12-34-56", "BOOTIF=01-52-54-00-12-34-56"));
    CHECK(takes("", "single quiet", "single", "single")); // an argument that may be there
    CHECK(takes("", "url=http://*/preseed/*.cfg", "url=http://10.0.0.1/preseed/a/preseed/b.cfg", "url=http://10.0.0.1/preseed/a/preseed/b.cfg"));
    CHECK(takes("", "a=**b", "a=b", "a=b"));
    CHECK(takes("", "a=*b*", "a=xbbx", "a=xbbx"));
    CHECK(refuses("", "url=http://*/preseed/*.cfg", "url=http://10.0.0.1/preseed/b.cfgx", "url=http://10.0.0.1/preseed/b.cfgx", false));
    CHECK(refuses("", "console=*", "console", "console", false));
    CHECK(refuses("", "console=*", "xconsole=1", "xconsole=1", false));
    CHECK(refuses("", "single", "single=1", "single=1", false));
    CHECK(takes("ip=dhcp", "ip=*", "ip=dhcp", "ip=dhcp")); // the sealed one is taken first
    CHECK(refuses("ip=dhcp", "ip=*", "ip=1.2.3.4", "ip=dhcp", true));
}

// A value in quotes would swallow the words behind it, tabs and newlines split a word in the kernel.
TEST(tricks)
{
    CHECK(refuses("root=/dev/sda", "console=*", "console=\"x root=/dev/sda", "console=\"x root=/dev/sda", false));
    CHECK(refuses("root=/dev/sda", "console=*", "console=\" root=/dev/sda z=\"", "console=\" root=/dev/sda z=\"", false));
    CHECK(refuses("", "console=*", "console=\"\"", "console=\"\"", false));
    CHECK(refuses("", "console=*", "console=x\tinit=/bin/sh", "console=x\tinit=/bin/sh", false));
    CHECK(refuses("", "console=*", "console=x\ninit=/bin/sh", "console=x\ninit=/bin/sh", false));
    CHECK(refuses("", "console=*", "console=\xa0", "console=\xa0", false)); // a blank in Latin-1, which the kernel's isspace knows
    CHECK(refuses("", "console=*", "console=*\x7f", "console=*\x7f", false));
    // Nothing comes between the halves of a sealed word.
    CHECK(takes("dyndbg=\"file a +p\" quiet", "ip=*", "dyndbg=\"file a +p\" ip=x quiet", "dyndbg=\"file a +p\" ip=x quiet"));
    CHECK(refuses("dyndbg=\"file a +p\"", "ip=*", "dyndbg=\"file ip=x a +p\"", "dyndbg=\"file ip=x a +p\"", false));
    CHECK(refuses("a=\"b", "ip=*", "a=\"b ip=x", "a=\"b ip=x", false)); // a sealed quote that nothing closes
    CHECK(refuses("-- x", "ip=*", "x", "x", false));
}

TEST(initrd_is_for_loaders)
{
    CHECK(takes("quiet", "", "initrd=root.img initrd=extra.img quiet", "quiet"));
    CHECK(takes("initrd=a quiet", "", "initrd=a initrd=b quiet", "initrd=a quiet"));
    CHECK(takes("", "initrd=*", "initrd=x", "initrd=x"));
    CHECK_EQ(arguments_judge("", "", false, "initrd=x", out, sizeof out, &bad), ERR_SEAL_ARGUMENT);
    CHECK(refuses("", "", "initrdx=1", "initrdx=1", false));
    CHECK(refuses("initrd=a", "", "initrd=b", "initrd=a", true));
}

TEST(sound)
{
    static const char *const good[] = { "a", "a=*", "a=b*c", "a b c=*", "a=*=*", "--", "rd.break=*" };
    static const char *const wrong[] = { "*", "a*", "a*=b", "*=a", " a", "a ", "a  b", "a=\"b", "a\tb", "a=* b*", "a=\x80", "" };
    for (unsigned i = 0; i < ARRAY_SIZE(good); i++)
        CHECK(arguments_sound(good[i]));
    for (unsigned i = 0; i < ARRAY_SIZE(wrong); i++)
        CHECK(!arguments_sound(wrong[i]));
}

TEST(room)
{
    char small[6];
    CHECK_EQ(arguments_judge("ab", "c=*", true, "ab c=", small, 6, &bad), 5);
    CHECK_EQ(arguments_judge("ab", "c=*", true, "ab c=1", small, 6, &bad), ERR_BOOT_CMDLINE);
    CHECK_EQ(arguments_judge("ab", "c=*", true, "ab", small, 2, &bad), ERR_BOOT_CMDLINE);
    CHECK_EQ(arguments_judge("ab", "c=*", true, "ab", small, 3, &bad), 2);
}

TEST_MAIN(T(sealed_words), T(patterns), T(tricks), T(initrd_is_for_loaders), T(sound), T(room))
