"""Real programs: start one, wait until it says something, judge how it ended."""
import os
import re
import signal
import subprocess
import time

BIN = os.path.abspath(os.environ.get("ALK_BIN") or
                      os.path.join(os.path.dirname(__file__), "../../../build/bin"))


def _is_sanitised():
    try:
        with open(os.path.join(BIN, "alknet-server"), "rb") as f:
            content = f.read()
    except OSError:
        return False
    return b"__asan_init" in content or b"__tsan_init" in content


SANITISED = _is_sanitised()
# Deadlines bound a failure, they pace nothing: generous, and more so for slow binaries.
PATIENCE = 4 if SANITISED else 1

LEAKS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "libssh2.leaks")

_REPORT = re.compile(r"(ERROR|WARNING): \w+Sanitizer|runtime error:|Sanitizer has encountered")


class Failure(AssertionError):
    """What was expected did not come."""


def wait_until(condition, what, seconds=20):
    """Polls until condition() is true and returns its value."""
    deadline = time.monotonic() + seconds * PATIENCE
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise Failure(f"expected within {seconds * PATIENCE} s: {what}")
        time.sleep(0.005)


class Program:
    """One child process. Standard error and output go to files unless pipes are asked for."""

    def __init__(self, name, argv, directory, env=None, stdin=subprocess.DEVNULL, stdout=None,
                 ours=None, **popen):
        self.name = name
        self.argv = [str(a) for a in argv]
        self.log_path = os.path.join(directory, f"{name}.log")
        self.ours = os.path.basename(self.argv[0]).startswith("alknet-") if ours is None else ours
        self.killed = False  # a signal of ours that the program cannot survive
        environment = dict(os.environ, **(env or {}))
        environment.setdefault("UBSAN_OPTIONS", "print_stacktrace=1")
        if "libssh2" in self.argv:  # whose own leaks are told by whole stacks only
            environment.setdefault("ASAN_OPTIONS", "fast_unwind_on_malloc=0")
            environment.setdefault("LSAN_OPTIONS", f"print_suppressions=0:suppressions={LEAKS}")
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(
                self.argv, stdin=stdin, stdout=log if stdout is None else stdout, stderr=log,
                env=environment, cwd=directory, **popen)

    @property
    def pid(self):
        return self.process.pid

    def log(self):
        with open(self.log_path, "rb") as f:
            return f.read().decode("utf-8", "backslashreplace")

    def running(self):
        return self.process.poll() is None

    def wait_for(self, pattern, seconds=20, count=1):
        """The count-th match of pattern in the log."""
        def found():
            matches = list(re.finditer(pattern, self.log(), re.M))
            if len(matches) >= count:
                return matches[count - 1]
            if not self.running():
                matches = list(re.finditer(pattern, self.log(), re.M))
                if len(matches) >= count:
                    return matches[count - 1]
                raise Failure(f"{self.name} ended with {self.process.returncode} before it said "
                              f"{pattern!r}; it said:\n{self.log()}")
            return None
        return wait_until(found, f"{self.name} says {pattern!r} ({count} times); it said:\n"
                          f"{self.log()[-2000:]}", seconds)

    def wait(self, seconds=20):
        """The exit status."""
        try:
            return self.process.wait(seconds * PATIENCE)
        except subprocess.TimeoutExpired:
            raise Failure(f"expected {self.name} to end within {seconds * PATIENCE} s") from None

    def signal(self, number):
        self.killed |= number == signal.SIGKILL
        self.process.send_signal(number)

    def suspend(self):
        """SIGSTOP. A thread may run on for a moment after kill(2) has returned."""
        self.signal(signal.SIGSTOP)
        wait_until(lambda: set(self._thread_states()) == {"T"}, f"{self.name} stands still")

    def _thread_states(self):
        for task in os.listdir(f"/proc/{self.pid}/task"):
            with open(f"/proc/{self.pid}/task/{task}/stat") as f:
                yield f.read().rpartition(") ")[2][0]

    def kill(self):
        self.signal(signal.SIGKILL)
        return self.wait()

    def stop(self):
        """SIGTERM; the exit status."""
        self.process.terminate()
        return self.wait(5)

    def memory(self):
        """Resident bytes."""
        with open(f"/proc/{self.pid}/statm") as f:
            return int(f.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    def kill_descendants(self):
        """Kills the processes that it has started, those that these have started included: an
        sshd's sessions. It lives on."""
        def below(pid):
            with open(f"/proc/{pid}/task/{pid}/children") as f:
                return [p for child in f.read().split() for p in (int(child), *below(child))]
        for pid in below(self.pid):
            os.kill(pid, signal.SIGKILL)

    def finish(self):
        """Ends the process whatever it does; returns what was wrong with its life."""
        complaints = []
        if self.running():
            self.process.send_signal(signal.SIGCONT)  # a test may have stopped it
            if self.ours:
                self.process.terminate()
            else:  # OpenSSH's client can miss a SIGTERM that comes just before it waits
                self.process.kill()
            try:
                self.process.wait(5 * PATIENCE)
            except subprocess.TimeoutExpired:
                complaints.append(f"{self.name} did not end after SIGTERM")
                self.process.kill()
                self.process.wait()
                self.killed = True
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                pipe.close()
        code = self.process.returncode
        if self.ours and code not in (0, 1, 2) and not (self.killed and code == -signal.SIGKILL):
            complaints.append(f"{self.name} ended with {code}, expected 0, 1 or 2")
        if self.ours and _REPORT.search(self.log()):
            complaints.append(f"{self.name} has a sanitizer report")
        return complaints


def path_of(name):
    return os.path.join(BIN, name)
