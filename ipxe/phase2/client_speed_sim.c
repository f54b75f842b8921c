// SPDX-License-Identifier: MPL-2.0
// How fast a large image comes over a given simulated wire. client_speed_sim [PART]: the rows of `speeds` whose name has PART.
#include "phase2/testsim_client.h"

#define SPEED_SEEDS 3

struct speed {
    const char *name;
    struct net net;
    uint32_t mib;
    double least;    // MB/s from the first HELLO to VERIFIED, in each of SPEED_SEEDS boots
    uint32_t lost;   // of 1000 blocks: no more may be asked for again; 0 = as many as it takes
    uint32_t twice;  // of 1000 blocks: no more may come twice
};

// A large image on a given wire.
static bool speed_boot(const struct speed *row, const struct testimage *big, uint64_t seed)
{
    world_reset(seed);
    net = row->net;
    net.class = CLEAN;
    net.servers = 1;
    image = big;
    (void)server_place(0, 0);
    client_start();
    world_run(SIM_DEADLINE);
    struct p2_progress p;
    p2_client_progress(&client, &p);
    double rate = (double)big->seal.payload_size / (double)MAX(clock_now, 1u);
    const char *wrong = judge();
    bool good = !wrong && rate >= row->least && (!row->lost || p.lost <= p.blocks_received / 1000.0 * row->lost) &&
                p.duplicates <= p.blocks_received / 1000.0 * row->twice;
    printf("%s sim-speed-%s: %.2f MB/s of at least %.2f, %.1f s, %u reads for %u blocks, %u lost, %u duplicates, %u timeouts, window %u%s%s\n",
           good ? "ok" : "FAIL", row->name, rate, row->least, clock_now / 1e6, p.reads_sent, p.blocks_received, p.lost, p.duplicates, p.timeouts,
           p.window, wrong ? ": " : "", wrong ? wrong : "");
    return good;
}

static bool speed(const struct speed *row)
{
    struct testimage big;
    bool good = true;
    build(&big, row->name, row->mib << 20, 256 * 1024, TESTKEY_P256_A);
    world_open(big.seal.payload_size);
    for (uint64_t seed = 0; seed < SPEED_SEEDS; seed++)
        good &= speed_boot(row, &big, 4242 + seed);
    world_close();
    testimage_free(&big);
    return good;
}

#define WIRE .client_kib = 1
#define GBIT WIRE, .us_per_kib = 8, .queue = 4 << 20
static const struct speed speeds[] = {
    // 25 ms round trip, 1 Gbit/s: the case where others need megabytes of buffers.
    { "25ms", { GBIT, .delay = 12500, .ring = 1024, .client_packet = 2 }, 32, 25, 10, 0 },
    // Eight receive buffers and 100 us for each datagram: at most 14 MB/s are possible.
    { "8-buffers", { GBIT, .delay = 100, .ring = 8, .client_packet = 100 }, 8, 8, 100, 0 },
    // Five of them, as an rtl8139's under SNP: at most 14, 1.4 and 4.7 MB/s.
    { "5-buffers", { GBIT, .delay = 100, .ring = 5, .client_packet = 100 }, 8, 8, 125, 0 },
    { "5-buffers-slow", { GBIT, .delay = 100, .ring = 5, .client_packet = 1000 }, 8, 1, 125, 0 },
    { "5-buffers-unknown", { GBIT, .delay = 100, .ring = 5, .client_packet = 300, .blind = true }, 8, 3, 125, 0 },
    // 30 % each way: half of what is asked for does not come. 18 MiB in 60 s, and over a long path in 120 s.
    { "1-percent-loss", { GBIT, .delay = 200, .ring = 256, .client_packet = 5, .loss = 100 }, 8, 50, 35, 2 },
    { "5-percent-loss", { GBIT, .delay = 200, .ring = 256, .client_packet = 5, .loss = 500 }, 8, 8, 130, 2 },
    { "30-percent-loss", { GBIT, .delay = 200, .ring = 256, .client_packet = 5, .loss = 3000 }, 18, 18.9 / 60, 0, 2 },
    { "30-percent-loss-40ms", { GBIT, .delay = 20000, .ring = 256, .client_packet = 5, .loss = 3000 }, 18, 18.9 / 120, 0, 2 },
    // Jumbo frames, at 10 Gbit/s; and a way that takes them to be there and swallows them.
    { "jumbo", { WIRE, .us_per_kib = 1, .queue = 4 << 20, .delay = 100, .ring = 1024, .client_packet = 2, .large = P2_BLOCK_LARGE }, 32, 500, 10, 0 },
    { "jumbo-hole", { GBIT, .delay = 200, .ring = 1024, .client_packet = 2, .large = P2_BLOCK_LARGE, .mtu = { 1500 } }, 8, 80, 10, 0 },
    { "no-jumbo", { GBIT, .delay = 200, .ring = 1024, .client_packet = 2 }, 8, 100, 10, 0 },
    // A queue of ten frames before 4 Mbit/s: what is lost there is the window's fault, and others want to pass, too.
    { "narrow", { WIRE, .delay = 1000, .us_per_kib = 2000, .queue = 16 << 10, .ring = 256, .client_packet = 5 }, 2, 0.4, 60, 20 },
};

int main(int argc, char **argv)
{
    bool good = true;
    for (size_t i = 0; i < ARRAY_SIZE(speeds); i++)
        if (strstr(speeds[i].name, argc > 1 ? argv[1] : ""))
            good &= speed(&speeds[i]);
    return !good;
}
