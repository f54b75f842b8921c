// SPDX-License-Identifier: MPL-2.0
// Images of which a part is at hand: on a disk that keeps them, or in memory since another source failed. Over HTTP with ranges and
// without, and over TFTP, what is here is not fetched. The whole core on a simulated wire, with a disk in memory.
#include "host/testhttp.h"
#include "host/testkeep.h"
#include "phase2/stream.h"

// The servers: those that have ranges or not; A breaks off after so many bytes of its first answer, and refuses from then on.
static struct {
    bool no_ranges;
    size_t cut;
} server;

// What went out, in memory that the child shares.
static struct {
    unsigned requests[2]; // by server
    uint64_t body[2];     // bytes
} *log;

static char head[300];
static bool broken;

static void answer(const struct net_addr *to, const char *request, struct manners *ret)
{
    unsigned which = to->ip[15] == 2;
    ret->refuses = broken && !which;
    ret->at_once = ret->refuses ? NULL : head;
    ret->ends = true;
    if (!request)
        return;
    unsigned long long from = 0, last = UINT64_MAX - 1;
    const char *text = server.no_ranges ? NULL : strstr(request, "Range: bytes=");
    if (text)
        (void)sscanf(text, "Range: bytes=%llu-%llu", &from, &last);
    size_t end = (size_t)MIN(last + 1, (unsigned long long)w.image.len);
    snprintf(head, sizeof head, "HTTP/1.1 206 Part\r\nContent-Range: bytes %llu-%zu/%zu\r\n\r\n", from, end - 1, w.image.len);
    if (!text)
        snprintf(head, sizeof head, "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n", w.image.len);
    ret->body = w.image.file + from;
    ret->body_len = end - (size_t)from;
    if (server.cut && !which) {
        ret->body_len = MIN(ret->body_len, server.cut);
        broken = true;
    }
    log->requests[which]++;
    log->body[which] += ret->body_len;
}

static void machine_http(void)
{
    w.kernel_size = SMALL_KERNEL;
    w.version = next.version;
    set_up_http();
    host_disk_add(&w.machine, disk.data, TESTDISK_SIZE, disk.sector_size);
    run(next.script, &next.key, 0);
}

