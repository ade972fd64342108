"""Keys that come from a mnemonic, at work: in files for OpenSSH, and inside alknet-server and alknet-client.

ALK_BIN names the folder of the programs (default build/bin).
"""
import contextlib
import getpass
import hashlib
import http.server
import json
import os
import pty
import re
import select
import shlex
import signal
import subprocess
import threading

import pytest

BIN = os.environ.get("ALK_BIN", "build/bin")
CTL, SERVER, CLIENT = (os.path.join(BIN, "alknet-" + name) for name in ("ctl", "server", "client"))
PHRASE = "legal winner thank year wave sausage worth useful legal winner thank yellow"
PASSPHRASE = "caf\u00e9"
IDENTITY, HOST_KEY = "m/74'/0'/0'/0'", "m/74'/0'/1'/0'"
BODY = os.urandom(300000)


def ssh_key(path, *args, passphrase=None):
    """What alknet-ctl secret ssh-key --json tells of a key."""
    command = [CTL, "secret", "ssh-key", "--json", *args, path]
    with contextlib.ExitStack() as opened:
        reader = opened.enter_context(secret_pipe(passphrase))
        if passphrase:
            command += ["--passphrase-fd", str(reader)]
        done = subprocess.run(command, input=PHRASE.encode(), pass_fds=[reader], capture_output=True,
                              timeout=30, check=True)
    return json.loads(done.stdout)


@contextlib.contextmanager
def secret_pipe(text):
    """The reading end of a pipe that holds a text."""
    reader, writer = os.pipe()
    os.write(writer, (text or "").encode())
    os.close(writer)
    try:
        yield reader
    finally:
        os.close(reader)


@contextlib.contextmanager
def running(command, ready, fds=(), env=None):
    """A program until its line `ready` on standard error; stopped by SIGTERM, which must end it well."""
    process = subprocess.Popen(command, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, pass_fds=fds,
                               env={**os.environ, **(env or {})}, text=True)
    said = ""
    watchdog = threading.Timer(30, process.kill)
    watchdog.start()
    try:
        for line in process.stderr:
            said += line
            match = re.search(ready, line)
            if match:
                break
        else:
            pytest.fail(f"{command[0]} ended before {ready!r}; it said:\n{said}")
        watchdog.cancel()
        drain = threading.Thread(target=process.stderr.read, daemon=True)
        drain.start()
        yield process, match
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=20) == 0
    finally:
        watchdog.cancel()
        if process.poll() is None:
            process.kill()
            process.wait()


def server(authorized_keys, *options, fds=(), env=None):
    command = [SERVER, "--authorized-keys", str(authorized_keys), "--listen", "127.0.0.1:0", *options]
    return running(command, r"listening on 127\.0\.0\.1:(\d+), host key (SHA256:\S+)", fds, env)


def client(port, fingerprint, *options, fds=(), env=None):
    command = [CLIENT, "--socks5", "127.0.0.1:0", "--host-key-fingerprint", fingerprint, *options,
               f"tester@127.0.0.1:{port}"]
    # the SOCKS port comes before "connected to"
    return running(command, r"listening on 127\.0\.0\.1:(\d+)", fds, env)


@pytest.fixture
def website():
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.send_header("Content-Length", str(len(BODY)))
            self.end_headers()
            self.wfile.write(BODY)

        def log_message(self, *args):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as httpd:
        threading.Thread(target=httpd.serve_forever, daemon=True).start()
        yield httpd.server_address[1]
        httpd.shutdown()


@pytest.fixture
def identity(tmp_path):
    """The file that ssh-key writes, and beside it authorized_keys with its public key."""
    shown = ssh_key(IDENTITY, "--out", str(tmp_path / "identity"), "--comment", "laptop")
    (tmp_path / "authorized_keys").write_text(shown["public_key"] + "\n")
    return tmp_path / "identity"


