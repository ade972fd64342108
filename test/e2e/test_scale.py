"""Many at once, and none starves; a slow reader holds up nobody and costs little."""
import os
import selectors
import socket
import subprocess
import threading
import time

import pytest

from support.dial import check_echo, check_exchange, connect, read_exactly, through
from support.program import BIN, PATIENCE, SANITISED, wait_until
from support.targets import payload, push_for_ever

CROWD = os.path.join(os.path.dirname(BIN), "test", "e2e", "crowd")
MIB = 1 << 20


def echo_on_all(sockets, seconds=60):
    """Each socket sends its own message; all must come back."""
    messages = {s: f"message of connection {i}".encode().ljust(64) for i, s in enumerate(sockets)}
    got = {s: b"" for s in sockets}
    for s, message in messages.items():
        s.sendall(message)
    deadline = time.monotonic() + seconds * PATIENCE
    with selectors.DefaultSelector() as selector:
        for s in sockets:
            selector.register(s, selectors.EVENT_READ)
        missing = len(sockets)
        while missing and time.monotonic() < deadline:
            for key, _ in selector.select(1):
                s = key.fileobj
                piece = s.recv(64)
                assert piece, "a connection ended"
                got[s] += piece
                if len(got[s]) == 64:
                    selector.unregister(s)
                    missing -= 1
    wrong = sum(got[s] != messages[s] for s in sockets)
    assert wrong == 0, f"expected {len(sockets)} echoes, {wrong} are missing or wrong"


@pytest.mark.parametrize("peer", ["server", "sshd"])
def test_1000_channels_over_one_session(lab, peer):
    server = getattr(lab, peer)()
    echo = lab.echo()
    client = lab.client(server, "-L", f"{lab.path('in')}:{echo.spec}")
    sockets = [lab.keep(connect(lab.path("in"))) for _ in range(1000)]
    echo_on_all(sockets)
    echo_on_all(list(reversed(sockets)))
    assert echo.accepted == 1000
    for s in sockets[:500]:
        s.close()
    check_echo(lab.keep(connect(lab.path("in"))))
    echo_on_all(sockets[500:])
    assert client.log().count("msg=online") == 1


def test_1000_channels_of_openssh(lab):
    server = lab.server()
    echo = lab.echo()
    lab.ssh(server, "-L", f"{lab.path('in')}:{echo.spec}")
    sockets = [lab.keep(connect(lab.path("in"))) for _ in range(1000)]
    echo_on_all(sockets)


def test_channels_beyond_the_limit_are_refused_and_the_rest_lives(lab):
    server = lab.server()
    echo = lab.echo()
    lab.client(server, "-L", f"{lab.path('in')}:{echo.spec}")
    sockets = [lab.keep(connect(lab.path("in"))) for _ in range(1024)]
    echo_on_all(sockets)
    with connect(lab.path("in")) as s:
        assert s.recv(1) == b""
    echo_on_all(sockets)
    sockets.pop().close()

    def works_again():
        with connect(lab.path("in")) as fresh:
            try:
                fresh.sendall(b"x")
                return fresh.recv(1) == b"x"
            except OSError:
                return False  # refused, before we could send or with our byte unread

    wait_until(works_again, "a channel is free again")


def test_1000_sessions_on_one_server(lab):
    assert os.path.exists(CROWD), f"build {CROWD} with: make e2e-build"
    server = lab.server()
    echo = lab.echo()
    crowd = lab.start("crowd", [CROWD, server.host, server.port, lab.keys.make("user"), 1000,
                                echo.address, echo.port], stdin=subprocess.PIPE)
    crowd.wait_for("^ready$", seconds=60)
    for i in range(1, 4):
        crowd.process.stdin.write(b"go\n")
        crowd.process.stdin.flush()
        crowd.wait_for("^round$", count=i, seconds=60)
    assert server.log().count("result=accept") == 1000
    # with all of them in, a newcomer is served like anybody
    check_echo(lab.keep(connect(lab.client(server, "-L", f"{lab.entry()}:{echo.spec}").address)))
    crowd.process.stdin.close()
    assert crowd.wait() == 0
    server.wait_for('msg="connection closed"', count=1000)


def round_trips(s, count):
    """Seconds of each of count echoes, the longest last."""
    times = []
    for i in range(count):
        start = time.monotonic()
        check_echo(s, f"keystroke {i}".encode())
        times.append(time.monotonic() - start)
    return sorted(times)