#define OVER_HTTP "#!ipxe\nset keep disk:\ndhcp\nchain http://10.0.0.1/image || echo no network\n"
static struct outcome *over(const char *script, uint8_t version)
{
    if (!log)
        log = mmap(NULL, sizeof *log, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    memset(log, 0, sizeof *log);
    next.script = script;
    next.version = version;
    next.key = key_a;
    return in_child(machine_http);
}

TEST(of_a_newer_image_only_what_changed_is_fetched)
{
    for (unsigned i = 0; i < ARRAY_SIZE(sector_sizes); i++) {
        make(sector_sizes[i], PARTITION);
        CHECK(kept(over(OVER_HTTP, 1), "keep: img is in slot A"));
        CHECK(disk_boots(1));
        struct outcome *out = over(OVER_HTTP, 2);
        CHECK(kept(out, "keep: img is in slot B"), said(out, "keep: 16 of 28 KiB are on the disk already"));
        CHECK(log->body[0] <= PAYLOAD_ALIGN + CHUNKS_CHANGED * CHUNK_SIZE_MIN);
        CHECK(disk_boots(2));
        out = over(OVER_HTTP, 2);
        CHECK(kept(out, "keep: img is on host disk 0 already"));
        CHECK_EQ(log->requests[0], 1);
        CHECK(log->body[0] <= PAYLOAD_ALIGN);
        CHECK_EQ(out->storage.writes, 0);
    }
}

// The transfer is given up when the list is here, and again when the last missing chunk is.
TEST(a_server_without_ranges_is_asked_for_all)
{
    make(512, PARTITION);
    server.no_ranges = true;
    CHECK(kept(over(OVER_HTTP, 1), "keep: img is in slot A"));
    struct outcome *out = over(OVER_HTTP, 2);
    CHECK(kept(out, "keep: img is in slot B"), said(out, "keep: 16 of 28 KiB are on the disk already"));
    CHECK_EQ(log->requests[0], 2);
    out = over(OVER_HTTP, 2);
    server.no_ranges = false;
    CHECK(kept(out, "keep: img is on host disk 0 already"));
    CHECK_EQ(log->requests[0], 1);
}

static void two_servers(void)
{
    set_up_http();
    run(next.script, &next.key, 0);
}

TEST(another_server_goes_on_where_one_failed)
{
    if (!log)
        log = mmap(NULL, sizeof *log, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    memset(log, 0, sizeof *log);
    server.cut = 200000;
    next.key = key_a;
    next.script = "#!ipxe\ndhcp\nchain http://10.0.0.1/image || chain http://10.0.0.2/image || echo FAILED\n";
    struct outcome *out = in_child(two_servers);
    server.cut = 0;
    CHECK(out->booted, out->memory_right, said(out, "are in memory already"));
    // The first one's chunks but for the one that was cut; the front once more.
    CHECK(log->body[0] == 200000, log->body[1] > 100000);
    CHECK(log->body[0] + log->body[1] <= KERNEL_SIZE + INITRD_SIZE + 3 * PAYLOAD_ALIGN + 2 * CHUNK_SIZE_MIN + STREAM_FRONT);
}

// --- TFTP, in blocks of 512 bytes ---

static void tftp_datagram(struct simnet *net, const struct net_addr *from, const struct net_addr *to, const uint8_t *data, size_t len)
{
    bool request = to->port == 69 && len > 2 && load16_be(data) == 1, ack = to->port == 3000 && len == 4 && load16_be(data) == 4;
    if (!request && !ack) {
        datagram(net, from, to, data, len);
        return;
    }
    uint32_t block = request ? 1 : load16_be(data + 2) + 1u;
    size_t at = (block - 1) * 512;
    if (at > w.image.len)
        return;
    uint8_t reply[516];
    struct net_addr me = w.server_addr;
    size_t n = MIN(w.image.len - at, (size_t)512);
    me.port = 3000;
    store16_be(reply, 3);
    store16_be(reply + 2, (uint16_t)block);
    memcpy(reply + 4, w.image.file + at, n);
    log->requests[0] += request;
    log->body[0] += n;
    simnet_send_udp(net, &me, from, reply, 4 + n);
}

static void machine_tftp(void)
{
    w.kernel_size = SMALL_KERNEL;
    w.version = next.version;
    set_up("img", key_a);
    w.net.udp = tftp_datagram;
    host_disk_add(&w.machine, disk.data, TESTDISK_SIZE, disk.sector_size);
    run(next.script, &next.key, 0);
}

static struct outcome *over_tftp(uint8_t version)
{
    memset(log, 0, sizeof *log);
    next.script = "#!ipxe\nset keep disk:\ndhcp\nchain tftp://10.0.0.1/image || echo no network\n";
    next.version = version;
    next.key = key_a;
    return in_child(machine_tftp);
}

// It has no ranges: what is at hand saves the transfer only where nothing, or nothing more, is missing.
TEST(tftp_ends_with_the_last_missing_byte)
{
    make(512, PARTITION);
    CHECK(kept(over_tftp(1), "keep: img is in slot A"));
    CHECK_EQ(log->requests[0], 2); // it is not known beforehand that the disk has nothing
    struct outcome *out = over_tftp(2);
    CHECK(kept(out, "keep: img is in slot B"), said(out, "keep: 16 of 28 KiB are on the disk already"));
    CHECK(disk_boots(2));
    out = over_tftp(2);
    CHECK(kept(out, "keep: img is on host disk 0 already"));
    CHECK_EQ(log->requests[0], 1);
    CHECK(log->body[0] <= PAYLOAD_ALIGN + 2 * 512); // the front, and what was under way
    CHECK_EQ(out->storage.writes, 0);
}

TEST_MAIN(T(of_a_newer_image_only_what_changed_is_fetched), T(a_server_without_ranges_is_asked_for_all),
          T(another_server_goes_on_where_one_failed), T(tftp_ends_with_the_last_missing_byte))