def same_bytes(got):
    assert hashlib.sha256(got).hexdigest() == hashlib.sha256(BODY).hexdigest(), f"{len(got)} of {len(BODY)} bytes"


def fetch(socks_port, web_port):
    done = subprocess.run(["curl", "-sS", "--max-time", "30", "--socks5-hostname", f"127.0.0.1:{socks_port}",
                           f"http://127.0.0.1:{web_port}/"], capture_output=True, timeout=40, check=False)
    assert done.returncode == 0, done.stderr
    same_bytes(done.stdout)


def ssh(identity, *args, **more):
    return subprocess.run(["ssh", "-F", "none", "-i", str(identity), "-o", "IdentitiesOnly=yes", "-o", "BatchMode=yes",
                           "-o", "IdentityAgent=none", "-o", "StrictHostKeyChecking=no",
                           "-o", "UserKnownHostsFile=/dev/null", "-o", "LogLevel=ERROR", *args],
                          capture_output=True, timeout=40, check=False, **more)


def test_openssh_logs_in_to_the_server_with_the_written_key(identity, website, tmp_path):
    host_key = tmp_path / "host_key"
    ssh_key(HOST_KEY, "--out", str(host_key))
    with server(tmp_path / "authorized_keys", "--key", str(host_key)) as (_, ready):
        done = ssh(identity, "-p", ready[1], "-W", f"127.0.0.1:{website}", "tester@127.0.0.1",
                   input=b"GET / HTTP/1.0\r\n\r\n")
        assert done.returncode == 0, done.stderr
        same_bytes(done.stdout.partition(b"\r\n\r\n")[2])
        stranger = tmp_path / "stranger"
        ssh_key("m/74'/0'/0'/1'", "--out", str(stranger))
        refused = ssh(stranger, "-p", ready[1], "-W", f"127.0.0.1:{website}", "tester@127.0.0.1", input=b"")
        assert refused.returncode == 255 and b"Permission denied" in refused.stderr, refused.stderr


def test_openssh_logs_in_to_sshd_with_the_written_key(identity, tmp_path):
    host_key = tmp_path / "host_key"
    shown = ssh_key(HOST_KEY, "--out", str(host_key))
    config = tmp_path / "sshd_config"
    config.write_text(f"HostKey {host_key}\nAuthorizedKeysFile {tmp_path}/authorized_keys\nUsePAM no\nStrictModes no\n"
                      "PasswordAuthentication no\nKbdInteractiveAuthentication no\nPermitRootLogin yes\n"
                      "PidFile none\n")
    if os.geteuid() == 0:
        os.makedirs("/run/sshd", mode=0o755, exist_ok=True)
    # sshd serves the one connection on its standard input and output
    proxy = f"ProxyCommand=/usr/sbin/sshd -i -e -f {shlex.quote(str(config))}"
    known = tmp_path / "known_hosts"
    known.write_text("through-a-pipe " + " ".join(shown["public_key"].split()[:2]) + "\n")
    done = subprocess.run(["ssh", "-F", "none", "-i", str(identity), "-o", "IdentitiesOnly=yes",
                           "-o", "BatchMode=yes", "-o", "IdentityAgent=none", "-o", "StrictHostKeyChecking=yes",
                           "-o", f"UserKnownHostsFile={known}", "-o", proxy,
                           f"{getpass.getuser()}@through-a-pipe", "cat; echo done"],
                          input=BODY, capture_output=True, timeout=40, check=False)
    assert done.returncode == 0, done.stderr
    same_bytes(done.stdout.removesuffix(b"done\n"))


