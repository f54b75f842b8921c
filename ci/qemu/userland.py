# SPDX-License-Identifier: MPL-2.0
"""Initramfs archives with programs of the host in them: the libraries that these need, and kernel modules with all that they
depend on, in the order in which they must be loaded."""
import glob
import os
import re
import subprocess

import payload


def libraries(program, roots=()):
    """The shared libraries of a program, and the loader. `roots`: unpacked packages that have some of them."""
    folders = [folder for root in roots for folder in glob.glob(f"{root}/usr/lib/*-linux-gnu")]
    done = subprocess.run(["ldd", program], capture_output=True, text=True, env=dict(os.environ, LD_LIBRARY_PATH=":".join(folders)))
    return [] if done.returncode != 0 else re.findall(r"(/\S+) \(0x", done.stdout)  # ldd fails for a static program


def depends(data):
    """The modules that a module names as those it needs (its section .modinfo)."""
    found = re.search(rb"(?:^|\0)depends=([^\0]*)\0", data)
    return [name for name in found[1].decode().split(",") if name] if found else []


def modules(root, names):
    """[(name, module)] in the order in which they must be loaded. What the kernel has built in is left out."""
    with open(glob.glob(f"{root}/**/modules.builtin", recursive=True)[0], encoding="ascii") as f:
        builtin = {os.path.basename(line.strip())[:-3].replace("-", "_") for line in f}
    found = {}

    def take(name):
        if name in found or name in builtin:
            return
        data = payload.module(root, name.replace("_", "[-_]"))
        for other in depends(data):
            take(other)
        found[name] = data

    for name in names:
        take(name)
    return list(found.items())


class Userland(payload.Cpio):
    """Busybox, `init` (a file of ci/qemu/guest) as the first process, and the modules, whose order is lib/modules/order."""

    def __init__(self, init, root, module_names):
        super().__init__()
        self.folders, self.libraries = set(), set()
        self.add("init", os.path.join(payload.TOP, "ci/qemu/guest", init))
        self.folder("dev")
        self.device("dev/console", 5, 1)
        self.device("dev/ttyS0", 4, 64)
        self.add("bin/busybox", next(b for b in payload.BUSYBOX if os.path.exists(b)))
        found = modules(root, module_names)
        for name, data in found:
            self.put(f"lib/modules/{name}.ko", data)
        self.put("lib/modules/order", "".join(name + "\n" for name, _ in found).encode())

    def put(self, path, data, mode=0o644):
        """A file, with the folders above it."""
        parts = path.split("/")
        for i in range(1, len(parts)):
            folder = "/".join(parts[:i])
            if folder not in self.folders:
                self.folders.add(folder)
                self.folder(folder)
        self.file(path, data, mode)

    def add(self, path, source):
        """A file of the host, executable."""
        self.put(path, payload.read(source), 0o755)

    def program(self, path, source, roots=()):
        """A program of the host, or of a package in `roots`, with its libraries where its loader looks for them."""
        self.add(path, source)
        for library in libraries(source, roots):
            root = next((r for r in roots if library.startswith(r + "/")), "")
            where = library[len(root):].lstrip("/")
            if where not in self.libraries:
                self.libraries.add(where)
                self.add(where, library)
