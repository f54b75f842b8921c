// SPDX-License-Identifier: MPL-2.0
// Images over HTTP from servers that break off, have no ranges, or lie about them: the download goes on where it stopped, no byte of
// the image is asked for twice, and what cannot be had ends with its name. On virtual time.
#include "host/testhttp.h"

#include "core/sink.h"

#define SECONDS 1000000ull
#define REQUESTS_MAX 600

// What the server does with requests for the image.
struct server {
    const char *name;
    size_t cut;        // bytes of a body, then the connection ends; 0: all
    unsigned cuts;     // so many times
    bool resets;       // the end is a reset
    bool no_ranges;    // the whole is sent whatever was asked for
    const char *range; // in place of a true Content-Range
    int length;        // added to a true Content-Length
    unsigned refuses;  // connections after the first
    bool gone;         // 404 after the first
    bool redirects;    // to another path each time
    bool changes;      // the file, after the first cut
    bool shrinks;      // the file ends at the first cut
    bool closes;       // no Content-Length: the end of the connection is that of the file
    unsigned silent;   // connections after the first
    bool boots;
    const char *code;
    unsigned requests; // for a body, at most
};
static struct server server;

// What was asked for, in memory that the child shares.
static struct {
    unsigned count;
    struct range asked[REQUESTS_MAX];
    uint64_t sent[REQUESTS_MAX];
} *log;

static char head[512];
static unsigned connections;

static void answer(const struct net_addr *to, const char *request, struct manners *ret)
{
    if (!request) {
        unsigned after = connections++;
        ret->refuses = after && after <= server.refuses;
        ret->at_once = ret->refuses || (after && after <= server.silent) ? NULL : "";
        return;
    }
    ret->at_once = head;
    ret->ends = true;
    if (server.redirects && strncmp(request, "GET /b", 6) != 0) {
        snprintf(head, sizeof head, "HTTP/1.1 302 Found\r\nLocation: /b%u\r\nContent-Length: 0\r\n\r\n", connections);
        return;
    }
    struct range *r = &log->asked[log->count];
    const char *text = strstr(request, "Range: bytes=");
    unsigned long long from = 0, last = RANGE_END - 1;
    if (text)
        (void)sscanf(text, "Range: bytes=%llu-%llu", &from, &last);
    *r = (struct range){ from, last + 1 };
    size_t size = server.shrinks && log->count ? server.cut : w.image.len;
    if (server.changes && log->count)
        for (size_t i = 0; i < w.image.seal.payload_size; i++)
            ((uint8_t *)(uintptr_t)w.image.payload)[i] ^= 1;
    bool part = text && !server.no_ranges;
    size_t begin = part ? (size_t)from : 0, end = part ? (size_t)MIN(last + 1, (unsigned long long)size) : size;
    if (begin >= size || (server.gone && log->count)) {
        snprintf(head, sizeof head, "HTTP/1.1 %s\r\nContent-Length: 0\r\n\r\n", begin >= size ? "416 No" : "404 Gone");
    } else {
        char range[100] = "", length[100] = "";
        snprintf(range, sizeof range, "Content-Range: bytes %zu-%zu/%zu\r\n", begin, end - 1, size);
        if (!server.closes)
            snprintf(length, sizeof length, "Content-Length: %zu\r\n", end - begin + (size_t)(log->count ? server.length : 0));
        snprintf(head, sizeof head, "HTTP/1.1 %s\r\n%s%s\r\n", part ? "206 Part" : "200 OK",
                 part ? server.range ? server.range : range : "", length);
        ret->body = w.image.file + begin;
        ret->body_len = end - begin;
        if (server.cuts && server.cut) {
            server.cuts--;
            ret->body_len = MIN(server.no_ranges ? server.cut * (log->count + 1) : server.cut, ret->body_len);
            ret->resets = server.resets;
        }
    }
    log->sent[log->count] = ret->body_len;
    if (log->count < REQUESTS_MAX - 1)
        log->count++;
}

