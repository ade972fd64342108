"""Configuration files, reload, and what the programs do as services."""
import json
import os
import pwd
import re
import signal
import socket
import subprocess
import threading

import paramiko
import pytest

from support.dial import check_echo, check_exchange, connect, through
from support.program import PATIENCE, SANITISED, path_of, wait_until
from support.targets import listen_on


class Site:
    """A server that runs from a file."""

    def __init__(self, lab):
        self.lab = lab
        self.sections = {
            "server": [f"host_key = {lab.keys.make('host')}", f"log_level = {lab.level}"],
            "listener main": ["listen = 127.0.0.1:0"],
            "auth": ["authorized_keys = authorized_keys"],
        }
        self.authorize("user")

    def authorize(self, *names):
        """authorized_keys are replaced at once, as by a careful hand."""
        lines = "".join(self.lab.keys.public(name) + "\n" for name in names)
        os.rename(self.lab.write("authorized_keys.new", lines), self.lab.path("authorized_keys"))

    def text(self):
        return "".join(f"[{name}]\n" + "".join(f"{line}\n" for line in lines)
                       for name, lines in self.sections.items())

    def write(self, text=None):
        return self.lab.write("alknet.conf", self.text() if text is None else text)

    def argv(self, *args):
        return [path_of("alknet-server"), "--config", self.lab.path("alknet.conf"), *args]

    def start(self, *args, **options):
        self.write()
        server = self.lab.start("alknet-server", self.argv(*args), **options)
        server.wait_for(r"listening on (\S+), host key")
        server.addresses = re.findall(r"listening on (\S+), host key", server.log())
        self.lab.describe(server, server.addresses[0], "host")
        self.reloads = self.failures = 0
        self.server = server
        return server

    def reload(self):
        self.server.signal(signal.SIGHUP)
        self.reloads += 1
        self.server.wait_for("msg=reloaded", count=self.reloads)

    def fail_to_reload(self, pattern):
        self.server.signal(signal.SIGHUP)
        self.server.wait_for(f'msg="reload failed.*{pattern}')


@pytest.fixture
def site(lab):
    return Site(lab)


def refuses(lab, server, identity="user"):
    code, said = lab.run("alknet-client", lab.client_argv(server, identity=identity))
    assert code == 1 and "does not accept" in said, said


# ---- the server's file ----

def test_server_from_a_file(lab, site):
    site.sections["listener main"] = [f"listen = 127.0.0.1:0, [::1]:0 ,unix:{lab.path('socket')}"]
    site.sections["limits"] = ["max_auth_attempts = 6", "max_connections_per_ip = 1"]
    server = site.start()
    assert len(server.addresses) == 3
    client = lab.client(server, "-D", "127.0.0.1:0")
    check_echo(lab.keep(through(client.address, lab.echo())))
    lab.run("alknet-client", lab.client_argv(server))
    server.wait_for("reason=max-connections-per-ip")


def test_flags_go_before_the_file(lab, site):
    site.sections["limits"] = ["max_connections_per_ip = 1"]
    server = site.start("--listen", "127.0.0.2:0", "--max-connections-per-ip", "0",
                        "--log-level", "error")
    assert server.address.startswith("127.0.0.2:")
    lab.client(server)
    lab.client(server)
    assert "level=info" not in server.log()


BROKEN = """stray = 1
[server]
host_key = absent_key
workers = 0
wrokers = 2
[listener one]
listen = here
transport = iroh
[listener two]
[auth]
authorized_keys = loose
 indented = yes
[tls]
cert = x
[limits]
memory = 512
no equals sign
[api_key a]
hash = sha256:12
scopes = a b
resources = gitea
[api_key b]
hash = sha256:%(zeros)s
[api_key c]
hash = sha256:%(zeros)s
""" % {"zeros": 64 * "0"}
FAULTS = {1: "stray", 3: "absent_key does not exist", 4: "workers wants", 5: "no key wrokers",
          7: "listen: ", 8: "this build does not have iroh", 9: "has no listen",
          11: "chmod go-w", 12: "begins with a blank", 13: "wants cert and key",
          14: "x: No such file", 16: "memory wants", 17: "neither a", 19: "hash wants",
          20: "scopes: ", 21: "resources: ",
          25: "that of line 23"}


