"""The manual pages and the guide name the options that the programs have, no more and no less."""
import os
import re
import subprocess
from pathlib import Path

import pytest

BIN = Path(os.environ.get("ALK_BIN", "build/bin"))
DOCS = Path(__file__).resolve().parents[2] / "docs"
SECRET = ("new", "validate", "derive", "password", "ssh-key", "encrypt", "decrypt", "rotate")

# each page with the commands whose --help it explains
PAGES = {
    "alknet-server": ["alknet-server"],
    "alknet-client": ["alknet-client"],
    "alknet-ctl": ["alknet-ctl", "alknet-ctl keygen", "alknet-ctl fingerprint", "alknet-ctl token",
                   "alknet-ctl api-key", "alknet-ctl config", "alknet-ctl policy",
                   "alknet-ctl credential", "alknet-ctl status"],
    "alknet-ctl-secret": [f"alknet-ctl secret {command}" for command in SECRET],
}
SECTIONS = ["NAME", "SYNOPSIS", "DESCRIPTION", "OPTIONS", "ENVIRONMENT", "FILES", "SIGNALS",
            "EXIT STATUS", "EXAMPLES", "SECURITY", "SEE ALSO"]

# what depends on the machine and not on the page
OF_THE_MACHINE = re.compile("mandoc.db|referenced manual not found")


def source(page):
    return (DOCS / "man" / f"{page}.1").read_text(encoding="utf-8")


def help_of(command):
    program, *words = command.split()
    result = subprocess.run([BIN / program, *words, "--help"], capture_output=True, text=True,
                            timeout=60, check=False)
    assert result.returncode == 0, f"{command} --help: {result.stderr}"
    return result.stdout


def options_in_help(page):
    """The options that begin a line, and --help, which has just worked."""
    found = {"--help"}
    for command in PAGES[page]:
        for line in help_of(command).splitlines():
            start = re.match(r"\s+(-[A-Za-z])?(?:, )?(--[a-z0-9-]+)?", line)
            found.update(filter(None, start.groups() if start else ()))
    return found


def options_in_page(text):
    """What stands in .Fl, which writes the first hyphen itself."""
    found = set()
    for line in text.splitlines():
        words = line.replace(".", "", 1).split() if line.startswith(".") else []
        in_flag = False
        for word in words:
            if re.fullmatch(r"[A-Z][a-z]|\|", word):
                in_flag = word == "Fl"
            elif in_flag and re.match(r"[A-Za-z-]", word):
                found.add("-" + word)
    return found


def differences(expected, got):
    return f"missing: {sorted(expected - got)}, unknown to the program: {sorted(got - expected)}"


@pytest.mark.parametrize("page", PAGES)
def test_options_in_the_page_and_in_help_are_the_same(page):
    expected, got = options_in_help(page), options_in_page(source(page))
    assert len(expected) > 5, f"--help was not understood: {sorted(expected)}"
    assert got == expected, differences(expected, got)


@pytest.mark.parametrize("page", [page for page in PAGES if page != "alknet-ctl-secret"])
def test_each_option_is_explained(page):
    section = source(page).split(".Sh OPTIONS\n")[1].split("\n.Sh ")[0]
    items = "\n".join(line for line in section.splitlines() if line.startswith(".It "))
    expected, got = options_in_help(page), options_in_page(items)
    assert got == expected, differences(expected, got)


@pytest.mark.parametrize("page", [page for page in PAGES if page != "alknet-ctl-secret"])
def test_sections(page):
    got = [name for name in re.findall(r"^\.Sh (.*)$", source(page), re.MULTILINE) if name != "LOG"]
    assert got == SECTIONS


@pytest.mark.parametrize("page", PAGES)
def test_mandoc_finds_no_fault(page):
    result = subprocess.run(["mandoc", "-Tlint", DOCS / "man" / f"{page}.1"], capture_output=True,
                            text=True, timeout=60, check=False)
    said = (result.stdout + result.stderr).splitlines()
    faults = [line for line in said if not OF_THE_MACHINE.search(line)]
    assert not faults, "\n".join(faults)


def test_commands_in_the_guide_have_options_that_exist():
    text = (DOCS / "guide.md").read_text(encoding="utf-8").replace("\\\n", " ")
    commands = re.findall(r"^ {4}.*?\b(alknet-(?:server|client|ctl))\b(.*)$", text, re.MULTILINE)
    assert len(commands) > 10, f"the guide was not understood: {commands}"
    known = {"alknet-server": options_in_help("alknet-server"),
             "alknet-client": options_in_help("alknet-client"),
             "alknet-ctl": options_in_help("alknet-ctl") | options_in_help("alknet-ctl-secret")}
    for program, rest in commands:
        used = set(re.findall(r"(?<=\s)--[a-z0-9-]+", rest))
        assert used <= known[program], f"{program}{rest}: {sorted(used - known[program])}"
