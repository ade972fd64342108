"""Losing the server and coming back; ending in order."""
import os
import signal
import threading
import time

import pytest

from support.dial import SUCCEEDED, check_echo, connect, socks5, through
from support.program import PATIENCE, wait_until
from support.suite import both_engines
from support.targets import free_port, push_for_ever


def ends_soon(s):
    """Reads until the connection ends, in order or not."""
    try:
        while s.recv(1 << 18):
            pass
    except OSError:
        pass
    s.close()


@both_engines
def test_client_comes_back_after_the_server_was_killed(lab):
    address = lab.entry()
    server = lab.server(listen=(address,))
    echo, source = lab.echo(), lab.serve(push_for_ever)
    client = lab.client(server, "-D", "127.0.0.1:0", "-L", f"{lab.entry()}:{source.spec}",
                        "-L", f"{lab.entry()}:{echo.spec}", "-R", f"0:{echo.spec}")
    proxy, bulk, entry = client.addresses
    lab.remote_ports(client)
    transfers = [connect(bulk) for _ in range(4)]
    for s in transfers:
        assert s.recv(1 << 16), "the transfer runs"
    server.kill()
    for s in transfers:
        ends_soon(s)
    client.wait_for("msg=offline")
    connect(proxy).close()  # the listeners stay
    connect(entry).close()
    lab.server(listen=(address,))
    client.wait_for("msg=online", count=2)
    check_echo(lab.keep(through(proxy, echo)))
    check_echo(lab.keep(connect(entry)))
    again = lab.keep(connect(bulk))
    assert again.recv(1 << 16)
    port = lab.remote_ports(client, 2)[1]  # any port was asked for again: it may differ
    check_echo(lab.keep(connect(("127.0.0.1", port))))


@both_engines
def test_fixed_remote_forward_is_back_on_its_port(lab):
    address, port = lab.entry(), free_port("127.0.0.1")
    server = lab.server(listen=(address,))
    client = lab.client(server, "-R", f"{port}:{lab.echo().spec}")
    assert lab.remote_ports(client) == [port]
    server.kill()
    lab.server(listen=(address,))
    assert lab.remote_ports(client, 2)[1] == port
    check_echo(lab.keep(connect(("127.0.0.1", port))))


@both_engines
def test_standard_io_that_was_cut_is_a_failure(lab):
    server = lab.server()
    client, s = lab.stdio("alknet-client", lab.client_argv(server, "-W",
                                                           lab.serve(push_for_ever).spec))
    assert s.recv(1 << 16), "the transfer runs"
    server.kill()
    ends_soon(s)
    assert client.wait() == 1
    assert "was lost" in client.log()


def test_hang_up_ends_the_client_in_order_unless_it_is_ignored(lab):
    server = lab.server()
    sockets = [lab.path("ends"), lab.path("stays")]
    clients = [lab.client(server, "-D", f"unix:{sockets[0]}"),
               lab.start("alknet-client", lab.client_argv(server, "-D", f"unix:{sockets[1]}"),
                         preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN))]
    clients[1].wait_for("^alknet-client: connected to")
    for client in clients:
        client.signal(signal.SIGHUP)
    assert clients[0].wait() == 0
    assert not os.path.exists(sockets[0])
    check_echo(lab.keep(through(f"unix:{sockets[1]}", lab.echo())))


@both_engines
def test_connection_that_comes_while_offline_waits_and_then_works(lab):
    address = lab.entry()
    server = lab.server(listen=(address,))
    echo = lab.echo()
    client = lab.client(server, "-D", "127.0.0.1:0")
    server.kill()
    client.wait_for("msg=offline")
    answers = []
    thread = threading.Thread(target=lambda: answers.append(
        socks5(client.address, echo.address, echo.port)))
    thread.start()
    lab.server(listen=(address,))
    thread.join(20 * PATIENCE)
    assert answers and answers[0][1] == SUCCEEDED, answers
    check_echo(lab.keep(answers[0][0]))


