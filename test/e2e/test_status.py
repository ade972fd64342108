"""What a server says of itself on its status socket, and alknet-ctl status of that."""
import json
import os
import signal
import socket
import stat
import threading

import pytest

from support.dial import check_echo, connect, through
from support.program import path_of, wait_until
from support.targets import listen_on


@pytest.fixture
def told(lab):
    """Asks; the document."""
    def ask():
        with socket.socket(socket.AF_UNIX) as s:
            s.settimeout(60)
            s.connect(lab.path("status"))
            text = b""
            while data := s.recv(65536):
                text += data
        return json.loads(text)
    return ask


def ctl(lab, *args):
    return lab.run("alknet-ctl", [path_of("alknet-ctl"), "status", *args])


def serve(lab, *lines, **options):
    path = lab.write("server.conf", "\n".join(("[server]", "status_socket = status", "workers = 3",
                                               *lines)) + "\n", mode=0o600)
    return lab.server("--config", path, **options)


def test_sessions_and_what_they_move(lab, told):
    server, echo = serve(lab), lab.echo()
    assert stat.S_IMODE(os.stat(lab.path("status")).st_mode) == 0o600
    first = told()
    assert (first["connections"], first["sessions"], first["identities"]) == (0, 0, [])
    assert len(first["workers"]) == 3 and first["pid"] == server.pid
    assert first["listeners"] == [{"address": server.address, "transport": "tcp",
                                   "stealth": False}]
    clients = [lab.client(server, "-D", "127.0.0.1:0") for _ in range(3)]
    streams = [lab.keep(through(client.address, echo)) for client in clients[:2]]
    for stream in streams:
        check_echo(stream)
    lab.keep(connect((server.host, server.port)))
    document = wait_until(lambda: (d := told())["unauthenticated"] == 1 and d, "it is counted")
    assert (document["connections"], document["sessions"]) == (4, 3)
    assert sum(worker["connections"] for worker in document["workers"]) == 4
    identity, = document["identities"]
    assert identity["id"] == lab.keys.fingerprint("user")
    assert (identity["sessions"], identity["channels"]) == (3, 2)
    assert identity["bytes_up"] == identity["bytes_down"] > 0
    assert document["memory"] > first["memory"] == 0
    before = identity["bytes_up"]
    streams[0].sendall(b"x" * 1000)
    assert len(streams[0].recv(1000, socket.MSG_WAITALL)) == 1000
    after = wait_until(lambda: (u := told()["identities"][0])["bytes_down"] >= before + 1000 and u,
                       "it is counted")
    assert after["bytes_up"] == after["bytes_down"] == before + 1000
    text = json.dumps(document)
    assert echo.address not in text and str(echo.port) not in text.replace(server.address, "")
    for client in clients:
        client.stop()
    last = wait_until(lambda: (d := told())["identities"] == [] and d, "they are gone")
    assert (last["connections"], last["sessions"], last["unauthenticated"]) == (1, 0, 1)


def test_addresses_that_are_shut_out(lab, told):
    server = serve(lab, "[limits]", "login_failures = 2", "penalty = 10m")
    for _ in range(3):
        code, _ = lab.run("alknet-client", lab.client_argv(server, identity="other"))
        assert code == 1
    penalty, = wait_until(lambda: (p := told()["penalties"]) and p[0]["failures"] == 3 and p,
                          "the failures are counted")
    assert penalty["address"] == "127.0.0.1" and 500 < penalty["left_s"] <= 600
    code, said = ctl(lab, "--socket", lab.path("status"))
    assert code == 0 and "127.0.0.1 " in said and "SHUT OUT FOR" in said


