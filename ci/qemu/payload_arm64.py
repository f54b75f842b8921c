# SPDX-License-Identifier: MPL-2.0
"""The guest of the arm64 rows: Debian's arm64 cloud kernel and busybox, unpacked and not installed, and the image made of them."""
import glob
import os
import subprocess

import fixtures
import payload

FOLDER = os.path.join(fixtures.TOP, "build/payload-arm64")
FETCH = os.path.join(fixtures.TOP, "ci/fetch-deb")


def initrd(root):
    cpio = payload.Cpio()
    for folder in ["bin", "dev"]:
        cpio.folder(folder)
    cpio.device("dev/console", 5, 1)
    cpio.device("dev/ttyAMA0", 204, 64)
    busybox = next(p for p in (root + "/bin/busybox", root + "/usr/bin/busybox") if os.path.exists(p))
    cpio.file("bin/busybox", payload.read(busybox), 0o755)
    init = payload.read(os.path.join(fixtures.TOP, "ci/qemu/guest/init"))
    cpio.file("init", init.replace(b"tty=/dev/ttyS0", b"tty=/dev/ttyAMA0"), 0o755)
    return cpio.bytes()


def prepare():
    """None, or why it cannot be had here."""
    kernel, busybox = os.path.join(FOLDER, "kernel"), os.path.join(FOLDER, "busybox")
    for options in (["--arch", "arm64", "--depends", "linux-image-*-cloud-arm64", "linux-image-cloud-arm64", kernel],
                    ["--arch", "arm64", "busybox-static", busybox]):
        done = subprocess.run([FETCH, *options], capture_output=True, text=True)
        if done.returncode != 0:
            return "Debian's arm64 packages cannot be had: " + (done.stderr.strip().splitlines() or ["?"])[-1]
    image = fixtures.path("images", "arm64")
    inputs = [fixtures.SIGNET, __file__, os.path.join(fixtures.TOP, "ci/qemu/guest/init"), fixtures.path("alice.key")]
    if os.path.exists(image) and all(os.path.getmtime(i) <= os.path.getmtime(image) for i in inputs):
        return None
    payload.write(os.path.join(FOLDER, "initrd.img"), initrd(busybox))
    vmlinuz = sorted(glob.glob(f"{kernel}/boot/vmlinuz-*"))[-1]
    fixtures.run(fixtures.SIGNET, "mkimage", "-o", image, "-N", "arm64", "--counter", str(fixtures.COUNTER), "--kernel", vmlinuz,
                 "--initrd", os.path.join(FOLDER, "initrd.img"), "--initrd", os.path.join(fixtures.PAYLOAD, "part.img"),
                 "--cmdline", "console=ttyAMA0 quiet", "--key", fixtures.path("alice.key"))
    return None
