// SPDX-License-Identifier: MPL-2.0
// What the tests of the local copy share: machines that boot from the network and keep the image, one after the other on one
// disk in memory.
#pragma once
#include "host/testworld.h"

#include "block/testdisk.h"
#include "phase2/floor.h"

#define PARTITION (1024 * 1024)
#define SMALL_KERNEL 8192 // few sectors to write, where each of them is a case
#define CHUNKS_CHANGED 3  // that the version touches: the last 8 KiB of the initrd
#define NETWORK "#!ipxe\nset keep disk:\ndhcp\nchain p2://10.0.0.1/image || echo no network\n"

static const uint32_t sector_sizes[] = { 512, 4096 };
static struct testdisk disk;
static uint8_t *before; // another TESTDISK_SIZE bytes
static struct host_write *journal;

// The machine that runs next; reset by run_machine.
static struct {
    const char *script;
    uint8_t version;
    bool no_network;
    uint64_t counter, floor; // of the image; that the machine keeps
    enum testkey_name key;
    struct host_storage faults;
    unsigned long fail_allocation;
    const char *options, *boot_file, *dhcp_file; // of the DHCP answers (options with 255 at its end, as text), of TFTP's script.ipxe
} next;

static void machine(void)
{
    w.kernel_size = SMALL_KERNEL;
    w.version = next.version;
    w.counter = next.counter;
    set_up("img", next.key);
    w.machine.no_card = next.no_network;
    w.machine.storage = next.faults;
    w.machine.fail_allocation = next.fail_allocation;
    if (next.floor) {
        struct floor floor = { .count = 1, .entries = { { "", next.floor } } };
        struct host_value *value = &w.machine.values[0];
        w.machine.nvram = true;
        *value = (struct host_value){ .name = "SignetFloor", .room = ROOM_FIRMWARE };
        value->len = floor_write(&floor, value->data);
    }
    w.dhcp_options = (const uint8_t *)next.options;
    w.dhcp_options_len = next.options ? strlen(next.options) : 0;
    w.boot_file = next.boot_file;
    w.dhcp_file = next.dhcp_file;
    host_disk_add(&w.machine, disk.data, TESTDISK_SIZE, disk.sector_size);
    run(next.script, &next.key, 0);
}

static struct outcome *run_machine(const char *script, uint8_t version)
{
    next.script = script;
    next.version = version;
    struct outcome *out = in_child(machine);
    memset(&next, 0, sizeof next);
    next.key = key_a;
    return out;
}

static UNUSED struct outcome *network(uint8_t version)
{
    return run_machine(NETWORK, version);
}

// Without a network, the disk alone boots this version.
static bool disk_boots(uint8_t version)
{
    next.no_network = true;
    struct outcome *out = run_machine("#!ipxe\nchain disk:\n", version);
    return out->booted && out->memory_right;
}

static inline bool kept(const struct outcome *out, const char *where)
{
    return out->booted && out->memory_right && out->live_allocations == 0 && said(out, where);
}

static void make(uint32_t sector_size, uint32_t length)
{
    if (!before) {
        before = mmap(NULL, TESTDISK_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        journal = mmap(NULL, HOST_JOURNAL_MAX * sizeof *journal, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    }
    testdisk_make(&disk, sector_size, length);
    next.key = key_a;
}

static inline bool changed(void)
{
    return memcmp(before, disk.data, TESTDISK_SIZE) != 0;
}
