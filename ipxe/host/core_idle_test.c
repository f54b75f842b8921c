// SPDX-License-Identifier: MPL-2.0
// What the core tells a machine that could sleep: until when. On a machine that sleeps as long as it may, and wakes for frames alone,
// everything is sent and given up at the time when it is on a machine that never sleeps.
#include "host/testworld.h"

#define STEP_US 100       // of the machine that never sleeps
#define DATAGRAMS_MAX 200

struct life {
    unsigned count, idles; // datagrams, turns in which nothing came
    uint64_t at[DATAGRAMS_MAX], end_us; // when each went out
    bool stuck;            // it was told to sleep for ever, with nothing under way
};
static struct life *life;

static void note(struct simnet *net, const struct net_addr *from, const struct net_addr *to, const uint8_t *data, size_t len)
{
    if (life->count < DATAGRAMS_MAX)
        life->at[life->count++] = net->machine->now_us;
    datagram(net, from, to, data, len);
}

static void pass(struct host_machine *m, uint64_t until)
{
    life->idles++;
    m->now_us = MAX(until, m->now_us + 1);
    w.net.tick(&w.net, m->now_us);
}

static void never_sleep(void *ctx, uint64_t deadline)
{
    struct host_machine *m = ctx;
    pass(m, m->now_us + STEP_US);
}

static void sleep_long(void *ctx, uint64_t deadline)
{
    uint64_t until = MIN(deadline, p2_server_deadline(&w.server));
    if (w.net.count)
        until = MIN(until, w.net.queue[w.net.head].due_us);
    life->stuck |= until == UINT64_MAX;
    pass(ctx, life->stuck ? 0 : until);
}

static const uint8_t silent_dns[] = { 6, 4, 10, 0, 0, 77, 255 };

static const struct wait {
    const char *name, *script;
    bool no_dhcp;
    uint32_t lease_s;
    uint64_t link_us, rest_us; // rest: so long it certainly waits
} waits[] = {
    { "DHCP that nobody answers", "#!ipxe\ndhcp || exit\n", .no_dhcp = true, .rest_us = 10000000 },
    { "p2 that nobody answers", "#!ipxe\ndhcp\nchain p2://10.0.0.9/image || exit\n", .rest_us = 4000000 },
    { "TFTP that nobody answers", "#!ipxe\ndhcp\nchain tftp://10.0.0.9/file || exit\n", .rest_us = 10000000 },
    { "HTTP that nobody answers", "#!ipxe\ndhcp\nchain http://10.0.0.9/file || exit\n", .rest_us = 10000000 },
    { "a name that nobody knows", "#!ipxe\ndhcp\nchain http://boot/file || exit\n", .rest_us = 4000000 },
    { "a lease of a minute", "#!ipxe\ndhcp\nsleep 150\nexit\n", .lease_s = 60, .rest_us = 150000000 },
    { "waits of a script", "#!ipxe\nsleep 3\nprompt --timeout 1234 || exit\n", .rest_us = 4234000 },
    { "a late link", "#!ipxe\ndhcp\nexit\n", .link_us = 1500000, .rest_us = 1500000 },
    { "a boot", BOOT_V4, .rest_us = 0 },
};

static void live(const struct wait *wait, void (*idle)(void *ctx, uint64_t deadline_us), struct life *ret)
{
    static struct outcome out;
    memset(&out, 0, sizeof out);
    *ret = (struct life){ 0 };
    life = ret;
    w.out = &out;
    set_up("img", key_a);
    w.net.udp = note;
    w.machine.platform.idle = idle;
    w.machine.link_us = wait->link_us;
    w.dhcp = !wait->no_dhcp;
    w.lease_s = wait->lease_s;
    w.dhcp_options = silent_dns;
    w.dhcp_options_len = sizeof silent_dns;
    run(wait->script, &key_a, 0);
    ret->end_us = out.now_us;
}

// Each wait of the other one ends up to a step late, and a link is looked at now and then.
static bool in_time(const struct life *is, const struct life *was, uint64_t tolerance)
{
    if (is->stuck || is->count != was->count || is->end_us > was->end_us + tolerance)
        return false;
    for (unsigned i = 0; i < is->count; i++)
        if (is->at[i] > was->at[i] + tolerance)
            return false;
    return true;
}

TEST(who_sleeps_as_long_as_it_may_is_never_late)
{
    static struct life sleeper, poller;
    for (size_t i = 0; i < ARRAY_SIZE(waits); i++) {
        const struct wait *wait = &waits[i];
        live(wait, never_sleep, &poller);
        live(wait, sleep_long, &sleeper);
        bool good = in_time(&sleeper, &poller, wait->link_us ? 100000 : 1000);
        printf("  %s: %u datagrams (%u), %llu us (%llu), %u turns (%u)\n", wait->name, sleeper.count, poller.count,
               (unsigned long long)sleeper.end_us, (unsigned long long)poller.end_us, sleeper.idles, poller.idles);
        for (unsigned k = 0; !good && k < sleeper.count && k < poller.count; k++)
            printf("    %llu (%llu)\n", (unsigned long long)sleeper.at[k], (unsigned long long)poller.at[k]);
        CHECK(good, sleeper.end_us >= wait->rest_us);
        CHECK(!wait->rest_us || sleeper.idles < poller.idles / 10);
    }
}

TEST_MAIN(T(who_sleeps_as_long_as_it_may_is_never_late))
