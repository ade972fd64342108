"""Every SSH program that matters, as a client of alknet-server."""
import re
import signal

import pytest

from peers import CLIENTS
from peers.client import NOBODY
from support.dial import check_echo, check_exchange, connect
from support.program import wait_until
from support.targets import free_port

SIZE = 64 << 20
REKEYING_SIZE = 8 << 20
CHANNELS = 50


def pytest_generate_tests(metafunc):
    """A cell for each program that can do it."""
    peers = [p for p in CLIENTS if p.exchanged or metafunc.function is not test_rekey]
    metafunc.parametrize("peer", peers, ids=lambda p: p.name)


@pytest.fixture
def server(lab):
    return lab.server()


def closed(server, count=1):
    """How the server saw its count-th session end."""
    return server.wait_for(r"msg=\"connection closed\".*", count=count)[0]


def test_login(lab, server, peer):
    entry = lab.entry()
    peer.start(lab, server, local=[(entry, lab.echo())])
    check_echo(lab.keep(connect(entry)))


def test_wrong_key(lab, server, peer):
    program = peer.launch(lab, server, lab.keys.make(NOBODY))
    assert program.wait() != 0, f"{peer.name} takes a refusal for a success"
    assert peer.refusal in program.log(), program.log()
    assert "result=accept" not in server.log()


def test_exchange(lab, server, peer):
    exchange, entry = lab.exchange(SIZE), lab.entry()
    peer.start(lab, server, local=[(entry, exchange)])
    check_exchange(connect(entry), exchange)


def test_remote_forward(lab, server, peer):
    exchange, port = lab.exchange(1 << 20), free_port("127.0.0.1")
    peer.start(lab, server, remote=[(port, exchange)])
    check_exchange(connect(("127.0.0.1", port)), exchange)


def test_channels(lab, server, peer):
    echo, entry = lab.echo(), lab.entry()
    peer.start(lab, server, local=[(entry, echo)])
    connections = [lab.keep(connect(entry)) for _ in range(CHANNELS)]
    for c in connections:
        c.sendall(b"x")
    wait_until(lambda: echo.accepted == CHANNELS, f"{CHANNELS} channels are open at once")
    for c in connections:
        assert c.recv(1) == b"x"
        check_echo(c)


def test_rekey(lab, server, peer):
    exchange, entry = lab.exchange(REKEYING_SIZE), lab.entry()
    program = peer.start(lab, server, local=[(entry, exchange)], rekeying=True)
    # paramiko stands still when a channel is closed while it exchanges keys
    check_exchange(connect(entry), exchange, end_last=True)
    exchanges = len(re.findall(peer.exchanged, program.log()))
    assert exchanges >= 3, f"expected several key exchanges in 16 MiB, got {exchanges}"


def test_orderly_end(lab, server, peer):
    entry = lab.entry()
    program = peer.start(lab, server, local=[(entry, lab.echo())])
    check_echo(lab.keep(connect(entry)))
    peer.end(program)
    program.wait()
    assert "protocol" not in closed(server)


def test_abrupt_end(lab, server, peer):
    """Killed while data flows: the server sheds the session and serves the next."""
    exchange, entry = lab.exchange(SIZE), lab.entry()
    program = peer.start(lab, server, local=[(entry, exchange)])
    assert lab.keep(connect(entry)).recv(1 << 16)
    program.signal(signal.SIGKILL)
    closed(server)
    again = lab.entry()
    peer.start(lab, server, local=[(again, lab.echo())])
    check_echo(lab.keep(connect(again)))
