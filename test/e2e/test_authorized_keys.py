"""authorized_keys end to end: options, reload, limits."""
import os
import signal
import subprocess

import pytest

from support.dial import DENIED, SUCCEEDED, check_echo, connect, socks5, through
from support.program import wait_until
from support.targets import free_port


@pytest.fixture
def with_options(lab):
    """Makes a server on which the user's key has these options."""
    def make(options, **more):
        return lab.server(authorized=[f"{options} {lab.keys.public('user')}"], **more)
    return make


def refuses(lab, server):
    code, said = lab.run("alknet-client", lab.client_argv(server))
    assert code == 1 and "does not accept" in said, said


@pytest.mark.parametrize("options", ["restrict", "no-port-forwarding", 'command="true"'])
def test_restricted_key_logs_in_but_forwards_nothing(lab, with_options, options):
    server = with_options(options)
    echo = lab.echo()
    client = lab.client(server, "-D", "127.0.0.1:0", "-R", f"0:{echo.spec}")
    s, code = socks5(client.address, echo.address, echo.port)
    s.close()
    assert code == DENIED
    client.wait_for("refused to listen")
    assert echo.accepted == 0


def test_restrict_with_forwarding_given_back(lab, with_options):
    client = lab.client(with_options("restrict,port-forwarding"), "-D", "127.0.0.1:0")
    check_echo(lab.keep(through(client.address, lab.echo())))


def test_permitopen(lab, with_options):
    allowed, other, path = lab.echo(), lab.echo(), lab.echo(lab.path("target"))
    server = with_options(f'permitopen="{allowed.spec}",permitopen="localhost:*"')
    client = lab.client(server, "-D", "127.0.0.1:0", "-L", f"{lab.path('in')}:{path.address}")
    check_echo(lab.keep(through(client.address, allowed)))
    s, code = socks5(client.address, "localhost", lab.echo("127.0.0.1").port)
    assert code == SUCCEEDED
    s.close()
    s, code = socks5(client.address, other.address, other.port)
    assert code == DENIED
    s.close()
    assert lab.keep(connect(lab.path("in"))).recv(1) == b""
    assert (other.accepted, path.accepted) == (0, 0)


def test_permitlisten(lab, with_options):
    allowed, other = free_port("127.0.0.1"), free_port("127.0.0.1")
    server = with_options(f'permitlisten="localhost:{allowed}"')
    echo = lab.echo()
    client = lab.client(server, "-R", f"{other}:{echo.spec}", "-R", f"{allowed}:{echo.spec}")
    assert lab.remote_ports(client) == [allowed]
    client.wait_for(f"refused to listen on port {other}")
    check_echo(lab.keep(connect(("127.0.0.1", allowed))))
    with pytest.raises(ConnectionRefusedError):
        connect(("127.0.0.1", other))


def test_from(lab, with_options):
    lab.client(with_options('from="127.0.0.0/8"'))
    refuses(lab, with_options('from="10.0.0.0/8,192.0.2.*"'))
    refuses(lab, with_options('from="127.0.0.0/8,!127.0.0.1"'))


def test_expiry(lab, with_options):
    lab.client(with_options('expiry-time="29990101"'))
    refuses(lab, with_options('expiry-time="20200101"'))


def test_unknown_option_and_other_key_types_are_named_and_skipped(lab):
    rsa = open(lab.keys.make("rsa", "rsa") + ".pub").read().strip()
    server = lab.server(authorized=[f"no-such-option {lab.keys.public('other')}", rsa, "nonsense",
                                    "# a comment", lab.keys.public("user")])
    lab.client(server)
    log = server.log()
    for line, word in ((1, "no-such-option"), (2, "ssh-rsa"), (3, "")):
        assert any(f"line {line}" in x or f"line={line}" in x and word in x
                   for x in log.splitlines()), f"expected a note on line {line} in:\n{log}"
    code, said = lab.run("alknet-client", lab.client_argv(server, identity="other"))
    assert code == 1, said


def test_refused_key_is_logged_once_with_its_fingerprint(lab):
    server = lab.server()
    lab.run("alknet-client", lab.client_argv(server, identity="other"))
    assert f"key_fingerprint={lab.keys.fingerprint('other')}" in server.log()
    assert "result=reject reason=unknown-key" in server.log()


def test_sighup_reloads(lab):
    server = lab.server()
    echo = lab.echo()
    old = lab.client(server, "-L", f"{lab.entry()}:{echo.spec}")
    check_echo(lab.keep(connect(old.address)))
    argv = lab.client_argv(server, identity="other")
    assert lab.run("alknet-client", argv)[0] == 1
    lab.write("authorized_keys", lab.keys.public("other") + "\n")
    server.signal(signal.SIGHUP)
    server.wait_for("msg=reloaded")
    lab.client(server, identity="other")
    refuses(lab, server)
    old.wait_for("msg=offline .*this key may no longer log in")  # its session has ended


def test_reload_that_fails_keeps_the_old_keys(lab):
    server = lab.server()
    lab.write("authorized_keys", lab.keys.public("other") + "\n", mode=0o666)
    server.signal(signal.SIGHUP)
    server.wait_for("reload failed")
    lab.client(server)


def test_max_connections_per_ip(lab):
    server = lab.server("--max-connections-per-ip", "2")
    first, _ = lab.client(server), lab.client(server)
    code, said = lab.run("alknet-client", lab.client_argv(server))
    assert code == 1, said
    server.wait_for('msg="connection rejected".*reason=max-connections-per-ip')
    first.stop()
    server.wait_for('msg="connection closed"')
    lab.client(server)


def test_max_auth_attempts(lab):
    server = lab.server("--max-auth-attempts", "2")
    agent = lab.path("agent")
    lab.start("ssh-agent", ["ssh-agent", "-D", "-a", agent], ours=False)
    wait_until(lambda: os.path.exists(agent), "the agent's socket")
    env = dict(os.environ, SSH_AUTH_SOCK=agent)
    for name in ("one", "two", "three", "user"):
        subprocess.run(["ssh-add", "-q", lab.keys.make(name)], check=True, env=env)
    code, said = lab.run("alknet-client", lab.client_argv(server, identity=None),
                         env={"SSH_AUTH_SOCK": agent, "HOME": lab.directory})
    assert code == 1, said
    assert server.log().count("result=reject") == 2, server.log()
    assert lab.keys.fingerprint("user") not in server.log()


def test_a_file_of_something_else_is_told_briefly(lab):
    server = lab.server(authorized=["nonsense"] * 50 + [lab.keys.public("user")] +
                        [f"pty {lab.keys.public('other')}"] * 30)
    lab.client(server)
    log = server.log()
    assert log.count("level=warn msg=authorized_keys line=") == 20
    assert "level=warn msg=authorized_keys more_lines=30 skipped=yes" in log
    assert log.count("level=info msg=authorized_keys line=") == 20
    assert "level=info msg=authorized_keys more_lines=10 skipped=no" in log
