# SPDX-License-Identifier: MPL-2.0
"""Rows that repeat what others show, on another card, under another firmware or by an emulated machine in place of a process: they run with
`make check-large`. Each names the rows of `make check` that show the same; rows() looks whether they are there."""
from dataclasses import replace

REPEATS = {
    # The client under loss is one machine without I/O, which a process shows as well; a PC shows it by UNDI.
    "loss-netem": ("host-loss-netem", "loss-undi"),
    "loss-relay": ("host-loss-netem", "loss-undi"),
    # Every length by a process, one half by 32-bit firmware, and under UEFI the bits.
    "refused-lengths-too": ("host-refused-lengths-too", "refused-lengths"),
    "efi-refused-lengths": ("host-refused-lengths", "efi-refused-tampered"),
    "efi-refused-lengths-too": ("host-refused-lengths-too", "efi-refused-tampered"),
    "efi-tampered-over-tftp": ("tampered-over-tftp", "efi-refused-tampered"),
    "efi-script-without-anchors": ("script-without-anchors", "efi-no-anchors"),
    # Who answers when is the servers' affair.
    "late-server": ("ping", "efi-ping", "host-late-server"),
    "failover-stopped": ("host-failover-stopped", "failover-unplugged"),
    "server-restarted": ("host-server-restarted", "failover-unplugged"),
    "image-replaced": ("host-image-replaced",),
    "two-images-one-place": ("host-two-images-one-place", "two-images"),
    # One ROM's code for a family of cards; UNDI above ROMs that are alike.
    "i82550": ("i82559c",),
    "i82551": ("i82559c",),
    "i82559er": ("i82559c",),
    "e1000e-undi": ("e1000-undi", "e1000e"),
    "vmxnet3-undi": ("virtio-net-undi", "vmxnet3"),
    "e1000-82545em": ("e1000", "rom-other-card"),
    "q35": ("rom-e1000e",),
    # Seals and protocols are the same code in both firmwares; the cards have rows of their own.
    "efi-two-keys": ("two-keys", "efi-esp-e1000"),
    "efi-stranger": ("stranger", "efi-two-cards"),
    "efi-priority-tags": ("priority-tags", "efi-esp-virtio-net"),
    "efi-pxe-e1000": ("efi-pxe-virtio-net", "efi-over-http"),
    # Our driver's SNP is one for all cards, and sees frames alone.
    "efi-rom-igb": ("efi-rom-snp", "efi-igb"),
    "efi-rom-vmxnet3": ("efi-rom-snp", "efi-vmxnet3"),
    "efi-rom-http": ("efi-rom-snp", "efi-http"),
}


def rows(table):
    """The table, with the repeats in the group `large`."""
    kept = {row.name for row in table if row.group in ("check", "ping", "host")} - set(REPEATS)
    wrong = [name for name in REPEATS if name not in {row.name for row in table}]
    wrong += [other for others in REPEATS.values() for other in others if other not in kept]
    if wrong:
        raise ValueError(f"no such row in `make check`: {', '.join(wrong)}")
    return [replace(row, group="large") if row.name in REPEATS else row for row in table]
