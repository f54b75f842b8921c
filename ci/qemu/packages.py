# SPDX-License-Identifier: MPL-2.0
"""Debian's packages, unpacked and not installed, for programs of other people that rows need.

A package is its name, or (package, pattern): the dependency of that one whose name the pattern fits, which a host need not have."""
import glob
import os
import subprocess

import payload


def unpack(package, folder):
    """None, or why it cannot be had."""
    name, *options = [package] if isinstance(package, str) else [package[0], "--depends", package[1]]
    done = subprocess.run([os.path.join(payload.TOP, "ci/fetch-deb"), *options, name, folder], capture_output=True, text=True)
    return None if done.returncode == 0 else (done.stderr.strip().splitlines() or ["?"])[-1]


def unpack_all(packages, stem):
    """Into STEM-0, STEM-1, ... None, or which of them cannot be had, and why."""
    for number, package in enumerate(packages):
        reason = unpack(package, f"{stem}-{number}")
        if reason:
            return f"no {package if isinstance(package, str) else package[0]}: {reason}"
    return None


def libraries(stem):
    """Where their libraries are, for LD_LIBRARY_PATH."""
    return ":".join(sorted({os.path.dirname(path) for path in glob.glob(f"{stem}-*/usr/lib/*/*.so*")}))
