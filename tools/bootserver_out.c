// SPDX-License-Identifier: MPL-2.0
// See bootserver_out.h.
#include "bootserver_out.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

// A description of its own, so that O_NONBLOCK does not befall the shell or whoever else writes there.
static int reopen(int fd)
{
    char path[32];
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    return open(path, O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
}

void out_open(struct out *out, int fd)
{
    struct stat st;
    out->fd = fd;
    out->used = 0;
    out->dropped = out->told = 0;
    out->gone = fstat(fd, &st) != 0;
    out->file = !out->gone && S_ISREG(st.st_mode);
    if (!out->gone && (S_ISFIFO(st.st_mode) || S_ISCHR(st.st_mode))) {
        int own = reopen(fd);
        if (own >= 0)
            out->fd = own;
    }
}

static ssize_t put(const struct out *out, const char *text, size_t len)
{
    ssize_t n = send(out->fd, text, len, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (n >= 0 || errno != ENOTSOCK)
        return n;
    if (!out->file) {
        // Where it could not be opened anew, as much is written as poll() says there is room for.
        struct pollfd p = { .fd = out->fd, .events = POLLOUT };
        if (poll(&p, 1, 0) <= 0 || !(p.revents & (POLLOUT | POLLERR))) {
            errno = EAGAIN;
            return -1;
        }
        len = len < 512 ? len : 512; // less than PIPE_BUF
    }
    return write(out->fd, text, len);
}

void out_flush(struct out *out)
{
    size_t done = 0;
    while (done < out->used && !out->gone) {
        ssize_t n = put(out, out->buffer + done, out->used - done);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno == EAGAIN)
            break;
        if (n <= 0)
            // A full disk may have room again; a pipe without a reader never finds one.
            out->gone = errno == EPIPE || errno == ECONNRESET || errno == EBADF || errno == EIO;
        if (n <= 0) {
            out->dropped++;
            done = out->used;
            break;
        }
        done += (size_t)n;
    }
    if (out->gone)
        done = out->used;
    out->used -= done;
    memmove(out->buffer, out->buffer + done, out->used);
}

bool out_write(struct out *out, const char *text, size_t len)
{
    if (len > OUT_BUFFER - out->used)
        out_flush(out);
    if (out->gone || len > OUT_BUFFER - out->used) {
        out->dropped++;
        return false;
    }
    memcpy(out->buffer + out->used, text, len);
    out->used += len;
    out_flush(out);
    return true;
}

bool out_poll(const struct out *out, struct pollfd *ret)
{
    *ret = (struct pollfd){ .fd = out->fd, .events = POLLOUT };
    return out->used > 0 && !out->gone;
}

void out_close(struct out *out, int ms)
{
    struct pollfd p;
    while (ms > 0 && (out_flush(out), out_poll(out, &p))) {
        (void)poll(&p, 1, 10);
        ms -= 10;
    }
    if (out->fd != STDOUT_FILENO)
        close(out->fd);
}
