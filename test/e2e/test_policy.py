"""The forwarding policy end to end: SOCKS, curl and OpenSSH against rules from a file."""
import json
import os
import signal

import pytest

from support.dial import DENIED, SUCCEEDED, check_echo, connect, socks5, through
from support.program import path_of, wait_until
from support.targets import free_port


@pytest.fixture
def ruled(lab):
    """Makes a server with these lines in [forwarding]."""
    def make(*lines, **more):
        path = lab.write("alknet.conf", "\n".join(("[forwarding]",) + lines) + "\n")
        return lab.server("--config", path, **more)
    return make


def rules(*texts):
    return tuple(f"rule = {t}" for t in texts)


def reply(lab, client, host, port, **options):
    s, code = socks5(client.address, host, port, **options)
    lab.keep(s)
    return code


def test_default_deny_lets_only_what_a_rule_allows(lab, ruled):
    allowed, other = lab.echo(), lab.echo()
    server = ruled("default = deny", *rules(f"allow {allowed.spec}"))
    client = lab.client(server, "-D", "127.0.0.1:0")
    check_echo(lab.keep(through(client.address, allowed)))
    assert reply(lab, client, other.address, other.port) == DENIED
    assert other.accepted == 0


def test_curl_is_told_that_the_rules_do_not_allow_it(lab, ruled):
    server = ruled("default = deny")
    client = lab.client(server, "-D", "127.0.0.1:0", "--http-proxy", "127.0.0.1:0")
    for proxy, expected in ((f"socks5h://{client.addresses[0]}", "not allowed by ruleset"),
                            (f"http://{client.addresses[1]}", "403")):
        code, said = lab.run("curl", ["curl", "-sS", "-v", "-p", "-x", proxy,
                                      "http://127.0.0.1:9/"], ours=False)
        assert code != 0
        assert expected in said or (proxy.startswith("socks") and "(2)" in said), said


def test_openssh_is_told_without_detail(lab, ruled):
    echo, other = lab.echo(), lab.echo()
    server = ruled("default = deny", *rules(f"allow {echo.spec}"))
    argv = lab.ssh_argv(server, "-W", f"{other.address}:{other.port}")
    code, said = lab.run("ssh", argv)
    assert code != 0 and "administratively prohibited" in said
    entry = lab.entry()
    lab.ssh(server, "-L", f"{entry}:{echo.spec}")
    check_echo(lab.keep(connect(entry)))


@pytest.mark.parametrize("host", ["127.0.0.1", "0x7f.1", "2130706433", "017700000001", "127.1", "0",
                                  "127.0.0.1.", "::ffff:127.0.0.1", "::ffff:7f00:1", "localhost",
                                  "LOCALHOST.", "0.0.0.0"])
def test_no_spelling_reaches_a_denied_address(lab, ruled, host):
    echo = lab.echo("127.0.0.1")
    server = ruled("default = allow", *rules("deny 127.0.0.0/8", "deny [::1]"))
    client = lab.client(server, "-D", "127.0.0.1:0")
    assert reply(lab, client, host, echo.port) == DENIED
    assert reply(lab, client, host, echo.port, force_name=True) == DENIED
    assert echo.accepted == 0


@pytest.mark.parametrize("host", ["0x7f.1", "LocalHost.", "127.0.0.1."])
def test_spellings_are_dialled_as_what_they_were_judged(lab, ruled, host):
    echo = lab.echo("127.0.0.1")
    server = ruled("default = deny", *rules("allow 127.0.0.1:*"))
    client = lab.client(server, "-D", "127.0.0.1:0")
    s, code = socks5(client.address, host, echo.port, force_name=True)
    assert code == SUCCEEDED
    check_echo(lab.keep(s))


def test_the_first_rule_that_matches_decides(lab, ruled):
    echo = lab.echo("127.0.0.1")
    server = ruled("default = deny", *rules("allow localhost:*", "deny 127.0.0.0/8", "allow *"))
    client = lab.client(server, "-D", "127.0.0.1:0")
    assert reply(lab, client, "localhost", echo.port) == SUCCEEDED
    assert reply(lab, client, "127.0.0.1", echo.port) == DENIED


