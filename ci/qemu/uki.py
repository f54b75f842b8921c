# SPDX-License-Identifier: MPL-2.0
"""Puts a unified kernel image together as the UAPI Group describes it: a stub that is a PE file, with kernel, initrd and
command line as further sections."""
import struct

COUNT_AT, OPTIONAL_SIZE_AT, COFF_SIZE = 6, 20, 24
SECTION_ALIGN_AT, FILE_ALIGN_AT, IMAGE_SIZE_AT, HEADERS_SIZE_AT = 32, 36, 56, 60
SECTION = struct.Struct("<8sIIIIIIHHI")
READABLE_DATA = 0x40000040
PAGE = 4096


def align(value, to):
    return -(-value // to) * to


def build(stub, sections):
    """`sections`: name -> bytes, appended to the stub in this order, each on pages of its own in memory."""
    coff, = struct.unpack_from("<I", stub, 0x3C)
    count, = struct.unpack_from("<H", stub, coff + COUNT_AT)
    optional = coff + COFF_SIZE
    table = optional + struct.unpack_from("<H", stub, coff + OPTIONAL_SIZE_AT)[0]
    section_align, file_align = struct.unpack_from("<II", stub, optional + SECTION_ALIGN_AT)
    headers_size, = struct.unpack_from("<I", stub, optional + HEADERS_SIZE_AT)
    if table + (count + len(sections)) * SECTION.size > headers_size:
        raise SystemExit("uki: the stub's headers have no room for more sections")
    there = [SECTION.unpack_from(stub, table + i * SECTION.size) for i in range(count)]
    address = max(virtual + size for _, size, virtual, *_ in there)
    image = bytearray(stub)
    for i, (name, data) in enumerate(sections.items()):
        image += bytes(-len(image) % file_align)
        address = align(address, max(PAGE, section_align))
        raw_size = align(len(data), file_align)
        SECTION.pack_into(image, table + (count + i) * SECTION.size, name.encode(), len(data), address, raw_size, len(image), 0, 0, 0, 0,
                          READABLE_DATA)
        image += data + bytes(raw_size - len(data))
        address += len(data)
    struct.pack_into("<H", image, coff + COUNT_AT, count + len(sections))
    struct.pack_into("<I", image, optional + IMAGE_SIZE_AT, align(address, max(PAGE, section_align)))
    return bytes(image)
