# SPDX-License-Identifier: MPL-2.0
"""What the rows boot from: keys, sound images made by `signet mkimage`, and broken ones made by forge.py.

Everything lies in build/qemu/fixtures/ and is made anew when one of its inputs is newer.
"""
import fcntl
import os
import shutil
import struct
import subprocess

import forge
import optrom
import payload
import tiny

TOP = payload.TOP
BUILD = os.path.join(TOP, "build/qemu")
FOLDER = os.path.join(BUILD, "fixtures")
PAYLOAD = os.path.join(TOP, "build/payload")
SIGNET = os.path.join(TOP, "bin/signet")
APPTEST = {name: os.path.join(TOP, "build", folder, "apptest.efi") for name, folder in
           (("x64", "efi"), ("arm64", "efi-arm64"))}  # ipxe/efi/apptest
NIC_DRIVERS = [os.path.join(TOP, "bin", name) for name in ("signet-nic.efi", "signet-nic-arm64.efi")]  # ipxe/efi/driver
COUNTER = 7  # of the sound images

KEYS = {
    "alice": forge.Key("alice"),
    "bob": forge.Key("bob", forge.P384),
    "carol": forge.Key("carol"),
    "mallory": forge.Key("mallory"),  # in no trust store
}


def path(*names):
    return os.path.join(FOLDER, *names)


def run(*command):
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        raise SystemExit(f"fixtures: {' '.join(command)}\n{done.stderr.strip() or done.stdout.strip()}")


def mkimage(name, keys=("alice",), counter=COUNTER, cmdline=payload.GUEST_CMDLINE, extra=(), initrds=("initrd.img", "part.img"),
            file=None):
    command = [SIGNET, "mkimage", "-o", file or path("images", name), "-N", name, "--counter", str(counter),
               "--kernel", os.path.join(PAYLOAD, "vmlinuz"), "--cmdline", cmdline]
    for key in keys:
        command += ["--key", path(key + ".key")]
    for initrd in initrds:
        command += ["--initrd", os.path.join(PAYLOAD, initrd)]
    run(*command, *extra)


# --- images that must not boot ------------------------------------------------------------------------------
# Each entry of the two dictionaries is (maker, codes): calling the maker makes the image; the codes are those one of
# which the console must show. Nothing is made, read or signed before.


def small(name="small", keys=("alice",), **options):
    """An image whose kernel is only the beginning of one: enough for everything up to the kernel's start."""
    parts = options.pop("parts", None) or [_kernel(), forge.Part(forge.INITRD, "initrd", payload.blob(40000, name))]
    return forge.Image(name, parts, options.pop("cmdline", "quiet"), options.pop("counter", COUNTER), chunk_size=SMALL_CHUNK,
                       keys=[KEYS[k] for k in keys], **options)


def _kernel():
    return forge.linux(payload.read(os.path.join(PAYLOAD, "vmlinuz"))[:SMALL_KERNEL])


SMALL_KERNEL, SMALL_CHUNK = 300 * 1024, 64 * 1024


def _small(**options):
    return lambda: small(**options)


def _changed(change):
    def make():
        image = small()
        change(image)
        return image
    return make


def _head(offset, form, value):
    """A field of the head: a number, or a function of what it was."""
    def change(image):
        if callable(value):
            image.set_head(offset, form, value(*struct.unpack_from("<" + form, image.head, offset)))
        else:
            image.set_head(offset, form, value)
    return _changed(change)


def _set(name, value):
    return _changed(lambda i: setattr(i, name, value(i)))


def _entry(image, **other):
    key = KEYS["alice"]
    fields = dict(key_id=key.id, algorithm=key.curve.algorithm, signature=key.sign(image.message()))
    fields.update(other)
    return forge.entry(**fields)


def _with(image, **fields):
    for name, value in fields.items():
        setattr(image, name, value)
    return image


def _table(make, **lies):
    return _changed(lambda i: setattr(i, "table", forge.table(make(i), **lies)))


def _table_size(value):
    return _changed(lambda i: setattr(i, "table", forge.table([_entry(i)], size=value(len(i.table)))))


def _entry_length(value):
    def change(image):
        entry = bytearray(_entry(image))
        entry[36:40] = value.to_bytes(4, "little")
        image.table = forge.table([bytes(entry)])
    return _changed(change)


