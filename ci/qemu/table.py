# SPDX-License-Identifier: MPL-2.0
"""The boot table: machine x firmware x network card x network x image, and what the serial console must show.

A row is one emulated machine in a network of its own. It passes when every pattern of `expect` was seen,
none of `forbid`, the machine ended by itself where it should (`boots`), and every check of `after` agrees.
`cases` are images tried one after the other by the embedded script; each counts as a test of its own.
"""
from dataclasses import dataclass, field, replace

import fixtures
import table_dhcp
import table_disk
import table_driver
import table_efi
import table_menus
import table_names
import table_nbp
import table_repeats
import table_rom
import table_scripts
import table_usb
import table_web

OK = r"SIGNET-BOOT-OK name={} counter={}"
HOST_OK = r"host: would start kernel .*signet\.name={} signet\.counter={}\b"


@dataclass
class Server:
    """A server on a node of its own (its network stack, its cable)."""
    name: str
    images: list  # names in build/qemu/fixtures/images, or for `p2` also forged/NAME
    address: str = None  # IPv4; None: IPv6 link-local alone
    # "signet": bin/signet bootserver; "p2": ci/qemu/p2.py; "http": Python's HTTP server; "tftp": dnsmasq;
    # "relayed": dnsmasq as a DHCP server behind a router, see table_dhcp.py; those of web_servers.py; else httpd.py, endless.py
    kind: str = "signet"
    options: list = field(default_factory=list)
    late: float = 0.0  # seconds after the machine's start until it is there
    address6: str = None  # besides link-local


@dataclass
class When:
    """Something done to a server while the machine boots."""
    action: str  # "kill", "unplug", "restart" (killed and started anew), "replace" (its image by the newer one)
    server: str  # a name, or "sender": whichever has sent the most
    sent: int  # bytes it must have sent before


@dataclass
class Case:
    name: str
    pattern: str


@dataclass
class Row:
    name: str
    about: str
    script: str  # embedded; None: the default one, embed/boot.ipxe
    servers: list
    nic: str = "e1000"
    firmware: str = ""  # "": BIOS; else UEFI and how Signet is started, see table_efi.py
    files: tuple = ()  # ("esp" or "tftp", name, text or the absolute path of a file): what lies beside the artefact
    disk: object = None  # disk.Disk: the machine starts from it, see table_disk.py
    rom: object = None  # table_rom.Rom: the card's flash holds Signet, see table_rom.py
    programs: tuple = ()  # sets of network bootstrap programs that it needs, see nbp.py
    pressed: tuple = ()  # (pattern, key): pressed when the BIOS has said the pattern, one after the other
    site: object = None  # table_scripts.Site: a web server on the bridge
    stick: object = None  # usb.Stick: the same, see table_usb.py
    disks: tuple = ()  # disk.Data: what the machine has besides
    machine: str = "pc"  # or "host": the core as a Linux process, see machine.py
    memory: int = 256
    cpu: str = None
    devices: tuple = ()  # further options of QEMU
    monitor: tuple = ()  # commands of its monitor, given at once
    processors: int = 1
    newer: bool = False  # by a QEMU whose emulation has the SHA extensions, see emulator.py
    tpm: bool = False  # swtpm, see tpm.py
    reboots: bool = False  # a restart of the machine does not end the row
    looks: tuple = ()  # (how many `typed`, pattern, rows): the VGA screen when the console shows the pattern behind these, one after the other
    typed: tuple = ()  # (pattern, line): typed when the console shows the pattern, one after the other
    trust: tuple = ("alice",)
    policy: tuple = ()  # further options of `signet embed`
    embed: bool = True  # False: the artefact as it was built
    boots: str = ""  # name of the image whose userland must report in
    counter: int = fixtures.COUNTER
    expect: tuple = ()
    forbid: tuple = ()
    end: str = ""  # for rows that boot nothing: the verdict is reached when this was seen
    tftp: tuple = ()  # images that dnsmasq's TFTP server has besides the NBP
    dhcp: tuple = ()  # further options of dnsmasq
    boot_file: bool = True  # dnsmasq names the NBP
    answers: tuple = ()  # table_dhcp.Answer: in dnsmasq's place, by ci/qemu/dhcp.py
    dhcp_server: tuple = ()  # ("isc" or "kea", its configuration): in dnsmasq's place, by ci/qemu/dhcp_servers.py
    addresses: tuple = ()  # further addresses of the bridge
    taps: int = 1  # one for each card that `devices` has besides
    mtu: int = 0  # of the machine's link, when it is narrower than the others
    cases: tuple = ()
    when: tuple = ()
    again: tuple = ()  # disk.Again: further starts of the machine
    after: tuple = ()  # (check, argument...), see row.py
    pinged: bool = False  # the whole time, see pinger.py
    rate: str = ""  # of the link, for tc tbf; "" = as fast as the host is
    link: str = "tap"  # "tap", "netem" (ci/qemu/router.py), "relay" (ci/qemu/relay.py), "tagged" (ci/qemu/tagger.py)
    tagged_from: tuple = ()  # the host (IPv4) with which the machine's frames have to begin before there are tags
    loss: float = 0.0
    reorder: float = 0.0
    group: str = "check"
    deadline: int = 120
    sleeps: bool = False  # seven eighths of its time, so that it runs beside others (see ci/qemu/run)


