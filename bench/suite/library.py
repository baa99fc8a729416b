"""library.py - the allocators: where they lie, which version they are, and that they load."""
import glob
import hashlib
import os
import subprocess
from dataclasses import dataclass

# name, Debian package, where it lies
PEERS = (
    ("glibc", "libc6", "/lib/*-linux-gnu/libc.so.6"),
    ("jemalloc", "libjemalloc2", "/usr/lib/*-linux-gnu/libjemalloc.so.2"),
    ("mimalloc", "libmimalloc2.0", "/usr/lib/*-linux-gnu/libmimalloc.so.2*"),
    ("tcmalloc", "libtcmalloc-minimal4", "/usr/lib/*-linux-gnu/libtcmalloc_minimal.so.4"),
)
BASE = "jemalloc"               # ratios are to this one
OURS = "midden"


class Unusable(Exception):
    """Cause and cure, for a person."""


@dataclass
class Library:
    name: str
    path: str
    version: str = ""


def packages():
    return tuple((package, pattern) for _, package, pattern in PEERS[1:])


def package_version(package):
    """glibc is preloaded as well: redis-server is linked with jemalloc, and only so it really runs on glibc."""
    done = subprocess.run(["dpkg-query", "-W", "-f", "${Version}", package], capture_output=True, text=True)
    return f"{package} {done.stdout}" if done.returncode == 0 else package


def peers():
    """The installed ones, and what is wrong with the others."""
    found, wrong = [], []
    for name, package, pattern in PEERS:
        paths = sorted(glob.glob(pattern), key=len)
        if paths:
            found.append(Library(name, os.path.realpath(paths[0]), package_version(package)))
        else:
            wrong.append(f"{name}: {pattern} is not there (package {package})")
    return found, wrong


def built(top):
    """Where a build of ours may lie, best first."""
    for path in (os.environ.get("MIDDEN_LIBRARY"), ".libs/libmidden.so.0", "build/.libs/libmidden.so.0",
                 os.path.join(top, "build/.libs/libmidden.so.0")):
        if path and os.path.exists(path):
            return path
    return None


def given(name, path):
    if not os.path.exists(path):
        raise Unusable(f"{name}: there is no {path}")
    path = os.path.realpath(path)
    with open(path, "rb") as file:
        return Library(name, path, "sha256 " + hashlib.sha256(file.read()).hexdigest()[:16])


def verify(library):
    """The loader goes on without a library that it cannot load, so a process is asked what it has."""
    done = subprocess.run(["cat", "/proc/self/maps"], env={**os.environ, "LD_PRELOAD": library.path},
                          capture_output=True, text=True)
    if done.returncode != 0 or library.path not in done.stdout or done.stderr:
        raise Unusable(f"{library.name}: {library.path} is not in a process it was preloaded into: "
                       f"{done.stderr.strip() or f'status {done.returncode}'}")