def check_faults(said, path):
    told = re.findall(rf"^alknet-\w+: {re.escape(path)}:(\d+): (.*)$", said, re.M)
    assert [int(line) for line, _ in told] == sorted(FAULTS), said
    for line, sentence in told:
        assert FAULTS[int(line)] in sentence, said


def test_check_names_every_fault(lab, site):
    lab.write("loose", lab.keys.public("user") + "\n", mode=0o666)
    path = site.write(BROKEN)
    before = sorted(os.listdir(lab.directory))
    code, said = lab.run("alknet-server", site.argv("--check"))
    assert code == 1
    check_faults(said, path)
    code, said = lab.run("alknet-ctl", [path_of("alknet-ctl"), "config", "check", path])
    assert code == 1
    check_faults(said, path)
    code, said = lab.run("alknet-ctl", [path_of("alknet-ctl"), "config", "check", "--json", path])
    assert code == 1 and len(json.loads(said)) == len(FAULTS), said
    logs = {p.name + ".log" for p in lab.programs}
    assert sorted(set(os.listdir(lab.directory)) - logs) == before, "--check changes nothing"


def test_check_names_files_and_users_that_are_not_there(lab, site):
    site.sections["server"].append("user = no-such-user")
    site.sections["tls"] = ["cert = no-cert", "key = no-key"]
    path = site.write()
    for argv in (site.argv("--check"), [path_of("alknet-ctl"), "config", "check", path]):
        code, said = lab.run(os.path.basename(argv[0]), argv)
        assert code == 1
        for word in ("no-such-user", "no-cert", "no-key"):
            assert len(re.findall(rf":\d+: \w+: .*{word}", said)) == 1, said
        assert len(said.splitlines()) == 3, said


def test_check_tells_a_list_of_keys_from_another_file(lab, site):
    other = lab.write("other", "# not keys\nroot:x:0:0\n")
    site.sections["auth"].append(f"cert_authority = {other}")
    for argv in (site.argv("--check"), [path_of("alknet-ctl"), "config", "check", site.write()]):
        code, said = lab.run(os.path.basename(argv[0]), argv)
        assert code == 1 and len(said.splitlines()) == 1, said
        assert "cert_authority: " in said and "no line of it is a key; the first is line 2" in said


def test_a_file_in_order(lab, site):
    path = site.write()
    code, said = lab.run("alknet-server", site.argv("--check"))
    assert (code, said) == (0, "alknet-server: everything is in order\n")
    code, said = lab.run("alknet-ctl", [path_of("alknet-ctl"), "config", "check", path])
    assert (code, said) == (0, "alknet-ctl: everything is in order\n")


def test_file_that_others_can_write(lab, site):
    path = site.write()
    os.chmod(path, 0o666)
    for argv in (site.argv(), site.argv("--check"), [path_of("alknet-ctl"), "config", "check", path]):
        code, said = lab.run(os.path.basename(argv[0]), argv)
        assert code == 1 and f"chmod go-w {path}" in said, said


def test_check_judges_what_flags_name(lab):
    code, said = lab.run("alknet-server", [
        path_of("alknet-server"), "--check", "--generate-key", "--key", "/no/such/folder/key",
        "--authorized-keys", lab.path("absent"), "--user", "no-such-user", "--listen", "here"])
    assert code != 0
    for word in ("/no/such/folder", "absent does not exist", "no-such-user", "here"):
        assert word in said, said
    code, said = lab.run("alknet-server", [path_of("alknet-server"), "--check", "--key", "",
                                           "--authorized-keys", lab.path("absent")])
    assert code == 2 and "--key is empty" in said, said


def test_paths_of_sockets_that_are_none(lab):
    site = Site(lab)
    plain = [path_of("alknet-server"), "--check", "--generate-key", "--key", lab.path("new"),
             "--authorized-keys", lab.write("keys", lab.keys.public("user") + "\n")]
    for args in (("--status-socket", "/"), ("--listen", "unix:/"),
                 ("--status-socket", lab.write("file", ""))):
        code, said = lab.run("alknet-server", [*plain, *args])
        assert code == 1 and "is there and is no socket" in said, said
    site.sections["listener main"] = ["listen = unix:file"]
    site.write()
    code, said = lab.run("alknet-server", site.argv("--check"))
    assert code == 1 and "is there and is no socket" in said, said
    site.sections["server"].append("status_socket = file")
    code, said = lab.run("alknet-ctl", [path_of("alknet-ctl"), "config", "check", site.write()])
    assert code == 1 and "is there and is no socket" in said, said


