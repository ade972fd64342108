"""alknet-client --jump: through other SSH servers, ours and OpenSSH's, to the one that is meant."""
import re
import socket

import pytest

from support import pki, proxies
from support.dial import check_echo, check_exchange, connect, through
from support.program import wait_until
from support.suite import both_engines
from support.targets import answer_after_end, loopback, payload, read_all


def ours(lab, **options):
    """An alknet-server that has an address of its own."""
    return lab.server(listen=(f"{loopback()}:0",), **options)


SERVERS = {"alknet": ours, "sshd": lambda lab: lab.sshd()}


def spec(*hops):
    return ",".join(f"root@{h.address}" for h in hops)


def known(lab, *servers):
    """One known_hosts file for all of them."""
    lines = []
    for server in servers:
        with open(server.known_hosts) as f:
            lines.append(f.read())
    return "--known-hosts", lab.write("known_hosts_all", "".join(lines))


def jump(lab, *chain):
    """What reaches the last of the chain through those before it."""
    return (*known(lab, *chain), "--jump", spec(*chain[:-1]))


def refusal(lab, server, *args):
    """What a client that cannot connect says."""
    code, said = lab.run("alknet-client", lab.client_argv(server, *args))
    assert code == 1, said
    return said


@both_engines
@pytest.mark.parametrize("kinds", [("alknet", "sshd"), ("sshd", "alknet"),
                                   ("sshd", "alknet", "alknet")], ids=" ".join)
def test_64_mib_each_way_through_jump_hosts(lab, kinds):
    chain = [SERVERS[kind](lab) for kind in kinds]
    exchange, echo = lab.exchange(64 << 20), lab.echo()
    client = lab.client(chain[-1], "-L", f"{lab.entry()}:{exchange.spec}", "-D", "127.0.0.1:0",
                        *jump(lab, *chain))
    check_exchange(connect(client.addresses[1]), exchange)
    check_echo(lab.keep(through(client.addresses[0], echo)))
    for server, kind in zip(chain[:-1], kinds):
        if kind == "alknet":  # where it leads is a tunnel's destination there
            assert str(exchange.port) not in server.log()
            assert all(str(s.port) not in server.log() for s in chain if s is not server)
    assert client.stop() == 0


@both_engines
def test_half_close(lab):
    gate, server = lab.sshd(), ours(lab)
    data, digest = payload(1 << 20)
    client, s = lab.stdio("alknet-client", lab.client_argv(
        server, "-W", lab.serve(answer_after_end).spec, *jump(lab, gate, server)))
    s.sendall(data)
    s.shutdown(socket.SHUT_WR)
    assert read_all(s).decode() == digest
    assert client.wait() == 0


def test_remote_forward(lab):
    gate, server, echo = ours(lab), lab.sshd(), lab.echo()
    client = lab.client(server, "-R", f"0:{echo.spec}", *jump(lab, gate, server))
    check_echo(lab.keep(connect(("127.0.0.1", lab.remote_ports(client)[0]))))


@both_engines
def test_a_target_that_does_not_read_stops_who_sends_to_it_and_nobody_else(lab):
    gate, server, echo = ours(lab), ours(lab), lab.echo()
    stalled = lab.serve(lambda connection: lab.keep(connection) and connection.recv(0) or
                        socket.create_server(("127.0.0.1", 0)).accept())
    client = lab.client(server, "-D", "127.0.0.1:0", *jump(lab, gate, server))
    s = lab.keep(through(client.address, stalled))
    data, _ = payload(64 << 20)
    s.settimeout(0.5)
    sent = 0
    with pytest.raises(TimeoutError):
        for _ in range(16):
            while sent % len(data) < len(data):
                sent += s.send(data[sent % len(data):])
    assert sent < len(data)
    check_echo(lab.keep(through(client.address, echo)))
    for program in (client, gate, server):
        assert program.memory() < 128 << 20, program.name


