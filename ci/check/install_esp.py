# SPDX-License-Identifier: MPL-2.0
"""The rows of ci/check/install about EFI system partitions. A folder stands for the mounted partition (--force: it is no FAT);
the system around it (/sys, a disk, efibootmgr) is made up in a mount namespace. With a real FAT, a real disk and a real
efibootmgr it runs in the row efi-install of the boot table."""
import json
import os
import re
import shutil
import struct
import subprocess
import textwrap

import install_base as base

ESP_TYPE = bytes.fromhex("28732ac11ff8d211ba4b00a0c93ec93b")
GUID = "01010101-0101-0101-0101-010101010101"  # of the first partition of base.gpt_disk
HERE = ("--esp-path", "esp", "--force")


def artefacts(d):
    """Two versions for x64, one for arm64, and a folder that stands for the partition, with other systems on it."""
    for name, artefact in (("one.efi", "ipxe.efi"), ("two.efi", "ipxe.efi"), ("three.efi", "ipxe.efi"), ("arm.efi", "ipxe-arm64.efi")):
        with open(os.path.join(d, "script"), "w", encoding="ascii") as f:
            f.write(f"#!ipxe\n# {name}\n")
        subprocess.run([base.SIGNET, "embed", "--trust", base.key(), "--script", "script", os.path.join(base.TOP, "bin", artefact), "-o", name],
                       cwd=d, check=True, capture_output=True)
    for name in ("EFI/BOOT/BOOTX64.EFI", "EFI/debian/grubx64.efi"):
        os.makedirs(os.path.join(d, "esp", os.path.dirname(name)), exist_ok=True)
        with open(os.path.join(d, "esp", name), "w", encoding="ascii") as f:
            f.write(f"another system's {name}")


def tree(d, top="esp"):
    found = {}
    for folder, _, names in os.walk(os.path.join(d, top)):
        for name in names:
            path = os.path.join(folder, name)
            found[os.path.relpath(path, os.path.join(d, top))] = base.digest(path)
    return found


def same(d, name, file):
    base.check(tree(d).get(name) == base.digest(os.path.join(d, file)), f"{name} is not {file}: {sorted(tree(d))}")


def facts(d, *args):
    return json.loads(base.install("status", "--json", *args, cwd=d).stdout)["disks"][0]


@base.row
def esp_life(d):
    artefacts(d)
    before = tree(d)
    base.check(facts(d, "--esp-path", "esp")["place"] == "none", "a foreign ESP")
    for i, name in enumerate(("one.efi", "two.efi", "three.efi")):
        base.install(*HERE, "--image", name, "--dry-run", cwd=d)
        was = tree(d)
        out = base.install(*HERE, "--image", name, cwd=d).stdout
        base.check(out == "esp: installed (EFI/signet/ipxe.efi)\n", out)
        same(d, "EFI/signet/ipxe.efi", name)
        if i:
            same(d, "EFI/signet/ipxe.efi.old", ("one.efi", "two.efi")[i - 1])
        out = base.install(*HERE, "--image", name, cwd=d).stdout
        base.check("up to date" in out, out)
        base.install("verify", "--esp-path", "esp", "--image", name, cwd=d)
        base.check(len(tree(d)) == len(was) + (i < 2), f"what is left: {sorted(tree(d))}")
    found = facts(d, "--esp-path", "esp")
    base.check(found["place"] == "esp" and found["x64"] == "good" and found["x64_sha256"] == base.digest(os.path.join(d, "three.efi")), str(found))
    base.check(re.fullmatch(r"\d+\.\d+\.\d+ \(\w+\+?\)", found["x64_version"]) and found["x64_previous"] == found["x64_version"], str(found))
    # The other machine's beside it; a version that was left half-written by a machine that lost its power.
    base.install(*HERE, "--image", "arm.efi", cwd=d)
    same(d, "EFI/signet/ipxe-arm64.efi", "arm.efi")
    base.write(d, "esp/EFI/signet/ipxe.efi.new", b"half of it")
    base.install(*HERE, "--image", "one.efi", cwd=d)
    same(d, "EFI/signet/ipxe.efi", "one.efi")
    base.install("remove", *HERE, "--dry-run", cwd=d)
    base.install("remove", *HERE, cwd=d)
    base.check(tree(d) == before, f"remove leaves {sorted(tree(d))}")
    base.refuses("remove", *HERE, cwd=d, says="esp: holds no Signet")
    base.refuses("verify", "--esp-path", "esp", cwd=d, says="esp: holds no Signet")


