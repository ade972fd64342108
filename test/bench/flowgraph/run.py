#!/usr/bin/python3
"""libalk-flowgraph against igraph (C). Prints one row per figure: figure, peer, ratio, goal; with
--rows as JSON, for `make bench`."""
import json
import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.join(HERE, "..", "..", "..")


def pkg_config(package):
    return subprocess.run(["pkg-config", "--cflags", "--libs", package], check=True,
                          capture_output=True, text=True).stdout.split()


def build(source, flags):
    out = os.path.join(TOP, "build", "bench")
    os.makedirs(out, exist_ok=True)
    program = os.path.join(out, "flowgraph-" + source[:-2])
    subprocess.run(["cc", "-std=gnu11", "-O2", os.path.join(HERE, source), *flags, "-o", program],
                   check=True)
    return program


def figures(program):
    lines = subprocess.run([program], check=True, capture_output=True, text=True).stdout.splitlines()
    return {row["figure"]: row["value"] for row in map(json.loads, lines)}


def main():
    subprocess.run(["make", "-s", "-C", TOP, "libs"], check=True)
    ours = figures(build("bench.c", [
        "-I" + os.path.join(TOP, "libalk-flowgraph/include"),
        os.path.join(TOP, "build/lib/libalk-flowgraph.a"),
        os.path.join(TOP, "build/lib/libalk-schema.a"), "-ljansson", "-lpcre2-8", "-lpthread"]))
    peer = figures(build("igraph.c", pkg_config("igraph")))
    for name, value in ours.items():
        if "--rows" in sys.argv:
            row = {"what": name, "unit": "", "better": "higher", "alknet": [value]}
            if name in peer:
                row |= {"unit": "s", "better": "lower", "peer": [peer[name]], "peer_name": "igraph",
                        "goal": ["<=", 1, "ratio"]}
            print(json.dumps(row))
        elif name in peer:
            ratio = peer[name] / value
            print(f"flowgraph {name}: {value * 1000:.0f} ms  igraph {peer[name] * 1000:.0f} ms  "
                  f"ratio {ratio:.2f}  goal >= 1  {'met' if ratio >= 1 else 'MISSED'}")
        else:
            print(f"flowgraph {name}: {value:,.0f}  no peer  ratio -  goal -")


if __name__ == "__main__":
    main()
