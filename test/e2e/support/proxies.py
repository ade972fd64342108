"""Proxies of other people, on the way from a client to its server, or from a server to its targets."""
import os
import shutil
import subprocess

from .dial import connect
from .program import wait_until
from .targets import free_port, loopback

HERE = os.path.dirname(os.path.abspath(__file__))
NODE_MODULES = os.path.join(HERE, "../../../build/npm/node_modules")
USER, PASSWORD = "ann", "s e:c@ret%"  # bytes that URLs and headers have a use for
LOGIN = "ann:s%20e%3ac%40ret%25"


class Proxy:
    """A running proxy; url() is what our programs are given."""

    def __init__(self, lab, scheme, argv_for, name, env=None):
        self.address = loopback()
        self.port = free_port(self.address)
        self.scheme = scheme
        self.program = lab.start(name, argv_for(self.address, self.port), ours=False, env=env)
        wait_until(self._accepts, f"{name} accepts connections; it said {self.program.log()}")

    def _accepts(self):
        try:
            connect((self.address, self.port)).close()
        except ConnectionRefusedError:
            return False
        return True

    def url(self, login=LOGIN):
        return f"{self.scheme}://{login + '@' if login else ''}{self.address}:{self.port}"


def microsocks(lab, hosts=None):
    """With a password. hosts: the names that it alone knows."""
    def argv(address, port):
        run = ["microsocks", "-i", address, "-p", str(port), "-u", USER, "-P", PASSWORD]
        if hosts is None:
            return run
        path = lab.write("hosts", "".join(f"{a} {n}\n" for n, a in hosts.items()))
        return ["unshare", "-rm", "sh", "-c",
                'mount --bind "$0" /etc/hosts && exec "$@"', path, *run]
    return Proxy(lab, "socks5", argv, "microsocks")


def socks5_server(lab, allowed_port):
    """Without a password; connects to one port only."""
    def argv(address, port):
        return ["node", os.path.join(HERE, "socks5_server.js"), address, port, allowed_port]
    return Proxy(lab, "socks5", argv, "socks5-server", env={"NODE_PATH": NODE_MODULES})


def tinyproxy(lab, allowed_port):
    """With a password; connects to one port only. Its password is a plain word."""
    def argv(address, port):
        config = lab.write("tinyproxy.conf", f"""
Listen {address}
Port {port}
BasicAuth {USER} secret
ConnectPort {allowed_port}
Timeout 60
LogLevel Warning
""")
        return ["tinyproxy", "-d", "-c", config]
    return Proxy(lab, "http", argv, "tinyproxy")


def squid(lab, hosts, allowed_port):
    """With a password; connects to one port only, and knows the names of hosts."""
    def argv(address, port):
        os.chmod(lab.directory, 0o711)  # it gives up being root
        hashed = subprocess.run(["openssl", "passwd", "-apr1", PASSWORD], check=True,
                                capture_output=True, text=True).stdout
        passwords = lab.write("squid_passwords", f"{USER}:{hashed}")
        names = lab.write("squid_hosts", "".join(f"{a} {n}\n" for n, a in hosts.items()))
        for path in (passwords, names):
            os.chmod(path, 0o644)
        config = lab.write("squid.conf", f"""
http_port {address}:{port}
hosts_file {names}
auth_param basic program /usr/lib/squid/basic_ncsa_auth {passwords}
auth_param basic children 1
acl somebody proxy_auth REQUIRED
acl allowed port {allowed_port}
http_access deny !somebody
http_access allow allowed
http_access deny all
connect_timeout 5 seconds
shutdown_lifetime 0 seconds
visible_hostname squid.test
pid_filename none
cache deny all
access_log none
cache_log stdio:/dev/null
logfile_rotate 0
coredump_dir /
""")
        os.chmod(config, 0o644)
        return [shutil.which("squid") or "/usr/sbin/squid", "-N", "-f", config]
    return Proxy(lab, "http", argv, "squid")
