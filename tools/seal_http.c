// SPDX-License-Identifier: MPL-2.0
// See seal_http.h.
#include "seal_http.h"
#include "proto/http.h"
#include "tool.h"
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#define PIECE ((size_t)64 * 1024)
#define HTTP_SERVICE "80"

static int error_of(int err)
{
    return err == ECONNREFUSED ? ERR_CONN_REFUSED : err == ECONNRESET ? ERR_CONN_RESET :
           err == EAGAIN || err == ETIMEDOUT || err == EINPROGRESS ? ERR_TIMED_OUT : ERR_NET_NO_ROUTE;
}

// The first of the name's addresses that answers. *ret is the socket.
static int connect_to(const struct uri *uri, int *ret)
{
    char service[8];
    const struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
    const struct timeval limit = { .tv_sec = SEAL_HTTP_SECONDS };
    struct addrinfo *list;
    int err = ERR_DNS_FAILED;
    snprintf(service, sizeof service, "%u", uri->port);
    if (getaddrinfo(uri->host, uri->port ? service : HTTP_SERVICE, &hints, &list) != 0)
        return err;
    for (const struct addrinfo *a = list; a && err; a = a->ai_next) {
        int fd = socket(a->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (fd < 0)
            continue;
        (void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
        (void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
        err = connect(fd, a->ai_addr, a->ai_addrlen) == 0 ? 0 : error_of(errno);
        if (err)
            close(fd);
        else
            *ret = fd;
    }
    freeaddrinfo(list);
    return err;
}

static int ask(int fd, const struct uri *uri)
{
    char target[URI_TEXT_MAX], port[8] = "";
    int r = uri_request_target(uri, target, sizeof target);
    if (r < 0)
        return r;
    if (uri->port)
        snprintf(port, sizeof port, ":%u", uri->port);
    char *text = tool_format("GET %s HTTP/1.1\r\nHost: %s%s%s%s\r\nUser-Agent: signet\r\nConnection: close\r\n\r\n", target,
                             uri->host_is_v6 ? "[" : "", uri->host, uri->host_is_v6 ? "]" : "", port);
    ssize_t n = send(fd, text, strlen(text), MSG_NOSIGNAL);
    r = n == (ssize_t)strlen(text) ? 0 : error_of(n < 0 ? errno : EAGAIN);
    free(text);
    return r;
}

static int sink(void *ctx, const uint8_t *data, size_t len)
{
    for (ssize_t n; len > 0; data += n, len -= (size_t)n)
        if ((n = write(*(const int *)ctx, data, len)) <= 0)
            return ERR_IO;
    return 0;
}

static int receive(int fd, struct http_response *response)
{
    uint8_t *piece = tool_alloc(PIECE);
    int r = 0;
    while (r == 0 && http_result(response) == PENDING) {
        ssize_t n = recv(fd, piece, PIECE, 0);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            r = error_of(errno);
        else if (n == 0)
            http_closed(response);
        else
            (void)http_input(response, piece, (size_t)n);
    }
    free(piece);
    return r ? r : http_result(response);
}

static int get_once(const struct uri *uri, int out, struct http_response *response)
{
    const struct range all = { 0, RANGE_END };
    int fd, r = strcmp(uri->scheme, "http") == 0 ? connect_to(uri, &fd) : ERR_UNSUPPORTED;
    if (r)
        return r;
    http_init(response, &all, sink, &out);
    r = ask(fd, uri);
    if (r == 0)
        r = receive(fd, response);
    close(fd);
    return r;
}

int seal_http_get(const struct uri *uri, int fd)
{
    struct http_response *response = tool_alloc(sizeof *response);
    struct uri *uris = tool_alloc(2 * sizeof *uris); // where it is, and what it leads to
    int r = 0;
    uris[0] = *uri;
    for (unsigned i = 0;; i++) {
        r = get_once(&uris[0], fd, response);
        if (r || !response->location[0])
            break;
        struct uri *target = tool_alloc(sizeof *target);
        r = i == HTTP_REDIRECTS_MAX ? ERR_HTTP_ERROR : uri_parse(response->location, target);
        if (r == 0)
            r = uri_resolve(&uris[0], target, &uris[1]);
        free(target);
        if (r)
            break;
        uris[0] = uris[1];
    }
    free(uris);
    free(response);
    return r;
}
