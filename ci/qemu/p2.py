# SPDX-License-Identifier: MPL-2.0
"""The native protocol's messages and a server, written from doc/phase2-protocol.md alone.

A second implementation on purpose: it shares no line with the C code. It serves any bytes as an image, so
that broken images reach the firmware (`signet bootserver` refuses them), and it can be told to lie:

  p2.py [--listen ADDR] [--interface IF] [--lie KIND]... NAME=FILE[,SEAL[,LIST]]...

SEAL and LIST are the lengths of seal and list inside the file where the file's own head tells them wrongly
(forge.py writes such a file's lengths beside it, FILE.layout).

Lies (each may be given, together they are the hostile server of the issue):
  data     every DATA has a bit wrong
  reset    every second READ is answered by RESET, and so is every HELLO, besides its OFFER
  offer    besides the true OFFER, ones with another image id and absurd lengths
  spoof    what arrives by multicast is also answered with DATA, RESET, OFFER and ERROR that claim to come from
           the server --spoof-from, with the nonce that was seen and with invented ones
  error    every fourth READ is answered with ERROR "no such image"
"""
import argparse
import hashlib
import os
import random
import select
import socket
import struct
import sys

PORT = 20530
GROUP4, GROUP6 = "239.255.80.50", "ff02::5032"
HELLO, OFFER, READ, DATA, FINISHED, FINISHED_ACK, ERROR, RESET = range(1, 9)
SEAL, LIST, PAYLOAD = range(3)
LIST_PIECE = 1 << 20
BLOCK_MAX, BLOCK_LARGE = 1408, 8192
HEAD = struct.Struct("<4sBBH8s")
HELLO_BODY = struct.Struct("<8s64s6sH16s16s32sH94s")
HELLO_ZERO = bytes(94)
OFFER_BODY = struct.Struct("<16s32sIIQHHI8s8s16sH6x32s")
READ_BODY = struct.Struct("<16s8sQIHHHBBI")
RANGE = struct.Struct("<QI")
DATA_BODY = struct.Struct("<8sQBxHI")
FINISHED_BODY = struct.Struct("<16s8sQIIIIB7x8s88s")
ERROR_BODY = struct.Struct("<8sH6x24s")


def message(kind, nonce, body=b""):
    return HEAD.pack(b"SgP2", 1, kind, 0, nonce) + body


def text(field):
    return field.split(b"\0", 1)[0].decode("ascii", "replace")


