# SPDX-License-Identifier: MPL-2.0
"""The rows of iPXE's scripts: files that lie on a site's web server, unchanged, with their seals beside them.

ci/qemu/scripts/ has nine scripts as people write them for iPXE. Each runs as it is."""
import os
from dataclasses import dataclass, replace

import fixtures
import nbp

BASE = "http://10.50.0.1/boot"
VMLINUZ, INITRD, PART = (os.path.join(fixtures.PAYLOAD, name) for name in ("vmlinuz", "initrd.img", "part.img"))
FILES = (("boot/vmlinuz", VMLINUZ), ("boot/initrd.img", INITRD), ("boot/extra.img", PART))


@dataclass
class Site:
    """What lies on the web server of the bridge: files (path, text or the absolute path of a file), seals (path, options of `signet seal`), and
    those that `signet seal --from-script` makes of a script (its text)."""
    files: tuple = FILES
    seals: tuple = ()
    sealed_by: str = ""


def seal(cmdline, *allow, initrds=(INITRD,), path="boot/vmlinuz.seal"):
    options = ["--kernel", VMLINUZ, "--cmdline", cmdline]
    for initrd in initrds:
        options += ["--initrd", initrd]
    for pattern in allow:
        options += ["--allow", pattern]
    return path, tuple(options)


# As the installer's own documentation has it, with a serial console in place of a screen.
INSTALLER = (f"kernel {BASE}/linux priority=low console=ttyS0 --- quiet", f"initrd {BASE}/initrd.gz", "boot || echo ROW-FAILED")
INSTALLER_FILES = tuple(("boot/" + name, os.path.join(nbp.INSTALLER, name)) for name in ("linux", "initrd.gz"))


def text(name):
    return fixtures.payload.read(os.path.join(fixtures.TOP, "ci/qemu/scripts", name + ".ipxe")).decode()


WITH_RENDERED = FILES + (("boot/2-rendered.ipxe", text("2-rendered")),)


