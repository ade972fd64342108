"""Logging in with certificates that ssh-keygen makes, from OpenSSH's client and from ours."""
import os
import shutil
import signal
import subprocess

import pytest

from support.authority import make_key, revoke, sign
from support.dial import check_echo, connect
from support.program import path_of, wait_until


class Authority:
    def __init__(self, lab):
        self.lab = lab
        self.path = lab.path("ca")
        self.line = make_key(self.path)
        self.file = lab.write("authorities", self.line + "\n")

    def certify(self, name, *args, user="root", identity="someone"):
        """A new key with a certificate elsewhere than beside it: (key, certificate)."""
        path = self.lab.path(name)
        make_key(path)
        made = sign(self.path, path + ".pub", "-n", user, *args, identity=identity)
        os.makedirs(self.lab.path("certificates"), exist_ok=True)
        return path, shutil.move(made, self.lab.path(f"certificates/{name}.pub"))


@pytest.fixture
def authority(lab):
    return Authority(lab)


def argv_with(lab, server, key, *args):
    return lab.client_argv(server, "--identity", key, *args, identity=None)


def refused(lab, server, key, *args):
    code, said = lab.run("alknet-client", argv_with(lab, server, key, *args))
    assert code == 1, said
    return said


def test_alknet_client_with_a_certificate(lab, authority):
    server = lab.server("--cert-authority", authority.file, authorized=[])
    echo = lab.echo()
    key, certificate = authority.certify("user")
    assert "add the public key" in refused(lab, server, key)
    client = lab.client(server, "--identity", key, "--certificate", certificate, "-L",
                        f"{lab.entry()}:{echo.spec}", identity=None)
    check_echo(lab.keep(connect(client.address)))


def test_a_certificate_beside_the_key_is_found(lab, authority):
    server = lab.server("--cert-authority", authority.file, authorized=[])
    key, certificate = authority.certify("user")
    shutil.copy(certificate, key + "-cert.pub")
    lab.client(server, "--identity", key, identity=None)
    other, _ = authority.certify("other")
    shutil.copy(certificate, other + "-cert.pub")
    assert "is for another key" in refused(lab, server, other)


def test_a_certificate_of_a_key_in_the_agent(lab, authority):
    server = lab.server("--cert-authority", authority.file, authorized=[])
    key, certificate = authority.certify("user")
    agent = lab.path("agent")
    lab.start("ssh-agent", ["ssh-agent", "-D", "-a", agent], ours=False)
    wait_until(lambda: os.path.exists(agent), "the agent's socket")
    env = {"SSH_AUTH_SOCK": agent, "HOME": lab.directory}
    for path in (lab.keys.make("other"), key):
        subprocess.run(["ssh-add", "-q", path], check=True, env=dict(os.environ, **env))
    lab.client(server, "--certificate", certificate, identity=None, env=env)


def test_alknet_client_with_a_certificate_at_sshd(lab, authority):
    sshd = lab.sshd(f"TrustedUserCAKeys {authority.file}")
    key, certificate = authority.certify("user")
    echo = lab.echo()
    client = lab.client(sshd, "--identity", key, "--certificate", certificate, "-L",
                        f"{lab.entry()}:{echo.spec}", identity=None)
    check_echo(lab.keep(connect(client.address)))


@pytest.mark.parametrize("where", ["file", "authorized_keys"])
def test_ssh_with_a_certificate(lab, authority, where):
    if where == "file":
        server = lab.server("--cert-authority", authority.file, authorized=[])
    else:
        server = lab.server(authorized=[f"cert-authority {authority.line}"])
    key, certificate = authority.certify("user")
    echo, entry = lab.echo(), lab.entry()
    lab.ssh(server, "-i", key, "-o", f"CertificateFile={certificate}", "-L", f"{entry}:{echo.spec}")
    check_echo(lab.keep(connect(entry)))


def test_what_a_refused_certificate_is_told(lab, authority):
    server = lab.server("--cert-authority", authority.file, authorized=[])
    key, certificate = authority.certify("user", "-V", "20200101:20210101")
    said = refused(lab, server, key, "--certificate", certificate)
    assert "nor its certificate" in said and "ssh-keygen -L" in said
    assert "reason=certificate-expired" in server.log()


def test_clumsy_certificates(lab, authority):
    server = lab.server()
    key, certificate = authority.certify("user")
    other, _ = authority.certify("other")
    rsa = lab.path("rsa")
    subprocess.run(["ssh-keygen", "-q", "-t", "rsa", "-N", "", "-f", rsa], check=True)
    for file, words in ((lab.path("missing"), "does not exist"), (key + ".pub", "ssh-keygen -s"),
                        (lab.write("junk", "junk\n"), "TYPE AAAA"),
                        (lab.directory, "is a folder"),
                        (sign(authority.path, rsa + ".pub"), "ssh-rsa-cert-v01@openssh.com"),
                        (lab.write("cut", open(certificate).read()[:33 + 200] + "\n"), "malformed")):
        assert words in refused(lab, server, key, "--certificate", file), file
    assert "another key" in refused(lab, server, other, "--certificate", certificate)


def test_a_reload_revokes_certificates(lab, authority):
    krl = lab.path("krl")
    revoke(krl, authority.path, "serial: 7\n")
    server = lab.server("--cert-authority", authority.file, "--revoked-keys", krl, authorized=[])
    clients = []
    for serial in ("8", "9"):
        key, certificate = authority.certify(f"user{serial}", "-z", serial)
        clients.append(lab.client(server, "--identity", key, "--certificate", certificate,
                                  identity=None))
    key, certificate = authority.certify("user7", "-z", "7")
    refused(lab, server, key, "--certificate", certificate)
    revoke(krl, authority.path, "serial: 8\n")
    server.signal(signal.SIGHUP)
    server.wait_for('msg="session revoked".*reason=revoked')
    clients[0].wait_for("may no longer log in|does not accept|offline|lost")
    assert server.log().count("session revoked") == 1
    assert clients[1].running()
    lab.write("krl", "SSHKRL\n\0nonsense")
    server.signal(signal.SIGHUP)
    server.wait_for('msg="reload failed.*krl is not a usable key revocation list')
    refused(lab, server, key, "--certificate", certificate)  # the old list is still in force


def test_check_names_what_is_wrong(lab, authority):
    def check(*args):
        return lab.run("alknet-server", [path_of("alknet-server"), "--check", "--key",
                                         lab.keys.make("host"), "--authorized-keys",
                                         lab.write("authorized", ""), *args])
    assert check("--cert-authority", authority.file)[0] == 0
    code, said = check("--cert-authority", lab.path("nowhere"))
    assert code != 0 and "nowhere does not exist" in said
    code, said = check("--revoked-keys", lab.write("list", f"{authority.line}\nnonsense\n"))
    assert code != 0 and "list: line 2 is no public key" in said
    rsa = open(lab.keys.make("rsa", "rsa") + ".pub").read()
    code, said = check("--cert-authority", lab.write("rsa", rsa))
    assert "cert_authority line 1: unsupported key type ssh-rsa of a certificate authority" in said
