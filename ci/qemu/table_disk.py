# SPDX-License-Identifier: MPL-2.0
"""The rows that start from a disk in a BIOS machine: MBR, stage, slot, and a signed image from the disk or the network."""
from dataclasses import replace

import disk
import fixtures

NO_NETWORK = "rtl8139,romfile="  # a card without a ROM, and without a driver in Signet: nothing that a BIOS could use
NO_ROM = ",romfile="
FROM_DISK = "#!ipxe\nchain disk: || echo ROW-FAILED\necho ROW-END\n"
FROM_NETWORK = "#!ipxe\ndhcp && chain p2://10.50.0.2/good || echo ROW-FAILED\n"
LEAVES = "#!ipxe\ndhcp && imgfetch p2://10.50.0.2/good && imgfree && echo SIGNET-FROM-DISK\n"
BY_ROM = ("disk: Signet from slot", "brought up by its ROM")
NATIVELY = ("disk: Signet from slot", r"net: net0 .*\((e1000|virtio-net|igb|vmxnet3)\)\n")
# SeaBIOS's serial console sends a text's last bytes late, from its timer, and on a busy host some are lost when Signet takes
# over ("damaged, not entere" was seen): rows with bios_text look for the beginning of what the stage says.
SLOT_A, SLOT_B = "disk: Signet from slot A", "disk: Signet from slot B"


REUSED = (r"keep: \d+ of \d+ KiB are on the disk already",)


def keep_rows(good):
    """The local copy: kept from the network, booted without it, then the server's newer image, of which little is fetched."""
    def script(uri):
        return f"#!ipxe\nset keep disk:\ndhcp\nchain {uri} || chain disk: || echo ROW-FAILED\n"

    def then(most, *expect, name="tiny"):
        return (disk.Again("kill", expect=("disk: slot A, sequence 1",)),
                disk.Again("replace", fixtures.COUNTER + 1, expect=(f"keep: {name} is in slot B on .* now, sequence 2",) + expect,
                           after=(("kept", 0, 1, f"images/{name}"), ("kept", 1, 2, f"newer/{name}"), ("sent_at_most", "a", most))))

    server = replace(good.servers[0], images=["tiny"])
    base = replace(good, servers=[server], boots="tiny", forbid=("ROW-FAILED",), after=(("kept", 0, 1, "images/tiny"),),
                   expect=("keep: tiny is in slot A on .* now, sequence 1",))
    p2 = script("p2://10.50.0.2/tiny")
    reused = then(250000, *REUSED)
    counted = tuple(replace(start, after=start.after + (("bodies_at_most", "a", 20000),)) if start.before == "replace" else start
                    for start in reused)
    host = replace(base, machine="host", group="host", disks=(disk.Data("images", image="", sector=4096),))
    options = [f"--dhcp-option=encap:175,{option}" for option in ("80,10.50.0.2", "81,tiny", "83,disk:")]
    return [
        replace(base, name="disk-keep-stranger", script="#!ipxe\necho ROW-FAILED\n", dhcp=options, after=(("stranger_whole",),),
                about="DHCP asks for a copy on an MBR's partition of type da with an md RAID 1.2 label: not a byte is written",
                disk=disk.Disk(drivers="firmware", stranger=bytes.fromhex("fc4e2ba901") + bytes(range(1, 255)) * 16),
                expect=(r"keep: .*\[D07\]",) + BY_ROM),
        replace(base, name="disk-keep", script="#!ipxe\necho ROW-FAILED\n", disk=disk.Disk(p2, table="gpt"), again=reused,
                expect=base.expect + NATIVELY,
                about="a network image is kept by INT 13h writes; boots with the server dead; of the next one little is fetched"),
        replace(host, name="host-keep", about="the same by the default script and three DHCP options, on sectors of 4096 bytes", script=None,
                dhcp=options, again=reused),
        replace(host, name="host-keep-http", about="the same over HTTP without ranges: all is sent, nothing is hashed that is not new",
                servers=[replace(server, kind="http")], again=then(8 << 20, *REUSED), script=script("http://10.50.0.2:8080/tiny")),
        replace(host, name="host-keep-ranges", about="the same over HTTP with ranges: less than 20 KB of bodies",
                servers=[replace(server, kind="ranges")], again=counted, script=script("http://10.50.0.2:8080/tiny")),
        replace(host, name="host-keep-tftp", about="the same over TFTP: the transfer ends behind the last byte that is missing", boots="early",
                expect=("keep: early is in slot A on .* now, sequence 1",), after=(("kept", 0, 1, "images/early"),),
                servers=[replace(server, kind="tftp", images=["early"])], script=script("tftp://10.50.0.2/early"),
                again=then(1 << 20, *REUSED, name="early")),
    ]


