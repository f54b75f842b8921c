# SPDX-License-Identifier: MPL-2.0
"""The rows of ci/check/cli about kernels as distributions pack them, and which machines an image starts."""
import bz2
import gzip
import lzma
import os
import random
import struct
import subprocess

import cli_base as base


def arm64(flags=0xa, memory=0x40000, stub=True):
    """A file with the header of an arm64 Image."""
    data = bytearray(random.Random(3).randbytes(0x20000))
    struct.pack_into("<IIQQQQQQII", data, 0, 0x91005a4d if stub else 0x91005a00, 0x14000000, 0, memory, flags, 0, 0, 0, 0x644d5241, 0x40)
    return bytes(data)


def zboot(packed, codec):
    """An EFI zboot file: PE headers of an application, and in its section the packed kernel."""
    data = bytearray(base.application(machine=0xaa64, size=1024 + len(packed)))
    struct.pack_into("<4sII", data, 4, b"zimg", 1024, len(packed))
    data[24:24 + len(codec)] = codec
    data[1024:] = packed
    return bytes(data)


def stub_kernel(major):
    """A bzImage with an EFI stub of that image version."""
    data = bytearray(base.kernel())
    head = base.application()[:0x98 + 240]
    data[:2] = b"MZ"
    struct.pack_into("<I", data, 0x3c, 0x40)
    data[0x40:0x40 + len(head) - 0x80] = head[0x80:]
    struct.pack_into("<H", data, 0x46, 0)  # sections
    struct.pack_into("<H", data, 0x58 + 44, major)
    return bytes(data)


def make(d, *args):
    done = base.signet("mkimage", "-o", "img", "--key", base.shared("alice.key"), *args, cwd=d)
    return base.fields(done.stdout), base.fields(base.signet("lookimage", "--trust", base.shared("alice.pub"), "img", cwd=d).stdout)


@base.row
def kernels_that_are_packed(d):
    plain = arm64()
    base.write(os.path.join(d, "Image"), plain)
    base.write(os.path.join(d, "initrd"), b"12345")
    args = ("-N", "x", "--initrd", "initrd")
    bare, seen = make(d, *args, "--kernel", "Image")
    for name, data in (("Image.gz", gzip.compress(plain)), ("vmlinuz.efi", zboot(gzip.compress(plain), b"gzip"))):
        base.write(os.path.join(d, name), data)
        packed, now = make(d, *args, "--kernel", name)
        base.check(packed["target"] == "linux-arm64" and packed["payload size"] == bare["payload size"], f"{name}: {packed}")
        for field in ("size", "memory", "offset"):
            base.check(now[f"part 0 {field}"] == seen[f"part 0 {field}"], f"{name}: {field} {now}")
    # What is packed need not be an arm64 kernel.
    base.write(os.path.join(d, "bz.gz"), gzip.compress(base.kernel()))
    base.check(make(d, "--kernel", "bz.gz")[0]["target"] == "linux-x86", "bzImage in gzip")
    with open(os.path.join(d, "img"), "rb") as f:
        base.check(base.kernel()[:4096] in f.read(), "the kernel is not in the image")


