"""The same hellos to nginx and to us: what comes back has the same shape, field for field."""
import socket
import ssl

import pytest

from support.dial import connect, read_exactly
from support.program import wait_until
from support.targets import free_port, loopback
from test_tls import Site

# nginx as the widespread "intermediate" recommendation sets it up.
NGINX = """
daemon off;
error_log stderr;
pid {folder}/nginx.pid;
events {{ worker_connections 64; }}
http {{
    access_log off;
    {temp}
    ssl_protocols TLSv1.2 TLSv1.3;
    ssl_ciphers ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305:DHE-RSA-AES128-GCM-SHA256:DHE-RSA-AES256-GCM-SHA384;
    ssl_prefer_server_ciphers off;
    server {{
        listen {entry} ssl;
        ssl_certificate {cert};
        ssl_certificate_key {key};
        return 404;
    }}
}}
"""
KINDS = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")


@pytest.fixture
def both(lab):
    """Addresses of our port and of nginx's, with one certificate."""
    site = Site(lab)
    address = loopback()
    entry = f"{address}:{free_port(address)}"
    lab.write("nginx.conf", NGINX.format(
        folder=lab.directory, entry=entry, cert=site.identity.cert_path, key=site.identity.key_path,
        temp=" ".join(f"{k}_temp_path {lab.path(k)};" for k in KINDS)))
    lab.start("nginx", ["/usr/sbin/nginx", "-c", lab.path("nginx.conf"), "-p", lab.directory])

    def serves():
        try:
            return connect(entry)
        except ConnectionRefusedError:
            return None
    wait_until(serves, "nginx listens").close()
    return site.server.address, entry


def context(alpn=(), ciphers=None, most=None, curve=None):
    c = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    c.check_hostname, c.verify_mode = False, ssl.CERT_NONE
    if alpn:
        c.set_alpn_protocols(list(alpn))
    if ciphers:
        c.set_ciphers(ciphers)
    if most:
        c.maximum_version = most
    if curve:
        c.set_ecdh_curve(curve)
    return c


V12 = ssl.TLSVersion.TLSv1_2
HELLOS = {
    "plain": {},
    "http/1.1": {"alpn": ["http/1.1"]},
    "h2 and http/1.1": {"alpn": ["h2", "http/1.1"]},
    "h2 only": {"alpn": ["h2"]},
    "http/1.0": {"alpn": ["http/1.0"]},
    "P-384": {"curve": "secp384r1"},
    "1.2": {"most": V12},
    "1.2 with http/1.1": {"most": V12, "alpn": ["http/1.1"]},
    "1.2 with h2 only": {"most": V12, "alpn": ["h2"]},
    "1.2, RSA only": {"most": V12, "ciphers": "ECDHE-RSA-AES128-GCM-SHA256"},
    "1.2, CBC only": {"most": V12, "ciphers": "ECDHE-ECDSA-AES128-SHA256"},
    "1.2, static RSA only": {"most": V12, "ciphers": "AES128-GCM-SHA256"},
    "1.2, AES-256": {"most": V12, "ciphers": "ECDHE-ECDSA-AES256-GCM-SHA384"},
    "1.2, ChaCha20": {"most": V12, "ciphers": "ECDHE-ECDSA-CHACHA20-POLY1305"},
    "1.2, odd order": {"most": V12, "ciphers": "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-ECDSA-AES128-GCM-SHA256"},
}
BROKEN = {  # a hello whose bytes are changed at the offset
    "record of version 3.9": (1, b"\x03\x09"),
    "hello of version 2": (9, b"\x02\x00"),
    "wrong type of message": (5, b"\x02"),
    "session id too long": (43, b"\xff"),
    "no ciphers": (76, b"\x00\x00"),
}


def hello(**options):
    outgoing = ssl.MemoryBIO()
    tls = context(**options).wrap_bio(ssl.MemoryBIO(), outgoing, server_hostname="tunnel.test")
    with pytest.raises(ssl.SSLWantReadError):
        tls.do_handshake()
    return outgoing.read()


def server_hello(body):
    """Version, length of the session id, cipher, compression, extensions in their order."""
    sid = body[34]
    rest = body[35 + sid:]
    extensions, shape = rest[5:], []
    while extensions:
        kind, length = extensions[:2].hex(), int.from_bytes(extensions[2:4], "big")
        shape.append((kind, length))
        extensions = extensions[4 + length:]
    return body[:2].hex(), sid, rest[:2].hex(), rest[2], shape


def messages(body):
    """The shapes of a record's plain handshake messages."""
    while body:
        kind, length = body[0], int.from_bytes(body[1:4], "big")
        message, body = body[4:4 + length], body[4 + length:]
        if kind == 2:
            yield "server hello", server_hello(message)
        elif kind == 12:  # key exchange: its curve and signature algorithm; signatures vary in length
            yield "key exchange", message[:3].hex(), message[4 + message[3]:][:2].hex()
        else:
            yield kind, length


def answer(address, data):
    """What a server says to these bytes, to the end of its flight or of the connection."""
    shape, sealed = [], 0
    with connect(address) as s:
        s.sendall(data)
        while True:
            try:
                head = read_exactly(s, 5) if (first := s.recv(1, socket.MSG_PEEK)) else b""
            except ConnectionResetError:
                head = b""
            if not head:
                return shape + ["end"]
            assert first
            kind, length = head[0], int.from_bytes(head[3:5], "big")
            body = read_exactly(s, length)
            if kind == 0x17:
                sealed += 1
                # the third holds the signature, whose length varies by a few bytes
                shape.append(("sealed", "signature" if sealed == 3 else length))
                if sealed == 4:
                    return shape
            elif kind == 0x16:
                shape += messages(body)
                if shape[-1] == (14, 0):  # hello done
                    return shape
            else:
                shape.append((kind, head[1:3].hex(), body.hex()))


@pytest.mark.parametrize("which", HELLOS)
def test_a_hello_is_answered_as_nginx_does(both, which):
    ours, nginx = (answer(address, hello(**HELLOS[which])) for address in both)
    assert ours == nginx
    assert len(ours) >= 2


@pytest.mark.parametrize("which", BROKEN)
def test_a_broken_hello_is_answered_as_nginx_does(both, which):
    at, change = BROKEN[which]
    data = hello()
    data = data[:at] + change + data[at + len(change):]
    ours, nginx = (answer(address, data) for address in both)
    assert ours == nginx
