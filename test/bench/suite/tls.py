"""SSH over TLS beside ssh through stunnel, and TLS handshakes beside nginx's."""

import contextlib
import os
import subprocess

from .connections import PARALLEL_LOGINS, login_arguments
from .memory import held
from .processes import Process, cpu_seconds, free_port, settled_bytes, wait_port
from .tunnels import Alknet, OpenSsh

HANDSHAKES_AT_ONCE = 16
# as silent about mere handshakes as nginx is
UNLIMITED = ("--max-unauthenticated", "100000", "--max-unauthenticated-per-ip", "100000", "--log-level", "warn")

STUNNEL = """
foreground = yes
debug = 4
pid =
socket = l:TCP_NODELAY=1
socket = r:TCP_NODELAY=1
[tunnel]
accept = 127.0.0.1:{accept}
connect = 127.0.0.1:{connect}
{more}
"""

NGINX = """
daemon off;
worker_processes auto;
error_log stderr;
pid {folder}/nginx.pid;
events {{ worker_connections 4096; }}
http {{
    access_log off;
    ssl_protocols TLSv1.2 TLSv1.3;
    server {{
        listen 127.0.0.1:{port} ssl reuseport;
        ssl_certificate {cert};
        ssl_certificate_key {key};
        return 404;
    }}
}}
"""


def certificate(bench):
    """(certificate, key): ECDSA on P-256, as most of the web has it."""
    cert, key = (os.path.join(bench.folder, f"tls.{end}") for end in ("pem", "key"))
    if not os.path.exists(cert):
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", key]
            + ["-out", cert, "-days", "2", "-subj", "/CN=bench", "-addext", "subjectAltName=IP:127.0.0.1"],
            check=True, capture_output=True,
        )  # fmt: skip
    return cert, key


class AlknetTls(Alknet):
    name = "alknet over TLS"

    def __init__(self, bench, server_args=(), **options):
        cert, key = certificate(bench)
        self.authority = cert
        super().__init__(bench, server_args=("--transport", "tls", "--tls-cert", cert, "--tls-key", key, *server_args),
                         **options)  # fmt: skip

    def client_command(self, socks):
        command = super().client_command(socks)
        return command[:1] + ["--transport", "tls", "--tls-ca", self.authority] + command[1:]


class Stunnel:
    """One stunnel process; it listens on .port."""

    def __init__(self, bench, connect, more):
        self.port = free_port()
        path = os.path.join(bench.folder, f"stunnel-{self.port}.conf")
        with open(path, "w", encoding="ascii") as file:
            file.write(STUNNEL.format(accept=self.port, connect=connect, more=more))
        self.process = Process("stunnel", ["stunnel", path], bench.folder)
        wait_port(self.port, self.process)

    @classmethod
    def client(cls, bench, connect):
        return cls(bench, connect, "client = yes")

    @classmethod
    def server(cls, bench, connect):
        cert, key = certificate(bench)
        return cls(bench, connect, f"cert = {cert}\nkey = {key}")

    def stop(self):
        self.process.stop()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()


class Nginx:
    name = "nginx"

    def __init__(self, bench):
        self.port = free_port()
        cert, key = certificate(bench)
        path = os.path.join(bench.folder, "nginx.conf")
        with open(path, "w", encoding="ascii") as file:
            file.write(NGINX.format(folder=bench.folder, port=self.port, cert=cert, key=key))
        self.server = Process("nginx", ["/usr/sbin/nginx", "-c", path, "-p", bench.folder], bench.folder)
        wait_port(self.port, self.server)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.server.stop()


def bulk(bench):
    """One connection over TLS: ssh through stunnel at both ends is what people do otherwise."""
    with contextlib.ExitStack() as stack:

        def through_stunnel(port):
            far = stack.enter_context(Stunnel.server(bench, port))
            return stack.enter_context(Stunnel.client(bench, far.port)).port

        alknet = stack.enter_context(AlknetTls(bench))
        plain = stack.enter_context(Alknet(bench))
        ssh = stack.enter_context(OpenSsh(bench, bench.best_cipher, relay=through_stunnel))
        for what, args in (("download", []), ("upload", ["--upload"])):

            def measure(tunnel, extra=tuple(args)):
                return bench.tool("bulk", "--socks", tunnel.socks, "--seconds", bench.seconds, *extra)["gbytes_per_s"]

            taken = bench.alternate({t.name: lambda t=t: measure(t) for t in (alknet, ssh, plain)})
            bench.add("tls", f"bulk {what} over TLS", "GB/s", "higher", taken[alknet.name], taken[ssh.name],
                      "ssh through stunnel", (">=", 1.6, "ratio"))  # fmt: skip
            bench.add("tls", f"bulk {what} over TLS", "GB/s", "higher", taken[alknet.name], taken[plain.name],
                      "alknet without TLS")  # fmt: skip


def handshakes(bench):
    """Full handshakes, TLS 1.3, the same certificate; one client for both servers."""
    with AlknetTls(bench, server_args=UNLIMITED, with_client=False) as alknet, Nginx(bench) as nginx:
        per_second = {alknet.name: [], nginx.name: []}

        def measure(server):
            before = cpu_seconds(server.server.pid)
            got = bench.tool("tls_handshakes", "--port", server.port, "--seconds", bench.seconds,
                             "--parallel", HANDSHAKES_AT_ONCE)  # fmt: skip
            per_second[server.name].append(got["per_second"])
            return got["handshakes"] / max(cpu_seconds(server.server.pid) - before, 0.01)

        taken = bench.alternate({s.name: lambda s=s: measure(s) for s in (alknet, nginx)})
        bench.add("tls", "TLS handshakes per CPU-second of the server", "", "higher", taken[alknet.name],
                  taken[nginx.name], "nginx", (">=", 1, "ratio"))  # fmt: skip
        bench.add("tls", f"TLS handshakes, {HANDSHAKES_AT_ONCE} at a time", "/s", "higher", per_second[alknet.name],
                  per_second[nginx.name], "nginx", (">=", 1, "ratio"))  # fmt: skip


def memory(bench):
    """Private memory of the server for each idle session over TLS; stunnel lends the client TLS."""
    count = 200 if bench.quick else 1000
    with AlknetTls(bench, with_client=False) as alknet, Stunnel.client(bench, alknet.port) as stunnel:

        def hold(wanted):
            return held(bench, "login_client", *login_arguments(bench, stunnel.port), "--count", wanted, "--parallel",
                        PARALLEL_LOGINS, "--hold")  # fmt: skip

        with hold(1):
            before = settled_bytes(alknet.server.pid)[0]
            with hold(count):
                each = (settled_bytes(alknet.server.pid)[0] - before) / count
    bench.add("tls", f"server's memory per idle session over TLS, {count:,} of them", "KB", "lower", [each / 1024],
              goal=("<=", 96, "value"))  # fmt: skip


def tls(bench):
    """SSH over TLS: bulk, handshakes, memory."""
    bulk(bench)
    handshakes(bench)
    memory(bench)
