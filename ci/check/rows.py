# SPDX-License-Identifier: MPL-2.0
"""Rows: functions that try signet in a folder of their own. The suites of programs (ci/check/cli, install, usb) are made of them.

A row is marked @row, raises AssertionError (check() does) or Skip, or is ok. The variables SIGNET and ROW_PREFIX choose another
program and another name for the rows of a run."""
import atexit
import concurrent.futures
import contextlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import traceback

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILT = os.environ.get("SIGNET", os.path.join(TOP, "bin/signet"))
WORK = tempfile.mkdtemp(prefix="signet-rows.")
SIGNET = os.path.join(WORK, "signet")  # a copy, so that a build that goes on beside does not pull the program away
ROWS = []
atexit.register(shutil.rmtree, WORK, ignore_errors=True)


class Skip(Exception):
    pass


def row(function):
    ROWS.append(function)
    return function


def check(condition, text):
    if not condition:
        raise AssertionError(text)


@contextlib.contextmanager
def loop_device(path, *options):
    """A loop device over a file, by its name; gone at the end."""
    done = subprocess.run(["losetup", "--find", "--show", *options, path], capture_output=True, text=True)
    if done.returncode != 0:
        raise Skip("no loop device to be had")
    loop = done.stdout.strip()
    try:
        yield loop
    finally:
        subprocess.run(["losetup", "-d", loop], check=True)


def run_row(name, function, where, before):
    top = tempfile.mkdtemp(prefix="row.", dir=where)
    folder = os.path.join(top, "row")
    os.mkdir(folder)
    try:
        if before:
            before(folder)
        function(folder)
        return f"ok {name}"
    except Skip as reason:
        return f"skip {name}: {reason}"
    except Exception as error:  # a row that falls over has failed, whatever it fell over
        text = str(error) if isinstance(error, AssertionError) else traceback.format_exc().strip().replace("\n", " | ")
        return f"FAIL {name}: {' '.join(text.split())[:900]}"
    finally:
        shutil.rmtree(top, ignore_errors=True)


def run(prefix, jobs, prepare=None, before=None, where=WORK):
    """Runs the rows that are there and match the command line's expression, `jobs` at a time; the exit status. prepare() comes before
    them all, before(folder) before each; `where` is the folder of their folders."""
    pattern = (sys.argv[1] if len(sys.argv) > 1 else "").replace("-", "_")
    prefix = os.environ.get("ROW_PREFIX", prefix)
    try:
        shutil.copy(BUILT, SIGNET)
        if prepare:
            prepare()
    except Exception as error:
        print(f"FAIL {prefix}prepare: {error}")
        return 1
    chosen = {prefix + f.__name__.replace("_", "-"): f for f in ROWS if re.search(pattern, f.__name__)}
    failed = False
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        for line in pool.map(lambda name: run_row(name, chosen[name], where, before), chosen):
            print(line, flush=True)
            failed |= line.startswith("FAIL")
    return 1 if failed else 0
