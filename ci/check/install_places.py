# SPDX-License-Identifier: MPL-2.0
"""The rows of ci/check/install on BIOS boot partitions and gaps, what is refused there, and damage that is found."""
import hashlib
import os
import random
import re
import shutil
import struct
import subprocess

from install_base import (BIOS_BOOT, LINUX, all_disks, bits, digest, gpt_disk, install, life_elsewhere, mbr_disk, peek, poke, pool_disk,
    refuses, status, write)
from rows import SIGNET, Skip, check, loop_device, row


@row
def bios_boot(d):
    life_elsewhere(d, gpt_disk(d, [(LINUX, 6000, 60000), (BIOS_BOOT, 2048, 4095)]), "bios-boot", 2048, 2048)


@row
def bios_boot_with_the_backup_table(d):
    image = gpt_disk(d, [(BIOS_BOOT, 2048, 4095), (LINUX, 6000, 60000)])
    poke(d, image, 512 + 20, b"damage")
    life_elsewhere(d, image, "bios-boot", 2048, 2048)


@row
def gap_of_an_mbr(d):
    life_elsewhere(d, mbr_disk(d), "gap", 1, 2047)


@row
def gap_of_a_gpt(d):
    life_elsewhere(d, gpt_disk(d, [(LINUX, 2048, 60000)]), "gap", 34, 2014)


@row
def refusals_elsewhere(d):
    bits(d)
    bits(d, "small", size=16384)
    bits(d, "large", size=400000)
    mbr_disk(d, first=63, name="dos.img")
    mbr_disk(d, first=500, name="tight.img")
    mbr_disk(d)
    gpt_disk(d, [(LINUX, 34, 60000)])
    gpt_disk(d, [], name="none.img")
    with open(os.path.join(d, "blank.img"), "wb") as f:
        f.truncate(1 << 20)
    with open(os.path.join(d, "fat.img"), "wb") as f:  # a boot sector, but of a file system over the whole disk
        f.truncate(1 << 20)
        f.write(b"\xeb\x3c\x90MSDOS5.0" + b"text in the place of partitions " * 15)
        f.seek(510)
        f.write(b"\x55\xaa")
    gap, boot = ("--gap", "--image", "bootarea.bin"), ("--bios-boot", "--image", "bootarea.bin")
    refuses("--disk", "dos.img", *gap, cwd=d, says="62 sectors from 1 on, is too small")
    refuses("--disk", "tight.img", *gap, cwd=d, says="is too small there: 120000 bytes")
    refuses("--disk", "gpt.img", *gap, cwd=d, says="has no gap before its first partition")
    refuses("--disk", "none.img", *gap, cwd=d, says="has no gap")
    refuses("--disk", "blank.img", *gap, cwd=d, says="has no partition table")
    refuses("--disk", "fat.img", *gap, cwd=d, says="has no partition table")
    refuses("--disk", "mbr.img", *boot, cwd=d, says="has no partition of type BIOS boot")
    for bad in ("small", "large"):
        refuses("--disk", "mbr.img", "--gap", "--image", bad, cwd=d, says=f"{bad}: is not a bootarea.bin")
    refuses("--disk", "mbr.img", *gap, "--mbr", "small", cwd=d, says="small: is not an mbr.bin")
    poke(d, "mbr.img", 512, b"GRUB")
    refuses("--disk", "mbr.img", *gap, cwd=d, says="something unknown lies there already, from sector 1 on")
    poke(d, "gpt.img", 512 + 20, b"x")
    poke(d, "gpt.img", 65535 * 512 + 20, b"x")
    refuses("--disk", "gpt.img", *gap, cwd=d, says="GPT of which neither copy holds")
    poke(d, "mbr.img", 512, bytes(4))
    install("--disk", "mbr.img", *gap, cwd=d)
    refuses("--disk", "mbr.img", "--gap", "--image", bits(d, "n", seed=9), "--slot", "a", cwd=d, says="slot A is the one that boots")
    install("--disk", "mbr.img", "--gap", "--image", "n", "--slot", "b", cwd=d)


# Everything for which one of several disks is refused: a name, how a good disk is made a bad one, and what is said.
def tight(d, image):
    mbr_disk(d, first=500, name=image)


def unknown(d, image):
    poke(d, image, 900 * 512, b"GRUB")


def no_table(d, image):
    write(d, image, bytes(1 << 20))


def damaged_gpt(d, image):
    gpt_disk(d, [(LINUX, 2048, 60000)], name=image)
    poke(d, image, 512 + 20, b"x")
    poke(d, image, 65535 * 512 + 20, b"x")


