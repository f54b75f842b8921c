// SPDX-License-Identifier: MPL-2.0
// See vouch.h. LoadImage asks the Security2 architectural protocol (Platform Initialization specification, volume 2,
// 12.9) whether an image may be used. For the moment of one LoadImage its function is replaced by one that knows the
// kernel's buffer and hands all other questions on. Code that could do this without leave has won already: the
// firmware checked Signet itself by its signature, and Signet checked the kernel by its seal.
#include "efi/boot/vouch.h"

#include "efi/efi.h"

struct security2 {
    efi_status (*authenticate)(const struct security2 *self, const struct efi_device_path *path, void *image, uint64_t size,
                               bool boot_policy);
};
static const struct efi_guid security2_guid = { 0x94ab2f58, 0x1438, 0x4ef1, { 0x91, 0x52, 0x18, 0x94, 0x1a, 0x3a, 0x0e, 0x68 } };
static const struct efi_guid global_guid = { 0x8be4df61, 0x93ca, 0x11d2, { 0xaa, 0x0d, 0x00, 0xe0, 0x98, 0x03, 0x2b, 0x8c } };

static struct security2 *security;
static struct security2 firmware; // its own function while ours stands there
static const void *vouched;
static uint64_t vouched_len;

static efi_status authenticate(const struct security2 *self, const struct efi_device_path *path, void *image, uint64_t size,
                               bool boot_policy)
{
    if (vouched && image == vouched && size == vouched_len)
        return EFI_SUCCESS;
    return firmware.authenticate(self, path, image, size, boot_policy);
}

bool vouch_secure_boot(void)
{
    uint8_t on = 0;
    uint64_t size = sizeof on;
    return !efi_failed(efi_system->runtime->get_variable(u"SecureBoot", &global_guid, NULL, &size, &on)) && on == 1;
}

static struct security2 *find(void)
{
    void *protocol;
    return efi_failed(efi_boot->locate_protocol(&security2_guid, NULL, &protocol)) ? NULL : protocol;
}

bool vouch_wanted(void)
{
    return vouch_secure_boot() && find();
}

bool vouch_begin(const void *image, uint64_t len)
{
    if (!vouch_secure_boot())
        return true;
    security = find();
    if (!security)
        return false;
    firmware = *security;
    vouched = image;
    vouched_len = len;
    security->authenticate = authenticate;
    return true;
}

void vouch_end(void)
{
    if (security)
        *security = firmware;
    security = NULL;
    vouched = NULL;
}
