"""alknet-ctl credential: what it writes is what alknet-ctl config check and Python's configparser
read, and what it takes out is what it put in."""
import configparser
import fcntl
import json
import os
import pty
import stat
import struct
import subprocess
from pathlib import Path

import pytest

from support.program import wait_until

CTL = Path(os.environ.get("ALK_BIN", "build/bin")).resolve() / "alknet-ctl"
BASE = "; mine\r\n[limits]\n\n max_channels = 7\n".replace(" max", "max")


def ctl(*args, stdin="", cwd=None):
    return subprocess.run([CTL, *map(str, args)], input=stdin, capture_output=True, text=True,
                          timeout=60, cwd=cwd, start_new_session=True)


def ok(result):
    assert result.returncode == 0, result.stderr
    return result.stdout


@pytest.fixture
def config(tmp_path):
    path = tmp_path / "alknet.conf"
    path.write_bytes(BASE.encode())
    path.chmod(0o640)
    return path


def add(config, name, *args, **options):
    return ctl("credential", "add", name, "--config", config, *args, **options)


def listed(config):
    result = ctl("credential", "list", "--config", config, "--json")
    return result.returncode, json.loads(result.stdout)


def read_with_python(text):
    parser = configparser.ConfigParser(interpolation=None, strict=True, comment_prefixes=(";", "#"))
    parser.read_string(text)
    return parser


def test_a_section_and_its_secret(config, tmp_path):
    ok(add(config, "mail", "--kind", "basic", "--set", "username=me, myself", "--secret",
           "password=-", "--expires", "2099-01-31", stdin="hunter2\n"))
    secret = tmp_path / "mail.password"
    assert secret.read_bytes() == b"hunter2\n"
    assert stat.S_IMODE(secret.stat().st_mode) == 0o600
    assert stat.S_IMODE(config.stat().st_mode) == 0o640
    assert config.read_bytes().startswith(BASE.encode() + b"\n[credential mail]\n")
    section = read_with_python(config.read_text())["credential mail"]
    assert dict(section) == {"kind": "basic", "username": "me, myself",
                             "password_file": "mail.password", "expires": "2099-01-31"}
    assert "in order" in ok(ctl("config", "check", "--server", config))
    code, entries = listed(config)
    assert code == 0 and entries == [{"name": "mail", "kind": "basic", "in_order": True,
                                      "expires": "2099-01-31T00:00:00Z",
                                      "files": [str(secret)]}]


def test_what_was_added_can_be_removed(config, tmp_path):
    (tmp_path / "s").write_text("hunter2")
    ok(add(config, "first", "--kind", "bearer", "--secret", f"token={tmp_path / 's'}"))
    with config.open("a") as f:
        f.write("; about a\n\n\n# the next\n[credential odd]\r\nkind = custom\n ; within\n"
                "field = pin s\n\n; behind\n[forwarding]\ndefault = deny")
    before = config.read_bytes()
    os.chmod(tmp_path / "s", 0o600)
    ok(add(config, "last", "--kind", "bearer", "--secret", "token=-", stdin="x"))
    said = ok(ctl("credential", "remove", "last", "--config", config))
    assert config.read_bytes() == before + b"\n\n" and str(tmp_path / "last.token") in said
    ok(ctl("credential", "remove", "odd", "--config", config))
    lines = b"[credential odd]\r\nkind = custom\n ; within\nfield = pin s\n"
    assert lines in before
    assert config.read_bytes() == before.replace(lines, b"") + b"\n\n"
    ok(ctl("credential", "remove", "first", "--config", config))
    assert b"credential" not in config.read_bytes()
    assert config.read_bytes().startswith(BASE.encode() + b"\n; about a\n\n\n# the next\n\n; behind")
    assert (tmp_path / "first.token").exists(), "secrets are not deleted"
    result = ctl("credential", "remove", "first", "--config", config)
    assert result.returncode == 1 and "no [credential first]" in result.stderr


