# SPDX-License-Identifier: MPL-2.0
"""An emulated machine with UEFI: OVMF on q35, its variables fresh for every row."""
import os
import shutil

import machine

CODE = ["/usr/share/OVMF/OVMF_CODE_4M.fd", "/usr/share/OVMF/OVMF_CODE.fd"]
VARS = ["/usr/share/OVMF/OVMF_VARS_4M.fd", "/usr/share/OVMF/OVMF_VARS.fd"]


def first(paths):
    found = next((p for p in paths if os.path.exists(p)), None)
    if not found:
        raise RuntimeError(f"none of {', '.join(paths)}; run ci/setup")
    return found


class EfiMachine(machine.Machine):
    """`start` is "esp" (the artefact is \\EFI\\BOOT\\BOOTX64.EFI of a disk), "shell" (it is \\signet.efi there, and the firmware's
    shell runs \\startup.nsh) or "uefi-pxe" (the network comes first)."""

    def __init__(self, folder, start, artefact, nic, netdev, memory, extra=()):
        variables = os.path.join(folder, "vars.fd")
        shutil.copyfile(first(VARS), variables)
        more = ["-drive", f"if=pflash,format=raw,readonly=on,file={first(CODE)}", "-drive", f"if=pflash,format=raw,file={variables}"]
        if start != "uefi-pxe":
            shutil.copyfile(artefact, os.path.join(folder, "esp", "EFI/BOOT/BOOTX64.EFI" if start == "esp" else "signet.efi"))
            # A folder that QEMU shows as a FAT disk; what is written goes nowhere.
            more += ["-drive", f"if=none,id=esp,format=raw,readonly=on,file=fat:{folder}/esp", "-device", "virtio-blk-pci,drive=esp,bootindex=0"]
        if start == "shell":
            nic += ",bootindex=-1"
        super().__init__(folder, nic, netdev, memory, "q35", extra=[*more, *extra])
