// SPDX-License-Identifier: MPL-2.0
// Log lines and the progress line.
#include "bootserver_log.h"
#include "bootserver_machine.h"
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define ACTIVE 10000000u // us of silence after which a client is not shown as booting any more
#define SILENT 30000000u // us after which a boot that did not end is given up for lost
#define NAMED_CLIENTS 3  // in the progress line; the others are counted
#define SAME_QUESTION 5000000u // us within which a question by the other family of addresses is the same one
#define LAST_WORDS_MS 1000 // to wait for whoever reads the log, at the end
#define CLIENT_MAX 512
#define LINE_MAX_BYTES 4096 // PIPE_BUF: lines of several writers into one pipe are not mixed

void log_open(struct server_log *log)
{
    log->terminal = isatty(STDOUT_FILENO);
    out_open(&log->out, STDOUT_FILENO);
    log->stories = tool_alloc(log->server->config.peer_count * sizeof *log->stories);
    log->limit.secret = load32_le(log->server->config.instance);
}

void log_close(struct server_log *log)
{
    log_clear(log);
    out_close(&log->out, LAST_WORDS_MS);
    free(log->stories);
    log->stories = NULL;
}

void log_clear(struct server_log *log)
{
    static const char clear[] = "\r\033[K";
    if (log->shown)
        out_write(&log->out, clear, sizeof clear - 1);
    log->shown = false;
}

// ---- values --------------------------------------------------------------------------------------------

const char *log_quoted(const char *value, char text[LOG_VALUE_MAX])
{
    char *p = text, *end = text + LOG_VALUE_MAX - 4; // room for an escape, the quote, NUL
    *p++ = '"';
    for (; *value && p < end; value++) {
        if (*value == '"' || *value == '\\')
            *p++ = '\\';
        *p++ = (unsigned char)*value < 0x20 || *value == 0x7f ? '?' : *value;
    }
    *p++ = '"';
    *p = '\0';
    return text;
}

const char *log_value(const char *value, char text[LOG_VALUE_MAX])
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-+:/@~";
    if (!*value || value[strspn(value, plain)] || strlen(value) >= LOG_VALUE_MAX)
        return log_quoted(value, text);
    strcpy(text, value);
    return text;
}

// ---- lines ---------------------------------------------------------------------------------------------

static void stamp(char *text, size_t cap)
{
    struct timeval tv;
    struct tm tm;
    char seconds[32];
    gettimeofday(&tv, NULL);
    gmtime_r(&tv.tv_sec, &tm);
    strftime(seconds, sizeof seconds, "%Y-%m-%dT%H:%M:%S", &tm);
    snprintf(text, cap, "%s.%03dZ", seconds, (int)(tv.tv_usec / 1000));
}

static void put_line(struct server_log *log, const char *what, const char *fields)
{
    char line[LINE_MAX_BYTES], when[48];
    stamp(when, sizeof when);
    int n = snprintf(line, sizeof line, "%s %s %s\n", when, what, fields);
    if ((size_t)n >= sizeof line)
        line[sizeof line - 2] = '\n';
    log_clear(log);
    out_write(&log->out, line, MIN((size_t)n, sizeof line - 1));
}

void log_line(struct server_log *log, const char *what, const char *format, ...)
{
    char line[LINE_MAX_BYTES];
    uint64_t dropped = log->out.dropped;
    va_list args;
    va_start(args, format);
    vsnprintf(line, sizeof line, format, args);
    va_end(args);
    if (dropped != log->out.told && !log->out.gone && log->out.used == 0) {
        char count[64];
        log->out.told = dropped;
        snprintf(count, sizeof count, "lines=%" PRIu64, dropped);
        put_line(log, "log dropped", count);
    }
    put_line(log, what, line);
}

void log_image(void *ctx, enum image_change change, const char *path, const struct image *image, const char *reason)
{
    static const char *const words[] = {
        [IMAGE_LOADED] = "image loaded",   [IMAGE_REPLACED] = "image replaced",
        [IMAGE_CHANGED_IN_PLACE] = "image changed in place", [IMAGE_GONE] = "image gone",
        [IMAGE_REFUSED] = "image refused", [IMAGE_RELEASED] = "image released", [FOLDER_UNREADABLE] = "folder unreadable",
    };
    char id[2 * P2_TAG_SIZE + 1] = "", file[LOG_VALUE_MAX], name[LOG_VALUE_MAX], text[LOG_VALUE_MAX];
    log_quoted(path, file);
    if (!image) {
        log_line(ctx, words[change], "file=%s text=%s", file, log_quoted(reason, text));
        return;
    }
    tool_hex(image->p2.id, P2_TAG_SIZE, id);
    log_value(image->name, name);
    if (change == IMAGE_CHANGED_IN_PLACE)
        log_line(ctx, words[change], "file=%s image=%s id=%s text=%s", file, name, id,
                 log_quoted(reason ? reason : "boots under way will have to begin again; replace images by rename", text));
    else
        log_line(ctx, words[change], "file=%s image=%s counter=%" PRIu64 " bytes=%" PRIu64 " signatures=%u id=%s", file, name,
                 image->counter, image->p2.payload_size, image->signatures, id);
}

