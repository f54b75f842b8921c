# SPDX-License-Identifier: MPL-2.0
"""The rows of ci/check/cli about files that people take for keys: each is named for what it is, and the command that the message
gives is run here and has to make a key that `signet` takes."""
import base64
import os
import re
import subprocess

import cli_base as base

CURVE = ("-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256")
WANTED = "ecdsa-p256 or ecdsa-p384 is wanted"


def shell(command, cwd):
    subprocess.run(["bash", "-ec", command], cwd=cwd, check=True, capture_output=True, stdin=subprocess.DEVNULL, timeout=180)


def refused(d, file, what, private):
    """The message about a file that is given where the one or the other half is wanted."""
    if private:
        return base.refuses("mkimage", "-o", "img", "--key", file, "-N", "x", "-i", base.shared("garbage"), says=what, cwd=d).stderr
    return base.refuses("lookimage", "--trust", file, base.shared("small.img"), says=what, status=2, cwd=d).stderr


def converts(d, file, what, private):
    """The file is named, and the command of the message makes a key of it."""
    found = re.search(r"; this makes the (private|public) key of it: (.*)\n", refused(d, file, re.escape(file) + ": is " + what, private))
    base.check(found and found[1] == ("private" if private else "public"), f"{file}: no command")
    # Nobody is there to be asked for passphrases.
    command = found[2].replace("ssh-keygen -p ", "ssh-keygen -p -P '' -N '' ").replace("openssl pkcs12 ", "openssl pkcs12 -passin pass:x ")
    command = command.replace("openssl pkcs8 ", "openssl pkcs8 -passin pass:x ").replace("pkey -in locked", "pkey -passin pass:x -in locked")
    shell(command, d)
    if private:
        base.signet("mkimage", "-o", "made", "--key", "signet.key", "-N", "x", "-i", base.shared("garbage"), cwd=d)
        os.unlink(os.path.join(d, "signet.key"))
    else:
        base.refuses("lookimage", "--trust", "signet.pub", base.shared("garbage"), says="garbage: ", status=2, cwd=d)
        os.unlink(os.path.join(d, "signet.pub"))


def make(d):
    base.openssl("genpkey", *CURVE, "-out", "plain.key", cwd=d)
    base.openssl("req", "-x509", "-new", "-key", "plain.key", "-subj", "/CN=x", "-days", "30", "-out", "cert.pem", cwd=d)
    base.openssl("req", "-new", "-key", "plain.key", "-subj", "/CN=x", "-out", "request.pem", cwd=d)


@base.row
def keys_of_openssl_are_named(d):
    make(d)
    shell("""openssl pkey -in plain.key -pubout -out plain.pub; openssl pkey -in plain.key -outform DER -out key.der
        openssl pkey -in plain.key -pubout -outform DER -out pub.der; openssl x509 -in cert.pem -outform DER -out cert.der
        openssl req -in request.pem -outform DER -out request.der; openssl crl2pkcs7 -nocrl -certfile cert.pem -out bundle.p7
        openssl pkcs12 -export -inkey plain.key -in cert.pem -passout pass:x -out store.p12
        openssl pkcs8 -topk8 -in plain.key -passout pass:x -out locked.key
        openssl pkcs8 -topk8 -in plain.key -passout pass:x -outform DER -out locked.der
        openssl ecparam -name prime256v1 -out curve.pem; cp cert.pem 'my cert.pem'; cp key.der "it's.der"; cp key.der ./-x.der
        cp key.der 'a$(touch x)'\\''`y`.der'
        (printf '\\xef\\xbb\\xbf'; cat cert.pem) >bom.pem; iconv -f ASCII -t UTF-16 <plain.key >wide.key""", d)
    for file, what in (("key.der", "a private key in DER"), ("it's.der", "a private key in DER"), ("-x.der", "a private key in DER"),
                       ("a$(touch x)'`y`.der", "a private key in DER"),
                       ("store.p12", "a PKCS#12 store"),
                       ("locked.der", "a private key with a passphrase in DER")):
        converts(d, file, what, True)
        converts(d, file, what, False)
    for file, what in (("cert.pem", "a certificate \\(X.509\\)"), ("my cert.pem", "a certificate \\(X.509\\)"), ("bom.pem", "a certificate"),
                       ("cert.der", "a certificate \\(X.509\\) in DER"), ("request.pem", "a certificate request"),
                       ("request.der", "a certificate request in DER"), ("bundle.p7", "a bundle of certificates")):
        refused(d, file, f"is {what}.*: signing needs the private one", True)
        converts(d, file, what, False)
    for file, what in (("plain.key", "a private key, which is a secret"), ("locked.key", "a private key with a passphrase")):
        converts(d, file, what, False)
    refused(d, "locked.key", "has a passphrase, and there is no terminal", True)
    refused(d, "pub.der", "is a public key in DER: signing needs the private one", True)
    refused(d, "plain.pub", "is a public key: signing needs the private one", True)
    for private in (True, False):
        refused(d, "curve.pem", "is the name of a curve, without a key", private)
        refused(d, "wide.key", "is text in UTF-16", private)


