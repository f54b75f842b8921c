# SPDX-License-Identifier: MPL-2.0
"""The rows of ci/check/cli about bootserver and fetch."""
import concurrent.futures
import os
import random
import re
import shutil
import signal
import socket
import subprocess
import time

from cli_base import Server, fetch, fields, memory, on_terminal, refuses, rest_of_terminal, same, shared, signet, write
from rows import SIGNET, Skip, check, row


@row
def fetch_an_image(d):
    with Server(shared("small.img"), cwd=d) as server:
        done = fetch(server, "", "-o", "got", cwd=d)  # the only image is the default
        check(same(os.path.join(d, "got"), shared("small.img")), "what came is not what was served")
        f = fields(done.stdout)
        check(f["image name"] == "small" and f["counter"] == "5" and float(f["MB/s"]) > 0, done.stdout)
        line = server.wait("fetch done")
        check(f"image=small bytes={f['bytes']} " in line and "MB/s=" in line and "client=127.0.0.1:" in line, line)
        fetch(server, "small", cwd=d)
        fetch(server, "small.img", cwd=d, host="[::1]")
        check("client=[::1]:" in server.wait("fetch done", count=3), "IPv6 client")
        fetch(server, "small.img", cwd=d, host="localhost")
        status, stderr = server.stop()
        check(status == 0 and not stderr, f"SIGTERM: status {status}, {stderr!r}")
        check(server.lines[-1].split()[1] == "stopped", server.lines[-1])


@row
def fetch_failures(d):
    with Server(shared("small.img"), shared("mallory.img"), cwd=d) as server:
        refuses("fetch", "--trust", shared("alice.pub"), "-o", "x", server.uri("mallory.img"), says="signed by no trusted key \\(S07\\)", cwd=d)
        line = server.wait("boot failed")
        check("code=S07" in line and "text=" in line and "client=127.0.0.1:" in line, line)
        refuses("fetch", "--trust", shared("alice.pub"), "--wait", "2", server.uri("nothing"), says="no server has this image \\(P02\\)", cwd=d)
        server.wait('image wanting .*name="nothing"')
        # Two images and none called "default".
        refuses("fetch", "--trust", shared("alice.pub"), "--wait", "2", server.uri(""), says="P02.*name one of: small.img, mallory.img$", cwd=d)
        refuses("fetch", "--trust", shared("alice.pub"), "--floor", "6", server.uri("small"), says="S13", cwd=d)
        refuses("fetch", "--trust", shared("alice.pub"), "-o", d, server.uri("small"), says="is a folder", cwd=d)
        refuses("fetch", "--trust", shared("alice.pub"), "-o", "x", server.uri("small"), says="x: File too large|x: No space", limit=10000, cwd=d)
    refuses("fetch", "--trust", shared("alice.pub"), "--wait", "1", server.uri("small"), says="no server answered \\(P01\\)", cwd=d)
    refuses("fetch", "--trust", shared("alice.pub"), "p2://name.invalid/x", says="name.invalid: ", cwd=d)


@row
def serve_single(d):
    with Server("-s", shared("small.img"), cwd=d) as server:
        fetch(server, "", cwd=d)
        status, stderr = server.end()
        check(status == 0 and not stderr, f"-s after a boot: {status} {stderr!r}")
    with Server("-s", shared("mallory.img"), cwd=d) as server:
        fetch(server, "", cwd=d, status=1)
        check(server.end()[0] == 1, "-s after a failed boot")


@row
def serve_timeout(d):
    start = time.monotonic()
    with Server("-t", "1", shared("small.img"), cwd=d) as server:
        status, stderr = server.end(10)
        check(status == 1 and "no client came in 1 seconds" in stderr and len(stderr.splitlines()) == 1, f"{status} {stderr!r}")
    check(0.9 < time.monotonic() - start < 5, "in time")
    with Server("-t", "1", shared("small.img"), cwd=d) as server:
        fetch(server, "", cwd=d)
        time.sleep(1.5)
        check(server.process.poll() is None, "-t ended a server that had a client")
        check(server.stop()[0] == 0, "status")


@row
def serve_single_client_falls_silent(d):
    with Server("-s", "-t", "2", shared("big.img"), cwd=d) as server:
        client = subprocess.Popen([SIGNET, "fetch", "-q", "--trust", shared("alice.pub"), server.uri("")], cwd=d)
        server.wait("boot start")
        client.kill()
        client.wait()
        # A quick machine may have had all of it, but it cannot have said so... unless it had.
        status, stderr = server.end(20)
        check(status == 1 and "silent" in stderr or status == 0 and any("fetch done" in l for l in server.lines), f"{status} {stderr!r}")


