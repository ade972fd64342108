"""A test's laboratory: a folder, the programs and targets of one test, and the checks that hold
for all of them: nothing crashed, no sanitizer spoke, no log names a tunnel's destination."""
import os
import re
import shutil
import socket
import subprocess
import tempfile

from .program import Program, path_of
from .relay import Relay
from .targets import Echo, Exchange, Target, free_port, loopback

# Lines that tell where a program itself listens or connects: no destinations.
_OWN_PLACES = re.compile(r"^alknet-(server: listening on|client: (listening on|connected to|"
                         r"the server (listens|refused to listen) on|(jump host \S+: )?"
                         r"(cannot reach|no login at|no TLS connection with))) .*$"
                         r"|reason=\"(jump host \S+: )?"
                         r"(cannot reach|no login at|no TLS connection with) [^\"]*\"", re.M)
_COMMON = ("127.0.0.1", "::1", "localhost")


class Keys:
    """Key files of a run, made by ssh-keygen."""

    def __init__(self, directory):
        self.directory = directory

    def make(self, name, kind="ed25519", passphrase=""):
        path = os.path.join(self.directory, name)
        if not os.path.exists(path):
            subprocess.run(["ssh-keygen", "-q", "-t", kind, "-N", passphrase, "-C", name, "-f", path],
                           check=True)
        return path

    def public(self, name):
        with open(self.make(name) + ".pub") as f:
            return f.read().strip()

    def fingerprint(self, name):
        out = subprocess.run(["ssh-keygen", "-lf", self.make(name) + ".pub"], check=True,
                             capture_output=True, text=True)
        return out.stdout.split()[1]


def sshd_quirks(sshd):
    """From 9.8 on sshd punishes addresses whose sessions end badly, as ours do on purpose."""
    done = subprocess.run([sshd, "-V"], capture_output=True, text=True)
    version = re.search(r"OpenSSH_(\d+)\.(\d+)", done.stderr + done.stdout)
    new = version is not None and (int(version[1]), int(version[2])) >= (9, 8)
    return ("PerSourcePenalties no",) if new else ()


def split_address(address):
    host, port = address.rsplit(":", 1)
    return host.strip("[]"), int(port)


def join_address(host, port):
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


