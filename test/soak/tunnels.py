"""The tunnels that are soaked: ours at both ends, or OpenSSH at one. Each has .routes (ways for
the traffic), .watched (name -> pid) and online() (how often it has come up)."""
import re
import threading
import time

from support.dial import connect, socks5
from support.program import Failure, path_of
from support.targets import free_port

KEEPALIVE_S = 2  # dead after four of them
REKEY_S = 5


class Counter:
    """How often a line has come in a log that is read on and on."""

    def __init__(self, path, line):
        self.path, self.line = path, line.encode()
        self.at, self.count = 0, 0

    def __call__(self):
        with open(self.path, "rb") as f:
            f.seek(self.at)
            text = f.read()
        whole = text[:text.rfind(b"\n") + 1]
        self.at += len(whole)
        self.count += whole.count(self.line)
        return self.count


def through_socks(address, sink):
    def way(seconds):
        s, code = socks5(address, sink.address, sink.port, seconds=seconds)
        if code != 0:
            s.close()
            raise OSError(f"SOCKS reply {code}")
        return s
    return way


def to(address):
    return lambda seconds: connect(address, seconds)


def alknet_server(lab):
    lab.write("authorized_keys", lab.keys.public("user") + "\n")
    config = lab.write("server.conf", f"""[server]
host_key = {lab.keys.make("host")}
keepalive = {KEEPALIVE_S}s
rekey = {REKEY_S}s
[listener main]
listen = 127.0.0.1:0
[auth]
authorized_keys = {lab.path("authorized_keys")}
[limits]
penalty_exempt = 127.0.0.0/8
""")
    server = lab.start("alknet-server", [path_of("alknet-server"), "--config", config])
    lab.describe(server, server.wait_for(r"listening on (\S+), host key")[1], "host")
    return server


def openssh_server(lab):
    return lab.sshd(f"ClientAliveInterval {KEEPALIVE_S}", f"RekeyLimit 1M {REKEY_S}")


class OurClient:
    """alknet-client, which comes back by itself."""

    def __init__(self, lab, server, wire, sink, local_sink):
        self.watched = {"alknet-client": None}
        lab.describe(wire, wire.address, "host")
        config = lab.write("client.conf", f"[profile soak]\nkeepalive = {KEEPALIVE_S}s\n"
                           f"rekey = {REKEY_S}s\nknown_hosts = {wire.known_hosts}\n")
        remote, local = free_port("127.0.0.1"), lab.entry()
        client = lab.start("alknet-client", [
            path_of("alknet-client"), "--config", config, "--profile", "soak", "--identity",
            lab.keys.make("user"), "-D", "127.0.0.1:0", "-L", f"{local}:{sink.spec}",
            "-L", f"{lab.path('entry')}:{sink.spec}", "-R", f"{remote}:{local_sink.spec}",
            f"root@{wire.address}"])
        client.wait_for("^alknet-client: connected to")
        lab.remote_ports(client)
        socks = re.search(r"^alknet-client: listening on (127\S+)$", client.log(), re.M)[1]
        self.online = Counter(client.log_path, "msg=online")
        self.watched = {"alknet-client": client.pid}
        if server.ours:
            self.watched["alknet-server"] = server.pid
        self.routes = {"-D": through_socks(socks, sink), "-L": to(local),
                       "-L unix": to(lab.path("entry")), "-R": to(("127.0.0.1", remote))}

    def end(self):
        pass


class OpensshClient:
    """OpenSSH's ssh, started again whenever it has ended."""

    def __init__(self, lab, server, wire, sink, local_sink):
        self.watched = {"alknet-server": server.pid}
        lab.describe(wire, wire.address, "host")
        self.lab, self.wire = lab, wire
        self.ups, self.over = 0, False
        ports = [free_port("127.0.0.1") for _ in range(3)]
        self.args = ("-D", f"127.0.0.1:{ports[0]}", "-L", f"127.0.0.1:{ports[1]}:{sink.spec}",
                     "-R", f"{ports[2]}:{local_sink.spec}", "-o", f"RekeyLimit=1M {REKEY_S}",
                     "-o", f"ServerAliveInterval={KEEPALIVE_S}")
        self.program = None
        self._start()
        self.routes = {"-D": through_socks(f"127.0.0.1:{ports[0]}", sink),
                       "-L": to(("127.0.0.1", ports[1])), "-R": to(("127.0.0.1", ports[2]))}
        threading.Thread(target=self._keep_up, daemon=True).start()

    def _start(self):
        while not self.over:
            try:
                self.program = self.lab.ssh(self.wire, *self.args)
                self.ups += 1
                return
            except Failure:
                time.sleep(0.2)

    def _keep_up(self):
        while not self.over:
            self.program.process.wait()
            self._start()

    def online(self):
        return self.ups

    def end(self):
        self.over = True


# name: server, client, and whether one of them tells a cut from an end by no reset
TUNNELS = {
    "alknet": (alknet_server, OurClient, False),
    "ssh": (alknet_server, OpensshClient, True),
    "sshd": (openssh_server, OurClient, True),
}
