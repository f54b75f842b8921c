// SPDX-License-Identifier: MPL-2.0
// The firmware's client machine against bootserver's server machines on a seeded, bad wire with a fake
// clock. Every seed is one boot on one network of one class. It must end before a deadline: VERIFIED with
// memory equal to the payload, or FAILED with a named error where the class allows it. Anything else prints
// the seed, which replays it exactly:
//
//     client_sim [FIRST [COUNT]]     default 1 1000
//     client_sim -v SEED             one seed, with its figures
//
// How fast it is on good networks is client_speed_sim.c's.
#include "phase2/testsim_client.h"

#define SIM_IMAGES 8

static struct testimage images[SIM_IMAGES], foreign;

static void net_choose(uint64_t seed)
{
    memset(&net, 0, sizeof net);
    net.class = (enum class_name)(seed % CLASSES);
    net.large = seed / CLASSES % 4 == 3 ? P2_BLOCK_LARGE : 0;
    net.old = seed / CLASSES % 8 == 7;
    net.delay = between(30, 500);
    net.us_per_kib = between(8, 90); // 1 Gbit/s .. 90 Mbit/s
    net.queue = 512 * 1024;
    net.ring = 256;
    net.client_packet = between(1, 20);
    net.client_kib = between(5, 60);
    net.servers = 1;
    net.discover = chance(5000);
    net.helpers = chance(5000) ? between(1, SIM_HELPERS) : 0;
    net.helper_errs = chance(2000) ? between(100, 10000) : 0;
    net.helper_dies = chance(1000);
    switch (net.class) {
    case LOSSY: net.loss = between(1, 3000); break;
    case REORDER: net.reorder = between(100, 5000); net.jitter = between(0, 2000); break;
    case DUPLICATE: net.duplicate = between(100, 9000); break;
    case JITTER: net.delay = between(100, 20000); net.jitter = between(5000, 80000); break;
    case NARROW: net.us_per_kib = between(800, 8000); net.queue = between(8, 64) * 1024; break;
    case SMALL_RING: net.ring = between(4, 16); net.client_packet = between(100, 1200); net.client_kib = 200; break;
    case LONG_PATH: net.delay = between(5000, 60000); net.loss = below(100); break;
    case DEATH_RETURN: net.loss = below(500); break;
    case FAILOVER: net.servers = between(2, 3); net.loss = below(1000); break;
    case ALL_DEAD: net.servers = between(1, 3); net.must_fail = true; break;
    case REPLACED: net.servers = between(1, 2); net.may_fail = net.servers == 1; break;
    case MTU_HOLE: net.mtu[0] = net.mtu[1] = between(576, 1400); net.loss = below(300); break;
    case OFFPATH: net.forge_off = between(100, 9000); net.servers = between(1, 2); break;
    case ONPATH: net.forge_on = between(10, 2000); net.servers = between(1, 2); net.may_fail = true; break;
    case BITFLIPS: net.flip = between(1, 60); net.truncate = between(0, 100); net.may_fail = true; break;
    case REPLAY: net.replay = between(100, 4000); break;
    case BAD_SERVER: net.servers = between(2, 3); break;
    case ALL_BAD: net.servers = between(1, 3); net.must_fail = true; net.expect = ERR_P2_SERVERS_BAD; break;
    case WRONG_KEY: net.servers = between(1, 3); net.must_fail = true; net.expect = ERR_SEAL_UNTRUSTED; break;
    case WRONG_KEY_BESIDE: net.servers = between(2, 3); break;
    case NO_IMAGE: net.servers = between(1, 3); net.must_fail = true; net.expect = ERR_P2_NO_IMAGE; break;
    case CROWD: net.crowd = net.discover = true; net.servers = between(1, 2); break;
    case ROGUE_BESIDE: net.servers = 2; net.forge_off = between(1000, 9000); net.discover = true; break;
    case STUCK_ROM: // as an iPXE ROM whose heap is full (ipxe/bios/undi.c)
        net.stuck = between(8, 64);
        net.client_packet = between(50, 500);
        break;
    case LOCAL_COPY:
        net.local = between(1000, 10000);
        net.local_bad = chance(5000) ? 0 : between(100, 5000);
        net.loss = below(1000);
        net.servers = between(1, 2);
        break;
    case NEVER_ENDS: {
        static const int errors[NEVER_KINDS] = { 0, ERR_TOO_SLOW, ERR_P2_STALLED, ERR_P2_STALLED, ERR_P2_BUSY, ERR_P2_SERVERS_BAD };
        net.never = (enum never)between(1, NEVER_KINDS - 1);
        net.never_pause = net.never == NEVER_TRICKLE ? between(1500000, 25000000) : between(1000, 1000000);
        net.must_fail = true;
        net.expect = errors[net.never];
        break;
    }
    case EVERYTHING:
        net.local = chance(3000) ? between(1000, 10000) : 0;
        net.loss = between(0, 1500);
        net.reorder = between(0, 1000);
        net.duplicate = between(0, 1000);
        net.jitter = between(0, 3000);
        net.replay = between(0, 200);
        net.forge_off = between(0, 1000);
        net.ring = between(8, 64);
        net.client_packet = between(10, 300);
        net.servers = between(1, 3);
        break;
    default: break;
    }
}

