// SPDX-License-Identifier: MPL-2.0
// See binding.h.
#include "efi/driver/binding.h"

#include "base/bytes.h"
#include "base/fmt.h"
#include "drivers/bind.h"
#include "efi/clock.h"
#include "efi/efi.h"
#include "efi/heap.h"

#define VERSION 0x20 // the firmware's own, edk2's for virtio-net, say 0x10: a driver that somebody adds is meant to be used
#define EFI_2_10 (2u << 16 | 100)
#define PCI_CLASS_REVISION 0x08
#define MAC_NODE_SIZE 37 // UEFI 2.10, 10.3.4.11: 32 bytes of address, and the kind of card behind them
#define IF_TYPE_ETHERNET 1

static const struct efi_guid pci_guid = EFI_PCI_IO_GUID, path_guid = EFI_DEVICE_PATH_GUID, snp_guid = EFI_SIMPLE_NETWORK_GUID,
                             binding_guid = EFI_DRIVER_BINDING_GUID, names_guid = EFI_COMPONENT_NAME2_GUID,
                             names_old_guid = EFI_COMPONENT_NAME_GUID, version_guid = EFI_DRIVER_SUPPORTED_VERSION_GUID;
static struct binding_card *cards;
static bool clock_runs;

struct binding_card *binding_find(efi_handle controller)
{
    struct binding_card *card = cards;
    while (card && card->controller != controller)
        card = card->next;
    return card;
}

// --- device paths ---

static size_t node_size(const struct efi_device_path *node)
{
    return load16_le(node->length);
}

static bool is_end(const struct efi_device_path *node)
{
    return node->type == EFI_PATH_END;
}

// Asks for a child that this driver can have.
static bool is_child(const struct efi_device_path *node)
{
    return !node || (node->type == EFI_PATH_MESSAGING && node->subtype == EFI_PATH_MESSAGING_MAC && node_size(node) == MAC_NODE_SIZE);
}

// The controller's path and the card's address behind it; NULL: the controller has none, or there is no memory.
static struct efi_device_path *path_of(efi_handle controller, const uint8_t mac[6])
{
    const struct efi_device_path *parent = efi_protocol(controller, &path_guid);
    size_t length = 0;
    if (!parent)
        return NULL;
    const uint8_t *at = (const uint8_t *)parent;
    while (!is_end((const void *)(at + length)) && node_size((const void *)(at + length)) >= sizeof *parent)
        length += node_size((const void *)(at + length));
    uint8_t *path = heap_alloc(length + MAC_NODE_SIZE + sizeof *parent);
    if (!path)
        return NULL;
    memcpy(path, parent, length);
    uint8_t *node = path + length;
    memset(node, 0, MAC_NODE_SIZE);
    *(struct efi_device_path *)node = (struct efi_device_path){ EFI_PATH_MESSAGING, EFI_PATH_MESSAGING_MAC, { MAC_NODE_SIZE } };
    memcpy(node + sizeof *parent, mac, 6);
    node[MAC_NODE_SIZE - 1] = IF_TYPE_ETHERNET;
    *(struct efi_device_path *)(node + MAC_NODE_SIZE) = (struct efi_device_path){ EFI_PATH_END, EFI_PATH_END_ALL, { sizeof *parent } };
    return (void *)path;
}

// --- a function and its child ---

static efi_status open_pci(efi_handle controller, efi_handle agent_for, uint32_t how)
{
    void *interface;
    return efi_boot->open_protocol(controller, &pci_guid, &interface, efi_image, agent_for, how);
}

static const struct nic_driver *driver_of(efi_handle controller)
{
    struct efi_pci_io *pci = efi_protocol(controller, &pci_guid);
    uint32_t id, class;
    if (!pci || efi_failed(pci->config_read(pci, EFI_PCI_WIDTH_32, PCI_VENDOR, 1, &id)) ||
        efi_failed(pci->config_read(pci, EFI_PCI_WIDTH_32, PCI_CLASS_REVISION, 1, &class)))
        return NULL;
    return bind_driver((uint16_t)id, (uint16_t)(id >> 16), class >> 8);
}

static void keep_memory(void *ctx, void *memory, size_t len)
{
}

