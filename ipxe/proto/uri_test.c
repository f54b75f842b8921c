// SPDX-License-Identifier: MPL-2.0
// URIs: reading, refusing, resolving (the table of RFC 3986 5.4), writing.
#include "base/test.h"
#include "proto/uri.h"

static struct uri u;
static char text[URI_TEXT_MAX];

static const char *again(const char *from)
{
    return uri_parse(from, &u) == 0 && uri_format(&u, text, sizeof text) >= 0 ? text : "(refused)";
}

TEST(native)
{
    CHECK_EQ(uri_parse("p2://10.0.0.1:20530/web-1", &u), 0);
    CHECK_STR(u.scheme, "p2");
    CHECK_STR(u.host, "10.0.0.1");
    CHECK_EQ(u.port, 20530);
    CHECK_STR(u.path, "/web-1");
    CHECK_EQ(uri_path_name(&u, text, sizeof text), 5);
    CHECK_STR(text, "web-1");
    CHECK_EQ(uri_parse("P2:///web", &u), 0);
    CHECK_STR(u.scheme, "p2");
    CHECK(u.has_authority, u.host[0] == 0, u.port == 0);
    CHECK_EQ(uri_parse("p2://:/", &u), 0);
    CHECK_STR(u.host, "");
    CHECK_EQ(uri_path_name(&u, text, sizeof text), 0);
    CHECK_EQ(uri_parse("p2://:99/a%20b", &u), 0);
    CHECK_EQ(u.port, 99);
    CHECK_EQ(uri_path_name(&u, text, sizeof text), 3);
    CHECK_STR(text, "a b");
}

TEST(last_names)
{
    static const struct { const char *uri, *name; } cases[] = {
        { "p2:///web", "web" }, { "http://h/a/b%20c/web%2d1.img?x=/y", "web-1.img" }, { "tftp://h/dir/", "" }, { "p2:///", "" },
        { "http://h", "" }, { "file:web.img", "web.img" }, { "http://h/a%2fb", "a/b" },
    };
    for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
        CHECK_EQ(uri_parse(cases[i].uri, &u), 0);
        CHECK_EQ(uri_last_name(&u, text, sizeof text), (int)strlen(cases[i].name));
        CHECK_STR(text, cases[i].name);
    }
    CHECK_EQ(uri_parse("http://h/long/0123456789abcdef", &u), 0);
    CHECK_EQ(uri_last_name(&u, text, 16), ERR_TOO_LARGE);
}

TEST(hosts)
{
    CHECK_EQ(uri_parse("http://User:Pw@Boot.Example.ORG:8080/x?y=1#frag", &u), 0);
    CHECK_STR(u.host, "boot.example.org");
    CHECK_EQ(u.port, 8080);
    CHECK(u.has_query);
    CHECK_STR(u.query, "y=1");
    CHECK_EQ(uri_parse("http://a@b@c/", &u), 0);
    CHECK_STR(u.host, "c");
    CHECK_EQ(uri_parse("http://[2001:DB8::1]:80/", &u), 0);
    CHECK_STR(u.host, "2001:db8::1");
    CHECK(u.host_is_v6);
    CHECK_EQ(uri_parse("p2://[fe80::1%25net0]/x", &u), 0);
    CHECK_STR(u.host, "fe80::1%net0");
    CHECK_EQ(uri_parse("p2://[fe80::1%1]:7/x", &u), 0);
    CHECK_STR(u.host, "fe80::1%1");
    CHECK_EQ(u.port, 7);
    CHECK_STR(again("p2://[fe80::1%1]:7/x"), "p2://[fe80::1%251]:7/x");
    CHECK_EQ(uri_parse("http://h%41st/", &u), 0);
    CHECK_STR(u.host, "hast");
    CHECK_EQ(uri_parse("http://h", &u), 0);
    CHECK_STR(u.path, "");
    CHECK_EQ(uri_request_target(&u, text, sizeof text), 1);
    CHECK_STR(text, "/");
    CHECK_EQ(uri_parse("http://h?a b", &u), 0);
    CHECK_EQ(uri_request_target(&u, text, sizeof text), 7);
    CHECK_STR(text, "/?a%20b");
}

