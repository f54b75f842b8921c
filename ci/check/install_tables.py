# SPDX-License-Identifier: MPL-2.0
"""Rows of ci/check/install on partition tables: first usable sectors, logical partitions, disks that had another life, what status says."""
import binascii
import json
import os
import random
import struct

import install_base as base

GPT_FRONT = 16 * 512  # of a former table: ZFS leaves the first 8 KiB of a vdev alone


def set_first_usable(d, image, first, sectors=65536):
    """Both headers of base.gpt_disk with another first usable sector."""
    for at in (1, sectors - 1):
        header = bytearray(base.peek(d, image, at * 512, 92))
        struct.pack_into("<Q", header, 40, first)
        struct.pack_into("<I", header, 16, 0)
        struct.pack_into("<I", header, 16, binascii.crc32(header))
        base.poke(d, image, at * 512, header)


@base.row
def gap_before_the_first_usable_sector(d):
    # fdisk, systemd-repart and others say 2048, genimage the first partition's start; the gap is behind the table all the same.
    for first in (34, 64, 2048):
        image = base.gpt_disk(d, [(base.LINUX, 2048, 60000)], name=f"{first}.img")
        set_first_usable(d, image, first)
        os.mkdir(os.path.join(d, f"{first}"))
        os.replace(os.path.join(d, image), os.path.join(d, f"{first}", image))
        base.life_elsewhere(os.path.join(d, f"{first}"), image, "gap", 34, 2014)


@base.row
def bios_boot_before_the_first_usable_sector(d):
    image = base.gpt_disk(d, [(base.BIOS_BOOT, 34, 2047), (base.LINUX, 2048, 60000)])
    set_first_usable(d, image, 2048)
    base.life_elsewhere(d, image, "bios-boot", 34, 2014)


@base.row
def bios_boot_in_the_table(d):
    image = base.gpt_disk(d, [(base.BIOS_BOOT, 33, 2047), (base.LINUX, 2048, 60000)])
    set_first_usable(d, image, 2048)
    base.bits(d)
    base.refuses("--disk", image, "--bios-boot", "--image", "bootarea.bin", cwd=d, says="partition 1 does not lie where the GPT says")


@base.row
def disk_that_grew(d):
    # The copy of the table lies where the disk ended before.
    image = base.gpt_disk(d, [(base.BIOS_BOOT, 2048, 4095), (base.LINUX, 4096, 60000)])
    os.truncate(os.path.join(d, image), 100 << 20)
    base.poke(d, image, 512 + 20, b"damage")
    base.life_elsewhere(d, image, "bios-boot", 2048, 2048)


@base.row
def disk_that_was_cut_off(d):
    image = base.gpt_disk(d, [(base.BIOS_BOOT, 2048, 4095), (base.LINUX, 4096, 30000)])
    os.truncate(os.path.join(d, image), 20 << 20)
    base.bits(d)
    says = "has a GPT for a disk of 65536 sectors, and has 40960"
    base.refuses("--disk", image, "--bios-boot", "--image", "bootarea.bin", cwd=d, says=says)
    base.refuses("status", "--disk", image, cwd=d, says=says)


@base.row
def partitions_that_share_sectors(d):
    """A second partition over the place: empty sectors are no proof that it is nobody's."""
    base.bits(d)
    says = "partition {} lies over the place for the boot bits, too"
    for i, (mine, other) in enumerate((((2048, 6143), (4096, 60000)), ((2048, 6143), (2048, 6143)), ((4096, 8191), (2048, 60000)))):
        image = base.gpt_disk(d, [(base.BIOS_BOOT, *mine), (base.LINUX, *other)], name=f"shared{i}.img")
        for more in ((), ("--force",)):
            base.refuses("--disk", image, "--bios-boot", "--image", "bootarea.bin", *more, cwd=d, says=says.format(2))
        base.install("--disk", image, "--gap", "--image", "bootarea.bin", cwd=d)
    image = base.gpt_disk(d, [(base.LINUX, 4096, 60000)], name="hybrid.img")
    base.poke(d, image, 446, entry(0xEE, 1, 33) + entry(0x83, 100, 2000))
    base.refuses("--disk", image, "--gap", "--image", "bootarea.bin", cwd=d, says=says.format("2 of the MBR beside the GPT"))
    # One that only repeats the GPT's is no other.
    image = base.gpt_disk(d, [(base.BIOS_BOOT, 2048, 6143), (base.LINUX, 8192, 60000)], name="repeated.img")
    base.poke(d, image, 446, entry(0xEE, 1, 2047) + entry(0x83, 2048, 4096))
    base.install("--disk", image, "--bios-boot", "--image", "bootarea.bin", cwd=d)
    # A vdev, under which someone made a second partition.
    image = base.pool_disk(d, "zlz4")
    base.install("--disk", image, "--zfs", "--image", "bootarea.bin", "--dry-run", cwd=d)
    base.poke(d, image, 446, entry(0xEE, 1, 33) + entry(0x83, 3000, 200))
    base.refuses("--disk", image, "--zfs", "--image", "bootarea.bin", cwd=d, says=says.format("2 of the MBR beside the GPT"))