static void servers_choose(void)
{
    // Roughly how long the boot takes: what happens in its middle is placed by it.
    uint64_t span = 4 * net.delay + image->seal.payload_size * (net.us_per_kib + net.client_kib) / 1024;
    for (uint32_t i = 0; i < net.servers; i++) {
        struct sim_server *s = &servers[i];
        uint64_t when = server_place(i, span);
        switch (net.class) {
        case DEATH_RETURN:
            s->dies = when;
            s->returns = when + between(1000, 15000000);
            net.late = s->returns > P2_DISCOVER_DEFAULT / 2; // may come too late for a client that knows nobody
            break;
        case FAILOVER:
            if (i + 1 < net.servers)
                s->dies = when;
            if (chance(3000))
                s->returns = when + between(100000, 8000000);
            break;
        case ALL_DEAD: s->dies = chance(3000) ? 1 : when; break;
        case REPLACED:
            if (i == 0) {
                s->replaces = when;
                s->keeps_old = net.servers > 1 ? chance(5000) : chance(7000);
            }
            break;
        case BAD_SERVER:
            if (i + 1 < net.servers) {
                s->corrupt = between(10, 2000);
                s->corrupt_all = chance(5000);
            }
            break;
        case ALL_BAD: s->corrupt_all = true; break;
        case WRONG_KEY: server_image(s, &foreign); break;
        case WRONG_KEY_BESIDE:
            if (i + 1 < net.servers)
                server_image(s, &foreign);
            break;
        case NO_IMAGE: server_image(s, NULL); break;
        case ROGUE_BESIDE:
            if (i == 0) {
                if (chance(5000))
                    server_image(s, &foreign);
                s->corrupt_all = true;
            }
            break;
        case EVERYTHING:
            if (i + 1 < net.servers && chance(3000))
                s->dies = when;
            break;
        default: break;
        }
    }
}

struct tally {
    uint32_t boots, failed;
    uint64_t bytes, us, reads, blocks, lost, duplicates, timeouts, bad_chunks, failovers;
};

static bool boot(uint64_t seed, struct tally *tally)
{
    world_reset(seed);
    net_choose(seed);
    // Mostly small images, so that many networks fit into the time.
    uint32_t pick = below(100);
    image = &images[pick < 60 ? below(3) : pick < 95 ? 3 + below(3) : 6 + below(2)];
    servers_choose();
    client_start();
    if (net.class == ALL_DEAD && chance(2000))
        net.must_fail = false, net.may_fail = true;
    world_run(SIM_DEADLINE);

    struct p2_progress p;
    p2_client_progress(&client, &p);
    int error = p2_client_error(&client);
    if (net.class == ALL_DEAD)
        net.must_fail = false, net.may_fail = true; // the boot may have been faster than death
    const char *wrong = judge();
    tally->boots += !error;
    tally->failed += error != 0;
    if (!error) {
        tally->bytes += image->seal.payload_size;
        tally->us += clock_now;
    }
    tally->reads += p.reads_sent;
    tally->blocks += p.blocks_received;
    tally->lost += p.lost;
    tally->duplicates += p.duplicates;
    tally->timeouts += p.timeouts;
    tally->bad_chunks += p.bad_chunks;
    tally->failovers += p.failovers;
    if (wrong || verbose)
        printf("%s sim seed %llu (%s): %s; %s %s after %.3f ms, phase %s, %llu of %llu bytes, %u reads, %u lost, "
               "%u timeouts, %u duplicates, %u bad chunks, %u failovers, window %u, block %u, srtt %u us, events %llu\n",
               wrong ? "FAIL" : "ok", (unsigned long long)seed, class_names[net.class], wrong ? wrong : "good",
               error ? err_code(error) : "booted", error ? err_text(error) : "", (double)clock_now / 1000,
               p2_phase_name(p.phase), (unsigned long long)p.bytes_verified, (unsigned long long)p.bytes_total,
               p.reads_sent, p.lost, p.timeouts, p.duplicates, p.bad_chunks, p.failovers, p.window, p.block_size,
               p.srtt_us, (unsigned long long)events);
    return !wrong;
}