def script(*lines):
    return "#!ipxe\n" + "\n".join(lines) + "\n"


def chain(uri, *before):
    return script(*before, f"chain {uri} || echo ROW-FAILED", "echo ROW-END")


def refusals(server, cases, last=None):
    """Tries one image after the other; the last, sound one shows that the machine is none the worse for it."""
    lines = ["dhcp"]
    for name in cases:
        lines += [f"echo CASE {name}", f"chain p2://{server}/{name} || echo REFUSED {name}"]
    lines += ["echo CASE end"]
    lines += [f"chain {last} || echo ROW-FAILED"] if last else []
    return script(*lines, "echo ROW-END")


# A chunk that no server sends right is known by its digest, and said as a fault of the servers.
ON_CONSOLE = {"S16": r"\[P04\](?s:.*)bad chunks [1-9]"}


def case_list(cases):
    return tuple(Case(name, ON_CONSOLE.get(codes, rf"\[({codes})\]")) for name, (_, codes) in cases.items())


A, B, C = "10.50.0.2", "10.50.0.3", "10.50.0.4"
GOOD = [Server("a", ["good"], A)]
TAMPERED, LENGTHS = fixtures.tampered(), fixtures.lengths()
BROKEN = ("GUEST-PART-BAD", "GUEST-BLOCK-BAD", "Kernel panic")


def boot(name, about, image="good", **options):
    options.setdefault("servers", GOOD)
    options.setdefault("script", chain(f"p2://{A}/{image}", "dhcp"))
    options.setdefault("expect", ("GUEST-PART-OK blob",))
    return Row(name, about, boots=image, forbid=BROKEN + ("ROW-FAILED",), **options)


# The other cards of QEMU that have a stock ROM.
OTHER_CARDS = ("i82550", "i82551", "i82559c", "i82559er", "pcnet")

# Loaded by their stock ROMs, and from then on by a driver of ours, unless it is told to leave them to UNDI.
NATIVE = {"virtio-net": ("virtio-net-pci", "virtio-net"), "e1000e": ("e1000e", "e1000"), "e1000-82545em": ("e1000-82545em", "e1000"),
          "vmxnet3": ("vmxnet3", "vmxnet3"),
          "virtio-net-modern": ("virtio-net-pci,disable-legacy=on,disable-modern=off", "virtio-net")}
BY_UNDI = ("--drivers", "firmware")


def by(driver):
    return ("GUEST-PART-OK blob", rf"net: net0 .* \({driver}\)\n")


