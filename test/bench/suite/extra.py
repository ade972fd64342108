"""Benchmarks of one library: test/bench/LIBRARY/run.py, a row of its own each.

It is started with --quick or without, ALK_BIN and ALK_BENCH in its environment (its own C
tools, test/bench/LIBRARY/NAME.c, are ALK_BENCH/LIBRARY/NAME), and prints one JSON object per
figure, each on a line:

    {"what": "inserts, 16 writers", "unit": "/s", "better": "higher", "alknet": [31000, 30500],
     "peer": [9000, 9100], "peer_name": "SQLite WAL", "goal": [">=", 3, "ratio"], "note": ""}

alknet and peer hold the figures of the rounds, taken in turns. peer, peer_name, goal and note may
be left out; a goal's last part is "ratio" or "value".
"""

import json
import os
import subprocess
import sys

from .processes import Failure


def _take(bench, name, script):
    command = [sys.executable, script, "--rows"] + (["--quick"] if bench.quick else [])
    env = dict(os.environ, ALK_BIN=bench.programs, ALK_BENCH=bench.tools)
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, env=env, timeout=1800, check=False)
    for line in done.stdout.splitlines():
        if line.startswith("{"):
            figure = json.loads(line)
            bench.add(name, figure.pop("what"), figure.pop("unit"), figure.pop("better"), **figure)
    if done.returncode != 0:
        raise Failure(f"{script} ended with {done.returncode}")


def rows(folder):
    """name -> function, for every folder beside this suite that has a run.py."""
    found = {}
    for name in sorted(os.listdir(folder)):
        script = os.path.join(folder, name, "run.py")
        if os.path.exists(script):
            found[name] = lambda bench, n=name, s=script: _take(bench, n, s)
            found[name].__doc__ = f"The figures of test/bench/{name}."
    return found