def test_connection_that_comes_while_offline_fails_properly_after_ten_seconds(lab):
    server = lab.server()
    echo = lab.echo()
    client = lab.client(server, "-D", "127.0.0.1:0", "--http-proxy", "127.0.0.1:0")
    server.kill()
    client.wait_for("msg=offline")
    web = lab.keep(connect(client.addresses[1]))
    web.sendall(f"CONNECT {echo.spec} HTTP/1.1\r\n\r\n".encode())
    answered = threading.Event()

    def others():  # must not put it off
        while not answered.wait(0.3):
            lab.keep(connect(client.addresses[0]))
    thread = threading.Thread(target=others)
    thread.start()
    start = time.monotonic()
    try:
        s, code = socks5(client.addresses[0], echo.address, echo.port)
    finally:
        answered.set()
        thread.join()
    took = time.monotonic() - start
    s.close()
    assert code in (1, 4, 6), f"expected a SOCKS reply that tells of a failure, got {code}"
    assert 9 <= took < 13 * PATIENCE, f"expected about 10 s, took {took:.1f}"
    assert web.recv(100).startswith(b"HTTP/1.1 504 ")


@both_engines
def test_server_that_falls_silent_is_noticed_by_keepalive(lab):
    """The wire swallows everything: no FIN, no reset."""
    server = lab.server()
    relay = lab.relay(server)
    echo = lab.echo()
    client = lab.client(relay, "--keepalive", "1", "-L", f"{lab.entry()}:{echo.spec}")
    s = connect(client.address)
    check_echo(s)
    relay.swallow()
    start = time.monotonic()
    client.wait_for("msg=offline", seconds=15)
    assert time.monotonic() - start > 1.5, "it must miss several answers first"
    ends_soon(s)
    relay.pass_on()
    client.wait_for("msg=online", count=2)
    check_echo(lab.keep(connect(client.address)))


def test_stopped_server_is_noticed_by_keepalive(lab):
    server = lab.server()
    echo = lab.echo()
    client = lab.client(server, "--keepalive", "1", "-L", f"{lab.entry()}:{echo.spec}")
    check_echo(lab.keep(connect(client.address)))
    server.suspend()
    client.wait_for("msg=offline", seconds=15)
    server.signal(signal.SIGCONT)
    client.wait_for("msg=online", count=2, seconds=40)
    check_echo(lab.keep(connect(client.address)))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_server_drains_and_exits_0(lab, number):
    server = lab.server()
    source = lab.serve(push_for_ever)
    client = lab.client(server, "-L", f"{lab.entry()}:{source.spec}")
    s = connect(client.address)
    assert s.recv(1 << 16)
    start = time.monotonic()
    server.signal(number)
    code = server.wait()
    took = time.monotonic() - start
    assert code == 0
    assert took < 3 * PATIENCE, f"expected an end within 3 s, took {took:.1f}"
    client.wait_for("msg=offline")
    ends_soon(s)


@both_engines
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_client_drains_and_exits_0(lab, number):
    server = lab.server()
    source = lab.serve(push_for_ever)
    client = lab.client(server, "-L", f"{lab.entry()}:{source.spec}")
    s = connect(client.address)
    assert s.recv(1 << 16)
    start = time.monotonic()
    client.signal(number)
    code = client.wait()
    took = time.monotonic() - start
    assert code == 0
    assert took < 3 * PATIENCE, f"expected an end within 3 s, took {took:.1f}"
    server.wait_for('msg="connection closed"')
    ends_soon(s)


def test_server_ends_in_time_although_a_client_does_not_read(lab):
    server = lab.server()
    relay = lab.relay(server)
    source = lab.serve(push_for_ever)
    client = lab.client(relay, "-L", f"{lab.entry()}:{source.spec}")
    s = lab.keep(connect(client.address))
    assert s.recv(1 << 16)
    relay.stall()
    server.signal(signal.SIGTERM)
    start = time.monotonic()
    assert server.wait() == 0
    assert time.monotonic() - start < 3 * PATIENCE


@both_engines
def test_first_connection_that_fails_ends_the_client(lab):
    server = lab.server()
    server.kill()
    start = time.monotonic()
    code, said = lab.run("alknet-client", lab.client_argv(server))
    assert code == 1
    assert "cannot reach" in said and "connection refused" in said, said
    assert time.monotonic() - start < 10 * PATIENCE


def test_two_clients_do_not_disturb_each_other(lab):
    server = lab.server()
    echo = lab.echo()
    first = lab.client(server, "-L", f"{lab.entry()}:{echo.spec}")
    second = lab.client(server, "-L", f"{lab.entry()}:{echo.spec}")
    s = lab.keep(connect(first.address))
    check_echo(s)
    second.kill()
    wait_until(lambda: "connection closed" in server.log(), "the server notices the end")
    check_echo(s)
