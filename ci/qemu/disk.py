# SPDX-License-Identifier: MPL-2.0
"""Disks that a BIOS boots, made from doc/boot-area.md: MBR, boot area with two slots, partition table, image partition.

A second implementation of what `signet install` writes, so that both are held to the document; with `install` the boot
bits are those of `signet install` itself, for `pool` on disks of a real ZFS pool.
"""
import hashlib
import mmap
import os
import struct
import subprocess
import zlib
from dataclasses import dataclass

import fixtures

MIB = 1 << 20
SECTORS = 131072  # 64 MiB
CONFIRMED = 0xFFFFFFFF
STAGE = 16384
BIOS_BOOT = bytes.fromhex("4861682149646f6e744e656564454649")
ESP = bytes.fromhex("28732ac11ff8d211ba4b00a0c93ec93b")
SIGNET_IMAGE = bytes.fromhex("2753afb19a949d4689ed531f50f35610")


@dataclass
class Disk:
    script: str = None  # embedded into the slots' Signet; None: the default one
    table: str = "mbr"  # or "gpt": the boot area lies in the MBR's gap, or in a BIOS boot partition
    image: str = ""  # in the image partition
    damage: tuple = ()  # "A+OFFSET", "B+OFFSET": a bit of that slot flipped; "I+OFFSET": of the image, "T+OFFSET": of the disk
    trial: bool = False  # slot B is newer and on trial, else A is newer and both are confirmed
    trust: tuple = ("alice",)
    drivers: str = "native"  # or "firmware"
    install: str = ""  # option of `signet install` that writes the boot bits: --gap, --bios-boot, --zfs
    pool: tuple = ()  # disks of ci/corpus/zfs-disks; the image is on a disk of its own then
    missing: int = 0  # so many disks of the pool, from the first on, are pulled after the installation
    updates: int = 1  # how often it is installed
    second_card: str = ""  # a network card without a cable, behind the row's own
    stranger: bytes = b""  # 4096 bytes into the image partition, as the label of an md RAID 1.2 member
    last: bool = False  # behind the network in the boot order
    bios_text: bool = False  # what the BIOS prints goes to the serial port, too, since MBR and stage speak through it


@dataclass
class Data:
    """A further disk of a machine: a GPT with an image partition, which is labelled `label`, and with `esp` an empty EFI system
    partition of so many MiB behind it."""
    label: str
    device: str = ""  # QEMU's, with its options; a host machine needs none
    controller: str = ""  # that the machine needs for it
    image: object = "good"  # or a function that is given the row's folder and makes one
    sector: int = 512
    damage: int = 0  # a bit of the image at this offset is flipped
    esp: int = 0


@dataclass
class Again:
    """The row's machine is started once more, with its disks as they are."""
    before: str  # what happens to the first server before: "kill", or "replace" its first image by the newer one (and start it)
    counter: int = fixtures.COUNTER  # of what boots then
    expect: tuple = ()
    after: tuple = ()


def _gpt(disk, partitions, sector=512):
    """Both tables, and their protective MBR, for (type, first sector, sectors, label)."""
    total, length = len(disk) // sector, 128 * 128 // sector
    entries = bytearray(128 * 128)
    for i, (kind, first, sectors, label) in enumerate(partitions):
        entries[i * 128:i * 128 + 128] = (kind + bytes([0x40 + i]) * 16 + struct.pack("<QQQ", first, first + sectors - 1, 0) +
                                          label.encode("utf-16-le").ljust(72, b"\0"))
    for lba, other, at in ((1, total - 1, 2), (total - 1, 1, total - 1 - length)):
        header = bytearray(struct.pack("<8sIIIIQQQQ16sQIII", b"EFI PART", 0x10000, 92, 0, 0, lba, other, 2 + length, total - 2 - length,
                                       b"D" * 16, at, 128, 128, zlib.crc32(entries)))
        header[16:20] = struct.pack("<I", zlib.crc32(header))
        disk[lba * sector:lba * sector + 92] = header
        disk[at * sector:at * sector + len(entries)] = entries
    _partition(disk, 0xEE, 1, total - 1)
    disk[510:512] = b"\x55\xaa"


