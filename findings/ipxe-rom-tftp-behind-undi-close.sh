#!/bin/bash
# SPDX-License-Identifier: MPL-2.0
# UNDI_CLOSE takes the card away from an iPXE ROM's own base code. A network bootstrap program that asks the ROM for a file's size by
# TFTP_GET_FSIZE gets it; after UNDI_CLOSE (success, though nothing had called UNDI_OPEN) the same call times out, and not one
# request leaves. UNDI_INITIALIZE says success and does not change that. UNDI_OPEN and UNDI_CLOSE are for programs that send frames by
# themselves (PXE 2.1, 4.3.6), so a program that is done with frames and hands the machine to one that uses the ROM's TFTP (pxelinux)
# leaves it without a network.
#
# Debian 12, amd64. Downloads pinned packages into a temporary folder; needs apt-get, dpkg-deb; no root.
set -euo pipefail
SEABIOS=1.16.2-1 QEMU=1:7.2+dfsg-7+deb12u18+b3 IPXE=1.0.0+git-20190125.36a4c85-5.1 BINUTILS=2.40-2
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
mkdir -p "$tmp/debs/partial" "$tmp/root" "$tmp/tftp"
apt-get -qq -o Dir::State::status=/dev/null -o Dir::Cache::archives="$tmp/debs" -o Debug::NoLocking=1 -o APT::Sandbox::User= \
    --no-install-recommends --download-only -y install "seabios=$SEABIOS" "qemu-system-x86=$QEMU" "ipxe-qemu=$IPXE" "binutils=$BINUTILS" \
    >"$tmp/apt.log" 2>&1 || { tail -n 5 "$tmp/apt.log" >&2; echo "the pinned packages cannot be had" >&2; exit 2; }
for deb in "$tmp"/debs/*.deb; do dpkg-deb -x "$deb" "$tmp/root"; done
export LD_LIBRARY_PATH=$tmp/root/usr/lib/x86_64-linux-gnu:$tmp/root/lib/x86_64-linux-gnu
head -c 12345 /dev/zero >"$tmp/tftp/file"

cat >"$tmp/nbp.s" <<'ASM'
    .code16
    .globl _start
_start:
    movw %sp, %bp
    lesw 4(%bp), %bx           # !PXE, behind the return address
    movl %es:16(%bx), %eax
    xorw %cx, %cx
    movw %cx, %ds
    movl %eax, entry
    movw $0x25, %ax            # TFTP_GET_FSIZE
    movw $fsize, %di
    call ask
    movw $0x07, %ax            # UNDI_CLOSE
    movw $plain, %di
    call ask
    movw $0x03, %ax            # UNDI_INITIALIZE
    movw $plain, %di
    call ask
    movw $0x25, %ax
    movw $fsize, %di
    call ask
    movb $'.', %al
    outb %al, $0xe9
1:  hlt
    jmp 1b

ask:                           # AX = function, DI = its block: writes the block's status
    pushw %di
    pushw %ds
    pushw %di
    pushw %ax
    lcallw *entry
    addw $6, %sp
    popw %di
    movb (%di), %al
    aam $16
    movw %ax, %bx
    movb %bh, %al
    call digit
    movb %bl, %al
    call digit
    movb $' ', %al
    outb %al, $0xe9
    ret
digit:
    cmpb $10, %al
    sbbb $0x69, %al
    das
    outb %al, $0xe9
    ret
entry: .long 0
plain: .fill 16, 1, 0
fsize: .word 0
    .byte 10, 0, 2, 2
    .long 0
    .ascii "file"
    .fill 124, 1, 0
    .long 0
ASM
"$tmp/root/usr/bin/as" --32 -o "$tmp/nbp.o" "$tmp/nbp.s"
"$tmp/root/usr/bin/ld" -m elf_i386 -Ttext 0x7c00 --oformat binary -o "$tmp/tftp/nbp" "$tmp/nbp.o"

timeout 300 "$tmp/root/usr/bin/qemu-system-x86_64" -L "$tmp/root/usr/share/qemu" -L "$tmp/root/usr/share/seabios" -L "$tmp/root/usr/lib/ipxe/qemu" \
    -accel tcg -m 64 -display none -nodefaults -boot n -netdev "user,id=n,tftp=$tmp/tftp,bootfile=nbp" \
    -device "e1000,netdev=n,romfile=$tmp/root/usr/lib/ipxe/qemu/pxe-e1000.rom" \
    -chardev "file,id=said,path=$tmp/said" -device isa-debugcon,iobase=0xe9,chardev=said &
emulator=$!
while kill -0 "$emulator" 2>/dev/null && ! grep -q "[.]" "$tmp/said" 2>/dev/null; do sleep 1; done
kill "$emulator" 2>/dev/null || true
wait "$emulator" 2>/dev/null || true

said=$(cat "$tmp/said")
echo "ipxe-qemu $IPXE, pxe-e1000.rom, in qemu-system-x86 $QEMU"
echo "status of TFTP_GET_FSIZE, UNDI_CLOSE, UNDI_INITIALIZE, TFTP_GET_FSIZE: $said"
case $said in
"00 00 00 35 .") echo "as described" ;;
"00 00 00 00 .") echo "CHANGED: the ROM's TFTP works behind UNDI_CLOSE"; exit 1 ;;
*) echo "CHANGED: other answers"; exit 1 ;;
esac
