# SPDX-License-Identifier: MPL-2.0
"""The unified kernel image of the boot table: the stub of Debian's systemd-boot-efi, a PE file, with kernel, initrds and
command line as further sections (UAPI Group, "Unified Kernel Image"), and the sealed image made of it."""
import os
import struct
import subprocess

import fixtures
import payload

STUB = os.path.join(fixtures.PAYLOAD, "stub")
CMDLINE = payload.GUEST_CMDLINE + " signet.name=uki signet.counter=0"  # of its own: nothing is appended to it

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


def prepare():
    """None, or why it cannot be had here."""
    done = subprocess.run([os.path.join(fixtures.TOP, "ci/fetch-deb"), "systemd-boot-efi", STUB], capture_output=True, text=True)
    if done.returncode != 0:
        return "Debian's systemd-boot-efi cannot be had: " + (done.stderr.strip().splitlines() or ["?"])[-1]
    image, uki = fixtures.path("images", "uki"), os.path.join(fixtures.PAYLOAD, "uki.efi")
    kernel, *initrds = [os.path.join(fixtures.PAYLOAD, n) for n in ("vmlinuz", "initrd.img", "part.img")]
    inputs = [fixtures.SIGNET, __file__, fixtures.path("alice.key"), kernel, *initrds]
    if os.path.exists(image) and all(os.path.getmtime(i) <= os.path.getmtime(image) for i in inputs):
        return None
    payload.write(uki, build(payload.read(os.path.join(STUB, "usr/lib/systemd/boot/efi/linuxx64.efi.stub")), {
        ".cmdline": CMDLINE.encode() + b"\0", ".initrd": b"".join(map(payload.read, initrds)), ".linux": payload.read(kernel)}))
    fixtures.run(fixtures.SIGNET, "mkimage", "-o", image, "-N", "uki", "--counter", str(fixtures.COUNTER), "--kernel", uki,
                 "--key", fixtures.path("alice.key"))
    return None
