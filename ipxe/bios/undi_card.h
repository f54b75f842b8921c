// SPDX-License-Identifier: MPL-2.0
// What undi.c (the cards) and undi_frames.c (their frames) share; nobody else includes this.
#pragma once
#include "bios/pxe.h"
#include "bios/undi.h"

// rx_mode, for receive.S.
#define RX_USE_IRQ 1
#define RX_ALWAYS 2

struct undi_card {
    struct platform_nic nic;
    struct segoff entry; // of its PXE API
    bool open, irq_offered;
    bool promiscuous;
    bool always;         // quirk: its START never says "ours"
    uint8_t irq, filter_set;
    unsigned not_ours;   // START calls in a row that said so
    struct pxe_mcast mcast;
};

// The open card of this number, with pxe_entry set to its API; NULL when it is not open.
struct undi_card *undi_select(unsigned nic);
bool undi_any_open(void);

// The card's interrupt no longer comes to us; nothing happens when it does not anyway. From then on it is polled.
void undi_irq_unhook(void);

// A card opens or closes: what is left of its frames is dropped.
void undi_frames_reset(struct undi_card *card);

// Variables of receive.S.
extern uint8_t rx_mode, rx_chain, rx_ours, irq_seen, irq_line;
extern uint16_t rx_count;
extern uint32_t rx_starts, rx_calls, irq_count, irq_ours;
extern struct segoff irq_old;
