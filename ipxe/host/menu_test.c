// SPDX-License-Identifier: MPL-2.0
// The whole core and a person at its console: menus, forms, lines and keys of scripts, and what they leave in settings.
#include "host/testworld.h"

#include "script/testscreen.h"

#define STEPS_MAX 8
static const char *script;
static const char *steps[2 * STEPS_MAX + 1]; // what the console must show, and what is typed then; the next one looks behind that
static unsigned step;
static size_t seen;

static void tick(struct simnet *net, uint64_t now)
{
    const char *text = w.machine.transcript;
    const char *at = steps[step] && text ? strstr(text + seen, steps[step]) : NULL;
    if (at && (!w.machine.keys || !*w.machine.keys)) {
        seen = strlen(text);
        w.machine.keys = steps[step + 1];
        step += 2;
    }
    serve(net, now);
}

static void run_script(void)
{
    char whole[4096];
    snprintf(whole, sizeof whole, "#!ipxe\n%s\nexit\n", script);
    step = 0;
    seen = 0;
    set_up("img", key_a);
    w.net.tick = tick;
    run(whole, &key_a, 0);
}

// The steps, pairs, end with NULL.
static struct outcome *with(const char *lines, ...)
{
    va_list args;
    unsigned count = 0;
    script = lines;
    memset(steps, 0, sizeof steps);
    va_start(args, lines);
    for (const char *text; (text = va_arg(args, const char *)) && count < 2 * STEPS_MAX;)
        steps[count++] = text;
    va_end(args);
    return in_child(run_script);
}

// The terminal as it is when the console has just said this for the first time.
static bool shows_when(struct outcome *out, const char *end)
{
    (void)term_on();
    char *at = strstr(out->transcript, end);
    if (at)
        term_write(NULL, out->transcript, (size_t)(at - out->transcript));
    return at != NULL;
}

#define SITE                                                                                                                                \
    "set star:hex 2a\nset star ${star:string}\n:top\nmenu ${star} Site menu\nitem --gap -- Systems\nitem --key l linux Linux from the server\n"     \
    "item --key r rescue Rescue system (serial console)\nitem --gap\nitem --gap -- Tools\nitem more More...\nitem --key q quit Leave\n"      \
    "choose --default linux --timeout 8000 target || goto failed\ngoto ${target}\n"                                                         \
    ":linux\necho LINUX ${target}\nexit\n:rescue\necho RESCUE ${target}\nexit\n"                                                            \
    ":more\nmenu More\nitem top Back\nitem deep Deeper\nchoose target && goto ${target} || goto top\n"                                      \
    ":deep\necho DEEP ${target}\nexit\n:quit\necho QUIT ${target}\nexit\n:failed\necho FAILED target=${target}."

#define END NULL
#define SHOWN "(8)" // the site's menu
#define MORE "Deeper"

TEST(a_sites_menu)
{
    struct outcome *out = with(SITE, END);
    CHECK(said(out, "LINUX linux\n"), out->now_us >= 8000000, out->now_us < 9000000);
    CHECK(shows_when(out, "\x1b[0m\x1b[2J"));
    CHECK_STR(term_row(1), "* Site menu");
    CHECK_STR(term_row(3), "Systems");
    CHECK(strstr(term_row(4), "Linux from the server"), strstr(term_row(4), "(1)"), term.attributes[4][3] == 0x4f, !term.wrong);
    CHECK(shows_when(out, "LINUX"), term.row == 0, term.column == 0, term.visible); // the console goes on at the top of a clear screen
    CHECK(!*term_row(1));
    CHECK(said(with(SITE, SHOWN, "r", END), "RESCUE rescue\n"));
    CHECK(said(with(SITE, SHOWN, "\x1b[B\r", END), "RESCUE rescue\n"));
    CHECK(said(with(SITE, SHOWN, "\x1bOB\x1b[B\r", MORE, "\x1b[B\r", END), "DEEP deep\n")); // the sub-menu
    CHECK(said(with(SITE, SHOWN, "m\r", MORE, "\r", SHOWN, "\x1b[F\r", END), "QUIT quit\n")); // and back
    CHECK(said(with(SITE, SHOWN, "m\r", MORE, "\3", SHOWN, "q", END), "QUIT quit\n"));
    CHECK(said(with(SITE, SHOWN, "\3", END), "FAILED target=.\n"));
    CHECK(said(with(SITE, SHOWN, "\x1b", END), "FAILED target=.\n")); // an escape behind which nothing comes
}

