#!/usr/bin/env python3
# SPDX-License-Identifier: MPL-2.0
"""Disks of real ZFS pools, cut down to what an installer looks at, and back.

    cut.py cut IMAGE OUT.xz     keeps partition tables, the four labels of every vdev, the first 64 KiB of boot areas
    cut.py whole IN.xz IMAGE    a sparse image of the full size; where data was there is a pattern, so that a test sees
                                a change of it

The images come from pools that OpenZFS 2.3.2 made in a virtual machine on whole disks, ashift 12:
    zpool create -f -o cachefile=none -O canmount=off -O mountpoint=none -O atime=off NAME VDEVS
with a dataset NAME/ROOT/x as bootfs and some files in it, then scrubbed and exported. VDEVS: `zlz4` one disk; `zmirror`
mirror of two; `zraidz` raidz1 of three; `zexpand` the same, and a fourth disk attached (raidz expansion, whose leftovers
lie in the boot area); `zefi` the second partition behind an ESP.
"""
import lzma
import struct
import sys

LABEL = 256 << 10
BOOT_AREA, DATA = 512 << 10, 4 << 20


def partitions(read):
    header = read(512, 512)
    lba, count, size = struct.unpack_from("<QII", header, 72)
    table = read(lba * 512, count * size)
    for i in range(count):
        first, last = struct.unpack_from("<QQ", table, i * size + 32)
        if table[i * size:i * size + 16] != bytes(16):
            yield i + 1, first * 512, (last - first + 1) * 512


def labels(size):
    end = size & ~(LABEL - 1)
    return (0, LABEL, end - 2 * LABEL, end - LABEL)


def is_vdev(read, start, size):
    return size >= 8 << 20 and read(start + (128 << 10), 4) == b"\x0c\xb1\xba\x00"


def cut(path):
    with open(path, "rb") as f:
        def read(at, n):
            f.seek(at)
            return f.read(n)

        size = f.seek(0, 2)
        parts = [(0, 34 * 512), (size - 33 * 512, 33 * 512)]
        for _, start, length in partitions(read):
            if is_vdev(read, start, length):
                parts += [(start + at, LABEL) for at in labels(length)]
                parts.append((start + BOOT_AREA, 64 << 10))
        out = struct.pack("<Q", size)
        for at, n in parts:
            out += struct.pack("<QI", at, n) + read(at, n)
        return lzma.compress(out, preset=9 | lzma.PRESET_EXTREME)


def whole(path, image):
    with open(path, "rb") as f:
        raw = lzma.decompress(f.read())
    size, = struct.unpack_from("<Q", raw)
    with open(image, "w+b") as f:
        f.truncate(size)
        at = 8
        while at < len(raw):
            where, n = struct.unpack_from("<QI", raw, at)
            f.seek(where)
            f.write(raw[at + 12:at + 12 + n])
            at += 12 + n

        def read(start, n):
            f.seek(start)
            return f.read(n)

        # Data: all of the first and last MiB of it, and a word in each MiB between.
        for number, start, length in list(partitions(read)):
            begin, end = (DATA, labels(length)[2]) if is_vdev(read, start, length) else (0, length)
            for at in range(begin, end, 512):
                if at < begin + (1 << 20) or at >= end - (1 << 20) or at % (1 << 20) == 0:
                    f.seek(start + at)
                    f.write(struct.pack("<QQ", number, at) * 2)


if __name__ == "__main__":
    if len(sys.argv) != 4 or sys.argv[1] not in ("cut", "whole"):
        sys.exit(__doc__)
    if sys.argv[1] == "whole":
        whole(sys.argv[2], sys.argv[3])
    else:
        packed = cut(sys.argv[2])
        with open(sys.argv[3], "wb") as result:
            result.write(packed)
