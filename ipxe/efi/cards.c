// SPDX-License-Identifier: MPL-2.0
// See cards.h.
#include "efi/cards.h"

#include "base/bytes.h"
#include "base/fmt.h"
#include "efi/drivers.h"
#include "efi/efi.h"

#define PCI_CLASS_NETWORK 0x02
#define BOOTP_CHADDR 28
#define SNP_RX_BUFFERS 32 // no driver says how many it has; edk2's have 32 or 64
// Quirk of iPXE's drivers, as in BIOS (RX_LIMIT, bios/undi.c): with more frames under way the receiver stands still until the
// next transmission. Seen with the e1000 ROM of QEMU: of 24,000 blocks 1,250 to 6,700 lost without this limit, none with it.
// Theirs have the interface of UNDI beside the Simple Network Protocol, edk2's virtio-net, which would lose a third of its
// speed by the limit, has not.
#define UNDI_RX_LIMIT 256

static const struct efi_guid snp_guid = EFI_SIMPLE_NETWORK_GUID, pxe_guid = EFI_PXE_GUID, undi_guid = EFI_NETWORK_INTERFACE_GUID;
static struct card cards[PLATFORM_NICS_MAX];
static unsigned count;
static uint8_t ack[EFI_PXE_PACKET_SIZE], reply[EFI_PXE_PACKET_SIZE];

// Has the firmware's network stack been started on this card?
static bool has_stack(efi_handle handle)
{
    struct efi_open_entry *users;
    uint64_t n;
    bool found = false;
    if (efi_failed(efi_boot->open_information(handle, &snp_guid, &users, &n)))
        return false;
    for (uint64_t i = 0; i < n; i++)
        found |= (users[i].attributes & EFI_OPEN_BY_DRIVER) != 0;
    (void)efi_boot->free_pool(users);
    return found;
}

// Firmware that boots from a disk has not woken the network. Only what is a network card is woken, which spares the
// seconds that disks take; and no card that can be used as it is, for that would only start the firmware's stack on it.
static bool must_wake(efi_handle device, uint32_t class)
{
    efi_handle *handles;
    bool ready = false;
    if (class >> 16 != PCI_CLASS_NETWORK)
        return false;
    unsigned n = efi_handles(&snp_guid, &handles);
    for (unsigned i = 0; i < n; i++)
        ready |= drivers_pci(handles[i]) == device && !has_stack(handles[i]);
    if (n)
        (void)efi_boot->free_pool(handles);
    return !ready;
}

static void name_chip(efi_handle handle, char *chip, size_t cap)
{
    uint32_t id = drivers_pci_id(handle);
    if (id)
        fmt_snprintf(chip, cap, "PCI %04x:%04x", id & 0xffff, id >> 16);
    else
        fmt_snprintf(chip, cap, "not on PCI");
}

static bool is_known(efi_handle handle)
{
    for (unsigned i = 0; i < count; i++)
        for (unsigned k = 0; k < cards[i].handle_count; k++)
            if (cards[i].handles[k] == handle)
                return true;
    return false;
}

static void add_handle(efi_handle handle, bool stack)
{
    const struct efi_snp *snp = efi_protocol(handle, &snp_guid);
    if (!snp || !snp->mode || snp->mode->type != 1 || snp->mode->address_size != 6 || is_known(handle))
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
        card->info.rx_limit = efi_protocol(handle, &undi_guid) ? UNDI_RX_LIMIT : 0;
        card->info.mtu = (uint16_t)MIN(MAX(snp->mode->packet_max, 576u), 1500u);
        name_chip(handle, card->info.chip, sizeof card->info.chip);
    }
    if (!card || card->handle_count == CARD_HANDLES_MAX)
        return;
    card->handles[card->handle_count++] = handle;
    card->stack |= stack;
}

// The PXE that loaded us has an address; its protocol goes away when the card is taken over, so it is copied.
static void keep_lease(void)
{
    struct efi_pxe *pxe = efi_protocol(efi_loaded->device, &pxe_guid);
    if (!pxe || !pxe->mode || !pxe->mode->started || !pxe->mode->ack_received)
        return;
    const struct efi_pxe_mode *mode = pxe->mode;
    memcpy(ack, mode->ack, sizeof ack);
    // A DHCPv6 answer names no card: it is that of the device which we came from, net0.
    if (mode->using_ipv6) {
        if (count && cards[0].handles[0] == efi_loaded->device) {
            cards[0].info.dhcp6_reply = ack;
            cards[0].info.dhcp6_reply_len = sizeof ack;
        }
        return;
    }
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

// Those that are new since the last time. `ours`: it is our doing that they are there, and what runs on them.
static void add_cards(bool ours)
{
    efi_handle *handles;
    unsigned n = efi_handles(&snp_guid, &handles);
    for (unsigned i = 0; i < n; i++)
        add_handle(handles[i], !ours && has_stack(handles[i]));
    if (n)
        (void)efi_boot->free_pool(handles);
}

void cards_find(void)
{
    // The card that we came from is net0.
    add_handle(efi_loaded->device, true);
    add_cards(false);
    drivers_connect(must_wake, &snp_guid);
    add_cards(true);
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
