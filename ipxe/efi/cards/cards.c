// SPDX-License-Identifier: MPL-2.0
// See cards.h.
#include "efi/cards/cards.h"

#include "base/bytes.h"
#include "base/fmt.h"
#include "drivers/bind.h"
#include "efi/cards/drivers.h"
#include "efi/efi.h"

#define BOOTP_CHADDR 28
#define SNP_RX_BUFFERS 32 // no driver says how many it has; edk2's have 32 or 64
// Quirk of iPXE's drivers, as in BIOS (RX_LIMIT, bios/undi.c): with more frames under way the receiver stands still until the
// next transmission. Seen with the e1000 ROM of QEMU: of 24,000 blocks 1,250 to 6,700 lost without this limit, none with it.
// Theirs have the interface of UNDI beside the Simple Network Protocol, edk2's virtio-net, which would lose a third of its
// speed by the limit, has not.
#define UNDI_RX_LIMIT 256

static const struct efi_guid snp_guid = EFI_SIMPLE_NETWORK_GUID, pxe_guid = EFI_PXE_GUID, undi_guid = EFI_NETWORK_INTERFACE_GUID,
                             pci_guid = EFI_PCI_IO_GUID;
static struct efi_card cards[CARDS_MAX];
static unsigned count;
static bool use_native;
static uint8_t ack[EFI_PXE_PACKET_SIZE], reply[EFI_PXE_PACKET_SIZE];

// Has a driver of the firmware's opened it? On the SNP that is its network stack, on PCI I/O the card's own.
static bool is_driven(efi_handle handle, const struct efi_guid *guid)
{
    struct efi_open_entry *users;
    uint64_t n;
    bool found = false;
    if (efi_failed(efi_boot->open_information(handle, guid, &users, &n)))
        return false;
    for (uint64_t i = 0; i < n; i++)
        found |= (users[i].attributes & EFI_OPEN_BY_DRIVER) != 0;
    (void)efi_boot->free_pool(users);
    return found;
}

static const struct nic_driver *native_driver(efi_handle device)
{
    uint32_t id = drivers_pci_id(device);
    return use_native ? bind_driver((uint16_t)id, (uint16_t)(id >> 16), drivers_pci_class(device)) : NULL;
}

// Firmware that boots from a disk has not woken the network. Only what is a network card is woken, which spares the
// seconds that disks take; and no card that can be used as it is, natively or not, for that would only start the firmware's
// stack on it.
static bool must_wake(efi_handle device, uint32_t class)
{
    efi_handle *handles;
    bool ready = false;
    if (class >> 16 != PCI_CLASS_NETWORK)
        return false;
    for (unsigned i = 0; i < count; i++)
        ready |= cards[i].driver && cards[i].function == device;
    unsigned n = efi_handles(&snp_guid, &handles);
    for (unsigned i = 0; i < n; i++)
        ready |= drivers_pci(handles[i]) == device && !is_driven(handles[i], &snp_guid);
    if (n)
        (void)efi_boot->free_pool(handles);
    return !ready;
}

static void name_chip(struct card_info *info, efi_handle handle)
{
    uint32_t id = drivers_pci_id(handle);
    if (id)
        fmt_snprintf(info->chip, sizeof info->chip, "PCI %04x:%04x", id & 0xffff, id >> 16);
    else
        fmt_snprintf(info->chip, sizeof info->chip, "not on PCI");
}

static bool is_known(efi_handle handle)
{
    for (unsigned i = 0; i < count; i++)
        for (unsigned k = 0; k < cards[i].snp.handle_count; k++)
            if (cards[i].snp.handles[k] == handle)
                return true;
    return false;
}

// The card with this MAC address, a new one where there is none yet. NULL: there are too many.
static struct efi_card *card_of(const uint8_t *mac)
{
    for (unsigned i = 0; i < count; i++)
        if (memcmp(cards[i].card.info.mac, mac, 6) == 0)
            return &cards[i];
    if (count == CARDS_MAX)
        return NULL;
    cards[count] = (struct efi_card){ .snp.card.ops = &snp_ops };
    memcpy(cards[count].card.info.mac, mac, 6);
    return &cards[count++];
}

// The handle's SNP when it is Ethernet.
static const struct efi_snp *ethernet(efi_handle handle)
{
    const struct efi_snp *snp = efi_protocol(handle, &snp_guid);
    return snp && snp->mode && snp->mode->type == 1 && snp->mode->address_size == 6 ? snp : NULL;
}

