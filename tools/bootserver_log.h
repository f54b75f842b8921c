// SPDX-License-Identifier: MPL-2.0
// What the boot server says: one line an event on standard output ("TIME boot done client=... ..."), and on a
// terminal a line below that shows the progress of the boots under way.
#pragma once
#include "bootserver_images.h"
#include "bootserver_limit.h"
#include "bootserver_net.h"
#include "bootserver_out.h"

// What was told of a client.
struct log_story {
    uint32_t serial, silent; // the client's; of the one whose silence was told, or is no news
    uint64_t began;
};

struct server_log {
    bool terminal;
    bool shown; // a progress line is on the screen
    const struct net *net;
    const struct p2_server *server;
    const struct images *images;
    struct log_story *stories; // one for each peer
    struct p2_event wanting;   // the last NO_IMAGE, and when it was told
    uint64_t wanting_at;
    struct limit limit;
    struct out out;
};

// The other fields must be set.
void log_open(struct server_log *log);
void log_close(struct server_log *log);

// Tells of clients that fell silent in the middle of a boot, each once.
void log_silent(struct server_log *log, uint64_t now);

// A value for a line: as it is when it is one word of plain characters, else in quotes. Nothing in it can end the quotes, begin
// another line or steer a terminal. Returns text.
#define LOG_VALUE_MAX 512
const char *log_value(const char *value, char text[LOG_VALUE_MAX]);
const char *log_quoted(const char *value, char text[LOG_VALUE_MAX]);

// A line of its own. `what` is "boot done" and the like; the format makes "key=value" pairs.
void log_line(struct server_log *log, const char *what, const char *format, ...) PRINTF_LIKE(3, 4);

// An image_notice.
void log_image(void *log, enum image_change change, const char *path, const struct image *image, const char *reason);

// An event of the protocol machine.
void log_event(struct server_log *log, const struct p2_event *event, uint64_t now);

// Draws the progress line anew (on a terminal only), or takes it away.
void log_progress(struct server_log *log, uint64_t now);
void log_clear(struct server_log *log);
