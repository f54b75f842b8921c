// SPDX-License-Identifier: MPL-2.0
// See virtqueue.h.
#include "drivers/virtqueue.h"

// Of a feature that is not used here, behind either ring (sections 2.7.6 and 2.7.8); the legacy interface counts them.
#define EVENT_BYTES 2u

static size_t page_up(size_t n)
{
    return (n + VIRTQUEUE_PAGE - 1) & ~(size_t)(VIRTQUEUE_PAGE - 1);
}

size_t virtqueue_available_at(uint16_t size)
{
    return size * sizeof(struct vring_descriptor);
}

size_t virtqueue_used_at(uint16_t size)
{
    return page_up(virtqueue_available_at(size) + sizeof(struct vring_available) + size * sizeof(uint16_t) + EVENT_BYTES);
}

size_t virtqueue_bytes(uint16_t size)
{
    return virtqueue_used_at(size) + page_up(sizeof(struct vring_used) + size * sizeof(struct vring_used_entry) + EVENT_BYTES);
}

void virtqueue_init(struct virtqueue *q, void *memory, uint16_t size)
{
    uint8_t *bytes = memory;
    *q = (struct virtqueue){ .descriptors = (void *)bytes, .available = (void *)(bytes + virtqueue_available_at(size)),
                             .used = (void *)(bytes + virtqueue_used_at(size)), .size = size, .mask = (uint16_t)(size - 1) };
    q->available->flags = VRING_NO_INTERRUPT;
}
