#!/bin/bash
# SPDX-License-Identifier: MPL-2.0
# SeaBIOS runs an option ROM from a card's flash only when the vendor and device numbers in the ROM's PCI data structure are the
# card's own. The list of further devices that PCI Firmware Specification 3.0 (5.1.2) puts beside them, in structures of revision 3,
# is not looked at: a ROM that names the card in its list alone is passed over without a word. So one image for several cards needs
# a file for each of them.
#
# Debian 12, amd64. Downloads pinned packages into a temporary folder; needs apt-get, dpkg-deb, python3; no root.
set -euo pipefail
SEABIOS=1.16.2-1 QEMU=1:7.2+dfsg-7+deb12u18+b3
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
mkdir -p "$tmp/debs/partial" "$tmp/root"
apt-get -qq -o Dir::State::status=/dev/null -o Dir::Cache::archives="$tmp/debs" -o Debug::NoLocking=1 -o APT::Sandbox::User= \
    --no-install-recommends --download-only -y install "seabios=$SEABIOS" "qemu-system-x86=$QEMU" >"$tmp/apt.log" 2>&1 ||
    { tail -n 5 "$tmp/apt.log" >&2; echo "the pinned packages cannot be had" >&2; exit 2; }
for deb in "$tmp"/debs/*.deb; do dpkg-deb -x "$deb" "$tmp/root"; done

# A ROM that writes "ran" to the debug port. $1: device number in its PCI data structure; $2: in the list behind it
rom() {
    python3 - "$1" "$2" <<'PY'
import struct, sys
own, listed = (int(n, 16) for n in sys.argv[1:])
rom = bytearray(512)
rom[0:3] = b"\x55\xaa\x01"
code = b"\x50\x52\xba\x02\x04" + b"".join(b"\xb0" + bytes([c]) + b"\xee" for c in b"\nROM: ran\n") + b"\x5a\x58\xcb"
rom[3:6] = b"\xe9" + struct.pack("<h", 0x80 - 6)
rom[0x80:0x80 + len(code)] = code
struct.pack_into("<H", rom, 0x18, 0x40)
struct.pack_into("<4sHHHHB3sHHBBHHH", rom, 0x40, b"PCIR", 0x8086, own, 0x1c, 0x1c, 3, b"\0\0\2", 1, 0, 0, 0x80, 1, 0, 0)
struct.pack_into("<HH", rom, 0x5c, listed, 0)
rom[511] = -sum(rom) & 0xff
sys.stdout.buffer.write(rom)
PY
}

run() { # run OWN LISTED: "ran", or nothing
    rom "$1" "$2" >"$tmp/rom"
    LD_LIBRARY_PATH=$tmp/root/usr/lib/x86_64-linux-gnu:$tmp/root/lib/x86_64-linux-gnu timeout 10 "$tmp/root/usr/bin/qemu-system-x86_64" \
        -L "$tmp/root/usr/share/qemu" -L "$tmp/root/usr/share/seabios" -accel tcg -m 64 -display none -nodefaults \
        -device "e1000,romfile=$tmp/rom" -chardev "file,id=said,path=$tmp/said" -device isa-debugcon,iobase=0x402,chardev=said || true
    grep -q "No bootable device\|enter handle_19" "$tmp/said" || { echo "SeaBIOS did not come to its boot devices" >&2; exit 2; }
    grep -o "ROM: ran" "$tmp/said" || echo "passed over"
}

echo "seabios $SEABIOS, qemu-system-x86 $QEMU, a card 8086:100e"
numbers=$(run 100e 100f)
list=$(run 100f 100e)
echo "ROM for 100e, list 100f: $numbers"
echo "ROM for 100f, list 100e: $list"
[ "$numbers" = "ROM: ran" ] || { echo "CHANGED: not even the card's own numbers are taken"; exit 1; }
[ "$list" = "passed over" ] || { echo "CHANGED: the list is looked at"; exit 1; }
echo "as described"
