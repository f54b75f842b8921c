// SPDX-License-Identifier: MPL-2.0
// signet bootserver: serves images by the native protocol. The protocol is phase2/server.h; here are its
// loop, its clock and the rules of when to end.
#include "bootserver_images.h"
#include "bootserver_log.h"
#include "bootserver_machine.h"
#include "bootserver_net.h"
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#define PEERS 2048              // clients remembered; the oldest silent ones make room
#define JOBS 16384              // ranges waiting to be sent
#define SCAN_EVERY 1000000u     // us between looks at the files and interfaces
#define DRAW_EVERY 500000u      // us between drawings of the progress line
#define KEEP_IDLE 60000000u     // a replaced image is kept for clients that were heard so recently
#define LINGER 300000u          // after the boot that ends -s: its last message may come again

static const struct opt_help help = {
    .usage = "[-s] [-t SECONDS] [--listen ADDR]... [--port N] [--interface IF] [--no-gso] IMG|DIR...",
    .about = "Serves phase-2 images to booting machines (UDP, doc/phase2-protocol.md): files, and every image in a\n"
             "folder. An image is asked for by the name in its seal or by its file's name; without a name the only\n"
             "image is served, or the one called \"default\". Files may be added, removed and replaced (by rename)\n"
             "at any time: boots under way end with the image they began with.",
};

static volatile sig_atomic_t stop_asked;

static void on_signal(int sig)
{
    stop_asked = 1;
}

struct bootserver {
    struct images images;
    struct net net;
    struct p2_server server;
    struct server_log log;
    bool single;           // -s
    uint64_t patience;     // -t in us, 0 = none
    uint64_t last_heard;   // when a client last came or read
    bool client_came;
    bool ended_unserved;   // the last client's end was told, but it was not sent enough to believe it
    uint64_t end_at;       // 0 = not yet
    int status;
    uint64_t next_scan, next_draw;
};

static void on_broken(void *ctx, const struct p2_image *image)
{
    struct bootserver *b = ctx;
    image_break(&b->images, image);
}

static bool was_served(struct bootserver *b, const struct p2_event *event, bool good)
{
    struct p2_images set = images_interface(&b->images);
    const struct p2_image *image = set.by_tag(set.ctx, event->peer.tag);
    return image && machine_was_served(&b->server, event, image, good);
}

static void take_events(struct bootserver *b, uint64_t now)
{
    struct p2_event event;
    while (p2_server_event(&b->server, &event)) {
        log_event(&b->log, &event, now);
        if (event.type != P2_EVENT_NO_IMAGE) {
            b->client_came = true;
            b->last_heard = now;
        }
        if (event.type == P2_EVENT_CLIENT)
            b->ended_unserved = false;
        if (event.type != P2_EVENT_FINISHED || !b->single || b->end_at)
            continue;
        uint8_t outcome = event.finished.outcome;
        bool good = outcome == P2_OUTCOME_BOOTING || outcome == P2_OUTCOME_VERIFIED;
        b->ended_unserved = !was_served(b, &event, good);
        if (b->ended_unserved)
            continue;
        b->status = good ? EXIT_OK : EXIT_FAIL;
        b->end_at = now + LINGER;
    }
}

// The machine tells of progress once a second; when a client was really heard last stands in its entry.
static void note_clients(struct bootserver *b)
{
    for (uint32_t i = 0; i < b->server.config.peer_count; i++) {
        const struct p2_peer *p = &b->server.config.peers[i];
        if (p->used && p->validated)
            b->last_heard = MAX(b->last_heard, p->last_seen);
    }
}

// -t: nobody came. With -s also: whoever came fell silent.
static bool out_of_patience(struct bootserver *b, uint64_t now)
{
    if (!b->patience || b->end_at || (b->client_came && !b->single) || now - b->last_heard < b->patience)
        return false;
    note_clients(b);
    if (now - b->last_heard < b->patience)
        return false;
    tool_error(NULL, b->ended_unserved ? "a client ended, but was not sent the image from here; none came after it in %llu seconds"
                     : b->client_came  ? "the client fell silent for %llu seconds"
                                       : "no client came in %llu seconds",
               (unsigned long long)(b->patience / 1000000));
    b->status = EXIT_FAIL;
    return true;
}

