#!/usr/bin/env python3
# SPDX-License-Identifier: MPL-2.0
"""Makes the seeds of `fat`: FAT volumes by mtools, cut down to their sectors that are not zeros.

Usage: ci/corpus/fat.py     (in ci/corpus; mtools must be there)

A seed is u32 bytes a sector, u32 sectors of the volume, then records: u32 number of a 512-byte block, its 512 bytes. Each
volume holds EFI/BOOT/BOOTX64.EFI (3000 bytes) and, in a folder "signet" with 40 other files before it, autoexec.ipxe and
"An image with a long name.img" (9000 bytes), whose clusters do not follow one another but in FAT32.
"""
import os
import struct
import subprocess
import tempfile

# Name -> (bytes a sector, sectors, further options of mformat)
VOLUMES = {"fat12": (512, 2880, []), "fat16": (512, 16384, ["-c", "1"]), "fat32": (512, 70000, ["-F", "-c", "1"]),
           "fat16-4k": (4096, 5000, ["-M", "4096", "-c", "1"])}
SCRIPT = b"#!ipxe\necho from the folder\n"


def content(size):
    return bytes((i * 7 + i // 251) & 255 for i in range(size))


def make(sector_size, sectors, options):
    with tempfile.TemporaryDirectory() as folder:
        volume, file = os.path.join(folder, "volume"), os.path.join(folder, "file")
        environment = dict(os.environ, SOURCE_DATE_EPOCH="1577836800", TZ="UTC0")

        def run(*command):
            subprocess.run([command[0], "-i", volume, *command[1:]], env=environment, check=True)

        def put(name, data):
            with open(file, "wb") as f:
                f.write(data)
            run("mcopy", file, "::" + name)

        with open(volume, "wb") as f:
            f.truncate(sectors * sector_size)
        run("mformat", "-T", str(sectors), "-h", "16", "-s", "63", "-N", "53474e54", *options, "::")
        run("mmd", "::/EFI", "::/EFI/BOOT", "::/signet")
        put("/EFI/BOOT/BOOTX64.EFI", content(3000))
        for i in range(40):
            put(f"/signet/another file, number {i}", b"x" if i % 2 else b"")
        put("/signet/autoexec.ipxe", SCRIPT)
        for i in range(1, 40, 4):
            run("mdel", f"::/signet/another file, number {i}")
        put("/signet/An image with a long name.img", content(9000))
        with open(volume, "rb") as f:
            data = f.read()
    blocks = ((i, data[i * 512:i * 512 + 512]) for i in range(len(data) // 512))
    return struct.pack("<II", sector_size, sectors) + b"".join(struct.pack("<I", i) + block for i, block in blocks if any(block))


for name, volume in VOLUMES.items():
    os.makedirs("fat", exist_ok=True)
    with open(os.path.join("fat", name), "wb") as f:
        f.write(make(*volume))
