# SPDX-License-Identifier: MPL-2.0
"""The rows of what scripts ask of other people's web servers (web_servers.py): one connection for all, a redirect, a page that is not there,
a password, a form, and an image after the server has closed."""
from dataclasses import replace

A = "10.50.0.2"
SECRET = f"http://me:se%20cret@{A}:8080/secret/script"


def script(form):
    lines = ["dhcp", f"chain http://{A}:8080/script || echo ROW-FAILED", f"chain http://{A}:8080/moved || echo ROW-FAILED",
             f"chain http://{A}:8080/absent && echo ROW-FAILED || echo ABSENT", f"chain {SECRET} || echo ROW-FAILED",
             f"chain http://{A}:8080/secret/script && echo ROW-FAILED || echo DENIED",
             f"chain http://me:wrong@{A}:8080/secret/script && echo ROW-FAILED || echo WRONG"]
    if form:
        lines += ["params", "param a b&c", "param --header X-Asset seven", f"chain http://{A}:8080/form##params || echo ROW-FAILED"]
    return "\n".join(["#!ipxe", *lines, "sleep 3", f"chain http://{A}:8080/good || echo ROW-FAILED", "echo ROW-END", ""])


def rows(table):
    good = next(row for row in table if row.name == "e1000")
    said = (r"SCRIPT(?s:.*)redirected to (?s:.*)SCRIPT(?s:.*)\[G04\](?s:.*)ABSENT(?s:.*)SECRET(?s:.*)it wants a user's name and password(?s:.*)"
            r"DENIED(?s:.*)does not take this user's name and password(?s:.*)WRONG")
    files = (("serve-a", "script", "#!ipxe\necho SCRIPT\n"), ("serve-a", "secret/script", "#!ipxe\necho SECRET\n"))

    def row(name, about, kind, form, *options):
        # Nine requests before the pause, and those of the form and of the image have connections of their own.
        return replace(good, name="host-" + name, about=about, machine="host", group="host", files=files,
                       servers=[replace(good.servers[0], kind=kind, options=options)], script=script(form),
                       after=(("placed", "good"), ("connections", "a", 9, 3 if form else 2)),
                       expect=(said + (r"(?s:.*)FORM-POST 7 seven\n" if form else ""),))

    return [
        row("nginx", "nginx: one connection, a redirect, 404, Basic, a form, and an image once it has closed", "nginx", True),
        *[row(f"lighttpd-{name}", f"lighttpd: the same with Digest by {algorithm}", "lighttpd", False, algorithm)
          for name, algorithm in (("md5", "MD5"), ("sha256", "SHA-256"))],
    ]
