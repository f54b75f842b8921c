# SPDX-License-Identifier: MPL-2.0
"""The rows of ci/check/cli about help, options and wrong usage."""
import os
import re
import subprocess

from cli_base import COMMANDS, refuses, shared, signet
from rows import SIGNET, TOP, check, row


@row
def help_and_version(d):
    for args in ((), *((c,) for c in COMMANDS)):
        done = signet(*args, "--help")
        check(done.stdout.startswith("Usage: signet") and not done.stderr, f"{args} --help")
        version = signet(*args, "--version").stdout
        check(re.match(r"signet \d+\.\d+", version), f"{args} --version says {version!r}")
    done = signet("help").stdout
    for command in COMMANDS:
        check(re.search(rf"^  {command} ", done, re.M), f"help does not list {command}")
        check(signet("help", command).stdout == signet(command, "--help").stdout, f"help {command}")


@row
def licences(d):
    said = signet("--licences").stdout
    check(said == signet("--licenses").stdout, "both spellings say the same")
    with open(os.path.join(TOP, "bin", "LICENCES"), encoding="utf-8") as f:
        check(said == f.read(), "--licences says what bin/LICENCES holds")
    for notice in ("Mozilla Public License", "Swedish Institute of Computer Science", "Redistribution and use", "Apache License", "==== Mbed TLS"):
        check(notice in said, f"the notices lack {notice!r}")


@row
def help_to_a_full_disk(d):
    with open("/dev/full", "w", encoding="ascii") as full:
        done = subprocess.run([SIGNET, "mkimage", "--help"], stdout=full, stderr=subprocess.PIPE, text=True)
    check(done.returncode == 1 and "standard output" in done.stderr, f"status {done.returncode}, {done.stderr!r}")