def _field(kind, at, value, size):
    """One number inside the signed body changed, and the whole signed anew: what a careless signer could make."""
    def change(image):
        position = 0
        while position < len(image.body):
            this, _, length = struct.unpack_from("<HHI", image.body, position)
            if this == kind:
                start = position + at
                image.body = image.body[:start] + value.to_bytes(size, "little") + image.body[start + size:]
                break
            position += 8 + (length + 7) // 8 * 8
        image.reseal()
    return _changed(change)


def _swapped_payload(with_list):
    def change(image):
        other = small("other")
        image.payload = other.payload
        if with_list:
            image.list = other.list
    return _changed(change)


def _appended_part(image):
    """The body names one part more than was signed."""
    image.body += forge.field(forge.PART, b"\2\0\0\0" + bytes(44) + b"evil")
    image.set_head(12, "I", len(image.body))


def _file(change):
    """The bytes of the whole file changed: what the native protocol, which sends spaces, never sees."""
    def make():
        image = small()
        whole = change(image, image.bytes())
        image.bytes = lambda: whole
        return image
    return make


def _parts(make, **options):
    return lambda: small(parts=make(), **options)


def _initrd(name, **fields):
    return forge.Part(forge.INITRD, name, payload.blob(5000, name), **fields)


def _arm64(split):
    """An arm64 Image as far as a plan reads it, of which leading bytes are split off."""
    data = struct.pack("<IIQQQQQQII", 0x91005A4D, 0x14000000, 0, 1 << 16, 0xA, 0, 0, 0, 0x644D5241, 0x40) + bytes(4096)
    return [forge.Part(forge.KERNEL, "kernel", data, memory=1 << 16, align=1 << 16, split=split)]


def _long_number(kind, length):
    """COUNTER or TARGET in more or fewer bytes than the number has, the value the same."""
    def change(image):
        fields = []
        for this, data in forge.fields(image.body):
            fields.append(forge.field(this, (data + bytes(length))[:length] if this == kind else data))
        image.body = b"".join(fields)
        image.reseal()
    return _changed(change)


def _two_faults(*changes):
    """Both at once: the first one in a reader's order names the code."""
    def change(image):
        for c in changes:
            c(image)
    return _changed(change)


def _damaged_data():
    image = small(parts=[forge.Part(forge.RAMDISK, "data", payload.blob(40000, "data"))], target=forge.TARGET_DATA)
    image.payload = forge.flip(image.payload, 5)
    return image


