// SPDX-License-Identifier: MPL-2.0
// A core that tries each call of the BIOS door and says on the console what came of it. ci/qemu/doortest loads it through
// QEMU's stock ROMs, answers its flood request, and reads the lines "ok ..." and "FAIL ...".
#include "base/bytes.h"
#include "base/fmt.h"
#include "bios/clock.h"
#include "bios/doortest/program.h"
#include "bios/doortest/wire.h"
#include "bios/pxe.h"
#include "bios/handed.h"
#include "bios/layout.h"
#include "bios/memory.h"
#include "bios/native.h"
#include "bios/network.h"
#include "bios/receive.h"
#include "bios/undi.h"
#include "core/core.h"
#include "image/bzimage.h"

#define CALLS 100
#define FLOOD_QUIET_US 1000000
#define FLOOD_RETRY_US 20000
#define BDA_TICKS 0x46c
#define NOTE_AT 0x0f000000u
#define NOTE_ORDER 16
enum { ORDER_NONE, ORDER_PANIC, ORDER_REBOOT, ORDER_EXIT, ORDER_POWEROFF };
#define KERNEL_AT 0x10000000u
#define INITRD_AT 0x14000000u
#define RAMDISK_AT 0x18000000u

static void result(bool ok, const char *name)
{
    say("%s %s\n", ok ? "ok" : "FAIL", name);
}

static void result_of(bool ok, const char *name, const char *how)
{
    say("%s %s-%s\n", ok ? "ok" : "FAIL", name, how);
}

static uint32_t bios_tick(void)
{
    uint32_t t;
    memcpy(&t, low_memory(BDA_TICKS), sizeof t);
    return t;
}

static void try_clock(const char *name)
{
    uint32_t tick = bios_tick();
    while (bios_tick() == tick)
        halt();
    uint64_t start = pl->now_us(NULL);
    tick = bios_tick();
    while (bios_tick() - tick < 18)
        halt();
    uint32_t us = (uint32_t)(pl->now_us(NULL) - start);
    say("clock: 18 BIOS ticks (988645 us) are %u us, TSC %u kHz\n", us, clock_tsc_khz());
    result(us > 700000 && us < 1400000, name); // a busy host delays and swallows ticks
}

static void try_calls(void)
{
    uint64_t start = pl->now_us(NULL);
    struct bios_regs regs = { 0 };
    for (int i = 0; i < CALLS; i++)
        bios_call(&regs, 0x12);
    uint32_t us = (uint32_t)(pl->now_us(NULL) - start);
    say("cost: INT 12h %u us\n", us / CALLS);
    result((regs.eax & 0xffff) == base_kib, "int12");
    struct {
        uint8_t block[128];
    } info;
    uint16_t status = 0;
    start = pl->now_us(NULL);
    for (int i = 0; i < CALLS; i++) {
        memset(&info, 0, sizeof info);
        status |= pxe_call(0x0c, &info, 64);
    }
    us = (uint32_t)(pl->now_us(NULL) - start);
    say("cost: UNDI GET_INFORMATION %u us\n", us / CALLS);
    result(status == 0, "pxecall");
}

// All the ways to the API that QEMU's ROMs offer, and refusals of damaged structures.
static void try_entries(void)
{
    const struct segoff none = { 0, 0 }, pxe = entry_pxe, pxenv = entry_pxenv;
    result(pxe_find() == 0 && strcmp(pxe_kind(), "!PXE") == 0, "entry-pxe");
    entry_pxe = none;
    result(pxe_find() == 0 && strcmp(pxe_kind(), "!PXE") == 0, "entry-pxenv-to-pxe");
    entry_pxenv = none;
    result(pxe_find() == 0, "entry-int1a");

    // The ROM's PXENV+, with an older version written into a copy: its own entry point is used then.
    uint8_t *copy = low_memory(BOUNCE + 0x400);
    memcpy(copy, low_memory(segoff_address(pxenv)), PXENV_SIZE_2_1);
    copy[9] = (uint8_t)(copy[9] + copy[PXENV_VERSION] + copy[PXENV_VERSION + 1] - 2);
    store16_le(copy + PXENV_VERSION, 0x0200);
    entry_pxenv = segoff_of(BOUNCE + 0x400);
    bool found = pxe_find() == 0;
    struct pxe_undi_information info = { 0 };
    result(found && strcmp(pxe_kind(), "PXENV+ 2.0") == 0, "entry-pxenv");
    result(pxe_call(PXENV_UNDI_GET_INFORMATION, &info, sizeof info) == 0 &&
               memcmp(info.current_address, card->info.mac, 6) == 0,
           "entry-pxenv-call");
    copy[9]++;
    result(pxe_find() == 0 && strcmp(pxe_kind(), "!PXE") == 0, "entry-damaged"); // by INT 1Ah again
    entry_pxe = pxe;
    entry_pxenv = pxenv;
    result(pxe_find() == 0, "entry-restored");
}

