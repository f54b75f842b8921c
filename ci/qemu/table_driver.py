# SPDX-License-Identifier: MPL-2.0
"""Rows in which the firmware's network is Signet's own UEFI driver (ipxe/efi/driver): from a card's option ROM, or loaded by the shell."""
from dataclasses import replace

import fixtures
import table_efi

MEMORY = 512
E1000 = f"e1000,romfile={fixtures.TOP}/bin/e1000.rom"  # OVMF has no driver for it
VIRTIO = f"virtio-net-pci,romfile={fixtures.TOP}/bin/virtio-net.rom"  # and one of its own for this
SIGNED = "e1000,romfile=" + fixtures.path("driver-signed.rom")
BY_SNP = ("--drivers", "firmware")
OURS = "Signet network card driver"
IMAGE = "p2://10.50.0.2/good"
OUTSIDE = (("tftp", "autoexec.ipxe", f"#!ipxe\ndhcp\nchain {IMAGE}\n"),)


def shell(*lines):
    return "\r\n".join(["echo -off", "fs0:", *lines, ""])


def rows(table):
    good = replace(next(row for row in table if row.name == "e1000"), memory=MEMORY)
    pxe = replace(good, firmware="uefi-pxe", nic=E1000)
    by_snp = replace(pxe, policy=BY_SNP, expect=pxe.expect + (r"net0 .* PCI 8086:100e \(snp\)",))
    http = replace(good.servers[0], name="h", address="10.50.0.3", kind="http", images=[])
    loader = [replace(good.servers[0], images=["good", "apptest-load"])]
    return [
        replace(pxe, name="efi-rom-pxe", about="a card whose only driver is ours, in its option ROM: the firmware's own PXE loads Signet, which takes"
                " the card and drives it natively", expect=pxe.expect + (r"\(e1000\)",), after=(("no_dhcp_after_nbp",),)),
        replace(by_snp, name="efi-rom-snp", about="the same; Signet leaves the card to our driver, and boots by its SNP",
                after=(("no_dhcp_after_nbp",),)),
        *[replace(by_snp, name="efi-rom-" + card, about=f"{card} by its ROM and the firmware's own PXE; Signet boots by our driver's SNP",
                  nic=f"{card},romfile={fixtures.TOP}/bin/{card}.rom", newer=card == "igb", group="large" if card == "e1000e" else "check",
                  expect=pxe.expect + (rf"net0 .* PCI {numbers} \(snp\)",))
          for card, numbers in (("e1000e", "8086:10d3"), ("igb", "8086:10c9"), ("vmxnet3", "15ad:07b0"))],
        replace(by_snp, name="efi-rom-http", about="the firmware's own HTTP boot over our SNP", firmware="uefi-http", servers=good.servers + [http],
                dhcp=("--dhcp-vendorclass=set:http,HTTPClient", "--dhcp-option-force=tag:http,60,HTTPClient",
                      "--dhcp-boot=tag:http,http://10.50.0.3:8080/ipxe.efi")),
        replace(by_snp, name="efi-rom-pxe-ipv6", about="the firmware's own PXE over IPv6 and our SNP", firmware="uefi-pxe6", boots="",
                tftp=("apptest-bare",), servers=[], end="apptest-bare has ended",
                files=(("tftp", "autoexec.ipxe", "#!ipxe\ndhcp\nchain apptest-bare\n"),),
                dhcp=next(row.dhcp for row in table if row.name == "efi-pxe-ipv6"), expect=(r"the firmware's answer over IPv6",)),
        replace(pxe, name="efi-rom-leave", about="Signet drives the card natively and leaves; it is our driver's again, over which the firmware's own"
                " PXE boots", firmware="esp", script="#!ipxe\ndhcp\necho LEAVING\nexit\n", files=OUTSIDE, forbid=good.forbid,
                expect=good.expect + (r"\(e1000\)(?s:.*)LEAVING(?s:.*)Start PXE over IPv4(?s:.*)Signet ",)),
        replace(pxe, name="efi-rom-unload", about="an application calls what our driver's interface has, and unloads it; Signet takes the card back"
                " natively, and boots",
                script=f"#!ipxe\ndhcp\nchain {IMAGE[:-4]}apptest-driver || echo ROW-FAILED\nchain {IMAGE}\n",
                servers=[replace(good.servers[0], images=["good", "apptest-driver"])],
                expect=pxe.expect + ("APPTEST interface: 0 calls failed, 1 frame sent, its buffer came back",
                                     "APPTEST driver: unloaded, status 0x0; [1-9] handles before, 0 after",
                                     r"apptest-driver has ended(?s:.*)boot: starting good")),
        replace(by_snp, name="efi-rom-two", about="two cards with our ROM each, the second one by itself; no cable on the first", firmware="esp",
                nic=E1000 + ",addr=0x9,bootindex=-1", script="#!ipxe\ndhcp\nifstat\nchain p2:///apptest-bare\n",
                servers=[replace(good.servers[0], address=None, images=["apptest-bare"])], boots="", end="apptest-bare has ended",
                devices=("-netdev", "hubport,hubid=1,id=n1", "-device", E1000 + ",addr=0x8,netdev=n1,mac=52:54:00:50:32:02"),
                monitor=("set_link n1 off",), expect=("net0: 52:54:00:50:32:02 snp PCI", "net1: 52:54:00:50:32:01 snp PCI", "dhcp: net1 10.50.0")),
        replace(pxe, name="efi-rom-virtio", about="a card for which the firmware has a driver of its own: that of the ROM goes before it; its handles"
                " taken off and given back, Signet boots by its SNP", firmware="shell", nic=VIRTIO, policy=BY_SNP,
                files=(("esp", "startup.nsh", shell("connect -r", "devices", "reconnect -r", f"signet.efi {IMAGE}")),),
                expect=good.expect + (r"Signet virtio-net \(PCI 1af4:1000\)(?s:.*)net0 .* \(snp\)",)),
        *[replace(pxe, name="efi-driver-load" + name, about=f"the driver loaded by the firmware's shell, {nic.split(',')[0]}", firmware="shell",
                  nic=nic, newer=nic == "igb", policy=BY_SNP, group="large" if name else "check",
                  files=(("esp", "signet-nic.efi", fixtures.NIC_DRIVERS[0]),
                         ("esp", "startup.nsh", shell("load signet-nic.efi", "drivers", f"signet.efi {IMAGE}"))),
                  expect=good.expect + (rf"load(?s:.*)Success(?s:.*){OURS}(?s:.*)PCI {ids} \(snp\)",))
          for name, nic, ids in (("", "e1000e,romfile=", "8086:10d3"), ("-igb", "igb", "8086:10c9"), ("-vmxnet3", "vmxnet3,romfile=", "15ad:07b0"))],
        replace(by_snp, name="efi-rom-secure-boot", about="Secure Boot: Signet boots by a signed driver in the ROM, which the firmware takes as a"
                " file, too", firmware="secure", nic=SIGNED, servers=loader, files=(("esp", "vmlinuz", fixtures.path("driver.signed")),),
                script=f"#!ipxe\ndhcp\nchain {IMAGE[:-4]}apptest-load || echo ROW-FAILED\nchain {IMAGE}\n",
                expect=by_snp.expect + (r"APPTEST load: \d+ bytes, status 0x0\n",)),
        replace(by_snp, name="efi-driver-unsigned", about="Secure Boot: the firmware refuses the driver without a signature (as a file: OVMF looks at"
                " no ROM)", firmware="secure", servers=loader, files=(("esp", "vmlinuz", fixtures.NIC_DRIVERS[0]),), boots="", expect=(),
                script=f"#!ipxe\ndhcp\nchain {IMAGE[:-4]}apptest-load\n", end=r"APPTEST load: \d+ bytes, status " + table_efi.REFUSED),
        replace(by_snp, name="efi-rom-arm64", about="the same ROM in an arm64 machine: its second driver is the one", firmware="esp-arm64",
                script=f"#!ipxe\ndhcp\nchain {IMAGE[:-4]}arm64\n", boots="arm64", deadline=240,
                servers=[replace(good.servers[0], images=["arm64"])]),
    ]
