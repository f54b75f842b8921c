// SPDX-License-Identifier: MPL-2.0
// The file bin/LICENCES, for `signet --licences`: the Makefile puts it together from what the libraries come with.
        .section .rodata
        .globl licences, licences_end
licences:
        .incbin "bin/LICENCES"
licences_end:
        .section .note.GNU-stack, "", @progbits
