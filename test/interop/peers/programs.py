"""Programs with forwards of their own, as clients."""
import os
import shutil
import subprocess

from .client import ClientPeer, version_in


def forwards(local, remote):
    argv = []
    for entry, target in local:
        argv += ["-L", f"{entry}:{target.spec}"]
    for port, target in remote:
        argv += ["-R", f"127.0.0.1:{port}:{target.spec}"]
    return argv


class OpenSSH(ClientPeer):
    name = "openssh"
    package = "openssh-client"
    refusal = "Permission denied"
    exchanged = "SSH2_MSG_NEWKEYS received"

    def version(self):
        return version_in(["ssh", "-V"], r"OpenSSH_(\S+?),? ")

    def argv(self, lab, server, key, local, remote, rekeying):
        options = ["-o", "RekeyLimit=1M"] if rekeying else []
        argv = lab.ssh_argv(server, "-N", *options, *forwards(local, remote))
        argv[argv.index("-i") + 1] = key
        return argv


class Dropbear(ClientPeer):
    name = "dropbear"
    package = "dropbear-bin"
    refusal = "No auth methods could be used"

    def version(self):
        return version_in(["dbclient", "-V"], r"Dropbear v(\S+)")

    def environment(self, lab, server):
        os.makedirs(lab.path(".ssh"), mode=0o700, exist_ok=True)
        with open(lab.path(".ssh/known_hosts"), "w") as f:
            key = " ".join(lab.keys.public("host").split()[:2])
            f.write(f"{server.host} {key}\n[{server.host}]:{server.port} {key}\n")
        return {"HOME": lab.directory}

    def argv(self, lab, server, key, local, remote, rekeying):
        converted = lab.path(f"{os.path.basename(key)}.dropbear")
        subprocess.run(["dropbearconvert", "openssh", "dropbear", key, converted], check=True,
                       capture_output=True)
        return ["dbclient", "-N", "-T", "-i", converted, "-p", server.port,
                *forwards(local, remote), f"root@{server.host}"]


class PuTTY(ClientPeer):
    name = "putty"
    package = "putty-tools"
    exchanged = "Doing ECDH key exchange"
    refusal = "No supported authentication methods available"

    def version(self):
        return version_in(["plink", "-V"], r"Release (\S+)")

    def environment(self, lab, server):
        return {"HOME": lab.directory}

    def argv(self, lab, server, key, local, remote, rekeying):
        converted = lab.path(f"{os.path.basename(key)}.ppk")
        subprocess.run([shutil.which("puttygen"), key, "-O", "private", "-o", converted],
                       check=True, capture_output=True)
        sessions = lab.path(".putty/sessions")
        os.makedirs(sessions, exist_ok=True)
        with open(os.path.join(sessions, "interop"), "w") as f:
            f.write("RekeyBytes=1M\n" if rekeying else "")
        return ["plink", "-load", "interop", "-v", "-batch", "-N", "-ssh", "-noagent", "-i",
                converted, "-hostkey", server.fingerprint, "-P", server.port,
                *forwards(local, remote), f"root@{server.host}"]
