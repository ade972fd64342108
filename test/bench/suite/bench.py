"""What the rows share: the temporary folder, the tools, alternating rounds, results."""

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile

from .processes import Failure
from .tunnels import SSH_CIPHERS, Keys


class Bench:
    def __init__(self, programs, tools, quick=False, rounds=None, seconds=None):
        self.programs, self.tools = programs, tools
        self.quick = quick
        self.rounds = rounds or (3 if quick else 5)
        self.seconds = seconds or (0.5 if quick else 2)
        self.results = []
        self.best_cipher = SSH_CIPHERS[0]  # until the bulk row has found out
        self.folder = tempfile.mkdtemp(prefix="alknet-bench-")
        os.chmod(self.folder, 0o755)  # sshd looks at authorized_keys as the user who logs in
        self.keys = Keys(self.folder)

    def close(self):
        shutil.rmtree(self.folder, ignore_errors=True)

    def program(self, name):
        return os.path.join(self.programs, name)

    def tool_path(self, name):
        return os.path.join(self.tools, name)

    def known_hosts(self, port):
        path = os.path.join(self.folder, f"known_hosts-{port}")
        with open(path, "w", encoding="ascii") as file:
            file.write(f"[127.0.0.1]:{port} {self.keys.host_line}")
        return path

    def tool(self, name, *args, timeout=180):
        """Runs a load tool to its end; returns the object it prints."""
        command = [self.tool_path(name), *map(str, args)]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=timeout, check=False)
        except subprocess.TimeoutExpired:
            raise Failure(f"{name} did not end within {timeout} s") from None
        if done.returncode != 0:
            raise Failure(f"{name}: {done.stderr.strip() or done.returncode}")
        return json.loads(done.stdout) if done.stdout.strip() else {}

    def alternate(self, measures, rounds=None):
        """measures: name -> function that returns a figure. Takes turns, and every round starts
        with another one, so that what disturbs the machine disturbs all alike."""
        taken = {name: [] for name in measures}
        names = list(measures)
        for turn in range(rounds or self.rounds):
            shift = turn % len(names)
            for name in names[shift:] + names[:shift]:
                taken[name].append(measures[name]())
        return taken

    def add(self, row, what, unit, better, alknet, peer=None, peer_name="", goal=None, note=""):
        """Keeps a result. alknet, peer: the figures of the rounds. goal: (">=" or "<=", number,
        "ratio" or "value")."""
        result = {
            "row": row, "what": what, "unit": unit, "better": better, "alknet": alknet,
            "peer": peer or [], "peer_name": peer_name, "goal": goal, "note": note,
        }  # fmt: skip
        result.update(summary(result))
        self.results.append(result)
        shown = f"{result['alknet_median']:.4g} {unit}"
        if peer:
            shown += f", {peer_name} {result['peer_median']:.4g}, ratio {result['ratio']:.2f}"
        print(f"  {row}: {what}: {shown}", file=sys.stderr, flush=True)


def summary(result):
    """Medians, their ratio, the spread of the ratio over the rounds, and whether the goal is met."""
    mine, theirs = result["alknet"], result["peer"]
    out = {"alknet_median": statistics.median(mine), "peer_median": None, "ratio": None, "spread": None, "met": None}
    if theirs:
        out["peer_median"] = statistics.median(theirs)
        out["ratio"] = out["alknet_median"] / out["peer_median"] if out["peer_median"] else None
    if theirs and len(theirs) == len(mine) and all(theirs):
        each = [a / b for a, b in zip(mine, theirs)]
        out["spread"] = [min(each), max(each)]
    elif len(mine) > 1:
        middle = out["alknet_median"] or 1
        out["spread"] = [min(mine) / middle, max(mine) / middle]
    if result["goal"]:
        sign, bound, kind = result["goal"]
        figure = out["ratio"] if kind == "ratio" else out["alknet_median"]
        if figure is not None:
            out["met"] = figure >= bound if sign == ">=" else figure <= bound
    return out
