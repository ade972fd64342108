"""Start programs, wait until they are ready, read what they cost, end them."""

import os
import re
import select
import signal
import socket
import subprocess
import time

PAGE = os.sysconf("SC_PAGE_SIZE")
TICK = os.sysconf("SC_CLK_TCK")


class Failure(Exception):
    """A benchmark could not be taken; the row says why instead of a figure."""


class Process:
    """A program in a process group of its own, its standard error in a file."""

    def __init__(self, name, argv, folder, stdout=subprocess.DEVNULL, env=None):
        self.name = name
        self.log = os.path.join(folder, f"{name}-{time.monotonic_ns()}.log")
        with open(self.log, "wb") as log:
            self.popen = subprocess.Popen(
                argv, stdin=subprocess.PIPE, stdout=stdout, stderr=log, env=env, start_new_session=True
            )
        self.pid = self.popen.pid

    def wait_for(self, pattern, timeout=20):
        """The first match of pattern in what the program wrote to standard error."""
        end = time.monotonic() + timeout
        while time.monotonic() < end:
            with open(self.log, encoding="utf-8", errors="replace") as log:
                match = re.search(pattern, log.read())
            if match:
                return match
            if self.popen.poll() is not None:
                break
            time.sleep(0.005)
        raise Failure(f"{self.name} did not get ready: {self.tail()}")

    def read_line(self, timeout=120):
        """One line of standard output (opened as a pipe)."""
        ready, _, _ = select.select([self.popen.stdout], [], [], timeout)
        line = self.popen.stdout.readline() if ready else b""
        if not line:
            raise Failure(f"{self.name} said nothing: {self.tail()}")
        return line.decode()

    def tail(self):
        with open(self.log, encoding="utf-8", errors="replace") as log:
            return " / ".join(log.read().strip().splitlines()[-3:]) or "no message"

    def stop(self):
        if self.popen.poll() is None:
            self.popen.terminate()
            try:
                self.popen.wait(4)
            except subprocess.TimeoutExpired:
                pass
        for pid in tree(self.pid):
            if pid != self.pid or self.popen.poll() is None:
                kill(pid)
        kill(-self.pid)
        self.popen.wait()


def kill(pid):
    try:
        os.kill(pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        pass


def parents():
    """pid -> parent pid of every process."""
    table = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                with open(f"/proc/{name}/stat", encoding="ascii", errors="replace") as stat:
                    table[int(name)] = int(stat.read().rpartition(")")[2].split()[1])
            except (FileNotFoundError, ProcessLookupError):
                pass
    return table


def tree(root):
    """root and all that descends from it."""
    table = parents()
    members = {root}
    grown = True
    while grown:
        more = {pid for pid, parent in table.items() if parent in members} - members
        members |= more
        grown = bool(more)
    return members


def cpu_seconds(root):
    """User and system time of a process tree, with the children that have ended."""
    total = 0
    for pid in tree(root):
        try:
            with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as stat:
                fields = stat.read().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        total += sum(int(field) for field in fields[11:15])
    return total / TICK


def _cpu_times():
    with open("/proc/stat", encoding="ascii") as stat:
        times = [int(field) for field in stat.readline().split()[1:9]]
    return sum(times), times[3] + times[4]  # all, idle


def busy_share(seconds=0.5):
    """The share of all cores' time that other work takes now, a hypervisor's theft included."""
    all_before, idle_before = _cpu_times()
    time.sleep(seconds)
    all_after, idle_after = _cpu_times()
    return 1 - (idle_after - idle_before) / max(all_after - all_before, 1)


def private_bytes(root):
    """Memory that only this process tree holds: what would be free if it ended."""
    total = 0
    for pid in tree(root):
        try:
            with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as rollup:
                total += sum(int(kb) for kb in re.findall(r"^Private_\w+:\s+(\d+) kB", rollup.read(), re.M))
        except PermissionError:
            raise Failure("reading a process's private memory needs root") from None
        except (FileNotFoundError, ProcessLookupError):
            continue
    return total * 1024


def settled_bytes(*roots, quiet=3, timeout=30):
    """private_bytes of each, once none has changed for `quiet` seconds: programs give back buffers
    only after having been idle for a while."""
    last, since = [-1] * len(roots), time.monotonic()
    end = since + timeout
    while time.monotonic() < min(since + quiet, end):
        now = [private_bytes(root) for root in roots]
        if any(abs(a - b) > 16 * 1024 for a, b in zip(now, last)):
            last, since = now, time.monotonic()
        time.sleep(0.1)
    return last


def free_port():
    """A port that nobody uses now, for programs that cannot be given port 0."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def wait_port(port, process, timeout=20):
    # from another address: a connection from the port to itself would look like success
    end = time.monotonic() + timeout
    while time.monotonic() < end and process.popen.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), 1, ("127.0.0.2", 0)).close()
            return
        except OSError:
            time.sleep(0.005)
    raise Failure(f"{process.name} did not listen: {process.tail()}")