static void housekeeping(struct bootserver *b, uint64_t now)
{
    if (now >= b->next_scan) {
        images_rescan(&b->images);
        net_join_groups(&b->net);
        log_silent(&b->log, now);
        // Queued datagrams point into mappings: nothing is unmapped before they are out.
        if (b->net.queue_count == 0)
            images_release(&b->images, &b->server, now, KEEP_IDLE);
        b->next_scan = now + SCAN_EVERY;
    }
    if (now >= b->next_draw) {
        log_progress(&b->log, now);
        b->next_draw = now + DRAW_EVERY;
    }
}

// One turn: what came in, then what it causes. True when there is more to send, and room for it; and after something came in,
// for a client with a small window asks for more at once, and two READs answered together are a burst that its card may not hold.
static bool turn(struct bootserver *b, uint64_t now)
{
    static struct net_datagram datagrams[NET_BATCH];
    unsigned received = net_receive(&b->net, datagrams);
    for (unsigned i = 0; i < received; i++) {
        (void)p2_server_input(&b->server, datagrams[i].data, datagrams[i].len, &datagrams[i].from, now);
        take_events(b, now);
    }
    struct p2_send *slot;
    while ((slot = net_queue_slot(&b->net)) && p2_server_output(&b->server, slot, P2_SERVER_QUANTUM, now))
        net_queue_push(&b->net);
    net_flush(&b->net, now, on_broken, b);
    return received || (b->net.queue_count == 0 && p2_server_deadline(&b->server) == 0);
}

// Sleeps until a datagram, room in the socket, a timer or a signal.
static void wait_for_work(struct bootserver *b, uint64_t now)
{
    struct pollfd fds[NET_SOCKETS_MAX + 1];
    sigset_t blocked, old;
    uint64_t until = b->next_scan;
    if (b->log.terminal)
        until = MIN(until, b->next_draw);
    if (b->end_at)
        until = MIN(until, b->end_at);
    if (b->patience)
        until = MIN(until, b->last_heard + b->patience);
    if (b->net.queue_count && !b->net.blocked)
        until = MIN(until, b->net.pause_until);
    uint64_t us = until > now ? until - now : 0;
    struct timespec timeout = { (time_t)(us / 1000000), (long)(us % 1000000) * 1000 };
    // The signals are let in only while ppoll waits: none can slip in between the look and the wait.
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGINT);
    sigaddset(&blocked, SIGTERM);
    sigaddset(&blocked, SIGHUP);
    sigprocmask(SIG_BLOCK, &blocked, &old);
    unsigned count = net_poll(&b->net, fds);
    count += out_poll(&b->log.out, &fds[count]);
    if (!stop_asked)
        (void)ppoll(fds, count, &timeout, &old);
    sigprocmask(SIG_SETMASK, &old, NULL);
    out_flush(&b->log.out);
}

static int serve(struct bootserver *b)
{
    uint64_t now = tool_now_us();
    b->last_heard = now;
    while (!stop_asked && !(b->end_at && now >= b->end_at)) {
        if (out_of_patience(b, now))
            break;
        housekeeping(b, now);
        if (!turn(b, now))
            wait_for_work(b, now);
        now = tool_now_us();
    }
    log_clear(&b->log);
    log_line(&b->log, stop_asked ? "stopped" : "ended", "sent=%llu dropped=%llu busy=%llu",
             (unsigned long long)b->server.stats.data_bytes, (unsigned long long)b->net.dropped,
             (unsigned long long)b->server.stats.busy);
    return b->status;
}

