# SPDX-License-Identifier: MPL-2.0
"""swtpm for a row, and the verifier of doc/measurements.md, written from that document alone.

The guest (init, test.tpm) sends the firmware's event log and the PCRs. Every PCR must come out of the log again, and Signet's
events must be exactly those that follow from what the row was given: keys, scripts, typed lines, image.
"""
import base64
import hashlib
import os
import re
import struct
import time

import fixtures

ALGORITHMS = {0x4: "sha1", 0xB: "sha256", 0xC: "sha384", 0xD: "sha512"}  # TCG Algorithm Registry
EV_NO_ACTION, EV_IPL = 3, 0xD
STEPS, IMAGE, POLICY = 8, 9, 14
BARE_TARGETS = (4, 5, 6)  # applications and bootstrap programs: nothing is appended to their load options
IMA = 10  # Linux extends it behind the log's back


def start(net, folder):
    """A TPM 2.0 of its own, and QEMU's options for it."""
    socket = os.path.join(folder, "tpm.sock")
    state = os.path.join(folder, "tpm")
    os.makedirs(state)
    process = net.popen(["swtpm", "socket", "--tpm2", "--tpmstate", f"dir={state}", "--ctrl", f"type=unixio,path={socket}",
                         "--terminate"], "swtpm.log")
    deadline = time.monotonic() + 10
    while not os.path.exists(socket):
        if process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError("swtpm does not come up, see swtpm.log")
        time.sleep(0.02)
    return ("-chardev", f"socket,id=tpm,path={socket}", "-tpmdev", "emulator,id=tpm0,chardev=tpm", "-device", "tpm-crb,tpmdev=tpm0")


# --- the log (TCG PC Client Platform Firmware Profile, chapter 10) ---


def events(log):
    """(pcr, type, {algorithm: digest}, event) of every entry behind the header."""
    pcr, kind, size = struct.unpack_from("<II20xI", log, 0)
    header, position = log[32:32 + size], 32 + size
    if (pcr, kind) != (0, EV_NO_ACTION) or not header.startswith(b"Spec ID Event03\0"):
        raise ValueError("the log does not begin with a Spec ID event")
    count = struct.unpack_from("<I", header, 24)[0]
    sizes = dict(struct.unpack_from("<HH", header, 28 + 4 * i) for i in range(count))
    while position < len(log):
        pcr, kind, count = struct.unpack_from("<III", log, position)
        position += 12
        digests = {}
        for _ in range(count):
            algorithm = struct.unpack_from("<H", log, position)[0]
            digests[ALGORITHMS[algorithm]] = log[position + 2:position + 2 + sizes[algorithm]]
            position += 2 + sizes[algorithm]
        size = struct.unpack_from("<I", log, position)[0]
        yield pcr, kind, digests, log[position + 4:position + 4 + size]
        position += 4 + size


def replay(found, bank):
    """The PCRs 0 to 15 as the log makes them."""
    size = hashlib.new(bank).digest_size
    pcrs = [bytes(size) for _ in range(16)]
    for pcr, kind, digests, event in found:
        if kind == EV_NO_ACTION:
            if event.startswith(b"StartupLocality\0"):
                pcrs[0] = bytes(size - 1) + event[16:17]
        elif pcr < 16:
            pcrs[pcr] = hashlib.new(bank, pcrs[pcr] + digests[bank]).digest()
    return pcrs


# --- what must have been measured ---


def coded(text, blanks=False):
    return "".join(c if "!" <= c <= "~" and c != "%" or blanks and c == " " else f"%{ord(c):02X}" for c in text)


def image_fields(name):
    """From doc/phase2-format.md: the image id, and the fields of the body that are measured."""
    data = fixtures.payload.read(fixtures.path("images", name))
    end = 64 + struct.unpack_from("<I", data, 12)[0]
    fields, position = {}, 64
    while position < end:
        kind, _, length = struct.unpack_from("<HHI", data, position)
        fields.setdefault(kind, data[position + 8:position + 8 + length])
        position += 8 + (length + 7) // 8 * 8
    return {"id": hashlib.sha256(b"signet phase-2 seal v1\0" + data[:end]).hexdigest(), "name": fields[1].decode(),
            "product": fields.get(2, b"").decode(), "counter": struct.unpack("<Q", fields[3])[0],
            "target": struct.unpack("<I", fields[4])[0], "cmdline": fields.get(5, b"").decode()}


def image_text(image):
    return f"id={image['id']} counter={image['counter']} product={coded(image['product'])} name={coded(image['name'])}"


def wanted(row, steps):
    """(pcr, text) of Signet's events, in order. A step is ("script", from, text), ("line", text), ("refused" or "accepted" or
    "vouched", floor, image), ("raised" or "cleared", floor, product), ("start", image): command line and image."""
    keys = ",".join(sorted(fixtures.KEYS[name].id.hex() for name in row.trust))
    found = [(POLICY, f"signet policy threshold=1 floor=0 product= keys={keys}")]
    for kind, *values in steps:
        if kind == "script":
            origin, text = values
            digest = hashlib.sha256(text.encode()).hexdigest()
            found.append((STEPS, f"signet script size={len(text)} sha256={digest} from={coded(origin, True)}"))
        elif kind == "line":
            found.append((STEPS, f"signet line text={coded(values[0], True)}"))
        elif kind in ("refused", "accepted", "vouched"):
            floor, name = values
            found.append((STEPS, f"signet {kind} floor={floor} {image_text(image_fields(name))}"))
        elif kind in ("raised", "cleared"):
            floor, product = values
            found.append((STEPS, f"signet {kind} floor={floor} product={coded(product)}"))
        else:
            image = image_fields(values[0])
            line = image["cmdline"]
            if image["target"] not in BARE_TARGETS:
                line += f" signet.name={image['name']} signet.counter={image['counter']}"
            found += [(STEPS, f"signet cmdline text={coded(line, True)}"), (IMAGE, f"signet image {image_text(image)}")]
    return found


def judge(console, row, steps):
    """Reasons why the last boot's measurements are not right."""
    logs = re.findall(r"^GUEST-TPM-LOG (\S+)$", console, re.M)
    pcrs = {(bank, int(pcr)): bytes.fromhex(value) for bank, pcr, value in re.findall(r"^GUEST-PCR (\w+) (\d+) (\w+)$", console, re.M)}
    if not logs or ("sha256", 0) not in pcrs:
        return ["the guest sent no event log, or no PCRs"]
    try:
        found = list(events(base64.b64decode(logs[-1])))
    except (ValueError, KeyError, struct.error) as error:
        return [f"the event log cannot be read: {error!r}"]
    reasons = []
    for bank in sorted({bank for bank, _ in pcrs}):
        for pcr, value in enumerate(replay(found, bank)):
            if pcr != IMA and value != pcrs[bank, pcr]:
                reasons.append(f"PCR {pcr} ({bank}) is {pcrs[bank, pcr].hex()}, the log makes it {value.hex()}")
    ours = []
    for pcr, kind, digests, event in found:
        if kind == EV_IPL and event.startswith(b"signet "):
            ours.append((pcr, event.decode("ascii", "replace")))
            reasons += [f"the {bank} digest of {event!r} is not its own" for bank, digest in digests.items()
                        if hashlib.new(bank, event).digest() != digest]
    expected = wanted(row, steps)
    if ours != expected:
        reasons.append(f"measured: {ours}; expected: {expected}")
    return reasons