def _partition(disk, kind, first, sectors):
    disk[446:462] = bytes([0, 0, 0, 0, kind, 0, 0, 0]) + struct.pack("<II", first, sectors)


def header(sequence, tries, payload):
    head = struct.pack("<8sIIQII", b"SGNTSLOT", 1, tries, sequence, len(payload), 0) + hashlib.sha256(payload).digest()
    return head + hashlib.sha256(head).digest()


def _image(name):
    return fixtures.payload.read(fixtures.path("images", name) if "/" not in name else fixtures.path(name))


def make(spec, payload, path):
    with open(os.path.join(fixtures.TOP, "bin/mbr.bin"), "rb") as f:
        code = f.read()
    disk = bytearray(SECTORS * 512)
    disk[:440], disk[440:446], disk[510:512] = code, b"SIGN\0\0", b"\x55\xaa"
    places = {"I": 4096}
    if spec.table == "gpt":
        _gpt(disk, ((BIOS_BOOT, 2048, 2048, "boot"), (SIGNET_IMAGE, 4096, SECTORS - 34 - 4095, "images")))
        places.update(A=2048, B=3072)
    else:
        _partition(disk, 0xDA, 4096, SECTORS - 4096)
        places.update(A=8, B=1024)
    places["T"] = 0
    if spec.install:
        disk[:440] = bytes(440)
    for i, name in enumerate("" if spec.install else "AB"):
        at = places[name] * 512
        head = header(1 + i if spec.trial else 2 - i, 3 if spec.trial and name == "B" else CONFIRMED, payload)
        disk[at:at + len(head)] = head
        disk[at + 4096:at + 4096 + len(payload)] = payload
        disk[412 + 12 * i:424 + 12 * i] = struct.pack("<QI", places[name] + 8, zlib.crc32(payload[:STAGE]))
    if spec.stranger:
        disk[4096 * 512 + 4096:4096 * 512 + 4096 + len(spec.stranger)] = spec.stranger
    if spec.image:
        image = _image(spec.image)
        disk[4096 * 512:4096 * 512 + len(image)] = image
    for damage in () if spec.install else spec.damage:
        name, offset = damage.split("+")
        disk[places[name] * 512 + int(offset, 0)] ^= 0x10
    fixtures.payload.write(path, bytes(disk))


def run(command):
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(command)}: {done.stderr.strip()}")


def embed(spec, artefact, comment=""):
    """bootarea.bin with the script and the anchors of `spec`."""
    script = artefact + ".ipxe"
    text = fixtures.payload.read(os.path.join(fixtures.TOP, "embed/boot.ipxe")) if spec.script is None else spec.script.encode()
    fixtures.payload.write(script, text + comment.encode())
    command = [fixtures.SIGNET, "embed", "--script", script, "--drivers", spec.drivers]
    for key in spec.trust:
        command += ["--trust", fixtures.path(key + ".pub")]
    run(command + [os.path.join(fixtures.TOP, "build/bios/bootarea.bare"), "-o", artefact])
    return artefact


def pool_disk(folder, name):
    """A disk of a real pool, of ci/corpus/zfs-disks."""
    corpus, path = os.path.join(fixtures.TOP, "ci/corpus/zfs-disks"), os.path.join(folder, name + ".img")
    run([os.path.join(corpus, "cut.py"), "whole", os.path.join(corpus, name + ".xz"), path])
    return path


def install(spec, folder, path):
    """`signet install` on the pool's disks, or on the one that was made: the disks that the machine has then."""
    targets = [pool_disk(folder, name) for name in spec.pool] or [path]
    command = [fixtures.SIGNET, "install", spec.install, "--mbr", os.path.join(fixtures.TOP, "bin/mbr.bin")]
    for target in targets:
        command += ["--disk", target]
    for version in range(spec.updates):
        image = embed(spec, os.path.join(folder, f"bootarea-{version}.bin"), f"# version {version}\n")
        run(command + ["--image", image])
    for damage in spec.damage:  # of what was installed: "A+OFFSET" on every disk, by the MBR's entries
        for target in targets:
            with open(target, "r+b") as f:
                f.seek(412)
                stages = sorted(lba for lba, _ in struct.iter_unpack("<QI", f.read(24)))
                at = (stages["AB".index(damage[0])] - 8) * 512 + int(damage[2:], 0)
                f.seek(at)
                byte = f.read(1)[0]
                f.seek(at)
                f.write(bytes([byte ^ 0x10]))
    return targets[spec.missing:]


