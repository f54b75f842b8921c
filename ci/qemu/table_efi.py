# SPDX-License-Identifier: MPL-2.0
"""The rows under UEFI: those of the BIOS table whose point is not the PXE ROM, with ipxe.efi in OVMF.

"esp" starts Signet as \\EFI\\BOOT\\BOOTX64.EFI of a disk, "shell" from the firmware's shell by startup.nsh, "uefi-pxe" by the
firmware's own PXE (DHCP and TFTP).
"""
import os
from dataclasses import replace

import fixtures
import net

import disk
import payload_install

# The smallest FAT32 that firmware takes in sectors of 4096 bytes has 65525 clusters; from 260 MiB on mkdosfs makes them larger.
ESP_4K = 258  # MiB
NO_NETWORK = "rtl8139,romfile="  # for which neither OVMF nor Signet has a driver
VIRTIO = "virtio-net-pci,romfile="  # OVMF has a driver of its own; for the others it has none and takes that of QEMU's option ROM
SNP_ONLY = "snponly.efi"  # Signet under this name leaves every card to the firmware's driver
NVME_4K = "nvme,serial=1,logical_block_size=4096,physical_block_size=4096"
MEMORY = 512  # OVMF itself takes more than a BIOS
REFUSED = "0x80000000000000(0f|1a)"  # EFI_ACCESS_DENIED, EFI_SECURITY_VIOLATION
VMLINUZ = os.path.relpath(os.path.join(fixtures.PAYLOAD, "vmlinuz"), fixtures.FOLDER)  # as the name of an image

INSTALLED = (
    r"GUEST-RUN mkdosfs (?s:.*?)GUEST-STATUS 0",
    r"partition 2, its EFI system partition, is not mounted: `mount /dev/nvme0n1p2 /boot/efi`(?s:.*?)GUEST-STATUS 1",
    r"installed \(EFI/signet/ipxe.efi, boot entry (\d+)\)(?s:.*?)GUEST-STATUS 0(?s:.*?)/install/ipxe.efi"
    r"(?s:.*?)installed \(EFI/signet/ipxe.efi, boot entry \1\)(?s:.*?)up to date \(EFI/signet/ipxe.efi, boot entry \1\)",
    r"/dev/nvme0n1: as installed(?s:.*?)GUEST-STATUS 0",
    r"x64 previous = (?s:.*?)x64 boot entry = \d+",
    r"BootOrder: (\d+),(?s:.*?)Boot\1\* Signet",
    r"reading partition 1 target of EFI disk 0 \(NVMe\)",
)

# BIOS row -> (how it is started, network card). A card whose ROM is left out has no driver but Signet's.
FROM_BIOS = {
    "two-keys": ("esp", "e1000-82545em,romfile="),
    "stranger": ("esp", "e1000e,romfile="),
    "discover-ipv4": ("esp", "vmxnet3"),
    "discover-ipv6": ("esp", "vmxnet3,romfile="),
    "failover-unplugged": ("esp", VIRTIO + ",disable-modern=on"),
    "over-http": ("esp", "e1000e"),
    "priority-tags": ("esp", VIRTIO),
    # Every row that must not boot.
    "does-not-fit": ("esp", VIRTIO),
    "tampered-over-tftp": ("esp", VIRTIO),
    "no-anchors": ("uefi-pxe", VIRTIO),
    "script-without-anchors": ("esp", VIRTIO),
    "no-server": ("esp", VIRTIO),
    "one-of-two": ("esp", VIRTIO + ",disable-legacy=on"),
    "other-product": ("esp", "e1000-82544gc,romfile="),
    "refused-tampered": ("esp", VIRTIO),
    "refused-lengths": ("esp", VIRTIO),
    "refused-lengths-too": ("esp", VIRTIO),
}


BY_SNP = ("discover-ipv4",)  # left to the driver of the card's ROM
OWN_DRIVERS = {"virtio": "virtio-net", "e1000": "e1000", "e1000e": "e1000", "igb": "igb", "vmxnet3": "vmxnet3"}


def driver(nic):
    """What the console calls it: Signet's own for the cards that it knows, the firmware's for the others."""
    model = nic.split(",")[0].split("-")[0]
    return rf"\({OWN_DRIVERS[model]}\)" if model in OWN_DRIVERS else r"\(snp\)"