// One more handle of the card. It is the first one's driver that the card is known by.
static void add_to(struct efi_card *card, efi_handle handle, const struct efi_snp *snp)
{
    if (card->snp.handle_count == 0) {
        struct card_info *info = &card->snp.card.info;
        memcpy(info->mac, snp->mode->current.bytes, 6);
        fmt_snprintf(info->driver, sizeof info->driver, "snp");
        info->rx_buffers = SNP_RX_BUFFERS;
        info->rx_limit = efi_protocol(handle, &undi_guid) ? UNDI_RX_LIMIT : 0;
        info->mtu = (uint16_t)MIN(MAX(snp->mode->packet_max, 576u), 1500u);
        name_chip(info, handle);
        cards_describe(card, &card->snp.card);
    }
    if (card->snp.handle_count < CARD_HANDLES_MAX)
        card->snp.handles[card->snp.handle_count++] = handle;
}

static void add_handle(efi_handle handle, bool stack)
{
    const struct efi_snp *snp = ethernet(handle);
    struct efi_card *card = snp && !is_known(handle) ? card_of(snp->mode->current.bytes) : NULL;
    if (!card || card->driver)
        return;
    add_to(card, handle, snp);
    card->snp.stack |= stack;
}

// The card whose SNP, if the firmware has one for it, leads through this PCI function. *ret_shared: so do others.
static struct efi_card *card_through(efi_handle function, bool *ret_shared)
{
    struct efi_card *found = NULL;
    *ret_shared = false;
    for (unsigned i = 0; i < count; i++)
        if (drivers_pci(cards[i].snp.handles[0]) == function) {
            *ret_shared = found != NULL;
            found = &cards[i];
        }
    return found;
}

// The MAC address of a card that the firmware has not started.
static struct efi_card *probe(const struct nic_driver *driver, efi_handle function)
{
    struct pci_io pci;
    uint8_t mac[6];
    if (pci_open(&pci, function) != 0)
        return NULL;
    int err = driver->probe(&pci.function, mac);
    pci_close(&pci);
    return err ? NULL : card_of(mac);
}

// Cards that a native driver knows, whether the firmware has started them or not.
static void add_native(efi_handle function)
{
    const struct nic_driver *driver = native_driver(function);
    bool shared;
    struct efi_card *card = card_through(function, &shared);
    if (!driver || shared)
        return;
    if (!card)
        card = probe(driver, function);
    if (!card || card->driver)
        return;
    card->driver = driver;
    card->function = function;
    card->bound = is_driven(function, &pci_guid);
    fmt_snprintf(card->card.info.driver, sizeof card->card.info.driver, "%s", driver->name);
    card->card.info.rx_limit = 0;
    name_chip(&card->card.info, function);
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
        if (count && cards[0].snp.handles[0] == efi_loaded->device) {
            cards[0].card.info.dhcp6_reply = ack;
            cards[0].card.info.dhcp6_reply_len = sizeof ack;
        }
        return;
    }
    const uint8_t *more = mode->pxe_reply_received ? mode->pxe_reply : mode->proxy_received ? mode->proxy : NULL;
    if (more)
        memcpy(reply, more, sizeof reply);
    for (unsigned i = 0; i < count; i++) {
        struct card_info *info = &cards[i].card.info;
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
        add_handle(handles[i], !ours && is_driven(handles[i], &snp_guid));
    if (n)
        (void)efi_boot->free_pool(handles);
}

static void add_native_cards(void)
{
    efi_handle *handles;
    unsigned n = efi_handles(&pci_guid, &handles);
    for (unsigned i = 0; i < n; i++)
        add_native(handles[i]);
    if (n)
        (void)efi_boot->free_pool(handles);
}

void cards_find(bool native)
{
    use_native = native;
    // The card that we came from is net0.
    add_handle(efi_loaded->device, true);
    add_cards(false);
    add_native_cards();
    drivers_connect(must_wake, count ? NULL : &snp_guid);
    add_cards(true);
    keep_lease();
}

void cards_use_snp(struct efi_card *card)
{
    efi_handle *handles;
    unsigned n = efi_handles(&snp_guid, &handles);
    card->driver = NULL;
    card->snp.handle_count = 0;
    for (unsigned i = 0; i < n; i++)
        if (drivers_pci(handles[i]) == card->function && ethernet(handles[i]))
            add_to(card, handles[i], ethernet(handles[i]));
    if (n)
        (void)efi_boot->free_pool(handles);
}

unsigned cards_count(void)
{
    return count;
}

struct efi_card *card_at(unsigned i)
{
    return i < count ? &cards[i] : NULL;
}
