// SPDX-License-Identifier: MPL-2.0
// Drivers of Intel's gigabit cards (e1000_card.c has the list): "e1000" of the families 8254x and 82574, which QEMU and VMware
// emulate, and "igb" of the 82576 and later ones, which has other descriptors and is the same otherwise (QEMU 8 and newer).
#pragma once
#include "drivers/nic.h"

// Frames that wait for us while we are elsewhere, with a digest for one: as many as the native protocol has under way at most
// (P2_CLIENT_WINDOW_MAX).
#define E1000_RX_COUNT 1024u
// So many receive buffers go back to the card together. A write of a register leaves the emulated processor and waits for
// QEMU's main loop, which costs as much as several frames; the rest of the ring is the card's meanwhile.
#define E1000_RX_BATCH 128u
#define E1000_TX_COUNT 64u

// QEMU's 8254x hold back every frame for a second of their clock after a write to RCTL, link or no link (7.2 and 10 do;
// flush_queue_timer in its hw/net/e1000.c). The link counts as up when that is over, and RCTL is not written again while the card
// is open. QEMU is known by the function's subsystem vendor.
#define E1000_QEMU_DEAF_US 1000000u
#define E1000_QEMU_SUBSYSTEM 0x1AF4u

extern const struct nic_driver e1000_driver, igb_driver;
