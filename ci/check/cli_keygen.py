# SPDX-License-Identifier: MPL-2.0
"""The rows of ci/check/cli about keygen and its pairs of files."""
import hashlib
import os
import re
import shutil
import subprocess

from cli_base import SHARED, Server, fields, kernel, listing, openssl, refuses, shared, signet, write
from rows import SIGNET, Skip, TOP, check, row


@row
def keygen_pair(d):
    for kind, curve in (("ecdsa-p256", "prime256v1"), ("ecdsa-p384", "secp384r1")):
        done = signet("keygen", "--type", kind, "-o", kind, cwd=d)
        key, pub = os.path.join(d, kind + ".key"), os.path.join(d, kind + ".pub")
        check(os.stat(key).st_mode & 0o777 == 0o600, f"mode of the key is {os.stat(key).st_mode:o}")
        with open(key, encoding="ascii") as f:
            check(f.read().startswith("-----BEGIN PRIVATE KEY-----"), "not PKCS#8")
        text = subprocess.run(["openssl", "pkey", "-pubin", "-in", pub, "-noout", "-text"], capture_output=True, text=True).stdout
        check(curve in text, text)
        der = subprocess.run(["openssl", "pkey", "-in", key, "-pubout", "-outform", "DER"], capture_output=True).stdout
        check(fields(done.stdout)["key id"] == hashlib.sha256(der).hexdigest(), "key id")


@row
def keygen_does_not_overwrite(d):
    signet("keygen", "-o", "k", cwd=d)
    refuses("keygen", "-o", "k", says="k.key: File exists", cwd=d)
    os.unlink(os.path.join(d, "k.key"))
    refuses("keygen", "-o", "k", says="k.pub: File exists", cwd=d)  # a pair or nothing
    before = listing(d)
    signet("keygen", "-o", "k", "--force", cwd=d)
    check(os.stat(os.path.join(d, "k.key")).st_mode & 0o777 == 0o600, "mode after --force")
    check(before != listing(d), "--force changed nothing")
    os.mkdir(os.path.join(d, "dir.key"))
    refuses("keygen", "-o", "dir", "--force", says="dir.key: is a folder", cwd=d)


@row
def build_says_what_is_missing(d):
    # A machine with everything but one program: named before anything is built, with the command that brings it.
    folder = os.path.join(d, "bin")
    os.mkdir(folder)
    for source in ("/sbin", "/usr/sbin", "/bin", "/usr/bin", "/usr/local/bin"):
        for name in os.listdir(source) if os.path.isdir(source) else ():
            if name != "mcopy" and not os.path.lexists(os.path.join(folder, name)):
                os.symlink(os.path.join(source, name), os.path.join(folder, name))
    done = subprocess.run(["/bin/bash", "-c", 'sed "s|PATH=\\$PATH:/usr/sbin:/sbin ||" ci/setup >"$1"; exec /bin/bash "$1" --build',
                           "-", d + "/setup"], cwd=TOP,
                          env=dict(os.environ, PATH=folder), capture_output=True, text=True, timeout=60)
    check(done.returncode == 1 and "the build needs packages that are missing" in done.stderr and "mtools" in done.stderr,
          f"{done.returncode}: {done.stdout + done.stderr}")
    with open(os.path.join(TOP, "Makefile"), encoding="utf-8") as f:
        check(re.search(r"^build-tools:\n\t@ci/setup --build$", f.read(), re.M), "make does not ask ci/setup")


@row
def keygen_after_a_power_cut(d):
    # The power went between the two halves: the former pair comes back; or behind the second one: the new pair stays.
    signet("keygen", "-o", "k", cwd=d)
    signet("keygen", "-o", "new", cwd=d)
    old = listing(d)
    path = lambda name: os.path.join(d, name)
    for there in ("new.key", None):
        os.rename(path("k.key"), path(".k.key.signet-former"))
        if there:
            shutil.copy(path(there), path("k.key"))
        done = signet("keygen", "-o", "k", cwd=d, status=1)
        check("is the former key again" in done.stderr and listing(d) == old, done.stderr)
    os.rename(path("k.key"), path(".k.key.signet-former"))
    shutil.copy(path("new.key"), path("k.key"))
    shutil.copy(path("new.pub"), path("k.pub"))
    signet("keygen", "-o", "k", cwd=d, status=1)
    check(not os.path.exists(path(".k.key.signet-former")) and listing(d)[path("k.key")] == old[path("new.key")], "the new pair is gone")


