// SPDX-License-Identifier: MPL-2.0
// Where everything lies in a BIOS machine while Signet runs. Read by C, by the assembler and by the linker
// script; doc/bios.md draws the map. Addresses are physical.
#pragma once

// The ROM loads the whole file here, contiguous, and jumps to it. The 16-bit part stays; the rest of the
// file is unpacked to HIGH_BASE at once, and the base memory behind the 16-bit part is used anew.
#define LOAD_BASE 0x7c00
#define LOW_END 0x9000 // the 16-bit code and its data end below this (checked by the linker script)
#define PROCESSOR_PAGE 0x9000 // where another processor begins: a page, since a SIPI names one
#define PROCESSORS_MAX 4 // others at most: the network brings no more than so many can hash
#define PROCESSOR_STACK_SHIFT 12
#define PROCESSOR_STACK (1 << PROCESSOR_STACK_SHIFT)

// One real-mode segment (0) holds all that a ROM is handed a pointer to, so every offset is below 64 KiB.
#define PXE_PARAM 0xa000       // parameter block of pxe_call
#define PXE_PARAM_SIZE 0x200
#define PXE_ISR_PARAM 0xa200   // parameter block of the receive loop
#define PXE_IRQ_PARAM 0xa240   // parameter block of the interrupt handler, which may cut into the other two
#define BOUNCE 0xa400          // data of a BIOS or PXE call
#define BOUNCE_SIZE 0x800
#define TX_RING 0xac00         // frames on their way out
#define TX_SLOT_SIZE 0x600
#define TX_SLOTS 4
#define IRQ_STACK_TOP 0xd000   // 3 KiB, down to the end of TX_RING
#define REAL_STACK_TOP 0xfff0  // 12 KiB, down to IRQ_STACK_TOP

// The frames that one stay in real mode collects: a 16-bit length, then the frame.
#define RX_RING 0x10000
#define RX_SLOT_SHIFT 11
#define RX_SLOT_SIZE 0x800
#define RX_SLOTS 32
#define RX_FRAME_OFFSET 2      // so that the IP header lies on a multiple of 4
#define RX_FRAME_ROOM (RX_SLOT_SIZE - RX_FRAME_OFFSET)

// What a starting kernel is handed; nothing moves or overwrites it.
#define BOOT_PARAMS 0x20000    // Linux's "zero page"
#define BOOT_CMDLINE 0x21000
#define BOOT_CMDLINE_SIZE 0x1000
#define BOOT_MOVES 0x22000
#define DISK_BUFFER 0x30000     // sectors on their way from and to disks; crosses no 64 KiB line
#define DISK_BUFFER_SIZE 0x8000
#define BASE_END 0x38000       // base memory that Signet uses while it runs

// The largest file, embedded script and keys included: BASE_NEEDED bytes of free base memory take it.
#define FILE_MAX 0x50000
#define BASE_NEEDED (LOAD_BASE + FILE_MAX)

// The protected-mode part with its variables, its stack and the heap.
#define HIGH_BASE 0x100000
#define HIGH_LIMIT 0xa00000    // ends below this
#define HIGH_STACK_SIZE 0x10000
#define HEAP_SIZE 0x200000
#define DMA_SIZE 0x460000       // behind the heap: what cards and native drivers share, of two e1000 or more of virtio-net
// Where the unpacker and what it works with lie until it is done: behind what it unpacks, below the heap's end (checked by the
// linker script).
#define UNPACKER_BASE 0x200000
#define UNPACKER_END 0x210000