ROWS = [
    boot("e1000", "e1000 by its stock ROM, DHCP and TFTP from dnsmasq, a named server"),
    boot("rtl8139", "rtl8139 by its stock ROM", nic="rtl8139"),
    *[boot(name, f"{name} loaded by its stock ROM, driven natively", nic=nic, expect=by(driver)) for name, (nic, driver) in NATIVE.items()],
    *[boot(nic, f"{nic} by its stock ROM", nic=nic, expect=by("undi")) for nic in OTHER_CARDS],
    boot("e1000-undi", "e1000 left to its ROM; the ROM's DHCPACK", policy=BY_UNDI, expect=by("undi"), after=(("no_dhcp_after_nbp",),)),
    *[boot(name + "-undi", f"{name} left to its ROM", nic=NATIVE[name][0], policy=BY_UNDI, expect=by("undi"))
      for name in ("virtio-net", "e1000e", "vmxnet3")],
    boot("loss-undi", "5 % loss and reordering by a relay in the wire, by UNDI", nic="virtio-net-pci", policy=BY_UNDI, link="relay", loss=0.05,
         reorder=0.25, deadline=240, expect=by("undi")),
    boot("native-bridge", "a card behind a PCI bridge, driven natively", nic="e1000,bus=b1,addr=3",
         devices=("-device", "pci-bridge,id=b1,chassis_nr=1"), expect=by("e1000")),
    boot("native-above-4-gib", "registers above 4 GiB, which a device with a large BAR moves there: said, and UNDI has the card",
         nic="virtio-net-pci", devices=("-device", "pci-testdev,membar=4G"),
         expect=by("undi") + ("1af4:1000 has registers above 4 GiB",)),
    boot("ne2k_pci", "ne2k_pci by its stock ROM, which hears nothing any more once its ring is full: it never is", nic="ne2k_pci",
         expect=("GUEST-PART-OK blob", r"p2: timing: .* lost=\d{1,2} ")),
    boot("ne2k_pci-http", "the same over HTTP", nic="ne2k_pci", script=chain(f"http://{A}:8080/good", "dhcp"),
         servers=[Server("a", ["good"], A, "http")]),
    boot("i82559c-http", "a card whose ROM must never have many frames: over HTTP", nic="i82559c", script=chain(f"http://{A}:8080/good", "dhcp"),
         servers=[Server("a", ["good"], A, "http")]),
    boot("i82559c-tftp", "the same over TFTP", nic="i82559c", script=chain("tftp://10.50.0.1/good", "dhcp"), servers=[], tftp=("good",)),
    boot("sha-ni", "a processor with SHA extensions: SHA-256 by its own instructions, in 32-bit mode", cpu="max", newer=True,
         expect=("GUEST-PART-OK blob", "digest: SHA-256 by SHA-NI")),
    # On a busy host one of them may come too late for the count.
    boot("processors", "two more processors make digests, for two downloads one after the other, and the kernel finds all three", processors=3,
         cpu="qemu64,hypervisor=off",
         script=script("dhcp", f"imgfetch p2://{A}/good && imgfree && chain p2://{A}/good || echo ROW-FAILED"),
         expect=("GUEST-PART-OK blob", r"digest: [12] more processors? hashing(?s:.*helped=[1-9].*digest: [12] more .*helped=[1-9])",
                 "GUEST-PROCESSORS 3")),
    boot("processors-sha-ni", "another processor with the SHA extensions, which have to be switched on there", processors=2, cpu="max", newer=True,
         expect=("GUEST-PART-OK blob", "digest: SHA-256 by SHA-NI", "digest: 1 more processor hashing", "helped=[1-9]")),
    boot("processors-virtual", "a virtual machine of three processors: only one more spins there", processors=3,
         expect=("GUEST-PART-OK blob", "digest: 1 more processor hashing", "helped=[1-9]", "GUEST-PROCESSORS 3")),
    replace(boot("processors-undi", "while a ROM's code runs for each frame, which may shut A20, the other processor rests", processors=2,
                 policy=BY_UNDI, expect=("GUEST-PART-OK blob", "GUEST-PROCESSORS 2")), forbid=BROKEN + ("ROW-FAILED", "more processor")),
    boot("q35", "a machine with PCI Express", machine="q35"),
    boot("cached-dhcp", "the ROM's DHCPACK is used, although a driver of ours has the card: one DISCOVER by the ROM, none by Signet",
         expect=by("e1000"), after=(("no_dhcp_after_nbp",),)),
    boot("discover-ipv4", "no server named: found by multicast or broadcast", script=chain("p2:///good", "dhcp")),
    boot("discover-ipv6", "discovery and boot over IPv6 link-local alone: no DHCP in the script, a server without IPv4",
         script=chain("p2:///good", "ifopen"), servers=[Server("a", ["good"])],
         after=(("no_dhcp_after_nbp",), ("server_log", "a", "fe80:"))),
    boot("failover-stopped", "two servers, the one that sends is killed in mid-download",
         script=chain("p2:///good", "dhcp"), servers=[Server("a", ["good"], A), Server("b", ["good"], B)],
         when=(When("kill", "sender", 2 << 20),), after=(("both_sent", 128 << 10),)),
    boot("failover-unplugged", "two servers, the one that sends vanishes without a word",
         script=chain("p2:///good", "dhcp"), servers=[Server("a", ["good"], A), Server("b", ["good"], B)],
         when=(When("unplug", "sender", 2 << 20),), after=(("both_sent", 128 << 10),)),
    boot("server-restarted", "the only server is killed in mid-download and comes back: cookies are stale, the boot goes on",
         when=(When("restart", "a", 5 << 20),)),
    boot("image-replaced", "a newer image is renamed into place in mid-download: the boot ends with the one it began with",
         when=(When("replace", "a", 5 << 20),)),
    # Datagrams that the kernel cuts up behind netem only would be lost many at a time: hence --no-gso.
    boot("loss-netem", "5 % loss and reordering by tc netem: the host's, or that of a router machine", link="netem", loss=0.05,
         reorder=0.25, servers=[Server("a", ["good"], A, options=["--no-gso"])], deadline=240),
    boot("loss-relay", "5 % loss and reordering by a relay in the wire", link="relay", loss=0.05,
         reorder=0.25, deadline=240),
    boot("priority-tags", "a switch that gives every frame a priority tag, whatever its size: the native protocol, TFTP and HTTP",
         link="tagged", tagged_from=(A,), pinged=True, servers=[Server("a", ["good"], A), Server("h", ["good"], B, "http")], tftp=("good",),
         script=script("dhcp", *[f"imgfetch {uri}/good || echo ROW-FAILED" for uri in (f"p2://{A}", "tftp://10.50.0.1")],
                       f"chain http://{B}:8080/good || echo ROW-FAILED"), after=(("tagged", 4000, 30),)),
    boot("two-keys", "threshold 2: signed by P-256 and P-384", "twosigned", servers=[Server("a", ["twosigned"], A)],
         trust=("alice", "bob"), policy=("--threshold", "2")),
    boot("stranger", "image, signature and server made by the Python implementation of the documents", "stranger",
         servers=[Server("a", ["stranger"], A, "p2")], trust=("bob",)),
    boot("ramdisk", "kernel, initrds and a ramdisk image that the guest reads from memory", "ramdisk",
         servers=[Server("a", ["ramdisk"], A)], expect=("GUEST-PART-OK blob", "GUEST-BLOCKS bad=0 of=8")),
    boot("smallest", "the smallest machine in which this kernel and userland run at all", memory=80),
    boot("hostile-server", "beside the honest server one that forges DATA, RESET, OFFER and ERROR, as itself and in its name",
         script=chain("p2:///good", "dhcp"), deadline=240,
         servers=[Server("a", ["good"], A),
                  Server("evil", ["good"], C, "p2", ["--lie", "data", "--lie", "reset", "--lie", "offer", "--lie", "error",
                                                     "--lie", "spoof", "--spoof-from", A])]),
    boot("retry", "the first source has no such image, the second one for UEFI: the script falls to the next",
         script=script("dhcp", f"chain p2://{A}/absent || echo SECOND", f"chain p2://{A}/apptest-bare || echo THIRD",
                       f"chain p2://{A}/good || echo ROW-FAILED"), servers=[Server("a", ["good", "apptest-bare"], A)],
         expect=("GUEST-PART-OK blob", r"\[P02\]", "SECOND", r"efi-x64, which this machine does not start; refused.*\[B07\]", "THIRD")),

    boot("late-server", "the default script goes on until a server comes up", script=None,
         servers=[Server("a", ["good"], A, late=15)], expect=("GUEST-PART-OK blob", r"\[P0[1-3]\]|\[N16\]")),
    boot("ping", "pinged without a break, with large ones and broadcasts: by DHCP, discovery, the wait for a server, the download",
         script=None, servers=[Server("a", ["good"], A, late=15)], pinged=True, rate="20mbit", group="ping", deadline=180,
         expect=("GUEST-PART-OK blob", r"\[N16\]"), after=(("pinged", 20),)),
    boot("named-by-dhcp", "DHCP option 175.80 and 175.81 tell the default script server and image", script=None,
         servers=[Server("a", ["good", "twosigned"], A)], dhcp=(f"--dhcp-option=encap:175,80,{A}", "--dhcp-option=encap:175,81,good"),
         expect=("GUEST-PART-OK blob", f'p2: asking {A}, image "good"')),
    boot("over-tftp", "a signed image over plain TFTP is verified as well", script=chain("tftp://10.50.0.1/good", "dhcp"), servers=[],
         tftp=("good",), expect=("GUEST-PART-OK blob", r"tftp: \d+ % of \d+ MiB, \d+ [KM]iB/s, \d+ s left(?s:.*)tftp: 100 % of \d+ MiB, ")),
    boot("over-http", "a signed image over plain HTTP is verified as well", script=chain(f"http://{A}:8080/good", "dhcp"),
         servers=[Server("a", ["good"], A, "http")]),

    # The first one holds the address that the second one's kernel would like, which therefore runs behind it.
    boot("two-images", "two images in memory, by name: both are listed, a third name is nobody's, the second one boots by its name",
         servers=[Server("a", ["good", "tiny"], A)], expect=("GUEST-PART-OK blob", r"small \(tiny\) counter 7, (?s:.*)\ngood counter 7, ",
                                                             r'"other" \(in memory: small, good\).*\[B12\]\nNONE-SUCH'),
         script=script("dhcp", f"imgfetch --name small p2://{A}/tiny || echo ROW-FAILED", f"imgfetch p2://{A}/good || echo ROW-FAILED",
                       "imgstat", "boot other || echo NONE-SUCH", "imgselect small", "boot good || echo ROW-FAILED")),
    boot("two-images-one-place", "a third image of a taken name replaces that one, another is freed, and the last one boots without a name",
         servers=[Server("a", ["good", "tiny"], A)], expect=("GUEST-PART-OK blob", r"FREED\nweb \(good\) counter 7, [^()]*END"),
         script=script("dhcp", f"imgfetch --name web p2://{A}/tiny && imgfetch p2://{A}/tiny && imgfetch --name web p2://{A}/good || echo ROW-FAILED",
                       "imgfree tiny && echo FREED", "imgstat", "echo END", "boot || echo ROW-FAILED")),
    boot("two-images-no-room", "memory for one image: the second one is refused before its download, the first one is still there and boots",
         servers=[Server("a", ["good", "twosigned"], A)], memory=80,
         script=script("dhcp", f"imgfetch p2://{A}/good || echo ROW-FAILED", f"imgfetch p2://{A}/twosigned && echo ROW-FAILED || echo REFUSED",
                       "boot good || echo ROW-FAILED"),
         expect=("GUEST-PART-OK blob", r"\[B03\]\n(?s:.*)MiB are held by other images, which `imgfree` gives back: good\n(?s:.*)REFUSED")),

    Row("does-not-fit", "a machine with too little memory: refused with the sizes, before the download",
        chain(f"p2://{A}/good", "dhcp"), GOOD, memory=48,
        expect=(r"needs \d+ MiB .*\[B03\]", r"needs \d+ MiB, this machine has \d+ MiB", "ROW-FAILED"), forbid=("SIGNET-BOOT-OK",),
        end="ROW-END", after=(("sent_at_most", "a", 1 << 20),)),
    Row("tampered-over-tftp", "a damaged image over TFTP is refused as well", chain("tftp://10.50.0.1/bit-in-chunk", "dhcp"), [],
        tftp=("forged/bit-in-chunk",), expect=(r"\[S16\]", "ROW-FAILED"), forbid=("SIGNET-BOOT-OK",), end="ROW-END"),
    Row("no-anchors", "the artefact as it was built boots nothing and says so", "", GOOD, embed=False,
        expect=(r"\[S11\]",), forbid=("SIGNET-BOOT-OK", "p2: timing"), end=r"\[S11\]"),
    Row("script-without-anchors", "a script alone, without anchors: boots nothing and says so", chain(f"p2://{A}/good", "dhcp"), GOOD,
        trust=(), expect=(r"\[S11\]", "ROW-FAILED"), forbid=("SIGNET-BOOT-OK",), end="ROW-END"),
    Row("no-server", "nobody answers: named in time, and the machine does not hang", chain("p2:///good", "dhcp"), [],
        expect=(r"\[P01\]", "ROW-FAILED"), forbid=("SIGNET-BOOT-OK",), end="ROW-END"),
    Row("one-of-two", "threshold 2, one signature: refused", chain(f"p2://{A}/good", "dhcp"), GOOD, trust=("alice", "bob"),
        policy=("--threshold", "2"), expect=(r"\[S10\]", "ROW-FAILED"), forbid=("SIGNET-BOOT-OK",), end="ROW-END"),
    Row("other-product", "an image of no product for a machine that asks for one: refused", chain(f"p2://{A}/good", "dhcp"), GOOD,
        policy=("--product", "anvil"), expect=(r"\[S14\]", "ROW-FAILED"), forbid=("SIGNET-BOOT-OK",), end="ROW-END"),
    Row("refused-tampered", "every kind of forged image is refused with its code, and the machine still comes up",
        refusals(A, TAMPERED, f"p2://{B}/good"),
        [Server("a", [f"forged/{n}" for n in TAMPERED], A, "p2"), Server("b", ["good"], B)],
        trust=("alice", "carol"), policy=("--floor", "5"), boots="good", cases=case_list(TAMPERED),
        forbid=("ROW-FAILED",), deadline=300, sleeps=True),
    *[Row(f"refused-lengths{name}", f"{which} half of: every length at 0, +1, -1, 2^31, 2^32 and 2^63 is refused with its code",
          refusals(A, half, f"p2://{B}/good"),
          [Server("a", [f"forged/{n}" for n in half], A, "p2"), Server("b", ["good"], B)],
          boots="good", cases=case_list(half), forbid=("ROW-FAILED",), deadline=300, sleeps=True)
      for name, which, half in (("", "one", dict(list(LENGTHS.items())[::2])), ("-too", "the other", dict(list(LENGTHS.items())[1::2])))],

    boot("large", "an image of 2.2 GiB in a machine with 4 GiB, its content sampled by the guest", "large", group="large",
         servers=[Server("a", ["large"], A)], memory=4096, deadline=5400,
         expect=("GUEST-PART-OK blob", "GUEST-BLOCKS bad=0 of=2253")),
    Row("large-does-not-fit", "the same in a machine with 2 GiB: refused with the sizes before the download",
        chain(f"p2://{A}/large", "dhcp"), [Server("a", ["large"], A)], memory=2048, group="large",
        expect=(r"\[B03\]", "ROW-FAILED"), forbid=("SIGNET-BOOT-OK",), end="ROW-END", after=(("sent_at_most", "a", 4 << 20),)),
]
LARGE_MIB = {"large": 2253, "huge": 4352}  # the ramdisks of these images
SPARSE_MIB = {"zeros": 1100}


