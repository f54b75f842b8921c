# SPDX-License-Identifier: MPL-2.0
"""The guest that installs Signet onto an EFI system partition (guest/install-esp): an initrd with bin/signet, Debian's efibootmgr,
unpacked and not installed, and the modules for FAT and for EFI variables."""
import glob
import os
import subprocess

import fixtures
import payload

FOLDER = os.path.join(fixtures.TOP, "build/payload-install")
MODULES = ["fat", "vfat", "nls_cp437", "nls_ascii", "efivarfs"]


def prepare():
    """None, or why it cannot be had here."""
    for name, options in (("efibootmgr", []), ("libefivar", ["--depends", "libefivar1*"]), ("libefiboot", ["--depends", "libefiboot1*"])):
        done = subprocess.run([os.path.join(fixtures.TOP, "ci/fetch-deb"), *options, "efibootmgr", os.path.join(FOLDER, name)],
                              capture_output=True, text=True)
        if done.returncode != 0:
            return "no efibootmgr for the guest: " + (done.stderr.strip().splitlines() or ["?"])[-1]
    return None


def found(pattern):
    return glob.glob(os.path.join(FOLDER, pattern), recursive=True)


def image(folder):
    """The signed image for a row, which installs the row's artefact; an older version of it first."""
    artefact, old = os.path.join(folder, "tftp/ipxe.efi"), os.path.join(folder, "old.efi")
    fixtures.run(fixtures.SIGNET, "embed", "--clear", artefact, "-o", old)
    cpio = payload.Cpio()
    payload.programs(cpio, [fixtures.SIGNET] + found("efibootmgr/**/bin/efibootmgr"),
                     {os.path.dirname(library) for library in found("lib*/**/*.so.1")})
    for name in ("hooks", "install"):
        cpio.folder(name)
    cpio.file("hooks/install-esp", payload.read(os.path.join(fixtures.TOP, "ci/qemu/guest/install-esp")))
    for name in MODULES:
        cpio.file(f"lib/modules/{name}.ko", payload.module(os.path.join(fixtures.PAYLOAD, "kernel"), name))
    for file in (artefact, old):
        cpio.file("install/" + os.path.basename(file), payload.read(file))
    initrd, result = os.path.join(folder, "install.img"), os.path.join(folder, "installer")
    payload.write(initrd, cpio.bytes())
    fixtures.mkimage("installer", initrds=("initrd.img", initrd), file=result)
    return payload.read(result)
