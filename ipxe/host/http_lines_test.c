// SPDX-License-Identifier: MPL-2.0
// Connections that stay open from one request to the next, forms, and users' names: what an HTTP server is asked, on which connection, on
// virtual time.
#include "host/testhttp.h"

#define SECONDS 1000000ull
#define KEPT_MAX 4000

// What the server does with the next request; the texts follow one another, and so do connections' numbers.
struct step {
    const char *asked; // what the request begins with, or holds, if it begins with '*'
    unsigned connection;
    const char *says;
    enum { KEEPS, ENDS, RESETS, BEFORE } then; // BEFORE: it has closed before this request came
};

#define SCRIPT(text) "HTTP/1.1 200 OK\r\nContent-Length: " text
#define NOTHING "HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\n#!ipxe\n\n"

static struct {
    const struct step *steps;
    unsigned at, count, farewells;
    char log[KEPT_MAX]; // requests that were not as the steps say
} *server;

static bool is_as_said(const struct step *step, const char *request)
{
    return *step->asked == '*' ? strstr(request, step->asked + 1) != NULL : strncmp(request, step->asked, strlen(step->asked)) == 0;
}

static void answer(const struct net_addr *to, const char *request, struct manners *ret)
{
    if (!request) {
        ret->at_once = "";
        return;
    }
    static const struct step none = { "", 0, "", RESETS };
    const struct step *step = server->at < server->count ? &server->steps[server->at] : &none;
    if (step == &none || !is_as_said(step, request) || step->connection != tcp.connections) {
        size_t used = strlen(server->log);
        snprintf(server->log + used, sizeof server->log - used, "request %u on connection %u:\n%s\n", server->at, tcp.connections, request);
    }
    server->at++;
    *ret = (struct manners){ .at_once = step->says, .keeps = step->then == KEEPS, .ends = step->then == ENDS, .resets = step->then == RESETS };
    if (step->then == BEFORE)
        *ret = (struct manners){ .at_once = "", .ends = true };
}

static const char *script;

static void count_farewells(struct simnet *net, const struct net_addr *from, const struct net_addr *to, const struct simnet_segment *s)
{
    server->farewells += (s->flags & SIMNET_FIN) != 0;
    segment(net, from, to, s);
}

static void fetch(void)
{
    set_up_http();
    w.net.tcp = count_farewells;
    run(script, &key_a, 0);
}

static struct outcome nothing;

