// SPDX-License-Identifier: MPL-2.0
// The transport `tftp://[server][:port]/file`: the pure reader (proto/tftp.h) between lwIP's UDP and the sink.
#include "core/names.h"
#include "core/sending.h"
#include "core/sink.h"
#include "proto/tftp.h"

struct tftp_fetch {
    struct core *core;
    struct core_sink *sink;
    struct net_udp *udp;
    uint64_t at;    // in the file
    uint64_t since; // when this server was asked
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

static int tftp_send_due(struct tftp_fetch *f)
{
    uint8_t packet[TFTP_REQUEST_MAX];
    struct net_addr to;
    size_t len;
    int err = 0;
    while (!err && (len = tftp_output(&f->client, packet, sizeof packet, &to, core_now(f->core))) > 0)
        err = sending_judge(&f->sending, net_udp_send(f->udp, &to, packet, len), &to, core_now(f->core));
    return err;
}

// ERR_TRUNCATED: the sink has enough.
static int tftp_step(void *ctx, uint64_t *wake)
{
    struct tftp_fetch *f = ctx;
    int err = tftp_send_due(f), result = tftp_result(&f->client);
    if (result != PENDING)
        return result;
    if (!err && core_sink_enough(f->sink))
        err = ERR_TRUNCATED;
    *wake = tftp_deadline(&f->client);
    if (!err && !f->client.peer.port) {
        err = core_names_judge(&f->names, f->since);
        *wake = MIN(*wake, core_names_deadline(&f->names, f->since));
    }
    return err ? err : PENDING;
}

static int tftp_run(struct tftp_fetch *f)
{
    f->since = core_now(f->core);
    int result = core_drive(f->core, tftp_step, f);
    if (tftp_result(&f->client) == PENDING) {
        tftp_abort(&f->client, result);
        (void)tftp_send_due(f); // the server is told
    }
    return result == ERR_TRUNCATED ? 0 : sending_reason(&f->sending, result);
}

static int tftp_ask(struct tftp_fetch *f, const char *name, const struct net_addr *server)
{
    f->at = 0;
    f->sending = (struct sending){ 0 };
    int err = tftp_init(&f->client, name, server, net_mtu(server), tftp_data, f, core_now(f->core));
    if (net_rx_limit())
        tftp_limit_window(&f->client, (uint16_t)net_rx_limit());
    f->udp = err ? NULL : net_udp_open(0, tftp_received, f);
    if (f->udp)
        net_udp_on_refusal(f->udp, tftp_refusal);
    if (!err)
        err = f->udp ? tftp_run(f) : ERR_NO_MEMORY;
    net_udp_close(f->udp);
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
    struct pxe_origin *origin = &core->images.asked_origin;
    if (net_addr_is_v4(&server))
        memcpy(origin->server, server.ip + 12, 4);
    if (strlen(name) < sizeof origin->file)
        memcpy(origin->file, name, strlen(name));
    if (fetch.client.message[0])
        console_say("tftp", "the server says: %s", fetch.client.message);
    return core_sink_close(fetch.sink, MIN(err, 0));
}
