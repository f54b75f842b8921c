# SPDX-License-Identifier: MPL-2.0
"""The rows in which Signet is the PXE of other people's boot programs: sealed, chained from a script, and back again when they return."""
from dataclasses import replace

import disk
import fixtures
import nbp
import payload
import table_rom

TFTP = "tftp://10.50.0.1"
# What a program fetches by itself comes from the TFTP server that it came from. The kernel is not under a seal there.
LINUX = tuple(("tftp", name, f"{fixtures.PAYLOAD}/{name}") for name in ("vmlinuz", "initrd.img", "part.img"))
KERNEL = (("tftp", "kernel", nbp.TINY_KERNEL),)  # of little to load: it prints its command line, which is this one
TINY = f"SIGNET-BOOT-OK name={{}} counter={fixtures.COUNTER}"
SYSLINUX = (("tftp", "ldlinux.c32", f"{nbp.SYSLINUX}/ldlinux.c32"),)
TEST_FILE = (("tftp", "nbptest.dat", nbp.TEST_FILE),)


def cmdline(name):
    return f"{payload.GUEST_CMDLINE} signet.name={name} signet.counter={fixtures.COUNTER}"


PXELINUX_CONFIG = ("SERIAL 0 115200\nDEFAULT web\nLABEL web\n  KERNEL vmlinuz\n  APPEND initrd=initrd.img,part.img {}\n")
PXELINUX_BACK = "SERIAL 0 115200\nDEFAULT web\nLABEL web\n  KERNEL absent\n  ONERROR back\nLABEL back\n  LOCALBOOT {}\n"
GRUB_CONFIG = """serial --unit=0 --speed=115200
terminal_output serial console
set timeout=1
menuentry "NBP-GRUB-ENTRY" {{
  linux (pxe)/{}
  {}
}}
"""
IPXE_LINUX = """#!ipxe
kernel vmlinuz initrd=initrd.img initrd=part.img {}
initrd initrd.img
initrd part.img
boot
"""
IPXE_BACK = "#!ipxe\nexit\n"
IPXE_DHCP = ("--dhcp-userclass=set:ipxe,iPXE", "--dhcp-boot=tag:ipxe,script.ipxe")


def chained(*names, failed="echo ROW-FAILED"):
    """The first that starts."""
    return "#!ipxe\ndhcp\n" + "".join(f"chain {TFTP}/{name} || {failed}\n" for name in names)


def tests(last):
    """nbptest six times in one machine, each with another end, the last of which leads to the next boot device; what the row must show."""
    lines, shown = ["dhcp"], []
    for name, good in (("success", True), ("failure", False), ("int18", False), ("rough", True), ("unload", True)):
        back, other = ("NBP-BACK", "ROW-FAILED") if good else ("ROW-FAILED", "NBP-BACK")
        lines.append(f"chain {TFTP}/test-{name} && echo {back} {name} || echo {other} {name}")
        shown.append(r"nbp: done, 0 failed(?s:.*)" + ("" if good else r"\[B09\](?s:.*)") + f"NBP-BACK {name}")
    lines += [f"chain {TFTP}/test-damaged && echo ROW-FAILED || echo NBP-DAMAGED",
              f"chain {TFTP}/test-success.0 && echo ROW-FAILED || echo NBP-UNSEALED",
              f"chain {TFTP}/test-{last}", "echo ROW-FAILED"]
    shown.append(r"\[S16\](?s:.*)NBP-DAMAGED(?s:.*)\[S01\](?s:.*)NBP-UNSEALED(?s:.*)nbp: done, 0 failed(?s:.*)disk: Signet from slot A")
    return "#!ipxe\n" + "\n".join(lines) + "\n", ("(?s:.*)".join(shown),)


