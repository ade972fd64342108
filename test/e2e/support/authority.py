"""Certificates made by ssh-keygen, and security keys of software that OpenSSH's client uses through
an agent of ours: nothing in them is alknet's own code."""
import base64
import hashlib
import os
import socket
import struct
import subprocess
import threading

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

SK_TYPE = "sk-ssh-ed25519@openssh.com"
TOUCHED, VERIFIED = 1, 4


def string(data):
    data = data.encode() if isinstance(data, str) else data
    return struct.pack(">I", len(data)) + data


def _raw(key):
    return key.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)


def _write(path, data, mode=0o600):
    with open(os.open(path, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, mode), "wb") as f:
        f.write(data)
    return path


def make_key(path):
    """An Ed25519 key file in OpenSSH's format with its .pub; returns "TYPE BASE64"."""
    key = Ed25519PrivateKey.generate()
    _write(path, key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.OpenSSH,
                                   serialization.NoEncryption()))
    line = "ssh-ed25519 " + base64.b64encode(string("ssh-ed25519") + string(_raw(key))).decode()
    _write(path + ".pub", (line + "\n").encode(), 0o644)
    return line


def sign(ca, public, *args, identity="someone"):
    """A certificate of the key in the file public, beside it; returns its path."""
    subprocess.run(["ssh-keygen", "-q", "-s", ca, "-I", identity, *args, public], check=True,
                   capture_output=True)
    return public.removesuffix(".pub") + "-cert.pub"


def revoke(krl, ca, specification):
    """Adds to a key revocation list; specification as in ssh-keygen(1)."""
    path = krl + ".spec"
    _write(path, specification.encode())
    argv = ["ssh-keygen", "-q", "-k", "-f", krl, "-s", ca + ".pub"]
    subprocess.run(argv + (["-u"] if os.path.exists(krl) else []) + [path], check=True,
                   capture_output=True)


class SecurityKeys:
    """An ssh-agent that holds security keys; each signs with the flags that it was made with."""

    def __init__(self, path):
        self.path = path
        self.keys = {}
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(path)
        self.listener.listen(64)
        threading.Thread(target=self._accept, daemon=True).start()

    def make(self, path, flags=TOUCHED, application="ssh:", broken=False):
        """Writes PATH.pub; returns "TYPE BASE64"."""
        key = Ed25519PrivateKey.generate()
        blob = string(SK_TYPE) + string(_raw(key)) + string(application)
        self.keys[blob] = (key, flags, application, broken)
        line = f"{SK_TYPE} {base64.b64encode(blob).decode()}"
        _write(path + ".pub", (line + "\n").encode(), 0o644)
        return line

    def close(self):
        self.listener.close()

    def _accept(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        stream = connection.makefile("rwb")
        with connection, stream:
            while len(head := stream.read(4)) == 4:
                message = stream.read(struct.unpack(">I", head)[0])
                stream.write(string(self._answer(message)))
                stream.flush()

    def _answer(self, message):
        if message[0] == 11:  # SSH_AGENTC_REQUEST_IDENTITIES
            return struct.pack(">BI", 12, len(self.keys)) + b"".join(
                string(blob) + string("software") for blob in self.keys)
        if message[0] == 13:  # SSH_AGENTC_SIGN_REQUEST
            size = struct.unpack(">I", message[1:5])[0]
            blob, rest = message[5:5 + size], message[5 + size:]
            data = rest[4:4 + struct.unpack(">I", rest[:4])[0]]
            if blob in self.keys:
                return b"\x0e" + string(self._signature(self.keys[blob], data))
        return b"\x05"  # SSH_AGENT_FAILURE

    @staticmethod
    def _signature(entry, data):
        key, flags, application, broken = entry
        seen = struct.pack(">BI", flags, 7)
        text = hashlib.sha256(application.encode()).digest() + seen + hashlib.sha256(data).digest()
        signature = key.sign(text + (b"!" if broken else b""))
        return string(SK_TYPE) + string(signature) + seen