def test_tls_without_a_certificate_is_wrong_usage(lab, site):
    site.write()
    code, said = lab.run("alknet-server", site.argv("--transport", "tls"))
    assert code == 2 and "--tls-cert and --tls-key" in said and "[tls]" in said, said


# ---- reload ----

def test_removed_key_is_refused_and_its_session_ends(lab, site):
    server = site.start()
    user = lab.client(server)
    site.authorize("other")
    site.reload()
    user.wait_for("msg=offline .*may no longer log in")
    refuses(lab, server)
    lab.client(server, identity="other")
    assert f"key_fingerprint={lab.keys.fingerprint('user')} reason=unknown-key" in \
        server.wait_for('msg="session revoked".*').group(0)


def test_session_stays_when_the_file_says_so(lab, site):
    site.sections["auth"].append("disconnect_revoked = no")
    server = site.start()
    echo = lab.echo()
    client = lab.client(server, "-D", "127.0.0.1:0")
    site.authorize("other")
    site.reload()
    refuses(lab, server)
    check_echo(lab.keep(through(client.address, echo)))
    assert "offline" not in client.log()


@pytest.mark.parametrize("options", ['expiry-time="20200101"', 'from="192.0.2.1"'])
def test_key_that_is_no_longer_admitted_ends_its_session(lab, site, options):
    server = site.start()
    client = lab.client(server)
    lab.write("authorized_keys", f"{options} {lab.keys.public('user')}\n")
    site.reload()
    client.wait_for("msg=offline .*may no longer log in")


def test_restrictions_of_a_reload_judge_the_next_channel(lab, site):
    server = site.start()
    echo, other = lab.echo(), lab.echo()
    client = lab.client(server, "-D", "127.0.0.1:0")
    standing = lab.keep(through(client.address, echo))
    lab.write("authorized_keys", f'permitopen="{other.spec}" {lab.keys.public("user")}\n')
    site.reload()
    check_echo(lab.keep(through(client.address, other)))
    with pytest.raises(AssertionError, match="SOCKS reply"):
        through(client.address, echo)
    check_echo(standing)


def test_broken_file_changes_nothing(lab, site):
    server = site.start()
    client = lab.client(server, "-D", "127.0.0.1:0")
    site.authorize("other")
    good = site.text()
    path = re.escape(site.write(good + "[limits]\nmax_auth_attempts = none\nnonsense\n"))
    site.fail_to_reload(rf"{path}:9: max_auth_attempts wants")
    site.fail_to_reload(rf"{path}:10: the line is neither")
    check_echo(lab.keep(through(client.address, lab.echo())))
    lab.client(server)
    refuses(lab, server, "other")
    site.write(good)
    site.reload()
    lab.client(server, identity="other")


def test_list_that_cannot_be_read_changes_nothing(lab, site):
    server = site.start()
    os.rename(lab.path("authorized_keys"), lab.path("away"))
    site.fail_to_reload("authorized_keys does not exist")
    lab.client(server)


def test_static_settings_need_a_restart(lab, site):
    server = site.start()
    site.sections["server"].append("workers = 7")
    site.sections["listener more"] = ["listen = 127.0.0.1:0"]
    site.write()
    site.reload()
    for setting in ("[server] workers", "[listener more] listen"):
        server.wait_for(re.escape(f'needs a restart" setting="{setting}"'))
    assert server.log().count("needs a restart") == 2


def test_reload_during_200_transfers_breaks_none(lab, site):
    site.sections["server"].append("workers = 2")
    server = site.start()
    target = lab.exchange(256 * 1024)
    client = lab.client(server, "-D", "127.0.0.1:0")
    broken, done = [], threading.Event()

    def transfer():
        try:
            check_exchange(through(client.address, target), target)
        except Exception as e:  # told below
            broken.append(e)
    threads = [threading.Thread(target=transfer) for _ in range(200)]
    for thread in threads:
        thread.start()

    def reload_on():
        while not done.is_set():
            site.authorize("user", "other")
            site.reload()
    reloader = threading.Thread(target=reload_on)
    reloader.start()
    for thread in threads:
        thread.join()
    done.set()
    reloader.join()
    assert not broken, broken[:3]
    assert site.reloads > 1 and target.accepted == 200
    assert "offline" not in client.log()


