// SPDX-License-Identifier: MPL-2.0
// Finding network cards: every PCI function that a native driver knows, every other handle with a Simple Network Protocol, one
// card for each MAC address, and what the firmware's own PXE has learned by DHCP. cards.c finds them; nic.c is the card that the core
// gets, and has it worked by native.c or snp.c.
#pragma once
#include "efi/cards/pci.h"
#include "efi/cards/snp.h"
#include "efi/uefi.h"
#include "net/card.h"

struct nic_driver; // drivers/nic.h

struct efi_card {
    struct card card;     // what the core gets: nic.c's
    struct card *at_work; // what works it: the native one or that of the Simple Network Protocol; NULL: it is closed
    bool paused;          // was open before nic_lend or nic_quiet
    uint8_t groups[CARD_GROUPS_MAX][6]; // multicast addresses that were asked for last
    unsigned group_count;

    const struct nic_driver *driver; // NULL: by the Simple Network Protocol
    efi_handle function;             // the PCI function that `driver` knows
    bool bound;                      // a driver of the firmware's had it when Signet came
    struct pci_io pci;
    struct card *native; // the driver's; NULL: the function is not ours

    struct snp_card snp;
};

// The card is what the one says that works it, or will; its lease stays.
static inline void cards_describe(struct efi_card *card, const struct card *by)
{
    memcpy(&card->card.info, &by->info, offsetof(struct card_info, dhcp_ack));
}

// Finds the cards; with `native`, those that the table of drivers knows are theirs. The firmware's drivers are connected to
// the others that it has left alone.
void cards_find(bool native);
unsigned cards_count(void);
struct efi_card *card_at(unsigned i); // NULL beyond the last

// The native driver of a card does not work, and the firmware has the function again: from now on by its SNP handles.
void cards_use_snp(struct efi_card *card);
