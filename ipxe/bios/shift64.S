// SPDX-License-Identifier: MPL-2.0
// Shifts of 64-bit numbers, which the compiler calls where it makes small code: -Oz. They are assembly, for what the
// compiler calls by itself must exist before the program is optimized as a whole.
        .text
        .code32

// uint64_t (uint64_t value, int count), System V ABI: both halves on the stack, result in %edx:%eax.
        .section .text.ashldi3, "ax"
        .globl __ashldi3
__ashldi3:
        mov     4(%esp), %eax
        mov     8(%esp), %edx
        mov     12(%esp), %ecx
        shld    %cl, %eax, %edx
        shl     %cl, %eax
        test    $32, %cl
        jz      1f
        mov     %eax, %edx
        xor     %eax, %eax
1:      ret

// To the right, with what the high half is filled with: zeros, or the sign.
        .macro  shift_right name, shift, fill:vararg
        .section .text.\name, "ax"
        .globl __\name
__\name:
        mov     4(%esp), %eax
        mov     8(%esp), %edx
        mov     12(%esp), %ecx
        shrd    %cl, %edx, %eax
        \shift  %cl, %edx
        test    $32, %cl
        jz      1f
        mov     %edx, %eax
        \fill, %edx
1:      ret
        .endm

        shift_right lshrdi3, shr, xor %edx
        shift_right ashrdi3, sar, sar $31