def tampered():
    """Seal, list, chunk, table, algorithm, policy."""
    return {
        "unsigned": (_small(keys=()), "S06"),
        "wrong-key": (_small(keys=("mallory",)), "S07"),
        "wrong-key-beside": (_table(lambda i: [_entry(i, key_id=KEYS["mallory"].id)]), "S07"),
        "bit-in-head": (_set("head", lambda i: forge.flip(i.head, 40)), "S09"),
        "bit-in-body": (_set("body", lambda i: forge.flip(i.body, len(i.body) // 2, 3)), "S09"),
        "bit-in-name": (_set("body", lambda i: forge.flip(i.body, 8)), "S09"),
        "bit-in-signature": (_set("table", lambda i: forge.flip(i.table, 60, 6)), "S09"),
        "bit-in-key-id": (_set("table", lambda i: forge.flip(i.table, 20)), "S07"),
        "bit-in-list": (_set("list", lambda i: forge.flip(i.list, 33)), "S15"),
        "bit-in-chunk": (_set("payload", lambda i: forge.flip(i.payload, 5)), "S16"),
        "bit-in-data": (_damaged_data, "S16"),  # for machines of every kind
        "bit-in-last-chunk": (_set("payload", lambda i: forge.flip(i.payload, len(i.payload) - 8192, 7)), "S16"),
        "part-swapped": (_swapped_payload(False), "S16"),
        "part-swapped-with-list": (_swapped_payload(True), "S15"),
        "part-added": (_changed(_appended_part), "S09"),
        "table-emptied": (_table(lambda i: []), "S06"),
        "table-repeated": (_table(lambda i: [_entry(i), _entry(i)]), "S05"),
        "table-zeroed": (_set("table", lambda i: bytes(len(i.table))), "S04"),
        "algorithm-384": (_table(lambda i: [_entry(i, algorithm=2)]), "S08"),
        "algorithm-0": (_table(lambda i: [_entry(i, algorithm=0)]), "S08"),
        "algorithm-unknown": (_table(lambda i: [_entry(i, algorithm=99)]), "S08"),
        "signature-short": (_table(lambda i: [_entry(i, signature=KEYS["alice"].sign(i.message())[:63])]), "S09"),
        "signature-zero": (_table(lambda i: [_entry(i, signature=bytes(64))]), "S09"),
        "one-good-one-bad": (_table(lambda i: [_entry(i), forge.entry(KEYS["carol"].id, 1, bytes(63) + b"\1")]), "S09"),
        "counter-below-floor": (_small(counter=4), "S13"),
        "magic": (_head(0, "Q", 0x3250544E47495358), "S01"),
        "version": (_head(8, "H", 2), "S02"),
        "too-large": (_field(forge.PART, 8 + 32, 1 << 31, 8), "B03"),
        "too-large-64": (_field(forge.PART, 8 + 32, 1 << 40, 8), "B03"),
    }


def rules():
    """What else doc/phase2-format.md decides: files, other versions, lengths, parts, and which of several faults names the code."""
    return {
        "padding": (_file(lambda i, data: forge.flip(data, i.list_end())), "S17"),
        # Another layout: what is no length there must not be taken for one.
        "version-other-layout": (_set("head", lambda i: i.head[:8] + b"\2\0\x60" + b"\xff" * 53), "S02"),
        "version-short-head": (_file(lambda i, data: data[:8] + b"\3\0" + b"\xff" * 20), "S02"),
        "signature-long": (_table(lambda i: [_entry(i, signature=KEYS["alice"].sign(i.message()) + b"\0")]), "S09"),
        "signature-of-p384-size": (_table(lambda i: [_entry(i, signature=bytes(96))]), "S09"),
        "signature-of-stranger-any-size": (_table(lambda i: [_entry(i, key_id=KEYS["mallory"].id, signature=b"x")]), "S07"),
        "trailing-byte": (_file(lambda i, data: data + b"\0"), "S19"),
        "trailing-page": (_file(lambda i, data: data + bytes(4096)), "S19"),
        "cut-in-head": (_file(lambda i, data: data[:40]), "G09"),
        "cut-in-body": (_file(lambda i, data: data[:100]), "G09"),
        "cut-in-table": (_file(lambda i, data: data[:i.seal_end() - 10]), "G09"),
        "cut-in-list": (_file(lambda i, data: data[:i.list_end() - 10]), "G09"),
        "cut-in-padding": (_file(lambda i, data: data[:i.list_end() + 10]), "G09"),
        "cut-in-payload": (_file(lambda i, data: data[:-5000]), "G09"),
        "cut-by-a-byte": (_file(lambda i, data: data[:-1]), "G09"),
        "counter-of-4-bytes": (_long_number(forge.COUNTER, 4), "S12"),
        "counter-of-16-bytes": (_long_number(forge.COUNTER, 16), "S12"),
        "target-of-8-bytes": (_long_number(forge.TARGET, 8), "S12"),
        "target-of-2-bytes": (_long_number(forge.TARGET, 2), "S12"),
        "address-off-page": (_parts(lambda: [forge.Part(forge.RAMDISK, "data", payload.blob(5000, "data"), address=(64 << 20) + 512)],
                                    target=forge.TARGET_DATA), "S12"),
        "arm64-split": (_parts(lambda: _arm64(512), target=forge.TARGET_LINUX_ARM64), "S12"),
        "second-initrd-elsewhere": (_parts(lambda: [_kernel(), _initrd("one"), _initrd("two", address=64 << 20, align=4096)]), "S12"),
        "second-initrd-aligned": (_parts(lambda: [_kernel(), _initrd("one"), _initrd("two", align=1 << 21)]), "S12"),
        "initrd-larger-in-memory": (_parts(lambda: [_kernel(), _initrd("one", memory=1 << 20), _initrd("two")]), "S12"),
        "nbp-too-large": (_parts(lambda: [forge.nbp(bytes(forge.NBP_SIZE_MAX + 1))], target=forge.TARGET_NBP, cmdline=""), "S12"),
        "nbp-with-cmdline": (_parts(lambda: [forge.nbp(b"nbp")], target=forge.TARGET_NBP), "S12"),
        "nbp-with-address": (_parts(lambda: [forge.Part(forge.APPLICATION, "nbp", b"nbp", address=1 << 20)], target=forge.TARGET_NBP,
                                    cmdline=""), "S12"),
        # Several faults: the first in the order of section 7.
        "magic-and-version": (_two_faults(lambda i: i.set_head(8, "H", 2), lambda i: i.set_head(0, "B", 0)), "S01"),
        "version-and-length": (_two_faults(lambda i: i.set_head(8, "H", 2), lambda i: i.set_head(12, "I", 1 << 31)), "S02"),
        "length-and-table": (_two_faults(lambda i: i.set_head(16, "I", 3), lambda i: setattr(i, "table", bytes(len(i.table)))), "S03"),
        "table-magic-and-size": (_changed(lambda i: setattr(i, "table", b"X" + i.table[1:8] + b"\1\0\0\0" + i.table[12:])), "S04"),
        "table-size-and-count": (_table(lambda i: [_entry(i)], count=99, size=17), "S03"),
        "repeated-and-bad": (_table(lambda i: [_entry(i), _entry(i, signature=bytes(64))]), "S05"),
        "algorithm-and-signature": (_table(lambda i: [_entry(i, algorithm=2, signature=bytes(64))]), "S08"),
        "signature-and-body": (_two_faults(lambda i: setattr(i, "body", forge.flip(i.body, 0, 7))), "S09"),
        "body-and-counter": (_two_faults(lambda i: setattr(i, "body", i.body.replace(struct.pack("<Q", COUNTER), struct.pack("<Q", 1), 1)),
                                         lambda i: setattr(i, "body", i.body + forge.field(99, b"")), lambda i: i.reseal()), "S12"),
        "counter-and-list": (lambda: _with(small(counter=4), list=bytes(len(small().list))), "S13"),
        "list-and-padding": (_file(lambda i, data: forge.flip(forge.flip(data, i.list_end()), i.seal_end())), "S15"),
        "padding-and-chunk": (_file(lambda i, data: forge.flip(forge.flip(data, i.list_end()), i.payload_start())), "S17"),
        "chunk-and-cut": (_file(lambda i, data: forge.flip(data, i.payload_start())[:-1]), "S16"),
        "chunk-and-trailing": (_file(lambda i, data: forge.flip(data, i.payload_start()) + b"\0"), "S16"),
    }


MARKS = {"0": 0, "2e31": 1 << 31, "2e32": 1 << 32, "2e63": 1 << 63}


def _values(bits):
    """(name, function of the true value) of each wrong length that fits the field."""
    for name, mark in MARKS.items():
        if mark < 1 << bits:
            yield name, lambda true, mark=mark: mark
    yield "plus1", lambda true: true + 1
    yield "minus1", lambda true: true - 1


def lengths():
    """Every length of head, table and (signed) body at 0, +1, -1, 2^31, 2^32, 2^63."""
    cases = {}
    for field, offset, form, bits in (("body-size", 12, "I", 32), ("chunk-size", 16, "I", 32), ("chunk-count", 20, "I", 32),
                                      ("payload-size", 24, "Q", 64)):
        for name, value in _values(bits):
            cases[f"{field}-{name}"] = (_head(offset, form, value), "S03")
    for name, value in (("plus8", 8), ("minus8", -8)):  # multiples of 8: what follows is not what should be there
        cases[f"body-size-{name}"] = (_head(12, "I", lambda true, value=value: true + value), "S04")
        cases[f"table-size-{name}"] = (_table_size(lambda true, value=value: true + value), "S04")
    cases["head-size-0"] = (_head(10, "H", 0), "S03")
    cases["head-size-plus1"] = (_head(10, "H", 65), "S03")
    for name, value in _values(32):
        cases[f"table-count-{name}"] = (_table(lambda i: [_entry(i)], count=value(1)), "S04")
        cases[f"table-size-{name}"] = (_table_size(value), "S03")
        cases[f"signature-size-{name}"] = (_entry_length(value(64)), "S04")
        cases[f"field-size-{name}"] = (_field(forge.COUNTER, 4, value(8), 4), "S12")
    for name, value in _values(64):
        if name != "minus1":  # one byte less is a sound part with a byte of padding
            cases[f"part-size-{name}"] = (_field(forge.PART, 8 + 16, value(SMALL_KERNEL), 8), "S12")
        if name not in ("0", "minus1"):  # the first part's offset is 0
            cases[f"part-offset-{name}"] = (_field(forge.PART, 8 + 8, value(0), 8), "S12")
    cases["chunk-size-2e31-payload-2e63"] = (_changed(lambda i: (i.set_head(16, "I", 1 << 31), i.set_head(24, "Q", 1 << 63))), "S03")
    return cases


# What only a file shows and the native protocol does not: it sends seal, list and payload, whose sizes its server has told.
FILE_ONLY = {"padding", "trailing-byte", "trailing-page", "padding-and-chunk", "chunk-and-cut", "chunk-and-trailing", "version-short-head"}
# Files that end early: the native protocol sees a server whose sizes are not those of the seal.
CUT = {"cut-in-head", "cut-in-body", "cut-in-table", "cut-in-list", "cut-in-padding", "cut-in-payload", "cut-by-a-byte"}


def forged():
    """The one table: name -> (maker, code that every reader gives)."""
    return {**tampered(), **rules(), **lengths()}


def write_forged(folder, image):
    """The file, and beside it how its server cuts it, for p2.py: by its own head, and where that is impossible as it should be."""
    whole = image.bytes()
    payload.write(folder, whole)
    body, = struct.unpack_from("<I", image.head, 12)
    at = 64 + body + 8
    table = struct.unpack_from("<I", whole, at)[0] if at + 4 <= len(whole) else 0
    seal = 64 + body + table
    if body % 8 or table % 8 or table < 16 or seal > image.list_end():
        seal = image.seal_end()
    payload.write(folder + ".layout", f"{seal} {len(image.list)}\n".encode())


def locked(make):
    """One process at a time makes things here: suites run side by side and share them."""
    def guarded(*arguments):
        os.makedirs(BUILD, exist_ok=True)
        with open(os.path.join(BUILD, ".lock"), "w", encoding="ascii") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            make(*arguments)
    guarded.__doc__ = make.__doc__
    return guarded


def make_applications():
    """EFI applications: the test's own by both implementations, and Signet with a script of its own."""
    sealed = ["--counter", str(COUNTER), "--key", path("alice.key")]
    # Bytes behind its end make the file as large as its copy: what is not given back shows.
    application = payload.read(APPTEST["x64"]) + bytes(1 << 20)
    payload.write(path("images", "apptest"), forge.Image("apptest", [forge.application(application)], "one  two", COUNTER,
                                                         target=forge.TARGET_EFI_X64, keys=[KEYS["alice"]]).bytes())
    for name, cmdline in (("load", "load"), ("fail", "fail"), ("driver", "driver"), ("bare", None)):
        run(SIGNET, "mkimage", "-o", path("images", "apptest-" + name), "-N", "apptest-" + name, "--efi", APPTEST["x64"], *sealed,
            *(["--cmdline", cmdline] if cmdline else []))
    run(SIGNET, "mkimage", "-o", path("images", "apptest-arm64"), "-N", "apptest-arm64", "--efi", APPTEST["arm64"], *sealed)
    # What UEFI machines refuse; it returns at once.
    payload.write(path("images", "nbp"), forge.Image("nbp", [forge.nbp(b"\x31\xc0\xcb")], "", COUNTER, target=forge.TARGET_NBP,
                                                     keys=[KEYS["alice"]]).bytes())
    payload.write(path("inner.ipxe"), b"#!ipxe\necho INNER-SIGNET\ndhcp\nchain p2:///good\n")
    run(SIGNET, "embed", "--script", path("inner.ipxe"), "--trust", path("alice.pub"), os.path.join(TOP, "bin/ipxe.efi"), "-o",
        path("inner.efi"))
    run(SIGNET, "mkimage", "-o", path("images", "inner"), "-N", "inner", "--efi", path("inner.efi"), *sealed)


def make_driver_rom():
    """Of an e1000, with a driver that is signed for Secure Boot."""
    import machine_efi  # which imports this file
    signed = path("driver.signed")
    shutil.copyfile(NIC_DRIVERS[0], signed)
    machine_efi.sign(path(), signed)
    payload.write(path("driver-signed.rom"), optrom.of_drivers([signed], 0x8086, 0x100e))


@locked
def prepare():
    """Makes everything. Needs bin/signet. Files are replaced by rename: who has one open keeps it whole."""
    payload.build(PAYLOAD)
    inputs = [SIGNET, __file__, forge.__file__, optrom.__file__, payload.__file__, tiny.__file__, os.path.join(TOP, "bin/ipxe.efi"),
              *APPTEST.values(), *NIC_DRIVERS, optrom.BUILDER.__file__]
    inputs += [os.path.join(PAYLOAD, n) for n in ("vmlinuz", "initrd.img", "part.img", "ramdisk.img")]
    stamp = path(".stamp")
    if os.path.exists(stamp) and all(os.path.getmtime(i) <= os.path.getmtime(stamp) for i in inputs):
        return
    os.makedirs(path("images"), exist_ok=True)
    os.makedirs(path("forged"), exist_ok=True)
    os.makedirs(path("newer"), exist_ok=True)
    for name, key in KEYS.items():
        payload.write(path(name + ".key"), key.private_pem().encode())
        os.chmod(path(name + ".key"), 0o600)
        payload.write(path(name + ".pub"), key.public_pem().encode())
        payload.write(path(name + ".der"), key.spki)

    mkimage("good")
    mkimage("good", counter=COUNTER + 1, file=path("newer", "good"))  # what an administrator puts in its place
    mkimage("twosigned", keys=("alice", "bob"))
    guest, one, web = payload.GUEST_CMDLINE, {"initrds": ("initrd.img",)}, ["--product", "web"]
    mkimage("measured", cmdline=f"{guest} test.tpm", **one)
    mkimage("web-8-silent", counter=8, cmdline=f"{guest} test.forge test.reboot", extra=web, **one)
    mkimage("web-8", counter=8, cmdline=f"{guest} test.success test.reboot", extra=web, **one)
    mkimage("web-7", counter=7, cmdline=f"{guest} test.tpm", extra=web, **one)
    mkimage("ramdisk", extra=["-i", os.path.join(PAYLOAD, "ramdisk.img")], cmdline=f"{payload.GUEST_CMDLINE} test.large=8")
    # Of little to load, for several starts; the newer one shares all chunks with it but one: the last, or one in front.
    body = payload.blob(3 << 20, "tiny")
    for name, at in (("tiny", len(body) - 1000), ("early", 1 << 18)):
        for folder, counter, initrd in (("images", COUNTER, body), ("newer", COUNTER + 1, body[:at] + bytes(1000) + body[at + 1000:])):
            payload.write(path(folder, name), tiny.image(name, counter, initrd, [KEYS["alice"]]).bytes())
    # Sealed by the second implementation, from the format document: the firmware must boot it as well.
    stranger = forge.Image("stranger", [forge.linux(payload.read(os.path.join(PAYLOAD, "vmlinuz")))] +
                           [forge.Part(forge.INITRD, n, payload.read(os.path.join(PAYLOAD, n))) for n in ("initrd.img", "part.img")],
                           payload.GUEST_CMDLINE, COUNTER, keys=[KEYS["bob"]])
    payload.write(path("images", "stranger"), stranger.bytes())
    make_applications()
    for name, (make, _) in forged().items():
        write_forged(path("forged", name), make())
    write_forged(path("forged", "sound"), small())
    write_forged(path("forged", "starts"), tiny.image("starts", COUNTER, body[:5000], [KEYS["alice"]]))
    payload.write(path("refusing.rom"), optrom.refusing(0x8086, 0x100e))
    make_driver_rom()
    payload.write(stamp, b"")


@locked
def prepare_sparse(name, mib):
    """An image whose ramdisk is `mib` of zeros: for what is decided before anything large is sent. Takes no room on the disk."""
    image, raw = path("images", name), path(name + ".raw")
    if os.path.exists(image) and os.path.getmtime(image) >= os.path.getmtime(path(".stamp")):
        return
    with open(raw, "wb") as f:
        f.truncate(mib << 20)
    mkimage(name, extra=["-i", raw])
    os.unlink(raw)
    subprocess.run(["fallocate", "--dig-holes", image], check=False)  # where the file system can


@locked
def prepare_large(name, mib):
    """An image of gigabytes, made only for its row: a ramdisk of `mib` labelled blocks."""
    image, raw = path("images", name), path(name + ".raw")
    if os.path.exists(image) and os.path.getmtime(image) >= os.path.getmtime(path(".stamp")):
        return
    payload.write_labelled(raw, mib)
    mkimage(name, extra=["-i", raw], cmdline=f"{payload.GUEST_CMDLINE} test.large={mib}")
    os.unlink(raw)


if __name__ == "__main__":
    prepare()
