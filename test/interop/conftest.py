"""The interop matrix: every SSH program that matters against ours, on both sides. peers/ says how
each is driven, the same for all; the tests are the cells. One alone runs with

    ALK_BIN=build/bin /usr/bin/python3 -m pytest -p no:cacheprovider 'test/interop/FILE::TEST[PEER]'
"""
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path += [HERE, os.path.join(HERE, "../e2e")]

from support.suite import *  # noqa: E402,F401,F403
from support.suite import write_counts  # noqa: E402

import results  # noqa: E402


def pytest_terminal_summary(terminalreporter):
    path = os.environ.get("ALK_INTEROP_RESULT")
    if path:
        results.write(path, terminalreporter.stats)
    write_counts(terminalreporter, "interop")
