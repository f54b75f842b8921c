# SPDX-License-Identifier: MPL-2.0
"""An emulated machine with UEFI: OVMF on q35, its variables fresh for every row."""
import lzma
import os
import re
import shutil
import subprocess
import uuid

import fixtures
import machine

SNAKEOIL = "/usr/share/ovmf/PkKek-1-snakeoil"  # .key and .pem, enrolled in the variables below; the pass phrase is "snakeoil"
SECURE = ["/usr/share/OVMF/OVMF_CODE_4M.secboot.fd", "/usr/share/OVMF/OVMF_VARS_4M.snakeoil.fd"]
ARM64 = ["/usr/share/AAVMF/AAVMF_CODE.fd", "/usr/share/AAVMF/AAVMF_VARS.fd"]
CODE = ["/usr/share/OVMF/OVMF_CODE_4M.fd", "/usr/share/OVMF/OVMF_CODE.fd"]
VARS = ["/usr/share/OVMF/OVMF_VARS_4M.fd", "/usr/share/OVMF/OVMF_VARS.fd"]


def first(paths):
    found = next((p for p in paths if os.path.exists(p)), None)
    if not found:
        raise RuntimeError(f"none of {', '.join(paths)}; run ci/setup")
    return found


def sign(folder, path):
    key = os.path.join(folder, "sb.key")
    for command in (["openssl", "pkey", "-in", SNAKEOIL + ".key", "-passin", "pass:snakeoil", "-out", key],
                    ["sbsign", "--key", key, "--cert", SNAKEOIL + ".pem", "--output", path, path]):
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode != 0:
            raise RuntimeError(f"{command[0]}: {done.stderr.strip()}")


def shell(code):
    """The shell inside OVMF, as a program of its own: the PE section of its file in the compressed volume (Platform
    Initialization specification, volume 3)."""
    packed = uuid.UUID("EE4E5898-3914-4259-9D6E-DC7BD79403CF").bytes_le  # a section of LZMA
    name = re.escape(uuid.UUID("7C04A583-9E3E-4F1C-AD65-E05268D0B4D1").bytes_le)
    with open(code, "rb") as f:
        flash = f.read()
    start = flash.index(packed) + 20  # behind the GUID, two 16-bit fields: here the data begins
    volume = lzma.LZMADecompressor(lzma.FORMAT_ALONE).decompress(flash[start:])
    found = re.search(name + b"..\x09.....(...)\x10", volume, re.S)  # file header of an application, section header of a PE
    if not found:
        raise RuntimeError(f"{code} has no shell inside")
    return volume[found.end():found.start(1) + int.from_bytes(found.group(1), "little")]


class EfiMachine(machine.Machine):
    """`start` is "esp" (the artefact is \\EFI\\BOOT\\BOOTX64.EFI of a disk), "shell" (it is \\signet.efi there, and the firmware's
    shell runs \\startup.nsh; "esp-shell": the shell is \\EFI\\BOOT\\BOOTX64.EFI, so that the machine goes on to its next boot option
    when it ends) or "uefi-pxe", "uefi-pxe6" and "uefi-http" (the network comes first); "esp-arm64" is "esp" on an arm64 machine with
    AAVMF; "esp-install" is "esp" in a machine that may restart, with nothing but the firmware's own boot order. "secure" is "esp"
    with Secure Boot and the artefact signed, "secure-unsigned" the same with it unsigned, "secure-kernel" with the kernel
    itself in its place. "usb" and "usb-arm64" start from the stick in `extra`."""

    def __init__(self, folder, start, artefact, nic, netdev, memory, extra=(), **options):
        arm64, secure = start.endswith("-arm64"), start.startswith("secure")
        code, variables = ARM64 if arm64 else SECURE if secure else (first(CODE), first(VARS))
        mine = os.path.join(folder, "vars.fd")
        shutil.copyfile(variables, mine)
        more = ["-drive", f"if=pflash,format=raw,readonly=on,file={code}", "-drive", f"if=pflash,format=raw,file={mine}"]
        more += ["-device", "virtio-rng-pci"]  # OVMF from 2024 on offers no network boot without a source of random numbers
        if not start.startswith(("uefi-", "usb")):
            name = {"esp-arm64": "EFI/BOOT/BOOTAA64.EFI", "shell": "signet.efi", "esp-shell": "signet.efi"}.get(start, "EFI/BOOT/BOOTX64.EFI")
            shutil.copyfile(artefact, os.path.join(folder, "esp", name))
            if start == "secure-kernel":
                shutil.copyfile(os.path.join(fixtures.PAYLOAD, "vmlinuz"), os.path.join(folder, "esp", name))
            if start == "esp-shell":
                fixtures.payload.write(os.path.join(folder, "esp/EFI/BOOT/BOOTX64.EFI"), shell(code))
            if start == "secure":
                sign(folder, os.path.join(folder, "esp", name))
            # A folder that QEMU shows as a FAT disk; what is written goes nowhere.
            order = "" if start == "esp-install" else ",bootindex=0"
            more += ["-drive", f"if=none,id=esp,format=raw,readonly=on,file=fat:{folder}/esp", "-device", "virtio-blk-pci,drive=esp" + order]
        if start in ("uefi-http", "uefi-pxe6"):  # spares the minutes that the others wait; OVMF knows these from edk2-stable202208 on
            for protocol in ("IPv4", "IPv6") if start == "uefi-http" else ("IPv4",):
                more += ["-fw_cfg", f"name=opt/org.tianocore/{protocol}PXESupport,string=n"]
        if start in ("shell", "esp-install"):
            nic += ",bootindex=-1"
        if arm64:
            console = os.path.join(folder, "console.log")
            self.start(["qemu-system-aarch64", "-accel", "tcg", "-machine", "virt", "-cpu", "max,pauth-impdef=on",
                        "-smp", str(options.get("processors", 1)), "-m", str(memory), "-display", "none", "-no-reboot", "-nodefaults",
                        "-serial", f"file:{console}", "-netdev", f"{netdev},id=n0",
                        "-device", f"{nic},netdev=n0,mac=52:54:00:50:32:01", *more, *extra], folder, "")
            return
        if secure:
            more += ["-global", "driver=cfi.pflash01,property=secure,value=on", "-global", "ICH9-LPC.disable_s3=1"]
        super().__init__(folder, nic, netdev, memory, "q35,smm=on" if secure else "q35", extra=[*more, *extra],
                         restarts=start == "esp-install", **options)
