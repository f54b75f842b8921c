# SPDX-License-Identifier: MPL-2.0
"""Menus and forms on real consoles: in BIOS on the VGA screen, whose text and colours are read from its memory, and on the serial line; under UEFI
on whatever the firmware has, of which the serial line is looked at. The keyboard is the machine's own."""
import os
from dataclasses import replace

import fixtures

SERVER = "10.50.0.2"


def script(image):
    return f"""#!ipxe
dhcp
menu Site menu
item --gap -- Systems
item --key t {image} A small system
item large A large system
item --gap
item exit Leave
choose --default large --timeout 60000 what || echo ROW-FAILED
form Who?
item name Name
item --secret pw Password
present || echo ROW-FAILED
echo ROW-SAYS ${{what}} ${{name}} ${{pw}}
chain p2://{SERVER}/${{what}} || echo ROW-FAILED
echo ROW-END
"""


# What the serial line shows, and what a person does then.
TYPED = ((r"\(60\)", "<up>"), (r"A small system\s", "<ret>"), (r"Who\?(?s:.*)Enter: next", "me"), (r"me_+(?s:.*)_", "pw"))
SHOWN = (r"Site menu\s+Systems\s+A small system\s+A large system\s+\(60\)\s+Leave\s", r"\*\*_")

# As VGA has them: background << 4, 8 bright, foreground.
PLAIN, TITLE, GAP, BAR = 0x17, 0x1F, 0x13, 0x4F
MENU = ((1, "Site menu", TITLE), (3, "Systems", GAP), (4, "A small system", BAR), (5, "A large system", PLAIN), (7, "Leave", PLAIN))


def field(label, text):
    return label.ljust(26) + text.ljust(46, "_")


FORM = ((1, "Who?", TITLE), (4, field("Name", "me"), PLAIN), (5, field("Password", ""), PLAIN),
        (22, "Enter: next    Ctrl-X: take all    Esc: leave all as it was", GAP))


def rows(table):
    good = next(row for row in table if row.name == "e1000")
    base = replace(good, typed=TYPED, forbid=good.forbid + ("ROW-FAILED", "ROW-END"))

    def boot(name, about, image, **more):
        return replace(base, name=name, about=about, servers=[replace(good.servers[0], images=[image])], script=script(image), boots=image,
                       expect=SHOWN + (f"ROW-SAYS {image} me pw",), **more)
    return [
        boot("menu", "a menu and a form on the VGA screen and the serial line, filled in at the keyboard", "tiny",
             looks=((1, TYPED[1][0], MENU), (3, TYPED[3][0], FORM))),
        replace(good, name="host-menu-example", about="embed/menu.ipxe where nobody is: after 10 s the boot server on the link", machine="host",
                group="host", script=fixtures.payload.read(os.path.join(fixtures.TOP, "embed/menu.ipxe")).decode(), after=(("placed", "good"),),
                expect=(r"Any boot server on this link: its default image\s+\(10\)", r"\(1\)")),
        boot("efi-menu", "the same by the firmware's console", "good", firmware="esp", nic="virtio-net-pci"),
    ]
