// SPDX-License-Identifier: MPL-2.0
// See cards.h.
#include "efi/cards.h"

#include "base/bytes.h"
#include "base/fmt.h"
#include "efi/efi.h"

#define PCI_ID 0x00
#define PCI_CLASS 0x08
#define PCI_CLASS_NETWORK 0x02
#define BOOTP_CHADDR 28
#define SNP_RX_BUFFERS 32 // no driver says how many it has; edk2's have 32 or 64

static const struct efi_guid snp_guid = EFI_SIMPLE_NETWORK_GUID, pci_guid = EFI_PCI_IO_GUID, path_guid = EFI_DEVICE_PATH_GUID,
                             pxe_guid = EFI_PXE_GUID;
static struct card cards[PLATFORM_NICS_MAX];
static unsigned count;
static uint8_t ack[EFI_PXE_PACKET_SIZE], reply[EFI_PXE_PACKET_SIZE];

static uint32_t pci_read(struct efi_pci_io *pci, uint32_t offset)
{
    uint32_t value;
    return efi_failed(pci->read(pci, EFI_PCI_WIDTH_32, offset, 1, &value)) ? 0 : value;
}

// Firmware that boots from a disk has not woken the network. Connecting only what is a network card spares the
// seconds that disks take; a card that is on no PCI bus is found by connecting everything.
static void connect_drivers(void)
{
    efi_handle *handles;
    unsigned n = efi_handles(&pci_guid, &handles);
    for (unsigned i = 0; i < n; i++) {
        struct efi_pci_io *pci = efi_protocol(handles[i], &pci_guid);
        if (pci && pci_read(pci, PCI_CLASS) >> 24 == PCI_CLASS_NETWORK)
            (void)efi_boot->connect(handles[i], NULL, NULL, true); // "already connected" is an error, too
    }
    if (n)
        (void)efi_boot->free_pool(handles);
    n = efi_handles(&snp_guid, &handles);
    if (n) {
        (void)efi_boot->free_pool(handles);
        return;
    }
    n = efi_handles(NULL, &handles);
    for (unsigned i = 0; i < n; i++)
        (void)efi_boot->connect(handles[i], NULL, NULL, true);
    if (n)
        (void)efi_boot->free_pool(handles);
}

// What the card calls itself: the ids of the PCI device that its device path leads through.
static void name_chip(efi_handle handle, char *chip, size_t cap)
{
    struct efi_device_path *path = efi_protocol(handle, &path_guid);
    efi_handle device;
    struct efi_pci_io *pci = NULL;
    if (path && !efi_failed(efi_boot->locate_device_path(&pci_guid, &path, &device)))
        pci = efi_protocol(device, &pci_guid);
    uint32_t id = pci ? pci_read(pci, PCI_ID) : 0;
    if (id)
        fmt_snprintf(chip, cap, "PCI %04x:%04x", id & 0xffff, id >> 16);
    else
        fmt_snprintf(chip, cap, "not on PCI");
}

static void add_handle(efi_handle handle)
{
    const struct efi_snp *snp = efi_protocol(handle, &snp_guid);
    if (!snp || !snp->mode || snp->mode->type != 1 || snp->mode->address_size != 6)
        return;
    const uint8_t *mac = snp->mode->current.bytes;
    struct card *card = NULL;
    for (unsigned i = 0; i < count; i++)
        if (memcmp(cards[i].info.mac, mac, 6) == 0)
            card = &cards[i];
    if (!card && count < PLATFORM_NICS_MAX) {
        card = &cards[count++];
        *card = (struct card){ .info = { .driver = "snp", .rx_buffers = SNP_RX_BUFFERS } };
        memcpy(card->info.mac, mac, 6);
        card->info.mtu = (uint16_t)MIN(MAX(snp->mode->packet_max, 576u), 1500u);
        name_chip(handle, card->info.chip, sizeof card->info.chip);
    }
    if (card && card->handle_count < CARD_HANDLES_MAX)
        card->handles[card->handle_count++] = handle;
}

// The PXE that loaded us has an address; its protocol goes away when the card is taken over, so it is copied.
static void keep_lease(void)
{
    struct efi_pxe *pxe = efi_protocol(efi_loaded->device, &pxe_guid);
    if (!pxe || !pxe->mode || !pxe->mode->started || pxe->mode->using_ipv6 || !pxe->mode->ack_received)
        return;
    const struct efi_pxe_mode *mode = pxe->mode;
    memcpy(ack, mode->ack, sizeof ack);
    const uint8_t *more = mode->pxe_reply_received ? mode->pxe_reply : mode->proxy_received ? mode->proxy : NULL;
    if (more)
        memcpy(reply, more, sizeof reply);
    for (unsigned i = 0; i < count; i++) {
        struct platform_nic *info = &cards[i].info;
        if (memcmp(info->mac, ack + BOOTP_CHADDR, 6) != 0)
            continue;
        info->dhcp_ack = ack;
        info->dhcp_ack_len = sizeof ack;
        info->boot_reply = more ? reply : NULL;
        info->boot_reply_len = more ? sizeof reply : 0;
    }
}

void cards_find(void)
{
    efi_handle *handles;
    connect_drivers();
    // The card that we came from is net0.
    if (efi_protocol(efi_loaded->device, &snp_guid))
        add_handle(efi_loaded->device);
    unsigned n = efi_handles(&snp_guid, &handles);
    for (unsigned i = 0; i < n; i++)
        if (handles[i] != efi_loaded->device)
            add_handle(handles[i]);
    if (n)
        (void)efi_boot->free_pool(handles);
    keep_lease();
}

unsigned cards_count(void)
{
    return count;
}

struct card *card_at(unsigned i)
{
    return i < count ? &cards[i] : NULL;
}
