# SPDX-License-Identifier: MPL-2.0
"""From a console to answers: what belongs to which case, and what in it was the script's doing."""
import re

import casefile

PEER_NOISE = re.compile(r"^\S+\.\.\.+ ok$|^  \[Link:|^Configuring \[?|^Waiting for link-up|^$")
PEER_FAULT = re.compile(r"ipxe\.org/|: command not found$|^Could not |^Usage:$|^No configuration methods|^Unrecognised option"
                        r"|^No image selected|^No default user interface"
                        r"|^\"[^\"]*\": (invalid|no such) ")
OWN_FAULT = re.compile(r"^(?!net\d)[a-z0-9-]+: |^usage: | \[[A-Z]\d\d\]|: command not found|^\[[A-Z]\d\d\]$")
MARK = re.compile(r"@@(begin|ok|failed|set|end)(?: (.*))?$")


def driver(topic, cases, base):
    """The script that runs a topic's cases. Each is fetched, so that none can end, spoil or jump about in the others."""
    lines = ["#!ipxe"]
    for case in cases:
        lines += [f"echo @@begin {case.name}", f"chain --autofree {base}/case/{case.name} && echo @@ok || echo @@failed"]
        lines += [f"echo @@set {name} [${{{name}}}]" for name in case.settings()]
        lines += [f"clear {name} ||" for name in case.settings()]
        lines += ["ifopen net0 ||", "isset ${net0/ip} || dhcp net0 ||"] if "network" in case.words else []
        lines += ["imgfree ||", f"echo @@end {case.name}"]
    return "\n".join(lines + ["echo @@done", "sleep 600", ""])


def clean(text):
    """Without what redraws a line."""
    lines = []
    for line in text.split("\n"):
        shown = []
        for c in line:
            if c != "\b":
                shown.append(c)
            elif shown:
                shown.pop()
        line = "".join(shown)
        lines.append(line.rstrip())
    return lines


def peer_lines(lines):
    usage = False
    for line in lines:
        usage = usage or line == "Usage:"
        if usage:
            yield "! " + line
            usage = not line.startswith("See http")
        elif PEER_FAULT.search(line):
            yield "! " + line
        elif not PEER_NOISE.match(line):
            yield "| " + line


def own_lines(lines):
    for line in lines:
        if OWN_FAULT.search(line):
            yield "! " + line
        elif line:
            yield "| " + line


def unwrapped(lines, width):
    """With the lines in one piece that the screen has broken."""
    whole = ""
    for line in lines:
        whole += line
        if len(line) != width:
            yield whole
            whole = ""


def answers(text, drawn, requests, mapping, lines_of, width=None):
    """{case: Answer}, without lines of output for those of `drawn`. `mapping` replaces what differs by the machine: pairs (text, by what).
    `width`: of the screen that it comes from."""
    found, name, kept, status, settings = {}, None, [], None, []
    for line in unwrapped(clean(text), width):
        for old, new in mapping:
            line = line.replace(old, new)
        mark = MARK.search(line)
        if not mark:
            kept.append(line)
        elif mark[1] == "begin":
            name, kept, status, settings = mark[2], [], "status unfinished", []
        elif mark[1] == "set":
            settings.append("= " + mark[2])
        elif mark[1] == "end":
            found[name] = casefile.Answer([status, *(() if name in drawn else lines_of(kept)), *settings, *requests.get(name, [])])
        else:
            kept += [line[:mark.start()]] if line[:mark.start()] else []
            status = "status " + mark[1]
    return found
