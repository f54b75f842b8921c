// SPDX-License-Identifier: MPL-2.0
// What a stranger who sees no frame must not guess: numbers that differ from boot to boot. Each boot is a
// process of its own: of equal ones nothing but the platform's randomness, which is repeatable, makes a difference.
#include "core/core.h"
#include "host/host.h"
#include "net/hooks.h"
#include "net/net.h"

#include "base/bytes.h"
#include "base/test.h"

#include <sys/wait.h>
#include <unistd.h>

#define ETH 14
#define UDP_HEAD 8

struct numbers {
    uint32_t isn, tcp_port, udp_port;
    uint32_t dns_id, dns_port, dhcp_xid;
    uint32_t same_later; // how far the first sequence number of the same ends moved in 4 ms
    uint32_t other_end;  // and from one port of the peer to the next one, at the same time
};

static const uint8_t own_ip[4] = { 10, 0, 0, 2 }, peer_ip[4] = { 10, 0, 0, 1 }, mask[4] = { 255, 255, 255, 0 }, none[4];
static struct {
    uint8_t answer[60]; // of ARP
    bool waits;
    struct numbers numbers;
} t;

static struct host_machine machine;

static int wire_send(void *ctx, const void *frame, size_t len)
{
    const uint8_t *in = frame;
    const uint8_t *ports = in + ETH + 20;
    if (load16_be(in + 12) == 0x0806 && memcmp(in + ETH + 24, peer_ip, 4) == 0) { // who has: the peer has
        memcpy(t.answer, in + 6, 6);
        memcpy(t.answer + 12, in + 12, 10);
        t.answer[6] = t.answer[ETH + 8] = 2;
        t.answer[ETH + 7] = 2;
        memcpy(t.answer + ETH + 14, peer_ip, 4);
        memcpy(t.answer + ETH + 18, in + ETH + 8, 10);
        t.waits = true;
    } else if (load16_be(in + 12) == 0x0800 && in[ETH + 9] == 17 && load16_be(ports + 2) == 53) {
        t.numbers.dns_port = load16_be(ports);
        t.numbers.dns_id = load16_be(ports + UDP_HEAD);
    } else if (load16_be(in + 12) == 0x0800 && in[ETH + 9] == 17 && load16_be(ports + 2) == 67) {
        t.numbers.dhcp_xid = load32_be(ports + UDP_HEAD + 4);
        host_power_off(&machine);
    } else if (load16_be(in + 12) == 0x0800 && in[ETH + 9] == 17) {
        t.numbers.udp_port = load16_be(ports);
    } else if (load16_be(in + 12) == 0x0800 && in[ETH + 9] == 6) {
        t.numbers.tcp_port = load16_be(ports);
        t.numbers.isn = load32_be(ports + 4);
    }
    return 0;
}

static int wire_receive(void *ctx, void *buf, size_t cap)
{
    if (!t.waits)
        return 0;
    t.waits = false;
    memcpy(buf, t.answer, sizeof t.answer);
    return sizeof t.answer;
}

static void udp_got(void *ctx, unsigned nic, const struct net_addr *from, const uint8_t *data, size_t len)
{
}

static void tcp_got(void *ctx, enum net_tcp_event event, const uint8_t *data, size_t len, int err)
{
}

static void boot(uint64_t seed)
{
    host_init(&machine);
    machine.now_us = 1000000;
    machine.random_state = seed;
    machine.wire = (struct host_wire){ .send = wire_send, .receive = wire_receive };
    if (net_start(&machine.platform) != 0 || net_open(0) != 0)
        abort();
    net_set_ipv4(0, own_ip, mask, none);
    struct net_addr peer = net_addr_v4(peer_ip, 80), found[NET_ADDRESSES_MAX];
    struct net_udp *udp = net_udp_open(0, udp_got, NULL);
    struct net_tcp *tcp;
    net_set_dns(NET_DNS_SETTINGS, &peer, 1);
    if (!udp || net_resolve("host.example", false, found) != PENDING ||
        net_tcp_connect(&peer, tcp_got, NULL, &tcp) != 0 || net_udp_send(udp, &peer, "x", 1) != 0)
        abort();
    for (int i = 0; i < 4; i++)
        while (net_poll() > 0)
            ;
    ip_addr_t ends[2];
    IP_ADDR4(&ends[0], 10, 0, 0, 2);
    IP_ADDR4(&ends[1], 10, 0, 0, 1);
    uint32_t first = net_hook_tcp_isn(&ends[0], 50000, &ends[1], 80);
    t.numbers.other_end = net_hook_tcp_isn(&ends[0], 50000, &ends[1], 81) - first;
    machine.now_us += 4000;
    t.numbers.same_later = net_hook_tcp_isn(&ends[0], 50000, &ends[1], 80) - first;
}

// The whole core, until it asks for an address.
static void boot_core(uint64_t seed)
{
    host_init(&machine);
    machine.random_state = seed;
    machine.give_up_us = 60000000;
    machine.wire = (struct host_wire){ .send = wire_send, .receive = wire_receive };
    const struct core_options options = { .script = "#!ipxe\ndhcp\n", .script_len = 12, .script_name = "the test" };
    if (host_run(&machine, &options) != 0)
        abort();
}

static struct numbers numbers_of(void (*body)(uint64_t), uint64_t seed)
{
    struct numbers numbers = { 0 };
    int fds[2];
    if (pipe(fds) != 0)
        abort();
    pid_t child = fork();
    if (child == 0) {
        body(seed);
        _exit(write(fds[1], &t.numbers, sizeof t.numbers) == sizeof t.numbers ? 0 : 1);
    }
    close(fds[1]);
    if (read(fds[0], &numbers, sizeof numbers) != sizeof numbers)
        abort();
    close(fds[0]);
    int status = -1;
    if (waitpid(child, &status, 0) != child || status != 0)
        abort();
    return numbers;
}

TEST(boots_differ)
{
    struct numbers a = numbers_of(boot, 1), again = numbers_of(boot, 1), b = numbers_of(boot, 0x123456789abcdef);
    CHECK(a.isn, a.tcp_port, a.udp_port);
    CHECK(memcmp(&a, &again, sizeof a) == 0); // nothing but the randomness makes the difference
    CHECK(a.isn != b.isn);
    CHECK(a.tcp_port != b.tcp_port);
    CHECK(a.udp_port != b.udp_port);
    CHECK(a.dns_id, a.dns_id != b.dns_id);
    CHECK(a.dns_port, a.dns_port != b.dns_port);
    CHECK(a.dns_port != a.udp_port + 1, a.dns_port + 1 != a.udp_port); // nor does one port tell of the other
}

TEST(dhcp_asks_under_another_number)
{
    struct numbers a = numbers_of(boot_core, 1), again = numbers_of(boot_core, 1), b = numbers_of(boot_core, 0x123456789abcdef);
    CHECK(a.dhcp_xid, a.dhcp_xid == again.dhcp_xid);
    CHECK(a.dhcp_xid != b.dhcp_xid);
}

TEST(sequence_numbers_are_of_rfc_6528)
{
    struct numbers a = numbers_of(boot, 1), b = numbers_of(boot, 0x123456789abcdef);
    CHECK(a.same_later >= 1000, a.same_later < 2000); // 4 us each; reading the clock moves it a little
    CHECK(a.other_end + 0x10000 > 0x20000); // not near by
    CHECK(a.other_end != b.other_end);      // and no rule of any boot
}

TEST_MAIN(T(boots_differ), T(dhcp_asks_under_another_number), T(sequence_numbers_are_of_rfc_6528))