def test_without_a_configuration_the_section_is_printed(tmp_path):
    said = ok(ctl("credential", "add", "b", "--kind", "s3", "--set", "access_key_id=AK", "--secret",
                  "secret_access_key=-", stdin="hunter2\r\n", cwd=tmp_path))
    section = read_with_python(said)["credential b"]
    path = Path(section["secret_access_key_file"])
    assert path.is_absolute() and path.read_text() == "hunter2\n"
    said = ok(ctl("credential", "add", "c", "--kind", "custom", "--secret", "pin=-", "--json",
                  "--folder", tmp_path, stdin="0000"))
    assert json.loads(said)["files"] == [str(tmp_path / "c.pin")] and "0000" not in said
    assert f"field = pin {tmp_path / 'c.pin'}" in json.loads(said)["section"]


def test_secrets_are_asked_for(config, tmp_path):
    child, terminal = pty.fork()
    if child == 0:
        os.execv(CTL, [CTL, "credential", "add", "mail", "--kind", "basic", "--set", "username=me",
                       "--config", config])
    said = b""
    try:
        while data := os.read(terminal, 4096):
            said += data
            if said.endswith(b": "):
                os.write(terminal, b"hunter2\n")
    except OSError:
        pass
    os.close(terminal)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0, said
    assert b"password: " in said and b"hunter2" not in said
    assert (tmp_path / "mail.password").read_text() == "hunter2\n"


@pytest.mark.parametrize("args, stdin, wanted", [
    (["mail", "--kind", "basic", "--secret", "password=-"], "x", "no username"),
    (["mail", "--kind", "bearer", "--set", "password=hunter2", "--secret", "token=-"], "x",
     "is a secret"),
    (["mail", "--kind", "bearer", "--secret", "token=-"], "", "token is empty"),
    (["mail", "--kind", "bearer", "--secret", "token=-"], "\0", "not text"),
    (["mail", "--kind", "bearer", "--secret", "token=-"], "x" * 8193, "8192 bytes"),
    (["mail", "--kind", "bearer", "--secret", "token=absent"], "", "absent"),
    (["mail", "--kind", "bearer"], "", "--secret token=FILE"),
    (["a/b", "--kind", "bearer", "--secret", "token=-"], "x", "wants a name"),
    (["mail", "--kind", "custom", "--secret", "../pin=-"], "x", "name of a field"),
    (["mail", "--kind", "bearer", "--secret", "../token=-"], "x", "no key"),
    (["mail", "--kind", "basic", "--set", "username=a ; b", "--secret", "password=-"], "x",
     "cannot hold"),
    (["mail", "--kind", "basic", "--set", "username=a\n[limits]", "--secret", "password=-"], "x",
     "no password_file"),
    (["mail", "--kind", "basic", "--set", "username=a\nregion = b", "--secret", "password=-"], "x",
     "no field region"),
    (["mail", "--kind", "bearer", "--expires", "soon", "--secret", "token=-"], "x", "expires wants"),
], ids=lambda value: value.replace(" ", "-")[:20] if isinstance(value, str) else None)
def test_what_is_refused_leaves_nothing_behind(config, tmp_path, args, stdin, wanted):
    result = add(config, *args, stdin=stdin, cwd=tmp_path)
    assert result.returncode == 1 and wanted in result.stderr, result.stderr
    assert config.read_bytes() == BASE.encode()
    assert os.listdir(tmp_path) == ["alknet.conf"]


def test_nothing_is_written_over(config, tmp_path):
    (tmp_path / "mail.token").write_text("precious")
    result = add(config, "mail", "--kind", "bearer", "--secret", "token=-", stdin="x")
    assert result.returncode == 1 and "mail.token" in result.stderr
    assert (tmp_path / "mail.token").read_text() == "precious"
    ok(add(config, "post", "--kind", "bearer", "--secret", "token=-", stdin="x"))
    before = config.read_bytes()
    os.remove(tmp_path / "post.token")
    result = add(config, "post", "--kind", "bearer", "--secret", "token=-", stdin="y")
    assert result.returncode == 1 and "is there already" in result.stderr
    assert config.read_bytes() == before and not (tmp_path / "post.token").exists()


def test_a_file_with_a_fault_is_left_alone(config):
    for fault in ("nonsense\n", "[credential a]\nkind = bearer\ntoken_file = \0\n"):
        config.write_bytes((BASE + fault).encode())
        for args in (["add", "mail", "--kind", "bearer", "--secret", "token=-"], ["remove", "a"],
                     ["list"]):
            result = ctl("credential", *args, "--config", config, stdin="x")
            assert result.returncode == 1 and str(config) in result.stderr
        assert config.read_bytes() == (BASE + fault).encode()


