# SPDX-License-Identifier: MPL-2.0
"""Disks that a BIOS boots, made from doc/boot-area.md: MBR, boot area with two slots, partition table, image partition.

A second implementation of what `signet install` writes, so that both are held to the document.
"""
import hashlib
import os
import struct
import subprocess
import zlib
from dataclasses import dataclass

import fixtures

SECTORS = 131072  # 64 MiB
CONFIRMED = 0xFFFFFFFF
STAGE = 16384
BIOS_BOOT = bytes.fromhex("4861682149646f6e744e656564454649")
SIGNET_IMAGE = bytes.fromhex("2753afb19a949d4689ed531f50f35610")


@dataclass
class Disk:
    script: str = None  # embedded into the slots' Signet; None: the default one
    table: str = "mbr"  # or "gpt": the boot area lies in the MBR's gap, or in a BIOS boot partition
    image: str = ""  # in the image partition
    damage: tuple = ()  # "A+OFFSET", "B+OFFSET": a bit of that slot flipped; "I+OFFSET": of the image, "T+OFFSET": of the disk
    trial: bool = False  # slot B is newer and on trial, else A is newer and both are confirmed
    trust: tuple = ("alice",)
    bios_text: bool = False  # what the BIOS prints goes to the serial port, too, since MBR and stage speak through it


def _gpt(disk):
    entries = bytearray(128 * 128)
    for i, (kind, first, last, label) in enumerate(((BIOS_BOOT, 2048, 4095, "boot"), (SIGNET_IMAGE, 4096, SECTORS - 34, "images"))):
        entries[i * 128:i * 128 + 128] = (kind + bytes([0x40 + i]) * 16 + struct.pack("<QQQ", first, last, 0) +
                                          label.encode("utf-16-le").ljust(72, b"\0"))
    for lba, other, at in ((1, SECTORS - 1, 2), (SECTORS - 1, 1, SECTORS - 33)):
        header = bytearray(struct.pack("<8sIIIIQQQQ16sQIII", b"EFI PART", 0x10000, 92, 0, 0, lba, other, 34, SECTORS - 34, b"D" * 16, at,
                                       128, 128, zlib.crc32(entries)))
        header[16:20] = struct.pack("<I", zlib.crc32(header))
        disk[lba * 512:lba * 512 + 92] = header
        disk[at * 512:at * 512 + len(entries)] = entries


def _partition(disk, kind, first, sectors):
    disk[446:462] = bytes([0, 0, 0, 0, kind, 0, 0, 0]) + struct.pack("<II", first, sectors)


def header(sequence, tries, payload):
    head = struct.pack("<8sIIQII", b"SGNTSLOT", 1, tries, sequence, len(payload), 0) + hashlib.sha256(payload).digest()
    return head + hashlib.sha256(head).digest()


def make(spec, payload, path):
    with open(os.path.join(fixtures.TOP, "bin/mbr.bin"), "rb") as f:
        code = f.read()
    disk = bytearray(SECTORS * 512)
    disk[:440], disk[440:446], disk[510:512] = code, b"SIGN\0\0", b"\x55\xaa"
    places = {"I": 4096}
    if spec.table == "gpt":
        _partition(disk, 0xEE, 1, SECTORS - 1)
        _gpt(disk)
        places.update(A=2048, B=3072)
    else:
        _partition(disk, 0xDA, 4096, SECTORS - 4096)
        places.update(A=8, B=1024)
    places["T"] = 0
    for i, name in enumerate("AB"):
        at = places[name] * 512
        head = header(1 + i if spec.trial else 2 - i, 3 if spec.trial and name == "B" else CONFIRMED, payload)
        disk[at:at + len(head)] = head
        disk[at + 4096:at + 4096 + len(payload)] = payload
        disk[412 + 12 * i:424 + 12 * i] = struct.pack("<QI", places[name] + 8, zlib.crc32(payload[:STAGE]))
    if spec.image:
        image = fixtures.payload.read(fixtures.path("images", spec.image) if "/" not in spec.image else fixtures.path(spec.image))
        disk[4096 * 512:4096 * 512 + len(image)] = image
    for damage in spec.damage:
        name, offset = damage.split("+")
        disk[places[name] * 512 + int(offset, 0)] ^= 0x10
    fixtures.payload.write(path, bytes(disk))


def options(row, folder):
    """QEMU's options for the row's disk, which is made in `folder`: in front of the network in the boot order."""
    if not row.disk:
        return ()
    spec, artefact, path = row.disk, os.path.join(folder, "bootarea.bin"), os.path.join(folder, "disk.img")
    script = os.path.join(fixtures.TOP, "embed/boot.ipxe")
    if spec.script is not None:
        script = os.path.join(folder, "disk.ipxe")
        fixtures.payload.write(script, spec.script.encode())
    command = [fixtures.SIGNET, "embed", "--script", script]
    for key in spec.trust:
        command += ["--trust", fixtures.path(key + ".pub")]
    done = subprocess.run(command + [os.path.join(fixtures.TOP, "build/bios/bootarea.bare"), "-o", artefact], capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(f"signet embed: {done.stderr.strip()}")
    make(spec, fixtures.payload.read(artefact), path)
    found = ("-drive", f"if=none,id=disk,format=raw,file={path}", "-device", "ide-hd,drive=disk,bootindex=0")
    if spec.bios_text:
        port = os.path.join(folder, "sercon")
        fixtures.payload.write(port, struct.pack("<H", 0x3F8))
        found += ("-fw_cfg", f"name=etc/sercon-port,file={port}")
    return found
