# SPDX-License-Identifier: MPL-2.0
"""Detached seals that are forged, by the second implementation: what a careless signer could make (signed), what somebody without the key
could (not signed anew), and files that are not the sealed ones. Each maker gives a forge.Detached, whose `files` lie beside the seal."""
import os
import struct

import fixtures
import forge
import payload
import tiny

FILE_ONLY = {"trailing-byte", "padding-of-an-image"}  # their server can say no sizes that fit
# What the firmware says where it is not what `signet lookimage` does: it reads no digests of files.
FIRMWARE = {"digests-of-files-swapped": "-", "image-as-seal": "S21"}
ORDER = ("vmlinuz", "initrd.img", "extra.img")


def parts(seed="a"):
    kernel = forge.linux(tiny.kernel()[:-4] + seed.encode().ljust(4), ORDER[0])
    extra = payload.blob(5000, seed + "extra")
    return [kernel, forge.Part(forge.INITRD, ORDER[1], payload.blob(70000, seed)),
            forge.Part(forge.INITRD, ORDER[2], extra, front=forge.cpio("opt/extra.bin", len(extra)))]


def sound(seed="a", arguments="console=* single", counter=fixtures.COUNTER, key="alice", **options):
    return forge.Detached("detached-" + seed, options.pop("parts", None) or parts(seed), options.pop("cmdline", "quiet"), counter,
                          arguments=arguments, keys=[fixtures.KEYS[key]], **options)


def _changed(change, resign=False, seed="a"):
    def make():
        seal = sound(seed)
        change(seal)
        if resign:
            seal.sign()
        return seal
    return make


def _body(change, resign=True):
    """The list of fields changed: (type, data) in, the same out."""
    def to(seal):
        seal.body = b"".join(forge.field(kind, data) for kind, data in change(list(forge.fields(seal.body))))
        seal.set_head(12, "I", len(seal.body))
    return _changed(to, resign)


def _with(kind, change, resign=True):
    """The data of each field of that type changed."""
    return _body(lambda fields: [(k, change(data) if k == kind else data) for k, data in fields], resign)


def _add(*more):
    """Fields more, where their type belongs."""
    return _body(lambda fields: sorted(fields + list(more), key=lambda f: f[0]))


def _part(index, at, form, change):
    """One number of one part's field."""
    def to(fields):
        count = -1
        for kind, data in fields:
            count += kind == forge.PART
            if kind == forge.PART and count == index:
                value, = struct.unpack_from("<" + form, data, at)
                data = data[:at] + struct.pack("<" + form, change(value)) + data[at + struct.calcsize(form):]
            yield kind, data
    return _body(lambda fields: list(to(fields)))


def _parts_of(fields, change):
    """The fields with another list of PART fields."""
    found = [f for f in fields if f[0] == forge.PART]
    return [f for f in fields if f[0] < forge.PART] + change(found) + [f for f in fields if f[0] > forge.PART]


def _files(**change):
    """The seal as it is, beside other files: name -> function of all the files' bytes."""
    def to(seal):
        new = {name.replace("_", "."): make(seal.files) for name, make in change.items()}
        seal.files = {name: data for name, data in {**seal.files, **new}.items() if data is not None}
    return _changed(to)


def _behind(tail):
    def to(seal):
        whole = seal.bytes() + tail(seal)
        seal.bytes = lambda: whole
    return _changed(to)


def _other_front(seal):
    """Bytes in front of a file that its chunk's digest does not cover."""
    seal.body = b"".join(forge.field(k, forge.flip(d, 30) if k == forge.FRONT else d) for k, d in forge.fields(seal.body))


def _unaligned():
    """A part that starts on a page, where it would in an image, and not on a chunk."""
    class Tight(forge.Detached):
        def grain(self, last):
            return forge.PAYLOAD_ALIGN
    return Tight("tight", parts(), "quiet", fixtures.COUNTER, keys=[fixtures.KEYS["alice"]])


def _on_chunks():
    """An image whose parts start on chunks, as only those of a detached seal may."""
    class Wide(forge.Image):
        def grain(self, last):
            return forge.PAYLOAD_ALIGN if last else self.chunk_size
    return Wide("wide", parts()[:2], "quiet", fixtures.COUNTER, chunk_size=64 * 1024, keys=[fixtures.KEYS["alice"]])


def _other_last():
    """payload_size rounded up to a chunk."""
    class Long(forge.Detached):
        def grain(self, last):
            return self.chunk_size
    return Long("long", parts(), "quiet", fixtures.COUNTER, keys=[fixtures.KEYS["alice"]])


