// SPDX-License-Identifier: MPL-2.0
// See snp.h.
#include "efi/cards/snp.h"

#include "efi/clock.h"
#include "efi/cards/drivers.h"
#include "efi/efi.h"

#define TX_BUFFERS 32
#define TX_FLUSH_US 50000 // for all of them before the card is stopped
#define TX_WAIT_US 2000 // for a buffer to come back before a frame is dropped
#define FILTERS (EFI_SNP_UNICAST | EFI_SNP_BROADCAST)

static const struct efi_guid snp_guid = EFI_SIMPLE_NETWORK_GUID;
_Static_assert(CARD_GROUPS_MAX <= EFI_SNP_FILTERS_MAX, "all groups have room");

// A frame belongs to the driver from Transmit until GetStatus names it again. Shared by all cards.
static struct {
    struct efi_snp *owner; // NULL: free
    uint8_t frame[FRAME_MAX];
} tx[TX_BUFFERS];

// Starts and initializes what may be in any state: a driver that the firmware used is running already.
static int bring_up(struct efi_snp *snp)
{
    if (snp->mode->state == EFI_SNP_STOPPED) {
        efi_status status = snp->start(snp);
        if (efi_failed(status) && status != EFI_ALREADY_STARTED)
            return ERR_NET_LINK;
    }
    // Anew, so that nothing is left of what the firmware had set.
    if (snp->mode->state == EFI_SNP_INITIALIZED)
        (void)snp->shutdown(snp);
    if (efi_failed(snp->initialize(snp, 0, 0)))
        return ERR_NET_LINK;
    (void)snp->receive_filters(snp, FILTERS & snp->mode->filter_mask, 0, true, 0, NULL); // a failure shows as silence
    return 0;
}

static void collect_sent(struct efi_snp *snp)
{
    void *buffer;
    do {
        buffer = NULL;
        if (efi_failed(snp->get_status(snp, NULL, &buffer)))
            return;
        for (unsigned i = 0; buffer && i < TX_BUFFERS; i++)
            if (buffer == tx[i].frame)
                tx[i].owner = NULL;
    } while (buffer);
}

static bool sending(const struct efi_snp *snp)
{
    for (unsigned i = 0; i < TX_BUFFERS; i++)
        if (tx[i].owner == snp)
            return true;
    return false;
}

static void take_down(struct efi_snp *snp)
{
    // A driver may lose what it has noted for a frame that is still on its way.
    uint64_t end = clock_us() + TX_FLUSH_US;
    while (snp->mode->state == EFI_SNP_INITIALIZED && sending(snp) && clock_us() < end)
        collect_sent(snp);
    if (snp->mode->state == EFI_SNP_INITIALIZED)
        (void)snp->shutdown(snp);
    if (snp->mode->state == EFI_SNP_STARTED)
        (void)snp->stop(snp);
    for (unsigned i = 0; i < TX_BUFFERS; i++)
        if (tx[i].owner == snp)
            tx[i].owner = NULL;
}

static struct snp_card *snp_of(struct card *card)
{
    return container_of(card, struct snp_card, card);
}

static int open(struct card *net)
{
    struct snp_card *card = snp_of(net);
    int err = ERR_NET_LINK;
    for (unsigned i = 0; i < card->handle_count; i++) {
        struct efi_snp *snp;
        // Exclusively: the firmware stops its own stack on this card, and lets nobody else in until we are done.
        if (efi_failed(efi_boot->open_protocol(card->handles[i], &snp_guid, (void **)&snp, efi_image, NULL, EFI_OPEN_EXCLUSIVE)))
            continue;
        card->handle = card->handles[i];
        err = bring_up(snp);
        if (!err) {
            card->snp = snp;
            break;
        }
        take_down(snp);
        (void)efi_boot->close_protocol(card->handle, &snp_guid, efi_image, NULL);
    }
    return err;
}