@base.row
def esp_removable(d):
    artefacts(d)
    before = tree(d)
    for name in ("one.efi", "two.efi"):
        base.install(*HERE, "--removable", "--image", name, cwd=d)
        same(d, "EFI/BOOT/BOOTX64.EFI", name)
        base.check(tree(d)["EFI/BOOT/BOOTX64.EFI.saved"] == before["EFI/BOOT/BOOTX64.EFI"], "the other system's file is not kept")
    base.install(*HERE, "--removable", "--image", "arm.efi", cwd=d)
    found = facts(d, "--esp-path", "esp")
    base.check(found["removable_x64_saved"] == "something else" and found["removable_arm64"] == "good", str(found))
    base.check("removable_x64_boot_entry" not in found, str(found))
    base.install("remove", *HERE, cwd=d)
    base.check(tree(d) == before, f"remove leaves {sorted(tree(d))}")
    # A removal and an install that a power cut has ended half-way.
    shutil.copy(os.path.join(d, "one.efi"), os.path.join(d, "esp/EFI/BOOT/BOOTX64.EFI.saved"))
    os.mkdir(os.path.join(d, "esp/EFI/signet"))
    base.write(d, "esp/EFI/signet/ipxe.efi.new", b"half of it")
    base.install("remove", *HERE, cwd=d)
    base.check(tree(d) == before and not os.path.exists(os.path.join(d, "esp/EFI/signet")), f"remove leaves {sorted(tree(d))}")
    shutil.rmtree(os.path.join(d, "esp"))
    os.mkdir(os.path.join(d, "esp"))
    base.install(*HERE, "--removable", "--image", "one.efi", cwd=d)
    base.install("remove", *HERE, cwd=d)
    base.check(os.listdir(os.path.join(d, "esp")) == [], "an empty ESP is not empty again")


@base.row
def esp_damage_is_found(d):
    artefacts(d)
    shutil.copytree(os.path.join(d, "esp"), os.path.join(d, "mirror"))
    both = ("--esp-path", "esp", "--esp-path", "mirror")
    base.install(*both, "--force", "--image", "one.efi", cwd=d)
    base.install("verify", *both, cwd=d)
    for at in (0x400, 100000, os.path.getsize(os.path.join(d, "one.efi")) - 5000):
        byte = base.peek(d, "mirror/EFI/signet/ipxe.efi", at, 1)[0]
        base.poke(d, "mirror/EFI/signet/ipxe.efi", at, bytes([byte ^ 4]))
        done = base.install("verify", *both, cwd=d, status=1)
        base.check("mirror: EFI/signet/ipxe.efi is damaged" in done.stderr and "is another one than on esp" in done.stderr, done.stderr)
        base.poke(d, "mirror/EFI/signet/ipxe.efi", at, bytes([byte]))
    base.install("--esp-path", "mirror", "--force", "--image", "two.efi", cwd=d)
    base.check("is another one than on esp" in base.install("verify", *both, cwd=d, status=1).stderr, "two versions")
    done = base.install("verify", "--esp-path", "esp", "--image", "two.efi", cwd=d, status=1)
    base.check("EFI/signet/ipxe.efi is not two.efi" in done.stderr, done.stderr)
    # A damaged file, if it is damaged beyond recognition, does not take the place of the version before it.
    base.install(*HERE, "--image", "two.efi", cwd=d)
    for at in (100000, 0):
        base.poke(d, "esp/EFI/signet/ipxe.efi", at, b"damage")
        base.check("is damaged" in base.install("verify", "--esp-path", "esp", cwd=d, status=1).stderr, "damage")
        base.install(*HERE, "--image", "two.efi", cwd=d)
        same(d, "EFI/signet/ipxe.efi", "two.efi")
        same(d, "EFI/signet/ipxe.efi.old", "one.efi")


