// SPDX-License-Identifier: MPL-2.0
// The native transport, `p2://[server][:port]/name`: the pure client machine between lwIP's UDP and memory.
#include "core/helpers.h"
#include "core/intake.h"
#include "core/names.h"
#include "core/sending.h"

#include "base/div.h"
#include "base/fmt.h"
#include "base/version.h"
#include "phase2/client.h"

#define HASH_PIECE (16 * 1024)    // hashed between two looks at the card
#define MS(us) (uint32_t)div64_32((us), 1000, NULL)

struct p2_fetch {
    struct core *core;
    struct core_names names; // of the server, if one is named
    struct p2_client client;
    struct net_udp *udp;
    uint64_t started, seal_us, digest_us; // seal_us: checking its signatures
    uint64_t first_read_us; // when the first READ went out, 0: not yet
    struct meter meter;
    struct sending sending;
    bool alone;   // one server is named and no other is known
    bool refused; // by a server that was named, before it said anything else
    bool reused; // what the disk has was looked at
};

static void received(void *ctx, unsigned nic, const struct net_addr *from, const uint8_t *data, size_t len)
{
    struct p2_fetch *f = ctx;
    (void)p2_client_input(&f->client, data, len, from, f->core->turn_us); // what is not for us is counted there
}

// It may be about to start, and anyone may have sent this: it is asked as long as if it were silent.
static void refusal(void *ctx, const struct net_addr *to)
{
    struct p2_fetch *f = ctx;
    char text[NET_ADDR_TEXT_MAX];
    if (f->refused || !(f->names.taken[0] + f->names.taken[1]) || p2_client_phase(&f->client) != P2_DISCOVER)
        return;
    f->refused = true;
    console_say("p2", "%s: %s; asking on", net_addr_format(to, text), err_text(ERR_CONN_REFUSED));
}

// As of the time when the card was looked at: what has come since then, while this processor hashed or stood still, is not
// late yet. 0, or an error that ends the transfer.
static int send_due(struct p2_fetch *f)
{
    uint8_t message[P2_CLIENT_MESSAGE_MAX];
    struct net_addr to;
    int len;
    while ((len = p2_client_output(&f->client, message, sizeof message, &to, f->core->turn_us)) > 0) {
        struct p2_progress progress;
        p2_client_progress(&f->client, &progress);
        if (!f->first_read_us && progress.reads_sent)
            f->first_read_us = core_now(f->core);
        // Unsent is lost, and lost is asked for again.
        int err = net_udp_send(f->udp, &to, message, (size_t)len);
        err = sending_judge(&f->sending, err, f->alone ? &to : NULL, f->core->turn_us);
        if (err)
            return err;
    }
    return 0;
}

// Where HELLO goes when no server is named: each open card's multicast groups, and the broadcast.
static ONCE unsigned discovery_targets(struct net_addr targets[P2_CLIENT_TARGETS], uint16_t port)
{
    static const uint8_t group4[4] = P2_GROUP_V4, broadcast[4] = { 255, 255, 255, 255 };
    unsigned count = 0;
    for (unsigned nic = 0; nic < net_nic_count(); nic++) {
        uint8_t ip[16], mask[4], gateway[4];
        if (!net_is_open(nic))
            continue;
        if (count < P2_CLIENT_TARGETS && net_get_ipv6(nic, 0, ip))
            targets[count++] = (struct net_addr){ .ip = P2_GROUP_V6, .port = port, .zone = (uint8_t)(nic + 1) };
        if (!net_get_ipv4(nic, ip, mask, gateway))
            continue;
        for (unsigned i = 0; i < 2 && count < P2_CLIENT_TARGETS; i++) {
            targets[count] = net_addr_v4(i ? broadcast : group4, port);
            targets[count++].zone = (uint8_t)(nic + 1);
        }
    }
    return count;
}

