# SPDX-License-Identifier: MPL-2.0
"""The rows of ci/check/cli about mkimage and lookimage."""
import json
import os
import random
import shutil
import signal
import struct
import subprocess
import time

from cli_base import (application, fields, flip, kernel, memory, on_terminal, openssl, refuses, refuses_look, rest_of_terminal, same,
    shared, signet, write)
from rows import SIGNET, Skip, check, row


@row
def mkimage_and_lookimage(d):
    signet("mkimage", "-o", "img", "--key", shared("alice.key"), "--key", shared("bob.key"), "-N", "node-7", "--product", "acme",
           "--counter", "0x10", "--kernel", shared("vmlinuz"), "--initrd", shared("initrd.img"), "--initrd", shared("garbage"),
           "--cmdline", "a=b c", "-i", shared("garbage"), "--dataset", "rpool/x", cwd=d)
    done = signet("lookimage", "--trust", shared("alice.pub"), "--trust", shared("bob.pub"), "--threshold", "2", "--floor", "16",
                  "--product", "acme", "img", cwd=d)
    f = fields(done.stdout)
    for name, value in (("image name", "node-7"), ("product", "acme"), ("counter", "16"), ("command line", "a=b c"),
                        ("part 0 kind", "kernel"), ("part 0 split", "2048"), ("part 0 address", "0x1000000"),
                        ("part 0 memory", str(8 << 20)), ("part 1 name", "initrd.img"), ("part 1 size", "500001"),
                        ("part 3 kind", "ramdisk"), ("dataset name", "rpool/x"), ("signature 0 state", "good"),
                        ("signature 1 algorithm", "ecdsa-p384"), ("check chunks", "ok"), ("result", "intact, trusted")):
        check(f.get(name) == value, f"{name} = {f.get(name)!r}, expected {value!r}")


@row
def mkimage_is_deterministic(d):
    args = ("--kernel", shared("vmlinuz"), "--initrd", shared("initrd.img"), "--cmdline", "x")
    for name in ("a", "b"):
        signet("mkimage", "-o", name, "--unsigned", *args, cwd=d)
        time.sleep(0.01)
    with open(os.path.join(d, "a"), "rb") as a, open(os.path.join(d, "b"), "rb") as b:
        check(a.read() == b.read(), "two runs differ")
    ids = {fields(signet("mkimage", "-o", "s", "--key", shared("alice.key"), *args, cwd=d).stdout)["image id"] for _ in range(2)}
    check(len(ids) == 1, f"image ids {ids}")


@row
def mkimage_default_name(d):
    shutil.copy(shared("vmlinuz"), os.path.join(d, "my kernel\N{SNOWMAN}.bz"))
    done = signet("mkimage", "-o", "img", "--unsigned", "--kernel", "my kernel\N{SNOWMAN}.bz", cwd=d)
    check(fields(done.stdout)["image name"] == "my-kernel---.bz", done.stdout)
    refuses_look(d, "img", 1, "carries no signature")


@row
def mkimage_data_image(d):
    signet("mkimage", "-o", "img", "--key", shared("alice.key"), "-i", shared("garbage"), "-s", "16", cwd=d)
    f = fields(signet("lookimage", "--trust", shared("alice.pub"), "img", cwd=d).stdout)
    check(f["target"] == "data" and f["part 0 memory"] == str(16 << 20), str(f))
    refuses("mkimage", "-o", "img2", "--key", shared("alice.key"), "-i", shared("big.img"), "-s", "1", says="does not fit", cwd=d)


