// SPDX-License-Identifier: MPL-2.0
// The interpreter: lines, words, operators, expansion, jumps, limits, and the default script run with commands
// that only play network.
#include "base/test.h"
#include "script/script.h"
#include "script/settings.h"

static struct world {
    struct script script;
    struct settings settings;
    uint8_t arena[SETTINGS_ARENA_DEFAULT];
    char out[65536];
    size_t out_len;
    char calls[16384]; // what the commands were called with, one line each
    int polls, poll_limit;
    const char *play; // of the default script: URIs that "boot", newline-separated
    int chains;
} w;

static int op_get(void *ctx, const char *name, char *buf, size_t cap)
{
    return settings_get(&w.settings, name, buf, cap);
}
static int op_set(void *ctx, const char *name, const char *text)
{
    return settings_set(&w.settings, name, text);
}
static int op_update(void *ctx, const char *name, const char *text)
{
    return settings_update(&w.settings, name, text);
}
static int op_clear(void *ctx, const char *name)
{
    return settings_clear(&w.settings, name);
}
static int op_show(void *ctx, const char *name, char *buf, size_t cap)
{
    return settings_show(&w.settings, name, buf, cap);
}
static void op_print(void *ctx, const char *text, size_t len)
{
    if (w.out_len + len < sizeof w.out) {
        memcpy(w.out + w.out_len, text, len);
        w.out_len += len;
        w.out[w.out_len] = 0;
    }
}
static int op_poll(void *ctx)
{
    return w.poll_limit && ++w.polls > w.poll_limit ? ERR_CANCELLED : 0;
}
static int last_failure;
static void op_failed(void *ctx, int err)
{
    last_failure = err;
}

static const struct script_ops ops = { op_get, op_set, op_clear, op_show, op_print, op_poll, op_update, NULL, op_failed };

// "name|arg|arg\n" into w.calls.
static void note(int argc, char **argv)
{
    for (int i = 0; i < argc; i++) {
        strncat(w.calls, i ? "|" : "", sizeof w.calls - strlen(w.calls) - 1);
        strncat(w.calls, argv[i], sizeof w.calls - strlen(w.calls) - 1);
    }
    strncat(w.calls, "\n", sizeof w.calls - strlen(w.calls) - 1);
}
static int run_ok(struct script *s, int argc, char **argv)
{
    note(argc, argv);
    return 0;
}
static int run_bad(struct script *s, int argc, char **argv)
{
    note(argc, argv);
    return ERR_TIMED_OUT;
}
static int run_opts(struct script *s, int argc, char **argv)
{
    const char *key = NULL, *flag = NULL;
    const struct script_option options[] = { { 'k', "key", true, &key }, { 'f', "force", false, &flag } };
    int first = script_options(s, argc, argv, options, ARRAY_SIZE(options), 1, 2);
    if (first < 0)
        return first;
    char text[256];
    snprintf(text, sizeof text, "key=%s flag=%d rest=%s\n", key ? key : "-", flag != NULL, script_join(argc, argv, first));
    strncat(w.calls, text, sizeof w.calls - strlen(w.calls) - 1);
    return 0;
}
static const struct script_command commands[] = {
    { "ok", 0, -1, "[ARG...]", run_ok },
    { "bad", 0, -1, "[ARG...]", run_bad },
    { "two", 2, 2, "A B", run_ok },
    { "opts", 1, -1, "[--key K] [--force] A [B]", run_opts },
};

static void fresh(void)
{
    memset(&w, 0, sizeof w);
    settings_init(&w.settings, w.arena, sizeof w.arena);
    script_init(&w.script, commands, ARRAY_SIZE(commands), &ops, NULL);
}
static int run(const char *text)
{
    return script_run(&w.script, text, strlen(text));
}
static int line(const char *text)
{
    w.calls[0] = 0;
    w.out_len = 0;
    w.out[0] = 0;
    return script_line(&w.script, text, strlen(text));
}

