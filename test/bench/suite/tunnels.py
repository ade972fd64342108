"""The tunnels that are measured: each is a SOCKS5 port, a client and a server process."""

import os
import pwd
import subprocess

from .processes import Failure, Process, free_port, wait_port

SSH_CIPHERS = ("aes128-gcm@openssh.com", "aes256-gcm@openssh.com", "chacha20-poly1305@openssh.com")
USER = pwd.getpwuid(os.getuid()).pw_name

SSHD_CONFIG = """
ListenAddress 127.0.0.1:{port}
HostKey {folder}/host_key
AuthorizedKeysFile {keys}
PidFile none
UsePAM no
StrictModes no
PermitRootLogin yes
PasswordAuthentication no
KbdInteractiveAuthentication no
UseDNS no
MaxStartups 1000
MaxSessions 100000
LoginGraceTime 120
Ciphers {ciphers}
"""


class Keys:
    """One host key, one identity, and authorized_keys files of any length."""

    def __init__(self, folder):
        self.folder = folder
        self.identity = os.path.join(folder, "identity")
        for name in ("identity", "host_key"):
            command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", os.path.join(folder, name)]
            subprocess.run(command, check=True)
        with open(self.identity + ".pub", encoding="ascii") as file:
            self.line = file.read()
        with open(os.path.join(folder, "host_key.pub"), encoding="ascii") as file:
            self.host_line = file.read()

    def authorized(self, lines=""):
        """A file of these lines, and the identity's as the last."""
        path = os.path.join(self.folder, f"authorized_keys-{len(lines)}")
        with open(path, "w", encoding="ascii") as file:
            file.write(lines + self.line)
        os.chmod(path, 0o600)
        return path


class Tunnel:
    """client and server are Process objects; socks is the port to use."""

    name = ""
    client = server = None
    socks = 0

    def stop(self):
        for process in (self.client, self.server):
            if process is not None:
                process.stop()
        self.client = self.server = None

    def __enter__(self):
        return self

    def __exit__(self, kind, error, _):
        if kind is Failure:
            ends = [f"{p.name}: {p.tail()}" for p in (self.client, self.server) if p is not None]
            error.args = (" | ".join([str(error), *ends]),)
        self.stop()


class Alknet(Tunnel):
    name = "alknet"

    def __init__(self, bench, keys=None, with_client=True, server_args=(), relay=None):
        self.bench = bench
        self.relay = relay
        self.server = Process(
            "alknet-server",
            [bench.program("alknet-server"), "--key", os.path.join(bench.folder, "host_key")]
            + ["--authorized-keys", keys or bench.keys.authorized(), "--listen", "127.0.0.1:0", *server_args],
            bench.folder,
        )
        try:
            self.port = int(self.server.wait_for(r"listening on 127\.0\.0\.1:(\d+)", 60).group(1))
            if with_client:
                self.start_client()
        except Failure:
            self.stop()
            raise

    def client_command(self, socks):
        through = self.relay(self.port) if self.relay else self.port
        return [
            self.bench.program("alknet-client"), "-D", f"127.0.0.1:{socks}", "-i", self.bench.keys.identity,
            "--known-hosts", self.bench.known_hosts(through), f"{USER}@127.0.0.1:{through}",
        ]  # fmt: skip

    def start_client(self):
        self.client = Process("alknet-client", self.client_command(0), self.bench.folder)
        self.socks = int(self.client.wait_for(r"127\.0\.0\.1:(\d+)").group(1))
        self.bench.tool("rtt", "--socks", self.socks, "--seconds", 0.01, "--warmup", 0)


class OpenSsh(Tunnel):
    def __init__(self, bench, cipher=SSH_CIPHERS[0], keys=None, with_client=True, relay=None):
        self.bench = bench
        self.cipher = cipher
        self.relay = relay
        self.name = f"ssh -D {cipher.partition('@')[0]}"
        self.port = free_port()
        config = os.path.join(bench.folder, f"sshd_config-{self.port}")
        with open(config, "w", encoding="ascii") as file:
            values = {"port": self.port, "folder": bench.folder, "ciphers": ",".join(SSH_CIPHERS)}
            file.write(SSHD_CONFIG.format(keys=keys or bench.keys.authorized(), **values))
        if os.getuid() == 0:
            os.makedirs("/run/sshd", exist_ok=True)
        self.server = Process("sshd", ["/usr/sbin/sshd", "-D", "-e", "-f", config], bench.folder)
        try:
            self.server.wait_for(r"Server listening on")
            if with_client:
                self.start_client()
        except Failure:
            self.stop()
            raise

    def client_command(self, socks):
        through = self.relay(self.port) if self.relay else self.port
        options = [
            "StrictHostKeyChecking=yes", f"UserKnownHostsFile={self.bench.known_hosts(through)}", "IdentitiesOnly=yes",
            "ExitOnForwardFailure=yes", f"Ciphers={self.cipher}", "ControlPath=none",
        ]  # fmt: skip
        command = ["ssh", "-F", "none", "-N", "-i", self.bench.keys.identity, "-p", str(through)]
        for option in options:
            command += ["-o", option]
        return command + ["-D", f"127.0.0.1:{socks}", f"{USER}@127.0.0.1"]

    def start_client(self):
        self.socks = free_port()
        self.client = Process("ssh", self.client_command(self.socks), self.bench.folder)
        wait_port(self.socks, self.client)


class BarePair(Tunnel):
    """Two relays that only frame and encrypt: the ceiling."""

    def __init__(self, bench, cipher="libcrypto"):
        self.name = f"bare pair, {cipher}"
        command = [bench.tool_path("bare_pair"), "--cipher", cipher]
        self.client = Process("bare_pair", command, bench.folder, stdout=subprocess.PIPE)
        self.socks = int(self.client.read_line().rpartition(":")[2])


class Microsocks(Tunnel):
    """A SOCKS5 proxy without a tunnel or encryption."""

    name = "microsocks"

    def __init__(self, bench):
        self.socks = free_port()
        command = ["microsocks", "-i", "127.0.0.1", "-p", str(self.socks)]
        self.client = Process("microsocks", command, bench.folder)
        wait_port(self.socks, self.client)


class Direct(Tunnel):
    """No proxy at all."""

    name = "direct"
