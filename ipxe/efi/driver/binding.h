// SPDX-License-Identifier: MPL-2.0
// The driver by UEFI's driver model (UEFI 2.10, 11.1): takes PCI functions that a native driver knows, and makes of each a handle
// with a device path and the Simple Network Protocol.
//
// EFI_NETWORK_INTERFACE_IDENTIFIER_PROTOCOL is not made: it is for UNDI alone (24.2), and where it is there, firmware tells a DHCP
// server of it.
#pragma once
#include "efi/cards/pci.h"
#include "efi/driver/model.h"
#include "efi/driver/snp_device.h"

#define BINDING_NAME_MAX 80

// One PCI function that is ours.
struct binding_card {
    struct binding_card *next;
    efi_handle controller, child; // child NULL: there is none
    struct pci_io pci;
    struct pci_ops parting_ops; // of the function, at ExitBootServices
    const struct nic_driver *driver;
    void *memory; // the driver's
    struct card *card;
    struct snp_device snp;
    struct efi_device_path *path; // the child's
    efi_event parting;
    uint8_t mac[6];
    uint16_t name[BINDING_NAME_MAX];
};

// The driver is there for the firmware, on the image's handle; an error: nothing is.
efi_status binding_begin(void);
// It lets go of all functions, and goes. An error: somebody does not let go of one, and the driver is still there.
efi_status binding_end(void);

// The function that is ours, NULL: it is not.
struct binding_card *binding_find(efi_handle controller);

// names.c: EFI_COMPONENT_NAME2_PROTOCOL and the older one.
extern struct efi_component_name names_protocol, names_old_protocol;
