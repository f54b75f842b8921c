# SPDX-License-Identifier: MPL-2.0
"""`make bench` side by side with another build (--against DIR, a checkout in which `make` has run): each tree measures itself by
its own benchmark, by turns.

Time tells little here: one and the same build takes from 2.8 to 4.3 s for a row of one run, since other machines share the host, and a
page that falls on another one's place in the emulator's table of pages costs more than a function. So time is shown, and what is judged
is the work: with -icount the emulated clock advances by one step for each instruction, and the firmware's own timing counts them, the
same to a thousandth each time. No row may take more instructions than the other build's by 1 / 0.97."""
import os
import subprocess
import sys

import fixtures
import net

GOAL = 0.97
# What is measured -> the part of the benchmark that does, and the microseconds in what it gives, by the firmware's clock.
PARTS = {
    "UNDI, e1000, p2:// verified": ("own", lambda r: r[1]["total_us"]),
    "UNDI, e1000, without the digest": ("own", lambda r: r[1]["transport_us"]),
    "UEFI, virtio-net, p2:// verified": ("uefi:virtio:signet.efi", lambda r: r["p2"]["total_us"]),
    "UEFI, virtio-net, without the digest": ("uefi:virtio:signet.efi", lambda r: r["p2"]["transport_us"]),
    "UEFI, virtio-net, HTTP verified": ("uefi:virtio:signet.efi", lambda r: r["http"]["total_us"]),
    "UEFI, e1000, p2:// verified": ("uefi:e1000:signet.efi", lambda r: r["p2"]["total_us"]),
    "UEFI, e1000, without the digest": ("uefi:e1000:signet.efi", lambda r: r["p2"]["transport_us"]),
    "UEFI, e1000, HTTP verified": ("uefi:e1000:signet.efi", lambda r: r["http"]["total_us"]),
    "UEFI, SHA extensions, two processors": ("digest:x86-ni-2", lambda r: r["total_us"]),
    "UEFI, arm64, two processors": ("digest:arm64-2", lambda r: r["total_us"]),
}
# The host's clock, which counts no instructions.
HOST_PARTS = {"UEFI, virtio-net, processor time": ("uefi:virtio:signet.efi", lambda r: r["processors"] * 1e6)}
# A tree's benchmark as a program that is told what to do: its name has no ending, so it is no module.
START = """
import importlib.machinery, importlib.util, sys
sys.dont_write_bytecode = True
loader = importlib.machinery.SourceFileLoader("bench", sys.argv[1] + "/ci/qemu/bench")
bench = importlib.util.module_from_spec(importlib.util.spec_from_loader("bench", loader))
loader.exec_module(bench)
"""
PREPARE = START + """
bench.fixtures.prepare()
bench.prepare(int(sys.argv[2]))
bench.bench_efi.prepare()
[bench.bench_digest.missing(name) for name in bench.bench_digest.MACHINES]
"""
MEASURE = START + "print(repr(bench.inside(sys.argv[3], int(sys.argv[2]))))"
STEP_US = 0.004  # emulated time of an instruction: 2 to the power of the shift, in ns
# Whatever machine the tree starts, its clock counts instructions.
COUNT = START + """
import machine
started = machine.Console.start
def start(self, command, *arguments, **options):
    return started(self, [*command, "-icount", "shift=2,sleep=off"], *arguments, **options)
machine.Console.start = start
print(repr(bench.inside(sys.argv[3], int(sys.argv[2]))))
"""


def _run(prefix, code, tree, *arguments):
    done = subprocess.run([*prefix, sys.executable, "-B", "-c", code, tree, *map(str, arguments)], cwd=tree, stdout=subprocess.PIPE, text=True)
    if done.returncode != 0:
        raise SystemExit(f"bench: {tree} could not be measured (status {done.returncode})")
    return done.stdout


def report(table, other, mib, runs, say):
    prefix, reason = net.isolation()
    if not prefix:
        raise SystemExit(f"bench: {reason}")
    other = os.path.abspath(other)
    trees = (other, fixtures.TOP)
    for tree in trees:
        _run((), PREPARE, tree, mib)
    seen = {}

    def measure(code, part, name):
        for tree in trees:
            say(f"bench: {name}: {part}, {'the other build' if tree == other else 'this build'}")
            figures = eval(_run(prefix, code, tree, mib, part).splitlines()[-1], {"__builtins__": {}})  # our own repr of numbers
            seen.setdefault((code, part, tree), []).append(figures)

    for part in dict.fromkeys(part for part, _ in PARTS.values()):
        for i in range(runs):
            measure(MEASURE, part, f"run {i + 1} of {runs}")
        measure(COUNT, part, "instructions")
    for what, (part, micros) in {**PARTS, **HOST_PARTS}.items():
        theirs, ours = (min(map(micros, seen[MEASURE, part, tree])) for tree in trees)
        table.row(f"against the other build: {what}", f"{ours / 1e6:.2f} s", f"{theirs / 1e6:.2f} s", f"{theirs / ours:.2f}x")
        if what in PARTS:
            theirs, ours = (micros(seen[COUNT, part, tree][0]) for tree in trees)
            table.row("  its instructions", *(f"{us / STEP_US / 1e6:.0f} million" for us in (ours, theirs)), f"{theirs / ours:.3f}x",
                      f">= {GOAL}x", theirs / ours >= GOAL)
