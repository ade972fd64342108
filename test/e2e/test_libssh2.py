"""What the libssh2 engine is for: RSA and ECDSA, in hosts, key files and agents."""
import re
import subprocess

import pytest

from support.authority import sign
from support.dial import check_echo, check_exchange, connect, socks5
from support.libssh2 import OLD, OLD_RSA
from support.suite import with_libssh2

pytestmark = with_libssh2

KINDS = ["rsa", "ecdsa"]


def client_of(lab, sshd, *args, **options):
    client = lab.client(sshd, "-L", f"{lab.entry()}:{lab.echo().spec}", *args, **options)
    check_echo(lab.keep(connect(client.address)))
    return client


def refusal(lab, sshd, *args, **options):
    code, said = lab.run("alknet-client", lab.client_argv(sshd, *args, **options))
    assert code == 1
    return said


@pytest.mark.parametrize("kind", KINDS)
def test_host_key(lab, kind):
    """Known, then another one."""
    host = f"host_{kind}"
    lab.keys.make(host, kind)
    lab.keys.make(f"other_{kind}", kind)
    sshd = lab.sshd(*OLD_RSA, host=host)
    client_of(lab, sshd)
    known = lab.known_hosts(sshd.address, f"other_{kind}", "known_others")
    said = refusal(lab, sshd, "--known-hosts", known)
    assert f"has changed to {lab.keys.fingerprint(host)}" in said


@pytest.mark.parametrize("kind", KINDS)
def test_new_host_key_is_stored(lab, kind):
    host = f"host_{kind}"
    lab.keys.make(host, kind)
    sshd = lab.sshd(*OLD_RSA, host=host)
    args = ["--known-hosts", lab.path("known")]
    assert lab.keys.fingerprint(host) in refusal(lab, sshd, *args)
    client_of(lab, sshd, *args, "--accept-new").stop()
    with open(lab.path("known")) as f:
        assert f.read().split()[1:] == lab.keys.public(host).split()[:2]
    client_of(lab, sshd, *args)


@pytest.mark.parametrize("kind", KINDS)
def test_type_on_record_is_asked_for(lab, kind):
    """A host with several keys, of which one is known."""
    host = f"host_{kind}"
    sshd = lab.sshd(*OLD_RSA, f"HostKey {lab.keys.make(host, kind)}")
    client_of(lab, sshd, "--known-hosts", lab.known_hosts(sshd.address, host, "known"))


def test_key_of_another_type_than_on_record_is_refused(lab):
    """Also where a new one would be stored: it is no new host."""
    lab.keys.make("host_ecdsa", "ecdsa")
    sshd = lab.sshd(host="host_ecdsa")
    known = lab.known_hosts(sshd.address, "host", "known")
    said = refusal(lab, sshd, "--known-hosts", known, "--accept-new")
    assert "of another type than those in" in said and "(ssh-ed25519)" in said


@pytest.mark.parametrize("how", ["openssh", "pem", "encrypted"])
@pytest.mark.parametrize("kind", KINDS)
def test_key_file(lab, kind, how):
    path = lab.path("key")
    words = "open sesame" if how == "encrypted" else ""
    subprocess.run(["ssh-keygen", "-q", "-t", kind, "-N", words, "-f", path,
                    *(["-m", "PEM"] if how == "pem" else [])], check=True)
    with open(path + ".pub") as f:
        authorized = lab.write("authorized", f.read())
    sshd = lab.sshd(*OLD_RSA, f"AuthorizedKeysFile {authorized}", authorized_keys=False)
    client_of(lab, sshd, "--identity", path, identity=None,
              env={"ALKNET_IDENTITY_PASSPHRASE": words})


def test_wrong_passphrase(lab):
    path = lab.path("key")
    subprocess.run(["ssh-keygen", "-q", "-t", "ecdsa", "-N", "open sesame", "-f", path], check=True)
    argv = lab.client_argv(lab.server(), "--identity", path, identity=None)
    code, said = lab.run("alknet-client", argv, env={"ALKNET_IDENTITY_PASSPHRASE": "wrong"},
                         start_new_session=True)
    assert code == 1 and "passphrase" in said


@pytest.mark.parametrize("kind", KINDS)
def test_key_that_is_not_authorised(lab, kind):
    key = f"stranger_{kind}"
    said = refusal(lab, lab.sshd(), "--identity", lab.keys.make(key, kind), identity=None)
    assert f"the server does not accept {lab.keys.fingerprint(key)} for user root" in said


@pytest.mark.parametrize("kind", KINDS)
def test_key_in_the_agent(lab, kind, agent):
    """Behind one that the server does not want."""
    key = f"user_{kind}"
    lab.keys.make(key, kind)
    agent("stranger")
    agent(key)
    authorized = lab.write("authorized", lab.keys.public(key) + "\n")
    sshd = lab.sshd(*OLD_RSA, f"AuthorizedKeysFile {authorized}", authorized_keys=False)
    client_of(lab, sshd, identity=None, env={"SSH_AUTH_SOCK": agent.path})


def test_server_that_wants_sha2_of_rsa(lab):
    """As any of today does. It works, or is refused with the reason; nothing hangs."""
    lab.keys.make("host_rsa", "rsa")
    sshd = lab.sshd(host="host_rsa")
    if OLD:
        said = refusal(lab, sshd)
        assert re.search(r"libssh2 1\.\S+ have no algorithm in common", said)
    else:
        client_of(lab, sshd)


def test_rekeying_under_load(lab):
    sshd = lab.sshd("RekeyLimit 1M")
    exchange = lab.exchange(64 << 20)
    client = lab.client(sshd, "-L", f"{lab.entry()}:{exchange.spec}")
    check_exchange(connect(client.address), exchange)
    assert sshd.log().count("SSH2_MSG_NEWKEYS received") > 50


def test_a_channel_that_is_not_read_holds_up_no_other(lab):
    """libssh2 has one queue for all: here it is full of what nobody fetches."""
    exchange, echo = lab.exchange(32 << 20), lab.echo()
    client = lab.client(lab.sshd(), "-L", f"{lab.entry()}:{exchange.spec}",
                        "-L", f"{lab.entry()}:{echo.spec}")
    stalled = [lab.keep(connect(client.addresses[0])) for _ in range(5)]
    for s in stalled:
        assert s.recv(1)
    for _ in range(20):
        check_echo(lab.keep(connect(client.addresses[1])))


def test_what_it_cannot_do(lab):
    server, path = lab.server(), lab.path("socket")
    said = refusal(lab, server, "-R", f"{path}:{lab.echo().spec}")
    assert "libssh2 cannot ask a server to listen on a Unix socket" in said
    public = lab.write("bearer.pub", lab.keys.public("bearer") + "\n")
    certificate = sign(lab.keys.make("authority"), public, "-n", "root")
    said = refusal(lab, server, "--certificate", certificate, identity="bearer")
    assert "libssh2 cannot log in with certificates" in said


def test_refusals_of_the_server_have_a_reason(lab):
    server = lab.server(authorized=[f'permitopen="127.1.2.3:9" {lab.keys.public("user")}'])
    client = lab.client(server, "-D", "127.0.0.1:0")
    lab.destination("127.1.2.3", "127.1.2.4")
    assert socks5(client.address, "127.1.2.3", 9)[1] == 4, "not reached, for whatever reason"
    assert socks5(client.address, "127.1.2.4", 9)[1] == 2, "not allowed"