TEST(first_line)
{
    fresh();
    CHECK(script_is_script("#!ipxe\n", 7), script_is_script("#!ipxe", 6), script_is_script("#!gpxe\r\n", 8));
    CHECK(!script_is_script("#!ipxen\n", 8), !script_is_script("#!ipx", 5), !script_is_script("", 0));
    CHECK(!script_is_script(" #!ipxe\n", 8));
    CHECK_EQ(run("ok\n"), ERR_SCRIPT_NOT_SCRIPT);
    CHECK_EQ(run("#!ipxe"), 0);
    CHECK_EQ(run("#!ipxe\nok 1\n\n  # a comment\nok 2 # and another\n\tok 3"), 0);
    CHECK_STR(w.calls, "ok|1\nok|2\nok|3\n");
}

TEST(words)
{
    fresh();
    CHECK_EQ(line("ok a  b\tc "), 0);
    CHECK_STR(w.calls, "ok|a|b|c\n");
    CHECK_EQ(line("ok \"a b\" 'c d' \"\" ''"), 0);
    CHECK_STR(w.calls, "ok|a b|c d||\n");
    CHECK_EQ(line("ok can't stop o'clock"), 0); // plain text, as in iPXE
    CHECK_STR(w.calls, "ok|can't|stop|o'clock\n");
    CHECK_EQ(line("ok x=\"a b\" 'tis \"open"), 0);
    CHECK_STR(w.calls, "ok|x=\"a|b\"|'tis|\"open\n");
    CHECK_EQ(line("ok \\EFI\\BOOT\\x.efi \\\\host\\share"), 0);
    CHECK_STR(w.calls, "ok|\\EFI\\BOOT\\x.efi|\\\\host\\share\n");
    CHECK_EQ(line("ok a\\ b \\\"x\\\" \\${y} \"q\\\"q \\\\ z\""), 0);
    CHECK_STR(w.calls, "ok|a b|\"x\"|${y}|q\"q \\ z\n");
    CHECK_EQ(line("ok http://h/a||b&&c#d p#q"), 0); // operators and comments only as words
    CHECK_STR(w.calls, "ok|http://h/a||b&&c#d|p#q\n");
    CHECK_EQ(line("ok \"||\" '#' && ok \"it's\" x"), 0);
    CHECK_STR(w.calls, "ok||||#\nok|it's|x\n");
    CHECK_EQ(line(""), 0);
    CHECK_EQ(line("   # nothing"), 0);
    CHECK_STR(w.calls, "");
}

TEST(operators)
{
    fresh();
    CHECK_EQ(line("bad || ok"), 0);
    CHECK_STR(w.calls, "bad\nok\n");
    CHECK_EQ(line("ok 1 || ok 2"), 0);
    CHECK_STR(w.calls, "ok|1\n");
    CHECK_EQ(line("ok 1 && ok 2"), 0);
    CHECK_STR(w.calls, "ok|1\nok|2\n");
    CHECK_EQ(line("bad && ok"), ERR_TIMED_OUT);
    CHECK_STR(w.calls, "bad\n");
    // Left to right on the last status: what was passed over changes nothing.
    CHECK_EQ(line("bad 1 && ok 2 || ok 3"), 0);
    CHECK_STR(w.calls, "bad|1\nok|3\n");
    CHECK_EQ(line("ok 1 || ok 2 && ok 3"), 0);
    CHECK_STR(w.calls, "ok|1\nok|3\n");
    CHECK_EQ(line("bad 1 || bad 2 || ok 3 && bad 4"), ERR_TIMED_OUT);
    CHECK_STR(w.calls, "bad|1\nbad|2\nok|3\nbad|4\n");
    CHECK_EQ(line("bad ||"), 0); // the usual way to ignore a failure
    CHECK_EQ(line("|| ok"), 0);
    CHECK_STR(w.calls, "");
    CHECK_EQ(line("&& ok"), 0);
    CHECK_STR(w.calls, "ok\n");
    CHECK_EQ(line("bad || # comment"), 0);
    CHECK_EQ(line("${nothing} && ok"), ERR_SCRIPT_COMMAND); // only nothing at all succeeds, as in iPXE
    CHECK_STR(w.calls, "");
}

