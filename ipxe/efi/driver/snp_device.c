// SPDX-License-Identifier: MPL-2.0
// See snp_device.h. The calls that change the state, and what they do to the card.
#include "efi/driver/snp_device.h"

#include "efi/efi.h"

#define SNP_REVISION 0x00010000
#define MTU 1500 // before the card says
_Static_assert(CARD_GROUPS_MAX <= EFI_SNP_FILTERS_MAX, "all groups have room");

// The closed card is open, and knows the address.
static efi_status open_card(struct snp_device *device)
{
    int err = card_open(device->card);
    if (err)
        return err == ERR_NO_MEMORY ? EFI_OUT_OF_RESOURCES : EFI_DEVICE_ERROR;
    device->mode.packet_max = device->card->info.mtu;
    device->everything = device->groups_told = false;
    device->frame = NULL;
    if (snp_state_tell(device) == 0)
        return EFI_SUCCESS;
    card_close(device->card);
    return EFI_DEVICE_ERROR;
}

static void close_card(struct snp_device *device)
{
    if (device->mode.state == EFI_SNP_INITIALIZED)
        card_close(device->card);
    device->mode.state = EFI_SNP_STARTED;
    snp_state_empty(device);
}

// --- struct efi_snp ---

static efi_status call_start(struct efi_snp *snp)
{
    uint64_t tpl;
    efi_status status = snp_state_enter_any(snp, &tpl);
    if (efi_failed(status))
        return status;
    struct snp_device *device = snp_state_of(snp);
    if (device->mode.state != EFI_SNP_STOPPED)
        return snp_state_exit(tpl, EFI_ALREADY_STARTED);
    device->mode.current = device->mode.permanent;
    device->mode.state = EFI_SNP_STARTED;
    snp_state_empty(device);
    snp_state_clear_counts(device);
    return snp_state_exit(tpl, EFI_SUCCESS);
}

static efi_status call_stop(struct efi_snp *snp)
{
    uint64_t tpl;
    efi_status status = snp_state_enter_any(snp, &tpl);
    if (efi_failed(status))
        return status;
    if (snp->mode->state == EFI_SNP_STOPPED)
        return snp_state_exit(tpl, EFI_NOT_STARTED);
    if (snp->mode->state == EFI_SNP_INITIALIZED)
        return snp_state_exit(tpl, EFI_DEVICE_ERROR);
    snp->mode->state = EFI_SNP_STOPPED;
    return snp_state_exit(tpl, EFI_SUCCESS);
}

// Looks for the link, at the firmware's priority only while it looks.
static bool has_link(struct snp_device *device)
{
    uint64_t tpl;
    if (efi_failed(snp_state_enter(&device->snp, &tpl)))
        return true; // somebody else has shut the card down meanwhile
    device->mode.media_present = card_link(device->card);
    (void)snp_state_exit(tpl, EFI_SUCCESS);
    return device->mode.media_present;
}

static void wait_for_link(struct snp_device *device)
{
    unsigned looks = device->no_link_before ? 0 : SNP_DEVICE_LINK_US / SNP_DEVICE_LINK_STEP_US;
    bool up = has_link(device);
    for (; !up && looks; looks--) {
        (void)efi_boot->stall(SNP_DEVICE_LINK_STEP_US);
        up = has_link(device);
    }
    device->no_link_before = !up;
}

static efi_status call_initialize(struct efi_snp *snp, uint64_t extra_rx, uint64_t extra_tx)
{
    uint64_t tpl;
    efi_status status = snp_state_enter_any(snp, &tpl);
    if (efi_failed(status))
        return status;
    struct snp_device *device = snp_state_of(snp);
    if (device->mode.state != EFI_SNP_STARTED)
        status = device->mode.state == EFI_SNP_STOPPED ? EFI_NOT_STARTED : EFI_DEVICE_ERROR;
    else if (extra_rx || extra_tx)
        status = EFI_UNSUPPORTED; // the drivers choose, and no caller knows better
    else
        status = open_card(device);
    if (efi_failed(status))
        return snp_state_exit(tpl, status);
    device->mode.state = EFI_SNP_INITIALIZED;
    (void)snp_state_exit(tpl, EFI_SUCCESS);
    wait_for_link(device);
    return EFI_SUCCESS;
}

