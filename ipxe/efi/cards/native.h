// SPDX-License-Identifier: MPL-2.0
// Working a card by a native driver of drivers/. Opening takes the PCI function from the firmware's driver, and closing
// leaves it to nobody.
#pragma once
#include "efi/cards/cards.h"

int native_open(struct efi_card *card); // ERR_NO_MEMORY, ERR_NET_LINK: the function is nobody's, either
void native_close(struct efi_card *card);
// A closed card's function goes to the firmware's drivers; with `wake`, even where it had none when Signet came.
void native_give_back(struct efi_card *card, bool wake);