def rows(table):
    good = next(row for row in table if row.name == "e1000")
    base = replace(good, machine="host", group="host", servers=[], expect=(), after=(), boots="vmlinuz", forbid=("ROW-FAILED",),
                   dhcp=("--dhcp-option=12,rack1",))

    def row(number, name, about, sealed_by="", files=FILES, **more):
        """The script, and the seals that `signet seal --from-script` makes of it, or of the one that it leads to."""
        return replace(base, name=f"host-script-{number}", about=f"{name}: {about}", script=text(f"{number}-{name}"),
                       site=Site(files, sealed_by=text(sealed_by or f"{number}-{name}")), **more)

    scripts = [
        row(1, "profile", "asks a server for the machine's own script, which is the second one", "2-rendered",
            files=FILES + (("boot/profile", text("2-rendered")),), expect=(r"command line: console=ttyS0 quiet signet\.name",),
            after=(("asked", r"(?m)^GET /boot/profile\?uuid=[^&]*&mac=52-54-00-\S+&host=rack1&serial=[^&]*&arch=\w+ 0$"),)),
        replace(row(2, "rendered", "arguments, named initrds, one of them a file of the archive, boot by name", files=WITH_RENDERED,
                    expect=(r"command line: console=ttyS0 quiet signet\.name",), after=(("asked", r"(?m)^GET /boot/vmlinuz\.seal 0$"),)),
                script=table_script("dhcp", f"chain {BASE}/2-rendered.ipxe")),
        row(6, "installer", "a mirror in a setting, several initrds, arguments with settings",
            expect=(r"command line: priority=low console=ttyS0 BOOTIF=01-52-54-00-\S+ hostname=rack1 signet\.name", r"vmlinuz counter 7, ")),
        row(4, "menu", "a menu with hot keys, gaps and a time, after which its default starts",
            expect=(r"command line: console=ttyS0 quiet signet",)),
        row(3, "retry", "counters and branches, and the boot at the first try"),
    ]
    spaces = row(5, "spaces", "blanks made by a hex setting, labels assembled from settings, a menu out of them", "2-rendered",
                 files=WITH_RENDERED + (("boot/5-spaces.ipxe", text("5-spaces")),))
    scripts += [replace(spaces, name="script-5", machine="pc", group="check", script=table_script("dhcp", f"chain {BASE}/5-spaces.ipxe"),
                        expect=("chosen: boot_pcbios", r"main is complete"))]
    arch = row(7, "arch", "branches by platform, architecture and CPU feature; the kernel of the first choice is not there",
               expect=(r"BIOS on x86_64, ", r"seal: none at 10\.50\.0\.1/boot/x86_64/vmlinuz\.seal"))
    local = row(8, "local", "the disk first, which sanboot refuses to start unsealed: the way out; a key: the network", "2-rendered",
                files=WITH_RENDERED)
    ask = row(9, "ask", "a name and a password are asked for and posted; the answer is a script", "2-rendered",
              files=FILES + (("boot/enroll", text("2-rendered")),))
    scripts += [replace(arch, name="script-7", machine="pc", group="check"),
                replace(local, name="script-8", machine="pc", group="check", typed=(("Press n", "<n>"),), expect=(r"main is complete",)),
                replace(local, name="script-8-local", machine="pc", group="check", boots="", site=None,
                        end="boot: leaving Signet for the next boot device", expect=("sanboot: not here; `exit` goes to",)),
                replace(ask, name="script-9", machine="pc", group="check", typed=(("(?i)user ?name", "joe"), ("joe", "secret 1")),
                        expect=(r"main is complete",),
                        after=(("asked", r"(?m)^POST /boot/enroll 0 user=joe&pass=secret%201&mac=52%3A54%3A00%3A\S+&asset=\S*$"),))]
    files = replace(base, name="files-http", machine="pc", group="check", about="a kernel and its initrds by HTTP, a seal by TFTP named before",
                    script=table_script("dhcp", "seal tftp://10.50.0.1/debian.seal", f"initrd {BASE}/initrd.img", f"initrd {BASE}/extra.img",
                                        f"kernel {BASE}/vmlinuz console=ttyS0 quiet no_timer_check", "boot || echo ROW-FAILED"),
                    site=Site(FILES, (seal(fixtures.payload.GUEST_CMDLINE, initrds=(INITRD, PART), path="../tftp/debian.seal"),)),
                    expect=("GUEST-PART-OK blob",))
    linux, initrd = (path for _, path in INSTALLER_FILES)
    installer = replace(files, name="debian-installer", about="Debian's installer, files of its package as they are, to its first screen",
                        group="large", programs=("installer",), memory=1024, deadline=900, boots="", end="(?i)choose language|select a language",
                        script=table_script("dhcp", *INSTALLER), expect=("linux is complete",),
                        site=Site(INSTALLER_FILES, (("boot/linux.seal", ("--kernel", linux, "--initrd", initrd, "--allow", "priority=*",
                                                                         "--cmdline", "console=ttyS0 --- quiet")),)))
    return scripts + [
        files,
        installer,
        replace(files, name="files-wrong", machine="host", group="host", boots="vmlinuz",
                about="wrong files, arguments that are not allowed, an unsealed kernel: each refused, then the right ones boot",
                script=table_script("dhcp", f"kernel {BASE}/initrd.img || echo REFUSED-1", "seal tftp://10.50.0.1/debian.seal",
                                    f"kernel {BASE}/vmlinuz init=/bin/sh || echo REFUSED-2", f"kernel {BASE}/extra.img || echo REFUSED-3",
                                    f"kernel {BASE}/vmlinuz", "boot || echo REFUSED-4", f"initrd {BASE}/extra.img || echo REFUSED-5",
                                    f"initrd {BASE}/initrd.img && initrd {BASE}/extra.img", f"initrd {BASE}/extra.img || echo REFUSED-6",
                                    "boot || echo ROW-FAILED"),
                expect=(r"\[S24\](?s:.*)REFUSED-1(?s:.*)\[S23\](?s:.*)REFUSED-2(?s:.*)\[S16\](?s:.*)REFUSED-3(?s:.*)\[B15\](?s:.*)REFUSED-4(?s:.*)"
                        r"\[S16\](?s:.*)REFUSED-5(?s:.*)\[S22\](?s:.*)REFUSED-6",)),
        replace(files, name="efi-files", firmware="uefi-pxe", about="the same under UEFI, with the seal beside the kernel",
                script=table_script("dhcp", f"kernel {BASE}/vmlinuz initrd=initrd.img {fixtures.payload.GUEST_CMDLINE}", f"initrd {BASE}/initrd.img",
                                    f"initrd {BASE}/extra.img", "boot || echo ROW-FAILED"),
                site=Site(FILES, (seal(fixtures.payload.GUEST_CMDLINE, initrds=(INITRD, PART)),))),
    ]


def table_script(*lines):
    return "#!ipxe\n" + "\n".join(lines) + "\n"
