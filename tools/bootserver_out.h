// SPDX-License-Identifier: MPL-2.0
// The boot server's standard output, which may be a pipe that nobody empties or a terminal that was stopped: what does not fit
// is dropped by whole lines and counted, and serving goes on.
#pragma once
#include "tool.h"
#include <poll.h>

#define OUT_BUFFER 65536

struct out {
    int fd;
    bool file;      // takes everything at once
    bool gone;      // nobody will ever read it
    char buffer[OUT_BUFFER];
    size_t used;
    uint64_t dropped, told; // lines that were dropped, and of how many of them the log tells
};

// Output to a descriptor. One that others share stays as it is for them: it is opened anew where it has to be.
void out_open(struct out *out, int fd);

// Text that belongs together (a line with its '\n'): all of it or nothing goes out. False: it was dropped.
bool out_write(struct out *out, const char *text, size_t len);

// Writes as much as is taken now.
void out_flush(struct out *out);

// True when something waits to be written; the descriptor is then put into *ret, to be polled.
bool out_poll(const struct out *out, struct pollfd *ret);

// Writes what is left, as long as somebody takes it, at most `ms` milliseconds.
void out_close(struct out *out, int ms);