static void try_memory(void)
{
    struct mem_region r[PLATFORM_REGIONS_MAX];
    unsigned n = pl->memory(NULL, r);
    uint64_t sum = 0;
    for (unsigned i = 0; i < n; i++) {
        say("memory: %08llx + %08llx\n", (unsigned long long)r[i].base, (unsigned long long)r[i].length);
        sum += r[i].length;
    }
    result(n > 0 && sum > 64 * MIB, "memory");
    uint8_t *p = pl->map(NULL, r[n - 1].base + r[n - 1].length - 4096, 4096);
    memset(p, 0x5a, 4096);
    result(p[4095] == 0x5a, "map");
    void *a = pl->alloc(NULL, 1 << 20), *b = pl->alloc(NULL, 4 << 20);
    result(a != NULL && b == NULL, "heap");
    pl->free(NULL, a);
    uint32_t words[8];
    pl->random(NULL, words, sizeof words);
    say("random: %08x %08x %08x %08x\n", words[0], words[1], words[2], words[3]);
    static const char *const names[] = { "uuid", "serial", "product", "manufacturer", "asset" };
    for (unsigned i = 0; i < ARRAY_SIZE(names); i++) {
        const char *v = pl->smbios(NULL, names[i]);
        say("smbios: %s %s\n", names[i], v ? v : "-");
    }
}

static void show_stats(const struct undi_stats *a)
{
    struct undi_stats b;
    undi_stats(&b);
    say("stats: in %u out %u retries %u entries %u starts %u calls %u irqs %u ours %u missed %u %s%s\n",
        b.frames_in - a->frames_in, b.frames_out - a->frames_out, b.send_retries - a->send_retries,
        b.real_calls - a->real_calls, b.starts - a->starts, b.calls - a->calls, b.irqs - a->irqs,
        b.irqs_ours - a->irqs_ours, b.irqs_missed - a->irqs_missed, b.irq_mode ? "irq" : "polling", b.always ? " always" : "");
}