def own_file(row):
    """The artefact of that row as it will be: a further name for it."""
    return os.path.join(fixtures.BUILD, row, "tftp/ipxe.efi")


def http_boot(file):
    return f"--dhcp-boot=tag:http,http://10.50.0.3:8080/{file}"


def restarts(count):
    """Signet again and again, and the shell's account of memory around it. The first start, before that, finds the
    firmware's drivers asleep: what they take when it wakes them is theirs."""
    once = "signet.efi dhcp && exit"
    return "\r\n".join(["echo -off", "fs0:", once, "memmap", f"for %i run (1 {count})", once, "endfor", "memmap", ""])


def applications(good):
    """EFI applications in sealed images."""
    server = "p2://10.50.0.2"
    lines = ["#!ipxe", "dhcp"] + [f"chain {server}/apptest || echo ROW-FAILED"] * 3
    lines += [f"chain {server}/apptest-fail || echo FAILED-IT-SAYS", f"chain {server}/inner || echo ROW-FAILED"]
    ran = r'APPTEST options "one  two" \(18 bytes\), device none, card 0x0'
    return [replace(good, name="efi-application", about="EFI applications from sealed images run, end and leave nothing behind; the last is"
                    " another Signet, which boots", firmware="esp", nic=VIRTIO, script="\n".join(lines) + "\n",
                    servers=[replace(good.servers[0], images=["good", "apptest", "apptest-fail", "inner"])],
                    expect=good.expect + (ran, r"the application ended \(status 0x0\)(?s:.*)apptest has ended", r"status 0x8000000000000",
                                          r"apptest-fail failed: .*\[B09\]", "FAILED-IT-SAYS", "INNER-SIGNET"),
                    after=(("pages_given_back", 64),)),
            # What a start takes, and what a kernel without a stub has taken, comes back while another image keeps its own.
            replace(good, name="efi-two-images",
                    about="two images in memory: one fails to start, or ends, three times, and the other one is still there and boots",
                    firmware="esp", nic=VIRTIO, servers=[replace(good.servers[0], images=["good", "apptest", "tiny"])],
                    script="\n".join(["#!ipxe", "dhcp", f"imgfetch --name web {server}/good || echo ROW-FAILED"] +
                                     [f"imgfetch {server}/tiny && imgfetch --name tool {server}/apptest || echo ROW-FAILED",
                                      "boot tiny && echo ROW-FAILED || boot tool || echo ROW-FAILED"] * 3 +
                                     ["boot tool && echo ROW-FAILED || imgstat", "boot || echo ROW-FAILED", ""]),
                    expect=good.expect + (r"\[B11\](?s:.*)apptest has ended", r'"tool" \(in memory: web\).*\[B12\]\nweb \(good\) counter 7'),
                    after=(("pages_given_back", 64),))]


def measured_rows(good):
    """With a TPM, whose event log the booted system sends back; and with the floor that a good boot raises."""
    server, shell = "10.50.0.2", "#!ipxe\ndhcp\nshell\n"
    chosen = f"#!ipxe\ndhcp\nchain p2://{server}/measured\n"
    clear = "#!ipxe\nfloor --clear && echo ROW-FAILED || echo SCRIPT-CLEARS-NOTHING\n"
    last = [f"chain p2://{server}/web-7", "chain tftp://10.50.0.1/clear.ipxe", "floor --clear", f"chain p2://{server}/web-7"]
    typed = [f"chain p2://{server}/web-8-silent", "floor", f"chain p2://{server}/web-8", *last]
    refused = r"seal: web-7 counter 7 verified[^\n]*\nfloor: web-7 has counter 7, product web is at 8 here; refused before the download[^\n]*\[S18\]"
    return [
        replace(good, name="efi-tpm", about="a TPM: the booted Linux replays the event log, with policy, both scripts, command line and image in it",
                firmware="esp", nic=VIRTIO, tpm=True, boots="measured", script="#!ipxe\nchain p2:///none\n", expect=("tpm: what decides",),
                servers=[replace(good.servers[0], images=["measured"])], files=(("esp", "EFI/BOOT/autoexec.ipxe", chosen),),
                after=(("measured", ("script", "autoexec.ipxe beside the binary", chosen), ("accepted", 0, "measured"), ("start", "measured")),)),
        replace(good, name="efi-floor", about="three boots of one machine: without a report the floor stays, with one the older image is refused,"
                " a system cannot forge it, no script and only a person clears it; all of it measured", firmware="esp", nic=VIRTIO, tpm=True,
                reboots=True, boots="web-7", script=shell, tftp=(), files=(("tftp", "clear.ipxe", clear),), deadline=420,
                servers=[replace(good.servers[0], images=["web-7", "web-8", "web-8-silent"])], typed=tuple(("signet> ", line) for line in typed),
                forbid=good.forbid + ("GUEST-FAIL",),
                expect=(r"GUEST-FORGED(?s:.*)no floor is kept(?s:.*)GUEST-REPORTED(?s:.*)product web is at 8 from now on", refused,
                        r"\[C10\](?s:.*)SCRIPT-CLEARS-NOTHING(?s:.*)SIGNET-BOOT-OK name=web-7 counter=7"),
                after=(("measured", ("raised", 8, "web"), ("script", "embedded", shell), ("line", last[0]), ("refused", 8, "web-7"),
                        ("line", last[1]), ("script", "tftp://10.50.0.1/clear.ipxe", clear), ("line", last[2]), ("cleared", 8, "web"),
                        ("line", last[3]), ("accepted", 0, "web-7"), ("start", "web-7")),)),
    ]


