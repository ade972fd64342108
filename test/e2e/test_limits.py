"""Limits end to end: what is refused, when, and what goes on."""
import signal
import time
from threading import Thread

import pytest

from support.dial import SUCCEEDED, TIMED_OUT, check_echo, check_exchange, connect, socks5, through
from support.program import wait_until
from support.suite import both_engines


@pytest.fixture
def limited(lab):
    """Makes a server with these lines in [limits]."""
    def make(*lines, **more):
        path = lab.write("alknet.conf", "\n".join(("[limits]",) + lines) + "\n")
        return lab.server("--config", path, **more)
    return make


def refused(lab, server, identity="user"):
    code, said = lab.run("alknet-client", lab.client_argv(server, identity=identity))
    assert code == 1, said
    return said


def closed_before_a_word(server):
    with connect(server.address) as s:
        return s.recv(100) == b""


def test_sessions_of_an_identity(lab, limited):
    server = limited("max_sessions_per_identity = 1",
                     authorized=[lab.keys.public("user"), lab.keys.public("other")])
    echo = lab.echo()
    first = lab.client(server)
    second = lab.client(server, "-D", "127.0.0.1:0")  # it tries again until there is room
    server.wait_for('msg="session refused".*as many sessions as it may')
    lab.client(server, identity="other")  # nobody else
    first.stop()

    def works():
        s, code = socks5(second.address, echo.address, echo.port)
        lab.keep(s)
        return code == SUCCEEDED
    wait_until(works, "the second session has taken the place of the first")


def test_sessions_of_the_server(lab, limited):
    server = limited("max_sessions = 1")
    first = lab.client(server)
    assert closed_before_a_word(server)
    server.wait_for('msg="connection rejected".*reason=max-sessions')
    first.stop()
    server.wait_for('msg="connection closed"')
    lab.client(server)


def test_channels_of_an_identity_over_its_sessions(lab, limited):
    server, echo = limited("max_channels_per_identity = 2"), lab.echo()
    one, two = (lab.client(server, "-D", "127.0.0.1:0") for _ in range(2))
    first = through(one.address, echo)
    check_echo(first)
    check_echo(lab.keep(through(two.address, echo)))
    for client in (one, two):
        s, code = socks5(client.address, echo.address, echo.port)
        s.close()
        assert code != SUCCEEDED
    first.close()

    def opens():
        s, code = socks5(two.address, echo.address, echo.port)
        lab.keep(s)
        return code == SUCCEEDED
    wait_until(opens, "the closed channel makes room for another")


def test_channels_of_a_session_and_reload(lab, limited):
    server, echo = limited("max_channels = 1"), lab.echo()
    client = lab.client(server, "-D", "127.0.0.1:0")
    check_echo(lab.keep(through(client.address, echo)))
    s, code = socks5(client.address, echo.address, echo.port)
    s.close()
    assert code != SUCCEEDED
    lab.write("alknet.conf", "[limits]\nmax_channels = 2\n")
    server.signal(signal.SIGHUP)
    server.wait_for("msg=reloaded")
    new = lab.client(server, "-D", "127.0.0.1:0")
    for _ in range(2):
        check_echo(lab.keep(through(new.address, echo)))


def test_connection_rate(lab, limited):
    server = limited("connection_rate_per_ip = 2")
    for _ in range(2):
        assert not closed_before_a_word(server)
    assert closed_before_a_word(server)
    server.wait_for('msg="connection rejected".*reason=connection-rate-per-ip')


def test_failed_logins_shut_out_until_a_reload_exempts(lab, limited):
    server = limited("login_failures = 1", "penalty = 1h", "penalty_max = 1h")
    live = lab.client(server, "-D", "127.0.0.1:0")
    for count in (1, 2):
        refused(lab, server, "other")
        server.wait_for('msg="connection closed"', count=count)
    assert closed_before_a_word(server)
    server.wait_for('msg="connection rejected".*reason=penalty')
    check_echo(lab.keep(through(live.address, lab.echo())))  # what is there goes on
    lab.write("alknet.conf", "[limits]\npenalty_exempt = 127.0.0.0/8\n")
    server.signal(signal.SIGHUP)
    server.wait_for("msg=reloaded")
    lab.client(server)


def test_successes_do_not_count(lab, limited):
    server = limited("login_failures = 1", "penalty = 1h", "penalty_max = 1h")
    for count in range(1, 5):
        lab.client(server).stop()
        server.wait_for('msg="connection closed"', count=count)
    refused(lab, server, "other")
    lab.client(server)


def test_memory(lab, limited):
    server = limited("memory = 128KB")
    lab.client(server)
    for _ in range(20):  # each session holds something
        if closed_before_a_word(server):
            break
        lab.keep(connect(server.address))
    server.wait_for('msg="connection rejected".*reason=memory')


@pytest.mark.parametrize("key", ["rate_down", "rate_up", "rate"])
def test_bytes_per_second(lab, limited, key):
    """No more than the rate passes: faster than that would be wrong, slower may be the machine."""
    rate, size = 400 * 1024, 1_000_000
    server = limited(f"{key} = {rate // 1024}KB/s")
    client = lab.client(server, "-D", "127.0.0.1:0")
    target = lab.exchange(size)
    s = through(client.address, target)
    start = time.monotonic()
    check_exchange(s, target)
    least = (size - rate // 10 - 65536) / rate
    assert time.monotonic() - start >= least


def test_two_sessions_share_the_rate_of_their_identity(lab, limited):
    rate, size = 400 * 1024, 500_000
    server = limited(f"rate_down = {rate // 1024}KB/s")
    clients = [lab.client(server, "-D", "127.0.0.1:0") for _ in range(2)]
    targets = [lab.exchange(size) for _ in clients]
    start = time.monotonic()
    streams = [through(c.address, t) for c, t in zip(clients, targets)]
    check_both(streams, targets)
    assert time.monotonic() - start >= (2 * size - rate // 10 - 2 * 65536) / rate


def check_both(streams, targets):
    threads = [Thread(target=check_exchange, args=pair) for pair in zip(streams, targets)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert all(t.results for t in targets)


@both_engines
def test_a_server_that_never_answers_an_open(lab):
    server = lab.server()
    client = lab.client(server, "-D", "127.0.0.1:0", "--open-timeout", "1")
    check_echo(lab.keep(through(client.address, lab.echo())))
    server.suspend()
    try:
        s, code = socks5(client.address, "127.0.0.1", 9)
        s.close()
        assert code == TIMED_OUT
    finally:
        server.signal(signal.SIGCONT)
