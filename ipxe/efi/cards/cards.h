// SPDX-License-Identifier: MPL-2.0
// Finding network cards: every PCI function that a native driver knows, every other handle with a Simple Network Protocol, one
// card for each MAC address, and what the firmware's own PXE has learned by DHCP. cards.c finds them, native.c and snp.c
// work them, nic.c knows which.
#pragma once
#include "efi/cards/pci.h"
#include "efi/uefi.h"
#include "net/card.h"

#define CARD_HANDLES_MAX 4 // SNP handles with one MAC: drivers stack

struct efi_card {
    struct card card; // what the core gets: nic.c's
    bool stack;  // the firmware's own network stack ran on it when Signet came
    bool paused; // was open before nic_lend or nic_quiet
    uint8_t groups[CARD_GROUPS_MAX][6]; // multicast addresses that were asked for last
    unsigned group_count;

    const struct nic_driver *driver; // NULL: by the Simple Network Protocol
    efi_handle function;             // the PCI function that `driver` knows
    bool bound;                      // a driver of the firmware's had it when Signet came
    struct pci_io pci;
    void *state; // the driver's; NULL: not open

    efi_handle handles[CARD_HANDLES_MAX]; // in the order in which they are tried
    unsigned handle_count;
    struct efi_snp *snp; // open, or NULL
    efi_handle handle;   // the open one
};

// Finds the cards; with `native`, those that the table of drivers knows are theirs. The firmware's drivers are connected to
// the others that it has left alone.
void cards_find(bool native);
unsigned cards_count(void);
struct efi_card *card_at(unsigned i); // NULL beyond the last

// The native driver of a card does not work, and the firmware has the function again: from now on by its SNP handles.
void cards_use_snp(struct efi_card *card);
