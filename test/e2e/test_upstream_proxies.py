"""--proxy: the client's way to its server, and the server's to its targets, through proxies that we
did not write."""
import json
import os
import re

import pytest

from support import pki, proxies
from support.dial import REFUSED, SUCCEEDED, check_echo, check_exchange, connect, socks5, through
from support.program import path_of
from support.targets import Target, free_port, loopback

NAME = "only.proxy.test"  # that the proxy alone can resolve

PROXIES = {
    "microsocks": lambda lab, host, port: proxies.microsocks(lab, {NAME: host}).url(),
    "socks5-server": lambda lab, host, port: proxies.socks5_server(lab, port).url(None),
    "tinyproxy": lambda lab, host, port: proxies.tinyproxy(lab, port).url("ann:secret"),
    "squid": lambda lab, host, port: proxies.squid(lab, {NAME: host}, port).url(),
}


def refusal(lab, server, *args, env=None):
    """What a client that cannot connect says."""
    code, said = lab.run("alknet-client", lab.client_argv(server, *args), env=env)
    assert code == 1, said
    assert "ret" not in re.sub(r"(?i)secret_|retry", "", said), "a password is told"
    return re.findall(r"^alknet-client: (cannot reach .*)$", said, re.M)[-1]


def rename(lab, server, name):
    """The server as the client is to call it."""
    server.address = f"{name}:{server.port}"
    server.known_hosts = lab.known_hosts(server.address, "host", "known_hosts_renamed")


# ---- the client's proxy ----

@pytest.mark.parametrize("kind", PROXIES)
def test_client_through_a_proxy(lab, kind):
    server = lab.server()
    url = PROXIES[kind](lab, server.host, server.port)
    echo = lab.exchange(1 << 20)
    client = lab.client(server, "-D", "127.0.0.1:0", "--proxy", url)
    check_exchange(through(client.address, echo), echo)


@pytest.mark.parametrize("kind", ["microsocks", "squid"])
def test_the_proxy_resolves_the_servers_name(lab, kind):
    server = lab.server()
    url = PROXIES[kind](lab, server.host, server.port)
    rename(lab, server, NAME)
    assert "proxy says" not in refusal(lab, server), "here nobody knows the name"
    lab.client(server, "--proxy", url)


def test_tls_through_a_proxy(lab):
    ca = pki.authority(lab.directory)
    identity = pki.issue("server", (NAME,), ca).write(lab.directory, "tls")
    server = lab.server("--transport", "tls", "--tls-cert", identity.cert_path, "--tls-key",
                        identity.key_path)
    url = PROXIES["squid"](lab, server.host, server.port)
    rename(lab, server, NAME)
    client = lab.client(server, "-D", "127.0.0.1:0", "--transport", "tls", "--tls-ca", ca.cert_path,
                        "--proxy", url)
    check_echo(lab.keep(through(client.address, lab.echo())))


def test_wrong_passwords_are_reported(lab):
    server = lab.server()
    micro = proxies.microsocks(lab)
    squid = proxies.squid(lab, {}, server.port)
    assert "did not accept user and password" in \
        refusal(lab, server, "--proxy", micro.url("ann:wrong"))
    assert "wants a user and a password" in refusal(lab, server, "--proxy", micro.url(None))
    assert "did not accept user and password (407)" in \
        refusal(lab, server, "--proxy", squid.url("ann:wrong"))
    assert "wants a user and a password (407)" in refusal(lab, server, "--proxy", squid.url(None))


def test_refusals_of_the_proxy_are_reported(lab):
    server = lab.server()
    other = free_port(loopback())
    assert "does not allow" in \
        refusal(lab, server, "--proxy", proxies.socks5_server(lab, other).url(None))
    assert "forbidden (403)" in \
        refusal(lab, server, "--proxy", proxies.tinyproxy(lab, other).url("ann:secret"))
    assert "forbidden (403)" in refusal(lab, server, "--proxy", proxies.squid(lab, {}, other).url())


def test_a_server_that_the_proxy_cannot_reach(lab):
    server = lab.server()
    server.stop()
    assert "the proxy says: connection refused" in \
        refusal(lab, server, "--proxy", proxies.microsocks(lab).url())
    assert "service unavailable (503)" in \
        refusal(lab, server, "--proxy", proxies.squid(lab, {}, server.port).url())
    assert re.search(r"the proxy says: .*\(50\d\)", refusal(
        lab, server, "--proxy", proxies.tinyproxy(lab, server.port).url("ann:secret")))


