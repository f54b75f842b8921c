# SPDX-License-Identifier: MPL-2.0
"""The rows of ci/check/cli about `signet seal --from-script`."""
import hashlib
import http.server
import os
import shutil
import threading

from cli_base import application, fields, kernel, refuses, shared, signet, write
from cli_seal import check_seal, entry
from rows import TOP, check, row

MENU = """#!ipxe
isset ${net0/ip} || dhcp ||
:top
menu Systems for ${hostname}
item --gap -- Systems
item --key l linux Linux
item rescue Rescue
item shell Shell
choose --default linux --timeout 8000 target || goto exit
goto ${target}
:linux
kernel vmlinuz console=ttyS0 initrd=initrd.img quiet BOOTIF=01-${net0/mac:hexhyp}
initrd initrd.img
boot || goto top
:rescue
kernel vmlinuz console=ttyS0 initrd=initrd.img single
initrd initrd.img
boot || goto top
:shell
shell
:exit
exit
"""


def lay(d, script="boot.ipxe", text=MENU):
    files = {"vmlinuz": kernel(), "initrd.img": b"i" * 100000, "extra.img": b"x" * 5000}
    for name, data in files.items():
        write(os.path.join(d, name), data)
    write(os.path.join(d, script), text.encode())
    return files


def seal(*args, cwd):
    return signet("seal", "--key", shared("alice.key"), *args, cwd=cwd)


def lines(done, name):
    return [line.split(" = ", 1)[1] for line in done.stdout.splitlines() if line.startswith(name + " = ")]


@row
def seal_from_a_menu(d):
    files = lay(d)
    done = seal("--from-script", "boot.ipxe", "--allow", "debug", "--counter", "9", cwd=d)
    seen = check_seal(os.path.join(d, "vmlinuz.seal"), [files["vmlinuz"], files["initrd.img"]], {})
    check(seen[5] == [b"console=ttyS0"] and seen[10] == [b"quiet BOOTIF=01-* single debug"] and seen[3] == [(9).to_bytes(8, "little")], str(seen))
    check(seen[1] == [b"vmlinuz"] and seen[6][1][48:] == b"initrd.img", str(seen))
    check(lines(done, "seal") == [os.path.join(os.path.realpath(d), "vmlinuz.seal")], done.stdout)
    check(lines(done, "allowed") == ["quiet (some of its command lines have it)", "BOOTIF=01-* (net0/mac:hexhyp is not known here)",
                                     "single (some of its command lines have it)"] and not lines(done, "note"), done.stdout)
    signet("lookimage", "--trust", shared("alice.pub"), "vmlinuz.seal", cwd=d)
    # With the setting, and in another folder.
    os.mkdir(os.path.join(d, "out"))
    seal("--from-script", "boot.ipxe", "--set", "net0/mac:hex=52:54:00:12:34:56", "-o", "out", cwd=d)
    seen = check_seal(os.path.join(d, "out/vmlinuz.seal"), [files["vmlinuz"], files["initrd.img"]], {})
    check(seen[10] == [b"quiet BOOTIF=01-52-54-00-12-34-56 single"], str(seen))


