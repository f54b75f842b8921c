# SPDX-License-Identifier: MPL-2.0
"""The rows of ci/check/cli about Oxide's form and about embed."""
import hashlib
import json
import os
import random
import shutil
import struct

from cli_base import artefact, fields, flip, refuses, refuses_look, shared, signet, write
from rows import check, row


@row
def oxide_form(d):
    raw = write(os.path.join(d, "raw"), random.Random(6).randbytes(70000) + bytes(200000))
    digest = hashlib.sha256(open(raw, "rb").read()).hexdigest()
    signet("mkimage", "-o", "img", "--unsigned", "-i", "raw", "-N", "testing-tar", "-O", "sum", cwd=d)
    done = signet("lookimage", "img", cwd=d)
    check(done.stdout == f"""image name = testing-tar
flags = 0x0 ((empty))
data size = 270000
image size = 270000
target size = 4294967296
image sum = {digest}
dataset name = rpool/ROOT/ramdisk
""", done.stdout)
    with open(os.path.join(d, "img"), "rb") as f:
        head = f.read(4096)
        check(struct.unpack_from("<IIQQQQ", head) == (0x1deb0075, 2, 0, 270000, 270000, 4 << 30), head[:40].hex())
        check(f.read() == open(raw, "rb").read(), "data")
    check(open(os.path.join(d, "sum"), "rb").read().hex() == digest, "sum file")
    signet("mkimage", "-o", "packed", "--unsigned", "-i", "raw", "-z", "-s", "64", "--dataset", "a/b", cwd=d)
    f = fields(signet("lookimage", "packed", cwd=d).stdout)
    check(f["flags"] == "0x1 (COMPRESSED)" and f["target size"] == str(64 << 20) and f["dataset name"] == "a/b" and
          f["ratio"] == f"{270000 / int(f['data size']):.2f}x"
          and f["image sum"] == digest and f["image name"] == "raw", str(f))
    check(json.loads(signet("lookimage", "--json", "packed", cwd=d).stdout)["result"] == "intact", "json")
    signet("lookimage", "-s", "packed", cwd=d)
    refuses_look(d, "packed", 1, "no signatures")  # trust was asked for


@row
def oxide_bad(d):
    raw = write(os.path.join(d, "raw"), random.Random(7).randbytes(3 << 20))
    refuses("mkimage", "-o", "img", "--unsigned", "-i", "raw", "-s", "2", says="raw: has 3145728 bytes and does not fit into 2 MiB", cwd=d)
    refuses("mkimage", "-o", "img", "--unsigned", "-i", "raw", "-z", says="does not become smaller", cwd=d)
    refuses("mkimage", "-o", "img", "--unsigned", "-i", shared("empty"), says="is empty", cwd=d)
    write(raw, bytes(3 << 20))
    for name, flags in (("plain", ()), ("packed", ("-z",))):
        signet("mkimage", "-o", name, "--unsigned", "-i", "raw", *flags, cwd=d)
        good = open(os.path.join(d, name), "rb").read()
        for data, says in ((good[:4096], "too early"), (good[:-1], "too early"), (good + b"x", "behind"), (good[:100], "too early|check header"),
                           (good[:4096 + 40] + b"?" + good[4096 + 41:], "does not match|damaged|unpacks"),
                           (good[:50] + b"?" + good[51:], "does not match"), (good[:4] + b"\1" + good[5:], "version")):
            write(os.path.join(d, "bad"), data)
            refuses_look(d, "bad", 1, says, "--json")


@row
def embed_and_show(d):
    shutil.copy(shared("bare"), os.path.join(d, "bare"))
    again = ("--script", shared("script.ipxe"), "--trust", shared("alice.pub"), "--trust", shared("bob.pub"), "--threshold", "2",
             "--floor", "9", "--product", "acme")
    signet("embed", *again, "bare", "-o", "one", cwd=d)
    f = fields(signet("embed", "--show", "one", cwd=d).stdout)
    check(f["threshold"] == "2" and f["counter floor"] == "9" and f["product"] == "acme" and f["key 1 type"] == "ecdsa-p384", str(f))
    shown = json.loads(signet("embed", "--show", "--json", "one", cwd=d).stdout)
    check(shown["script"] == open(shared("script.ipxe"), encoding="ascii").read() and len(shown["keys"]) == 2, str(shown))
    # What is not named stays; the bare bytes stay but for the slot; the same call gives the same bytes.
    signet("embed", "--floor", "10", "one", "-o", "two", cwd=d)
    two = json.loads(signet("embed", "--show", "--json", "two", cwd=d).stdout)
    check(two == {**shown, "counter_floor": 10}, str(two))
    signet("embed", "--floor", "9", "two", "-o", "two", cwd=d)
    one = open(os.path.join(d, "one"), "rb").read()
    check(open(os.path.join(d, "two"), "rb").read() == one, "there and back is not the same")
    bare = open(shared("bare"), "rb").read()
    check(one[:4096] == bare[:4096] and one[4096 + 64:len(bare)] == bare[4096 + 64:], "bytes outside the slot changed")
    signet("embed", "--clear", "--trust", shared("alice.pub"), "one", "-o", "three", cwd=d)
    three = json.loads(signet("embed", "--show", "--json", "three", cwd=d).stdout)
    check(three["script"] == "" and len(three["keys"]) == 1 and three["counter_floor"] == 0 and three["product"] == "", str(three))
    # Whose drivers: kept unless it is named, and one field of the slot.
    check(three["drivers"] == "native", str(three))
    signet("embed", "--drivers", "firmware", "one", "-o", "firmware", cwd=d)
    signet("embed", "--floor", "9", "firmware", "-o", "firmware", cwd=d)
    held = open(os.path.join(d, "firmware"), "rb").read()
    check(held == one[:4096 + 36] + b"\1\0\0\0" + one[4096 + 40:], "more than the flag changed")
    check(json.loads(signet("embed", "--show", "--json", "firmware", cwd=d).stdout) == {**shown, "drivers": "firmware"}, "drivers not shown")
    for how in (("--drivers", "native"), ("--clear", *again)):
        signet("embed", *how, "firmware", "-o", "native", cwd=d)
        check(open(os.path.join(d, "native"), "rb").read() == one, f"{how}: not as it was")
    check("is native or firmware" in signet("embed", "--drivers", "snp", "one", "-o", "x", cwd=d, status=2).stderr, "a stranger's drivers")
    done = signet("embed", "--clear", "one", "-o", "four", cwd=d)
    check("no trust anchor" in done.stderr, done.stderr)


