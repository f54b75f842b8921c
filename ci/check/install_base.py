# SPDX-License-Identifier: MPL-2.0
"""What the rows of ci/check/install share: how it is run and judged, payloads, disks made here and those of real pools."""
import binascii
import functools
import hashlib
import json
import os
import random
import re
import shutil
import struct
import subprocess
import sys

from rows import SIGNET, Skip, TOP, WORK, check, row  # noqa: F401: their modules take them from here

DISKS = os.path.join(TOP, "ci/corpus/zfs-disks")
AREA, AREA_SIZE, LABEL = 512 << 10, 3584 << 10, 256 << 10
POOLS = [["zlz4"], ["zmirror-1", "zmirror-2"], ["zraidz-1", "zraidz-2", "zraidz-3"], ["zefi"]]
BIOS_BOOT = b"Hah!IdontNeedEFI"
LINUX = bytes.fromhex("af3dc60f838472478e793d69d8477de4")


def install(*args, cwd, status=0):
    done = subprocess.run([SIGNET, "install", *map(str, args)], cwd=cwd, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120)
    check(done.returncode == status, f"{args}: status {done.returncode}, expected {status}: {(done.stderr or done.stdout)[-400:]!r}")
    return done


def digest(path):
    with open(path, "rb") as f:
        return hashlib.sha256(f.read()).hexdigest()


def refuses(*args, cwd, says, status=1):
    """A failure with its reason in one line, and not a byte changed."""
    files = sorted(os.path.join(folder, n) for folder, _, names in os.walk(cwd) for n in names)
    before = [digest(f) for f in files]
    done = install(*args, cwd=cwd, status=status)
    check(len(done.stderr.splitlines()) == 1 and re.search(says, done.stderr), f"{args}: says {done.stderr!r}, expected {says!r}")
    check([digest(f) for f in files] == before, f"{args}: refused, and changed something")


@functools.cache
def key():
    """A trust anchor: the path of its public half."""
    name = os.path.join(os.path.dirname(SIGNET), "anchor")
    subprocess.run([SIGNET, "keygen", "-o", name], check=True, capture_output=True)
    return name + ".pub"


@functools.cache
def blob(anchors):
    """What `signet embed` puts into an artefact (doc/embed-format.md)."""
    bare = os.path.join(os.path.dirname(SIGNET), f"bare{anchors}")
    with open(bare, "wb") as f:
        f.write(slot(0, 0, 64))
    trust = ["--trust", key()] if anchors else []
    subprocess.run([SIGNET, "embed", *trust, bare, "-o", bare + ".out"], check=True, capture_output=True)
    with open(bare + ".out", "rb") as f:
        return f.read()[64:]


def slot(offset, length, base):
    return struct.pack("<16sIIIII28x", b"SIGNET-EMBED-01", 1, offset, length, 0, base)


def bits(folder, name="bootarea.bin", size=120000, seed=1, anchors=1):
    """Something of the form of bootarea.bin, and an mbr.bin beside it (mbr/layout.h)."""
    data = random.Random(seed).randbytes(size)
    if size > 40000:
        base = (size - len(blob(anchors)))
        data = data[:20480] + slot(base, len(blob(anchors)), base) + data[20544:base] + blob(anchors)
    write(folder, name, data)
    code = bytearray(random.Random(0).randbytes(440))
    struct.pack_into("<I24sHH", code, 408, 0x424D4753, bytes(24), 32, 1)
    with open(os.path.join(folder, "mbr.bin"), "wb") as f:
        f.write(code)
    return name


def pool_disk(folder, name):
    path = os.path.join(folder, name + ".img")
    subprocess.run([sys.executable, os.path.join(DISKS, "cut.py"), "whole", os.path.join(DISKS, name + ".xz"), path], check=True)
    return name + ".img"


