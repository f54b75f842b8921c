# SPDX-License-Identifier: MPL-2.0
"""An emulated machine with UEFI: OVMF on q35, its variables fresh for every row."""
import os
import shutil

import machine

ARM64 = ["/usr/share/AAVMF/AAVMF_CODE.fd", "/usr/share/AAVMF/AAVMF_VARS.fd"]
CODE = ["/usr/share/OVMF/OVMF_CODE_4M.fd", "/usr/share/OVMF/OVMF_CODE.fd"]
VARS = ["/usr/share/OVMF/OVMF_VARS_4M.fd", "/usr/share/OVMF/OVMF_VARS.fd"]


def first(paths):
    found = next((p for p in paths if os.path.exists(p)), None)
    if not found:
        raise RuntimeError(f"none of {', '.join(paths)}; run ci/setup")
    return found


class EfiMachine(machine.Machine):
    """`start` is "esp" (the artefact is \\EFI\\BOOT\\BOOTX64.EFI of a disk), "shell" (it is \\signet.efi there, and the firmware's
    shell runs \\startup.nsh) or "uefi-pxe" (the network comes first); "esp-arm64" is "esp" on
    an arm64 machine with AAVMF."""

    def __init__(self, folder, start, artefact, nic, netdev, memory, extra=()):
        arm64 = start == "esp-arm64"
        code, variables = ARM64 if arm64 else (first(CODE), first(VARS))
        mine = os.path.join(folder, "vars.fd")
        shutil.copyfile(variables, mine)
        more = ["-drive", f"if=pflash,format=raw,readonly=on,file={code}", "-drive", f"if=pflash,format=raw,file={mine}"]
        if start != "uefi-pxe":
            name = {"esp": "EFI/BOOT/BOOTX64.EFI", "esp-arm64": "EFI/BOOT/BOOTAA64.EFI", "shell": "signet.efi"}[start]
            shutil.copyfile(artefact, os.path.join(folder, "esp", name))
            # A folder that QEMU shows as a FAT disk; what is written goes nowhere.
            more += ["-drive", f"if=none,id=esp,format=raw,readonly=on,file=fat:{folder}/esp", "-device", "virtio-blk-pci,drive=esp,bootindex=0"]
        if start == "shell":
            nic += ",bootindex=-1"
        if arm64:
            console = os.path.join(folder, "console.log")
            self.start(["qemu-system-aarch64", "-accel", "tcg", "-machine", "virt", "-cpu", "max,pauth-impdef=on", "-m", str(memory),
                        "-display", "none", "-no-reboot", "-nodefaults", "-serial", f"file:{console}", "-netdev", f"{netdev},id=n0",
                        "-device", f"{nic},netdev=n0,mac=52:54:00:50:32:01", *more, *extra], folder, "")
            return
        super().__init__(folder, nic, netdev, memory, "q35", extra=[*more, *extra])
