"""real.py - the real programs: what each is given, and how it is run."""
import hashlib
import os
import selectors
import socket
import subprocess
import threading
import time
from dataclasses import dataclass

from . import data
from .workload import Real, Sample, Workload, started

HERE = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "real")


def write(settings, name, content):
    with open(settings.path(name), "wb") as file:
        file.write(content)


def script(name, program, file, count, package, **more):
    """A program that runs bench/real/FILE with a count."""
    return Real(name, "real", f"{program} runs bench/real/{file}", needs=((package, program),),
                command=lambda settings: [program, os.path.join(HERE, file), str(settings.scaled(count))], **more)


# ---- git --------------------------------------------------------------------------------------------------------------

def git(settings, *words, **options):
    subprocess.run(["git", "-C", settings.path("repository"), *words], check=True, **options)


def git_data(settings):
    subprocess.run(["git", "init", "-q", "--bare", settings.path("repository")], check=True)
    git(settings, "fast-import", "--quiet", input=data.history(settings.scaled(1000, 5)))


# What `git repack -f` does inside, without changing the repository: the pack goes to stdout.
def git_command(settings):
    return ["git", "-C", settings.path("repository"), "pack-objects", "--all", "--stdout", "-q", "--threads=1",
            "--no-reuse-delta", "--no-reuse-object", "--window=30"]


# ---- redis ------------------------------------------------------------------------------------------------------------

@dataclass
class Redis(Workload):
    """A server and one client over loopback. The client is ours and has no library under it; what counts is the
    processor time of the server, for the same requests. Replies are the sum."""

    def prepare(self, settings):
        self.stream = data.redis_stream(settings.scaled(400000, 200))

    def run(self, settings, library):
        port = free_port()
        figures = {}
        command = ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no",
                   "--dir", settings.scratch, "--activedefrag", "no"]
        with open(settings.path(f"redis.{library.name}.log"), "wb") as log:
            server = threading.Thread(target=lambda: figures.update(
                started(settings, library, command, self.name, stdout=log, stderr=log)))
            server.start()
            try:
                digest = converse(port, self.stream)
            finally:
                server.join(timeout=60)
        if figures.get("status") != "0":
            return Sample(error=f"redis-server ended with {figures.get('status', 'nothing')}")
        return Sample(seconds=float(figures["cpu"]), cpu=float(figures["cpu"]), peak_kib=int(figures["peak_kib"]),
                      sum=digest)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def connected(port):
    for _ in range(100):
        try:
            return socket.create_connection(("127.0.0.1", port))
        except OSError:
            time.sleep(0.05)
    raise OSError("redis-server does not answer")


END = b"$13\r\nend of stream\r\n"
SHUTDOWN = b"*2\r\n$8\r\nSHUTDOWN\r\n$6\r\nNOSAVE\r\n"


def converse(port, stream):
    """Sends the stream, reading all the while; the digest of what came back. The server is ended only when its last
    reply is here: it drops what it has not sent."""
    digest, tail, sent = hashlib.sha256(), b"", 0
    stream = memoryview(stream + b"*2\r\n$4\r\nECHO\r\n" + END)
    with connected(port) as link, selectors.DefaultSelector() as waiting:
        link.setblocking(False)
        waiting.register(link, selectors.EVENT_READ | selectors.EVENT_WRITE)
        while not tail.endswith(END):
            events = waiting.select(timeout=60)
            if not events:
                raise OSError("redis-server has fallen silent")
            if events[0][1] & selectors.EVENT_WRITE:
                sent += link.send(stream[sent:sent + 16384])
                if sent == len(stream):
                    waiting.modify(link, selectors.EVENT_READ)
            if events[0][1] & selectors.EVENT_READ:
                reply = link.recv(1 << 20)
                if not reply:
                    raise OSError("redis-server has hung up")
                digest.update(reply)
                tail = (tail + reply)[-len(END):]
        link.send(SHUTDOWN)
    return digest.hexdigest()[:16]


# ---- all of them ----------------------------------------------------------------------------------------------------------

def real():
    yield Redis("redis", "real", "redis-server, one client over loopback; the server's processor time",
                needs=(("redis-server", "redis-server"),))
    yield Real("sqlite", "real", "sqlite3, all in memory", needs=(("sqlite3", "sqlite3"),),
               data=lambda s: write(s, "query.sql", data.sql(s.scaled(90000, 200))),
               command=lambda s: ["sqlite3", ":memory:", ".read query.sql"])
    yield script("python", "/usr/bin/python3", "objects.py", 60000, "python3", environment={"PYTHONHASHSEED": "1"})
    yield script("python-malloc", "/usr/bin/python3", "objects.py", 60000, "python3",
                 environment={"PYTHONHASHSEED": "1", "PYTHONMALLOC": "malloc"})
    yield script("perl", "perl", "report.pl", 11000, "perl", environment={"PERL_HASH_SEED": "1"})
    yield script("lua", "lua5.4", "tables.lua", 320000, "lua5.4")
    yield script("node", "node", "service.js", 12000, "nodejs")
    yield Real("gcc", "real", "gcc -O2 of one big file", needs=(("gcc", "gcc"),),
               data=lambda s: write(s, "big.c", data.c_source(s.scaled(80, 5))),
               command=lambda s: ["gcc", "-O2", "-c", "-o", "big.o", "big.c"], output="big.o")
    yield Real("git", "real", "git repack: deltas of a long history", needs=(("git", "git"),),
               data=git_data, command=git_command)
    yield Real("xz", "real", "xz with two threads", needs=(("xz-utils", "xz"),),
               data=lambda s: write(s, "text", data.text(37, s.scaled(8 << 20, 1000))),
               command=lambda s: ["xz", "-2", "-T2", "--block-size=1MiB", "-c", "text"])
    yield Real("z3", "real", "z3: factoring by bit vectors, pigeons", needs=(("z3", "z3"),),
               data=lambda s: write(s, "problem.smt2", data.smt(12 + s.scaled(16), 5 + s.scaled(4))),
               command=lambda s: ["z3", "problem.smt2"])
    yield Real("ghostscript", "real", "gs draws pages", needs=(("ghostscript", "gs"),),
               data=lambda s: write(s, "pages.ps", data.postscript(s.scaled(36))),
               command=lambda s: ["gs", "-q", "-dNOPAUSE", "-dBATCH", "-dSAFER", "-sDEVICE=ppmraw", "-r120",
                                  "-sOutputFile=pages.ppm", "pages.ps"], output="pages.ppm")