TEST(failing_ends)
{
    fresh();
    CHECK_EQ(run("#!ipxe\nok 1\nbad\nok 2\n"), ERR_TIMED_OUT);
    CHECK_STR(w.calls, "ok|1\nbad\n");
    CHECK(strstr(w.out, "script: line 3: timed out [G03]"));
    fresh();
    CHECK_EQ(run("#!ipxe\nok a \\\n  b\nnonsense\n"), ERR_SCRIPT_COMMAND);
    CHECK(strstr(w.out, "nonsense: command not found"));
    CHECK(strstr(w.out, "line 4:"));
    fresh();
    CHECK_EQ(run("#!ipxe\ntwo 1\n"), ERR_SCRIPT_USAGE);
    CHECK(strstr(w.out, "two: an argument is missing\nusage: two A B\n"));
    CHECK_EQ(run("#!ipxe\ntwo 1 2 3\n"), ERR_SCRIPT_USAGE);
}

TEST(lines)
{
    fresh();
    CHECK_EQ(run("#!ipxe\r\nok 1\r\nok a\\\r\nb \\\n c\r\n:x\r\n  :y\r\nok 2\r\n"), 0);
    CHECK_STR(w.calls, "ok|1\nok|ab|c\nok|2\n");
    fresh();
    CHECK_EQ(run("#!ipxe\rok 1\rok a\\\rb \\\r c\r:x\r  :y\r\r\nok 2\r"), 0);
    CHECK_STR(w.calls, "ok|1\nok|ab|c\nok|2\n");
    CHECK_EQ(line("ok a \\"), 0);
    CHECK_STR(w.calls, "ok|a\n");
    fresh();
    CHECK_EQ(script_run(&w.script, "#!ipxe\nok \0x\n", 13), ERR_SCRIPT_SYNTAX);
}

TEST(expansion)
{
    fresh();
    CHECK_EQ(line("set a one && set b two words && set c a && set e"), 0);
    CHECK_EQ(line("ok ${a} x${a}y${a} ${b} ${none} ${${c}} \"${a} z\" '${a}'"), 0);
    CHECK_STR(w.calls, "ok|one|xoneyone|two words||one|one z|${a}\n");
    CHECK_EQ(line("set net0/mac 52:54:00:12:34:56 && ok ${net0/mac} ${mac:hexhyp} ${net0/mac:hexraw} ${mac:nonsense}"), 0);
    CHECK_STR(w.calls, "ok|52:54:00:12:34:56|52-54-00-12-34-56|525400123456|\n");
    CHECK_EQ(line("ok $a ${} $ $$ a} {b}"), 0);
    CHECK_STR(w.calls, "ok|$a||$|$$|a}|{b}\n");
    CHECK_EQ(line("ok ${a b ${ \"${a\" ${x${a} y"), 0); // never closed: plain text
    CHECK_STR(w.calls, "ok|${a|b|${|${a|${xone|y\n");
    // What a setting holds is data: no operators, no words, no expansion.
    CHECK_EQ(line("set evil '|| bad && ${a} # \"'"), 0);
    CHECK_EQ(line("ok ${evil} end"), 0);
    CHECK_STR(w.calls, "ok||| bad && ${a} # \"|end\n");
    // Nesting is bounded.
    CHECK_EQ(line("ok ${${${${${${${${a}}}}}}}}"), 0);
    CHECK_EQ(line("ok ${${${${${${${${${a}}}}}}}}}"), ERR_SCRIPT_LIMIT);
    char buf[8];
    CHECK_EQ(script_expand(&w.script, "${a}-${a}", 9, buf, sizeof buf), 7);
    CHECK_STR(buf, "one-one");
    CHECK_EQ(script_expand(&w.script, "${a}-${a}!", 10, buf, sizeof buf), ERR_SCRIPT_LIMIT);
    CHECK_EQ(script_expand(&w.script, "${b}", 4, buf, sizeof buf), ERR_SCRIPT_LIMIT);
}