def options(row, folder):
    """QEMU's options for the row's disk, which is made in `folder`: in front of the network in the boot order, unless it is to be the last or that
    is Signet's own ROM."""
    if not row.disk:
        return ()
    spec, artefact, path = row.disk, os.path.join(folder, "bootarea.bin"), os.path.join(folder, "disk.img")
    embed(spec, artefact)
    make(spec, fixtures.payload.read(artefact), path)
    disks = [path]
    if spec.install:
        disks = install(spec, folder, path)
        disks += [path] if spec.pool else []
    found, first = (), ",bootindex=3" if row.rom or spec.last else ",bootindex=0"
    for i, file in enumerate(disks):
        found += ("-drive", f"if=none,id=disk{i},format=raw,file={file}", "-device", f"ide-hd,drive=disk{i}" + (first if i == 0 else ""))
    if spec.second_card:
        found += ("-netdev", "hubport,id=n1,hubid=0", "-device", f"{spec.second_card},netdev=n1,mac=52:54:00:50:32:02")
    if spec.bios_text:
        port = os.path.join(folder, "sercon")
        fixtures.payload.write(port, struct.pack("<H", 0x3F8))
        found += ("-fw_cfg", f"name=etc/sercon-port,file={port}")
    return found


def make_data(data, folder):
    """The file of a further disk of the row."""
    path, mib = os.path.join(folder, data.label + ".img"), MIB // data.sector
    image = bytearray(data.image(folder) if callable(data.image) else _image(data.image) if data.image else b"")
    if data.damage:
        image[data.damage] ^= 0x10
    partitions = [(SIGNET_IMAGE, mib, 62 * mib, data.label)]
    if data.esp:
        partitions.append((ESP, 63 * mib, data.esp * mib, "esp"))
    with open(path, "wb+") as f:
        f.truncate((64 + data.esp) * MIB)
        with mmap.mmap(f.fileno(), 0) as disk:
            _gpt(disk, partitions, data.sector)
            disk[MIB:MIB + len(image)] = image
    return path


def image_slot(row, folder, number):
    """Sequence number and image in a slot of the row's first disk; (0, b"") without a header that holds."""
    path, first, size = os.path.join(folder, "disk.img"), 4096 * 512, (SECTORS - 34 - 4095) * 512
    if row.disks:
        path, first, size = os.path.join(folder, row.disks[0].label + ".img"), MIB, 62 * MIB
    with open(path, "rb") as f:
        f.seek(first + number * (size // 2 // 4096 * 4096))
        head = f.read(4096)
        magic, version, _, sequence, length, image_id = struct.unpack_from("<8sIIQQ32s", head)
        if magic != b"SGNTIMGS" or version != 1 or head[64:96] != hashlib.sha256(head[:64]).digest() or any(head[96:512]):
            return 0, b""
        image = f.read(length)
    body, = struct.unpack_from("<I", image, 12)
    genuine = image_id == hashlib.sha256(b"signet phase-2 seal v1\0" + image[:64 + body]).digest()
    return (sequence, image) if genuine else (0, b"")


def data_options(row, folder):
    """QEMU's options for the row's further disks."""
    found = ()
    for data in row.disks:
        found += ("-device", data.controller) if data.controller else ()
        found += ("-drive", f"if=none,id={data.label},format=raw,file={make_data(data, folder)}",
                  "-device", f"{data.device},drive={data.label}")
    return found


def host_options(row, folder):
    """The same for signet-host."""
    return [option for data in row.disks for option in ("--disk", f"{make_data(data, folder)},sector={data.sector}")]
