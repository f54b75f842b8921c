# SPDX-License-Identifier: MPL-2.0
"""`make bench` side by side with another build (--against DIR, a checkout in which `make` has run): each tree measures itself by
its own benchmark, by turns, and no row may be slower than 0.97 of the other's."""
import os
import subprocess
import sys

import fixtures
import net

GOAL = 0.97
# What is measured -> the part of the benchmark that does, and the seconds in what it gives.
PARTS = {
    "UNDI, e1000, p2:// verified": ("own", lambda r: r[0]),
    "UNDI, e1000, without the digest": ("own", lambda r: r[1]["transport_us"] / 1e6),
    "UEFI, virtio-net, p2:// verified": ("uefi:virtio:signet.efi", lambda r: r["p2"]["total_us"] / 1e6),
    "UEFI, virtio-net, without the digest": ("uefi:virtio:signet.efi", lambda r: r["p2"]["transport_us"] / 1e6),
    "UEFI, virtio-net, HTTP verified": ("uefi:virtio:signet.efi", lambda r: r["http"]["total_us"] / 1e6),
    "UEFI, virtio-net, processor time": ("uefi:virtio:signet.efi", lambda r: r["processors"]),
    "UEFI, e1000, p2:// verified": ("uefi:e1000:signet.efi", lambda r: r["p2"]["total_us"] / 1e6),
    "UEFI, e1000, without the digest": ("uefi:e1000:signet.efi", lambda r: r["p2"]["transport_us"] / 1e6),
    "UEFI, e1000, HTTP verified": ("uefi:e1000:signet.efi", lambda r: r["http"]["total_us"] / 1e6),
    "UEFI, SHA extensions, two processors": ("digest:x86-ni-2", lambda r: r["total_us"] / 1e6),
    "UEFI, arm64, two processors": ("digest:arm64-2", lambda r: r["total_us"] / 1e6),
}
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
    for part in dict.fromkeys(part for part, _ in PARTS.values()):
        for i in range(runs):
            for tree in trees:
                say(f"bench: run {i + 1} of {runs}: {part}, {'the other build' if tree == other else 'this build'}")
                figures = eval(_run(prefix, MEASURE, tree, mib, part).splitlines()[-1], {"__builtins__": {}})  # our own repr of numbers
                seen.setdefault((part, tree), []).append(figures)
    for what, (part, seconds) in PARTS.items():
        theirs, ours = (min(map(seconds, seen[part, tree])) for tree in trees)
        table.row(f"against the other build: {what}", f"{ours:.2f} s", f"{theirs:.2f} s", f"{theirs / ours:.2f}x", f">= {GOAL}x",
                  theirs / ours >= GOAL)
