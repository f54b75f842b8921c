// SPDX-License-Identifier: MPL-2.0
// The slot of `signet embed` (image/embed.h), at the end of a section of its own, behind which the tool puts the blob:
// .signet is the last section of the file and of the memory image, so that it can grow. It is marked discardable
// (D) because the linker puts such sections last; the tool takes the mark away.
    .section .signet, "drD"
    .globl embed_slot
    .p2align 4
embed_slot:
    .asciz "SIGNET-EMBED-01"
    .long 2             // SLOT_KIND = EMBED_EFI
    .long 0             // SLOT_OFFSET
    .long 0             // SLOT_LENGTH
    .long 0             // SLOT_CAPACITY: no limit
    .long 0             // SLOT_BASE: directly behind the slot
    .long 0             // SLOT_FLAGS
    .space 24
