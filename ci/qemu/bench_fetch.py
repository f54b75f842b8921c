# SPDX-License-Identifier: MPL-2.0
"""The benchmark's rows of `signet fetch` of 300 MB over loopback, verified and whole, beside curl from nginx on the same file."""
import os
import resource
import subprocess
import time

import fixtures
import payload
from bench_net import BENCH, nginx, say, wait_for

P2_PORT, HTTP_PORT = 20534, 20580
MIB = 286  # 300 MB
FOLDER = os.path.join(BENCH, "fetch")
IMAGE = os.path.join(FOLDER, "image", "fetch")
SIZE = MIB * 1.048576


def _prepare():
    os.makedirs(os.path.dirname(IMAGE), exist_ok=True)
    if not os.path.exists(IMAGE):
        raw = IMAGE + ".raw"
        payload.write_labelled(raw, MIB)
        subprocess.run([fixtures.SIGNET, "mkimage", "-o", IMAGE, "-N", "fetch", "--key", fixtures.path("alice.key"), "-i", raw],
                       check=True, stdout=subprocess.DEVNULL)
        os.unlink(raw)


def _timed(command):
    """(seconds, processor seconds of the command and what it started)."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, check=True)
    seconds, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    return seconds, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def report(table, runs=7):
    say("bench: signet fetch and curl, 300 MB over loopback")
    _prepare()
    url = f"http://127.0.0.1:{HTTP_PORT}/fetch"
    commands = {
        "fetch": [fixtures.SIGNET, "fetch", "-q", "--trust", fixtures.path("alice.pub"), f"p2://127.0.0.1:{P2_PORT}/"],
        "sum": ["bash", "-o", "pipefail", "-c", f"curl -sSf {url} | sha256sum"],
        "curl": ["curl", "-sSf", "-o", "/dev/null", url],
    }
    with open(os.path.join(FOLDER, "servers.log"), "w", encoding="utf-8") as log:
        quiet = {"stdin": subprocess.DEVNULL, "stdout": log, "stderr": log}
        servers = [subprocess.Popen(nginx(FOLDER, os.path.dirname(IMAGE), f"127.0.0.1:{HTTP_PORT}"), **quiet),
                   subprocess.Popen([fixtures.SIGNET, "bootserver", "--listen", "127.0.0.1", "--port", str(P2_PORT),
                                     os.path.dirname(IMAGE)], **quiet)]
        try:
            wait_for("nginx", lambda: subprocess.run(["curl", "-sf", "-r", "0-0", "-o", "/dev/null", url], check=False).returncode == 0, 30)
            _timed(commands["fetch"])  # waits for the boot server
            times = {name: [] for name in commands}
            for _ in range(runs):  # by turns, so that a busy host slows all of them
                for name, command in commands.items():
                    times[name].append(_timed(command))
        finally:
            for server in servers:
                server.terminate()
                server.wait()
    best = {name: min(t[0] for t in all_of) for name, all_of in times.items()}
    cpu = {name: min(t[1] for t in all_of) for name, all_of in times.items()}
    for name, what, goal in (("sum", "curl | sha256sum", 1.5), ("curl", "curl -o /dev/null", 0.6)):
        ratio = best[name] / best["fetch"]
        table.row(f"signet fetch against {what}, 300 MB over loopback", f"{SIZE / best['fetch']:.0f} MB/s", f"{SIZE / best[name]:.0f} MB/s",
                  f"{ratio:.2f}x", f">= {goal}x", ratio >= goal)
        table.row("  the processor time of that", f"{cpu['fetch']:.2f} s", f"{cpu[name]:.2f} s", f"{cpu[name] / cpu['fetch']:.2f}x")
