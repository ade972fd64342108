#!/usr/bin/python3
"""Soak: a tunnel under random traffic and a wire that misbehaves, for as long as asked.

Each byte of each transfer is compared. A transfer may fail while the tunnel is cut, but never
end with wrong bytes or, with our programs, cleanly before its data did; none may hang; the
programs' memory and descriptors stay what they were. That all this is noticed is tested first."""
import argparse
import os
import shutil
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path += [HERE, os.path.join(HERE, "../e2e")]

from support.lab import Keys, Lab  # noqa: E402

import selftest  # noqa: E402
from traffic import Data, Judge, Sink, Traffic  # noqa: E402
from tunnels import TUNNELS  # noqa: E402
from watch import Watch  # noqa: E402
from wire import Trouble, Wire, new_seed  # noqa: E402

PATIENCE_S = 60    # for one transfer to move, pauses and a lost tunnel included
ROUND_S = 20       # traffic between two samples; less when the whole is short
IDLE_S = 3         # until the programs have given back what they keep for traffic


class Soak:
    def __init__(self, lab, kind, seed):
        make_server, make_client, blunt = TUNNELS[kind]
        self.lab = lab
        self.judge = Judge(lambda begin, end: self.trouble.during(begin, end), blunt)
        data = Data(seed)
        self.sinks = sinks = [Sink(data, self.judge, PATIENCE_S) for _ in range(2)]
        self.server = make_server(lab)
        self.wire = Wire(self.server.address, seed)
        self.wire.name = "wire"
        lab.targets += sinks + [self.wire]
        lab.destinations.update(str(sink.port) for sink in sinks)
        self.tunnel = make_client(lab, self.server, self.wire, *sinks)
        self.trouble = Trouble(self.wire, seed, self.tunnel.online, 20 if blunt else 1)
        self.traffic = Traffic(self.tunnel.routes, data, self.judge, seed, PATIENCE_S)
        self.watches = [Watch(*item) for item in self.tunnel.watched.items()]

    def round(self, seconds):
        self.trouble.go_on()
        self.traffic.go_on()
        time.sleep(seconds)
        self.trouble.pause()
        if not (self.traffic.pause(2 * PATIENCE_S) and
                all(sink.rest(PATIENCE_S) for sink in self.sinks)):
            self.judge.complaints.append("transfers that never end")
        time.sleep(IDLE_S)
        for watch in self.watches:
            watch.sample()

    def run(self, seconds):
        end = time.monotonic() + seconds
        each = max(1, min(ROUND_S, seconds / 10))
        self.round(each)  # to warm up: what it shows does not count
        for watch in self.watches:
            watch.memory.clear()
        while time.monotonic() < end and not self.judge.complaints:
            self.round(each)
        self.trouble.end()
        self.traffic.end()
        self.tunnel.end()

    def report(self):
        judge, counts = self.judge, self.trouble.counts
        print(f"  {self.traffic.count} transfers, both ends of each: "
              + ", ".join(f"{n} {what}" for what, n in sorted(judge.counts.items())))
        print(f"  {judge.bytes >> 20} MiB compared; the longest took {judge.longest:.1f} s")
        print("  the wire: " + ", ".join(f"{n} x {what}" for what, n in counts.items())
              + f"; the tunnel came up {self.tunnel.online()} times")
        for watch in self.watches:
            print(f"  {watch}")


def soak(kind, seconds, seed):
    directory = tempfile.mkdtemp(prefix="alk-keys-")
    lab = Lab(Keys(directory), level="info")
    try:
        run = Soak(lab, kind, seed)
        run.run(seconds)
        run.report()
        complaints = run.judge.complaints + [c for w in run.watches for c in w.complaints()]
        complaints += lab.finish()
        if complaints:
            for title, text in lab.report():
                print(f"---- {title}\n{text[-4000:]}")
        return complaints
    finally:
        lab.finish()
        lab.remove()
        shutil.rmtree(directory, ignore_errors=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--minutes", type=float, default=20)
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--tunnel", choices=TUNNELS, default="alknet",
                        help="alknet at both ends, OpenSSH's ssh as the client, or its sshd")
    args = parser.parse_args()
    seed = new_seed() if args.seed is None else args.seed
    sys.stdout.reconfigure(line_buffering=True)
    selftest.run()
    print(f"soak: {args.tunnel}, {args.minutes:g} minutes, seed {seed}")
    complaints = soak(args.tunnel, args.minutes * 60, seed)
    for complaint in complaints[:20]:
        print(f"soak: {complaint}", file=sys.stderr)
    print(f"soak: {len(complaints)} complaints; the same again: "
          f"make soak MINUTES={args.minutes:g} SEED={seed} TUNNEL={args.tunnel}")
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())