@base.row
def tables_of_another_disk_are_named(d):
    base.bits(d)
    image = base.mbr_disk(d, name="cut.img")
    os.truncate(os.path.join(d, image), 20 << 20)
    base.refuses("--disk", image, "--gap", "--image", "bootarea.bin", cwd=d, says="partition 1 reaches past the disk's end: was it cut off")
    image = base.gpt_disk(d, [(base.LINUX, 2048, 60000)], name="4kn.img")
    header = bytearray(base.peek(d, image, 512, 92))
    base.poke(d, image, 512, bytes(512))
    base.poke(d, image, 65535 * 512, bytes(512))
    base.poke(d, image, 4096, header)
    base.refuses("--disk", image, "--gap", "--image", "bootarea.bin", cwd=d, says="has a GPT for sectors of 4096 bytes, and its own have 512")
    base.refuses("status", "--disk", image, cwd=d, says="has a GPT for sectors of 4096 bytes")


# ---- a vdev over the whole disk ---------------------------------------------------------------------------


def bare_vdev(d, name="bare.img"):
    whole = base.pool_disk(d, "zlz4")
    base.write(d, name, base.peek(d, whole, 2048 * 512, 241664 * 512))
    os.remove(os.path.join(d, whole))
    return name


def former_gpt(d, image, backup):
    """What is left of a GPT whose disk became a vdev: its first 16 sectors, and the copy at the end if the labels lie before it."""
    sectors = os.path.getsize(os.path.join(d, image)) // 512
    base.gpt_disk(d, [(base.LINUX, 2048, sectors - 100)], name="table", sectors=sectors)
    base.poke(d, image, 0, base.peek(d, "table", 0, GPT_FRONT))
    if backup:
        base.poke(d, image, (sectors - 33) * 512, base.peek(d, "table", (sectors - 33) * 512, 33 * 512))
    os.remove(os.path.join(d, "table"))