@pytest.mark.parametrize("scheme", ["socks5", "http"])
def test_what_is_no_proxy(lab, scheme):
    server = lab.server()
    nobody = loopback()
    assert "the proxy cannot be reached: connection refused" in \
        refusal(lab, server, "--proxy", f"{scheme}://{nobody}:{free_port(nobody)}")
    assert re.search(r"not an? (SOCKS5|HTTP) proxy",
                     refusal(lab, server, "--proxy", f"{scheme}://{server.address}"))
    hangs_up = lab.serve(lambda connection: connection.close())
    assert "the proxy closed the connection" in \
        refusal(lab, server, "--proxy", f"{scheme}://{hangs_up.address}:{hangs_up.port}")
    silent = lab.serve(lambda connection: connection.recv(1 << 20) and connection.recv(1))
    assert "timed out: the proxy did not answer" in \
        refusal(lab, server, "--connect-timeout", "1", "--proxy",
                f"{scheme}://{silent.address}:{silent.port}")


def test_a_proxy_comes_from_flag_environment_or_file(lab):
    server = lab.server()
    right = proxies.microsocks(lab).url()
    wrong = "socks5://ann:ret@127.0.0.1:1"
    config = lab.write("client.conf", f"[profile default]\nproxy = {right}\n")
    os.chmod(config, 0o600)
    named = ("--config", config, "--profile", "default")
    lab.client(server, *named)
    lab.client(server, env={"ALKNET_PROXY": right})
    assert "proxy cannot be reached" in refusal(lab, server, *named, env={"ALKNET_PROXY": wrong})
    lab.client(server, "--proxy", right, env={"ALKNET_PROXY": wrong})
    lab.client(server, *named, "--proxy", "none")


def test_a_password_is_seen_in_no_command_line(lab):
    server = lab.server()
    url = proxies.microsocks(lab).url()
    client = lab.client(server, "--proxy", url)
    through_proxy = lab.server("--proxy", url)
    for program in (client, through_proxy):
        with open(f"/proc/{program.pid}/cmdline", "rb") as f:
            line = f.read()
        assert b"--proxy" in line and b"ann" not in line and b"ret" not in line.split(b"--proxy")[1]
        assert "ret%25" not in program.log()


@pytest.mark.parametrize("program", ["alknet-client", "alknet-server"])
def test_check_refuses_what_is_no_proxy(lab, program):
    server = lab.server()
    argv = lab.client_argv(server) if program == "alknet-client" else \
        [path_of(program), "--key", lab.keys.make("host"), "--authorized-keys",
         lab.write("keys", lab.keys.public("user") + "\n")]
    for url in ("https://ann:hush@h:1", "socks5://ann:hush@h", "ann:hush@h:1"):
        code, said = lab.run(program, argv[:-1] + ["--check", "--proxy", url] + argv[-1:]
                             if program == "alknet-client" else argv + ["--check", "--proxy", url])
        assert code == 2 and "the proxy is not socks5://" in said and "hush" not in said


# ---- the server's proxy ----

@pytest.mark.parametrize("kind", PROXIES)
def test_server_through_a_proxy(lab, kind):
    target = lab.echo()
    url = PROXIES[kind](lab, target.address, target.port)
    client = lab.client(lab.server("--proxy", url), "-D", "127.0.0.1:0")
    check_echo(lab.keep(through(client.address, target)))  # many proxies carry no half close
    if kind in ("microsocks", "squid"):
        s, code = socks5(client.address, lab.destination(NAME), target.port)
        assert code == SUCCEEDED
        check_echo(lab.keep(s))


def test_what_the_servers_proxy_says_reaches_the_user(lab):
    target = lab.echo()
    server = lab.server("--proxy", proxies.socks5_server(lab, target.port).url(None))
    host = lab.destination(loopback())
    client = lab.client(server, "-D", "127.0.0.1:0")
    s, code = socks5(client.address, host, target.port)
    s.close()
    assert code == REFUSED
    ssh = lab.run("ssh", lab.ssh_argv(server, "-W", f"{host}:{target.port + 1}"))
    assert "the proxy does not allow the connection" in ssh[1]
    ssh = lab.run("ssh", lab.ssh_argv(server, "-W", f"{host}:{target.port}"))
    assert "the proxy says: connection refused" in ssh[1]


