# SPDX-License-Identifier: MPL-2.0
"""Sticks as people make them: bin/usb.img with script and anchors by `signet embed`, written by dd, files dropped by mtools."""
import os
import subprocess
from dataclasses import dataclass

import fixtures

SIZE = 256 << 20  # of the stick, larger than the image
PARTITION = 2048 * 512


@dataclass
class Stick:
    script: str  # embedded
    files: dict  # name in the folder "signet", or a whole path: text, or the path of a file under build/qemu/fixtures
    bus: str = "usb-ehci"  # the machine's controller
    trust: tuple = ("alice",)


def _run(*command):
    done = subprocess.run(command, capture_output=True, text=True, env=dict(os.environ, MTOOLS_SKIP_CHECK="1"))
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(command)}: {done.stderr.strip()}")


def make(stick, folder):
    image, path, script = (os.path.join(folder, n) for n in ("usb.img", "stick.img", "stick.ipxe"))
    fixtures.payload.write(script, stick.script.encode())
    trust = [arg for key in stick.trust for arg in ("--trust", fixtures.path(key + ".pub"))]
    _run(fixtures.SIGNET, "embed", "--script", script, *trust, os.path.join(fixtures.TOP, "bin/usb.img"), "-o", image)
    with open(path, "wb") as f:
        f.truncate(SIZE)
    _run("dd", f"if={image}", f"of={path}", "bs=1M", "conv=notrunc,sparse")
    for name, content in stick.files.items():
        file = fixtures.path(content)
        if "\n" in content:
            file = os.path.join(folder, "dropped")
            fixtures.payload.write(file, content.encode())
        _run("mcopy", "-i", f"{path}@@{PARTITION}", file, f"::{os.path.join('/signet', name)}")
    return path


def host_options(row, folder):
    """The same for signet-host."""
    return ["--disk", make(row.stick, folder)] if row.stick else []


def options(row, folder):
    """QEMU's options for the row's stick: what the machine starts from."""
    if not row.stick:
        return ()
    return ("-device", row.stick.bus, "-drive", f"if=none,id=stick,format=raw,file={make(row.stick, folder)}",
            "-device", "usb-storage,drive=stick,removable=on,bootindex=0")
