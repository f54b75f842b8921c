# SPDX-License-Identifier: MPL-2.0
"""Network bootstrap programs that rows start on top of Signet (table_nbp.py): Debian's pxelinux, GRUB and iPXE, unpacked and not
installed, Signet's own undionly.kpxe, and ipxe/bios/nbptest; each sealed, and the sealed ones in build/qemu/fixtures/nbp/."""
import glob
import os
import struct

import bench_peer
import fixtures
import forge
import packages
import payload
import tiny

FOLDER = os.path.join(fixtures.TOP, "build/nbp")
PXELINUX = os.path.join(FOLDER, "pxelinux/usr/lib/PXELINUX")
SYSLINUX = os.path.join(FOLDER, "syslinux-common/usr/lib/syslinux/modules/bios")
GRUB = os.path.join(FOLDER, "grub-pc-bin/usr/lib/grub/i386-pc")
GRUB_MODULES = "pxe tftp net normal linux configfile echo serial terminal minicmd boot".split()
# Set of programs -> the packages that it comes from; and of a package's dependencies the one that a host need not have.
PACKAGES = {"pxelinux": ["pxelinux", "syslinux-common"], "grub": ["grub-pc-bin", "grub-common", ("grub-common", "libdevmapper*")],
            "ipxe": [], "signet": [], "test": [], "nest": [], "installer": ["debian-installer-12-netboot-amd64"]}
# No program, but files for a row of table_scripts.py: Debian's installer, as its network boot has it.
INSTALLER = os.path.join(FOLDER, "debian-installer-12-netboot-amd64/usr/lib/debian-installer/images/12/amd64/text/debian-installer/amd64")

# ipxe/bios/nbptest: how each of them ends, and its file on the TFTP server.
TEST = os.path.join(fixtures.TOP, "build/bios/nbptest.bin")
TEST_MARK = b"SIGNET-NBPTEST-1"
TEST_ENDS = {"success": 0, "failure": 1, "int18": 2, "unload": 3, "stop": 4, "rough": 5, "stop-hooked": 6}
TEST_FILE = fixtures.path("nbp", "nbptest.dat")
TEST_FILE_SIZE = 300001

TINY_KERNEL = fixtures.path("nbp", "kernel")
UNDIONLY = os.path.join(fixtures.TOP, "bin/undionly.kpxe")
INNER = "#!ipxe\necho INNER-SIGNET\ndhcp && chain p2://10.50.0.2/good || echo ROW-FAILED\n"


def test_program(end, strict):
    """nbptest, told how to end, and whether to ask for what Signet alone does."""
    data = bytearray(payload.read(TEST))
    struct.pack_into("<II", data, data.index(TEST_MARK) + len(TEST_MARK), TEST_ENDS[end], strict)
    return bytes(data)


def test_file():
    return bytes((i ^ i >> 8 ^ i >> 16) & 255 for i in range(TEST_FILE_SIZE))


def grub_core():
    """The core image: its configuration is the file boot/grub.cfg of the server that it came from."""
    out = os.path.join(FOLDER, "grub.0")
    libraries = ":".join(sorted({os.path.dirname(p) for p in glob.glob(FOLDER + "/grub-common-libdevmapper/**/*.so*", recursive=True)}))
    fixtures.run("env", "LD_LIBRARY_PATH=" + libraries, os.path.join(FOLDER, "grub-common/usr/bin/grub-mkimage"), "-d", GRUB, "-O", "i386-pc-pxe",
                 "-o", out, "-p", "(pxe)/boot", *GRUB_MODULES)
    return out


def inner_signet(name, *options, text=INNER):
    script, out = os.path.join(FOLDER, name + ".ipxe"), os.path.join(FOLDER, name)
    payload.write(script, text.encode())
    fixtures.run(fixtures.SIGNET, "embed", "--script", script, "--trust", fixtures.path("alice.pub"), *options, UNDIONLY, "-o", out)
    return out


def files(kind):
    """Name -> the program, of one set."""
    if kind == "installer":
        return {}
    if kind == "pxelinux":
        return {name: os.path.join(PXELINUX, name + ".0") for name in ("pxelinux", "lpxelinux")}
    if kind == "grub":
        return {"grub": grub_core()}
    if kind == "ipxe":
        return {"ipxe": bench_peer.path("undionly.kpxe")}
    if kind == "signet":
        return {"signet": inner_signet("signet.kpxe"), "signet-undi": inner_signet("signet-undi.kpxe", "--drivers", "firmware")}
    if kind == "nest":
        # Signet, which starts Signet, which starts a program; each comes back to the one below.
        def nest(name, above, *options):
            script = (f"#!ipxe\necho NEST-{name}\ndhcp || echo ROW-FAILED\nchain tftp://10.50.0.1/{above} || echo ROW-FAILED\n"
                      f"echo NEST-BACK-{name}\nexit\n")
            return inner_signet(name + ".kpxe", *options, text=script)
        return {"nest-2": nest("nest-2", "test-peer"), "nest-1": nest("nest-1", "nest-2"),
                "nest-undi": nest("nest-undi", "test-peer", "--drivers", "firmware")}
    made = {}
    for end in TEST_ENDS:
        made[f"test-{end}"] = os.path.join(FOLDER, f"nbptest-{end}.0")
        payload.write(made[f"test-{end}"], test_program(end, 1))
    made["test-peer"] = os.path.join(FOLDER, "nbptest-peer.0")
    payload.write(made["test-peer"], test_program("success", 0))
    return made


def fetch(kind):
    """None, or which package cannot be had."""
    for package in PACKAGES[kind]:
        folder = package if isinstance(package, str) else f"{package[0]}-{package[1].rstrip('*')}"
        reason = packages.unpack(package, os.path.join(FOLDER, folder))
        if reason:
            return f"no {folder}: {reason}"
    try:
        if kind == "ipxe":
            bench_peer.folder()
    except SystemExit as reason:
        return str(reason)
    return None


@fixtures.locked
def seal(kind):
    """The images of a set, and beside the test's one with a wrong bit, one by the second implementation, and the program alone."""
    os.makedirs(FOLDER, exist_ok=True)
    os.makedirs(fixtures.path("nbp"), exist_ok=True)
    programs = files(kind)
    for name, program in programs.items():
        fixtures.run(fixtures.SIGNET, "mkimage", "-o", fixtures.path("nbp", name), "-N", name, "--counter", str(fixtures.COUNTER), "--key",
                     fixtures.path("alice.key"), "--nbp", program)
        payload.write(fixtures.path("nbp", name + ".0"), payload.read(program))
    payload.write(TINY_KERNEL, tiny.kernel())
    if kind == "test":
        payload.write(TEST_FILE, test_file())
        image = forge.Image("test-failure", [forge.nbp(test_program("failure", 1))], "", fixtures.COUNTER, target=forge.TARGET_NBP,
                            keys=[fixtures.KEYS["alice"]])
        payload.write(fixtures.path("nbp", "test-failure"), image.bytes())
        image.payload = forge.flip(image.payload, 2000)
        payload.write(fixtures.path("nbp", "test-damaged"), image.bytes())


def prepare(kind):
    """None, or why it cannot be had here."""
    reason = fetch(kind)
    if reason:
        return reason
    seal(kind)
    return None
