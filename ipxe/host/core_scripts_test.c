// SPDX-License-Identifier: MPL-2.0
// The whole core and its scripts: by TFTP, short ones, one within another, the shell and the way out.
#include "host/testworld.h"

static void missing_tftp(void)
{
    set_up("img", key_a);
    w.dhcp_file = "#!ipxe\n";
    run("#!ipxe\ndhcp\nchain tftp://10.0.0.1/missing\n", &key_a, 0);
}
static void tftp_script(void)
{
    set_up("img", key_a);
    w.dhcp_file = "#!ipxe\necho from tftp\nchain p2://10.0.0.1/image\n";
    run("#!ipxe\ndhcp\nchain tftp://10.0.0.1/missing || chain tftp://${next-server}/script.ipxe\n", &key_a, 0);
}
TEST(a_script_from_tftp_runs)
{
    struct outcome *out = in_child(tftp_script);
    CHECK(said(out, "the server says: no such file"));
    CHECK(said(out, "from tftp"));
    CHECK(out->booted, out->memory_right);
}

// Files of any few bytes over a transport for files: run, or named for what they are.
static const char *short_file;
static void short_tftp_file(void)
{
    set_up("img", key_a);
    w.dhcp_file = short_file;
    run("#!ipxe\ndhcp\nchain tftp://10.0.0.1/script.ipxe && echo RAN || echo NOT-RAN\nexit\n", &key_a, 0);
}
TEST(files_of_a_few_bytes)
{
    static const struct {
        const char *file, *says;
    } cases[] = { { "#!ipxe", "\nRAN\n" }, { "#!ipxe\n", "\nRAN\n" }, { "#!gpxe", "\nRAN\n" }, { "", "the file is empty [G11]" },
                  { "x", "[S01]" }, { "#!", "[S01]" }, { "<html>", "[S01]" }, { "<html></html>", "[S01]" },
                  { "a text that is longer than what a seal begins with, but shorter than its head", "[S01]" } };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        short_file = cases[i].file;
        CHECK(said(in_child(short_tftp_file), cases[i].says));
    }
}

static void nested_error(void)
{
    set_up("img", key_a);
    w.dhcp_file = "#!ipxe\necho inside\nfrobnicate\n";
    run("#!ipxe\ndhcp\n\nchain tftp://10.0.0.1/script.ipxe\n", &key_a, 0);
}
TEST(an_error_names_its_script_and_is_said_once)
{
    struct outcome *out = in_child(nested_error);
    CHECK(said(out, "script: line 3 of tftp://10.0.0.1/script.ipxe: "));
    CHECK(said(out, "script: line 4 of embedded: "));
    // Not found by TFTP: the sentence once, the code wherever it matters.
    out = in_child(missing_tftp);
    const char *first = strstr(out->transcript, "not found [G04]");
    CHECK(first, !strstr(first + 1, "not found [G04]"));
    CHECK(strstr(first + 1, "[G04]"));
}

static void shell(void)
{
    set_up("img", key_a);
    w.machine.keys = "x" "dhcp\rchain p2:///image\r";
    run("#!ipxe\necho at the end\n", &key_a, 0);
}
TEST(a_key_at_the_end_opens_the_shell)
{
    struct outcome *out = in_child(shell);
    CHECK(said(out, "signet> "));
    CHECK(out->booted, out->memory_right);
}

static void exiting(void)
{
    set_up("img", key_a);
    w.dhcp_file = "#!ipxe\nexit\n";
    run("#!ipxe\ndhcp\nchain tftp://10.0.0.1/script.ipxe\necho back\nexit\n", &key_a, 0);
}
static void exiting_inside(void)
{
    set_up("img", key_a);
    w.dhcp_file = "#!ipxe\nexit\n";
    run("#!ipxe\ndhcp\nchain tftp://10.0.0.1/script.ipxe\n", &key_a, 0);
}
TEST(exit_of_the_outermost_script_leaves_at_once)
{
    struct outcome *out = in_child(exiting);
    CHECK_EQ(out->err, 0);
    CHECK(said(out, "back\n"), said(out, "leaving Signet"));
    CHECK(out->now_us < 10000000);
    out = in_child(exiting_inside);
    CHECK(said(out, "press a key"));
    CHECK(out->now_us >= 10000000);
}

TEST_MAIN(T(a_script_from_tftp_runs), T(files_of_a_few_bytes), T(an_error_names_its_script_and_is_said_once),
          T(a_key_at_the_end_opens_the_shell), T(exit_of_the_outermost_script_leaves_at_once))
