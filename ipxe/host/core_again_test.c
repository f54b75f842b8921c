// SPDX-License-Identifier: MPL-2.0
// The core starts a thousand times in one process, as on so many machines: boots, failed boots, other cards, other transports, in turn.
// Nothing static may keep what a start has learnt, so each start says, byte for byte, what the first one of its kind has said, and asks
// the network as often; and nothing may stay on the heap, which LeakSanitizer sees in the end and the platform's own count each time.
#include "host/testworld.h"

#include "block/testdisk.h"

#define ROUNDS 1000
#define SMALL_KERNEL 8192
#define PARTITION (1024 * 1024)
#define NAMED "#!ipxe\ndhcp\n"
#define SEGMENT 1400
#define FLAGS (SIMNET_ACK | SIMNET_PSH)

static struct testdisk disk;

// --- what testworld.h's network does not have: a name server, and HTTP ---

static unsigned queries; // for names
static uint32_t http_seq, http_ack;
static char http_asked[512];

static void answer_name(struct simnet *net, const struct net_addr *from, const struct net_addr *to, const uint8_t *data, size_t len)
{
    static const uint8_t record[] = { 0xc0, 0x0c, 0, 1, 0, 1, 0, 1, 0x51, 0x80, 0, 4, 10, 0, 0, 1 };
    uint8_t reply[512] = { 0 };
    queries++;
    if (len + sizeof record > sizeof reply || load16_be(data + len - 4) != 1)
        return;
    memcpy(reply, data, len);
    store16_be(reply + 2, 0x8180);
    store16_be(reply + 6, 1);
    memcpy(reply + len, record, sizeof record);
    simnet_send_udp(net, to, from, reply, len + sizeof record);
}

static void named_datagram(struct simnet *net, const struct net_addr *from, const struct net_addr *to, const uint8_t *data, size_t len)
{
    if (to->port == 53)
        answer_name(net, from, to, data, len);
    else
        datagram(net, from, to, data, len);
}

static void http_say(struct simnet *net, const struct net_addr *from, const struct net_addr *to, uint8_t flags, const void *data, size_t len)
{
    const struct simnet_segment s = { .seq = http_seq, .ack = http_ack, .flags = flags, .window = 0x4000, .data = data, .len = len };
    simnet_send_tcp(net, from, to, &s);
    http_seq += (uint32_t)len + ((flags & (SIMNET_SYN | SIMNET_FIN)) != 0);
}

// The image as "/image", a script as "/script"; anything else is not found. Connections end with the answer.
static void http_answer(struct simnet *net, const struct net_addr *from, const struct net_addr *to)
{
    const char *script = "#!ipxe\nchain p2://10.0.0.1/image\n";
    bool image = strncmp(http_asked, "GET /image ", 11) == 0, found = image || strncmp(http_asked, "GET /script ", 12) == 0;
    const uint8_t *body = image ? w.image.file : (const uint8_t *)script;
    size_t len = !found ? 0 : image ? w.image.len : strlen(script);
    char head[128];
    int head_len = snprintf(head, sizeof head, "HTTP/1.1 %s\r\nContent-Length: %zu\r\n\r\n", found ? "200 OK" : "404 Not Found", len);
    http_say(net, to, from, FLAGS, head, (size_t)head_len);
    for (size_t at = 0; at < len; at += SEGMENT)
        http_say(net, to, from, FLAGS, body + at, MIN(len - at, (size_t)SEGMENT));
    http_say(net, to, from, SIMNET_ACK | SIMNET_FIN, NULL, 0);
}

