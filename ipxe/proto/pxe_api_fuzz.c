// SPDX-License-Identifier: MPL-2.0
// A program's calls: steps of a kind, a length, and bytes. Kinds below FRAME are functions, the bytes their block; others say what comes
// over the wire, and what goes wrong there. Addresses of the blocks lead wherever they like.
#include "base/fuzz.h"
#include "proto/testpxe.h"

enum { FRAME = 0xf0, DATAGRAM, FAULT, MEMORY, END };

static void step(uint8_t kind, const uint8_t *bytes, size_t len)
{
    switch (kind) {
    case FRAME:
        memcpy(world.frame, bytes, len);
        world.frame_len = len;
        break;
    case DATAGRAM: // its socket and port first
        if (len >= 2 && world.open[bytes[0] % PXE_API_SOCKETS])
            world_deliver(bytes[0] % PXE_API_SOCKETS, (uint16_t)(2999 + bytes[1]), bytes + 2, len - 2);
        break;
    case FAULT:
        world.wire_fails = len && bytes[0] & 1;
        world.card_fails = len && bytes[0] & 2;
        world.silent = len && bytes[0] & 4;
        world.silent_later = len && bytes[0] & 8;
        world.options = !(len && bytes[0] & 16);
        api.self.everything = !(len && bytes[0] & 32);
        world.file_len = len > 1 ? bytes[1] * 100u : 1000;
        break;
    case MEMORY:
        memcpy(memory_bytes + BUFFER, bytes, len);
        break;
    case END:
        (void)pxe_api_end(&api);
        world.card_open = true; // the next program finds it so
        api.card = PXE_CARD_STACK;
        break;
    default:
        memset(memory_bytes + BLOCK, 0, 256);
        memcpy(memory_bytes + BLOCK, bytes, len);
        if (pxe_api_call(&api, kind, BLOCK) != (load16_le(memory_bytes + BLOCK) != 0))
            __builtin_trap();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    world_start();
    for (uint32_t i = OWN_FROM; i < OWN_TO; i++)
        memory_bytes[i] = 0xee;
    for (size_t at = 0; at + 2 <= size;) {
        size_t len = MIN((size_t)data[at + 1], size - at - 2);
        step(data[at], data + at + 2, len);
        at += 2 + len;
    }
    for (uint32_t i = OWN_FROM; i < OWN_TO; i++)
        if (memory_bytes[i] != 0xee)
            __builtin_trap();
    return 0;
}
