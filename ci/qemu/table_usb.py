# SPDX-License-Identifier: MPL-2.0
"""The rows that start from a USB stick without any network, in BIOS and UEFI machines.

What a person dropped into the folder "signet" of it is tried in one boot: an image with a bit changed, one that a stranger
signed (whose key lies beside it), and the sound one.
"""
from dataclasses import replace

import usb

NO_NETWORK = "rtl8139,romfile="  # a card without a ROM, and without a driver in Signet: nothing that a BIOS or OVMF could use
EMBEDDED = "#!ipxe\necho ROW-FAILED: the embedded script\n"
REFUSED = "#!ipxe\nchain tampered.img\n"
AUTOEXEC = """#!ipxe
chain tampered.img && echo ROW-FAILED || echo REFUSED-TAMPERED
chain foreign.img && echo ROW-FAILED || echo REFUSED-FOREIGN
chain absent.img || echo REFUSED-ABSENT
chain The%20image.img || echo ROW-FAILED
"""
IN_FOLDER = {"autoexec.ipxe": AUTOEXEC}
BESIDE = {"/EFI/BOOT/autoexec.ipxe": AUTOEXEC.replace("chain ", "chain ../../signet/"), "autoexec.ipxe": EMBEDDED}


def stick(image, scripts):
    return usb.Stick(EMBEDDED, {"trust.pub": "mallory.pub", "tampered.img": "forged/bit-in-data", "foreign.img": "forged/wrong-key",
                                "The image.img": image, **scripts}, "qemu-xhci")


def rows(table):
    good = next(row for row in table if row.name == "e1000")
    base = replace(good, nic=NO_NETWORK, servers=[], expect=good.expect + (
        "running .*autoexec.ipxe", r"\[S16\](?s:.*)REFUSED-TAMPERED(?s:.*)\[S07\](?s:.*)REFUSED-FOREIGN(?s:.*)\[G04\](?s:.*)REFUSED-ABSENT",
        r"file: reading /signet/The image\.img"), forbid=good.forbid + ("ROW-FAILED",))
    refused = usb.Stick("#!ipxe\necho ROW-END\n", {"autoexec.ipxe": REFUSED, "tampered.img": "forged/bit-in-data"}, "usb-ehci")
    on_console = base.expect[len(good.expect):]
    return [
        replace(base, name="host-usb", about="the core as a Linux process, with the stick as its disk", machine="host", group="host",
                stick=stick("images/good", IN_FOLDER), expect=on_console, after=(("placed", "good"),)),
        replace(base, name="usb-bios", about="usb.img as a USB stick on xHCI, SeaBIOS: autoexec.ipxe and images from its folder; no network",
                stick=stick("images/good", IN_FOLDER), expect=base.expect + ("disk: Signet from slot A",)),
        # EHCI as QEMU emulates it takes a minute for the image: nothing large is read from it.
        replace(base, name="usb-bios-refused", about="a stick on EHCI, SeaBIOS: its damaged image is refused, the embedded script follows",
                stick=refused, boots="", end="ROW-END", forbid=("SIGNET-BOOT-OK",),
                expect=(r"\[S16\]", "file://boot/signet/autoexec.ipxe ended; the embedded script follows")),
        replace(base, name="usb-efi", about="the same stick, OVMF", firmware="usb", memory=512, stick=stick("images/good", IN_FOLDER)),
        replace(base, name="usb-efi-arm64", about="AAVMF on arm64, to an arm64 Linux: autoexec.ipxe beside the binary comes first",
                firmware="usb-arm64", memory=512, boots="arm64", stick=stick("images/arm64", BESIDE), deadline=240),
    ]
