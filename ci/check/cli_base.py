# SPDX-License-Identifier: MPL-2.0
"""What the rows of ci/check/cli share: how signet is run and judged, inputs, a boot server, a terminal."""
import hashlib
import os
import pty
import random
import re
import signal
import struct
import subprocess
import threading
import time

from rows import SIGNET, Skip, TOP, WORK, check, row  # noqa: F401: their modules take them from here

SHARED = os.path.join(WORK, "shared")  # folder with keys, inputs and images that rows read but never write
COMMANDS = ("keygen", "mkimage", "seal", "lookimage", "bootserver", "fetch", "embed", "install", "keep")


def signet(*args, cwd=None, status=0, timeout=60, limit=None, **more):
    """Runs it, expects an exit status; the finished process. `limit`: largest file in bytes (RLIMIT_FSIZE)."""
    limits = [] if limit is None else ["prlimit", f"--fsize={limit}"]
    done = subprocess.run([*limits, SIGNET, *map(str, args)], cwd=cwd, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          timeout=timeout, **more)
    check(done.returncode == status,
          f"{' '.join(map(str, args))}: status {done.returncode}, expected {status}: {(done.stderr or done.stdout)[-300:]!r}")
    return done


def listing(folder):
    """Names and contents of a whole folder: what must be the same after a failure."""
    found = {}
    for root, folders, files in os.walk(folder):
        for name in folders:
            found[os.path.join(root, name)] = None
        for name in files:
            path = os.path.join(root, name)
            if os.path.isfile(path) and os.access(path, os.R_OK):
                with open(path, "rb") as f:
                    found[path] = hashlib.sha256(f.read()).hexdigest()
    return found


def refuses(*args, says, status=1, cwd, **more):
    """A failure: right status, one line, of the right form, with `says` (a regular expression) in it; nothing changed."""
    before = listing(cwd)
    done = signet(*args, cwd=cwd, status=status, **more)
    lines = done.stderr.splitlines()
    check(len(lines) == 1, f"{args}: {len(lines)} lines on standard error: {done.stderr!r}")
    check(lines[0].startswith(f"signet {args[0]}: "), f"{args}: does not begin with its name: {lines[0]!r}")
    check(re.search(says, lines[0]), f"{args}: says {lines[0]!r}, expected {says!r}")
    after = listing(cwd)
    check(before == after, f"{args}: left behind {sorted(set(after) ^ set(before)) or 'a changed file'}")
    return done


def fields(text):
    return dict(line.split(" = ", 1) for line in text.splitlines() if " = " in line)


