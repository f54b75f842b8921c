// SPDX-License-Identifier: MPL-2.0
// drivers.c over a made-up firmware: PCI devices whose drivers bring up a protocol when they are connected.
#include "efi/cards/drivers.c"
#include "base/test.h"
#include "efi/testefi.h"

#define DEVICES 5

static const struct efi_guid block_guid = EFI_BLOCK_IO_GUID;
static struct device {
    struct efi_pci_io pci; // first: calls get its address
    uint32_t class;
    bool gives; // its driver brings up the protocol
    unsigned connected;
} devices[DEVICES];

static efi_status fake_read(struct efi_pci_io *self, int width, uint32_t offset, uint64_t count, void *ret)
{
    struct device *d = (void *)self;
    if (offset != PCI_CLASS || count != 1)
        return EFI_UNSUPPORTED;
    uint32_t value = d->class << 8 | 0x42; // and the revision
    memcpy(ret, &value, sizeof value);
    return EFI_SUCCESS;
}

static efi_status fake_connect(efi_handle handle, efi_handle *drivers, struct efi_device_path *remaining, bool recursive)
{
    struct device *d = handle;
    if (recursive && d->connected++ == 0 && d->gives)
        testefi_install(d, &block_guid, d);
    return EFI_NOT_FOUND; // nothing was to be done, or something was
}

static bool storage(efi_handle device, uint32_t class)
{
    return class >> 16 == 0x01;
}

// NVMe, network card, SATA, and two that are not on PCI.
static void set_up(bool on_pci)
{
    static const uint32_t classes[DEVICES] = { 0x010802, 0x020000, 0x010601 };
    testefi_start();
    for (unsigned i = 0; i < DEVICES; i++) {
        struct device *d = &devices[i];
        *d = (struct device){ .pci.config_read = fake_read, .class = classes[i], .gives = storage(NULL, classes[i]) };
        testefi_install(d, on_pci && i < 3 ? &pci_guid : NULL, &d->pci);
    }
    services.connect = fake_connect;
}

static unsigned connections(void)
{
    unsigned total = 0;
    for (unsigned i = 0; i < DEVICES; i++)
        total += devices[i].connected;
    return total;
}

TEST(wakes_only_what_is_wanted)
{
    set_up(true);
    drivers_connect(storage, &block_guid);
    CHECK(devices[0].connected == 1, devices[2].connected == 1);
    CHECK_EQ(connections(), 2);
}

TEST(wakes_everything_where_nothing_is_on_pci)
{
    set_up(false);
    drivers_connect(storage, &block_guid);
    CHECK_EQ(connections(), DEVICES);
}

TEST(wakes_everything_when_the_wanted_give_nothing)
{
    set_up(true);
    devices[0].gives = devices[2].gives = false;
    drivers_connect(storage, &block_guid);
    CHECK_EQ(connections(), DEVICES + 2);
}

TEST_MAIN(T(wakes_only_what_is_wanted), T(wakes_everything_where_nothing_is_on_pci), T(wakes_everything_when_the_wanted_give_nothing))