@row
def mkimage_efi_applications(d):
    write(os.path.join(d, "app.efi"), application())
    write(os.path.join(d, "arm.efi"), application(machine=0xaa64))
    write(os.path.join(d, "uki.efi"), application(section=b".linux", size=40960))
    base = ("mkimage", "-o", "img", "--key", shared("alice.key"))
    for args, target, memory in ((("--efi", "app.efi"), "efi-x64", "24576"), (("--efi", "arm.efi", "--cmdline", "a b"), "efi-arm64", "24576"),
                                 (("--kernel", "uki.efi"), "efi-x64", "40960"), (("--efi", "uki.efi"), "efi-x64", "40960")):
        made = fields(signet(*base, *args, cwd=d).stdout)
        seen = fields(signet("lookimage", "--trust", shared("alice.pub"), "img", cwd=d).stdout)
        check(made["target"] == seen["target"] == target, f"{args}: {made} {seen}")
        check(seen["part 0 kind"] == "application" and seen["part 0 memory"] == memory, f"{args}: {seen}")
        check(seen.get("command line") == ("a b" if "--cmdline" in args else None), f"{args}: {seen}")
    os.unlink(os.path.join(d, "img"))
    write(os.path.join(d, "driver.efi"), application(subsystem=11))
    write(os.path.join(d, "ia32.efi"), application(machine=0x14c))
    write(os.path.join(d, "cut.efi"), application()[:-1])
    for args, says in ((("--kernel", "app.efi"), "app.efi: is an EFI application and no kernel; --efi"),
                       (("--kernel", "uki.efi", "--initrd", "app.efi"), "uki.efi: .*brings its own initrd"),
                       (("--kernel", "uki.efi", "-i", "app.efi"), "uki.efi: .*nothing can be added"),
                       (("--efi", "missing"), "missing: No such file"), (("--efi", shared("garbage")), "garbage: is not an EFI application"),
                       (("--efi", "driver.efi"), "driver.efi: is not an EFI"), (("--efi", "cut.efi"), "cut.efi: .*ends too early"),
                       (("--efi", "ia32.efi"), "ia32.efi: .*does not run on .machine 0x14c")):
        refuses(*base, *args, says=says, cwd=d)
    for args in (("--kernel", "uki.efi"), ("--initrd", "app.efi"), ("-i", "app.efi")):
        refuses(*base, "--efi", "app.efi", *args, says="--efi: an EFI application is alone", status=2, cwd=d)


@row
def mkimage_bootstrap_programs(d):
    most = 0x7c000  # doc/phase2-format.md: NBP_SIZE_MAX
    for name, data in (("pxelinux.0", b"\xeb\xfe" * 20000), ("most", b"\x90" * most), ("more", b"\x90" * (most + 1)),
                       ("app.efi", application()), ("bzimage", kernel())):
        write(os.path.join(d, name), data)
    base = ("mkimage", "-o", "img", "--key", shared("alice.key"))
    for name, size in (("pxelinux.0", 40000), ("most", most)):
        made = fields(signet(*base, "--nbp", name, cwd=d).stdout)
        seen = fields(signet("lookimage", "--trust", shared("alice.pub"), "img", cwd=d).stdout)
        check(made["target"] == seen["target"] == "nbp" and made["starts in"] == "BIOS", f"{made} {seen}")
        check(seen["image name"] == seen["part 0 name"] == name and seen["part 0 size"] == str(size), str(seen))
        check(seen["part 0 kind"] == "application" and "part 0 memory" not in seen and "command line" not in seen, str(seen))
    signet(*base[:3], "--unsigned", "--nbp", "most", cwd=d)
    refuses_look(d, "img", 1, "carries no signature")
    os.rename(os.path.join(d, "img"), os.path.join(d, "sealed"))
    for name, says in (("more", f"more: has {most + 1} bytes, and base memory has room for {most} "), (shared("empty"), "empty: is empty"),
                       ("app.efi", "app.efi: is an EFI application; --efi"), ("bzimage", "bzimage: is a Linux kernel; --kernel"),
                       ("sealed", "sealed: is an image already"), ("missing", "missing: No such file")):
        refuses(*base, "--nbp", name, says=says, cwd=d)
    for args, says in ((("--kernel", "bzimage"), "--nbp: a network bootstrap program is alone"), (("-i", "most"), "--nbp: a network boot"),
                       (("--initrd", "most"), "--nbp: a network boot"), (("--efi", "app.efi"), "--efi: an EFI application is alone"),
                       (("--cmdline", "quiet"), "--cmdline: is of no use")):
        refuses(*base, "--nbp", "most", *args, says=says, status=2, cwd=d)


