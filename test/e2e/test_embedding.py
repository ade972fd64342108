"""What `make install` installs is enough to build a program: the examples are built against it
with pkg-config alone, and then carry bytes to each other."""

import hashlib
import json
import os
import shutil
import socket
import subprocess
import threading
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(os.environ.get("ALK_BIN", ROOT / "build/bin")).resolve()
SANITIZE = os.environ.get("SANITIZE", "")


def make(*args, **env):
    clean = {k: v for k, v in os.environ.items()
             if k not in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL", "DESTDIR", "PREFIX", "CFLAGS", "LDFLAGS")}
    result = subprocess.run(["make", *map(str, args)], cwd=ROOT, capture_output=True, text=True,
                            timeout=600, env={**clean, **env})
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.fixture(scope="module")
def prefix(tmp_path_factory):
    prefix = tmp_path_factory.mktemp("prefix")
    make("install", f"BUILD={BIN.parent}", f"PREFIX={prefix}")
    return prefix


@pytest.fixture(scope="module")
def examples(prefix, tmp_path_factory):
    out = tmp_path_factory.mktemp("examples")
    for file in [ROOT / "examples/Makefile", *(ROOT / "examples").glob("*.c")]:
        shutil.copy(file, out)  # away from the source tree
    flags = {"CFLAGS": "-g -Wall -Wextra -Werror"}
    if SANITIZE:
        flags = {k: f"{flags.get(k, '')} -fsanitize={SANITIZE}" for k in ("CFLAGS", "LDFLAGS")}
    make("-C", out, PKG_CONFIG_PATH=str(prefix / "lib/pkgconfig"), **flags)
    return out


class Hasher(threading.Thread):
    """A TCP server for one connection: answers with the digest of all it was sent."""

    def __init__(self):
        super().__init__(daemon=True)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.start()

    def run(self):
        connection, _ = self.listener.accept()
        with connection:
            digest = hashlib.sha256()
            while data := connection.recv(1 << 16):
                digest.update(data)
            connection.sendall(digest.hexdigest().encode())


@pytest.fixture
def server(examples, prefix, tmp_path):
    subprocess.run([prefix / "bin/alknet-ctl", "keygen", "--no-passphrase", "-f", tmp_path / "key"],
                   check=True, capture_output=True)
    process = subprocess.Popen([examples / "embedded_server", tmp_path / "key.pub"],
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    address, fingerprint = process.stdout.readline().split()
    host, port = address.rsplit(":", 1)
    yield [host, port, str(tmp_path / "key"), fingerprint]
    process.terminate()
    _, log = process.communicate(timeout=30)
    assert process.returncode == 0, log


def pipe(examples, server, port, data):
    return subprocess.run([examples / "pipe", *server, "127.0.0.1", str(port)], input=data,
                          capture_output=True, timeout=120)


def test_the_examples_carry_bytes_to_each_other(examples, server):
    data = os.urandom(1 << 20) * 8
    result = pipe(examples, server, Hasher().port, data)
    assert result.returncode == 0, result.stderr.decode()
    assert result.stdout.decode() == hashlib.sha256(data).hexdigest()


def test_the_pipe_tells_that_nobody_listens(examples, server):
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    result = pipe(examples, server, port, b"")
    assert result.returncode == 1
    assert b"could not connect" in result.stderr


def test_the_pipe_refuses_another_host_key(examples, server):
    result = pipe(examples, [*server[:3], "SHA256:" + "A" * 43], 1, b"")
    assert result.returncode == 1 and result.stdout == b""
    assert b"host key" in result.stderr


def test_the_call_graph_draws_what_the_documentation_shows(examples):
    with open(ROOT / "examples/callgraph.jsonl") as log:
        drawn = subprocess.run([examples / "callgraph"], stdin=log, capture_output=True, text=True)
    assert (drawn.returncode, drawn.stderr) == (0, "")
    assert drawn.stdout and drawn.stdout in (ROOT / "docs/flowgraph.md").read_text()
    with open(ROOT / "examples/callgraph.jsonl") as log:
        summary = subprocess.run([examples / "callgraph", "--summary"], stdin=log,
                                 capture_output=True, text=True)
    assert summary.returncode == 0 and json.loads(summary.stdout)


def test_destdir_only_moves_the_tree(prefix, tmp_path):
    make("install", f"BUILD={BIN.parent}", f"DESTDIR={tmp_path}", "PREFIX=/opt/alknet")

    def names(root):
        return sorted(str(p.relative_to(root)) for p in Path(root).rglob("*") if p.is_file())

    assert names(tmp_path / "opt/alknet") == names(prefix)
    config = (tmp_path / "opt/alknet/lib/pkgconfig/libalk-core.pc").read_text()
    assert "prefix=/opt/alknet\n" in config and str(tmp_path) not in config
