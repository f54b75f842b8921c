#!/usr/bin/env python3
# SPDX-License-Identifier: MPL-2.0
"""A DHCP server whose every answer a row chooses. Usage: dhcp.py INTERFACE JSON

JSON is a list of answers as table_dhcp.Answer has them; one that is meant for the message's type and port is sent, `late`
seconds afterwards. Prints a line for each message and each answer.
"""
import json
import socket
import struct
import sys
import threading
import time

MAGIC = 0x63825363
REPLY = {1: 2, 3: 5, 8: 5}  # DISCOVER: OFFER; REQUEST, INFORM: ACK


def message_type(data):
    at = 240
    while at + 2 < len(data) and data[at] != 255:
        if data[at] == 53:
            return data[at + 2]
        at += 1 if data[at] == 0 else 2 + data[at + 1]
    return 0


def packet(request, kind, answer):
    head = struct.pack("!BBBB4sHH4s4s4s4s16s64s128sI", 2, 1, 6, 0, request[4:8], 0, 0x8000, bytes(4), socket.inet_aton(answer["yiaddr"]),
                       socket.inet_aton(answer["siaddr"]), bytes(4), request[28:44], b"", answer["file"].encode(), MAGIC)
    options = [(53, bytes([answer["says"] or REPLY[kind]])), (54, socket.inet_aton(answer["server"])),
               *((code, bytes.fromhex(value)) for code, value in answer["options"])]
    return (head + b"".join(bytes([code, len(value)]) + value for code, value in options) + b"\xff").ljust(300, b"\0")


def serve(interface, port, answers):
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, interface.encode())
    s.bind(("", port))
    while True:
        request, peer = s.recvfrom(4096)
        kind = message_type(request)
        print(f"port {port}: message {kind} from {peer[0]}", flush=True)
        to = peer if peer[0] != "0.0.0.0" else ("255.255.255.255", 68)
        for answer in answers:
            if kind in answer["to"] and request[28:34].hex(":").endswith(answer["mac"]):
                threading.Timer(answer["late"], s.sendto, (packet(request, kind, answer), to)).start()


def main():
    answers = json.loads(sys.argv[2])
    for port in {answer["port"] for answer in answers}:
        threading.Thread(target=serve, args=(sys.argv[1], port, [a for a in answers if a["port"] == port]), daemon=True).start()
    while True:
        time.sleep(60)


if __name__ == "__main__":
    main()
