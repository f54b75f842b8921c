// SPDX-License-Identifier: MPL-2.0
#include "script/script_check.h"

#include "base/fmt.h"
#include "base/test.h"

static char findings[1000];

static void note(void *ctx, unsigned line, int err, const char *word, size_t len, bool handled)
{
    size_t n = strlen(findings);
    fmt_snprintf(findings + n, sizeof findings - n, "%u%s %s %.*s;", line, handled ? "?" : "", err_code(err), (int)len, word);
}

static const char *judged(const char *text)
{
    findings[0] = 0;
    (void)script_check(text, strlen(text), note, NULL);
    return findings;
}

TEST(what_is_right_is_not_found)
{
    CHECK_STR(judged("#!ipxe\n# a comment\n:retry\ndhcp && goto retry || shell\necho ${net0/mac:hexhyp} ${a${b}} '${' $ {\n"
                     "goto ${where}\n${command} x y z\nchain --autofree --replace http://h/x?y=${uuid} || goto :retry\n"
                     ":l2 echo behind it\ngoto l2\nset x a b c d e f\n&& ||\nsleep \\\n 5\nifconf --force net0\n\n"), "");
}

TEST(each_kind_with_its_line)
{
    CHECK_STR(judged("#!ipxe\n\nfrobnicate --all\n"), "3 C02 frobnicate;");
    CHECK_STR(judged("#!ipxe\necho a\\\n b\necho ok\ngoto nowhere\n"), "5 C04 nowhere;");
    CHECK_STR(judged("#!ipxe\necho ${net0/mac and more\n"), "2 C01 ${net0/mac;");
    CHECK_STR(judged("#!ipxe\necho \"a ${b\" c\n"), "2 C01 a ${b;");
    CHECK_STR(judged("#!ipxe\nchain\nsleep 1 2\n"), "2 C03 chain;3 C03 sleep;");
    CHECK_STR(judged(":x frob\n"), "1 C02 frob;");
    CHECK_STR(judged("#!ipxe\necho a && frob b && bard\n"), "2 C02 frob;2 C02 bard;");
    CHECK_STR(judged("#!ipxe\nDHCP\n"), "2 C02 DHCP;");
    static char longer[SCRIPT_LINE_MAX + 100];
    int n = sprintf(longer, "#!ipxe\n\necho ");
    memset(longer + n, 'x', SCRIPT_LINE_MAX);
    CHECK_STR(judged(longer), "3 C09 ;");
}

// `sometool --x y ||`: a script that runs elsewhere, too.
TEST(what_is_handled_is_a_note)
{
    CHECK_STR(judged("#!ipxe\nsometool --picture x ||\nfrob && bard || echo z\ngoto nowhere || goto there\n"),
              "2? C02 sometool;3? C02 frob;3? C02 bard;4? C04 nowhere;4 C04 there;");
    CHECK_EQ(script_check("noxx ||\nnoyy\n", 13, note, NULL), 1);
}

TEST(names_of_commands)
{
    CHECK(script_is_command("chain", 5), script_is_command("set x", 3));
    CHECK(!script_is_command("chain", 4), !script_is_command("", 0), !script_is_command("HD(1)", 5));
}

TEST_MAIN(T(what_is_right_is_not_found), T(each_kind_with_its_line), T(what_is_handled_is_a_note), T(names_of_commands))
