"""alknet-ctl secret, driven as people and scripts drive it.

ALK_BIN names the folder of the programs (default build/bin).
"""
import json
import os
import pty
import select
import subprocess

import pytest

CTL = os.path.join(os.environ.get("ALK_BIN", "build/bin"), "alknet-ctl")
PHRASE = "abandon " * 11 + "about"
IDENTITY = "m/74'/0'/0'/0'"


def ctl(*args, data=PHRASE, pass_fds=()):
    return subprocess.run([CTL, "secret", *args], input=data.encode() if isinstance(data, str) else data,
                          capture_output=True, timeout=30, pass_fds=pass_fds, check=False)


def ok(*args, **more):
    done = ctl(*args, **more)
    assert done.returncode == 0, done.stderr.decode()
    assert done.stderr == b""
    return done.stdout


def refused(status, *args, **more):
    done = ctl(*args, **more)
    assert done.returncode == status, (done.stdout, done.stderr)
    sentence = done.stderr.decode()
    assert sentence.count("\n") == 1 and sentence.startswith("alknet-ctl secret"), sentence
    return sentence


@pytest.fixture
def phrase_file(tmp_path):
    path = tmp_path / "phrase"
    path.write_text(PHRASE + "\n")
    path.chmod(0o600)
    return str(path)


@pytest.mark.parametrize("words", [12, 15, 18, 21, 24])
def test_new_makes_valid_phrases(words, tmp_path):
    phrase = ok("new", "--words", str(words), data="")
    assert len(phrase.split()) == words
    assert ok("validate", data=phrase) == f"valid: {words} words\n".encode()
    made = json.loads(ok("new", "--json", "--words", str(words), data=""))
    assert len(made["mnemonic"].split()) == words
    out = tmp_path / "new"
    assert ok("new", "--words", str(words), "--out", str(out), data="") == b""
    assert out.stat().st_mode & 0o777 == 0o600
    assert len(out.read_text().split()) == words
    assert "move it away" in refused(1, "new", "--out", str(out), data="")


def test_validate_names_the_nearest_word():
    bad = PHRASE.replace("about", "abuot")
    assert 'word 12 is not in the English BIP39 list; is it "about"?' in refused(1, "validate", data=bad)
    done = ctl("validate", "--json", data=bad)
    assert done.returncode == 1 and json.loads(done.stdout)["valid"] is False
    assert "checksum" in refused(1, "validate", data="abandon " * 12)


def test_derive_known_keys():
    key = json.loads(ok("derive", "--json", "--private", "--kind", "ethereum", "m/44'/60'/0'/0/0"))
    # the first Ethereum key of this phrase is widely published
    assert key["private"] == "1ab42cc412b618bdea3a599e3c9bae199ebf030895b039e9db1e30dafb12b727"
    plain = ok("derive", IDENTITY).decode()
    shown = json.loads(ok("derive", "--json", IDENTITY))
    assert f"public: {shown['public']}\n" in plain and "private" not in plain
    assert "private" not in shown
    assert ok("derive", "m/74h/0H/0'/0h").split()[-1] == shown["fingerprint"].encode()


def test_sources_of_the_phrase(phrase_file):
    want = ok("derive", IDENTITY)
    assert ok("derive", "--mnemonic-file", phrase_file, IDENTITY, data="") == want
    for text in (PHRASE + "\n", PHRASE.replace(" ", "\n"), PHRASE.replace(" ", "\u3000")):
        reader, writer = os.pipe()
        os.write(writer, text.encode())
        os.close(writer)
        assert ok("derive", "--mnemonic-fd", str(reader), IDENTITY, data="", pass_fds=[reader]) == want
        os.close(reader)


def test_a_phrase_that_others_can_read_is_warned_of(phrase_file):
    os.chmod(phrase_file, 0o640)
    done = ctl("validate", "--mnemonic-file", phrase_file, data="")
    assert (done.returncode, done.stdout) == (0, b"valid: 12 words\n")
    assert done.stderr.decode().endswith(f"run: chmod 600 {phrase_file}\n")


def test_passphrase_changes_the_keys_and_normalises(tmp_path):
    plain = ok("derive", IDENTITY)
    keys = []
    for text in ("caf\u00e9", "cafe\u0301\n"):
        path = tmp_path / "pass"
        path.write_text(text)
        keys.append(ok("derive", "--passphrase-file", str(path), IDENTITY))
    assert keys[0] == keys[1] != plain


