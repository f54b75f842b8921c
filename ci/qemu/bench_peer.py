# SPDX-License-Identifier: MPL-2.0
"""The iPXE that the benchmark compares with: the newest that Debian has, unpacked from its package and not installed. Where
that suite cannot be reached, the host's own package, if there is one; the table says which of them it was."""
import functools
import glob
import os
import re
import subprocess

import payload

SUITE = "sid"
FOLDER = os.path.join(payload.TOP, "build/ipxe")
HOST = "/usr/lib/ipxe"


@functools.lru_cache(maxsize=1)
def folder():
    """Where its programs lie; ends the benchmark where there is none at all."""
    done = subprocess.run([os.path.join(payload.TOP, "ci/fetch-deb"), "--suite", SUITE, "ipxe", FOLDER], capture_output=True, text=True)
    if done.returncode == 0:
        return os.path.join(FOLDER, "usr/lib/ipxe")
    if glob.glob(HOST + "/undionly.kpxe"):
        return HOST
    raise SystemExit(f"bench: no iPXE to compare with: {done.stderr.strip()[-300:]}")


def path(name):
    return os.path.join(folder(), name)


def about():
    """For the table: which iPXE it is."""
    with open(path("snponly.efi"), "rb") as f:
        found = re.search(rb"\b\d+\.\d+\.\d+\+[0-9A-Za-z.~+-]+", f.read())
    version = found.group().decode() if found else "of unknown version"
    return f"iPXE {version}" + ("" if folder() != HOST else f", the host's own, since Debian's {SUITE} could not be reached")