// ExitBootServices: the map of memory is the system's already and may not change; the card may not write any more.
static void part(efi_event event, void *context)
{
    struct binding_card *card = context;
    card->parting_ops = *card->pci.function.ops;
    card->parting_ops.dma_free = keep_memory;
    card->pci.function.ops = &card->parting_ops;
    if (card->child)
        snp_device_leave(&card->snp);
}

static efi_status add_child(struct binding_card *card)
{
    efi_handle child = NULL;
    efi_status status = EFI_OUT_OF_RESOURCES;
    card->path = path_of(card->controller, card->mac);
    if (!card->path)
        return status;
    status = snp_device_begin(&card->snp, card->driver, card->card, card->mac);
    if (efi_failed(status))
        goto free_path;
    status = efi_boot->install_protocol(&child, &path_guid, EFI_NATIVE_INTERFACE, card->path);
    if (efi_failed(status))
        goto end_device;
    status = efi_boot->install_protocol(&child, &snp_guid, EFI_NATIVE_INTERFACE, &card->snp.snp);
    if (efi_failed(status))
        goto remove_path;
    status = open_pci(card->controller, child, EFI_OPEN_BY_CHILD);
    if (efi_failed(status))
        goto remove_snp;
    card->child = child;
    return EFI_SUCCESS;

remove_snp:
    (void)efi_boot->uninstall_protocol(child, &snp_guid, &card->snp.snp);
remove_path:
    (void)efi_boot->uninstall_protocol(child, &path_guid, card->path);
end_device:
    snp_device_end(&card->snp);
free_path:
    heap_free(card->path);
    card->path = NULL;
    return status;
}

// In the order of UEFI 2.10, 11.1, Stop(). EFI_DEVICE_ERROR: somebody does not let go of it, and it is still there.
static efi_status remove_child(struct binding_card *card)
{
    (void)efi_boot->close_protocol(card->controller, &pci_guid, efi_image, card->child);
    if (efi_failed(efi_boot->uninstall_protocol(card->child, &snp_guid, &card->snp.snp))) {
        (void)open_pci(card->controller, card->child, EFI_OPEN_BY_CHILD);
        return EFI_DEVICE_ERROR;
    }
    snp_device_end(&card->snp);
    // A path that stays on a handle stays in memory.
    if (!efi_failed(efi_boot->uninstall_protocol(card->child, &path_guid, card->path)))
        heap_free(card->path);
    card->path = NULL;
    card->child = NULL;
    return EFI_SUCCESS;
}

static void name_card(struct binding_card *card)
{
    char text[BINDING_NAME_MAX];
    fmt_snprintf(text, sizeof text, "Signet %s (%s)", card->card->info.driver, card->card->info.chip);
    for (unsigned i = 0; i < BINDING_NAME_MAX; i++) {
        card->name[i] = (uint8_t)text[i];
        if (!text[i])
            break;
    }
}

// What the function needs beside its child, after PCI I/O was opened. An error: nothing is left.
static efi_status take(struct binding_card *card)
{
    efi_status status = EFI_DEVICE_ERROR;
    if (pci_open(&card->pci, card->controller) != 0)
        return status;
    card->driver = driver_of(card->controller);
    if (!card->driver || card->driver->probe(&card->pci.function, card->mac) != 0)
        goto close;
    status = EFI_OUT_OF_RESOURCES;
    card->memory = heap_alloc(card->driver->size);
    if (!card->memory)
        goto close;
    card->card = bind_card(card->driver, &card->pci.function, card->memory);
    name_card(card);
    status = efi_boot->create_event(EFI_EVT_EXIT_BOOT_SERVICES, EFI_TPL_NOTIFY, part, card, &card->parting);
    if (!efi_failed(status))
        return EFI_SUCCESS;
    heap_free(card->memory);
close:
    pci_close(&card->pci);
    return status;
}

// A function without a child.
static void let_go(struct binding_card *card)
{
    struct binding_card **at = &cards;
    while (*at && *at != card)
        at = &(*at)->next;
    if (*at)
        *at = card->next;
    (void)efi_boot->close_event(card->parting);
    heap_free(card->memory);
    pci_close(&card->pci);
    (void)efi_boot->close_protocol(card->controller, &pci_guid, efi_image, card->controller);
    heap_free(card);
}

// --- EFI_DRIVER_BINDING_PROTOCOL ---

