#!/bin/bash
# SPDX-License-Identifier: MPL-2.0
# A TFTP option whose value is empty, as RFC 2090 has its `multicast` in a request, hides every option behind it: tftpd-hpa and
# dnsmasq acknowledge what stands before it and nothing of what follows, without an error. The same request with `multicast` last
# gets all that was asked for. atftpd, which knows the option, acknowledges everything in either order. A client that asks for
# multicast has to ask for it last, or it loses block size and transfer size.
#
# Debian 12, amd64. Downloads pinned packages into a temporary folder; needs apt-get, dpkg-deb, python3, unshare (user namespaces or
# root).
set -euo pipefail
HPA=5.2+20150808-1.4 DNSMASQ=2.90-4~deb12u2 ATFTPD=0.8.0-3
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
mkdir -p "$tmp/debs/partial" "$tmp/root" "$tmp/files"
get() { # the two that conflict apart from each other
    apt-get -qq -o Dir::State::status=/dev/null -o Dir::Cache::archives="$tmp/debs" -o Debug::NoLocking=1 -o APT::Sandbox::User= \
        --no-install-recommends --download-only -y install "$@" >"$tmp/apt.log" 2>&1 ||
        { tail -n 5 "$tmp/apt.log" >&2; echo "the pinned packages cannot be had" >&2; exit 2; }
}
get "tftpd-hpa=$HPA" "dnsmasq-base=$DNSMASQ"
get "atftpd=$ATFTPD"
for deb in "$tmp"/debs/*.deb; do dpkg-deb -x "$deb" "$tmp/root"; done
head -c 3000 /dev/zero >"$tmp/files/file"
chmod -R a+rX "$tmp"

cat >"$tmp/ask.py" <<'PY'
import os, socket, subprocess, sys, time
top = sys.argv[1]
env = dict(os.environ, LD_LIBRARY_PATH=f"{top}/root/usr/lib/x86_64-linux-gnu:{top}/root/lib/x86_64-linux-gnu")
servers = {
    "tftpd-hpa": [f"{top}/root/usr/sbin/in.tftpd", "-L", "-s", "-u", "root", "-a", ":69", f"{top}/files"],
    "dnsmasq": [f"{top}/root/usr/sbin/dnsmasq", "-k", "--port=0", "--conf-file=/dev/null", "--user=root", "--group=", "--pid-file=", "--log-facility=/dev/null",
                "--listen-address=127.0.0.1", "--enable-tftp", f"--tftp-root={top}/files"],
    "atftpd": [f"{top}/root/usr/sbin/atftpd", "--daemon", "--no-fork", "--user", "root.root", "--logfile", "/dev/null", "--bind-address", "127.0.0.1",
               f"{top}/files"],
}
sizes = [(b"blksize", b"1024"), (b"tsize", b"0")]
orders = {"first": [(b"multicast", b"")] + sizes, "last": sizes + [(b"multicast", b"")]}

def ask(options):
    name = b"file" if server != "atftpd" else f"{top}/files/file".encode()
    request = b"\0\1" + b"\0".join([name, b"octet"] + [part for option in options for part in option]) + b"\0"
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.settimeout(1)
        for _ in range(20):  # it may still be starting
            s.sendto(request, ("127.0.0.1", 69))
            try:
                answer, peer = s.recvfrom(2048)
            except OSError:
                time.sleep(0.2)
                continue
            s.sendto(b"\0\5\0\0enough\0", peer)
            if answer[1] == 3:
                return "DATA, no option acknowledged"
            if answer[1] != 6:
                return f"opcode {answer[1]}"
            parts = answer[2:].split(b"\0")
            return "OACK " + " ".join(f"{k.decode()}={v.decode()}" for k, v in zip(parts[0::2], parts[1::2]) if k)
    return "silence"

got = {}
for server, command in servers.items():
    process = subprocess.Popen(command, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        for order, options in orders.items():
            got[server, order] = ask(options)
            print(f"{server}, multicast {order}: {got[server, order]}")
    finally:
        process.kill()
        process.wait()
    time.sleep(0.3)
for server in ("tftpd-hpa", "dnsmasq"):
    if "blksize" in got[server, "first"] or "tsize" in got[server, "first"]:
        sys.exit(f"CHANGED: {server} sees options behind an empty one")
for server in servers:
    if "blksize=1024" not in got[server, "last"] or "tsize=3000" not in got[server, "last"]:
        sys.exit(f"CHANGED: {server} does not acknowledge what stands before an empty option")
if "blksize=1024" not in got["atftpd", "first"]:
    sys.exit("CHANGED: atftpd is like the others")
PY
echo "tftpd-hpa $HPA, dnsmasq $DNSMASQ, atftpd $ATFTPD"
own=(unshare --net)
[ "$(id -u)" = 0 ] || own=(unshare --net --user --map-root-user)
"${own[@]}" sh -c 'ip link set lo up && exec "$@"' sh python3 "$tmp/ask.py" "$tmp"
echo "as described"
