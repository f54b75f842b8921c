// SPDX-License-Identifier: MPL-2.0
// HTTP servers that never end, on virtual time: each is given up by its name within the time that base/progress.h allows, and the
// next source boots. The whole core runs over its TCP.
#include "base/progress.h"
#include "host/testhttp.h"

#define SECONDS 1000000ull

#define OK "HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n"
#define BYTES_64 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
static const struct {
    const char *name;
    struct manners manners;
    const char *code;
    uint64_t after_us, before_us; // from the request on
} servers[] = {
    { "no answer to SYN", { 0 }, "[G03]", 5 * SECONDS, PROGRESS_SILENCE_US + 5 * SECONDS },
    { "silence", { .at_once = "" }, "[G03]", PROGRESS_SILENCE_US, PROGRESS_SILENCE_US + 2 * SECONDS },
    { "silence in mid-header", { .at_once = "HTTP/1.1 200 OK\r\nCont" }, "[G03]", PROGRESS_SILENCE_US, PROGRESS_SILENCE_US + 2 * SECONDS },
    { "silence in mid-body", { .at_once = OK "#!ipxe\n" }, "[G03]", PROGRESS_SILENCE_US, PROGRESS_SILENCE_US + 2 * SECONDS },
    { "100 Continue without end", { .at_once = "", .then = "HTTP/1.1 100 Continue\r\n\r\n", .every_us = SECONDS }, "[G03]",
      PROGRESS_SILENCE_US, PROGRESS_SILENCE_US + 2 * SECONDS },
    { "103 as fast as can be", { .at_once = "", .then = "HTTP/1.1 103 Early Hints\r\nLink: <a>\r\n\r\n", .every_us = 1 }, "[N14]", 0,
      2 * SECONDS },
    { "headers without end", { .at_once = "HTTP/1.1 200 OK\r\n", .then = "X-More: and more\r\n", .every_us = 1000 }, "[N14]", 0,
      2 * SECONDS },
    { "a header without end", { .at_once = "HTTP/1.1 200 OK\r\nX: ", .then = BYTES_64, .every_us = 1000 }, "[G03]", PROGRESS_SILENCE_US,
      PROGRESS_SILENCE_US + 2 * SECONDS },
    { "a header of a byte now and then", { .at_once = "HTTP/1.1 200 OK\r\nX: ", .then = "x", .every_us = 29 * SECONDS }, "[G03]",
      PROGRESS_SILENCE_US, PROGRESS_SILENCE_US + 2 * SECONDS },
    { "a body of a byte now and then", { .at_once = OK "#!ipxe\n# ", .then = "x", .every_us = 29 * SECONDS }, "[N13]", PROGRESS_WINDOW_US,
      PROGRESS_WINDOW_US + 2 * SECONDS },
    { "a body below the least rate", { .at_once = OK "#!ipxe\n# ", .then = BYTES_64, .every_us = SECONDS }, "[N13]", PROGRESS_WINDOW_US,
      PROGRESS_WINDOW_US + 2 * SECONDS },
    { "ends in mid-body", { .at_once = OK "#!ipxe\n", .ends = true }, "[G09]", 0, 2 * SECONDS },
    { "resets in mid-body", { .at_once = OK "#!ipxe\n", .resets = true }, "[N12]", 0, 2 * SECONDS },
};
static const struct manners *manners;
static void answer(const struct net_addr *to, const char *request, struct manners *ret)
{
    *ret = *manners;
}

static void fetch(void)
{
    set_up_http();
    run("#!ipxe\ndhcp\nchain http://10.0.0.1/script || echo NEXT\nchain p2://10.0.0.1/image\n", &key_a, 0);
}

#define LEASE_US (8 * SECONDS) // at most, with the wait for a proxy
TEST(servers_that_never_end_are_given_up)
{
    for (unsigned which = 0; which < ARRAY_SIZE(servers); which++) {
        manners = &servers[which].manners;
        struct outcome *out = in_child(fetch);
        bool good = said(out, servers[which].code) && said(out, "NEXT") && out->booted && out->now_us >= servers[which].after_us &&
                    out->now_us < servers[which].before_us + LEASE_US;
        if (!good)
            printf("  %s: %.1f s\n%s\n", servers[which].name, (double)out->now_us / SECONDS, out->transcript);
        CHECK(good);
    }
}

// The same peer with a server that does what it should: what is shown above is no fault of the peer's.
static const struct manners sound = { .at_once = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n#!ipxe\necho REACHED\n" };
static const struct manners until_closed = { .at_once = "HTTP/1.1 200 OK\r\n\r\n#!ipxe\necho REACHED\n", .ends = true };
static void fetch_well(void)
{
    set_up_http();
    run("#!ipxe\ndhcp\nchain http://10.0.0.1/script || echo NEXT\n", &key_a, 0);
}
TEST(sound_servers_are_heard)
{
    const struct manners *const both[] = { &sound, &until_closed };
    for (unsigned i = 0; i < ARRAY_SIZE(both); i++) {
        manners = both[i];
        struct outcome *out = in_child(fetch_well);
        CHECK(said(out, "REACHED"));
    }
}

TEST_MAIN(T(servers_that_never_end_are_given_up), T(sound_servers_are_heard))