TEST(refuses)
{
    static const char *const bad[] = {
        "http://h:0/", "http://h:65536/", "http://h:8a/", "http://h:80:90/", "http://[::1/", "http://[::1]x/",
        "http://[]/", "http://[1.2.3.4]/", "http://[fe80::1%]/", "http://[fe80::1%a b]/", "http://h%/", "http://h%00/",
        "http://h%4/x", "http://h/%", "http://h/%2", "http://h/%zz", "http://h/?%1", "http://h/a\nb", "http://h\x7f/",
        "http://a b/", "http://::1/", "http://h%20x/",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        int rc = uri_parse(bad[i], &u);
        if (rc != ERR_URI_MALFORMED)
            printf("  %s: %d\n", bad[i], rc);
        CHECK_EQ(rc, ERR_URI_MALFORMED);
    }
    static char longer[URI_TEXT_MAX + 1];
    memset(longer, 'a', sizeof longer - 1);
    CHECK_EQ(uri_parse(longer, &u), ERR_TOO_LARGE);
    longer[URI_TEXT_MAX - 1] = 0; // 4 KiB
    CHECK_EQ(uri_parse(longer, &u), 0);
    memcpy(longer, "http://h?", 9);
    CHECK_EQ(uri_parse(longer, &u), 0);
    CHECK_EQ(strlen(u.query), 4096 - 9);
    longer[100] = ' '; // "%20": longer than a URI may be once it is coded
    memset(longer, 'a', 9);
    longer[4095] = ' ';
    CHECK_EQ(uri_parse(longer, &u), ERR_TOO_LARGE);
    longer[20] = ':';
    CHECK_EQ(uri_parse(longer, &u), ERR_TOO_LARGE); // scheme
    CHECK_EQ(uri_parse("http://h/%00", &u), 0);
    CHECK_EQ(uri_path_name(&u, text, sizeof text), ERR_URI_MALFORMED);
    CHECK_EQ(uri_parse("http://h/abc", &u), 0);
    CHECK_EQ(uri_path_name(&u, text, 3), ERR_TOO_LARGE);
    CHECK_EQ(uri_path_name(&u, text, 4), 3);
    CHECK_EQ(uri_format(&u, text, 12), ERR_TOO_LARGE);
    CHECK_EQ(uri_format(&u, text, 13), 12);
    CHECK_EQ(uri_format(&u, text, 0), ERR_TOO_LARGE);
}

TEST(writes_what_it_read)
{
    static const char *const same[] = {
        "http://h/a/b?c=d", "p2:///x", "tftp://10.0.0.1/pxelinux.0", "http://[::1]:8080/", "file", "a/b?x", "//h/p", "?q",
        "iscsi:10.0.0.1::::iqn", "", "/abs", "http://h", "http://h/?", "http://h/a;b=c,d@e:f!$&'()*+",
    };
    for (size_t i = 0; i < sizeof same / sizeof same[0]; i++)
        CHECK_STR(again(same[i]), same[i]);
    CHECK_STR(again("http://h/a b\"<\xc3\xa4"), "http://h/a%20b%22%3C%C3%A4");
    CHECK_STR(again("http://h:/x"), "http://h/x");
    CHECK_STR(again("HTTP://u@H/x#f"), "http://h/x");
}

static const char *resolved(const char *base, const char *reference)
{
    struct uri b, r, out;
    if (uri_parse(base, &b) != 0 || uri_parse(reference, &r) != 0 || uri_resolve(&b, &r, &out) != 0 ||
        uri_format(&out, text, sizeof text) < 0)
        return "(refused)";
    return text;
}