static ONCE void fill_facts(struct core *core, struct p2_facts *facts)
{
    const struct platform *p = core->platform;
    if (net_nic_count())
        memcpy(facts->mac, net_nic(0)->mac, 6);
    const char *uuid = p->smbios ? p->smbios(p->ctx, "uuid") : NULL;
    if (uuid)
        (void)setting_parse(SETTING_UUID, uuid, facts->uuid, sizeof facts->uuid);
    fmt_snprintf(facts->arch, sizeof facts->arch, "%s-%s", p->buildarch, p->name);
    fmt_snprintf(facts->version, sizeof facts->version, "%s-%s", signet_version, signet_commit);
}

// Asks all servers that are known at once: those of one family, or whoever is on the link.
static ONCE int ask(struct p2_fetch *f, const struct uri *uri)
{
    struct core *core = f->core;
    char name[P2_NAME_MAX];
    uint8_t seed[32];
    struct net_addr servers[P2_CLIENT_TARGETS], targets[P2_CLIENT_TARGETS];
    struct p2_client_config config = {
        .trust = &core->embed.trust,
        .image = name,
        .servers = servers,
        .targets = targets,
        .seed = seed,
        .seed_len = sizeof seed,
        .seal_buf = core->images.seal,
        .seal_cap = sizeof core->images.seal,
    };
    int err = uri_path_name(uri, name, sizeof name);
    if (err < 0)
        return err;
    if (!uri->host[0])
        config.target_count = discovery_targets(targets, uri->port ? uri->port : P2_PORT);
    while (uri->host[0] && config.server_count < P2_CLIENT_TARGETS && core_names_left(&f->names))
        servers[config.server_count++] = core_names_take(&f->names);
    if (!config.target_count && !config.server_count)
        return ERR_NET_NO_ADDRESS;
    f->alone = config.server_count == 1;
    f->refused = false;
    f->sending = (struct sending){ 0 };
    core->platform->random(core->platform->ctx, seed, sizeof seed);
    fill_facts(core, &config.facts);
    config.rx_buffers = (uint16_t)net_rx_buffers(); // what the credit starts from
    config.window_max = (uint16_t)net_rx_limit();
    return p2_client_init(&f->client, &config, core_now(core));
}

static ONCE int start(struct p2_fetch *f, const struct uri *uri)
{
    int err = core_open_network(f->core);
    if (!err && uri->host[0])
        err = core_names_open(&f->names, f->core, uri, P2_PORT);
    f->started = core_now(f->core);
    if (!err)
        err = ask(f, uri);
    if (err)
        return err;
    f->udp = net_udp_open(0, received, f);
    if (!f->udp)
        return ERR_NO_MEMORY;
    net_udp_on_refusal(f->udp, refusal);
    return 0;
}

// The seal is verified: memory is planned now, before anything large is asked for.
static ONCE int accept(struct p2_fetch *f)
{
    struct p2_progress progress;
    char server[NET_ADDR_TEXT_MAX], from[NET_ADDR_TEXT_MAX + sizeof progress.server_name + 16];
    p2_client_progress(&f->client, &progress);
    fmt_snprintf(from, sizeof from, " from %s (%s)", net_addr_format(&progress.server, server), progress.server_name);
    int err = core_intake_plan(f->core, p2_client_seal(&f->client), from);
    const struct core_image *image = f->core->images.coming;
    meter_start(&f->meter, 0, core_now(f->core));
    return err ? err : p2_client_accept(&f->client, &image->map, image->list, image->chunk_bits);
}

static void show_progress(struct p2_fetch *f)
{
    enum p2_phase phase = p2_client_phase(&f->client);
    uint64_t now = core_now(f->core);
    if ((phase != P2_PAYLOAD && phase != P2_VERIFIED) || !meter_due(&f->meter, phase == P2_VERIFIED, now))
        return;
    struct p2_progress p;
    p2_client_progress(&f->client, &p);
    console_meter(&f->meter, "p2", p.bytes_verified, p.bytes_total, now);
}