@base.row
def esp_no_anchors(d):
    artefacts(d)
    subprocess.run([base.SIGNET, "embed", "--clear", os.path.join(base.TOP, "bin/ipxe.efi"), "-o", "bare.efi"], cwd=d, check=True,
                   capture_output=True)
    bare, says = (*HERE, "--no-nvram", "--image", "bare.efi"), "holds no trust anchor and boots nothing"
    base.refuses(*bare, cwd=d, says="bare.efi: " + says)
    base.refuses(*bare, "--removable", cwd=d, says="bare.efi: " + says)
    base.install(*bare, "--no-anchors", cwd=d)
    base.refuses("verify", "--esp-path", "esp", cwd=d, says="esp: " + says)
    base.refuses("verify", "--esp-path", "esp", "--image", "bare.efi", cwd=d, says="bare.efi: " + says)
    base.install("verify", "--esp-path", "esp", "--no-anchors", cwd=d)
    base.install(*HERE, "--no-nvram", "--image", "one.efi", cwd=d)
    base.install("verify", "--esp-path", "esp", cwd=d)


@base.row
def esp_refusals(d):
    artefacts(d)
    base.gpt_disk(d, [(ESP_TYPE, 2048, 60000)], name="disk.img")
    base.gpt_disk(d, [(base.LINUX, 2048, 60000)], name="other.img")
    base.mbr_disk(d, kind=0xEF, name="mbr.img")
    base.bits(d)
    with open(os.path.join(d, "two.efi"), "rb") as f:
        data = bytearray(f.read())
    data[5000] ^= 1
    base.write(d, "damaged.efi", data)
    base.write(d, "cut.efi", data[:3000])
    removable = ("--removable", "--image", "one.efi")
    base.refuses("--esp-path", "esp", *removable, cwd=d, says="esp: is not on a FAT file system")
    base.refuses("--esp-path", "esp", *removable, "--dry-run", cwd=d, says="esp: is not on a FAT file system")
    base.refuses("remove", "--esp-path", "esp", cwd=d, says="esp: is not on a FAT file system")
    base.refuses("--esp-path", "none", *removable, cwd=d, says="none: No such file")
    base.refuses("--esp-path", "one.efi", "--force", *removable, cwd=d, says="one.efi: Not a directory")
    for disk in ("disk.img", "mbr.img"):
        base.refuses("--esp", "--disk", disk, *removable, cwd=d, says=f"{disk}: is an image file: attach it .*mount partition 1,")
    base.refuses("--esp", "--disk", "other.img", *removable, cwd=d, says="other.img: has no EFI system partition")
    base.check(facts(d, "--disk", "disk.img")["esp"] == "not mounted" and "esp" not in facts(d, "--disk", "other.img"), "status of disks")
    for name, says in (("bootarea.bin", "is none of Signet's UEFI applications"), ("cut.efi", "is none of Signet's"), ("damaged.efi", "is damaged"),
                       ("absent.efi", "No such file")):
        base.refuses(*HERE, "--removable", "--image", name, cwd=d, says=f"{name}: {says}")
    one = ("--image", "one.efi")
    for args in (["--esp"], ["--esp", "--disk", "x"], ["--esp-path", "esp", "--gap", *one], [*HERE, "--slot", "a", *one], [*HERE, "--refresh"],
                 ["status", "--esp-path", "esp", *one], ["--gap", "--disk", "x", "--removable", "--image", "bootarea.bin"],
                 ["remove", "--esp-path", "esp", "--removable"], ["verify", "--esp-path", "esp", "--dry-run"], [*HERE, "--json", *one]):
        base.refuses(*args, cwd=d, says=r"^signet install: .*\(see signet install --help\)", status=2)


# ---- a system around it -----------------------------------------------------------------------------------

# What efibootmgr does with the entries in the file `entries`, and prints as version 17 or 18 does.
EFIBOOTMGR = """\
#!/bin/sh
echo "$@" >>$ROW/calls
[ ! -e $ROW/broken ] || { echo "EFI variables are not supported on this system." >&2; exit 2; }
case "$1" in
-v) ;;
--create)
    [ "$2 $4 $6 $8" = "--disk --part --label --loader" ] || exit 1
    file="File($9)"
    [ ! -e $ROW/version18 ] || file=$9
    n=$(printf %04X $(wc -l <$ROW/entries)) guid=""" + GUID + """
    [ "$3" = /dev/vda ] || guid=""" + GUID.replace("01", "03") + """
    printf 'Boot%s* %s\\tHD(%s,GPT,%s,0x800,0xe261)/%s\\n' "$n" "$7" "$5" "$guid" "$file" >>$ROW/entries
    echo "$3" >$ROW/entry-disk ;;
--bootnum) sed -i "/^Boot$2/d" $ROW/entries ;;
*) exit 1 ;;
esac
echo "BootCurrent: 0001"
cat $ROW/entries
"""


