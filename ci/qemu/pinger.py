#!/usr/bin/env python3
# SPDX-License-Identifier: MPL-2.0
"""Pings a machine from the moment it has an address until it is gone: small and large, in fragments, as broadcast and multicast.

Usage: pinger.py INTERFACE MAC LOG
The machine's IPv4 address is learnt from its own frames. LOG's last line has what was answered: `v4 N v4-large N v6 N v6-large N`;
a large one is longer than a frame.
"""
import os
import select
import socket
import struct
import sys
import time

EVERY = 0.02  # seconds between two pings
SIZES = (0, 56, 1400, 1472, 3000, 20000)
LARGE = 2000
PIECE = 1400
PIECE4 = 1480  # a frame of full length
OWN6 = b"\xfe\x80" + bytes(12) + b"\x50\x55"  # the kernel's own changes with the bridge's ports


def checksum(data):
    total = sum(struct.unpack("!%dH" % (len(data) // 2), data[:len(data) // 2 * 2])) + (data[-1] << 8 if len(data) % 2 else 0)
    while total >> 16:
        total = (total >> 16) + (total & 0xffff)
    return ~total & 0xffff


def echo4(source, target, size, number):
    """IP packets, the fragments of one echo request."""
    body = struct.pack("!BBHHH", 8, 0, 0, size, number & 0xffff) + bytes(i & 255 for i in range(size))
    body = body[:2] + struct.pack("!H", checksum(body)) + body[4:]
    for at in range(0, len(body), PIECE4):
        piece = body[at:at + PIECE4]
        more = 0x2000 if at + len(piece) < len(body) else 0
        head = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(piece), number & 0xffff, more | at // 8, 64, 1, 0, source, target)
        yield head[:10] + struct.pack("!H", checksum(head)) + head[12:] + piece


def echo6(source, target, size, number):
    body = struct.pack("!BBHHH", 128, 0, 0, size, number & 0xffff) + bytes(i & 255 for i in range(size))
    pseudo = source + target + struct.pack("!II", len(body), 58)
    body = body[:2] + struct.pack("!H", checksum(pseudo + body)) + body[4:]
    whole = len(body) <= PIECE + 48
    for at in range(0, len(body), 1 << 20 if whole else PIECE):
        piece = body if whole else body[at:at + PIECE]
        more = at + len(piece) < len(body)
        fragment = b"" if whole else struct.pack("!BBHI", 58, 0, at | more, number)
        yield struct.pack("!IHBB", 6 << 28, len(fragment) + len(piece), 58 if whole else 44, 64) + source + target + fragment + piece


def link_local(mac):
    return b"\xfe\x80" + bytes(6) + bytes((mac[0] ^ 2, mac[1], mac[2], 0xff, 0xfe)) + mac[3:]


def advertisement(target, to):
    """RFC 4861: the IPv6 packet that says that OWN6 is at the hardware address `target`."""
    body = b"\x88\0\0\0\x60\0\0\0" + OWN6 + b"\2\1" + target
    pseudo = OWN6 + to + struct.pack("!II", len(body), 58)
    body = body[:2] + struct.pack("!H", checksum(pseudo + body)) + body[4:]
    return struct.pack("!IHBB", 6 << 28, len(body), 58, 255) + OWN6 + to + body


def is_answer(frame, mac):
    """("v4" or "v6", size that was asked for) of the first piece of an echo reply."""
    kind = frame[12:14]
    if frame[6:12] != mac:
        return None
    if kind == b"\x08\0" and frame[23] == 1 and frame[34] == 0 and not struct.unpack("!H", frame[20:22])[0] & 0x1fff:
        return "v4", struct.unpack("!H", frame[38:40])[0]
    at = 54
    if kind == b"\x86\xdd" and frame[20] == 44 and not struct.unpack("!H", frame[56:58])[0] & 0xfff8:
        at = 62
    elif kind != b"\x86\xdd" or frame[20] != 58:
        return None
    return ("v6", struct.unpack("!H", frame[at + 4:at + 6])[0]) if frame[at] == 129 else None


def own_address(frame, mac):
    """The machine's IPv4 address, if this frame of it has one."""
    if frame[6:12] != mac:
        return None
    address = frame[26:30] if frame[12:14] == b"\x08\0" else frame[28:32] if frame[12:14] == b"\x08\x06" else None
    return address if address and address != bytes(4) else None


def main(interface, mac, log):
    mac = bytes.fromhex(mac.replace(":", ""))
    wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
    wire.bind((interface, 0))
    own = wire.getsockname()[4]
    own4, target4, number, answers = bytes((10, 50, 0, 1)), None, 0, dict.fromkeys(("v4", "v4-large", "v6", "v6-large"), 0)
    due = said = time.monotonic()

    def send(to, kind, packets):
        for packet in packets:
            try:
                wire.send((to + own + kind + packet).ljust(60, b"\0"))
            except OSError:  # the card's queue is full, or the link is away for a moment
                pass

    while True:
        if select.select([wire], [], [], max(0, due - time.monotonic()))[0]:
            frame = wire.recv(2000)
            if len(frame) >= 60 or frame[12:14] == b"\x08\x06":
                target4 = own_address(frame, mac) or target4
                if frame[12:14] == b"\x86\xdd" and frame[6:12] == mac and frame[54:55] == b"\x87" and frame[62:78] == OWN6:
                    send(mac, b"\x86\xdd", [advertisement(own, frame[22:38])])
                answer = is_answer(frame, mac) if len(frame) >= 42 else None
                if answer:
                    answers[answer[0] + ("-large" if answer[1] > LARGE else "")] += 1
        now = time.monotonic()
        if now < due:
            continue
        due, number = now + EVERY, number + 1
        size = SIZES[number // 4 % len(SIZES)]
        if number % 4 == 0 and target4:
            send(mac, b"\x08\0", echo4(own4, target4, size, number))
        elif number % 4 == 1:
            send(mac, b"\x86\xdd", echo6(OWN6, link_local(mac), size, number))
        elif number % 4 == 2:
            send(b"\xff" * 6, b"\x08\0", echo4(own4, bytes((10, 50, 0, 255)) if number % 8 == 2 else b"\xff" * 4, size, number))
        elif number % 4 == 3:
            send(b"\x33\x33\0\0\0\1", b"\x86\xdd", echo6(OWN6, b"\xff\2" + bytes(13) + b"\1", min(size, 1400), number))
        if now - said > 0.2:
            said = now
            with open(log + ".new", "w", encoding="ascii") as file:
                print(*(f"{name} {count}" for name, count in answers.items()), file=file)
            os.replace(log + ".new", log)


main(*sys.argv[1:])
