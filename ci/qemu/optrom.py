# SPDX-License-Identifier: MPL-2.0
"""Option ROMs: one as small as can be, from the specifications (PCI Firmware 3.0, chapter 5; PXE 2.1, UNDI ROM ID), and those that
config/targets/rom makes."""
import os
import struct
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader


def _load(path):
    loader = SourceFileLoader("rom", path)
    module = module_from_spec(spec_from_loader("rom", loader))
    loader.exec_module(module)
    return module


BUILDER = _load(os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../config/targets/rom"))


def of_drivers(paths, vendor, device, devices=()):
    """The ROM of a network card with UEFI drivers in it."""
    files = []
    for path in paths:
        with open(path, "rb") as f:
            files.append(f.read())
    return BUILDER.efi_images(files, vendor, device, devices)


def refusing(vendor, device):
    """The ROM of a network card whose initialisation does nothing and whose UNDI loader always fails."""
    rom = bytearray(512)
    rom[0:3] = b"\x55\xaa\x01"
    rom[3] = 0xcb  # retf
    struct.pack_into("<HH", rom, 0x16, 0x40, 0x1c)
    struct.pack_into("<4sHHHHB3sHHBB", rom, 0x1c, b"PCIR", vendor, device, 0, 0x18, 0, b"\0\0\x02", 1, 0, 0, 0x80)
    rom[0x40:0x56] = BUILDER.summed(bytearray(struct.pack("<4sBBB3sHHHH4s", b"UNDI", 0x16, 0, 0, b"\0\1\2", 0x60, 256, 1024, 1024, b"PCIR")), 5)
    rom[0x60:0x64] = b"\xb8\x01\x00\xcb"  # mov ax, 1 (PXENV_EXIT_FAILURE); retf
    return bytes(BUILDER.summed(rom, 511))


# Signet's own, as ipxe/image/romfile.h has it, and what the builder has no need of.
AT_LENGTH, AT_SOURCES = 0x38, 0x40
SOURCES = {"pmm": 1, "flash": 2}


def changed(rom, source, damage):
    """Signet's ROM with one source alone, if one is named, and with a bit of its program flipped, if that shall be."""
    rom = bytearray(rom)
    if source:
        rom[AT_SOURCES] = SOURCES[source]
    if damage:
        offset, length = struct.unpack_from("<I", rom, BUILDER.AT_OFFSET)[0], struct.unpack_from("<I", rom, AT_LENGTH)[0]
        rom[offset + length // 2] ^= 1
    front = rom[BUILDER.AT_SIZE] * BUILDER.UNIT
    rom[:front] = BUILDER.summed(rom[:front], front - 1)
    return bytes(rom)