static void fetch(void)
{
    set_up_http();
    run("#!ipxe\ndhcp\nchain http://10.0.0.1/image || echo FAILED\n", &key_a, 0);
}

static const struct server servers[] = {
    { "sound", .boots = true, .requests = 1 },
    { "cut once", .cut = 100000, .cuts = 1, .boots = true, .requests = 2 },
    { "cut in the seal", .cut = 100, .cuts = 1, .boots = true, .requests = 2 },
    { "cut in the list", .cut = 1000, .cuts = 1, .boots = true, .requests = 2 },
    { "reset again and again", .cut = 100000, .cuts = 3, .resets = true, .boots = true, .requests = 4 },
    { "no length, cut", .cut = 100000, .cuts = 1, .closes = true, .boots = true, .requests = 2 },
    { "no ranges", .cut = 100000, .cuts = 2, .no_ranges = true, .boots = true, .requests = 3 },
    { "redirects", .cut = 100000, .cuts = 2, .redirects = true, .boots = true, .requests = 3 },
    { "away for a while", .cut = 100000, .cuts = 1, .refuses = 3, .boots = true, .requests = 2 },
    { "silent once", .cut = 100000, .cuts = 1, .silent = 1, .boots = true, .requests = 2 },
    { "refuses from then on", .cut = 100000, .cuts = 1, .refuses = 1000, .code = "[N16]", .requests = 1 },
    { "silent from then on", .cut = 100000, .cuts = 1, .silent = 1000, .code = "[G03]", .requests = 1 },
    { "gone from then on", .cut = 100000, .cuts = 1, .gone = true, .code = "[G04]", .requests = 2 },
    { "after each byte", .cut = 1, .cuts = 1000000, .resets = true, .code = "[N12]", .requests = 12 },
    { "after each byte of the payload", .cut = 20, .cuts = 1000000, .code = "[G09]", .requests = 12 },
    { "another file", .cut = 100000, .cuts = 1, .changes = true, .code = "[S16]", .requests = 2 },
    { "a shorter file", .cut = 100000, .cuts = 1, .shrinks = true, .code = "[G09]", .requests = 2 },
    { "another range", .cut = 100000, .cuts = 1, .range = "Content-Range: bytes 99999-320000/320001\r\n", .code = "[N10]", .requests = 2 },
    { "multipart", .cut = 100000, .cuts = 1, .range = "Content-Type: multipart/byteranges; boundary=x\r\n", .code = "[N10]",
      .requests = 2 },
    { "a body that is too long", .cut = 100000, .cuts = 1, .length = 5, .code = "[N14]", .requests = 2 },
    { "a body that is too short", .cut = 100000, .cuts = 1, .length = -5, .code = "[N14]", .requests = 2 },
};

// Each request begins where the bytes before it ended.
static bool nothing_twice(void)
{
    uint64_t at = 0;
    for (unsigned i = 0; i < log->count; i++) {
        if (log->asked[i].from != at || log->asked[i].to != RANGE_END)
            return false;
        at = server.no_ranges ? log->sent[i] : at + log->sent[i];
    }
    return true;
}

TEST(broken_downloads_go_on_or_end_with_a_name)
{
    log = mmap(NULL, sizeof *log, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    for (unsigned i = 0; i < ARRAY_SIZE(servers); i++) {
        server = servers[i];
        memset(log, 0, sizeof *log);
        struct outcome *out = in_child(fetch);
        bool ended = server.boots ? out->booted && out->memory_right : said(out, server.code) && said(out, "FAILED");
        bool good = ended && log->count && log->count <= server.requests && nothing_twice() && out->live_allocations == 0 &&
                    out->now_us < 200 * SECONDS;
        if (!good)
            printf("  %s: %u requests, %.1f s\n%s\n", server.name, log->count, (double)out->now_us / SECONDS, out->transcript);
        CHECK(good);
    }
}

TEST_MAIN(T(broken_downloads_go_on_or_end_with_a_name))
