"""What goes wrong is said in one sentence that names the mend, with the right exit status."""
import fcntl
import os
import re
import socket
import subprocess

import pytest

from support.program import path_of, wait_until
from support.suite import both_engines
from support.targets import listen_on

RUN, USAGE = 1, 2


def sentence_of(program, said):
    """The one line of the program itself; a hint to --help may follow it."""
    lines = [line for line in said.splitlines() if line.startswith(program + ": ")]
    others = [line for line in said.splitlines()
              if not line.startswith((program + ": ", "Try '", "level="))]
    assert len(lines) == 1 and not others, f"expected one sentence, got:\n{said}"
    return lines[0]


def check(lab, argv, status, *words, **options):
    """Runs a program that must fail with status and a sentence that holds all words."""
    code, said = lab.run(os.path.basename(argv[0]), argv, **options)
    sentence = sentence_of(os.path.basename(argv[0]), said)
    assert code == status, f"expected exit status {status}, got {code}: {said}"
    for word in words:
        assert re.search(word, sentence), f"expected {word!r} in: {sentence}"


@pytest.fixture
def server_argv(lab):
    authorized = lab.write("authorized_keys", lab.keys.public("user") + "\n")

    def make(*args, key=None, authorized=authorized):
        return [path_of("alknet-server"), "--key", key or lab.keys.make("host"),
                "--authorized-keys", authorized, "--listen", "127.0.0.1:0", *args]
    return make


# ---- the client ----
@both_engines
def test_unknown_host_key(lab):
    server = lab.server()
    nobody = lab.write("nobody", "")
    argv = lab.client_argv(server, "--known-hosts", nobody)
    check(lab, argv, RUN, re.escape(server.fingerprint), "--accept-new", "--host-key-fingerprint")
    argv = lab.client_argv(server, "--known-hosts", lab.path("not there"))
    check(lab, argv, RUN, re.escape(server.fingerprint), "--accept-new")


@both_engines
def test_changed_host_key(lab):
    server = lab.server()
    wrong = lab.known_hosts(server.address, "other", "wrong")
    for more in ((), ("--accept-new",)):
        argv = lab.client_argv(server, "--known-hosts", wrong, *more)
        check(lab, argv, RUN, "changed", re.escape(server.fingerprint), "remove line 1 of", "wrong")


@both_engines
def test_revoked_host_key(lab):
    server = lab.server()
    hosts = lab.write("revoked", f"@revoked * {lab.keys.public('host')}\n")
    check(lab, lab.client_argv(server, "--known-hosts", hosts, "--accept-new"), RUN, "revoked",
          "line 1")


@both_engines
def test_pinned_host_key_that_differs(lab):
    server = lab.server()
    other = lab.keys.fingerprint("other")
    argv = lab.client_argv(server, "--host-key-fingerprint", other)
    check(lab, argv, RUN, "pinned", re.escape(other), re.escape(server.fingerprint))


@both_engines
def test_key_that_is_not_authorised(lab):
    server = lab.server()
    check(lab, lab.client_argv(server, identity="other"), RUN,
          re.escape(lab.keys.fingerprint("other")), "authorized_keys")


def test_private_key_that_others_can_read(lab, server_argv):
    path = lab.write("loose", open(lab.keys.make("user")).read(), mode=0o644)
    server = lab.server()
    argv = lab.client_argv(server, "--identity", path, identity=None)
    check(lab, argv, RUN, "chmod", re.escape(path))
    check(lab, server_argv(key=path), RUN, "chmod", re.escape(path))


def test_private_key_that_is_missing_or_no_file(lab, server_argv):
    server = lab.server()
    for path, word in ((lab.path("absent"), "absent"), (lab.directory, "folder|directory|regular")):
        argv = lab.client_argv(server, "--identity", path, identity=None)
        check(lab, argv, RUN, word)
        check(lab, server_argv(key=path), RUN, word)


def test_rsa_key(lab, server_argv):
    path = lab.keys.make("rsa", "rsa")
    argv = lab.client_argv(lab.server(), "--identity", path, identity=None)
    check(lab, argv, RUN, "(?i)rsa", "(?i)ed25519")
    check(lab, server_argv(key=path), RUN, "(?i)rsa", "(?i)ed25519")


