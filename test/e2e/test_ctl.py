"""alknet-ctl keygen and fingerprint, judged by ssh-keygen."""

import json
import os
import pty
import subprocess
from pathlib import Path

import pytest

CTL = str(Path(os.environ.get("ALK_BIN", "build/bin")) / "alknet-ctl")


def run(*args, stdin=""):
    return subprocess.run(args, input=stdin, capture_output=True, text=True, timeout=60)


def ctl(*args, stdin=""):
    return run(CTL, *map(str, args), stdin=stdin)


def ok(result):
    assert result.returncode == 0, result.stderr
    return result.stdout


def ssh_keygen(*args):
    return ok(run("ssh-keygen", *map(str, args)))


def make_key(path, kind="ed25519", *options):
    ssh_keygen("-q", "-t", kind, "-N", "", "-C", f"{kind} comment", *options, "-f", path)
    return path


# ---- keygen ----


def test_keygen_writes_a_pair_that_ssh_keygen_reads(tmp_path):
    out = ok(ctl("keygen", "--no-passphrase", "-f", tmp_path / "key", "-C", "two words"))
    public = (tmp_path / "key.pub").read_text()
    assert ssh_keygen("-y", "-f", tmp_path / "key") == public
    assert public.split(None, 2)[2] == "two words\n"
    fingerprint = ssh_keygen("-l", "-f", tmp_path / "key.pub").split()[1]
    assert fingerprint in out and public in out
    assert (tmp_path / "key").stat().st_mode & 0o777 == 0o600


def test_keygen_makes_a_new_key_each_time(tmp_path):
    for name in "ab":
        ok(ctl("keygen", "--no-passphrase", "-f", tmp_path / name, "-C", "same"))
    assert (tmp_path / "a.pub").read_text() != (tmp_path / "b.pub").read_text()


def test_keygen_json(tmp_path):
    out = ok(ctl("keygen", "--no-passphrase", "--json", "-f", tmp_path / "key"))
    told = json.loads(out)
    assert told["private_file"] == str(tmp_path / "key")
    assert told["public_file"] == str(tmp_path / "key.pub")
    assert told["public_key"] + "\n" == (tmp_path / "key.pub").read_text()
    assert told["fingerprint"] == ssh_keygen("-l", "-f", tmp_path / "key").split()[1]


@pytest.mark.parametrize("taken", ["key", "key.pub"])
def test_keygen_never_overwrites(tmp_path, taken):
    (tmp_path / taken).write_text("precious")
    result = ctl("keygen", "--no-passphrase", "-f", tmp_path / "key")
    assert result.returncode == 1
    assert "already exists" in result.stderr
    assert (tmp_path / taken).read_text() == "precious"
    assert sorted(p.name for p in tmp_path.iterdir()) == [taken]


def test_keygen_encrypts_with_the_first_line_of_a_file(tmp_path):
    (tmp_path / "pass").write_text("correct horse\nsecond line\n")
    ok(ctl("keygen", "--passphrase-file", tmp_path / "pass", "-f", tmp_path / "key"))
    public = ssh_keygen("-y", "-P", "correct horse", "-f", tmp_path / "key")
    assert public.split()[1] == (tmp_path / "key.pub").read_text().split()[1]
    assert run("ssh-keygen", "-y", "-P", "", "-f", str(tmp_path / "key")).returncode != 0


def test_keygen_refuses_an_empty_passphrase_file(tmp_path):
    (tmp_path / "pass").write_text("\n")
    result = ctl("keygen", "--passphrase-file", tmp_path / "pass", "-f", tmp_path / "key")
    assert result.returncode == 1 and "empty" in result.stderr
    assert not (tmp_path / "key").exists()


def on_terminal(args, answers):
    """Runs a program on a terminal of its own, answering each prompt; output and exit code."""
    pid, fd = pty.fork()
    if pid == 0:
        os.execv(args[0], args)
    output = b""
    answers = list(answers)
    try:
        while data := os.read(fd, 4096):
            output += data
            if answers and output.endswith(b": "):
                os.write(fd, answers.pop(0).encode() + b"\n")
    except OSError:  # the terminal is gone: the program has ended
        pass
    os.close(fd)
    return output.decode(), os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def test_keygen_asks_twice_without_echo(tmp_path):
    output, code = on_terminal([CTL, "keygen", "-f", str(tmp_path / "key")], ["hush", "hush"])
    assert code == 0, output
    assert "hush" not in output
    assert ssh_keygen("-y", "-P", "hush", "-f", tmp_path / "key")


def test_keygen_refuses_two_passphrases_that_differ(tmp_path):
    output, code = on_terminal([CTL, "keygen", "-f", str(tmp_path / "key")], ["one", "other"])
    assert code == 1 and "differ" in output
    assert not (tmp_path / "key").exists()


def test_keygen_without_terminal_says_what_to_give(tmp_path):
    result = subprocess.run(
        [CTL, "keygen", "-f", str(tmp_path / "key")],
        capture_output=True, text=True, stdin=subprocess.DEVNULL, start_new_session=True,
    )
    assert result.returncode == 1 and "--no-passphrase" in result.stderr
    assert not (tmp_path / "key").exists()


# ---- fingerprint ----

