#!/usr/bin/env python3
# SPDX-License-Identifier: MPL-2.0
"""A DHCP server whose every answer a row chooses. Usage: dhcp.py INTERFACE JSON

JSON is a list of answers as table_dhcp.Answer has them; one that is meant for the message's type, port and menu item is sent, `late`
seconds afterwards. Prints a line for each message.
"""
import json
import socket
import struct
import sys
import threading
import time

MAGIC = 0x63825363
IP_PKTINFO = 8  # of Linux; the module of Python 3.11 does not name it
REPLY = {1: 2, 3: 5, 8: 5}  # DISCOVER: OFFER; REQUEST, INFORM: ACK


def options(data):
    """Code: value, of option fields that are not overloaded; the last one counts."""
    at, found = 0, {}
    while at + 2 < len(data) and data[at] != 255:
        if data[at]:
            found[data[at]] = data[at + 2:at + 2 + data[at + 1]]
        at += 2 + data[at + 1] if data[at] else 1
    return found


def message(data):
    """Its type, and the PXE menu's item that it asks for, -1: none."""
    found = options(data[240:])
    item = options(found.get(43, b"")).get(71, b"")
    return found.get(53, b"\0")[0], int.from_bytes(item[:2], "big") if item else -1


def packet(request, kind, answer):
    head = struct.pack("!BBBB4sHH4s4s4s4s16s64s128sI", 2, 1, 6, 0, request[4:8], 0, 0x8000, bytes(4), socket.inet_aton(answer["yiaddr"]),
                       socket.inet_aton(answer["siaddr"]), bytes(4), request[28:44], b"", answer["file"].encode(), MAGIC)
    said = [(53, bytes([answer["says"] or REPLY[kind]])), (54, socket.inet_aton(answer["server"])),
            *((code, bytes.fromhex(value)) for code, value in answer["options"])]
    return (head + b"".join(bytes([code, len(value)]) + value for code, value in said) + b"\xff").ljust(300, b"\0")


def serve(interface, port, answers):
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, interface.encode())
    s.setsockopt(socket.IPPROTO_IP, IP_PKTINFO, 1)
    for group in {answer["group"] for answer in answers if answer["group"]}:
        s.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP,
                     struct.pack("4s4si", socket.inet_aton(group), bytes(4), socket.if_nametoindex(interface)))
    s.bind(("", port))
    while True:
        request, ancillary, _, peer = s.recvmsg(4096, 64)
        kind, item = message(request)
        to = socket.inet_ntoa(ancillary[0][2][8:12])  # struct in_pktinfo: where the datagram was sent
        print(f"port {port}: message {kind} from {peer[0]} to {to} item {item:x}", flush=True)
        back = peer if peer[0] != "0.0.0.0" else ("255.255.255.255", 68)
        for answer in answers:
            if kind in answer["to"] and item == answer["item"] and answer["group"] in ("", to) and request[28:34].hex(":").endswith(answer["mac"]):
                threading.Timer(answer["late"], s.sendto, (packet(request, kind, answer), back)).start()


def main():
    answers = json.loads(sys.argv[2])
    for port in {answer["port"] for answer in answers}:
        threading.Thread(target=serve, args=(sys.argv[1], port, [a for a in answers if a["port"] == port]), daemon=True).start()
    while True:
        time.sleep(60)


if __name__ == "__main__":
    main()