def test_switches_for_loopback_and_link_local(lab, ruled):
    echo = lab.echo("127.0.0.1")
    server = ruled("default = allow", "allow_loopback = no")
    client = lab.client(server, "-D", "127.0.0.1:0")
    for host in ("127.0.0.1", "localhost"):
        assert reply(lab, client, host, echo.port) == DENIED
    for host in ("169.254.169.254", "0xa9fea9fe", "fe80::1", "::ffff:169.254.169.254"):
        assert reply(lab, client, host, 80) == DENIED


def test_principals_and_transports(lab, ruled):
    echo, other = lab.echo(), lab.echo()
    server = ruled("default = deny", *rules(
        f"allow {echo.spec} principals={lab.keys.fingerprint('user')} transports=tcp",
        f"allow {other.spec} principals={lab.keys.fingerprint('other')}",
        f"allow {other.spec} transports=tls,iroh"))
    client = lab.client(server, "-D", "127.0.0.1:0")
    check_echo(lab.keep(through(client.address, echo)))
    assert reply(lab, client, other.address, other.port) == DENIED


def test_unix_sockets(lab, ruled):
    os.mkdir(lab.path("run"))
    good, bad = lab.echo(lab.path("run/a.sock")), lab.echo(lab.path("b.sock"))
    server = ruled("default = deny", *rules(f"allow unix:{lab.path('run')}/*.sock"))
    around = lab.destination(lab.path("run/../b.sock"))
    client = lab.client(server, "-L", f"{lab.path('in1')}:{good.address}",
                        "-L", f"{lab.path('in2')}:{bad.address}", "-L", f"{lab.path('in3')}:{around}")
    check_echo(lab.keep(connect(lab.path("in1"))))
    for entry in ("in2", "in3"):
        assert lab.keep(connect(lab.path(entry))).recv(1) == b""
    assert bad.accepted == 0


def test_symbolic_links_open_no_denied_socket(lab, ruled):
    for name in ("run", "private"):
        os.mkdir(lab.path(name))
    socket, denied = lab.echo(lab.path("run/a.sock")), lab.echo(lab.path("private/b.sock"))
    os.symlink(lab.path("run"), lab.path("var-run"))
    os.symlink(lab.path("private"), lab.path("var-private"))
    os.symlink(lab.path("private/b.sock"), lab.path("run/link.sock"))
    server = ruled("default = allow", *rules(f"allow unix:{lab.path('private')}/*.sock principals=x",
                                             f"deny unix:{lab.path('private')}/*"))
    client = lab.client(server, *(f"-L{lab.path(f'in{i}')}:{path}" for i, path in enumerate((
        lab.path("var-run/a.sock"), denied.address, lab.destination(lab.path("run/link.sock")),
        lab.destination(lab.path("var-private/b.sock"))))))
    check_echo(lab.keep(connect(lab.path("in0"))))
    for entry in ("in1", "in2", "in3"):
        assert lab.keep(connect(lab.path(entry))).recv(1) == b""
    assert denied.accepted == 0 and socket.accepted == 1


def test_remote_listeners_stay_on_loopback_without_a_rule(lab, ruled):
    echo = lab.echo()
    server = ruled("default = allow")
    client = lab.client(server, "-R", f"0.0.0.0:0:{echo.spec}")
    port, = lab.remote_ports(client)
    check_echo(lab.keep(connect(("127.0.0.1", port))))
    with pytest.raises(ConnectionRefusedError):
        connect(("127.0.0.2", port))


def test_a_rule_opens_a_wide_listener(lab, ruled):
    echo, port = lab.echo(), free_port("0.0.0.0")
    server = ruled("default = allow", *rules(f"allow listen:0.0.0.0:{port}"))
    client = lab.client(server, "-R", f"0.0.0.0:{port}:{echo.spec}")
    assert lab.remote_ports(client) == [port]
    check_echo(lab.keep(connect(("127.0.0.2", port))))


def test_listeners_are_judged(lab, ruled):
    echo, port, other = lab.echo(), free_port("127.0.0.1"), free_port("127.0.0.1")
    server = ruled("default = deny", *rules(f"allow listen:localhost:{port}", f"allow {echo.spec}"))
    client = lab.client(server, "-R", f"{other}:{echo.spec}", "-R", f"{lab.path('l')}:{echo.spec}",
                        "-R", f"{port}:{echo.spec}")
    assert lab.remote_ports(client) == [port]
    client.wait_for(f"refused to listen on port {other}")
    assert not os.path.exists(lab.path("l"))
    check_echo(lab.keep(connect(("127.0.0.1", port))))


