"""OpenSSH's client against alknet-server."""
import re
import socket
import subprocess

import pytest

from support.dial import SUCCEEDED, check_echo, check_exchange, connect, socks4a, socks5, through
from support.program import wait_until
from support.targets import answer_after_end, free_port, payload, read_all

CIPHERS = [
    ("aes256-gcm@openssh.com", None),
    ("chacha20-poly1305@openssh.com", None),
    ("aes256-ctr", "hmac-sha2-256-etm@openssh.com"),
    ("aes256-ctr", "hmac-sha2-512-etm@openssh.com"),
    ("aes256-ctr", "hmac-sha2-256"),
]
SIZE = 64 << 20


@pytest.fixture
def server(lab):
    return lab.server()


def test_dynamic_forward(lab, server):
    echo, v6 = lab.echo(), lab.echo("::1")
    proxy = lab.entry()
    lab.ssh(server, "-D", proxy)
    check_echo(lab.keep(through(proxy, echo)))
    check_echo(lab.keep(through(proxy, v6)))
    s, code = socks5(proxy, "localhost", lab.echo("127.0.0.1").port, force_name=True)
    assert code == SUCCEEDED
    check_echo(lab.keep(s))
    s, code = socks4a(proxy, "localhost", lab.echo("127.0.0.1").port)
    assert code == 90
    check_echo(lab.keep(s))


def test_local_forward(lab, server):
    echo = lab.echo()
    entry = lab.entry()
    lab.ssh(server, "-L", f"{entry}:{echo.spec}")
    check_echo(lab.keep(connect(entry)))


def test_local_forward_from_and_to_unix_sockets(lab, server):
    entry, path = lab.path("entry"), lab.path("target")
    echo = lab.echo(path)
    lab.ssh(server, "-L", f"{entry}:{path}")
    check_echo(lab.keep(connect(entry)))
    assert echo.accepted == 1


def test_remote_forward(lab, server):
    echo = lab.echo()
    port = free_port("127.0.0.1")
    lab.ssh(server, "-R", f"{port}:{echo.spec}")
    check_echo(lab.keep(connect(("127.0.0.1", port))))
    check_echo(lab.keep(connect(("::1", port))))


def test_remote_forward_to_a_port_that_the_server_chooses(lab, server):
    echo = lab.echo()
    ssh = lab.ssh(server, "-R", f"0:{echo.spec}")
    port = int(ssh.wait_for(r"Allocated port (\d+) for remote forward")[1])
    check_echo(lab.keep(connect(("127.0.0.1", port))))


def test_remote_dynamic_forward(lab, server):
    echo = lab.echo()
    ssh = lab.ssh(server, "-R", "0")
    port = int(ssh.wait_for(r"Allocated port (\d+) for remote forward")[1])
    check_echo(lab.keep(through(("127.0.0.1", port), echo)))


def test_remote_forward_from_and_to_unix_sockets(lab, server):
    entry, path = lab.path("entry"), lab.path("target")
    lab.echo(path)
    ssh = lab.ssh(server, "-R", f"{entry}:{path}")
    ssh.wait_for("remote forward success|streamlocal.*success|All remote forwarding requests processed")
    check_echo(lab.keep(connect(entry)))


def test_cancelled_remote_forward_stops_listening(lab, server):
    echo = lab.echo()
    port = free_port("127.0.0.1")
    control = lab.path("control")
    lab.ssh(server, "-M", "-S", control, "-R", f"{port}:{echo.spec}")
    check_echo(lab.keep(connect(("127.0.0.1", port))))
    code, said = lab.run("ssh-cancel", ["ssh", "-F", "none", "-S", control, "-O", "cancel", "-R",
                                        f"{port}:{echo.spec}", "any"])
    assert code == 0, said

    def refused():
        try:
            connect(("127.0.0.1", port)).close()
        except ConnectionRefusedError:
            return True
        return False
    wait_until(refused, "the cancelled listener refuses")


