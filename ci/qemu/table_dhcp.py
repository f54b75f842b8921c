# SPDX-License-Identifier: MPL-2.0
"""The rows about what DHCP and PXE servers say. Where dnsmasq cannot be made to say it, ci/qemu/dhcp.py does (`answers`).

They run the core as a Linux process: nothing here depends on the machine."""
import socket
import struct
from dataclasses import asdict, dataclass, replace

import net
import payload

HERE, SECOND, FAR = "10.50.0.1", "10.50.0.5", "10.60.0.9"  # addresses of the bridge; FAR is behind a router for the machine
MASK, LEASE = (1, "ffffff00"), (51, "00000e10")
NOWHERE = (3, "0a3200fe")  # a router that is not there


def text(code, value):
    return (code, value.encode().hex())


def ip(code, address):
    return (code, socket.inet_aton(address).hex())


@dataclass
class Answer:
    options: tuple = ()  # (code, hexadecimal), besides 53 and 54
    yiaddr: str = "10.50.0.150"
    siaddr: str = "0.0.0.0"
    server: str = HERE  # option 54
    file: str = ""  # of the header
    port: int = 67
    to: tuple = (1, 3)  # message types
    item: int = -1  # of a PXE menu: what was asked for; -1: none was
    group: str = ""  # where it was asked for, when that matters; this address is listened to
    says: int = 0  # message type; 0: OFFER to DISCOVER, ACK to REQUEST
    late: float = 0.0
    mac: str = ""  # the end of the asking card's address


def plain(answers):
    return [asdict(answer) for answer in answers]


PXE = text(60, "PXEClient")
NAK = 6
RELAY, BEHIND = "10.60.0.1", "10.60.0.2"  # the router's far side, and a DHCP server there
GROUP = "239.50.0.9"


def menu(*sub_options):
    """Option 43 of sub-options (code, bytes)."""
    return (43, b"".join(bytes([code, len(value)]) + value for code, value in sub_options).hex() + "ff")


def items(*texts):
    """Sub-option 9: types 8000, 8001, ..."""
    return (9, b"".join(struct.pack("!HB", 0x8000 + n, len(text)) + text.encode() for n, text in enumerate(texts)))


def item_of(number, file, **more):
    """What a boot server of the menu's item says."""
    return Answer((PXE, menu((71, struct.pack("!HH", 0x8000 + number, 0)))), yiaddr="0.0.0.0", siaddr=SECOND, server=SECOND, file=file,
                  to=(3,), item=0x8000 + number, **more)


ONE_SECOND = (10, b"\x01Press F8")
LEASE_ONLY = Answer((MASK, LEASE), siaddr=HERE)  # a router's
OFFER_ONLY = Answer((MASK, LEASE), yiaddr="10.50.0.160", server=SECOND, file="none", to=(1,))
ROUTES = (121, "180a3c00" "0a320001" "00" "0a320001")  # 10.60.0.0/24 and everything by 10.50.0.1


# dnsmasq gives this menu without a prompt no end: it waits for a person.
DNSMASQ_MENU = ("--pxe-service=x86PC,one,first", "--pxe-service=x86PC,two,second")


def menu_by_proxy(*sub_options):
    return Answer((PXE, menu(*sub_options, items("one", "two"), ONE_SECOND)), yiaddr="0.0.0.0", server="10.50.0.6", to=(1,))


LISTED = menu((6, b"\3"), (8, b"\x80\0\1" + socket.inet_aton(SECOND)), items("one", "two"), ONE_SECOND)[1]


def isc(with_menu):
    colons = ":".join(LISTED[n:n + 2] for n in range(0, len(LISTED), 2))
    says = f'option vendor-class-identifier "PXEClient"; option vendor-encapsulated-options {colons};' if with_menu else 'filename "good";'
    return f"authoritative; subnet 10.50.0.0 netmask 255.255.255.0 {{ range 10.50.0.150 10.50.0.150; next-server {HERE}; {says} }}\n"


