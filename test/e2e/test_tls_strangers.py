"""The TLS port under other programs, scanners, and peers that mean no good."""
import os
import re
import socket
import ssl
import subprocess

import pytest

from support.dial import check_echo, connect, through
from support.program import wait_until
from test_tls import Site


@pytest.fixture
def site(lab):
    return Site(lab)


def run(argv, stdin=b"", seconds=60):
    done = subprocess.run(argv, input=stdin, capture_output=True, timeout=seconds)
    return done.returncode, (done.stdout + done.stderr).decode("utf-8", "replace")


# ---- programs ----

@pytest.mark.parametrize("option, wants", [
    ("-tls1_3", "Protocol version: TLSv1.3|Protocol  : TLSv1.3|New, TLSv1.3"),
    ("-tls1_2", "New, TLSv1.2"),
    ("-tls1_1", None),
    ("-tls1", None),
])
def test_versions(site, option, wants):
    code, said = run(["openssl", "s_client", "-connect", site.server.address, option,
                      "-cipher", "ALL:@SECLEVEL=0"])
    assert (re.search(wants, said) is not None) if wants else "Cipher is (NONE)" in said, said
    if option == "-tls1_2":
        assert "Compression: NONE" in said, said


@pytest.mark.parametrize("cipher", ["ECDHE-ECDSA-AES128-SHA256", "ECDHE-ECDSA-AES256-SHA", "AES128-GCM-SHA256"])
def test_old_ciphers_are_not_offered(site, cipher):
    code, said = run(["openssl", "s_client", "-connect", site.server.address, "-tls1_2", "-cipher",
                      f"{cipher}:@SECLEVEL=0"])
    assert "Cipher is (NONE)" in said, said


