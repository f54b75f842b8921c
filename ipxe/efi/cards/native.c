// SPDX-License-Identifier: MPL-2.0
// See native.h.
#include "efi/cards/native.h"

#include "drivers/nic.h"
#include "efi/efi.h"
#include "efi/heap.h"
#include "efi/cards/snp.h"

static const struct efi_guid pci_guid = EFI_PCI_IO_GUID;

static int drive(struct efi_card *card)
{
    const struct nic_driver *driver = card->driver;
    struct nic_facts facts;
    int err = pci_open(&card->pci, card->function);
    if (err)
        return err;
    void *state = heap_alloc(driver->state_size);
    err = state ? driver->open(memset(state, 0, driver->state_size), &card->pci.function, &facts) : ERR_NO_MEMORY;
    if (err) {
        heap_free(state);
        pci_close(&card->pci);
        return err;
    }
    card->state = state;
    memcpy(card->card.info.mac, facts.mac, sizeof card->card.info.mac);
    card->card.info.rx_buffers = facts.rx_buffers;
    card->card.info.mtu = facts.mtu;
    return 0;
}

int native_open(struct efi_card *card)
{
    void *interface;
    // From the top: edk2's virtio-net driver does not leave a card whose SNP is running.
    snp_stop(card->function);
    card->handle_count = 0; // they go with the firmware's driver, and are others each time that it comes back
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
    if (!card->state)
        return;
    card->driver->close(card->state);
    heap_free(card->state);
    card->state = NULL;
    pci_close(&card->pci);
    (void)efi_boot->close_protocol(card->function, &pci_guid, efi_image, NULL);
}

void native_give_back(struct efi_card *card, bool wake)
{
    bool recursive = card->stack || wake; // else the driver alone: without a stack on it, as it was
    if (card->bound || recursive)
        (void)efi_boot->connect(card->function, NULL, NULL, recursive);
}
