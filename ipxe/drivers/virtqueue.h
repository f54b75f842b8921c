// SPDX-License-Identifier: MPL-2.0
// A split virtqueue (Virtual I/O Device 1.2, section 2.7): descriptors, which name buffers; the available ring, by which the
// driver hands them to the device; the used ring, by which it gets them back. Memory only, no register. What the device
// writes is checked here for the ring's own sake; the id and the length of an entry are the caller's to check.
#pragma once
#include "base/base.h"
#include "drivers/barrier.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "rings are little-endian, and read as they are");

#define VIRTQUEUE_MAX 32768u // descriptors

enum { VRING_NEXT = 1, VRING_DEVICE_WRITES = 2 }; // flags of a descriptor
enum { VRING_NO_INTERRUPT = 1 };                  // of the available ring
enum { VRING_NO_NOTIFY = 1 };                     // of the used ring

struct vring_descriptor {
    uint64_t address; // as the device sees it
    uint32_t length;
    uint16_t flags;
    uint16_t next;
};
struct vring_available {
    uint16_t flags;
    uint16_t index; // of the entry after the last one; counts on and on, modulo 65536
    uint16_t ring[];
};
struct vring_used_entry {
    uint32_t id;     // the first descriptor of the buffer
    uint32_t length; // bytes that the device wrote into it
};
struct vring_used {
    uint16_t flags;
    uint16_t index;
    struct vring_used_entry ring[];
};
_Static_assert(sizeof(struct vring_descriptor) == 16 && sizeof(struct vring_used_entry) == 8, "sections 2.7.5 and 2.7.8");

struct virtqueue {
    volatile struct vring_descriptor *descriptors;
    volatile struct vring_available *available;
    const volatile struct vring_used *used;
    uint16_t size;    // a power of two
    uint16_t mask;    // less one
    uint16_t offered; // the available ring's index; the device has been told of it by virtqueue_publish
    uint16_t taken;   // entries of the used ring that were taken
    uint16_t known;   // its index as it was read last
};

// Where the rings lie in the memory given to virtqueue_init. One layout for both interfaces: the used ring has a page of its
// own, as the legacy one wants it (section 2.7.2).
#define VIRTQUEUE_PAGE 4096u
size_t virtqueue_available_at(uint16_t size);
size_t virtqueue_used_at(uint16_t size);
size_t virtqueue_bytes(uint16_t size); // of all three

// An empty queue of `size` descriptors in `memory`, which is page-aligned and zeroed and outlives it. The device is asked not
// to interrupt.
void virtqueue_init(struct virtqueue *q, void *memory, uint16_t size);

static inline void virtqueue_describe(struct virtqueue *q, uint16_t descriptor, uint64_t address, uint32_t length, uint16_t flags, uint16_t next)
{
    volatile struct vring_descriptor *d = &q->descriptors[descriptor];
    d->address = address;
    d->length = length;
    d->flags = flags;
    d->next = next;
}

// Puts the buffer that begins with this descriptor into the available ring. The device does not look before the next publish.
static inline void virtqueue_offer(struct virtqueue *q, uint16_t descriptor)
{
    q->available->ring[q->offered++ & q->mask] = descriptor;
}

// Shows the device all that was offered. True: it wants to be notified.
static inline bool virtqueue_publish(struct virtqueue *q)
{
    barrier_write();
    q->available->index = q->offered;
    // Or the device may go to sleep between our read of its flags and its seeing of our index (section 2.7.13.4.1).
    barrier_full();
    return !(q->used->flags & VRING_NO_NOTIFY);
}

// Has the device given back all that it was shown?
static inline bool virtqueue_is_done(const struct virtqueue *q)
{
    return q->used->index == q->offered;
}

// Takes the next entry out of the used ring; false: there is none. Each field is read once, for the device may change it. An
// index that claims more entries than the ring has is none.
static inline bool virtqueue_take(struct virtqueue *q, uint32_t *ret_id, uint32_t *ret_length)
{
    if (q->taken == q->known) {
        uint16_t index = q->used->index;
        if (index == q->taken || (uint16_t)(index - q->taken) > q->size)
            return false;
        q->known = index;
        barrier_read();
    }
    const volatile struct vring_used_entry *entry = &q->used->ring[q->taken++ & q->mask];
    *ret_id = entry->id;
    *ret_length = entry->length;
    return true;
}
