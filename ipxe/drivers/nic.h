// SPDX-License-Identifier: MPL-2.0
// What a native driver of a network card is. The table of them is core_drivers in core/conf.c; a platform that can reach
// PCI functions (drivers/pci.h) asks the table which driver knows a card, and makes it one of its own cards (nic_* and
// frame_* of struct platform), so that nothing above learns who drives it.
#pragma once
#include "base/err.h"
#include "base/frame.h"
#include "drivers/pci.h"

#include <stdbool.h>

#define NIC_WAIT_US 1000000u // longest that a card may take for anything (reset, a link that comes up apart)

// What open() has found out.
struct nic_facts {
    uint8_t mac[6];
    uint16_t rx_buffers; // frames that wait in the card's memory or ours before it drops
    uint16_t mtu;        // IP MTU, at most 1500
};

struct nic_driver {
    const char *name;  // "virtio-net", "e1000": shown by ifstat
    size_t state_size; // bytes that the platform sets aside for it, zeroed, aligned to 16
    bool (*knows)(uint16_t vendor, uint16_t device);
    // Reads the MAC address and leaves the card as it was. 0, ERR_NET_LINK.
    int (*probe)(const struct pci_function *pci, uint8_t ret_mac[6]);
    // Resets the card and starts it, whoever had it before. `pci` must outlive it. 0, ERR_NO_MEMORY, ERR_NET_LINK (it does
    // not answer as its specification says); after an error nothing is left behind. It does not wait for the link.
    int (*open)(void *state, const struct pci_function *pci, struct nic_facts *ret);
    // Resets it when what was sent has left: not one byte is written by the card into memory after this. Frees what open took.
    void (*close)(void *state);
    // Is there a link? True where a card cannot tell.
    bool (*link)(void *state);
    // Multicast addresses to be received, the whole list each time. More may come through than was asked for.
    int (*multicast)(void *state, const uint8_t (*macs)[6], unsigned count);
    // Copies one Ethernet frame (at most FRAME_MAX bytes) into the card's ring. It may be dropped silently, as a wire does, but not
    // because of the driver while the card keeps up. While the caller has a frame that was received, answers to it may wait until
    // receive() finds no further one. 0, ERR_NET_LINK.
    int (*send)(void *state, const void *frame, size_t len);
    // The next frame, in place: its length (at most FRAME_RECEIVE_MAX), 0 when there is none. *ret_frame stays valid, and may be
    // written to, until the next receive() or close(). Frames with errors or in several buffers are dropped.
    int (*receive)(void *state, uint8_t **ret_frame);
};
