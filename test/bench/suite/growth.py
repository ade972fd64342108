"""What a thing costs when there is much of everything else."""

import contextlib
import os
import subprocess

from .connections import login_arguments
from .memory import held, held_sessions
from .tunnels import Alknet, OpenSsh


def _strangers(bench, count):
    """Lines of authorized_keys with keys that nobody has."""
    command = [bench.tool_path("strangers"), "--count", str(count)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def _login_ms(bench, tunnel, seconds):
    return bench.tool("login_client", *login_arguments(bench, tunnel.port), "--seconds", seconds)["median_ms"]


def _add_growth(bench, row, what, unit, taken, counts, peer, bound=None):
    """taken: (name, count) -> figures. One result per count, and one for the growth."""
    for count in counts:
        theirs = taken.get((peer, count)) if peer else None
        bench.add(row, f"{what}, {count:,}", unit, "lower", taken["alknet", count], theirs, peer or "")
    first, last = counts[0], counts[-1]

    def growth(name):
        return [b / a for a, b in zip(taken[name, first], taken[name, last])]

    goal = ("<=", bound, "value") if bound else None
    bench.add(row, f"{what}: {last:,} / {first:,}", "x", "lower", growth("alknet"), growth(peer) if peer else None,
              peer or "", goal)  # fmt: skip


def keys(bench):
    """One login at a time, the key being the last of many authorized ones."""
    counts = (1, 1000, 100_000) if bench.quick else (1, 10, 100, 1000, 10_000, 100_000)
    strangers = _strangers(bench, counts[-1]).splitlines(keepends=True)
    with contextlib.ExitStack() as stack:
        measures = {}
        for count in counts:
            path = bench.keys.authorized("".join(strangers[: count - 1]))
            alknet = stack.enter_context(Alknet(bench, keys=path, with_client=False))
            ssh = stack.enter_context(OpenSsh(bench, keys=path, with_client=False))
            measures["alknet", count] = lambda t=alknet: _login_ms(bench, t, 0.3)
            measures["sshd", count] = lambda t=ssh: _login_ms(bench, t, 0.5)
        taken = bench.alternate(measures)
    load = bench.tool("keys_load", "--keys", path)["load_ms"]
    bench.add("keys", f"loading {counts[-1]:,} authorized keys", "ms", "lower", [load], goal=("<=", 1000, "value"))
    _add_growth(bench, "keys", "time of one login by number of authorized keys", "ms", taken, counts, "sshd", 2)


def _round_trip(bench, tunnel):
    return bench.tool("rtt", "--socks", tunnel.socks, "--seconds", bench.seconds / 4, "--warmup", 0.1)["median_us"]


def _connects(bench, tunnel):
    got = bench.tool("connect_rate", "--socks", tunnel.socks, "--seconds", bench.seconds / 4, "--parallel", 1)
    return 1e6 / got["per_second"]


def crowd(bench):
    """Round trip and channel opening beside many idle channels of the same session."""
    counts = (1, 1000) if bench.quick else (1, 10, 100, 1000)
    with contextlib.ExitStack() as stack:
        tunnels = {}
        for count in counts:
            for name, make in (("alknet", lambda: Alknet(bench)), ("ssh -D", lambda: OpenSsh(bench, bench.best_cipher))):
                tunnels[name, count] = tunnel = stack.enter_context(make())
                stack.enter_context(held(bench, "hold", "--socks", tunnel.socks, "--count", count))
        rounds = max(3, bench.rounds - 2)
        trips = bench.alternate({k: lambda t=t: _round_trip(bench, t) for k, t in tunnels.items()}, rounds)
        opens = bench.alternate({k: lambda t=t: _connects(bench, t) for k, t in tunnels.items()}, rounds)
    _add_growth(bench, "crowd", "round trip by number of idle channels", "us", trips, counts, "ssh -D", 2)
    _add_growth(bench, "crowd", "new connection by number of idle channels", "us", opens, counts, "ssh -D", 2)


def neighbours(bench):
    """Round trip and login beside many idle sessions on the same server."""
    counts = (1, 1000) if bench.quick else (1, 10, 100, 1000, 5000)
    trips, times = {}, {}
    with contextlib.ExitStack() as stack:
        tunnels = {}
        for count in counts:
            tunnel = tunnels["alknet", count] = stack.enter_context(Alknet(bench))
            stack.enter_context(held_sessions(bench, tunnel.port, count))
        rounds = max(3, bench.rounds - 2)
        trips = bench.alternate({k: lambda t=t: _round_trip(bench, t) for k, t in tunnels.items()}, rounds)
        times = bench.alternate({k: lambda t=t: _login_ms(bench, t, 0.3) for k, t in tunnels.items()}, rounds)
    _add_growth(bench, "neighbours", "round trip by number of idle sessions", "us", trips, counts, None, 2)
    _add_growth(bench, "neighbours", "time of one login by number of idle sessions", "ms", times, counts, None, 2)


def _measure_rules(bench, what, counts, server):
    """server(count) makes the tunnel whose server has so many rules."""
    with contextlib.ExitStack() as stack:
        tunnels = {("alknet", count): stack.enter_context(server(count)) for count in counts}
        taken = bench.alternate({k: lambda t=t: _connects(bench, t) for k, t in tunnels.items()}, max(3, bench.rounds - 2))
    _add_growth(bench, "rules", what, "us", taken, counts, None, 2)


def _with_permitopen(bench, count):
    """Every port of the tools' targets is permitted, last; a line of authorized_keys may be 64 KB long."""
    listed = "".join(f'permitopen="10.{i >> 8}.{i & 255}.1:80",' for i in range(count - 1))
    path = os.path.join(bench.folder, f"permitopen-{count}")
    with open(path, "w", encoding="ascii") as file:
        file.write(f'{listed}permitopen="127.0.0.1:*" {bench.keys.line}')
    return Alknet(bench, keys=path)


def _policy_file(bench, count):
    """Rules of every kind; the last one lets the tools' targets be reached."""
    kinds = ("allow 10.{}.{}.0/24:80", "deny h{}-{}.example", "allow *.s{}-{}.example:443", "deny 192.168.{}.{}",
             "allow *:1-9 principals=key-{}-{}")  # fmt: skip
    lines = [f"rule = {kinds[i % 5].format(i >> 8, i & 255)}\n" for i in range(count - 1)]
    path = os.path.join(bench.folder, f"policy-{count}.conf")
    with open(path, "w", encoding="ascii") as file:
        file.write("[forwarding]\ndefault = deny\n" + "".join(lines) + "rule = allow 127.0.0.1:*\n")
    os.chmod(path, 0o600)
    return path


def _with_policy(bench, count):
    return Alknet(bench, server_args=("--config", _policy_file(bench, count)))


def rules(bench):
    """Opening a channel when there are many rules: permitopen of the key, and the forwarding policy."""
    few = (1, 2000) if bench.quick else (1, 10, 100, 1000, 2000)
    many = (10, 10_000) if bench.quick else (1, 10, 100, 1000, 10_000)
    for count in many:
        cost = bench.tool("policy_cost", "--config", _policy_file(bench, count))["judge_us"]
        goal = ("<=", 20, "value") if count == many[-1] else None
        bench.add("rules", f"judging a channel by {count:,} forwarding rules", "us", "lower", [cost], goal=goal)
    _measure_rules(bench, "new connection by number of permitopen rules", few, lambda n: _with_permitopen(bench, n))
    _measure_rules(bench, "new connection by number of forwarding rules", many, lambda n: _with_policy(bench, n))
