// SPDX-License-Identifier: MPL-2.0
// See virtio_pci.h.
#include "drivers/virtio_pci.h"

#include "base/range.h"
#include "drivers/nic.h"

// A virtio capability (section 4.1.4) and the kinds of it that are used here.
enum { CAP_NEXT = 1, CAP_LENGTH = 2, CAP_TYPE = 3, CAP_BAR = 4, CAP_OFFSET = 8, CAP_AREA_LENGTH = 12, CAP_MULTIPLIER = 16 };
enum { CAP_SIZE = 16, CAP_NOTIFY_SIZE = 20 };
enum { TYPE_COMMON = 1, TYPE_NOTIFY = 2, TYPE_DEVICE = 4 };
#define CAP_VENDOR 0x09u
#define CAP_MSIX 0x11u
#define MSIX_ENABLED 0x8000u // in the 16 bits at offset 2
#define CAPS_FROM 0x40u
#define CAPS_MAX 48u // as many as there is room for: a list that is longer goes in circles

// The common configuration (section 4.1.4.3).
enum {
    DEVICE_FEATURE_SELECT = 0x00,
    DEVICE_FEATURE = 0x04,
    DRIVER_FEATURE_SELECT = 0x08,
    DRIVER_FEATURE = 0x0c,
    DEVICE_STATUS = 0x14,
    CONFIG_GENERATION = 0x15,
    QUEUE_SELECT = 0x16,
    QUEUE_SIZE = 0x18,
    QUEUE_ENABLE = 0x1c,
    QUEUE_NOTIFY_OFF = 0x1e,
    QUEUE_DESCRIPTORS = 0x20,
    QUEUE_AVAILABLE = 0x28,
    QUEUE_USED = 0x30,
    COMMON_SIZE = 0x38,
};
// The legacy interface (section 4.1.4.10): ports of base address register 0.
enum {
    LEGACY_DEVICE_FEATURES = 0x00,
    LEGACY_DRIVER_FEATURES = 0x04,
    LEGACY_QUEUE_PAGE = 0x08,
    LEGACY_QUEUE_SIZE = 0x0c,
    LEGACY_QUEUE_SELECT = 0x0e,
    LEGACY_QUEUE_NOTIFY = 0x10,
    LEGACY_STATUS = 0x12,
    LEGACY_CONFIG = 0x14,
    LEGACY_CONFIG_MSIX = 0x18, // two vectors lie in front of it
};
#define LEGACY_DEVICE_LAST 0x103fu // of the transitional devices
#define LEGACY_CONFIG_SIZE 64u     // at least, for the fields of today
#define PCI_BAR0 0x10

enum { STATUS_ACKNOWLEDGE = 1, STATUS_DRIVER = 2, STATUS_DRIVER_OK = 4, STATUS_FEATURES_OK = 8, STATUS_NEEDS_RESET = 64 };

#define CONFIG_TRIES 4 // reads of a configuration that changes under them

static uint32_t pci_config(const struct virtio_pci *v, uint32_t offset, unsigned width)
{
    return v->pci->ops->config_read(v->pci->ctx, offset, width);
}
static uint32_t get(const struct virtio_pci *v, uint32_t offset, unsigned width)
{
    return v->pci->ops->read(v->pci->ctx, v->common.bar, v->common.offset + offset, width);
}
static void put(const struct virtio_pci *v, uint32_t offset, unsigned width, uint32_t value)
{
    v->pci->ops->write(v->pci->ctx, v->common.bar, v->common.offset + offset, width, value);
}
// In two halves, as the specification allows (section 4.1.3.1).
static void put64(const struct virtio_pci *v, uint32_t offset, uint64_t value)
{
    put(v, offset, 4, (uint32_t)value);
    put(v, offset + 4, 4, (uint32_t)(value >> 32));
}