class Served:
    """A file, cut where its head says, or where `layout` says when the head lies."""

    def __init__(self, data, layout=None):
        if layout:
            seal_size, list_size = layout
        else:
            body_size, = struct.unpack_from("<I", data, 12)
            chunks, = struct.unpack_from("<I", data, 20)
            table_size, = struct.unpack_from("<I", data, 64 + body_size + 8)
            seal_size, list_size = 64 + body_size + table_size, chunks * 32
        self.seal = data[:seal_size]
        self.list = data[seal_size:seal_size + list_size]
        self.payload = data[-(-(seal_size + list_size) // 4096) * 4096:]
        body_size, chunk_size = struct.unpack_from("<II", data, 12)
        self.chunk_size = chunk_size if 4096 <= chunk_size <= 4 << 20 and chunk_size & (chunk_size - 1) == 0 else 256 * 1024
        body_size = min(body_size, len(self.seal) - 64)  # a lying head names no more than there is
        self.id = hashlib.sha256(b"signet phase-2 seal v1\0" + self.seal[:64 + body_size]).digest()

    def space(self, number):
        """(bytes, piece size): no block crosses a piece."""
        return ((self.seal, max(len(self.seal), 1)), (self.list, LIST_PIECE), (self.payload, self.chunk_size))[number]


class Server:
    def __init__(self, images, lies=(), spoof_from=None, log=sys.stderr, old=False):
        self.images, self.lies, self.spoof_from, self.log = images, set(lies), spoof_from, log
        self.old = old  # as a server of 0.1, which knows nothing of larger blocks
        self.by_tag = {image.id[:8]: image for image in images.values()}
        self.by_nonce = {}  # what a client was offered: broken images of one test may share their id
        self.secret, self.instance = os.urandom(32), os.urandom(8)
        self.random = random.Random(1)
        self.reads = self.sent = 0

    def say(self, what):
        print(what, file=self.log, flush=True)

    def cookie(self, peer, block):
        """Good for blocks of so many bytes, which stand in front."""
        return struct.pack("<H", block) + hashlib.sha256(self.secret + repr((peer[:2], block)).encode()).digest()[:14]

    def offer(self, nonce, peer, image, image_id=None, payload=None, seal=None, block=BLOCK_MAX):
        return message(OFFER, nonce, OFFER_BODY.pack(
            self.cookie(peer, block), image_id or image.id, len(image.seal) if seal is None else seal, len(image.list),
            len(image.payload) if payload is None else payload, block, 512, 0, self.instance, bytes(8), bytes(16), 0, b"p2.py"))

    def data(self, nonce, image, space, offset, block, stamp):
        if "data" in self.lies:
            block = bytearray(block)
            block[self.random.randrange(len(block))] ^= 1 << self.random.randrange(8)
        return message(DATA, nonce, DATA_BODY.pack(image.id[:8], offset, space, stamp, 0) + bytes(block))

    def answer(self, datagram, peer):
        """What goes back to the sender, message by message."""
        if len(datagram) < HEAD.size:
            return
        magic, version, kind, zero, nonce = HEAD.unpack_from(datagram)
        if magic != b"SgP2" or version != 1 or zero:
            return
        body = datagram[HEAD.size:]
        if kind == HELLO and len(datagram) == 256:
            yield from self.on_hello(nonce, peer, *HELLO_BODY.unpack(body))
        elif kind == READ and len(body) >= READ_BODY.size:
            yield from self.on_read(nonce, peer, body)
        elif kind == FINISHED and len(body) == FINISHED_BODY.size:
            fields = FINISHED_BODY.unpack(body)
            self.say(f"FINISHED from {peer[0]} outcome={fields[7]} code={text(fields[8])} text={text(fields[9])}")
            yield message(FINISHED_ACK, nonce, bytes(8))

    def on_hello(self, nonce, peer, tag, name, mac, window, uuid, arch, version, wanted, zero):
        if zero != HELLO_ZERO or (self.old and wanted):
            return  # malformed
        block = max(BLOCK_MAX, min(wanted, BLOCK_LARGE)) if peer[0] == "::1" or peer[0].startswith("127.") else BLOCK_MAX
        image = self.by_tag.get(tag) if any(tag) else None
        image = image or self.images.get(text(name)) or (next(iter(self.images.values())) if not text(name) else None)
        self.say(f"HELLO from {peer[0]} name={text(name)!r} tag={tag.hex()} arch={text(arch)} version={text(version)}"
                 f"{'' if image else ': no such image'}")
        if not image:
            yield message(ERROR, nonce, ERROR_BODY.pack(tag, 1, b"no such image"))
            return
        if "offer" in self.lies:
            yield self.offer(nonce, peer, image, image_id=os.urandom(32))
            yield self.offer(nonce, peer, image, payload=1 << 63)
            yield self.offer(nonce, peer, image, seal=1 << 31)
        if "reset" in self.lies:
            yield message(RESET, nonce, struct.pack("<HHI", 1, 0, 0))
        self.by_nonce[nonce] = image
        yield self.offer(nonce, peer, image, block=block)

    def on_read(self, nonce, peer, body):
        cookie, tag, _, _, stamp, block_size, flags, space, count, zero = READ_BODY.unpack_from(body)
        ranges = [RANGE.unpack_from(body, at) for at in range(READ_BODY.size, len(body) - RANGE.size + 1, RANGE.size)]
        largest = BLOCK_MAX if self.old else BLOCK_LARGE
        if (stamp == 0 or not 448 <= block_size <= largest or flags & ~1 or space > PAYLOAD or zero or not 1 <= count <= 64 or
                len(body) != READ_BODY.size + count * RANGE.size or
                any(not length or offset + length >= 1 << 64 for offset, length in ranges)):
            return  # malformed
        self.reads += 1
        offered, = struct.unpack_from("<H", cookie)
        if cookie != self.cookie(peer, offered) or ("reset" in self.lies and self.reads % 2):
            yield message(RESET, nonce, struct.pack("<HHI", 1, 0, 0))
            if cookie != self.cookie(peer, offered):
                return
        image = self.by_nonce.get(nonce)
        if not image or image.id[:8] != tag:
            image = self.by_tag.get(tag)
        if not image or ("error" in self.lies and self.reads % 4 == 0):
            yield message(ERROR, nonce, ERROR_BODY.pack(tag, 2, b"not held here"))
            return
        whole, piece = image.space(space)
        if block_size > offered or any(offset + length > len(whole) for offset, length in ranges):
            yield message(ERROR, nonce, ERROR_BODY.pack(tag, 3, b"outside the image"))
            return
        for offset, length in ranges:
            end = offset + length
            while offset < end:  # steps of the block size from the range's start; a piece begins a new block
                take = min(block_size, piece - offset % piece, end - offset)
                yield self.data(nonce, image, space, offset, whole[offset:offset + take], stamp)
                self.sent += take
                offset += take

    def spoofs(self, datagram, peer):
        """What an attacker who hears the multicast sends in the honest server's name."""
        if "spoof" not in self.lies or len(datagram) != 256:
            return
        image = next(iter(self.images.values()))
        seen = datagram[8:16]
        for nonce in (seen, os.urandom(8), bytes(8)):
            yield message(RESET, nonce, struct.pack("<HHI", 1, 0, 0))
            yield message(ERROR, nonce, ERROR_BODY.pack(image.id[:8], 2, b"gone"))
            yield self.offer(nonce, peer, image, image_id=os.urandom(32))
            for space in (SEAL, LIST, PAYLOAD):
                yield message(DATA, nonce, DATA_BODY.pack(image.id[:8], 0, space, 0, 0) + os.urandom(min(512, len(image.space(space)[0]))))


def raw_udp(source, peer, payload):
    """An IPv4 + UDP datagram with a source of the caller's choice (RFC 791, RFC 768; no UDP checksum)."""
    udp = struct.pack(">HHHH", PORT, peer[1], 8 + len(payload), 0) + payload
    return struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), 0, 0, 64, 17, 0, socket.inet_aton(source), socket.inet_aton(peer[0])) + udp