# ---- credentials ----

def write_secret(lab, name, mode=0o600):
    return lab.write(name, "hunter2\n", mode=mode)


def test_credentials_are_reloaded_with_the_rest(lab, site):
    write_secret(lab, "token")
    site.sections["credential backup"] = ["kind = bearer", "token_file = token"]
    server = site.start()  # confined: it may read what is in that folder, new files, too
    line = site.text().splitlines().index("token_file = token") + 1
    os.chmod(lab.path("token"), 0o644)
    path = re.escape(lab.path("alknet.conf"))
    site.fail_to_reload(rf"{path}:{line}: credential backup: .*chmod 600")
    write_secret(lab, "password")
    site.sections["credential backup"] = ["kind = basic", "username = me",
                                          "password_file = password"]
    site.write()
    site.reload()
    os.remove(lab.path("password"))
    site.fail_to_reload(rf"{path}:{line + 1}: credential backup: .*does not exist")
    assert "hunter2" not in server.log()


def test_check_names_the_faults_of_credentials(lab, site):
    write_secret(lab, "loose", 0o644)
    path = site.write("[credential a]\nkind = bearer\ntoken_file = loose\n"
                      "[credential b]\nkind = basic\npassword = hunter2\nregion = x\n")
    wanted = [("3", "chmod 600"), ("4", "no username"), ("4", "no password_file"),
              ("6", "is a secret"), ("7", "no field region")]
    for argv in (site.argv("--check"), [path_of("alknet-ctl"), "config", "check", path]):
        code, said = lab.run(os.path.basename(argv[0]), argv)
        told = re.findall(rf"{re.escape(path)}:(\d+): (.*)", said)
        assert code == 1 and "hunter2" not in said
        assert [line for line, _ in told] == [line for line, _ in wanted], said
        assert all(word in sentence for (_, sentence), (_, word) in zip(told, wanted)), said


# ---- the client's file ----

def client_file(lab, server, *lines, name="work"):
    return lab.write("config", f"[profile {name}]\nserver = root@{server.address}\n"
                     f"identity = {lab.keys.make('user')}\nknown_hosts = {server.known_hosts}\n"
                     "socks5 = none\n" + "".join(f"{line}\n" for line in lines))


def client_from(lab, *args, **options):
    client = lab.start("alknet-client", [path_of("alknet-client"), *args], **options)
    client.wait_for("^alknet-client: connected to")
    client.addresses = re.findall(r"^alknet-client: listening on (\S+)$", client.log(), re.M)
    return client


def test_client_from_a_profile(lab):
    server, echo = lab.server(), lab.echo()
    path = client_file(lab, server, f"forward = {lab.entry()}:{echo.spec}",
                       f"forward = {lab.path('in')}:{echo.spec}", f"remote_forward = 0:{echo.spec}")
    for args in (["--profile", "work"], ["work"]):
        client = client_from(lab, "--config", path, *args)
        assert len(client.addresses) == 2
        check_echo(lab.keep(connect(client.addresses[0])))
        check_echo(lab.keep(connect(("127.0.0.1", lab.remote_ports(client)[0]))))
        client.stop()


def test_client_uses_the_file_in_its_home(lab):
    server = lab.server()
    os.makedirs(lab.path(".config/alknet"))
    os.rename(client_file(lab, server, name="default"), lab.path(".config/alknet/config"))
    client_from(lab, env={"HOME": lab.directory, "ALKNET_SERVER": "", "ALKNET_IDENTITY": ""})
    # the environment goes before the file, the command line before both
    nobody = lab.keys.make("other")
    code, said = lab.run("alknet-client", [path_of("alknet-client")],
                         env={"HOME": lab.directory, "ALKNET_IDENTITY": nobody})
    assert code == 1 and lab.keys.fingerprint("other") in said
    client_from(lab, "-i", lab.keys.make("user"),
                env={"HOME": lab.directory, "ALKNET_IDENTITY": nobody})