def _front(part, data):
    return forge.FRONT, struct.pack("<I", part) + data


def _no_linux(make, target):
    return lambda: sound(parts=make(), target=target, cmdline="", arguments="console=*")


PATTERNS = {"all": "*", "name": "con*=x", "name-behind": "a=b *", "name-second": "ok=* c*=d", "quote": 'console="x', "two-blanks": "a=*  b=*",
            "blank-first": " a=*", "blank-last": "a=* ", "tab": "a=\t*", "not-ascii": "a=\N{DEGREE SIGN}", "nul": "a=*\0", "only-blank": " ",
            "long": "a=" + "x" * 2046}


def signed():
    """What the document's section 4 does not allow, in a seal that a trusted key has signed."""
    return {
        "files-one-less": (_with(forge.FILES, lambda d: d[:-32]), "S12"),
        "files-one-more": (_with(forge.FILES, lambda d: d + bytes(32)), "S12"),
        "files-byte-less": (_with(forge.FILES, lambda d: d[:-1]), "S12"),
        "files-byte-more": (_with(forge.FILES, lambda d: d + b"\0"), "S12"),
        "files-empty": (_with(forge.FILES, lambda d: b""), "S12"),
        "files-twice": (_body(lambda f: [x for y in f for x in ([y] * (1 + (y[0] == forge.FILES)))]), "S12"),
        "files-in-front-of-parts": (_body(lambda f: [x for x in f if x[0] == forge.FILES] + [x for x in f if x[0] != forge.FILES]), "S12"),
        "front-without-files": (_body(lambda f: [x for x in f if x[0] != forge.FILES]), "S12"),
        "front-of-kernel": (_with(forge.FRONT, lambda d: bytes(4) + d[4:]), "S12"),
        "front-of-no-part": (_with(forge.FRONT, lambda d: struct.pack("<I", 3) + d[4:]), "S12"),
        "front-of-part-2e31": (_with(forge.FRONT, lambda d: struct.pack("<I", 1 << 31) + d[4:]), "S12"),
        "front-empty": (_with(forge.FRONT, lambda d: d[:4]), "S12"),
        "front-without-part": (_with(forge.FRONT, lambda d: d[:3]), "S12"),
        "front-too-long": (_with(forge.FRONT, lambda d: d[:4] + bytes(4097)), "S12"),
        "front-is-all": (lambda: sound(parts=parts()[:2] + [forge.Part(forge.INITRD, ORDER[2], b"", front=b"x" * 200)]), "S12"),
        "front-twice": (_body(lambda f: [x for y in f for x in ([y] * (1 + (y[0] == forge.FRONT)))]), "S12"),
        "fronts-descend": (_body(lambda f: f[:-1] + [_front(1, b"x"), f[-1]]), "S12"),
        "front-behind-arguments": (_body(lambda f: [x for x in f if x[0] != forge.FRONT] + [x for x in f if x[0] == forge.FRONT]), "S12"),
        "parts-on-pages": (_unaligned, "S12"),
        "end-on-a-chunk": (_other_last, "S12"),
        "image-on-chunks": (_on_chunks, "S12"),
        "part-dropped": (_body(lambda f: _parts_of(f, lambda p: p[:1] + p[2:])), "S12"),
        "part-doubled": (_body(lambda f: _parts_of(f, lambda p: p[:2] + p[1:])), "S12"),
        "parts-reordered": (_body(lambda f: _parts_of(f, lambda p: [p[0], p[2], p[1]])), "S12"),
        "part-of-another-size": (_part(1, 16, "Q", lambda size: size + 65536), "S12"),
        "part-elsewhere": (_part(1, 8, "Q", lambda offset: offset + 65536), "S12"),
        "last-part-dropped": (_body(lambda f: _parts_of(f, lambda p: p[:2])), "S12"),
        "arguments-twice": (_add((forge.ARGUMENTS, b"x")), "S12"),
        "arguments-empty": (_with(forge.ARGUMENTS, lambda d: b""), "S12"),
        "arguments-for-data": (_no_linux(lambda: [forge.Part(forge.RAMDISK, "disk", b"x")], forge.TARGET_DATA), "S12"),
        "arguments-for-nbp": (_no_linux(lambda: [forge.nbp(b"\x31\xc0\xcb")], forge.TARGET_NBP), "S12"),
        **{f"pattern-{name}": (_with(forge.ARGUMENTS, lambda d, text=text: text.encode()), "S12") for name, text in PATTERNS.items()},
    }