@both_engines
def test_the_chain_is_made_again(lab):
    gate, server, echo = ours(lab), ours(lab), lab.echo()
    client = lab.client(server, "-L", f"{lab.entry()}:{echo.spec}", *jump(lab, gate, server))
    check_echo(lab.keep(connect(client.address)))
    gate.kill()
    assert re.search(rf'reason="jump host {gate.host}: ',
                     client.wait_for("msg=offline .*")[0])
    lab.server(listen=(gate.address,))
    client.wait_for("msg=online", count=2)
    check_echo(lab.keep(connect(client.address)))
    server.kill()
    assert "jump host" not in client.wait_for("msg=offline .*", count=2)[0]
    lab.server(listen=(server.address,))
    client.wait_for("msg=online", count=3)
    check_echo(lab.keep(connect(client.address)))


@pytest.mark.parametrize("dead", [0, 1])
def test_a_jump_host_that_has_died_is_noticed_and_named(lab, dead):
    chain = [ours(lab) for _ in range(3)]
    relay = lab.relay(chain[dead])
    echo, chain[dead] = lab.echo(), relay
    client = lab.client(chain[-1], "-L", f"{lab.entry()}:{echo.spec}", "--keepalive", "1",
                        *jump(lab, *chain))
    relay.swallow()
    assert f'reason="jump host {relay.host}: ' in client.wait_for("msg=offline .*", 30)[0]
    relay.pass_on()
    client.wait_for("msg=online", 40, count=2)
    check_echo(lab.keep(connect(client.address)))


def test_host_keys_are_checked_by_each_hosts_own_name(lab):
    gate, server = ours(lab), ours(lab, key="other")
    both = ("--jump", spec(gate))
    assert re.search(rf"^alknet-client: jump host {gate.host}: the host key of {gate.host} is not "
                     "known", refusal(lab, server, *both), re.M)
    assert re.search(rf"^alknet-client: the host key of {server.host} is not known",
                     refusal(lab, server, *both, "--known-hosts", gate.known_hosts), re.M)
    wrong = lab.known_hosts(gate.address, "other", "known_hosts_wrong")
    assert f"jump host {gate.host}: the host key of {gate.host} has changed" in \
        refusal(lab, server, *both, "--known-hosts", wrong)
    new = lab.path("known_hosts_new")
    lab.client(server, *both, "--known-hosts", new, "--accept-new")
    lab.client(server, *both, "--known-hosts", new)
    # a pinned key is that of the server
    lab.client(server, *both, "--known-hosts", gate.known_hosts, "--host-key-fingerprint",
               server.fingerprint)


def test_what_fails_is_named(lab):
    gate, server = ours(lab), ours(lab)
    closed = ours(lab, authorized=[])
    files = known(lab, gate, closed, server)
    said = refusal(lab, server, *files, "--jump", spec(gate, closed))
    assert f"alknet-client: jump host {closed.host}: the server does not accept" in said
    said = refusal(lab, closed, *files, "--jump", spec(gate))
    assert "alknet-client: the server does not accept" in said
    server.stop()
    said = refusal(lab, server, *files, "--jump", spec(gate))
    assert f"cannot reach {server.host} port {server.port}: jump host {gate.host}: " \
        "connection refused" in said
    said = refusal(lab, closed, *files, "--jump", spec(gate, server, gate))
    assert f"jump host {server.host}: cannot reach {server.host} port {server.port}: " \
        f"jump host {gate.host}: connection refused" in said
    said = refusal(lab, gate, *files, "--jump", spec(server))
    assert f"jump host {server.host}: cannot reach {server.host} port {server.port}: " \
        "connection refused" in said


def test_who_says_something_is_named(lab):
    chain = []
    for number in range(3):
        banner = lab.write(f"banner{number}", f"I am {number}\n\x1b[2J\n")
        chain.append(lab.sshd(f"Banner {banner}"))
    client = lab.client(chain[-1], *jump(lab, *chain))
    assert [line for line in client.log().splitlines() if " says: " in line] == [
        f"alknet-client: {who} says: {text}"
        for number, who in enumerate((*(f"jump host {gate.host}" for gate in chain[:-1]),
                                      "the server"))
        for text in (f"I am {number}", r"\033[2J")]


