"""What idle sessions and channels hold, and whether it comes back."""

import contextlib
import subprocess

from .connections import PARALLEL_LOGINS, login_arguments
from .processes import Process, settled_bytes
from .tunnels import Alknet, OpenSsh

CHANNELS_PER_SESSION = 1000  # sessions allow 1,024 by default


@contextlib.contextmanager
def held(bench, tool, *args):
    """A load tool that has said it is ready and keeps what it opened."""
    process = Process(tool, [bench.tool_path(tool), *map(str, args)], bench.folder, stdout=subprocess.PIPE)
    try:
        process.read_line()
        yield process
    finally:
        process.stop()


def held_sessions(bench, port, count):
    return held(bench, "login_client", *login_arguments(bench, port), "--count", count, "--parallel", PARALLEL_LOGINS,
                "--hold")  # fmt: skip


def _per_session(bench, tunnel, steps):
    """Cumulative counts of sessions -> bytes each, of the server's processes."""
    each = {}
    with contextlib.ExitStack() as stack:
        stack.enter_context(held_sessions(bench, tunnel.port, 1))  # what is loaded once is not the session's
        before = settled_bytes(tunnel.server.pid)[0]
        opened = 0
        for count in steps:
            stack.enter_context(held_sessions(bench, tunnel.port, count - opened))
            opened = count
            each[count] = (settled_bytes(tunnel.server.pid)[0] - before) / count
    return each


def sessions(bench):
    """Private memory of the server for each idle session that is logged in."""
    steps = (100, 1000) if bench.quick else (10, 100, 1000, 5000)
    few = 20 if bench.quick else 100  # a session of sshd is two processes
    with Alknet(bench, with_client=False) as alknet, OpenSsh(bench, with_client=False) as ssh:
        mine = _per_session(bench, alknet, steps)
        theirs = _per_session(bench, ssh, (few,))
    for count in steps:
        goal = ("<=", 64, "value") if count == steps[-1] else None
        bench.add("sessions", f"server's memory per idle session, {count:,} of them", "KB", "lower", [mine[count] / 1024],
                  [theirs[few] / 1024], f"sshd, {few} of them", goal)  # fmt: skip


def _per_channel(bench, make, sessions_wanted, per_session):
    """Bytes of client and of server for each channel."""
    with contextlib.ExitStack() as stack:
        first = stack.enter_context(make())
        clients = [(first.client, first.socks)]
        for _ in range(sessions_wanted - 1):
            first.start_client()
            stack.callback(first.client.stop)
            clients.append((first.client, first.socks))
        for _, socks in clients:  # pages of code and the first growth are not the channels'
            bench.tool("rtt", "--socks", socks, "--seconds", 0.05, "--warmup", 0)
        roots = [first.server.pid] + [client.pid for client, _ in clients]
        before = settled_bytes(*roots)
        for _, socks in clients:
            stack.enter_context(held(bench, "hold", "--socks", socks, "--count", per_session))
        grown = [b - a for a, b in zip(before, settled_bytes(*roots))]
        count = per_session * len(clients)
        return sum(grown[1:]) / count, grown[0] / count


def channels(bench):
    """Private memory on each side for each idle channel that has carried a byte each way."""
    steps = ((1, 1000),) if bench.quick else ((1, 100), (1, 1000), (10, 1000))
    peer = _per_channel(bench, lambda: OpenSsh(bench, bench.best_cipher), 1, 100 if bench.quick else 1000)
    for session_count, per_session in steps:
        mine = _per_channel(bench, lambda: Alknet(bench), session_count, per_session)
        total = session_count * per_session
        goal = ("<=", 8, "value") if (session_count, per_session) == steps[-1] else None
        for side, own, other, program in (("client", mine[0], peer[0], "ssh"), ("server", mine[1], peer[1], "sshd")):
            bench.add("channels", f"{side}'s memory per idle channel, {total:,} of them", "KB", "lower", [own / 1024],
                      [other / 1024], program, goal, f"{session_count} session(s) of {per_session:,} channels")  # fmt: skip


def _traffic(bench, tunnel, gigabytes, connections):
    moved = 0
    while moved < gigabytes * 1e9:
        direction = ["--upload"] if moved > gigabytes * 0.5e9 else []
        moved += bench.tool("bulk", "--socks", tunnel.socks, "--seconds", 2, "--connections", 4, *direction)["bytes"]
    bench.tool("connect_rate", "--socks", tunnel.socks, "--count", connections, timeout=600)


def aftermath(bench):
    """Private memory when idle again after much traffic, by what it was when idle before."""
    gigabytes, connections = (1, 10_000) if bench.quick else (10, 100_000)
    with Alknet(bench) as alknet:
        processes = (("client", alknet.client), ("server", alknet.server))

        def settled():
            return dict(zip(("client", "server"), settled_bytes(*(process.pid for _, process in processes))))

        fresh = settled()
        _traffic(bench, alknet, gigabytes / 10, connections // 10)
        once = settled()
        _traffic(bench, alknet, gigabytes, connections)
        after = settled()
    amount = f"{gigabytes} GB and {connections:,} connections"
    for side, _ in processes:
        for since, before in (("at the start", fresh), ("after a tenth of that", once)):
            bench.add("aftermath", f"{side}'s memory when idle after {amount} / {since}", "x", "lower",
                      [after[side] / before[side]], goal=("<=", 1.1, "value"),
                      note=f"{side}: {before[side] // 1024:,} KB {since}, {after[side] // 1024:,} KB at the end")  # fmt: skip
