#!/usr/bin/env python3
# SPDX-License-Identifier: MPL-2.0
"""Builds the guest that the boot tests start: Debian's cloud kernel and a small initramfs.

Into build/payload/ (or the folder given):
  vmlinuz       Debian's linux-image-cloud-amd64, unpacked, not installed
  initrd.img    busybox, ci/qemu/guest/init and modules: ramdisk images, the TPM, UEFI variables
  part.img      a second initrd with /parts/blob and its SHA-256, so that a lost or shifted initrd shows
  ramdisk.img   8 MiB of labelled blocks, for ramdisk images
No root is needed (the cpio archives are written here, device nodes and all), and the same input gives the
same bytes. Usage: ci/qemu/payload.py [FOLDER]
"""
import glob
import hashlib
import lzma
import os
import random
import shutil
import subprocess
import sys

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
# A busy host's emulation can be too slow for the kernel's look at its timer: "IO-APIC + timer doesn't work", seen at a load of 15.
GUEST_CMDLINE = "console=ttyS0 quiet no_timer_check"
# In the order in which they must be loaded; what the kernel has built in is left out.
MODULES = ["libnvdimm", "nd_btt", "nd_pmem", "nd_e820", "tpm", "tpm_tis_core", "tpm_tis", "tpm_crb", "efivarfs"]
BUSYBOX = ["/bin/busybox", "/usr/bin/busybox"]


class Cpio:
    """Writes an initramfs archive in the "newc" format (Documentation/driver-api/early-userspace in Linux)."""

    def __init__(self):
        self.out = bytearray()
        self.ino = 0

    def _entry(self, name, mode, data=b"", rdev=(0, 0)):
        self.ino += 1
        name = name.encode() + b"\0"
        fields = [self.ino, mode, 0, 0, 1, 0, len(data), 0, 0, rdev[0], rdev[1], len(name), 0]
        self.out += b"070701" + b"".join(b"%08X" % f for f in fields) + name
        self.out += bytes(-len(self.out) % 4) + data
        self.out += bytes(-len(self.out) % 4)

    def folder(self, name):
        self._entry(name, 0o040755)

    def file(self, name, data, mode=0o644):
        self._entry(name, 0o100000 | mode, data)

    def device(self, name, major, minor):
        self._entry(name, 0o020600, b"", (major, minor))

    def bytes(self):
        self._entry("TRAILER!!!", 0)
        self.out += bytes(-len(self.out) % 512)
        return bytes(self.out)


def blob(size, seed):
    """Bytes that do not compress and are always the same."""
    return random.Random(seed).randbytes(size)


def read(path):
    with open(path, "rb") as f:
        return f.read()


def write(path, data):
    with open(path + ".new", "wb") as f:
        f.write(data)
    os.replace(path + ".new", path)


def built_in(root, name):
    lists = glob.glob(f"{root}/lib/modules/*/modules.builtin") + glob.glob(f"{root}/usr/lib/modules/*/modules.builtin")
    return any(f"/{name}.ko" in read(path).decode() for path in lists)


def module(root, name):
    found = glob.glob(f"{root}/lib/modules/*/kernel/**/{name}.ko*", recursive=True)
    found += glob.glob(f"{root}/usr/lib/modules/*/kernel/**/{name}.ko*", recursive=True)
    if not found:
        raise SystemExit(f"payload: the kernel package has no module {name}")
    data = read(found[0])
    return lzma.decompress(data) if found[0].endswith(".xz") else data  # Debian 13 compresses them


def initrd(root):
    cpio = Cpio()
    for folder in ["bin", "dev", "lib", "lib/modules"]:
        cpio.folder(folder)
    cpio.device("dev/console", 5, 1)
    cpio.device("dev/ttyS0", 4, 64)
    busybox = next((b for b in BUSYBOX if os.path.exists(b)), None)
    if not busybox:
        raise SystemExit("payload: no static busybox here; run ci/setup")
    cpio.file("bin/busybox", read(busybox), 0o755)
    cpio.file("init", read(os.path.join(TOP, "ci/qemu/guest/init")), 0o755)
    for name in [m for m in MODULES if not built_in(root, m)]:
        cpio.file(f"lib/modules/{name}.ko", module(root, name))
    return cpio.bytes()


def part(size, seed, name="blob"):
    """An initrd that the guest checks by itself."""
    data = blob(size, seed)
    cpio = Cpio()
    cpio.folder("parts")
    cpio.file(f"parts/{name}", data)
    cpio.file(f"parts/{name}.sha256", (hashlib.sha256(data).hexdigest() + "  -\n").encode())
    return cpio.bytes()


def write_labelled(path, mib):
    """MIB blocks of 1 MiB, each beginning with its number; memory for one block only."""
    body = blob(1 << 20, 7)
    with open(path + ".new", "wb") as f:
        for i in range(mib):
            label = b"SIGNET-BLOCK %08d\n" % i
            f.write(label + body[len(label):])
    os.replace(path + ".new", path)


def build(dest):
    os.makedirs(dest, exist_ok=True)
    root = os.path.join(dest, "kernel")
    subprocess.run([os.path.join(TOP, "ci/fetch-deb"), "--depends", "linux-image-*-cloud-amd64",
                    "linux-image-cloud-amd64", root], check=True)
    # What the files are made of: when none of it is newer than the result, there is nothing to do.
    inputs = [os.path.join(root, ".package"), os.path.join(TOP, "ci/qemu/guest/init"), os.path.abspath(__file__)]
    outputs = [os.path.join(dest, n) for n in ["vmlinuz", "initrd.img", "part.img", "ramdisk.img"]]
    newest = max(os.path.getmtime(i) for i in inputs)
    if all(os.path.exists(o) and os.path.getmtime(o) >= newest for o in outputs):
        return
    shutil.copyfile(sorted(glob.glob(f"{root}/boot/vmlinuz-*"))[-1], os.path.join(dest, "vmlinuz"))
    write(os.path.join(dest, "initrd.img"), initrd(root))
    write(os.path.join(dest, "part.img"), part(1 << 20, 1))
    write_labelled(os.path.join(dest, "ramdisk.img"), 8)


if __name__ == "__main__":
    build(sys.argv[1] if len(sys.argv) > 1 else os.path.join(TOP, "build/payload"))
