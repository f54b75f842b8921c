# SPDX-License-Identifier: MPL-2.0
"""The benchmark's rows of a boot server beside a greedy host, and beside the same server of another build (--against).

Run as a program it is the greedy host: bench_bootserver.py SOURCE SERVER PORT SECONDS. It says HELLO under one nonce after the
other, echoes each cookie, asks for all that a READ may ask for, 106 kB of requests a second, and throws away what comes."""
import os
import socket
import statistics
import subprocess
import sys
import time

import fixtures
import p2

PORT = 20532
REQUEST = 64 + 64 * 12 + 256  # bytes of a READ and its HELLO
RATE = 106000


def greedy(source, server, port, seconds):
    end = time.monotonic() + seconds
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.bind((source, 0))
        s.connect((server, port))
        s.settimeout(0.2)
        while time.monotonic() < end:
            start, nonce = time.monotonic(), os.urandom(8)
            s.send(p2.message(p2.HELLO, nonce, bytes(240)))
            offer = None
            try:
                while not offer:
                    data = s.recv(2048)
                    offer = data if data[5] == p2.OFFER and data[8:16] == nonce else None
            except (socket.timeout, ConnectionRefusedError):
                continue
            cookie, image_id = p2.OFFER_BODY.unpack(offer[16:])[:2]
            ranges = b"".join(p2.RANGE.pack(i << 18, 16 * 1408) for i in range(64))
            s.send(p2.message(p2.READ, nonce, p2.READ_BODY.pack(cookie, image_id[:8], 0, 0, 1, 1408, 0, p2.PAYLOAD, 64, 0) + ranges))
            time.sleep(max(0.0, start + REQUEST / RATE - time.monotonic()))


def serve(signet, folder, attacked=False, client=None):
    """One `signet fetch` of a folder's only image, by the server's build or another's: (seconds, the server's processor time)."""
    server = subprocess.Popen([signet, "bootserver", "--listen", "127.0.0.1", "--port", str(PORT), folder], stdin=subprocess.DEVNULL,
                              stdout=subprocess.DEVNULL)
    host = None
    try:
        time.sleep(0.5)
        if attacked:
            host = subprocess.Popen([sys.executable, "-B", os.path.abspath(__file__), "127.0.0.77", "127.0.0.1", str(PORT), "60"])
            time.sleep(1.5)
        with open(f"/proc/{server.pid}/schedstat", encoding="ascii") as f:
            before = int(f.read().split()[0])
        start = time.monotonic()
        subprocess.run([client or signet, "fetch", "-q", "--trust", fixtures.path("alice.pub"), f"p2://127.0.0.1:{PORT}/"], check=True)
        seconds = time.monotonic() - start
        with open(f"/proc/{server.pid}/schedstat", encoding="ascii") as f:
            return seconds, (int(f.read().split()[0]) - before) / 1e9
    finally:
        for process in (host, server):
            if process:
                process.terminate()
                process.wait()


def report(table, folder, mib, against=None, runs=7):
    size = mib * 1.048576
    alone, beside, pair, server = [], [], [], []
    for _ in range(runs):  # by turns, so that a busy host slows all of them
        alone.append(serve(fixtures.SIGNET, folder))
        beside.append(serve(fixtures.SIGNET, folder, attacked=True))
        if against:
            theirs = os.path.join(against, "bin/signet")
            pair.append(serve(theirs, folder))
            server.append(serve(theirs, folder, client=fixtures.SIGNET))
    rate, attacked = (size / min(r[0] for r in results) for results in (alone, beside))
    table.row("bootserver, one client beside a greedy host", f"{attacked:.0f} MB/s", f"{rate:.0f} MB/s alone",
              f"{attacked / rate:.2f}x", ">= 0.5x", attacked / rate >= 0.5)
    if not against:
        return
    # Loopback has the kernel cut up for a client that does not take datagrams joined, on the server's account: the pair is what one
    # build costs beside the other, and with one client for both servers this is what the server itself does. Of that the copy
    # of the bytes into the kernel is half, which no server over UDP is without.
    for what, results, goal in (("bootserver and its own fetch", pair, 0.6), ("bootserver alone, one fetch for both", server, 1.0)):
        own, other = (statistics.median(r[1] for r in side) * 1000 / size for side in (alone, results))
        table.row(f"{what}: the server's processor time for a GB", f"{own:.2f} s", f"{other:.2f} s", f"{own / other:.2f}x",
                  f"<= {goal}x", own / other <= goal)
    faster = min(r[0] for r in pair) * rate / size
    table.row("bootserver and fetch, against the other build", f"{rate:.0f} MB/s", f"{size / min(r[0] for r in pair):.0f} MB/s",
              f"{faster:.2f}x", ">= 0.97x", faster >= 0.97)


if __name__ == "__main__":
    greedy(sys.argv[1], sys.argv[2], int(sys.argv[3]), float(sys.argv[4]))