TEST(builtins)
{
    fresh();
    CHECK_EQ(line("echo  a   b && echo -n c d && echo"), 0);
    CHECK_STR(w.out, "a b\nc d\n");
    CHECK_EQ(line("isset ${x}"), ERR_SCRIPT_FALSE);
    CHECK_EQ(line("isset"), ERR_SCRIPT_FALSE);
    CHECK_EQ(line("set x 1 && isset ${x}"), 0);
    CHECK_EQ(line("set x && isset ${x}"), ERR_SCRIPT_FALSE);
    CHECK_EQ(line("iseq ${x} ${y}"), 0);
    CHECK_EQ(line("iseq a b"), ERR_SCRIPT_FALSE);
    CHECK_EQ(line("iseq a"), ERR_SCRIPT_USAGE);
    CHECK_EQ(line("clear x && clear x"), 0);
    CHECK_EQ(line("set n:int32 -3 && inc n && inc n 5 && inc n -2 && echo ${n}"), 0);
    CHECK_STR(w.out, "1\n");
    CHECK_EQ(line("set b:uint8 255 && inc b 2 && echo ${b} && inc n x"), ERR_SCRIPT_USAGE);
    CHECK(strncmp(w.out, "0x1\n", 4) == 0);
    CHECK_EQ(line("set -- x 1 && isset -- ${x} && echo -- -n && echo -n -- a"), 0);
    CHECK_STR(w.out, "-n\na");
    CHECK_EQ(line("isset --nothing"), ERR_SCRIPT_USAGE);
    CHECK_EQ(line("echo --nothing"), ERR_SCRIPT_USAGE);
    CHECK_EQ(line("iseq --help"), ERR_SCRIPT_USAGE);
    CHECK(strstr(w.out, "usage: iseq"));
    CHECK_EQ(line("help iseq"), 0);
    CHECK_STR(w.out, "  iseq VALUE VALUE\n");
    CHECK_EQ(line("help nonsense"), ERR_SCRIPT_COMMAND);
    CHECK_EQ(line("isset x && isset ${y} || isset x"), 0);
    CHECK_EQ(last_failure, ERR_SCRIPT_FALSE); // told though it was handled
    CHECK_EQ(line("set x && clear n && clear b"), 0);
    CHECK_EQ(line("set n:int32 7 && inc n && inc n 0x10 && inc m && echo ${n} ${m} ${n:hex}"), 0);
    CHECK_STR(w.out, "24 1 00:00:00:18\n");
    CHECK_EQ(line("set ip nonsense"), ERR_INVALID);
    CHECK(strstr(w.out, "set: ip: invalid argument"));
    CHECK_EQ(line("show n"), 0);
    CHECK_STR(w.out, "n:int32 = 24\n");
    CHECK_EQ(line("show nothing || echo no"), 0);
    CHECK_STR(w.out, "show: nothing: not found\nno\n");
    CHECK_EQ(line("isuri http://a/b && isuri p2:///x && isuri TFTP://x"), 0);
    CHECK_EQ(line("isuri undionly.kpxe"), ERR_SCRIPT_FALSE);
    CHECK_EQ(line("isuri ://x"), ERR_SCRIPT_FALSE);
    CHECK_EQ(line("isuri"), ERR_SCRIPT_FALSE);
    CHECK_EQ(line("isuri c:/x"), ERR_SCRIPT_FALSE);
    CHECK_EQ(line("help"), 0);
    CHECK(strstr(w.out, "  opts [--key K] [--force] A [B]\n"), strstr(w.out, "  goto LABEL\n"));
}