@base.row
def kernels_that_cannot_be_taken_are_named(d):
    plain, packed = arm64(), gzip.compress(arm64())
    command = "; unpack it first: .*>Image"
    for name, data, says in (
            ("k.xz", lzma.compress(plain), "is compressed by xz; unpack it first: xz -dc k.xz >Image"),
            ("k.bz2", bz2.compress(plain), "is compressed by bzip2" + command),
            ("k.lzma", lzma.compress(plain, lzma.FORMAT_ALONE), "is compressed by lzma" + command),
            ("k.zst", b"\x28\xb5\x2f\xfd" + plain, "is compressed by zstd" + command),
            ("k.lz4", b"\x02\x21\x4c\x18" + plain, "is compressed by lz4" + command),
            ("odd.efi", zboot(plain, b"snappy"), "is an EFI zboot kernel, compressed by \"snappy\", which is not known"),
            ("cut.gz", packed[:-100], "is compressed by gzip and ends too early"),
            ("bad.gz", packed[:30000] + bytes(1000) + packed[31000:], "is compressed by gzip and damaged"),
            ("cut.efi", zboot(packed, b"gzip")[:-1], "is an EFI zboot kernel and ends too early"),
            ("zst.gz", gzip.compress(b"\x28\xb5\x2f\xfd" + plain), "is compressed by zstd"),
            ("none.gz", gzip.compress(b""), "is empty when it is unpacked"),
            ("vmlinux", b"\x7fELF" + plain, "is an ELF file, such as vmlinux"),
            ("initrd", b"070701" + plain, "is a cpio archive: --initrd takes it"),
            ("fit", b"\xd0\x0d\xfe\xed" + plain, "FIT image"), ("uboot", b"\x27\x05\x19\x56" + plain, "is a U-Boot image"),
            ("nostub", arm64(stub=False), "is an arm64 kernel that cannot be booted"),
            ("old", arm64(memory=0), "is an arm64 kernel that cannot be booted")):
        base.write(os.path.join(d, name), data)
        base.refuses("mkimage", "-o", "img", "--key", base.shared("alice.key"), "--kernel", name, says=f"{name}: .*{says}" if name != "k.xz"
                     else says, cwd=d)
    # The command for a zboot file is run: what it makes is the kernel.
    # Whatever the file is called.
    for name in ("xz.efi", "my kernel.efi", "it's $(touch x);`y`.efi", "-n.efi", "k.xz", "my kernel.xz", "&.xz", "'.xz", "-d.xz"):
        base.write(os.path.join(d, name), zboot(lzma.compress(plain), b"xzkern") if name.endswith(".efi") else lzma.compress(plain))
        said = base.refuses("mkimage", "-o", "img", "--key", base.shared("alice.key"), f"--kernel={name}", says="compressed by xz", cwd=d)
        subprocess.run(["sh", "-ec", said.stderr.split("unpack it first: ")[1]], cwd=d, check=True, timeout=30)
        with open(os.path.join(d, "Image"), "rb") as f:
            base.check(f.read() == plain, f"{name}: the command makes something else")
        os.unlink(os.path.join(d, "Image"))
    base.check(not os.path.exists(os.path.join(d, "x")), "a file's name was run as a command")
    base.write(os.path.join(d, "two\nlines.xz"), lzma.compress(plain))
    done = base.signet("mkimage", "-o", "img", "--key", base.shared("alice.key"), "--kernel", "two\nlines.xz", cwd=d, status=1)
    base.check("xz -dc FILE >Image" in done.stderr, done.stderr)


@base.row
def kernels_with_many_sections(d):
    count = 96
    data = bytearray(base.application(size=65536))
    table = 0x98 + 240
    entry = data[table:table + 40]
    for i in range(count):
        data[table + 40 * i:table + 40 * i + 40] = entry
    struct.pack_into("<8sIIII", data, table + 40 * (count - 1), b".linux", 16, 0x1000, 16, 60000)
    struct.pack_into("<H", data, 0x86, count)
    base.write(os.path.join(d, "uki.efi"), bytes(data))
    for option in ("--kernel", "--efi"):
        made, seen = make(d, option, "uki.efi")
        base.check(made["target"] == "efi-x64" and seen["part 0 kind"] == "application", f"{option}: {made} {seen}")


@base.row
def kernels_and_the_doors_they_start_through(d):
    for name, data in (("bare", base.kernel()), ("old", stub_kernel(0)), ("new", stub_kernel(1)), ("arm", arm64()), ("app", base.application()),
                       ("initrd", b"12345")):
        base.write(os.path.join(d, name), data)
    initrd = ("--initrd", "initrd")
    for args, doors in ((("--kernel", "bare"), "BIOS (the kernel has no EFI stub)"), (("--kernel", "old"), "BIOS, UEFI"),
                        (("--kernel", "old", *initrd), "BIOS (the kernel's EFI stub takes no initrd from Signet)"),
                        (("--kernel", "new", *initrd), "BIOS, UEFI"), (("--kernel", "arm", *initrd), "UEFI"), (("--efi", "app"), "UEFI"),
                        (("-i", "initrd"), None)):
        made = make(d, *args)[0]
        base.check(made.get("starts in") == doors, f"{args}: {made}")