def system(d, script, member=False):
    """Runs a shell script where / has a made-up /sys and /dev/vda, whose first partition is mounted at $ROW/esp (32 blocks of 32 KiB)."""
    artefacts(d)
    base.gpt_disk(d, [(ESP_TYPE, 2048, 60000)], name="vda")
    if member:
        at = (60000 - 2048 + 1 - 16) & ~7
        base.poke(d, "vda", (2048 + at) * 512, struct.pack("<II136xQ", 0xA92B4EFC, 1, at))
    os.mkdir(os.path.join(d, "bin"))
    base.write(d, "bin/efibootmgr", EFIBOOTMGR.encode())
    os.chmod(os.path.join(d, "bin/efibootmgr"), 0o755)
    base.write(d, "entries", b"".join(b"Boot%04X* other\tHD(1,GPT,%s,0x800,0x1000)/File(\\EFI\\%s)\n" % e for e in
                                      ((0, GUID.encode(), b"signet\\ipxe.efi.old"), (1, GUID.replace("01", "02").encode(), b"signet\\ipxe.efi"))))
    full = textwrap.dedent("""\
        set -e
        export ROW=$PWD PATH=$PWD/bin:$PATH
        mount -t tmpfs -o size=2m none esp
        device=$(stat -c %d esp)
        device=$((device >> 8 & 4095)):$((device & 255 | device >> 12 & 1048320))
        mount -t tmpfs none /sys
        mkdir -p /sys/firmware/efi /sys/dev/block /sys/devices/vda/vda1
        echo 1 >/sys/devices/vda/vda1/partition
        ln -s ../../devices/vda/vda1 /sys/dev/block/$device
        mount -t tmpfs none /dev
        : >/dev/null
        cp vda /dev/vda
        fails() { ! "$@" >$ROW/out 2>&1 || { echo "does not fail: $*" >&2; exit 1; }; }
        says() { grep -q -- "$1" $ROW/out || { echo "does not say $1:" >&2; cat $ROW/out >&2; exit 1; }; }
        signet() { "$SIGNET" "$@" >$ROW/out 2>&1 || { cat $ROW/out >&2; exit 1; }; }
        entries() { [ "$(grep -c Signet entries)" = "$1" ] || { echo "not $1 entries:" >&2; cat entries >&2; exit 1; }; }
        HERE="--esp-path esp --force"
        """) + textwrap.dedent(script)
    probe = subprocess.run(["unshare", "-Urm", "true"], capture_output=True, text=True)
    if probe.returncode != 0:
        raise base.Skip(f"no namespaces: {probe.stderr.strip()}")
    done = subprocess.run(["unshare", "-Urm", "sh", "-c", full], cwd=d, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120,
                          env=dict(os.environ, SIGNET=base.SIGNET))
    base.check(done.returncode == 0, f"status {done.returncode}: {done.stderr[-600:]}")


BOOT_ENTRY = """
    signet install $HERE --image one.efi --dry-run
    says "efibootmgr --create --disk /dev/vda --part 1 --label Signet --loader '.EFI.signet.ipxe.efi'"
    entries 0
    signet install $HERE --image one.efi
    says "installed (EFI/signet/ipxe.efi, boot entry 0002)"
    [ "$(cat entry-disk)" = /dev/vda ]
    signet install $HERE --image two.efi
    signet install $HERE --image two.efi
    says "up to date (EFI/signet/ipxe.efi, boot entry 0002)"
    entries 1
    signet install status --esp-path esp
    says "x64 boot entry = 0002"
    signet install $HERE --image arm.efi
    entries 2
    sed -i /Boot0002/d entries
    fails "$SIGNET" install verify --esp-path esp
    says "EFI/signet/ipxe.efi has no boot entry"
    signet install verify --esp-path esp --no-nvram
    signet install $HERE --image two.efi
    entries 2
    signet install verify --esp-path esp
    signet install remove $HERE --dry-run
    says "efibootmgr --bootnum .* --delete-bootnum"
    entries 2
    signet install remove $HERE
    entries 0
    grep -q Boot0000 entries && grep -q Boot0001 entries
"""