// Takes a virtio capability at `at` into account: the first usable one of each kind counts (section 4.1.4).
static void note_area(struct virtio_pci *v, uint32_t at)
{
    uint8_t type = (uint8_t)pci_config(v, at + CAP_TYPE, 1);
    struct virtio_area *area = type == TYPE_COMMON   ? &v->common
                               : type == TYPE_NOTIFY ? &v->notify
                               : type == TYPE_DEVICE ? &v->config
                                                     : NULL;
    uint8_t need = type == TYPE_NOTIFY ? CAP_NOTIFY_SIZE : CAP_SIZE;
    if (!area || area->length || pci_config(v, at + CAP_LENGTH, 1) < need || at > 0x100u - need)
        return;
    struct virtio_area found = { (uint8_t)pci_config(v, at + CAP_BAR, 1), pci_config(v, at + CAP_OFFSET, 4),
                                 pci_config(v, at + CAP_AREA_LENGTH, 4) };
    if (found.bar >= PCI_BARS || !range_fits(found.offset, found.length, UINT32_MAX))
        return;
    *area = found;
    if (type == TYPE_NOTIFY)
        v->notify_multiplier = pci_config(v, at + CAP_MULTIPLIER, 4);
}

int virtio_pci_find(struct virtio_pci *v, const struct pci_function *pci)
{
    *v = (struct virtio_pci){ .pci = pci };
    v->command = (uint16_t)pci_config(v, PCI_COMMAND, 2);
    bool msix = false;
    if (pci_config(v, PCI_STATUS, 2) & PCI_STATUS_CAPABILITIES) {
        uint32_t at = pci_config(v, PCI_CAPABILITIES, 1) & ~3u;
        for (unsigned n = 0; at >= CAPS_FROM && n < CAPS_MAX; n++) {
            uint8_t id = (uint8_t)pci_config(v, at, 1);
            if (id == CAP_VENDOR)
                note_area(v, at);
            if (id == CAP_MSIX)
                msix = pci_config(v, at + 2, 2) & MSIX_ENABLED;
            at = pci_config(v, at + CAP_NEXT, 1) & ~3u;
        }
    }
    if (v->common.length >= COMMON_SIZE && v->notify.length && v->config.length)
        return 0;
    if (pci->device > LEGACY_DEVICE_LAST || !(pci_config(v, PCI_BAR0, 4) & 1))
        return ERR_NET_LINK;
    v->legacy = true;
    v->common = (struct virtio_area){ 0, 0, COMMON_SIZE };
    v->config = (struct virtio_area){ 0, msix ? LEGACY_CONFIG_MSIX : LEGACY_CONFIG, LEGACY_CONFIG_SIZE };
    return 0;
}

void virtio_pci_enable(const struct virtio_pci *v, bool master)
{
    uint32_t command = v->command | PCI_COMMAND_IO | PCI_COMMAND_MEMORY | PCI_COMMAND_NO_INTX;
    v->pci->ops->config_write(v->pci->ctx, PCI_COMMAND, 2, command | (master ? PCI_COMMAND_MASTER : 0));
}

void virtio_pci_restore(const struct virtio_pci *v, bool no_master)
{
    v->pci->ops->config_write(v->pci->ctx, PCI_COMMAND, 2, v->command & ~(no_master ? PCI_COMMAND_MASTER : 0));
}

static uint32_t status_at(const struct virtio_pci *v)
{
    return v->legacy ? LEGACY_STATUS : DEVICE_STATUS;
}

int virtio_pci_reset(const struct virtio_pci *v)
{
    put(v, status_at(v), 1, 0);
    uint64_t end = v->pci->ops->now_us(v->pci->ctx) + NIC_WAIT_US;
    while (get(v, status_at(v), 1) != 0)
        if (v->pci->ops->now_us(v->pci->ctx) > end)
            return ERR_NET_LINK;
    return 0;
}

// This and what follows are the steps of section 3.1.1.
int virtio_pci_begin(const struct virtio_pci *v)
{
    int err = virtio_pci_reset(v);
    if (err)
        return err;
    put(v, status_at(v), 1, STATUS_ACKNOWLEDGE);
    put(v, status_at(v), 1, STATUS_ACKNOWLEDGE | STATUS_DRIVER);
    return 0;
}