def open_sockets(listen, interface, port=PORT):
    v4 = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    v4.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    v4.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
    v4.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4 << 20)
    v4.bind((listen, port))
    index = socket.if_nametoindex(interface) if interface else 0
    sockets = [v4]
    try:
        v4.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, struct.pack("=4s4si", socket.inet_aton(GROUP4), bytes(4), index))
    except OSError:
        pass  # a host without a multicast route; unicast and broadcast still work
    if listen == "0.0.0.0":
        v6 = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
        v6.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        v6.bind(("::", v4.getsockname()[1]))
        v6.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP, socket.inet_pton(socket.AF_INET6, GROUP6) + struct.pack("=i", index))
        sockets.append(v6)
    return sockets


def load(argument):
    name, path = argument.split("=", 1)
    path, *sizes = path.split(",")
    with open(path, "rb") as f:
        data = f.read()
    if not sizes and os.path.exists(path + ".layout"):
        with open(path + ".layout", encoding="ascii") as f:
            sizes = f.read().split()
    return name, Served(data, tuple(int(s) for s in sizes) if sizes else None)


def main():
    parser = argparse.ArgumentParser(description="a test server of the native protocol")
    parser.add_argument("--listen", default="0.0.0.0")
    parser.add_argument("--port", type=int, default=PORT, help="0 takes a free one")
    parser.add_argument("--interface")
    parser.add_argument("--lie", action="append", default=[], choices=["data", "reset", "offer", "spoof", "error"])
    parser.add_argument("--spoof-from")
    parser.add_argument("--old", action="store_true", help="as a server of 0.1: a HELLO that asks for larger blocks is malformed")
    parser.add_argument("images", nargs="+", metavar="NAME=FILE")
    options = parser.parse_args()
    server = Server(dict(load(i) for i in options.images), options.lie, options.spoof_from, old=options.old)
    sockets = open_sockets(options.listen, options.interface, options.port)
    raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW) if options.spoof_from else None
    server.say(f"serving {', '.join(server.images)} port={sockets[0].getsockname()[1]}")
    while True:
        for sock in select.select(sockets, [], [])[0]:
            datagram, peer = sock.recvfrom(65536)
            if raw and sock.family == socket.AF_INET:
                for reply in server.spoofs(datagram, peer):
                    raw.sendto(raw_udp(options.spoof_from, peer, reply), (peer[0], 0))
            for reply in server.answer(datagram, peer):
                sock.sendto(reply, peer)


if __name__ == "__main__":
    main()
