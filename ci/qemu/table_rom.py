# SPDX-License-Identifier: MPL-2.0
"""The rows that start from a network card's own flash, in which Signet is the option ROM: by the BIOS's boot menu (BEV), PMM and INT 18h."""
from dataclasses import dataclass, replace

import disk

CARD = "{},romfile=ROM"  # row.py puts the row's ROM in
FROM_ROM = "rom: Signet from the option ROM of the card at 00:03.0"


@dataclass
class Rom:
    """Of which card, the one place from which its program shall be read, and whether a bit of that is wrong."""
    kind: str
    source: str = ""
    damage: bool = False


def rows(table):
    good = next(row for row in table if row.name == "e1000")

    def on(name, about, kind="e1000", device=None, source="", damage=False, **other):
        other.setdefault("expect", good.expect + (FROM_ROM, rf"net: net0 .*\({kind.replace('e1000e', 'e1000')}\)\n"))
        return replace(good, name="rom-" + name, about=about, rom=Rom(kind, source, damage), nic=CARD.format(device or kind), boot_file=False,
                       deadline=90, **other)

    def two(name, about, script, **other):
        second = ("-netdev", "hubport,id=n1,hubid=0", "-device", "e1000,romfile=ROM,addr=7,netdev=n1,mac=52:54:00:50:32:02,bootindex=2")
        return on(name, about, device="e1000,addr=9", devices=second, script=script, **other)

    asks = "#!ipxe\ndhcp && chain p2://10.50.0.2/good || echo ROW-FAILED\n"
    gives_up = "#!ipxe\ndhcp && chain p2://10.50.0.2/absent || echo SIGNET-GIVES-UP\n"
    return [
        on("e1000", "an e1000 whose flash holds Signet: one line at power-on, a boot entry, a boot"),
        on("e1000e", "an e1000e whose flash holds Signet, in a machine with PCI Express", "e1000e", machine="q35",
           expect=good.expect + ("rom: Signet from the option ROM of the card at 00:02.0",)),
        on("virtio-net", "a virtio-net whose flash holds Signet", "virtio-net", "virtio-net-pci"),
        on("igb", "an igb whose flash holds Signet: there is no other ROM for it", "igb", newer=True),
        on("vmxnet3", "a vmxnet3 whose flash holds Signet", "vmxnet3"),
        on("other-card", "another card that the same driver knows, with the ROM of its own numbers", "8086100f", "e1000-82545em",
           expect=good.expect + (FROM_ROM, r"net: net0 .* 8086:100f \(e1000\)\n")),
        on("from-flash", "the program is read from the card's flash when it is started: no copy in memory", source="flash"),
        on("from-memory", "the program is the copy that the BIOS's memory manager had room for", source="pmm"),
        on("default-script", "the default script: discovery finds the server", script=None),
        on("damaged", "a bit of the program is wrong: neither copy is run, which is said, and the BIOS goes on to the disk", damage=True, servers=[],
           disk=disk.Disk("#!ipxe\nchain disk: || echo ROW-FAILED\n", image="good", bios_text=True),
           expect=("the program cannot be read from the card's flas", "disk: Signet from slot A")),
        on("gives-up", "no server has the image: Signet ends, and the BIOS goes on to the disk", script=gives_up, group="large",
           disk=disk.Disk("#!ipxe\nchain disk: || echo ROW-FAILED\n", image="good"),
           expect=(FROM_ROM, "SIGNET-GIVES-UP", "disk: Signet from slot A")),
        on("dead-network", "no cable: Signet ends, and the BIOS goes on to the disk", monitor=("set_link n0 off",),
           script="#!ipxe\ndhcp && echo ROW-FAILED || echo SIGNET-GIVES-UP\n",
           disk=disk.Disk("#!ipxe\nchain disk: || echo ROW-FAILED\n", image="good"),
           expect=(FROM_ROM, r"\[N\d\d\](?s:.*)SIGNET-GIVES-UP", "disk: Signet from slot A")),
        on("menu", "the BIOS's boot menu shows the card by its name and its place, and starts it", devices=("-boot", "menu=on,splash-time=20000"),
           pressed=(("for boot menu", "esc"), (r"1\. Signet: e1000 +00:03\.0", "1"))),
        two("two-cards", "two cards with the ROM: the one that the BIOS starts comes first, whatever its place", asks,
            expect=good.expect + ("card at 00:09.0", r"net: net0 52:54:00:50:32:01 (?s:.*)net: net1 52:54:00:50:32:02 ")),
        two("two-cards-second", "the first one gives up: the BIOS goes on to the second, which is first then", gives_up, boots="",
            end="card at 00:07.0(?s:.*)SIGNET-GIVES-UP", forbid=("SIGNET-BOOT-OK",),
            expect=(r"card at 00:09.0(?s:.*)SIGNET-GIVES-UP(?s:.*)card at 00:07.0(?s:.*)net: net0 52:54:00:50:32:02 ",)),
    ]
