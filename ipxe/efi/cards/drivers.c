// SPDX-License-Identifier: MPL-2.0
// See drivers.h.
#include "efi/cards/drivers.h"

#include "efi/efi.h"

#define PCI_ID 0x00
#define PCI_CLASS 0x08

static const struct efi_guid pci_guid = EFI_PCI_IO_GUID, path_guid = EFI_DEVICE_PATH_GUID;

static uint32_t pci_read(struct efi_pci_io *pci, uint32_t offset)
{
    uint32_t value;
    return efi_failed(pci->config_read(pci, EFI_PCI_WIDTH_32, offset, 1, &value)) ? 0 : value;
}

// "Already connected" is an error, too, so that the status says nothing.
static void connect(efi_handle handle)
{
    (void)efi_boot->connect(handle, NULL, NULL, true);
}

void drivers_connect(bool (*wanted)(efi_handle device, uint32_t class), const struct efi_guid *protocol)
{
    efi_handle *handles;
    unsigned n = efi_handles(&pci_guid, &handles);
    for (unsigned i = 0; i < n; i++)
        if (wanted(handles[i], drivers_pci_class(handles[i])))
            connect(handles[i]);
    if (n)
        (void)efi_boot->free_pool(handles);
    if (!protocol)
        return;
    n = efi_handles(protocol, &handles);
    if (n) {
        (void)efi_boot->free_pool(handles);
        return;
    }
    n = efi_handles(NULL, &handles);
    for (unsigned i = 0; i < n; i++)
        connect(handles[i]);
    if (n)
        (void)efi_boot->free_pool(handles);
}

efi_handle drivers_pci(efi_handle handle)
{
    struct efi_device_path *path = efi_protocol(handle, &path_guid);
    efi_handle device;
    return !path || efi_failed(efi_boot->locate_device_path(&pci_guid, &path, &device)) ? NULL : device;
}

uint32_t drivers_pci_id(efi_handle handle)
{
    struct efi_pci_io *pci = efi_protocol(drivers_pci(handle), &pci_guid);
    return pci ? pci_read(pci, PCI_ID) : 0;
}

uint32_t drivers_pci_class(efi_handle device)
{
    struct efi_pci_io *pci = efi_protocol(device, &pci_guid);
    return pci ? pci_read(pci, PCI_CLASS) >> 8 : 0;
}
