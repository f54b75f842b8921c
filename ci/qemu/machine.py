# SPDX-License-Identifier: MPL-2.0
"""One emulated machine: starts QEMU, reads its serial console while it grows, shows its screen when asked."""
import os
import re
import signal
import socket
import subprocess
import time

POLL = 0.05  # seconds between looks at the console
TEXT_SCREEN = 0xB8000
KEYS = {" ": "spc", "-": "minus", "/": "slash", ".": "dot", ":": "shift-semicolon"}  # as QEMU names them


MAC = "52:54:00:50:32:01"  # of the first card


class Console:
    """What both kinds of machine have: a process, a folder for logs, and a console that grows."""

    def start(self, command, folder, name, console_to_log=False):
        self.folder, self.name = folder, name
        self.console_path = os.path.join(folder, f"console{name}.log")
        self.command = command
        self.started = time.monotonic()
        self._seen = 0
        self._raw = b""
        if os.path.exists(self.console_path):
            os.unlink(self.console_path)
        log_path = self.console_path if console_to_log else os.path.join(folder, f"qemu{name}.log")
        with open(log_path, "w", encoding="utf-8") as log:
            if not console_to_log:
                log.write(" ".join(command) + "\n")
                log.flush()
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def seconds(self):
        return time.monotonic() - self.started

    def console(self, plain=True):
        """Everything the serial port has said so far; plain: without terminal codes and carriage returns."""
        try:
            with open(self.console_path, "rb") as f:
                f.seek(self._seen)
                more = f.read()
        except FileNotFoundError:
            more = b""
        self._seen += len(more)
        self._raw += more
        text = self._raw.decode("ascii", "replace")
        if not plain:
            return text
        return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]|\x1bc|\r", "", text)

    def running(self):
        return self.process.poll() is None

    def stop(self):
        if self.running():
            self.process.send_signal(signal.SIGKILL)
        self.process.wait()


class HostMachine(Console):
    """The firmware's core as a Linux process on a tap (ipxe/host/main.c), built with sanitizers: no emulation, so a
    row takes seconds. In place of starting the kernel it writes what it would start to `folder`/out.*."""

    def __init__(self, folder, program, artefact, tap="tap0", memory=256, mac=MAC, extra=(), name=""):
        self.start([program, "--tap", tap, "--artefact", artefact, "--memory", str(memory), "--mac", mac, "--out",
                    os.path.join(folder, "out"), *extra], folder, name, console_to_log=True)

    def screen(self):
        return "(none)"


class Machine(Console):
    """`netdev` is QEMU's netdev option without its id. Logs go to `folder`: console.log is the serial port,
    bios.log what SeaBIOS says, qemu.log what QEMU says. `program` is the emulator, see emulator.py."""

    def __init__(self, folder, nic="e1000", netdev="tap,ifname=tap0,script=no,downscript=no", memory=256, machine="pc",
                 mac=MAC, extra=(), cpu=None, processors=1, name="", program=("qemu-system-x86_64",),
                 restarts=False, vga="std"):
        console = os.path.join(folder, f"console{name}.log")
        self.monitor_path = os.path.join(folder, f"monitor{name}")
        if os.path.exists(self.monitor_path):
            os.unlink(self.monitor_path)
        command = [*program, "-accel", "tcg", "-machine", machine, "-smp", str(processors), "-m", str(memory), "-display", "none",
                   "-nodefaults", "-vga", vga, "-serial", f"file:{console}",
                   "-monitor", f"unix:{self.monitor_path},server=on,wait=off",
                   "-chardev", f"file,id=bios,path={folder}/bios{name}.log", "-device", "isa-debugcon,iobase=0x402,chardev=bios",
                   *(extra if "bus=" in nic else ()),  # QEMU wants a bus before what is on it
                   "-netdev", f"{netdev},id=n0", "-device", f"{nic},netdev=n0,mac={mac}" + ("" if "bootindex=" in nic else ",bootindex=1")]
        if cpu:
            command += ["-cpu", cpu]
        if not restarts:
            command += ["-no-reboot"]
        self.start(command + list(() if "bus=" in nic else extra), folder, name)

    def monitor(self, command):
        while self.running() and not os.path.exists(self.monitor_path):  # it has just been started
            time.sleep(POLL)
        with socket.socket(socket.AF_UNIX) as s:
            s.settimeout(5)
            s.connect(self.monitor_path)
            answer = b""
            for line in (None, command):
                if line:
                    s.sendall(line.encode() + b"\n")
                    answer = b""
                while not answer.endswith(b"(qemu) "):
                    more = s.recv(65536)
                    if not more:
                        break
                    answer += more
            return answer.decode(errors="replace")

    def bios_said(self):
        """On the screen and for its developers, so far."""
        try:
            with open(os.path.join(self.folder, f"bios{self.name}.log"), "rb") as f:
                return f.read().decode("ascii", "replace")
        except FileNotFoundError:
            return ""

    def type(self, line):
        """On the keyboard, and Enter; "<f8>" is that key alone. No faster than a keyboard controller takes it."""
        names = [line[1:-1]] if line.startswith("<") else [KEYS.get(c, c) for c in line] + ["ret"]
        for name in names:
            self.monitor(f"sendkey {name} 10")
            time.sleep(0.04)

    def rows(self):
        """The VGA screen's 25 rows: the text of each, and the attribute of its sixth column."""
        path = os.path.join(self.folder, f"screen{self.name}.bin")
        self.monitor(f'pmemsave {TEXT_SCREEN} 4000 "{path}"')
        with open(path, "rb") as f:
            cells = f.read()
        os.unlink(path)
        rows = [cells[i:i + 160] for i in range(0, len(cells), 160)]
        return [(row[0::2].decode("cp437").replace("\0", " ").strip(), row[11]) for row in rows]

    def screen(self):
        """The text on the VGA screen: what a ROM said that does not use the serial port."""
        try:
            return "\n".join(text for text, _ in self.rows() if text)
        except OSError as error:
            return f"(no screen: {error})"