def test_stdio(lab, server):
    # ssh -W gives up its input when the far end stops sending, so one direction at a time
    target = lab.serve(answer_after_end)
    data, digest = payload(1 << 20)
    ssh, s = lab.stdio("ssh", lab.ssh_argv(server, "-W", target.spec))
    s.sendall(data)
    s.shutdown(socket.SHUT_WR)
    assert read_all(s).decode() == digest
    assert ssh.wait() == 0


@pytest.mark.parametrize("cipher,mac", CIPHERS)
def test_64_mib_each_way_while_rekeying(lab, server, cipher, mac):
    exchange = lab.exchange(SIZE)
    entry = lab.path("entry")
    options = ["-o", f"Ciphers={cipher}", "-o", "RekeyLimit=1M", "-L", f"{entry}:{exchange.spec}"]
    if mac:
        options += ["-o", f"MACs={mac}"]
    ssh = lab.ssh(server, *options)
    check_exchange(connect(entry), exchange)
    log = ssh.log()
    used = re.search(r"kex: server->client cipher: (\S+) MAC: (\S+)", log)
    assert used.groups() == (cipher, mac or "<implicit>")
    rekeys = log.count("SSH2_MSG_NEWKEYS received") - 1
    assert rekeys >= 20, f"expected dozens of key exchanges in 128 MiB at 1 MiB each, got {rekeys}"


def test_a_command_is_refused_and_the_session_survives(lab, server):
    echo = lab.echo()
    control = lab.path("control")
    lab.ssh(server, "-M", "-S", control)
    refused = subprocess.run(["ssh", "-F", "none", "-T", "-S", control, "any", "uptime"],
                             stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=30)
    assert refused.returncode != 0
    master = lab.programs[-1]
    master.wait_for("administratively prohibited|forwards connections only|no (shell|session)")
    ssh, s = lab.stdio("ssh-mux", ["ssh", "-F", "none", "-S", control, "-W", echo.spec, "any"])
    check_echo(s)
    assert master.running()
    s.close()
    ssh.wait()


NO_COMMANDS = "administratively prohibited: .*forwards connections and runs no commands"


@pytest.mark.parametrize("options,command,reason", [
    ((), ("uptime",), NO_COMMANDS), (("-tt",), (), NO_COMMANDS), (("-s",), ("sftp",), NO_COMMANDS),
    (("-A", "-X"), ("uptime",), NO_COMMANDS), (("-w", "any:any"), (), "unknown channel type")])
def test_what_is_no_forward_is_refused_with_a_clear_sentence(lab, server, options, command, reason):
    code, said = lab.run("ssh", lab.ssh_argv(server, *options) + [*command],
                         env={"DISPLAY": ":77"}, stdin=subprocess.DEVNULL)
    assert code == 255
    assert re.search(f"open failed: {reason}", said), said


@pytest.mark.parametrize("program,code", [("sftp", 255), ("scp", 255), ("scp -O", 1)])
def test_files_are_refused_with_a_clear_sentence(lab, server, program, code):
    options = lab.ssh_argv(server)[1:-1]
    options[options.index("-p")] = "-P"
    options.remove("-T")
    place = f"root@{server.host}"
    where = (place,) if program == "sftp" else (f"{place}:x", lab.path("x"))
    got, said = lab.run(program, [*program.split(), *options, *where], stdin=subprocess.DEVNULL)
    assert got == code and re.search(f"open failed: {NO_COMMANDS}", said), said


def test_names_of_users_have_a_bound(lab, server):
    """And it is told; up to 256 bytes any name will do."""
    for length, expected in ((256, 0), (257, 255), (30000, 255)):
        argv = lab.ssh_argv(server, "-l", "u" * length, "-W", lab.echo().spec)
        code, said = lab.run("ssh", [*argv[:-1], server.host], stdin=subprocess.DEVNULL)
        assert code == expected, said
        assert ("an unusable user name" in said) == (expected != 0)
