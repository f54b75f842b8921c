// SPDX-License-Identifier: MPL-2.0
// See native.h.
#include "efi/cards/native.h"

#include "drivers/bind.h"
#include "efi/efi.h"
#include "efi/heap.h"
#include "efi/cards/snp.h"

static const struct efi_guid pci_guid = EFI_PCI_IO_GUID;

static int drive(struct efi_card *card)
{
    int err = pci_open(&card->pci, card->function);
    if (err)
        return err;
    void *memory = heap_alloc(card->driver->size);
    struct card *native = memory ? bind_card(card->driver, &card->pci.function, memory) : NULL;
    err = native ? card_open(native) : ERR_NO_MEMORY;
    if (err) {
        heap_free(memory);
        pci_close(&card->pci);
        return err;
    }
    card->native = native;
    return 0;
}

int native_open(struct efi_card *card)
{
    void *interface;
    // From the top: edk2's virtio-net driver does not leave a card whose SNP is running.
    snp_stop(card->function);
    card->snp.handle_count = 0; // they go with the firmware's driver, and are others each time that it comes back
    // A driver that holds its card exclusively, as iPXE's do, would not be asked to leave by the opening.
    (void)efi_boot->disconnect(card->function, NULL, NULL);
    if (efi_failed(efi_boot->open_protocol(card->function, &pci_guid, &interface, efi_image, NULL, EFI_OPEN_EXCLUSIVE)))
        return ERR_NET_LINK;
    int err = drive(card);
    if (err)
        (void)efi_boot->close_protocol(card->function, &pci_guid, efi_image, NULL);
    return err;
}

void native_close(struct efi_card *card)
{
    if (!card->native)
        return;
    card_close(card->native);
    heap_free(card->native);
    card->native = NULL;
    pci_close(&card->pci);
    (void)efi_boot->close_protocol(card->function, &pci_guid, efi_image, NULL);
}

void native_give_back(struct efi_card *card, bool wake)
{
    bool recursive = card->snp.stack || wake; // else the driver alone: without a stack on it, as it was
    if (card->bound || recursive)
        (void)efi_boot->connect(card->function, NULL, NULL, recursive);
}
