// SPDX-License-Identifier: MPL-2.0
// See program.h. What is done here runs in Signet's own memory; resident.S changes between that and the program.
#include "bios/program.h"

#include "bios/away.h"
#include "bios/console.h"
#include "bios/handed.h"
#include "bios/layout.h"
#include "bios/leave.h"
#include "bios/machine.h"
#include "bios/memory.h"
#include "bios/native.h"
#include "bios/network.h"
#include "bios/ports.h"
#include "bios/processors.h"
#include "bios/pxe.h"
#include "bios/resident.h"
#include "crypto/digest_hw.h"
#include "real/selectors.h"

#define BDA_BASE_KIB 0x413
#define FOUR_GIB 0x100000000ull
#define PIC_MASK 0x21
#define PIC_MASK_SECOND 0xa1
#define CR0_PROTECTED 1u
#define PAGE_PRESENT 3u // and writable
#define PAGE_LARGE 0x80u
#define PAGE_SHIFT 12
#define LARGE_SHIFT 22
#define ENTRIES 1024u
#define VECTOR_MEMORY 0x15
#define VECTOR_NEXT 0x18
#define VECTOR_PXE 0x1a
#define KIB_BELOW_16_MIB 0x3c00u
#define KIB_88_MAX 0xfc00u // a program may add 1 MiB in 16 bits

// resident.S: places in the segment, before it is copied.
extern const uint8_t resident_start[], resident_end[], resident_gdt[], resident_bang[], resident_pxenv[], resident_base[], resident_segment[],
    resident_frame[], resident_control[], resident_block[], resident_words[], resident_memory[], resident_e820_count[], resident_old[],
    resident_entry_bang[], resident_entry_pxenv[], resident_returned[], resident_int15[], resident_int18[], resident_int1a[], resident_down[],
    resident_move[], resident_home[];
extern uint32_t program_switch(uint32_t base, uint32_t where);
uint32_t program_call(uint32_t function, uint32_t block);

static struct {
    uint32_t base;  // of the segment; 0: none runs
    struct platform_nbp *nbp;
    uint16_t kib;   // of base memory, without the segment
} program;

static uint16_t offset(const uint8_t *of)
{
    return (uint16_t)(of - resident_start);
}

static uint8_t *in_segment(const uint8_t *of)
{
    return low_memory(program.base + offset(of));
}

static void put16(const uint8_t *of, unsigned at, uint32_t value)
{
    store16_le(in_segment(of) + at, (uint16_t)value);
}

static void put32(const uint8_t *of, unsigned at, uint32_t value)
{
    store32_le(in_segment(of) + at, value);
}

// As real mode reads it.
static uint32_t far(const uint8_t *of)
{
    return program.base >> 4 << 16 | offset(of);
}

static uint32_t far_of(struct segoff p)
{
    return (uint32_t)p.segment << 16 | p.offset;
}

// --- memory ---

// The uppermost place for the block beside the program's file. 0: there is none.
static uint32_t find_block(const struct platform_boot *boot)
{
    struct mem_region usable[PLATFORM_REGIONS_MAX];
    for (unsigned i = machine_memory(BLOCK_SIZE, usable, PLATFORM_REGIONS_MAX); i-- > 0;) {
        uint64_t end = usable[i].base + usable[i].length;
        for (unsigned turn = 0; turn < 2; turn++, end = boot->kernel) {
            uint64_t block = end < BLOCK_SIZE ? 0 : (end - BLOCK_SIZE) & ~(uint64_t)(BLOCK_ALIGN - 1);
            if (block < MAX(usable[i].base, (uint64_t)BLOCK_SIZE))
                break;
            if (block >= boot->kernel + boot->kernel_len || block + BLOCK_SIZE <= boot->kernel)
                return (uint32_t)block;
        }
    }
    return 0;
}

