# SPDX-License-Identifier: MPL-2.0
"""Web servers of other people: nginx and lighttpd, unpacked and not installed. They serve a row's folder on port 8080, with a file behind a
password, a redirect, an address that takes forms, and connections that they close after a second."""
import glob
import os
import subprocess

import fixtures
import packages
import payload

FOLDER = os.path.join(fixtures.TOP, "build/web-servers")
# As in dhcp_servers.py: packages, and dependencies that a host need not have.
PACKAGES = {"nginx": ["nginx"], "lighttpd": ["lighttpd", *(("lighttpd", pattern) for pattern in ("libnettle*", "libpcre2-8*", "libxxhash*"))]}
USER, PASSWORD = "me", "se cret"

NGINX = """daemon off; user root root; worker_processes 1; pid {folder}/nginx.pid; error_log {folder}/nginx-error.log;
events {{ worker_connections 64; }}
http {{
    {temporary} default_type application/octet-stream; keepalive_timeout 1s;
    log_format row '$connection $request_method $uri $status';
    access_log {folder}/access.log row;
    server {{
        listen 8080; root {root};
        location /secret/ {{ auth_basic row; auth_basic_user_file {folder}/users; }}
        location = /moved {{ return 302 /script; }}
        location = /form {{ return 200 "#!ipxe\\necho FORM-$request_method $content_length $http_x_asset\\n"; }}
    }}
}}
"""
LIGHTTPD = """server.document-root = "{root}"
server.port = 8080
server.modules = ("mod_redirect", "mod_auth", "mod_authn_file", "mod_accesslog")
server.errorlog = "{folder}/lighttpd-error.log"
server.max-keep-alive-idle = 1
accesslog.filename = "{folder}/access.log"
accesslog.format = "%{{remote}}p %m %U %s"
url.redirect = ("^/moved$" => "/script")
auth.backend = "plain"
auth.backend.plain.userfile = "{folder}/users"
auth.require = ("/secret/" => ("method" => "digest", "algorithm" => "{algorithm}", "realm" => "row", "require" => "valid-user"))
"""


def libraries(kind):
    return packages.libraries(f"{FOLDER}/{kind}")


def prepare(kind):
    """None, or why it cannot be had here."""
    reason = packages.unpack_all(PACKAGES[kind], f"{FOLDER}/{kind}")
    if reason:
        return reason
    done = subprocess.run([*program(kind), "-v"], capture_output=True, text=True)
    return None if done.returncode == 0 else f"{kind} does not run here: {done.stderr.strip()}"


def program(kind):
    return ["env", f"LD_LIBRARY_PATH={libraries(kind)}", f"{FOLDER}/{kind}-0/usr/sbin/{kind}"]


def command(kind, options, folder, root):
    """The server, with its configuration and log in `folder`. `options`: the algorithm of lighttpd's Digest."""
    os.makedirs(os.path.join(folder, "tmp"), exist_ok=True)
    temporary = " ".join(f"{name}_temp_path {folder}/tmp;" for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    modules = next(iter(glob.glob(f"{FOLDER}/{kind}-0/usr/lib/lighttpd")), "")
    secret = "{PLAIN}" + PASSWORD if kind == "nginx" else PASSWORD
    payload.write(os.path.join(folder, "users"), f"{USER}:{secret}\n".encode())
    text = NGINX.format(folder=folder, root=root, temporary=temporary) if kind == "nginx" else \
        LIGHTTPD.format(folder=folder, root=root, algorithm=options[0])
    config = os.path.join(folder, "server.conf")
    payload.write(config, text.encode())
    return [*program(kind), *(["-p", folder, "-c", config] if kind == "nginx" else ["-D", "-m", modules, "-f", config])]