static void segment(struct simnet *net, const struct net_addr *from, const struct net_addr *to, const struct simnet_segment *s)
{
    if (s->flags & SIMNET_SYN) {
        http_seq = 1000000;
        http_ack = s->seq + 1;
        http_say(net, to, from, SIMNET_SYN | SIMNET_ACK, NULL, 0);
    } else if (s->seq == http_ack && (s->len || (s->flags & SIMNET_FIN))) {
        http_ack += (uint32_t)s->len + ((s->flags & SIMNET_FIN) != 0);
        http_say(net, to, from, SIMNET_ACK, NULL, 0);
        snprintf(http_asked, sizeof http_asked, "%.*s", (int)s->len, (const char *)s->data);
        if (s->len)
            http_answer(net, from, to);
    }
}

// Time goes in larger steps than simnet's own while no frame is under way.
static void idle(void *ctx, uint64_t *now_us)
{
    struct simnet *net = ctx;
    *now_us += net->count ? 500 : 20000;
    net->tick(net, *now_us);
}

// --- kinds of starts ---

static void power_cut(struct simnet *net, uint64_t now)
{
    serve(net, now);
    if (w.server.stats.data_messages > 3)
        host_power_off(&w.machine);
}

static void no_card(void)
{
    w.machine.no_card = true;
}

static void late_link(void)
{
    w.machine.link_us = 1500000;
}

static void another_card(void)
{
    struct card_info *info = &w.machine.card.info;
    memcpy(info->mac, (const uint8_t[]){ 0x02, 0, 0, 0, 0, 9 }, 6);
    snprintf(info->driver, sizeof info->driver, "other");
    info->mtu = 1280;
    info->rx_buffers = 8;
}

static void no_dhcp(void)
{
    w.dhcp = false;
}

static void no_tcp(void)
{
    w.net.tcp = NULL;
}

static void cut(void)
{
    w.net.tick = power_cut;
}

static void tpm(void)
{
    w.machine.tpm = true;
}

static void broken_tpm(void)
{
    w.machine.tpm = true;
    w.machine.fail_measurement = 1;
}

static void variables(void)
{
    w.machine.nvram = true;
}

static void bad_floor(void)
{
    w.machine.nvram = true;
    w.machine.values[0] = (struct host_value){ .name = "SignetFloor", .room = ROOM_FIRMWARE, .len = 3 };
}

static void bad_chunk(void)
{
    w.image.payload[10000] ^= 1;
}

static void good_chunk(void)
{
    w.image.payload[10000] ^= 1;
}

static void cut_in_keeping(void)
{
    w.machine.storage.cut_at = 20;
}

// From its history, which is empty, comes the line before the first one; then a line.
static void typed(void)
{
    w.machine.keys = "\x1b[A\recho typed\rexit\r";
}

// --- another processor, which takes a job and never brings it back ---

static struct hashboard *board;
static uint64_t (*real_clock)(void *ctx);

static unsigned helper_start(void *ctx, struct hashboard *ret)
{
    hashboard_open(ret, 1);
    board = ret;
    return 1;
}

static void helper_stop(void *ctx)
{
    board = NULL;
}

static uint64_t clock_of_a_thief(void *ctx)
{
    enum { READY = 1, TAKEN = 2 }; // as hashboard.c has them
    if (board && board->jobs[0].state == READY)
        board->jobs[0].state = TAKEN;
    return real_clock(ctx);
}

static void lost_helper(void)
{
    struct platform *p = &w.machine.platform;
    real_clock = p->now_us;
    p->now_us = clock_of_a_thief;
    p->helpers_start = helper_start;
    p->helpers_stop = helper_stop;
}

static const uint8_t names[] = { 6, 4, 10, 0, 0, 1, 15, 7, 'e', 'x', 'a', 'm', 'p', 'l', 'e', 255 };