static void close(struct card *net)
{
    struct snp_card *card = snp_of(net);
    take_down(card->snp);
    (void)efi_boot->close_protocol(card->handle, &snp_guid, efi_image, NULL);
    if (card->stack)
        (void)efi_boot->connect(card->handle, NULL, NULL, true);
}

void snp_stop(efi_handle function)
{
    efi_handle *handles;
    struct efi_snp *snp;
    unsigned n = efi_handles(&snp_guid, &handles);
    for (unsigned i = 0; i < n; i++) {
        // Handles may go with what comes off the one before. Who holds it exclusively is not asked to leave by the opening.
        if (drivers_pci(handles[i]) != function)
            continue;
        (void)efi_boot->disconnect(handles[i], NULL, NULL);
        if (efi_failed(efi_boot->open_protocol(handles[i], &snp_guid, (void **)&snp, efi_image, NULL, EFI_OPEN_EXCLUSIVE)))
            continue;
        take_down(snp);
        (void)efi_boot->close_protocol(handles[i], &snp_guid, efi_image, NULL);
    }
    if (n)
        (void)efi_boot->free_pool(handles);
}

static bool link(struct card *net)
{
    struct efi_snp *snp = snp_of(net)->snp;
    uint32_t interrupts; // GetStatus wants to be asked for something
    return !snp->mode->media_present_supported || efi_failed(snp->get_status(snp, &interrupts, NULL)) || snp->mode->media_present;
}

static int multicast(struct card *net, const uint8_t (*groups)[6], unsigned n)
{
    struct efi_snp *snp = snp_of(net)->snp;
    struct efi_mac macs[EFI_SNP_FILTERS_MAX] = { 0 };
    uint32_t mask = snp->mode->filter_mask, all = EFI_SNP_MULTICAST | EFI_SNP_ALL_MULTICAST | EFI_SNP_PROMISCUOUS;
    if (n == 0)
        return efi_failed(snp->receive_filters(snp, FILTERS & mask, all & mask, true, 0, NULL)) ? ERR_NET_LINK : 0;
    for (unsigned i = 0; i < n; i++)
        memcpy(macs[i].bytes, groups[i], 6);
    if ((mask & EFI_SNP_MULTICAST) && n <= snp->mode->filter_max &&
        !efi_failed(snp->receive_filters(snp, (FILTERS | EFI_SNP_MULTICAST) & mask, 0, false, n, macs)))
        return 0;
    // More groups than the card can tell apart: all of them, or everything.
    uint32_t wide = mask & EFI_SNP_ALL_MULTICAST ? EFI_SNP_ALL_MULTICAST : EFI_SNP_PROMISCUOUS;
    return efi_failed(snp->receive_filters(snp, (FILTERS | wide) & mask, 0, false, 0, NULL)) ? ERR_NET_LINK : 0;
}

static int send(struct card *net, const void *frame, size_t len)
{
    struct efi_snp *snp = snp_of(net)->snp;
    uint64_t end = clock_us() + TX_WAIT_US;
    do {
        collect_sent(snp);
        for (unsigned i = 0; i < TX_BUFFERS; i++) {
            if (tx[i].owner)
                continue;
            memcpy(tx[i].frame, frame, len);
            efi_status status = snp->transmit(snp, 0, len, tx[i].frame, NULL, NULL, NULL);
            if (!efi_failed(status)) {
                tx[i].owner = snp;
                return 0;
            }
            if (status != EFI_NOT_READY)
                return ERR_NET_LINK;
            break;
        }
    } while (clock_us() < end);
    return 0; // dropped, as a wire does
}

static int receive(struct card *net, uint8_t **ret_frame)
{
    static uint8_t frame[FRAME_RECEIVE_MAX];
    struct efi_snp *snp = snp_of(net)->snp;
    uint64_t size = sizeof frame;
    efi_status status = snp->receive(snp, NULL, &size, frame, NULL, NULL, NULL);
    *ret_frame = frame;
    return efi_failed(status) || size > sizeof frame ? 0 : (int)size; // a frame that is too long is none of ours
}

const struct card_ops snp_ops = { open, close, link, multicast, send, receive, NULL };
