// SPDX-License-Identifier: MPL-2.0
// See snp_device.h. What comes in, and under which address.
#include "efi/driver/snp_device.h"

#include "base/bytes.h"

#define IPV4_GROUPS 0xe0 // the first byte of a group's address, of which the upper four bits count (RFC 1112)
#define IPV6_GROUPS 0xff // RFC 4291, 2.7

// What is held is from before the filters were set.
static void drop_unwanted(struct snp_device *device)
{
    if (device->frame && !snp_state_wants(device, device->frame))
        device->frame = NULL;
}

static bool are_groups(const struct efi_mac *groups, uint64_t count)
{
    for (uint64_t i = 0; i < count; i++)
        if (!(groups[i].bytes[0] & 1))
            return false;
    return true;
}

efi_status snp_filters_receive(struct efi_snp *snp, uint32_t enable, uint32_t disable, bool reset, uint64_t count, struct efi_mac *groups)
{
    uint64_t tpl;
    efi_status status = snp_state_enter(snp, &tpl);
    if (efi_failed(status))
        return status;
    struct snp_device *device = snp_state_of(snp);
    struct efi_snp_mode *mode = &device->mode;
    bool listed = enable & EFI_SNP_MULTICAST && !(disable & EFI_SNP_MULTICAST) && !reset;
    if ((enable | disable) & ~mode->filter_mask ||
        (listed && (count == 0 || count > mode->filter_max || !groups || !are_groups(groups, count))))
        return snp_state_exit(tpl, EFI_INVALID_PARAMETER);
    struct efi_snp_mode before = *mode;
    mode->filter_setting = (mode->filter_setting | enable) & ~disable;
    if (reset)
        mode->filter_setting &= ~(uint32_t)EFI_SNP_MULTICAST;
    if (!(mode->filter_setting & EFI_SNP_MULTICAST))
        mode->filter_count = 0;
    if (listed) {
        memcpy(mode->filters, groups, count * sizeof *groups);
        mode->filter_count = (uint32_t)count;
    }
    if (snp_state_tell(device) != 0) {
        *mode = before;
        return snp_state_exit(tpl, EFI_DEVICE_ERROR);
    }
    drop_unwanted(device);
    return snp_state_exit(tpl, EFI_SUCCESS);
}

efi_status snp_filters_address(struct efi_snp *snp, bool reset, struct efi_mac *mac)
{
    uint64_t tpl;
    efi_status status = snp_state_enter(snp, &tpl);
    if (efi_failed(status))
        return status;
    struct snp_device *device = snp_state_of(snp);
    struct efi_snp_mode *mode = &device->mode;
    const struct efi_mac *wanted = reset ? &mode->permanent : mac;
    if (!wanted || wanted->bytes[0] & 1 || all_zero(wanted->bytes, 6))
        return snp_state_exit(tpl, EFI_INVALID_PARAMETER);
    if (!mode->address_changeable && memcmp(wanted->bytes, mode->permanent.bytes, 6) != 0)
        return snp_state_exit(tpl, EFI_UNSUPPORTED);
    struct efi_mac before = mode->current;
    mode->current = (struct efi_mac){ 0 };
    memcpy(mode->current.bytes, wanted->bytes, 6);
    if (snp_state_tell(device) != 0) {
        mode->current = before;
        return snp_state_exit(tpl, EFI_DEVICE_ERROR);
    }
    drop_unwanted(device);
    return snp_state_exit(tpl, EFI_SUCCESS);
}

// RFC 1112, 6.4 and RFC 2464, 7.
efi_status snp_filters_group(struct efi_snp *snp, bool ipv6, const uint8_t *ip, struct efi_mac *ret)
{
    uint64_t tpl;
    efi_status status = snp_state_enter(snp, &tpl);
    if (efi_failed(status))
        return status;
    if (!ip || !ret || (ipv6 ? ip[0] != IPV6_GROUPS : (ip[0] & 0xf0) != IPV4_GROUPS))
        return snp_state_exit(tpl, EFI_INVALID_PARAMETER);
    struct efi_mac mac = { { 0x01, 0x00, 0x5e, ip[1] & 0x7f, ip[2], ip[3] } };
    if (ipv6)
        mac = (struct efi_mac){ { 0x33, 0x33, ip[12], ip[13], ip[14], ip[15] } };
    *ret = mac;
    return snp_state_exit(tpl, EFI_SUCCESS);
}