static const struct kind {
    const char *name, *script, *says; // says: of what this is to be a test
    void (*before)(void), (*after)(void);
    const char *tftp; // what TFTP has as script.ipxe
    const enum testkey_name *anchor; // NULL: the image's
    uint64_t floor;
    bool disk, kept, boots; // it has a disk with an image partition, and the image is there
    long live;        // scripts from elsewhere that run when the machine ends: each lies on the heap
    unsigned queries; // for names
} kinds[] = {
    { "boot", BOOT_V4, "p2: asking 10.0.0.1", .boots = true },
    { "no server", NAMED "chain p2://10.0.0.9/image || exit\n", "[P01]", .boots = false },
    { "another card", BOOT_V4, "02:00:00:00:00:09 host wire (other)", .before = another_card, .boots = true },
    { "HTTP, by name", NAMED "chain http://boot/image\n", "http: fetching /image from boot", .boots = true, .queries = 1 },
    { "no anchor", BOOT_V4 "exit\n", "[S07]", .anchor = &key_b },
    { "disk", "#!ipxe\nchain disk:\n", "reading partition 1 images", .before = no_card, .disk = true, .kept = true, .boots = true },
    { "keep", "#!ipxe\nset keep disk:\ndhcp\nchain p2://10.0.0.1/image\n", "keep: img is in slot A", .disk = true, .boots = true },
    { "power cut", BOOT_V4, "p2: asking", .before = cut },
    { "a script over HTTP", NAMED "chain http://boot.example/script\n", "script: running boot.example/script", .boots = true,
      .live = 1, .queries = 1 },
    { "not found", NAMED "chain http://boot/nothing || exit\n", "[G04]", .queries = 1 },
    { "no address", "#!ipxe\ndhcp || exit\n", "[N04]", .before = no_dhcp },
    { "a script over TFTP that reboots", NAMED "chain tftp://10.0.0.1/script.ipxe\n", "tftp: fetching",
      .tftp = "#!ipxe\nset dns 10.0.0.7\nreboot\n", .live = 1 },
    { "a link that comes late", BOOT_V4, "p2: asking", .before = late_link, .boots = true },
    { "IPv6, by discovery", "#!ipxe\nifopen\nchain p2:///image\n", "fe80::1", .before = no_dhcp, .boots = true },
    { "rolled back", BOOT_V4 "exit\n", "[S13]", .floor = 8 },
    { "a bad chunk", BOOT_V4 "exit\n", "verified; bad chunks", .before = bad_chunk, .after = good_chunk },
    { "no card, and no script that would help", "#!ipxe\nset keep disk:\nchain p2://10.0.0.1/image\n", "next boot device in",
      .before = no_card },
    { "an address by hand", "#!ipxe\nset net0/ip 10.0.0.50\nset net0/netmask 255.255.255.0\nifopen\nchain p2://10.0.0.1/image\n",
      "p2: asking", .before = no_dhcp, .boots = true },
    { "a TPM", BOOT_V4, "is measured into PCRs", .before = tpm, .boots = true },
    { "a TPM that fails", BOOT_V4, "its measurements are spoilt", .before = broken_tpm, .boots = true },
    { "no floor", "#!ipxe\nfloor\nexit\n", "no floor is kept", .before = variables },
    { "a floor that cannot be read", "#!ipxe\nfloor\nexit\n", "cannot be read\n", .before = bad_floor },
    { "another transport after it failed", NAMED "chain tftp://10.0.0.1/none || chain p2://10.0.0.1/image\n", "[G04]",
      .tftp = "#!ipxe\n", .boots = true },
    { "the shell", "#!ipxe\nshell\nexit\n", "signet> \nsignet> echo typed\ntyped\n", .before = typed },
    { "a processor that is lost", BOOT_V4, "digest: 1 more processor hashing", .before = lost_helper, .boots = true },
    { "scripts as deep as they go, and out of there", NAMED "chain tftp://10.0.0.1/script.ipxe\n", "8 deep",
      .tftp = "#!ipxe\nchain tftp://10.0.0.1/script.ipxe || reboot\n", .live = 7 },
    { "a script from elsewhere that exits", NAMED "chain tftp://10.0.0.1/script.ipxe\n", "next boot device in",
      .tftp = "#!ipxe\nexit\n" },
    { "keep, and a power cut", "#!ipxe\nset keep disk:\ndhcp\nchain p2://10.0.0.1/image\n", "p2: timing", .before = cut_in_keeping,
      .disk = true },
    { "several images, one freed, one started", NAMED "imgfetch p2://10.0.0.1/image\nimgfetch --name b http://boot/image\n"
      "imgfetch --name c p2://10.0.0.1/image\nimgfree image\nimgstat\nboot b\n", "b (img) counter 7", .boots = true, .queries = 1 },
    { "several images that nobody starts or frees", NAMED "imgfetch p2://10.0.0.1/image\nimgfetch --name b p2://10.0.0.1/image\n"
      "imgfetch --name b p2://10.0.0.1/none || imgstat\nexit\n", "b (img) counter 7", .boots = false },
    { "HTTP of nobody", NAMED "chain http://10.0.0.9/image || exit\n", "timed out [G03]",
      .before = no_tcp },
};

