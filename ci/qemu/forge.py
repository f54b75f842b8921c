# SPDX-License-Identifier: MPL-2.0
"""Makes phase-2 images, sound ones and every kind of broken one, from doc/phase2-format.md alone.

This is a second implementation on purpose: it shares no line with the C code, signs with its own ECDSA, and
so proves that the document is enough to write images that the firmware boots. It is for tests only: the
arithmetic is not constant-time, and the keys come from a seed.
"""
import base64
import hashlib
import hmac
import struct

DOMAIN = b"signet phase-2 seal v1\0"
HEAD = struct.Struct("<8sHHIIIQ32s")  # magic, version, size, body size, chunk size, chunk count, payload size, list digest
HEAD_SIZE, PAYLOAD_ALIGN = 64, 4096
NAME, PRODUCT, COUNTER, TARGET, CMDLINE, PART, DATASET, FILES, FRONT, ARGUMENTS = range(1, 11)
TARGET_LINUX, TARGET_DATA, TARGET_LINUX_ARM64, TARGET_EFI_X64, TARGET_EFI_ARM64, TARGET_NBP = range(1, 7)
KERNEL, INITRD, RAMDISK, APPLICATION = 1, 2, 3, 5
NBP_SIZE_MAX = 0x7C000
TABLE_MAGIC = 0x54474953  # "SIGT"

# --- ECDSA (SEC 1), with the nonce of RFC 6979 ------------------------------------------------------------


class Curve:
    def __init__(self, algorithm, oid, digest, p, b, n, x, y):
        self.algorithm, self.oid, self.digest = algorithm, oid, digest
        self.p, self.b, self.n, self.g = p, b, n, (x, y)
        self.size = (n.bit_length() + 7) // 8

    def add(self, p1, p2):
        if p1 is None:
            return p2
        if p2 is None:
            return p1
        if p1[0] == p2[0]:
            if (p1[1] + p2[1]) % self.p == 0:
                return None
            slope = (3 * p1[0] * p1[0] - 3) * pow(2 * p1[1], -1, self.p)
        else:
            slope = (p2[1] - p1[1]) * pow(p2[0] - p1[0], -1, self.p)
        x = (slope * slope - p1[0] - p2[0]) % self.p
        return x, (slope * (p1[0] - x) - p1[1]) % self.p

    def multiply(self, k, point):
        result = None
        while k:
            if k & 1:
                result = self.add(result, point)
            point = self.add(point, point)
            k >>= 1
        return result


P256 = Curve(1, bytes.fromhex("2a8648ce3d030107"), "sha256",
             0xffffffff00000001000000000000000000000000ffffffffffffffffffffffff,
             0x5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604b,
             0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551,
             0x6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296,
             0x4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5)
P384 = Curve(2, bytes.fromhex("2b81040022"), "sha384",
             0xfffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffeffffffff0000000000000000ffffffff,
             0xb3312fa7e23ee7e4988e056be3f82d19181d9c6efe8141120314088f5013875ac656398d8a2ed19d2a85c8edd3ec2aef,
             0xffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973,
             0xaa87ca22be8b05378eb1c71ef320ad746e1d3b628ba79b9859f741e082542a385502f25dbf55296c3a545e3872760ab7,
             0x3617de4a96262c6f5d9e98bf9292dc29f8f41dbd289a147ce9da3113b5f0b8c00a60b1ce1d7e819d7a431d7c90ea0e5f)


def der(tag, *parts):
    body = b"".join(parts)
    length = bytes([len(body)]) if len(body) < 128 else bytes([0x81, len(body)])
    return bytes([tag]) + length + body