TEST(jumps)
{
    fresh();
    CHECK_EQ(run("#!ipxe\ngoto end\nok no\n:end\nok yes\n"), 0);
    CHECK_STR(w.calls, "ok|yes\n");
    fresh();
    CHECK_EQ(run("#!ipxe\nset i:int32 0\n:loop\ninc i\nok ${i}\niseq ${i} 3 || goto loop\nok end\n"), 0);
    CHECK_STR(w.calls, "ok|1\nok|2\nok|3\nok|end\n");
    fresh(); // the rest of the line is dropped; a label may be computed
    CHECK_EQ(run("#!ipxe\nset to b\ngoto ${to} && ok no\nok no\n:a\nok a\nexit\n:b ok behind\nok b\ngoto a || ok no"), 0);
    CHECK_STR(w.calls, "ok|behind\nok|b\nok|a\n");
    fresh();
    CHECK_EQ(run("#!ipxe\ngoto nowhere || ok handled\ngoto nowhere\n"), ERR_SCRIPT_LABEL);
    CHECK_STR(w.calls, "ok|handled\n");
    CHECK(strstr(w.out, "no label :nowhere"));
    CHECK(strstr(w.out, "line 3:"));
    fresh(); // line numbers hold after a jump back
    CHECK_EQ(run("#!ipxe\n\n:a\nisset ${x} && bad ||\nisset ${x} && nonsense\nset x 1\ngoto a\n"), ERR_SCRIPT_FALSE);
    CHECK(strstr(w.out, "line 5:"));
    fresh();
    CHECK_EQ(line("goto a"), ERR_SCRIPT_LABEL);
}

TEST(exits)
{
    fresh();
    CHECK_EQ(run("#!ipxe\nexit && ok\nok\n"), 0);
    CHECK_STR(w.calls, "");
    CHECK(w.script.exiting);
    CHECK_EQ(run("#!ipxe\nexit 3\n"), ERR_SCRIPT_EXIT);
    CHECK_EQ(w.script.exit_code, 3);
    CHECK_EQ(run("#!ipxe\nexit 0 || ok\n"), 0);
    CHECK_EQ(run("#!ipxe\nexit x\n"), ERR_SCRIPT_USAGE);
    CHECK_EQ(run("#!ipxe\nok\n"), 0);
    CHECK(!w.script.exiting);
    CHECK_EQ(line("exit"), 0);
    CHECK(w.script.exiting);
    CHECK_EQ(line("ok"), 0);
    CHECK(!w.script.exiting);
}

TEST(endless_loop_can_be_cancelled)
{
    fresh();
    w.poll_limit = 1000;
    CHECK_EQ(run("#!ipxe\n:a\ngoto a\n"), ERR_CANCELLED);
    CHECK_EQ(w.polls, 1001);
}

