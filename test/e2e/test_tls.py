"""SSH over TLS: who is trusted, who is not and what is said of it, other programs at either end."""
import os
import re
import subprocess

import pytest

from support import pki, proxies
from support.dial import check_echo, check_exchange, through
from support.program import path_of
from support.suite import both_engines


class Site:
    """A server that speaks TLS, and the authority that vouches for it."""

    def __init__(self, lab, *args, names=("tunnel.test", "127.0.0.1"), days=(-1, 30), **options):
        self.lab = lab
        self.ca = pki.authority(lab.directory)
        self.identity = pki.issue("server", names, self.ca, days).write(lab.directory, "tls")
        self.server = lab.server("--transport", "tls", "--tls-cert", self.identity.cert_path,
                                 "--tls-key", self.identity.key_path, *args, **options)

    def client(self, *args, **options):
        return self.lab.client(self.server, "--transport", "tls", *args, **options)

    def refusal(self, *args, **options):
        """The last sentence of a client that cannot connect."""
        argv = self.lab.client_argv(self.server, "--transport", "tls", *args)
        code, said = self.lab.run("alknet-client", argv, **options)
        assert code == 1, said
        lines = re.findall(r"^alknet-client: (no TLS connection with .*)$", said, re.M)
        assert len(lines) == 1, said
        return lines[0]


@pytest.fixture
def site(lab):
    return Site(lab)


TRUSTED = {
    "authority": lambda s: ("--tls-ca", s.ca.cert_path),
    "certificate named as its own authority": lambda s: ("--tls-ca", s.identity.cert_path),
    "name": lambda s: ("--tls-ca", s.ca.cert_path, "--tls-server-name", "tunnel.test"),
    "pin": lambda s: ("--tls-pin", s.identity.pin),
    "one pin of two": lambda s: ("--tls-pin", f"{s.ca.pin};{s.identity.pin}"),
    "pin and authority": lambda s: ("--tls-pin", s.identity.pin, "--tls-ca", s.ca.cert_path),
    "pin though insecure": lambda s: ("--tls-pin", s.identity.pin, "--insecure"),
}


@pytest.mark.parametrize("how", TRUSTED)
def test_login_through_tls(lab, site, how):
    echo = lab.echo()
    client = site.client("-D", "127.0.0.1:0", *TRUSTED[how](site))
    check_echo(lab.keep(through(client.address, echo)))
    assert "transport=tls" in site.server.log()
    assert ("--insecure: nobody vouches" in client.log()) == ("insecure" in how)
    site.server.wait_for('msg="tls established" .* parameters="TLSv1.3 ')


def test_system_certificates_vouch(lab, site):
    """SSL_CERT_FILE names them for any program of the library."""
    client = site.client(env={"SSL_CERT_FILE": site.ca.cert_path, "SSL_CERT_DIR": lab.directory})
    assert "connected to" in client.log()


def test_insecure_warns_and_connects(lab):
    site = Site(lab, names=("other.test",), days=(-30, -2))
    client = site.client("--insecure")
    assert "--insecure: nobody vouches for the TLS server" in client.log()


def test_wrong_name_is_refused(site):
    said = site.refusal("--tls-ca", site.ca.cert_path, "--tls-server-name", "other.test")
    assert "is for tunnel.test, 127.0.0.1, not for other.test" in said
    assert "--tls-server-name" in said


def test_address_that_is_not_named_is_refused(lab):
    site = Site(lab, names=("tunnel.test",))
    said = site.refusal("--tls-ca", site.ca.cert_path)
    assert "is for tunnel.test, not for 127.0.0.1" in said


def test_expired_is_refused(lab):
    site = Site(lab, days=(-30, -2))
    said = site.refusal("--tls-ca", site.ca.cert_path)
    assert re.search(r"certificate expired on \d{4}-\d\d-\d\d", said)
    site.server.wait_for('msg="tls certificate" note=".* expired on ')


def test_not_yet_valid_is_refused(lab):
    site = Site(lab, days=(2, 30))
    assert "valid only from" in site.refusal("--tls-ca", site.ca.cert_path)


def test_stranger_is_refused_and_its_pin_told(lab, site):
    said = site.refusal()
    assert "an authority that is not trusted here" in said and site.identity.pin in said
    other = pki.authority(lab.directory, "other")
    assert "an authority that is not trusted here" in site.refusal("--tls-ca", other.cert_path)


def test_self_signed_is_refused_by_that_name(lab):
    site = Site(lab)
    alone = pki.issue("alone", ("127.0.0.1",)).write(lab.directory, "alone")
    server = lab.server("--transport", "tls", "--tls-cert", alone.cert_path, "--tls-key", alone.key_path)
    site.server = server
    said = site.refusal("--tls-ca", site.ca.cert_path)
    assert "self-signed" in said and alone.pin in said and "--tls-ca" in said
    site.client("--tls-ca", alone.cert_path)


def test_wrong_pin_is_refused(site):
    for more in ((), ("--insecure",), ("--tls-ca", site.ca.cert_path)):
        said = site.refusal("--tls-pin", site.ca.pin, *more)
        assert f"its TLS key is {site.identity.pin}, not the pinned one" in said


def test_right_pin_does_not_replace_a_named_authority(lab, site):
    other = pki.authority(lab.directory, "other")
    said = site.refusal("--tls-pin", site.identity.pin, "--tls-ca", other.cert_path)
    assert "an authority that is not trusted here" in said


def test_server_without_tls_is_told_of(lab, site):
    plain = lab.server()
    site.server = plain
    assert "is it a TLS server?" in site.refusal("--insecure")


