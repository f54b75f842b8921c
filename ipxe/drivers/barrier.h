// SPDX-License-Identifier: MPL-2.0
// The order in which a card sees what the processor does to memory that both share (pci.h: dma_alloc), and the other way
// round. A write of a register needs none of these: what was written before it is seen by the card (pci.h).
#pragma once

#if defined(__aarch64__)
// Of the outer shareable domain, in which cards are.
#define barrier_dmb(kind) __asm__ volatile("dmb " kind ::: "memory")
#define barrier_read() barrier_dmb("oshld")
#define barrier_write() barrier_dmb("oshst")
#define barrier_full() barrier_dmb("osh")
#elif defined(__x86_64__) || defined(__i386__)
// x86 itself keeps reads in order and writes in order; what is left is the compiler, and a read behind a write.
#define barrier_read() __asm__ volatile("" ::: "memory")
#define barrier_write() __asm__ volatile("" ::: "memory")
#define barrier_full() __atomic_thread_fence(__ATOMIC_SEQ_CST)
#else
#error "no memory barriers for this processor"
#endif
// read: reads before it are done before reads and writes behind it, as "is there an entry?" and "what is in it?".
// write: writes before it are seen before writes behind it, as an entry and the index that makes it valid.
// full: both, and writes before it are seen before reads behind it are done.
