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

        .section .text.lshrdi3, "ax"
        .globl __lshrdi3
__lshrdi3:
        mov     4(%esp), %eax
        mov     8(%esp), %edx
        mov     12(%esp), %ecx
        shrd    %cl, %edx, %eax
        shr     %cl, %edx
        test    $32, %cl
        jz      1f
        mov     %edx, %eax
        xor     %edx, %edx
1:      ret

        .section .text.ashrdi3, "ax"
        .globl __ashrdi3
__ashrdi3:
        mov     4(%esp), %eax
        mov     8(%esp), %edx
        mov     12(%esp), %ecx
        shrd    %cl, %edx, %eax
        sar     %cl, %edx
        test    $32, %cl
        jz      1f
        mov     %edx, %eax
        sar     $31, %edx
1:      ret
