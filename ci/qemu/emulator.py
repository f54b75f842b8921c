# SPDX-License-Identifier: MPL-2.0
"""A QEMU whose emulated x86 processor has the SHA extensions (10 or newer): the host's own; on Debian 12 that of its
backports, unpacked and not installed, with the host's libraries and ROMs."""
import os
import re
import subprocess

import fixtures

OWN = "qemu-system-x86_64"
NEEDED = 10
FOLDER = os.path.join(fixtures.TOP, "build/qemu-newer")
SUITE = "bookworm-backports"
ROMS = ["/usr/share/qemu", "/usr/share/seabios", "/usr/lib/ipxe/qemu"]


def version(command):
    """The major version, or why there is none."""
    done = subprocess.run([*command, "--version"], capture_output=True, text=True)
    found = re.search(r"version (\d+)\.", done.stdout)
    return int(found.group(1)) if found else (done.stderr.strip().splitlines() or ["it does not say its version"])[-1]


def newer():
    """The command of that QEMU as it was prepared."""
    own = version([OWN])
    if isinstance(own, int) and own >= NEEDED:
        return [OWN]
    return [os.path.join(FOLDER, "usr/bin", OWN)] + [word for folder in ROMS for word in ("-L", folder)]


def prepare():
    """None, or why it cannot be had here."""
    if newer() == [OWN]:
        return None
    done = subprocess.run([os.path.join(fixtures.TOP, "ci/fetch-deb"), "--suite", SUITE, "qemu-system-x86", FOLDER],
                          capture_output=True, text=True)
    if done.returncode != 0:
        return f"no QEMU {NEEDED} (emulated SHA extensions): " + (done.stderr.strip().splitlines() or ["?"])[-1]
    found = version(newer())
    return None if isinstance(found, int) and found >= NEEDED else f"no QEMU {NEEDED} (emulated SHA extensions): {found}"
