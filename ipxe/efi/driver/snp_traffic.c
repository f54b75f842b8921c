// SPDX-License-Identifier: MPL-2.0
// See snp_device.h. Frames, and what is known of them.
#include "efi/driver/snp_device.h"

#include "base/bytes.h"

enum { DESTINATION_AT = 0, SOURCE_AT = 6, PROTOCOL_AT = 12 }; // in an Ethernet header

efi_status snp_traffic_statistics(struct efi_snp *snp, bool reset, uint64_t *size, void *ret)
{
    uint64_t tpl;
    efi_status status = snp_state_enter(snp, &tpl);
    if (efi_failed(status))
        return status;
    struct snp_device *device = snp_state_of(snp);
    if (!size && ret)
        return snp_state_exit(tpl, EFI_INVALID_PARAMETER);
    if (size) {
        uint64_t needed = sizeof device->counts;
        if (ret)
            memcpy(ret, &device->counts, MIN(*size, needed));
        if (!ret || *size < needed)
            status = EFI_BUFFER_TOO_SMALL;
        *size = needed;
    }
    if (reset)
        snp_state_clear_counts(device);
    return snp_state_exit(tpl, status);
}

efi_status snp_traffic_status(struct efi_snp *snp, uint32_t *ret_interrupts, void **ret_buffer)
{
    uint64_t tpl;
    efi_status status = snp_state_enter(snp, &tpl);
    if (efi_failed(status))
        return status;
    struct snp_device *device = snp_state_of(snp);
    if (!ret_interrupts && !ret_buffer)
        return snp_state_exit(tpl, EFI_INVALID_PARAMETER);
    device->mode.media_present = card_link(device->card);
    device->no_link_before &= !device->mode.media_present;
    if (ret_interrupts) {
        snp_state_fetch(device);
        *ret_interrupts = device->interrupts;
        device->interrupts = 0;
    }
    if (ret_buffer) {
        *ret_buffer = device->sent_count ? device->sent[device->sent_first] : NULL;
        if (device->sent_count) {
            device->sent_first = (device->sent_first + 1) % SNP_STATE_SENT_MAX;
            device->sent_count--;
        }
    }
    return snp_state_exit(tpl, EFI_SUCCESS);
}

static void count_sent(struct snp_device *device, const uint8_t *frame, uint64_t size)
{
    struct snp_statistics *counts = &device->counts;
    counts->tx_good++;
    counts->tx_bytes += size;
    snp_state_count(device, frame, &counts->tx_unicast, &counts->tx_broadcast, &counts->tx_multicast);
}

static efi_status transmit(struct snp_device *device, uint8_t *frame, uint64_t size)
{
    if (device->sent_count == SNP_STATE_SENT_MAX)
        return EFI_NOT_READY;
    device->counts.tx_total++;
    if (card_send(device->card, frame, size) != 0)
        return EFI_DEVICE_ERROR;
    count_sent(device, frame, size);
    device->sent[(device->sent_first + device->sent_count++) % SNP_STATE_SENT_MAX] = frame;
    device->interrupts |= SNP_TRANSMIT_INTERRUPT;
    // While a frame of the card's is in use, the driver may keep what is sent until the next one is asked for: that is now.
    snp_state_fetch(device);
    return EFI_SUCCESS;
}

efi_status snp_traffic_transmit(struct efi_snp *snp, uint64_t header_size, uint64_t size, void *buffer, struct efi_mac *source,
                                struct efi_mac *destination, uint16_t *protocol)
{
    uint64_t tpl;
    efi_status status = snp_state_enter(snp, &tpl);
    if (efi_failed(status))
        return status;
    struct snp_device *device = snp_state_of(snp);
    const struct efi_snp_mode *mode = &device->mode;
    uint8_t *frame = buffer;
    if (!frame || (header_size && (header_size != mode->header_size || !destination || !protocol)))
        return snp_state_exit(tpl, EFI_INVALID_PARAMETER);
    if (size < mode->header_size)
        return snp_state_exit(tpl, EFI_BUFFER_TOO_SMALL);
    if (size - mode->header_size > mode->packet_max)
        return snp_state_exit(tpl, EFI_INVALID_PARAMETER);
    if (header_size) {
        memcpy(frame + DESTINATION_AT, destination->bytes, 6);
        memcpy(frame + SOURCE_AT, source ? source->bytes : mode->current.bytes, 6);
        store16_be(frame + PROTOCOL_AT, *protocol);
    }
    return snp_state_exit(tpl, transmit(device, frame, size));
}

static void give_mac(struct efi_mac *ret, const uint8_t *mac)
{
    if (!ret)
        return;
    *ret = (struct efi_mac){ 0 };
    memcpy(ret->bytes, mac, 6);
}

efi_status snp_traffic_receive(struct efi_snp *snp, uint64_t *ret_header_size, uint64_t *size, void *buffer, struct efi_mac *ret_source,
                               struct efi_mac *ret_destination, uint16_t *ret_protocol)
{
    uint64_t tpl;
    efi_status status = snp_state_enter(snp, &tpl);
    if (efi_failed(status))
        return status;
    struct snp_device *device = snp_state_of(snp);
    if (!size || !buffer)
        return snp_state_exit(tpl, EFI_INVALID_PARAMETER);
    snp_state_fetch(device);
    const uint8_t *frame = device->frame;
    if (!frame)
        return snp_state_exit(tpl, EFI_NOT_READY);
    uint64_t room = *size;
    *size = device->frame_size;
    if (room < device->frame_size)
        return snp_state_exit(tpl, EFI_BUFFER_TOO_SMALL);
    memcpy(buffer, frame, device->frame_size);
    give_mac(ret_source, frame + SOURCE_AT);
    give_mac(ret_destination, frame + DESTINATION_AT);
    if (ret_header_size)
        *ret_header_size = device->mode.header_size;
    if (ret_protocol)
        *ret_protocol = load16_be(frame + PROTOCOL_AT);
    device->frame = NULL;
    return snp_state_exit(tpl, EFI_SUCCESS);
}