def test_reloads(lab, told):
    server = serve(lab)
    assert told()["reloads"] == {"done": 0, "failed": 0}
    server.signal(signal.SIGHUP)
    server.wait_for("msg=reloaded")
    assert told()["reloads"]["last_result"] == "done"
    path = lab.path("server.conf")
    secret = "[forwarding]\nrule = allow db.secret.test:99999\nrule = permit db.secret.test\n"
    for count, (text, reason) in enumerate((
            ("nonsense\n", f"{path}:1: the first of 1 fault; the log tells what to mend"),
            (secret, f"{path}:2: the first of 2 faults; the log tells what to mend"),
            ("[tls]\ncert = a\nkey = b\n", "cannot be put in force: ")), 1):
        lab.write("server.conf", text)
        server.signal(signal.SIGHUP)
        reloads = wait_until(lambda: (r := told()["reloads"])["failed"] == count and r, "it fails")
        assert (reloads["done"], reloads["last_result"]) == (1, "failed")
        assert reason in reloads["reason"] and "secret" not in reloads["reason"]
    assert reloads["reason"] in ctl(lab, "--socket", lab.path("status"))[1]
    os.unlink(path)
    server.signal(signal.SIGHUP)
    reloads = wait_until(lambda: (r := told()["reloads"])["failed"] == 4 and r, "it fails")
    assert reloads["reason"].startswith(f"{path} cannot be read: ")
    lab.write("server.conf", "[server]\nstatus_socket = status\nworkers = 3\n", mode=0o600)
    server.signal(signal.SIGHUP)
    reloads = wait_until(lambda: (r := told()["reloads"])["done"] == 2 and r, "it works again")
    assert "reason" not in reloads


def test_what_people_read(lab, told):
    server = serve(lab, "[listener more]", f"listen = unix:{lab.path('ssh')}")
    client = lab.client(server, "-D", "127.0.0.1:0")
    check_echo(lab.keep(through(client.address, lab.echo())))
    code, said = ctl(lab, "--socket", lab.path("status"))
    assert code == 0, said
    assert f"listens on {server.address}, tcp" in said and "1 connections, 0 not logged in" in said
    assert lab.keys.fingerprint("user") in said
    code, said = ctl(lab, "--socket", lab.path("status"), "--json")
    assert code == 0 and json.loads(said).keys() == told().keys()
    server.stop()
    assert not os.path.exists(lab.path("status"))
    code, said = ctl(lab, "--socket", lab.path("status"))
    assert code == 1 and "--status-socket" in said


def test_a_socket_that_was_left_behind_is_replaced(lab, told):
    serve(lab).kill()
    serve(lab)
    assert told()["sessions"] == 0


def test_no_place_for_a_socket(lab):
    argv = [path_of("alknet-server"), "--key", lab.keys.make("host"), "--authorized-keys",
            lab.write("keys", ""), "--listen", "127.0.0.1:0", "--status-socket"]
    for path, wanted in ((lab.path("no/such/folder"), "no/such/folder"), ("x" * 200, "107")):
        code, said = lab.run("alknet-server", argv + [path])
        assert code != 0 and wanted in said, said
    code, said = lab.run("alknet-server", argv + ["x" * 200, "--check"])
    assert code == 2 and "107" in said
    code, said = ctl(lab, "--socket", "x" * 200)
    assert code == 2


@pytest.mark.parametrize("answer", [b"SSH-2.0-x\r\n", b"[]", b'{"version": "1"}'])
def test_somebody_else_answers(lab, answer):
    code, said = asked_of(lab, answer)
    assert code == 1 and "not alknet-server" in said


def test_what_is_no_text_for_a_terminal(lab):
    code, said = asked_of(lab, json.dumps({"pid": 1, "version": "\x9b2J", "identities": [
        {"id": "\x1b[2J"}, {"id": "gr\u00fcn"}]}).encode())
    assert code == 0 and "alknet-server ?," in said and "gr\u00fcn" in said
    assert all(c.isprintable() for line in said.splitlines() for c in line)


def asked_of(lab, answer):
    """What alknet-ctl says when this is what it is told."""
    listener = lab.keep(listen_on(lab.path("other")))

    def tell():
        s, _ = listener.accept()
        with s:
            s.sendall(answer)
    other = threading.Thread(target=tell)
    other.start()
    code, said = ctl(lab, "--socket", lab.path("other"))
    other.join()
    return code, said
