# SPDX-License-Identifier: MPL-2.0
"""A test network in a namespace of its own: a bridge, taps for machines, and nodes for servers.

run_isolated() re-executes a command in fresh network, mount and process namespaces (as root, or as a user
through a user namespace). Nothing that happens inside reaches the host, and when the command ends the kernel
takes every process and interface inside down with it: clean-up cannot be forgotten.

Inside, Net() builds:   machine -- tap0 -- br0 -- veth -- node "a" (own namespace)
                                           `---- 10.50.0.1, fd50::1: DHCP, TFTP, router advertisements
"""
import functools
import os
import re
import signal
import subprocess
import time

PREFIX4 = "10.50.0"
PREFIX6 = "fd50:5055"


def _unshare():
    return ["unshare", "--net", "--pid", "--mount-proc", "--fork", "--kill-child"]


@functools.lru_cache(maxsize=None)
def isolation():
    """(command prefix that opens the namespaces, None), or (None, why this system allows none)."""
    reason = "no unshare program"
    for prefix in (_unshare(), _unshare() + ["--user", "--map-root-user"]):
        probe = subprocess.run(prefix + ["ip", "tuntap", "add", "tap0", "mode", "tap"], capture_output=True, text=True)
        if probe.returncode == 0:
            return prefix, None
        reason = probe.stderr.strip().splitlines()[-1] if probe.stderr.strip() else "exit status %d" % probe.returncode
    return None, f"no network namespace with a tap can be had here ({reason})"


def sh(*command):
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(command)}: {done.stderr.strip()}")
    return done.stdout


def netem_missing():
    """None where the kernel can do `tc netem`, else what is missing (called inside the namespaces)."""
    sh("ip", "link", "add", "probe0", "type", "veth", "peer", "name", "probe1")
    try:
        done = subprocess.run(["tc", "qdisc", "add", "dev", "probe0", "root", "netem", "loss", "5%"],
                              capture_output=True, text=True)
    except FileNotFoundError:
        return "no tc program (package iproute2)"
    finally:
        sh("ip", "link", "del", "probe0")
    return None if done.returncode == 0 else "this kernel has no CONFIG_NET_SCH_NETEM (module sch_netem)"


class Node:
    """A server's own network stack; `address` is its IPv4 address, None for IPv6 link-local alone, or with `address6`."""

    def __init__(self, net, name, address, address6=None):
        self.net, self.name, self.address = net, name, address
        self.holder = subprocess.Popen(["unshare", "--net", "sleep", "infinity"])
        deadline = time.monotonic() + 5
        while os.readlink(f"/proc/{self.holder.pid}/ns/net") == os.readlink("/proc/self/ns/net"):
            if time.monotonic() > deadline:
                raise RuntimeError("unshare --net does not come up")
            time.sleep(0.01)
        outer = f"v{name}"
        sh("ip", "link", "add", outer, "type", "veth", "peer", "name", "eth0", "netns", str(self.holder.pid))
        sh("ip", "link", "set", outer, "master", "br0", "up")
        self.sh("ip", "link", "set", "lo", "up")
        self.sh("sh", "-c", "echo 0 >/proc/sys/net/ipv6/conf/all/accept_ra; echo 0 >/proc/sys/net/ipv6/conf/eth0/accept_ra;"
                "echo 0 >/proc/sys/net/ipv6/conf/eth0/accept_dad")
        self.sh("ip", "link", "set", "eth0", "up")
        if address:
            self.sh("ip", "addr", "add", f"{address}/24", "brd", "+", "dev", "eth0")
        if address6:
            self.sh("ip", "addr", "add", f"{address6}/64", "dev", "eth0")

    def behind(self, router):
        """Off the bridge: on a link of its own with this namespace, which is its router by that address."""
        sh("ip", "link", "set", f"v{self.name}", "nomaster")
        sh("ip", "addr", "add", f"{router}/24", "dev", f"v{self.name}")
        sh("sh", "-c", "echo 1 >/proc/sys/net/ipv4/ip_forward")
        self.sh("ip", "route", "add", "default", "via", router)

    def wrap(self, command):
        return ["nsenter", f"--net=/proc/{self.holder.pid}/ns/net"] + list(command)

    def sh(self, *command):
        return sh(*self.wrap(command))

    def popen(self, command, log):
        return self.net.popen(self.wrap(command), log)

    def unplug(self):
        """Pulls the cable: what a server that vanishes looks like."""
        sh("ip", "link", "set", f"v{self.name}", "down")

    def bytes_sent(self):
        text = self.sh("ip", "-s", "link", "show", "eth0")
        return int(re.search(r"TX:.*\n\s+(\d+)", text).group(1))