def host_rows():
    """The rows whose point is not the machine, with the core as a Linux process: the same network, servers and
    images in seconds, under sanitizers. What would be started is compared with the files byte by byte."""
    for row in ROWS:
        if row.group not in ("check", "ping") or row.nic != "e1000" or row.machine != "pc" or row.name in NOT_ON_HOST:
            continue
        expect = tuple(e for e in row.expect if not e.startswith("GUEST-"))
        # Without emulation a download is over before anyone could pull a cable: the speed of a common network.
        rate = "100mbit" if row.when else row.rate
        after = row.after + ((("placed", row.boots),) if row.boots else ())
        group = "check" if row.link == "netem" else "host"  # it may need a router machine, and then takes its time
        yield replace(row, name="host-" + row.name, machine="host", group=group, expect=expect, after=after, rate=rate,
                      memory=row.memory - 16,  # which begins at 16 MiB there (ipxe/host/host.c)
                      tagged_from=())  # no ROM that tags would stop


# A stock ROM of QEMU is an iPXE itself and would take the URI: Signet alone sees this rule.
ROWS.append(Row("host-uri-by-dhcp", "a DHCP rule for iPXE clients: the default script takes the URI as its boot file", None,
                [Server("a", ["good"], A)], machine="host", group="host", boots="good", after=(("placed", "good"),),
                dhcp=("--dhcp-match=set:ipxe,175", f"--dhcp-boot=tag:ipxe,p2://{A}/good"),
                expect=(f'p2: asking {A}, image "good"',)))

