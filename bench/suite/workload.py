"""workload.py - one row of the table: what is run, what is looked at.

kind    own      a pattern of bench/work, timed inside the program
        real     a program people run; time on the clock, unless the row says `by_processor`
        memory   a pattern of bench/work about memory left behind; not timed, all libraries side by side
        count    instructions a round, counted by valgrind; no clock, so one round says it all
"""
import hashlib
import os
import subprocess
from dataclasses import dataclass, field

LIMIT_SECONDS = 300


@dataclass
class Settings:
    """How a run of the whole is done."""
    scratch: str
    permille: int = 1000
    idle_ms: int = 10000
    rounds: int = 5
    warm_mib: int = 0               # of memory touched before each timed run

    def path(self, *parts):
        return os.path.join(self.scratch, *parts)

    def scaled(self, count, least=1):
        return max(least, count * self.permille // 1000)


@dataclass
class Sample:
    """What came of one run; None: not looked at."""
    seconds: float = None
    cpu: float = None
    peak_kib: int = None
    rest_kib: int = None
    instructions: float = None
    sum: str = ""
    error: str = ""


def fields(line):
    return dict(word.split("=", 1) for word in line.split() if "=" in word)


def started(settings, library, command, tag, warm=True, **options):
    """Runs the command through bench/start; its figures as a dictionary of text."""
    result = settings.path(f"result.{tag}.{library.name}")
    if os.path.exists(result):
        os.unlink(result)
    subprocess.run([settings.path("start"), str(settings.warm_mib if warm else 0), result, library.path, *command],
                   timeout=LIMIT_SECONDS, check=True, **options)
    with open(result) as file:
        return fields(file.read())


@dataclass
class Workload:
    name: str
    kind: str
    about: str = ""
    weighs: bool = True             # in the means
    needs: tuple = ()               # pairs: package, program or file that shows it is there

    def prepare(self, settings):
        """Once, before the first run."""

    def sample(self, settings, library):
        """One run; never raises."""
        try:
            return self.run(settings, library)
        except subprocess.TimeoutExpired:
            return Sample(error=f"no end after {LIMIT_SECONDS} s")
        except (OSError, subprocess.SubprocessError, KeyError, ValueError) as error:
            return Sample(error=f"{type(error).__name__}: {error}")


@dataclass
class Own(Workload):
    """A pattern of bench/work."""

    def run(self, settings, library):
        out = settings.path(f"{self.name}.{library.name}.out")
        command = [settings.path("work"), "-s", str(settings.permille), "-i", str(settings.idle_ms), self.name]
        with open(out, "wb") as stdout, open(out + ".err", "wb") as stderr:
            figures = started(settings, library, command, self.name, warm=self.kind == "own", stdout=stdout, stderr=stderr)
        said = open(out + ".err", errors="replace").read().strip()
        if figures["status"] != "0" or said:
            return Sample(error=f"status {figures['status']}: {said[-200:]}")
        inside = fields(open(out).read())
        timed = self.kind == "own"
        return Sample(
            seconds=float(inside["seconds"]) if timed else None, cpu=float(figures["cpu"]),
            peak_kib=int(inside["peak_kib"]), sum=inside["sum"],
            rest_kib=int(inside["rest_kib"]) if "rest_kib" in inside else None)


@dataclass
class Real(Workload):
    """A real program: command(settings) is what is run, in `scratch`; its output is the sum."""
    command: object = None
    data: object = None             # data(settings): writes the input
    environment: dict = field(default_factory=dict)
    output: str = ""                # a file in scratch that is the result; "": stdout is

    def prepare(self, settings):
        if self.data:
            self.data(settings)

    def run(self, settings, library):
        out = settings.path(f"{self.name}.{library.name}.out")
        environment = {**os.environ, "LC_ALL": "C.UTF-8", **self.environment}
        with open(out, "wb") as stdout, open(out + ".err", "wb") as stderr:
            figures = started(settings, library, self.command(settings), self.name, stdout=stdout, stderr=stderr,
                              stdin=subprocess.DEVNULL, cwd=settings.scratch, env=environment)
        if figures["status"] != "0":
            said = open(out + ".err", errors="replace").read().strip()
            return Sample(error=f"status {figures['status']}: {said[-200:]}")
        digest = hashlib.sha256(open(settings.path(self.output) if self.output else out, "rb").read())
        return Sample(seconds=float(figures["seconds"]), cpu=float(figures["cpu"]),
                      peak_kib=int(figures["peak_kib"]), sum=digest.hexdigest()[:16])


@dataclass
class Count(Workload):
    """Instructions a round of bench/count, the loop taken away: a pair of calls, or a block of a batch."""
    pattern: str = ""
    loops: dict = field(default_factory=dict)       # by library: the empty loop, counted once for all patterns

    def instructions(self, settings, library, pattern, rounds):
        command = ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", settings.path("count"),
                   pattern, str(rounds)]
        environment = {**os.environ, "LD_PRELOAD": library.path}
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=LIMIT_SECONDS)
        for line in done.stderr.splitlines():
            if "Collected :" in line and done.returncode == 0:
                return int(line.split(":")[1])
        raise ValueError(f"valgrind counted nothing: {done.stderr.strip()[-200:]}")

    def per_round(self, settings, library, pattern):
        few, many = 16000, 48000
        return (self.instructions(settings, library, pattern, many) -
                self.instructions(settings, library, pattern, few)) / (many - few)

    def run(self, settings, library):
        if library.name not in self.loops:
            self.loops[library.name] = self.per_round(settings, library, "none")
        return Sample(instructions=self.per_round(settings, library, self.pattern) - self.loops[library.name])


UNWEIGHED = {"threads-1", "threads-4", "threads-8", "threads-16", "threads-32"}
COUNTED = {
    "count-pair": ("pair", "malloc(32), free"),
    "count-large": ("large", "malloc(1000), free"),
    "count-medium": ("medium", "malloc(5000), free"),
    "count-aligned": ("aligned", "posix_memalign(64, 100), free"),
    "count-turns": ("turns", "one of forty blocks of 256 bytes replaced"),
    "count-zeroed": ("zeroed", "calloc(1, 32), free"),
    "count-same": ("same", "realloc in place"),
    "count-batch": ("batch", "one of sixteen malloc(48), free"),
}


def own(settings):
    """The patterns that bench/work lists on stderr; those that leave a rest are about memory."""
    listing = subprocess.run([settings.path("work")], capture_output=True, text=True).stderr
    memory = {"idle", "idle-threads", "dormant", "drift", "children"}
    for line in listing.splitlines()[1:]:
        name, about = line.split(None, 1)
        yield Own(name, "memory" if name in memory else "own", about, weighs=name not in UNWEIGHED)


def counted():
    loops = {}
    for name, (pattern, about) in COUNTED.items():
        yield Count(name, "count", about, pattern=pattern, loops=loops,
                    needs=(("valgrind", "valgrind"),))
