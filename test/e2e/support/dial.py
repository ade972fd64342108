"""Programs in front of the tunnel: plain connections and the proxy dialogues."""
import socket
import struct

from .program import PATIENCE, Failure, wait_until
from .targets import exchange, payload

SUCCEEDED, DENIED, UNREACHABLE, REFUSED, TIMED_OUT, UNSUPPORTED = 0, 2, 4, 5, 6, 7


def connect(where, seconds=30):
    """where: "ADDR:PORT", "[v6]:PORT", (addr, port), a path, or unix:PATH."""
    if isinstance(where, str) and where.startswith("unix:"):
        where = where[5:]
    if isinstance(where, str) and where.startswith("/"):
        s = socket.socket(socket.AF_UNIX)
        s.settimeout(seconds * PATIENCE)

        def joined():
            try:
                s.connect(where)
            except BlockingIOError:  # as many wait already as the listener's queue holds
                return False
            return True
        wait_until(joined, f"{where} accepts", seconds)
        return s
    if isinstance(where, str):
        host, port = where.rsplit(":", 1)
        where = (host.strip("[]"), int(port))
    return socket.create_connection(where, seconds * PATIENCE)


def read_exactly(s, size):
    data = b""
    while len(data) < size:
        piece = s.recv(size - len(data))
        if not piece:
            raise Failure(f"expected {size} bytes, got {data!r} and the end")
        data += piece
    return data


def _address(host, force_name):
    if not force_name:
        for family, kind in ((socket.AF_INET, 1), (socket.AF_INET6, 4)):
            try:
                return bytes([kind]) + socket.inet_pton(family, host)
            except OSError:
                pass
    return bytes([3, len(host)]) + host.encode()


def socks5(proxy, host, port, login=None, command=1, force_name=False, seconds=30):
    """(connection, reply code) of a SOCKS5 request, RFC 1928."""
    s = connect(proxy, seconds)
    s.sendall(b"\x05\x01" + (b"\x02" if login else b"\x00"))
    version, method = read_exactly(s, 2)
    if method == 0xff:
        return s, 0xff
    if login:
        user, password = (x.encode() for x in login)
        s.sendall(bytes([1, len(user)]) + user + bytes([len(password)]) + password)
        if read_exactly(s, 2)[1] != 0:
            return s, -1
    s.sendall(bytes([5, command, 0]) + _address(host, force_name) + struct.pack(">H", port))
    reply = read_exactly(s, 4)
    read_exactly(s, {1: 4, 4: 16}[reply[3]] + 2)
    return s, reply[1]


def socks4a(proxy, host, port):
    """(connection, reply code); 90 is granted."""
    s = connect(proxy)
    s.sendall(struct.pack(">BBH4s", 4, 1, port, b"\0\0\0\x07") + b"me\0" + host.encode() + b"\0")
    return s, read_exactly(s, 8)[1]


def through(proxy, target, **options):
    """A connection to a Target through a SOCKS5 proxy."""
    s, code = socks5(proxy, target.address, target.port, **options)
    assert code == SUCCEEDED, f"expected SOCKS reply 0, got {code}"
    return s


def check_echo(s, text=b"are you there?"):
    s.sendall(text)
    got = read_exactly(s, len(text))
    assert got == text, f"expected {text!r} back, got {got!r}"


def check_exchange(s, target, end_last=False):
    """Moves target.size bytes each way at once and compares the hashes at both ends."""
    _, expected = payload(target.size)
    digest, length = exchange(s, target.size, end_last)
    s.close()
    assert (length, digest) == (target.size, expected), "what came out of the tunnel differs"
    wait_until(lambda: target.results, "the target has read to the end")
    assert target.results[-1] == (expected, target.size), "what went into the tunnel differs"