@base.row
def esp_boot_entry(d):
    system(d, BOOT_ENTRY)


@base.row
def esp_boot_entry_of_efibootmgr_18(d):
    system(d, "touch version18\n" + textwrap.dedent(BOOT_ENTRY))


@base.row
def esp_without_an_entry(d):
    system(d, """
        signet install $HERE --image one.efi --no-nvram
        signet install $HERE --image one.efi --removable
        [ ! -e calls ]
        touch broken
        fails "$SIGNET" install $HERE --image one.efi
        says "EFI variables are not supported"
        says "efibootmgr: failed; what it said is above"
        rm broken bin/efibootmgr
        mount -t tmpfs none /usr/sbin
        [ -L /sbin ] || mount -t tmpfs none /sbin
        fails "$SIGNET" install $HERE --image two.efi
        says "efibootmgr, which is not installed (--no-nvram: without an entry)"
        cmp esp/EFI/signet/ipxe.efi one.efi
        umount /sys
        rm -r esp/EFI/signet
        signet install $HERE --image two.efi
        says "note: this system was not started by UEFI, so no boot entry is made"
        """)


# ---- several of them --------------------------------------------------------------------------------------


def folder_in_the_way(name):
    return lambda d, esp: os.makedirs(os.path.join(d, esp, "EFI/signet", name))


def file_in_the_way(name):
    def make(d, esp):
        os.makedirs(os.path.dirname(os.path.join(d, esp, name)), exist_ok=True)
        base.write(d, os.path.join(esp, name), b"a file")
    return make


REFUSALS = [(folder_in_the_way("ipxe.efi.old"), "ipxe.efi.old: cannot write: Is a directory"),
            (folder_in_the_way("ipxe.efi.new"), "ipxe.efi.new: cannot write: Is a directory"),
            (folder_in_the_way("ipxe.efi"), "ipxe.efi: cannot read: Is a directory"),
            (file_in_the_way("EFI"), "EFI: cannot write: Not a directory"),
            (file_in_the_way("EFI/signet"), "EFI/signet: cannot write: Not a directory"),
            (lambda d, esp: os.rmdir(os.path.join(d, esp)), "No such file")]


@base.row
def esp_refusals_on_any_of_several(d):
    artefacts(d)
    shutil.rmtree(os.path.join(d, "esp"))
    for make, says in REFUSALS:
        for bad in range(3):
            names = [f"esp{i}" for i in range(3)]
            for name in names:
                os.mkdir(os.path.join(d, name))
            make(d, names[bad])
            paths = [a for name in names for a in ("--esp-path", name)]
            for more in ((), ("--dry-run",)):
                base.refuses(*paths, "--force", "--no-nvram", "--image", "one.efi", *more, cwd=d, says=says)
            base.check(not any(os.listdir(os.path.join(d, n)) for n in names if n != names[bad]), "refused, and made folders")
            for name in names:
                shutil.rmtree(os.path.join(d, name), ignore_errors=True)
    for name in ("esp0", "esp1"):
        os.mkdir(os.path.join(d, name))
    base.install("--esp-path", "esp0", "--force", "--no-nvram", "--image", "one.efi", cwd=d)
    base.refuses("remove", "--esp-path", "esp0", "--esp-path", "esp1", "--force", cwd=d, says="esp1: holds no Signet")
    # One of them once more, by another name.
    os.symlink("esp0", os.path.join(d, "link"))
    out = base.install("--esp-path", "esp0", "--esp-path", "link", "--force", "--no-nvram", "--image", "two.efi", cwd=d).stdout
    base.check("link: the same file system as esp0" in out and out.count("installed") == 1, out)


