# SPDX-License-Identifier: MPL-2.0
"""A bzImage that prints its command line on the serial port and powers QEMU's machine `pc` off: for rows of several starts,
whose point is how the kernel got there. With the sealed command line of image() a row takes it for a guest that reports in.
"""
import struct

import forge

SETUP = 1024
CODE = bytes.fromhex(
    "8b9e28020000"  # mov  ebx, [esi+0x228]   the command line (Linux: x86/boot.rst, cmd_line_ptr; esi: boot_params)
    "bafd030000ec"  # 1: mov edx, 0x3fd; in al, dx
    "a82074fb"      # test al, 0x20; jz -1     until the port takes a byte
    "8a0384c07409"  # mov  al, [ebx]; test al, al; jz 2f
    "baf8030000ee"  # mov  edx, 0x3f8; out dx, al
    "43ebe7"        # inc  ebx; jmp 1b
    "b00abaf8030000ee"  # 2: a new line
    "bafd030000ec"  # mov  edx, 0x3fd; in al, dx
    "a84074fb"      # test al, 0x40; jz -1     until it is out
    "ba0406000066b8002066ef"  # mov edx, 0x604; mov ax, 0x2000; out dx, ax     ACPI: soft off, as SeaBIOS sets PIIX4 up
    "f4ebfd")       # hlt, for ever


def kernel():
    setup = bytearray(SETUP)
    setup[0x1F1] = SETUP // 512 - 1
    struct.pack_into("<H", setup, 0x1FE, 0xAA55)
    struct.pack_into("<H4sH", setup, 0x200, 0x66EB, b"HdrS", 0x020F)
    struct.pack_into("<I", setup, 0x1F4, (len(CODE) + 15) // 16)
    setup[0x211] = 1  # loaded high
    struct.pack_into("<I", setup, 0x214, 0x100000)
    struct.pack_into("<IIBBHI", setup, 0x22C, 0x7FFFFFFF, 0x200000, 1, 21, 0, 2047)
    struct.pack_into("<QI", setup, 0x258, 0x1000000, 0x200000)
    return bytes(setup) + CODE.ljust(4096, b"\0")


def image(name, counter, initrd, keys, chunk_size=64 * 1024):
    return forge.Image(name, [forge.linux(kernel()), forge.Part(forge.INITRD, "initrd", initrd)],
                       f"SIGNET-BOOT-OK name={name} counter={counter}", counter, chunk_size=chunk_size, keys=keys)
