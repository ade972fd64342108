"""Each way in which alknet-client ends: its exit status, as alknet-client(1) has it, and the one line that says why."""
import re
import signal
import socket

import pytest

from support import pki
from support.dial import check_echo
from support.program import path_of, wait_until
from support.targets import loopback, push_for_ever


def argv(lab, server, *args, identity="user"):
    """At the default level of logging."""
    return [a for a in lab.client_argv(server, *args, identity=identity)
            if a not in ("--log-level", lab.level)]


def nobody(lab):
    """A server that has gone."""
    server = lab.server()
    server.stop()
    return server


def deaf(lab):
    """An address whose queue of connections is full, so that no further one is answered."""
    listener = lab.keep(socket.socket())
    listener.bind((loopback(), 0))
    listener.listen(0)
    for _ in range(8):
        s = lab.keep(socket.socket())
        s.setblocking(False)
        s.connect_ex(listener.getsockname())
    server = lab.server()
    server.address = "{}:{}".format(*listener.getsockname())
    return server


def silent(lab):
    """Somebody who accepts the connection and never says a word."""
    server = lab.server()
    server.address = lab.serve(lambda s: s.recv(1 << 16) and s.recv(1)).spec
    return server


def web_server(lab):
    server = lab.server()
    server.address = lab.serve(lambda s: s.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")).spec
    return server


def tls_server(lab):
    ca = pki.authority(lab.directory)
    identity = pki.issue("server", ("localhost",), ca).write(lab.directory, "tls")
    return lab.server("--transport", "tls", "--tls-cert", identity.cert_path, "--tls-key",
                      identity.key_path)


def taken(lab):
    listener = lab.keep(socket.create_server((loopback(), 0)))
    return "{}:{}".format(*listener.getsockname())


# what is asked for -> exit status, the line; "" for none
ENDS = {
    "refused": (lambda lab: argv(lab, nobody(lab)), 1,
                r"cannot reach \S+ port \d+: connection refused"),
    "no answer": (lambda lab: argv(lab, deaf(lab), "--connect-timeout", "1"), 1,
                  r"cannot reach \S+ port \d+: timed out"),
    "no login in time": (lambda lab: argv(lab, silent(lab), "--connect-timeout", "1"), 1,
                         r"no login at \S+ port \d+: the login was not finished in time"),
    "no SSH": (lambda lab: argv(lab, web_server(lab)), 1, r"no login at \S+ port \d+: .*SSH.*"),
    "no TLS": (lambda lab: argv(lab, lab.server(), "--transport", "tls", "--tls-pin",
                                "sha256//" + "A" * 43 + "="), 1,
               r"no TLS connection with \S+ port \d+: .*; is it a TLS server\?"),
    "an untrusted certificate": (lambda lab: argv(lab, tls_server(lab), "--transport", "tls"), 1,
                                 r"no TLS connection with \S+ port \d+: .*"),
    "an unknown host key": (lambda lab: argv(lab, lab.server(), "--known-hosts",
                                             lab.path("none")), 1,
                            r"the host key of \S+ is not known: SHA256:\S+; compare .*"),
    "another host key": (lambda lab: argv(lab, server := lab.server(), "--known-hosts",
                                          lab.known_hosts(server.address, "other", "wrong")), 1,
                         r"the host key of \S+ has changed to SHA256:\S+: .*"),
    "another key than the pinned one": (lambda lab: argv(
        lab, lab.server(), "--host-key-fingerprint", lab.keys.fingerprint("other")), 1,
        r"\S+ has the host key SHA256:\S+, not the pinned SHA256:\S+: .*"),
    "a key that is not accepted": (lambda lab: argv(lab, lab.server(), identity="other"), 1,
                                   r"the server does not accept SHA256:\S+ for user root: .*"),
    "no key": (lambda lab: argv(lab, lab.server(), identity=None), 1,
               r"there is no key to log in with: .*"),
    "a key file that is not there": (lambda lab: argv(lab, lab.server(), "-i", lab.path("none"),
                                                      identity=None), 1, r".*/none.*"),
    "a proxy that is not there": (lambda lab: argv(lab, lab.server(), "--proxy",
                                                   f"socks5://{nobody(lab).address}"), 1,
                                  r"cannot reach \S+ port \d+: the proxy cannot be reached: "
                                  r"connection refused"),
    "a jump host that is not there": (lambda lab: argv(lab, lab.server(), "--jump",
                                                       nobody(lab).address), 1,
                                      r"jump host \S+: cannot reach \S+ port \d+: "
                                      r"connection refused"),
    "an address that is in use": (lambda lab: argv(lab, lab.server(), "-D", taken(lab)), 1,
                                  r"cannot listen on \S+: address already in use"),
    "a target that is not there": (lambda lab: argv(lab, lab.server(), "-W", nobody(lab).address),
                                   1, r"the server could not connect: connection refused"),
    "a target that is forbidden": (lambda lab: argv(lab, lab.server(
        authorized=["restrict " + lab.keys.public("user")]), "-W", taken(lab)), 1,
        r"the server could not connect: permission denied"),
    "a configuration with a fault": (lambda lab: argv(lab, lab.server(), "--config", lab.write(
        "conf", "[profile default]\nport = 1\n")), 1, r".*/conf:2: .*"),
    "a check": (lambda lab: argv(lab, nobody(lab), "--check"), 0, r"everything is in order"),
    "a check that fails": (lambda lab: argv(lab, nobody(lab), "--check", "-i", lab.path("none"),
                                            identity=None), 1, r".*/none.*"),
}
USAGE = [[], ["--no-such-option"], ["a", "b"], ["-D"], ["--connect-timeout", "0", "a"], ["@a"],
         ["-L", "1", "-i", "KEY", "a"], ["-W", "a", "a"], ["--transport", "udp", "a"],
         ["--profile", "none"], ["--tls-pin", "x", "a"], ["--jump", "", "a"], ["--proxy", "", "a"],
         ["--proxy", "ftp://a", "-i", "KEY", "a"]]


def lines(said):
    """What the program says besides that it is up."""
    return [line for line in said.splitlines()
            if not re.search(r": (listening on|connected to) ", line) and "msg=online" not in line]


@pytest.mark.parametrize("outcome", ENDS)
def test_end(lab, outcome):
    make, status, line = ENDS[outcome]
    code, said = lab.run("alknet-client", make(lab),
                         env={"SSH_AUTH_SOCK": "", "HOME": lab.directory})
    assert (code, len(lines(said))) == (status, 1), said
    assert re.fullmatch(f"alknet-client: {line}", lines(said)[0]), said


@pytest.mark.parametrize("args", USAGE, ids=" ".join)
def test_wrong_usage(lab, args):
    args = [lab.keys.make("user") if a == "KEY" else a for a in args]
    code, said = lab.run("alknet-client", [path_of("alknet-client"), *args],
                         env={"SSH_AUTH_SOCK": "", "HOME": lab.directory, "ALKNET_SERVER": ""})
    assert code == 2 and len(said.splitlines()) == 2, said
    assert said.splitlines()[1] == "Try 'alknet-client --help'."


@pytest.mark.parametrize("option", ["--help", "--version"])
def test_information(lab, option):
    assert lab.run("alknet-client", [path_of("alknet-client"), option])[0] == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_signal(lab, number):
    online, waiting = lab.client(lab.server()), lab.start("alknet-client", argv(lab, silent(lab)))
    wait_until(lambda: lab.targets[-1].accepted, "a connection")
    for client in (online, waiting):
        client.signal(number)
        assert client.wait() == 0
    assert lines(waiting.log()) == []


def test_signal_while_offline(lab):
    server = lab.server()
    client = lab.client(server)
    server.kill()
    client.wait_for("msg=offline")
    client.signal(signal.SIGTERM)
    assert client.wait() == 0


def test_the_connection_of_stdio_ends(lab):
    client, s = lab.stdio("alknet-client", argv(lab, lab.server(), "-W", lab.echo().spec))
    check_echo(s)
    s.shutdown(socket.SHUT_WR)
    assert client.wait() == 0 and client.log() == ""


def test_the_connection_of_stdio_is_lost(lab):
    server = lab.server()
    client, s = lab.stdio("alknet-client",
                          argv(lab, server, "-W", lab.serve(push_for_ever).spec))
    assert s.recv(1)
    server.kill()
    while s.recv(1 << 18):
        pass
    assert client.wait() == 1
    assert "alknet-client: the connection to the server was lost" in client.log().splitlines()
