"""What a connection through the tunnel does that a plain one does: half close, early ends."""
import hashlib
import socket

import pytest

from support.dial import check_echo, check_exchange, connect, read_exactly
from support.program import wait_until
from support.suite import both_engines
from support.targets import answer_after_end, end_then_read, payload, read_all


@pytest.fixture
def entry(lab):
    """Makes an entry to a target: through -L of our client to our server."""
    server = lab.server()

    def make(target):
        return lab.client(server, "-L", f"{lab.entry()}:{target.spec}").address
    return make


@both_engines
def test_client_ends_writing_and_then_reads_the_answer(lab, entry):
    target = lab.serve(answer_after_end)
    data, digest = payload(3 << 20)
    s = lab.keep(connect(entry(target)))
    s.sendall(data)
    s.shutdown(socket.SHUT_WR)
    assert read_all(s).decode() == digest


@both_engines
def test_target_ends_writing_and_still_reads(lab, entry):
    told = []
    target = lab.serve(end_then_read(told))
    data, digest = payload(3 << 20)
    s = lab.keep(connect(entry(target)))
    assert read_all(s) == b"bye"
    s.sendall(data)
    s.shutdown(socket.SHUT_WR)
    wait_until(lambda: told, "the target has read to the end")
    assert hashlib.sha256(told[0]).hexdigest() == digest


@both_engines
def test_empty_connection_ends_both_ways(lab, entry):
    told = []
    s = lab.keep(connect(entry(lab.serve(lambda c: told.append(read_all(c))))))
    s.shutdown(socket.SHUT_WR)
    assert s.recv(1) == b""
    wait_until(lambda: told == [b""], "the target sees an empty stream end")


@both_engines
def test_target_that_closes_at_once(lab, entry):
    address = entry(lab.serve(lambda c: None))
    for _ in range(50):
        assert connect(address).recv(1) == b""


@both_engines
def test_target_that_closes_after_its_answer_loses_nothing(lab, entry):
    data, digest = payload(5 << 20)
    target = lab.serve(lambda c: c.sendall(data))
    address = entry(target)
    for _ in range(5):
        s = connect(address)
        assert hashlib.sha256(read_all(s)).hexdigest() == digest
        s.close()


@both_engines
def test_target_that_resets_ends_the_connection(lab, entry):
    def reset(connection):
        connection.recv(1)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    s = lab.keep(connect(entry(lab.serve(reset))))
    s.sendall(b"x")
    try:
        assert s.recv(1) == b""
    except ConnectionResetError:
        pass


@both_engines
def test_application_that_goes_away_frees_the_target(lab, entry):
    told = []

    def serve(connection):
        try:
            read_all(connection)
        except OSError:
            pass
        told.append("ended")
    address = entry(lab.serve(serve))
    s = connect(address)
    s.sendall(b"x")
    s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    s.close()
    wait_until(lambda: told, "the target learns that its client is gone")


@both_engines
def test_remote_forward_carries_half_close(lab):
    target = lab.serve(answer_after_end)
    client = lab.client(lab.server(), "-R", f"0:{target.spec}")
    data, digest = payload(3 << 20)
    s = lab.keep(connect(("127.0.0.1", lab.remote_ports(client)[0])))
    s.sendall(data)
    s.shutdown(socket.SHUT_WR)
    assert read_all(s).decode() == digest


@both_engines
def test_greeting_of_the_target_comes_without_asking(lab, entry):
    s = lab.keep(connect(entry(lab.serve(lambda c: (c.sendall(b"220 hello\r\n"), read_all(c))))))
    assert read_exactly(s, 11) == b"220 hello\r\n"


@both_engines
def test_64_mib_each_way_between_our_own_programs(lab, entry):
    exchange = lab.exchange(64 << 20)
    check_exchange(connect(entry(exchange)), exchange)


def test_unix_sockets_on_all_ends(lab):
    path, local, remote = lab.path("target"), lab.path("local"), lab.path("remote")
    lab.echo(path)
    client = lab.client(lab.server(), "-L", f"{local}:{path}", "-R", f"{remote}:{path}")
    check_echo(lab.keep(connect(local)))
    client.wait_for("the server listens on")
    check_echo(lab.keep(connect(remote)))
