#!/usr/bin/env python3
# SPDX-License-Identifier: MPL-2.0
"""Runs one row of table.py, inside the namespaces that `run` opened for it. Usage: row.py NAME

Prints `ok qemu-ROW` and `ok qemu-ROW/CASE`, or FAIL with the reason and the last of the console. Everything
that was said lies in build/qemu/ROW/.
"""
import dataclasses
import json
import os
import re
import resource
import shutil
import subprocess
import sys
import time

import dhcp_servers
import disk
import emulator
import fixtures
import forge
import machine
import machine_efi
import net
import optrom
import router
import table
import tpm
import usb
import web_servers

LOOK_SECONDS = 5
HOST = os.path.join(fixtures.TOP, "build/test64/signet-host")


def image_path(name):
    return fixtures.path(name) if "/" in name else fixtures.path("images", name)


def wrong_progress(text):
    """A transfer of which the console showed how far it is, and whose image boots: the last that it shows is all of it. No serial
    port lies between the host's core and us, so every line of it counts."""
    wrong, last = [], None
    for line in re.split("[\r\n]+", text):
        percent = re.match(r"[\w: ]+: (\d+) % of ", line)
        if percent:
            last = int(percent[1])
            wrong += [f"more than 80 columns: {line!r}"] if len(line) > 80 else []
        elif re.search(r"\[[A-Z]\d\d\]", line):
            last = None  # refused or given up
        elif line.startswith("boot: starting"):
            wrong += [f"the progress ends at {last} %"] if last not in (None, 100) else []
            last = None
    return wrong


