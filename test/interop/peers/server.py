"""What each program is asked to do as the server of alknet-client, in the same words for all."""
import json
import os
import pwd
import re
import shutil
import subprocess
import sys

from support.lab import join_address
from support.libssh2 import OLD_RSA
from support.targets import free_port, loopback

from .client import first_word, version_in
from .libraries import NODE_MODULES, TUNNELS


class ServerPeer:
    name = ""
    package = ""
    exchanged = ""  # what it says of each key exchange; "" when it cannot be asked for any

    def version(self):
        raise NotImplementedError

    def argv(self, lab, address, port, key, rekeying):
        raise NotImplementedError

    def start(self, lab, address=None, key="host", rekeying=False):
        """A server that takes the user's key, ready for connections; address is that of one
        before it, key the name of its own."""
        host, port = address.rsplit(":", 1) if address else (loopback(), None)
        port = port or free_port(host)
        argv = self.argv(lab, host, port, lab.keys.make(key), rekeying)
        server = lab.start(self.name, argv, ours=False, env=self.environment())
        server.wait_for(self.ready)
        lab.describe(server, join_address(host, port), key)
        return server

    def environment(self):
        return {}


class OpenSSH(ServerPeer):
    name = "openssh"
    package = "openssh-server"
    exchanged = "SSH2_MSG_NEWKEYS received"

    def version(self):
        return version_in(["ssh", "-V"], r"OpenSSH_(\S+?),? ")

    def start(self, lab, address=None, key="host", rekeying=False):
        return lab.sshd(*(["RekeyLimit 1M"] if rekeying else []), *OLD_RSA, address=address,
                        host=key)


class Dropbear(ServerPeer):
    """It reads authorized_keys in the home of the user only, so it gets a home of its own, in a
    mount namespace."""
    name = "dropbear"
    package = "dropbear-bin"
    ready = "Not backgrounding"

    def version(self):
        return version_in(["dropbear", "-V"], r"Dropbear v(\S+)")

    def argv(self, lab, address, port, key, rekeying):
        os.makedirs(lab.path("home/.ssh"), mode=0o700, exist_ok=True)
        lab.write("home/.ssh/authorized_keys", lab.keys.public("user") + "\n")
        converted = lab.path("host.dropbear")
        subprocess.run(["dropbearconvert", "openssh", "dropbear", key, converted], check=True,
                       capture_output=True)
        home = pwd.getpwnam("root").pw_dir
        return ["unshare", "--mount", "sh", "-c", 'mount --bind "$0" "$1" && shift && exec "$@"',
                lab.path("home"), home, shutil.which("dropbear") or "/usr/sbin/dropbear", "-F",
                "-E", "-s", "-r", converted, "-P", lab.path("dropbear.pid"), "-p", f"{address}:{port}"]


class Library(ServerPeer):
    ready = "^listening"

    def command(self):
        raise NotImplementedError

    def argv(self, lab, address, port, key, rekeying):
        return [*self.command(), address, port, key, lab.keys.make("user") + ".pub",
                *(["--rekey"] if rekeying else [])]


class AsyncSSH(Library):
    name = "asyncssh"
    package = "python3-asyncssh"
    exchanged = "Completed key exchange"

    def version(self):
        return first_word([sys.executable, "-c", "import asyncssh; print(asyncssh.__version__)"])

    def command(self):
        return [sys.executable, os.path.join(TUNNELS, "asyncssh_server.py")]


class Ssh2(Library):
    name = "ssh2"
    package = "ssh2 (npm)"
    exchanged = "^exchanged keys"

    def version(self):
        with open(os.path.join(NODE_MODULES, "ssh2/package.json")) as f:
            return json.load(f)["version"]

    def environment(self):
        return {"NODE_PATH": NODE_MODULES}

    def command(self):
        return ["node", os.path.join(TUNNELS, "ssh2_server.js")]


def exchanges(peer, server):
    return len(re.findall(peer.exchanged, server.log(), re.M))