def cut_off(d, image):
    os.truncate(os.path.join(d, image), 30000)


def elsewhere(d, image):
    pool = pool_disk(d, "zlz4")
    install("--disk", pool, "--zfs", "--image", "bootarea.bin", cwd=d)
    os.replace(os.path.join(d, pool), os.path.join(d, image))


def last_number(d, image):
    install("--disk", image, "--gap", "--image", "next.bin", cwd=d)
    at = status(d, image)[0]["slot_a_sector"] * 512
    header = bytearray(peek(d, image, at, 512))
    header[16:24] = b"\xff" * 8
    header[64:96] = hashlib.sha256(header[:64]).digest()
    poke(d, image, at, header)


def of_a_raid(d, image):
    size = os.path.getsize(os.path.join(d, image))
    at = (size // 512 - 16) & ~7
    sb = bytearray(256)
    struct.pack_into("<II", sb, 0, 0xA92B4EFC, 1)
    struct.pack_into("<Q", sb, 144, at)
    poke(d, image, at * 512, sb)


def is_gone(d, image):
    os.remove(os.path.join(d, image))


REFUSALS = [(tight, "is too small there"), (unknown, "something unknown lies there"), (no_table, "has no partition table"),
            (damaged_gpt, "GPT of which neither copy holds"), (cut_off, "past the disk.s end: was it cut off"),
            (elsewhere, "installed in another place"), (last_number, "no header can be made"), (of_a_raid, "member of a RAID"),
            (is_gone, "No such file")]


def three_disks(d, name):
    """A folder of that name with three disks and two versions of boot bits: (folder, images)."""
    folder = os.path.join(d, name)
    os.mkdir(folder)
    bits(folder)
    bits(folder, "next.bin", seed=9)
    return folder, [mbr_disk(folder, name=f"{i}.img") for i in range(3)]


def refused_whole(d, make, says, args):
    """Of three disks one is refused, whichever: nothing is written on any of them."""
    for bad in range(3):
        folder, images = three_disks(d, f"{make.__name__}{bad}")
        make(folder, images[bad])
        refuses(*all_disks(images), *args, cwd=folder, says=f"{images[bad]}: .*({says})")
        refuses(*all_disks(images), *args, "--dry-run", cwd=folder, says=f"{images[bad]}: .*({says})")
        shutil.rmtree(folder)


@row
def refusals_on_any_of_several_disks(d):
    for make, says in REFUSALS:
        refused_whole(d, make, says, ("--gap", "--image", "bootarea.bin"))


@row
def refusals_of_a_refresh(d):
    # The newest boot bits are on the last disk, and go to none when one of them is refused.
    for make, says in REFUSALS:
        for bad in range(2):
            folder, images = three_disks(d, f"{make.__name__}{bad}")
            install("--disk", images[2], "--gap", "--image", "bootarea.bin", cwd=folder)
            make(folder, images[bad])
            if make is last_number:
                continue  # then that one is the newest
            refuses("--refresh", "--gap", *all_disks(images), cwd=folder, says=f"{images[bad]}: .*({says})")


@row
def refusals_of_slot_and_remove(d):
    bits(d)
    bits(d, "next.bin", seed=9)
    images = [mbr_disk(d, name=f"{i}.img") for i in range(3)]
    install("--disk", images[1], "--gap", "--image", "bootarea.bin", cwd=d)
    refuses(*all_disks(images), "--gap", "--slot", "a", "--image", "next.bin", cwd=d, says="1.img: slot A is the one that boots")
    install(*all_disks(images), "--gap", "--image", "bootarea.bin", cwd=d)
    of_a_raid(d, images[2])
    refuses("remove", *all_disks(images), cwd=d, says="2.img: .*member of a RAID")
    poke(d, images[2], 4096, b"")
    mbr_disk(d, name="2.img")
    refuses("remove", *all_disks(images), cwd=d, says="2.img: holds no boot bits")


@row
def read_only_among_several(d):
    bits(d)
    images = [mbr_disk(d, name=f"{i}.img") for i in range(3)]
    before = [digest(os.path.join(d, i)) for i in images]
    args = " ".join(all_disks(images))
    script = f"mount --bind 2.img 2.img && mount -o remount,bind,ro 2.img && for dry in '' --dry-run; do " \
        f"{SIGNET} install {args} --gap --image bootarea.bin $dry || echo 1; done"
    done = subprocess.run(["unshare", "-Urm", "sh", "-c", script], cwd=d, capture_output=True, text=True, timeout=60)
    if "unshare" in done.stderr or "mount:" in done.stderr:
        raise Skip(f"no namespaces: {done.stderr.strip()[:80]}")
    check(done.stdout == "1\n1\n" and done.stderr.count("2.img: Read-only file system") == 2, done.stdout + done.stderr)
    check([digest(os.path.join(d, i)) for i in images] == before, "refused, and changed something")


@row
def two_places(d):
    image = pool_disk(d, "zlz4")
    bits(d)
    install("--disk", image, "--gap", "--image", "bootarea.bin", cwd=d)
    refuses("--disk", image, "--zfs", "--image", "bootarea.bin", cwd=d, says="installed in another place")
    check(status(d, image)[0]["place"] == "gap", "status finds the place")


@row
def damage_is_found(d):
    image = mbr_disk(d)
    bits(d)
    bits(d, "next.bin", seed=2)
    before = peek(d, image, 0, 440)
    for name in ("bootarea.bin", "next.bin"):
        install("--disk", image, "--gap", "--image", name, cwd=d)
    facts = status(d, image)[0]
    a, b = facts["slot_a_sector"] * 512, facts["slot_b_sector"] * 512
    good = shutil.copy(os.path.join(d, image), d + ".good")
    rng = random.Random(6)
    places = {"MBR": range(408, 440), "slot A: (has no|its bytes)": [a, a + 40, a + 70], "slot B: (has no|its bytes)": [b, b + 20, b + 95]}
    places["slot A: its bytes"] = [a + 4096, a + 4096 + 119999] + [a + 4096 + rng.randrange(120000) for _ in range(6)]
    for says, where in places.items():
        for at in where:
            shutil.copy(good, os.path.join(d, image))
            poke(d, image, at, bytes([peek(d, image, at, 1)[0] ^ 0x10]))
            done = install("verify", "--disk", image, cwd=d, status=1)
            check(re.search(says, done.stderr), f"byte {at}: {done.stderr!r}")
    # The code: by its digest in the record, of which an install with another mbr.bin takes note.
    shutil.copy(good, os.path.join(d, image))
    poke(d, image, 100, bytes([peek(d, image, 100, 1)[0] ^ 1]))
    done = install("verify", "--disk", image, cwd=d, status=1)
    check("not the one that was installed" in done.stderr, done.stderr)
    with open(os.path.join(d, "mbr.bin"), "r+b") as f:
        f.write(b"other")
    install("--disk", image, "--gap", "--image", "next.bin", cwd=d)
    install("verify", "--disk", image, cwd=d)
    install("remove", "--disk", image, cwd=d)
    check(peek(d, image, 0, 440) == before, "the former code did not come back")
    bits(d)
    # Slot B is bad: A boots, the next install mends B, and A is not touched.
    shutil.copy(good, os.path.join(d, image))
    poke(d, image, b + 5000, b"damage")
    facts = status(d, image)[0]
    check(facts["boots"] == "slot a" and facts["slot_b"] == "damaged", str(facts))
    install("--disk", image, "--gap", "--image", "next.bin", cwd=d)
    facts = status(d, image)[0]
    check(facts["boots"] == "slot b" and facts["slot_b_sequence"] == 3 and facts["slot_a_sequence"] == 1, str(facts))
    install("verify", "--disk", image, "--image", "next.bin", cwd=d)


@row
def no_anchors(d):
    # What holds no trust anchor boots nothing: every way that puts it onto a disk says so, and so does verify.
    image, other = mbr_disk(d), mbr_disk(d, name="other.img")
    bits(d)
    bits(d, "bare.bin", seed=2, anchors=0)
    write(d, "text.bin", b"no artefact at all" * 5000)
    bare = ("--gap", "--image", "bare.bin")
    says = "holds no trust anchor and boots nothing: .signet embed --trust"
    refuses("--disk", image, *bare, cwd=d, says="bare.bin: " + says)
    refuses("--disk", image, *bare, "--dry-run", cwd=d, says="bare.bin: " + says)
    refuses("--disk", image, *bare, "--force", cwd=d, says="bare.bin: " + says)
    refuses("--disk", image, "--gap", "--image", "text.bin", "--no-anchors", cwd=d, says="text.bin: is not a Signet artefact")
    install("--disk", image, *bare, "--no-anchors", cwd=d)
    refuses("verify", "--disk", image, cwd=d, says=f"{image}: {says}")
    refuses("verify", "--disk", image, "--image", "bare.bin", cwd=d, says=says)
    refuses("--refresh", "--gap", "--disk", image, "--disk", other, cwd=d, says=says)
    install("verify", "--disk", image, "--image", "bare.bin", "--no-anchors", cwd=d)
    install("--refresh", "--gap", "--disk", image, "--disk", other, "--no-anchors", cwd=d)
    install("--disk", image, "--disk", other, "--gap", "--image", "bootarea.bin", cwd=d)
    install("verify", "--disk", image, "--disk", other, cwd=d)
    refuses("status", "--disk", image, "--no-anchors", cwd=d, says="is not for status and remove", status=2)


@row
def foreign_mbr_afterwards(d):
    # Another installer takes the MBR: remove leaves its code alone, an install keeps it for later.
    image = mbr_disk(d)
    bits(d)
    install("--disk", image, "--gap", "--image", "bootarea.bin", cwd=d)
    shutil.copy(os.path.join(d, image), os.path.join(d, "second.img"))
    foreign = random.Random(8).randbytes(440)
    for i in (image, "second.img"):
        poke(d, i, 0, foreign)
    check("stays" in install("remove", "--disk", image, cwd=d).stdout, "remove")
    check(peek(d, image, 0, 440) == foreign, "the other's code is gone")
    check("the MBR is not Signet's" in install("verify", "--disk", "second.img", cwd=d, status=1).stderr, "verify")
    install("--disk", "second.img", "--gap", "--image", "bootarea.bin", cwd=d)
    install("verify", "--disk", "second.img", cwd=d)
    install("remove", "--disk", "second.img", cwd=d)
    check(peek(d, "second.img", 0, 440) == foreign, "the other's code did not come back")


@row
def wrong_usage(d):
    bits(d)
    for args in (["--gap"], ["--disk", "x"], ["--disk", "x", "--gap"], ["--disk", "x", "--gap", "--zfs", "--image", "bootarea.bin"],
                 ["list", "--disk", "x"],
                 ["status"], ["status", "--disk", "x", "--force"], ["remove", "--disk", "x", "--image", "bootarea.bin"], ["status", "verify"],
                 ["--disk", "x", "--gap", "--image", "bootarea.bin", "--slot", "c"], ["--disk", "x", "--refresh", "--image", "bootarea.bin"],
                 ["--disk", "x", "--gap", "--pool", "p", "--image", "bootarea.bin"], ["verify", "--disk", "x", "--dry-run"],
                 ["--disk", "x", "--json", "--refresh"]):
        refuses(*args, cwd=d, says=r"^signet install: .*\(see signet install --help\)", status=2)


@row
def closed_standard_files(d):
    bits(d)
    for closed in ("<&-", ">&-", "2>&-", "<&- >&- 2>&-"):
        image = gpt_disk(d, [(BIOS_BOOT, 2048, 6143), (LINUX, 8192, 60000)])
        command = ["sh", "-c", f'exec "$@" {closed}', "sh", SIGNET, "install", "--disk", image, "--bios-boot", "--image", "bootarea.bin"]
        done = subprocess.run(command, cwd=d, capture_output=True, timeout=60)
        check(done.returncode == (1 if ">&-" in closed.split() else 0), f"{closed}: status {done.returncode}")
        install("verify", "--disk", image, "--image", "bootarea.bin", cwd=d)


@row
def mounted_partition(d):
    # A real block device where there is one to be had.
    image = gpt_disk(d, [(BIOS_BOOT, 2048, 10239), (LINUX, 12000, 60000)])
    bits(d)
    with loop_device(os.path.join(d, image), "--partscan") as loop:
        install("--disk", loop, "--bios-boot", "--image", "bootarea.bin", cwd=d)
        install("verify", "--disk", loop, "--image", "bootarea.bin", cwd=d)
        refuses("--disk", image, "--bios-boot", "--image", "bootarea.bin", cwd=d, says=f"is in use as {loop}")
        install("remove", "--disk", loop, cwd=d)
        if not os.path.exists(loop + "p1"):
            raise Skip("no partitions of loop devices")
        subprocess.run(["mkfs.ext2", "-q", loop + "p1"], check=True, capture_output=True)
        mounted = subprocess.run(["mount", loop + "p1", d + ".mnt"], capture_output=True) if os.mkdir(d + ".mnt") is None else None
        if mounted.returncode != 0:
            raise Skip("may not mount")
        try:
            done = install("--disk", loop, "--bios-boot", "--force", "--image", "bootarea.bin", cwd=d, status=1)
            check("partition 1 is mounted at" in done.stderr, done.stderr)
            done = install("--disk", loop + "p1", "--bios-boot", "--image", "bootarea.bin", cwd=d, status=1)
            check("is a partition" in done.stderr, done.stderr)
        finally:
            subprocess.run(["umount", loop + "p1"], check=True)