def test_prompt_does_not_echo():
    child, terminal = pty.fork()
    if child == 0:
        os.execv(CTL, [CTL, "secret", "derive", "--passphrase", IDENTITY])
    seen = b""

    def until(text):
        nonlocal seen
        while text not in seen:
            assert select.select([terminal], [], [], 20)[0], f"no {text!r} in {seen!r}"
            try:
                got = os.read(terminal, 4096)
            except OSError:
                got = b""
            assert got, f"no {text!r} in {seen!r}"
            seen += got

    until(b"Mnemonic: ")
    os.write(terminal, b"wrong\x15" + PHRASE.encode() + b"x\x7f\r")
    until(b"Passphrase: ")
    os.write(terminal, b"pass\r")
    until(b"fingerprint: SHA256:")
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    os.close(terminal)
    assert b"abandon" not in seen and b"pass\r" not in seen


def test_password_is_stable():
    first = ok("password", "--site", "example.org")
    assert first == b"7FT/WC$J<<w'9qlh1yr|\n"  # docs/secret.md has it
    assert ok("password", "m/74'/1'/0'/1068221300'") == first
    shown = json.loads(ok("password", "--json", "--length", "8", "--site", "example.org"))
    assert len(shown["password"]) == shown["length"] == 8
    assert "8 to 128" in refused(2, "password", "--length", "7", "--site", "x")
    refused(2, "password")
    refused(2, "password", "--site", "x", IDENTITY)


def test_encrypt_decrypt_rotate(phrase_file, tmp_path):
    data = "sch\u00f6n \"quoted\"\n".encode()
    record = ok("encrypt", "--mnemonic-file", phrase_file, data=data)
    assert json.loads(record)["key_version"] == 1
    assert ok("decrypt", "--mnemonic-file", phrase_file, data=record) == data
    shown = ok("decrypt", "--json", "--mnemonic-file", phrase_file, data=record)
    assert json.loads(shown) == {"text": data.decode()}
    records = tmp_path / "records"
    records.write_bytes(record + ok("encrypt", "--mnemonic-file", phrase_file, data=b"\xff\x00two"))
    rotated = ok("rotate", "--to", "2", "--in", str(records)).splitlines()
    assert [json.loads(line)["key_version"] for line in rotated] == [2, 2]
    assert ok("decrypt", "--mnemonic-file", phrase_file, data=rotated[1]) == b"\xff\x00two"
    assert "not UTF-8" in refused(1, "decrypt", "--json", "--mnemonic-file", phrase_file, data=rotated[1])
    records.write_bytes(record + record.replace(b'"key_version":1', b'"key_version":3'))
    done = ctl("rotate", "--to", "2", "--in", str(records))
    assert done.returncode == 1 and done.stdout == b"" and b"line 2" in done.stderr


def test_rotate_takes_more_than_fits_memory_that_is_locked(phrase_file, tmp_path):
    text = os.urandom(1 << 20)
    record = ok("encrypt", "--mnemonic-file", phrase_file, data=text)
    records = tmp_path / "records"
    records.write_bytes(record * 13)
    rotated = ok("rotate", "--to", "2", "--in", str(records)).splitlines()
    assert len(rotated) == 13
    assert ok("decrypt", "--mnemonic-file", phrase_file, data=rotated[12]) == text


@pytest.mark.parametrize("case, sentence", [
    ("long", "line 2: too long"), ("NUL", "line 2: the record"), ("NUL in the middle", "line 2: the record")])
def test_rotate_names_the_line_that_is_no_record(phrase_file, tmp_path, case, sentence):
    record = ok("encrypt", "--mnemonic-file", phrase_file, data=b"text")
    second = {"long": b"x" * (1 << 21), "NUL": record.strip() + b"\0",
              "NUL in the middle": record.strip() + b"\0\n" + record}[case]
    records = tmp_path / "records"
    records.write_bytes(record + second)
    assert sentence in refused(1, "rotate", "--to", "2", "--in", str(records))


