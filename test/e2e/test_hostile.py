"""Hostile bytes over real sockets, in both roles: nothing crashes, nobody else is disturbed."""
import os
import random
import re
import socket
import subprocess
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import paramiko
import pytest

from support.dial import check_echo, connect
from support.program import PATIENCE, SANITISED, Failure, wait_until
from support.targets import Target, free_port, loopback, push_for_ever, read_all

MIB = 1 << 20
SEED = int(os.environ["ALK_SEED"])
THIN = 8 if SANITISED else 1  # slow binaries get every eighth case


class Healthy:
    """A session that echoes all the time while others attack."""

    def __init__(self, lab, server):
        self.client = lab.client(server, "-L", f"{lab.path('healthy')}:{lab.echo().spec}")
        self.stream = lab.keep(connect(lab.path("healthy")))
        self.count, self.slowest, self.error = 0, 0, None
        self.done = threading.Event()
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self):
        try:
            while not self.done.wait(0.01):
                start = time.monotonic()
                check_echo(self.stream, b"still well? %d" % self.count)
                self.slowest = max(self.slowest, time.monotonic() - start)
                self.count += 1
        except (OSError, AssertionError) as e:
            self.error = e

    def check(self):
        wait_until(lambda: self.count > 3 or self.error, "the healthy session echoes")
        self.done.set()
        self.thread.join()
        assert self.error is None, f"the healthy session was disturbed: {self.error!r}"
        assert self.slowest < 3 * PATIENCE, f"an echo took {self.slowest:.1f} s"
        assert self.client.log().count("msg=online") == 1, "the healthy session was lost"


@pytest.fixture
def server(lab):
    return lab.server()


@pytest.fixture
def healthy(lab, server):
    healthy = Healthy(lab, server)
    yield healthy
    healthy.done.set()


@pytest.fixture
def recorded(lab, server):
    """What a client and the server said to each other: {"up": bytes, "down": bytes}."""
    relay = lab.relay(server)
    client = lab.client(relay, "-L", f"{lab.path('recorded')}:{lab.echo().spec}")
    with connect(lab.path("recorded")) as s:
        check_echo(s)
    client.stop()
    return {k: bytes(v) for k, v in relay.recorded.items()}


def clear_part(data):
    """The length of what is sent before encryption: up to the end of NEWKEYS."""
    at = data.index(b"\n") + 1
    while True:
        start, at = at, at + 4 + int.from_bytes(data[at:at + 4], "big")
        if data[start + 5] == 21:
            return at


def attack(server, data, source=None, finish=True):
    """Sends data from an address of its own; the server must end the connection."""
    s = socket.socket()
    s.settimeout(20 * PATIENCE)
    s.bind((source or loopback(), 0))
    try:
        s.connect((server.host, server.port))
        s.sendall(data)
        if finish:
            s.shutdown(socket.SHUT_WR)
        return read_all(s)
    except TimeoutError:
        raise Failure(f"the server did not end a connection after {data[:100]!r}... "
                      f"({len(data)} bytes)") from None
    except OSError:  # it was closed while we sent
        return b""
    finally:
        s.close()


def attack_all(server, cases):
    with ThreadPoolExecutor(8) as pool:
        for _ in pool.map(lambda data: attack(server, data), cases):
            pass


def mutations(data, count, generator):
    for _ in range(count):
        at = generator.randrange(len(data))
        yield data[:at] + bytes([data[at] ^ generator.randrange(1, 256)]) + data[at + 1:]


def check_unharmed(server, before):
    assert server.running()
    if not SANITISED:
        growth = (server.memory() - before) / MIB
        assert growth < 16, f"the server grew by {growth:.1f} MiB"