static bool judge_local(void *ctx, uint32_t chunk)
{
    struct p2_fetch *f = ctx;
    uint64_t before = core_now(f->core);
    bool good = p2_client_local(&f->client, chunk) == 1;
    f->digest_us += core_now(f->core) - before;
    show_progress(f);
    return good;
}

// Before the first READ of the payload: what a local copy has is not fetched.
static int reuse(struct p2_fetch *f)
{
    f->reused = true;
    int err = core_intake_reuse(f->core, &f->client.intake, judge_local, f);
    meter_start(&f->meter, f->client.intake.bytes_local, core_now(f->core));
    return err;
}

static ONCE void say_failure(struct p2_fetch *f, int err)
{
    struct p2_progress p;
    p2_client_progress(&f->client, &p);
    char server[NET_ADDR_TEXT_MAX] = "no server";
    if (p.has_server)
        net_addr_format(&p.server, server);
    // The code's group says whose fault it is: the image's, or the way's.
    const char *part = err_group(err) == 'S' ? "seal" : "p2";
    console_error(part, err, "image \"%s\" from %s, %u server%s known", f->client.setup.image, server, p.servers_known,
                  p.servers_known == 1 ? "" : "s");
    const char *choice;
    for (uint32_t i = 0; err == ERR_P2_NO_IMAGE && (choice = p2_client_choice(&f->client, i)); i++)
        console_say("p2", "%s: %s", i ? "and of" : "none is the default of several; name one of", choice);
    if (p.bytes_received)
        console_say("p2", "%u of %u MiB had been verified; bad chunks %u, lost blocks %u, failovers %u",
                    (unsigned)(p.bytes_verified >> 20), (unsigned)((p.bytes_total + MIB - 1) >> 20), p.bad_chunks, p.lost,
                    p.failovers);
}

static uint64_t transport_us(const struct p2_fetch *f, uint64_t total_us)
{
    return total_us - f->digest_us - f->seal_us;
}

// Machine-readable, for `make bench` and for people who tune: microseconds of this fetch and of the way to it.
static ONCE void say_timing(struct p2_fetch *f, uint64_t total_us)
{
    struct p2_progress p;
    p2_client_progress(&f->client, &p);
    struct core *core = f->core;
    uint64_t first_read = f->first_read_us ? f->first_read_us - core->entry_us : 0;
    console_say("p2", "timing: bytes=%llu total_us=%llu digest_us=%llu seal_us=%llu transport_us=%llu entry_to_read_us=%llu blocks=%u "
                "duplicates=%u lost=%u timeouts=%u reads=%u window=%u srtt_us=%u bad=%u failovers=%u local=%llu helped=%u",
                (unsigned long long)p.bytes_total, (unsigned long long)total_us, (unsigned long long)f->digest_us,
                (unsigned long long)f->seal_us, (unsigned long long)transport_us(f, total_us), (unsigned long long)first_read, p.blocks_received,
                p.duplicates, p.lost, p.timeouts, p.reads_sent, p.window, p.srtt_us, p.bad_chunks, p.failovers,
                (unsigned long long)p.bytes_local, core_helpers_jobs());
}

static ONCE void finish(struct p2_fetch *f, int err, uint64_t total_us)
{
    bool refused = !f->core->images.coming && (err_group(err) == 'B' || err == ERR_SEAL_ROLLED_BACK);
    struct p2_report report = {
        .outcome = err ? refused ? P2_OUTCOME_REFUSED : P2_OUTCOME_FAILED
                   : f->core->images.asked_start ? P2_OUTCOME_BOOTING : P2_OUTCOME_VERIFIED,
        .error = err,
        .transport_ms = MS(transport_us(f, total_us)),
        .digest_ms = MS(f->digest_us),
    };
    p2_client_finish(&f->client, &report, core_now(f->core));
    while (p2_client_phase(&f->client) != P2_DONE) {
        net_poll();
        (void)send_due(f);
        if (p2_client_phase(&f->client) != P2_DONE && core_turn(f->core, p2_client_deadline(&f->client)))
            break; // ctrl-C: the server need not know
    }
}

