// SPDX-License-Identifier: MPL-2.0
// Network cards behind a ROM's UNDI (PXE specification 2.1, section 4); each is a card as in net/card.h. One where a
// PXE ROM started Signet; after a start from a disk, those whose ROMs bios/undi_rom.h brings up.
#pragma once
#include "net/card.h"

#define UNDI_CARDS_MAX CARDS_MAX

// Asks the PXE API that was found last (bios/pxe.h) what card it has, and adds the card; `booted`: the ROM started Signet,
// and its DHCP packets are taken over. The card in *ret, closed. 0, ERR_TOO_LARGE, ERR_UNDI_CALL.
int undi_add(bool booted, struct card **ret);

// Where the card is on the PCI bus, as the ROM says (drivers/pci_bus.h). False: not there, or it does not say.
bool undi_place(struct card *card, uint16_t *ret_at);

// The ROM leaves the card, which is closed, to a driver of ours (UNDI_SHUTDOWN), until it is taken back. The ROM itself stays in memory, so
// that it can go on.
void undi_lend(struct card *card);
void undi_take_back(struct card *card);

bool undi_is_open(struct card *card);

// Waits for an interrupt if the card is sure to send one, otherwise returns at once.
void undi_idle(void);

// All cards closed, so that no interrupt handler outlives Signet, and what was lent taken back.
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