def drain(s, counter, stop):
    try:
        while not stop.is_set():
            n = len(s.recv(1 << 18))
            counter[0] += n
            if n == 0:
                return
    except OSError:
        pass


@pytest.mark.parametrize("peer", ["server", "sshd"])
def test_echo_answers_while_four_bulk_transfers_run(lab, peer):
    server = getattr(lab, peer)()
    source, echo = lab.serve(push_for_ever), lab.echo()
    client = lab.client(server, "-L", f"{lab.entry()}:{source.spec}", "-L",
                        f"{lab.entry()}:{echo.spec}")
    stop, counters = threading.Event(), [[0] for _ in range(4)]
    for counter in counters:
        s = lab.keep(connect(client.addresses[0]))
        threading.Thread(target=drain, args=(s, counter, stop), daemon=True).start()
    wait_until(lambda: all(c[0] > MIB for c in counters), "all four transfers run")
    times = round_trips(lab.keep(connect(client.addresses[1])), 50)
    before = [c[0] for c in counters]
    wait_until(lambda: all(c[0] > b + MIB for c, b in zip(counters, before)),
               "all four transfers go on")
    stop.set()
    assert times[-1] < 2 * PATIENCE, f"expected every echo within 2 s, the slowest took {times[-1]:.2f}"
    total = [c[0] for c in counters]
    assert max(total) < 8 * min(total), f"the transfers' shares differ too much: {total}"


@pytest.mark.parametrize("direction", ["down", "up"])
def test_slow_reader_costs_little_and_holds_up_nobody(lab, direction):
    server = lab.server()
    stop = threading.Event()
    data, _ = payload(MIB)

    def trickle(s):
        """Reads 1 KB/s."""
        try:
            while not stop.wait(1):
                if not s.recv(1024):
                    return
        except OSError:
            pass

    def push(s):
        try:
            while True:
                s.sendall(data)
        except OSError:
            pass
    slow = lab.serve(push_for_ever if direction == "down" else trickle)
    fast, echo = lab.exchange(32 * MIB), lab.echo()
    client = lab.client(server, "-L", f"{lab.entry()}:{slow.spec}", "-L",
                        f"{lab.entry()}:{fast.spec}", "-L", f"{lab.entry()}:{echo.spec}")
    check_echo(lab.keep(connect(client.addresses[2])))

    def timed_exchange():
        start = time.monotonic()
        check_exchange(connect(client.addresses[1]), fast)
        return time.monotonic() - start
    alone = timed_exchange()  # this also lets the programs grow to their working size
    before = {p.name: p.memory() for p in (server, client)}
    s = lab.keep(connect(client.addresses[0]))
    s.settimeout(None)
    threading.Thread(target=trickle if direction == "down" else push, args=(s,),
                     daemon=True).start()
    peak = dict(before)

    def watch():
        while not stop.wait(0.02):
            for p in (server, client):
                peak[p.name] = max(peak[p.name], p.memory())
    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        times = round_trips(lab.keep(connect(client.addresses[2])), 2000)
        growth = {name: (peak[name] - before[name]) / MIB for name in peak}
        beside = min(timed_exchange() for _ in range(3))
    finally:
        stop.set()
        watcher.join()
    assert times[-1] < 1 * PATIENCE, f"the slowest echo took {times[-1]:.2f} s"
    assert beside < 3 * alone + 1, f"32 MiB each way took {alone:.2f} s alone, {beside:.2f} s beside"
    if not SANITISED:  # whose memory is not the program's own
        assert max(growth.values()) < 16, f"expected less than 16 MiB of growth, got {growth} MiB"


def test_application_that_never_reads_or_writes(lab):
    """Connections that do nothing cost no time of others."""
    client = lab.client(lab.server(), "-D", "127.0.0.1:0")
    idle = [lab.keep(socket.create_connection(tuple(_place(client.address)))) for _ in range(200)]
    echo = lab.echo()
    s = lab.keep(through(client.address, echo))
    check_echo(s)
    idle[0].sendall(b"\x05\x01\x00")
    assert read_exactly(idle[0], 2) == b"\x05\x00"


def _place(address):
    host, port = address.rsplit(":", 1)
    return host, int(port)
