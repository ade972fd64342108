"""Bulk throughput and round trips over one client and one server."""

import contextlib
import statistics

from .processes import cpu_seconds
from .tunnels import SSH_CIPHERS, Alknet, BarePair, Direct, Microsocks, OpenSsh


def _transfer(bench, tunnel, *args, key="gbytes_per_s"):
    return bench.tool("bulk", "--socks", tunnel.socks, "--seconds", bench.seconds, *args)[key]


def _cpu_per_gb(bench, tunnel, *args):
    """CPU seconds of client and server for a gigabyte: hardly moved by other work on the machine."""
    before = sum(cpu_seconds(p.pid) for p in (tunnel.client, tunnel.server) if p)
    # without warm-up, so that all that was paid for is counted
    moved = bench.tool("bulk", "--socks", tunnel.socks, "--seconds", bench.seconds, "--warmup", 0, *args)["bytes"]
    return (sum(cpu_seconds(p.pid) for p in (tunnel.client, tunnel.server) if p) - before) / (moved / 1e9)


def _best(taken, names):
    return max(names, key=lambda name: statistics.median(taken[name]))


def bulk(bench):
    """One connection: against each of ssh's ciphers and the bare encrypting pair."""
    with contextlib.ExitStack() as stack:
        alknet = stack.enter_context(Alknet(bench))
        ciphers = [stack.enter_context(OpenSsh(bench, cipher)) for cipher in SSH_CIPHERS]
        pairs = [stack.enter_context(BarePair(bench, cipher)) for cipher in ("libcrypto", "libsodium", "plain")]
        by_name = {c.name: c.cipher for c in ciphers}
        for what, args in (("download", []), ("upload", ["--upload"])):
            def measure(tunnel, extra=tuple(args)):
                return lambda: _transfer(bench, tunnel, *extra)
            taken = bench.alternate({t.name: measure(t) for t in [alknet, *ciphers, *pairs[:1]]})
            best = _best(taken, [c.name for c in ciphers])
            if what == "download":
                bench.best_cipher = by_name[best]
            one = f"bulk {what}, one connection"
            bench.add("bulk", one, "GB/s", "higher", taken["alknet"], taken[best], best, (">=", 1.5, "ratio"))
            for other in ciphers:
                if other.name != best:
                    bench.add("bulk", one, "GB/s", "higher", taken["alknet"], taken[other.name], other.name)
            bench.add("bulk", one, "GB/s", "higher", taken["alknet"], taken[pairs[0].name], pairs[0].name,
                      (">=", 0.9, "ratio"))  # fmt: skip
            more = bench.alternate({t.name: measure(t) for t in [alknet, *pairs[1:]]}, bench.rounds // 2)
            for pair in pairs[1:]:
                bench.add("bulk", one, "GB/s", "higher", more["alknet"], more[pair.name], pair.name)
            ssh = next(c for c in ciphers if c.name == best)
            sides = (alknet, ssh, pairs[0])
            cost = bench.alternate({t.name: lambda t=t: _cpu_per_gb(bench, t, *args) for t in sides}, (bench.rounds + 1) // 2)
            for peer in sides[1:]:
                bench.add("bulk", f"CPU of client and server for 1 GB, {what}", "s", "lower", cost["alknet"],
                          cost[peer.name], peer.name)  # fmt: skip
            checked = [_transfer(bench, alknet, *args, "--verify")]
            bench.add("bulk", f"{one}, every byte verified", "GB/s", "higher", checked)


def bulk8(bench):
    """Eight connections at once, and how evenly they share."""
    with Alknet(bench) as alknet, OpenSsh(bench, bench.best_cipher) as ssh:
        for what, args in (("download", []), ("upload", ["--upload"])):
            shares = {alknet.name: [], ssh.name: []}
            def measure(tunnel, extra=tuple(args), kept=shares):
                each = _transfer(bench, tunnel, "--connections", 8, *extra, key="each")
                kept[tunnel.name].append(min(each) / (sum(each) / len(each)))
                return sum(each)
            taken = bench.alternate({t.name: lambda t=t: measure(t) for t in (alknet, ssh)})
            bench.add("bulk8", f"bulk {what}, eight connections", "GB/s", "higher", taken[alknet.name], taken[ssh.name],
                      ssh.name, (">=", 1.5, "ratio"))  # fmt: skip
            bench.add("bulk8", f"bulk {what}, eight connections: slowest / mean", "", "higher", shares[alknet.name],
                      shares[ssh.name], ssh.name, (">=", 0.7, "value"))  # fmt: skip
        verified = bench.tool("bulk", "--socks", alknet.socks, "--seconds", bench.seconds, "--connections", 8, "--verify")
        bench.add("bulk8", "bulk download, eight connections, every byte verified", "GB/s", "higher",
                  [verified["gbytes_per_s"]])  # fmt: skip


def rtt(bench):
    """64 bytes there and back, alone and with four downloads beside it."""
    with contextlib.ExitStack() as stack:
        alknet = stack.enter_context(Alknet(bench))
        ssh = stack.enter_context(OpenSsh(bench, bench.best_cipher))
        plain = [stack.enter_context(t) for t in (BarePair(bench), Microsocks(bench), Direct())]
        for what, bulk_count, bound in (("idle", 0, 0.8), ("beside 4 downloads", 4, 0.5)):
            tail = {alknet.name: [], ssh.name: []}
            def measure(tunnel, count=bulk_count, kept=tail):
                got = bench.tool("rtt", "--socks", tunnel.socks, "--seconds", bench.seconds, "--bulk", count)
                kept.setdefault(tunnel.name, []).append(got["p99_us"])
                return got["median_us"]
            others = plain if bulk_count == 0 else []
            taken = bench.alternate({t.name: lambda t=t: measure(t) for t in [alknet, ssh, *others]})
            bench.add("rtt", f"64-byte round trip, {what}", "us", "lower", taken[alknet.name], taken[ssh.name], ssh.name,
                      ("<=", bound, "ratio"))  # fmt: skip
            bench.add("rtt", f"64-byte round trip, {what}: 99th percentile", "us", "lower", tail[alknet.name],
                      tail[ssh.name], ssh.name)  # fmt: skip
            for other in others:
                bench.add("rtt", f"64-byte round trip, {what}", "us", "lower", taken[alknet.name], taken[other.name],
                          other.name)  # fmt: skip