# Kernels that refuse: by ICMP for UDP, by a reset for TCP.
CLOSED = (f"tftp://{B}", f"p2://{B}", f"http://{B}:81", "tftp://name.example")
ROWS.append(boot("host-nobody-listens", "hosts without the server that is asked for, and a name server that is none: refused, then the next source",
                 machine="host", group="host", servers=[Server("a", ["good"], A), Server("h", [], B, "http")], dhcp=(f"--dhcp-option=6,{B}",),
                 script=script("dhcp", *[f"chain {uri}/good || echo NEXT-{i}" for i, uri in enumerate(CLOSED)],
                               f"chain p2://{A}/good || echo ROW-FAILED"),
                 expect=(r"(?s:%s)" % ".*".join(rf"\[{'N06' if 'name' in uri else 'N16'}\].*NEXT-{i}" for i, uri in enumerate(CLOSED)),
                         "refused; asking on", "the name server refuses to answer for name.example"),
                 after=(("placed", "good"),)))


def endless_rows():
    """Servers that never end: each is given up by name, and the next source boots."""
    servers = [Server("a", ["good"], A), Server("e", [], B, "endless")]
    rest, silent, slow = f"chain p2://{A}/good || echo ROW-FAILED", r"\[G03\]", r"\[N13\]"
    for name, uris, says in (("http-never-ends", [f"http://{B}:8080/{n}" for n in ("interim", "chunk", "loop")], (r"\[N14\]", silent, r"\[N15\]")),
                             ("http-header-never-ends", [f"http://{B}:8080/header"], (silent,)),
                             ("http-trickles", [f"http://{B}:8080/trickle"], (slow,)),
                             ("tftp-never-ends", [f"tftp://{B}/repeat"], (silent,)),
                             ("tftp-trickles", [f"tftp://{B}/trickle"], (slow,))):
        lines = [f"chain {uri} && echo ROW-FAILED || echo NEXT-{i}" for i, uri in enumerate(uris)]
        told = tuple(rf"{code}(?s:.*)NEXT-{i}\n" for i, code in enumerate(says))
        yield boot("host-" + name, "servers that never end: " + ", ".join(uri.split("/")[-1] for uri in uris), machine="host", group="host",
                   servers=servers, script=script("dhcp", *lines, rest), expect=told, after=(("placed", "good"),), deadline=180)