// Why the machine failed, with what the network has said meanwhile.
static int reason(const struct p2_fetch *f)
{
    int err = p2_client_error(&f->client);
    return f->refused && err == ERR_P2_NO_SERVER ? ERR_CONN_REFUSED : sending_reason(&f->sending, err);
}

// Digests here and elsewhere. False: there was nothing to do.
static bool work(struct p2_fetch *f)
{
    uint64_t before = core_now(f->core);
    uint64_t *spent = p2_client_phase(&f->client) == P2_SEAL ? &f->seal_us : &f->digest_us;
    bool worked = core_intake_share(f->core, &f->client.intake);
    worked |= p2_client_work(&f->client, HASH_PIECE) > 0;
    if (!worked && p2_client_quiet(&f->client))
        worked = core_helpers_work(); // the end: what is left was given to the others
    if (worked)
        *spent += core_now(f->core) - before;
    return worked;
}

static int p2_step(void *ctx, uint64_t *wake)
{
    struct p2_fetch *f = ctx;
    enum p2_phase phase = p2_client_phase(&f->client);
    int err = 0;
    if (phase == P2_FAILED)
        return reason(f);
    if (phase == P2_VERIFIED)
        return 0;
    if (phase == P2_SEALED)
        err = accept(f);
    if (phase == P2_PAYLOAD && !f->reused)
        err = reuse(f);
    if (!err)
        err = send_due(f);
    if (err)
        return err;
    bool worked = work(f);
    phase = p2_client_phase(&f->client);
    if (worked || phase == P2_VERIFIED || phase == P2_FAILED)
        *wake = WAKE_AT_ONCE;
    else
        *wake = core_helpers_busy() ? f->core->turn_us : p2_client_deadline(&f->client); // turn_us: it has passed
    show_progress(f);
    return PENDING;
}

// Has nobody answered, or was there no way to ask?
static bool unanswered(const struct p2_fetch *f, int err)
{
    return !f->core->images.coming && (err == ERR_P2_NO_SERVER || err == ERR_CONN_REFUSED || err == ERR_NET_NO_ADDRESS || err == ERR_NET_NO_ROUTE);
}

// Where no address of the first family answers, those of the other one are asked.
static ONCE int run_all(struct p2_fetch *f, const struct uri *uri)
{
    int err = core_drive(f->core, p2_step, f), more = 0;
    while (unanswered(f, err) && uri->host[0] && (more = core_names_more(&f->names)) == 1) {
        console_say("p2", "%s: %s [%s]; trying its other addresses", uri->host, err_text(err), err_code(err));
        err = ask(f, uri);
        if (!err)
            err = core_drive(f->core, p2_step, f);
    }
    for (unsigned i = 0; unanswered(f, err) && i < f->names.count[1]; i++)
        (void)net_doubt(&f->names.addrs[1][i]); // the next round goes another way
    return more < 0 ? more : err;
}

ONCE int core_p2_fetch(struct core *core, const struct uri *uri)
{
    static struct p2_fetch fetch; // 64 KiB
    memset(&fetch, 0, sizeof fetch);
    fetch.core = core;
    console_say("p2", "%s%s, image \"%s\"", uri->host[0] ? "asking " : "looking for a server", uri->host,
                uri->path[0] ? uri->path + 1 : "");
    int err = start(&fetch, uri);
    if (err) {
        console_error("p2", err, "cannot ask for %s", uri->path);
        return err;
    }
    err = run_all(&fetch, uri);
    core_helpers_stop(core);
    show_progress(&fetch);
    uint64_t total_us = core_now(core) - fetch.started;
    if (err)
        say_failure(&fetch, err);
    else
        say_timing(&fetch, total_us);
    finish(&fetch, err, total_us);
    net_udp_close(fetch.udp);
    if (err)
        core_image_fail(core);
    else
        core_image_done(core);
    return err;
}
