"""alknet-client --status, on a terminal and without one."""
import os
import pty
import re
import select
import subprocess
import time

import pytest

from support.dial import check_echo, through
from support.program import PATIENCE


class Terminal:
    """A program whose standard error is a terminal, and what would be seen on it."""

    def __init__(self, argv, directory, columns):
        self.ours, theirs = pty.openpty()
        subprocess.run(["stty", "cols", str(columns)], stdin=theirs, check=True)
        self.process = subprocess.Popen([str(a) for a in argv], stdin=subprocess.DEVNULL,
                                        stdout=subprocess.DEVNULL, stderr=theirs, cwd=directory)
        os.close(theirs)
        self.raw = ""

    def read(self, seconds):
        """False at the end."""
        if select.select([self.ours], [], [], seconds)[0]:
            try:
                self.raw += os.read(self.ours, 4096).decode()
            except OSError:
                return False
        return True

    def lines(self):
        """As a person sees them: what a clearing of the line has taken away is gone."""
        return [line.rsplit("\r\x1b[K", 1)[-1] for line in self.raw.replace("\r\n", "\n").split("\n")]

    def states(self):
        """Every status line that was drawn."""
        return re.findall(r"\r\x1b\[K([^\r\n]* \| [^\r\n]*)", self.raw)

    def wait_for(self, pattern):
        deadline = time.monotonic() + 20 * PATIENCE
        while True:
            found = [state for state in self.states() if re.search(pattern, state)]
            if found:
                return found[-1]
            assert time.monotonic() < deadline, self.raw
            assert self.read(0.1), self.raw

    def stop(self):
        self.process.terminate()
        while self.read(20):
            pass
        return self.process.wait(20 * PATIENCE)

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        os.close(self.ours)


@pytest.fixture
def shown(lab):
    terminals = []

    def start(server, *args, identity="user", columns=80):
        argv = lab.client_argv(server, "--status", *args, identity=identity)
        terminal = Terminal(argv, lab.directory, columns)
        terminals.append(terminal)
        return terminal
    yield start
    for terminal in terminals:
        terminal.close()


def test_one_line_that_is_kept_up_to_date(lab, shown):
    server, echo, entry = lab.server(), lab.echo(), lab.entry()
    terminal = shown(server, "-D", entry)
    terminal.wait_for(r"^online \| 0 channels \| up 0 B/s \| down 0 B/s$")
    host, port = entry.split(":")
    s = lab.keep(through((host, int(port)), echo))
    check_echo(s)
    terminal.wait_for(r"^online \| 1 channel \| up [1-9][0-9.]* (K|M)?B/s \| down [1-9]")
    terminal.wait_for(r"^online \| 1 channel \| up 0 B/s")
    server.kill()
    terminal.wait_for(r"^offline, trying again \| 0 channels")
    assert terminal.stop() == 0
    lines = terminal.lines()
    assert lines[-1] == "", "the line is taken away at the end"
    assert not any(" | " in line for line in lines[:-1]), lines
    assert f"alknet-client: listening on {entry}" in lines
    assert any(line.startswith("level=warn msg=offline") for line in lines), lines


def test_a_narrow_terminal(lab, shown):
    terminal = shown(lab.server(), columns=20)
    assert terminal.wait_for("^online") == "online | 0 channels "[:19]
    assert terminal.stop() == 0


def test_what_goes_wrong_is_read_whole(lab, shown):
    terminal = shown(lab.server(), identity="other")
    while terminal.read(20):
        pass
    assert terminal.process.wait(20 * PATIENCE) == 1
    assert any(line.startswith("alknet-client: ") and "does not accept" in line
               for line in terminal.lines()), terminal.raw


def test_without_a_terminal_changes_are_told(lab):
    server = lab.server()
    client = lab.client(server, "--status")
    client.wait_for("^alknet-client: status: online$")
    server.kill()
    client.wait_for("^alknet-client: status: offline: .+$")
    assert "\x1b" not in client.log()


def test_not_beside_another_program(lab):
    code, said = lab.run("alknet-client", lab.client_argv(lab.server(), "--status", "-W", "a:1"))
    assert code == 2 and "--stdio" in said