def rows(table):
    good = next(row for row in table if row.name == "e1000")
    tiny = [replace(good.servers[0], images=["tiny"])]
    next_device = disk.Disk("#!ipxe\nchain disk: || echo ROW-FAILED\n", image="tiny", last=True)
    broken = good.forbid + ("nbp: done, [1-9]",)

    def nbp_row(name, about, programs, boots, script, tftp=(), files=(), **other):
        other.setdefault("expect", ("GUEST-PART-OK blob",))
        other.setdefault("servers", [])
        other.setdefault("deadline", 180)
        return replace(good, name="nbp-" + name, about=about, programs=programs, boots=boots, script=script, tftp=tuple(f"nbp/{n}" for n in tftp),
                       files=files, forbid=broken, **other)

    def from_rom(name, about, *arguments, kind="e1000", device=None, **other):
        return nbp_row(name, about, *arguments, rom=table_rom.Rom(kind), nic=table_rom.CARD.format(device or kind), boot_file=False, **other)

    def tested(make, name, about, last="stop", **other):
        script, shown = tests(last)
        images = tuple(f"test-{end}" for end in nbp.TEST_ENDS) + ("test-damaged", "test-success.0")
        return make(name, about, ("test",), "tiny", script, images, TEST_FILE, expect=shown, disk=next_device, **other)

    def pxelinux(make, name, about, program="pxelinux", **other):
        return make(name, about, ("pxelinux",), program, chained(program), (program,),
                    LINUX + SYSLINUX + (("tftp", "pxelinux.cfg/default", PXELINUX_CONFIG.format(cmdline(program))),), **other)

    def grub(make, name, about, *kernel, **other):
        files = (("tftp", "boot/grub.cfg", GRUB_CONFIG.format(*kernel or (f"kernel {TINY.format('grub')}", ""))),)
        other.setdefault("expect", ("NBP-GRUB-ENTRY",))
        return make(name, about, ("grub",), "grub", chained("grub"), ("grub",), (LINUX if kernel else KERNEL) + files, **other)

    def ipxe(make, name, about, boots, script, **other):
        return make(name, about, ("ipxe",), boots, chained("ipxe"), ("ipxe",), LINUX + (("tftp", "script.ipxe", script),), dhcp=IPXE_DHCP,
                    after=(("tftp_sent", "script.ipxe"),), **other)

    def signet(make, name, about, program="signet", driver="e1000", **other):
        return make(name, about, ("signet",), "good", chained(program), (program,), servers=good.servers,
                    expect=("GUEST-PART-OK blob", rf"net: net0 .* \(e1000\)\n(?s:.*)net: net0 .* \({driver}\)\n(?s:.*)INNER-SIGNET"), **other)

    def nest(make, name, about, program, shown, **other):
        script = f"#!ipxe\ndhcp\nchain {TFTP}/{program} && echo NBP-BACK || echo ROW-FAILED\nchain p2://10.50.0.2/tiny || echo ROW-FAILED\n"
        return make(name, about, ("test", "nest"), "tiny", script, ("nest-1", "nest-2", "nest-undi", "test-peer"), TEST_FILE, servers=tiny,
                    expect=(shown + "(?s:.*)NBP-BACK",), **other)

    def back(make, name, about, number, result, **other):
        script = (f"#!ipxe\ndhcp\nchain {TFTP}/pxelinux && echo NBP-SUCCESS || echo NBP-FAILURE\n"
                  "chain p2://10.50.0.2/tiny || echo ROW-FAILED\n")
        return make(name, about, ("pxelinux",), "tiny", script, ("pxelinux",),
                    SYSLINUX + (("tftp", "pxelinux.cfg/default", PXELINUX_BACK.format(number)),), expect=(result,), servers=tiny, **other)

    peer = nbp_row("test-peer", "nbptest on QEMU's stock ROM, which passes all but what only Signet is asked for", ("test",), "", "",
                   ("test-peer.0",), TEST_FILE, boot_file=False, dhcp=("--dhcp-boot=test-peer.0",), embed=False,
                   expect=("ok nbp-file-read", "nbp: done, 0 failed"), end="nbp: done", group="large")
    linux = {"group": "large", "expect": ("GUEST-PART-OK blob",)}
    return [
        tested(from_rom, "test", "a program that asks for all that PXE promises, on Signet from a card's flash: each end, a boot afterwards",
               kind="virtio-net", device="virtio-net-pci"),
        tested(nbp_row, "test-undionly", "the same on top of undionly.kpxe, which has taken its card over from the stock ROM", nic="virtio-net-pci",
               last="stop-hooked"),
        pxelinux(from_rom, "pxelinux", "Debian's pxelinux, sealed, boots Linux from its own configuration"),
        grub(from_rom, "grub", "GRUB's core image for PXE, sealed, shows its menu and boots a kernel"),
        ipxe(from_rom, "ipxe", "Debian's undionly.kpxe, sealed: DHCP and a script over Signet's UNDI, which ends by STOP_UNDI: the disk's turn",
             "tiny", IPXE_BACK, expect=("boot: starting ipxe(?s:.*)disk: Signet from slot A",), disk=next_device, deadline=90),
        signet(from_rom, "signet", "Signet's own undionly.kpxe, sealed: it takes the card over from Signet and boots an image"),
        nest(from_rom, "nest", "Signet on Signet on Signet, and nbptest on top: each comes back to the one below", "nest-1",
             "NEST-nest-1(?s:.*)NEST-nest-2(?s:.*)nbp: done, 0 failed(?s:.*)NEST-BACK-nest-2(?s:.*)NEST-BACK-nest-1"),
        # Below: what the rows above show, with other cards and doors, and Linux.
        nest(from_rom, "nest-undi", "Signet by Signet's UNDI, which passes the API below it on to nbptest, and comes back", "nest-undi",
             "NEST-nest-undi(?s:.*)nbp: done, 0 failed(?s:.*)NEST-BACK-nest-undi", group="large"),
        signet(from_rom, "signet-undi", "the same told to leave the card to UNDI, which is Signet's", program="signet-undi", driver="undi",
               group="large"),
        *[tested(from_rom, f"test-{kind}", f"the test from the flash of {kind}", kind=kind, group="large", **other)
          for kind, other in (("e1000", {}), ("vmxnet3", {}), ("e1000e", {"machine": "q35"}), ("igb", {"newer": True}))],
        pxelinux(from_rom, "lpxelinux", "Debian's lpxelinux, which has a stack of its own over UNDI", program="lpxelinux", group="large"),
        pxelinux(nbp_row, "pxelinux-undionly", "pxelinux from undionly.kpxe", group="large"),
        grub(nbp_row, "grub-linux", "GRUB from undionly.kpxe, to Linux", f"vmlinuz {cmdline('grub')}", "initrd (pxe)/initrd.img (pxe)/part.img",
             nic="virtio-net-pci", **linux),
        ipxe(from_rom, "ipxe-linux", "Debian's undionly.kpxe, to Linux", "ipxe", IPXE_LINUX.format(cmdline("ipxe")), **linux),
        back(from_rom, "pxelinux-returns", "pxelinux finds no kernel and returns: the script goes on", 0, "NBP-SUCCESS", group="large"),
        back(from_rom, "pxelinux-int18", "pxelinux finds no kernel and ends by INT 18h: the script goes on", -1, r"\[B09\](?s:.*)NBP-FAILURE",
             group="large"),
        peer,
    ]
