#!/bin/bash
# SPDX-License-Identifier: MPL-2.0
# OVMF loads a relocatable EFI application at the base that its header prefers whenever that memory is free, from 1 MiB on,
# and so also at 5 GiB, the base that lld-link gives every 64-bit program: in the midst of a large machine's memory. The
# largest free piece above 4 GiB is then cut in two. With base 0 the firmware chooses: the end of the memory below 4 GiB. Both
# programs are the same bytes but for that field.
#
# Debian 12, amd64. Downloads pinned packages into a temporary folder; needs apt-get, dpkg-deb, python3; no root.
set -euo pipefail
OVMF=2022.11-6+deb12u2 QEMU=1:7.2+dfsg-7+deb12u18+b3
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
mkdir -p "$tmp/debs/partial" "$tmp/root"
apt-get -qq -o Dir::State::status=/dev/null -o Dir::Cache::archives="$tmp/debs" -o Debug::NoLocking=1 -o APT::Sandbox::User= \
    --no-install-recommends --download-only -y install "ovmf=$OVMF" "qemu-system-x86=$QEMU" >"$tmp/apt.log" 2>&1 ||
    { tail -n 5 "$tmp/apt.log" >&2; echo "the pinned packages cannot be had" >&2; exit 2; }
for deb in "$tmp"/debs/*.deb; do dpkg-deb -x "$deb" "$tmp/root"; done

# A program that writes its own address to the debug port and switches the machine off. $1: preferred base
program() {
    python3 - "$1" <<'PY'
import struct, sys
base = int(sys.argv[1], 0)
code = bytes.fromhex("488d1df9efffff" "b93c000000")                      # rbx = the image's first byte; ecx = 60
loop = bytes.fromhex("4889d8" "48d3e8" "83e00f" "3c0a" "7202" "0427" "0430" "66ba0204" "ee" "83e904")
code += loop + b"\x79" + struct.pack("b", -(len(loop) + 2)) + bytes.fromhex("66baf400" "ee" "ebfe")
coff = struct.pack("<HHIIIHH", 0x8664, 2, 0, 0, 0, 240, 0x22)
optional = struct.pack("<HBBIIIII", 0x20b, 0, 0, 512, 512, 0, 0x1000, 0x1000)
optional += struct.pack("<QIIHHHHHHIIIIHH", base, 0x1000, 512, 0, 0, 0, 0, 6, 0, 0, 0x3000, 512, 0, 10, 0x160)
optional += struct.pack("<QQQQII", 0x100000, 0x1000, 0x100000, 0x1000, 0, 16)
optional += b"".join(struct.pack("<II", *((0x2000, 12) if i == 5 else (0, 0))) for i in range(16))
def section(name, size, rva, at, flags):
    return struct.pack("<8sIIIIIIHHI", name, size, rva, 512, at, 0, 0, 0, 0, flags)
head = b"MZ" + bytes(58) + struct.pack("<I", 64) + b"PE\0\0" + coff + optional
head += section(b".text", len(code), 0x1000, 512, 0x60000020) + section(b".reloc", 12, 0x2000, 1024, 0x42000040)
sys.stdout.buffer.write(head.ljust(512, b"\0") + code.ljust(512, b"\0") + struct.pack("<IIHH", 0x1000, 12, 0, 0).ljust(512, b"\0"))
PY
}

run() { # run BASE: the address at which the firmware put it
    local folder=$tmp/esp-$1
    mkdir -p "$folder/EFI/BOOT"
    program "$1" >"$folder/EFI/BOOT/BOOTX64.EFI"
    cp "$tmp/root/usr/share/OVMF/OVMF_VARS_4M.fd" "$tmp/vars.fd"
    LD_LIBRARY_PATH=$tmp/root/usr/lib/x86_64-linux-gnu:$tmp/root/lib/x86_64-linux-gnu timeout 120 "$tmp/root/usr/bin/qemu-system-x86_64" \
        -L "$tmp/root/usr/share/qemu" -L "$tmp/root/usr/share/seabios" -accel tcg -machine q35 -m 6144 -display none -nodefaults \
        -drive if=pflash,format=raw,readonly=on,file="$tmp/root/usr/share/OVMF/OVMF_CODE_4M.fd" \
        -drive if=pflash,format=raw,file="$tmp/vars.fd" -drive if=none,id=esp,format=raw,readonly=on,file="fat:$folder" \
        -device virtio-blk-pci,drive=esp -device isa-debug-exit,iobase=0xf4 -debugcon "file:$tmp/said" -global isa-debugcon.iobase=0x402 || true
    tail -c 16 "$tmp/said"
}

echo "ovmf $OVMF, qemu-system-x86 $QEMU, a machine with 6 GiB (2 below 4 GiB, 4 from there to 8 GiB)"
preferred=$(run 0x140000000)
free=$(run 0)
echo "preferred base 0x140000000: loaded at 0x$preferred"
echo "preferred base 0:           loaded at 0x$free"
[ "$preferred" = 0000000140000000 ] || { echo "CHANGED: the preferred base is not taken"; exit 1; }
[ $((0x$free)) -gt $((0x140000000 + 0x40000000)) ] || [ $((0x$free)) -lt $((0x100000000)) ] || { echo "CHANGED: without one it is in the midst as well"; exit 1; }
echo "as described"
