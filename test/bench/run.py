#!/usr/bin/env python3
"""Benchmarks of alknet beside its peers. `make bench` builds all that this needs.

    make bench                          every row, about ten minutes
    make bench BENCH="--quick"          short rounds, about two minutes
    make bench BENCH="bulk rtt"         these rows only
    test/bench/run.py --write-docs      docs/benchmarks.md from the last build/bench.json
    test/bench/run.py --list            the rows

Everything runs on loopback, on ports of the kernel's choice, in a temporary folder.
"""

import argparse
import json
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, HERE)
sys.dont_write_bytecode = True

from suite import connections, extra, growth, jump, memory, processes, report, throughput, tls  # noqa: E402
from suite.bench import Bench  # noqa: E402

ROWS = {
    "bulk": throughput.bulk,
    "bulk8": throughput.bulk8,
    "rtt": throughput.rtt,
    "jump": jump.jump,
    "connect": connections.connect,
    "logins": connections.logins,
    "cold": connections.cold,
    "delay": connections.delay,
    "sessions": memory.sessions,
    "channels": memory.channels,
    "aftermath": memory.aftermath,
    "keys": growth.keys,
    "crowd": growth.crowd,
    "neighbours": growth.neighbours,
    "rules": growth.rules,
    "tls": tls.tls,
    **extra.rows(HERE),
}


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("rows", nargs="*", metavar="ROW", help="rows to take (default: all)")
    parser.add_argument("--quick", action="store_true", help="short rounds and small counts")
    parser.add_argument("--rounds", type=int, help="rounds per figure")
    parser.add_argument("--seconds", type=float, help="length of one measurement")
    parser.add_argument("--json", default=os.path.join(ROOT, "build", "bench.json"), help="where to write the figures")
    parser.add_argument("--write-docs", action="store_true", help="write docs/benchmarks.md from the JSON, measure nothing")
    parser.add_argument("--list", action="store_true", help="name the rows")
    options = parser.parse_args()
    unknown = [row for row in options.rows if row not in ROWS]
    if unknown:
        parser.error(f"no row {', '.join(unknown)}; there are {', '.join(ROWS)}")
    return options


def measure(options):
    programs = os.environ.get("ALK_BIN", os.path.join(ROOT, "build", "bin"))
    tools = os.environ.get("ALK_BENCH", os.path.join(ROOT, "build", "bench"))
    bench = Bench(programs, tools, options.quick, options.rounds, options.seconds)
    data = {"machine": report.machine(programs), "quick": options.quick, "rounds": bench.rounds, "seconds": bench.seconds}
    failures, busy = {}, {}
    try:
        for row in options.rows or ROWS:
            busy[row] = processes.busy_share()
            print(f"{row}: {ROWS[row].__doc__}", file=sys.stderr, flush=True)
            if busy[row] > 0.1:
                print(f"  the machine is {busy[row]:.0%} busy with other work", file=sys.stderr, flush=True)
            try:
                ROWS[row](bench)
            except processes.Failure as failure:
                failures[row] = str(failure)
                print(f"  {row}: not taken: {failure}", file=sys.stderr, flush=True)
    finally:
        bench.close()
    data.update(failures=failures, busy=busy, results=bench.results)
    return data


def main():
    options = arguments()
    if options.list:
        for name, row in ROWS.items():
            print(f"{name:10} {row.__doc__}")
        return 0
    if options.write_docs:
        with open(options.json, encoding="utf-8") as file:
            report.write_docs(json.load(file), os.path.join(ROOT, "docs", "benchmarks.md"))
        return 0
    data = measure(options)
    report.write_json(options.json, data)
    print(report.table(data))
    print(f"written: {options.json}")
    return 1 if data["failures"] else 0


if __name__ == "__main__":
    sys.exit(main())
