// SPDX-License-Identifier: MPL-2.0
// vouch.c over a firmware of its own, whose check refuses everything: what is let in, Signet has let in.
#include "efi/boot/vouch.c"
#include "base/test.h"
#include "efi/testefi.h"

static uint8_t secure_boot; // the variable; 0xff: there is none
static bool has_protocol;
static unsigned asked;
static const uint8_t image[64];
static struct efi_device_path path;

static efi_status refuse(const struct security2 *self, const struct efi_device_path *from, void *data, uint64_t size, bool policy)
{
    asked++;
    return EFI_ACCESS_DENIED;
}
static struct security2 protocol;

static efi_status get_variable(const uint16_t *name, const struct efi_guid *vendor, uint32_t *attributes, uint64_t *size, void *data)
{
    if (secure_boot == 0xff)
        return EFI_NOT_FOUND;
    *(uint8_t *)data = secure_boot;
    return EFI_SUCCESS;
}

static efi_status locate_protocol(const struct efi_guid *guid, void *registration, void **ret)
{
    *ret = &protocol;
    return has_protocol ? EFI_SUCCESS : EFI_NOT_FOUND;
}

static void start(uint8_t variable, bool with_protocol)
{
    runtime.get_variable = get_variable;
    services.locate_protocol = locate_protocol;
    protocol.authenticate = refuse;
    secure_boot = variable;
    has_protocol = with_protocol;
    asked = 0;
}

// What LoadImage asks.
static efi_status ask(const void *data, uint64_t size)
{
    return protocol.authenticate(&protocol, &path, (void *)data, size, false);
}

TEST(only_the_verified_bytes_at_their_place)
{
    start(1, true);
    CHECK(vouch_secure_boot(), vouch_begin(image, sizeof image));
    CHECK_EQ(ask(image, sizeof image), EFI_SUCCESS);
    CHECK_EQ(asked, 0);
    uint8_t copy[sizeof image] = { 0 };
    CHECK_EQ(ask(copy, sizeof copy), EFI_ACCESS_DENIED);
    CHECK_EQ(ask(image, sizeof image - 1), EFI_ACCESS_DENIED);
    CHECK_EQ(ask(image, sizeof image + 1), EFI_ACCESS_DENIED);
    CHECK_EQ(ask(image + 1, sizeof image - 1), EFI_ACCESS_DENIED);
    CHECK_EQ(ask(NULL, 0), EFI_ACCESS_DENIED);
    CHECK_EQ(asked, 5);
    vouch_end();
}

TEST(for_the_moment_of_one_load_image)
{
    start(1, true);
    CHECK(vouch_begin(image, sizeof image));
    CHECK(protocol.authenticate != refuse);
    vouch_end();
    CHECK(protocol.authenticate == refuse);
    CHECK_EQ(ask(image, sizeof image), EFI_ACCESS_DENIED);
    vouch_end(); // once more does no harm
    CHECK(protocol.authenticate == refuse);
}

TEST(without_secure_boot_nothing_is_replaced)
{
    for (unsigned i = 0; i < 2; i++) {
        start(i ? 0xff : 0, true);
        CHECK(!vouch_secure_boot(), vouch_begin(image, sizeof image));
        CHECK(protocol.authenticate == refuse);
        vouch_end();
        CHECK(protocol.authenticate == refuse);
    }
}

TEST(without_the_protocol_the_firmware_decides_alone)
{
    start(1, false);
    CHECK(!vouch_begin(image, sizeof image));
    CHECK(protocol.authenticate == refuse);
    vouch_end();
}

TEST_MAIN(T(only_the_verified_bytes_at_their_place), T(for_the_moment_of_one_load_image),
          T(without_secure_boot_nothing_is_replaced), T(without_the_protocol_the_firmware_decides_alone))
