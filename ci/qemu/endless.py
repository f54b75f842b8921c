#!/usr/bin/env python3
# SPDX-License-Identifier: MPL-2.0
"""Servers that never end, for the boot table: HTTP on port 8080 and TFTP on port 69, each file a way of its own.

  HTTP  interim   102 Processing, every tenth of a second        header   one header line that goes on and on
        chunk     a chunk's extension that goes on and on        trickle  a byte of the body every 14 seconds
        loop      a redirect to itself
  TFTP  repeat    block 1 again and again                        trickle  a block of 8 bytes every second
        late      a script, for who asks between 6 and 11 s after the first time
  DNS   is there and says nothing

Anything else is not found. Runs until it is ended."""
import socket
import socketserver
import struct
import threading
import time

OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\n"
HTTP = {  # name -> (what comes at once, what comes again and again, seconds between)
    "interim": (b"", b"HTTP/1.1 102 Processing\r\nX-Still: working\r\n\r\n", 0.1),
    "header": (OK + b"X-Long: ", b"a" * 100, 0.1),
    "chunk": (OK + b"Transfer-Encoding: chunked\r\n\r\n9;name=", b"a" * 100, 0.1),
    "trickle": (OK + b"Content-Length: 1000000\r\n\r\n", b"#", 14),
    "loop": (b"HTTP/1.1 302 Found\r\nLocation: /loop\r\nContent-Length: 0\r\n\r\n", None, 0),
}


class Http(socketserver.StreamRequestHandler):
    def handle(self):
        while True:
            request = self.rfile.readline()
            if not request:
                return
            while self.rfile.readline() not in (b"\r\n", b"\n", b""):
                pass
            name = request.split()[1].decode("ascii", "replace").lstrip("/")
            first, again, pause = HTTP.get(name, (b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", None, 0))
            self.wfile.write(first)
            while again:
                self.wfile.write(again)
                time.sleep(pause)


class Tftp(socketserver.BaseRequestHandler):
    first_asked = None

    def late(self, sock):
        Tftp.first_asked = Tftp.first_asked or time.monotonic()
        waited = time.monotonic() - Tftp.first_asked
        if waited > 11:
            sock.sendto(struct.pack("!HH", 5, 0) + b"you ask too late\0", self.client_address)
        elif waited > 6:
            sock.sendto(struct.pack("!HH", 3, 1) + b"#!ipxe\necho LATE-SCRIPT\n", self.client_address)

    def handle(self):
        data, sock = self.request
        opcode, name = struct.unpack_from("!H", data)[0], data[2:].split(b"\0")[0]
        if opcode != 1:
            return
        if name == b"late":
            self.late(sock)
            return
        if name not in (b"repeat", b"trickle"):
            sock.sendto(struct.pack("!HH", 5, 1) + b"no such file\0", self.client_address)
            return
        number, size = 1, 512 if name == b"repeat" else 8
        if size == 8:
            sock.sendto(struct.pack("!H", 6) + b"blksize\0" b"8\0", self.client_address)
            time.sleep(0.5)
        while True:  # from the port that was asked, so one client at a time
            sock.sendto(struct.pack("!HH", 3, number) + b"#!ipxe\n".ljust(size, b"#"), self.client_address)
            time.sleep(0.1 if name == b"repeat" else 1)
            number += name == b"trickle"


class Threads(socketserver.ThreadingMixIn, socketserver.TCPServer):
    allow_reuse_address = daemon_threads = True


class Datagrams(socketserver.ThreadingMixIn, socketserver.UDPServer):
    daemon_threads = True


if __name__ == "__main__":
    silent = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    silent.bind(("", 53))
    threading.Thread(target=Datagrams(("", 69), Tftp).serve_forever, daemon=True).start()
    Threads(("", 8080), Http).serve_forever()