def test_a_link_stays_a_link(config, tmp_path):
    (tmp_path / "etc").mkdir()
    link = tmp_path / "etc" / "link.conf"
    link.symlink_to(config)
    ok(add(link, "mail", "--kind", "bearer", "--secret", "token=-", stdin="x"))
    assert link.is_symlink() and b"[credential mail]" in config.read_bytes()
    assert (tmp_path / "etc" / "mail.token").exists()
    assert listed(link)[0] == 0  # a path is taken from the folder of the name


def test_who_could_read_it_still_can(config):
    """An access control list: owner, nobody, group, mask, others; the mode shows the mask."""
    entries = ((1, 6, -1), (2, 4, 65534), (4, 0, -1), (0x10, 4, -1), (0x20, 0, -1))
    acl = struct.pack("<I", 2) + b"".join(struct.pack("<HHi", *entry) for entry in entries)
    os.setxattr(config, "system.posix_acl_access", acl)
    ok(add(config, "mail", "--kind", "bearer", "--secret", "token=-", stdin="x"))
    assert os.getxattr(config, "system.posix_acl_access") == acl
    assert stat.S_IMODE(config.stat().st_mode) == 0o640
    ok(ctl("credential", "remove", "mail", "--config", config))
    assert os.getxattr(config, "system.posix_acl_access") == acl


def test_of_two_at_once_one_is_told(config, tmp_path):
    """Somebody else is about to replace the file that has been read."""
    with config.open() as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        late = subprocess.Popen([CTL, "credential", "add", "mail", "--kind", "bearer", "--secret",
                                 "token=-", "--config", config], stdin=subprocess.PIPE,
                                stderr=subprocess.PIPE, text=True)
        late.stdin.write("x")
        late.stdin.close()
        waits = tmp_path / f"{config.name}.{late.pid}"
        wait_until(lambda: waits.exists() or late.poll() is not None, "it has written its own")
        (tmp_path / "other").write_text("; another\n")
        os.rename(tmp_path / "other", config)
    assert late.wait(timeout=60) == 1 and "somebody else" in late.stderr.read()
    assert config.read_text() == "; another\n"
    assert sorted(os.listdir(tmp_path)) == [config.name]


@pytest.mark.parametrize("form", [[], ["--json"]], ids=["text", "json"])
def test_a_section_that_nobody_gets_leaves_no_secret(tmp_path, form):
    with open("/dev/full", "w") as full:
        done = subprocess.run([CTL, "credential", "add", "mail", "--kind", "bearer", "--secret",
                               "token=-", *form], input="x", stdout=full, stderr=subprocess.PIPE,
                              text=True, timeout=60, cwd=tmp_path)
    assert done.returncode == 1 and "could not be printed" in done.stderr
    assert os.listdir(tmp_path) == []


def test_list_tells_what_is_wrong(config, tmp_path):
    ok(add(config, "old", "--kind", "bearer", "--secret", "token=-", "--expires", "2020-01-01",
           stdin="hunter2"))
    ok(add(config, "loose", "--kind", "bearer", "--secret", "token=-", stdin="hunter2"))
    ok(add(config, "good", "--kind", "bearer", "--secret", "token=-", stdin="hunter2"))
    os.chmod(tmp_path / "loose.token", 0o644)
    code, entries = listed(config)
    assert code == 1
    assert [e["in_order"] for e in entries] == [False, False, True]
    assert entries[0]["fault"] == "expired" and "chmod 600" in entries[1]["fault"]
    table = ctl("credential", "list", "--config", config)
    assert table.returncode == 1 and "hunter2" not in table.stdout
    assert [line.split()[0] for line in table.stdout.splitlines()] == ["NAME", "old", "loose", "good"]


@pytest.mark.parametrize("args", [
    [], ["show"], ["list"], ["remove", "x"], ["list", "x", "--config", "f"], ["add", "--kind", "s3"],
    ["add", "x"], ["add", "x", "--kind", "password"], ["add", "x", "y", "--kind", "s3"],
    ["list", "--config", "f", "--kind", "s3"], ["add", "x", "--kind", "basic", "--set", "username"],
    ["add", "x", "--kind", "custom", "--secret", "a=-", "--secret", "b=-"],
])
def test_wrong_usage(args):
    assert ctl("credential", *args).returncode == 2