// A key stops the countdown, or begins it anew.
TEST(a_key_stops_the_time)
{
    const char *once = "menu T\nitem a A\nitem b B\nchoose --timeout 3000 x && echo GOT ${x}\nsleep 1";
    CHECK(said(with(once, END), "GOT a\n"));
    struct outcome *out = with(once, "(2)", "\x1b[B", "B ", "\r", END);
    CHECK(said(out, "GOT b\n"), !said(out, "(1)"));
    out = with("menu T\nitem a A\nitem b B\nchoose --timeout 3000 --retimeout 20000 x && echo GOT ${x}", "(2)", "\x1b[B", END);
    CHECK(said(out, "GOT b\n"), said(out, "(20)"), out->now_us > 20000000);
}

TEST(menus_by_name)
{
    struct outcome *out = with("menu --name one First\nitem --menu one a A\nmenu Second\nitem b B\n"
                               "choose --menu one --timeout 1 --keep x && echo ${x}1\nchoose --timeout 1 x && echo ${x}2\n"
                               "choose --menu one --timeout 1 x && echo ${x}3\nchoose --menu one x || echo gone\n"
                               "menu --name two\nmenu --delete --name two\nmenu --delete --name two && echo deleted\nitem --menu two c || echo none\n"
                               "choose x || echo no menu\nmenu Empty\nitem --gap g\nchoose x || echo empty\nchoose y || echo ended", END);
    CHECK(said(out, "a1\n"), said(out, "b2\n"), said(out, "a3\n"), said(out, "gone\n"), said(out, "deleted\n"), said(out, "none\n"));
    CHECK(said(out, "choose: there is no menu: not found [G04]\nno menu\n"), said(out, "choose: the menu has no item"), said(out, "empty\n"),
          said(out, "ended\n"));
    CHECK(said(out, "choose: there is no menu: one"), said(out, "item: no menu is called two: not found [G04]"));
}

TEST(arguments)
{
    struct outcome *out = with("menu T\nitem --key toolong a A || echo f1\nset words two words here\nitem ${words}\nitem --gap ${words}\nitem\n"
                               "choose --timeout abc x || echo f2\nchoose || echo f3\nchoose --timeout 1 x && echo [${x}]\n"
                               "colour --basic 10 1 || echo f4\ncolour 16 || echo f5\ncpair --foreground 16 1 || echo f6\ncpair 8 || echo f7\n"
                               "colour --rgb zz 1 || echo f8\ncolour --rgb 0xff0000 9 && cpair --foreground 9 --background 0 2 && echo good\n"
                               "console --x 1024 --y 768 --picture http://10.0.0.1/logo.png --keep && console && echo plain\n"
                               "menu\nitem a A\nchoose --timeout 10 x", END);
    for (unsigned i = 1; i <= 8; i++) {
        char mark[8];
        snprintf(mark, sizeof mark, "f%u\n", i);
        CHECK(said(out, mark));
    }
    CHECK(said(out, "[two words here]\n"), said(out, "good\n"), said(out, "plain\n"), said(out, "\x1b[0;1;31;40m  A "));
}

TEST(an_arena_that_is_full)
{
    struct outcome *out = with("set i:int32 0\nmenu T\n:again\nitem l${i} a text that takes some of the room that all menus together have ||"
                               " goto full\ninc i\ngoto again\n:full\nmenu --name more a title that is as long as the text of each of those"
                               " items is || echo no more\n"
                               "choose --timeout 1 x && echo ${x}\nmenu && echo room", END);
    CHECK(said(out, "item: all menus together have room for 32768 bytes, a text for 511: out of memory [G02]"), said(out, "no more\n"));
    CHECK(said(out, "l0\n"), said(out, "room\n"));
}

#define IN_FORM "\x1b[?25h" // the cursor shows
TEST(forms)
{
    const char *lines = "set asset old\nform --name f Personal data\nitem --form f asset Number\nitem --form f --gap And\n"
                         "item --form f --secret pass Password\npresent --form f && echo A=${asset} P=${pass} || echo LEFT A=${asset} P=${pass}\n"
                         "present --form f || echo gone";
    struct outcome *out = with(lines, IN_FORM, "er\r", IN_FORM, "pw\r", END);
    CHECK(said(out, "A=older P=pw\n"), said(out, "present: there is no form: f"), said(out, "gone\n"));
    CHECK(said(out, "**__"), strstr(out->transcript, "pw_") == NULL);
    CHECK(said(with(lines, IN_FORM, "\x15\r\r", END), "A= P=\n")); // what is empty is no setting
    CHECK(said(with(lines, IN_FORM, "x\3", END), "LEFT A=old P=\n"));
    CHECK(said(with("form\npresent || echo none\nform\nitem --gap g\npresent || echo none", END), "present: the form has no item"));
    out = with("login && echo ${username}:${password} || echo no\nlogin || echo no2 ${username}", IN_FORM,
                "bob\rse\tx\x18", IN_FORM, "\x15\x1b\x1b", END);
    CHECK(said(out, "bob:sex\n"), said(out, "no2 bob\n"), strstr(out->transcript, "sex_") == NULL);
}

