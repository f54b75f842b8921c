# SPDX-License-Identifier: MPL-2.0
"""The bad cable of the rows with link="netem": `tc netem` by the host's kernel, or by that of a small machine in between.

Host     netem on the bridge's ports: the tap of the machine, and the cables of the servers
Router   for host kernels without sch_netem: a second QEMU with the guest's kernel (Debian's has all modules), busybox and
         the host's own `tc`; it bridges two cards, and netem sits on both:

             servers -- br0 -- netem0 = [eth0 router eth1] = netem1 -- br1 -- tap0 -- machine

Both have wait_ready(), end() (no frame passes any more afterwards) and counters(), and judge() reads the counters of both.
"""
import os
import re
import shutil
import time

import machine
import net
import payload
import userland

MODULES = ["virtio_pci", "virtio_net", "bridge", "sch_netem"]  # and all that they depend on
MEMORY = 128
READY = 90  # seconds that the router has to come up, also on a busy computer
COUNT = 30  # seconds that it has to tell its counters
LEAST_FRAMES = 100  # fewer show no share of losses


def settings(loss, late):
    """What both tell tc: frames are lost, and `late` of the others are held back for 10 ms, so that the next overtake them."""
    return ["delay", "10ms", "loss", f"{loss:.0%}", "reorder", f"{1 - late:.0%}"]


def tool(name):
    found = shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
    if not found:
        raise RuntimeError(f"no {name} program here; run ci/setup")
    return found


def judge(counters, loss, late, device):
    """Why the counters of `tc -s qdisc` do not show that netem spoilt what left through `device`: [] if they do. Those that
    go ahead of the ones held back are what netem counts as requeued."""
    found = re.search(rf"^qdisc netem \S+ dev {device} .*\n Sent \d+ bytes (\d+) pkt \(dropped (\d+), overlimits \d+ requeues (\d+)\)",
                      counters, re.M)
    if not found:
        return [f"no netem counters of {device}"]
    sent, dropped, ahead = (int(number) for number in found.groups())
    if sent < LEAST_FRAMES:
        return [f"netem on {device} has let {sent} frames pass only"]
    reasons = []
    if not loss / 2 < dropped / (sent + dropped) < loss * 2:
        reasons.append(f"netem on {device} dropped {dropped} of {sent + dropped} frames, which is not {loss:.0%}")
    if not late / 2 < 1 - ahead / sent < late * 2:
        reasons.append(f"netem on {device} held {sent - ahead} of {sent} frames back, which is not {late:.0%}")
    return reasons


class Host:
    """`devices`: those through which frames go to the machine and to the servers."""

    def __init__(self, devices, loss, late):
        self.devices = devices
        for device in devices:
            net.sh(tool("tc"), "qdisc", "add", "dev", device, "root", "netem", *settings(loss, late))

    def wait_ready(self):
        pass

    def end(self):
        pass

    def counters(self):
        return net.sh(tool("tc"), "-s", "qdisc", "show")


def initrd(root):
    archive = userland.Userland("router", root, MODULES)
    archive.program("bin/tc.host", tool("tc"))  # busybox has a tc of its own, without netem
    return archive.bytes()


class Router:
    def __init__(self, network, folder, kernel, tap, loss, late):
        """Comes up behind br0, with `tap` at its far side. `kernel` is the folder that payload.py makes."""
        self.devices = ["eth1", "eth0"]  # to the machine, to the servers
        network.tap("netem0")
        network.wire("br1")
        for name in ("netem1", tap):
            network.tap(name, "br1")
        ramdisk = os.path.join(folder, "router.img")
        payload.write(ramdisk, initrd(os.path.join(kernel, "kernel")))
        # Without a virtio header the host's kernel computes each checksum before a frame enters the router.
        ends = [f"tap,ifname=netem{i},script=no,downscript=no,vnet_hdr=off" for i in (0, 1)]
        card = "virtio-net-pci,romfile=,bootindex=-1"
        netem = ",".join(settings(loss, late))
        self.machine = machine.Machine(folder, card, ends[0], MEMORY, mac="52:54:00:50:32:f0", name="-router", extra=[
            "-netdev", ends[1] + ",id=n1", "-device", f"{card},netdev=n1,mac=52:54:00:50:32:f1",
            "-kernel", os.path.join(kernel, "vmlinuz"), "-initrd", ramdisk,
            "-append", f"{payload.GUEST_CMDLINE} panic=-1 net.ifnames=0 test.netem={netem}"])

    def wait_for(self, goal, seconds):
        deadline = time.monotonic() + seconds
        while f"{goal}\n" not in self.machine.console():
            if not self.machine.running() or time.monotonic() > deadline:
                said = " | ".join(self.machine.console().strip().split("\n")[-4:])
                raise RuntimeError(f"the router does not say {goal}: {said}")
            time.sleep(machine.POLL)

    def wait_ready(self):
        self.wait_for("ROUTER-READY", READY)

    def end(self):
        """Pulls its cable: the sign to tell the counters."""
        self.machine.monitor("set_link n0 off")
        try:
            self.wait_for("ROUTER-END", COUNT)
        finally:
            self.machine.stop()

    def counters(self):
        return self.machine.console().partition("ROUTER-COUNTERS\n")[2].partition("ROUTER-END")[0]
