"""machine.py - on what the figures were taken."""
import os
import platform
import subprocess
import time


def first_line(command):
    try:
        done = subprocess.run(command, capture_output=True, text=True)
    except OSError:
        return "not installed"
    return (done.stdout or done.stderr).split("\n")[0]


def field(path, name):
    try:
        with open(path) as file:
            for line in file:
                if line.startswith(name):
                    return line.split(":", 1)[1].strip()
    except OSError:
        pass
    return "unknown"


def content(path):
    try:
        with open(path) as file:
            return file.read().strip()
    except OSError:
        return "unknown"


def describe():
    return {
        "date": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "processor": field("/proc/cpuinfo", "model name"),
        "processors": os.cpu_count(),
        "memory": field("/proc/meminfo", "MemTotal"),
        "huge pages": content("/sys/kernel/mm/transparent_hugepage/enabled"),
        "governor": content("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor"),
        "load at start": " ".join(f"{load:.2f}" for load in os.getloadavg()),
        "kernel": platform.release(),
        "architecture": platform.machine(),
        "C library": " ".join(platform.libc_ver()),
        "compiler": first_line(["cc", "--version"]),
        "programs": {name: first_line(command) for name, command in (
            ("redis", ["redis-server", "--version"]), ("sqlite", ["sqlite3", "--version"]),
            ("python", ["/usr/bin/python3", "--version"]), ("lua", ["lua5.4", "-v"]), ("node", ["node", "--version"]),
            ("git", ["git", "--version"]), ("xz", ["xz", "--version"]), ("z3", ["z3", "--version"]),
            ("ghostscript", ["gs", "--version"]), ("valgrind", ["valgrind", "--version"]))},
    }


def busy():
    """Why times taken now would not count, or "". A load below a quarter of a processor is the daily noise."""
    load = os.getloadavg()[0]
    return f"the machine is busy: load {load:.2f} before the first run" if load > 0.25 * (os.cpu_count() or 1) else ""
