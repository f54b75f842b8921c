// SPDX-License-Identifier: MPL-2.0
// The PCI function of a card that a native driver of drivers/ works. Opening takes it from the firmware's driver, and closing
// leaves it to nobody.
#pragma once
#include "efi/cards/cards.h"

// The open card is `native` afterwards. ERR_NO_MEMORY, ERR_NET_LINK: the function is nobody's, either.
int native_open(struct efi_card *card);
void native_close(struct efi_card *card); // also one that is not open
// A closed card's function goes to the firmware's drivers; with `wake`, even where it had none when Signet came.
void native_give_back(struct efi_card *card, bool wake);
