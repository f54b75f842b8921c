// SPDX-License-Identifier: MPL-2.0
// Network cards behind a ROM's UNDI (PXE specification 2.1, section 4); calls are as in core/platform.h. One card where a
// PXE ROM started Signet; after a start from a disk, those whose ROMs bios/undi_rom.h brings up.
#pragma once
#include "core/platform.h"

#define UNDI_CARDS_MAX PLATFORM_NICS_MAX

// Asks the PXE API that was found last (bios/pxe.h) what card it has, and adds the card; `booted`: the ROM started Signet,
// and its DHCP packets are taken over. 0, ERR_TOO_LARGE, ERR_UNDI_CALL.
int undi_add(bool booted);

unsigned undi_count(void);
const struct platform_nic *undi_nic(unsigned nic); // NULL: no such card
int undi_open(unsigned nic);
void undi_close(unsigned nic);
int undi_multicast(unsigned nic, const uint8_t (*macs)[6], unsigned count);
int undi_send(unsigned nic, const void *frame, size_t len);
int undi_receive(unsigned nic, uint8_t **ret_frame);

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
