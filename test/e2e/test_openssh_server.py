"""alknet-client against OpenSSH's sshd."""
import re
import socket

import pytest

from support.dial import SUCCEEDED, check_echo, check_exchange, connect, socks4a, socks5, through
from support.suite import both_engines
from support.targets import answer_after_end, free_port, payload, read_all

CIPHERS = [
    ("aes256-gcm@openssh.com", None),
    ("chacha20-poly1305@openssh.com", None),
    ("aes256-ctr", "hmac-sha2-256-etm@openssh.com"),
    ("aes256-ctr", "hmac-sha2-512-etm@openssh.com"),
    ("aes256-ctr", "hmac-sha2-256"),
]
SIZE = 64 << 20


@both_engines
def test_socks_proxy(lab):
    client = lab.client(lab.sshd(), "-D", "127.0.0.1:0")
    check_echo(lab.keep(through(client.address, lab.echo())))
    check_echo(lab.keep(through(client.address, lab.echo("::1"))))
    s, code = socks5(client.address, "localhost", lab.echo("127.0.0.1").port, force_name=True)
    assert code == SUCCEEDED
    check_echo(lab.keep(s))
    s, code = socks4a(client.address, "localhost", lab.echo("127.0.0.1").port)
    assert code == 90
    check_echo(lab.keep(s))


@both_engines
def test_local_forward(lab):
    client = lab.client(lab.sshd(), "-L", f"{lab.entry()}:{lab.echo().spec}")
    check_echo(lab.keep(connect(client.address)))


@both_engines
def test_local_forward_from_and_to_unix_sockets(lab):
    entry, path = lab.path("entry"), lab.path("target")
    lab.echo(path)
    lab.client(lab.sshd(), "-L", f"{entry}:{path}")
    check_echo(lab.keep(connect(entry)))


@both_engines
def test_remote_forward(lab):
    port = free_port("127.0.0.1")
    client = lab.client(lab.sshd(), "-R", f"{port}:{lab.echo().spec}")
    assert lab.remote_ports(client) == [port]
    check_echo(lab.keep(connect(("127.0.0.1", port))))


@both_engines
def test_remote_forward_to_a_port_that_the_server_chooses(lab):
    echo, other = lab.echo(), lab.echo(lab.path("target"))
    client = lab.client(lab.sshd(), "-R", f"0:{echo.spec}", "-R", f"0:{other.spec}")
    for port in lab.remote_ports(client, 2):
        check_echo(lab.keep(connect(("127.0.0.1", port))))
    assert (echo.accepted, other.accepted) == (1, 1)


def test_remote_forward_from_and_to_unix_sockets(lab):
    entry, path = lab.path("entry"), lab.path("target")
    lab.echo(path)
    client = lab.client(lab.sshd(), "-R", f"{entry}:{path}")
    client.wait_for("the server listens on .* for a remote forward")
    check_echo(lab.keep(connect(entry)))


@both_engines
@pytest.mark.parametrize("path", [None, "target"])
def test_stdio(lab, path):
    # as with ssh -W the end of what the far end sends ends it, so one direction at a time
    target = lab.serve(answer_after_end, path and lab.path(path))
    data, digest = payload(1 << 20)
    client, s = lab.stdio("alknet-client", lab.client_argv(lab.sshd(), "-W", target.spec))
    s.sendall(data)
    s.shutdown(socket.SHUT_WR)
    assert read_all(s).decode() == digest
    assert client.wait() == 0


@pytest.mark.parametrize("cipher,mac", CIPHERS)
def test_64_mib_each_way_while_rekeying(lab, cipher, mac):
    exchange = lab.exchange(SIZE)
    lines = [f"Ciphers {cipher}", "RekeyLimit 1M"] + ([f"MACs {mac}"] if mac else [])
    sshd = lab.sshd(*lines)
    client = lab.client(sshd, "-L", f"{lab.entry()}:{exchange.spec}")
    check_exchange(connect(client.address), exchange)
    assert re.search(rf'msg=online cipher="?{re.escape(cipher)}', client.log()), client.log()
    log = sshd.log()
    used = re.search(r"kex: client->server cipher: (\S+) MAC: (\S+)", log)
    assert used.groups() == (cipher, mac or "<implicit>")
    rekeys = log.count("SSH2_MSG_NEWKEYS received") - 1
    assert rekeys >= 20, f"expected dozens of key exchanges in 128 MiB at 1 MiB each, got {rekeys}"


@both_engines
def test_a_session_that_sshd_ends_is_made_again(lab):
    echo = lab.echo()
    sshd = lab.sshd("ClientAliveInterval 0")
    client = lab.client(sshd, "-L", f"{lab.entry()}:{echo.spec}", "-R", f"0:{echo.spec}")
    check_echo(lab.keep(connect(client.address)))
    lab.remote_ports(client)
    sshd.kill_descendants()
    client.wait_for("msg=online", count=2)
    check_echo(lab.keep(connect(client.address)))
    port = lab.remote_ports(client, 2)[1]
    check_echo(lab.keep(connect(("127.0.0.1", port))))