def client_faults(lab, path):
    """(line, key) of each that config check names, and all that it says."""
    code, said = lab.run("alknet-ctl", [path_of("alknet-ctl"), "config", "check", "--client", path])
    assert code == 1
    return re.findall(r":(\d+): (\w+):", said), said


def test_client_file_with_names_that_are_none(lab):
    path = lab.write("config", "[profile a]\nserver = ssh://x\njump = a@b,c:0\njump = none\n"
                     "forward = 1:h\nforward = 1:h:2\nremote_forward = x:y:z\njump = ann@\n"
                     "[profile b]\nserver = a@[::1\n")
    assert client_faults(lab, path)[0] == [
        ("2", "server"), ("3", "jump"), ("5", "forward"), ("7", "remote_forward"), ("8", "jump"),
        ("10", "server")]


def test_client_file_names_files_that_are_not_there(lab):
    path = lab.write("config", "[profile a]\ncertificate = no-cert\nsocks5_user = a:no-password\n"
                     "tls_ca = no-ca\n[profile b]\ncertificate = config\ntls_ca = config\n"
                     "socks5_user = a:config\n")
    faults, said = client_faults(lab, path)
    assert faults == [
        ("2", "certificate"), ("3", "socks5_user"), ("4", "tls_ca"), ("7", "tls_ca")], said
    assert lab.path("no-password") in said


def test_client_file_with_faults(lab):
    path = lab.write("config", "[profile a]\nidentity = absent\nkeepalive = 5\nproxy = x\n")
    argv = [path_of("alknet-client"), "--config", path, "--check", "a"]
    code, said = lab.run("alknet-client", argv)
    assert code == 1
    assert re.findall(r":(\d+): (\w+)", said) == [("2", "identity"), ("3", "keepalive"),
                                                  ("4", "proxy")], said
    code, said = lab.run("alknet-client", [path_of("alknet-client"), "--config",
                                           lab.write("good", "[profile a]\n"), "--profile", "b"])
    assert code == 2 and "[profile b]" in said


# ---- logs ----

def test_log_as_json(lab, site):
    site.sections["server"].append("log_format = json")
    server = site.start()
    lab.run("alknet-client", lab.client_argv(server, identity="other")[:-1] + [f'"\\\x7fé{chr(0x1f600)}@{server.address}'])
    server.wait_for('"connection closed"')
    entries = [json.loads(line) for line in server.log().splitlines() if line.startswith("{")]
    attempt = [e for e in entries if e["msg"] == "auth attempt"][-1]
    assert attempt["user"] == f'"\\\x7fé{chr(0x1f600)}' and attempt["level"] == "info"


# ---- service managers ----

def receive(manager, wanted):
    """Datagrams until one holds the line that is wanted; that one's lines."""
    while True:
        lines = manager.recv(4096).decode().splitlines()
        if wanted in lines:
            return lines


def test_readiness_is_told(lab, site):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(lab.path("notify"))
        manager.settimeout(60)
        server = site.start(env={"NOTIFY_SOCKET": lab.path("notify")})
        assert f"MAINPID={server.pid}" in receive(manager, "READY=1")
        site.reload()
        reloading = receive(manager, "RELOADING=1")
        assert any(re.fullmatch(r"MONOTONIC_USEC=\d+", line) for line in reloading)
        receive(manager, "READY=1")
        server.stop()
        receive(manager, "STOPPING=1")


def test_sockets_that_are_handed_over(lab, site):
    given, other = listen_on("127.0.0.1"), listen_on("127.0.0.1")
    site.sections["listener given"] = ["listen = 192.0.2.1:1"]  # not to be bound
    site.write()

    def place():
        first, second = os.dup(given.fileno()), os.dup(other.fileno())
        os.dup2(first, 3)
        os.dup2(second, 4)
    script = 'LISTEN_PID=$$ LISTEN_FDS=2 LISTEN_FDNAMES=given:more exec "$@"'
    server = lab.start("alknet-server", ["sh", "-c", script, "sh"] + site.argv(),
                       ours=True, close_fds=False, preexec_fn=place)
    server.wait_for("listening on", count=3)
    for s in (given, other):
        port = s.getsockname()[1]
        server.wait_for(f"listening on 127.0.0.1:{port},")
        lab.describe(server, f"127.0.0.1:{port}", "host")
        s.close()
        lab.client(server)


