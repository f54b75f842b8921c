// SPDX-License-Identifier: MPL-2.0
// See nbptest.h: how it was entered, the ROM's packets, and how it ends.
#include "bios/nbptest/nbptest.h"

#include "real/real.h"

// `order`: how it ends.
enum { END_SUCCESS, END_FAILURE, END_INT18, END_UNLOAD, END_STOP, END_ROUGH, END_STOP_HOOKED };
#define BY_INT18 0x10000 // nbptest.S
#define ROUGHLY 0x20000  // too
#define LINE_SETTINGS (COM1 + 3)
#define DIVISOR_VISIBLE 0x80
#define DIVISOR_9600 12
#define PARITY_7_BITS 0x1a
#define BDA_BASE_KIB 0x413
#define BDA_TICKS 0x46c
#define PAE_AND_GLOBAL_PAGES 0xa0 // in CR4

extern uint32_t order, entered_pxenv, entered_stack, entered_bang, entered_from, pxe_target;
extern uint16_t entered_cs, entered_ip, pxe_ax;
extern uint8_t a20_shut, pxe_by_registers;

static uint8_t first_packet[3][1500];

// ---- how it was entered -----------------------------------------------------------------------------------

static const uint8_t *far_memory(uint32_t pointer)
{
    return low_memory((pointer >> 16 << 4) + (pointer & 0xffff));
}

static bool is_pxenv(const uint8_t *p)
{
    return memcmp(p, "PXENV+", 6) == 0 && load16_le(p + 6) >= 0x201 && p[8] >= 0x2c && byte_sum(p, p[8]) == 0;
}

static bool is_bang(const uint8_t *p)
{
    return memcmp(p, "!PXE", 4) == 0 && p[4] >= 0x58 && byte_sum(p, p[4]) == 0 && p[6] == 0 && load32_le(p + 16) != 0;
}

static bool above_base(uint32_t pointer)
{
    uint32_t address = (pointer >> 16 << 4) + (pointer & 0xffff);
    return address >= base_end && address < 0x100000;
}

static void try_entry(void)
{
    struct bios_regs regs = { .eax = 0x12 };
    bios_call(&regs, 0x12);
    base_end = (regs.eax & 0xffff) << 10;
    note("nbp: entered at %04x:%04x, stack %08x, from %08x, PXENV+ %08x, !PXE %08x, base memory %u KiB", entered_cs, entered_ip, entered_stack,
         entered_from, entered_pxenv, entered_bang, base_end >> 10);
    result((entered_cs == 0 && entered_ip == NBPTEST_BASE) || (entered_cs == NBPTEST_BASE >> 4 && entered_ip == 0), "entry");
    result(!a20_shut, "a20");
    const uint8_t *pxenv = far_memory(entered_pxenv), *bang = far_memory(entered_bang);
    result(is_pxenv(pxenv), "pxenv");
    result(is_bang(bang), "bang");
    result(load32_le(pxenv + 0x28) == entered_bang, "pxenv-to-bang");
    result(above_base(entered_bang) && above_base(load32_le(bang + 16)) && above_base(load32_le(pxenv + 10)), "hidden-base");
    result(bang[29] >= 4, "bang-segments");
    regs = (struct bios_regs){ .eax = 0x5650, .flags = 1 };
    bios_call(&regs, 0x1a);
    result((regs.eax & 0xffff) == 0x564e && !(regs.flags & 1) && far_memory((uint32_t)regs.es << 16 | (regs.ebx & 0xffff)) == pxenv, "int-1a");
    regs = (struct bios_regs){ .eax = 0 };
    bios_call(&regs, 0x1a); // the time of day is the BIOS's still
    result((regs.edx & 0xffff) - load16_le(low_memory(BDA_TICKS)) + 2u < 5, "int-1a-others");
    pxe_target = load32_le(bang + 16);
    if (strict) { // 115200 8N1, whatever a program before has left
        uint8_t line = in8(LINE_SETTINGS);
        out8(LINE_SETTINGS, line | DIVISOR_VISIBLE);
        bool right = line == 3 && in8(COM1) == 1 && in8(COM1 + 1) == 0;
        out8(LINE_SETTINGS, line);
        result(right, "com1");
    }
}

// ---- the ROM's packets ------------------------------------------------------------------------------------

struct PACKED cached {
    uint16_t status, type, size;
    uint32_t buffer;
    uint16_t limit;
};

static bool is_packet(const uint8_t *p, unsigned type)
{
    return p[0] == (type == 1 ? 1 : 2) && p[1] == 1 && p[2] == 6 && load32_be(p + 236) == 0x63825363;
}

