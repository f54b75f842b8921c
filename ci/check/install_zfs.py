# SPDX-License-Identifier: MPL-2.0
"""The rows of ci/check/install on disks of ZFS pools."""
import hashlib
import os
import random
import re
import shutil
import struct
import subprocess

from install_base import (AREA, AREA_SIZE, LABEL, LINUX, POOLS, all_disks, bits, changed, gpt_disk, install, keep, mbr_disk, only_allowed,
    peek, poke, pool_disk, refuses, slot, status, vdev_start)
from rows import SIGNET, Skip, check, row


def life_of_a_pool(d, names):
    images = [pool_disk(d, n) for n in names]
    kept = keep(d, images)
    bits(d)
    bits(d, "next.bin", size=300000, seed=2)
    disks = all_disks(images)
    area = {i: (vdev_start(i) + AREA) // 512 for i in images}
    for step, image in enumerate(("bootarea.bin", "next.bin", "bootarea.bin")):
        done = install(*disks, "--zfs", "--image", image, cwd=d)
        check(not done.stderr, f"a note for a whole pool: {done.stderr!r}")
        install("verify", *disks, "--image", image, cwd=d)
        for i, facts in zip(images, status(d, *images)):
            only_allowed(d, i, kept[i], area[i], AREA_SIZE // 512)
            slot = "ab"[step % 2]
            check(facts["boots"] == f"slot {slot}" and facts[f"slot_{slot}_sequence"] == step + 1 and
                  facts["pool"] == names[0].split("-")[0], str(facts))
            at, size = facts[f"slot_{slot}_sector"] * 512 + 4096, facts[f"slot_{slot}_size"]
            with open(os.path.join(d, image), "rb") as f:
                check(peek(d, i, at, size) == f.read(), "the payload is not what was installed")
    install("remove", *disks, cwd=d)
    for i in images:
        check(changed(d, i, kept[i]) == [], f"{i}: remove leaves something behind")
    check(all(f["place"] == "none" for f in status(d, *images)), "status after remove")
    install("verify", *disks, cwd=d, status=1)


for pool in POOLS:
    def one(d, names=pool):
        life_of_a_pool(d, names)
    one.__name__ = "zfs_" + pool[0].split("-")[0]
    row(one)


@row
def zfs_bare_vdev(d):
    # A vdev over the whole disk: the MBR's place is the blank first part of label L0.
    whole = pool_disk(d, "zlz4")
    with open(os.path.join(d, "bare.img"), "wb") as f:
        f.write(peek(d, whole, 2048 * 512, 241664 * 512))
    kept = keep(d, ["bare.img"])
    bits(d)
    install("--disk", "bare.img", "--zfs", "--image", "bootarea.bin", cwd=d)
    only_allowed(d, "bare.img", kept["bare.img"], AREA // 512, AREA_SIZE // 512, signature=True)
    install("verify", "--disk", "bare.img", cwd=d)
    install("remove", "--disk", "bare.img", cwd=d)
    check(changed(d, "bare.img", kept["bare.img"]) == [], "remove leaves something behind")


@row
def dry_run_is_exact(d):
    image = pool_disk(d, "zlz4")
    bits(d)
    for step in ("first", "update", "remove"):
        args = ["remove", "--disk", image] if step == "remove" else ["--disk", image, "--zfs", "--image", bits(d, f"{step}.bin", seed=len(step))]
        before = shutil.copy(os.path.join(d, image), d + ".before")
        lines = install(*args, "--dry-run", cwd=d).stdout.splitlines()
        check(changed(d, image, before) == [], "a dry run wrote")
        ranges = [tuple(map(int, re.match(r".*: write (\d+)\+(\d+): \S", l).groups())) for l in lines]
        trace = os.path.join(d + ".trace")
        if shutil.which("strace"):
            subprocess.run(["strace", "-f", "-e", "trace=pwrite64", "-o", trace, SIGNET, "install", *args], cwd=d, check=True, capture_output=True)
            with open(trace, encoding="utf-8") as f:
                wrote = [(int(m[2]) // 512, int(m[1]) // 512) for m in re.finditer(r", (\d+), (\d+)\) = ", f.read())]
            check(wrote == ranges, f"{step}: wrote {wrote}, said {ranges}")
        else:
            install(*args, cwd=d)
        listed = {s for at, n in ranges for s in range(at, at + n)}
        check(set(changed(d, image, before)) <= listed, f"{step}: wrote sectors that the dry run did not name")


def seal(block, offset):
    """The trailer of a label's block (doc: ipxe/image/zfslabel.h)."""
    block[-40:] = struct.pack("<5Q", 0x0210da7ab10c7a11, offset, 0, 0, 0)
    block[-32:] = struct.pack("<4Q", *struct.unpack(">4Q", hashlib.sha256(block).digest()))


@row
def zfs_expansion_under_way(d):
    images = [pool_disk(d, f"zraidz-{i}") for i in (1, 2, 3)]
    bits(d)
    # On one disk alone, and only in the newest uberblock: state 1, the boot area holds data.
    start, size = 2048 * 512, 143360 * 512
    newest = max(range(32), key=lambda i: struct.unpack("<Q", peek(d, images[1], start + (128 << 10) + i * 4096 + 16, 8))[0])
    end = size & ~(LABEL - 1)
    for label in (0, LABEL, end - 2 * LABEL, end - LABEL):
        at = label + (128 << 10) + newest * 4096
        block = bytearray(peek(d, images[1], start + at, 4096))
        check(block[:4] == b"\x0c\xb1\xba\x00", "no uberblock there")
        struct.pack_into("<Q", block, 208, 1 << 55 | 0x1000)
        seal(block, at)
        poke(d, images[1], start + at, block)
    refuses(*all_disks(images), "--zfs", "--image", "bootarea.bin", cwd=d, says="zraidz-2.img: a raidz expansion of pool zraidz is under way")
    # --force is about what lies there, never about live data.
    refuses(*all_disks(images), "--zfs", "--force", "--image", "bootarea.bin", cwd=d, says="raidz expansion")


@row
def zfs_after_an_expansion(d):
    image = pool_disk(d, "zexpand-1")
    bits(d)
    leftovers = peek(d, image, 2048 * 512 + AREA, 64 << 10)
    check(any(leftovers), "no leftovers in the fixture")
    done = install("--disk", image, "--zfs", "--image", "bootarea.bin", cwd=d)
    check("has more devices than were named (3 of these vdevs" in done.stderr, done.stderr)
    install("verify", "--disk", image, "--image", "bootarea.bin", cwd=d)
    # Another one comes over it.
    other = shutil.copy(os.path.join(d, image), os.path.join(d, "other.img"))
    poke(d, image, 2048 * 512 + AREA, random.Random(1).randbytes(AREA_SIZE))
    check("no slot boots" in install("verify", "--disk", image, cwd=d, status=1).stderr, "verify after the loss")
    install("--refresh", "--disk", image, "--disk", other, cwd=d)
    install("verify", "--disk", image, "--disk", other, "--image", "bootarea.bin", cwd=d)


@row
def zfs_disks_come_and_go(d):
    # `zpool replace` puts a blank disk in; a hook calls --refresh.
    images = [pool_disk(d, f"zmirror-{i}") for i in (1, 2)]
    kept = keep(d, images)
    bits(d)
    bits(d, "next.bin", seed=7)
    install(*all_disks(images), "--zfs", "--image", "bootarea.bin", cwd=d)
    done = install("--disk", images[1], "--zfs", "--image", "next.bin", cwd=d)  # the first disk is missing
    check("more devices than were named" in done.stderr, done.stderr)
    check("another version" in install("verify", *all_disks(images), cwd=d, status=1).stderr, "verify of two versions")
    install("--refresh", *all_disks(images), cwd=d)
    install("verify", *all_disks(images), "--image", "next.bin", cwd=d)
    shutil.copy(kept[images[0]], os.path.join(d, images[0]))
    install("verify", *all_disks(images), cwd=d, status=1)
    dry = install("--refresh", "--dry-run", *all_disks(images), cwd=d).stdout
    check(images[0] in dry and f"{images[1]}: write" not in dry, f"dry run: {dry!r}")
    install("--refresh", *all_disks(images), cwd=d)
    install("verify", *all_disks(images), "--image", "next.bin", cwd=d)
    only_allowed(d, images[0], kept[images[0]], 2048 + 1024, AREA_SIZE // 512)
    again = install("--refresh", *all_disks(images), cwd=d).stdout
    check(again.count("up to date") == 2, again)
    numbers = [f[f["boots"].replace(" ", "_") + "_sequence"] for f in status(d, *images)]
    check(numbers == [2, 2], f"one number on all disks: {numbers}")


@row
def zfs_refusals(d):
    bits(d)
    one, two = pool_disk(d, "zlz4"), pool_disk(d, "zmirror-1")
    gpt_disk(d, [(LINUX, 2048, 60000)])
    mbr_disk(d)
    args = ("--zfs", "--image", "bootarea.bin")
    refuses("--disk", "gpt.img", *args, cwd=d, says="gpt.img: holds no vdev of a pool")
    refuses("--disk", one, "--disk", "mbr.img", *args, cwd=d, says="mbr.img: holds no vdev of a pool")
    refuses("--disk", one, "--disk", two, *args, cwd=d, says="belongs to pool zmirror, not to zlz4")
    refuses("--disk", one, "--pool", "zones", *args, cwd=d, says="no vdev of that pool")
    refuses("--disk", one, "--disk", one, *args, cwd=d, says="is locked by another program")
    refuses("--disk", one, "--refresh", cwd=d, says="none of the disks has boot bits")
    refuses("--disk", "bootarea.bin", *args, cwd=d, says="holds no vdev of a pool")
    refuses("--disk", "none.img", *args, cwd=d, says="none.img: No such file")
    refuses("--disk", "/dev/null", *args, cwd=d, says="/dev/null: is neither a disk nor an image file")
    start = vdev_start(one)
    poke(d, one, start + AREA + 5000 * 512, b"boot loader")
    refuses("--disk", one, *args, cwd=d, says=r"something unknown lies there already, from sector 8072 on \(--force")
    install("--disk", one, *args, "--force", cwd=d)
    # A file system over old labels; labels of which only the last two are left.
    poke(d, two, start + 1080, b"\x53\xef")
    refuses("--disk", two, *args, cwd=d, says="a file system was made over a pool's vdev")
    poke(d, two, start + 1080, bytes(2))
    poke(d, two, start, bytes(2 * LABEL))
    refuses("--disk", two, *args, cwd=d, says="labels are damaged")


@row
def zfs_labels_damaged_in_part(d):
    # Two of four labels are as good as four.
    image = pool_disk(d, "zmirror-2")
    bits(d)
    start, end = vdev_start(image), (208896 * 512) & ~(LABEL - 1)
    poke(d, image, start + 30000, b"damage")
    poke(d, image, start + end - 2 * LABEL + 20000, b"damage")
    kept = keep(d, [image])
    install("--disk", image, "--zfs", "--image", "bootarea.bin", cwd=d)
    only_allowed(d, image, kept[image], 2048 + 1024, AREA_SIZE // 512)


@row
def zfs_zdb(d):
    pools, zdb = os.environ.get("ZFS_POOLS"), shutil.which("zdb", path=os.environ["PATH"] + ":/sbin:/usr/sbin")
    if not pools or not zdb:
        raise Skip("needs zdb and whole pools (ZFS_POOLS)")
    bits(d)
    for names in POOLS:
        images = []
        for n in names:
            subprocess.run(["cp", "--sparse=always", os.path.join(pools, n + ".img"), d], check=True)
            images.append(n + ".img")
        install(*all_disks(images), "--zfs", "--image", "bootarea.bin", cwd=d)
        folder = os.path.join(d, "vdevs-" + names[0])
        os.mkdir(folder)
        for i in images:  # zdb reads bare vdevs
            size = os.path.getsize(os.path.join(d, i)) - vdev_start(i) - 16384 * 512
            with open(os.path.join(folder, i), "wb") as f:
                f.write(peek(d, i, vdev_start(i), size & ~(LABEL - 1)))
        done = subprocess.run([zdb, "-e", "-p", folder, "-bcc", names[0].split("-")[0]], capture_output=True, text=True, timeout=300)
        check(done.returncode == 0, f"zdb: {(done.stdout + done.stderr)[-300:]!r}")
