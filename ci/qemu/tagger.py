#!/usr/bin/env python3
# SPDX-License-Identifier: MPL-2.0
"""A switch that gives what comes to the machine a priority tag (IEEE 802.1Q with VLAN 0), whatever its size.

Usage: tagger.py NET-TAP MACHINE-TAP [IPV4]    from the machine's first frame to this host on; else from the beginning
Says now and then how many it has tagged, and how many of these had the full length, 1514 bytes without the tag.
"""
import fcntl
import os
import select
import socket
import struct
import sys
import time

TUNSETIFF, IFF_TAP, IFF_NO_PI = 0x400454CA, 0x0002, 0x1000
TAG = struct.pack("!HH", 0x8100, 5 << 13)  # priority 5
FULL = 1514
EVERY = 0.5  # seconds


def opened(tap):
    fd = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(fd, TUNSETIFF, struct.pack("16sH22x", tap.encode(), IFF_TAP | IFF_NO_PI))
    return fd


def target(frame):
    """The IPv4 address that a packet or an ARP request is for."""
    return frame[30:34] if frame[12:14] == b"\x08\0" else frame[38:42]


def main(net, machine, first=None):
    outside, inside = opened(net), opened(machine)
    waits = socket.inet_aton(first) if first else None
    tagged = full = 0
    said = time.monotonic()
    while True:
        for fd in select.select([outside, inside], [], [], EVERY)[0]:
            frame = os.read(fd, 65536)
            try:
                if fd == inside:
                    waits = None if target(frame) == waits else waits
                    os.write(outside, frame)
                elif waits:
                    os.write(inside, frame)
                else:
                    os.write(inside, frame[:12] + TAG + frame[12:])
                    tagged += 1
                    full += len(frame) == FULL
            except OSError:
                pass  # a queue is full, or the machine is gone: one more lost frame
        if time.monotonic() - said > EVERY:
            said = time.monotonic()
            print(f"{tagged} frames tagged, {full} of full size", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
