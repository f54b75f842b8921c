// SPDX-License-Identifier: MPL-2.0
// Whole frames through net/ and lwIP, from seeds: no frame ends the machine, and after each seed it answers as it did.
// Usage: frames_sim [FRAMES [FIRST-SEED]]; 100,000 frames without an argument.
#include "host/testnet.h"

#include <unistd.h>

#define FRAMES 100000
#define STEPS 2000     // of one seed
#define HANG_SECONDS 60 // for one seed, which takes a fraction of one

// After all that, is it the machine it was? Pings are answered and datagrams arrive.
static bool alive_still(void)
{
    struct choices plain = { .state = 1 };
    bool good = true;
    for (int v6 = 0; v6 < 2; v6++) {
        struct envelope e = { v6, v6 ? peer_ip6 : peer_ip4, v6 ? own_ip6 : own_ip4, v6 ? 58 : 1, 255 };
        unsigned answered = 0;
        for (unsigned i = 0; i < 64; i++) { // the generator spoils some
            net_world.echoes = 0;
            struct frame f = packet(&plain, &e, big, echo(&plain, &e, big, 32));
            world_put(&f);
            world_drain();
            answered += net_world.echoes > 0;
        }
        good = good && answered > 32;
        if (answered <= 32)
            fprintf(stderr, "v%d: %u of 64 pings answered\n", v6 ? 6 : 4, answered);
        e.proto = 17;
        net_world.datagrams = 0;
        for (unsigned i = 0; i < 64; i++) {
            struct frame f = packet(&plain, &e, big, udp(&plain, &e, big, 9, 4000, 32));
            world_put(&f);
            world_drain();
        }
        good = good && net_world.datagrams > 32;
        if (net_world.datagrams <= 32)
            fprintf(stderr, "v%d: %u of 64 datagrams\n", v6 ? 6 : 4, net_world.datagrams);
    }
    return good;
}

int main(int argc, char **argv)
{
    uint64_t want = argc > 1 ? strtoull(argv[1], NULL, 10) : FRAMES;
    uint64_t first = argc > 2 ? strtoull(argv[2], NULL, 10) : 1, seed = first;
    world_start();
    for (; net_world.frames < want; seed++) {
        alarm(HANG_SECONDS);
        struct choices c = { .state = seed * 0x9e3779b97f4a7c15ull };
        printf("seed %llu\n", (unsigned long long)seed);
        fflush(stdout);
        for (unsigned i = 0; i < STEPS; i++)
            world_step(&c);
        world_rest();
        if (!alive_still()) {
            printf("FAIL frames: the stack is not what it was behind seed %llu\n", (unsigned long long)seed);
            return 1;
        }
    }
    printf("ok frames: %llu frames, seeds %llu to %llu\n", (unsigned long long)net_world.frames, (unsigned long long)first,
           (unsigned long long)seed - 1);
    return 0;
}
