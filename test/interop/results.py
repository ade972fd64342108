"""A run's results, for the page: which program in which version passed which cell."""
import json
import os
import re

from peers import CLIENTS, SERVERS

ROLES = {"test_clients.py": "client", "test_servers.py": "server", "test_openssh.py": "more"}


def system():
    with open("/etc/os-release") as f:
        return re.search(r'^PRETTY_NAME="?([^"\n]*)', f.read(), re.M)[1]


def cells(stats):
    """role -> cell -> program -> outcome; servers of the libssh2 engine have a role of their own"""
    found = {}
    for outcome in ("passed", "failed", "error"):
        for report in stats.get(outcome, []):
            match = re.search(r"(test_\w+\.py)::test_(\w+)(?:\[(\w+)(?:-(\w+))?\])?$", report.nodeid)
            role = "libssh2" if match[4] == "libssh2" else ROLES[match[1]]
            cell = found.setdefault(role, {}).setdefault(match[2], {})
            cell[match[3] or "openssh"] = outcome
    return found


def write(path, stats):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    result = {
        "system": system(),
        "client": {p.name: [p.package, p.version()] for p in CLIENTS},
        "server": {p.name: [p.package, p.version()] for p in SERVERS},
        "engine": next(p.version() for p in CLIENTS if p.name == "libssh2"),
        "cells": cells(stats),
    }
    with open(path, "w") as f:
        json.dump(result, f, indent=1)