static efi_status supported(struct efi_driver_binding *self, efi_handle controller, struct efi_device_path *remaining)
{
    struct binding_card *card = binding_find(controller);
    bool child = !remaining || !is_end(remaining);
    if (child && !is_child(remaining))
        return EFI_UNSUPPORTED;
    if (card)
        return child && !card->child ? EFI_SUCCESS : EFI_ALREADY_STARTED;
    efi_status status = open_pci(controller, controller, EFI_OPEN_BY_DRIVER);
    if (efi_failed(status))
        return status;
    const struct nic_driver *driver = driver_of(controller);
    (void)efi_boot->close_protocol(controller, &pci_guid, efi_image, controller);
    return driver ? EFI_SUCCESS : EFI_UNSUPPORTED;
}

static efi_status new_card(efi_handle controller, struct binding_card **ret)
{
    efi_status status = open_pci(controller, controller, EFI_OPEN_BY_DRIVER);
    if (efi_failed(status))
        return status;
    if (!clock_runs)
        clock_init();
    clock_runs = true;
    struct binding_card *card = heap_alloc(sizeof *card);
    status = EFI_OUT_OF_RESOURCES;
    if (card) {
        *card = (struct binding_card){ .next = cards, .controller = controller };
        status = take(card);
    }
    if (efi_failed(status)) {
        heap_free(card);
        (void)efi_boot->close_protocol(controller, &pci_guid, efi_image, controller);
        return status;
    }
    *ret = cards = card;
    return EFI_SUCCESS;
}

static efi_status start(struct efi_driver_binding *self, efi_handle controller, struct efi_device_path *remaining)
{
    struct binding_card *card = binding_find(controller);
    bool ours = card != NULL;
    efi_status status = ours ? EFI_SUCCESS : new_card(controller, &card);
    if (efi_failed(status) || (remaining && is_end(remaining)))
        return status;
    if (card->child)
        status = EFI_ALREADY_STARTED;
    else if (!is_child(remaining) || (remaining && memcmp(remaining + 1, card->mac, sizeof card->mac) != 0))
        status = EFI_UNSUPPORTED;
    else
        status = add_child(card);
    if (efi_failed(status) && !ours)
        let_go(card);
    return status;
}

static efi_status stop(struct efi_driver_binding *self, efi_handle controller, uint64_t count, efi_handle *children)
{
    struct binding_card *card = binding_find(controller);
    if (!card)
        return EFI_DEVICE_ERROR;
    for (uint64_t i = 0; i < count; i++)
        if (!card->child || children[i] != card->child || efi_failed(remove_child(card)))
            return EFI_DEVICE_ERROR;
    if (count)
        return EFI_SUCCESS;
    if (card->child && efi_failed(remove_child(card)))
        return EFI_DEVICE_ERROR;
    let_go(card);
    return EFI_SUCCESS;
}

// --- the driver as a whole ---

static struct efi_driver_binding binding = { supported, start, stop, VERSION, NULL, NULL };
static struct efi_driver_supported_version version = { sizeof version, EFI_2_10 };
static const struct {
    const struct efi_guid *guid;
    void *interface;
} protocols[] = {
    { &version_guid, &version },
    { &names_old_guid, &names_old_protocol },
    { &names_guid, &names_protocol },
    { &binding_guid, &binding },
};

static efi_status remove_protocols(unsigned count)
{
    while (count--) {
        efi_status status = efi_boot->uninstall_protocol(efi_image, protocols[count].guid, protocols[count].interface);
        if (efi_failed(status))
            return status;
    }
    return EFI_SUCCESS;
}

efi_status binding_begin(void)
{
    binding.image = binding.handle = efi_image;
    for (unsigned i = 0; i < ARRAY_SIZE(protocols); i++) {
        efi_status status = efi_boot->install_protocol(&efi_image, protocols[i].guid, EFI_NATIVE_INTERFACE, protocols[i].interface);
        if (efi_failed(status)) {
            (void)remove_protocols(i);
            return status;
        }
    }
    return EFI_SUCCESS;
}

efi_status binding_end(void)
{
    while (cards) {
        struct binding_card *first = cards;
        efi_status status = efi_boot->disconnect(first->controller, efi_image, NULL);
        if (efi_failed(status))
            return status;
        if (cards == first)
            return EFI_DEVICE_ERROR; // the firmware says that it is done, and has not asked us to stop
    }
    return remove_protocols(ARRAY_SIZE(protocols));
}