@pytest.mark.parametrize("args, wants", [
    (("--tls-pin", "sha256//short"), "a pin is sha256//"),
    (("--tls-ca", "/nowhere.pem"), "/nowhere.pem does not exist"),
    (("--tls-ca", "/etc/hostname"), "holds no certificate"),
])
def test_bad_options_are_told_before_connecting(lab, site, args, wants):
    code, said = lab.run("alknet-client",
                         lab.client_argv(site.server, "--transport", "tls", *args))
    assert code != 0 and wants in said


def test_tls_options_want_tls(lab, site):
    code, said = lab.run("alknet-client", lab.client_argv(site.server, "--insecure"))
    assert code == 2 and "--transport tls" in said


@both_engines
def test_bulk_both_ways(lab, site):
    exchange = lab.exchange(64 << 20)
    client = site.client("-D", "127.0.0.1:0", "--tls-ca", site.ca.cert_path)
    check_exchange(lab.keep(through(client.address, exchange)), exchange)


def s_client(site, *args):
    return ["openssl", "s_client", "-quiet", "-CAfile", site.ca.cert_path, "-verify_return_error",
            "-connect", site.server.address, *args]


@pytest.mark.parametrize("version", ["-tls1_3", "-tls1_2"])
def test_openssh_through_s_client(lab, site, version):
    echo, proxy = lab.echo(), lab.entry()
    command = " ".join(s_client(site, version))
    lab.ssh(site.server, "-o", f"ProxyCommand={command}", "-D", proxy)
    check_echo(lab.keep(through(proxy, echo)))


def test_tls_runs_through_a_proxy(lab, site):
    echo = lab.echo()
    proxy = proxies.microsocks(lab).url()
    client = site.client("-D", "127.0.0.1:0", "--tls-ca", site.ca.cert_path, "--proxy", proxy)
    check_echo(lab.keep(through(client.address, echo)))
    site.server.wait_for('msg="tls established"')


def test_policy_knows_the_transport(lab):
    site = Site(lab, "--config", lab.write("alknet.conf", "[forwarding]\ndefault = deny\n"
                                           "rule = allow 127.0.0.0/8:* transports=tls\n"))
    echo = lab.echo()
    client = site.client("-D", "127.0.0.1:0", "--tls-ca", site.ca.cert_path)
    check_echo(lab.keep(through(client.address, echo)))


def test_check_judges_the_pair(lab, site):
    def check(cert, key):
        argv = [path_of("alknet-server"), "--check", "--key", lab.keys.make("host"),
                "--authorized-keys", lab.path("authorized_keys"), "--transport", "tls",
                "--tls-cert", cert, "--tls-key", key]
        return lab.run("alknet-server", argv)
    mine = site.identity
    assert check(mine.cert_path, mine.key_path)[0] == 0
    code, said = check(mine.cert_path, site.ca.key_path)
    assert code == 1 and "is not that of the certificate" in said
    code, said = check(lab.path("authorized_keys"), mine.key_path)
    assert code != 0 and "holds no certificate" in said
    old = pki.issue("old", (), site.ca, (-30, -2)).write(lab.directory, "old")
    code, said = check(old.cert_path, old.key_path)
    assert code == 1 and "expired on" in said
    os.chmod(mine.key_path, 0o644)
    code, said = check(mine.cert_path, mine.key_path)
    assert code == 1 and "chmod o-r" in said
    with open(lab.path("locked"), "wb") as f:
        f.write(mine.key_pem(b"secret"))
    os.chmod(lab.path("locked"), 0o600)
    code, said = check(mine.cert_path, lab.path("locked"))
    assert code != 0 and "is encrypted" in said


def test_listener_without_certificate_is_an_error(lab):
    config = lab.write("alknet.conf", f"[server]\nhost_key = {lab.keys.make('host')}\n[auth]\n"
                       f"authorized_keys = {lab.write('ak', '')}\n[listener a]\n"
                       "listen = 127.0.0.1:0\ntransport = tls\n")
    for more in ((), ("--check",)):
        code, said = lab.run("alknet-server", [path_of("alknet-server"), "--config", config, *more])
        assert code == 1 and "a TLS listener needs a certificate" in said


def presented(server):
    """The PEM of the certificate that the server shows."""
    done = subprocess.run(["openssl", "s_client", "-connect", server.address], input=b"",
                          capture_output=True, timeout=30)
    return re.search(rb"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----\n", done.stdout,
                     re.S)[0]


def test_reload_changes_the_certificate_under_live_sessions(lab, site):
    echo = lab.echo()
    client = site.client("-D", "127.0.0.1:0", "--tls-ca", site.ca.cert_path)
    live = lab.keep(through(client.address, echo))
    check_echo(live)
    assert presented(site.server) == site.identity.chain_pem()
    new = pki.issue("new", ("127.0.0.1",), site.ca).write(lab.directory, "tls")
    site.server.signal(1)
    site.server.wait_for("msg=reloaded")
    assert presented(site.server) == new.chain_pem()
    check_echo(live)
    # a broken one changes nothing
    with open(site.identity.cert_path, "w") as f:
        f.write("no certificate\n")
    site.server.signal(1)
    site.server.wait_for("reload failed.*holds no certificate")
    assert presented(site.server) == new.chain_pem()
    site.ca.write(lab.directory, "tls")
    pki.issue("another", (), site.ca).write(lab.directory, "pair")
    os.rename(lab.path("pair.key"), lab.path("tls.key"))
    site.server.signal(1)
    site.server.wait_for("reload failed.*is not that of the certificate")
    assert presented(site.server) == new.chain_pem()
    check_echo(live)
