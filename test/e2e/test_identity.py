"""Where the client's key comes from, and how it comes to trust the server's."""
import os
import pty
import re
import signal
import subprocess
import termios
import threading

import pytest

from support.dial import check_echo, connect
from support.program import wait_until
from support.suite import both_engines
from support.targets import listen_on


@both_engines
def test_encrypted_key_with_passphrase_from_the_environment(lab):
    key = lab.keys.make("locked", passphrase="open sesame")
    echo = lab.echo()
    server = lab.server(authorized=[lab.keys.public("locked")])
    client = lab.client(server, "--identity", key, "-L", f"{lab.entry()}:{echo.spec}",
                        identity=None, env={"ALKNET_IDENTITY_PASSPHRASE": "open sesame"})
    check_echo(lab.keep(connect(client.address)))
    assert "open sesame" not in client.log()


def test_encrypted_key_with_passphrase_from_a_terminal(lab):
    key = lab.keys.make("locked", passphrase="open sesame")
    server = lab.server(authorized=[lab.keys.public("locked")])
    ours, theirs = pty.openpty()
    # a session of its own, with the terminal as its controlling one
    argv = ["setsid", "--ctty"] + lab.client_argv(server, "--identity", key, identity=None)
    env = {k: v for k, v in os.environ.items() if k != "ALKNET_IDENTITY_PASSPHRASE"}
    client = lab.start("alknet-client", argv, stdin=theirs, ours=True, env=env)
    os.close(theirs)
    os.set_blocking(ours, False)
    shown = b""

    def seen(text, count):
        nonlocal shown
        try:
            shown += os.read(ours, 4096)
        except BlockingIOError:
            pass
        return shown.count(text) >= count
    for attempt, passphrase in enumerate((b"wrong one", b"open sesame"), 1):
        wait_until(lambda: seen(b"Passphrase for ", attempt), f"prompt {attempt}")
        os.write(ours, passphrase + b"\n")
    client.wait_for("^alknet-client: connected to")
    seen(b"", 0)
    assert b"sesame" not in shown and b"wrong" not in shown, "a passphrase must not be echoed"
    client.stop()  # closing the terminal first would hang it up
    os.close(ours)


@both_engines
def test_key_of_an_agent(lab, agent):
    agent("other")
    agent("user")
    server = lab.server()
    client = lab.client(server, "-L", f"{lab.entry()}:{lab.echo().spec}", identity=None,
                        env={"SSH_AUTH_SOCK": agent.path, "HOME": lab.directory})
    check_echo(lab.keep(connect(client.address)))
    # the first key was only asked about, and is not known here
    assert f"key_fingerprint={lab.keys.fingerprint('other')} method=publickey result=reject" \
        in server.log()


@both_engines
def test_agent_without_a_usable_key(lab, agent):
    agent("other")
    server = lab.server()
    argv = lab.client_argv(server, identity=None)
    env = {"SSH_AUTH_SOCK": agent.path, "HOME": lab.directory}
    code, said = lab.run("alknet-client", argv, env=env)
    assert code == 1 and lab.keys.fingerprint("other") in said, said


def test_agent_that_is_not_there(lab):
    argv = lab.client_argv(lab.server(), identity=None)
    env = {"SSH_AUTH_SOCK": lab.path("no agent"), "HOME": lab.directory}
    code, said = lab.run("alknet-client", argv, env=env)
    assert code == 1 and "agent" in said, said


@both_engines
def test_agent_with_openssh_server(lab, agent):
    agent("user")
    client = lab.client(lab.sshd(), "-L", f"{lab.entry()}:{lab.echo().spec}", identity=None,
                        env={"SSH_AUTH_SOCK": agent.path, "HOME": lab.directory})
    check_echo(lab.keep(connect(client.address)))


def test_default_key_file(lab):
    os.mkdir(lab.path(".ssh"))
    text = open(lab.keys.make("user")).read()
    lab.write(".ssh/id_ed25519", text)
    lab.client(lab.server(), identity=None, env={"SSH_AUTH_SOCK": "", "HOME": lab.directory})


def test_settings_from_the_environment(lab):
    server = lab.server()
    argv = lab.client_argv(server, identity=None)[:-1]
    client = lab.start("alknet-client", argv, env={
        "ALKNET_SERVER": f"root@{server.address}", "ALKNET_IDENTITY": lab.keys.make("user")})
    client.wait_for("^alknet-client: connected to")