uint64_t virtio_pci_features(const struct virtio_pci *v)
{
    if (v->legacy)
        return get(v, LEGACY_DEVICE_FEATURES, 4);
    put(v, DEVICE_FEATURE_SELECT, 4, 0);
    uint64_t features = get(v, DEVICE_FEATURE, 4);
    put(v, DEVICE_FEATURE_SELECT, 4, 1);
    return features | (uint64_t)get(v, DEVICE_FEATURE, 4) << 32;
}

int virtio_pci_accept(const struct virtio_pci *v, uint64_t features)
{
    if (v->legacy) {
        put(v, LEGACY_DRIVER_FEATURES, 4, (uint32_t)features);
        return 0;
    }
    for (unsigned half = 0; half < 2; half++) {
        put(v, DRIVER_FEATURE_SELECT, 4, half);
        put(v, DRIVER_FEATURE, 4, (uint32_t)(features >> 32 * half));
    }
    put(v, DEVICE_STATUS, 1, STATUS_ACKNOWLEDGE | STATUS_DRIVER | STATUS_FEATURES_OK);
    return get(v, DEVICE_STATUS, 1) & STATUS_FEATURES_OK ? 0 : ERR_NET_LINK;
}

void virtio_pci_run(const struct virtio_pci *v)
{
    uint32_t before = STATUS_ACKNOWLEDGE | STATUS_DRIVER | (v->legacy ? 0 : STATUS_FEATURES_OK);
    put(v, status_at(v), 1, before | STATUS_DRIVER_OK);
}

bool virtio_pci_runs(const struct virtio_pci *v)
{
    return (get(v, status_at(v), 1) & (STATUS_DRIVER_OK | STATUS_NEEDS_RESET)) == STATUS_DRIVER_OK; // all ones when it is gone
}

uint16_t virtio_pci_queue_size(const struct virtio_pci *v, uint16_t index, uint16_t wanted)
{
    put(v, v->legacy ? LEGACY_QUEUE_SELECT : QUEUE_SELECT, 2, index);
    uint16_t size = (uint16_t)get(v, v->legacy ? LEGACY_QUEUE_SIZE : QUEUE_SIZE, 2);
    if (!is_power_of_two(size))
        return 0; // or one that no device may have
    return v->legacy ? size : MIN(size, wanted);
}

int virtio_pci_queue_start(const struct virtio_pci *v, uint16_t index, uint16_t size, uint64_t bus, struct virtio_bell *ret)
{
    if (v->legacy) {
        put(v, LEGACY_QUEUE_SELECT, 2, index);
        put(v, LEGACY_QUEUE_PAGE, 4, (uint32_t)(bus / VIRTQUEUE_PAGE));
        *ret = (struct virtio_bell){ 0, index, LEGACY_QUEUE_NOTIFY };
        return 0;
    }
    put(v, QUEUE_SELECT, 2, index);
    uint64_t at = (uint64_t)get(v, QUEUE_NOTIFY_OFF, 2) * v->notify_multiplier;
    if (!range_fits(at, sizeof(uint16_t), v->notify.length))
        return ERR_NET_LINK;
    put(v, QUEUE_SIZE, 2, size);
    put64(v, QUEUE_DESCRIPTORS, bus);
    put64(v, QUEUE_AVAILABLE, bus + virtqueue_available_at(size));
    put64(v, QUEUE_USED, bus + virtqueue_used_at(size));
    put(v, QUEUE_ENABLE, 2, 1);
    *ret = (struct virtio_bell){ v->notify.bar, index, v->notify.offset + (uint32_t)at };
    return 0;
}

uint32_t virtio_pci_config(const struct virtio_pci *v, uint32_t offset, unsigned width)
{
    return v->pci->ops->read(v->pci->ctx, v->config.bar, v->config.offset + offset, width);
}

void virtio_pci_config_bytes(const struct virtio_pci *v, uint32_t offset, uint8_t *ret, unsigned len)
{
    for (unsigned tries = 0; tries < CONFIG_TRIES; tries++) {
        uint32_t generation = v->legacy ? 0 : get(v, CONFIG_GENERATION, 1);
        for (unsigned i = 0; i < len; i++)
            ret[i] = (uint8_t)virtio_pci_config(v, offset + i, 1);
        if (v->legacy || get(v, CONFIG_GENERATION, 1) == generation)
            return;
    }
}
