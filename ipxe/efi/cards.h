// SPDX-License-Identifier: MPL-2.0
// Finding network cards: every handle with a Simple Network Protocol, one card for each MAC address, and what the
// firmware's own PXE has learned by DHCP. cards.c finds them, snp.c works them.
#pragma once
#include "core/platform.h"
#include "efi/uefi.h"

#define CARD_HANDLES_MAX 4 // SNP handles with one MAC: drivers stack

struct card {
    struct platform_nic info;
    efi_handle handles[CARD_HANDLES_MAX]; // in the order in which they are tried
    unsigned handle_count;
    bool stack;          // the firmware's own network stack ran on it when Signet came
    struct efi_snp *snp; // open, or NULL
    efi_handle handle;   // the open one
    bool paused;         // was open before snp_pause
    struct efi_mac groups[EFI_SNP_FILTERS_MAX]; // multicast addresses that were asked for last, as many as fit
    unsigned group_count;                       // and how many there were
};

// Finds the cards. Drivers are connected to those that the firmware has left alone.
void cards_find(void);
unsigned cards_count(void);
struct card *card_at(unsigned i); // NULL beyond the last
