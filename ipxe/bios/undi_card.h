// SPDX-License-Identifier: MPL-2.0
// What undi.c (the cards) and undi_frames.c (their frames) share; nobody else includes this.
#pragma once
#include "bios/pxe.h"
#include "bios/receive.h"
#include "bios/undi.h"

struct undi_card {
    struct card card; // first, so that it is found by it
    struct segoff entry; // of its PXE API
    bool open, irq_offered;
    bool on_pci, lent;
    uint16_t at;         // on the PCI bus
    bool promiscuous;
    bool always;         // quirk: its START never says "ours"
    uint8_t irq, filter_set;
    unsigned not_ours;   // START calls in a row that said so
    struct pxe_mcast mcast;
};

// The same card, with pxe_entry set to its API.
struct undi_card *undi_select(struct card *card);
bool undi_any_open(void);

// The card's interrupt no longer comes to us; nothing happens when it does not anyway. From then on it is polled.
void undi_irq_unhook(void);

// A card opens or closes: what is left of its frames is dropped.
void undi_frames_reset(struct undi_card *card);
int undi_send(struct card *card, const void *frame, size_t len);
int undi_receive(struct card *card, uint8_t **ret_frame);
