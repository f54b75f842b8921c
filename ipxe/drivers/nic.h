// SPDX-License-Identifier: MPL-2.0
// What a native driver of a network card is. Which driver works which PCI function is drivers/bind.h's; what comes of it is a card
// as any other (net/card.h), so that nothing above learns who drives it.
#pragma once
#include "drivers/pci.h"
#include "net/card.h"

#define NIC_WAIT_US 1000000u // longest that a card may take for anything (reset, a link that comes up apart)

// A card that is worked by a native driver. The driver's own state begins with it.
struct nic {
    struct card card;
    const struct pci_function *pci;
};

struct nic_driver {
    const char *name; // "virtio-net", "e1000": shown by ifstat
    size_t size;      // bytes of its state, of which struct nic comes first
    bool (*knows)(uint16_t vendor, uint16_t device);
    // Reads the MAC address and leaves the card as it was. 0, ERR_NET_LINK.
    int (*probe)(const struct pci_function *pci, uint8_t ret_mac[6]);
    // The calls of net/card.h. For all drivers:
    // - open() resets the card, whoever had it before, and puts MAC address, receive buffers and MTU into `info`. ERR_NO_MEMORY,
    //   ERR_NET_LINK (it does not answer as its specification says); after an error nothing is left behind.
    // - close() resets it when what was sent has left: not one byte is written by the card into memory after this. It frees what
    //   open() took.
    // - link() looks at the card, too: one that was reset by others, or has stopped, is begun with anew, with its groups, or has no link;
    //   one that is gone has none.
    // - send() copies the frame into the card's ring, and drops none because of the driver while the card keeps up.
    // - receive() drops frames with errors or in several buffers.
    struct card_ops ops;
};
