// SPDX-License-Identifier: MPL-2.0
// 16-bit code for frames and interrupts (receive.S), and its variables in base memory.
#pragma once
#include "real/real.h"

// Collects frames in the ring; to be run by real_call.
extern char real_receive[];
// The card's interrupt handler.
extern char irq_entry[];

// rx_mode.
#define RX_USE_IRQ 1
#define RX_ALWAYS 2

extern uint8_t rx_mode, rx_chain, rx_ours, irq_seen, irq_line;
extern uint16_t rx_count;
extern uint32_t rx_starts, rx_calls, irq_count, irq_ours;
extern struct segoff irq_old;

// Sleeps until an interrupt comes: the BIOS's ticks go on. Not when the card's has come already.
static inline void halt(void)
{
    extern char real_halt[];
    real_call((uint32_t)real_halt);
}
