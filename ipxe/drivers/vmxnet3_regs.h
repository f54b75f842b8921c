// SPDX-License-Identifier: MPL-2.0
// Registers, commands and shared memory of a vmxnet3 of revision 1, as far as they are used here. VMware has no document of it; its facts
// are those of the header that VMware publishes for drivers. All of it is little-endian.
//
// A ring has no index that both sides know: each entry has a bit, its generation, which is 1 when the entry is valid in the first lap
// through the ring, 0 in the second, and so on.
#pragma once
#include "base/base.h"

#define VMXNET3_VENDOR 0x15ADu
#define VMXNET3_DEVICE 0x07B0u
#define VMXNET3_GONE 0xFFFFFFFFu // what a card that is not there answers

// Base address register 0: how far a ring is filled. The first queue's.
#define VMXNET3_BAR_QUEUES 0
#define VMXNET3_TX_PRODUCER 0x600u
#define VMXNET3_RX_PRODUCER 0x800u

// Base address register 1: the card as a whole.
#define VMXNET3_BAR_CARD 1
#define VMXNET3_REVISION 0x00u // a bit for each one that the card knows; takes the chosen one's
#define VMXNET3_UPT 0x08u      // the same, of the way in which queues are passed through to hardware
#define VMXNET3_SHARED_LOW 0x10u
#define VMXNET3_SHARED_HIGH 0x18u
#define VMXNET3_COMMAND 0x20u // reads as the last command's result
#define VMXNET3_MAC_LOW 0x28u
#define VMXNET3_MAC_HIGH 0x30u
#define VMXNET3_FIRST 1u // revision 1, of both

#define VMXNET3_ACTIVATE 0xCAFE0000u // 0: done
#define VMXNET3_RESET 0xCAFE0002u
#define VMXNET3_UPDATE_RX_MODE 0xCAFE0003u // these three say that what they name has changed in shared memory
#define VMXNET3_UPDATE_GROUPS 0xCAFE0004u
#define VMXNET3_UPDATE_VLANS 0xCAFE0005u
#define VMXNET3_QUEUE_STATUS 0xF00D0000u // written into shared memory
#define VMXNET3_LINK 0xF00D0002u
#define VMXNET3_LINK_UP 1u

struct vmxnet3_shared {
    uint32_t magic, magic_pad;
    uint32_t driver_version, guest, revision, upt;
    uint64_t features, driver_data, queues;
    uint32_t driver_data_length, queues_length;
    uint32_t mtu;
    uint16_t rx_fragments; // of a frame at most
    uint8_t tx_queues, rx_queues;
    uint32_t misc_reserved[4];
    uint8_t auto_mask, interrupts, event_interrupt, moderation[25];
    uint32_t interrupt_control, interrupt_reserved[2];
    uint32_t rx_mode;
    uint16_t groups_length, groups_pad; // bytes
    uint64_t groups;                    // multicast addresses, six bytes each
    uint32_t vlans[128];                // a bit for each one that is received
    uint32_t rest[12];
    uint32_t events, reserved[5];
};
#define VMXNET3_MAGIC 0xBABEFEE1u
#define VMXNET3_GUEST_PXE (5u << 2)
#define VMXNET3_GUEST_32 1u
#define VMXNET3_GUEST_64 2u
#define VMXNET3_NO_INTERRUPTS 1u
#define VMXNET3_RX_UNICAST 0x01u
#define VMXNET3_RX_GROUPS 0x02u
#define VMXNET3_RX_BROADCAST 0x04u
#define VMXNET3_RX_EVERYTHING 0x10u
_Static_assert(sizeof(struct vmxnet3_shared) == 720 && offsetof(struct vmxnet3_shared, interrupt_control) == 108 &&
                   offsetof(struct vmxnet3_shared, vlans) == 136 && offsetof(struct vmxnet3_shared, events) == 696, "shared memory");

// The queues to send from come first, then those to receive into; both have this shape.
struct vmxnet3_queue {
    uint8_t wants_producer, control[15]; // receiving: RX_PRODUCER is to be written
    uint64_t ring, second_ring, completions, driver_data, reserved;
    uint32_t ring_size, second_ring_size, completions_size, driver_data_length;
    uint8_t interrupt, interrupt_pad[7];
    uint8_t stopped, stopped_pad[3]; // after an error
    uint32_t error;
    uint64_t statistics[10];
    uint8_t pad[88];
};
_Static_assert(sizeof(struct vmxnet3_queue) == 256 && offsetof(struct vmxnet3_queue, ring) == 16 &&
                   offsetof(struct vmxnet3_queue, ring_size) == 56 && offsetof(struct vmxnet3_queue, stopped) == 80, "queue");

struct vmxnet3_descriptor {
    uint64_t address;
    uint32_t length; // with the generation, which is a bit of its own in each direction
    uint32_t flags;
};
#define VMXNET3_RX_GENERATION 0x80000000u
#define VMXNET3_TX_GENERATION 0x00004000u
#define VMXNET3_TX_END 0x00001000u
#define VMXNET3_TX_REPORT 0x00002000u // a completion, please

// What the card says of a descriptor that it has done: which one, what, and the generation.
struct vmxnet3_completion {
    uint32_t word[4];
};
#define VMXNET3_DONE_INDEX 0x00000FFFu // word 0
#define VMXNET3_DONE_END 0x00004000u   // received: the frame's last buffer
#define VMXNET3_DONE_START 0x00008000u // and its first
#define VMXNET3_DONE_LENGTH 0x00003FFFu // word 2
#define VMXNET3_DONE_ERROR 0x00004000u
#define VMXNET3_DONE_GENERATION 0x80000000u // word 3
_Static_assert(sizeof(struct vmxnet3_descriptor) == 16 && sizeof(struct vmxnet3_completion) == 16, "entries of rings");
