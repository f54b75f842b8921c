# SPDX-License-Identifier: MPL-2.0
"""The guest that installs Signet onto an EFI system partition (guest/install-esp), with bin/signet and Debian's efibootmgr, which
is unpacked and not installed."""
import glob
import os
import subprocess

import fixtures
import payload
import userland

FOLDER = os.path.join(fixtures.TOP, "build/payload-install")
MODULES = ["vfat", "nls_cp437", "nls_ascii", "efivarfs"]
# Folder -> options of ci/fetch-deb: the libraries' packages have other names in Debian 13.
PACKAGES = {"efibootmgr": [], "libefivar": ["--depends", "libefivar1*"], "libefiboot": ["--depends", "libefiboot1*"]}


def prepare():
    """None, or why it cannot be had here."""
    for name, options in PACKAGES.items():
        done = subprocess.run([os.path.join(fixtures.TOP, "ci/fetch-deb"), *options, "efibootmgr", os.path.join(FOLDER, name)],
                              capture_output=True, text=True)
        if done.returncode != 0:
            return "no efibootmgr for the guest: " + (done.stderr.strip().splitlines() or ["?"])[-1]
    return None


def image(folder):
    """The signed image for a row, which installs the row's artefact, and an older version of it before."""
    artefact, old = os.path.join(folder, "tftp/ipxe.efi"), os.path.join(folder, "old.efi")
    fixtures.run(fixtures.SIGNET, "embed", "--clear", "--trust", fixtures.path("alice.pub"), artefact, "-o", old)
    system = userland.Userland("install-esp", os.path.join(fixtures.PAYLOAD, "kernel"), MODULES)
    system.program("bin/signet", fixtures.SIGNET)
    system.program("bin/efibootmgr", glob.glob(f"{FOLDER}/efibootmgr/**/bin/efibootmgr", recursive=True)[0],
                   [os.path.join(FOLDER, name) for name in PACKAGES])
    system.add("install/ipxe.efi", artefact)
    system.add("install/old.efi", old)
    initrd, result = os.path.join(folder, "install.img"), os.path.join(folder, "installer")
    payload.write(initrd, system.bytes())
    fixtures.mkimage("installer", initrds=(initrd,), file=result)
    return payload.read(result)
