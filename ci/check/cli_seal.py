# SPDX-License-Identifier: MPL-2.0
"""The rows of ci/check/cli about `signet seal`: detached seals, read here by the document's words alone."""
import gzip
import hashlib
import os
import shutil
import struct

from cli_base import application, fields, flip, kernel, listing, refuses, refuses_look, shared, signet, write
from rows import check, row


def read_seal(path):
    """(fields as (type, data) in their order, chunk size, digests of the list) of a detached seal whose lengths agree."""
    data = open(path, "rb").read()
    magic, _, _, body_size, chunk, count, payload, digest = struct.unpack_from("<8sHHIIIQ32s", data)
    check(magic == b"SIGNETP2" and count == -(-payload // chunk), f"head {magic} {count} {payload}")
    found, at = [], 64
    while at < 64 + body_size:
        kind, zero, length = struct.unpack_from("<HHI", data, at)
        check(zero == 0, "field")
        found.append((kind, data[at + 8:at + 8 + length]))
        at += 8 + -(-length // 8) * 8
    table = struct.unpack_from("<I", data, at + 8)[0]
    chunks = data[at + table:]
    check(len(chunks) == 32 * count and hashlib.sha256(chunks).digest() == digest, "list")
    return found, chunk, [chunks[i:i + 32] for i in range(0, len(chunks), 32)]


def check_seal(path, files, fronts):
    """The digests of a seal are those of these files with these fronts; the fields by type."""
    found, chunk, chunks = read_seal(path)
    by_type = {}
    for kind, data in found:
        by_type.setdefault(kind, []).append(data)
    check([kind for kind, _ in found] == sorted(kind for kind, _ in found), "order of fields")
    check(by_type[8] == [b"".join(hashlib.sha256(f).digest() for f in files)], "FILES")
    seen = {struct.unpack("<I", data[:4])[0]: data[4:] for data in by_type.get(9, [])}
    check(seen == fronts, f"fronts {seen}, expected {fronts}")
    at, want = 0, []
    for i, (data, part) in enumerate(zip(files, by_type[6], strict=True)):
        whole = fronts.get(i, b"") + data
        check(struct.unpack_from("<QQ", part, 8) == (at * chunk, len(whole)), f"part {i}")
        grain = 4096 if i + 1 == len(files) else chunk
        whole += bytes(-len(whole) % grain)
        want += [hashlib.sha256(whole[k:k + chunk]).digest() for k in range(0, len(whole), chunk)]
        at += -(-len(whole) // chunk)
    check(chunks == want, "chunk list")
    return by_type


def entry(path, mode, size):
    """A cpio entry of the form newc."""
    numbers = (0, mode, 0, 0, 1, 0, size, 0, 0, 0, 0, len(path) + 1, 0)
    head = b"070701" + b"".join(b"%08x" % n for n in numbers) + path.encode() + b"\0"
    return head + bytes(-len(head) % 4)


@row
def seal_files_that_stay(d):
    files = [open(shared(n), "rb").read() for n in ("vmlinuz", "initrd.img", "garbage")]
    before = listing(os.path.dirname(shared("vmlinuz")))
    made = signet("seal", "--key", shared("alice.key"), "--key", shared("bob.key"), "-o", "x.seal", "-N", "web", "--product", "acme",
                  "--counter", "7", "--kernel", shared("vmlinuz"), "--initrd", shared("initrd.img"),
                  "--initrd", shared("garbage") + " /opt/site/extra.bin mode=755 mkdir=1", "--cmdline", "quiet ro", "--allow", "console=*",
                  "--allow", "ip=* single", cwd=d)
    check(before == listing(os.path.dirname(shared("vmlinuz"))), "inputs were changed")
    front = entry("opt/site", 0o40755, 0) + entry("opt/site/extra.bin", 0o100755, len(files[2]))
    seen = check_seal(os.path.join(d, "x.seal"), files, {2: front})
    check(seen[1] == [b"web"] and seen[2] == [b"acme"] and seen[5] == [b"quiet ro"] and seen[10] == [b"console=* ip=* single"], str(seen))
    check([struct.unpack_from("<I", p)[0] for p in seen[6]] == [1, 2, 2], "kinds")
    check(struct.unpack_from("<QQII", seen[6][0], 24) == (0x1000000, 8 << 20, 0x200000, 2048), "the kernel's wishes")
    check(fields(made.stdout)["allowed arguments"] == "console=* ip=* single", made.stdout)
    check(fields(made.stdout)["signatures"] == "2", made.stdout)


@row
def seal_defaults(d):
    data = kernel()
    write(os.path.join(d, "vmlinuz"), data)
    write(os.path.join(d, "an initrd"), b"x")
    write(os.path.join(d, "tool"), b"y" * 4096)
    signet("seal", "--key", shared("alice.key"), "--kernel", "vmlinuz", "--initrd", "an initrd", "--initrd", "tool t", cwd=d)
    seen = check_seal(os.path.join(d, "vmlinuz.seal"), [data, b"x", b"y" * 4096], {2: entry("t", 0o100644, 4096)})
    check(seen[1] == [b"vmlinuz"] and 5 not in seen and 10 not in seen, str(seen))
    # Every folder; chunks that are as small as pages; files that end with a chunk.
    signet("seal", "--key", shared("alice.key"), "-o", "y", "--kernel", "vmlinuz", "--initrd", "tool //a/b/c mkdir=-1", "--initrd", "tool",
           "--chunk-size", "4096", cwd=d)
    front = entry("a", 0o40755, 0) + entry("a/b", 0o40755, 0) + entry("a/b/c", 0o100644, 4096)
    check_seal(os.path.join(d, "y"), [data, b"y" * 4096, b"y" * 4096], {1: front})
    # A ramdisk, an application, a bootstrap program.
    signet("seal", "--key", shared("alice.key"), "-o", "z", "--kernel", "vmlinuz", "-i", "tool", "-s", "2", cwd=d)
    seen = check_seal(os.path.join(d, "z"), [data, b"y" * 4096], {})
    check(struct.unpack_from("<I28xQ", seen[6][1]) == (3, 2 << 20), "ramdisk")
    write(os.path.join(d, "app.efi"), application())
    signet("seal", "--key", shared("alice.key"), "--efi", "app.efi", "--cmdline", "a", "--allow", "b", cwd=d)
    seen = check_seal(os.path.join(d, "app.efi.seal"), [application()], {})
    check(seen[4] == [struct.pack("<I", 4)] and seen[5] == [b"a"] and seen[10] == [b"b"], str(seen))
    signet("seal", "--key", shared("alice.key"), "--nbp", "tool", cwd=d)
    check(check_seal(os.path.join(d, "tool.seal"), [b"y" * 4096], {})[4] == [struct.pack("<I", 6)], "nbp")


@row
def seal_refuses(d):
    write(os.path.join(d, "vmlinuz"), kernel())
    write(os.path.join(d, "app.efi"), application())
    write(os.path.join(d, "Image.gz"), gzip.compress(kernel(), mtime=0))
    zboot = bytearray(256)
    zboot[:8], zboot[24:28] = b"MZ\0\0zimg", b"gzip"
    struct.pack_into("<II", zboot, 8, 64, 100)
    write(os.path.join(d, "zboot"), bytes(zboot))
    key = ("seal", "--key", shared("alice.key"))
    for args, says in ((("Image.gz",), "Image.gz: is compressed by gzip, .*as it lies there; unpack it there first: gzip -dc Image.gz >Image"),
                       (("zboot",), "zboot: is an EFI zboot kernel, compressed by gzip; unpack it on the server first: .* gzip -dc"),
                       (("missing",), "missing: No such file"), ((shared("garbage"),), "garbage: is not a Linux bzImage"),
                       (("app.efi",), "--efi makes"), (("vmlinuz", "-o", "vmlinuz"), "vmlinuz: is one of the inputs"),
                       (("vmlinuz", "--cmdline", "c" * 2047), "--cmdline: 2047 characters"),
                       (("vmlinuz", "--initrd", shared("empty")), "empty: is empty"),
                       (("vmlinuz", "--initrd", "app.efi ../x"), "../x: is no path"), (("vmlinuz", "--initrd", "app.efi a//b"), "a//b: is no path"),
                       (("vmlinuz", "--initrd", "app.efi " + "a/" * 30 + "b mkdir=-1"), "is too long: its heads have more than 4096 bytes")):
        refuses(*key, "--kernel", *args, says=says, cwd=d)
    for text, says in (("", '"" is empty'), (" ", "blank too many"), ("a  b", "blank too many"), ("a ", "blank too many"), ("*", "in the name"),
                       ("con*=x", "in the name"), ("a=b c*", "in the name"), ('a="x"', 'character that no pattern'), ("a=\t", "character"),
                       ("a=\N{SNOWMAN}", "character"), ("a=" + "x" * 2046, "2047 characters")):
        refuses(*key, "--kernel", "vmlinuz", "--allow", text, says="--allow: .*" + says, status=2, cwd=d)
        refuses("mkimage", *key[1:], "-o", "img", "--kernel", "vmlinuz", "--allow", text, says="--allow: .*" + says, status=2, cwd=d)
    for args, says in (((), "--kernel, --efi or --nbp is needed"), (("-i", "vmlinuz"), "--kernel, --efi or --nbp is needed"),
                       (("--nbp", "vmlinuz", "--allow", "x"), "--allow: is of no use"), (("--kernel", "vmlinuz", "more"), "more: not expected"),
                       (("--efi", "app.efi", "--initrd", "x"), "alone"), (("--kernel", "vmlinuz", "-s", "4"), "-s: is the size"),
                       (("--kernel", "vmlinuz", "--chunk-size", "5000"), "power of two")):
        refuses(*key, *args, says=says, status=2, cwd=d)
    for text in ("mode=8", "mode=", "mode=10000", "mkdir=-2", "mkdir=", "y", "Mode=1"):
        refuses(*key, "--kernel", "vmlinuz", "--initrd", "app.efi x " + text, says="--initrd: .*is not understood: FILE, or FILE PATH", cwd=d)
    refuses("seal", "--kernel", "vmlinuz", says="no --key given", status=2, cwd=d)


@row
def seal_disk_full(d):
    refuses("seal", "--key", shared("alice.key"), "-o", "x", "--kernel", shared("vmlinuz"), says="File too large", limit=400, cwd=d)


@row
def mkimage_allows_arguments(d):
    signet("mkimage", "-o", "img", "--key", shared("alice.key"), "--kernel", shared("vmlinuz"), "--allow", "console=*", "--allow", "single", cwd=d)
    f = fields(signet("lookimage", "--trust", shared("alice.pub"), "img", cwd=d).stdout)
    check(f["result"] == "intact, trusted", str(f))


@row
def a_detached_seal_is_no_image(d):
    signet("seal", "--key", shared("alice.key"), "-o", "x.seal", "--kernel", shared("vmlinuz"), cwd=d)
    refuses("bootserver", "x.seal", says="x.seal: a detached seal", cwd=d)


@row
def lookimage_of_a_detached_seal(d):
    files = {"vmlinuz": kernel(), "initrd.img": b"i" * 200000, "tool": b"t" * 70000}
    for name, data in files.items():
        write(os.path.join(d, name), data)
    signet("seal", "--key", shared("alice.key"), "--kernel", "vmlinuz", "--initrd", "initrd.img", "--initrd", "tool opt/tool mode=755", "--allow",
           "ip=*", "--counter", "3", cwd=d)
    look = ("lookimage", "--trust", shared("alice.pub"))
    f = fields(signet(*look, "vmlinuz.seal", cwd=d).stdout)
    for name, value in (("allowed arguments", "ip=*"), ("part 1 file sha-256", hashlib.sha256(files["initrd.img"]).hexdigest()),
                        ("part 2 becomes file", "/opt/tool"), ("part 2 with mode", "0755"), ("file 0 state", "ok"), ("file 2 size", "70000"),
                        ("check files", "ok"), ("result", "intact, trusted")):
        check(f.get(name) == value, f"{name} = {f.get(name)!r}, expected {value!r}")
    # From another folder; files elsewhere.
    os.mkdir(os.path.join(d, "else"))
    check(fields(signet(*look, os.path.join(d, "vmlinuz.seal")).stdout)["result"] == "intact, trusted", "by a path")
    shutil.move(os.path.join(d, "vmlinuz.seal"), os.path.join(d, "else/x.seal"))
    refuses_look(d, "else/x.seal", 1, r"file 0 state = missing \(G04\)")
    signet(*look, "--files", ".", "else/x.seal", cwd=d)
    signet(*look, "-s", "else/x.seal", cwd=d)
    # Each fault of a file, by its name.
    for change, says in ((lambda p: flip(p, p, 199999), r"file 1 state = 1 of 4 chunks do not match .*, the first one at byte 196608 \(S16\)"),
                         (lambda p: flip(p, p, 0), r"file 1 state = 1 of 4 .* at byte 0 \(S16\)"),
                         (lambda p: write(p, files["initrd.img"][:-3]), r"file 1 state = ends 3 bytes too early \(G09\)"),
                         (lambda p: write(p, files["initrd.img"] + b"xy"), r"file 1 state = goes on for 2 bytes behind .* \(S19\)"),
                         (lambda p: os.unlink(p), r"file 1 state = missing \(G04\)"), (os.mkdir, r"file 1 state = cannot be read: .*\(G08\)")):
        path = os.path.join(d, "initrd.img")
        change(path)
        done = refuses_look(d, "else/x.seal", 1, says, *look[1:], "--files", d)
        for line in ("file 0 state = ok", "file 2 state = ok", "1 of 3 are not as they were sealed"):
            check(line in done.stdout, f"{line!r} is not in {done.stdout!r}")
        if os.path.isfile(path):
            write(path, files["initrd.img"])
    refuses_look(d, "else/x.seal", 1, r"check policy = .*\(S13\)", *look[1:], "--floor", "4", "--files", d)
    signet("mkimage", "-o", "img", "--key", shared("alice.key"), "--kernel", "vmlinuz", cwd=d)
    refuses_look(d, "img", 2, r"img: no detached seal, but an image: --files is not for it \(S21\)", *look[1:], "--files", ".")
