#!/usr/bin/env python3
# SPDX-License-Identifier: MPL-2.0
"""A bad cable: carries frames between a tap and QEMU's datagram socket, loses and reorders some on the way.

For kernels without `tc netem`. Usage: relay.py TAP RELAY-SOCKET QEMU-SOCKET LOSS REORDER [SEED]
LOSS and REORDER are shares (0.05 = 5 %), in each direction. A reordered frame is held back until two to six
others have overtaken it, or 20 ms have passed.
"""
import fcntl
import heapq
import os
import random
import select
import socket
import struct
import sys
import time

TUNSETIFF, IFF_TAP, IFF_NO_PI = 0x400454CA, 0x0002, 0x1000
HOLD = 0.02  # seconds


class Direction:
    def __init__(self, send, loss, reorder, seed):
        self.send, self.loss, self.reorder = send, loss, reorder
        self.random = random.Random(seed)
        self.held = []  # (count at which it goes, time at which it goes, number, frame)
        self.count = self.lost = self.late = 0

    def frame(self, data, now):
        self.count += 1
        if self.random.random() < self.loss:
            self.lost += 1
        elif self.random.random() < self.reorder:
            self.late += 1
            heapq.heappush(self.held, (self.count + self.random.randint(2, 6), now + HOLD, self.count, data))
        else:
            self.send(data)
        self.release(now)

    def release(self, now):
        while self.held and (self.held[0][0] <= self.count or self.held[0][1] <= now):
            self.send(heapq.heappop(self.held)[3])


def main(tap, own, peer, loss, reorder, seed="1"):
    fd = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(fd, TUNSETIFF, struct.pack("16sH22x", tap.encode(), IFF_TAP | IFF_NO_PI))
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4 << 20)
    sock.setblocking(False)
    sock.bind(own)

    def to_machine(data):
        try:
            sock.sendto(data, peer)
        except OSError:
            pass  # not there yet, or its queue is full: one more lost frame

    def to_net(data):
        try:
            os.write(fd, data)
        except OSError:
            pass

    down = Direction(to_machine, float(loss), float(reorder), "down" + seed)
    up = Direction(to_net, float(loss), float(reorder), "up" + seed)
    said = 0.0
    while True:
        ready = select.select([fd, sock], [], [], HOLD)[0]
        now = time.monotonic()
        try:
            if fd in ready:
                down.frame(os.read(fd, 65536), now)
            if sock in ready:
                up.frame(sock.recv(65536), now)
        except BlockingIOError:
            pass
        down.release(now)
        up.release(now)
        if now - said > 5:
            said = now
            print(f"to the machine {down.count} frames, {down.lost} lost, {down.late} late; from it {up.count}, {up.lost}, {up.late}", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