static void images_build(void)
{
    static const struct { uint32_t kib, chunk_kib; } shapes[SIM_IMAGES] = {
        { 64, 4 }, { 100, 16 }, { 128, 64 }, { 256, 64 }, { 300, 32 }, { 512, 256 }, { 1024, 256 }, { 2048, 128 },
    };
    uint32_t largest = 0;
    for (uint32_t i = 0; i < SIM_IMAGES; i++) {
        char name[16];
        fmt_snprintf(name, sizeof name, "sim-%u", i);
        build(&images[i], name, shapes[i].kib * 1024 - 100, shapes[i].chunk_kib * 1024, TESTKEY_P256_A);
        largest = MAX(largest, shapes[i].kib * 1024);
    }
    build(&foreign, "foreign", 64 * 1024, 16 * 1024, TESTKEY_P256_B);
    build(&newer, "newer", 88 * 1024, 16 * 1024, TESTKEY_P256_A);
    world_open(largest);
}

int main(int argc, char **argv)
{
    verbose = argc > 2 && strcmp(argv[1], "-v") == 0;
    uint64_t first = 1, count = 1000;
    if (verbose) {
        first = strtoull(argv[2], NULL, 10);
        count = 1;
    } else {
        first = argc > 1 ? strtoull(argv[1], NULL, 10) : 1;
        count = argc > 2 ? strtoull(argv[2], NULL, 10) : 1000;
    }
    images_build();
    struct tally tallies[CLASSES], all = { 0 };
    uint32_t wrong[CLASSES] = { 0 }, bad = 0;
    memset(tallies, 0, sizeof tallies);
    for (uint64_t seed = first; seed < first + count; seed++)
        if (!boot(seed, &tallies[seed % CLASSES]))
            wrong[seed % CLASSES]++;
    for (uint32_t i = 0; i < CLASSES; i++) {
        const struct tally *t = &tallies[i];
        if (t->boots + t->failed == 0)
            continue;
        printf("%s sim-%s: %u booted, %u failed by name, %.2f MB/s, %.1f blocks a READ, %.1f %% lost, %.1f %% duplicate, "
               "%llu timeouts, %llu bad chunks, %llu failovers\n",
               wrong[i] ? "FAIL" : "ok", class_names[i], t->boots, t->failed, t->us ? (double)t->bytes / (double)t->us : 0.0,
               (double)t->blocks / (double)MAX(t->reads, 1u), 100.0 * (double)t->lost / (double)MAX(t->blocks, 1u),
               100.0 * (double)t->duplicates / (double)MAX(t->blocks, 1u), (unsigned long long)t->timeouts,
               (unsigned long long)t->bad_chunks, (unsigned long long)t->failovers);
        bad += wrong[i];
        all.boots += t->boots;
        all.failed += t->failed;
        all.bytes += t->bytes;
        all.us += t->us;
    }
    printf("%s: %llu networks, %u booted, %u failed by name, %u wrong; %.2f MB/s on average\n", argv[0],
           (unsigned long long)count, all.boots, all.failed, bad, all.us ? (double)all.bytes / (double)all.us : 0.0);
    for (uint32_t i = 0; i < SIM_IMAGES; i++)
        testimage_free(&images[i]);
    testimage_free(&foreign);
    testimage_free(&newer);
    world_close();
    return bad != 0;
}
