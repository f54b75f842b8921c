# SPDX-License-Identifier: MPL-2.0
"""The benchmark's machines with UEFI: OVMF starts Signet, or one of Debian's EFI programs, by its own PXE.

A peer's times are the host's clock (the web server's log), Signet's the firmware's, which also says how they are split. How the
verified rate stands to the digest's is bench_digest.py's part. The processor time is that of the server and all of the emulator's
threads from the first READ, or GET, to the end: on a host of two processors, what they take together decides.
"""
import functools
import os
import subprocess

import bench_net
import bench_peer
import fixtures
import machine_efi
import net

PEERS = ("ipxe.efi", "snponly.efi")
CARDS = {"virtio": "virtio-net-pci,romfile=", "e1000": "e1000"}
PEER_SERVER, SERVER = net.PREFIX4 + ".1", net.PREFIX4 + ".2"
MEMORY = 512
START = 120  # seconds that OVMF and its PXE may take


def _machine(network, boot_file, card, mib, processors, dhcp=()):
    """Starts a machine from `boot_file` of the TFTP server and waits until it has asked for mark-done."""
    def done():
        processors.look()
        return "done" in bench_net.marks() or "leaving Signet" in guest.console()

    folder = os.path.join(bench_net.BENCH, "efi-" + boot_file)
    os.makedirs(folder, exist_ok=True)
    network.dnsmasq(bench_net.ROOT, boot_file, options=dhcp)
    guest = machine_efi.EfiMachine(folder, "uefi-pxe", None, CARDS[card], "tap,ifname=tap0,script=no,downscript=no", MEMORY,
                                   extra=bench_net.MEMORY_READY)
    bench_net.wait_for(f"the end of {boot_file}'s downloads", done, START + 10 * mib)
    text = guest.console()
    guest.stop()
    network.stop()
    return text


def _peer_run(mib, card, program):
    """One of Debian's programs: (seconds over HTTP, seconds over TFTP, processor time over HTTP)."""
    bench_net.fresh_logs()
    network = net.Net(bench_net.BENCH)
    network.tap()
    bench_net.start_nginx(network)
    bench_net.peer_script(PEER_SERVER)
    # Its own DHCP names the user class iPXE; the firmware's before it does not.
    processors = bench_net.Processors(lambda: "http-start" in bench_net.marks(), lambda: "http-end" in bench_net.marks())
    _machine(network, program, card, mib, processors, dhcp=("--dhcp-userclass=set:ipxe,iPXE", "--dhcp-boot=tag:ipxe,peer.ipxe"))
    return (*bench_net.peer_times(mib), processors.seconds())


def _own_run(mib, card):
    """Signet: the firmware's timing lines, {"p2": {...}, "http": {...}}, and the processor time over p2 without the digest."""
    bench_net.fresh_logs()
    network = net.Net(bench_net.BENCH)
    network.tap()
    bench_net.start_nginx(network)
    node = network.node("a", SERVER)
    node.popen([fixtures.SIGNET, "bootserver", os.path.join(bench_net.BENCH, "images")], "bootserver.log")
    script = os.path.join(bench_net.BENCH, "own-efi.ipxe")
    with open(script, "w", encoding="ascii") as f:
        f.write(f"#!ipxe\ndhcp\nimgfetch p2://{SERVER}/bench && imgfree\nimgfetch http://{PEER_SERVER}/bench && imgfree\n"
                f"imgfetch http://{PEER_SERVER}/mark-done\n")
    subprocess.run([fixtures.SIGNET, "embed", "--script", script, "--trust", fixtures.path("alice.pub"),
                    os.path.join(fixtures.TOP, "bin/ipxe.efi"), "-o", os.path.join(bench_net.ROOT, "signet.efi")], check=True)
    log = functools.partial(bench_net.read_log, "bootserver.log")
    processors = bench_net.Processors(lambda: " boot start " in log(), lambda: " fetch done " in log())
    text = _machine(network, "signet.efi", card, mib, processors)
    timing = bench_net.timings(text)
    if "p2" not in timing or "http" not in timing:
        raise SystemExit("bench: Signet's downloads failed:\n" + text[-800:])
    bench_net.say("bench: timing: " + " ".join(f"{k}={v}" for k, v in timing["p2"].items()))
    return dict(timing, processors=processors.seconds(timing["p2"]["digest_us"] / timing["p2"]["total_us"]))


def run(mib, card, program):
    """Inside namespaces of its own."""
    return _own_run(mib, card) if program == "signet.efi" else _peer_run(mib, card, program)


def prepare():
    links = {name: bench_peer.path(name) for name in PEERS}
    for name, path in {**links, "bench": os.path.join(bench_net.BENCH, "images/bench")}.items():
        bench_net.link(path, os.path.join(bench_net.ROOT, name))


def report(table, mib, runs, run_isolated, say):
    """Adds the rows. run_isolated("CARD:PROGRAM") is run() in namespaces of its own."""
    for card in CARDS:
        results = {program: [] for program in [*PEERS, "signet.efi"]}
        for i in range(runs):  # by turns, so that a busy host slows all of them
            for program, seen in results.items():
                say(f"bench: run {i + 1} of {runs}: {program} under UEFI, {card}, {mib} MiB")
                seen.append(run_isolated(f"{card}:{program}"))
        peers = {program: [min(figures) for figures in zip(*results[program])] for program in PEERS}
        _report_card(table, f"UEFI, {card}: ", mib * 1.048576, peers, min(results["signet.efi"], key=lambda r: r["p2"]["total_us"]))


def _report_card(table, what, size, peers, own):
    """`size` in MB; `peers`: program -> what _peer_run() gives."""
    def row(text, ours, theirs, goal=0.0):
        table.row(what + text, f"{size / ours:.2f} MB/s", f"{size / theirs:.2f} MB/s", f"{theirs / ours:.2f}x", f">= {goal}x" if goal else "",
                  theirs / ours >= goal if goal else None)

    total, transport, digest, rest = (own["p2"][k] / 1e6 for k in ("total_us", "transport_us", "digest_us", "entry_to_read_us"))
    for program, (http, tftp, busy) in peers.items():
        row(f"transport alone against {program}, HTTP", transport, http, 1.5)
        row(f"p2:// verified against {program}, HTTP", total, http)
        row(f"p2:// verified against {program}, TFTP", total, tftp)
        row(f"HTTP verified against {program}, HTTP", own["http"]["total_us"] / 1e6, http)
        table.row(f"{what}processor time against {program}, without the digest", f"{own['processors']:.2f} s", f"{busy:.2f} s",
                  f"{busy / own['processors']:.2f}x")
    table.row(what + "time by the firmware's clock", f"transport {transport:.2f} s", f"digest {digest:.2f} s", f"rest {rest:.2f} s")
