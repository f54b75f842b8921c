// SPDX-License-Identifier: MPL-2.0
// The boot server's log where nobody reads it, and where somebody wants it full.
#include "base/test.h"
#include "bootserver_limit.h"
#include "bootserver_log.h"
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

static struct limit limit;
static struct out out;

static struct net_addr host(uint32_t n, uint16_t port)
{
    uint8_t ip[4] = { 10, (uint8_t)(n >> 16), (uint8_t)(n >> 8), (uint8_t)n };
    return net_addr_v4(ip, port);
}

TEST(lines_of_a_source_are_limited)
{
    uint64_t left_out = 9, now = 1000;
    unsigned passed = 0;
    memset(&limit, 0, sizeof limit);
    for (uint32_t i = 0; i < 10000; i++) { // ever new ports
        struct net_addr a = host(1, (uint16_t)i);
        passed += limit_pass(&limit, &a, now + i, &left_out);
    }
    CHECK_EQ(passed, LIMIT_BURST);
    CHECK_EQ(left_out, 0);
    struct net_addr other = host(2, 1), same = host(1, 1);
    CHECK(limit_pass(&limit, &other, now + 10000, &left_out), left_out == 0);
    CHECK(!limit_pass(&limit, &same, now + 900000, &left_out));
    CHECK(limit_pass(&limit, &same, now + 3 * LIMIT_EVERY, &left_out)); // one a second
    CHECK_EQ(left_out, 10000 - LIMIT_BURST + 1);
    now += 10000u * (uint64_t)LIMIT_EVERY; // and all again after a quiet while
    for (passed = 0; limit_pass(&limit, &same, now, &left_out); passed++)
        ;
    CHECK_EQ(passed, LIMIT_BURST);
}

TEST(the_table_of_sources_is_never_full)
{
    uint64_t left_out;
    memset(&limit, 0, sizeof limit);
    for (uint32_t i = 0; i < 20 * LIMIT_SOURCES; i++) {
        struct net_addr a = host(i, 1);
        CHECK(limit_pass(&limit, &a, 1 + i, &left_out), left_out == 0);
    }
}

TEST(a_pipe_that_nobody_empties)
{
    static char big[OUT_BUFFER * 4];
    int ends[2];
    char line[100];
    memset(line, 'x', sizeof line);
    line[99] = '\n';
    CHECK_EQ(pipe(ends), 0);
    out_open(&out, ends[1]);
    CHECK(out.fd != ends[1]);
    unsigned taken = 0;
    for (unsigned i = 0; i < 10000; i++) // far more than pipe and buffer hold; it would block here
        taken += out_write(&out, line, sizeof line);
    CHECK(taken >= OUT_BUFFER / 100, taken < 10000);
    CHECK_EQ(out.dropped, 10000 - taken);
    CHECK_EQ(fcntl(ends[1], F_GETFL) & O_NONBLOCK, 0); // the others' end is as it was
    struct pollfd p;
    CHECK(out_poll(&out, &p), p.fd == out.fd);
    size_t got = 0;
    for (ssize_t n; (n = read(ends[0], big + got, MIN(sizeof big - got, taken * 100u - got))) > 0; out_flush(&out))
        got += (size_t)n;
    CHECK_EQ(got, taken * 100u);
    for (size_t i = 0; i < got; i++) // whole lines
        CHECK_EQ(big[i], i % 100 == 99 ? '\n' : 'x');
    CHECK(!out_poll(&out, &p));
    CHECK(out_write(&out, line, sizeof line));
    out_close(&out, 100);
    close(ends[0]);
    close(ends[1]);
}

TEST(a_pipe_without_a_reader)
{
    int ends[2];
    signal(SIGPIPE, SIG_IGN); // as the boot server does
    CHECK_EQ(pipe(ends), 0);
    out_open(&out, ends[1]);
    close(ends[0]);
    for (unsigned i = 0; i < 1000; i++)
        out_write(&out, "line\n", 5);
    CHECK(out.gone, out.dropped >= 999);
    struct pollfd p;
    CHECK(!out_poll(&out, &p));
    out_close(&out, 100);
    close(ends[1]);
}

TEST(values_stay_in_their_quotes)
{
    char text[LOG_VALUE_MAX];
    CHECK_STR(log_value("web-7.img", text), "web-7.img");
    CHECK_STR(log_value("", text), "\"\"");
    CHECK_STR(log_value("0.1.0 (a)", text), "\"0.1.0 (a)\"");
    CHECK_STR(log_value("x\" client=1.2.3.4 y=\"", text), "\"x\\\" client=1.2.3.4 y=\\\"\"");
    CHECK_STR(log_value("a\\", text), "\"a\\\\\"");
    CHECK_STR(log_value("a=b", text), "\"a=b\"");
    CHECK_STR(log_value("a\nb\x1b[2J\x7f", text), "\"a?b?[2J?\"");
    CHECK_STR(log_value("caf\xc3\xa9", text), "\"caf\xc3\xa9\"");
    CHECK_STR(log_quoted("plain", text), "\"plain\"");
    static char longest[LOG_VALUE_MAX * 2];
    memset(longest, '"', sizeof longest - 1);
    log_value(longest, text); // cut, and closed
    CHECK(strlen(text) < LOG_VALUE_MAX, text[strlen(text) - 1] == '"', text[strlen(text) - 2] == '"');
    CHECK_EQ(strlen(text) % 2, 0);
}

TEST_MAIN(T(lines_of_a_source_are_limited), T(the_table_of_sources_is_never_full), T(a_pipe_that_nobody_empties),
          T(a_pipe_without_a_reader), T(values_stay_in_their_quotes))