@row
def mkimage_bad_inputs(d):
    base = ("mkimage", "-o", "img", "--key", shared("alice.key"))
    write(os.path.join(d, "short"), kernel()[:700])
    write(os.path.join(d, "old"), kernel(version=0x0204))
    write(os.path.join(d, "cut"), kernel()[:100000])
    write(os.path.join(d, "nomagic"), kernel(magic=b"sRdH"))
    write(os.path.join(d, "smallcmd"), kernel(cmdline_size=255))
    os.mkdir(os.path.join(d, "folder"))
    os.mkfifo(os.path.join(d, "pipe"))
    for args, says in (
            (("--kernel", "missing"), "missing: No such file"), (("--kernel", "folder"), "folder: is a folder"),
            (("--kernel", "pipe"), "pipe: is not a regular"), (("--kernel", "/dev/zero"), "/dev/zero: is not a regular"),
            (("--kernel", shared("empty")), "empty: is empty"), (("--kernel", shared("garbage")), "garbage: is not a Linux bzImage"),
            (("--kernel", "nomagic"), "nomagic: is not a Linux bzImage"), (("--kernel", "short"), "short: is not a Linux bzImage"),
            (("--kernel", "old"), "old: .*too old"), (("--kernel", "cut"), "cut: .*ends too early"),
            (("--kernel", "smallcmd", "--cmdline", "c" * 200), "--cmdline: 200 characters.*255"),
            (("--kernel", shared("vmlinuz"), "--initrd", "missing"), "missing: No such file"),
            (("--kernel", shared("vmlinuz"), "--initrd", "folder"), "folder: is a folder"),
            (("--kernel", shared("vmlinuz"), "--initrd", shared("empty")), "empty: is empty"),
            (("--kernel", shared("vmlinuz"), *["--initrd", shared("garbage")] * 16), "one part too many"),
            (("--kernel", shared("vmlinuz"), *["-i", shared("garbage")] * 5), "one ramdisk too many"),
            (("-i", "missing"), "missing: No such file"), (("-i", shared("empty")), "empty: is empty"),
    ):
        refuses(*base, *args, says=says, cwd=d)