@base.row
def keys_of_openssh_are_named(d):
    shell("""for t in 'ecdsa -b 256' 'ecdsa -b 384' 'ecdsa -b 521' rsa ed25519; do ssh-keygen -q -t $t -N '' -f "${t//[^a-z0-9]/}"; done
        ssh-keygen -q -t ecdsa -N x -f locked; ssh-keygen -q -s rsa -I x -n y ecdsab256.pub ed25519.pub ecdsab521.pub
        ssh-keygen -e -f ecdsab256.pub >rfc4716.pub""", d)
    for bits in ("256", "384"):
        converts(d, f"ecdsab{bits}", "an OpenSSH private key", True)
        converts(d, f"ecdsab{bits}", "an OpenSSH private key", False)
        converts(d, f"ecdsab{bits}.pub", "an OpenSSH public key", False)
        refused(d, f"ecdsab{bits}.pub", "is an OpenSSH public key: signing needs the private one", True)
    converts(d, "ecdsab256-cert.pub", "an OpenSSH certificate, which vouches for a login", False)
    refused(d, "ecdsab256-cert.pub", "is an OpenSSH certificate.*: signing needs the private one", True)
    converts(d, "rfc4716.pub", "an SSH public key \\(RFC 4716\\)", False)
    refused(d, "locked", "is an OpenSSH private key; this makes", True)
    for private in (True, False):
        for kind, type in (("rsa", "ssh-rsa"), ("ed25519", "ssh-ed25519"), ("ecdsab521", "ecdsa-sha2-nistp521")):
            refused(d, kind, f"is an OpenSSH private key of the wrong kind: {WANTED}", private)
            refused(d, f"{kind}.pub", f"is an OpenSSH public key of the wrong kind \\({type}\\): {WANTED}", private)
        refused(d, "ed25519-cert.pub", "is an OpenSSH certificate of the wrong kind \\(ssh-ed25519-cert-v01@openssh.com\\)", private)


@base.row
def keys_of_the_wrong_kind_are_named(d):
    shell("""openssl genrsa -traditional -out rsa1.key || openssl genrsa -out rsa1.key; openssl rsa -in rsa1.key -RSAPublicKey_out -out rsa1.pub
        openssl genpkey -algorithm ed25519 -out ed.key; openssl pkey -in ed.key -pubout -out ed.pub
        openssl genpkey -algorithm ed25519 -outform DER -out ed.der""", d)
    refused(d, "rsa1.key", f"is of the wrong kind \\(RSA.*{WANTED}", True)
    refused(d, "rsa1.key", f"is of the wrong kind \\(RSA.*{WANTED}", False)
    for private in (True, False):
        refused(d, "rsa1.pub", f"is of the wrong kind \\(RSA.*{WANTED}", private)
    refused(d, "ed.key", f"is of the wrong kind \\(ED25519 key\\): {WANTED}", True)
    refused(d, "ed.pub", f"is of the wrong kind \\(ED25519 key\\): {WANTED}", False)
    base.write(os.path.join(d, "putty.ppk"), b"PuTTY-User-Key-File-3: ecdsa-sha2-nistp256\r\nEncryption: none\r\n")
    base.write(os.path.join(d, "pgp.asc"), b"-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nAAAA\n-----END PGP PUBLIC KEY BLOCK-----\n")
    base.write(os.path.join(d, "mini.pub"), b"untrusted comment: minisign public key 1\nRWQ\n")
    for file, what in (("putty.ppk", "a PuTTY key"), ("pgp.asc", "an OpenPGP key"), ("mini.pub", "a key of minisign")):
        for private in (True, False):
            refused(d, file, f"is {what}", private)