@row
def seal_below_a_root(d):
    files = lay(d)
    for folder in ("root/boot/x86", "root/boot/arm"):
        os.makedirs(os.path.join(d, folder))
        for name in files:
            shutil.copy(os.path.join(d, name), os.path.join(d, folder))
    write(os.path.join(d, "root/boot/arm/vmlinuz"), kernel(seed=2))
    write(os.path.join(d, "root/boot/app.efi"), application())
    write(os.path.join(d, "root/next.ipxe"), b"#!ipxe\nchain boot/app.efi a b\n")
    write(os.path.join(d, "s.ipxe"), b"#!ipxe\nset m http://192.0.2.1/boot\niseq ${buildarch} arm64 && set a arm || set a x86\n"
          b"prompt Press && chain http://192.0.2.1/next.ipxe ||\nkernel ${m}/${a}/gone || kernel ${m}/${a}/vmlinuz q=${a}\n"
          b"initrd ${m}/${a}/initrd.img\ninitrd ${m}/${a}/extra.img /opt/e mode=700 mkdir=1\nboot\n")
    done = seal("--from-script", "s.ipxe", "--root", "root", cwd=d)
    front = entry("opt", 0o40755, 0) + entry("opt/e", 0o100700, 5000)
    for a, data in (("x86", files["vmlinuz"]), ("arm", kernel(seed=2))):
        seen = check_seal(os.path.join(d, f"root/boot/{a}/vmlinuz.seal"), [data, files["initrd.img"], files["extra.img"]], {2: front})
        check(seen[5] == [b"q=" + a.encode()], str(seen))
    seen = check_seal(os.path.join(d, "root/boot/app.efi.seal"), [application()], {})
    check(seen[5] == [b"a b"] and len(lines(done, "seal")) == 3, done.stdout)
    check(sum("gone is not followed: not found (G04)" in note for note in lines(done, "note")) == 2, done.stdout)
    refuses("seal", "--key", shared("alice.key"), "--from-script", "s.ipxe", "--root", "root", "-o", ".", says="is the seal of two kernels", cwd=d)
    write(os.path.join(d, "t.ipxe"), b"#!ipxe\nkernel http://192.0.2.1/../vmlinuz\nboot\nkernel http://192.0.2.1/%2e%2e/vmlinuz\nboot\n")
    os.makedirs(os.path.join(d, "root/empty"))
    refuses("seal", "--key", shared("alice.key"), "--from-script", "t.ipxe", "--root", "root/empty", says="starts no kernel", cwd=d)


class Handler(http.server.SimpleHTTPRequestHandler):
    def do_GET(self):
        if self.path.startswith("/moved/"):
            self.send_response(302)
            self.send_header("Location", ".." + self.path[6:])
            self.end_headers()
        elif self.path == "/loop":
            self.send_response(301)
            self.send_header("Location", "/loop")
            self.end_headers()
        elif self.path == "/cut":
            self.send_response(200)
            self.send_header("Content-Length", "100")
            self.end_headers()
            self.wfile.write(b"x" * 50)
        else:
            super().do_GET()

    def log_message(self, *_):
        pass


@row
def seal_by_http(d):
    served = os.path.join(d, "served")
    os.mkdir(served)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), lambda *a: Handler(*a, directory=served)) as server:
        at = f"http://127.0.0.1:{server.server_port}"
        files = lay(served, text=f"#!ipxe\nkernel {at}/moved/vmlinuz ip=${{ip}}\ninitrd initrd.img\nboot\n")
        write(os.path.join(served, "bad.ipxe"), b"#!ipxe\nkernel /loop ||\nkernel /cut ||\nkernel /gone ||\nkernel vmlinuz || boot\n")
        threading.Thread(target=server.serve_forever, daemon=True).start()
        seal("--from-script", at + "/boot.ipxe", "--name", "web", cwd=d)
        seen = check_seal(os.path.join(d, "vmlinuz.seal"), [files["vmlinuz"], files["initrd.img"]], {})
        check(seen[1] == [b"web"] and seen[10] == [b"ip=*"] and [p[48:] for p in seen[6]] == [b"vmlinuz", b"initrd.img"], str(seen))
        check(sorted(os.listdir(d)) == ["served", "vmlinuz.seal"], f"left behind: {os.listdir(d)}")
        done = refuses("seal", "--key", shared("alice.key"), "--from-script", at + "/bad.ipxe", says="starts no kernel", cwd=d)
        for what in ("/loop is not followed: ", "/cut is not followed: ends too early (G09)", "/gone is not followed: not found (G04)"):
            check(any(what in note for note in lines(done, "note")), f"{what!r} is not in {done.stdout!r}")
        write(os.path.join(served, "text.ipxe"), b"#!ipxe\nkernel extra.img\nboot\n")
        refuses("seal", "--key", shared("alice.key"), "--from-script", at + "/text.ipxe", says=f"{at}/extra.img: is not a Linux bzImage", cwd=d)
        server.shutdown()
    refuses("seal", "--key", shared("alice.key"), "--from-script", at + "/boot.ipxe", says="connection refused .N16", cwd=d)


