"""End-to-end tests: the built programs against each other and against programs that we did not
write. ALK_BIN names the folder of the programs; one case alone runs with

    ALK_BIN=build/bin /usr/bin/python3 -m pytest -p no:cacheprovider 'test/e2e/FILE::TEST'
"""
import signal

from support.suite import *  # noqa: F401,F403
from support.suite import write_counts

# nohup, and shells for what runs in the background, leave these ignored; programs respect that
signal.signal(signal.SIGHUP, signal.SIG_DFL)
signal.signal(signal.SIGQUIT, signal.SIG_DFL)
signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_terminal_summary(terminalreporter):
    write_counts(terminalreporter, "e2e")
