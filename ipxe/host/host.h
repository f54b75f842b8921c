// SPDX-License-Identifier: MPL-2.0
// The core on Linux: a struct platform over a tap device or a simulated wire, with memory, faults and a
// clock that tests control.
#pragma once
#include "core/platform.h"
#include "crypto/hashboard.h"
#include "host/storage.h"
#include <pthread.h>
#include <stdio.h>

#define HOST_HELPERS_MAX 8

// The far end of the card's wire: a tap device, or a simulation.
struct host_wire {
    void *ctx;
    int (*send)(void *ctx, const void *frame, size_t len);
    int (*receive)(void *ctx, void *buf, size_t cap); // length, 0 = none
    // With a fake clock: moves time on when the core has nothing to do. NULL: real time.
    void (*idle)(void *ctx, uint64_t *now_us);
};

#define HOST_LIVE_MAX 32
#define HOST_VALUES 4
struct host_value {
    char name[32]; // "": none
    enum platform_room room;
    size_t len;
    uint8_t data[1024];
};

struct host_machine {
    struct platform platform; // filled in by host_init; pass &machine->platform to core_main
    struct host_wire wire;
    struct card card;
    bool no_card;
    uint64_t link_us; // with a fake clock: the card has no link before
    uint8_t *frame; // received last
    struct host_storage storage; // no disks by default
    // Usable memory as the core sees it, from `memory_base` on; the arena is sparse.
    uint64_t memory_base, memory_size;
    uint8_t *arena;
    // Faults: the allocation with this number (from 1) fails; 0 = none. `allocations` counts.
    unsigned long fail_allocation, allocations;
    long live_allocations; // must be 0 when the core has returned
    void *live[HOST_LIVE_MAX]; // those; they end with the machine
    uint64_t now_us;       // the fake clock
    uint64_t give_up_us;   // with a fake clock: the test fails as a hang when it passes this
    bool real_time;
    unsigned helpers;      // threads that are the other processors; 0 = none
    uint64_t random_state; // seeded; 0: from the kernel
    // A TPM: what was measured, a line each, "PCR event"; the measurement with one number (from 1) fails, and all from
    // another on. 0 = none.
    bool tpm;
    char measured[16384];
    unsigned measurements, fail_measurement, tpm_dead_from;
    // Variables; the store with this number (from 1) and all behind it fail. 0 = none.
    bool nvram;
    struct host_value values[HOST_VALUES];
    unsigned stores, fail_store;
    FILE *console;         // where text goes; also kept in `transcript`
    char *transcript;      // grows; owned by the machine
    size_t transcript_len;
    const char *keys;      // what is typed, byte by byte; NULL: stdin when real_time, nothing otherwise
    // What came of it.
    void (*on_boot)(struct host_machine *machine, const struct platform_boot *boot); // copies what it needs
    void *user;
    bool booted, left;
    enum platform_leave how;
    struct hashboard *board; // while the threads are there
    pthread_t threads[HOST_HELPERS_MAX];
};

// Fills in *machine with defaults (256 MiB from 16 MiB on, MAC 52:54:00:12:34:56, no wire). boot() records
// and then leaves core_main by returning success to nobody: it longjmps to host_run.
void host_init(struct host_machine *machine);
void host_free(struct host_machine *machine);

// The power fails, in the middle of a call: host_run returns.
void host_power_off(struct host_machine *machine) __attribute__((noreturn));

// Runs core_main on the machine; returns its result, or 0 when a boot, leave or power cut ended it.
// A TPM and variables are there when the machine's fields say so by then.
struct core_options;
int host_run(struct host_machine *machine, const struct core_options *options);

// Opens a tap device that exists in this network namespace. A file descriptor or -1 with errno.
int host_tap_open(const char *name);
struct host_wire host_tap_wire(int *fd);
