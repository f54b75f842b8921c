# SPDX-License-Identifier: MPL-2.0
"""The part "rom" of `make bench`: from power-on to the first line on the screen that a network card's ROM shows once it has been started, by turns
with Debian's iPXE on the same card. Much of it is the BIOS's own way there, which is the same for both; how much, its log tells."""
import os
import re
import time

import fixtures
import machine

CARD = "e1000"
ROMS = {"own": (os.path.join(fixtures.TOP, "bin", CARD + ".rom"), r"Signet \d"),
        "peer": (f"/usr/lib/ipxe/qemu/pxe-{CARD}.rom", r"iPXE \d|iPXE initialising")}
POLL = 0.01
LONGEST = 60


def run(name, folder):
    """Seconds until the BIOS starts the ROM's entry, and until its first line."""
    rom, line = ROMS[name]
    guest = machine.Machine(folder, f"{CARD},romfile={rom}", netdev="user,restrict=on", name="-rom")
    entered = None
    try:
        while guest.seconds() < LONGEST:
            if entered is None and "Booting from ROM" in guest.bios_said():
                entered = guest.seconds()
            if re.search(line, guest.screen()):
                return entered or guest.seconds(), guest.seconds()
            time.sleep(POLL)
    finally:
        guest.stop()
        os.unlink(os.path.join(folder, "bios-rom.log"))
    raise SystemExit(f"bench: {rom} shows no first line")


def report(table, folder, runs, say):
    say(f"bench: {runs} starts each from Signet's and Debian's ROM")
    times = {name: [] for name in ROMS}
    for _ in range(runs):
        for name in ROMS:
            times[name].append(run(name, folder))
    own, peer = (min(total for _, total in times[name]) for name in ("own", "peer"))
    table.row("power-on to the first line, from the ROM", f"{own:.2f} s", f"{peer:.2f} s", f"{own / peer:.2f}x", "<= 0.5x", own <= 0.5 * peer)
    own, peer = (min(total - entered for entered, total in times[name]) for name in ("own", "peer"))
    table.row("  of that, from the entry of the ROM on", f"{own:.2f} s", f"{peer:.2f} s", f"{own / peer:.2f}x" if peer else "")
