// SPDX-License-Identifier: MPL-2.0
// See snp_state.h.
#include "efi/driver/snp_state.h"

#include "efi/efi.h"

#define FETCH_MAX 64 // frames for others that are dropped before somebody else has a turn

efi_status snp_state_exit(uint64_t tpl, efi_status status)
{
    efi_boot->restore_tpl(tpl);
    return status;
}

efi_status snp_state_enter_any(struct efi_snp *snp, uint64_t *ret_tpl)
{
    if (!snp)
        return EFI_INVALID_PARAMETER;
    if (snp_state_of(snp)->gone)
        return EFI_DEVICE_ERROR;
    *ret_tpl = efi_boot->raise_tpl(EFI_TPL_NOTIFY);
    return EFI_SUCCESS;
}

efi_status snp_state_enter(struct efi_snp *snp, uint64_t *ret_tpl)
{
    efi_status status = snp_state_enter_any(snp, ret_tpl);
    if (efi_failed(status) || snp->mode->state == EFI_SNP_INITIALIZED)
        return status;
    return snp_state_exit(*ret_tpl, snp->mode->state == EFI_SNP_STOPPED ? EFI_NOT_STARTED : EFI_DEVICE_ERROR);
}

void snp_state_clear_counts(struct snp_device *device)
{
    struct snp_statistics *counts = &device->counts;
    memset(counts, 0xff, sizeof *counts);
    counts->rx_total = counts->rx_good = counts->rx_unicast = counts->rx_broadcast = counts->rx_multicast = counts->rx_bytes = 0;
    counts->tx_total = counts->tx_good = counts->tx_unicast = counts->tx_broadcast = counts->tx_multicast = counts->tx_bytes = 0;
}

void snp_state_empty(struct snp_device *device)
{
    device->frame = NULL;
    device->sent_count = 0;
    device->interrupts = 0;
    device->mode.filter_setting = 0;
    device->mode.filter_count = 0;
}

bool snp_state_wants(const struct snp_device *device, const uint8_t mac[6])
{
    const struct efi_snp_mode *mode = &device->mode;
    if (mode->filter_setting & EFI_SNP_PROMISCUOUS)
        return true;
    if (memcmp(mac, mode->broadcast.bytes, 6) == 0)
        return mode->filter_setting & EFI_SNP_BROADCAST;
    if (!(mac[0] & 1))
        return mode->filter_setting & EFI_SNP_UNICAST && memcmp(mac, mode->current.bytes, 6) == 0;
    if (mode->filter_setting & EFI_SNP_ALL_MULTICAST)
        return true;
    for (unsigned i = 0; mode->filter_setting & EFI_SNP_MULTICAST && i < mode->filter_count; i++)
        if (memcmp(mac, mode->filters[i].bytes, 6) == 0)
            return true;
    return false;
}

void snp_state_count(const struct snp_device *device, const uint8_t *frame, uint64_t *unicast, uint64_t *broadcast, uint64_t *multicast)
{
    bool to_all = memcmp(frame, device->mode.broadcast.bytes, 6) == 0;
    ++*(!(frame[0] & 1) ? unicast : to_all ? broadcast : multicast);
}

static void count_received(struct snp_device *device, const uint8_t *frame, int len)
{
    struct snp_statistics *counts = &device->counts;
    counts->rx_total++;
    counts->rx_good++;
    counts->rx_bytes += (uint64_t)len;
    snp_state_count(device, frame, &counts->rx_unicast, &counts->rx_broadcast, &counts->rx_multicast);
}

void snp_state_fetch(struct snp_device *device)
{
    uint8_t *frame;
    for (unsigned i = 0; !device->frame && i < FETCH_MAX; i++) {
        int len = card_receive(device->card, &frame);
        if (len < SNP_STATE_HEADER)
            return;
        if (!snp_state_wants(device, frame))
            continue;
        count_received(device, frame, len);
        device->frame = frame;
        device->frame_size = (uint64_t)len;
        device->interrupts |= SNP_RECEIVE_INTERRUPT;
    }
}

int snp_state_tell(struct snp_device *device)
{
    const struct efi_snp_mode *mode = &device->mode;
    uint8_t groups[EFI_SNP_FILTERS_MAX][6];
    for (unsigned i = 0; i < mode->filter_count; i++)
        memcpy(groups[i], mode->filters[i].bytes, 6);
    int err = 0;
    // A card that takes no list is asked for none without need.
    if (mode->filter_count || device->groups_told)
        err = card_multicast(device->card, (const uint8_t(*)[6])groups, mode->filter_count);
    device->groups_told |= mode->filter_count != 0;
    // Frames to another address than the card's own come in with everything.
    bool everything = mode->filter_setting & (EFI_SNP_PROMISCUOUS | EFI_SNP_ALL_MULTICAST) ||
                      memcmp(mode->current.bytes, mode->permanent.bytes, 6) != 0;
    if (!err && everything != device->everything) {
        err = device->driver->ops.promiscuous(device->card, everything);
        device->everything = everything && !err;
    }
    return err;
}
