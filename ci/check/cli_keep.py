# SPDX-License-Identifier: MPL-2.0
"""The rows of ci/check/cli about keep, and about standard files that are closed."""
import hashlib
import os
import stat
import struct
import subprocess

from cli_base import artefact, shared, signet, write
from rows import SIGNET, Skip, check, loop_device, row


def keep_mark():
    head = b"SGNTIMGS" + struct.pack("<I", 1) + bytes(52)
    return (head + hashlib.sha256(head).digest()).ljust(8192, b"\0")


@row
def keep_marks_an_empty_partition_once(folder):
    path, size = os.path.join(folder, "part"), (4 << 20) + 512
    with open(path, "wb") as f:
        f.truncate(size)
    check("now" in signet("keep", path).stdout, "does not say so")
    with open(path, "r+b") as f:
        data = f.read()
        check(len(data) == size and data[:8192] == keep_mark() and data[2 << 20:(2 << 20) + 8192] == keep_mark(), "the marks are not there")
        check(data.count(0) >= size - 2 * 50, "something else was written")
        f.seek(3 << 20)
        f.write(b"a copy's bytes")
    check("already" in signet("keep", path).stdout, "marks it again")
    with open(path, "rb") as f:
        f.seek(3 << 20)
        check(f.read(6) == b"a copy", "a copy was lost")


@row
def closed_standard_files(d):
    """A program that is started without standard output or error must not take the first file that it opens for that, and write its
    messages into it."""
    jobs = {"place": ("keep", "place"), "img": ("mkimage", "-o", "img", "--key", shared("alice.key"), "-N", "x", "-i", shared("garbage")),
            "nbp": ("embed", "--clear", shared("bare"), "-o", "nbp"), "k.pub": ("keygen", "-f", "-o", "k")}
    with open(os.path.join(d, "place"), "wb") as f:
        f.truncate(1 << 20)
    for closed in ("<&-", ">&-", "2>&-", "<&- >&-", "<&- 2>&-", ">&- 2>&-", "<&- >&- 2>&-"):
        for file, job in jobs.items():
            if file == "place":
                write(os.path.join(d, file), bytes(1 << 20))
            done = subprocess.run(["sh", "-c", f'exec "$@" {closed}', "sh", SIGNET, *job], cwd=d, capture_output=True, timeout=60)
            # What was to be said and could not is a failure; embed says nothing.
            check(done.returncode == (1 if ">&-" in closed.split() and file != "nbp" else 0), f"{job} {closed}: status {done.returncode}")
            with open(os.path.join(d, file), "rb") as f:
                data = f.read()
            check(data.startswith({"place": b"SGNTIMGS", "img": b"SIGNET", "nbp": artefact()[:100], "k.pub": b"-----BEGIN"}[file]),
                  f"{job} {closed}: begins with {data[:40]!r}")


@row
def keep_wants_the_type_that_machines_look_for(folder):
    disk, first, second = os.path.join(folder, "disk"), os.path.join(folder, "first"), os.path.join(folder, "second")
    table = b"".join(struct.pack("<4xB3xII", kind, at, 8192) for kind, at in ((0x83, 2048), (0xda, 10240)))
    with open(disk, "wb") as f:
        f.write(bytes(446) + table + bytes(32) + b"\x55\xaa")
        f.truncate(16 << 20)
    with loop_device(disk, "--partscan") as loop:
        for number, path in ((1, first), (2, second)):
            subprocess.run(["addpart", loop, str(number), str(2048 + 8192 * (number - 1)), "8192"], capture_output=True)
            name = os.path.basename(loop)
            if not os.path.exists(f"/sys/block/{name}/{name}p{number}"):
                raise Skip("no partitions of loop devices")
            with open(f"/sys/block/{name}/{name}p{number}/dev", encoding="ascii") as f:
                os.mknod(path, 0o600 | stat.S_IFBLK, os.makedev(*map(int, f.read().split(":"))))
        for args in ([], ["--force"]):
            check(f"sfdisk --part-type {loop} 1 da" in signet("keep", *args, first, status=1).stderr, "another type is no place")
        with open(disk, "rb") as f:
            f.seek(2048 * 512)
            check(f.read(8192 * 512) == bytes(8192 * 512), "something was written")
        check("is a place for local copies now" in signet("keep", second).stdout, "the right type")


@row
def keep_refuses_a_file_that_is_a_loop_device(folder):
    path = os.path.join(folder, "part")
    with open(path, "wb") as f:
        f.truncate(4 << 20)
    with loop_device(path) as loop:
        for args in ([], ["--force"]):
            check(f"is in use as {loop}" in signet("keep", *args, path, status=1).stderr, "written behind the device's back")
        with open(path, "rb") as f:
            check(f.read() == bytes(4 << 20), "something was written")
        check("now" in signet("keep", loop).stdout, "not by the device either")


@row
def keep_refuses_what_others_use(folder):
    path = os.path.join(folder, "part")
    for at in (0, 512, 1024, 4096, 16384, 2 << 20, (4 << 20) - 1):
        data = bytearray(4 << 20)
        data[at] = 0x5A
        with open(path, "wb") as f:
            f.write(data)
        check("--force" in signet("keep", path, status=1).stderr, "does not say what helps")
        with open(path, "rb") as f:
            check(f.read() == data, f"with a byte at {at} something was written")
    signet("keep", "--force", path)
    with open(path, "rb") as f:
        check(f.read(8192) == keep_mark(), "not even by force")
    table = bytearray(4 << 20)
    table[446 + 4], table[446 + 9], table[446 + 13], table[510:512] = 0xDA, 8, 8, b"\x55\xaa"
    with open(path, "wb") as f:
        f.write(table)
    check("partition table" in signet("keep", path, status=1).stderr, "a whole disk")
    with open(path, "wb") as f:
        f.truncate(8192)
    check("too small" in signet("keep", path, status=1).stderr, "8 KiB")
    signet("keep", folder, status=1)
    signet("keep", status=2)
