// SPDX-License-Identifier: MPL-2.0
// One of Intel's gigabit cards below its rings: which they are, their registers, reset, MAC address.
#pragma once
#include "base/base.h"
#include "drivers/e1000_regs.h"
#include "drivers/pci.h"

struct e1000_card {
    const struct pci_function *pci;
    bool express;     // on PCI Express; otherwise an 8254x, on PCI or PCI-X
    bool queues;      // 82576 and later: several queues, of which the first is used; advanced receive descriptors
    uint32_t command; // the function's command register as it was found
};

static inline uint32_t e1000_read(const struct e1000_card *card, uint32_t offset)
{
    return card->pci->ops->read(card->pci->ctx, 0, offset, 4);
}
static inline void e1000_write(const struct e1000_card *card, uint32_t offset, uint32_t value)
{
    card->pci->ops->write(card->pci->ctx, 0, offset, 4, value);
}
static inline uint64_t e1000_now_us(const struct e1000_card *card)
{
    return card->pci->ops->now_us(card->pci->ctx);
}
void e1000_pause_us(const struct e1000_card *card, uint32_t us);

// Whether it is one of these: with queues, or without.
bool e1000_card_knows(uint16_t vendor, uint16_t device, bool queues);

// Makes the registers of a card that is known answer, until e1000_card_release, which leaves the command register as it was
// found. `pci` must outlive it.
void e1000_card_take(struct e1000_card *card, const struct pci_function *pci);
void e1000_card_release(const struct e1000_card *card);

// The card may read and write memory until e1000_card_release.
void e1000_card_master(const struct e1000_card *card);

// No interrupts, nothing received or sent, no access to memory afterwards. 0, or ERR_NET_LINK: the reset does not end.
int e1000_card_reset(const struct e1000_card *card);

// On a card with queues: a PHY that has not agreed upon a link begins to.
void e1000_card_negotiate(const struct e1000_card *card);

// On a card with queues: takes the one with this RXDCTL or TXDCTL into use. 0, or ERR_NET_LINK: it stays out of use.
int e1000_card_start_queue(const struct e1000_card *card, uint32_t control);

// The address that the card has loaded for itself, or that of its EEPROM. 0, or ERR_NET_LINK: neither is one.
int e1000_card_mac(const struct e1000_card *card, uint8_t ret_mac[6]);