// Filters and address stay. A card that does not come back is one that was shut down.
static efi_status call_reset(struct efi_snp *snp, bool thorough)
{
    uint64_t tpl;
    efi_status status = snp_state_enter(snp, &tpl);
    if (efi_failed(status))
        return status;
    struct snp_device *device = snp_state_of(snp);
    card_close(device->card);
    device->frame = NULL;
    device->sent_count = 0;
    device->interrupts = 0;
    status = open_card(device);
    if (efi_failed(status)) {
        device->mode.state = EFI_SNP_STARTED;
        snp_state_empty(device);
        return snp_state_exit(tpl, EFI_DEVICE_ERROR);
    }
    return snp_state_exit(tpl, EFI_SUCCESS);
}

static efi_status call_shutdown(struct efi_snp *snp)
{
    uint64_t tpl;
    efi_status status = snp_state_enter(snp, &tpl);
    if (efi_failed(status))
        return status;
    close_card(snp_state_of(snp));
    return snp_state_exit(tpl, EFI_SUCCESS);
}

// None of the cards lets us at its memory.
static efi_status call_nvdata(struct efi_snp *snp, bool read, uint64_t offset, uint64_t size, void *buffer)
{
    uint64_t tpl;
    efi_status status = snp_state_enter(snp, &tpl);
    return efi_failed(status) ? status : snp_state_exit(tpl, EFI_UNSUPPORTED);
}

// Somebody waits for a frame, and the firmware asks whether there is one.
static void look_for_frame(efi_event event, void *context)
{
    struct snp_device *device = context;
    uint64_t tpl;
    if (efi_failed(snp_state_enter(&device->snp, &tpl)))
        return;
    snp_state_fetch(device);
    if (device->frame)
        (void)efi_boot->signal_event(event);
    (void)snp_state_exit(tpl, EFI_SUCCESS);
}

efi_status snp_device_begin(struct snp_device *device, const struct nic_driver *driver, struct card *card, const uint8_t mac[6])
{
    uint32_t filters = EFI_SNP_UNICAST | EFI_SNP_BROADCAST | EFI_SNP_MULTICAST;
    if (driver->ops.promiscuous)
        filters |= EFI_SNP_PROMISCUOUS | EFI_SNP_ALL_MULTICAST;
    *device = (struct snp_device){
        .driver = driver,
        .card = card,
        .mode = { .state = EFI_SNP_STOPPED, .address_size = 6, .header_size = SNP_STATE_HEADER, .packet_max = MTU, .filter_mask = filters,
                  .filter_max = CARD_GROUPS_MAX, .type = 1, .address_changeable = driver->ops.promiscuous != NULL, .multiple_tx = true,
                  .media_present_supported = true, .media_present = true }, // not looked at yet, and nobody shall pass it by
        .snp = { .revision = SNP_REVISION, .start = call_start, .stop = call_stop, .initialize = call_initialize, .reset = call_reset,
                 .shutdown = call_shutdown, .receive_filters = snp_filters_receive, .station_address = snp_filters_address,
                 .statistics = snp_traffic_statistics, .group_to_mac = snp_filters_group, .nvdata = call_nvdata,
                 .get_status = snp_traffic_status, .transmit = snp_traffic_transmit, .receive = snp_traffic_receive },
    };
    device->snp.mode = &device->mode;
    memcpy(device->mode.permanent.bytes, mac, 6);
    memset(device->mode.broadcast.bytes, 0xff, 6);
    device->mode.current = device->mode.permanent;
    snp_state_clear_counts(device);
    return efi_boot->create_event(EFI_EVT_NOTIFY_WAIT, EFI_TPL_NOTIFY, look_for_frame, device, &device->snp.wait_for_packet);
}

void snp_device_end(struct snp_device *device)
{
    (void)efi_boot->close_event(device->snp.wait_for_packet);
    close_card(device);
    device->mode.state = EFI_SNP_STOPPED;
}

void snp_device_leave(struct snp_device *device)
{
    close_card(device);
    device->mode.state = EFI_SNP_STOPPED;
    device->gone = true;
}
