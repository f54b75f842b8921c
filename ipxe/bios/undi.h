// SPDX-License-Identifier: MPL-2.0
// The network card behind the ROM's UNDI. There is one; calls are as in core/platform.h.
#pragma once
#include "core/platform.h"

// Asks the ROM what card this is, and for the packets of its DHCP exchange. 0 or an error (no card then).
int undi_probe(void);

const struct platform_nic *undi_nic(void);
int undi_open(void);
void undi_close(void);
int undi_multicast(const uint8_t (*macs)[6], unsigned count);
int undi_send(const void *frame, size_t len);
int undi_receive(void *buf, size_t cap);

// Waits for an interrupt if the card is sure to send one, otherwise returns at once.
void undi_idle(void);

// The card silent and its memory no longer written, for a system that is about to start.
void undi_shutdown(void);

// Counters, for tests and for people.
struct undi_stats {
    uint32_t frames_in, frames_out, send_retries, real_calls, starts, calls, irqs, irqs_ours, irqs_missed;
    bool irq_mode, always;
};
void undi_stats(struct undi_stats *ret);
// For tests: poll although the ROM offers interrupts.
void undi_prefer_polling(bool polling);
