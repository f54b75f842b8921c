# SPDX-License-Identifier: MPL-2.0
"""The rows about names with several addresses, some of which are dead. They run the core as a Linux process.

dnsmasq has the names. It gives the addresses of one by turns: of two fetches from a name with two, one has the dead one first."""
from dataclasses import replace

import net

BRIDGE4, BRIDGE6 = "10.50.0.1", f"{net.PREFIX6}::1"  # TFTP and names; nothing listens on port 8080 or 20530
OTHER4 = "10.50.0.3"
SERVER4, SERVER6 = "10.50.0.2", f"{net.PREFIX6}::2"
DEAD4, DEAD_TOO, DEAD6 = "10.50.0.66", "10.50.0.68", f"{net.PREFIX6}::66"  # nobody has these
NAMES = {  # name -> addresses
    "refused4": (BRIDGE4, SERVER6), "dead4": (DEAD4, SERVER6), "two4": (DEAD_TOO, SERVER4), "two6": (DEAD6, SERVER6),
    "worst": (DEAD4, DEAD_TOO, DEAD6, SERVER6), "alive": (SERVER4, SERVER6), "nowhere": (DEAD4, DEAD_TOO),
    "tftp-dead4": (DEAD4, BRIDGE6), "tftp-two4": (DEAD4, BRIDGE4), "tftp-alive": (BRIDGE4, BRIDGE6), "tftp-two6": (DEAD6, BRIDGE6),
}
OPTIONS = ("--port=53", "--no-resolv", "--no-hosts", "--local=/lab.test/", f"--dhcp-option=6,{BRIDGE4}",
           f"--dhcp-option=option6:dns-server,[{BRIDGE6}]", "--dhcp-option=option:domain-search,none.test,lab.test",
           f"--address=/half.wait.test/{OTHER4}", f"--server=/half.wait.test/{OTHER4}",  # nobody says whether it has an AAAA as well
           *(f"--host-record={name}.lab.test,{address}" for name, addresses in NAMES.items() for address in addresses))
TWO_FAMILIES = ("dhcp", "sleep 10")  # for the router's advertisement: a card solicits three times, 4 s apart
NO_IPV4 = ("ifopen",)


def script(*lines):
    return "#!ipxe\n" + "\n".join(lines) + "\n"


def rows(table):
    good = next(row for row in table if row.name == "e1000")
    base = replace(good, machine="host", group="host", tftp=("good",), after=(("placed", "good"),), addresses=(), expect=(), dhcp=OPTIONS,
                   forbid=("ROW-FAILED",))

    def row(name, about, before, fetched, kind="http", last="", **more):
        """Fetches of each URI, and boots the last one."""
        lines = [*before]
        for uri in fetched:
            lines += [f"echo CASE {uri}", f"imgfetch {uri} || echo ROW-FAILED", "imgfree"]
        both = ["--bind", "::"] if kind == "http" else []
        server = replace(good.servers[0], kind=kind, address6=SERVER6, options=both)
        return replace(base, name="host-names-" + name, about=about, script=script(*lines, f"chain {last} || echo ROW-FAILED"),
                       servers=[server] if kind else [], **more)

    def of(scheme, port, *names):
        return [f"{scheme}://{name}{port}/good" for name in names]

    return [
        row("http", "HTTP: the other family, and the next address, where one refuses or is silent", TWO_FAMILIES,
            of("http", ":8080", "alive.lab.test", "refused4.lab.test", "dead4.lab.test", "two4.lab.test", "two4.lab.test"),
            last="http://worst:8080/good",
            expect=(rf"{BRIDGE4}:8080: connection refused \[N1\d\]; trying \[{SERVER6}\]:8080",
                    rf"{DEAD_TOO}:8080: timed out \[G03\]; trying {SERVER4}:8080",
                    rf"CASE http://alive\S+\nhttp: fetching[^\n]*\n(?!http: )")),
        row("tftp", "TFTP: the same", TWO_FAMILIES, of("tftp", "", "tftp-alive.lab.test", "tftp-dead4.lab.test", "tftp-two4.lab.test"), kind="",
            last="tftp://tftp-two4/good",
            expect=(rf"tftp: {DEAD4}:69: timed out \[G03\]; trying {BRIDGE4}:69",
                    rf"tftp: {DEAD4}:69: timed out \[G03\]; trying \[{BRIDGE6}\]:69",)),
        replace(base, name="host-names-late-tftp", about="a TFTP server is asked on while a name server is silent about the other family",
                script=script(*TWO_FAMILIES, "chain tftp://half.wait.test/late && echo ROW-END || echo ROW-FAILED"),
                servers=[replace(good.servers[0], address=OTHER4, kind="endless", images=[])], boots="", end="ROW-END", after=(), deadline=60,
                expect=(r"LATE-SCRIPT\n",)),
        row("p2", "p2: all addresses of a family at once, then the other one's", TWO_FAMILIES,
            of("p2", "", "alive.lab.test", "two4.lab.test", "dead4.lab.test"), kind="signet", last="p2://worst/good",
            expect=(r"p2: dead4\.lab\.test: [^\n]* \[P01\]; trying its other addresses",)),
        row("six", "without IPv4: a name with A and AAAA, two AAAA of which the first is dead", NO_IPV4,
            of("http", ":8080", "alive.lab.test", "two6.lab.test", "two6.lab.test") +
            of("tftp", "", "tftp-alive.lab.test", "tftp-two6.lab.test", "tftp-two6.lab.test"), last="http://dead4.lab.test:8080/good",
            expect=(rf"http: \[{DEAD6}\]:8080: timed out \[G03\]; trying", rf"tftp: \[{DEAD6}\]:69: timed out \[G03\]; trying")),
        row("six-p2", "the same over p2", NO_IPV4, of("p2", "", "two6.lab.test", "dead4.lab.test"), kind="signet",
            last="p2://alive.lab.test/good"),
        replace(base, name="host-names-none", about="no address of its own, or none that answers: that is said, in bounded time",
                script=script("ifopen", f"chain tftp://{DEAD4}/x || echo NO-ADDRESS", "dhcp",
                              "chain http://nowhere.lab.test:8080/x || echo HTTP-FAILED",
                              "chain tftp://nowhere.lab.test/x || echo TFTP-FAILED", "echo ROW-END"),
                servers=[], boots="", end="ROW-END", after=(), deadline=100,
                expect=(r"\[N03\]\nNO-ADDRESS", r"http: 10\.50\.0\.\d+:8080: timed out \[G03\]; trying 10",
                        r"timed out \[G03\]\nHTTP-FAILED(?s:.*)timed out \[G03\]\nTFTP-FAILED")),
    ]