// A setting that no line holds stays whole when nothing of it is changed.
TEST(a_long_setting)
{
    char lines[1024];
    int n = snprintf(lines, sizeof lines, "set long ");
    memset(lines + n, 'z', 400);
    snprintf(lines + n + 400, sizeof lines - (size_t)n - 400, "END\nform\nitem long\nitem other\npresent && echo ${long} ${other}");
    CHECK(said(with(lines, IN_FORM, "\rx\r", END), "zzzEND x\n"));
}

TEST(a_line)
{
    struct outcome *out = with("set q old\necho 1\nread q && echo [${q}]\nread r || echo cancelled [${r}]\nread --timeout 100 r || echo late\n"
                               "read --timeout 900 q && echo {${q}}\nread || echo usage\nread n:int32 || echo bad",
                               "1\nold", "\x7f\x7fx\r", "[ox]\n", "ab\3", "late\nox", "\x15z", "z", "\r", "usage", "x\r", END);
    CHECK(said(out, "[ox]\n"), said(out, "cancelled []\n"), said(out, "late\n"), said(out, "{z}\n"), said(out, "usage\n"));
    CHECK(said(out, "form: n:int32 cannot be set"), said(out, "bad\n"));
}

TEST(prompts)
{
    static const struct {
        const char *line, *keys, *says;
    } cases[] = { { "prompt --timeout 100 p? || echo late", "", "p?\nlate\n" },
                  { "prompt --key s --timeout 1000 p? && echo s || echo other", "s", "p?\ns\n" },
                  { "prompt --key s --timeout 1000 p? && echo s || echo other", "x", "p?\nother\n" },
                  { "prompt p? && echo any", "\x1b[B", "p?\nany\n" },
                  { "prompt p? && echo any\nprompt --timeout 100 again || echo none", "\x1b[19~", "none\n" }, // one key, whatever its bytes
                  { "prompt --key esc p? && echo esc", "\x1b", "p?\nesc\n" },
                  { "prompt --key ctrl-b p? && echo b", "\2", "p?\nb\n" },
                  { "prompt --key ctrl-c p? && echo c", "\3", "p?\nc\n" },
                  { "prompt p? || echo cancelled", "\3", "p?\ncancelled\n" },
                  { "prompt --key nokey p? || echo usage", "", "usage\n" } };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        CHECK(said(with(cases[i].line, "p?", cases[i].keys, END), cases[i].says));
}

TEST(settings_by_hand)
{
    // A new one, then another value for an old one, then none.
    struct outcome *out = with("set aaa 1\nconfig && echo ${aaa} ${bbb}", "Settings", "\r", IN_FORM, "bbb\rtwo\r", "bbb  ", "a", "aaa ", "\r",
                               IN_FORM, "9\r", "19 ", "\3", END);
    CHECK(said(out, "19 two\n"), said(out, "aaa                      1 "), said(out, "(another setting)"),
          said(out, "bbb                      two "));
    out = with("set aaa 1\nconfig\nisset ${aaa} || echo gone", "Settings", "a\r", IN_FORM, "\x15\r", "Settings", "\3", END);
    CHECK(said(out, "gone\n"));
    out = with("set aaa 1\nconfig net0 && echo left ${aaa}", "Settings", "\r", IN_FORM, "\3", "Settings", "\x1b", END);
    CHECK(said(out, "left 1\n"), said(out, "net0/mac"), strstr(out->transcript, "aaa  ") == NULL);
}

static void no_renewal(void)
{
    script = "dhcp\nmenu Site menu\nitem a One\nchoose --timeout 100000 x && echo GOT ${x}";
    memset(steps, 0, sizeof steps);
    w.lease_s = 60;
    w.forgets = true;
    run_script();
}
// A person chooses, the lease goes on meanwhile, and what is said of it is drawn over.
TEST(the_network_is_served)
{
    struct outcome *out = in_child(no_renewal);
    CHECK(said(out, "GOT a\n"), said(out, "the lease of 10.0.0.99 is over"), out->renewals[0] + out->renewals[1] > 0);
    CHECK(shows_when(out, "dhcp: net0: the lease"));
    CHECK_STR(term_row(1), "Site menu");
    char *end = strstr(out->transcript, "it stays in use\n");
    CHECK(end);
    end = strstr(end, "(39)"); // a second later
    CHECK(end);
    (void)term_on();
    term_write(NULL, out->transcript, (size_t)(end - out->transcript));
    CHECK_STR(term_row(1), "Site menu");
    for (unsigned row = 0; row < TERM_ROWS; row++)
        CHECK(!strstr(term_row(row), "dhcp"));
}

TEST_MAIN(T(a_sites_menu), T(a_key_stops_the_time), T(menus_by_name), T(arguments), T(an_arena_that_is_full), T(forms), T(a_long_setting), T(a_line),
          T(prompts), T(settings_by_hand), T(the_network_is_served))