class Runner:
    def __init__(self, row):
        self.row = row
        self.folder = os.path.join(fixtures.BUILD, row.name)
        shutil.rmtree(self.folder, ignore_errors=True)
        os.makedirs(os.path.join(self.folder, "tftp"))
        os.makedirs(os.path.join(self.folder, "esp/EFI/BOOT"))
        self.net = net.Net(self.folder)
        self.boot_file = "ipxe-arm64.efi" if row.firmware.endswith("-arm64") else "ipxe.efi" if row.firmware else "undionly.kpxe"
        if row.rom:
            self.boot_file = row.rom.kind + ".rom"
        self.processes = {}
        self.done_when = set()
        self.typed = self.typed_at = self.pressed = 0
        self.looked = []  # what was wrong with each look
        self.sent_before = {}
        self.netem = None

    # --- setting up ---

    def embed(self):
        """The artefact of this row: script and anchors go into a copy of the finished binary."""
        artefact = os.path.join(self.folder, "tftp", self.boot_file)
        bare = os.path.join(fixtures.TOP, "bin", self.boot_file)
        if self.row.machine == "host":
            bare = os.path.join(self.folder, "bare")
            subprocess.run([HOST, "--bare", bare], check=True)
        if not self.row.embed:
            shutil.copyfile(bare, artefact)
            return
        script = os.path.join(self.folder, "script.ipxe")
        if self.row.script is None:
            shutil.copyfile(os.path.join(fixtures.TOP, "embed/boot.ipxe"), script)
        else:
            with open(script, "w", encoding="ascii") as f:
                f.write(self.row.script)
        command = [fixtures.SIGNET, "embed", "--script", script, *self.row.policy]
        for key in self.row.trust:
            command += ["--trust", fixtures.path(key + ".pub")]
        done = subprocess.run(command + [bare, "-o", artefact], capture_output=True, text=True)
        if done.returncode != 0:
            raise RuntimeError(f"signet embed: {done.stderr.strip()}")
        if self.row.rom:
            fixtures.payload.write(artefact, optrom.changed(fixtures.payload.read(artefact), self.row.rom.source, self.row.rom.damage))

    def serve(self, server):
        """Starts a server on its node, which is there already."""
        folder = os.path.join(self.folder, "serve-" + server.name)
        if not os.path.exists(folder):
            os.makedirs(folder)
            for image in server.images:
                os.symlink(image_path(image), os.path.join(folder, os.path.basename(image)))
        if server.kind == "p2":
            command = [sys.executable, os.path.join(fixtures.TOP, "ci/qemu/p2.py"), "--interface", "eth0", *server.options]
            command += [f"{os.path.basename(image)}={image_path(image)}" for image in server.images]
        elif server.kind == "http":
            command = [sys.executable, "-m", "http.server", "--directory", folder, *server.options, "8080"]
        elif server.kind == "ranges":
            command = [sys.executable, os.path.join(fixtures.TOP, "ci/qemu/httpd.py"), *server.options, folder]
        elif server.kind == "tftp":
            command = ["dnsmasq", "--no-daemon", "--conf-file=/dev/null", "--port=0", "--user=root", "--group=root", "--pid-file=",
                       "--enable-tftp", f"--tftp-root={folder}", *server.options]
        elif server.kind == "relayed":
            command = ["dnsmasq", "--no-daemon", "--conf-file=/dev/null", "--port=0", "--user=root", "--group=root", "--pid-file=", "--leasefile-ro",
                       "--no-ping", "--log-dhcp", *server.options]
        elif server.kind in web_servers.PACKAGES:
            command = web_servers.command(server.kind, server.options, os.path.join(self.folder, "web-" + server.name), folder)
        elif server.kind == "endless":
            command = [sys.executable, os.path.join(fixtures.TOP, "ci/qemu/endless.py")]
        else:
            command = [fixtures.SIGNET, "bootserver", *server.options, folder]
        self.processes[server.name] = self.net.nodes[server.name].popen(command, f"server-{server.name}.log")

    def serve_site(self):
        """The files and seals of the row's web server, and the server."""
        folder, site = os.path.join(self.folder, "site"), self.row.site
        for path, source in site.files:
            path = os.path.join(folder, path)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            if os.path.isabs(source):
                os.symlink(source, path)
            else:
                fixtures.payload.write(path, source.encode())
        seal = [fixtures.SIGNET, "seal", "--key", fixtures.path("alice.key"), "--counter", str(fixtures.COUNTER)]
        for path, options in site.seals:
            fixtures.run(*seal, "-o", os.path.join(folder, path), *options)
        if site.sealed_by:
            script = os.path.join(self.folder, "sealed-by.ipxe")
            fixtures.payload.write(script, site.sealed_by.encode())
            fixtures.run(*seal, "--from-script", script, "--root", folder)
        self.net.popen([sys.executable, os.path.join(fixtures.TOP, "ci/qemu/site.py"), "10.50.0.1", folder], "site.log")

    def dhcp_is_dnsmasq(self):
        return not (self.row.answers or self.row.dhcp_server or any(server.kind == "relayed" for server in self.row.servers))

    def start(self):
        self.embed()
        for server in self.row.servers:
            self.net.node(server.name, server.address, server.address6)
            if server.kind == "relayed":
                self.net.nodes[server.name].behind(table.table_dhcp.RELAY)
            if not server.late:
                self.serve(server)
        for where, name, text in self.row.files:
            data = fixtures.payload.read(text) if os.path.isabs(text) else text.encode()
            path = os.path.join(self.folder, where, name)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            fixtures.payload.write(path, data)
        for image in self.row.tftp:
            os.symlink(image_path(image), os.path.join(self.folder, "tftp", os.path.basename(image)))
        boot_file = self.boot_file
        if self.row.firmware == "uefi-http":  # not by PXE, which comes first
            os.symlink(os.path.join(self.folder, "tftp", boot_file), os.path.join(self.folder, "serve-h", boot_file))
            boot_file = "absent"
        for address in self.row.addresses:
            net.sh("ip", "addr", "add", address, "dev", "br0")
        self.net.dnsmasq(os.path.join(self.folder, "tftp"), boot_file if self.row.boot_file else None, dhcp=self.dhcp_is_dnsmasq(),
                         options=self.row.dhcp)
        if self.row.site:
            self.serve_site()
        if self.row.dhcp_server:
            self.net.popen(dhcp_servers.command(*self.row.dhcp_server, self.folder), "dhcpd.log")
        if self.row.answers:
            self.net.popen([sys.executable, "-B", os.path.join(fixtures.TOP, "ci/qemu/dhcp.py"), "br0",
                            json.dumps(table.table_dhcp.plain(self.row.answers))], "dhcp.log")
        netdev = "tap,ifname=tap0,script=no,downscript=no"
        if self.row.link == "relay":
            sockets = [os.path.join(self.folder, n) for n in ("relay.sock", "qemu.sock")]
            self.net.tap("tap0")
            self.net.popen([sys.executable, os.path.join(fixtures.TOP, "ci/qemu/relay.py"), "tap0", *sockets, str(self.row.loss),
                            str(self.row.reorder)], "relay.log")
            netdev = f"dgram,local.type=unix,local.path={sockets[1]},remote.type=unix,remote.path={sockets[0]}"
        elif self.row.link == "tagged":
            self.net.wire("wire0")
            self.net.tap("tap0", "wire0")
            self.net.popen([sys.executable, os.path.join(fixtures.TOP, "ci/qemu/tagger.py"), self.net.tap("tagger0"),
                            self.net.tap("tagger1", "wire0"), *self.row.tagged_from], "tagger.log")
        elif self.row.link == "netem":
            self.spoil()
        else:
            self.net.tap("tap0")
        for number in range(1, self.row.taps):
            self.net.tap(f"tap{number}")
        if self.row.mtu:
            net.sh("ip", "link", "set", "tap0", "mtu", str(self.row.mtu))
            net.sh("ip", "link", "set", "br0", "mtu", "1500")
        if self.row.rate:
            try:
                net.sh("tc", "qdisc", "add", "dev", "tap0", "root", "tbf", "rate", self.row.rate, "burst", "64k", "limit", "2m")
            except RuntimeError as error:
                print(f"# the link stays fast: {error}")
        self.wait_for_servers()
        if self.netem:
            self.netem.wait_ready()
        self.netdev = netdev
        if self.row.pinged:
            pinger, log = os.path.join(fixtures.TOP, "ci/qemu/pinger.py"), os.path.join(self.folder, "pings.log")
            self.net.popen([sys.executable, pinger, "br0", machine.MAC, log], "pinger.log")
        if self.row.machine == "host":
            self.extra = tuple(disk.host_options(self.row, self.folder) + usb.host_options(self.row, self.folder))
        else:
            self.extra = disk.data_options(self.row, self.folder) + usb.options(self.row, self.folder)
            self.extra += self.efi_options() if self.row.firmware else disk.options(self.row, self.folder)
        self.power_on()

    def power_on(self, name=""):
        """The machine, with what start() has made for it; `name` tells the logs of a further start apart."""
        row, artefact = self.row, os.path.join(self.folder, "tftp", self.boot_file)
        if row.machine == "host":
            self.machine = machine.HostMachine(self.folder, HOST, artefact, memory=row.memory, extra=self.extra, name=name)
            return
        options = {"cpu": row.cpu, "processors": row.processors, "program": emulator.newer() if row.newer else [emulator.OWN],
                   "extra": [option.replace("romfile=ROM", "romfile=" + artefact) for option in (*self.extra, *row.devices)], "name": name}
        nic = row.nic.replace("romfile=ROM", "romfile=" + artefact)
        if row.firmware:
            self.machine = machine_efi.EfiMachine(self.folder, row.firmware, artefact, nic, self.netdev, row.memory, **options)
        else:
            self.machine = machine.Machine(self.folder, nic, self.netdev, row.memory, row.machine, **options)
        for command in row.monitor:
            self.machine.monitor(command)

    def efi_options(self):
        found = tpm.start(self.net, self.folder) if self.row.tpm else ()
        return found + (("-action", "reboot=reset") if self.row.reboots else ())

    def spoil(self):
        """tap0 behind `tc netem`: the host's where its kernel has it, else that of a router machine."""
        missing = net.netem_missing()
        if missing:
            print(f"# {missing}: a router machine has it", flush=True)
            self.netem = router.Router(self.net, self.folder, fixtures.PAYLOAD, "tap0", self.row.loss, self.row.reorder)
            return
        self.net.tap("tap0")
        self.netem = router.Host(["tap0"] + ["v" + server.name for server in self.row.servers], self.row.loss, self.row.reorder)

    def wait_for_servers(self):
        deadline = time.monotonic() + 20
        while self.row.site and "started" not in self.log("site.log"):
            if time.monotonic() > deadline:
                raise RuntimeError("the site's server does not come up: " + self.tail("site.log"))
            time.sleep(0.05)
        for server in self.row.servers:
            node = self.net.nodes[server.name]
            port = {"http": ":8080 ", "endless": ":8080 ", "ranges": ":8080 ", "tftp": ":69 ", "relayed": ":67 ",
                    **dict.fromkeys(web_servers.PACKAGES, ":8080 ")}.get(server.kind, ":20530 ")
            while not server.late and port not in node.sh("ss", "-utlnH"):
                if self.processes[server.name].poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError(f"server {server.name} does not come up: {self.tail(f'server-{server.name}.log')}")
                time.sleep(0.05)
            self.sent_before[server.name] = node.bytes_sent()

    # --- while it runs ---

    def act(self):
        for server in self.row.servers:
            if server.name not in self.processes and self.machine.seconds() >= server.late:
                self.serve(server)
        for index, when in enumerate(self.row.when):
            if index in self.done_when:
                continue
            names = [s.name for s in self.row.servers]
            sender = max(names, key=self.sent) if when.server == "sender" else when.server
            if self.sent(sender) < when.sent:
                continue
            self.done_when.add(index)
            print(f"# {self.machine.seconds():.1f} s: {when.action} {sender}, which has sent {self.sent(sender)} bytes", flush=True)
            if when.action == "unplug":
                self.net.nodes[sender].unplug()
            elif when.action == "replace":
                self.replace(sender)
            else:
                self.processes[sender].kill()
            if when.action == "restart":
                self.processes[sender].wait()
                self.serve(next(s for s in self.row.servers if s.name == sender))

    def replace(self, name):
        """The server's first image, by the newer one of that name."""
        image = next(s for s in self.row.servers if s.name == name).images[0]
        served = os.path.join(self.folder, "serve-" + name, image)
        os.symlink(fixtures.path("newer", image), served + ".new")
        os.rename(served + ".new", served)

    def start_again(self, number, again):
        """The machine's next start. What was wrong with it."""
        server = self.row.servers[0]
        self.machine.stop()
        self.processes[server.name].kill()
        self.processes[server.name].wait()
        if again.before == "replace":
            self.replace(server.name)
            self.serve(server)
            self.wait_for_servers()
        self.sent_before[server.name] = self.net.nodes[server.name].bytes_sent()
        self.row = dataclasses.replace(self.row, counter=again.counter, expect=again.expect, after=again.after, when=())
        self.power_on(f"-{number}")
        return [f"start {number}: {reason}" for reason in self.judge()]

    def look_next(self, text):
        """The row's next look at the screen. The serial line is ahead of it, so it has a moment to become as it must be."""
        if len(self.looked) == len(self.row.looks):
            return
        typed, pattern, wanted = self.row.looks[len(self.looked)]
        if self.typed < typed or not re.search(pattern, text[self.typed_at:]):
            return
        deadline = time.monotonic() + LOOK_SECONDS
        found = ()
        while found != wanted and time.monotonic() < deadline and self.machine.running():
            time.sleep(machine.POLL)
            found = tuple((number, *row) for number, row in enumerate(self.machine.rows()) if row[0])
        self.looked.append("" if found == wanted else f"the screen shows {found}, not {wanted}")

    def type_next(self, text):
        """The row's next line, once the console shows what it waits for, behind what was there when the last one was typed."""
        if self.typed == len(self.row.typed):
            return
        pattern, line = self.row.typed[self.typed]
        if re.search(pattern, text[self.typed_at:]):
            self.typed_at = len(text)
            self.typed += 1
            self.machine.type(line)

    def press_next(self):
        if self.pressed == len(self.row.pressed):
            return
        pattern, key = self.row.pressed[self.pressed]
        if re.search(pattern, self.machine.bios_said()):
            self.pressed += 1
            self.machine.monitor(f"sendkey {key} 100")

    def sent(self, name):
        return self.net.nodes[name].bytes_sent() - self.sent_before[name]

    def wait(self):
        """Until the verdict is known: the console cannot change it any more."""
        row = self.row
        ok = table.HOST_OK if row.machine == "host" else table.OK
        goal = re.compile(ok.format(re.escape(row.boots), row.counter) if row.boots else row.end)
        while True:
            running, text = self.machine.running(), self.machine.console()
            found = next((f for f in row.forbid if re.search(f, text)), None)
            if found:
                return f"the console shows {found}"
            if not row.boots and re.search("SIGNET-BOOT-OK|host: would start", text):
                return "an image was booted that must not"
            if goal.search(text) and not (row.boots and running):
                return None
            if not running:
                return f"the machine ended (status {self.machine.process.returncode}) before the console showed {goal.pattern}"
            if self.machine.seconds() > row.deadline:
                return f"after {row.deadline} s the console does not show {goal.pattern}" + (
                    ", or the machine does not power off" if goal.search(text) else "")
            self.act()
            self.look_next(text)
            self.type_next(text)
            self.press_next()
            time.sleep(machine.POLL)

    # --- the verdict ---

    def judge(self):
        reason = self.wait()
        spoilt = self.judge_netem()
        if reason:
            return [reason] + spoilt
        text = self.machine.console()
        reasons = [f"the console does not show {e}" for e in self.row.expect if not re.search(e, text)]
        for index, when in enumerate(self.row.when):
            if index not in self.done_when:
                reasons.append(f"{when.action} {when.server} never came to pass")
        reasons += [wrong for wrong in self.looked if wrong]
        reasons += [f"the console never showed {pattern}" for _, pattern, _ in self.row.looks[len(self.looked):]]
        reasons += [f"the BIOS never said {pattern}" for pattern, _ in self.row.pressed[self.pressed:]]
        for check, *arguments in self.row.after:
            reasons += getattr(self, "check_" + check)(*arguments)
        if self.row.machine == "host":
            reasons += wrong_progress(self.machine.console(plain=False))
        return reasons + spoilt

    def judge_netem(self):
        """Without its counters the row would pass as well where netem did nothing at all."""
        if not self.netem:
            return []
        try:
            self.netem.end()
        except (RuntimeError, OSError) as error:
            return [str(error)]
        counters = self.netem.counters()
        print("# " + "\n# ".join(counters.strip().split("\n")))
        return [r for device in self.netem.devices for r in router.judge(counters, self.row.loss, self.row.reorder, device)]

    def judge_cases(self):
        """Case name -> None, or why it failed. Each case's part of the console begins with its CASE line."""
        text = self.machine.console()
        parts = dict(re.findall(r"^CASE (\S+)\n(.*?)(?=^CASE |\Z)", text, re.M | re.S))
        verdicts = {}
        for case in self.row.cases:
            part = parts.get(case.name)
            if part is None:
                verdicts[case.name] = "never tried"
            elif not re.search(f"^REFUSED {re.escape(case.name)}$", part, re.M):
                verdicts[case.name] = "not refused"
            elif not re.search(case.pattern, part):
                verdicts[case.name] = f"refused without {case.pattern}: {part.strip()[:300]!r}"
            else:
                verdicts[case.name] = None
        return verdicts

    def check_slot_tries(self, slot, tries):
        """What the slot's header on the row's disk says in the end."""
        with open(os.path.join(self.folder, "disk.img"), "rb") as f:
            f.seek({"A": 8, "B": 1024}[slot] * 512 + 12)
            found = int.from_bytes(f.read(4), "little")
        return [] if found == tries else [f"slot {slot} has {found} tries left, not {tries}"]

    def check_kept(self, number, sequence, file):
        """The slot of the image partition, as doc/boot-area.md describes it: header and image."""
        found, image = disk.image_slot(self.row, self.folder, number)
        reasons = [] if found == sequence else [f"slot {'AB'[number]} has sequence {found}, not {sequence}"]
        return reasons + ([] if image == fixtures.payload.read(fixtures.path(file)) else [f"slot {'AB'[number]} does not hold {file}"])

    def check_stranger_whole(self):
        """The image partition of the row's disk is byte for byte as it was made."""
        with open(os.path.join(self.folder, "disk.img"), "rb") as f:
            f.seek(4096 * 512 + 4096)
            front, rest = f.read(len(self.row.disk.stranger)), f.read()
            f.seek(4096 * 512)
            whole = front == self.row.disk.stranger and not any(rest) and not any(f.read(4096))
        return [] if whole else ["somebody else's partition was written to"]

    def check_pages_given_back(self, slack):
        """The third run of the test application has as much free memory as the second one. (The first one makes the
        firmware allocate what it keeps.)"""
        pages = [int(n) for n in re.findall(r"APPTEST (\d+) free pages", self.machine.console())]
        if len(pages) < 3:
            return ["the test application did not run three times"]
        return [f"free pages at each run: {pages}"] if pages[2] < pages[1] - slack else []

    def check_measured(self, *steps):
        """The event log of the booted system, see tpm.py."""
        return tpm.judge(self.machine.console(), self.row, steps)

    def check_no_dhcp_after_nbp(self):
        """The lease that the ROM got is used: once the NBP was sent, nobody asks the DHCP server again."""
        before, sent, after = self.log("dnsmasq.log").partition(f"/{self.boot_file} to ")
        if self.row.machine == "host":  # no ROM before it: there its own DHCP is right
            return []
        count = len(re.findall("DHCP(DISCOVER|REQUEST)\\(", after))
        return [] if sent and not count else [f"{count} DHCP messages after the NBP was sent" if sent else "the NBP was never sent"]

    def check_tftp_sent(self, name):
        """dnsmasq has sent this file, whole."""
        return [] if re.search(rf"sent \S+/{re.escape(name)} to ", self.log("dnsmasq.log")) else [f"nobody has fetched {name} over TFTP"]

    def check_no_page_lost(self, firmware=0):
        """The shell's two accounts of memory agree: as many pages of each kind, but for so many that the firmware may lose."""
        sums = re.findall(r"^ +(Reserved +:.*?Available *:.*?)$", self.machine.console(), re.M | re.S)
        if len(sums) != 2:
            return [f"{len(sums)} memory maps on the console"]
        kinds = [re.findall(r"(\w+) *: *([\d,]+) Pages", s) for s in sums]
        counts = [(a[0], int(a[1].replace(",", "")), int(b[1].replace(",", ""))) for a, b in zip(*kinds)]
        print("# " + ", ".join(f"{name} {a} -> {b}" for name, a, b in counts if name in ("BS_Data", "Available")))
        return [f"{name}: {a} pages before, {b} after" for name, a, b in counts
                if abs(a - b) > (firmware if name in ("BS_Data", "Available") else 0)]

    def check_both_sent(self, least):
        poor = [s.name for s in self.row.servers if self.sent(s.name) < least]
        return [f"server {name} sent {self.sent(name)} bytes only" for name in poor]

    def check_sent_at_most(self, name, most):
        return [] if self.sent(name) <= most else [f"server {name} sent {self.sent(name)} bytes"]

    def bodies(self, name):
        """What the server (httpd.py) was asked for since it was started, and sent of it: (first byte, bytes) of each answer."""
        log = self.log(f"server-{name}.log").rpartition("started\n")[2]
        asked = re.findall(r"^asked \S+ (\d+) \d+\nbody (\d+)$", log, re.M)
        return [(int(first), int(length)) for first, length in asked]

    def check_bodies_at_most(self, name, most):
        total = sum(length for _, length in self.bodies(name))
        print(f"# server {name} sent {total} bytes of bodies in {len(self.bodies(name))} answers")
        return [] if 0 < total <= most else [f"server {name} sent {total} bytes of bodies"]

    def check_nothing_twice(self, name):
        """Each answer begins where the one before was cut."""
        at = 0
        for first, length in self.bodies(name):
            if first != at:
                return [f"server {name} was asked for byte {first} behind byte {at}"]
            at += length
        return [] if len(self.bodies(name)) > 1 else ["one answer only"]

    def check_connections(self, name, first, most):
        """A web server's first so many requests came by one connection, all of them by no more than so many. lighttpd writes
        down the last ones late."""
        lines = fixtures.payload.read(os.path.join(self.folder, f"web-{name}/access.log")).decode().splitlines()
        numbers = [line.split()[0] for line in lines]
        print(f"# server {name}: {len(numbers)} requests on {len(set(numbers))} connections")
        reasons = [] if len(set(numbers[:first])) == 1 else [f"the first {first} requests: {'; '.join(lines[:first])}"]
        return reasons + ([] if first <= len(numbers) and len(set(numbers)) <= most else [f"{len(set(numbers))} connections: {'; '.join(lines)}"])

    def check_placed(self, image):
        """What the core would have started is what went into the image: kernel, then the initrds in order."""
        parts = ["initrd.img", "part.img"]
        read = fixtures.payload.read
        kernel = read(os.path.join(self.folder, "out.setup")) + read(os.path.join(self.folder, "out.kernel"))
        initrd = read(os.path.join(self.folder, "out.initrd"))
        reasons = [] if kernel == read(os.path.join(fixtures.PAYLOAD, "vmlinuz")) else ["the kernel placed is not the image's"]
        position = 0
        for part in parts:
            data = read(os.path.join(fixtures.PAYLOAD, part))
            if initrd[position:position + len(data)] != data:
                reasons.append(f"the initrd placed is not {part} at {position}")
            position = -(-(position + len(data)) // forge.PAYLOAD_ALIGN) * forge.PAYLOAD_ALIGN
        return reasons

    def check_tagged(self, least, least_full):
        """The tagger gave so many frames a tag, and so many that had the full length. Those came in, but for BIOS: see doc/bios.md."""
        counts = re.findall(r"(\d+) frames tagged, (\d+) of full size", self.log("tagger.log"))[-1:]
        reasons = [] if self.row.machine == "pc" and not self.row.firmware else self.check_pinged(1)
        return reasons + [f"{n} frames were tagged, {full} full ones" for n, full in counts or [(0, 0)] if int(n) < least or int(full) < least_full]

    def check_dhcp_log(self, pattern, count):
        """How often dhcp.py heard such a message."""
        found = len(re.findall(pattern, self.log("dhcp.log")))
        return [] if found == count else [f"dhcp.log shows {pattern} {found} times, not {count}"]

    def check_pinged(self, least):
        """Answered while it booted, of each kind."""
        answers = re.findall(r"(\S+) (\d+)", self.log("pings.log"))
        return [f"{count} pings {kind} were answered, not {least}" for kind, count in answers or [("of any kind", 0)] if int(count) < least]

    def check_asked(self, pattern):
        return [] if re.search(pattern, self.log("site.log")) else [f"site.log does not show {pattern}"]

    def check_server_log(self, name, pattern):
        return [] if re.search(pattern, self.log(f"server-{name}.log")) else [f"the log of server {name} does not show {pattern}"]

    def log(self, name):
        with open(os.path.join(self.folder, name), encoding="utf-8", errors="replace") as f:
            return f.read()

    def tail(self, name, lines=6):
        try:
            return " | ".join(self.log(name).strip().split("\n")[-lines:])
        except OSError:
            return "(no log)"


def main(name):
    row = next(r for r in table.ROWS if r.name == name)
    start = time.monotonic()
    runner = Runner(row)
    try:
        runner.start()
        reasons = runner.judge()
        cases = runner.judge_cases()
        for number, again in enumerate(row.again, 2):
            reasons = reasons or runner.start_again(number, again)
        if reasons:
            print(f"# screen of {name}:\n{runner.machine.screen()}" if runner.machine.running() else "# (the machine is off)")
            lines = runner.machine.console().strip().split("\n")
            print("# console:\n" + "\n".join(lines[-25:]))
            # In the line that says FAIL, too: often it is all that is kept of a run elsewhere. Of a line that was drawn
            # again and again, the last state.
            said = [state for state in (line.strip().split("\r")[-1].strip() for line in lines) if state]
            reasons.append(f"the console ends with {' | '.join(said[-8:])[-700:]!r}")
        runner.machine.stop()
    except (RuntimeError, OSError) as error:
        reasons, cases = [str(error)], {}
    runner.net.stop()
    for case, reason in cases.items():
        print(f"FAIL qemu-{name}/{case}: {reason}" if reason else f"ok qemu-{name}/{case}")
    took, used = time.monotonic() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    print(f"FAIL qemu-{name}: {'; '.join(reasons)} (see {runner.folder})" if reasons else
          f"ok qemu-{name} ({took:.1f} s, {used.ru_utime + used.ru_stime:.1f} s of a processor)")
    return 1 if reasons or any(cases.values()) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
