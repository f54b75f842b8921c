# SPDX-License-Identifier: MPL-2.0
"""DHCP servers that rows have in dnsmasq's place: isc-dhcp-server and Kea, unpacked and not installed."""
import glob
import json
import os
import subprocess

import fixtures
import packages
import payload

FOLDER = os.path.join(fixtures.TOP, "build/dhcp-servers")
# Server -> its package, and (package, pattern): the dependencies of packages that a host need not have.
PACKAGES = {"isc": ["isc-dhcp-server"],
            "kea": ["kea-dhcp4-server", "kea-common", *(("kea-common", pattern) for pattern in ("liblog4cplus*", "libmariadb3*", "libpq5*"))]}
PROGRAMS = {"isc": "dhcpd", "kea": "kea-dhcp4"}


def libraries(kind):
    return packages.libraries(f"{FOLDER}/{kind}")


def program(kind):
    return next(iter(glob.glob(f"{FOLDER}/{kind}-0/usr/sbin/{PROGRAMS[kind]}")), None)


def prepare(kind):
    """None, or why it cannot be had here."""
    reason = packages.unpack_all(PACKAGES[kind], f"{FOLDER}/{kind}")
    if reason:
        return reason
    env = dict(os.environ, LD_LIBRARY_PATH=libraries(kind))
    done = subprocess.run([program(kind), "--version" if kind == "isc" else "-v"], env=env, capture_output=True, text=True)
    return None if done.returncode == 0 else f"{PROGRAMS[kind]} does not run here: {done.stderr.strip()}"


def command(kind, config, folder):
    """The server on br0, with its configuration as text (isc) or as what is in "Dhcp4" (kea)."""
    path, leases = os.path.join(folder, "dhcpd.conf"), os.path.join(folder, "dhcpd.leases")
    env = ["env", f"LD_LIBRARY_PATH={libraries(kind)}", f"KEA_PIDFILE_DIR={folder}", f"KEA_LOCKFILE_DIR={folder}"]
    if kind == "kea":
        fixed = {"interfaces-config": {"interfaces": ["br0"]}, "lease-database": {"type": "memfile", "persist": False}}
        payload.write(path, json.dumps({"Dhcp4": {**fixed, **config}}).encode())
        return [*env, program(kind), "-c", path]
    payload.write(path, config.encode())
    payload.write(leases, b"")
    return [*env, program(kind), "-4", "-f", "-d", "--no-pid", "-cf", path, "-lf", leases, "br0"]
