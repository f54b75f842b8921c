// SPDX-License-Identifier: MPL-2.0
// The transport `tftp://[server][:port]/file`: the pure reader (proto/tftp.h) between lwIP's UDP and the sink.
#include "core/names.h"
#include "core/sending.h"
#include "core/sink.h"
#include "proto/tftp.h"

struct tftp_fetch {
    struct core *core;
    struct core_sink *sink;
    uint64_t at; // in the file
    struct core_names names;
    struct tftp_client client;
    struct sending sending;
};

static int tftp_data(void *ctx, const uint8_t *data, size_t len)
{
    struct tftp_fetch *f = ctx;
    f->at += len;
    return core_sink_bytes(f->sink, f->at - len, data, len);
}

static void tftp_received(void *ctx, unsigned nic, const struct net_addr *from, const uint8_t *data, size_t len)
{
    struct tftp_fetch *f = ctx;
    tftp_input(&f->client, from, data, len, core_now(f->core));
}

static void tftp_refusal(void *ctx, const struct net_addr *to)
{
    struct tftp_fetch *f = ctx;
    tftp_refused(&f->client, to);
}

static uint64_t tftp_next(const struct tftp_fetch *f, uint64_t since)
{
    uint64_t next = tftp_deadline(&f->client);
    return f->client.peer.port ? next : MIN(next, core_names_deadline(&f->names, since));
}

static int tftp_run(struct tftp_fetch *f, struct net_udp *udp)
{
    uint64_t since = core_now(f->core);
    int result;
    do {
        uint8_t packet[TFTP_REQUEST_MAX];
        struct net_addr to;
        size_t len;
        int err = 0;
        while (!err && (len = tftp_output(&f->client, packet, sizeof packet, &to, core_now(f->core))) > 0)
            err = sending_judge(&f->sending, net_udp_send(udp, &to, packet, len), &to, core_now(f->core));
        result = tftp_result(&f->client);
        if (!err && result == 1)
            err = core_sink_enough(f->sink) ? ERR_TRUNCATED : core_turn(f->core, tftp_next(f, since));
        if (!err && result == 1 && !f->client.peer.port)
            err = core_names_judge(&f->names, since);
        if (err)
            tftp_abort(&f->client, err); // the server is told in the next round
    } while (result == 1);
    return result == ERR_TRUNCATED ? 0 : sending_reason(&f->sending, result); // which is our own
}

static int tftp_ask(struct tftp_fetch *f, const char *name, const struct net_addr *server)
{
    f->at = 0;
    f->sending = (struct sending){ 0 };
    int err = tftp_init(&f->client, name, server, net_mtu(server), tftp_data, f, core_now(f->core));
    if (net_rx_limit())
        tftp_limit_window(&f->client, (uint16_t)net_rx_limit());
    struct net_udp *udp = err ? NULL : net_udp_open(0, tftp_received, f);
    if (udp)
        net_udp_on_refusal(udp, tftp_refusal);
    if (!err)
        err = udp ? tftp_run(f, udp) : ERR_NO_MEMORY;
    net_udp_close(udp);
    return err;
}

int core_tftp_fetch(struct core *core, const struct uri *uri)
{
    static struct tftp_fetch fetch;
    struct range range;
    char name[TFTP_FILENAME_MAX];
    fetch.core = core;
    console_say("tftp", "fetching %s from %s", uri->path, uri->host[0] ? uri->host : "the next server");
    int err = uri_path_name(uri, name, sizeof name);
    if (err >= 0)
        err = core_names_servers(&fetch.names, core, uri, TFTP_PORT);
    if (!err)
        err = core_sink_open(&fetch.sink, core, uri);
    if (err) {
        console_error("tftp", err, "cannot fetch %s", uri->path);
        return err;
    }
    struct net_addr server = core_names_take(&fetch.names);
    bool again = true; // once more from the beginning, when it is known what is missing
    while (again && (err = core_sink_next(fetch.sink, err, &range)) == 0) {
        do {
            err = tftp_ask(&fetch, name, &server);
        } while (err && !fetch.client.peer.port && (err = core_names_next(&fetch.names, "tftp", err, &server)) == 0);
        range.to = RANGE_END;
        again = core_sink_enough(fetch.sink);
    }
    if (fetch.client.message[0])
        console_say("tftp", "the server says: %s", fetch.client.message);
    return core_sink_close(fetch.sink, MIN(err, 0));
}