def test_a_nul_behind_a_record_is_not_overlooked(phrase_file):
    record = ok("encrypt", "--mnemonic-file", phrase_file, data=b"text")
    assert ok("decrypt", "--mnemonic-file", phrase_file, data=record + b" \r\n") == b"text"
    assert "does not open" in refused(1, "decrypt", "--mnemonic-file", phrase_file, data=record.strip() + b"\0")


def test_ssh_key_is_read_by_ssh_keygen(tmp_path):
    path = str(tmp_path / "key")
    line = ok("ssh-key", "--out", path, "--comment", "laptop").decode()
    assert os.stat(path).st_mode & 0o777 == 0o600
    assert (tmp_path / "key.pub").read_text() == line
    keygen = subprocess.run(["ssh-keygen", "-y", "-f", path], capture_output=True, check=True)
    assert keygen.stdout.decode() == line
    listed = subprocess.run(["ssh-keygen", "-l", "-f", path], capture_output=True, check=True)
    shown = json.loads(ok("ssh-key", "--json", "--public"))
    assert listed.stdout.split()[1].decode() == shown["fingerprint"]
    assert shown["fingerprint"] in ok("derive", IDENTITY).decode()
    assert ok("ssh-key", "--comment", "laptop") == open(path, "rb").read()


def test_ssh_key_writes_both_files_or_none(tmp_path):
    (tmp_path / "key.pub").write_text("somebody's\n")
    assert "move it away" in refused(1, "ssh-key", "--out", str(tmp_path / "key"))
    assert not (tmp_path / "key").exists()
    assert (tmp_path / "key.pub").read_text() == "somebody's\n"


@pytest.mark.parametrize("args", [
    ("derive",), ("derive", "m/0"), ("derive", "nonsense"), ("derive", "m/2147483648'"),
    ("derive", "--kind", "rsa", IDENTITY), ("derive", "--kind", "encryption", IDENTITY),
    ("derive", "--mnemonic", PHRASE, IDENTITY), ("derive", "--mnemonic=" + PHRASE, IDENTITY),
    ("derive", IDENTITY, PHRASE), ("new", "--words", "13"), ("new", "--words", "many"),
    ("encrypt",), ("rotate",), ("rotate", "--to", "0"), ("encrypt", "--key-version", "0", "--in", "/dev/null"),
    ("ssh-key", "--comment", "two\nlines"), ("validate", "--passphrase"), ("derive", "--mnemonic-file", "x", "--mnemonic-fd", "3", IDENTITY),
])
def test_wrong_usage(args):
    assert "abandon" not in refused(2, *args)


def test_a_site_without_its_option():
    assert "--site" in refused(2, "password", "example.org")


def test_unknown_commands_and_help():
    refused(2, "nonsense")
    assert ctl().returncode == 2
    for name in ("new", "validate", "derive", "password", "ssh-key", "encrypt", "decrypt", "rotate"):
        text = ok(name, "--help", data="").decode()
        assert text.startswith(f"usage: alknet-ctl secret {name}") and f"\n  alknet-ctl secret {name}" in text or \
            f"| alknet-ctl secret {name}" in text


def test_run_time_failures(tmp_path):
    assert "cannot open" in refused(1, "derive", "--mnemonic-file", str(tmp_path / "none"), IDENTITY)
    assert "not valid UTF-8" in refused(1, "validate", data=b"abandon \xff")
    assert "too long" in refused(1, "validate", data="a" * 5000)
    assert "1024 bytes" in refused(1, "validate", data="a" * 1025)


OUTPUTS = [["--help"], ["--version"], ["secret", "--help"], ["secret", "new"], ["secret", "new", "--help"],
           ["secret", "validate"], ["secret", "derive", IDENTITY], ["secret", "ssh-key", "--public"],
           ["secret", "encrypt", "--in", "/dev/null", "--mnemonic-fd", "0"]]


@pytest.mark.parametrize("lost", [">/dev/full", ">&-"])
@pytest.mark.parametrize("args", OUTPUTS, ids=" ".join)
def test_output_that_is_lost_is_a_failure(args, lost):
    done = subprocess.run(["sh", "-c", f'exec "$@" {lost}', "sh", CTL, *args], input=PHRASE.encode(),
                          stderr=subprocess.PIPE, timeout=30, check=False)
    assert done.returncode == 1 and b"cannot write standard output" in done.stderr, done.stderr