def status_of(server, field):
    with open(f"/proc/{server.pid}/status") as f:
        return re.search(rf"^{field}:\s+(.*)$", f.read(), re.M).group(1).split()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_user(lab, site):
    nobody = pwd.getpwnam("nobody")
    site.sections["server"].append("user = nobody")
    server = site.start()
    assert status_of(server, "Uid") == [str(nobody.pw_uid)] * 4
    assert status_of(server, "Gid") == [str(nobody.pw_gid)] * 4
    assert status_of(server, "CapEff") == ["0" * 16]
    lab.client(server)
    # the laboratory's folder is root's alone
    server.wait_for(r"a reload will fail: this user may not read a file.*alknet\.conf")
    site.fail_to_reload("may not be read by this user")
    lab.client(server)
    os.chmod(lab.directory, 0o755)
    os.chmod(lab.path("alknet.conf"), 0o644)
    os.chmod(lab.path("authorized_keys"), 0o644)
    site.reload()


# ---- confinement ----

def has_landlock():
    return subprocess.run(["/usr/bin/python3", "-c", "import ctypes, sys; "
                           "sys.exit(ctypes.CDLL(None).syscall(444, None, 0, 1) < 1)"]).returncode == 0


@pytest.mark.parametrize("confine", [True, False])
def test_confinement(lab, site, tmp_path, confine):
    if not confine:
        site.sections["server"].append("confine = no")
    server = site.start()
    assert status_of(server, "Seccomp") == (["2"] if confine else ["0"])
    path = lab.echo(lab.path("target"))
    client = lab.client(server, "-L", f"{lab.path('in')}:{path.address}",
                        "-R", f"{lab.path('listen')}:{path.address}")
    lab.remote_ports(client)
    check_echo(lab.keep(connect(lab.path("in"))))
    check_echo(lab.keep(connect(lab.path("listen"))))
    # a list that has become a link to somewhere else is out of reach
    target = tmp_path / "elsewhere"
    target.write_text(lab.keys.public("user") + "\n")
    target.chmod(0o600)
    os.unlink(lab.path("authorized_keys"))
    os.symlink(target, lab.path("authorized_keys"))
    if confine and has_landlock():
        site.fail_to_reload("may not be read")
    else:
        site.reload()
    client.stop()
    wait_until(lambda: not os.path.exists(lab.path("listen")), "the listener's file is removed")
    assert SANITISED or "not confined" not in server.log() or not has_landlock()


# ---- documents and packaging ----

ROOT = os.path.join(os.path.dirname(__file__), "../..")


def example(lab, name):
    with open(os.path.join(ROOT, "docs/examples", name)) as f:
        return lab.write(name, f.read())


def test_examples_are_in_order(lab):
    os.symlink(lab.keys.make("host"), lab.path("host_key"))
    lab.write("authorized_keys", lab.keys.public("user") + "\n")
    for name in ("alknet.conf", "client.conf"):
        code, said = lab.run("alknet-ctl", [path_of("alknet-ctl"), "config", "check",
                                            example(lab, name)])
        assert (code, said) == (0, "alknet-ctl: everything is in order\n"), name


def test_defaults_in_the_example_are_accepted(lab):
    """What is commented out is written as it would have to be."""
    path = example(lab, "alknet.conf")
    with open(path) as f:
        text = re.sub(r"^;([a-z_]+ = |\[)", r"\1", f.read(), flags=re.M)
    os.symlink(lab.keys.make("host"), lab.path("host_key"))
    for name in ("authorized_keys", "ca.pub", "revoked.krl"):
        lab.write(name, lab.keys.public("user") + "\n")
    write_secret(lab, "backup.secret_access_key")
    lab.write("alknet.conf", text.replace("user = alknet", "user = root"))  # one that is there
    code, said = lab.run("alknet-ctl", [path_of("alknet-ctl"), "config", "check", path])
    assert code == 0, said