TEST(limits)
{
    fresh();
    static char text[3 * SCRIPT_LINE_MAX];
    // The longest line that is taken, and one more.
    for (int extra = 0; extra < 2; extra++) {
        size_t n = (size_t)snprintf(text, sizeof text, "#!ipxe\nok ");
        memset(text + n, 'x', SCRIPT_LINE_MAX - 1 - 3 + (size_t)extra);
        n += SCRIPT_LINE_MAX - 1 - 3 + (size_t)extra;
        // name and argument need two NULs in the same room
        CHECK_EQ(script_run(&w.script, text, n), extra ? ERR_SCRIPT_LIMIT : 0);
    }
    // Arguments: 64 with the name.
    for (int args = SCRIPT_ARGS_MAX - 1; args <= SCRIPT_ARGS_MAX; args++) {
        size_t n = (size_t)snprintf(text, sizeof text, "ok");
        for (int i = 0; i < args; i++)
            n += (size_t)snprintf(text + n, sizeof text - n, " a");
        CHECK_EQ(line(text), args == SCRIPT_ARGS_MAX ? ERR_SCRIPT_LIMIT : 0);
    }
    // A value that doubles reaches the limit and stops there.
    CHECK_EQ(line("set v 0123456789"), 0);
    int rc = 0;
    for (int i = 0; i < 20 && rc == 0; i++)
        rc = line("set v ${v}${v}");
    CHECK(rc == ERR_TOO_LARGE || rc == ERR_SCRIPT_LIMIT);
    // A long line is no label, but does not hide the one behind it.
    size_t n = (size_t)snprintf(text, sizeof text, "#!ipxe\ngoto a\n:");
    memset(text + n, 'b', 2 * SCRIPT_LINE_MAX);
    n += 2 * SCRIPT_LINE_MAX;
    n += (size_t)snprintf(text + n, sizeof text - n, "\n:a\nok\n");
    CHECK_EQ(script_run(&w.script, text, n), 0);
}

TEST(options)
{
    fresh();
    CHECK_EQ(line("opts --key 0x02 --force a b"), 0);
    CHECK_STR(w.calls, "key=0x02 flag=1 rest=a b\n");
    CHECK_EQ(line("opts --key=x a"), 0);
    CHECK_STR(w.calls, "key=x flag=0 rest=a\n");
    CHECK_EQ(line("opts -kx -f -- -a"), 0);
    CHECK_STR(w.calls, "key=x flag=1 rest=-a\n");
    CHECK_EQ(line("opts -k x -"), 0);
    CHECK_STR(w.calls, "key=x flag=0 rest=-\n");
    CHECK_EQ(line("opts --nonsense a"), ERR_SCRIPT_USAGE);
    CHECK_EQ(line("opts -z a"), ERR_SCRIPT_USAGE);
    CHECK_EQ(line("opts --force=1 a"), ERR_SCRIPT_USAGE);
    CHECK_EQ(line("opts --force --key"), ERR_SCRIPT_USAGE);
    CHECK_EQ(line("opts --force"), ERR_SCRIPT_USAGE);
    CHECK_EQ(line("opts a b c"), ERR_SCRIPT_USAGE);
    CHECK_EQ(script_key("0x02"), 2);
    CHECK_EQ(script_key("ctrl-b"), 2);
    CHECK_EQ(script_key("^B"), 2);
    CHECK_EQ(script_key("esc"), 27);
    CHECK_EQ(script_key("enter"), '\r');
    CHECK_EQ(script_key("s"), 's');
    CHECK_EQ(script_key("2"), '2');
    CHECK_EQ(script_key("27"), 27);
    CHECK_EQ(script_key(""), -1);
    CHECK_EQ(script_key("nonsense"), -1);
    CHECK_EQ(script_key("ctrl-"), -1);
    CHECK_EQ(script_key("256"), -1);
}

// --- the default script ---

static int play_dhcp(struct script *s, int argc, char **argv)
{
    note(argc, argv);
    // A forced DHCP finds what the machine's operator put right meanwhile.
    if (argc > 1 && settings_get(&w.settings, "later", (char[64]){ 0 }, 64) > 0)
        return settings_set(&w.settings, "filename", "http://h/boot.ipxe");
    return settings_get(&w.settings, "net0/ip", (char[64]){ 0 }, 64) > 0 ? 0 : ERR_DHCP_NO_OFFER;
}
static int play_chain(struct script *s, int argc, char **argv)
{
    note(argc, argv);
    w.chains++;
    const char *found = w.play ? strstr(w.play, argv[1]) : NULL;
    if (found && found[strlen(argv[1])] == '\n') {
        s->exiting = true; // as a boot, it does not come back
        return 0;
    }
    return ERR_P2_NO_SERVER;
}
static const struct script_command played[] = {
    { "dhcp", 0, -1, "", play_dhcp },
    { "chain", 1, 1, "URI", play_chain },
    { "prompt", 0, -1, "", run_bad },
    { "shell", 0, 0, "", run_ok },
};

