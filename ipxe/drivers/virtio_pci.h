// SPDX-License-Identifier: MPL-2.0
// A virtio device behind PCI (Virtual I/O Device 1.2, section 4.1): where its registers are, by capabilities or by the fixed
// layout of the legacy interface, and the steps by which it is brought up and reset. Nothing here knows what the device is for.
#pragma once
#include "base/base.h"
#include "drivers/pci.h"
#include "drivers/virtqueue.h"

#define VIRTIO_VENDOR 0x1af4u

// Features of every kind of device (section 6).
#define VIRTIO_VERSION_1 (1ull << 32)
#define VIRTIO_ACCESS_PLATFORM (1ull << 33) // bus addresses, not physical ones: what dma_alloc gives
#define VIRTIO_ORDER_PLATFORM (1ull << 36)  // barriers as for a card that is no program: those of barrier.h

// A piece of the space behind a base address register.
struct virtio_area {
    uint8_t bar;
    uint32_t offset, length;
};

struct virtio_pci {
    const struct pci_function *pci;
    bool legacy; // ports in the layout from before version 1.0
    struct virtio_area common, notify, config;
    uint32_t notify_multiplier;
    uint16_t command; // PCI's command register as it was found
};

// Where a queue is notified.
struct virtio_bell {
    uint8_t bar;
    uint16_t queue;
    uint32_t offset;
};

// Finds the registers; touches nothing but configuration space. `pci` must outlive `v`. ERR_NET_LINK: it has not all
// that is needed.
int virtio_pci_find(struct virtio_pci *v, const struct pci_function *pci);

// Registers answer; and the device may use memory (`master`). It cannot interrupt from here on.
void virtio_pci_enable(const struct virtio_pci *v, bool master);
// The command register as it was found, with bus mastering off when that is asked for.
void virtio_pci_restore(const struct virtio_pci *v, bool no_master);

// Returns when the device has forgotten everything and touches no memory. ERR_NET_LINK: it does not say so in time.
int virtio_pci_reset(const struct virtio_pci *v);
// Resets the device and says that a driver is here. ERR_NET_LINK.
int virtio_pci_begin(const struct virtio_pci *v);
uint64_t virtio_pci_features(const struct virtio_pci *v);
// Takes these of the features. ERR_NET_LINK: the device does not work with them.
int virtio_pci_accept(const struct virtio_pci *v, uint64_t features);
// Queues are set up between virtio_pci_accept and this.
void virtio_pci_run(const struct virtio_pci *v);
// Does it still? Not when others have reset it, it wants to be reset, or it is gone.
bool virtio_pci_runs(const struct virtio_pci *v);

// How many descriptors queue `index` will have: at most `wanted`, a power of two, unless the legacy interface leaves no
// choice. 0: no such queue.
uint16_t virtio_pci_queue_size(const struct virtio_pci *v, uint16_t index, uint16_t wanted);
// Tells the device of a queue whose rings begin at bus address `bus`. ERR_NET_LINK: it has no place for its notifications.
int virtio_pci_queue_start(const struct virtio_pci *v, uint16_t index, uint16_t size, uint64_t bus, struct virtio_bell *ret);
static inline void virtio_pci_notify(const struct virtio_pci *v, const struct virtio_bell *bell)
{
    v->pci->ops->write(v->pci->ctx, bell->bar, bell->offset, 2, bell->queue);
}

// Fields of the device's own configuration; the caller sees to it that they lie within v->config.
uint32_t virtio_pci_config(const struct virtio_pci *v, uint32_t offset, unsigned width);
// Several bytes as they were at one moment.
void virtio_pci_config_bytes(const struct virtio_pci *v, uint32_t offset, uint8_t *ret, unsigned len);