@row
def mkimage_bad_keys(d):
    write(os.path.join(d, "broken.key"), b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n")
    openssl("genpkey", "-algorithm", "ed25519", "-out", "ed.key", cwd=d)
    openssl("pkey", "-in", shared("alice.key"), "-aes256", "-passout", "pass:x", "-out", "locked.key", cwd=d)
    os.mkdir(os.path.join(d, "folder"))
    write(os.path.join(d, "huge"), bytes(70000))
    for key, says in (("missing", "missing: No such"), ("folder", "folder: is a folder"), (shared("rsa.key"), "rsa.key: .*wrong kind \\(RSA"),
                      (shared("p521.key"), "p521.key: .*wrong kind .*secp521r1"), ("ed.key", "ed.key: .*wrong kind"),
                      (shared("alice.pub"), "alice.pub: is a public key"), (shared("garbage"), "garbage: is not a private key"),
                      (shared("empty"), "empty: is not a private key"), ("broken.key", "broken.key: .*damaged"),
                      ("locked.key", "locked.key: has a passphrase"), ("huge", "huge: is larger than")):
        refuses("mkimage", "-o", "img", "--key", key, "--kernel", shared("vmlinuz"), says=says, cwd=d)
    refuses("mkimage", "-o", "img", "--key", shared("alice.key"), "--key", shared("alice.key"), "--kernel", shared("vmlinuz"),
            says="is the same key", cwd=d)


@row
def mkimage_bad_outputs(d):
    base = ("--key", shared("alice.key"), "--kernel", shared("vmlinuz"))
    os.mkdir(os.path.join(d, "folder"))
    os.symlink("nowhere", os.path.join(d, "dangling"))
    os.mkfifo(os.path.join(d, "pipe"))
    for out, says in (("folder", "folder: is a folder"), ("folder/", "not the name of a file"), ("no/folder/img", "No such file"),
                      ("/dev/null", "/dev/null: is not a regular"), ("pipe", "pipe: is not a regular"), ("dangling", "dangling: No such"),
                      ("", "not the name of a file"), (shared("garbage") + "/x", "Not a directory")):
        refuses("mkimage", "-o", out, *base, says=says, cwd=d)


@row
def output_is_replaced_whole(d):
    base = ("--key", shared("alice.key"), "--kernel", shared("vmlinuz"))
    path = write(os.path.join(d, "img"), b"old")
    os.chmod(path, 0o640)
    inode = os.stat(path).st_ino
    os.symlink("img", os.path.join(d, "link"))
    signet("mkimage", "-o", "link", *base, cwd=d)
    check(os.path.islink(os.path.join(d, "link")), "the link was replaced, not what it points to")
    check(os.stat(path).st_ino != inode, "written in place")
    check(os.stat(path).st_mode & 0o777 == 0o640, f"mode {os.stat(path).st_mode:o}")
    check(sorted(os.listdir(d)) == ["img", "link"], str(os.listdir(d)))
    refuses("mkimage", "-o", "img", "--key", shared("alice.key"), "--kernel", shared("garbage"), says="bzImage", cwd=d)


@row
def file_size_limit(d):
    before = write(os.path.join(d, "img"), b"old")
    refuses("mkimage", "-o", "img", "--key", shared("alice.key"), "--kernel", shared("vmlinuz"), "--initrd", shared("initrd.img"),
            says="img: File too large", limit=100000, cwd=d)
    with open(before, "rb") as f:
        check(f.read() == b"old", "the old file is damaged")
    refuses("mkimage", "-o", "ox", "--unsigned", "-i", shared("initrd.img"), says="ox: File too large", limit=100000, cwd=d)
    refuses("keygen", "-o", "k", says="k.key: File too large", limit=0, cwd=d)
    refuses("embed", shared("bare"), "-o", "nbp", "--clear", "--trust", shared("alice.pub"), says="nbp: File too large", limit=1000, cwd=d)


@row
def file_size_limit_anywhere(d):
    # Out of room at each step of writing: seal, list, payload, and what embed and the Oxide writer write.
    jobs = [("mkimage", "-o", "img", "--key", shared("alice.key"), "--kernel", shared("vmlinuz"), "--chunk-size", "4096"),
            ("mkimage", "-o", "ox", "--unsigned", "-i", shared("vmlinuz")),
            ("mkimage", "-o", "oz", "--unsigned", "-i", shared("vmlinuz"), "-z"),
            ("embed", shared("bare"), "-o", "nbp", "--clear", "--trust", shared("alice.pub"), "--script", shared("script.ipxe"))]
    for job in jobs:
        signet(*job, cwd=d)
        path = os.path.join(d, job[2] if job[0] == "mkimage" else "nbp")
        size = os.path.getsize(path)
        for limit in sorted({0, 1, 63, 500, 4095, 4096, 4097, size // 3, size // 2, size - 4096, size - 1} - {size}):
            if limit < size:
                refuses(*job, says="File too large", limit=limit, cwd=d)
        signet(*job, limit=size, cwd=d)


@row
def full_disk(d):
    mount = os.path.join(d, "small")
    os.mkdir(mount)
    # A file system of 256 KiB in a mount namespace of its own; as an ordinary user through a user namespace.
    def inside(*args):
        script = f"mount -t tmpfs -o size=256k none {mount} && cd {mount} && \"$@\"; s=$?; echo files=$(ls -A {mount} | wc -l); exit $s"
        how = ["unshare", "-m"] if os.getuid() == 0 else ["unshare", "-rm"]
        return subprocess.run([*how, "sh", "-c", script, "sh", *args], capture_output=True, text=True, stdin=subprocess.DEVNULL)
    probe = inside("true")
    if probe.returncode != 0 or "files=0" not in probe.stdout:
        raise Skip(f"no small file system to be had: {probe.stderr.strip()[:80]}")
    for args in (("mkimage", "-o", "img", "--key", shared("alice.key"), "--kernel", shared("vmlinuz")),
                 ("mkimage", "-o", "ox", "--unsigned", "-i", shared("vmlinuz"))):
        done = inside(SIGNET, *args)
        check(done.returncode == 1, f"{args}: status {done.returncode} {done.stderr!r}")
        check("No space left on device" in done.stderr and len(done.stderr.splitlines()) == 1, done.stderr)
        check("files=0" in done.stdout, f"left behind: {done.stdout!r}")


@row
def killed_in_the_middle(d):
    # Something large enough to be caught at; the signal must take the half-written file along.
    os.truncate(write(os.path.join(d, "raw"), b"x"), 3 << 30)
    for sig in (signal.SIGTERM, signal.SIGINT):
        process = subprocess.Popen([SIGNET, "mkimage", "-o", "img", "--unsigned", "-i", "raw", "-z"], cwd=d,
                                   stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        for _ in range(500):
            if len(os.listdir(d)) > 1 or process.poll() is not None:
                break
            time.sleep(0.005)
        check(process.poll() is None, "it was done before the signal")
        process.send_signal(sig)
        check(process.wait(20) == -sig, f"status {process.returncode}")
        process.stderr.close()
        check(os.listdir(d) == ["raw"], f"left behind: {os.listdir(d)}")


@row
def holes_are_zeros(d):
    # The same bytes, once with holes and once without, give the same image in both formats.
    rng = random.Random(8)
    size = (9 << 20) + 12345
    data = bytearray(size)
    for _ in range(12):
        at = rng.randrange(size - 9000)
        data[at:at + 9000] = rng.randbytes(9000)
    for folder in ("dense", "sparse"):
        os.mkdir(os.path.join(d, folder))
    write(os.path.join(d, "dense/raw"), data)
    with open(os.path.join(d, "sparse/raw"), "wb") as f:
        for at in range(0, size, 4096):
            if any(data[at:at + 4096]):
                f.seek(at)
                f.write(data[at:at + 4096])
        f.truncate(size)
    check(same(os.path.join(d, "dense/raw"), os.path.join(d, "sparse/raw")), "the row itself")
    for name, args in (("seal", ("--kernel", shared("vmlinuz"), "--chunk-size", "65536")), ("oxide", ()), ("packed", ("-z",))):
        for kind in ("dense", "sparse"):
            raw = os.path.join(d, kind, "raw")  # one name, since it goes into the image
            signet("mkimage", "-o", f"{name}-{kind}", "--unsigned", "-i", raw, *args, cwd=d)
        check(same(os.path.join(d, name + "-dense"), os.path.join(d, name + "-sparse")), f"{name}: holes make a difference")
    check("check chunks = ok" in signet("lookimage", "seal-sparse", cwd=d, status=1).stdout, "lookimage")
    signet("lookimage", "packed-sparse", cwd=d)


@row
def large_sparse_image(d):
    # 5 GiB of nothing: offsets beyond 32 bits, memory flat, output sparse.
    os.truncate(write(os.path.join(d, "raw"), b"begin"), 5 << 30)
    with open(os.path.join(d, "raw"), "r+b") as f:
        f.seek((5 << 30) - 3)
        f.write(b"end")
    limits = [] if "test64" in os.environ.get("SIGNET", "") else ["prlimit", f"--as={64 << 20}"]  # sanitizers need more
    done = subprocess.run([*limits, SIGNET, "mkimage", "-o", "img", "--unsigned", "--kernel", shared("vmlinuz"),
                           "-i", "raw", "--chunk-size", str(1 << 20)], cwd=d, capture_output=True, text=True)
    check(done.returncode == 0, f"in 64 MiB of address space: {done.returncode} {done.stderr}")
    st = os.stat(os.path.join(d, "img"))
    check(st.st_blocks * 512 < 64 << 20, f"{st.st_blocks * 512} bytes on disk")
    done = signet("lookimage", "-s", "img", cwd=d, status=1)
    check(fields(done.stdout)["part 1 size"] == str(5 << 30), done.stdout)
    with open(os.path.join(d, "img"), "rb") as f:
        f.seek(-4096, 2)
        check(f.read().rstrip(b"\0").endswith(b"end"), "the end is not there")


@row
def output_is_not_an_input(d):
    for name in ("alice.key", "vmlinuz", "initrd.img"):
        shutil.copy(shared(name), d)
    for out in ("alice.key", "vmlinuz", "./initrd.img", d + "/vmlinuz"):
        refuses("mkimage", "-o", out, "--key", "alice.key", "--kernel", "vmlinuz", "--initrd", "initrd.img", says="is one of the inputs", cwd=d)
    refuses("mkimage", "-o", "vmlinuz", "--unsigned", "-i", "vmlinuz", says="is one of the inputs", cwd=d)


@row
def passphrase_is_asked_for(d):
    openssl("pkey", "-in", shared("alice.key"), "-aes256", "-passout", "pass:open sesame", "-out", "locked.key", cwd=d)
    for word, status in (("open sesame", 0), ("wrong", 1)):
        pid, terminal = on_terminal("mkimage", "-o", "img", "--key", "locked.key", "--kernel", shared("vmlinuz"), cwd=d)
        said = b""
        try:
            while b"pass phrase" not in said and b"passphrase" not in said:
                said += os.read(terminal, 1000)
            os.write(terminal, word.encode() + b"\n")
        except OSError:  # the other end is closed
            pass
        rest, code = rest_of_terminal(pid, terminal)
        said += rest
        check(code == status, f"{word!r}: status {code}, {said!r}")
        check(status == 0 or b"wrong passphrase" in said, repr(said))
    signet("lookimage", "--trust", shared("alice.pub"), "img", cwd=d)


@row
def lookimage_trust(d):
    image = shared("small.img")
    signet("lookimage", "--trust", shared("alice.pub"), image)
    for args, says in (((), "no key given"), (("--trust", shared("bob.pub")), "signed by no trusted key"),
                       (("--trust", shared("alice.pub"), "--trust", shared("bob.pub"), "--threshold", "2"), "too few"),
                       (("--trust", shared("alice.pub"), "--floor", "6"), "counter below"),
                       (("--trust", shared("alice.pub"), "--product", "acme"), "another product")):
        done = signet("lookimage", *args, image, status=1)
        result = fields(done.stdout)["result"]
        check("intact" in result and "UNTRUSTED" in result and says in result, f"{args}: {result}")
        report = json.loads(signet("lookimage", "--json", *args, image, status=1).stdout)
        check(says in report["result"], str(report["result"]))


@row
def lookimage_bad_keys(d):
    for key, says in (("missing", "missing: No such"), (shared("rsa.pub"), "wrong kind \\(RSA"), (shared("p521.pub"), "wrong kind"),
                      (shared("alice.key"), "is a private key"), (shared("garbage"), "is not a public key"), (d, "is a folder")):
        refuses("lookimage", "--trust", key, shared("small.img"), says=says, status=2, cwd=d)


@row
def lookimage_unreadable(d):
    for image, says in (("missing", "missing: No such"), (d, "is a folder"), (shared("garbage"), "neither a phase-2 image"),
                        (shared("empty"), "empty: .*neither"), ("/dev/zero", "not a regular")):
        refuses("lookimage", image, says=says, status=2, cwd=d)


def layout(image):
    """Sizes of head, body, table; offsets of list and payload; chunk size and count."""
    with open(image, "rb") as f:
        head = f.read(64)
        body, = struct.unpack_from("<I", head, 12)
        chunk, count = struct.unpack_from("<II", head, 16)
        payload_size, = struct.unpack_from("<Q", head, 24)
        f.seek(64 + body + 8)
        table, = struct.unpack("<I", f.read(4))
    at = 64 + body + table
    payload = os.path.getsize(image) - payload_size
    return {"body": 64, "table": 64 + body, "list": at, "list_end": at + 32 * count, "payload": payload, "chunk": chunk, "count": count}


@row
def lookimage_damage(d):
    source, image = shared("small.img"), os.path.join(d, "img")
    where = layout(source)
    for name, offset, says in (("head", 40, "signature does not match"), ("body", where["body"] + 12, "signature does not match"),
                               ("signature", where["list"] - 10, "signature does not match"), ("list", where["list"] + 5, "chunk list"),
                               ("chunk 0", where["payload"], "chunk does not match"),
                               ("last byte", os.path.getsize(source) - 1, "chunk does not match"),
                               ("padding", where["list_end"], "padding is not zero")):
        flip(source, image, offset)
        done = refuses_look(d, "img", 1, says)
        check(fields(done.stdout)["result"].startswith("DAMAGED"), f"{name}: {done.stdout[-200:]}")
    # Every damaged chunk is named.
    data = bytearray(open(source, "rb").read())
    bad = [0, 3, 4, where["count"] - 1]
    for chunk in bad:
        data[where["payload"] + chunk * where["chunk"] + 7] ^= 0x80
    write(image, data)
    report = json.loads(refuses_look(d, "img", 1, "", "--json", "--trust", shared("alice.pub")).stdout)
    check([c["chunk"] for c in report["damaged_chunks"]] == bad, str(report["damaged_chunks"]))
    check(report["damaged_chunks"][0]["parts"] == "vmlinuz", str(report["damaged_chunks"][0]))
    f = fields(refuses_look(d, "img", 1, "").stdout)
    check(f["check chunks"].startswith(f"4 of {where['count']} damaged"), f["check chunks"])
    check(f["damaged 2 chunk"] == "4", str(f))
    # With -s the payload is not looked at.
    signet("lookimage", "-s", "--trust", shared("alice.pub"), "img", cwd=d)


@row
def lookimage_truncated(d):
    source = shared("small.img")
    data = open(source, "rb").read()
    where = layout(source)
    for length, status in ((1, 2), (7, 2), (8, 1), (63, 1), (64, 1), (where["table"], 1), (where["list"] - 1, 1), (where["list"], 1),
                           (where["list_end"] - 1, 1), (where["payload"], 1), (where["payload"] + 5, 1), (len(data) - 1, 1)):
        write(os.path.join(d, "img"), data[:length])
        refuses_look(d, "img", status, "ends too early|neither|damaged")
    write(os.path.join(d, "img"), data[:where["payload"] + where["chunk"] + 5])
    report = json.loads(refuses_look(d, "img", 1, "", "--json").stdout)
    states = [c["state"] for c in report["damaged_chunks"]]
    check(states[0] == "cut off" and set(states[1:]) == {"missing"} and len(states) == where["count"] - 1, str(states))
    write(os.path.join(d, "img"), data + b"x")
    refuses_look(d, "img", 1, "1 bytes too many")


@row
def lookimage_random_damage(d):
    # Whatever byte is changed, it ends with 1 or 2 and never as intact.
    source = open(shared("small.img"), "rb").read()
    rng = random.Random(42)
    where = layout(shared("small.img"))
    for _ in range(120):
        data = bytearray(source)
        offset = rng.randrange(where["payload"]) if rng.random() < 0.8 else rng.randrange(len(data))
        data[offset] ^= 1 << rng.randrange(8)
        write(os.path.join(d, "img"), data)
        done = subprocess.run([SIGNET, "lookimage", "--trust", shared("alice.pub"), "img"], cwd=d, capture_output=True, text=True)
        check(done.returncode in (1, 2), f"byte {offset}: status {done.returncode}")