def test_damaged_private_key(lab, server_argv):
    text = open(lab.keys.make("user")).read()
    path = lab.write("damaged", text[:len(text) // 2] + text[-40:])
    check(lab, lab.client_argv(lab.server(), "--identity", path, identity=None), RUN, "damaged")
    check(lab, server_argv(key=path), RUN, "damaged")


def test_encrypted_key_without_a_way_to_ask(lab):
    path = lab.keys.make("locked", passphrase="open sesame")
    argv = lab.client_argv(lab.server(), "--identity", path, identity=None)
    check(lab, argv, RUN, "passphrase", start_new_session=True)
    check(lab, argv, RUN, "passphrase", env={"ALKNET_IDENTITY_PASSPHRASE": "wrong"},
          start_new_session=True)


@both_engines
def test_no_key_at_all(lab):
    argv = lab.client_argv(lab.server(), identity=None)
    check(lab, argv, RUN, "--identity", env={"HOME": lab.directory, "SSH_AUTH_SOCK": ""})


def test_unresolvable_server(lab):
    name = "n" * 64 + ".invalid"
    argv = lab.client_argv(lab.server())[:-1] + [f"root@{name}:22"]
    check(lab, argv, RUN, "cannot reach", name, "resolv|no such name|name")


def test_server_that_is_not_there(lab):
    server = lab.server()
    server.kill()
    check(lab, lab.client_argv(server), RUN, "cannot reach", "refused")


@both_engines
def test_peer_that_does_not_speak_ssh(lab):
    web = lab.serve(lambda c: c.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n"), "127.0.0.1")
    server = lab.server()
    server.address = f"127.0.0.1:{web.port}"
    lab.destinations.clear()  # here the target is the server
    check(lab, lab.client_argv(server), RUN, "SSH|identif|closed")


def test_local_port_in_use(lab):
    server = lab.server()
    taken = lab.keep(listen_on("127.0.0.1"))
    port = taken.getsockname()[1]
    for args in (("-D", f"127.0.0.1:{port}"), ("-L", f"{port}:127.0.0.1:1"),
                 ("--http-proxy", f"127.0.0.1:{port}")):
        check(lab, lab.client_argv(server, *args), RUN, str(port), "in use")


@both_engines
def test_remote_port_in_use(lab):
    taken = lab.keep(listen_on("127.0.0.1"))
    port = taken.getsockname()[1]
    client = lab.client(lab.server(), "-R", f"{port}:{lab.echo().spec}")
    client.wait_for(f"refused to listen on port {port}: .*in use")
    taken.close()
    assert lab.remote_ports(client) == [port], "it is tried again"


@pytest.mark.parametrize("args", [
    ["--no-such-flag"], ["--keepalive", "soon"], ["--keepalive"], ["-L", "80"], ["-L", "0:a:1"],
    ["-R", "x:y:z"], ["-D", "nowhere"], ["--host-key-fingerprint", "abc"], ["--log-level", "loud"],
    ["-W", "no port"], ["one", "two"], ["--connect-timeout", "0"],
    ["--socks5", "none", "--socks5-user", "a:b"], ["--socks5-user", "a:"], ["--socks5-user", ":b"],
    ["--ipv4", "--ipv6"], ["--ipv4", "--bind-address", "::1"],
    ["--ipv6", "--bind-address", "127.0.0.1"], ["--bind-address", "nope"], ["--bind-address", ""],
    ["--identity", ""], ["-D", ""], ["--proxy", ""],
])
def test_wrong_usage_of_the_client(lab, args):
    code, said = lab.run("alknet-client", [path_of("alknet-client"), "--identity",
                                           lab.keys.make("user"), "a.invalid"] + args)
    assert code == USAGE, f"expected {USAGE}, got {code}: {said}"
    assert said.startswith(("alknet-client: ", path_of("alknet-client"))) and "--help" in said, said
    assert len(said.splitlines()) == 2, said


@pytest.mark.parametrize("args", [
    ["socks5://me:hunter2@a.invalid"], ["http://me:hunter2@a.invalid:3128"], ["me:hunter2@"],
    ["a.invalid", "socks5://me:hunter2@a.invalid"], ["--server", "socks5://me:hunter2@b.invalid"],
    ["-D", "socks5://me:hunter2@127.0.0.1:1", "a.invalid"],
    ["-L", "me:hunter2@a.invalid:80", "a.invalid"],
])
def test_a_password_in_the_wrong_place_is_not_repeated(lab, args):
    code, said = lab.run("alknet-client", [path_of("alknet-client"), "--identity",
                                           lab.keys.make("user")] + args)
    assert code == USAGE and "hunter2" not in said and "--help" in said, said


@pytest.mark.parametrize("args", [
    ["-D", "127.0.0.1:65536"], ["-L", "70000:a.invalid:1"], ["-L", "1:a.invalid:70000"],
    ["-L", "127.0.0.1:123456:a.invalid:1"], ["a.invalid:70000"], ["-W", "a.invalid:70000"],
])
def test_a_port_that_is_too_high(lab, args):
    server = [] if args[0].startswith("a.") else ["b.invalid"]
    code, said = lab.run("alknet-client", [path_of("alknet-client"), "--identity",
                                           lab.keys.make("user")] + args + server)
    assert code == USAGE and "65535" in said, said


# ---- the server ----

def test_log_that_nobody_reads_stops_nothing(lab, server_argv):
    ours, theirs = os.pipe()
    os.set_blocking(ours, False)
    fcntl.fcntl(theirs, fcntl.F_SETPIPE_SZ, 4096)
    server = subprocess.Popen(server_argv(), stderr=theirs)
    os.close(theirs)

    def said():
        try:
            return os.read(ours, 65536).decode()
        except BlockingIOError:
            return ""

    def greets():
        with socket.create_connection((host, int(port)), timeout=20) as s:
            assert s.recv(8) == b"SSH-2.0-"
        return True
    try:
        host, port = re.search(r"on (\S+):(\d+),", wait_until(said, "it is ready")).groups()
        for _ in range(100):  # some 20 KiB of log
            greets()
        said()
        wait_until(lambda: greets() and "lines_dropped_before=" in said(), "it tells of the gap")
    finally:
        server.terminate()
        assert server.wait(20) == 0
        os.close(ours)


def test_port_in_use(lab, server_argv):
    taken = lab.keep(listen_on("127.0.0.1"))
    port = taken.getsockname()[1]
    check(lab, server_argv("--listen", f"127.0.0.1:{port}"), RUN, f"127.0.0.1:{port}", "in use")


def test_address_of_another_machine(lab, server_argv):
    check(lab, server_argv("--listen", "192.0.2.1:0"), RUN, "192.0.2.1", "not available|assign")


def test_authorized_keys_missing_or_loose(lab, server_argv):
    check(lab, server_argv(authorized=lab.path("absent")), RUN, "absent")
    loose = lab.write("loose", lab.keys.public("user") + "\n", mode=0o666)
    check(lab, server_argv(authorized=loose), RUN, "loose", "chmod|writ")


@pytest.mark.parametrize("args", [
    ["--no-such-flag"], ["--workers", "none"], ["--listen", "here"], ["--listen", "127.0.0.1:x"],
    ["--log-level", "loud"], ["more"], ["--max-auth-attempts", "0"], ["--transport", "tls"],
    ["--tls-cert", "c"], ["--user", ""], ["--key", ""], ["--listen", "127.0.0.1:70000"],
])
def test_wrong_usage_of_the_server(lab, server_argv, args):
    code, said = lab.run("alknet-server", server_argv(*args))
    assert code == USAGE, f"expected {USAGE}, got {code}: {said}"
    assert len(said.splitlines()) <= 2 and said, said


def test_missing_arguments(lab):
    for program, word in (("alknet-server", "--key is missing"), ("alknet-client", "no server")):
        code, said = lab.run(program, [path_of(program)], env={"ALKNET_SERVER": ""})
        assert (code, word in said) == (USAGE, True), said


# ---- --check ----

def test_check_says_yes_and_changes_nothing(lab, server_argv):
    absent = lab.path("new_host_key")
    before = sorted(os.listdir(lab.directory))
    code, said = lab.run("alknet-server", server_argv("--check", "--generate-key", key=absent))
    assert (code, "in order" in said) == (0, True), said
    server = lab.server()
    code, said = lab.run("alknet-client", lab.client_argv(server, "--check"))
    assert (code, "in order" in said) == (0, True), said
    assert not os.path.exists(absent)
    assert "connection opened" not in server.log()
    assert before == sorted(f for f in os.listdir(lab.directory)
                            if not f.endswith(".log") and not f.startswith("known_hosts"))


def test_check_beside_the_running_program(lab, server_argv):
    server = lab.server()
    code, said = lab.run("alknet-server", server_argv("--check", "--listen", f"127.0.0.1:{server.port}"))
    assert (code, "in order" in said) == (0, True), said
    client = lab.client(server, "-D", "127.0.0.1:0")
    code, said = lab.run("alknet-client", lab.client_argv(server, "--check", "-D", client.address))
    assert (code, "in order" in said) == (0, True), said


def test_check_says_no(lab, server_argv):
    check(lab, server_argv("--check", key=lab.path("absent")), RUN, "absent")
    check(lab, lab.client_argv(lab.server(), "--check", "--identity", lab.path("gone"),
                               identity=None), RUN, "gone")


def test_generated_host_key_is_kept(lab, server_argv):
    path = lab.path("generated")
    prints = []
    for _ in range(2):
        server = lab.start("alknet-server", server_argv("--generate-key", key=path))
        prints.append(server.wait_for(r"host key (SHA256:\S+)")[1])
        assert server.stop() == 0
    assert prints[0] == prints[1]
    assert os.stat(path).st_mode & 0o777 == 0o600
