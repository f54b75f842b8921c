#!/usr/bin/env python3
# SPDX-License-Identifier: MPL-2.0
"""An HTTP server with ranges for the boot table, on port 8080: httpd.py [--cut BYTES] [--die] FOLDER

Says for each request what was asked for and how many bytes of the body went out. With --cut the first connection ends after so many
bytes of a body; with --die the server ends with it, so that its port refuses from then on."""
import argparse
import os
import re
import socketserver
import sys


class Server(socketserver.ThreadingMixIn, socketserver.TCPServer):
    allow_reuse_address = daemon_threads = True


class Request(socketserver.StreamRequestHandler):
    def body(self, data):
        """Sends it, and says so. False: it was cut."""
        cut = options.cut is not None and len(data) > options.cut
        data = data[:options.cut] if cut else data
        self.wfile.write(data)
        self.wfile.flush()
        print(f"body {len(data)}", flush=True)
        return not cut

    def handle(self):
        path = self.rfile.readline().split()[1].decode("ascii").lstrip("/")
        wanted = None
        for line in iter(self.rfile.readline, b"\r\n"):
            wanted = re.match(rb"(?i)range: bytes=(\d+)-(\d*)\r\n", line) or wanted
        try:
            with open(os.path.join(options.folder, os.path.basename(path)), "rb") as f:
                data = f.read()
        except OSError:
            self.wfile.write(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
            return
        size, first, last = len(data), 0, len(data) - 1
        head = b"HTTP/1.1 200 OK\r\n"
        if wanted:
            first, last = int(wanted[1]), min(int(wanted[2] or last), last)
            if first > last:
                self.wfile.write(b"HTTP/1.1 416 Range Not Satisfiable\r\nContent-Length: 0\r\n\r\n")
                return
            head = b"HTTP/1.1 206 Partial Content\r\nContent-Range: bytes %d-%d/%d\r\n" % (first, last, size)
        print(f"asked {path} {first} {last}", flush=True)
        self.wfile.write(head + b"Content-Length: %d\r\n\r\n" % (last - first + 1))
        if not self.body(data[first:last + 1]):
            options.cut = None
            if options.die:
                self.server.shutdown()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--cut", type=int)
    parser.add_argument("--die", action="store_true")
    parser.add_argument("folder")
    options = parser.parse_args()
    with Server(("", 8080), Request) as server:
        print("started", flush=True)
        server.serve_forever(poll_interval=0.05)
    sys.exit(0)