// Credit as the native protocol has it: asks for `window` frames, and for more when half of them are in.
static uint32_t flood(unsigned total, unsigned window)
{
    uint8_t *f;
    char text[64];
    struct undi_stats before;
    undi_stats(&before);
    uint32_t got = 0, asked = window, bad = 0;
    uint64_t bytes = 0, start = pl->now_us(NULL), last = start, first = 0, asked_at = start;
    unsigned lost = 0;
    fmt_snprintf(text, sizeof text, "flood %u", window);
    send_udp(text);
    while (pl->now_us(NULL) - last < FLOOD_QUIET_US && got < total) {
        int n = card_receive(card, &f);
        if (n == 0) {
            // A burst that the card did not hold is lost; ask again, as any protocol would.
            if (pl->now_us(NULL) - asked_at > FLOOD_RETRY_US && pl->now_us(NULL) - last > FLOOD_RETRY_US && got < total) {
                fmt_snprintf(text, sizeof text, "flood %u", window);
                asked = got + window;
                lost++;
                asked_at = pl->now_us(NULL);
                send_udp(text);
            }
            pl->idle(NULL, UINT64_MAX);
            continue;
        }
        if (n < 42 || load16_be(f + 12) != 0x0800 || f[23] != 17 || load16_be(f + 34) != FLOOD_PORT)
            continue;
        last = pl->now_us(NULL);
        if (first == 0)
            first = last;
        uint32_t number = load32_be(f + 42);
        for (unsigned i = 46; i < (unsigned)n && i < 46 + 64; i++)
            if (f[i] != (uint8_t)(number + i))
                bad++;
        if (n != FRAME_MAX || f[FRAME_MAX - 1] != (uint8_t)(number + FRAME_MAX - 1))
            bad++;
        got++;
        bytes += (uint32_t)n - 42;
        // Frames that were given up may come after all: then more came than were asked for.
        uint32_t open = asked > got ? asked - got : 0;
        if (got < total && open <= window / 2) {
            fmt_snprintf(text, sizeof text, "flood %u", window - open);
            asked = got + window;
            asked_at = pl->now_us(NULL);
            send_udp(text);
        }
    }
    uint32_t ms = (uint32_t)((uint32_t)(last - first) / 1000) + 1;
    say("flood: window %u: %u of %u frames, %u bytes in %u ms, %u kB/s, %u frames/s, %u us a frame, %u stalls, %u bad\n",
        window, got, total, (uint32_t)bytes, ms, (uint32_t)bytes / ms, (uint32_t)((uint32_t)(got * 1000) / ms), ms * 1000 / MAX(got, 1u), lost, bad);
    show_stats(&before);
    return bad ? 0 : got;
}

// The card that network_find() finds, opened, and spoken through.
static void try_found(bool native, const char *name)
{
    struct card *cards[CARDS_MAX];
    network_find();
    bool found = pl->cards(NULL, cards) == 1;
    card = cards[0];
    bool right = found && (strcmp(card->info.driver, "undi") != 0) == native && memcmp(card->info.mac, own_mac, 6) == 0 &&
                 card->info.dhcp_ack_len >= 240 && card_open(card) == 0;
    result(right && arp(), name);
    network_release();
}

// What the native driver had is the ROM's again, for another boot device or because the driver fails, and the driver's after that.
static void try_ways_back(void)
{
    void *all[64];
    unsigned count = 0;
    network_release();
    for (size_t len = DMA_SIZE / 2; len >= 4096; len /= 2)
        while (count < ARRAY_SIZE(all) && (all[count] = memory_dma_alloc(len)) != NULL)
            count++;
    try_found(false, "native-fails");
    while (count > 0)
        memory_dma_free(all[--count]);
    try_found(true, "native-again");
}

static void try_network(bool polling, const char *how)
{
    undi_prefer_polling(polling);
    int err = card_open(card);
    if (err != 0) {
        say("open: %s\n", err_text(err));
        result(false, "open");
        return;
    }
    struct undi_stats before;
    undi_stats(&before);
    bool ok = arp();
    show_stats(&before);
    result_of(ok, "arp", how);
    uint8_t groups[9][6] = { { 1, 0, 0x5e, 0x7f, 0x50, 0x32 } };
    result_of(card_multicast(card, groups, 1) == 0, "multicast-1", how);
    result_of(card_multicast(card, groups, 9) == 0, "multicast-9", how);
    if (ok) {
        uint32_t got = flood(1000, 4);
        result_of(got == 1000, "flood", how);
        if (got == 1000) {
            flood(2000, 8);
            flood(1000, 16);
            flood(300, 32); // more than most rings hold: what is lost must not stop the rest
        }
        result_of(arp(), "arp-again", how);
    }
    if (native_has(card)) {
        result(try_program(false), "program");
        result(try_program(true), "program-int18");
    } else if (polling) {
        result(try_program_on_rom(), "program-on-rom");
    }
    card_close(card);
}

