// SPDX-License-Identifier: MPL-2.0
// Log lines and the progress line.
#include "bootserver_log.h"
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

void log_open(struct server_log *log)
{
    log->terminal = isatty(STDOUT_FILENO);
    setvbuf(stdout, NULL, _IOLBF, 0);
}

void log_close(struct server_log *log)
{
    log_clear(log);
    free(log->silent);
    log->silent = NULL;
}

void log_clear(struct server_log *log)
{
    if (log->shown)
        printf("\r\033[K");
    log->shown = false;
}

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

void log_line(struct server_log *log, const char *what, const char *format, ...)
{
    char line[1024], when[48];
    va_list args;
    va_start(args, format);
    vsnprintf(line, sizeof line, format, args);
    va_end(args);
    stamp(when, sizeof when);
    log_clear(log);
    // File names and clients' texts: nothing of them may steer a terminal or begin a line of its own.
    for (char *p = line; *p; p++)
        if ((unsigned char)*p < 0x20 || *p == 0x7f)
            *p = '?';
    printf("%s %s %s\n", when, what, line);
}

void log_image(void *ctx, enum image_change change, const char *path, const struct image *image, const char *reason)
{
    static const char *const words[] = {
        [IMAGE_LOADED] = "image loaded",   [IMAGE_REPLACED] = "image replaced",
        [IMAGE_CHANGED_IN_PLACE] = "image changed in place", [IMAGE_GONE] = "image gone",
        [IMAGE_REFUSED] = "image refused", [IMAGE_RELEASED] = "image released",
    };
    char id[2 * P2_TAG_SIZE + 1] = "";
    if (image)
        tool_hex(image->p2.id, P2_TAG_SIZE, id);
    if (!image)
        log_line(ctx, words[change], "file=\"%s\" text=\"%s\"", path, reason);
    else if (change == IMAGE_CHANGED_IN_PLACE)
        log_line(ctx, words[change], "file=\"%s\" image=%s id=%s text=\"%s\"", path, image->name, id,
                 reason ? reason : "boots under way will have to begin again; replace images by rename");
    else
        log_line(ctx, words[change], "file=\"%s\" image=%s counter=%" PRIu64 " bytes=%" PRIu64 " signatures=%u id=%s", path,
                 image->name, image->counter, image->p2.payload_size, image->signatures, id);
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
    char addr[NET_CLIENT_TEXT_MAX];
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
        n += snprintf(text + n, cap - (size_t)n, " arch=%s", f->arch);
    if (*f->version)
        snprintf(text + n, cap - (size_t)n, " version=%s", f->version);
}

static const char *image_name(const struct server_log *log, const uint8_t *tag)
{
    struct p2_images set = images_interface((struct images *)log->images);
    const struct p2_image *image = set.by_tag(set.ctx, tag);
    return image ? image->name : "?";
}

static void log_finished(struct server_log *log, const struct p2_event *e, const char *client, uint64_t now)
{
    const struct p2_finished *f = &e->finished;
    double seconds = (double)(now - e->peer.first_seen) / 1e6;
    bool good = f->outcome == P2_OUTCOME_BOOTING || f->outcome == P2_OUTCOME_VERIFIED;
    const char *name = image_name(log, f->tag);
    if (good)
        log_line(log, f->outcome == P2_OUTCOME_BOOTING ? "boot done" : "fetch done",
                 "%s image=%s bytes=%" PRIu64 " seconds=%.2f MB/s=%.1f lost=%u duplicates=%u transport_ms=%u digest_ms=%u",
                 client, name, f->bytes, seconds, seconds > 0 ? (double)f->bytes / 1e6 / seconds : 0.0, f->lost,
                 f->duplicates, f->transport_ms, f->digest_ms);
    else
        log_line(log, f->outcome == P2_OUTCOME_REFUSED ? "boot refused" : "boot failed",
                 "%s image=%s code=%s text=\"%s\" bytes=%" PRIu64 " seconds=%.2f lost=%u", client, name, f->code,
                 f->text, f->bytes, seconds, f->lost);
}

void log_event(struct server_log *log, const struct p2_event *e, uint64_t now)
{
    char client[256];
    client_fields(log, &e->peer, client, sizeof client);
    switch (e->type) {
    case P2_EVENT_CLIENT:
        log_line(log, "boot start", "%s image=%s bytes=%" PRIu64, client, image_name(log, e->peer.tag),
                 e->peer.payload_size);
        break;
    case P2_EVENT_FINISHED:
        log_finished(log, e, client, now);
        break;
    case P2_EVENT_NO_IMAGE:
        log_line(log, "image wanting", "%s name=\"%s\"", client, e->name);
        break;
    default: // SEAL and PROGRESS show in the progress line
        break;
    }
}

void log_silent(struct server_log *log, uint64_t now)
{
    uint32_t count = log->server->config.peer_count;
    if (!log->silent)
        log->silent = tool_alloc(count * sizeof *log->silent);
    for (uint32_t i = 0; i < count; i++) {
        const struct p2_peer *p = &log->server->config.peers[i];
        char client[256];
        if (!p->used || !p->validated || p->stage == P2_STAGE_FINISHED || now - p->last_seen < SILENT ||
            log->silent[i] == p->serial)
            continue;
        log->silent[i] = p->serial;
        client_fields(log, p, client, sizeof client);
        log_line(log, "boot silent", "%s image=%s verified=%" PRIu64 " bytes=%" PRIu64 " seconds=%.0f", client,
                 image_name(log, p->tag), p->verified, p->payload_size, (double)(now - p->last_seen) / 1e6);
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
    printf("\r\033[K%.*s", columns, line);
    fflush(stdout);
    log->shown = *line != '\0';
}
