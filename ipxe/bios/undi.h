// SPDX-License-Identifier: MPL-2.0
// Network cards behind a ROM's UNDI (PXE specification 2.1, section 4); each is a card as in net/card.h. One where a
// PXE ROM started Signet; after a start from a disk, those whose ROMs bios/undi_rom.h brings up.
#pragma once
#include "net/card.h"

#define UNDI_CARDS_MAX CARDS_MAX

// Asks the PXE API that was found last (bios/pxe.h) what card it has, and adds the card; `booted`: the ROM started Signet,
// and its DHCP packets are taken over. 0, ERR_TOO_LARGE, ERR_UNDI_CALL.
int undi_add(bool booted);

unsigned undi_count(void);
unsigned undi_cards(void *ctx, struct card *ret[CARDS_MAX]); // struct platform's `cards`

// Waits for an interrupt if the card is sure to send one, otherwise returns at once.
void undi_idle(void);

// All cards closed, so that no interrupt handler outlives Signet.
void undi_close_all(void);
// All cards silent and their memory no longer written, for a system that is about to start. There are none afterwards.
void undi_shutdown(void);

// Counters, for tests and for people.
struct undi_stats {
    uint32_t frames_in, frames_out, send_retries, real_calls, starts, calls, irqs, irqs_ours, irqs_missed;
    bool irq_mode, always;
};
void undi_stats(struct undi_stats *ret);
// For tests: poll although the ROM offers interrupts.
void undi_prefer_polling(bool polling);