def kernel(size=300000, setup_sects=3, magic=b"HdrS", version=0x20f, cmdline_size=2047, seed=1):
    """A file that has a bzImage's header. Nobody starts it here."""
    data = bytearray(random.Random(seed).randbytes(size))
    data[:1024] = bytes(1024)
    data[0x1f1] = setup_sects
    struct.pack_into("<I", data, 0x1f4, (size - (setup_sects + 1) * 512) // 16)
    struct.pack_into("<H", data, 0x1fe, 0xaa55)
    data[0x200:0x202] = b"\xeb\x66"
    data[0x202:0x206] = magic
    struct.pack_into("<H", data, 0x206, version)
    data[0x211] = 1  # loaded high
    struct.pack_into("<I", data, 0x22c, 0x7fffffff)
    struct.pack_into("<I", data, 0x230, 0x200000)
    data[0x234] = 1
    data[0x235] = 21
    struct.pack_into("<H", data, 0x236, 3)
    struct.pack_into("<I", data, 0x238, cmdline_size)
    struct.pack_into("<Q", data, 0x258, 0x1000000)
    struct.pack_into("<I", data, 0x260, 8 << 20)
    return bytes(data)


def application(machine=0x8664, section=b".text", subsystem=10, size=8192):
    """A file that has the headers of an EFI application (PE32+) and one section."""
    data = bytearray(random.Random(6).randbytes(size))
    data[:1024] = bytes(1024)
    data[:2] = b"MZ"
    struct.pack_into("<I", data, 0x3c, 0x80)
    struct.pack_into("<4sHH12xH", data, 0x80, b"PE", machine, 1, 240)
    struct.pack_into("<H54xI8xH", data, 0x98, 0x20b, 0x6000, subsystem)
    struct.pack_into("<8sIIII", data, 0x98 + 240, section, size - 1024, 0x1000, size - 1024, 1024)
    return bytes(data)


def write(path, data):
    with open(path, "wb") as f:
        f.write(data)
    return path


def artefact(size=20000, capacity=0, slots=1):
    """Something with the slot of doc/embed-format.md: what the linker makes, without the firmware."""
    data = bytearray(random.Random(3).randbytes(size))
    for i in range(slots):
        struct.pack_into("<16sIIIII28x", data, 4096 + 4096 * i, b"SIGNET-EMBED-01\0", 1, 0, 0, capacity, size)
    return bytes(data)


def shared(name):
    return os.path.join(SHARED, name)


def openssl(*args, cwd=None):
    subprocess.run(["openssl", *args], cwd=cwd, check=True, capture_output=True)


def prepare():
    os.mkdir(SHARED)
    for name, kind in (("alice", "ecdsa-p256"), ("bob", "ecdsa-p384"), ("mallory", "ecdsa-p256")):
        signet("keygen", "--type", kind, "-o", shared(name))
    openssl("genrsa", "-out", shared("rsa.key"), "2048")
    openssl("rsa", "-in", shared("rsa.key"), "-pubout", "-out", shared("rsa.pub"))
    openssl("ecparam", "-name", "secp521r1", "-genkey", "-noout", "-out", shared("p521.key"))
    openssl("ec", "-in", shared("p521.key"), "-pubout", "-out", shared("p521.pub"))
    write(shared("vmlinuz"), kernel())
    write(shared("initrd.img"), random.Random(2).randbytes(500001))
    write(shared("garbage"), random.Random(4).randbytes(5000))
    write(shared("empty"), b"")
    write(shared("script.ipxe"), b"#!ipxe\nboot p2:///test\n")
    write(shared("bare"), artefact())
    signet("mkimage", "-o", shared("small.img"), "--key", shared("alice.key"), "--kernel", shared("vmlinuz"), "--initrd",
           shared("initrd.img"), "-N", "small", "--counter", "5", "--cmdline", "console=ttyS0", "--chunk-size", "16384")
    signet("mkimage", "-o", shared("big.img"), "--key", shared("alice.key"), "--kernel", shared("vmlinuz"), "-i",
           write(shared("big.raw"), random.Random(5).randbytes(24 << 20)), "-N", "big")
    signet("mkimage", "-o", shared("mallory.img"), "--key", shared("mallory.key"), "--kernel", shared("vmlinuz"))


def refuses_look(d, image, status, says, *args):
    done = signet("lookimage", *(args or ("--trust", shared("alice.pub"))), image, cwd=d, status=status)
    check(re.search(says, done.stdout + done.stderr), f"lookimage says {done.stdout[-400:]!r} {done.stderr!r}, expected {says!r}")
    return done


def on_terminal(*args, cwd):
    """Starts signet on a terminal of its own: the process's number, and our end."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(cwd)
        os.execv(SIGNET, [SIGNET, *args])
    return pid, terminal


def rest_of_terminal(pid, terminal):
    """What was written until the other end was closed, and the exit status."""
    said = b""
    try:
        while True:
            said += os.read(terminal, 1000)
    except OSError:
        pass
    os.close(terminal)
    return said, os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def flip(source, target, offset, bit=1):
    data = bytearray(open(source, "rb").read())
    data[offset] ^= bit
    write(target, data)


class Server:
    """A boot server on a free port of the loopback interface."""

    def __init__(self, *args, cwd, port=0, listen=("127.0.0.1", "::1")):
        where = [arg for address in listen for arg in ("--listen", address)]
        self.process = subprocess.Popen([SIGNET, "bootserver", "--port", str(port), *where, *map(str, args)], cwd=cwd, stdin=subprocess.DEVNULL,
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.lines, self.changed = [], threading.Condition()
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()
        self.port = int(re.search(r"port=(\d+)", self.wait("serving"))[1])

    def read(self):
        for line in self.process.stdout:
            with self.changed:
                self.lines.append(line.rstrip())
                self.changed.notify_all()

    def wait(self, pattern, seconds=60, count=1):
        """The count-th log line that matches."""
        end = time.monotonic() + seconds
        with self.changed:
            while True:
                found = [l for l in self.lines if re.search(pattern, l)]
                if len(found) >= count:
                    return found[count - 1]
                if not self.changed.wait(max(0.0, end - time.monotonic())) and time.monotonic() >= end:
                    died = self.process.poll() is not None
                    raise AssertionError(f"no line with {pattern!r} in {self.lines[-6:]}" +
                                         (f", ended: {self.process.stderr.read()[-700:]!r}" if died else ""))
                if self.process.poll() is not None and not self.reader.is_alive():
                    end = 0.0

    def end(self, seconds=60):
        status = self.process.wait(seconds)
        self.reader.join(5)
        stderr = self.process.stderr.read()
        self.process.stderr.close()
        self.process.stdout.close()
        return status, stderr

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.end()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
            self.end()

    def uri(self, name, host="127.0.0.1"):
        return f"p2://{host}:{self.port}/{name}"


def fetch(server, name, *args, cwd, status=0, key="alice", host="127.0.0.1", **more):
    seconds = "5" if status else "60"
    return signet("fetch", "--trust", shared(key + ".pub"), "--wait", seconds, *args, server.uri(name, host), cwd=cwd, status=status, **more)


def same(a, b):
    with open(a, "rb") as x, open(b, "rb") as y:
        return x.read() == y.read()


def memory(pid):
    """(resident, of that anonymous) in KiB."""
    text = open(f"/proc/{pid}/status", encoding="ascii").read()
    return tuple(int(re.search(rf"{name}:\s+(\d+) kB", text)[1]) for name in ("VmRSS", "RssAnon"))