def test_a_proxy_that_is_not_there_is_told_once(lab):
    server = lab.server("--proxy", f"socks5://{lab.entry()}")
    client = lab.client(server, "-D", "127.0.0.1:0")
    for _ in range(5):
        s, code = socks5(client.address, lab.destination(NAME), 80)
        s.close()
        assert code != SUCCEEDED
    told = re.findall('.*proxy cannot be reached.*', server.log())
    assert told == ['level=warn msg="proxy cannot be reached" reason="connection refused"'], told


@pytest.mark.parametrize("login", [None, "ann:wrong"])
@pytest.mark.parametrize("proxy", [proxies.microsocks, lambda lab: proxies.tinyproxy(lab, 443)],
                         ids=["socks5", "http"])
def test_a_login_that_the_proxy_refuses_is_told_once(lab, proxy, login):
    server = lab.server("--proxy", proxy(lab).url(login))
    client = lab.client(server, "-D", "127.0.0.1:0")
    for _ in range(3):
        s, code = socks5(client.address, lab.destination(NAME), 443)
        s.close()
        assert code != SUCCEEDED
    told = re.findall('.*msg="proxy .*', server.log())
    assert len(told) == 1 and re.fullmatch(
        'level=warn msg="proxy refuses the login" reason="the proxy (wants a|did not accept) '
        'user .*"', told[0]), told
    assert "wrong" not in server.log()


def test_unix_sockets_need_no_proxy(lab):
    server = lab.server("--proxy", "socks5://127.0.0.1:1")
    path = os.path.join(lab.directory, "target")
    target = lab.echo(path)
    ours = os.path.join(lab.directory, "entry")
    lab.client(server, "-L", f"{ours}:{target.address}")
    check_echo(lab.keep(connect(ours)))


POLICIES = {  # what [forwarding] says -> names, numbers
    "": (True, True),
    "rule = deny 10.0.0.0/8": (False, True),
    "allow_link_local = no": (False, True),
    "allow_loopback = no": (False, False),
    "default = deny\nrule = allow *.proxy.test:*": (True, False),
    "default = deny\nrule = allow 127.0.0.0/8": (False, True),
    "rule = allow only.proxy.test:*\nrule = deny 10.0.0.0/8": (True, True),
}


@pytest.mark.parametrize("rules", POLICIES)
def test_rules_about_addresses_shut_names_out(lab, rules):
    """The proxy finds the address, so nobody could judge it."""
    target = lab.echo()
    url = PROXIES["microsocks"](lab, target.address, target.port)
    config = lab.write("server.conf", f"[server]\nproxy = {url}\n[forwarding]\n{rules}\n")
    os.chmod(config, 0o600)
    client = lab.client(lab.server("--config", config), "-D", "127.0.0.1:0")
    lab.destination(NAME)

    def reaches(host):
        s, code = socks5(client.address, host, target.port)
        s.close()
        return code == SUCCEEDED
    assert (reaches(NAME), reaches(target.address)) == POLICIES[rules]

    def told(host):
        code, said = lab.run("alknet-ctl", [path_of("alknet-ctl"), "policy", "test", "--config",
                                            config, f"{host}:{target.port}"], ours=False)
        assert ("judged without addresses" in said) == (host == NAME), said
        return code == 0
    assert (told(NAME), told(target.address)) == POLICIES[rules]


def test_policy_test_without_a_file(lab):
    argv = [path_of("alknet-ctl"), "policy", "test", "--behind-proxy", "--rule", "deny 10.0.0.0/8"]
    code, said = lab.run("alknet-ctl", argv + ["--json", f"{NAME}:80"])
    entry, = json.loads(said)
    assert code == 1 and (entry["outcome"], entry["behind_proxy"]) == ("denied", True)
    code, said = lab.run("alknet-ctl", argv + ["--resolves-to", "192.0.2.1", f"{NAME}:80"])
    assert code == 2 and "--resolves-to" in said