def test_privileged_ports_need_a_rule(lab, ruled):
    echo = lab.echo()
    client = lab.client(ruled("default = allow"), "-R", f"1023:{echo.spec}")
    client.wait_for("refused to listen on port 1023")


def test_new_rules_judge_the_next_channel(lab, ruled):
    echo = lab.echo()
    server = ruled("default = allow")
    client = lab.client(server, "-D", "127.0.0.1:0")
    old = lab.keep(through(client.address, echo))
    lab.write("alknet.conf", "[forwarding]\ndefault = deny\n")
    server.signal(signal.SIGHUP)
    server.wait_for("msg=reloaded")
    assert reply(lab, client, echo.address, echo.port) == DENIED
    check_echo(old)  # what is open goes on


def test_permitopen_stays_in_force_besides(lab, ruled):
    echo, other = lab.echo(), lab.echo()
    server = ruled("default = allow", *rules(f"deny {other.spec}"),
                   authorized=[f'permitopen="{other.spec}" {lab.keys.public("user")}'])
    client = lab.client(server, "-D", "127.0.0.1:0")
    for target in (echo, other):
        assert reply(lab, client, target.address, target.port) == DENIED


def test_policy_test_explains_what_the_server_does(lab):
    path = lab.write("alknet.conf", "[forwarding]\ndefault = deny\nrule = deny 10.0.0.0/8\n"
                     "rule = allow *.example.com:443 principals=ops\n")
    ctl = [path_of("alknet-ctl"), "policy", "test", "--config", path]
    cases = (
        (("10.1.2.3:80",), 1, f"denied by {path}:3: deny 10.0.0.0/8"),
        (("a.example.com:443", "--scopes", "ops", "--resolves-to", "192.0.2.1"), 0,
         f"192.0.2.1: allowed by {path}:4"),
        (("a.example.com:443", "--scopes", "ops", "--resolves-to", "10.0.0.1"), 1,
         f"10.0.0.1: denied by {path}:3"),
        (("a.example.com:443", "--scopes", "ops"), 1, "depends on the name's addresses"),
        (("a.example.com:443",), 1, "no rule matches; the default decides"),
        (("a.example.com:443", "--rule", "allow *"), 1, "depends"),
        (("unix:/run/../x",), 2, "is no target"),
    )
    for args, status, expected in cases:
        code, said = lab.run("alknet-ctl", ctl + list(args))
        assert (code, expected in said) == (status, True), (args, code, said)
    code, said = lab.run("alknet-ctl", ctl + ["--json", "10.1.2.3:80"])
    found = json.loads(said[said.index("["):])
    assert found == [{"outcome": "denied", "rule": "deny 10.0.0.0/8", "file": path, "line": 3}]


def test_a_bad_rule_is_told_with_its_line(lab):
    path = lab.write("alknet.conf", "[forwarding]\nrule = allow 10.0.0.1/8\n")
    code, said = lab.run("alknet-ctl", [path_of("alknet-ctl"), "policy", "test", "--config", path,
                                        "a:1"])
    assert code == 1 and f"{path}:2" in said and "bits set" in said, said


def test_one_who_asks_for_dead_names_holds_up_nobody(lab, ruled):
    """Names that no server answers for, by the hundred; others connect by name meanwhile."""
    echo = lab.echo("127.0.0.1")
    server = ruled("default = allow", authorized=[lab.keys.public("user"), lab.keys.public("other")])
    greedy = lab.client(server, "-D", "127.0.0.1:0")
    modest = lab.client(server, "-D", "127.0.0.1:0", identity="other")
    for i in range(200):
        s = lab.keep(connect(greedy.address))
        name = f"dead-{i}.invalid".encode()
        s.sendall(b"\x05\x01\x00\x05\x01\x00\x03" + bytes([len(name)]) + name + b"\0\x50")
    s, code = socks5(modest.address, "localhost", echo.port, force_name=True)
    assert code == SUCCEEDED
    check_echo(lab.keep(s))
    wait_until(lambda: echo.accepted == 1, "the echo has been reached")