static uint64_t usable_from(const struct e820_map *map, uint64_t base)
{
    for (unsigned i = 0; i < map->count; i++)
        if (map->entries[i].type == E820_TYPE_USABLE && map->entries[i].base <= base && map->entries[i].base + map->entries[i].length > base)
            return MIN(map->entries[i].base + map->entries[i].length, FOUR_GIB) - base;
    return 0;
}

// The answers of INT 15h.
static int write_map(uint32_t block)
{
    static struct e820_map map;
    map = *machine_map();
    int err = e820_mark(&map, block, BLOCK_SIZE, E820_TYPE_RESERVED);
    if (!err)
        err = e820_mark(&map, program.base, RESIDENT_SIZE, E820_TYPE_RESERVED);
    if (err)
        return ERR_BOOT_NO_ROOM;
    uint8_t *out = low_memory(program.base + RESIDENT_E820);
    for (unsigned i = 0; i < map.count; i++, out += 20) {
        store64_le(out, map.entries[i].base);
        store64_le(out + 8, map.entries[i].length);
        store32_le(out + 16, map.entries[i].type);
    }
    uint32_t kib = (uint32_t)(usable_from(&map, HIGH_BASE) >> 10);
    put16(resident_e820_count, 0, map.count);
    put16(resident_memory, 0, MIN(kib, KIB_BELOW_16_MIB));
    put16(resident_memory, 2, kib < KIB_BELOW_16_MIB ? 0 : (uint32_t)(usable_from(&map, 16ull << 20) >> 16));
    put16(resident_memory, 4, MIN(kib, KIB_88_MAX));
    return 0;
}

// Signet's addresses lead into the block, and the block's to what the program has there; all others are themselves.
static void write_pages(uint32_t block)
{
    uint32_t *directory = low_memory(block + BLOCK_DIRECTORY), *table = low_memory(block + BLOCK_TABLE);
    for (uint32_t i = 0; i < ENTRIES; i++) {
        uint32_t at = i << LARGE_SHIFT;
        directory[i] = (at < BLOCK_SIZE ? at + block : at - block < BLOCK_SIZE ? at - block : at) | PAGE_LARGE | PAGE_PRESENT;
        at = i << PAGE_SHIFT;
        table[i] = (at < HIGH_BASE ? at : at + block) | PAGE_PRESENT;
    }
    directory[0] = (uint32_t)table | PAGE_PRESENT;
}

// --- the segment ---

static uint64_t descriptor(uint32_t base, uint32_t limit_and_kind_high, uint32_t kind_low)
{
    return (uint64_t)((base & 0xff000000) | limit_and_kind_high | base >> 16 << 24 >> 24) << 32 | base << 16 | kind_low;
}

static void write_tables(void)
{
    static const struct {
        uint8_t selector;
        bool flat;
        uint32_t high; // limit, kind
    } rows[] = {
        { SEL_CODE16, false, 0x00009b00 },  { SEL_CODE32, true, 0x00cf9b00 },          { SEL_DATA32, true, 0x00cf9300 },
        { SEL_DATA16, false, 0x00009300 }, { SEL_CODE_RESIDENT, false, 0x00cf9b00 },
    };
    for (unsigned i = 0; i < ARRAY_SIZE(rows); i++)
        store64_le(in_segment(resident_gdt) + rows[i].selector, descriptor(rows[i].flat ? 0 : program.base, rows[i].high, 0xffff));
}