@pytest.mark.parametrize("passphrase", [None, PASSPHRASE])
def test_server_and_client_with_keys_from_a_mnemonic(passphrase, website, tmp_path):
    host = ssh_key(HOST_KEY, "--public", passphrase=passphrase)
    (tmp_path / "authorized_keys").write_text(ssh_key(IDENTITY, "--public", passphrase=passphrase)["public_key"] + "\n")
    with contextlib.ExitStack() as stack:
        def secrets():
            phrase, word = (stack.enter_context(secret_pipe(t)) for t in (PHRASE + "\n", passphrase))
            options = ["--mnemonic-fd", str(phrase)]
            return options + (["--mnemonic-passphrase-fd", str(word)] if passphrase else []), [phrase, word]

        options, fds = secrets()
        _, ready = stack.enter_context(server(tmp_path / "authorized_keys", "--key-from-secret", *options, fds=fds))
        assert ready[2] == host["fingerprint"]
        options, fds = secrets()
        _, socks = stack.enter_context(client(ready[1], host["fingerprint"], "--identity-from-secret", *options,
                                              fds=fds, env={"ALKNET_IDENTITY": "/nonexistent"}))
        fetch(socks[1], website)


def test_systemd_credentials(tmp_path):
    (tmp_path / "alknet-mnemonic").write_text(PHRASE)
    (tmp_path / "authorized_keys").write_text("")
    env = {"CREDENTIALS_DIRECTORY": str(tmp_path)}
    with server(tmp_path / "authorized_keys", "--key-from-secret", env=env) as (_, ready):
        assert ready[2] == ssh_key(HOST_KEY, "--public")["fingerprint"]
    (tmp_path / "alknet-mnemonic-passphrase").write_text(PASSPHRASE + "\n")
    with server(tmp_path / "authorized_keys", "--key-from-secret", env=env) as (_, ready):
        assert ready[2] == ssh_key(HOST_KEY, "--public", passphrase=PASSPHRASE)["fingerprint"]
    with secret_pipe(PHRASE) as phrase, secret_pipe("") as none:  # descriptors go before credentials
        with server(tmp_path / "authorized_keys", "--key-from-secret", "--mnemonic-fd", str(phrase),
                    "--mnemonic-passphrase-fd", str(none), fds=[phrase, none], env=env) as (_, ready):
            assert ready[2] == ssh_key(HOST_KEY, "--public")["fingerprint"]


def on_a_terminal(command, typed, until):
    """Runs a program on a terminal of its own, answers its prompt and returns all that was shown."""
    child, terminal = pty.fork()
    if child == 0:
        os.environ.pop("CREDENTIALS_DIRECTORY", None)
        os.execv(command[0], command)
    seen, answered = b"", False
    while until not in seen:
        assert select.select([terminal], [], [], 20)[0], f"no {until!r} in {seen!r}"
        try:
            seen += os.read(terminal, 4096)
        except OSError:
            break
        if b"Mnemonic: " in seen and not answered:
            os.write(terminal, typed)
            answered = True
    if until in seen and b"listening" in until:
        os.kill(child, signal.SIGTERM)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    os.close(terminal)
    assert until in seen, seen
    return status, seen


def test_the_prompt_does_not_echo(tmp_path):
    (tmp_path / "authorized_keys").write_text("")
    command = [SERVER, "--key-from-secret", "--authorized-keys", str(tmp_path / "authorized_keys"),
               "--listen", "127.0.0.1:0"]
    status, seen = on_a_terminal(command, PHRASE.encode() + b"\r", b"listening on")
    assert status == 0 and b"winner" not in seen
    status, seen = on_a_terminal(command, b"legal\x03", b"interrupted")
    assert status == 1 and b"legal" not in seen
    command = [CLIENT, "--check", "--identity-from-secret", "-D", "none", "127.0.0.1:1"]
    status, seen = on_a_terminal(command, PHRASE.encode() + b"\r", b"in order")
    assert status == 0 and b"winner" not in seen


def searched_for(pid, needles):
    """How often each text is in the memory of a process."""
    found = dict.fromkeys(needles, 0)
    with open(f"/proc/{pid}/maps", encoding="utf-8") as maps, open(f"/proc/{pid}/mem", "rb", buffering=0) as memory:
        for line in maps:
            bounds, mode = line.split()[:2]
            low, high = (int(x, 16) for x in bounds.split("-"))
            if mode[0] != "r" or high - low > 1 << 30:  # address space that sanitizers set apart
                continue
            with contextlib.suppress(OSError, OverflowError):
                memory.seek(low)
                data = memory.read(high - low)
                for needle in needles:
                    found[needle] += data.count(needle)
    return found


