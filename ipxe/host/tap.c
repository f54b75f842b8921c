// SPDX-License-Identifier: MPL-2.0
// A tap device as the wire.
#include "host/host.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <unistd.h>

int host_tap_open(const char *name)
{
    int fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0)
        return -1;
    struct ifreq request = { .ifr_flags = IFF_TAP | IFF_NO_PI };
    strncpy(request.ifr_name, name, IFNAMSIZ - 1);
    if (ioctl(fd, TUNSETIFF, &request) != 0) {
        int saved = errno;
        close(fd);
        errno = saved;
        return -1;
    }
    return fd;
}

static int tap_send(void *ctx, const void *frame, size_t len)
{
    return write(*(int *)ctx, frame, len) == (ssize_t)len ? 0 : ERR_NET_LINK;
}

static int tap_receive(void *ctx, void *buf, size_t cap)
{
    ssize_t n = read(*(int *)ctx, buf, cap);
    return n > 0 ? (int)n : 0;
}

struct host_wire host_tap_wire(int *fd)
{
    return (struct host_wire){ .ctx = fd, .send = tap_send, .receive = tap_receive };
}