static int start_server(struct bootserver *b)
{
    char host[64] = "";
    gethostname(host, sizeof host - 1);
    struct p2_server_config config = {
        .images = images_interface(&b->images),
        .name = host,
        .peers = tool_alloc(PEERS * sizeof *config.peers),
        .peer_count = PEERS,
        .jobs = tool_alloc(JOBS * sizeof *config.jobs),
        .job_count = JOBS,
        .path_block = net_path_block,
        .path_ctx = &b->net,
    };
    if (getrandom(config.secret, sizeof config.secret, 0) != sizeof config.secret ||
        getrandom(config.instance, sizeof config.instance, 0) != sizeof config.instance)
        return tool_errno("getrandom", errno);
    int r = p2_server_init(&b->server, &config);
    return r < 0 ? tool_error(NULL, "%s", err_text(r)) : EXIT_OK;
}

static int run(struct bootserver *b, const struct opt_list *sources, const struct opt_list *listen, uint16_t port,
               const char *interface, bool gso)
{
    b->log.net = &b->net;
    b->log.server = &b->server;
    b->log.images = &b->images;
    if (start_server(b) != EXIT_OK)
        return EXIT_FAIL;
    signal(SIGPIPE, SIG_IGN); // who read the log went away: the machines did not
    log_open(&b->log);
    int status = EXIT_FAIL;
    if (images_open(&b->images, sources, log_image, &b->log) == 0 &&
        net_open(&b->net, listen, port, interface, gso) == 0) {
        static const int ending[] = { SIGINT, SIGTERM, SIGHUP };
        for (size_t i = 0; i < ARRAY_SIZE(ending); i++) {
            struct sigaction old, act = { .sa_handler = on_signal };
            // What the caller ignores (nohup) stays ignored.
            if (sigaction(ending[i], NULL, &old) == 0 && old.sa_handler != SIG_IGN)
                sigaction(ending[i], &act, NULL);
        }
        net_join_groups(&b->net);
        log_line(&b->log, "serving", "port=%u images=%zu interfaces=%u", b->net.port, b->images.count,
                 b->net.joined_count);
        char choice[LOG_VALUE_MAX], text[LOG_VALUE_MAX];
        if (images_choice(&b->images, choice, sizeof choice))
            log_line(&b->log, "no default", "text=%s", log_quoted(choice, text));
        status = serve(b);
    }
    log_close(&b->log);
    net_close(&b->net);
    images_close(&b->images);
    free(b->server.config.peers);
    free(b->server.config.jobs);
    return status;
}

int bootserver_main(int argc, char **argv)
{
    struct bootserver *b = tool_alloc(sizeof *b);
    struct opt_list listen = { 0 }, operands = { 0 };
    uint64_t patience = 0, port = P2_PORT;
    const char *interface = NULL;
    bool no_gso = false;
    const struct opt table[] = {
        OPTION_FLAG('s', "single", &b->single, "end after one complete boot: status 0, or 1 when it failed"),
        OPTION_NUMBER('t', "timeout", &patience, "SECONDS", 1, 10000000, NULL,
                      "end with status 1 when no client came in time\n(with -s also when it fell silent for so long)"),
        OPTION_LIST('l', "listen", &listen, "ADDR", "serve at this address only, without discovery; may be repeated"),
        OPTION_NUMBER('p', "port", &port, "N", 0, 65535, NULL, "UDP port (default 20530; 0: a free one)"),
        OPTION_TEXT('i', "interface", &interface, "IF", "serve on this interface only"),
        OPTION_FLAG(0, "no-gso", &no_gso, "hand every datagram to the kernel by itself"),
    };
    int status = opts_parse(table, ARRAY_SIZE(table), &help, argc, argv, &operands);
    if (status < 0 && operands.count == 0)
        status = tool_usage(NULL, "no image and no folder given");
    if (status < 0) {
        b->patience = patience * 1000000;
        status = run(b, &operands, &listen, (uint16_t)port, interface, !no_gso);
    }
    free(b);
    return status;
}