KINDS = [("ed25519",), ("rsa", "-b", "2048"), ("rsa", "-b", "1025"), ("ecdsa", "-b", "256"),
         ("ecdsa", "-b", "384"), ("ecdsa", "-b", "521")]


@pytest.mark.parametrize("kind", KINDS, ids="-".join)
@pytest.mark.parametrize("half", ["", ".pub"])
def test_fingerprint_of_each_type_equals_ssh_keygen(tmp_path, kind, half):
    key = make_key(tmp_path / "key", *kind)
    assert ok(ctl("fingerprint", f"{key}{half}")) == ssh_keygen("-l", "-f", f"{key}{half}")


def test_fingerprint_of_a_locked_key_needs_no_passphrase(tmp_path):
    ssh_keygen("-q", "-t", "ed25519", "-N", "locked", "-C", "c", "-f", tmp_path / "key")
    expected = ssh_keygen("-l", "-f", tmp_path / "key.pub")
    assert ok(ctl("fingerprint", tmp_path / "key")) == expected
    (tmp_path / "key.pub").unlink()
    assert ok(ctl("fingerprint", tmp_path / "key")) == expected.replace(" c (", " no comment (")


def test_fingerprint_ignores_the_comment_of_another_key(tmp_path):
    make_key(tmp_path / "key")
    make_key(tmp_path / "other")
    (tmp_path / "other.pub").rename(tmp_path / "key.pub")
    assert " no comment (" in ok(ctl("fingerprint", tmp_path / "key"))


def test_fingerprint_of_authorized_keys_and_known_hosts(tmp_path):
    lines = ["# a comment", "", "junk line"]
    for i, prefix in enumerate(["", 'from="10.0.0.1, 10.0.0.2",restrict ', "host,10.1.2.3 ",
                                "[host]:2222 ", 'environment="A=\\"x y\\"" ']):
        key = make_key(tmp_path / f"k{i}")
        public = Path(f"{key}.pub").read_text().strip()
        lines.append(prefix + (public if i != 2 else " ".join(public.split()[:2])))
    (tmp_path / "all").write_text("\n".join(lines) + "\n")
    expected = ssh_keygen("-l", "-f", tmp_path / "all")
    assert expected.count("\n") == 5
    assert ok(ctl("fingerprint", tmp_path / "all")) == expected
    assert ok(ctl("fingerprint", "-", stdin=(tmp_path / "all").read_text())) == expected


def test_fingerprint_sees_lines_with_a_marker(tmp_path):
    public = Path(f"{make_key(tmp_path / 'key')}.pub").read_text()
    assert ok(ctl("fingerprint", "-", stdin=f"@revoked * {public}")) == \
        ssh_keygen("-l", "-f", tmp_path / "key.pub")


def test_fingerprint_json(tmp_path):
    public = Path(f"{make_key(tmp_path / 'key')}.pub").read_text()
    told = json.loads(ok(ctl("fingerprint", "--json", tmp_path / "key.pub")))
    expected = ssh_keygen("-l", "-f", tmp_path / "key.pub").split()[1]
    assert told == [{"bits": 256, "fingerprint": expected, "comment": public.split(None, 2)[2].strip(),
                     "type": "ED25519"}]


def test_fingerprint_sends_no_escape_sequence_to_the_terminal(tmp_path):
    public = Path(f"{make_key(tmp_path / 'key')}.pub").read_text()
    out = ok(ctl("fingerprint", "-", stdin=f"{public.strip()}\x1b]0;owned\x07\n"))
    assert "\x1b" not in out and "\x07" not in out
    assert "\\033]0;owned\\007" in out


@pytest.mark.parametrize("content, says", [
    ("", "holds no key"),
    ("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAA\n", "holds no key"),
    ("ssh-ed25519 !!!!\n", "holds no key"),
    ("-----BEGIN RSA PRIVATE KEY-----\n", "ssh-keygen -p"),
    ("-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n", "damaged"),
    ("-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----\n", "damaged"),
])
def test_fingerprint_of_nonsense_is_one_clear_error(tmp_path, content, says):
    (tmp_path / "file").write_text(content)
    result = ctl("fingerprint", tmp_path / "file")
    assert (result.returncode, result.stdout) == (1, "")
    assert says in result.stderr and result.stderr.count("\n") == 1


def test_fingerprint_of_an_endless_line_ends(tmp_path):
    result = ctl("fingerprint", "/dev/zero")
    assert (result.returncode, result.stdout) == (1, "")
    assert "line 1 of /dev/zero is too long" in result.stderr


# ---- all commands ----


@pytest.mark.parametrize("args", [
    [], ["nonsense"], ["keygen"], ["keygen", "--what"], ["keygen", "-f", "a", "b"],
    ["keygen", "-f", "a", "--no-passphrase", "--passphrase-file", "b"],
    ["fingerprint"], ["fingerprint", "a", "b"], ["fingerprint", "--what", "a"],
])
def test_wrong_usage_exits_2_and_points_to_help(args):
    result = ctl(*args)
    assert result.returncode == 2
    assert "--help" in result.stderr and result.stdout == ""


@pytest.mark.parametrize("args", [["--help"], ["keygen", "--help"], ["fingerprint", "--help"],
                                  ["--version"]])
def test_help_and_version(args):
    result = ctl(*args)
    assert result.returncode == 0 and "alknet-ctl" in result.stdout and result.stderr == ""