@row
def embed_judges_scripts(d):
    """Before it is on a thousand machines: what the firmware's interpreter would say, with file and line."""
    write(os.path.join(d, "bare"), artefact())
    embed = ("embed", "bare", "--trust", shared("alice.pub"), "--script", "s.ipxe", "-o", "out")
    for text, says in (("dhcp\nfrobnicate --all\n", r"s\.ipxe:3: command not known: frobnicate"),
                       ("goto nowhere\n:somewhere\n", r"s\.ipxe:2: label not found: nowhere"),
                       ("\necho ${net0/mac and more\n", r"s\.ipxe:3: a \$\{ without its \}: \$\{net0/mac"),
                       ("chain\n", r"s\.ipxe:2: wrong usage: chain")):
        write(os.path.join(d, "s.ipxe"), b"#!ipxe\n" + text.encode())
        refuses(*embed, says=says, cwd=d)
    write(os.path.join(d, "s.ipxe"), b"#!ipxe\n:again\nsometool --picture x ||\ndhcp || goto again\nchain ${filename} || shell\n")
    done = signet(*embed, cwd=d)
    check("s.ipxe:3: note: command not known: sometool" in done.stderr, done.stderr)


@row
def embed_bad(d):
    write(os.path.join(d, "nomagic"), b"\x7fELF" + bytes(9000))
    write(os.path.join(d, "two-slots"), artefact(slots=2))
    write(os.path.join(d, "tight"), artefact(capacity=20100))
    write(os.path.join(d, "bare"), artefact())
    write(os.path.join(d, "long"), b"#!ipxe\n" + b"#" * 70000)
    write(os.path.join(d, "fat"), b"#!ipxe\n" + b"#" * 65500)
    write(os.path.join(d, "nul"), b"#!ipxe\n\0\n")
    write(os.path.join(d, "text"), b"boot\n")
    alice = ("--trust", shared("alice.pub"))
    for args, says in ((("missing",), "missing: No such"), ((d,), "is a folder"), (("nomagic",), "not a Signet artefact"),
                       (("two-slots",), "not a Signet artefact"), ((shared("empty"),), "not a Signet artefact"),
                       (("tight",), "do not fit"), (("bare", "--script", "missing"), "missing: No such"),
                       (("bare", "--script", "long"), "long: is larger"), (("bare", "--script", "fat"), "larger than the limit"),
                       (("bare", "--script", "nul"), "NUL"), (("bare", "--script", "text"), "must begin with #!ipxe"),
                       (("bare", "--threshold", "2"), "--threshold: 2 signatures can never come from 1 key"),
                       (("bare", "--trust", shared("alice.key")), "is a private key"), (("bare", "--trust", shared("rsa.pub")), "wrong kind"),
                       (("bare", "--product", "two words"), "invalid")):
        refuses("embed", *args, *alice, "-o", "out", says=says, cwd=d)
    refuses("embed", "bare", *alice, "-o", d, says="is a folder", cwd=d)
    signet("embed", "bare", *alice, "-o", "good", cwd=d)
    flip(os.path.join(d, "good"), os.path.join(d, "bad"), 20010)
    refuses("embed", "--show", "bad", says="are damaged", cwd=d)
    refuses("embed", "bad", *alice, "-o", "out", says="are damaged .*--clear", cwd=d)
    signet("embed", "--clear", "bad", *alice, "-o", "mended", cwd=d)
    check(open(os.path.join(d, "good"), "rb").read() == open(os.path.join(d, "mended"), "rb").read(), "mended is not as good")
    refuses("embed", "bare", *(arg for i in range(17) for arg in ("--trust", shared("alice.pub"))), "-o", "out", says="too many", cwd=d)