def test_the_running_server_has_forgotten_the_mnemonic(tmp_path):
    (tmp_path / "authorized_keys").write_text("")
    seed = hashlib.pbkdf2_hmac("sha512", PHRASE.encode(), b"mnemonic", 2048)
    with secret_pipe(PHRASE) as phrase:
        with server(tmp_path / "authorized_keys", "--key-from-secret", "--mnemonic-fd", str(phrase),
                    fds=[phrase]) as (process, _):
            if os.geteuid() != 0:  # nobody but root looks into it
                with pytest.raises(PermissionError):
                    searched_for(process.pid, [seed])
                return
            found = searched_for(process.pid, [b"winner thank", seed[:16], seed[32:48], b"authorized-keys"])
    assert found.pop(b"authorized-keys") > 0  # the search works
    assert set(found.values()) == {0}, found


SECRET_SERVER = ["--authorized-keys", "/dev/null", "--key-from-secret"]


@pytest.mark.parametrize("command, sentence", [
    ([SERVER, *SECRET_SERVER, "--key", "x"], "name one of --key and --key-from-secret"),
    ([SERVER, *SECRET_SERVER, "--generate-key"], "--generate-key makes a key file"),
    ([SERVER, "--authorized-keys", "/dev/null"], "--key is missing"),
    ([SERVER, "--authorized-keys", "/dev/null", "--key", "x", "--mnemonic-fd", "3"], "needs --key-from-secret"),
    ([SERVER, *SECRET_SERVER, "--mnemonic-fd", "3", "--mnemonic-passphrase-fd", "3"], "must differ"),
    ([SERVER, *SECRET_SERVER, "--mnemonic-fd", "three"], "whole number"),
    ([CLIENT, "--identity-from-secret", "-i", "x", "host"], "name one of --identity and --identity-from-secret"),
    ([CLIENT, "--mnemonic-passphrase-fd", "3", "host"], "needs --identity-from-secret"),
    ([CLIENT, "--identity-from-secret", "--mnemonic-fd", "0", "-W", "a:1", "host"], "standard input"),
])
def test_wrong_usage(command, sentence):
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 2 and sentence in done.stderr, done.stderr


@pytest.mark.parametrize("phrase, sentence", [
    ("legal winner", "the mnemonic has 2 words"),
    (PHRASE.replace("yellow", "legal"), "checksum"),
    (PHRASE.replace("sausage", "sausge"), 'word 6 is not in the English BIP39 list; is it "sausage"?'),
    ("legal\0winner", "the mnemonic is not text"),
    ("a" * 2000, "too long"),
])
def test_bad_mnemonics_end_the_program(phrase, sentence, tmp_path):
    for command in ([SERVER, *SECRET_SERVER, "--check"], [CLIENT, "--identity-from-secret", "--check", "host"]):
        with secret_pipe(phrase) as reader:
            done = subprocess.run([*command, "--mnemonic-fd", str(reader)], pass_fds=[reader], capture_output=True,
                                  text=True, timeout=30, check=False)
        assert done.returncode == 1 and sentence in done.stderr, done.stderr
        told = [line for line in done.stderr.splitlines() if "/dev/null is not a regular file" not in line]
        assert len(told) == 1, done.stderr


def test_without_terminal_or_descriptor():
    for command in ([SERVER, *SECRET_SERVER, "--check"], [CLIENT, "--identity-from-secret", "--check", "host"]):
        done = subprocess.run(command, capture_output=True, text=True, timeout=30, start_new_session=True,
                              stdin=subprocess.DEVNULL, check=False)
        assert done.returncode == 1 and "--mnemonic-fd or the systemd credential" in done.stderr, done.stderr
