// SPDX-License-Identifier: MPL-2.0
// See http_request.h.
#include "proto/http_request.h"

#include "base/fmt.h"

int http_request(char *buf, size_t cap, const struct http_ask *ask)
{
    const struct uri *uri = ask->uri;
    const struct range *range = ask->range;
    const char *open = uri->host_is_v6 ? "[" : "", *close = uri->host_is_v6 ? "]" : "";
    char port[8] = "", last[24] = "", part[64] = "", body[80] = "";
    if (range->to != RANGE_END)
        fmt_snprintf(last, sizeof last, "%llu", (unsigned long long)range->to - 1);
    if (range->from || range->to != RANGE_END)
        fmt_snprintf(part, sizeof part, "Range: bytes=%llu-%s\r\n", (unsigned long long)range->from, last);
    if (uri->port)
        fmt_snprintf(port, sizeof port, ":%u", uri->port);
    if (ask->form)
        fmt_snprintf(body, sizeof body, "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: %u\r\n", (unsigned)strlen(ask->form));
    size_t len = (size_t)fmt_snprintf(buf, cap, "%s ", ask->method);
    int target = len < cap ? uri_request_target(uri, buf + len, cap - len) : ERR_TOO_LARGE;
    if (target < 0)
        return target;
    len += (size_t)target;
    len += (size_t)fmt_snprintf(buf + len, cap - len, " HTTP/1.1\r\nHost: %s%s%s%s\r\nUser-Agent: %s\r\nAccept: */*\r\n%s%s"
                                "Connection: keep-alive\r\n%s%s\r\n%s", open, uri->host, close, port, ask->agent, part, body,
                                ask->authorization, ask->headers, ask->form ? ask->form : "");
    return len < cap ? (int)len : ERR_TOO_LARGE;
}