_Static_assert(ARRAY_SIZE(kinds) == 31, "a prime number, so that each step leads through all of them");

static struct outcome first[ARRAY_SIZE(kinds)]; // what each kind's first start came to

static void start(const struct kind *k, struct outcome *out)
{
    memset(out, 0, offsetof(struct outcome, transcript) + 1);
    w.out = out;
    set_up("img", key_a);
    w.net.udp = named_datagram;
    w.net.tcp = segment;
    w.machine.wire.idle = idle;
    w.dhcp_options = names;
    w.dhcp_options_len = sizeof names;
    w.dhcp_file = k->tftp;
    queries = 0;
    if (k->disk) {
        testdisk_make(&disk, 512, PARTITION);
        if (k->kept)
            memcpy(testdisk_partition(&disk), w.image.file, w.image.len);
        host_disk_add(&w.machine, disk.data, TESTDISK_SIZE, disk.sector_size);
    }
    if (k->before)
        k->before();
    run(k->script, k->anchor ? k->anchor : &key_a, k->floor);
    if (k->after)
        k->after();
}

static bool right(const struct kind *k, const struct outcome *out)
{
    return out->booted == k->boots && out->memory_right == k->boots && out->live_allocations == k->live && queries == k->queries &&
           said(out, k->says);
}

// Where two texts differ, for people.
static bool same_text(const char *is, const char *was)
{
    size_t at = 0, line = 0;
    while (is[at] && is[at] == was[at])
        line = is[at++] == '\n' ? at : line;
    if (!is[at] && !was[at])
        return true;
    printf("  said \"%.*s\", the first time \"%.*s\"\n", (int)strcspn(is + line, "\n"), is + line, (int)strcspn(was + line, "\n"), was + line);
    return false;
}

TEST(a_thousand_starts_are_like_the_first)
{
    static struct outcome out;
    w.same_image = true;
    w.kernel_size = SMALL_KERNEL;
    for (unsigned round = 0; round < ROUNDS; round++) {
        // By another step in each turn, so that every kind comes behind every other one.
        unsigned n = ARRAY_SIZE(kinds), turn = round / n, i = round * (turn % (n - 1) + 1) % n;
        const struct kind *k = &kinds[i];
        struct outcome *was = &first[i];
        start(k, &out);
        if (!was->now_us)
            *was = out;
        bool good = right(k, &out) && same_text(out.transcript, was->transcript) && same_text(out.measured, was->measured) &&
                    out.now_us == was->now_us && out.discovers == was->discovers && out.sent == was->sent &&
                    out.allocations == was->allocations;
        if (!good)
            printf("  start %u, \"%s\": booted %d, %ld on the heap, %u names asked for, %llu us (%llu)\n%s", round, k->name, out.booted,
                   out.live_allocations, queries, (unsigned long long)out.now_us, (unsigned long long)was->now_us, out.transcript);
        CHECK(good);
    }
    w.same_image = false;
    testimage_free(&w.image);
}

TEST_MAIN(T(a_thousand_starts_are_like_the_first))
