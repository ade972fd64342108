#!/usr/bin/python3
"""libalk-schema against ajv: run.py [SECONDS of each figure and round]. Prints one row per figure:
figure, peer, ratio, goal."""
import json
import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.join(HERE, "..", "..", "..")
SECONDS = sys.argv[1] if len(sys.argv) > 1 else "0.5"


def build(name):
    """Compile NAME.c against the libraries that `make libs` has built."""
    out = os.path.join(TOP, "build", "bench")
    os.makedirs(out, exist_ok=True)
    program = os.path.join(out, name)
    subprocess.run(
        ["cc", "-std=c11", "-D_GNU_SOURCE", "-O2", "-I" + os.path.join(TOP, "libalk-schema/include"),
         os.path.join(HERE, "bench.c"), os.path.join(TOP, "build/lib/libalk-schema.a"),
         "-ljansson", "-lpcre2-8", "-lpthread", "-o", program], check=True)
    return program


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
    subprocess.run(["make", "-s", "-C", TOP, "libs"], check=True)
    cases = os.path.join(TOP, "build", "bench", "schema-cases.json")
    program = build("schema")
    subprocess.run(["node", os.path.join(HERE, "cases.js"), cases], check=True)
    ours, peer = best_of_rounds([program, cases, SECONDS],
                                ["node", os.path.join(HERE, "ajv.js"), cases, SECONDS])
    for name, value in ours.items():
        ratio = value / peer[name]
        print(f"schema {name}: {value:,.0f}/s  ajv {peer[name]:,.0f}/s  ratio {ratio:.2f}  goal >= 1  "
              f"{'met' if ratio >= 1 else 'MISSED'}")


if __name__ == "__main__":
    main()