@row
def files_of_like_names_stay(d):
    # What a person calls so is a person's.
    path = lambda name: os.path.join(d, name)
    signet("keygen", "-o", "k", cwd=d)
    shutil.copy(path("k.key"), path("k.key.former"))
    shutil.copy(path("k.key"), path(".k.key.signet-former"))
    old = listing(d)
    done = signet("keygen", "-o", "k", cwd=d, status=1)
    check("move it away" in done.stderr and listing(d) == old, done.stderr)  # no cut leaves the same key twice
    os.unlink(path(".k.key.signet-former"))
    del old[path(".k.key.signet-former")]
    signet("keygen", "-o", "k", cwd=d, status=1)
    check(listing(d) == old, "a refused run changed something")
    signet("keygen", "-f", "-o", "k", cwd=d)
    check(listing(d)[path("k.key.former")] == old[path("k.key.former")], "a person's copy is gone")
    write(path("raw"), b"raw" * 1000)
    write(path("o.img"), b"old")
    write(path("o.img.former"), b"mine")
    signet("mkimage", "--unsigned", "-i", "raw", "-s", "1", "-o", "o.img", "-O", "o.sum", cwd=d)
    with open(path("o.img.former"), "rb") as f:
        check(f.read() == b"mine", "a person's file is gone")


@row
def two_outputs_need_two_files(d):
    path = lambda name: os.path.join(d, name)
    write(path("raw"), b"raw" * 1000)
    write(path("o"), b"old")
    write(path("one"), b"old")
    os.mkdir(path("x"))
    os.symlink("o", path("link"))
    os.symlink(".", path("here"))
    os.link(path("one"), path("two"))
    old = listing(d)
    for a, b in (("o", "o"), ("o", "./o"), ("o", "x/../o"), ("link", "o"), ("o", "link"), ("here/o", "o"), ("new", path("new")), ("one", "two")):
        done = signet("mkimage", "--unsigned", "-i", "raw", "-s", "1", "-o", a, "-O", b, cwd=d, status=1)
        check("is named for two outputs" in done.stderr and not done.stdout and listing(d) == old, (a, b, done.stderr))
    signet("keygen", "-o", "k", cwd=d)
    os.unlink(path("k.pub"))
    os.symlink("k.key", path("k.pub"))
    old = listing(d)
    done = signet("keygen", "-f", "-o", "k", cwd=d, status=1)
    check("is named for two outputs" in done.stderr and listing(d) == old, done.stderr)
    for b in ("x/o", "p"):
        signet("mkimage", "--unsigned", "-i", "raw", "-s", "1", "-o", "o", "-O", b, cwd=d)
        check(os.path.getsize(path(b)) == 32 and os.path.getsize(path("o")) > 3000, "the pair is not there")


@row
def keygen_after_a_power_cut_through_a_link(d):
    # The former key lies beside the file that is meant.
    os.mkdir(os.path.join(d, "safe"))
    path = lambda name: os.path.join(d, name)
    signet("keygen", "-o", "k", cwd=d)
    os.rename(path("k.key"), path("safe/.secret.signet-former"))
    os.symlink("safe/secret", path("k.key"))
    done = signet("keygen", "-o", "k", cwd=d, status=1)
    check("is the former key again" in done.stderr and os.path.islink(path("k.key")) and os.path.exists(path("safe/secret")), done.stderr)