static int play(const char *setup, const char *boots, int rounds)
{
    static char script[16384];
    FILE *f = fopen("embed/boot.ipxe", "r");
    if (!f)
        return ERR_IO;
    size_t n = fread(script, 1, sizeof script, f);
    fclose(f);
    fresh();
    settings_use(&w.settings, "net0");
    script_init(&w.script, played, ARRAY_SIZE(played), &ops, NULL);
    for (const char *p = setup; *p;) {
        size_t len = strcspn(p, "\n");
        script_line(&w.script, p, len);
        p += len + (p[len] == '\n');
    }
    w.play = boots;
    w.poll_limit = rounds * 40;
    return script_run(&w.script, script, n);
}

TEST(default_script_uses_next_server)
{
    CHECK_EQ(play("set net0/ip 10.0.0.5\nset net0/next-server 10.0.0.1\nset net0/filename undionly.kpxe",
                  "p2://10.0.0.1:/\n", 3),
             0);
    CHECK_STR(w.calls, "dhcp\nchain|p2://10.0.0.1:/\n");
}

TEST(default_script_prefers_the_named_server)
{
    CHECK_EQ(play("set net0/ip 10.0.0.5\nset net0/next-server 10.0.0.1\nset p2-server 10.0.0.9\nset p2-name web 1\nset p2-port 99",
                  "p2://10.0.0.1:99/web%201\n", 3),
             0);
    CHECK_STR(w.calls, "dhcp\nchain|p2://10.0.0.9:99/web%201\nchain|p2://10.0.0.1:99/web%201\n");
    CHECK(strstr(w.out, "nothing from 10.0.0.9; next:"));
}

TEST(default_script_discovers_without_dhcp)
{
    CHECK_EQ(play("", "p2://:/\n", 3), 0);
    CHECK_STR(w.calls, "dhcp\nchain|p2://:/\n");
    CHECK(strstr(w.out, "boot: no lease"));
}

TEST(default_script_takes_the_filename_of_a_new_lease)
{
    CHECK_EQ(play("set later 1\nset net0/ip 10.0.0.5", "http://h/boot.ipxe\n", 3), 0);
    CHECK(strstr(w.calls, "prompt|--key|ctrl-b|--timeout|2000|"));
    CHECK(strstr(w.calls, "dhcp|--force\nchain|http://h/boot.ipxe\n"));
}

TEST(default_script_never_gives_up)
{
    CHECK_EQ(play("set net0/ip 10.0.0.5\nset net0/next-server 10.0.0.1\nset p2-server 10.0.0.1", "", 12), ERR_CANCELLED);
    CHECK(w.chains > 12); // two a round: the next-server is the one that was asked
    const char *at = w.calls;
    static const char *const pauses[] = { "|2000|", "|5000|", "|10000|", "|20000|", "|30000|", "|30000|", "|30000|" };
    for (size_t i = 0; i < ARRAY_SIZE(pauses); i++) {
        at = strstr(at, "prompt|--key|ctrl-b|--timeout");
        CHECK(at != NULL);
        at += strlen("prompt|--key|ctrl-b|--timeout");
        CHECK(strncmp(at, pauses[i], strlen(pauses[i])) == 0);
    }
}

TEST_MAIN(T(first_line), T(words), T(operators), T(failing_ends), T(lines), T(expansion), T(builtins), T(jumps),
          T(exits), T(endless_loop_can_be_cancelled), T(limits), T(options), T(default_script_uses_next_server),
          T(default_script_prefers_the_named_server), T(default_script_discovers_without_dhcp),
          T(default_script_takes_the_filename_of_a_new_lease), T(default_script_never_gives_up))