// A kernel that QEMU's "loader" device put into memory: bzImage at KERNEL_AT, initrd at INITRD_AT, and a note of
// both lengths. It is moved to where it wants to run, as a large image would be.
static void try_linux(void)
{
    const uint8_t *note = low_memory(NOTE_AT), *kernel = low_memory(KERNEL_AT);
    uint32_t len = load32_le(note), initrd_len = load32_le(note + 4), ramdisk_len = load32_le(note + 8);
    struct bzimage image;
    if (len == 0 || bzimage_parse(kernel, len, len, &image) != 0)
        return;
    struct platform_boot b = {
        .setup = kernel,
        .setup_len = image.setup_size,
        .kernel = KERNEL_AT + image.setup_size,
        .kernel_len = image.kernel_size,
        .kernel_address = image.pref_address,
        .initrd = INITRD_AT,
        .initrd_len = initrd_len,
        .cmdline = "console=ttyS0 panic=-1 signet.name=doortest signet.counter=7",
        .moves = { { image.pref_address, KERNEL_AT + image.setup_size, image.kernel_size } },
        .move_count = 1,
    };
    char cmdline[200];
    if (ramdisk_len) {
        fmt_snprintf(cmdline, sizeof cmdline, "%s signet.ramdisk=0x%x,0x%x", b.cmdline, RAMDISK_AT, ramdisk_len);
        b.cmdline = cmdline;
        b.ramdisks[b.ramdisk_count++] = (struct mem_region){ RAMDISK_AT, ramdisk_len };
    }
    say("linux: %u bytes, runs at %08x\n", len, (uint32_t)image.pref_address);
    int err = pl->boot(NULL, &b);
    say("linux: %s\n", err_text(err));
    result(false, "linux");
}

int core_main(const struct platform *platform, const struct core_options *options)
{
    pl = platform;
    say("\ndoortest: %s %s, base memory %u KiB, embedded %u bytes\n", platform->name, platform->buildarch, base_kib,
        (unsigned)options->embed_len);
    try_clock("clock");
    clock_init(false); // as on a machine without a counter
    try_clock("clock-ticks");
    clock_init(true);
    try_calls();
    try_memory();
    struct card *cards[CARDS_MAX];
    if (pl->cards(NULL, cards) != 1) {
        result(false, "nic");
        return 0;
    }
    card = cards[0];
    const struct card_info *nic = &card->info;
    const uint8_t *m = nic->mac;
    say("nic: by %s, %s, %02x:%02x:%02x:%02x:%02x:%02x, rx buffers %u, ack %u bytes, reply %u bytes\n", nic->driver, nic->chip, m[0], m[1], m[2],
        m[3], m[4], m[5], nic->rx_buffers, (unsigned)nic->dhcp_ack_len, (unsigned)nic->boot_reply_len);
    memcpy(own_mac, nic->mac, 6);
    if (nic->dhcp_ack_len >= 240) {
        memcpy(own_ip, nic->dhcp_ack + 16, 4);
        memcpy(server_ip, nic->dhcp_ack + 20, 4);
    }
    say("dhcp: own %u.%u.%u.%u server %u.%u.%u.%u\n", own_ip[0], own_ip[1], own_ip[2], own_ip[3], server_ip[0], server_ip[1],
        server_ip[2], server_ip[3]);
    result(nic->dhcp_ack_len >= 240 && own_ip[0] != 0, "dhcp-cached");
    try_entries();
    // What else to do is a number that QEMU's "loader" device puts into memory.
    uint32_t order = load32_le((const uint8_t *)low_memory(NOTE_AT) + NOTE_ORDER);
    if (order == ORDER_NONE) {
        bool native = strcmp(nic->driver, "undi") != 0;
        try_network(false, native ? "native" : "irq");
        if (native)
            try_ways_back();
        else
            try_network(true, "polling");
    }
    try_linux();
    say("doortest: done\n");
    if (order == ORDER_PANIC) {
        (void)card_open(card);
        __asm__ volatile("ud2");
    }
    if (order == ORDER_REBOOT)
        pl->leave(NULL, LEAVE_REBOOT);
    if (order == ORDER_EXIT) {
        (void)card_open(card);
        pl->leave(NULL, LEAVE_EXIT);
    }
    if (order == ORDER_POWEROFF)
        pl->leave(NULL, LEAVE_POWEROFF);
    return 0;
}