static bool nonzero(const uint8_t *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (bytes[i])
            return true;
    return false;
}

// "client=... mac=... uuid=... arch=... version=...", as far as known.
static void client_fields(const struct server_log *log, const struct p2_peer *peer, char *text, size_t cap)
{
    char addr[NET_CLIENT_TEXT_MAX], value[LOG_VALUE_MAX];
    const struct p2_facts *f = &peer->facts;
    int n = snprintf(text, cap, "client=%s", net_client_text(log->net, &peer->addr, addr));
    if (nonzero(f->mac, sizeof f->mac))
        n += snprintf(text + n, cap - (size_t)n, " mac=%02x:%02x:%02x:%02x:%02x:%02x", f->mac[0], f->mac[1], f->mac[2],
                      f->mac[3], f->mac[4], f->mac[5]);
    if (nonzero(f->uuid, sizeof f->uuid)) {
        const uint8_t *u = f->uuid;
        n += snprintf(text + n, cap - (size_t)n, " uuid=%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x",
                      u[0], u[1], u[2], u[3], u[4], u[5], u[6], u[7], u[8], u[9], u[10], u[11], u[12], u[13], u[14],
                      u[15]);
    }
    if (*f->arch)
        n += snprintf(text + n, cap - (size_t)n, " arch=%s", log_value(f->arch, value));
    if (*f->version)
        snprintf(text + n, cap - (size_t)n, " version=%s", log_value(f->version, value));
}

static const char *image_name(const struct server_log *log, const uint8_t *tag, char text[LOG_VALUE_MAX])
{
    struct p2_images set = images_interface((struct images *)log->images);
    const struct p2_image *image = set.by_tag(set.ctx, tag);
    return image ? log_value(image->name, text) : "?";
}

// ---- clients -------------------------------------------------------------------------------------------

// A line about a client, unless its source has had its share.
static void client_line(struct server_log *log, uint64_t now, const char *what, const struct p2_peer *peer, const char *format,
                        ...) PRINTF_LIKE(5, 6);
static void client_line(struct server_log *log, uint64_t now, const char *what, const struct p2_peer *peer, const char *format, ...)
{
    char client[CLIENT_MAX], rest[LINE_MAX_BYTES - CLIENT_MAX], more[64] = "";
    uint64_t left_out;
    va_list args;
    if (!limit_pass(&log->limit, &peer->addr, now, &left_out))
        return;
    va_start(args, format);
    vsnprintf(rest, sizeof rest, format, args);
    va_end(args);
    if (left_out)
        snprintf(more, sizeof more, " left_out=%" PRIu64, left_out);
    client_fields(log, peer, client, sizeof client);
    log_line(log, what, "%s %s%s", client, rest, more);
}

// The same machine by another family of addresses: one server is two to a client that knows it by IPv4 and by IPv6, and when one
// way fails it takes the other.
static bool same_machine(const struct p2_peer *a, const struct p2_peer *b)
{
    return machine_same(a, b) && net_addr_is_v4(&a->addr) != net_addr_is_v4(&b->addr);
}

static uint64_t began(const struct server_log *log, uint32_t index, const struct p2_peer *peer)
{
    const struct log_story *story = &log->stories[index];
    return story->serial == peer->serial ? story->began : peer->first_seen;
}

// Goes on with the story that a client's machine has under its other address: nothing is told of that any more. False when it
// has none.
static bool take_over(struct server_log *log, const struct p2_event *e, uint64_t now)
{
    bool found = false;
    uint64_t since = e->peer.first_seen;
    for (uint32_t i = 0; i < log->server->config.peer_count; i++) {
        const struct p2_peer *p = &log->server->config.peers[i];
        if (!p->used || !p->validated || p->stage == P2_STAGE_FINISHED || now - p->last_seen > SILENT ||
            !same_machine(p, &e->peer))
            continue;
        since = MIN(since, began(log, i, p));
        log->stories[i].silent = p->serial;
        found = true;
    }
    log->stories[e->index].serial = e->peer.serial;
    log->stories[e->index].began = since;
    return found;
}