static void try_packets(void)
{
    static const char *const names[] = { "discover", "ack", "reply" };
    bool whole = true, limited = true, shown = true;
    for (unsigned type = 1; type <= 3; type++) {
        uint8_t *copy = low_memory(BUFFER_AT);
        memset(copy, 0xee, BUFFER_SIZE);
        struct cached block = { .type = (uint16_t)type, .size = 1500, .buffer = far_pointer(BUFFER_AT) };
        whole = result(api(GET_CACHED_INFO, &block, sizeof block) && is_packet(copy, type) && block.size >= 240 && block.size <= 1500 &&
                       copy[block.size] == 0xee, names[type - 1]) && whole;
        memcpy(first_packet[type - 1], copy, 1500);
        uint16_t size = block.size;
        struct cached look = { .type = (uint16_t)type };
        bool told = api(GET_CACHED_INFO, &look, sizeof look);
        note("nbp: packet %u: %u bytes, in place %u at %08x, limit %u", type, size, look.size, look.buffer, look.limit);
        shown = told && look.buffer != 0 && above_base(look.buffer) && (look.limit >= size || !strict) &&
                memcmp(far_memory(look.buffer), copy, size) == 0 && shown;
        memset(copy, 0xee, BUFFER_SIZE);
        struct cached part = { .type = (uint16_t)type, .size = 100, .buffer = far_pointer(BUFFER_AT) };
        limited = api(GET_CACHED_INFO, &part, sizeof part) && memcmp(copy, first_packet[type - 1], 100) == 0 && copy[100] == 0xee && limited;
    }
    result(shown, "packets-in-place");
    result(limited, "packets-cut");
    struct cached none = { .type = 4 };
    result(refused(GET_CACHED_INFO, &none, sizeof none), "packets-no-such");
    const uint8_t *ack = first_packet[1], *reply = first_packet[2];
    memcpy(addresses.mac, ack + 28, 6);
    memcpy(addresses.own, ack + 16, 4);
    memcpy(addresses.server, all_zero(reply + 20, 4) ? ack + 20 : reply + 20, 4);
    note("nbp: own %u.%u.%u.%u, server %u.%u.%u.%u, boot file \"%.60s\"", addresses.own[0], addresses.own[1], addresses.own[2], addresses.own[3],
         addresses.server[0], addresses.server[1], addresses.server[2], addresses.server[3], (const char *)reply + 108);
    result(whole && !all_zero(addresses.own, 4) && !all_zero(addresses.server, 4), "addresses");
    // By the other entry, with its arguments in registers.
    struct cached block = { .type = 2, .size = 1500, .buffer = far_pointer(SECOND_AT) };
    uint32_t entry = pxe_target;
    pxe_target = load32_le(far_memory(entered_pxenv) + 10);
    pxe_by_registers = 1;
    bool good = api(GET_CACHED_INFO, &block, sizeof block);
    pxe_target = entry;
    pxe_by_registers = 0;
    result(good && block.size >= 240 && memcmp(low_memory(SECOND_AT), ack, block.size) == 0, "by-registers");
}

// A program that has pages of its own in protected mode may call with what it has set for them.
static void try_control_registers(void)
{
    uint32_t cr0, cr4, cr0_after, cr4_after;
    struct cached block = { .type = 2, .size = 1500, .buffer = far_pointer(SECOND_AT) };
    __asm__ volatile("movl %%cr0, %0; movl %%cr4, %1" : "=r"(cr0), "=r"(cr4));
    __asm__ volatile("movl %0, %%cr0; movl %1, %%cr4" : : "r"(cr0 ^ 8), "r"(cr4 | PAE_AND_GLOBAL_PAGES));
    bool good = api(GET_CACHED_INFO, &block, sizeof block);
    __asm__ volatile("movl %%cr0, %0; movl %%cr4, %1" : "=r"(cr0_after), "=r"(cr4_after));
    __asm__ volatile("movl %0, %%cr0; movl %1, %%cr4" : : "r"(cr0), "r"(cr4));
    result(good && cr0_after == (cr0 ^ 8) && cr4_after == (cr4 | PAE_AND_GLOBAL_PAGES), "control-registers");
}

// ---- the end ----------------------------------------------------------------------------------------------

struct PACKED plain_block {
    uint16_t status;
    uint8_t reserved[10];
};

static bool plainly(uint16_t function)
{
    struct plain_block block = { 0 };
    return api(function, &block, sizeof block);
}