@base.row
def keys_that_are_damaged_are_said_to_be(d):
    base.openssl("genpkey", *CURVE, "-out", "key", cwd=d)
    base.openssl("pkcs8", "-topk8", "-nocrypt", "-in", "key", "-outform", "DER", "-out", "key.der", cwd=d)
    base.openssl("pkey", "-inform", "DER", "-in", "key.der", "-pubout", "-outform", "DER", "-out", "pub.der", cwd=d)
    private, public = (open(os.path.join(d, name), "rb").read() for name in ("key.der", "pub.der"))
    scalar = private.index(b"\x02\x01\x01\x04\x20") + 5

    def pem(name, label, der):
        text = base64.encodebytes(der).decode()
        base.write(os.path.join(d, name), f"-----BEGIN {label}-----\n{text}-----END {label}-----\n".encode())

    for name, der in (("other.key", private[:scalar + 7] + bytes([private[scalar + 7] ^ 1]) + private[scalar + 8:]),
                      ("zero.key", private[:scalar] + bytes(32) + private[scalar + 32:]),
                      ("large.key", private[:scalar] + b"\xff" * 32 + private[scalar + 32:])):
        pem(name, "PRIVATE KEY", der)
        refused(d, name, f"^signet mkimage: {name}: is damaged: its private and its public half do not belong together", True)
    pem("cut.key", "PRIVATE KEY", private[:40])
    refused(d, "cut.key", "cut.key: cannot be read: damaged key", True)
    pem("cut.pub", "PUBLIC KEY", public[:40])
    pem("off.pub", "PUBLIC KEY", public[:-1] + bytes([public[-1] ^ 1]))
    base.write(os.path.join(d, "begun.pub"), b"-----BEGIN PUBLIC KEY-----\n")
    for name in ("cut.pub", "off.pub", "begun.pub"):
        refused(d, name, f"{name}: cannot be read: damaged public key", False)
    pem("sigstore.key", "ENCRYPTED SIGSTORE PRIVATE KEY", private)
    for half in (True, False):
        refused(d, "sigstore.key", r"is of a kind that is not known here \(ENCRYPTED SIGSTORE PRIVATE KEY\)", half)


@base.row
def keys_of_several_in_one_file_are_refused(d):
    """Whoever writes two keys into a file means both, and only the first would count."""
    shell("""for k in a b; do openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out $k.key
            openssl pkey -in $k.key -pubout -out $k.pub; openssl pkey -in $k.key -pubout -outform DER -out $k.der; done
        cat a.key b.key >two.key; cat a.pub b.pub >two.pub; cat a.der b.der >two.der; cat a.pub a.key >halves.pem""", d)
    refused(d, "two.key", "two.key: holds 2 private keys", True)
    for name in ("two.pub", "two.der"):
        refused(d, name, f"{name}: holds several public keys", False)
        base.write(os.path.join(d, "bare"), base.artefact())
        base.refuses("embed", "--trust", name, "bare", "-o", "out", says=f"{name}: holds several public keys", cwd=d)
    base.signet("mkimage", "-o", "img", "--key", "halves.pem", "-N", "x", "-i", base.shared("garbage"), cwd=d)
    base.signet("lookimage", "--trust", "halves.pem", "img", cwd=d)