static void log_finished(struct server_log *log, const struct p2_event *e, uint64_t now)
{
    const struct p2_finished *f = &e->finished;
    double seconds = (double)(now - began(log, e->index, &e->peer)) / 1e6;
    bool good = f->outcome == P2_OUTCOME_BOOTING || f->outcome == P2_OUTCOME_VERIFIED;
    char name[LOG_VALUE_MAX], code[LOG_VALUE_MAX], text[LOG_VALUE_MAX];
    const char *image = image_name(log, f->tag, name);
    (void)take_over(log, e, now);
    if (good)
        client_line(log, now, f->outcome == P2_OUTCOME_BOOTING ? "boot done" : "fetch done", &e->peer,
                    "image=%s bytes=%" PRIu64 " seconds=%.2f MB/s=%.1f lost=%u duplicates=%u transport_ms=%u digest_ms=%u",
                    image, f->bytes, seconds, seconds > 0 ? (double)f->bytes / 1e6 / seconds : 0.0, f->lost, f->duplicates,
                    f->transport_ms, f->digest_ms);
    else
        client_line(log, now, f->outcome == P2_OUTCOME_REFUSED ? "boot refused" : "boot failed", &e->peer,
                    "image=%s code=%s text=%s bytes=%" PRIu64 " seconds=%.2f lost=%u", image, log_value(f->code, code),
                    log_quoted(f->text, text), f->bytes, seconds, f->lost);
}

static void log_wanting(struct server_log *log, const struct p2_event *e, uint64_t now)
{
    char name[LOG_VALUE_MAX], choice[LOG_VALUE_MAX], text[LOG_VALUE_MAX];
    const struct p2_event *last = &log->wanting;
    if (now - log->wanting_at < SAME_QUESTION && same_machine(&e->peer, &last->peer) && strcmp(e->name, last->name) == 0)
        return;
    log->wanting = *e;
    log->wanting_at = now;
    log_quoted(e->name, name);
    if (*e->name || !images_choice(log->images, choice, sizeof choice))
        client_line(log, now, "image wanting", &e->peer, "name=%s", name);
    else
        client_line(log, now, "image wanting", &e->peer, "name=%s text=%s", name, log_quoted(choice, text));
}

void log_event(struct server_log *log, const struct p2_event *e, uint64_t now)
{
    char name[LOG_VALUE_MAX];
    switch (e->type) {
    case P2_EVENT_CLIENT:
        if (!take_over(log, e, now))
            client_line(log, now, "boot start", &e->peer, "image=%s bytes=%" PRIu64, image_name(log, e->peer.tag, name),
                        e->peer.payload_size);
        break;
    case P2_EVENT_FINISHED:
        log_finished(log, e, now);
        break;
    case P2_EVENT_NO_IMAGE:
        log_wanting(log, e, now);
        break;
    default: // SEAL and PROGRESS show in the progress line
        break;
    }
}

void log_silent(struct server_log *log, uint64_t now)
{
    for (uint32_t i = 0; i < log->server->config.peer_count; i++) {
        const struct p2_peer *p = &log->server->config.peers[i];
        char name[LOG_VALUE_MAX];
        if (!p->used || !p->validated || p->stage == P2_STAGE_FINISHED || now - p->last_seen < SILENT ||
            log->stories[i].silent == p->serial)
            continue;
        log->stories[i].silent = p->serial;
        client_line(log, now, "boot silent", p, "image=%s verified=%" PRIu64 " bytes=%" PRIu64 " seconds=%.0f",
                    image_name(log, p->tag, name), p->verified, p->payload_size, (double)(now - p->last_seen) / 1e6);
    }
}

void log_progress(struct server_log *log, uint64_t now)
{
    char line[256] = "";
    unsigned shown = 0, others = 0;
    int n = 0;
    if (!log->terminal)
        return;
    for (uint32_t i = 0; i < log->server->config.peer_count; i++) {
        const struct p2_peer *p = &log->server->config.peers[i];
        if (!p->used || !p->validated || p->stage == P2_STAGE_FINISHED || now - p->last_seen > ACTIVE)
            continue;
        if (shown == NAMED_CLIENTS) {
            others++;
            continue;
        }
        char addr[NET_CLIENT_TEXT_MAX];
        double seconds = (double)(now - p->first_seen) / 1e6;
        n += snprintf(line + n, sizeof line - (size_t)n, "%s%.48s %u %% %.1f MB/s", shown++ ? ", " : "",
                      net_client_text(log->net, &p->addr, addr),
                      p->payload_size ? (unsigned)(p->verified * 100 / p->payload_size) : 0,
                      seconds > 0 ? (double)p->sent_bytes / 1e6 / seconds : 0.0);
    }
    if (others)
        snprintf(line + n, sizeof line - (size_t)n, ", and %u more", others);
    if (!*line && !log->shown)
        return;
    // A line that wraps could not be taken away again.
    struct winsize size;
    int columns = ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 1 ? size.ws_col - 1 : 79;
    char text[sizeof line + 8];
    n = snprintf(text, sizeof text, "\r\033[K%.*s", columns, line);
    out_write(&log->out, text, (size_t)n);
    log->shown = *line != '\0';
}
