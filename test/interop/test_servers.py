"""Every SSH server that matters, with alknet-client as its client, which has two engines."""

from peers import SERVERS
from peers.client import NOBODY
from peers.server import exchanges
from support.dial import check_echo, check_exchange, connect
from support.program import wait_until
from support.targets import free_port

SIZE = 64 << 20
REKEYING_SIZE = 8 << 20
CHANNELS = 50


def pytest_generate_tests(metafunc):
    """A cell for each program and engine that can do it."""
    peers = [p for p in SERVERS if p.exchanged or metafunc.function is not test_rekey]
    foreign = metafunc.function in (test_rsa_host, test_ecdsa_host)
    cells = {f"{p.name}-{engine}": (engine, p) for p in peers for engine in ("native", "libssh2")
             if engine == "libssh2" or not foreign}
    metafunc.parametrize("lab,peer", cells.values(), indirect=["lab"], ids=cells.keys())


def test_login(lab, peer):
    client = lab.client(peer.start(lab), "-L", f"{lab.entry()}:{lab.echo().spec}")
    check_echo(lab.keep(connect(client.address)))


def log_in(lab, peer, kind):
    key = f"host_{kind}"
    lab.keys.make(key, kind)
    client = lab.client(peer.start(lab, key=key), "-L", f"{lab.entry()}:{lab.echo().spec}")
    check_echo(lab.keep(connect(client.address)))


def test_rsa_host(lab, peer):
    log_in(lab, peer, "rsa")


def test_ecdsa_host(lab, peer):
    log_in(lab, peer, "ecdsa")


def test_wrong_key(lab, peer):
    code, said = lab.run("alknet-client", lab.client_argv(peer.start(lab), identity=NOBODY))
    assert code == 1
    assert f"the server does not accept {lab.keys.fingerprint(NOBODY)}" in said


def test_exchange(lab, peer):
    exchange = lab.exchange(SIZE)
    client = lab.client(peer.start(lab), "-L", f"{lab.entry()}:{exchange.spec}")
    check_exchange(connect(client.address), exchange)


def test_remote_forward(lab, peer):
    exchange, port = lab.exchange(1 << 20), free_port("127.0.0.1")
    client = lab.client(peer.start(lab), "-R", f"{port}:{exchange.spec}")
    assert lab.remote_ports(client) == [port]
    check_exchange(connect(("127.0.0.1", port)), exchange)


def test_channels(lab, peer):
    echo = lab.echo()
    client = lab.client(peer.start(lab), "-L", f"{lab.entry()}:{echo.spec}")
    connections = [lab.keep(connect(client.address)) for _ in range(CHANNELS)]
    for c in connections:
        c.sendall(b"x")
    wait_until(lambda: echo.accepted == CHANNELS, f"{CHANNELS} channels are open at once")
    for c in connections:
        assert c.recv(1) == b"x"
        check_echo(c)


def test_rekey(lab, peer):
    exchange = lab.exchange(REKEYING_SIZE)
    server = peer.start(lab, rekeying=True)
    client = lab.client(server, "-L", f"{lab.entry()}:{exchange.spec}")
    check_exchange(connect(client.address), exchange)
    count = exchanges(peer, server)
    assert count >= 3, f"expected several key exchanges in 16 MiB, got {count}"


def test_orderly_end(lab, peer):
    """The client leaves, and the server takes the next one."""
    server, echo = peer.start(lab), lab.echo()
    for _ in range(2):
        client = lab.client(server, "-L", f"{lab.entry()}:{echo.spec}")
        check_echo(lab.keep(connect(client.address)))
        assert client.stop() == 0


def test_abrupt_end(lab, peer):
    """The server dies while data flows; the client comes back as soon as it is there again."""
    exchange, echo = lab.exchange(SIZE), lab.echo()
    server = peer.start(lab)
    client = lab.client(server, "-L", f"{lab.entry()}:{exchange.spec}",
                        "-L", f"{lab.entry()}:{echo.spec}")
    assert lab.keep(connect(client.addresses[0])).recv(1 << 16)
    server.kill_descendants()
    server.kill()
    client.wait_for("msg=offline")
    peer.start(lab, server.address)
    client.wait_for("msg=online", count=2)
    check_echo(lab.keep(connect(client.addresses[1])))