def test_manual_explains_every_key(lab):
    with open(os.path.join(ROOT, "docs/man/alknet.conf.5")) as f:
        manual = set(re.findall(r"[a-z][a-z0-9_]+", " ".join(
            line for line in f if line.startswith((".It Cm", ".Cm", ".Pq Cm")))))
    lab.write("all", "".join(f"[{s}]\nnonsense = 1\n" for s in (
        "server", "listener a", "auth", "auth.token", "api_key a", "forwarding", "limits", "tls",
        "credential a")))
    lab.write("client", "[profile a]\nnonsense = 1\n")
    absent = {"proxy", "stealth", "tls", "database", "peer", "iroh_relay", "ssh_engine"}
    for name in ("all", "client"):
        _, said = lab.run("alknet-ctl", [path_of("alknet-ctl"), "config", "check", lab.path(name)])
        for keys in re.findall(r"it has (.*)$", said, re.M):
            assert set(keys.split(", ")) - absent <= manual, set(keys.split(", ")) - absent - manual


def fail2ban(server, *args):
    done = subprocess.run(["fail2ban-regex", *args, server.log_path,
                           os.path.join(ROOT, "packaging/fail2ban/filter.d/alknet-server.conf")],
                          capture_output=True, text=True, timeout=60)
    return done.stdout


def with_paramiko(server, *attempts):
    """Other ways to try: each is given a transport. Paramiko asks for the service anew for each."""
    transport = paramiko.Transport((server.host, server.port))
    try:
        transport.start_client(timeout=PATIENCE)
        for attempt in attempts:
            try:
                attempt(transport)
            except paramiko.AuthenticationException:
                continue
    finally:
        transport.close()
    return transport


def test_fail2ban_finds_failed_logins_and_no_others(lab):
    """Connections that were refused, whatever their users are called; a client whose second key is
    accepted has not failed."""
    forged = 'msg="connection closed" remote_addr=192.0.2.1 login=refused'
    names = ["root", 'x" login=refused', f"a level=info {forged}", f"\nlevel=info {forged}", "é\x1b[2J"]
    server = lab.server()

    def ssh_argv(*keys):
        argv = lab.ssh_argv(server, "-N")
        at = argv.index("-i")
        return argv[:at] + [x for key in keys for x in ("-i", lab.keys.make(key))] + argv[at + 2:]
    failed = accepted = 0
    for name in names:
        code, said = lab.run("alknet-client", lab.client_argv(server, identity="other")[:-1] +
                             [f"{name}@{server.address}"])
        assert code == 1 and "does not accept" in said
        failed += 1
        lab.start("alknet-client", lab.client_argv(server)[:-1] + [f"{name}@{server.address}"]) \
            .wait_for("connected to")
        accepted += 1
    assert lab.run("ssh", ssh_argv("other"))[0] == 255
    failed += 1
    lab.start("ssh", ssh_argv("other", "user")).wait_for("Entering interactive session")
    accepted += 1
    for attempt in (lambda t: t.auth_password("root", "secret"),
                    lambda t: t.auth_interactive("root", lambda *asked: []),
                    lambda t: t.auth_publickey("root", paramiko.ECDSAKey.generate())):
        with_paramiko(server, attempt)
        failed += 1
    key = paramiko.Ed25519Key(filename=lab.keys.make("user"))
    with_paramiko(server, lambda t: t.auth_password("root", "secret"),
                  lambda t: t.auth_publickey("root", paramiko.ECDSAKey.generate()),
                  lambda t: t.auth_publickey("root", key))
    accepted += 1
    for program in lab.programs[1:]:
        program.finish()
    server.wait_for('^level=info msg="connection closed"', count=failed + accepted)
    assert "secret" not in server.log() and "method=password result=reject" in server.log()
    assert server.log().count("result=reject") > failed, "the last one was refused a key at first"
    found = fail2ban(server, "-o", "ip").split()
    assert found == ["127.0.0.1"] * failed, found


@pytest.mark.parametrize("unit", ["alknet-server.service", "alknet-server.socket"])
def test_systemd_accepts_the_units(tmp_path, unit):
    for name in ("alknet-server.service", "alknet-server.socket"):
        with open(os.path.join(ROOT, "packaging/systemd", name)) as f:
            text = f.read().replace("/usr/local/bin/alknet-server", path_of("alknet-server"))
        text = "".join(line for line in text.splitlines(True) if not line.startswith("Documentation="))
        (tmp_path / name).write_text(text)
    done = subprocess.run(["systemd-analyze", "verify", tmp_path / unit], capture_output=True,
                          text=True, timeout=60)
    if "Failed to" in done.stderr and "bus" in done.stderr:
        pytest.skip("systemd-analyze does not work here")
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
