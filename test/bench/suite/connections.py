"""New connections, logins, cold starts, and a long path."""

import contextlib
import subprocess
import time

from .processes import Failure, Process, cpu_seconds, free_port, tree
from .tunnels import USER, Alknet, Direct, Microsocks, OpenSsh

PARALLEL_LOGINS = 8  # servers limit how many may be logging in at a time


def connect(bench):
    """New SOCKS connections per second, 16 at a time, one byte exchanged on each."""
    with contextlib.ExitStack() as stack:
        tunnels = [stack.enter_context(t) for t in (Alknet(bench), OpenSsh(bench, bench.best_cipher),
                                                     Microsocks(bench), Direct())]  # fmt: skip

        def measure(tunnel):
            rate = bench.tool("connect_rate", "--socks", tunnel.socks, "--seconds", bench.seconds)["per_second"]
            # a tunnel makes a connection at either end: two of them, and nothing else, are its ceiling
            return rate if tunnel.socks else rate / 2

        taken = bench.alternate({t.name: lambda t=t: measure(t) for t in tunnels})
        for peer, goal in zip(tunnels[1:], ((">=", 3, "ratio"), None, None)):
            bench.add("connect", "new SOCKS connections, 16 at a time", "/s", "higher", taken["alknet"], taken[peer.name],
                      peer.name if peer.socks else "two direct ones each", goal)  # fmt: skip


def login_arguments(bench, port):
    return ["--port", port, "--identity", bench.keys.identity, "--user", USER]


def _wait_for_children(root, alone):
    """sshd's figures include a child only when it has ended."""
    end = time.monotonic() + 10
    while len(tree(root)) > alone:
        if time.monotonic() > end:
            raise Failure("the server's children did not end")
        time.sleep(0.02)


def logins(bench):
    """SSH logins per CPU-second of the server, and per second; one client for both servers."""
    with Alknet(bench, with_client=False) as alknet, OpenSsh(bench, with_client=False) as ssh:
        per_second = {alknet.name: [], ssh.name: []}

        def measure(tunnel):
            root = tunnel.server.pid
            alone, before = len(tree(root)), cpu_seconds(root)
            got = bench.tool("login_client", *login_arguments(bench, tunnel.port), "--seconds", bench.seconds,
                             "--parallel", PARALLEL_LOGINS)  # fmt: skip
            _wait_for_children(root, alone)
            per_second[tunnel.name].append(got["per_second"])
            return got["logins"] / max(cpu_seconds(root) - before, 0.01)

        taken = bench.alternate({t.name: lambda t=t: measure(t) for t in (alknet, ssh)})
        bench.add("logins", "SSH logins per CPU-second of the server", "", "higher", taken[alknet.name], taken[ssh.name],
                  "sshd", (">=", 25, "ratio"))  # fmt: skip
        bench.add("logins", f"SSH logins, {PARALLEL_LOGINS} at a time", "/s", "higher", per_second[alknet.name],
                  per_second[ssh.name], "sshd")  # fmt: skip


def cold(bench):
    """From starting the client to the first byte through its SOCKS port."""
    with Alknet(bench, with_client=False) as alknet, OpenSsh(bench, bench.best_cipher, with_client=False) as ssh:

        def measure(tunnel):
            port = free_port()
            return bench.tool("first_byte", "--socks", port, "--", *tunnel.client_command(port))["milliseconds"]

        taken = bench.alternate({t.name: lambda t=t: measure(t) for t in (alknet, ssh)}, 2 * bench.rounds)
        bench.add("cold", "start of the client to the first proxied byte", "ms", "lower", taken[alknet.name],
                  taken[ssh.name], ssh.name, ("<=", 0.5, "ratio"))  # fmt: skip


class Delays:
    """Delaying relays in front of servers."""

    def __init__(self, bench, milliseconds_each_way):
        self.bench, self.delay, self.relays = bench, milliseconds_each_way, []

    def __call__(self, port):
        command = [self.bench.tool_path("delay_relay"), "--target", str(port), "--delay-ms", str(self.delay)]
        relay = Process("delay_relay", command, self.bench.folder, stdout=subprocess.PIPE)
        self.relays.append(relay)
        return int(relay.read_line().rpartition(":")[2])

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for relay in self.relays:
            relay.stop()


def delay(bench):
    """Bulk over a path of 100 ms there and back, once the windows have grown."""
    with Delays(bench, 50) as relay, Alknet(bench, relay=relay) as alknet, OpenSsh(
        bench, bench.best_cipher, relay=relay
    ) as ssh:
        for what, args in (("download", []), ("upload", ["--upload"])):

            def measure(tunnel, extra=tuple(args)):
                warmup = 2 if bench.quick else 3
                got = bench.tool("bulk", "--socks", tunnel.socks, "--warmup", warmup, "--seconds", bench.seconds, *extra)
                return got["gbytes_per_s"]

            taken = bench.alternate({t.name: lambda t=t: measure(t) for t in (alknet, ssh)}, max(2, bench.rounds - 2))
            bench.add("delay", f"bulk {what}, 100 ms round trip", "GB/s", "higher", taken[alknet.name], taken[ssh.name],
                      ssh.name, (">=", 8, "ratio"))  # fmt: skip
