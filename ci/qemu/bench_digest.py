# SPDX-License-Identifier: MPL-2.0
"""The part "digest" of `make bench`: one verified download over p2:// (virtio-net, UEFI) on machines that differ in how
SHA-256 is computed.

A machine with one processor hashes and receives by turns, and the firmware's own clock splits its time; "alone" is the bytes over
either share. Signet cannot fetch without verifying, and no switch is made for this table, so the share that is not hashing stands
for the transport. It flatters the transport, since frames come in while the processor hashes, and reading them afterwards waits for
nobody. The verified rate is held against the slower of the two. The processor's instructions make the digest so fast that what a
frame takes beside it is more than a tenth of it: there, one processor is a reference without a goal, and two have to meet it."""
import os
import re
import subprocess
import time

import bench_net
import emulator
import fixtures
import machine_efi
import net
import payload_arm64

FOLDER = os.path.join(fixtures.TOP, "build/bench/digest")
SERVER = net.PREFIX4 + ".2"
NIC = "virtio-net-pci,romfile="
MEMORY = 512
GOAL = 0.9

# name -> (what it is, how it is started, processor, processors)
MACHINES = {
    "x86-c": ("x86, SHA-256 in C, one processor", "esp", "max,sha-ni=off", 1),
    "x86-c-2": ("x86, SHA-256 in C, two processors", "esp", "max,sha-ni=off", 2),
    "x86-ni": ("x86, SHA extensions, one processor", "esp", "max", 1),
    "x86-ni-2": ("x86, SHA extensions, two processors", "esp", "max", 2),
    "arm64": ("arm64, SHA-2 instructions, one processor", "esp-arm64", None, 1),
    "arm64-2": ("arm64, SHA-2 instructions, two processors", "esp-arm64", None, 2),
}


def missing(name):
    """None, or why this machine cannot be had here."""
    return payload_arm64.prepare() if MACHINES[name][1] == "esp-arm64" else emulator.prepare()


def run(name, images):
    """The firmware's timing line as a dictionary. Inside namespaces of its own."""
    _, start, cpu, processors = MACHINES[name]
    os.makedirs(os.path.join(FOLDER, "esp/EFI/BOOT"), exist_ok=True)
    script, artefact = os.path.join(FOLDER, "script.ipxe"), os.path.join(FOLDER, "signet.efi")
    with open(script, "w", encoding="ascii") as f:
        f.write(f"#!ipxe\ndhcp\nimgfetch p2://{SERVER}/bench && echo BENCH-END || echo BENCH-FAILED\n")
    binary = "ipxe-arm64.efi" if start == "esp-arm64" else "ipxe.efi"
    subprocess.run([fixtures.SIGNET, "embed", "--script", script, "--trust", fixtures.path("alice.pub"),
                    os.path.join(fixtures.TOP, "bin", binary), "-o", artefact], check=True)
    network = net.Net(FOLDER)
    network.tap()
    network.node("a", SERVER).popen([fixtures.SIGNET, "bootserver", images], "bootserver.log")
    network.dnsmasq(FOLDER, "absent")
    guest = machine_efi.EfiMachine(FOLDER, start, artefact, NIC, "tap,ifname=tap0,script=no,downscript=no", MEMORY, cpu=cpu,
                                   processors=processors, program=emulator.newer(), extra=bench_net.MEMORY_READY)
    deadline = time.monotonic() + 300
    while not re.search("BENCH-END|BENCH-FAILED", guest.console()) and guest.running() and time.monotonic() < deadline:
        time.sleep(0.1)
    text = guest.console()
    guest.stop()
    network.stop()
    timing = re.search(r"timing: (.*)", text)
    if "BENCH-END" not in text or not timing:
        raise SystemExit(f"bench: {name} did not end its download:\n" + text[-800:])
    return {k: int(v) for k, v in re.findall(r"(\w+)=(\d+)", timing.group(1))}


def report(table, runs, run_isolated, say):
    """Adds the rows. run_isolated(name) is run() in namespaces of its own."""
    best = {}
    for name in MACHINES:
        reason = missing(name)
        if reason:
            say(f"bench: {name} left out: {reason}")
            continue
        for i in range(runs):
            say(f"bench: digest, run {i + 1} of {runs}: {name}")
            timing = run_isolated(name)
            if name not in best or timing["total_us"] < best[name]["total_us"]:
                best[name] = timing
    for name, t in best.items():
        alone = best[name.removesuffix("-2")]
        rate, digest, transport = (alone["bytes"] / us for us in (t["total_us"], alone["digest_us"], alone["transport_us"]))
        limit, which = min((digest, "digest"), (transport, "transport"))
        met = rate / limit >= GOAL if MACHINES[name][3] > 1 or name == "x86-c" else None
        table.row(f"verified: {MACHINES[name][0]}", f"{rate:.1f} MB/s", f"digest alone {digest:.1f}, transport alone {transport:.1f} MB/s",
                  f"{rate / limit:.2f}x of {which}", f">= {GOAL}x" if met is not None else "", met)