def unsigned():
    """What somebody without the key changes."""
    other = lambda: sound("b")  # noqa: E731
    return {
        "key-not-trusted": (lambda: sound(key="mallory"), "S07"),
        "counter-below": (lambda: sound(counter=4), "S13"),
        "image-as-seal": (lambda: tiny.image("whole", fixtures.COUNTER, b"initrd", [fixtures.KEYS["alice"]]), "-"),
        "body-part-dropped": (_body(lambda f: _parts_of(f, lambda p: p[:2]), False), "S09"),
        "body-files-of-other-seal": (_body(lambda f: [x if x[0] != forge.FILES else y for x, y in zip(f, forge.fields(other().body))], False), "S09"),
        "table-of-other-seal": (_changed(lambda s: setattr(s, "table", other().table)), "S09"),
        "body-files-swapped": (_with(forge.FILES, lambda d: d[32:64] + d[:32] + d[64:], False), "S09"),
        "body-pattern-widened": (_with(forge.ARGUMENTS, lambda d: d + b" init=*", False), "S09"),
        "body-front-changed": (_with(forge.FRONT, lambda d: forge.flip(d, 30), False), "S09"),
        "list-of-other-seal": (_changed(lambda s: setattr(s, "list", other().list)), "S15"),
        "list-entries-swapped": (_changed(lambda s: setattr(s, "list", s.list[32:64] + s.list[:32] + s.list[64:])), "S15"),
        "list-entry-dropped": (_changed(lambda s: setattr(s, "list", s.list[:-32])), "G09"),
        "list-entry-doubled": (_changed(lambda s: setattr(s, "list", s.list + s.list[-32:])), "S19"),
        "trailing-byte": (_behind(lambda s: b"\0"), "S19"),
        "padding-of-an-image": (_behind(lambda s: bytes(-s.list_end() % 4096)), "S19"),
        "payload-behind": (_behind(lambda s: bytes(-s.list_end() % 4096) + s.payload), "S19"),
    }


def files():
    """Sound seals beside files that are not theirs."""
    other = lambda name: lambda _: sound("b").files[name]  # noqa: E731
    return {
        "file-of-other-seal": (_files(initrd_img=other(ORDER[1])), "S16"),
        "kernel-of-other-seal": (_files(vmlinuz=other(ORDER[0])), "S16"),
        "files-change-places": (_files(initrd_img=lambda f: f[ORDER[2]], extra_img=lambda f: f[ORDER[1]]), "G09"),
        "file-doubled": (_files(initrd_img=lambda f: f[ORDER[1]] * 2), "S19"),
        "file-longer": (_files(extra_img=lambda f: f[ORDER[2]] + b"\0"), "S19"),
        "file-shorter": (_files(extra_img=lambda f: f[ORDER[2]][:-1]), "G09"),
        "file-empty": (_files(extra_img=lambda f: b""), "G09"),
        "file-missing": (_files(vmlinuz=lambda f: None), "G04"),
        "file-first-bit": (_files(vmlinuz=lambda f: forge.flip(f[ORDER[0]], 0)), "S16"),
        "file-last-bit": (_files(initrd_img=lambda f: forge.flip(f[ORDER[1]], -1, 7)), "S16"),
        "file-behind-front": (_files(extra_img=lambda f: forge.flip(f[ORDER[2]], 0)), "S16"),
        "file-with-its-front": (_files(extra_img=lambda f: forge.cpio("opt/extra.bin", 5000) + f[ORDER[2]]), "S16"),
        "front-not-in-the-list": (_changed(_other_front, True), "S16"),
        "digests-of-files-swapped": (_with(forge.FILES, lambda d: d[32:64] + d[:32] + d[64:]), "S16"),  # which no firmware reads
    }


def forged():
    """name -> (maker, code that every reader of detached seals gives)."""
    return {**signed(), **unsigned(), **files()}


def write(folder, seal):
    """The seal, and its files beside it."""
    os.makedirs(folder, exist_ok=True)
    payload.write(os.path.join(folder, "vmlinuz.seal"), seal.bytes())
    payload.write(os.path.join(folder, "vmlinuz.seal.layout"), f"{seal.seal_end()} {len(seal.list)}\n".encode())
    for name in ORDER:
        path = os.path.join(folder, name)
        if name in getattr(seal, "files", {}):
            payload.write(path, seal.files[name])
        elif os.path.exists(path):
            os.unlink(path)