def gpt_disk(folder, partitions, name="gpt.img", sectors=65536):
    """partitions: (type GUID as it lies on disk, first, last)."""
    table = bytearray(128 * 128)
    for i, (kind, first, last) in enumerate(partitions):
        struct.pack_into("<16s16sQQ", table, i * 128, kind, bytes([i + 1]) * 16, first, last)

    def header(at, other, entries):
        h = bytearray(struct.pack("<8sIIIIQQQQ16sQIII", b"EFI PART", 0x10000, 92, 0, 0, at, other, 34, sectors - 34, b"d" * 16, entries,
                                  128, 128, binascii.crc32(table)))
        struct.pack_into("<I", h, 16, binascii.crc32(h))
        return h

    with open(os.path.join(folder, name), "wb") as f:
        f.truncate(sectors * 512)
        f.write(random.Random(4).randbytes(440) + b"SIGN\0\0" + struct.pack("<B3sB3sII", 0, b"\0\2\0", 0xee, b"\xff" * 3, 1, sectors - 1))
        f.seek(510)
        f.write(b"\x55\xaa" + header(1, sectors - 1, 2))
        f.seek(1024)
        f.write(table)
        f.seek((sectors - 33) * 512)
        f.write(table)
        f.seek((sectors - 1) * 512)
        f.write(header(sectors - 1, 1, sectors - 33))
    return name


def mbr_disk(folder, first=2048, name="mbr.img", sectors=65536, kind=0x83):
    with open(os.path.join(folder, name), "wb") as f:
        f.truncate(sectors * 512)
        f.write(random.Random(5).randbytes(440) + b"SIGN\0\0" + struct.pack("<B3sB3sII", 0x80, b"\0\2\0", kind, b"\xff" * 3, first, sectors - first))
        f.seek(510)
        f.write(b"\x55\xaa")
        f.seek(first * 512)
        f.write(b"a file system" * 1000)
    return name


def vdev_start(image):
    return 69888 * 512 if "zefi" in image else 0 if "bare" in image else 2048 * 512


def changed(folder, image, before):
    """Sectors in which a disk differs from its former self."""
    found = []
    with open(os.path.join(folder, image), "rb") as a, open(before, "rb") as b:
        at = 0
        while True:
            x, y = a.read(1 << 20), b.read(1 << 20)
            if not x and not y:
                return found
            check(len(x) == len(y), f"{image}: another size")
            if x != y:
                found += [(at + i) // 512 for i in range(0, len(x), 512) if x[i:i + 512] != y[i:i + 512]]
            at += len(x)


def only_allowed(folder, image, before, first, count, signature=False):
    """Nothing but the boot area and the MBR's code has changed."""
    sectors = changed(folder, image, before)
    check(sectors and sectors[0] == 0, f"{image}: the MBR is as before")
    for s in sectors[1:]:
        check(first <= s < first + count, f"{image}: sector {s} has changed, allowed are {first}+{count}")
    with open(os.path.join(folder, image), "rb") as a, open(before, "rb") as b:
        x, y = a.read(512), b.read(512)
    check(x[440:510] == y[440:510], f"{image}: disk signature or partition table has changed")
    check(x[510:] == (b"\x55\xaa" if signature else y[510:]), f"{image}: boot signature")


def poke(folder, image, at, data):
    with open(os.path.join(folder, image), "r+b") as f:
        f.seek(at)
        f.write(data)


def write(folder, name, data):
    with open(os.path.join(folder, name), "wb") as f:
        f.write(data)


def peek(folder, image, at, n):
    with open(os.path.join(folder, image), "rb") as f:
        f.seek(at)
        return f.read(n)


def all_disks(images):
    return [a for i in images for a in ("--disk", i)]


def status(folder, *images):
    return json.loads(install("status", "--json", *all_disks(images), cwd=folder).stdout)["disks"]


def keep(folder, images):
    """Copies of disks, out of the row's folder."""
    os.mkdir(folder + ".kept")
    return {i: shutil.copy(os.path.join(folder, i), os.path.join(folder + ".kept", i)) for i in images}


def life_elsewhere(d, image, place, first, count):
    kept = keep(d, [image])
    bits(d)
    bits(d, "next.bin", size=100000, seed=3)
    for name, slot in (("bootarea.bin", "a"), ("next.bin", "b"), ("bootarea.bin", "a")):
        install("--disk", image, f"--{place}", "--image", name, cwd=d)
        only_allowed(d, image, kept[image], first, count)
        install("verify", "--disk", image, "--image", name, cwd=d)
        facts = status(d, image)[0]
        check(facts["place"] == place and facts["boots"] == f"slot {slot}", str(facts))
        check("up to date" in install("--disk", image, f"--{place}", "--image", name, cwd=d).stdout, "a second install of the same")
    install("remove", "--disk", image, cwd=d)
    check(changed(d, image, kept[image]) == [], "remove leaves something behind")


sys.dont_write_bytecode = True


def prepare():
    """Before the rows, which run side by side."""
    blob(0)
    blob(1)
