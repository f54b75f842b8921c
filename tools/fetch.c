// SPDX-License-Identifier: MPL-2.0
// signet fetch: downloads and verifies an image with the firmware's own client machine, to check a server, or to load one in
// tests. Memory holds the chunks in the works only; those that are good go into the output file, and nothing else does.
#include "base/version.h"
#include "fetch_hash.h"
#include "fetch_net.h"
#include "file.h"
#include "keys.h"
#include "phase2/client.h"
#include "proto/uri.h"
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#define WORK_STEP (256 * 1024) // bytes hashed before the sockets are looked at again
#define WAIT_MAX 500000u       // us
#define DRAW_EVERY 200000u

static const struct opt_help help = {
    .usage = "--trust PUB... p2://[SERVER][:PORT]/NAME [p2://SERVER[:PORT]]... [-o FILE]",
    .about = "Downloads an image as a booting machine does and verifies it: seal, chunk list, every chunk. Without\n"
             "SERVER one is looked for (p2:///NAME), without NAME the server's default image is taken. Further\n"
             "servers are for when the first one fails. The boot server logs \"fetch done\". Exit status: 0\n"
             "verified, 1 not.",
};

struct fetch {
    struct p2_client client;
    struct fetch_net net;
    struct fetch_hash hash;
    struct trust_store trust;
    char name[P2_NAME_MAX];
    const char *output;
    struct file_out out;
    uint8_t *seal, *list, *chunk_bits;
    uint8_t *room; // for chunks in the works
    size_t room_len;
    uint64_t payload_offset; // in the file
    uint64_t now, digest_us, first_data;
    bool accepted, reported, quiet, unwritten;
};

static void take(void *ctx, const uint8_t *data, size_t len, const struct net_addr *from)
{
    struct fetch *f = ctx;
    (void)p2_client_input(&f->client, data, len, from, f->now);
}

// ---- where the payload goes ----------------------------------------------------------------------------

// The output file's room is claimed first: a full disk shall be an error here and not after half of the download.
static int begin_output(struct fetch *f, uint64_t payload_size)
{
    struct seal_view view;
    if (seal_view(f->seal, SEAL_MAX, &view) != 0 || file_out_begin(&f->out, f->output, 0666) != 0)
        return -1;
    f->payload_offset = seal_payload_offset(&view);
    int r = posix_fallocate(f->out.fd, 0, (off_t)(f->payload_offset + payload_size));
    if (r != 0)
        tool_errno(f->output, r);
    return r == 0 ? 0 : -1;
}

static void take_chunk(void *ctx, uint64_t offset, const uint8_t *bytes, size_t len)
{
    struct fetch *f = ctx;
    f->unwritten = f->unwritten || file_out_write(&f->out, f->payload_offset + offset, bytes, len) != 0;
}

