// SPDX-License-Identifier: MPL-2.0
// nbptest, a network bootstrap program that tries each thing which PXE 2.1 promises such a program, and says on the screen and COM1 what
// came of it: "ok nbp-NAME" or "FAIL nbp-NAME", and "nbp: done, N failed". Its blocks are written from the specification and
// shared with nothing that serves them.
#pragma once
#include "base/base.h"
#include "base/bytes.h"
#include "bios/nbptest/layout.h"
#include "bios/ports.h"

// The specification's numbers.
enum {
    UNDI_CLEANUP = 0x02, UNDI_INITIALIZE = 0x03, UNDI_SHUTDOWN = 0x05, UNDI_OPEN = 0x06, UNDI_CLOSE = 0x07, UNDI_TRANSMIT = 0x08,
    UNDI_SET_MCAST_ADDRESS = 0x09, UNDI_SET_PACKET_FILTER = 0x0b, UNDI_GET_INFORMATION = 0x0c, UNDI_GET_STATISTICS = 0x0d,
    UNDI_GET_MCAST_ADDRESS = 0x11, UNDI_GET_NIC_TYPE = 0x12, UNDI_GET_IFACE_INFO = 0x13, UNDI_ISR = 0x14, STOP_UNDI = 0x15,
    TFTP_OPEN = 0x20, TFTP_CLOSE = 0x21, TFTP_READ = 0x22, TFTP_READ_FILE = 0x23, TFTP_GET_FSIZE = 0x25,
    UDP_OPEN = 0x30, UDP_CLOSE = 0x31, UDP_READ = 0x32, UDP_WRITE = 0x33, UNLOAD_STACK = 0x70, GET_CACHED_INFO = 0x71, STOP_BASE = 0x76,
    FILE_OPEN = 0xe0, FILE_CLOSE = 0xe1, FILE_SELECT = 0xe2, FILE_READ = 0xe3, GET_FILE_SIZE = 0xe4, FILE_API_CHECK = 0xe6,
};

#define COM1 0x3f8

// talk.c: a check's line; `good` comes back.
bool result(bool good, const char *name);
// A line for people.
void note(const char *format, ...) PRINTF_LIKE(1, 2);

// talk.c: one call; the block comes back. Each call must keep registers and stack, and say the same in AX and in Status: counted there.
void call(uint16_t function, void *block, size_t len);
// True when it succeeded.
bool api(uint16_t function, void *block, size_t len);
// True when it failed, and said so.
bool refused(uint16_t function, void *block, size_t len);
extern uint16_t last_status;
extern unsigned failed, registers_lost, disagreements; // checks, and calls
// A far pointer: offset in the lower half.
static inline uint32_t far_pointer(uint32_t address)
{
    return (address >> 4) << 16 | (address & 15);
}

// The ways to tick: BIOS ticks, of which there are 18.2 in a second.
uint32_t ticks(void);

// From the ROM's packets.
extern struct addresses {
    uint8_t mac[6], own[4], server[4];
} addresses;

void try_memory_map(void);
void memory_fill(void);
void memory_refill(uint32_t from, uint32_t to);
void memory_judge(void);
extern uint32_t base_end;   // INT 12h, in bytes
extern uint32_t usable_end; // of the usable memory that 1 MiB is part of

extern uint32_t strict;
void try_tftp(void);
void try_udp(void);
void try_file(void);
void try_undi(void);
void try_wild(void);
