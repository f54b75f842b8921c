// SPDX-License-Identifier: MPL-2.0
// Whole frames through net/ and lwIP, chosen by the fuzzer. lwIP's state is the process's: an input begins with all of it at rest.
#include "host/testnet.h"

#include "base/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    world_start();
    world_rest();
    struct choices c = { .data = data, .left = size };
    while (data && choices_left(&c))
        world_step(&c);
    return 0;
}
