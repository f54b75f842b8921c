#!/bin/bash
# SPDX-License-Identifier: MPL-2.0
# QEMU's igb (an 82576) has no link after a reset, however long one waits, although its cable is plugged in: the link comes only when a
# driver tells the PHY to negotiate anew (MII register 0, bits 12 and 9). QEMU's e1000e (an 82574L), which comes from the same source
# files, has its link at once after the same reset. A driver that waits for the link behind a reset works on one of them alone.
#
# Debian 12 with its backports, amd64. Downloads pinned packages into a temporary folder; needs apt-get, dpkg-deb, python3; no root.
set -euo pipefail
QEMU=1:10.0.2+ds-2+deb13u1~bpo12+1
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
mkdir -p "$tmp/debs/partial" "$tmp/lists/partial" "$tmp/root"
mirror=$(apt-get -qq --print-uris download base-files | cut -d"'" -f2 | sed 's#/pool/.*##')
printf 'deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] %s %s main\n' "$mirror" bookworm "$mirror" bookworm-backports >"$tmp/sources"
get() {
    apt-get -qq -o Dir::Etc::sourcelist="$tmp/sources" -o Dir::Etc::sourceparts=- -o Dir::State::lists="$tmp/lists" -o Dir::State::status=/dev/null \
        -o Dir::Cache::pkgcache= -o Dir::Cache::srcpkgcache= -o Dir::Cache::archives="$tmp/debs" -o Debug::NoLocking=1 -o APT::Sandbox::User= \
        --no-install-recommends --download-only -y "$@" >>"$tmp/apt.log" 2>&1
}
get update && get -t bookworm-backports install "qemu-system-x86=$QEMU" || { tail -n 5 "$tmp/apt.log" >&2; echo "the pinned packages cannot be had" >&2; exit 2; }
for deb in "$tmp"/debs/*.deb; do dpkg-deb -x "$deb" "$tmp/root"; done

# The card's link (STATUS, bit 1) after a reset, ten seconds later, and two seconds behind the PHY's order, by QEMU's own test interface.
cat >"$tmp/card.py" <<'PY'
import subprocess, sys, time
qemu, card, bios = sys.argv[1:]
q = subprocess.Popen([*qemu.split(), "-accel", "tcg", "-bios", bios, "-qtest", "stdio", "-display", "none", "-nodefaults", "-machine", "q35", "-netdev",
                      "hubport,id=n,hubid=0", "-device", f"{card},netdev=n,addr=4,romfile="], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                     stderr=subprocess.DEVNULL, text=True)
def ask(*words):
    q.stdin.write(" ".join(words) + "\n")
    q.stdin.flush()
    answer = q.stdout.readline().split()
    assert answer and answer[0] == "OK", (words, answer)
    return int(answer[1], 16) if len(answer) > 1 else 0
def config(offset, value):
    ask("outl", "0xcf8", hex(0x80000000 | 4 << 11 | offset))
    ask("outl", "0xcfc", hex(value))
BASE = 0xe0000000
def register(offset, value=None):
    return ask("readl", hex(BASE + offset)) if value is None else ask("writel", hex(BASE + offset), hex(value))
def link():
    return "link" if register(0x8) & 2 else "no link"
config(0x10, BASE)
config(0x04, 7)
register(0x0, register(0x0) | 1 << 26)          # CTRL.RST
time.sleep(1)
register(0x0, register(0x0) | 1 << 6)           # CTRL.SLU: the link is wanted
after = link()
time.sleep(10)
later = link()
register(0x20, 1 << 26 | 1 << 21 | 0 << 16 | 0x1200)  # MDIC: write the PHY's control register: negotiate, anew
time.sleep(2)
print(f"{after}; {later}; {link()}")
q.kill()
q.wait()
PY

run() {
    LD_LIBRARY_PATH=$tmp/root/usr/lib/x86_64-linux-gnu:$tmp/root/lib/x86_64-linux-gnu python3 "$tmp/card.py" \
        "$tmp/root/usr/bin/qemu-system-x86_64 -L $tmp/root/usr/share/qemu -L $tmp/root/usr/share/seabios" "$1" "$tmp/bios"
}

head -c 65536 /dev/zero | tr '\0' '\364' >"$tmp/bios" # HLT: nobody else touches the card
echo "qemu-system-x86 $QEMU: after a reset; ten seconds later; after the PHY was told to negotiate"
igb=$(run igb)
e1000e=$(run e1000e)
echo "igb:    $igb"
echo "e1000e: $e1000e"
[ "$igb" = "no link; no link; link" ] || { echo "CHANGED: igb"; exit 1; }
[ "$e1000e" = "link; link; link" ] || { echo "CHANGED: e1000e"; exit 1; }
echo "as described"
