"""SSH libraries as clients, each inside a program of tunnels/."""
import os
import sys

from .client import Tunnel

HERE = os.path.dirname(os.path.abspath(__file__))
TUNNELS = os.path.join(HERE, "../tunnels")
NODE_MODULES = os.path.abspath(os.path.join(HERE, "../../../build/npm/node_modules"))
HELPERS = os.environ.get("ALK_INTEROP") or os.path.abspath(os.path.join(HERE, "../../../build/test/interop"))


class Python(Tunnel):
    def command(self):
        return [sys.executable, os.path.join(TUNNELS, f"{self.name}_client.py")]


class AsyncSSH(Python):
    name = "asyncssh"
    package = "python3-asyncssh"
    exchanged = "Completed key exchange"
    refusal = "refused"


class Paramiko(Python):
    name = "paramiko"
    package = "python3-paramiko"
    exchanged = "Switch to new keys"
    refusal = "refused"


class Ssh2(Tunnel):
    name = "ssh2"
    package = "ssh2 (npm)"
    refusal = "refused"

    def command(self):
        return ["node", os.path.join(TUNNELS, "ssh2_client.js")]

    def environment(self, lab, server):
        return {"NODE_PATH": NODE_MODULES}

    def version(self):
        os.environ["NODE_PATH"] = NODE_MODULES
        return super().version()


class Helper(Tunnel):
    """A C library, in a program that the Makefile builds."""

    def command(self):
        return [os.path.join(HELPERS, f"{self.name}_client")]


class Libssh(Helper):
    name = "libssh"
    package = "libssh-4"
    exchanged = "Received SSH_MSG_NEWKEYS"
    refusal = "refused"


class Libssh2(Helper):
    name = "libssh2"
    package = "libssh2-1"
    refusal = "refused"