// As a program that does not need its stack any more says so. It may still go back.
static void unload(void)
{
    result(plainly(UNDI_SHUTDOWN), "undi-shutdown");
    result(plainly(UNLOAD_STACK), "unload-stack");
}

// As a program that has put itself in front of INT 15h, as memdisk does, and hands on to who was there.
static void hook(void)
{
    uint32_t *vector = low_memory(0x15 * 4);
    static const uint8_t jump_far = 0xea;
    memcpy(low_memory(HOOK_AT), &jump_far, 1);
    memcpy(low_memory(HOOK_AT + 1), vector, 4);
    *vector = far_pointer(HOOK_AT);
}

// Leaves all as no program should: whoever started it goes on all the same.
static void leave_it_rough(void)
{
    hook();
    *(uint32_t *)low_memory(0x1a * 4) = *(uint32_t *)low_memory(0x18 * 4) = *(uint32_t *)low_memory(0x08 * 4) = 0xdeadbeef;
    *(uint16_t *)low_memory(BDA_BASE_KIB) = 64;
    out8(COM1 + 1, 0x0f);
    out8(LINE_SETTINGS, DIVISOR_VISIBLE);
    out8(COM1, DIVISOR_9600);
    out8(LINE_SETTINGS, PARITY_7_BITS);
    out8(0x21, 0xff);
    out8(0xa1, 0xff);
    out8(0x92, in8(0x92) & 0xfc); // A20 is shut
    uint32_t cr0, cr4;
    __asm__ volatile("movl %%cr0, %0; movl %%cr4, %1" : "=r"(cr0), "=r"(cr4));
    __asm__ volatile("movl %0, %%cr0; movl %1, %%cr4" : : "r"(cr0 | 0xc), "r"(cr4 | PAE_AND_GLOBAL_PAGES));
}

// As one that wants the whole machine, and so will never go back to who started it, but to the BIOS.
static void stop(void)
{
    result(plainly(STOP_UNDI), "stop-undi");
    if (!strict)
        return;
    struct bios_regs regs = { 0 };
    if (order == END_STOP_HOOKED) {
        bios_call(&regs, 0x12);
        result((regs.eax & 0xffff) << 10 == base_end, "stopped-base-memory-in-use");
        regs = (struct bios_regs){ .eax = 0x8800 };
        bios_call(&regs, 0x15);
        result(!(regs.flags & 1), "stopped-hook");
        memcpy(low_memory(0x15 * 4), low_memory(HOOK_AT + 1), 4); // the next boot device loads over it
        return;
    }
    regs = (struct bios_regs){ .eax = 0x5650, .flags = 1 };
    bios_call(&regs, 0x1a);
    bool another = far_memory((uint32_t)regs.es << 16 | (regs.ebx & 0xffff)) != far_memory(entered_pxenv); // a ROM's below
    result((regs.eax & 0xffff) != 0x564e || another, "stopped-int-1a");
    regs = (struct bios_regs){ .eax = 0 };
    bios_call(&regs, 0x12);
    result((regs.eax & 0xffff) << 10 > base_end, "stopped-base-memory");
    struct cached block = { .type = 2 };
    unsigned before = disagreements; // nobody is there who would write to the block
    call(GET_CACHED_INFO, &block, sizeof block);
    disagreements = before;
    result(pxe_ax == 1, "stopped-calls");
}

// Called by nbptest.S alone. What AX is to be at the end, BY_INT18: by that interrupt.
uint32_t nbptest_main(void);
uint32_t nbptest_main(void)
{
    note("nbp: nbptest, order %u", order);
    try_entry();
    try_memory_map();
    memory_fill();
    try_packets();
    if (strict) // QEMU's stock ROMs never come back from such a call
        try_control_registers();
    try_tftp();
    try_udp();
    try_file();
    try_wild();
    try_undi();
    if (order == END_STOP_HOOKED)
        hook();
    if (order == END_UNLOAD || order == END_STOP || order == END_STOP_HOOKED)
        unload();
    if (order == END_STOP || order == END_STOP_HOOKED)
        stop();
    memory_judge();
    result(registers_lost == 0, "registers");
    result(disagreements == 0, "status");
    note("nbp: done, %u failed, ending by %s", failed, order == END_INT18 ? "INT 18h" : order == END_FAILURE ? "AX = 1" : "AX = 0");
    if (order == END_ROUGH) {
        leave_it_rough();
        return ROUGHLY;
    }
    return order == END_INT18 ? BY_INT18 : order == END_FAILURE ? 1 : 0;
}