@row
def serve_signals(d):
    for sig in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        with Server(shared("small.img"), cwd=d) as server:
            server.process.send_signal(sig)
            status, stderr = server.end(5)
            check(status == 0 and not stderr, f"{sig}: {status} {stderr!r}")
    # nohup: a signal that was ignored at the start stays ignored.
    process = subprocess.Popen(["sh", "-c", "trap '' HUP; exec \"$0\" bootserver --listen 127.0.0.1 --port 0 \"$1\"", SIGNET, shared("small.img")],
                               stdout=subprocess.PIPE, text=True)
    check("loaded" in process.stdout.readline() and "serving" in process.stdout.readline(), "start")
    process.send_signal(signal.SIGHUP)
    time.sleep(0.3)
    check(process.poll() is None, "ended by a signal that is ignored")
    process.terminate()
    check(process.wait(5) == 0, "SIGTERM")
    process.stdout.close()


@row
def serve_bad_arguments(d):
    os.mkdir(os.path.join(d, "folder"))
    port = ("--port", "0", "--listen", "127.0.0.1")
    for args, says in (((*port, "missing"), "missing: No such"), ((*port, shared("garbage")), "garbage: not a phase-2 image"),
                       ((*port, shared("empty")), "empty: "), (("/dev/zero",), "zero: is not a regular"),
                       (("--interface", "nosuchif", shared("small.img")), "nosuchif: no interface"),
                       (("--listen", "192.0.2.77", "--port", "0", shared("small.img")), "192.0.2.77: Cannot assign")):
        done = subprocess.run([SIGNET, "bootserver", *args], cwd=d, capture_output=True, text=True, timeout=10)
        check(done.returncode == 1 and re.search(says, done.stderr) and len(done.stderr.splitlines()) == 1,
              f"{args}: {done.returncode} {done.stderr!r}")
    data = open(shared("small.img"), "rb").read()
    write(os.path.join(d, "cut"), data[:-5000])
    done = subprocess.run([SIGNET, "bootserver", *port, "cut"], cwd=d, capture_output=True, text=True, timeout=10)
    check(done.returncode == 1 and "cut: ends too early" in done.stderr, done.stderr)
    with Server(shared("small.img"), cwd=d) as server:
        done = subprocess.run([SIGNET, "bootserver", "--listen", "127.0.0.1", "--port", str(server.port), shared("small.img")],
                              cwd=d, capture_output=True, text=True, timeout=10)
        check(done.returncode == 1 and "port is in use" in done.stderr and len(done.stderr.splitlines()) == 1, done.stderr)


@row
def serve_a_folder(d):
    folder = os.path.join(d, "images")
    os.mkdir(folder)
    for i in range(3):
        signet("mkimage", "-o", f"images/file{i}.img", "-N", f"build-{i}", "--key", shared("alice.key"), "--kernel", shared("vmlinuz"), cwd=d)
    write(os.path.join(folder, "notes.txt"), b"not an image")
    write(os.path.join(folder, "cut.img"), open(shared("small.img"), "rb").read()[:-1])
    write(os.path.join(folder, ".hidden"), b"x")
    os.mkdir(os.path.join(folder, "sub"))
    with Server("images", cwd=d) as server:
        check("images=3" in server.wait("serving"), str(server.lines))
        for bad in ("notes.txt", "cut.img"):
            server.wait(f'image refused file="images/{bad}"')
        for i in range(3):
            for name in (f"build-{i}", f"file{i}.img"):
                check(fields(fetch(server, name, cwd=d).stdout)["image name"] == f"build-{i}", name)
        fetch(server, "", "--wait", "1", cwd=d, status=1)
        # One comes, one goes.
        shutil.copy(os.path.join(folder, "file0.img"), os.path.join(folder, "default"))
        server.wait('image loaded file="images/default"')
        check(fields(fetch(server, "", cwd=d).stdout)["image name"] == "build-0", "default")
        os.unlink(os.path.join(folder, "file2.img"))
        server.wait('image gone file="images/file2.img"')
        fetch(server, "build-2", "--wait", "1", cwd=d, status=1)
        # A bad file is told of once a version.
        time.sleep(2.2)
        check(sum("notes.txt" in l for l in server.lines) == 1, "complained again")
        check(not any(".hidden" in l for l in server.lines), "hidden file")