def arm64(good, case):
    """An arm64 machine. What the core refuses is the same code for every processor: a sample of it shows that here. Its second
    processor makes digests three times: before an application, before Signet leaves, and, started again by the firmware's
    shell, before a kernel, which must be able to turn it on."""
    tftp, server = "tftp://10.50.0.1", "p2://10.50.0.2"
    refused = {f"{tftp}/bit-in-body": r"\[S09\]", f"{tftp}/bit-in-data": r"\[S16\]", f"{server}/apptest-bare": r"\[B07\]",
               f"{server}/nbp": r"for nbp, .*\[B07\]"}
    lines = ["#!ipxe", "dhcp"]
    for uri in refused:
        name = uri.split("/")[-1]
        lines += [f"echo CASE {name}", f"chain {uri} || echo REFUSED {name}"]
    lines += ["echo CASE end", f"chain {server}/apptest-arm64 || echo ROW-FAILED", f"imgfetch {server}/arm64 || echo ROW-FAILED", "exit"]
    helped, again = r"1 more processor hashing\n(?s:.*)helped=[1-9]", rf"fs0:\EFI\BOOT\BOOTAA64.EFI {server}/arm64"
    return replace(good, name="efi-arm64", about="AAVMF on arm64, two processors, from an EFI system partition: refuses what it must,"
                   " runs an EFI application, leaves, and started again boots an arm64 Linux, which has both processors",
                   firmware="esp-arm64", nic=VIRTIO, script="\n".join(lines) + "\n", boots="arm64", deadline=240,
                   processors=2, servers=[replace(good.servers[0], images=["arm64", "apptest-arm64", "apptest-bare", "nbp"])],
                   tftp=("forged/bit-in-body", "forged/bit-in-data"), files=(("esp", "startup.nsh", again + "\r\n"),),
                   cases=tuple(replace(case, name=uri.split("/")[-1], pattern=pattern) for uri, pattern in refused.items()),
                   expect=good.expect + ("digest: SHA-256 by ARMv8 SHA2", 'APPTEST options "" \\(0 bytes\\)', "apptest-arm64 has ended",
                                         rf"{helped}(?s:.*)apptest-arm64 has ended(?s:.*){helped}(?s:.*)Signet (?s:.*){helped}",
                                         "GUEST-PROCESSORS 2\n"))