def kea(with_menu):
    options = [{"code": 60, "data": "PXEClient", "always-send": True}, {"code": 43, "csv-format": False, "data": LISTED}]
    subnet = {"id": 1, "subnet": "10.50.0.0/24", "pools": [{"pool": "10.50.0.150-10.50.0.150"}], "next-server": HERE}
    return {"subnet4": [{**subnet, **({"option-data": options} if with_menu else {"boot-file-name": "good"})}]}


def script(*lines):
    return "#!ipxe\n" + "\n".join(lines) + "\n"


def rows(table):
    good = next(row for row in table if row.name == "e1000")
    base = replace(good, machine="host", group="host", servers=[], tftp=("good",), after=(("placed", "good"),), expect=(), addresses=(),
                   forbid=("ROW-FAILED",))

    def row(name, about, lines, answers=(), **more):
        return replace(base, name="host-dhcp-" + name, about=about, script=script(*lines) if lines else None, answers=tuple(answers), **more)

    def relayed(*options):
        return replace(good.servers[0], name="d", images=[], kind="relayed", address=BEHIND, address6=None,
                       options=["--dhcp-range=10.50.0.150,10.50.0.150,255.255.255.0,1h", f"--dhcp-option=3,{HERE}", *options])

    def chain(uri):
        return f"chain {uri} || echo ROW-FAILED"

    by_dhcp = ("dhcp", "show next-server ||", "show filename ||", chain("tftp://${next-server}/${filename}"))
    # A second round, as the default script has: on a busy host nothing reached the machines for ten seconds once, in two rows at the same time, and a
    # dnsmasq that starts late is no proxy of the first round.
    once_more = ("dhcp", "isset ${filename} || dhcp --force")
    first_item = (*once_more, "show filename", "iseq ${filename} first.0 || echo ROW-FAILED", chain("tftp://${next-server}/good"))
    long_url = f"http://10.50.0.2:8080/good?api_key={'k' * 600}&end=yes"
    http = [replace(good.servers[0], kind="http")]
    # One link for both, so that the former network's addresses would be in the way, and for a whole machine: the host has one card.
    first, second = (f"virtio-net-pci,romfile=,addr={addr}" for addr in ("0x8", "0x9"))
    two_networks = replace(
        good, name="efi-two-networks", about="the first card's network names nothing that boots, the second one's does: the next round asks there",
        firmware="esp", script=None, nic=second + ",bootindex=-1", servers=http, taps=2, deadline=150, after=(("dhcp_log", "message 1", 2),),
        devices=("-netdev", "tap,ifname=tap1,script=no,downscript=no,id=n1", "-device", first + ",netdev=n1,mac=52:54:00:50:32:02"),
        answers=(Answer((MASK, LEASE), mac="32:02"),
                 Answer((MASK, LEASE, text(67, "http://10.50.0.2:8080/good")), yiaddr="10.50.0.151", mac="32:01")),
        expect=good.expect + (r"dhcp: net0 10\.50\.0\.150(?s:.*)next round in 2 s(?s:.*)dhcp: net1 10\.50\.0\.151",))
    bios_menu = replace(
        good, name="bios-pxe-menu", about="the PXE ROM takes the first item of dnsmasq's menu, which is Signet; Signet's menu comes up by F8",
        script=script("dhcp --force", "show filename", "iseq ${filename} second.0 || echo ROW-FAILED", chain("tftp://${next-server}/good")),
        servers=[], tftp=("good",), addresses=(), boot_file=False, forbid=("ROW-FAILED",),
        dhcp=("--pxe-prompt=Choose,5", "--pxe-service=x86PC,Signet,undionly.kpxe", "--pxe-service=x86PC,two,second"),
        typed=((r"asks for an address(?s:.*)Choose 4 s", "<f8>"), ("  b  two", "b")), expect=("  a  Signet\n  b  two\n(?s:.*)pxe: two",))
    efi_menu = replace(
        bios_menu, name="efi-pxe-menu", about="under UEFI dnsmasq has its menu on port 4011; it comes up by F8", firmware="esp",
        nic="virtio-net-pci,romfile=", deadline=150,
        dhcp=("--pxe-prompt=Choose,9", "--pxe-service=X86-64_EFI,one,first.0", "--pxe-service=X86-64_EFI,two,second.0"),
        typed=((r"asks for an address(?s:.*)Choose 8 s", "<f8>"), ("  b  two", "b")), expect=("  a  one\n  b  two\n(?s:.*)pxe: two",))
    return [two_networks, bios_menu, efi_menu,
        row("v6", "nobody gives an IPv4 address, and dnsmasq one by DHCPv6, with a boot file's URL",
            ["dhcp", "ifstat", "echo FILE ${filename}", f"chain ${{filename}} || echo ROW-FAILED"], [Answer(mac="none")],
            dhcp=(f"--dhcp-range={net.PREFIX6}::100,{net.PREFIX6}::1ff,64,1h", f"--dhcp-option=option6:bootfile-url,tftp://[{net.PREFIX6}::1]/good"),
            expect=(rf"dhcp: net0 \[{net.PREFIX6}::1[0-9a-f]+\] \(DHCPv6\)", rf"FILE tftp://\[{net.PREFIX6}::1\]/good"),),
        row("v6-stateless", "no DHCPv4; a stateless DHCPv6 server names the boot file, the address is the router's advertisement's",
            ["dhcp", "chain ${filename} || echo ROW-FAILED"], [Answer(mac="none")],
            dhcp=(f"--dhcp-range={net.PREFIX6}::,ra-stateless,64,1h", f"--dhcp-option=option6:bootfile-url,tftp://[{net.PREFIX6}::1]/good"),
            expect=(r"dhcp: net0 keeps its addresses \(DHCPv6\)",)),
        row("routes", "option 121 leads to the server's network; there is no router", ["dhcp", chain(f"tftp://{FAR}/good")],
            [Answer((MASK, LEASE, ROUTES))], addresses=(FAR,)),
        row("routes-not-router", "the router of option 3 leads nowhere, and is ignored where 121 is", ["dhcp", chain(f"tftp://{FAR}/good")],
            [Answer((MASK, LEASE, NOWHERE, ROUTES))], addresses=(FAR,), expect=("gateway 10.50.0.1 ",)),
        row("long-file", "a boot file of 660 characters in three options 67: the default script asks for all of it", None,
            [Answer((MASK, LEASE) + tuple(text(67, long_url[i:i + 255]) for i in range(0, len(long_url), 255)))], servers=http, tftp=(),
            after=base.after + (("server_log", "a", r"k{600}&end=yes HTTP"),)),
        row("empty-options", "options without a byte are none: the header's file counts",
            ("dhcp", "show vendor-class && echo ROW-FAILED ||") + by_dhcp[1:],
            [Answer((MASK, LEASE, (67, ""), (60, ""), (66, ""), (121, ""), (26, ""), (15, ""), (119, ""), (6, "")), siaddr=HERE, file="good")]),
        row("proxy", "a router's lease and a proxy's file without a server: the file is the proxy's", by_dhcp,
            [LEASE_ONLY, Answer((PXE, text(67, "good")), yiaddr="0.0.0.0", server=SECOND, to=(1,))], addresses=(SECOND,),
            expect=(f"next-server {SECOND} ",)),
        row("proxy-late", "a proxy that takes two seconds is heard", by_dhcp,
            [LEASE_ONLY, Answer((PXE, text(67, "good")), yiaddr="0.0.0.0", server=SECOND, to=(1,), late=2.0)], addresses=(SECOND,),
            expect=(f"next-server {SECOND} ",)),
        row("pxe-server", "the DHCP server says PXEClient and no file: it is asked on port 4011", by_dhcp,
            [Answer((MASK, LEASE, PXE)), Answer((PXE,), siaddr=SECOND, file="good", port=4011)], addresses=(SECOND,)),
        row("pxe-item", "dnsmasq with one pxe-service: a menu whose only item is taken at once", first_item,
            dhcp=("--pxe-service=x86PC,one,first",), boot_file=False, expect=("pxe: one",), forbid=base.forbid + ("  a  one",)),
        row("pxe-menu", "dnsmasq with two pxe-services and a prompt: nobody presses a key, and the first item's file is asked for", first_item,
            dhcp=("--pxe-prompt=Press F8,2",) + DNSMASQ_MENU, boot_file=False, expect=("Press F8 2 s .*Press F8 1 s .*\npxe: one",)),
        row("pxe-dnsmasq-proxy", "dnsmasq as a proxy beside another DHCP server", first_item, [replace(LEASE_ONLY, server=SECOND)],
            dhcp=("--dhcp-range=10.50.0.0,proxy,255.255.255.0", "--pxe-prompt=Press F8,1") + DNSMASQ_MENU,
            addresses=(SECOND,), expect=("pxe: one",)),
        row("pxe-dnsmasq-proxy-item", "the same with one item, which is taken at once", first_item, [replace(LEASE_ONLY, server=SECOND)],
            dhcp=("--dhcp-range=10.50.0.0,proxy,255.255.255.0", "--pxe-service=x86PC,one,first"), addresses=(SECOND,), expect=("pxe: one",)),
        row("pxe-dnsmasq-proxy-file", "the same with a boot file", (*once_more, "iseq ${filename} first.0 || echo ROW-FAILED",
                                                                   chain("tftp://${next-server}/good")),
            [replace(LEASE_ONLY, server=SECOND)], addresses=(SECOND,),
            dhcp=("--dhcp-range=10.50.0.0,proxy,255.255.255.0", "--pxe-service=254,none", "--dhcp-boot=first.0")),
        *(row(f"{kind}{'-menu' if menu else ''}", f"{name} gives the address" + (" and a PXE menu" if menu else " and the file"),
              first_item if menu else by_dhcp, [item_of(0, "first.0", port=4011)] if menu else (), dhcp_server=(kind, config(menu)),
              addresses=(SECOND,) if menu else (), expect=(f"next-server {SECOND} ",) if menu else ())
          for kind, name, config in (("isc", "isc-dhcp-server", isc), ("kea", "Kea", kea)) for menu in (False, True)),
        row("relay", "the DHCP server is behind a relay (dnsmasq, both)", by_dhcp, servers=[relayed(f"--dhcp-boot=good,,{HERE}")],
            dhcp=(f"--dhcp-relay={HERE},{BEHIND}",), expect=("dhcp: net0 10.50.0.150/",)),
        row("relay-menu", "and has a PXE menu: its port 4011 is asked through the router", ("dhcp", "show filename",
            "iseq ${filename} first.0 || echo ROW-FAILED", chain(f"tftp://{HERE}/good")),
            servers=[relayed("--pxe-prompt=Press F8,1", *DNSMASQ_MENU)],
            dhcp=(f"--dhcp-relay={HERE},{BEHIND}",), expect=("pxe: one\n", f"next-server {BEHIND} ")),
        row("pxe-proxy", "a router's lease, and a menu by a proxy, whose boot server is another machine", first_item,
            [LEASE_ONLY, menu_by_proxy((6, b"\3"), (8, b"\x80\0\1" + socket.inet_aton(SECOND))), item_of(0, "first.0", port=4011)],
            addresses=(SECOND, "10.50.0.6"), expect=(f"next-server {SECOND} ",)),
        row("pxe-group", "boot servers that are found by multicast", first_item,
            [LEASE_ONLY, menu_by_proxy((6, b"\1"), (7, socket.inet_aton(GROUP))), item_of(0, "first.0", port=4011, group=GROUP)],
            addresses=(SECOND, "10.50.0.6")),
        row("pxe-broadcast", "boot servers that are found by broadcast; one of another type and a DHCP server answer, too", first_item,
            [LEASE_ONLY, replace(LEASE_ONLY, options=(MASK, LEASE, PXE), file="none", item=0x8000), menu_by_proxy((6, b"\2")),
             replace(item_of(1, "second.0"), item=0x8000), replace(item_of(0, "first.0"), late=0.3)],
            addresses=(SECOND, "10.50.0.6")),
        row("pxe-nobody", "no boot server answers: that is said after four rounds, and the address is good all the same",
            ["dhcp || echo ROW-FAILED", "isset ${filename} && echo ROW-FAILED ||", chain("tftp://${next-server}/good")],
            [LEASE_ONLY, menu_by_proxy((6, b"\2"), (7, socket.inet_aton(GROUP)))], addresses=("10.50.0.6",),
            expect=(r"pxe: net0 keeps its address: .* \[N20\]",), after=base.after + (("dhcp_log", "message 3 .* item 8000", 4),)),
        row("pxe-local", "dnsmasq's menu begins with the local disk, and nobody is there: the script decides",
            ["dhcp && echo ROW-FAILED || echo LOCALLY", chain("tftp://${next-server}/good")],
            dhcp=("--pxe-prompt=Press F8,1", "--pxe-service=x86PC,Local disk,0", "--pxe-service=x86PC,one,first"), boot_file=False,
            expect=(r"pxe: Local disk(?s:.*)\[N21\](?s:.*)LOCALLY",)),
        row("silent-server", "a server offers first and says no more: the other one's offer is taken", by_dhcp,
            [OFFER_ONLY, replace(LEASE_ONLY, file="good", late=0.2)], expect=("net0 10.50.0.150",)),
        row("refusing-server", "a server offers first and refuses: the other one's offer is taken", by_dhcp,
            [OFFER_ONLY, replace(OFFER_ONLY, yiaddr="0.0.0.0", to=(3,), says=NAK), replace(LEASE_ONLY, file="good", late=0.2)],
            expect=("net0 10.50.0.150",)),
        row("search", "a short name, completed by option 119 and by option 15", ["dhcp", "imgfetch tftp://boothost/good || echo ROW-FAILED",
            "imgfree", chain("tftp://other/good")],
            dhcp=("--port=53", "--no-resolv", "--no-hosts", "--local=/#/", f"--address=/boothost.lab.test/{HERE}",
                  f"--address=/other.home.test/{HERE}",
                  f"--dhcp-option=6,{HERE}", "--dhcp-option=15,home.test", "--dhcp-option=option:domain-search,none.test,lab.test")),
        row("mtu", "option 26 is 1400, and larger packets vanish: TFTP's blocks and TCP's segments fit",
            ["dhcp", f"imgfetch tftp://{HERE}/good || echo ROW-FAILED", "imgfree", chain("http://10.50.0.2:8080/good")], servers=http, mtu=1400,
            dhcp=("--dhcp-option=26,1400", "--tftp-mtu=1500")),
        row("none", "no DHCP: the script gives the card its address, before and behind its opening",
            ["set net0/ip 10.50.0.77", "set net0/netmask 255.255.255.0", "ifopen net0", f"imgfetch tftp://{HERE}/good || echo ROW-FAILED",
             "imgfree", f"set net0/gateway {HERE}", chain(f"tftp://{FAR}/good")], addresses=(FAR,)),
        row("none-cleared", "an address that is cleared, or whose card is closed, is gone",
            ["ifopen", "set net0/ip 10.50.0.77", "ifstat", "clear net0/ip", "echo CLEARED", "ifstat", "set net0/ip 10.50.0.77", "ifclose net0",
             "echo CLOSED", "ifstat net0", "ifopen net0", chain(f"tftp://{HERE}/good")],
            expect=(r"10\.50\.0\.77 mask 255\.0\.0\.0 gateway 0\.0\.0\.0", r"CLEARED\nnet0: .*\n  \[fe80", r"CLOSED\nnet0: .*\(closed\)\n")),
        row("ipxe-options", "options that scripts for iPXE give", ["ifconf --timeout 5000 --configurator dhcp net0",
            f"imgfetch --name x --timeout=9000 tftp://{HERE}/good || echo ROW-FAILED",
            "boot x console=ttyS0 quiet && echo ROW-FAILED || echo OTHER-ARGUMENTS", "imgfree x",
            chain(f"-ar --timeout 5000 tftp://{HERE}/good {payload.GUEST_CMDLINE}")],
            expect=(r'"no_timer_check" is sealed and was left out.*\[S23\]\nOTHER-ARGUMENTS',)),
    ]