@row
def links_of_others_in_a_shared_folder(d):
    # /tmp as an attacker prepares it; the kernel's own protection may be off.
    if os.geteuid() != 0:
        raise Skip("only root can make another user's link")
    tmp, victim = os.path.join(d, "tmp"), os.path.join(d, "victim")
    os.mkdir(tmp)
    os.mkdir(os.path.join(d, "folder"))
    write(victim, b"precious")
    os.chmod(tmp, 0o1777)
    write(os.path.join(d, "vmlinuz"), kernel())
    signet("keygen", "-o", "k", cwd=d)
    signet("mkimage", "-o", "web.img", "-N", "web", "--counter", "1", "--key", "k.key", "--kernel", "vmlinuz", cwd=d)
    write(os.path.join(d, "raw"), b"raw" * 1000)
    bare, usb, area, efi = (os.path.join(TOP, "bin", name) for name in ("undionly.kpxe", "usb.img", "bootarea.bin", "ipxe.efi"))
    oxide = ["mkimage", "--unsigned", "-i", "raw", "-s", "1"]
    with Server("web.img", cwd=d) as server:
        # Every command that writes a file or into one, by every option that names it.
        for name, args in (("o.key", ["keygen", "-f", "-o", "tmp/o"]), ("o.pub", ["keygen", "-f", "-o", "tmp/o"]),
                           ("o", ["embed", "--trust", "k.pub", bare, "-o", "tmp/o"]), ("o", ["embed", "--trust", "k.pub", usb, "-o", "tmp/o"]),
                           ("o", ["mkimage", "-o", "tmp/o", "-N", "web", "--counter", "1", "--key", "k.key", "--kernel", "vmlinuz"]),
                           ("o", [*oxide, "-o", "tmp/o"]), ("o", [*oxide, "-o", "own", "-O", "tmp/o"]),
                           ("o", ["fetch", "-q", "--trust", "k.pub", "-o", "tmp/o", server.uri("web")]),
                           ("o", ["keep", "--force", "tmp/o"]), ("o", ["install", "remove", "--disk", "tmp/o"]),
                           ("o", ["install", "--disk", "tmp/o", "--gap", "--no-anchors", "--image", area]),
                           ("o", ["install", "--esp-path", "tmp/o", "--no-nvram", "--no-anchors", "--image", efi])):
            folder = "--esp-path" in args
            link = os.path.join(tmp, name)
            os.symlink("../folder" if folder else "../victim", link)
            os.lchown(link, 65534, 65534)
            os.chown(tmp, 65533, 65533)
            refuses(*args, says="symbolic link of another user", cwd=d)
            os.remove(link)
        check(not os.path.exists(os.path.join(d, "own")), "an image without the sum that was asked for")


@row
def keygen_bad_places(d):
    refuses("keygen", "-o", "no/such/folder/k", says="no/such/folder/k.key: cannot be created: No such", cwd=d)
    closed = os.path.join(d, "closed")
    os.mkdir(closed, 0o555)
    # Root may write everywhere: then as nobody, whose way to the folder is made free.
    nobody = ["setpriv", "--reuid=65534", "--clear-groups"] if os.getuid() == 0 else []
    if nobody:
        for folder in (d, os.path.dirname(d), os.path.dirname(SHARED)):
            os.chmod(folder, 0o755)
    probe = subprocess.run([*nobody, SIGNET, "--version"], capture_output=True)
    if probe.returncode != 0:
        raise Skip("root may write everywhere, and nobody cannot reach the program")
    done = subprocess.run([*nobody, SIGNET, "keygen", "-o", closed + "/k"], capture_output=True, text=True)
    check(done.returncode == 1 and "closed/k.key: cannot be created: Permission denied" in done.stderr, done.stderr)
    check(len(done.stderr.splitlines()) == 1 and not os.listdir(closed), done.stderr)


@row
def keys_made_by_openssl(d):
    openssl("ecparam", "-name", "prime256v1", "-genkey", "-out", "sec1.key", cwd=d)  # with an EC PARAMETERS block
    openssl("ecparam", "-name", "secp384r1", "-genkey", "-noout", "-out", "sec384.key", cwd=d)
    openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", "pkcs8.key", cwd=d)
    openssl("ec", "-in", "sec1.key", "-conv_form", "compressed", "-pubout", "-out", "compressed.pub", cwd=d)
    openssl("ec", "-in", "sec1.key", "-pubout", "-outform", "DER", "-out", "der.pub", cwd=d)
    for name in ("sec1", "sec384", "pkcs8"):
        openssl("pkey", "-in", name + ".key", "-pubout", "-out", name + ".pub", cwd=d)
        signet("mkimage", "-o", "img", "--key", name + ".key", "--kernel", shared("vmlinuz"), cwd=d)
        signet("lookimage", "--trust", name + ".pub", "img", cwd=d)
        if name == "sec1":
            signet("lookimage", "--trust", "compressed.pub", "img", cwd=d)
            signet("lookimage", "--trust", "der.pub", "img", cwd=d)