def high_memory(by_name):
    """Machines with memory above 4 GiB, which is where the plan puts ramdisks first."""
    ramdisk, large = by_name["ramdisk"], by_name["large"]
    above, uri = r"ramdisk.img: \d+ bytes at 0x1[0-9a-f]{8}\b", "p2://10.50.0.2/"
    # 512 MiB below 4 GiB and 1280 above: a program at 5 GiB, where lld-link would have it, leaves room for 1024 at most.
    split = ("-machine", "max-ram-below-4g=512M")
    return [
        replace(ramdisk, name="efi-not-in-the-midst", about="the firmware does not load Signet into the midst of high memory: a ramdisk of 1100 MiB"
                " has its place in a machine of 1792", firmware="esp", nic=VIRTIO, memory=1792, devices=split, boots="", end=r"p2: [^\n]*111\d MiB",
                servers=[replace(ramdisk.servers[0], images=["zeros"])], script=f"#!ipxe\ndhcp\nimgfetch {uri}zeros || echo ROW-FAILED\n",
                expect=(), forbid=(r"\[B03\]", "ROW-FAILED")),
        replace(ramdisk, name="efi-ramdisk", about="a ramdisk image above 4 GiB, which the guest reads from there", firmware="esp", nic=VIRTIO,
                memory=3072, script=f"#!ipxe\ndhcp\nimgfetch {uri}ramdisk\nimgstat\nboot\n", expect=ramdisk.expect + (above,)),
        replace(large, name="efi-huge", about="an image of 4.3 GiB in a machine with 8 GiB, most of it above 4 GiB, its content sampled by"
                " the guest", firmware="esp", nic=VIRTIO, memory=8192, boots="huge", servers=[replace(large.servers[0], images=["huge"])],
                script=f"#!ipxe\ndhcp\nimgfetch {uri}huge\nimgstat\nboot\n",
                expect=("GUEST-PART-OK blob", "GUEST-BLOCKS bad=0 of=4352", above.replace("ramdisk.img", "huge.raw"))),
    ]


def no_stub(by_name):
    """A kernel that only BIOS can start, in a machine with UEFI."""
    row = by_name["does-not-fit"]
    return replace(row, name="efi-no-stub", about="a kernel without an EFI stub is named as that", firmware="esp", nic=VIRTIO, memory=MEMORY,
                   servers=[replace(row.servers[0], images=["tiny"])], script=row.script.replace("/good", "/tiny"),
                   expect=(r"kernel has no EFI stub \[B11\]", "ROW-FAILED"), after=())