// The script's requests are those of the steps: what it says. &nothing: they are not.
static struct outcome *asks(const char *text, const struct step *steps, unsigned count)
{
    if (!server)
        server = mmap(NULL, sizeof *server, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    memset(server, 0, sizeof *server);
    server->steps = steps;
    server->count = count;
    script = text;
    struct outcome *out = in_child(fetch);
    if (server->at == count && !server->log[0])
        return out;
    printf("  %u of %u requests\n%s%s\n", server->at, count, server->log, out->transcript);
    return &nothing;
}
#define ASKED(...) (ASKS(__VA_ARGS__) != &nothing)
#define ASKS(text, ...) asks(text, (const struct step[]){ __VA_ARGS__ }, sizeof((const struct step[]){ __VA_ARGS__ }) / sizeof(struct step))

#define TWO "#!ipxe\ndhcp\nchain http://10.0.0.1/a || echo FAILED-A\nchain http://10.0.0.1/b || echo FAILED-B\nexit\n"

TEST(one_connection_for_all)
{
    CHECK(ASKED(TWO, { "GET /a HTTP/1.1\r\n", 1, NOTHING, KEEPS }, { "GET /b ", 1, NOTHING, KEEPS }));
    CHECK(ASKED(TWO, { "*Connection: keep-alive\r\n", 1, "HTTP/1.1 404 No\r\nContent-Length: 5\r\n\r\ngone!", KEEPS },
                { "GET /b ", 1, NOTHING, KEEPS }));
    // Redirects on the way, with a page.
    CHECK(ASKED(TWO, { "GET /a ", 1, "HTTP/1.1 302 Found\r\nLocation: /c\r\nContent-Length: 4\r\n\r\nover", KEEPS }, { "GET /c ", 1, NOTHING, KEEPS },
               { "GET /b ", 1, NOTHING, KEEPS }));
    // Another server has one of its own, and the first one's is still there.
    CHECK(ASKED("#!ipxe\ndhcp\nchain http://10.0.0.1/a\nchain http://10.0.0.1:81/b\nexit\n", { "GET /a ", 1, NOTHING, KEEPS },
               { "GET /b ", 2, NOTHING, KEEPS }));
}

TEST(a_new_one_where_the_old_one_is_no_good)
{
    CHECK(ASKED(TWO, { "GET /a ", 1, NOTHING, ENDS }, { "GET /b ", 2, NOTHING, KEEPS }));
    CHECK(ASKED(TWO, { "GET /a ", 1, NOTHING, RESETS }, { "GET /b ", 2, NOTHING, KEEPS }));
    CHECK(ASKED(TWO, { "GET /a ", 1, "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 8\r\n\r\n#!ipxe\n\n", KEEPS },
                { "GET /b ", 2, NOTHING, KEEPS }));
    CHECK(ASKED(TWO, { "GET /a ", 1, NOTHING "HTTP/1.1 200 OK\r\n", KEEPS }, { "GET /b ", 2, NOTHING, KEEPS })); // an answer to nothing
    CHECK(ASKED(TWO, { "GET /a ", 1, "HTTP/1.0 200 OK\r\n\r\n#!ipxe\n\n", ENDS }, { "GET /b ", 2, NOTHING, KEEPS }));
    CHECK(ASKED("#!ipxe\ndhcp\nchain http://10.0.0.1/a\nsleep 40\nchain http://10.0.0.1/b\nexit\n", { "GET /a ", 1, NOTHING, KEEPS },
               { "GET /b ", 2, NOTHING, KEEPS })); // it was given up meanwhile
    CHECK(ASKED("#!ipxe\ndhcp\nchain http://10.0.0.1/a\nifclose\ndhcp\nchain http://10.0.0.1/b\nexit\n", { "GET /a ", 1, NOTHING, KEEPS },
               { "GET /b ", 2, NOTHING, KEEPS }));
}

// A server is not left with a connection that nobody has any more.
TEST(who_goes_says_so)
{
#define BOOTS "#!ipxe\ndhcp\nchain http://10.0.0.1/a\nchain p2://10.0.0.1/image\n"
    struct outcome *out = ASKS(BOOTS, { "GET /a ", 1, NOTHING, KEEPS });
    CHECK(out->booted, server->farewells == 1);
    out = ASKS("#!ipxe\ndhcp\nchain http://10.0.0.1/a\nreboot\n", { "GET /a ", 1, NOTHING, KEEPS });
    CHECK(server->farewells == 1);
    out = ASKS("#!ipxe\ndhcp\nchain http://10.0.0.1/a\nexit\n", { "GET /a ", 1, NOTHING, KEEPS });
    CHECK(server->farewells == 1);
}

// The server closes as the request is on its way: nothing of an answer has come, so it is asked once more, on a new connection, once.
TEST(a_stale_connection_is_asked_again_once)
{
    CHECK(ASKED(TWO, { "GET /a ", 1, NOTHING, KEEPS }, { "GET /b ", 1, "", BEFORE }, { "GET /b ", 2, NOTHING, KEEPS }));
    CHECK(ASKED(TWO, { "GET /a ", 1, NOTHING, KEEPS }, { "GET /b ", 1, "", RESETS }, { "GET /b ", 2, NOTHING, KEEPS }));
    struct outcome *out = ASKS(TWO, { "GET /a ", 1, NOTHING, KEEPS }, { "GET /b ", 1, "", BEFORE }, { "GET /b ", 2, "", ENDS });
    CHECK(said(out, "FAILED-B"));
    // A byte has come: who knows what it was.
    out = ASKS(TWO, { "GET /a ", 1, NOTHING, KEEPS }, { "GET /b ", 1, "H", ENDS });
    CHECK(said(out, "FAILED-B"));
}

// A page that does not come, or never ends, is not waited for.
TEST(pages_of_errors)
{
    struct outcome *out = ASKS(TWO, { "GET /a ", 1, "HTTP/1.1 404 No\r\nContent-Length: 5\r\n\r\ngo", KEEPS }, { "GET /b ", 2, NOTHING, KEEPS });
    CHECK(said(out, "[G04]"), out->now_us < 20 * SECONDS);
    out = ASKS(TWO, { "GET /a ", 1, "HTTP/1.1 403 No\r\nContent-Length: 5\r\n\r\ngo", ENDS }, { "GET /b ", 2, NOTHING, KEEPS });
    CHECK(said(out, "the server answered 403: it does not allow that"), said(out, "[N10]"));
    out = ASKS(TWO, { "GET /a ", 1, "HTTP/1.1 500 No\r\nContent-Length: 70000\r\n\r\n", KEEPS }, { "GET /b ", 2, NOTHING, KEEPS });
    CHECK(said(out, "the server answered 500: the fault is the server's own"));
}

#define FORM "#!ipxe\ndhcp\nparams\nparam mac 52:54:00:12:34:56\nparam key a b&c\nparam empty\n"
#define BODY "\r\n\r\nmac=52%3A54%3A00%3A12%3A34%3A56&key=a%20b%26c&empty="

TEST(forms)
{
    CHECK(ASKED(FORM "chain http://10.0.0.1/a##params\nchain http://10.0.0.1/b##params\nexit\n", { "POST /a HTTP/1.1\r\n", 1, NOTHING, KEEPS },
               { "GET /b ", 1, NOTHING, KEEPS })); // once
    CHECK(ASKED(FORM "chain http://10.0.0.1/a##params\nexit\n", { "*" BODY, 1, NOTHING, KEEPS }));
    CHECK(ASKED(FORM "chain http://10.0.0.1/a##params\nexit\n",
                { "*Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 52\r\n", 1, NOTHING, KEEPS }));
    CHECK(ASKED(FORM "chain http://10.0.0.1/a\nexit\n", { "GET /a ", 1, NOTHING, KEEPS }));
    CHECK(ASKED("#!ipxe\ndhcp\nparams\nparam --header X-Asset 7 of 9\nchain http://10.0.0.1/a##params\nexit\n",
               { "*\r\nX-Asset: 7 of 9\r\n\r\n", 1, NOTHING, KEEPS }));
    CHECK(ASKED("#!ipxe\ndhcp\nparams --name l\nparam --params l a b\nparams\nchain http://10.0.0.1/a##params\n"
                "chain http://10.0.0.1/b##params=l\n"
                "exit\n", { "GET /a ", 1, NOTHING, KEEPS }, { "*\r\n\r\na=b", 2, NOTHING, KEEPS })); // a form has a connection of its own
    CHECK(ASKED(FORM "params --delete\nchain http://10.0.0.1/a##params\nexit\n", { "GET /a ", 1, NOTHING, KEEPS }));
    // A redirect to what came of the form, and one that sends it elsewhere.
    CHECK(ASKED(FORM "chain http://10.0.0.1/a##params\nexit\n",
                { "POST /a ", 1, "HTTP/1.1 303 See\r\nLocation: /c\r\nContent-Length: 0\r\n\r\n", KEEPS },
               { "GET /c ", 1, NOTHING, KEEPS }));
    CHECK(ASKED(FORM "chain http://10.0.0.1/a##params\nexit\n",
                { "POST /a ", 1, "HTTP/1.1 307 See\r\nLocation: /c\r\nContent-Length: 0\r\n\r\n", KEEPS },
               { "*" BODY, 2, NOTHING, KEEPS }));
    script = "#!ipxe\nparam a b || echo NO-LIST\nparams --name x\nparams --delete || echo NO-UNNAMED\nexit\n";
    struct outcome *out = in_child(fetch);
    CHECK(said(out, "`params` makes the list"), said(out, "NO-LIST"), said(out, "NO-UNNAMED"));
}

#define WANTED(what) "HTTP/1.1 401 No\r\nWWW-Authenticate: " what "\r\nContent-Length: 3\r\n\r\nno!"
#define BASIC WANTED("Basic realm=\"x\"")

TEST(users)
{
    // First without, then with, on the same connection; the next file likewise.
    CHECK(ASKED("#!ipxe\ndhcp\nchain http://me:se%20cret@10.0.0.1/a\nexit\n", { "GET /a ", 1, BASIC, KEEPS },
               { "*\r\nAuthorization: Basic bWU6c2UgY3JldA==\r\n", 1, NOTHING, KEEPS }));
    struct outcome *out = ASKS("#!ipxe\ndhcp\nchain http://me:wrong@10.0.0.1/a || echo FAILED\nexit\n", { "GET /a ", 1, BASIC, KEEPS },
                               { "*\r\nAuthorization: Basic ", 1, BASIC, KEEPS });
    CHECK(said(out, "the server answered 401: it does not take this user's name and password"), said(out, "FAILED"));
    CHECK(!strstr(out->transcript, "wrong"));
    out = ASKS("#!ipxe\ndhcp\nchain http://10.0.0.1/a || echo FAILED\nexit\n", { "GET /a ", 1, BASIC, KEEPS });
    CHECK(said(out, "the server answered 401: it wants a user's name and password"), said(out, "FAILED"));
    // `login` fills settings: a script puts them into a URI, and no server that asks gets them otherwise.
    CHECK(ASKED("#!ipxe\ndhcp\nset username me\nset password se cret\nchain http://${username:uristring}:${password:uristring}@10.0.0.1/a\nexit\n",
                { "GET /a ", 1, BASIC, KEEPS }, { "*\r\nAuthorization: Basic bWU6c2UgY3JldA==\r\n", 1, NOTHING, KEEPS }));
    CHECK(ASKED("#!ipxe\ndhcp\nset username me\nset password x\nchain http://10.0.0.1/a || exit\n", { "GET /a ", 1, BASIC, KEEPS }));
    // A form comes along once more. Digest says for whom.
    CHECK(ASKED(FORM "chain http://me:x@10.0.0.1/a?b##params\nexit\n",
                { "POST /a", 1, WANTED("Digest realm=\"r\", nonce=\"n\", qop=\"auth\""), KEEPS },
               { "*Authorization: Digest username=\"me\", realm=\"r\", nonce=\"n\", uri=\"/a?b\", response=\"", 2, NOTHING, KEEPS }));
    // A nonce that is too old is no wrong password, but once.
    out = ASKS("#!ipxe\ndhcp\nchain http://me:x@10.0.0.1/a\nexit\n",
               { "GET /a", 1, WANTED("Digest realm=\"r\", nonce=\"1\", algorithm=SHA-256"), KEEPS },
               { "*nonce=\"1\"", 1, WANTED("Digest realm=\"r\", nonce=\"2\", algorithm=SHA-256, stale=true"), KEEPS },
               { "*nonce=\"2\"", 1, WANTED("Digest realm=\"r\", nonce=\"3\", algorithm=SHA-256, stale=true"), KEEPS });
    CHECK(said(out, "[N10]"));
}

// Who is sent to another server is nobody there.
TEST(users_of_another_server)
{
#define AWAY "HTTP/1.1 302 Found\r\nLocation: http://10.0.0.1:81/c\r\nContent-Length: 0\r\n\r\n"
    CHECK(ASKED("#!ipxe\ndhcp\nchain http://me:x@10.0.0.1/a\nexit\n", { "GET /a ", 1, AWAY, KEEPS }, { "GET /c ", 2, BASIC, KEEPS }));
    CHECK(ASKED("#!ipxe\ndhcp\nchain http://me:x@10.0.0.1/a\nexit\n",
                { "GET /a ", 1, "HTTP/1.1 302 F\r\nLocation: http://10.0.0.1/c\r\nContent-Length: 0\r\n\r\n", KEEPS },
               { "GET /c ", 1, BASIC, KEEPS }, { "*Authorization: Basic bWU6eA==", 1, NOTHING, KEEPS }));
}

TEST_MAIN(T(one_connection_for_all), T(a_new_one_where_the_old_one_is_no_good), T(who_goes_says_so),
          T(a_stale_connection_is_asked_again_once), T(pages_of_errors),
          T(forms), T(users), T(users_of_another_server))