class Net:
    def __init__(self, folder):
        self.folder = folder
        self.processes = []
        self.nodes = {}
        sh("ip", "link", "set", "lo", "up")
        # forward_delay: a bridge that listens for 15 s first would outlast every DHCP exchange.
        sh("ip", "link", "add", "br0", "type", "bridge", "forward_delay", "0", "stp_state", "0", "mcast_snooping", "0")
        sh("ip", "link", "set", "br0", "up")
        sh("ip", "addr", "add", f"{PREFIX4}.1/24", "brd", "+", "dev", "br0")
        sh("ip", "addr", "add", f"{PREFIX6}::1/64", "dev", "br0", "nodad")

    def tap(self, name="tap0", bridge="br0"):
        sh("ip", "tuntap", "add", name, "mode", "tap")
        sh("sh", "-c", f"echo 1 >/proc/sys/net/ipv6/conf/{name}/disable_ipv6")
        sh("ip", "link", "set", name, "master", bridge)
        sh("ip", "link", "set", name, "up")
        return name

    def wire(self, name):
        """A bridge in which the namespace itself has no part: without addresses, deaf to ARP (the kernel would otherwise
        answer here for the addresses of br0)."""
        sh("ip", "link", "add", name, "type", "bridge", "forward_delay", "0", "stp_state", "0", "mcast_snooping", "0")
        sh("sh", "-c", f"echo 1 >/proc/sys/net/ipv6/conf/{name}/disable_ipv6")
        sh("ip", "link", "set", name, "arp", "off", "up")

    def node(self, name, address, address6=None):
        self.nodes[name] = Node(self, name, address, address6)
        return self.nodes[name]

    def popen(self, command, log):
        with open(os.path.join(self.folder, log), "ab") as out:
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=out)
        self.processes.append(process)
        return process

    def dnsmasq(self, tftp_root, boot_file, dhcp=True, options=()):
        """DHCP, TFTP and router advertisements on the bridge. The stock ROMs wait 13 s for the latter."""
        command = ["dnsmasq", "--no-daemon", "--conf-file=/dev/null", "--interface=br0", "--bind-dynamic",
                   "--user=root", "--group=root", "--leasefile-ro", "--log-dhcp", "--no-ping", "--dhcp-authoritative",
                   "--enable-ra", f"--dhcp-range={PREFIX6}::,ra-only,64", "--ra-param=br0,mtu:1500,4,60",
                   "--enable-tftp", f"--tftp-root={tftp_root}", "--pid-file="]
        if dhcp:
            command += [f"--dhcp-range={PREFIX4}.100,{PREFIX4}.200,255.255.255.0,1h"]
            command += [f"--dhcp-boot={boot_file}"] if boot_file else []
        command += [] if any(option.startswith("--port") for option in options) else ["--port=0"]
        path = dict(os.environ, PATH=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
        with open(os.path.join(self.folder, "dnsmasq.log"), "ab") as out:
            process = subprocess.Popen(command + list(options), stdin=subprocess.DEVNULL, stdout=out, stderr=out, env=path)
        self.processes.append(process)
        return process

    def stop(self):
        for process in self.processes:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
        deadline = time.monotonic() + 2
        for process in self.processes:
            try:
                process.wait(max(0.05, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
