"""Through a jump host, beside ssh -J: two sessions, one in the other."""

import contextlib
import os
import shlex

from .tunnels import USER, Alknet, OpenSsh


def known_hosts(bench, *ports):
    """One file for all of them."""
    path = os.path.join(bench.folder, "known_hosts-" + "-".join(map(str, ports)))
    with open(path, "w", encoding="ascii") as file:
        for port in ports:
            file.write(f"[127.0.0.1]:{port} {bench.keys.host_line}")
    return path


class AlknetJump(Alknet):
    name = "alknet --jump"

    def __init__(self, bench, gate):
        self.gate = gate
        super().__init__(bench)

    def client_command(self, socks):
        command = super().client_command(socks)
        both = known_hosts(self.bench, self.gate.port, self.port)
        return command[:-1] + ["--jump", f"{USER}@127.0.0.1:{self.gate.port}", "--known-hosts", both] + command[-1:]


class OpenSshJump(OpenSsh):
    def __init__(self, bench, gate):
        self.gate = gate
        super().__init__(bench, bench.best_cipher)
        self.name = self.name.replace("ssh -D", "ssh -J -D")

    def client_command(self, socks):
        """As -J does it, which takes options of the jump host from configuration files only."""
        command = super().client_command(socks)
        way = [*self.gate.client_command(0)[:-3], "-W", f"127.0.0.1:{self.port}", f"{USER}@127.0.0.1"]
        way.remove("-N")
        return command[:-3] + ["-o", f"ProxyCommand={shlex.join(way)}"] + command[-3:]


def jump(bench):
    """Bulk through one jump host: alknet all the way, and OpenSSH all the way."""
    with contextlib.ExitStack() as stack:
        gates = [stack.enter_context(t(bench, with_client=False)) for t in (Alknet, OpenSsh)]
        alknet = stack.enter_context(AlknetJump(bench, gates[0]))
        ssh = stack.enter_context(OpenSshJump(bench, gates[1]))
        for what, args in (("download", []), ("upload", ["--upload"])):

            def measure(tunnel, extra=tuple(args)):
                return bench.tool("bulk", "--socks", tunnel.socks, "--seconds", bench.seconds, *extra)["gbytes_per_s"]

            taken = bench.alternate({t.name: lambda t=t: measure(t) for t in (alknet, ssh)})
            bench.add("jump", f"bulk {what} through a jump host", "GB/s", "higher", taken[alknet.name],
                      taken[ssh.name], ssh.name)  # fmt: skip
