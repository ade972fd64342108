#!/usr/bin/python3
"""libalk-secret beside OpenSSL's PBKDF2 and the npm packages of test/npm/package.json.

Run from the top of the tree, after `make bench-tools`. Prints one row a figure: figure, ours, peer,
ratio, goal; with --json FILE writes them as JSON, too. Without the npm packages in
build/npm only OpenSSL is compared.
"""
import argparse
import json
import os
import subprocess
import sys
from statistics import median

HERE = os.path.dirname(os.path.abspath(__file__))
TOOLS = os.environ.get("ALK_BENCH", os.path.join(HERE, "..", "..", "..", "build", "bench"))
GOAL = 1.0
RUNS = 3  # where the kernel puts stack and code makes some per cent of difference to a process
# our figure, and the peer figures that it is compared with: the faster one counts
ROWS = [
    ("mnemonic to seed", ["OpenSSL PBKDF2", "npm mnemonic to seed", "npm mnemonic to seed (WebCrypto)"]),
    ("Ed25519 derivation, 5 levels", ["npm Ed25519 derivation, 5 levels"]),
    ("secp256k1 derivation, 5 levels", ["npm secp256k1 derivation, 5 levels"]),
    ("encryption, 1 KiB", ["npm encryption, 1 KiB"]),
    ("decryption, 1 KiB", ["npm decryption, 1 KiB"]),
    ("cached derivation", []),
]


def measure(command, prefix=""):
    """The values of each figure, one of every run."""
    values = {}
    for _ in range(RUNS):
        lines = subprocess.check_output(command, text=True).splitlines()
        for f in map(json.loads, lines):
            values.setdefault(prefix + f["name"], []).append(f["value"])
    return values


def ratio_of(ours, peer):
    return median(a / b for a, b in zip(ours, peer))


def main():
    parser = argparse.ArgumentParser(description="libalk-secret beside its peers")
    parser.add_argument("--rows", action="store_true", help="print the rows as JSON, for `make bench`")
    parser.add_argument("--quick", action="store_true", help="takes no less time: it is short anyhow")
    parser.add_argument("--json", help="write the rows to this file as well")
    args = parser.parse_args()
    top = os.path.abspath(os.path.join(HERE, "..", "..", ".."))
    figures = measure([os.path.join(TOOLS, "secret", "secret_bench")])
    modules = os.path.join(top, "build", "npm", "node_modules")
    if os.path.isdir(os.path.join(modules, "@scure", "bip39")):
        figures |= measure(["node", os.path.join(HERE, "peers.mjs"), modules], "npm ")
    else:
        print(f"run.py: no npm packages in {modules}; comparing with OpenSSL only", file=sys.stderr)
    rows = []
    if not args.rows:
        print(f"{'figure':32} {'ours 1/s':>12} {'peer 1/s':>12} {'ratio':>8} {'goal':>6}  peer")
    for name, peers in ROWS:
        ours = figures[name]
        peer = max((p for p in peers if p in figures), key=lambda p: median(figures[p]), default=None)
        theirs = figures.get(peer, [])
        ratio = ratio_of(ours, theirs) if peer else None
        rows.append({"figure": name, "value": median(ours), "unit": "1/s", "peer": peer,
                     "peer_value": median(theirs) if peer else None, "ratio": ratio,
                     "goal": GOAL if peer else None})
        if args.rows:
            print(json.dumps({"what": name, "unit": "1/s", "better": "higher", "alknet": ours,
                              "peer": theirs, "peer_name": peer or "",
                              "goal": [">=", GOAL, "ratio"] if peer else None}))
            continue
        print(f"{name:32} {median(ours):12.1f} {median(theirs) if peer else 0:12.1f} "
              f"{ratio if ratio else 0:8.2f} {GOAL if peer else 0:6.1f}  {peer or '-'}")
    if args.json:
        with open(args.json, "w", encoding="utf-8") as out:
            json.dump(rows, out, indent=1)


if __name__ == "__main__":
    main()