class Key:
    """A key pair that always comes out the same for the same seed."""

    def __init__(self, seed, curve=P256):
        self.curve = curve
        stream = b"".join(hashlib.sha512(f"{seed}/{i}".encode()).digest() for i in range(2))
        self.secret = int.from_bytes(stream, "big") % (curve.n - 1) + 1
        x, y = curve.multiply(self.secret, curve.g)
        self.point = b"\x04" + x.to_bytes(curve.size, "big") + y.to_bytes(curve.size, "big")
        algorithm = der(0x30, der(6, bytes.fromhex("2a8648ce3d0201")), der(6, curve.oid))
        self.spki = der(0x30, algorithm, der(3, b"\0", self.point))
        self.id = hashlib.sha256(self.spki).digest()

    def public_pem(self):
        text = base64.b64encode(self.spki).decode()
        lines = "\n".join(text[i:i + 64] for i in range(0, len(text), 64))
        return f"-----BEGIN PUBLIC KEY-----\n{lines}\n-----END PUBLIC KEY-----\n"

    def private_pem(self):
        curve = self.curve
        inner = der(0x30, der(2, b"\1"), der(4, self.secret.to_bytes(curve.size, "big")), der(0xA1, der(3, b"\0", self.point)))
        algorithm = der(0x30, der(6, bytes.fromhex("2a8648ce3d0201")), der(6, curve.oid))
        text = base64.b64encode(der(0x30, der(2, b"\0"), algorithm, der(4, inner))).decode()
        lines = "\n".join(text[i:i + 64] for i in range(0, len(text), 64))
        return f"-----BEGIN PRIVATE KEY-----\n{lines}\n-----END PRIVATE KEY-----\n"

    def _nonce(self, digest):  # RFC 6979, 3.2; here the digest is as long as the order
        curve, hash_size = self.curve, len(digest)
        material = self.secret.to_bytes(curve.size, "big") + (int.from_bytes(digest, "big") % curve.n).to_bytes(curve.size, "big")
        k, v = b"\0" * hash_size, b"\1" * hash_size
        for last in (b"\0", b"\1"):
            k = hmac.new(k, v + last + material, curve.digest).digest()
            v = hmac.new(k, v, curve.digest).digest()
        while True:
            v = hmac.new(k, v, curve.digest).digest()
            nonce = int.from_bytes(v, "big")
            if 0 < nonce < curve.n:
                return nonce
            k = hmac.new(k, v + b"\0", curve.digest).digest()
            v = hmac.new(k, v, curve.digest).digest()

    def sign(self, message):
        """r || s, each as long as the order."""
        curve = self.curve
        digest = hashlib.new(curve.digest, message).digest()
        nonce = self._nonce(digest)
        r = curve.multiply(nonce, curve.g)[0] % curve.n
        s = pow(nonce, -1, curve.n) * (int.from_bytes(digest, "big") + r * self.secret) % curve.n
        return r.to_bytes(curve.size, "big") + s.to_bytes(curve.size, "big")


# --- the format -------------------------------------------------------------------------------------------


def pad(data, to):
    return data + bytes(-len(data) % to)


def field(kind, data):
    return pad(struct.pack("<HHI", kind, 0, len(data)) + data, 8)


def fields(body):
    """(type, data) of each field."""
    at = 0
    while at < len(body):
        kind, _, length = struct.unpack_from("<HHI", body, at)
        yield kind, body[at + 8:at + 8 + length]
        at += 8 + (length + 7) // 8 * 8


def entry(key_id, algorithm, signature):
    return pad(key_id + struct.pack("<II", algorithm, len(signature)) + signature, 8)


def table(entries, count=None, size=None):
    """`count` and `size` may be lied about."""
    body = b"".join(entries)
    return struct.pack("<IIII", TABLE_MAGIC, len(entries) if count is None else count,
                       16 + len(body) if size is None else size, 0) + body


class Part:
    def __init__(self, kind, name, data, address=0, memory=0, align=0, split=0, front=b""):
        self.kind, self.name, self.data, self.front = kind, name, data, front
        self.address, self.memory, self.align, self.split = address, memory, align, split


def linux(data, name="kernel"):
    """A kernel part, with the needs that the bzImage's own header names (Linux: x86/boot.rst)."""
    sectors = data[0x1F1] or 4
    alignment, = struct.unpack_from("<I", data, 0x230)
    preferred, init_size = struct.unpack_from("<QI", data, 0x258)
    return Part(KERNEL, name, data, preferred, init_size, alignment if data[0x234] else 0, (sectors + 1) * 512)


def application(data, name="application"):
    """An EFI application, with the size of the copy that LoadImage makes (the PE header's SizeOfImage)."""
    optional = struct.unpack_from("<I", data, 0x3C)[0] + 24
    image_size, = struct.unpack_from("<I", data, optional + 56)
    return Part(APPLICATION, name, data, memory=max(image_size, len(data)))