@base.row
def esp_read_only_or_full_among_several(d):
    system(d, """
        mkdir -p good full
        mount -t tmpfs -o size=200k none full
        TWO="--esp-path good --esp-path full --force --no-nvram --image one.efi"
        fails "$SIGNET" install $TWO
        says "full/EFI/signet/ipxe.efi.new: cannot write: No space left"
        fails "$SIGNET" install $TWO --dry-run
        says "full/EFI/signet/ipxe.efi.new: cannot write: No space left"
        [ -z "$(ls good full | grep EFI)" ]
        mount -o remount,size=8m full
        mount -o remount,ro full
        fails "$SIGNET" install $TWO
        says "full: Read-only file system"
        [ -z "$(ls good)" ]
        mount -o remount,rw full
        signet install $TWO
        mount -o remount,ro full
        fails "$SIGNET" install remove --esp-path good --esp-path full --force --no-nvram
        says "full: Read-only file system"
        cmp good/EFI/signet/ipxe.efi one.efi
        """)


# ---- RAID -------------------------------------------------------------------------------------------------

# The partition of vda is a member of an array, and so is one of vdb; the array is what is mounted.
RAID = """
    cp vdb /dev/vdb
    rm /sys/dev/block/$device
    md=/sys/devices/virtual/block/md127
    mkdir -p $md/md $md/slaves /sys/devices/vdb/vdb3
    echo 3 >/sys/devices/vdb/vdb3/partition
    echo 8:1 >/sys/devices/vda/vda1/dev
    echo 8:19 >/sys/devices/vdb/vdb3/dev
    echo $device >$md/dev
    echo raid1 >$md/md/level
    echo 1.0 >$md/md/metadata_version
    ln -s ../../../../vda/vda1 ../../../../vdb/vdb3 $md/slaves
    ln -s ../../devices/virtual/block/md127 /sys/dev/block/$device
    ln -s ../../devices/vda/vda1 /sys/dev/block/8:1
    ln -s ../../devices/vdb/vdb3 /sys/dev/block/8:19
"""


@base.row
def esp_on_raid_1(d):
    base.gpt_disk(d, [(base.LINUX, 2048, 4095), (base.LINUX, 4096, 6143), (ESP_TYPE, 8192, 60000)], name="vdb")
    system(d, textwrap.dedent(RAID) + textwrap.dedent("""
        signet install $HERE --image one.efi
        entries 2
        says "installed (EFI/signet/ipxe.efi, boot entry 0003)"
        signet install $HERE --image one.efi
        says "up to date"
        entries 2
        signet install status --esp-path esp
        says "esp members = 2"
        says "x64 boot entry = 0002"
        says "x64 boot entry 2 = 0003"
        sed -i /Boot0003/d entries
        fails "$SIGNET" install verify --esp-path esp
        says "EFI/signet/ipxe.efi has no boot entry"
        signet install $HERE --image one.efi
        signet install verify --esp-path esp
        echo 1.2 >$md/md/metadata_version
        fails "$SIGNET" install $HERE --image two.efi
        says "esp: lies on the array /dev/md127, which no firmware can read: it takes RAID 1 with metadata 1.0"
        echo 1.0 >$md/md/metadata_version
        echo raid5 >$md/md/level
        fails "$SIGNET" install $HERE --image two.efi
        says "which no firmware can read"
        cmp esp/EFI/signet/ipxe.efi one.efi
        echo raid1 >$md/md/level
        signet install remove $HERE
        entries 0
        """))


@base.row
def esp_of_raid_1_behind_its_back(d):
    # A member that is mounted by itself: what is written there the array does not know of.
    system(d, """
        fails "$SIGNET" install $HERE --image one.efi --no-nvram
        says "esp: partition 1 of /dev/vda is a member of a RAID array (Linux RAID) and mounted by itself"
        [ ! -e esp/EFI ]
        """, member=True)


@base.row
def esp_full(d):
    system(d, """
        signet install $HERE --image one.efi --no-nvram
        signet install $HERE --image two.efi --no-nvram
        free=$(($(stat -f -c '%a * %S' esp)))
        head -c $((free - 100000)) "$SIGNET" >esp/ballast
        find esp -type f | sort >before
        fails "$SIGNET" install $HERE --image three.efi --no-nvram
        says "esp/EFI/signet/ipxe.efi.new: cannot write: No space left"
        cmp esp/EFI/signet/ipxe.efi two.efi
        cmp esp/EFI/signet/ipxe.efi.old one.efi
        find esp -type f | sort | cmp - before
        rm esp/ballast
        signet install $HERE --image three.efi --no-nvram
        cmp esp/EFI/signet/ipxe.efi three.efi
        """)