def test_server_random_bytes(server, healthy):
    generator = random.Random(SEED)
    before = server.memory()
    cases = [generator.randbytes(generator.choice((1, 10, 300, 5000, 100000)))
             for _ in range(400 // THIN)]
    cases += [b"SSH-2.0-x\r\n" + c for c in cases]
    attack_all(server, cases)
    healthy.check()
    check_unharmed(server, before)


def test_server_every_truncation_of_a_session(server, healthy, recorded):
    before = server.memory()
    up = recorded["up"]
    attack_all(server, (up[:n] for n in range(0, len(up), THIN)))
    healthy.check()
    check_unharmed(server, before)


def test_server_single_byte_mutations_of_a_session(server, healthy, recorded):
    generator = random.Random(SEED)
    before = server.memory()
    up = recorded["up"][:clear_part(recorded["up"]) + 200]
    attack_all(server, mutations(up, 3000 // THIN, generator))
    healthy.check()
    check_unharmed(server, before)


IDENT = b"SSH-2.0-hostile\r\n"


@pytest.mark.parametrize("data", [
    b"SSH-2.0-" + b"x" * 300 + b"\r\n", b"x" * 100000, b"SSH-1.5-old\r\n",
    b"GET / HTTP/1.1\r\nHost: a\r\n\r\n",
    IDENT + b"\xff\xff\xff\xff" + b"x" * 100, IDENT + b"\x7f\xff\xff\xff" + b"x" * 100,
    IDENT + b"\x00\x04\x00\x01" + b"x" * 100, IDENT + b"\x00\x00\x88\xb9" + b"x" * 100,
    IDENT + bytes(100), IDENT + b"\x00\x00\x00\x0c\xff" + bytes(11),
    IDENT + b"\x00\x00\x00\x0c\x0b\x14" + bytes(10), IDENT + b"\x00\x00\x00\x0c\x0a\x5a" + bytes(10),
], ids=["long-identification", "no-identification", "ssh-1", "http", "length-4G", "length-2G",
        "length-256K", "length-35001", "length-0", "padding-beyond", "empty-kexinit",
        "channel-open-first"])
def test_server_ends_what_breaks_the_protocol_at_once(server, data):
    """The peer keeps its side open: it is the server that ends it."""
    attack(server, data, finish=False)
    server.wait_for('msg="connection closed"')
    assert server.running()


def silent(server, source):
    s = socket.socket()
    s.settimeout(60 * PATIENCE)
    s.bind((source, 0))
    s.connect((server.host, server.port))
    return s


def closed(s):
    """True when the server has closed a connection on which nothing was sent."""
    s.setblocking(False)
    try:
        while True:
            if not s.recv(4096):
                return True
    except BlockingIOError:
        return False
    except OSError:
        return True


def test_server_1000_half_open_connections_from_one_address(lab, server, healthy):
    source = loopback()
    before = server.memory()
    strangers = [lab.keep(silent(server, source)) for _ in range(1000)]
    wait_until(lambda: sum(closed(s) for s in strangers) == 984,
               "all but 16 of 1,000 connections are closed")
    server.wait_for("reason=max-unauthenticated-per-ip")
    lab.client(server)  # others get in as ever
    healthy.check()
    check_unharmed(server, before)


def test_server_1000_half_open_connections_from_1000_addresses(lab, server, healthy):
    strangers = [lab.keep(silent(server, f"127.200.{i // 250}.{1 + i % 250}"))
                 for i in range(1000)]
    wait_until(lambda: sum(closed(s) for s in strangers) == 872,
               "all but 128 of 1,000 connections are closed")
    healthy.check()
    for s in strangers:
        s.close()
    server.wait_for('msg="connection closed"', count=128)
    lab.client(server)


def test_server_clients_that_never_read(lab, server, healthy):
    source = lab.serve(push_for_ever)
    relays = [lab.relay(server) for _ in range(3)]
    for relay in relays:
        client = lab.client(relay, "-L", f"{lab.entry()}:{source.spec}")
        for _ in range(2):
            assert lab.keep(connect(client.address)).recv(1000)
        relay.stall()
    before = server.memory()
    count = healthy.count
    wait_until(lambda: healthy.count > count + 100 or healthy.error, "100 echoes")
    healthy.check()
    check_unharmed(server, before)


@pytest.mark.slow
def test_strangers_that_say_nothing_are_dropped_in_time(lab, server):
    """30 s for a login, on both sides."""
    quiet = lab.serve(lambda c: c.recv(1 << 20) and read_all(c), "127.0.0.1")
    lab.destinations.clear()  # here the target is the server of a client
    stand_in = lab.relay(server)
    stand_in.address = f"127.0.0.1:{quiet.port}"
    client = lab.start("alknet-client", lab.client_argv(stand_in))
    s = lab.keep(silent(server, loopback()))
    start = time.monotonic()
    s.sendall(b"SSH-2.0-quiet\r\n")
    read_all(s)
    took = time.monotonic() - start
    assert 25 < took < 40, f"expected the server to wait 30 s, it took {took:.1f}"
    assert client.wait() == 1
    assert "alknet-client: " in client.log()


@pytest.mark.slow
@pytest.mark.parametrize("direction", ["up", "down"])
def test_damage_within_a_live_session(lab, server, healthy, recorded, direction):
    """One byte of a real session is changed on the wire, past the key exchange as well."""
    generator = random.Random(SEED)
    echo = lab.echo()
    at, change = 0, 0

    def damage(way, offset, data):
        i = at - offset
        if way != direction or not 0 <= i < len(data):
            return data
        # a damaged length can leave both ends waiting for more, so the wire is cut in the end
        threading.Timer(2 * PATIENCE, relay.cut, [list(relay.sockets)]).start()
        return data[:i] + bytes([data[i] ^ change]) + data[i + 1:]
    relay = lab.relay(server, damage)
    argv = lab.client_argv(relay, "-W", echo.spec)
    outcomes = set()
    for _ in range(100 // THIN):
        at = generator.randrange(len(recorded[direction]))
        change = generator.randrange(1, 256)
        done = subprocess.run(argv, input=b"hello", capture_output=True, timeout=60 * PATIENCE)
        said = done.stderr.decode()
        outcomes.add(done.returncode)
        assert done.returncode in (0, 1) and "Sanitizer" not in said, f"byte {at}: {said}"
        assert done.stdout in (b"", b"hello"), f"damaged data came through: {done.stdout!r}"
    assert 1 in outcomes, "damage must be noticed"
    healthy.check()


# ---- a hostile server ----

class FalseServer(Target):
    """Sends to each client what it is told, then ends its side."""

    def __init__(self):
        self.cases, self.lock = [], threading.Lock()
        super().__init__("127.0.0.1")

    def serve(self, connection):
        with self.lock:
            data = self.cases.pop()
        connection.sendall(data)
        connection.shutdown(socket.SHUT_WR)
        connection.settimeout(20 * PATIENCE)
        read_all(connection)


def meet(lab, genuine, cases):
    """Lets a client meet a false server once per case; each must end with one sentence."""
    false = FalseServer()
    lab.targets.append(false)
    false.cases = list(cases)
    count = len(false.cases)
    stand_in = lab.relay(genuine)
    stand_in.address = f"127.0.0.1:{false.port}"
    argv = lab.client_argv(stand_in, "--host-key-fingerprint", genuine.fingerprint)

    def one(_):
        done = subprocess.run(argv, capture_output=True, timeout=60 * PATIENCE,
                              stdin=subprocess.DEVNULL)
        said = done.stderr.decode("utf-8", "backslashreplace")
        assert done.returncode == 1, f"expected exit status 1, got {done.returncode}: {said}"
        assert re.fullmatch(r"alknet-client: [^\n]+\n", said), f"expected one sentence: {said!r}"
        assert said[:-1].isprintable(), f"control characters: {said!r}"
    with ThreadPoolExecutor(4) as pool:
        for _ in pool.map(one, range(count)):
            pass


def test_client_random_bytes(lab, server):
    generator = random.Random(SEED)
    cases = [generator.randbytes(generator.choice((1, 10, 300, 5000, 40000)))
             for _ in range(100 // THIN)]
    meet(lab, server, cases + [b"SSH-2.0-x\r\n" + c for c in cases])


def test_client_oversized(lab, server):
    meet(lab, server, [
        b"x" * 1000000, b"line\r\n" * 100000, b"SSH-2.0-" + b"x" * 300 + b"\r\n", b"SSH-1.99-x\r\n",
        b"\x1b[2J\x07\r\n" * 3 + b"SSH-2.0-\x1b[31m\r\n", IDENT + b"\xff\xff\xff\xff" + b"x" * 100,
        IDENT + b"\x00\x04\x00\x01" + b"x" * 100, IDENT + bytes(100),
        IDENT + b"\x00\x00\x00\x2c\x04\x01" + b"\x00\x00\x00\x02\x00\x00\x00\x18\x1b[2Jgo away\r\nnow!!"
        + bytes(30)])


def test_client_every_truncation_of_a_session(lab, server, recorded):
    down = recorded["down"][:clear_part(recorded["down"]) + 100]
    meet(lab, server, [down[:n] for n in range(0, len(down), THIN)])


@pytest.mark.slow
def test_client_single_byte_mutations_of_a_session(lab, server, recorded):
    generator = random.Random(SEED)
    down = recorded["down"][:clear_part(recorded["down"]) + 100]
    meet(lab, server, mutations(down, 1500 // THIN, generator))


class Pushy(paramiko.ServerInterface):
    """A server that lets everybody in and grants every listener."""

    def get_allowed_auths(self, username):
        return "publickey"

    def check_auth_publickey(self, username, key):
        return paramiko.AUTH_SUCCESSFUL

    def check_port_forward_request(self, address, port):
        return port


def test_client_refuses_channels_of_no_listener_of_its_own(lab):
    """RFC 4254 section 7.2."""
    asked, answers, done = free_port("127.0.0.1"), {}, threading.Event()

    def serve(connection):
        transport = paramiko.Transport(connection)
        transport.add_server_key(paramiko.Ed25519Key(filename=lab.keys.make("host")))
        transport.start_server(server=Pushy())
        granted.wait(20 * PATIENCE)
        for port in (asked, asked + 1):
            try:
                channel = transport.open_forwarded_tcpip_channel(("10.0.0.1", 1), ("127.0.0.1", port))
                channel.sendall(b"hello")
                answers[port] = channel.recv(5)
            except paramiko.ChannelException as refusal:
                answers[port] = refusal.code
        done.set()
        transport.join(20 * PATIENCE)

    granted = threading.Event()
    server = lab.serve(serve)
    server.name = "pushy"
    lab.describe(server, server.spec, "host")
    client = lab.client(server, "-R", f"{asked}:{lab.echo().spec}")
    lab.remote_ports(client)
    granted.set()
    assert done.wait(30 * PATIENCE)
    assert answers == {asked: b"hello", asked + 1: 1}, "1 is: administratively prohibited"


class Talkative(Pushy):
    """Has much to say before it decides on a key."""

    def __init__(self, transport):
        self.transport = transport

    def check_auth_publickey(self, username, key):
        for number in range(100):
            message = paramiko.Message()
            message.add_byte(b"\x35")  # SSH_MSG_USERAUTH_BANNER
            message.add_string(f"banner {number}\n" + "more\n" * 100)
            message.add_string("")
            self.transport._send_message(message)
        return paramiko.AUTH_FAILED


def test_client_does_not_show_banners_without_end(lab):
    def serve(connection):
        transport = paramiko.Transport(connection)
        transport.add_server_key(paramiko.Ed25519Key(filename=lab.keys.make("host")))
        transport.start_server(server=Talkative(transport))
        transport.join(20 * PATIENCE)

    server = lab.serve(serve)
    server.name = "talkative"
    lab.describe(server, server.spec, "host")
    code, said = lab.run("alknet-client", lab.client_argv(server))
    assert code == 1 and "does not accept" in said
    assert "banner 0\n" in said and "banner 99\n" not in said and len(said.splitlines()) < 1000