@row
def seal_from_script_refuses(d):
    lay(d)
    key = ("seal", "--key", shared("alice.key"), "--from-script")
    for text, says in (
            ("kernel vmlinuz\n", "starts no kernel that can be found"), ("boot\n", "starts no kernel"), ("kernel gone\nboot\n", "starts no kernel"),
            ("kernel vmlinuz.${uuid}\nboot\n", "starts no kernel"), ("nonsense\n", "starts no kernel"),
            ("kernel vmlinuz ${args}\nboot\n", r"vmlinuz: its argument \$\{args\}: the setting args, .* say --set args=VALUE .or --set args= "),
            ("kernel vmlinuz x${n}=1\nboot\n", "the setting n, which is not known here, is part of an argument's name"),
            ('kernel vmlinuz x="${n}"\nboot\n', "stands between quotes"),
            ("prompt && kernel vmlinuz a=*b || kernel vmlinuz\nboot\n", r"its argument a=\*b is not in all .* holds a \*"),
            ("prompt && initrd initrd.img ||\nkernel vmlinuz\nboot\n", "is started with different initrds .*initrd.img; none.*seal URI"),
            ("kernel vmlinuz\ninitrd initrd.img ${path}\nboot\n", r"its place in the initial file system, \$\{path\}"),
            ("kernel vmlinuz\ninitrd initrd.img ../x\nboot\n", r"\.\./x: is no path"),
            ("kernel initrd.img\nboot\n", "initrd.img: is not a Linux bzImage"),
            ("kernel vmlinuz " + "c" * 2030 + "\nboot\n", "--cmdline: 2030 characters")):
        write(os.path.join(d, "s.ipxe"), ("#!ipxe\n" + text).encode())
        done = refuses(*key, "s.ipxe", says=says, cwd=d)
        if "uuid" in text:
            check("vmlinuz.${uuid} is not followed: uuid is not known here (--set uuid=VALUE)" in done.stdout, done.stdout)
    write(os.path.join(d, "s.ipxe"), b"#!ipxe\nkernel vmlinuz ${args}\nboot\n")
    seal("--from-script", "s.ipxe", "--set", "args=", "-o", ".", cwd=d)
    os.unlink(os.path.join(d, "vmlinuz.seal"))
    for args, status, says in ((("gone.ipxe",), 1, "gone.ipxe: not found"), (("vmlinuz",), 1, "vmlinuz: .*C0"),
                               (("s.ipxe", "--set", "x"), 2, "--set: .x.: NAME=VALUE"),
                               (("s.ipxe", "--kernel", "vmlinuz"), 2, "--from-script: says itself"), (("s.ipxe", "--cmdline", "x"), 2, "says itself"),
                               (("https://x/y",), 1, "not supported"), (("s.ipxe", "--set", "args=", "-o", "gone"), 1, "cannot be created")):
        refuses(*key, *args, says=says, status=status, cwd=d)
    refuses("seal", "--key", shared("alice.key"), "--kernel", "vmlinuz", "--root", ".", says="--root: is of no use", status=2, cwd=d)
    write(os.path.join(d, "s.ipxe"), b"#!ipxe\nkernel vmlinuz\nboot\n")
    refuses("seal", "--from-script", "s.ipxe", says="no --key given", status=2, cwd=d)


