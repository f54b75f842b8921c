# SPDX-License-Identifier: MPL-2.0
"""The files of the differential test: cases, recorded answers, known differences.

A case is what follows a line `@ NAME [WORD...]` in cases/TOPIC: lines of a script, run as a script of its own. Words:
  drawn     something is drawn on the screen: lines of output are left out
  network   the case may leave the card closed or without an address: it is opened again behind it
What a case sets by name is cleared behind it. A line `<type:TEXT>` that a case prints has TEXT typed (`\\r` is Enter, `\\x03` ctrl-C).

An answer is, in answers/TOPIC, the case's name and what came of it, a line each:
  @ NAME
  status ok | failed
  | TEXT            a line of output
  ! TEXT            a line that tells a person of a fault: kept to be read, not compared
  = NAME [TEXT]     a setting afterwards
  > METHOD PATH     a request that reached the server

A known difference is a line `CASE...: WORDS` of `differences`; WORDS stand in doc/ipxe-differences.md, too, where the reason is said.
"""
import glob
import os
import re

FOLDER = os.path.dirname(os.path.abspath(__file__))
DOCUMENT = os.path.join(FOLDER, "../../doc/ipxe-differences.md")
SETS = re.compile(r"(?:^|&&|\|\|)\s*(?:set|inc|read|choose(?:\s+-\S+(?:\s+[^-\s]\S*)?)*)\s+(?:--\s+)?([A-Za-z][\w./-]*)")


class Case:
    def __init__(self, topic, name, words):
        self.topic, self.name, self.words, self.lines = topic, name, words, []

    def script(self):
        return "#!ipxe\n" + "\n".join(self.lines) + "\n"

    def settings(self):
        """The names that it gives values to, without their types."""
        names = []
        for line in self.lines:
            for name in SETS.findall(line):
                if name not in names:
                    names.append(name)
        return names


class Answer:
    """What came of a case under one of the two programs."""

    def __init__(self, lines=()):
        self.lines = list(lines)

    def compared(self):
        return [line.rstrip() for line in self.lines if not line.startswith("!")]


def blocks(path):
    """(first line's words, the others) of each `@` of a file."""
    found = []
    with open(path, encoding="utf-8") as f:
        for line in f.read().split("\n"):
            if line.startswith("@ "):
                found.append((line.split()[1:], []))
            elif found:
                found[-1][1].append(line)
    for _, lines in found:
        while lines and not lines[-1]:
            lines.pop()
    return found


def topics():
    return sorted(os.path.basename(path) for path in glob.glob(os.path.join(FOLDER, "cases/*")))


def cases(topic):
    found = []
    for words, lines in blocks(os.path.join(FOLDER, "cases", topic)):
        case = Case(topic, words[0], words[1:])
        case.lines = lines
        found.append(case)
    return found


def answers(topic):
    path = os.path.join(FOLDER, "answers", topic)
    return {words[0]: Answer(lines) for words, lines in blocks(path)} if os.path.exists(path) else {}


def write_answers(topic, found):
    os.makedirs(os.path.join(FOLDER, "answers"), exist_ok=True)
    with open(os.path.join(FOLDER, "answers", topic), "w", encoding="utf-8") as f:
        f.write("# SPDX-License-Identifier: MPL-2.0\n# What iPXE answered; written by ci/differential/run --record.\n")
        for name, answer in found.items():
            f.write("\n".join([f"@ {name}", *answer.lines]) + "\n")


def differences():
    """{case: words}; a pattern with * stands for several cases."""
    found = {}
    with open(os.path.join(FOLDER, "differences"), encoding="utf-8") as f:
        for line in f:
            if line.strip() and not line.startswith("#"):
                names, words = line.split(":", 1)
                for name in names.split():
                    found[name] = words.strip()
    return found


def undocumented(known):
    """Those of the known differences whose words the document does not have."""
    with open(DOCUMENT, encoding="utf-8") as f:
        text = " ".join(f.read().split())
    return [name for name, words in known.items() if words not in text]