def broken_rows():
    """HTTP servers that break off in mid-file: the download goes on there, or on another server."""
    both = [Server("a", ["tiny"], A, "ranges", ["--cut", "1000000", "--die"]), Server("b", ["tiny"], B, "ranges")]
    once = replace(both[0], options=["--cut", "1000000"])
    row = Row("host-http-resumed", "HTTP that breaks off in mid-file: the rest alone is asked for", chain(f"http://{A}:8080/tiny", "dhcp"), [once],
              machine="host", group="host", boots="tiny", expect=(r"after \d+ bytes; going on there",), forbid=("ROW-FAILED",),
              after=(("nothing_twice", "a"),))
    # The second one sends seal and list anew, and the chunk that was cut.
    most = (3 << 20) + 12288 - 1000000 + 65536 + 8192
    yield row
    yield replace(row, name="host-http-mirror", about="a second HTTP server goes on where the first one broke off and refuses", servers=both,
                  script=script("dhcp", f"chain http://{A}:8080/tiny || chain http://{B}:8080/tiny || echo ROW-FAILED"),
                  expect=(r"\[N16\]", r"seal: \d+ of \d+ KiB are in memory already"), after=(("bodies_at_most", "b", most),))


NOT_ON_HOST = {"processors", "processors-virtual", "processors-sha-ni", "processors-undi",
               "e1000", "e1000-undi", "sha-ni", "cached-dhcp", "smallest", "loss-relay"}  # about the PXE ROM, the machine, QEMU's socket
ROWS += (list(host_rows()) + list(endless_rows()) + list(broken_rows()) + table_dhcp.rows(ROWS) + table_names.rows(ROWS) + table_efi.rows(ROWS) +
         table_disk.rows(ROWS) + table_rom.rows(ROWS) + table_usb.rows(ROWS) + table_nbp.rows(ROWS) +
         table_scripts.rows(ROWS))
ROWS += table_driver.rows(ROWS) + table_web.rows(ROWS)
ROWS += table_menus.rows(ROWS)
ROWS = table_repeats.rows(ROWS)