@row
def seal_a_script_by_its_bytes(d):
    """What is sealed is what lay there: the digest of each file, blanks and signs in names included."""
    folder = os.path.join(d, "a b%41")
    os.mkdir(folder)
    files = lay(folder, script="s?.ipxe", text="#!ipxe\nkernel vmlinuz\ninitrd extra%2eimg\nboot\n")
    seal("--from-script", os.path.join("a b%41", "s?.ipxe"), cwd=d)
    seen = check_seal(os.path.join(folder, "vmlinuz.seal"), [files["vmlinuz"], files["extra.img"]], {})
    check(seen[8][0][32:] == hashlib.sha256(files["extra.img"]).digest() and seen[6][1][48:] == b"extra.img", str(seen))
    check(fields(signet("lookimage", "--trust", shared("alice.pub"), os.path.join(folder, "vmlinuz.seal"), cwd=d).stdout)["result"] ==
          "intact, trusted", "lookimage")


@row
def seal_where_the_script_says(d):
    shutil.copy(shared("small.img"), os.path.join(d, "whole.img"))  # which is sealed as it is
    files = lay(d, text="#!ipxe\nprompt Press && goto two ||\nprompt && chain whole.img ||\nkernel vmlinuz one\nboot\n"
                        ":two\nseal seals/two.seal\nkernel vmlinuz two\ninitrd initrd.img\nboot\n")
    os.mkdir(os.path.join(d, "seals"))
    os.mkdir(os.path.join(d, "out"))
    for args, folder, second in (((), d, "seals/two.seal"), (("-o", "out"), os.path.join(d, "out"), "two.seal")):
        seal("--from-script", "boot.ipxe", *args, cwd=d)
        seen = check_seal(os.path.join(folder, "vmlinuz.seal"), [files["vmlinuz"]], {})
        check(seen[5] == [b"one"], str(seen))
        seen = check_seal(os.path.join(folder, second), [files["vmlinuz"], files["initrd.img"]], {})
        check(seen[5] == [b"two"], str(seen))


@row
def seal_the_scripts_of_the_boot_table(d):
    """ci/qemu/scripts: what is made of each is what its row in ci/qemu/table_scripts.py boots with."""
    boot = os.path.join(d, "root/boot")
    os.makedirs(boot)
    files = lay(boot)
    scripts = os.path.join(TOP, "ci/qemu/scripts")
    shutil.copy(os.path.join(scripts, "2-rendered.ipxe"), boot)
    shutil.copy(os.path.join(scripts, "2-rendered.ipxe"), os.path.join(boot, "profile"))
    unset = [arg for name in ("uuid", "net0/mac", "hostname", "serial", "buildarch") for arg in ("--set", name + "=")]
    front = {2: entry("opt/site/extra.bin", 0o100755, len(files["extra.img"]))}
    rendered = ("console=ttyS0 quiet", None, ("initrd.img", "extra.img"), front)
    for name, args, (cmdline, patterns, initrds, fronts) in (
            ("1-profile", unset, rendered), ("2-rendered", (), rendered), ("3-retry", (), ("console=ttyS0", None, ("initrd.img",), {})),
            ("4-menu", (), ("console=ttyS0", "quiet single", ("initrd.img",), {})), ("5-spaces", (), rendered),
            ("6-installer", (), ("priority=low console=ttyS0", "BOOTIF=01-* hostname=*", ("initrd.img", "extra.img"), {})),
            ("7-arch", (), ("console=ttyS0", None, ("initrd.img",), {})), ("8-local", (), rendered), ("9-ask", (), rendered)):
        seal("--from-script", os.path.join(scripts, name + ".ipxe"), "--root", "root", *args, cwd=d)
        seen = check_seal(os.path.join(boot, "vmlinuz.seal"), [files["vmlinuz"], *(files[n] for n in initrds)], fronts)
        check(seen[5] == [cmdline.encode()] and seen.get(10) == (patterns and [patterns.encode()]), f"{name}: {seen[5]} {seen.get(10)}")
        os.unlink(os.path.join(boot, "vmlinuz.seal"))