def rows(table):
    good = next(row for row in table if row.name == "e1000")
    base = replace(good, nic=NO_NETWORK, servers=[], after=(), boots="good", forbid=("ROW-FAILED",), expect=(SLOT_A,),
                   disk=disk.Disk(FROM_DISK, image="good"))
    refused = replace(base, boots="", end="ROW-END", forbid=("SIGNET-BOOT-OK",))
    to_network = replace(good, expect=good.expect)
    # From the disk to the network: should the BIOS come to its PXE ROM, the Signet there has another script.
    by_rom = replace(good, script="#!ipxe\necho ROW-FAILED\n", expect=good.expect + BY_ROM)

    def on(row, name, about, spec, **other):
        return replace(row, name="disk-" + name, about=about, disk=spec, **other)

    def spec(**other):
        return replace(base.disk, **other)

    return [
        on(base, "gap", "MBR, boot area in its gap, an image from a partition; no network", spec()),
        on(base, "bios-boot", "GPT, a BIOS boot partition, an image by partition type; no network", spec(table="gpt")),
        on(base, "default-script", "the default script goes on to the disk when there is no network", spec(script=None, table="gpt"),
           expect=(SLOT_A, "10ec:8139 has no PXE ROM in memory", "only local sources are left", "next: the disks")),
        on(refused, "network-rom-refuses", "a PXE ROM whose UNDI loader fails: said, and the script goes on without the card",
           spec(image="", script="#!ipxe\ndhcp || echo ROW-END\n", drivers="firmware"), nic="e1000,romfile=" + fixtures.path("refusing.rom"),
           expect=(r"8086:100e by its ROM at [0-9a-f]+: .*\[N11\]", r"\[N01\]")),
        on(replace(by_rom, servers=[]), "network-silent", "a card by its ROM, but no server answers: the default script goes on to the disk",
           spec(script=None, drivers="firmware"), expect=good.expect + BY_ROM + (r"\[P01\]", "next: the disks")),
        on(base, "selectors", "an image by number, label, PARTUUID, type and range; what is not there says so",
           spec(table="gpt", script="#!ipxe\n" + "".join(
               f"imgfetch disk:{s} && echo FOUND-{n} || echo MISSED-{n}\nimgfree\n" for n, s in enumerate((
                   "part=2", "///label=images", "//0/partuuid=41414141-4141-4141-4141-414141414141",
                   "//boot/type=b1af5327-949a-469d-89ed-531f50f35610", "range=4096+40960", "part=3", "label=none", "//7/part=2",
                   "range=131000+1000", "part=1", "range=4096+1000", "part=x"))) + "chain disk:\n"),
           expect=tuple(f"FOUND-{n}" for n in range(5)) + tuple(f"MISSED-{n}" for n in range(5, 12)) +
           (r"D02", r"D01", r"S01", r"G09", r"N07")),
        on(base, "first-table-damaged", "the GPT's first copy is damaged: the one at the end is used", spec(table="gpt", damage=("T+560",)),
           expect=(SLOT_A, "trying the copy at its end")),
        on(base, "slot-a-damaged", "a bit of slot A's Signet is wrong: B boots and says so", spec(bios_text=True, damage=("A+70000",)),
           expect=("slot A: damaged, not", SLOT_B, "slot A is damaged and was passed over")),
        on(base, "stage-a-damaged", "a bit of slot A's stage is wrong: the MBR goes on to B's", spec(bios_text=True, damage=("A+5000",)),
           expect=("Signet MBR: slot damaged", SLOT_B, "slot A is damaged and was passed over")),
        on(base, "header-a-damaged", "a bit of slot A's header is wrong: B boots", spec(bios_text=True, damage=("A+20",)),
           expect=("slot A: header", SLOT_B)),
        on(base, "trial-confirmed", "a newer slot on trial starts an image and is confirmed", spec(trial=True),
           expect=(SLOT_B + r" \(sequence 2\).*, on trial", "disk: slot B confirmed"), after=(("slot_tries", "B", disk.CONFIRMED),)),
        on(refused, "trial-counted", "a slot on trial that starts nothing has one try less",
           spec(trial=True, image="", script="#!ipxe\necho ROW-END\n"), expect=(SLOT_B,), after=(("slot_tries", "B", 2),)),
        on(refused, "image-tampered", "a bit of the image on the disk is wrong: refused as over the network", spec(damage=("I+9000000",)),
           expect=(r"\[S16\]", "ROW-FAILED")),
        on(refused, "image-untrusted", "an image on the disk that no anchor signed", spec(trust=("mallory",)),
           expect=(r"\[S07\]", "ROW-FAILED")),
        on(by_rom, "network-virtio", "virtio-net brought up by its own PXE ROM", spec(script=FROM_NETWORK, image="", drivers="firmware"),
           nic="virtio-net-pci"),
        on(by_rom, "network-two-cards", "two cards brought up by two ROMs, both open; the second has no cable",
           spec(script="#!ipxe\nifopen net1\n" + FROM_NETWORK[7:], image="", second_card="e1000", drivers="firmware"), nic="rtl8139",
           expect=good.expect + BY_ROM + ("10ec:8139 brought up(?s:.*)8086:100e brought up",)),
        *[on(by_rom, "network-no-rom-" + nic.split("-")[0], f"{nic} without a ROM, driven natively", spec(script=FROM_NETWORK, image=""),
             nic=nic + NO_ROM, newer=nic == "igb", expect=good.expect + NATIVELY) for nic in ("e1000", "virtio-net-pci", "igb", "vmxnet3")],
        on(by_rom, "network-mixed", "a card by its ROM and one natively, both open; the second has no cable",
           spec(script="#!ipxe\nifopen net1\n" + FROM_NETWORK[7:], image="", second_card="e1000"), nic="rtl8139",
           expect=good.expect + BY_ROM + (r"net: net0 .*\(undi\)\n(?s:.*)net1 .*\(e1000\)\n",)),
        on(by_rom, "network-natively-two", "two e1000, both natively and open; the second has no cable",
           spec(script="#!ipxe\nifopen net1\n" + FROM_NETWORK[7:], image="", second_card="e1000"),
           expect=good.expect + NATIVELY + (r"net1 .*\(e1000\)\n",)),
        on(base, "install-gap", "the boot bits by signet install, into the gap", spec(install="--gap")),
        on(base, "install-bios-boot", "the boot bits by signet install, into a BIOS boot partition, with an update",
           spec(install="--bios-boot", table="gpt", updates=2), expect=(r"disk: Signet from slot . \(sequence 2\)",)),
        on(base, "zfs", "a real pool's disk: the boot bits in its ZFS boot area; the image on a disk of its own",
           spec(install="--zfs", pool=("zlz4",), table="gpt"), expect=(r"disk: Signet from slot .* of BIOS disk 80h",)),
        on(base, "zfs-mirror-degraded", "a mirror whose first disk is missing: the second boots",
           spec(install="--zfs", pool=("zmirror-1", "zmirror-2"), missing=1, table="gpt"), expect=("disk: Signet from slot",)),
        on(base, "zfs-raidz-degraded", "raidz1 of three, the first two disks pulled: the third boots",
           spec(install="--zfs", pool=("zraidz-1", "zraidz-2", "zraidz-3"), missing=2, table="gpt"), expect=("disk: Signet from slot",)),
        on(base, "zfs-update-damaged", "a pool's disk after an update whose slot got damaged: the version before boots",
           spec(install="--zfs", pool=("zefi",), table="gpt", updates=2, damage=("B+70000",), bios_text=True),
           expect=("slot B: damaged, not", SLOT_A, "slot B is damaged and was passed over")),
        on(to_network, "both-damaged", "both slots damaged: says so, and the BIOS goes on to its PXE ROM",
           spec(bios_text=True, damage=("A+70000", "B+70000")),
           expect=good.expect + ("slot A: damaged(?s:.*)slot B: damaged(?s:.*)no intact slot on this disk; next boot device",)),
        on(to_network, "both-stages-damaged", "both stages damaged: the MBR says so, and the BIOS goes on to its PXE ROM",
           spec(bios_text=True, damage=("A+5000", "B+5000")), expect=good.expect + ("Signet MBR: no slot left",)),
        on(to_network, "leaves", "Signet from the disk ends; the BIOS goes on to its PXE ROM", spec(script=LEAVES),
           expect=good.expect + (SLOT_A, "SIGNET-FROM-DISK") + NATIVELY),
        on(to_network, "leaves-undi", "the same after it had the card by its ROM", spec(script=LEAVES, drivers="firmware"),
           expect=good.expect + (SLOT_A, "SIGNET-FROM-DISK") + BY_ROM),
        # What needs no machine: the core as a Linux process.
        replace(good, name="host-disk", about="images from disks with sectors of 512 (damaged: refused) and 4096 bytes; no network",
                machine="host", group="host", servers=[], disks=(disk.Data("old", damage=9000000), disk.Data("new", sector=4096)),
                script="#!ipxe\nchain disk://7/ || chain disk:label=none || chain disk: || echo ROW-FAILED\n", forbid=("ROW-FAILED",),
                expect=(r"\[D01\]", r"\[D02\]", r"old of host disk 0(?s:.*)\[S16\](?s:.*)new of host disk 1"), after=(("placed", "good"),)),
    ] + keep_rows(good)