def nbp(data, name="nbp"):
    """A network bootstrap program, which PXE puts where it belongs."""
    return Part(APPLICATION, name, data)


class Image:
    """The pieces of an image; each can be replaced before bytes() puts the file together."""

    def __init__(self, name, parts, cmdline="", counter=1, product="", target=TARGET_LINUX, chunk_size=256 * 1024, keys=(),
                 arguments=""):
        self.chunk_size, self.keys = chunk_size, keys
        self.payload = b""
        fields = [field(NAME, name.encode())]
        if product:
            fields.append(field(PRODUCT, product.encode()))
        fields += [field(COUNTER, struct.pack("<Q", counter)), field(TARGET, struct.pack("<I", target))]
        if cmdline:
            fields.append(field(CMDLINE, cmdline.encode()))
        for i, part in enumerate(parts):
            fields.append(field(PART, struct.pack("<IIQQQQII", part.kind, 0, len(self.payload), len(part.front + part.data), part.address,
                                                  part.memory, part.align, part.split) + part.name.encode()))
            self.payload += pad(part.front + part.data, self.grain(i + 1 == len(parts)))
        fields += self.of_files(parts)
        if arguments:
            fields.append(field(ARGUMENTS, arguments.encode()))
        self.body = b"".join(fields)
        self.reseal()

    def grain(self, last):
        """On what the part behind begins."""
        return PAYLOAD_ALIGN

    def of_files(self, parts):
        """Fields that only a detached seal has."""
        return []

    def reseal(self):
        """Head, chunk list and signatures anew, from payload, body and keys."""
        count = -(-len(self.payload) // self.chunk_size)
        self.list = b"".join(hashlib.sha256(self.payload[i * self.chunk_size:(i + 1) * self.chunk_size]).digest() for i in range(count))
        self.head = HEAD.pack(b"SIGNETP2", 1, HEAD_SIZE, len(self.body), self.chunk_size, count, len(self.payload),
                              hashlib.sha256(self.list).digest())
        self.sign()

    def sign(self):
        self.table = table([entry(key.id, key.curve.algorithm, key.sign(self.message())) for key in self.keys])

    def message(self):
        return DOMAIN + self.head + self.body

    def id(self):
        return hashlib.sha256(self.message()).digest()

    def set_head(self, offset, form, value):
        """Overwrites a field of the head, not caring for the signature."""
        head = bytearray(self.head)
        struct.pack_into("<" + form, head, offset, value)
        self.head = bytes(head)

    def seal_end(self):
        return len(self.head) + len(self.body) + len(self.table)

    def list_end(self):
        return self.seal_end() + len(self.list)

    def payload_start(self):
        return -(-self.list_end() // PAYLOAD_ALIGN) * PAYLOAD_ALIGN

    def bytes(self):
        seal = self.head + self.body + self.table
        return pad(seal + self.list, PAYLOAD_ALIGN) + self.payload


class Detached(Image):
    """A detached seal (4.2), and the files that it covers, which can be replaced as well."""

    def __init__(self, name, parts, cmdline="", counter=1, chunk_size=64 * 1024, **more):
        self.files = {part.name: part.data for part in parts}
        super().__init__(name, parts, cmdline, counter, chunk_size=chunk_size, **more)

    def grain(self, last):
        return PAYLOAD_ALIGN if last else self.chunk_size

    def of_files(self, parts):
        found = [field(FILES, b"".join(hashlib.sha256(part.data).digest() for part in parts))]
        return found + [field(FRONT, struct.pack("<I", i) + part.front) for i, part in enumerate(parts) if part.front]

    def bytes(self):
        return self.head + self.body + self.table + self.list


def cpio(path, size, mode=0o100644):
    """The head of a file in an initial file system: an entry of the form newc, padded to 4."""
    numbers = (0, mode, 0, 0, 1, 0, size, 0, 0, 0, 0, len(path) + 1, 0)
    return pad(b"070701" + b"".join(b"%08x" % n for n in numbers) + path.encode() + b"\0", 4)


def flip(data, position, bit=0):
    changed = bytearray(data)
    changed[position] ^= 1 << bit
    return bytes(changed)