def life_of_a_vdev(d, image):
    base.check(base.status(d, image)[0]["room"].startswith("zfs"), str(base.status(d, image)))
    kept = base.keep(d, [image])
    for name, seed in (("bootarea.bin", 1), ("next.bin", 2)):
        base.bits(d, name, seed=seed)
        base.install("--disk", image, "--zfs", "--image", name, cwd=d)
        base.only_allowed(d, image, kept[image], base.AREA // 512, base.AREA_SIZE // 512, signature=True)
        base.install("verify", "--disk", image, "--image", name, cwd=d)
    base.check(base.status(d, image)[0]["pool"] == "zlz4", "status")
    base.install("remove", "--disk", image, cwd=d)
    base.check(base.changed(d, image, kept[image]) == [], "remove leaves something behind")


@base.row
def zfs_behind_a_former_gpt(d):
    image = bare_vdev(d)
    former_gpt(d, image, backup=False)
    life_of_a_vdev(d, image)


@base.row
def zfs_behind_a_former_gpt_whose_copy_holds(d):
    image = bare_vdev(d)
    os.truncate(os.path.join(d, image), os.path.getsize(os.path.join(d, image)) + 100 * 512)
    former_gpt(d, image, backup=True)
    life_of_a_vdev(d, image)
    # The table's gap is the pool's labels; only --force goes there.
    base.refuses("--disk", image, "--gap", "--image", "bootarea.bin", cwd=d, says="labels of a vdev of pool zlz4 over the whole disk: --zfs")


@base.row
def zfs_behind_a_former_mbr(d):
    image = bare_vdev(d)
    sectors = os.path.getsize(os.path.join(d, image)) // 512
    base.poke(d, image, 446, struct.pack("<B3sB3sII", 0x80, b"\0\2\0", 0x83, b"\xff" * 3, 2048, sectors - 2048) + bytes(48) + b"\x55\xaa")
    life_of_a_vdev(d, image)
    # Something in the table's partition: then it may be the table that counts, and not even --force writes there.
    base.poke(d, image, 2048 * 512 + 4096, b"swap, or a volume, or an image")
    base.refuses("--disk", image, "--zfs", "--image", "bootarea.bin", "--force", cwd=d, says="something unknown .*the disk has a partition table")


@base.row
def labels_of_a_former_vdev_under_a_table(d):
    # The disk was a vdev as a whole, and got a GPT and a pool on a partition: L1, L2 and L3 of the former one are left.
    image = base.pool_disk(d, "zlz4")
    size = os.path.getsize(os.path.join(d, image))
    vdev = base.peek(d, image, 2048 * 512, 241664 * 512)
    end = len(vdev) & ~(base.LABEL - 1)
    other = base.gpt_disk(d, [(base.LINUX, 8192, len(vdev) // 512 - 2000)], name="other.img", sectors=len(vdev) // 512)
    for at in (base.LABEL, end - 2 * base.LABEL, end - base.LABEL):
        length = min(base.LABEL, len(vdev) - 33 * 512 - at)
        base.poke(d, other, at, vdev[at:at + length])
    base.bits(d)
    base.check(base.status(d, other)[0]["room"] == "gap", str(base.status(d, other)))
    base.refuses("--disk", other, "--zfs", "--image", "bootarea.bin", cwd=d, says="holds no vdev of a pool")
    # On the pool's disk the partition's vdev is the one, whatever is left at the disk's end.
    tail = base.peek(d, image, size - 33 * 512, 33 * 512)
    base.poke(d, image, size - 2 * base.LABEL, vdev[end - 2 * base.LABEL:end])
    base.poke(d, image, size - 33 * 512, tail)
    base.install("--disk", image, "--zfs", "--image", "bootarea.bin", cwd=d)
    base.check(base.status(d, image)[0]["partition"] == 1, "another partition")


# ---- logical partitions -----------------------------------------------------------------------------------


def entry(kind, first, sectors):
    return struct.pack("<B3sB3sII", 0, b"\0\2\0", kind, b"\xff" * 3, first, sectors)


def logical_disk(d, links, name="logical.img", vdev_at=None):
    """An MBR disk with a primary partition and an extended one from sector 4096 on; links: sector of a link from there, its bytes."""
    vdev = b""
    if vdev_at is not None:
        whole = base.pool_disk(d, "zmirror-1")
        vdev = base.peek(d, whole, 2048 * 512, 208896 * 512)
        os.remove(os.path.join(d, whole))
    sectors = 4096 + 300000
    with open(os.path.join(d, name), "wb") as f:
        f.truncate(sectors * 512)
        f.write(random.Random(5).randbytes(440) + b"SIGN\0\0" + entry(0x83, 2048, 2048) + entry(0x05, 4096, 300000))
        f.seek(510)
        f.write(b"\x55\xaa")
        for at, data in links:
            f.seek((4096 + at) * 512 + 446)
            f.write(data.ljust(64, b"\0") + b"\x55\xaa")
        if vdev:
            f.seek((4096 + vdev_at) * 512)
            f.write(vdev)
    return name


LINKS = [(0, entry(0x83, 63, 1000) + entry(0x05, 50000, 250000)), (50000, entry(0xBF, 2048, 208896) + entry(0x05, 2000, 10000)),
         (2000, entry(0x83, 63, 1000))]


@base.row
def zfs_in_a_logical_partition(d):
    image = logical_disk(d, LINKS, vdev_at=52048)
    facts = base.status(d, image)[0]
    base.check(facts["place"] == "none" and facts["room"] == "zfs, gap" and facts["pool"] == "zmirror", str(facts))
    kept = base.keep(d, [image])
    base.bits(d)
    base.install("--disk", image, "--zfs", "--image", "bootarea.bin", cwd=d)
    base.only_allowed(d, image, kept[image], 4096 + 52048 + base.AREA // 512, base.AREA_SIZE // 512)
    base.check(base.status(d, image)[0]["partition"] == 6, "another partition")
    base.install("verify", "--disk", image, cwd=d)
    base.install("remove", "--disk", image, cwd=d)
    base.check(base.changed(d, image, kept[image]) == [], "remove leaves something behind")


@base.row
def hostile_chains_of_logical_partitions(d):
    bad = {"itself": entry(0x05, 2000, 1), "circle": entry(0x0f, 50000, 1), "outside": entry(0x05, 400000, 1), "far": entry(0x85, 0xFFFFFFFF, 1)}
    for name, link in bad.items():
        image = logical_disk(d, LINKS[:2] + [(2000, entry(0x83, 63, 1000) + link)], name=name + ".img", vdev_at=52048)
        done = base.install("status", "--json", "--disk", image, cwd=d)
        base.check("chain of logical partitions is damaged" in done.stderr, done.stderr)
        base.check(json.loads(done.stdout)["disks"][0]["pool"] == "zmirror", done.stdout)
        os.remove(os.path.join(d, image))
    # As long as chains can be, and longer.
    links = [(i * 100, entry(0x83, 1, 50) + entry(0x05, (i + 1) * 100, 100)) for i in range(500)]
    image = logical_disk(d, links, name="long.img")
    base.check(base.status(d, image)[0]["room"] == "gap", "a long chain")


@base.row
def status_tells_what_a_disk_has_room_for(d):
    base.gpt_disk(d, [(base.LINUX, 34, 60000)], name="full.img")
    base.gpt_disk(d, [(base.BIOS_BOOT, 2048, 4095), (base.LINUX, 6000, 60000)], name="boot.img")
    base.mbr_disk(d, name="gap.img")
    base.mbr_disk(d, name="dos.img", first=63)
    base.write(d, "blank.img", bytes(1 << 20))
    images = [base.pool_disk(d, "zlz4"), "full.img", "boot.img", "gap.img", "dos.img", "blank.img"]
    facts = base.status(d, *images)
    found = [(f["place"], f["room"], f.get("pool")) for f in facts]
    base.check(found == [("none", "zfs, gap", "zlz4"), ("none", "none", None), ("none", "bios-boot, gap", None), ("none", "gap", None),
                         ("none", "none", None), ("none", "none", None)], str(found))