// !PXE and PXENV+ (PXE 2.1, 3.3): what they call stack, data and code is this one segment.
static void write_api(void)
{
    uint8_t *bang = in_segment(resident_bang), *pxenv = in_segment(resident_pxenv);
    uint32_t segment = program.base >> 4;
    memcpy(bang, "!PXE", 4);
    bang[BANG_LENGTH] = BANG_SIZE_MIN;
    store32_le(bang + BANG_ENTRY, far(resident_entry_bang));
    store32_le(bang + BANG_CALLOUT, UINT32_MAX); // none is asked for
    bang[BANG_SEGMENT_COUNT] = BANG_SEGMENTS_MIN;
    for (unsigned i = 0; i < BANG_SEGMENTS_MIN; i++) {
        uint8_t *d = bang + BANG_SEGMENTS + 8 * i;
        store16_le(d, (uint16_t)segment);
        store32_le(d + 2, program.base);
        store16_le(d + 6, RESIDENT_SIZE);
    }
    bang[BANG_SUM] = (uint8_t)-byte_sum(bang, BANG_SIZE_MIN);

    memcpy(pxenv, "PXENV+", 6);
    store16_le(pxenv + PXENV_VERSION, 0x0201);
    pxenv[PXENV_LENGTH] = PXENV_SIZE_2_1;
    store32_le(pxenv + PXENV_ENTRY, far(resident_entry_pxenv));
    for (unsigned i = PXENV_SEGMENTS; i < PXENV_BANG; i += 4) {
        store16_le(pxenv + i, (uint16_t)segment);
        store16_le(pxenv + i + 2, RESIDENT_SIZE);
    }
    store32_le(pxenv + PXENV_BANG, far(resident_bang));
    pxenv[PXENV_SUM] = (uint8_t)-byte_sum(pxenv, PXENV_SIZE_2_1);
}

// What resident_down takes off the stack: registers, flags, where the program begins, where it returns to, !PXE.
static void write_frame(uint32_t bang, uint32_t pxenv)
{
    struct PACKED {
        uint16_t gs, fs, es, ds;
        uint32_t edi, esi, ebp, esp, ebx, edx, ecx, eax;
        uint16_t flags;
        uint32_t begin, back, bang;
    } frame = { .es = (uint16_t)(pxenv >> 16), .ebx = (uint16_t)pxenv, .flags = 0x202, .begin = LOAD_BASE };
    frame.back = far(resident_returned);
    frame.bang = bang;
    uint32_t at = RESIDENT_STACK_TOP - sizeof frame;
    memcpy(low_memory(program.base + at), &frame, sizeof frame);
    put32(resident_frame, 0, at);
    put16(resident_frame, 4, program.base >> 4);
}

// The interrupts that lead into the segment, each with where in resident_old it is kept as it was.
static const struct {
    uint8_t vector, old;
    bool service; // of the API: not where the program has the ROM's
    const uint8_t *handler;
} hooks[] = { { VECTOR_MEMORY, 0, false, resident_int15 }, { VECTOR_PXE, 4, true, resident_int1a }, { VECTOR_NEXT, 8, false, resident_int18 } };

static uint32_t *vector_of(unsigned i)
{
    return low_memory(hooks[i].vector * 4);
}

static void write_segment(uint32_t block, bool services, uint32_t cr0, uint32_t cr4)
{
    put32(resident_base, 0, program.base);
    put16(resident_segment, 0, program.base >> 4);
    put32(resident_control, 0, cr0 & ~CR0_PROTECTED);
    put32(resident_control, 8, cr4);
    put32(resident_block, 0, block);
    put32(resident_words, 0, (uint32_t)memory_own().length / 4);
    write_tables();
    write_api();
    if (services)
        write_frame(far(resident_bang), far(resident_pxenv));
    else
        write_frame(far_of(entry_pxe), far_of(entry_pxenv));
    for (unsigned i = 0; i < ARRAY_SIZE(hooks); i++) {
        if (hooks[i].service && !services)
            continue;
        put32(resident_old, hooks[i].old, *vector_of(i));
        *vector_of(i) = far(hooks[i].handler);
    }
}

// --- running it ---

static void put_code(const uint8_t *at, const void *code, size_t len)
{
    memcpy(in_segment(at), code, len);
}