@row
def serve_a_replaced_image(d):
    path = os.path.join(d, "web.img")
    shutil.copy(shared("big.img"), path)
    signet("mkimage", "-o", "next", "-N", "big", "--counter", "1", "--key", shared("alice.key"), "--kernel", shared("vmlinuz"), cwd=d)
    with Server(path, cwd=d) as server:
        # A slow reader: stopped and continued, so that the boot is under way when the file is replaced.
        client = subprocess.Popen([SIGNET, "fetch", "--trust", shared("alice.pub"), "-o", "got", server.uri("web.img")], cwd=d,
                                  stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        server.wait("boot start")
        client.send_signal(signal.SIGSTOP)
        under_way = not any("fetch done" in l for l in server.lines)
        os.rename(os.path.join(d, "next"), path)
        server.wait("image replaced")
        check(fields(fetch(server, "web.img", cwd=d).stdout)["counter"] == "1", "the new image is not served")
        client.send_signal(signal.SIGCONT)
        check(client.wait(30) == 0, f"the boot under way broke: {client.stderr.read()}")
        client.stderr.close()
        check(same(os.path.join(d, "got"), shared("big.img")), "the boot under way got another image")
        check(under_way, "the boot was over before the image was replaced: nothing was shown")
        # A bad replacement is told of, and the good one goes on.
        write(os.path.join(d, "bad"), b"SIGNETP2 but not much more")
        os.rename(os.path.join(d, "bad"), path)
        server.wait("image refused")
        check(fields(fetch(server, "web.img", cwd=d).stdout)["counter"] == "1", "the last good image is not served")


@row
def serve_a_changed_image(d):
    path = os.path.join(d, "web.img")
    shutil.copy(shared("big.img"), path)
    with Server(path, cwd=d) as server:
        client = subprocess.Popen([SIGNET, "fetch", "-q", "--stall", "3", "--trust", shared("alice.pub"), server.uri("")], cwd=d,
                                  stderr=subprocess.PIPE, text=True)
        server.wait("boot start")
        client.send_signal(signal.SIGSTOP)
        with open(path, "r+b") as f:  # cut short under the server's hands: must not bring it down
            f.truncate(100000)
        server.wait("image changed in place")
        client.send_signal(signal.SIGCONT)
        client.wait(30)
        client.stderr.close()
        check(server.process.poll() is None, f"the server died: {server.process.returncode}")
        shutil.copy(shared("small.img"), path)
        server.wait("image loaded", count=2)
        check(fields(fetch(server, "", cwd=d).stdout)["image name"] == "small", "after the repair")


@row
def progress_on_a_terminal(d):
    pid, terminal = on_terminal("bootserver", "--listen", "127.0.0.1", "--port", "0", "-s", "-t", "30", shared("big.img"), cwd=d)
    said = b""
    while not re.search(rb"serving port=(\d+)", said):
        said += os.read(terminal, 1000)
    port = re.search(rb"serving port=(\d+)", said)[1].decode()
    client = subprocess.Popen([SIGNET, "fetch", "-q", "--trust", shared("alice.pub"), f"p2://127.0.0.1:{port}/"])
    while b"boot start" not in said:
        said += os.read(terminal, 1000)
    client.send_signal(signal.SIGSTOP)  # long enough for the line to be drawn
    time.sleep(1.2)
    client.send_signal(signal.SIGCONT)
    rest, status = rest_of_terminal(pid, terminal)
    said += rest
    check(status == 0 and client.wait() == 0, repr(said[-300:]))
    check(re.search(rb"\r\x1b\[K127\.0\.0\.1:\d+ \d+ % \d+\.\d MB/s", said), repr(said))
    check(b"\r\x1b[K" in said[said.index(b"fetch done") - 60:said.index(b"fetch done")], "the line is not taken away for an event")


def shown_on_terminal(*args, cwd):
    """The lines that a terminal shows in the end, what was written to it, and the exit status."""
    said, status = rest_of_terminal(*on_terminal(*args, cwd=cwd))
    lines = [re.split("\r(?:\x1b\\[K)?", line)[-1] for line in said.decode().replace("\r\n", "\n").split("\n")]
    return lines, said, status


@row
def fetch_progress_is_taken_away(d):
    # Behind a download, behind one that fails and behind one that cannot be written: nothing of the line stays.
    with Server(shared("big.img"), cwd=d) as server:
        arguments = ("fetch", "--trust", shared("alice.pub"), "--stall", "2", "-o")
        lines, said, status = shown_on_terminal(*arguments, "got", server.uri("big"), cwd=d)
        check(status == 0 and b"\r\x1b[Kdiscover" in said, repr(said))
        check(lines[0] == "image name = big" and lines[-1] == "" and "%" not in "".join(lines), repr(lines))
        lines, said, status = shown_on_terminal(*arguments, "/dev/full/got", server.uri("big"), cwd=d)
        check(status == 1 and b"\r\x1b[Kdiscover" in said and len(lines) == 2, repr(said))
        check(lines[0].startswith("signet fetch: /dev/full/got: "), repr(lines))

        server.process.send_signal(signal.SIGSTOP)
        lines, said, status = shown_on_terminal(*arguments, "more", server.uri("big"), cwd=d)
        server.process.send_signal(signal.SIGCONT)
        check(status == 1 and said.count(b"discover") > 1 and len(lines) == 2, repr(said))
        check(lines[0].startswith("signet fetch: "), repr(lines))


class SlowFetch:
    """A client that was stopped in the middle of a download."""

    def __init__(self, servers, *uris, cwd):
        self.folder = cwd
        self.process = subprocess.Popen([SIGNET, "fetch", "--trust", shared("alice.pub"), "-o", "got", *uris], cwd=cwd,
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        end = time.monotonic() + 15
        while not any("boot start" in l for s in servers for l in s.lines):
            check(time.monotonic() < end and self.process.poll() is None, "the download did not begin")
            time.sleep(0.001)
        self.process.send_signal(signal.SIGSTOP)
        check(not os.path.exists(os.path.join(cwd, "got")), "the download was over before it could be stopped")

    def go_on(self, image):
        self.process.send_signal(signal.SIGCONT)
        out, err = self.process.communicate(timeout=60)
        check(self.process.returncode == 0, f"status {self.process.returncode}: {err!r}")
        check(same(os.path.join(self.folder, "got"), image), "what came is not what was served")
        return fields(out)


@row
def server_restarted_in_mid_boot(d):
    with Server(shared("big.img"), cwd=d) as server:
        client = SlowFetch([server], server.uri(""), cwd=d)
        server.process.kill()
        server.end()
    with Server(shared("big.img"), cwd=d, port=server.port) as again:
        client.go_on(shared("big.img"))
        again.wait("fetch done")


@row
def other_server_takes_over(d):
    with Server(shared("big.img"), cwd=d) as one, Server(shared("big.img"), cwd=d) as two:
        client = SlowFetch([one, two], one.uri("big"), two.uri("", "[::1]"), cwd=d)
        first = one if any("boot start" in l for l in one.lines) else two
        first.process.kill()
        f = client.go_on(shared("big.img"))
        check(int(f["failovers"]) >= 1, str(f))
        (two if first is one else one).wait("fetch done")


@row
def fetch_holds_no_payload(d):
    """Memory is for the chunks in the works: at most 32 MiB, and the program, whatever the image's size."""
    with open(os.path.join(d, "raw"), "wb") as f:
        f.truncate(160 << 20)
    signet("mkimage", "-o", "large.img", "-N", "large", "--key", shared("alice.key"), "-i", "raw", cwd=d)
    with Server("large.img", cwd=d) as server:
        for options in ((), ("-o", "got")):
            client = subprocess.Popen([SIGNET, "fetch", "-q", "--trust", shared("alice.pub"), *options, server.uri("large")], cwd=d)
            peak = 0
            while client.poll() is None:
                with open(f"/proc/{client.pid}/status", encoding="ascii") as f:
                    peak = max([peak] + [int(n) for n in re.findall(r"VmRSS:\s+(\d+)", f.read())])
                time.sleep(0.002)
            check(client.returncode == 0, f"status {client.returncode}")
            check(0 < peak < (60 << 10), f"fetch {' '.join(options)} held {peak} KiB")
        check(same(os.path.join(d, "got"), os.path.join(d, "large.img")), "what came is not what was served")


@row
def twenty_clients(d):
    with Server(shared("big.img"), shared("small.img"), cwd=d) as server:
        fetch(server, "big", cwd=d)
        before = memory(server.process.pid)
        with concurrent.futures.ThreadPoolExecutor(20) as pool:
            jobs = [pool.submit(fetch, server, "big" if i % 2 else "small", "-o", f"got{i}", cwd=d) for i in range(20)]
            for job in jobs:
                job.result()
        for i in range(20):
            check(same(os.path.join(d, f"got{i}"), shared("big.img" if i % 2 else "small.img")), f"client {i}")
            os.unlink(os.path.join(d, f"got{i}"))
        server.wait("fetch done", count=21)
        after = memory(server.process.pid)
        check(after[1] - before[1] < 4096, f"anonymous memory grew from {before[1]} to {after[1]} KiB")
        check(server.stop()[0] == 0, "status")


@row
def hostile_datagrams(d):
    # Noise, and messages that only servers send, do no harm and get no answer that is longer than they are.
    with Server(shared("small.img"), cwd=d) as server:
        rng = random.Random(9)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.settimeout(0.2)
            sent = 0
            for i in range(2000):
                size = rng.choice((0, 1, 15, 16, 24, 64, 100, 256, 832, 1400))
                head = b"SgP2\1" + bytes([rng.randrange(12)]) + b"\0\0" if i % 2 else b""
                s.sendto((head + rng.randbytes(size))[:max(size, len(head))], ("127.0.0.1", server.port))
                sent += size
            received = 0
            try:
                while True:
                    received += len(s.recv(2048))
            except socket.timeout:
                pass
            check(received <= sent, f"{received} bytes for {sent}")
        fetch(server, "", cwd=d)
        check(server.stop()[0] == 0, "status")


@row
def discovery(d):
    # Two ends of a cable in namespaces of their own: multicast and broadcast need a real interface.
    how = ["unshare", "-n"] if os.getuid() == 0 else ["unshare", "-rn"]
    if subprocess.run([*how, "sh", "-c", "PATH=$PATH:/sbin; ip link add name sa type veth peer name sb"], capture_output=True).returncode != 0:
        raise Skip("no network namespace to be had")
    script = r"""
        set -e
        PATH=$PATH:/sbin
        ip link set lo up
        unshare -n sleep 60 & far=$!
        until [ "$(readlink /proc/$far/ns/net)" != "$(readlink /proc/self/ns/net)" ]; do sleep 0.02; done
        ip link add name sa type veth peer name sb netns $far
        ip link set sa up
        nsenter -t $far -n ip link set sb up
        echo 0 >/proc/sys/net/ipv6/conf/sa/accept_dad 2>/dev/null || true
        "$1" bootserver -s -t 20 "$2" >server.log 2>&1 & server=$!
        until grep -q serving server.log; do sleep 0.02; done
        # Only link-local IPv6 at first.
        s=0; nsenter -t $far -n "$1" fetch --wait 10 --trust "$3" p2:///small || s=$?
        wait $server || s=$?
        # Then IPv4 by broadcast.
        ip addr add 10.9.8.1/24 dev sa
        nsenter -t $far -n ip addr add 10.9.8.2/24 dev sb
        nsenter -t $far -n sh -c 'echo 1 >/proc/sys/net/ipv6/conf/sb/disable_ipv6'
        "$1" bootserver -s -t 20 --interface sa "$2" >server4.log 2>&1 & server=$!
        until grep -q serving server4.log; do sleep 0.02; done
        nsenter -t $far -n "$1" fetch --wait 10 --trust "$3" p2:///small || s=$?
        wait $server || s=$?
        kill $far
        exit $s
    """
    done = subprocess.run([*how, "sh", "-c", script, "sh", SIGNET, shared("small.img"), shared("alice.pub")], cwd=d,
                          capture_output=True, text=True, timeout=60)
    logs = "".join(open(os.path.join(d, n), encoding="utf-8").read() for n in ("server.log", "server4.log") if os.path.exists(os.path.join(d, n)))
    check(done.returncode == 0, f"status {done.returncode}: {done.stderr[-300:]!r} {logs[-500:]!r}")
    servers = re.findall(r"^server = (\S+)", done.stdout, re.M)
    check(len(servers) == 2 and servers[0].startswith("[fe80:") and servers[1].startswith("10.9.8.1:"), str(servers))
    check(re.search(r"client=\[fe80:[^\]]*%sa\]:", logs), logs)
