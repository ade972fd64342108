"""alknet-ctl token and api-key, judged by Python's cryptography, hashlib, and alknet-server --check."""
import base64
import hashlib
import json
import os
import re
import struct
import subprocess
import time
from pathlib import Path

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_ssh_public_key

BIN = Path(os.environ.get("ALK_BIN", "build/bin"))


def run(*args, stdin="", **env):
    return subprocess.run(list(map(str, args)), input=stdin, capture_output=True, text=True,
                          timeout=60, env={**os.environ, **env})


def ctl(*args, **options):
    return run(BIN / "alknet-ctl", *args, **options)


def ok(result):
    assert result.returncode == 0, result.stderr
    return result.stdout


@pytest.fixture
def key(tmp_path):
    ok(run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", tmp_path / "key"))
    return tmp_path / "key"


def raw_public(key):
    public = load_ssh_public_key(Path(f"{key}.pub").read_bytes())
    return public.public_bytes(Encoding.Raw, PublicFormat.Raw)


def decode(token):
    assert re.fullmatch("[A-Za-z0-9_-]+", token)
    return base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))


def verify(key, token):
    Ed25519PublicKey.from_public_bytes(raw_public(key)).verify(token[-64:], token[:-64])


def blob_of(public):
    return base64.b64decode(Path(public).read_text().split()[1])


# ---- tokens ----


def test_first_form(key):
    before = int(time.time())
    token = decode(ok(ctl("token", "-i", key)).strip())
    assert len(token) == 104
    assert token[:32] == hashlib.sha256(raw_public(key)).digest()
    assert before <= struct.unpack(">Q", token[32:40])[0] <= time.time()
    verify(key, token)
    with pytest.raises(InvalidSignature):
        verify(key, bytes([token[0] ^ 1]) + token[1:])


def test_second_form(key, tmp_path):
    ok(run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", tmp_path / "host"))
    told = json.loads(ok(ctl("token", "-i", key, "--audience", f"{tmp_path}/host.pub", "--json")))
    token = decode(told["token"])
    assert len(token) == 156 and token[:4] == b"alk2" and told["bound"] is True
    assert token[4:36] == hashlib.sha256(raw_public(key)).digest()
    assert struct.unpack(">Q", token[36:44])[0] == told["timestamp"]
    assert token[44:76] == hashlib.sha256(blob_of(f"{tmp_path}/host.pub")).digest()
    verify(key, token)
    again = ok(ctl("token", "-i", key, "--audience", "-",
                   stdin="# a comment\n" + (tmp_path / "host.pub").read_text())).strip()
    assert decode(again)[44:76] == token[44:76] and decode(again)[76:92] != token[76:92]


def test_an_encrypted_key(tmp_path):
    ok(run("ssh-keygen", "-q", "-t", "ed25519", "-N", "secret", "-f", tmp_path / "key"))
    token = ok(ctl("token", "-i", tmp_path / "key", ALKNET_IDENTITY_PASSPHRASE="secret"))
    verify(tmp_path / "key", decode(token.strip()))


@pytest.mark.parametrize("args, code, says", [
    (["token"], 2, "-i is missing"),
    (["token", "-i", "{key}", "more"], 2, "unexpected argument"),
    (["token", "-i", "{key}", "--audience", "SHA256:abc"], 2, "public host key"),
    (["token", "-i", "{key}", "--audience", "{key}"], 1, "not a public host key"),
    (["token", "-i", "{key}", "--audience", "/dev/null"], 1, "not a public host key"),
    (["token", "-i", "{key}.nowhere"], 1, "key.nowhere"),
    (["api-key"], 2, "api-key new"),
    (["api-key", "old"], 2, "api-key new"),
    (["api-key", "new", "--ttl", "30"], 2, "--ttl"),
    (["api-key", "new", "--ttl", "0d"], 2, "--ttl"),
    (["api-key", "new", "--ttl", "99999999999d"], 2, "--ttl"),
    (["api-key", "new", "--scopes", "a,,b"], 2, "scope"),
    (["api-key", "new", "--resources", "gitea"], 2, "type:name"),
    (["api-key", "new", "--name", "a b"], 2, "--name"),
    (["api-key", "new", "--description", "a ; b"], 2, "--description"),
    (["api-key", "new", "--description", "a\nb"], 2, "--description"),
])
def test_faults(key, args, code, says):
    result = ctl(*(arg.replace("{key}", str(key)) for arg in args))
    assert result.returncode == code
    assert says in result.stderr and result.stdout == ""


# ---- API keys ----


def test_the_hash_is_that_of_the_key():
    lines = ok(ctl("api-key", "new")).splitlines()
    key = lines[0]
    assert re.fullmatch("alk_[0-9A-Za-z]{8}_[0-9A-Za-z]{32}", key)
    assert f"hash = sha256:{hashlib.sha256(key.encode()).hexdigest()}" in lines
    assert f"[api_key {key[4:12]}]" in lines
    assert sum(key in line for line in lines) == 1


def test_json():
    told = json.loads(ok(ctl("api-key", "new", "--json", "--name", "x", "--scopes", "a,b", "--ttl", "1h")))
    assert sorted(told) == ["expires", "hash", "key", "name", "scopes"]
    assert told["hash"] == "sha256:" + hashlib.sha256(told["key"].encode()).hexdigest()
    until = time.mktime(time.strptime(told["expires"], "%Y-%m-%dT%H:%M:%SZ")) - time.timezone
    assert 3500 < until - time.time() <= 3600


def test_keys_differ():
    assert ok(ctl("api-key", "new")) != ok(ctl("api-key", "new"))


def test_the_section_is_one_that_the_server_takes(key, tmp_path):
    out = ok(ctl("api-key", "new", "--name", "dash.board", "--scopes", "relay:connect,metrics:read",
                 "--resources", "service:gitea", "--ttl", "30d", "--description", "for Bob's screen"))
    section = out[out.index("[api_key"):]
    (tmp_path / "authorized_keys").write_text("")
    file = tmp_path / "alknet.conf"
    file.write_text(f"[server]\nhost_key = {key}\n[listener a]\nlisten = 127.0.0.1:0\n"
                    f"[auth]\nauthorized_keys = {tmp_path}/authorized_keys\n"
                    f"[auth.token]\nenabled = yes\nreplay = deny\nrequire_audience = yes\n{section}")
    file.chmod(0o600)
    assert ok(run(BIN / "alknet-server", "--config", file, "--check")).strip() != ""
    file.write_text(file.read_text().replace("sha256:", "sha1:"))
    assert "hash" in run(BIN / "alknet-server", "--config", file, "--check").stderr
