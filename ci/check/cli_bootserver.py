# SPDX-License-Identifier: MPL-2.0
"""The rows of ci/check/cli about strangers at a boot server: what they may end, write into its log, or use up. They speak the
protocol themselves, with the messages of ci/qemu/p2.py."""
import os
import re
import shutil
import socket
import struct
import subprocess
import sys
import threading
import time

import cli_base as base

sys.path.insert(0, os.path.join(base.TOP, "ci/qemu"))
import p2  # noqa: E402

BOOTING, VERIFIED, FAILED = 1, 2, 3
# Seconds after which something hangs. A busy machine lets a server under sanitizers wait for many; no verdict hangs on how many.
PATIENCE = 120


def text(value, size):
    return value.encode().ljust(size, b"\0")


class Stranger:
    """A socket that speaks to a boot server, under one nonce at a time."""

    def __init__(self, port, source="127.0.0.1", server=None, mac=bytes(6), version="raw"):
        family = socket.AF_INET6 if ":" in source else socket.AF_INET
        self.socket = socket.socket(family, socket.SOCK_DGRAM)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        self.socket.bind((source, 0))
        self.socket.connect((server or source, port))
        self.socket.settimeout(PATIENCE)
        self.mac, self.version = mac, version
        self.cookie = self.image_id = self.nonce = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def say(self, kind, body):
        self.socket.send(p2.message(kind, self.nonce, body))

    def answer(self, *kinds):
        """The next message of these kinds: (kind, body), (0, b"") when none comes."""
        try:
            while True:
                data = self.socket.recv(16384)
                if data[8:16] == self.nonce and data[5] in kinds:
                    return data[5], data[16:]
        except (socket.timeout, ConnectionRefusedError):
            return 0, b""

    def hello(self, name="", block=0):
        """The kind of the answer to a HELLO under a new nonce; an OFFER is kept."""
        self.nonce = os.urandom(8)
        self.say(p2.HELLO, p2.HELLO_BODY.pack(bytes(8), text(name, 64), self.mac, 0, bytes(16), text("x", 16), text(self.version, 32),
                                             block, p2.HELLO_ZERO))
        kind, body = self.answer(p2.OFFER, p2.ERROR)
        if kind == p2.OFFER:
            self.cookie, self.image_id, self.seal_size, _, _, self.block = p2.OFFER_BODY.unpack(body)[:6]
        if kind == p2.ERROR:
            self.error = p2.ERROR_BODY.unpack(body)
        return kind

    def read(self, space, offset, length, stamp=1, block=1408, wait=True):
        """The kind of the answer to a READ, and an ERROR's code."""
        self.say(p2.READ, p2.READ_BODY.pack(self.cookie, self.image_id[:8], 0, 0, stamp, block, 0, space, 1, 0) + p2.RANGE.pack(offset, length))
        kind, body = self.answer(p2.DATA, p2.ERROR, p2.RESET) if wait else (0, b"")
        return (kind, struct.unpack_from("<H", body, 8)[0]) if kind == p2.ERROR else (kind, 0)

    def finished(self, outcome, code="", said=""):
        self.say(p2.FINISHED, p2.FINISHED_BODY.pack(self.cookie, self.image_id[:8], 1, 0, 0, 0, 0, outcome, text(code, 8), text(said, 88)))
        return self.answer(p2.FINISHED_ACK, p2.RESET)[0]


@base.row
def single_ends_for_nobody_who_was_not_served(d):
    with base.Server("-s", base.shared("small.img"), cwd=d) as server, Stranger(server.port) as s:
        for outcome in (BOOTING, 2, FAILED, 4):
            s.hello()
            base.check(s.finished(outcome) == p2.FINISHED_ACK, "no acknowledgement")
            s.hello()
            s.read(p2.SEAL, 0, 100)  # a part of the seal
            s.finished(outcome)
        s.hello()
        s.read(p2.SEAL, 0, s.seal_size)
        s.read(p2.PAYLOAD, 0, 1408)  # a part of the payload
        s.finished(BOOTING)
        time.sleep(0.8)
        base.check(server.process.poll() is None, "ended by a message of a client that had not been sent the payload")
        base.fetch(server, "", cwd=d)
        base.check(server.end()[0] == 0, "-s after a boot")


