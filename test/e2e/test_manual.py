"""The manual pages and --help name the same options, and the pages are well-formed."""

import os
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(os.environ.get("ALK_BIN", ROOT / "build/bin"))
PAGES = sorted((ROOT / "docs/man").glob("*.1"))

# Program, and the commands whose --help belongs to the same page.
PROGRAMS = {
    "alknet-server": [[]],
    "alknet-client": [[]],
    "alknet-ctl": [[], ["keygen"], ["fingerprint"]],
}


def options_of_help(program, commands):
    """Options are what the indented lines of the list begin with: "  -D, --socks5 ADDR  ..."."""
    options = set()
    for command in commands:
        text = subprocess.run([BIN / program, *command, "--help"], capture_output=True, text=True,
                              check=True).stdout
        for start in re.findall(r"^ +((?:-\w, )?--[\w-]+)", text, re.MULTILINE):
            options.update(start.split(", "))
    return options


def options_of_page(program):
    text = (ROOT / f"docs/man/{program}.1").read_text()
    names = [name for line in re.findall(r"^\.It (Fl .*)$", text, re.MULTILINE)
             for name in re.findall(r"Fl (\S+)", line)]
    return {f"-{name}" for name in names}


@pytest.mark.parametrize("program", PROGRAMS)
def test_page_and_help_name_the_same_options(program):
    told, written = options_of_help(program, PROGRAMS[program]), options_of_page(program)
    assert len(told) >= 5
    assert sorted(told - written) == [], "in --help, but not in the manual page"
    assert sorted(written - told) == [], "in the manual page, but not in --help"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_page_is_well_formed(page):
    result = subprocess.run(["mandoc", "-Tlint", "-Wstyle", page], capture_output=True, text=True)
    # the references to pages of other packages are not at hand everywhere
    complaints = [line for line in result.stdout.splitlines() if "referenced manual not found" not in line]
    assert complaints == []