TEST(resolves)
{
    static const char *const table[][2] = { // RFC 3986 5.4.1 and 5.4.2, without fragments
        { "g:h", "g:h" },           { "g", "http://a/b/c/g" },           { "./g", "http://a/b/c/g" },
        { "g/", "http://a/b/c/g/" }, { "/g", "http://a/g" },             { "//g", "http://g" },
        { "?y", "http://a/b/c/d;p?y" }, { "g?y", "http://a/b/c/g?y" },   { "#s", "http://a/b/c/d;p?q" },
        { ";x", "http://a/b/c/;x" }, { "g;x", "http://a/b/c/g;x" },      { "", "http://a/b/c/d;p?q" },
        { ".", "http://a/b/c/" },   { "./", "http://a/b/c/" },           { "..", "http://a/b/" },
        { "../", "http://a/b/" },   { "../g", "http://a/b/g" },          { "../..", "http://a/" },
        { "../../", "http://a/" },  { "../../g", "http://a/g" },         { "../../../g", "http://a/g" },
        { "../../../../g", "http://a/g" }, { "/./g", "http://a/g" },     { "/../g", "http://a/g" },
        { "g.", "http://a/b/c/g." }, { ".g", "http://a/b/c/.g" },        { "g..", "http://a/b/c/g.." },
        { "..g", "http://a/b/c/..g" }, { "./../g", "http://a/b/g" },     { "./g/.", "http://a/b/c/g/" },
        { "g/./h", "http://a/b/c/g/h" }, { "g/../h", "http://a/b/c/h" }, { "g;x=1/./y", "http://a/b/c/g;x=1/y" },
        { "g;x=1/../y", "http://a/b/c/y" },
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
        CHECK_STR(resolved("http://a/b/c/d;p?q", table[i][0]), table[i][1]);
    CHECK_STR(resolved("p2://h:5", "web"), "p2://h:5/web");
    CHECK_STR(resolved("p2:///old", "new"), "p2:///new");
    CHECK_STR(resolved("tftp://[fe80::1%250]/d/x", "y"), "tftp://[fe80::1%250]/d/y");
    CHECK_STR(resolved("a/b", "c"), "(refused)");
    CHECK_STR(resolved("a:b/c", "../../../d"), "a:/d");
}

TEST(resolving_is_bounded)
{
    static struct uri base, ref, out;
    CHECK_EQ(uri_parse("http://h/", &base), 0);
    memset(base.path + 1, 'x', 4000);
    base.path[4001] = '/';
    base.path[4002] = 0;
    CHECK_EQ(uri_parse("", &ref), 0);
    memset(ref.path, 'y', 94);
    ref.path[94] = 0;
    CHECK_EQ(uri_resolve(&base, &ref, &out), 0);
    memset(ref.path, 'y', 95);
    ref.path[95] = 0;
    CHECK_EQ(uri_resolve(&base, &ref, &out), ERR_TOO_LARGE);
}

TEST(users_and_parameters)
{
    static struct uri uri, base, out;
    char name[16], password[16];
    CHECK_EQ(uri_parse("http://me%40here:s:e%20c@h:8080/x?y##params=list", &uri), 0);
    CHECK_STR(uri.host, "h");
    CHECK(uri_user(&uri, name, password, sizeof name), uri.has_params);
    CHECK_STR(name, "me@here");
    CHECK_STR(password, "s:e c");
    CHECK_STR(uri.params, "list");
    CHECK(uri_format(&uri, text, sizeof text) > 0);
    CHECK_STR(text, "http://h:8080/x?y"); // neither is anybody's business
    // A reference on the same server is the same user's; another server's is not, and parameters go once.
    base = uri;
    CHECK_EQ(uri_parse("z##params", &uri), 0);
    CHECK_EQ(uri_resolve(&base, &uri, &out), 0);
    CHECK(out.has_params, uri_user(&out, name, password, sizeof name));
    CHECK_STR(out.params, "");
    CHECK_EQ(uri_parse("z#params", &uri), 0);
    CHECK_EQ(uri_resolve(&base, &uri, &out), 0);
    CHECK(!out.has_params);
    CHECK_EQ(uri_parse("//other/z", &uri), 0);
    CHECK_EQ(uri_resolve(&base, &uri, &out), 0);
    CHECK(!uri_user(&out, name, password, sizeof name));
    static const char *const none[] = { "http://h/#", "http://h/##param", "http://h/##paramsx", "http://h/#x#params", "http://h/" };
    for (size_t i = 0; i < ARRAY_SIZE(none); i++) {
        CHECK_EQ(uri_parse(none[i], &uri), 0);
        CHECK(!uri.has_params, !uri_user(&uri, name, password, sizeof name));
    }
    CHECK_EQ(uri_parse("http://only@h/", &uri), 0);
    CHECK(uri_user(&uri, name, password, sizeof name));
    CHECK_STR(name, "only");
    CHECK_STR(password, "");
    CHECK_EQ(uri_parse("http://sixteencharacter:x@h/", &uri), 0);
    CHECK(!uri_user(&uri, name, password, sizeof name));
    CHECK_EQ(uri_parse("http://a%00:x@h/", &uri), 0);
    CHECK(!uri_user(&uri, name, password, sizeof name));
    CHECK_EQ(uri_parse("http://a%zz@h/", &uri), ERR_URI_MALFORMED);
    CHECK_EQ(uri_parse("http://h/##params=0123456789012345678901234567890123456789", &uri), ERR_TOO_LARGE);
}

TEST_MAIN(T(users_and_parameters), T(native), T(last_names), T(hosts), T(refuses), T(writes_what_it_read), T(resolves), T(resolving_is_bounded))