@both_engines
def test_accept_new_stores_the_key_once_and_refuses_another(lab):
    address = lab.entry()
    hosts = os.path.join(lab.directory, "config", "known_hosts")
    os.mkdir(os.path.dirname(hosts))
    server = lab.server(listen=(address,))
    client = lab.client(server, "--known-hosts", hosts, "--accept-new")
    assert server.fingerprint in client.log()
    stored = open(hosts).read()
    host, port = address.rsplit(":", 1)
    assert stored.strip() == f"[{host}]:{port} " + " ".join(
        lab.keys.public("host").split()[:2]), stored
    found = subprocess.run(["ssh-keygen", "-F", f"[{host}]:{port}", "-f", hosts],
                           capture_output=True, text=True)
    assert found.returncode == 0, "OpenSSH reads the file too"
    client.stop()
    lab.client(server, "--known-hosts", hosts)  # now known without the option
    assert open(hosts).read() == stored
    server.stop()
    changed = lab.server(listen=(address,), key="other")
    code, said = lab.run("alknet-client", lab.client_argv(changed, "--known-hosts", hosts,
                                                          "--accept-new"))
    assert code == 1 and "has changed" in said, said
    assert open(hosts).read() == stored


@both_engines
def test_key_that_changes_while_the_client_runs_is_refused(lab):
    address = lab.entry()
    server = lab.server(listen=(address,))
    client = lab.client(server)
    server.kill()
    imposter = lab.server(listen=(address,), key="other")
    client.wait_for("msg=offline reason=.*has changed")
    assert "result=" not in imposter.log(), "no key may be shown to the wrong server"
    assert client.running()


@both_engines
def test_pinned_fingerprint_needs_no_known_hosts(lab):
    server = lab.server()
    lab.client(server, "--host-key-fingerprint", server.fingerprint, "--known-hosts",
               lab.path("none"))
    assert not os.path.exists(lab.path("none"))


@both_engines
def test_hashed_known_hosts(lab):
    server = lab.server()
    hosts = lab.known_hosts(server.address, "host", "hashed")
    subprocess.run(["ssh-keygen", "-q", "-H", "-f", hosts], check=True, capture_output=True)
    assert re.match(r"\|1\|", open(hosts).read())
    lab.client(server, "--known-hosts", hosts)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT])
def test_signal_during_the_question_gives_the_echo_back(lab, number):
    key = lab.keys.make("locked", passphrase="open sesame")
    ours, theirs = pty.openpty()

    def echoes():
        return bool(termios.tcgetattr(theirs)[3] & termios.ECHO)
    assert echoes()
    argv = lab.client_argv(lab.server(), "--identity", key, identity=None)
    client = lab.start("alknet-client", ["setsid", "--ctty"] + argv, stdin=theirs, ours=False)
    wait_until(lambda: not echoes(), "the echo is off")
    shown = b""
    while b"Passphrase for" not in shown:
        shown += os.read(ours, 1000)
    os.kill(client.pid, number)
    assert client.wait() == -number
    assert echoes()
    os.close(ours)
    os.close(theirs)


def test_banner_of_the_server_is_shown_and_tamed(lab):
    banner = lab.write("banner", "Welcome, gr\u00fc\u00dfe\n\x1b]0;evil\x07\x1b[2J\u202eolleh\r\nlast")
    sshd = lab.sshd(f"Banner {banner}")
    client = lab.client(sshd, env={"LC_ALL": "C.UTF-8"})
    said = [line for line in client.log().splitlines() if "the server says: " in line]
    assert said == [f"alknet-client: the server says: {text}" for text in (
        "Welcome, gr\u00fc\u00dfe", r"\033]0;evil\007\033[2J\342\200\256olleh", "last")]
    quiet = lab.client(sshd, "--log-level", "warn", env={"LC_ALL": "C.UTF-8"})
    assert "says" not in quiet.log()


# ---- which of the agent's keys, if any ----

def with_agent(lab, agent):
    env = {k: v for k, v in os.environ.items() if k != "ALKNET_IDENTITY_PASSPHRASE"}
    return dict(env, SSH_AUTH_SOCK=agent.path if agent else "", HOME=lab.directory)


def offered(lab, server, *names):
    """Which of these keys the server has seen."""
    return [n for n in names if lab.keys.fingerprint(n) in server.log()]


def test_a_key_that_is_named_is_the_only_one_offered(lab, agent):
    agent("user")
    server = lab.server()
    code, said = lab.run("alknet-client", lab.client_argv(server, identity="other"),
                         env=with_agent(lab, agent))
    assert code == 1 and lab.keys.fingerprint("other") in said
    assert offered(lab, server, "user", "other") == ["other"]


@pytest.mark.parametrize("named", ["the public key", "where the private key would be"])
def test_a_public_key_names_the_one_of_the_agent(lab, agent, named):
    for key in ("other", "user"):
        agent(key)
    public = lab.write("mine.pub", lab.keys.public("user") + "\n", 0o644)
    server = lab.server()
    client = lab.client(server, "-L", f"{lab.entry()}:{lab.echo().spec}", "--identity",
                        public if named == "the public key" else public.removesuffix(".pub"),
                        identity=None, env=with_agent(lab, agent))
    check_echo(lab.keep(connect(client.address)))
    assert offered(lab, server, "user", "other") == ["user"]