@pytest.mark.parametrize("which", ["the jump host", "the server"])
def test_the_time_out_covers_the_chain(lab, which):
    """Somebody accepts the connection and never says a word."""
    gate = ours(lab)
    silent = lab.serve(lambda connection: connection.recv(1 << 16) and connection.recv(1))
    places = (f"root@{silent.spec}", f"root@{gate.address}")
    first, last = places if which == "the jump host" else reversed(places)
    argv = lab.client_argv(gate, "--jump", first, "--connect-timeout", "1")
    argv[-1] = last
    code, said = lab.run("alknet-client", argv)
    assert code == 1 and "the login was not finished in time" in said
    assert ("alknet-client: jump host" in said) == (which == "the jump host")


def test_tls_through_a_jump_host(lab):
    ca = pki.authority(lab.directory)
    gate, host = lab.sshd(), loopback()
    identity = pki.issue("server", (host,), ca).write(lab.directory, "tls")
    server = lab.server("--transport", "tls", "--tls-cert", identity.cert_path, "--tls-key",
                        identity.key_path, listen=(f"{host}:0",))
    exchange = lab.exchange(64 << 20)
    client = lab.client(server, "-L", f"{lab.entry()}:{exchange.spec}", "--transport", "tls",
                        "--tls-ca", ca.cert_path, *jump(lab, gate, server))
    check_exchange(connect(client.address), exchange)
    assert "no TLS connection with" in refusal(lab, server, "--transport", "tls",
                                               *jump(lab, gate, server))


def test_the_way_to_the_first_host(lab):
    gate, server, address, echo = ours(lab), ours(lab), loopback(), lab.echo()
    proxy = proxies.tinyproxy(lab, gate.port)  # connects to no other port
    lab.client(server, "--proxy", proxy.url("ann:secret"), *jump(lab, gate, server))
    client = lab.client(server, "--bind-address", address, "--ipv4", "-D", "127.0.0.1:0",
                        *jump(lab, gate, server))
    check_echo(lab.keep(through(client.address, echo)))
    gate.wait_for(f'msg="connection opened" remote_addr={address} ')
    assert address not in server.log()


def test_profile(lab):
    first, second, server = ours(lab), ours(lab), ours(lab)
    config = lab.write("client.conf", f"[profile far]\nserver = root@{server.address}\n"
                       f"jump = root@{first.address},root@{second.address}\nsocks5 = none\n")
    argv = lab.client_argv(server, "--config", config, *known(lab, first, second, server))
    argv[-1] = "far"
    lab.start("alknet-client", argv).wait_for("connected to")
    for gate in (first, second):
        gate.wait_for('msg="auth attempt" .* result=accept')
    argv[1:1] = ["--jump", "none"]
    first.stop()
    lab.start("alknet-client", argv).wait_for("connected to")


@pytest.mark.parametrize("given", ["", "a,", ",a", "a,,b", "@a", "a:0", "a:port", "[::1", "a b",
                                   ",".join("a" * 17)])
def test_what_is_no_jump_host(lab, given):
    code, said = lab.run("alknet-client", lab.client_argv(ours(lab), "--jump", given))
    assert code == 2 and "Try 'alknet-client --help'" in said


def test_the_client_says_goodbye_to_all(lab):
    gate, server = lab.sshd(), ours(lab)
    client = lab.client(server, *jump(lab, gate, server))
    assert client.stop() == 0
    gate.wait_for("Received disconnect from .*:11: the client is")
    server.wait_for('msg="connection closed"')


@pytest.mark.parametrize("position", [0, 1])
def test_the_client_can_be_stopped_before_it_has_arrived(lab, position):
    """At a jump host that never says a word."""
    gate, server = ours(lab), ours(lab)
    silent = lab.serve(lambda connection: connection.recv(1 << 16) and connection.recv(1))
    hops = [f"root@{gate.address}"] * position + [f"root@{silent.spec}"]
    client = lab.start("alknet-client", lab.client_argv(
        server, *known(lab, gate, server), "--jump", ",".join(hops)))
    wait_until(lambda: silent.accepted, "the client is at the silent host")
    assert client.stop() == 0