class Lab:
    def __init__(self, keys, level="debug", engine=None):
        """engine: of every alknet-client."""
        self.keys = keys
        self.level = level
        self.engine = engine
        self.directory = tempfile.mkdtemp(prefix="alk-")
        self.programs = []
        self.targets = []
        self.destinations = set()
        self.sockets = []

    # ---- files ----

    def path(self, name):
        return os.path.join(self.directory, name)

    def write(self, name, text, mode=0o600):
        with open(self.path(name), "w") as f:
            f.write(text)
        os.chmod(self.path(name), mode)
        return self.path(name)

    # ---- targets ----

    def _target(self, target):
        self.targets.append(target)
        if target.address not in _COMMON:
            self.destinations.add(target.address)
        if target.port:
            self.destinations.add(str(target.port))
        return target

    def echo(self, address=None):
        return self._target(Echo(address))

    def exchange(self, size, address=None):
        return self._target(Exchange(size, address))

    def serve(self, function, address=None):
        return self._target(Target(address, function))

    def relay(self, server, damage=None):
        """A Relay in front of the server; pass it where a server is expected."""
        relay = Relay(server.address, damage)
        self.targets.append(relay)
        relay.name = f"relay{len(self.targets)}"
        self.describe(relay, relay.address, "host")
        return relay

    def destination(self, *texts):
        """Further texts that no log may hold."""
        self.destinations.update(str(t) for t in texts)
        return texts[0]

    def keep(self, s):
        """Closes a socket at the end of the test."""
        self.sockets.append(s)
        return s

    def entry(self):
        """ADDR:PORT for a program that must be told where to listen."""
        address = loopback()
        return f"{address}:{free_port(address)}"

    # ---- programs ----

    def start(self, name, argv, **options):
        count = sum(p.name.rstrip("0123456789") == name for p in self.programs)
        program = Program(name if count == 0 else f"{name}{count + 1}", argv, self.directory,
                          **options)
        self.programs.append(program)
        return program

    def run(self, name, argv, seconds=20, **options):
        """Runs a program to its end: (exit status, all that it said)."""
        program = self.start(name, argv, **options)
        return program.wait(seconds), program.log()

    def known_hosts(self, address, key="host", name="known_hosts"):
        host, port = split_address(address)
        return self.write(name, f"[{host}]:{port} {self.keys.public(key)}\n")

    def server(self, *args, listen=("127.0.0.1:0",), key="host", authorized=None, **options):
        """A ready alknet-server. authorized: lines; the user's key by default."""
        if authorized is None:
            authorized = [self.keys.public("user")]
        authorized_path = self.write("authorized_keys", "".join(f"{x}\n" for x in authorized))
        argv = [path_of("alknet-server"), "--key", self.keys.make(key), "--authorized-keys",
                authorized_path, "--log-level", self.level]
        for address in listen:
            argv += ["--listen", address]
        server = self.start("alknet-server", argv + list(args), **options)
        server.wait_for(r"listening on (\S+), host key", count=len(listen))
        server.addresses = re.findall(r"listening on (\S+), host key", server.log())
        self.describe(server, server.addresses[0], key)
        return server

    def describe(self, server, address, key):
        server.address = address
        if not address.startswith(("/", "unix:")):
            server.host, server.port = split_address(address)
            server.known_hosts = self.known_hosts(address, key, f"known_hosts_{server.name}")
        server.fingerprint = self.keys.fingerprint(key)

    def client_argv(self, server, *args, identity="user"):
        argv = [path_of("alknet-client"), "--log-level", self.level]
        if self.engine:
            argv += ["--ssh-engine", self.engine]
        if "--known-hosts" not in args:
            argv += ["--known-hosts", server.known_hosts]
        if "-D" not in args and "-W" not in args:
            argv += ["-D", "none"]
        if identity is not None:
            argv += ["--identity", self.keys.make(identity)]
        return argv + list(args) + [f"root@{server.address}"]

    def client(self, server, *args, identity="user", **options):
        """An alknet-client that is connected; its listeners are in .addresses."""
        argv = self.client_argv(server, *args, identity=identity)
        client = self.start("alknet-client", argv, **options)
        client.wait_for("^alknet-client: connected to")
        client.addresses = re.findall(r"^alknet-client: listening on (\S+)$", client.log(), re.M)
        client.address = client.addresses[0] if client.addresses else None
        return client

    def remote_ports(self, client, count=1):
        """The ports that the server chose for the client's remote forwards; 0 for a Unix socket."""
        pattern = r"the server listens on (?:port (\d+)|a Unix socket) for a remote forward"
        client.wait_for(pattern, count=count)
        return [int(p or 0) for p in re.findall(pattern, client.log())]

    def stdio(self, name, argv, **options):
        """A program whose standard input and output are a socket: (program, our end)."""
        ours, theirs = socket.socketpair()
        ours.settimeout(60)
        program = self.start(name, argv, stdin=theirs, stdout=theirs, **options)
        theirs.close()
        return program, self.keep(ours)

    # ---- OpenSSH ----

    def ssh_argv(self, server, *args):
        return ["ssh", "-F", "none", "-v", "-T", "-i", self.keys.make("user"), "-p", server.port,
                "-o", f"UserKnownHostsFile={server.known_hosts}", "-o", "IdentityAgent=none",
                "-o", "GlobalKnownHostsFile=/dev/null", "-o", "StrictHostKeyChecking=yes",
                "-o", "IdentitiesOnly=yes", "-o", "BatchMode=yes",
                "-o", "ExitOnForwardFailure=yes", *args, f"root@{server.host}"]

    def ssh(self, server, *args):
        """OpenSSH's client, logged in, with forwards that stand."""
        ssh = self.start("ssh", self.ssh_argv(server, "-N", *args))
        ssh.wait_for("Entering interactive session")
        if "-R" in args:  # the answer comes behind the session
            ssh.wait_for("remote forward success", count=args.count("-R"))
        return ssh

    def sshd(self, *lines, authorized_keys=True, address=None, host="host"):
        """OpenSSH's server with further lines of configuration, and our key authorised unless
        they say who is. address: of one before it; host: the name of its key."""
        program = shutil.which("sshd") or "/usr/sbin/sshd"
        address, port = split_address(address) if address else (loopback(), None)
        port = port or free_port(address)
        os.makedirs("/run/sshd", mode=0o755, exist_ok=True)
        authorized = self.write("sshd_authorized_keys", self.keys.public("user") + "\n")
        config = self.write("sshd_config", "\n".join((
            f"ListenAddress {address}:{port}", f"HostKey {self.keys.make(host)}",
            *((f"AuthorizedKeysFile {authorized}",) if authorized_keys else ()), "UsePAM no", "StrictModes no", "PidFile none",
            "PermitRootLogin yes", "PasswordAuthentication no", "LogLevel DEBUG1") +
            sshd_quirks(program) + lines) + "\n")
        sshd = self.start("sshd", [program, "-D", "-e", "-f", config], ours=False)
        sshd.wait_for("Server listening on")
        self.describe(sshd, join_address(address, port), host)
        return sshd

    # ---- the end ----

    def _leaks(self, program):
        text = _OWN_PLACES.sub("", program.log())
        return [f"{program.name} logs the destination {d!r}" for d in sorted(self.destinations)
                if re.search(rf"(?<![\w.]){re.escape(d)}(?!\w)", text)]

    def finish(self):
        """Ends everything; what was wrong."""
        complaints = []
        for s in self.sockets:
            s.close()
        for program in reversed(self.programs):
            complaints += program.finish()
            if program.ours:
                complaints += self._leaks(program)
        for target in self.targets:
            target.close()
        return complaints

    def remove(self):
        shutil.rmtree(self.directory, ignore_errors=True)

    def report(self):
        """What the programs were and said, for a failure."""
        parts = []
        for program in self.programs:
            lines = program.log().splitlines()
            cut = f"[{len(lines) - 80} lines before]\n" if len(lines) > 80 else ""
            parts.append((f"{program.name}, exit status {program.process.returncode}",
                          f"$ {' '.join(program.argv)}\n{cut}" + "\n".join(lines[-80:])))
        return parts