// The program wants all memory for itself. What others have put in front of our interrupts stays, and block and segment, to which it hands on,
// are hidden then.
static void unload(void)
{
    static const uint8_t failure[] = { 0xb8, 0x01, 0x00, 0xf9, 0xcb }; // mov $1, %ax; stc; lret
    static const uint8_t next_device[] = { 0xfb, 0xcd, 0x18, 0xeb, 0xfd }; // sti; int $0x18; jmp .-1
    bool in_use = false;
    for (unsigned i = 0; i < ARRAY_SIZE(hooks); i++) {
        if (*vector_of(i) == far(hooks[i].handler))
            *vector_of(i) = load32_le(in_segment(resident_old) + hooks[i].old);
        else
            in_use = true;
    }
    uint16_t *base_memory = low_memory(BDA_BASE_KIB);
    if (!in_use && *base_memory == program.base >> 10)
        *base_memory = program.kib;
    in_segment(resident_bang)[0] = in_segment(resident_pxenv)[0] = 0;
    put_code(resident_entry_bang, failure, sizeof failure);
    put_code(resident_entry_pxenv, failure, sizeof failure);
    put_code(resident_returned, next_device, sizeof next_device);
    network_pause();
}

// The program's call comes here from resident.S.
uint32_t program_call(uint32_t function, uint32_t block)
{
    struct platform_nbp *nbp = program.nbp;
    uint32_t result = nbp->call(nbp->ctx, (uint16_t)function, block);
    if (nbp->unload)
        unload();
    return result;
}

int program_run(const struct platform_boot *boot)
{
    uint16_t *base_memory = low_memory(BDA_BASE_KIB);
    bool services = native_has(boot->nbp->card);
    if (!services && !network_has_pxe(boot->nbp->card))
        return ERR_BOOT_NO_PXE;
    uint32_t block = find_block(boot);
    program.kib = *base_memory;
    program.base = ((uint32_t)program.kib << 10) - RESIDENT_SIZE;
    if (!block || program.base < BASE_END || boot->kernel_len > program.base - LOAD_BASE)
        return ERR_BOOT_NO_ROOM;
    memcpy(low_memory(program.base), resident_start, (size_t)(resident_end - resident_start));
    int err = write_map(block);
    if (err)
        return err;

    processors_stop(NULL);
    network_pause();
    if (sha256_hw_present())
        vectors_off();
    uint8_t masks[2] = { in8(PIC_MASK), in8(PIC_MASK_SECOND) };
    uint32_t cr0, cr4;
    __asm__ volatile("movl %%cr0, %0; movl %%cr4, %1" : "=r"(cr0), "=r"(cr4));
    memcpy(low_memory(block), low_memory(0), BASE_END);
    write_segment(block, services, cr0, cr4);
    write_pages(block);
    *base_memory = (uint16_t)(program.base >> 10);
    boot->nbp->low = program.base + RESIDENT_PACKETS;
    boot->nbp->low_size = RESIDENT_SIZE - RESIDENT_PACKETS;
    memmove(low_memory(LOAD_BASE), low_memory((uint32_t)boot->kernel), (size_t)boot->kernel_len);

    // From here on no BIOS can be called: what that takes in base memory is the program's.
    program.nbp = boot->nbp;
    away_segment = program.base;
    away_block = block; // the copy knows it
    program_switch(program.base, offset(resident_move));
    if (services)
        network_resume(boot->nbp->card);
    uint32_t result = program_switch(program.base, offset(resident_down));
    network_pause();
    away_block = 0;
    program_switch(program.base, offset(resident_home));

    __asm__ volatile("movl %0, %%cr0; movl %1, %%cr4" : : "r"(cr0), "r"(cr4));
    bios_console_resume();
    *base_memory = program.kib;
    out8(PIC_MASK, masks[0]);
    out8(PIC_MASK_SECOND, masks[1]);
    if (sha256_hw_present())
        vectors_on();
    network_resume(NULL);
    return result ? ERR_BOOT_STATUS : 0;
}
