#!/usr/bin/python3
"""libalk-schema against ajv, after `make bench-tools`. Prints one row per figure: figure, peer, ratio,
goal; with --rows as JSON, for `make bench`. --quick takes short rounds."""
import json
import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.join(HERE, "..", "..", "..")
TOOLS = os.environ.get("ALK_BENCH", os.path.join(TOP, "build", "bench"))
SECONDS = "0.1" if "--quick" in sys.argv else "0.5"


def figures(command):
    lines = subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()
    return {row["figure"]: row["value"] for row in map(json.loads, lines)}


def best_of_rounds(ours, peer, rounds=5):
    """Turn by turn, so that both see the same machine; the best round of each counts."""
    best = [{}, {}]
    for _ in range(rounds):
        for found, command in zip(best, (ours, peer)):
            for name, value in figures(command).items():
                found[name] = max(found.get(name, 0), value)
    return best


def main():
    program, cases = (os.path.join(TOOLS, "schema", name) for name in ("bench", "cases.json"))
    subprocess.run(["node", os.path.join(HERE, "cases.js"), cases], check=True)
    ours, peer = best_of_rounds([program, cases, SECONDS],
                                ["node", os.path.join(HERE, "ajv.js"), cases, SECONDS])
    for name, value in ours.items():
        ratio = value / peer[name]
        if "--rows" in sys.argv:
            print(json.dumps({"what": name, "unit": "1/s", "better": "higher", "alknet": [value],
                              "peer": [peer[name]], "peer_name": "ajv", "goal": [">=", 1, "ratio"]}))
            continue
        print(f"schema {name}: {value:,.0f}/s  ajv {peer[name]:,.0f}/s  ratio {ratio:.2f}  goal >= 1  "
              f"{'met' if ratio >= 1 else 'MISSED'}")


if __name__ == "__main__":
    main()