@row
def wrong_usage(d):
    done = subprocess.run([SIGNET], capture_output=True, text=True)
    check(done.returncode == 2 and len(done.stderr.splitlines()) == 1, "no command")
    done = subprocess.run([SIGNET, "frobnicate"], capture_output=True, text=True)
    check(done.returncode == 2 and "frobnicate" in done.stderr, "unknown command")
    for command in COMMANDS:
        refuses(command, "--no-such-option", says="--no-such-option: option not known", status=2, cwd=d)
        refuses(command, "-!", says="-!: option not known", status=2, cwd=d)
    image = shared("small.img")
    for args, says in (
            (("keygen",), "no name"), (("keygen", "-o"), "-o: needs an argument"), (("keygen", "-o", "a", "-o", "b"), "twice"),
            (("keygen", "-o", "a", "--type", "rsa"), "rsa"), (("keygen", "-o", "a", "b"), "b: not expected"),
            (("keygen", "--force=yes", "-o", "a"), "--force: takes no argument"),
            (("mkimage",), "no output"), (("mkimage", "-o", "x"), "--kernel, --efi, --nbp or -i"),
            (("mkimage", "-o", "x", "--kernel", "k"), "--unsigned"),
            (("mkimage", "-o", "x", "--kernel", "k", "--key", "k", "--unsigned"), "contradicts"),
            (("mkimage", "-o", "x", "--key", "k", "-i", "r", "--cmdline", "c"), "--cmdline.*no use"),
            (("mkimage", "-o", "x", "--key", "k", "-i", "r", "--initrd", "c"), "--initrd.*no use"),
            (("mkimage", "-o", "x", "--key", "k", "--kernel", "r", "-N", "two words"), "--name"),
            (("mkimage", "-o", "x", "--key", "k", "--kernel", "r", "-N", "n" * 64), "--name"),
            (("mkimage", "-o", "x", "--key", "k", "--kernel", "r", "-N", ""), "--name"),
            (("mkimage", "-o", "x", "--key", "k", "--kernel", "r", "--product", "\N{SNOWMAN}"), "--product"),
            (("mkimage", "-o", "x", "--key", "k", "--kernel", "r", "--cmdline", "a\nb"), "--cmdline"),
            (("mkimage", "-o", "x", "--key", "k", "--kernel", "r", "--cmdline", "a" * 2048), "--cmdline"),
            (("mkimage", "-o", "x", "--key", "k", "--kernel", "r", "--chunk-size", "5000"), "power of two"),
            (("mkimage", "-o", "x", "--key", "k", "--kernel", "r", "--chunk-size", "2048"), "outside"),
            (("mkimage", "-o", "x", "--key", "k", "--kernel", "r", "--counter", "-1"), "not a number"),
            (("mkimage", "-o", "x", "--key", "k", "--kernel", "r", "--counter", "18446744073709551616"), "not a number"),
            (("mkimage", "-o", "x", "--key", "k", "--kernel", "r", "-z"), "Oxide"),
            (("mkimage", "-o", "x", "--key", "k", "--kernel", "r", "-O", "f"), "Oxide"),
            (("mkimage", "-o", "x", "--key", "k", "--kernel", "r", "-s", "5"), "ramdisk"),
            (("mkimage", "-o", "x", "--unsigned", "-i", "r", "-i", "r"), "exactly one"),
            (("mkimage", "-o", "x", "--unsigned", "-i", "r", "--product", "r"), "product"),
            (("mkimage", "-o", "x", "--unsigned", "-i", "r", "--counter", "3"), "counter"),
            (("mkimage", "-o", "x", "--kernel", "k", *["--key", "k"] * 17), "at most 16"),
            (("lookimage",), "no image"), (("lookimage", image, image), "one image"),
            (("lookimage", "--threshold", "0", image), "outside"), (("lookimage", "--product", "p" * 64, image), "longer"),
            (("bootserver",), "no image"), (("bootserver", "-t", "0", image), "outside"),
            (("bootserver", "-p", "65536", image), "outside"), (("bootserver", "-t", "x", image), "not a number"),
            (("fetch",), "no address"), (("fetch", "p2://x/"), "--trust"),
            (("fetch", "--trust", "k", "http://x/"), "p2://"), (("fetch", "--trust", "k", "x/y"), "p2://"),
            (("fetch", "--trust", "k", "p2://x/a", "p2://y/b"), "another image"), (("fetch", "--trust", "k", *["p2://x/a"] * 9), "at most 8"),
            (("fetch", "--trust", "k", "p2://x:99999/"), "URI"), (("fetch", "--trust", "k", "p2://x/" + "n" * 64), "63"),
            (("embed",), "no artefact"), (("embed", "x"), "no output"), (("embed", "x", "y", "-o", "z"), "one artefact"),
            (("embed", "--show", "x", "-o", "y"), "--show"), (("embed", "x", "-o", "y", "--threshold", "17"), "outside"),
    ):
        refuses(*args, says=says, status=2, cwd=d)


@row
def usage_of_listen(d):
    refuses_server(d, "--listen", "not-an-address", says="not an IPv4")
    refuses_server(d, "--listen", "fe80::1%nosuchif", says="nosuchif")
    refuses_server(d, "--listen", "fe80::1", says="its interface is wanted, too, as in fe80::1%eth0")


def refuses_server(d, *args, says, status=1):
    done = subprocess.run([SIGNET, "bootserver", *args, shared("small.img")], cwd=d, capture_output=True, text=True, timeout=10)
    check(done.returncode in (1, 2) and re.search(says, done.stderr), f"{args}: {done.returncode} {done.stderr!r}")
    check(len(done.stderr.splitlines()) == 1, done.stderr)


@row
def option_forms(d):
    for args in (("-oout1", "-k", shared("alice.key"), "--kernel=" + shared("vmlinuz")),
                 ("--output=out2", "--key=" + shared("alice.key"), "--kernel", shared("vmlinuz")),
                 ("--kernel", shared("vmlinuz"), "-k" + shared("alice.key"), "-o", "out3", "--")):
        signet("mkimage", *args, cwd=d)
    check(sorted(os.listdir(d)) == ["out1", "out2", "out3"], str(os.listdir(d)))
