// SPDX-License-Identifier: MPL-2.0
// Working a card by the Simple Network Protocol (UEFI 2.10, chapter 24.1). Opening takes it from the firmware's own network stack,
// closing gives it back.
#pragma once
#include "efi/uefi.h"
#include "net/card.h"

#define CARD_HANDLES_MAX 4 // SNP handles with one MAC: drivers stack

struct snp_card {
    struct card card; // its `ops` are snp_ops
    bool stack;       // the firmware's own network stack ran on it when Signet came
    efi_handle handles[CARD_HANDLES_MAX]; // in the order in which they are tried
    unsigned handle_count;
    struct efi_snp *snp; // of an open card
    efi_handle handle;   // the one that it is open by
};

extern const struct card_ops snp_ops;

// Whatever the firmware has running on a PCI function is stopped, and its stack comes off.
void snp_stop(efi_handle function);