def test_sshd_sees_no_key_but_the_one_that_is_named(lab, agent):
    crowd = [f"crowd{i}" for i in range(7)]
    for key in [*crowd, "user"]:
        agent(key)
    sshd = lab.sshd("MaxAuthTries 3")
    code, said = lab.run("alknet-client", lab.client_argv(sshd, identity=None),
                         env=with_agent(lab, agent))
    assert code == 1 and re.search(
        f"no login at {re.escape(sshd.host)} port {sshd.port} after [23] keys: .*[Tt]oo many "
        "authentication failures; name the right one with --identity", said)
    lab.client(sshd, "--identity", lab.keys.make("user") + ".pub", identity=None,
               env=with_agent(lab, agent))


def test_the_client_stops_before_it_has_offered_a_crowd_of_keys(lab, agent):
    crowd = [f"crowd{i}" for i in range(11)]
    for key in [*crowd, "user"]:
        agent(key)
    server = lab.server("--max-auth-attempts", "30")
    code, said = lab.run("alknet-client", lab.client_argv(server, identity=None),
                         env=with_agent(lab, agent))
    assert code == 1 and "accepts none of the 10 keys that were offered" in said
    assert offered(lab, server, *crowd, "user") == crowd[:10]


@both_engines
def test_a_key_that_is_named_is_found_behind_any_number_of_others(lab, agent):
    agent("user", *[lab.keys.make(f"crowd{i}") for i in range(70)])
    server = lab.server()
    lab.client(server, "--identity", lab.keys.make("user") + ".pub", identity=None,
               env=with_agent(lab, agent))
    assert offered(lab, server, "crowd0", "crowd69", "user") == ["user"]


def unlocked(lab):
    """The encrypted key in a file without passphrase, for an agent."""
    path = lab.write("unlocked", open(lab.keys.make("locked", passphrase="open sesame")).read())
    subprocess.run(["ssh-keygen", "-q", "-p", "-P", "open sesame", "-N", "", "-f", path],
                   check=True)
    return path


def test_an_encrypted_key_that_the_agent_holds_needs_no_passphrase(lab, agent):
    key = lab.keys.make("locked", passphrase="open sesame")
    server = lab.server(authorized=[lab.keys.public("locked")])
    argv = lab.client_argv(server, "--identity", key, identity=None)
    code, said = lab.run("alknet-client", argv, env=with_agent(lab, agent), start_new_session=True)
    assert code == 1 and "is encrypted and no passphrase was given" in said
    subprocess.run(["ssh-add", "-q", unlocked(lab)], check=True, stdin=subprocess.DEVNULL,
                   env=dict(os.environ, SSH_AUTH_SOCK=agent.path))
    lab.client(server, "--identity", key, identity=None, env=with_agent(lab, agent),
               start_new_session=True)


def test_a_public_key_that_no_agent_holds(lab, agent):
    argv = lab.client_argv(lab.server(), "--identity", lab.keys.make("user") + ".pub",
                           identity=None)
    code, said = lab.run("alknet-client", argv, env=with_agent(lab, agent))
    assert code == 1 and "the ssh-agent does not hold the private key of" in said
    code, said = lab.run("alknet-client", argv, env=with_agent(lab, None))
    assert code == 1 and "is a public key, and there is no ssh-agent" in said
    agent.path = lab.path("nobody")
    code, said = lab.run("alknet-client", argv, env=with_agent(lab, agent))
    assert code == 1 and "the ssh-agent cannot be asked" in said


def test_an_agent_that_does_not_sign_is_named(lab, agent):
    """Somebody would have to confirm, and nobody can be asked."""
    agent.program.finish()
    os.remove(agent.path)
    lab.start("ssh-agent", ["ssh-agent", "-D", "-a", agent.path], ours=False,
              env={"SSH_ASKPASS": "/bin/false", "DISPLAY": ":0"})
    wait_until(lambda: os.path.exists(agent.path), "the agent's socket")
    agent("user", "-c")
    code, said = lab.run("alknet-client", lab.client_argv(lab.server(), identity=None),
                         env=with_agent(lab, agent))
    assert code == 1 and "the ssh-agent did not sign" in said and \
        lab.keys.fingerprint("user") in said


def test_an_agent_that_never_comes_to_an_end(lab):
    """It sends a byte whenever the client might lose patience."""
    listener = lab.keep(listen_on(lab.path("slow")))
    over = threading.Event()

    def drip():
        s, _ = listener.accept()
        with s:
            s.sendall(b"\0\0\xff\xff")
            while not over.wait(1):
                try:
                    s.sendall(b"\x0c")
                except OSError:
                    return
    slow = threading.Thread(target=drip)
    slow.start()
    try:
        code, said = lab.run("alknet-client", lab.client_argv(
            lab.server(), "--identity", lab.keys.make("user") + ".pub", identity=None),
            env={"SSH_AUTH_SOCK": lab.path("slow")})
    finally:
        over.set()
        slow.join()
    assert code == 1 and "cannot be asked" in said and "timed out" in said