@base.row
def single_ends_after_a_boot_in_parts(d):
    # By two addresses of one machine, and with a rest that came from elsewhere: another server, or the machine's own copy.
    raw, chunk = os.path.join(d, "raw"), 65536
    with open(raw, "wb") as f:
        f.write(os.urandom(3 * chunk))
    base.signet("mkimage", "-o", "big.img", "--key", base.shared("alice.key"), "-i", "raw", "--chunk-size", str(chunk), cwd=d)
    for mac, chunks, ends in ((bytes.fromhex("525400123456"), 1, True), (bytes(6), 2, True), (bytes(6), 1, False)):
        with base.Server("-s", "-t", "3", "big.img", cwd=d) as server, Stranger(server.port, mac=mac) as four, \
                Stranger(server.port, "::1", mac=mac) as six:
            for s in (four, six):
                s.hello()
                s.read(p2.SEAL, 0, s.seal_size)
            for s in (four, six):
                for at in range(0, chunk * chunks // 2, 1024):
                    base.check(s.read(p2.PAYLOAD, at, 1024)[0] == p2.DATA, "no DATA")
            six.finished(BOOTING)
            status, said = server.end()
            base.check(status == (0 if ends else 1) and "silent" not in said, (mac, chunks, status, said))
            base.check(ends or "was not sent the image from here" in said, said)


@base.row
def boot_done_is_said_of_machines_that_start(d):
    with base.Server(base.shared("small.img"), cwd=d) as server, Stranger(server.port) as s:
        for outcome, line in ((VERIFIED, "fetch done"), (BOOTING, "boot done")):
            s.hello()
            s.read(p2.SEAL, 0, s.seal_size)
            s.read(p2.PAYLOAD, 0, 1408)
            s.finished(outcome)
            server.wait(line)
            others = [l for l in server.lines if re.search(" (boot|fetch) done ", l)]
            base.check(len(others) == (1 if outcome == VERIFIED else 2) and f" {line} " in others[-1], others)


@base.row
def answers_to_bad_reads(d):
    # As doc/phase2-protocol.md says: malformed is dropped, outside is ERROR 3.
    with base.Server(base.shared("small.img"), cwd=d) as server, Stranger(server.port) as s:
        base.check(s.hello() == p2.OFFER, "no OFFER")
        size = os.path.getsize(base.shared("small.img"))
        for what, args, expected in (
                ("inside", dict(space=2, offset=0, length=10), (p2.DATA, 0)),
                ("past the end", dict(space=2, offset=size, length=1), (p2.ERROR, 3)),
                ("across the end", dict(space=0, offset=s.seal_size - 1, length=2), (p2.ERROR, 3)),
                ("of a space that is none", dict(space=3, offset=0, length=1), (0, 0)),
                ("empty", dict(space=2, offset=0, length=0), (0, 0)),
                ("stamp 0", dict(space=2, offset=0, length=1, stamp=0), (0, 0)),
                ("block above the OFFER's", dict(space=2, offset=0, length=1, block=1409), (p2.ERROR, 3)),
                ("block above all", dict(space=2, offset=0, length=1, block=8193), (0, 0)),
                ("block too small", dict(space=2, offset=0, length=1, block=447), (0, 0))):
            s.socket.settimeout(0.3 if expected == (0, 0) else PATIENCE)
            got = s.read(**args)
            base.check(got == expected, f"READ {what}: {got}, expected {expected}")


def block_of(said):
    return int(re.search(r"^block = (\d+)$", said, re.M)[1])


@base.row
def large_blocks_where_both_sides_want_them(d):
    # The loopback interface carries them. Who does not ask gets none; a server of 0.1 neither understands nor answers the question.
    path = base.shared("small.img")
    with base.Server(path, cwd=d) as server, Stranger(server.port) as s:
        base.check(block_of(base.fetch(server, "", cwd=d).stdout) == 8192, "fetch and bootserver did not agree")
        base.check(block_of(base.fetch(server, "", cwd=d, host="[::1]").stdout) == 8192, "fetch and bootserver did not agree over IPv6")
        for wanted, offered in ((0, 1408), (8192, 8192), (60000, 8192), (3000, 3000), (1000, 1408)):
            s.hello(block=wanted)
            base.check(s.block == offered, (wanted, s.block))
    for old, block in ((["--old"], 1408), ([], 8192)):
        command = [sys.executable, p2.__file__, "--listen", "127.0.0.1", "--port", "0", *old, "small=" + path]
        second = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        try:
            port = re.search(r"^serving .* port=(\d+)$", second.stderr.readline())[1]
            said = base.signet("fetch", "--trust", base.shared("alice.pub"), f"p2://127.0.0.1:{port}/small", cwd=d).stdout
            base.check(block_of(said) == block, said)
        finally:
            second.kill()
            second.wait()
            second.stderr.close()


def swallow(relay, port, stop):
    """Between a client and a server: what is longer than an Ethernet frame carries is lost, and nobody is told. `stop` counts it."""
    client = None
    while not stop["end"]:
        try:
            data, peer = relay.recvfrom(16384)
        except socket.timeout:
            continue
        if peer[1] == port:
            stop["lost"] += len(data) > 1472
            if client and len(data) <= 1472:
                relay.sendto(data, client)
        else:
            client = peer
            relay.sendto(data, ("127.0.0.1", port))


@base.row
def large_blocks_where_the_way_swallows_them(d):
    relay, stop = socket.socket(socket.AF_INET, socket.SOCK_DGRAM), {"end": False, "lost": 0}
    relay.bind(("127.0.0.1", 0))
    relay.settimeout(0.2)
    with base.Server(base.shared("small.img"), cwd=d) as server:
        thread = threading.Thread(target=swallow, args=(relay, server.port, stop), daemon=True)
        thread.start()
        try:
            said = base.signet("fetch", "--trust", base.shared("alice.pub"), f"p2://127.0.0.1:{relay.getsockname()[1]}/", cwd=d).stdout
        finally:
            stop["end"] = True
            thread.join()
            relay.close()
        base.check(block_of(said) == 1408 and stop["lost"], (said, stop))


@base.row
def log_lines_cannot_be_forged(d):
    # Names and facts are a stranger's: they stay in their quotes.
    with base.Server(base.shared("small.img"), cwd=d) as server, Stranger(server.port, version='1" client=192.0.2.9 x="') as s:
        s.hello('no" client=192.0.2.1:1 mac=x text="')
        line = server.wait("image wanting")
        base.check(r'name="no\" client=192.0.2.1:1 mac=x text=\""' in line, line)
        base.check(r'version="1\" client=192.0.2.9 x=\""' in line, line)
        s.hello()
        s.read(p2.SEAL, 0, 10)
        base.check(r'version="1\" client=192.0.2.9 x=\"" image=small' in server.wait("boot start"), "boot start")
        s.finished(FAILED, 'S"1', 'a "word" \\')
        base.check(r'code="S\"1" text="a \"word\" \\"' in server.wait("boot failed"), server.lines[-1])


@base.row
def log_lines_are_limited_by_source(d):
    with base.Server(base.shared("small.img"), cwd=d) as server:
        with Stranger(server.port, "127.0.0.9", "127.0.0.1") as s:
            for _ in range(1500):
                s.hello()
                s.read(p2.SEAL, 0, 10, wait=False)
        with Stranger(server.port) as other:  # whose line is there all the same
            other.hello()
            other.read(p2.SEAL, 0, 10)
            server.wait(r"boot start client=127\.0\.0\.1:")
        lines = sum("client=127.0.0.9:" in l for l in server.lines)
        base.check(100 < lines < 700, f"{lines} lines of one source")


def fill_log(port):
    """Far more lines than a pipe holds, from many addresses."""
    for n in range(12):
        with Stranger(port, f"127.0.1.{n + 1}", "127.0.0.1", version="a version of some length, as is") as s:
            for _ in range(500):
                base.check(s.hello() == p2.OFFER, "the server does not answer any more")
                s.read(p2.SEAL, 0, 10, wait=False)


@base.row
def a_log_that_nobody_reads(d):
    # The pipe is full before long: serving goes on, and what was dropped is told when there is room again.
    process = subprocess.Popen([base.SIGNET, "bootserver", "--port", "0", "--listen", "127.0.0.1", base.shared("small.img")],
                               stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
    try:
        said = b""
        while not re.search(rb"serving port=\d+.*\n", said):
            said += os.read(process.stdout.fileno(), 4096)
        port = int(re.search(rb"port=(\d+)", said)[1])
        fill_log(port)
        base.signet("fetch", "-q", "--wait", "60", "--trust", base.shared("alice.pub"), f"p2://127.0.0.1:{port}/", cwd=d)
        with Stranger(port) as s:
            end = time.monotonic() + PATIENCE
            while b"log dropped lines=" not in said and time.monotonic() < end:
                said += os.read(process.stdout.fileno(), 1 << 20)
                s.hello("nothing")  # something to say
        dropped = re.search(rb"^\S+ log dropped lines=(\d+)$", said, re.M)
        base.check(dropped and int(dropped[1]) > 1000, f"not told: {said[-300:]!r}")
        bad = [l for l in said.split(b"\n")[:-1] if not re.match(rb"20\d\d-\S+Z (image|serving|boot|fetch|log) ", l)]
        base.check(not bad, f"torn lines: {bad[:2]}")
        process.terminate()
        base.check(process.wait(PATIENCE) == 0, "SIGTERM")
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


@base.row
def a_log_whose_reader_went_away(d):
    process = subprocess.Popen([base.SIGNET, "bootserver", "--port", "0", "--listen", "127.0.0.1", base.shared("small.img")],
                               stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
    try:
        port = next(int(m[1]) for m in (re.search(r"port=(\d+)", line) for line in process.stdout) if m)
        process.stdout.close()
        for _ in range(3):
            base.signet("fetch", "-q", "--wait", "60", "--trust", base.shared("alice.pub"), f"p2://127.0.0.1:{port}/", cwd=d)
        base.check(process.poll() is None, f"ended with {process.poll()}")
    finally:
        process.kill()
        process.wait()


@base.row
def a_folder_that_is_away_for_a_moment(d):
    folder, away = os.path.join(d, "images"), os.path.join(d, "away")
    os.mkdir(folder)
    for name in ("one", "two"):
        shutil.copy(base.shared("small.img"), os.path.join(folder, name))
    with base.Server("images", cwd=d) as server:
        os.rename(folder, away)
        server.wait('folder unreadable file="images" text="No such file')
        base.fetch(server, "one", cwd=d)
        os.rename(away, folder)
        os.unlink(os.path.join(folder, "two"))
        server.wait('image gone file="images/two"')  # it is looked at again
        base.check(not any("image gone" in l and "images/one" in l for l in server.lines), "the image was lost")
        base.check(sum("folder unreadable" in l for l in server.lines) == 1, "told again and again")
        base.fetch(server, "one", cwd=d)


@base.row
def no_default_is_told_with_the_names(d):
    with base.Server(base.shared("small.img"), base.shared("mallory.img"), cwd=d) as server, Stranger(server.port) as s:
        names = r'2 images and none is called \\"default\\": small.img, mallory.img"'
        server.wait("no default text=\"" + names)
        s.hello("")
        line = server.wait("image wanting")
        base.check(re.search('name="" text="' + names, line), line)


@base.row
def a_link_to_the_only_image_is_no_choice(d):
    folder = os.path.join(d, "images")
    os.mkdir(folder)
    shutil.copy(base.shared("small.img"), os.path.join(folder, "web-7"))
    os.symlink("web-7", os.path.join(folder, "current"))
    with base.Server(folder, cwd=d) as server:
        server.wait("serving")
        base.fetch(server, "", cwd=d)
        base.fetch(server, "current", cwd=d)
    base.check("no default" not in "".join(server.lines), "no default")


@base.row
def long_lists_to_choose_from_come_in_pieces(d):
    names = ["a", "bb", "c" * 23, "d" * 40, "e", "f" * 22, "g"]
    for name in names:
        shutil.copy(base.shared("mallory.img" if name == "g" else "small.img"), os.path.join(d, name))
    with base.Server(*names, cwd=d) as server, Stranger(server.port) as s:
        said = []
        for _ in range(12):
            base.check(s.hello() == p2.ERROR, "no ERROR")
            tag, code, words = s.error
            base.check(code == 1 and tag != bytes(8), (code, tag))
            said.append(words.rstrip(b"\0").decode())
        base.check(said == 2 * ["a, bb", "c" * 23, "d" * 21 + "..", "e", "f" * 22, "g"], said)


@base.row
def one_boot_is_one_story(d):
    # A machine that knows the server by both families and goes from one to the other is one machine.
    mac = bytes.fromhex("525400123456")
    with base.Server(base.shared("small.img"), cwd=d) as server, Stranger(server.port, mac=mac) as four, \
            Stranger(server.port, "::1", mac=mac) as six:
        for s in (four, six):
            s.hello("nothing")
        for s in (six, four):
            s.hello()
            s.read(p2.SEAL, 0, s.seal_size)
        four.finished(FAILED, "S07", "signed by no trusted key")
        server.wait("boot failed")
        for what in ("image wanting", "boot start", "boot failed"):
            base.check(sum(f" {what} " in l for l in server.lines) == 1, f"{what}: {server.lines}")
        with Stranger(server.port, mac=bytes.fromhex("525400123457")) as other:
            other.hello()
            other.read(p2.SEAL, 0, 10)
            server.wait("boot start .*mac=52:54:00:12:34:57")


@base.row
def more_addresses_of_its_own_than_it_remembers(d):
    # Answers come from the address that was asked, also after hundreds of others were.
    with base.Server(base.shared("small.img"), cwd=d, listen=()) as server:
        for n in range(600):
            with Stranger(server.port, "127.0.0.1", f"127.1.{n // 200}.{n % 200 + 1}") as s:
                base.check(s.hello() == p2.OFFER, f"no answer from address {n}")