static int accept_image(struct fetch *f)
{
    const struct seal *seal = p2_client_seal(&f->client);
    if (f->output && begin_output(f, seal->payload_size) != 0)
        return -1;
    f->room_len = p2_client_room(&f->client);
    void *room = mmap(NULL, f->room_len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (room == MAP_FAILED) {
        tool_error(NULL, "no memory for %zu bytes", f->room_len);
        return -1;
    }
    (void)madvise(room, f->room_len, MADV_HUGEPAGE); // a fault for each 4 KiB costs as much as receiving them
    f->room = room;
    f->list = tool_alloc((size_t)seal->chunk_count * SHA256_SIZE);
    f->chunk_bits = tool_alloc((seal->chunk_count + 7) / 8);
    struct intake_passing passing = { .room = room, .take = f->output ? take_chunk : NULL, .ctx = f };
    int r = p2_client_accept_passing(&f->client, &passing, f->list, f->chunk_bits);
    if (r < 0) {
        tool_error(NULL, "%s (%s)", err_text(r), err_code(r));
        return -1;
    }
    fetch_hash_start(&f->hash);
    f->accepted = true;
    f->first_data = f->now;
    return 0;
}

// Seal and list in front of the payload, then the file's name.
static int finish_output(struct fetch *f)
{
    const struct seal *seal = p2_client_seal(&f->client);
    struct seal_view view;
    if (!f->output)
        return 0;
    if (f->unwritten || seal_view(f->seal, SEAL_MAX, &view) != 0)
        return -1;
    if (file_out_write(&f->out, 0, f->seal, seal_size(&view)) != 0 ||
        file_out_write(&f->out, seal_list_offset(&view), f->list, (size_t)seal->chunk_count * SHA256_SIZE) != 0)
        return -1;
    return file_out_commit(&f->out, true);
}

// ---- the loop ------------------------------------------------------------------------------------------

static void draw(struct fetch *f)
{
    struct p2_progress p;
    char text[80];
    p2_client_progress(&f->client, &p);
    uint64_t us = f->now - f->first_data;
    int n = snprintf(text, sizeof text, "%s", p2_phase_name(p.phase));
    if (p.bytes_total)
        snprintf(text + n, sizeof text - (size_t)n, " %u %% %.1f MB/s window %u lost %u", (unsigned)(p.bytes_verified * 100 / p.bytes_total),
                 us ? (double)p.bytes_verified / (double)us : 0.0, p.window, p.lost);
    tool_progress(text);
}

static void report(struct fetch *f, uint8_t outcome, int error)
{
    uint64_t us = f->accepted ? f->now - f->first_data : 0;
    struct p2_report r = { .outcome = outcome, .error = error, .digest_ms = (uint32_t)(f->digest_us / 1000),
                           .transport_ms = (uint32_t)((us - MIN(us, f->digest_us)) / 1000) };
    p2_client_finish(&f->client, &r, f->now);
    f->reported = true;
}

static void send_all(struct fetch *f)
{
    uint8_t buf[P2_MESSAGE_MAX];
    struct net_addr to;
    int n;
    while ((n = p2_client_output(&f->client, buf, sizeof buf, &to, f->now)) > 0)
        fetch_net_send(&f->net, buf, (size_t)n, &to);
}

// The image is whole: 0 when the output could be written, too.
static int complete(struct fetch *f)
{
    struct p2_progress p;
    p2_client_progress(&f->client, &p);
    const struct seal *seal = p2_client_seal(&f->client);
    uint64_t us = MAX(f->now - f->first_data, 1u);
    char hex[2 * SHA256_SIZE + 1], server[NET_ADDR_TEXT_MAX];
    int r = finish_output(f);
    tool_progress("");
    report(f, r == 0 ? P2_OUTCOME_VERIFIED : P2_OUTCOME_FAILED, r == 0 ? 0 : ERR_IO);
    if (r != 0 || f->quiet)
        return r;
    p.server.zone = 0;
    printf("image name = %s\nimage id = %s\ncounter = %" PRIu64 "\nserver = %s%s%s\nbytes = %" PRIu64
           "\nseconds = %.3f\nMB/s = %.1f\nblock = %u\nlost = %u\nduplicates = %u\nwindow = %u\nfailovers = %u\n",
           seal->name, tool_hex(seal->image_id, SHA256_SIZE, hex), seal->counter, net_addr_format(&p.server, server),
           *p.server_name ? " " : "", p.server_name, seal->payload_size, (double)us / 1e6,
           (double)seal->payload_size / (double)us, p.block_size, p.lost, p.duplicates, p.window, p.failovers);
    return 0;
}

static void say_failure(const struct p2_client *client)
{
    int err = p2_client_error(client);
    const char *choice;
    char names[P2_CHOICES_MAX * (P2_ERROR_TEXT + 2) + 64] = "";
    for (uint32_t i = 0; err == ERR_P2_NO_IMAGE && (choice = p2_client_choice(client, i)); i++) {
        size_t n = strlen(names);
        snprintf(names + n, sizeof names - n, "%s%s", i ? ", " : ": none is the default of several; name one of: ", choice);
    }
    tool_error(NULL, "%s (%s)%s", err_text(err), err_code(err), names);
}

static int run(struct fetch *f)
{
    bool terminal = isatty(STDERR_FILENO) && !f->quiet;
    uint64_t next_draw = 0;
    int status = EXIT_FAIL;
    for (;;) {
        f->now = tool_now_us();
        fetch_net_receive(&f->net, take, f);
        f->now = tool_now_us();
        send_all(f);
        fetch_hash_turn(&f->hash, &f->client);
        uint64_t before = tool_now_us();
        size_t hashed = fetch_hash_help(&f->hash) ? 1 : p2_client_work(&f->client, WORK_STEP);
        f->now = tool_now_us();
        f->digest_us += hashed ? f->now - before : 0;
        switch (p2_client_phase(&f->client)) {
        case P2_SEALED:
            if (accept_image(f) != 0)
                report(f, P2_OUTCOME_REFUSED, ERR_BOOT_NO_ROOM);
            continue;
        case P2_VERIFIED:
            status = complete(f) == 0 ? EXIT_OK : EXIT_FAIL;
            continue;
        case P2_FAILED:
            say_failure(&f->client);
            report(f, P2_OUTCOME_FAILED, p2_client_error(&f->client));
            continue;
        case P2_DONE:
            tool_progress("");
            return status;
        default:
            break;
        }
        if (f->unwritten && !f->reported) {
            report(f, P2_OUTCOME_FAILED, ERR_IO);
            continue;
        }
        if (terminal && f->now >= next_draw && !f->reported) {
            draw(f);
            next_draw = f->now + DRAW_EVERY;
        }
        uint64_t deadline = p2_client_deadline(&f->client);
        if (!hashed && deadline > f->now)
            fetch_net_wait(&f->net, f->hash.news, MIN(deadline - f->now, (uint64_t)WAIT_MAX));
    }
}

// What every way to the servers carries. Those that are looked for may be anywhere.
static uint16_t block_max(const struct fetch *f, const struct net_addr *servers, unsigned count, unsigned target_count)
{
    uint16_t most = target_count ? P2_BLOCK_MAX : P2_BLOCK_LARGE;
    for (unsigned i = 0; i < count; i++)
        most = MIN(most, fetch_net_block(&f->net, &servers[i]));
    return MAX(most, (uint16_t)P2_BLOCK_MAX);
}

static int start(struct fetch *f, const struct uri *uris, size_t uri_count, const char *interface, uint64_t stall,
                 uint64_t discover)
{
    struct net_addr servers[P2_CLIENT_TARGETS], targets[P2_CLIENT_TARGETS];
    uint8_t seed[P2_CLIENT_SEED_MAX];
    unsigned count = 0, target_count = 0;
    if (fetch_net_open(&f->net) != 0)
        return -1;
    for (size_t i = 0; i < uri_count; i++) {
        uint16_t port = uris[i].port ? uris[i].port : P2_PORT;
        if (!*uris[i].host) {
            target_count = fetch_net_targets(&f->net, interface, port, targets, ARRAY_SIZE(targets));
            continue;
        }
        if (count == ARRAY_SIZE(servers))
            continue; // the names before have addresses enough
        int n = fetch_net_resolve(&f->net, uris[i].host, port, servers + count, ARRAY_SIZE(servers) - count);
        if (n < 0)
            return -1;
        count += (unsigned)n;
    }
    if (getrandom(seed, sizeof seed, 0) != sizeof seed) {
        tool_errno("getrandom", errno);
        return -1;
    }
    f->seal = tool_alloc(SEAL_MAX);
    struct p2_client_config config = {
        .trust = &f->trust, .image = f->name, .servers = servers, .server_count = count, .targets = targets,
        .target_count = target_count, .seed = seed, .seed_len = sizeof seed, .seal_buf = f->seal, .seal_cap = SEAL_MAX,
        .rx_buffers = f->net.rx_buffers, .window_max = MIN(f->net.rx_buffers, (uint16_t)P2_CLIENT_WINDOW_MAX),
        .block_max = block_max(f, servers, count, target_count), .stall_us = stall * 1000000, .discover_us = discover * 1000000,
    };
    snprintf(config.facts.arch, sizeof config.facts.arch, "host");
    snprintf(config.facts.version, sizeof config.facts.version, "%s", signet_version);
    int r = p2_client_init(&f->client, &config, tool_now_us());
    if (r < 0)
        tool_error(NULL, "%s (%s)", err_text(r), err_code(r));
    return r;
}

// The image's name comes from the first one; the others may leave it out.
static int parse_uris(struct fetch *f, const struct opt_list *texts, struct uri *uris)
{
    for (size_t i = 0; i < texts->count; i++) {
        const char *text = texts->items[i];
        char name[P2_NAME_MAX];
        int r = uri_parse(text, &uris[i]);
        if (r < 0)
            return tool_usage(text, "%s", err_text(r));
        if (strcmp(uris[i].scheme, "p2") != 0 || !uris[i].has_authority)
            return tool_usage(text, "is not of the form p2://[SERVER][:PORT]/NAME");
        if (uri_path_name(&uris[i], name, sizeof name) < 0)
            return tool_usage(text, "has an image name of more than %d characters", P2_NAME_MAX - 1);
        if (i == 0)
            memcpy(f->name, name, sizeof name);
        else if (*name && strcmp(name, f->name) != 0)
            return tool_usage(text, "names another image than the first address");
    }
    return -1;
}

int fetch_main(int argc, char **argv)
{
    struct fetch *f = tool_alloc(sizeof *f);
    struct opt_list trust = { 0 }, operands = { 0 };
    const char *interface = NULL, *product = NULL;
    uint64_t threshold = 0, stall = 0, discover = 0;
    const struct opt table[] = {
        OPTION_LIST('t', "trust", &trust, "PUB", "trust this public key; may be repeated"),
        OPTION_TEXT('o', "output", &f->output, "FILE", "keep the image (default: only verify it)"),
        OPTION_NUMBER(0, "threshold", &threshold, "N", 1, TRUST_KEYS_MAX, NULL, "so many trusted keys must have signed (default 1)"),
        OPTION_NUMBER(0, "floor", &f->trust.counter_floor, "N", 0, 0, NULL, "smallest security counter that is accepted"),
        OPTION_TEXT(0, "product", &product, "P", "accept images for this product only"),
        OPTION_TEXT('i', "interface", &interface, "IF", "look for servers on this interface only"),
        OPTION_NUMBER(0, "wait", &discover, "SECONDS", 1, 3600, NULL, "look for a server so long (default 6)"),
        OPTION_NUMBER(0, "stall", &stall, "SECONDS", 1, 3600, NULL, "give up after so long without progress (default 30)"),
        OPTION_FLAG('q', "quiet", &f->quiet, "print nothing but errors"),
    };
    int status = opts_parse(table, ARRAY_SIZE(table), &help, argc, argv, &operands);
    if (status < 0 && (operands.count == 0 || operands.count > P2_CLIENT_TARGETS))
        status = tool_usage(NULL, operands.count ? "at most %d addresses" : "no address given", P2_CLIENT_TARGETS);
    if (status < 0 && trust.count == 0)
        status = tool_usage("--trust", "no key given: nothing could be verified");
    if (status < 0 && product && strlen(product) >= sizeof f->trust.product)
        status = tool_usage("--product", "is longer than %zu characters", sizeof f->trust.product - 1);
    struct uri *uris = tool_alloc(MAX(operands.count, (size_t)1) * sizeof *uris);
    if (status < 0)
        status = parse_uris(f, &operands, uris);
    if (status >= 0)
        return status;
    f->trust.threshold = (uint32_t)threshold;
    if (product)
        snprintf(f->trust.product, sizeof f->trust.product, "%s", product);
    f->net = (struct fetch_net){ .v4 = -1, .v6 = -1 };
    f->hash.news = -1;
    status = EXIT_FAIL;
    if (trust_load(&f->trust, trust.items, trust.count) == 0 && start(f, uris, operands.count, interface, stall, discover) == 0) {
        status = run(f);
        if (status == EXIT_OK)
            status = tool_flush();
    }
    fetch_hash_stop(&f->hash);
    file_out_abort(&f->out);
    fetch_net_close(&f->net);
    if (f->room)
        munmap(f->room, f->room_len);
    free(f->seal);
    free(f->list);
    free(f->chunk_bits);
    free(uris);
    free(f);
    return status;
}