def rows(table):
    by_name = {row.name: row for row in table}
    good = replace(by_name["e1000"], memory=MEMORY)
    found = [
        no_stub(by_name),
        replace(good, name="efi-esp-virtio-net", about="OVMF, from an EFI system partition, virtio-net", firmware="esp", nic=VIRTIO),
        replace(good, name="efi-esp-e1000", about="OVMF, from an EFI system partition, e1000", firmware="esp"),
        replace(good, name="efi-pxe-virtio-net", about="OVMF by its own PXE, virtio-net: the lease that it got is used",
                firmware="uefi-pxe", nic=VIRTIO, after=(("no_dhcp_after_nbp",),)),
        replace(good, name="efi-pxe-e1000", about="OVMF by its own PXE, e1000", firmware="uefi-pxe"),
    ]
    found = [replace(row, expect=row.expect + (driver(row.nic),)) for row in found]
    found.append(replace(good, name="efi-igb", about="OVMF, from an EFI system partition, igb, for which it has no driver", firmware="esp", nic="igb",
                         newer=True, expect=good.expect + (driver("igb"),)))
    found.append(replace(good, name="efi-vmxnet3", about="OVMF, from an EFI system partition, vmxnet3, for which it has no driver", firmware="esp",
                         nic="vmxnet3,romfile=", expect=good.expect + (driver("vmxnet3"),)))
    found.append(replace(by_name["ping"], name="efi-ping", firmware="esp", nic=VIRTIO, memory=MEMORY))
    found += applications(good)
    found.append(arm64(good, by_name["refused-tampered"].cases[0]))
    found += high_memory(by_name)
    # Cards are numbered in the order of their places on the bus.
    found.append(replace(good, name="efi-two-cards", about="two cards, the first without a cable: DHCP and the server by the second, e1000e",
                         firmware="esp", nic="e1000e,romfile=,addr=0x9,bootindex=-1", script="#!ipxe\ndhcp\nifstat\nchain p2:///apptest-bare\n",
                         servers=[replace(good.servers[0], address=None, images=["apptest-bare"])], boots="", end="apptest-bare has ended",
                         devices=("-netdev", "hubport,hubid=1,id=n1", "-device", VIRTIO + ",addr=0x8,netdev=n1,mac=52:54:00:50:32:02"),
                         monitor=("set_link n1 off",),
                         expect=("dhcp: net0 has no link\ndhcp: net1 asks(?s:.*)dhcp: net1 10.50.0", "net0: 52:54:00:50:32:02 virtio-net PCI",
                                 "net1: 52:54:00:50:32:01 e1000 PCI", r"verified,.* from \[fe80::\S+%2\]")))
    found.append(replace(good, name="efi-sha-ni", about="OVMF, a processor with SHA extensions: SHA-256 by its own instructions",
                         firmware="esp", nic=VIRTIO, cpu="max", newer=True, expect=good.expect + ("digest: SHA-256 by SHA-NI",)))
    found.append(replace(good, name="efi-processors", about="OVMF with two more processors: they make the digests", firmware="esp", nic=VIRTIO,
                         processors=3, cpu="qemu64,hypervisor=off", expect=good.expect + ("digest: 2 more processors hashing", "helped=[1-9]")))
    server, other = "p2://10.50.0.2", "10.50.0.3"
    # For the kernel by the firmware, which is asked by a sealed application; by Signet, which is asked by its script.
    vouched = good.script.replace("chain ", f"chain {server}/apptest-load || echo ROW-FAILED\n"
                                  f"chain http://{other}:8080/vmlinuz || echo UNSEALED-REFUSED\nchain ", 1).replace("/good", "/measured")
    denied = r"BdsDxe: failed to (load|start) Boot.*(Access Denied|Security Violation)"
    refused = replace(good, nic=VIRTIO, boots="", expect=(), end=denied, memory=MEMORY)
    found += [
        replace(good, name="efi-secure-boot", about="Secure Boot: signed Signet runs, and its seal vouches for a kernel that the firmware's db"
                " does not know, which is measured; for a kernel without a seal nobody vouches", firmware="secure", nic=VIRTIO, tpm=True,
                script=vouched, boots="measured",
                servers=[replace(good.servers[0], images=["measured", "apptest-load"]),
                         replace(good.servers[0], name="h", address=other, kind="http", images=[VMLINUZ])],
                files=(("esp", "vmlinuz", os.path.join(fixtures.PAYLOAD, "vmlinuz")),),
                expect=("the seal vouches for the application", rf"APPTEST load: \d{{8}} bytes, status {REFUSED}",
                        r"no seal.*\[S01\]", "UNSEALED-REFUSED", "the seal vouches for the kernel"),
                after=(("measured", ("script", "embedded", vouched),
                        ("accepted", 0, "apptest-load"), ("vouched", 0, "apptest-load"), ("start", "apptest-load"),
                        ("accepted", 0, "measured"), ("vouched", 0, "measured"), ("start", "measured")),)),
        replace(good, name="efi-uki", about="Secure Boot: a sealed unified kernel image, which the db does not know, brings its own"
                " initrd and command line", firmware="secure", nic=VIRTIO, script=good.script.replace("/good", "/uki"), boots="uki",
                counter=0, servers=[replace(good.servers[0], images=["uki"])],
                expect=good.expect + ("the seal vouches for the application",)),
        replace(refused, name="efi-secure-boot-unsigned", about="Secure Boot: unsigned Signet is refused by the firmware",
                firmware="secure-unsigned", forbid=("Signet ",)),
        replace(refused, name="efi-secure-boot-kernel", about="Secure Boot: the same kernel without a seal is refused by the firmware",
                firmware="secure-kernel", forbid=("SIGNET-BOOT-OK", "Linux version")),
    ]
    # Scripts from outside. The embedded one is for the case that they fail.
    image, damaged = "p2://10.50.0.2/good", "tftp://10.50.0.1/bit-in-chunk"
    embedded = "#!ipxe\necho EMBEDDED-RAN\n"
    outside = replace(good, nic=VIRTIO, script=embedded, forbid=good.forbid + ("EMBEDDED-RAN",))
    http = replace(outside, firmware="uefi-http", dhcp=("--dhcp-vendorclass=set:http,HTTPClient", "--dhcp-option-force=tag:http,60,HTTPClient"),
                   servers=good.servers + [replace(good.servers[0], name="h", address=other, kind="http", images=[])])
    found += [
        replace(outside, name="efi-autoexec-esp", about="autoexec.ipxe beside the binary on the ESP comes before the embedded script",
                firmware="esp", files=(("esp", "EFI/BOOT/autoexec.ipxe", f"#!ipxe\ndhcp\nchain {image}\n"),)),
        replace(outside, name="efi-autoexec-tftp", about="autoexec.ipxe from the TFTP server, with a relative URI in it; loaded as snponly.efi,"
                " which leaves the card to the firmware's driver", firmware="uefi-pxe", tftp=("good",), dhcp=("--dhcp-boot=" + SNP_ONLY,),
                files=(("tftp", "autoexec.ipxe", "#!ipxe\ndhcp\nchain good\n"), ("tftp", SNP_ONLY, own_file("efi-autoexec-tftp"))),
                expect=good.expect + (r"\(snp\)",)),
        replace(outside, name="efi-drivers-firmware", about="`embed --drivers firmware` leaves the card to the firmware's driver under any name",
                firmware="esp", policy=("--drivers", "firmware"), expect=good.expect + (r"\(snp\)",),
                files=(("esp", "EFI/BOOT/autoexec.ipxe", f"#!ipxe\ndhcp\nchain {image}\n"),)),
        replace(outside, name="efi-pxe-ipv6", about="OVMF by its own PXE over IPv6: its address is used; autoexec.ipxe and an application from"
                " the same TFTP server", firmware="uefi-pxe6", tftp=("apptest-bare",), servers=[], boots="", end="apptest-bare has ended",
                files=(("tftp", "autoexec.ipxe", "#!ipxe\ndhcp\nchain apptest-bare\n"),),
                dhcp=(f"--dhcp-range={net.PREFIX6}::100,{net.PREFIX6}::1ff,64",
                      f"--dhcp-option=option6:bootfile-url,tftp://[{net.PREFIX6}::1]/ipxe.efi"),
                expect=(rf"net0 \[?{net.PREFIX6}::1[0-9a-f]{{2}}\]? .*the firmware's answer over IPv6",),
                after=(("no_dhcp_after_nbp",),)),
        replace(http, name="efi-http", about="OVMF by its own HTTP boot; autoexec.ipxe from the same folder of the HTTP server",
                files=(("serve-h", "autoexec.ipxe", f"#!ipxe\nchain {image}\n"),), dhcp=(*http.dhcp, http_boot("ipxe.efi")),
                expect=good.expect + (driver(VIRTIO),)),
        replace(http, name="efi-http-snponly", about="the same as snponly.efi: by the firmware's driver; an application",
                files=(("serve-h", "autoexec.ipxe", "#!ipxe\nchain p2://10.50.0.2/apptest-bare\n"),
                       ("serve-h", SNP_ONLY, own_file("efi-http-snponly"))), dhcp=(*http.dhcp, http_boot(SNP_ONLY)), boots="",
                end="apptest-bare has ended", servers=[replace(good.servers[0], images=["apptest-bare"]), http.servers[1]], expect=(r"\(snp\)",)),
        replace(outside, name="efi-load-options", about="load options come before everything: a line of script, which leaves Signet three times"
                " without losing a page (the firmware's pools need one now and then), then a URI, by the firmware's driver that had the card back",
                firmware="shell", after=(("no_page_lost", 1),), expect=good.expect + (r"\(virtio-net\)(?s:.*)\(snp\)",),
                files=(("esp", "startup.nsh", restarts(3) + f"{SNP_ONLY} {image}\r\n"), ("esp", SNP_ONLY, own_file("efi-load-options")),
                       ("esp", "autoexec.ipxe", "#!ipxe\necho ROW-FAILED\n"))),
        replace(outside, name="efi-load-options-foreign", about="load options that are neither a URI nor a command do not hide autoexec.ipxe",
                firmware="shell", files=(("esp", "startup.nsh", "signet.efi root=/dev/sda1 quiet\r\n"),
                                         ("esp", "autoexec.ipxe", f"#!ipxe\ndhcp\nchain {image}\n"))),
        replace(outside, name="efi-fifty", about="fifty starts from the shell lose no page", firmware="shell", group="large", deadline=600,
                after=(("no_page_lost",),), files=(("esp", "startup.nsh", restarts(50) + f"signet.efi {image}\r\n"),)),
        # Here the firmware has started its network stack, which each start takes off the card and gives back: OVMF loses
        # half a page by that (doc/efi.md).
        replace(outside, name="efi-fifty-pxe", about="fifty starts that take the card from the firmware's stack; its own PXE boots then",
                firmware="esp-shell", group="large", deadline=600, after=(("no_page_lost", 75),),
                files=(("esp", "startup.nsh", restarts(50) + "exit 1\r\n"), ("tftp", "autoexec.ipxe", f"#!ipxe\ndhcp\nchain {image}\n"))),
        replace(outside, name="efi-autoexec-tampered", about="an outside script chooses a damaged image: refused; the embedded script follows",
                firmware="esp", script=f"{embedded}dhcp\nchain {image} || echo ROW-FAILED\n", tftp=("forged/bit-in-chunk",),
                files=(("esp", "EFI/BOOT/autoexec.ipxe", f"#!ipxe\ndhcp\nchain {damaged}\n"),), forbid=good.forbid,
                expect=good.expect + (r"\[S16\]", "the embedded script follows", "EMBEDDED-RAN")),
        replace(outside, name="efi-leave", about="Signet leaves; the boot manager goes on to the firmware's own PXE, whose card works as before",
                firmware="esp", script="#!ipxe\ndhcp\necho LEAVING\nexit\n", expect=good.expect + (r"LEAVING(?s:.*)Signet ",),
                files=(("tftp", "autoexec.ipxe", f"#!ipxe\ndhcp\nchain {image}\n"),)),
    ]
    found.append(replace(
        good, name="efi-disk", about="no network: images from disks by Block I/O, on SATA, USB (damaged: refused) and NVMe of 4096-byte sectors",
        firmware="esp", nic=NO_NETWORK, servers=[],
        disks=(disk.Data("sata", "ide-hd"), disk.Data("usb", "usb-storage", "qemu-xhci", damage=9000000),
               disk.Data("nvme", NVME_4K, sector=4096)),
        script="#!ipxe\nimgfetch disk:label=sata && imgfree && echo FETCHED ||\nimgfetch disk:label=usb && echo ROW-FAILED ||\n"
        "chain disk://boot/ ||\nchain disk:label=nvme || echo ROW-FAILED\n",
        expect=(r"sata of EFI disk \d \(SATA\)(?s:.*)FETCHED(?s:.*)usb of EFI disk \d \(USB\)(?s:.*)\[S16\](?s:.*)\[D02\](?s:.*)"
                r"nvme of EFI disk \d \(NVMe\)",)))
    found.append(replace(
        good, name="efi-install", about="signet install --esp in a booted Linux: FAT on an NVMe disk of 4096-byte sectors, boot entry by efibootmgr;"
        " after a restart the firmware boots Signet from there", firmware="esp-install", nic=NO_NETWORK, servers=[], deadline=240,
        disks=(disk.Data("installer", "virtio-blk-pci", image=payload_install.image),
               disk.Data("target", NVME_4K, sector=4096, esp=ESP_4K)),
        script="#!ipxe\nchain disk://boot/ || chain disk:label=installer || echo ROW-FAILED\n", expect=INSTALLED))
    found.append(replace(
        good, name="efi-keep", about="an image from the network is kept by Block I/O, on NVMe of 4096-byte sectors; boots with the server dead",
        firmware="esp", nic=VIRTIO, disks=(disk.Data("nvme", NVME_4K, image="", sector=4096),), forbid=("ROW-FAILED",),
        script=f"#!ipxe\nset keep disk:\ndhcp\nchain {image} || chain disk: || echo ROW-FAILED\n",
        expect=(r"keep: good is in slot A on EFI disk \d \(NVMe\) now, sequence 1",), after=(("kept", 0, 1, "images/good"),),
        again=(disk.Again("kill", expect=("disk: slot A, sequence 1",)),)))
    found += measured_rows(good)
    for name, (firmware, nic) in FROM_BIOS.items():
        row = by_name[name]
        memory = MEMORY
        if name == "does-not-fit":
            memory, row = 128, replace(row, expect=(r"needs \d+ MiB, the largest.*\[B03\]",) + row.expect[1:])
        by = r"\(snp\)" if name in BY_SNP else driver(nic)
        found.append(replace(row, name="efi-" + name, firmware=firmware, nic=nic, memory=memory, expect=row.expect + (by,),
                             policy=row.policy + (("--drivers", "firmware") if name in BY_SNP else ()),
                             after=tuple(a for a in row.after if a[0] != "no_dhcp_after_nbp")))
    return found
