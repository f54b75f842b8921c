// SPDX-License-Identifier: MPL-2.0
// The transports that carry files: TFTP and HTTP, between lwIP and the sink.
#include "base/fmt.h"
#include "base/version.h"
#include "core/sink.h"
#include "net/net.h"
#include "proto/http.h"
#include "proto/tftp.h"

static int sink_data(void *ctx, const uint8_t *data, size_t len)
{
    return core_sink_data(ctx, data, len);
}

// The address of a URI's host; the next server of DHCP when it names none.
static int server_of(struct core *core, const struct uri *uri, uint16_t port, struct net_addr *ret)
{
    int err = core_open_network(core);
    if (err)
        return err;
    if (uri->host[0])
        return core_resolve(core, uri, port, ret);
    const uint8_t *ip;
    size_t len;
    enum setting_type type;
    if (settings_find(&core->settings, "next-server", &ip, &len, &type) != 0 || len != 4)
        return ERR_URI_MALFORMED;
    *ret = net_addr_v4(ip, uri->port ? uri->port : port);
    return 0;
}

// --- TFTP ---

struct tftp_fetch {
    struct core *core;
    struct tftp_client client;
};

static void tftp_received(void *ctx, unsigned nic, const struct net_addr *from, const uint8_t *data, size_t len)
{
    struct tftp_fetch *f = ctx;
    tftp_input(&f->client, from, data, len, core_now(f->core));
}

static int tftp_run(struct tftp_fetch *f, struct net_udp *udp)
{
    int result;
    do {
        uint8_t packet[TFTP_REQUEST_MAX];
        struct net_addr to;
        size_t len;
        while ((len = tftp_output(&f->client, packet, sizeof packet, &to, core_now(f->core))) > 0)
            (void)net_udp_send(udp, &to, packet, len);
        result = tftp_result(&f->client);
        int err = result == 1 ? core_turn(f->core) : 0;
        if (err)
            tftp_abort(&f->client, err); // the server is told in the next round
    } while (result == 1);
    return result;
}

// Of the narrowest card that is open: which of them leads to the server is lwIP's secret.
static uint16_t narrowest_mtu(void)
{
    uint16_t mtu = 0;
    for (unsigned nic = 0; nic < net_nic_count(); nic++)
        if (net_is_open(nic) && net_nic(nic)->mtu && (!mtu || net_nic(nic)->mtu < mtu))
            mtu = net_nic(nic)->mtu;
    return mtu;
}

int core_tftp_fetch(struct core *core, const struct uri *uri)
{
    static struct tftp_fetch fetch;
    struct core_sink *sink;
    char name[TFTP_FILENAME_MAX];
    struct net_addr server;
    fetch.core = core;
    console_say("tftp", "fetching %s from %s", uri->path, uri->host[0] ? uri->host : "the next server");
    int err = uri_path_name(uri, name, sizeof name);
    if (err >= 0)
        err = server_of(core, uri, TFTP_PORT, &server);
    if (!err)
        err = core_sink_open(&sink, core, uri);
    if (err) {
        console_error("tftp", err, "cannot fetch %s", uri->path);
        return err;
    }
    err = tftp_init(&fetch.client, name, &server, narrowest_mtu(), sink_data, sink, core_now(core));
    struct net_udp *udp = err ? NULL : net_udp_open(0, tftp_received, &fetch);
    if (!err)
        err = udp ? tftp_run(&fetch, udp) : ERR_NO_MEMORY;
    net_udp_close(udp);
    if (fetch.client.message[0])
        console_say("tftp", "the server says: %s", fetch.client.message);
    return core_sink_close(sink, err);
}

// --- HTTP ---

struct http_fetch {
    struct core *core;
    struct net_tcp *tcp;
    struct http_response response;
    int error; // of the connection
    char request[HTTP_REQUEST_MAX];
    size_t request_len;
    bool ended;
};

static void http_event(void *ctx, enum net_tcp_event event, const uint8_t *data, size_t len)
{
    struct http_fetch *f = ctx;
    if (event == NET_TCP_CONNECTED)
        f->error = net_tcp_send(f->tcp, f->request, f->request_len);
    else if (event == NET_TCP_DATA)
        (void)http_input(&f->response, data, len);
    else if (event == NET_TCP_CLOSED)
        http_closed(&f->response);
    else {
        f->tcp = NULL; // dead already
        f->error = ERR_CONN_RESET;
    }
}

static int http_build(struct http_fetch *f, const struct uri *uri)
{
    char host[URI_HOST_MAX + 16], target[URI_PATH_MAX + URI_QUERY_MAX], agent[48];
    int err = uri_request_target(uri, target, sizeof target);
    if (err < 0)
        return err;
    const char *open = uri->host_is_v6 ? "[" : "", *close = uri->host_is_v6 ? "]" : "";
    if (uri->port)
        fmt_snprintf(host, sizeof host, "%s%s%s:%u", open, uri->host, close, uri->port);
    else
        fmt_snprintf(host, sizeof host, "%s%s%s", open, uri->host, close);
    fmt_snprintf(agent, sizeof agent, "Signet/%s", signet_version);
    err = http_request(f->request, sizeof f->request, host, target, agent);
    if (err < 0)
        return err;
    f->request_len = (size_t)err;
    return 0;
}

// One request. 0 when the body is in the sink, or a redirect is in response.location.
static int http_once(struct http_fetch *f, const struct uri *uri, struct core_sink *sink)
{
    struct net_addr server;
    int err = server_of(f->core, uri, HTTP_PORT, &server);
    if (!err)
        err = http_build(f, uri);
    if (err)
        return err;
    f->error = 0;
    http_init(&f->response, sink_data, sink);
    f->tcp = net_tcp_connect(&server, http_event, f);
    if (!f->tcp)
        return ERR_NO_MEMORY;
    int result;
    while ((result = http_result(&f->response)) == 1 && !f->error)
        if ((err = core_turn(f->core)) != 0)
            break;
    net_tcp_close(f->tcp);
    if (err)
        return err;
    if (result == 1)
        return f->error;
    if (result == ERR_HTTP_ERROR)
        console_say("http", "the server answered %u", f->response.status);
    return result;
}

int core_http_fetch(struct core *core, const struct uri *uri)
{
    static struct http_fetch fetch;
    static struct uri here, reference, next; // 2 KiB each: off the stack
    struct core_sink *sink;
    fetch.core = core;
    here = *uri;
    console_say("http", "fetching %s from %s", here.path, here.host);
    int err = core_sink_open(&sink, core, uri);
    if (err) {
        console_error("http", err, "cannot fetch %s", uri->path);
        return err;
    }
    for (unsigned redirects = 0;; redirects++) {
        err = http_once(&fetch, &here, sink);
        if (err || !fetch.response.location[0])
            break;
        err = redirects == HTTP_REDIRECTS_MAX ? ERR_HTTP_ERROR : uri_parse(fetch.response.location, &reference);
        if (!err)
            err = uri_resolve(&here, &reference, &next);
        if (!err && strcmp(next.scheme, "http") != 0)
            err = ERR_URI_SCHEME;
        if (err)
            break;
        here = next;
        console_say("http", "redirected to %s%s", here.host, here.path);
    }
    return core_sink_close(sink, err);
}
