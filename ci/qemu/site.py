#!/usr/bin/env python3
# SPDX-License-Identifier: MPL-2.0
"""A site's web server for the boot table: site.py ADDRESS FOLDER, port 80.

A file answers GET and POST alike, whatever the query says; ranges are served. Each request is a line of the log: method, target, first byte,
and the body of a POST."""
import os
import re
import socketserver
import sys


class Server(socketserver.ThreadingMixIn, socketserver.TCPServer):
    allow_reuse_address = daemon_threads = True


class Request(socketserver.StreamRequestHandler):
    def handle(self):
        while self.one():
            pass

    def one(self):
        """One request of a connection. False: it was the last."""
        line = self.rfile.readline().split()
        if len(line) != 3:
            return False
        method, target = line[0].decode("ascii"), line[1].decode("ascii")
        first, last, length, close = 0, None, 0, False
        for header in iter(self.rfile.readline, b"\r\n"):
            wanted = re.match(rb"(?i)range: *bytes=(\d+)-(\d*)\r\n", header)
            first, last = (int(wanted[1]), int(wanted[2] or -1)) if wanted else (first, last)
            length = int(header.split(b":")[1]) if header.lower().startswith(b"content-length:") else length
            close |= header.lower().replace(b" ", b"").startswith(b"connection:close")
        body = self.rfile.read(length).decode("ascii", "replace")
        print(f"{method} {target} {first} {body}".rstrip(), flush=True)
        try:
            with open(os.path.join(sys.argv[2], target.split("?")[0].lstrip("/")), "rb") as f:
                data = f.read()
        except OSError:
            self.wfile.write(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
            return not close
        if last is None:
            head = b"HTTP/1.1 200 OK\r\n"
        elif first < len(data):
            end = len(data) if last < 0 else min(last + 1, len(data))
            head = b"HTTP/1.1 206 Partial Content\r\nContent-Range: bytes %d-%d/%d\r\n" % (first, end - 1, len(data))
            data = data[first:end]
        else:
            head, data = b"HTTP/1.1 416 Range Not Satisfiable\r\n", b""
        self.wfile.write(head + b"Content-Length: %d\r\n\r\n" % len(data) + data)
        return not close


if __name__ == "__main__":
    with Server((sys.argv[1], 80), Request) as server:
        print("started", flush=True)
        server.serve_forever(poll_interval=0.05)