def test_a_client_cannot_renegotiate(site):
    s_client = subprocess.Popen(["openssl", "s_client", "-connect", site.server.address, "-tls1_2"],
                                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    said = b""
    while b"SSH-2.0-" not in said:  # the handshake is over
        said += os.read(s_client.stdout.fileno(), 65536)
    s_client.stdin.write(b"R\n")
    s_client.stdin.flush()
    said += s_client.stdout.read()
    assert s_client.wait(30) != 0
    assert b"no renegotiation" in said, said


@pytest.mark.parametrize("protocols, chosen", [
    (["http/1.1"], "http/1.1"), (["h2", "http/1.1"], "http/1.1"), ([], None), (["h2"], ssl.SSLError),
])
def test_alpn(site, protocols, chosen):
    context = ssl.create_default_context(cafile=site.ca.cert_path)
    if protocols:
        context.set_alpn_protocols(protocols)
    with connect(site.server.address) as s:
        if chosen is ssl.SSLError:
            with pytest.raises(ssl.SSLError, match="(?i)no.application.protocol"):
                context.wrap_socket(s, server_hostname="tunnel.test")
        else:
            with context.wrap_socket(s, server_hostname="tunnel.test") as tls:
                assert tls.selected_alpn_protocol() == chosen


@pytest.mark.parametrize("option", ["--http1.1", "--http2", "--no-alpn"])
def test_curl_shakes_hands(site, option):
    """What it says then is no SSH; it hears so."""
    code, said = run(["curl", "-sv", option, "--cacert", site.ca.cert_path, "--max-time", "20",
                      f"https://{site.server.address}/"])
    assert "SSL connection using TLSv1.3" in said, said
    assert "SSL certificate verify ok" in said, said


def test_gnutls_cli_shakes_hands_and_resumes(site):
    code, said = run(["gnutls-cli", "--resume", "--x509cafile", site.ca.cert_path, "-p",
                      str(site.server.port), site.server.host])
    assert "The certificate is trusted" in said, said
    assert "This is a resumed session" in said, said


def test_sslscan_finds_a_modern_server(site):
    code, said = run(["sslscan", "--no-colour", site.server.address], seconds=100)
    for old in ("SSLv2", "SSLv3", "TLSv1.0", "TLSv1.1"):
        assert re.search(rf"^{re.escape(old)}\s+disabled", said, re.M), said
    for new in ("TLSv1.2", "TLSv1.3"):
        assert re.search(rf"^{re.escape(new)}\s+enabled", said, re.M), said
    assert re.search("[Ss]ession renegotiation not supported", said), said
    ciphers = re.findall(r"^(?:Accepted|Preferred)\s+TLSv1\.[23]\s+\d+ bits\s+(\S+)", said, re.M)
    assert ciphers and all("GCM" in c or "CHACHA20" in c for c in ciphers), said
    assert all(c.startswith(("TLS_", "ECDHE-")) for c in ciphers), said


# ---- pieces ----

def tls_client(site):
    """(connection, memory BIOs, SSL object): records are made here and sent by the test."""
    context = ssl.create_default_context(cafile=site.ca.cert_path)
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    return connect(site.server.address), incoming, outgoing, context.wrap_bio(
        incoming, outgoing, server_hostname="tunnel.test")


def shake_hands(s, incoming, outgoing, tls, send):
    while True:
        try:
            tls.do_handshake()
            send(s, outgoing.read())
            return
        except ssl.SSLWantReadError:
            send(s, outgoing.read())
            incoming.write(s.recv(65536))


def read_line(s, incoming, tls):
    line = b""
    while not line.endswith(b"\n"):
        try:
            line += tls.read(1)
        except ssl.SSLWantReadError:
            data = s.recv(65536)
            assert data, "the server closed"
            incoming.write(data)
    return line


def byte_by_byte(s, data):
    s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    for i in range(len(data)):
        s.sendall(data[i:i + 1])


def in_fragments(s, data):
    """The handshake's messages spread over many records of a few bytes."""
    while data:
        kind, version, length = data[:1], data[1:3], int.from_bytes(data[3:5], "big")
        body, data = data[5:5 + length], data[5 + length:]
        if kind != b"\x16":
            s.sendall(kind + version + length.to_bytes(2, "big") + body)
            continue
        for i in range(0, len(body), 7):
            piece = body[i:i + 7]
            s.sendall(kind + version + len(piece).to_bytes(2, "big") + piece)


@pytest.mark.parametrize("send", [byte_by_byte, in_fragments])
def test_handshake_in_pieces(lab, site, send):
    s, incoming, outgoing, tls = tls_client(site)
    lab.keep(s)
    shake_hands(s, incoming, outgoing, tls, send)
    assert read_line(s, incoming, tls).startswith(b"SSH-2.0-")


@pytest.mark.parametrize("one_record_each", [True, False])
def test_identification_byte_by_byte_reaches_ssh(lab, site, one_record_each):
    s, incoming, outgoing, tls = tls_client(site)
    lab.keep(s)
    shake_hands(s, incoming, outgoing, tls, lambda s, data: s.sendall(data))
    text = b"SSH-2.0-pieces\r\n"
    for i in range(len(text)):
        if one_record_each:
            tls.write(text[i:i + 1])
            s.sendall(outgoing.read())
    if not one_record_each:  # one record, its bytes one by one
        tls.write(text)
        byte_by_byte(s, outgoing.read())
    assert read_line(s, incoming, tls).startswith(b"SSH-2.0-")
    while b"curve25519" not in (data := tls_read(s, incoming, tls)):  # its KEXINIT
        assert data


def tls_read(s, incoming, tls):
    while True:
        try:
            return tls.read(65536)
        except ssl.SSLWantReadError:
            incoming.write(s.recv(65536))


# ---- no good ----

def hello(site):
    _, _, outgoing, tls = tls_client(site)
    with pytest.raises(ssl.SSLWantReadError):
        tls.do_handshake()
    return outgoing.read()


GARBAGE = {
    "zeros": b"\0" * 600,
    "http": b"GET / HTTP/1.1\r\nHost: a\r\n\r\n",
    "ssh": b"SSH-2.0-plain\r\n",
    "long record": b"\x16\x03\x01\xff\xff" + b"a" * 70000,
    "long message": b"\x16\x03\x01\x40\x00\x01\xff\xff\xff" + b"a" * 16380,
    "alert": b"\x15\x03\x01\x00\x02\x02\x28",
    "application data": b"\x17\x03\x03\x00\x20" + b"a" * 32,
    "version 2": b"\x80\x2e\x01\x00\x02\x00\x15\x00\x00\x00\x10" + b"a" * 37,
}


@pytest.mark.parametrize("what", GARBAGE)
def test_garbage_ends_that_connection_only(lab, site, what):
    s = lab.keep(connect(site.server.address))
    s.sendall(GARBAGE[what])
    try:
        while s.recv(65536):  # at most an alert
            pass
    except ConnectionResetError:
        pass
    site.server.wait_for('msg="connection closed".*reason="TLS handshake: ')
    site.client("--tls-ca", site.ca.cert_path)


@pytest.mark.slow
def test_a_handshake_that_does_not_end_is_ended(lab, site):
    """After ten seconds, by the server, whatever little comes."""
    silent, half = (lab.keep(connect(site.server.address)) for _ in range(2))
    half.sendall(hello(site)[:100])
    site.server.wait_for('reason="TLS handshake: the peer did not finish', count=2, seconds=30)
    assert silent.recv(1) == b"" and half.recv(1) == b""


def test_a_thousand_handshakes_hold_up_nobody(lab):
    """They stand at every stage, from many addresses, as many as the limits let in."""
    site = Site(lab, "--max-unauthenticated", "2000")
    first = hello(site)
    before = site.server.memory()
    for i in range(1000):
        s = socket.socket()
        s.bind((f"127.9.{i // 200}.{i % 200 + 1}", 0))
        s.connect((site.server.host, site.server.port))
        s.sendall((b"", first[:5], first[:-1], first, first[:50] + b"\0" * 50)[i % 5])
        lab.keep(s)
    site.server.wait_for('msg="connection opened"', count=1000)
    echo = lab.echo()
    client = site.client("-D", "127.0.0.1:0", "--tls-ca", site.ca.cert_path)
    check_echo(lab.keep(through(client.address, echo)))
    assert site.server.memory() - before < 200 << 20


def test_handshakes_count_as_not_logged_in(lab):
    site = Site(lab, "--max-unauthenticated-per-ip", "4")
    held = [lab.keep(connect(site.server.address)) for _ in range(4)]
    assert lab.keep(connect(site.server.address)).recv(1) == b""
    site.server.wait_for("reason=max-unauthenticated-per-ip")
    held[0].close()
    wait_until(lambda: len(re.findall('msg="connection closed"', site.server.log())), "one is gone")
    site.client("--tls-ca", site.ca.cert_path)


def test_a_peer_that_vanishes_is_noticed(lab, site):
    """No farewell: the session ends all the same, and the client comes back by itself."""
    relay = lab.relay(site.server)
    client = lab.client(relay, "--transport", "tls", "--tls-pin", site.identity.pin)
    relay.cut(list(relay.sockets))
    client.wait_for("msg=offline")
    client.wait_for("msg=online", count=2)
