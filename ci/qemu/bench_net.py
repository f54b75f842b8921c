# SPDX-License-Identifier: MPL-2.0
"""What the benchmark's machines have around them: a web server, whose log says when a machine asked for a mark, logs, and a look
at the processor time that all of it takes."""
import glob
import os
import re
import sys
import time

import fixtures

BENCH = os.path.join(fixtures.TOP, "build/bench")
NGINX = os.path.join(fixtures.TOP, "build/nginx")
ROOT = os.path.join(BENCH, "root")  # what HTTP and TFTP serve
# Machines have their memory from the start, as real ones do. Else the first download into each page also pays for the host's
# finding and clearing one: as much as all of the guest's work on the frames, in Signet's runs and in those of its peers.
MEMORY_READY = ("-mem-prealloc",)


def say(text):
    print(text, file=sys.stderr, flush=True)


def wait_for(what, condition, seconds):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return
        time.sleep(0.01)
    raise SystemExit(f"bench: {what} did not happen within {seconds} s (logs in {BENCH})")


def read_log(name):
    try:
        with open(os.path.join(BENCH, name), encoding="utf-8", errors="replace") as f:
            return f.read()
    except FileNotFoundError:
        return ""


def link(path, name):
    """A symbolic link, also where one to another place was."""
    if os.path.lexists(name):
        os.unlink(name)
    os.symlink(path, name)


def fresh_logs():
    for name in ("dnsmasq.log", "http.log", "bootserver.log"):
        open(os.path.join(BENCH, name), "w").close()


def _threads():
    """Thread -> seconds on a processor, for every process in these namespaces but this one: the emulator and the servers."""
    seconds = {}
    for path in glob.glob("/proc/[0-9]*/task/*/schedstat"):
        try:
            with open(path, encoding="ascii") as f:
                seconds[path] = int(f.read().split()[0]) / 1e9
        except (FileNotFoundError, ProcessLookupError):
            pass  # it has just ended
    return {path: s for path, s in seconds.items() if not path.startswith(f"/proc/{os.getpid()}/")}


class Processors:
    """The processor time between two moments, each of which a condition tells when look() is called."""

    def __init__(self, begun, ended):
        self.moments, self.readings = (begun, ended), []

    def look(self):
        if len(self.readings) < 2 and self.moments[len(self.readings)]():
            self.readings.append(_threads())

    def seconds(self, digest=0.0):
        """Of all threads together, without the digest, which is that share of the guest's: the busiest thread is the guest."""
        before, after = self.readings
        spent = [s - before.get(path, 0.0) for path, s in after.items()]
        return sum(spent) - digest * max(spent)


def nginx(folder, root, listen):
    """The command of Debian's nginx from its package, not installed, with a configuration of its own in `folder`."""
    conf = os.path.join(folder, "nginx.conf")
    temporary = " ".join(f"{kind}_temp_path {folder}/tmp;" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    os.makedirs(os.path.join(folder, "tmp"), exist_ok=True)
    with open(conf, "w", encoding="ascii") as f:
        f.write(f"""daemon off; user root root; worker_processes 1; pid {folder}/nginx.pid; error_log {folder}/nginx-error.log;
events {{ worker_connections 64; }}
http {{
    sendfile on; tcp_nopush on; default_type application/octet-stream; {temporary}
    log_format marks '$msec $request_time $uri $status $body_bytes_sent';
    access_log {folder}/http.log marks;
    server {{ listen {listen}; root {root}; location /mark {{ return 200 "#!ipxe\\n# its time is in the log\\n"; }} }}
}}
""")
    return [os.path.join(NGINX, "usr/sbin/nginx"), "-p", folder, "-c", conf]


def start_nginx(network):
    network.popen(nginx(BENCH, ROOT, 80), "nginx.log")


def marks():
    """name -> second at which the machine asked for http://server/mark-NAME."""
    return {m.group(2): float(m.group(1)) for m in re.finditer(r"^(\S+) \S+ /mark-(\S+) 200 ", read_log("http.log"), re.M)}


def peer_script(server, schemes=("http", "tftp")):
    """For an iPXE: image.bin over HTTP and over TFTP, with marks around."""
    lines = ["#!ipxe"]
    for scheme in schemes:
        lines += [f"imgfetch http://{server}/mark-{scheme}-start ||", "imgfree",
                  f"imgfetch {scheme}://{server}/image.bin && imgfetch http://{server}/mark-{scheme}-end ||", "imgfree"]
    with open(os.path.join(ROOT, "peer.ipxe"), "w", encoding="ascii") as f:
        f.write("\n".join(lines + [f"imgfetch http://{server}/mark-done", ""]))


def peer_times(mib, schemes=("http", "tftp")):
    """(seconds over HTTP, seconds over TFTP) of a peer that has run its script."""
    times = marks()
    size = re.search(r"/image.bin 200 (\d+)", read_log("http.log"))
    if not size or int(size.group(1)) != mib << 20 or any(f"{s}-end" not in times for s in schemes):
        raise SystemExit(f"bench: the peer did not fetch the whole image (see {BENCH}/http.log)")
    return tuple(times[f"{s}-end"] - times[f"{s}-start"] for s in schemes)


def timings(console):
    """transport -> the firmware's timing line as a dictionary."""
    return {scheme: {k: int(v) for k, v in re.findall(r"(\w+)=(\d+)", line)}
            for scheme, line in re.findall(r"^(\w+): timing: (.*)", console, re.M)}
