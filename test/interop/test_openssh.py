"""What users of OpenSSH expect of any server behind their ssh."""
import os
import socket

import pytest

from support.authority import sign
from support.dial import check_echo, check_exchange, connect, through
from support.targets import answer_after_end, payload, read_all


@pytest.fixture
def server(lab):
    return lab.server()


def control(lab, socket_path, *args):
    code, said = lab.run("ssh-control", ["ssh", "-F", "none", "-S", socket_path, *args, "any"])
    assert code == 0, said
    return said


def test_multiplexing(lab, server):
    """One master; forwards are added, removed and used by others, and it is told to leave."""
    path, entry, echo = lab.path("control"), lab.entry(), lab.echo()
    master = lab.ssh(server, "-M", "-S", path)
    control(lab, path, "-O", "check")
    control(lab, path, "-O", "forward", "-L", f"{entry}:{echo.spec}")
    check_echo(lab.keep(connect(entry)))
    control(lab, path, "-O", "cancel", "-L", f"{entry}:{echo.spec}")
    _, s = lab.stdio("ssh-stdio", ["ssh", "-F", "none", "-S", path, "-W", echo.spec, "any"])
    check_echo(s)
    control(lab, path, "-O", "exit")
    master.wait()
    assert server.log().count('msg="connection opened"') == 1


def test_many_sessions_of_one_master(lab, server):
    path, echo = lab.path("control"), lab.echo()
    lab.ssh(server, "-M", "-S", path)
    for _ in range(2):
        sessions = [lab.stdio("ssh-mux", ["ssh", "-F", "none", "-S", path, "-W", echo.spec, "any"])
                    for _ in range(40)]
        for _, s in sessions:
            check_echo(s)
        for ssh, s in sessions:
            s.close()
            ssh.wait()
    assert server.log().count('msg="connection opened"') == 1


def jump_config(lab, **servers):
    """A configuration of ssh in which these have their names."""
    known = lab.write("known_hosts_all", "".join(open(s.known_hosts).read()
                                                 for s in servers.values()))
    return lab.write("config", f"""
Host *
    User root
    IdentityFile {lab.keys.make("user")}
    IdentitiesOnly yes
    IdentityAgent none
    BatchMode yes
    StrictHostKeyChecking yes
    GlobalKnownHostsFile /dev/null
    UserKnownHostsFile {known}
""" + "".join(f"Host {name}\n    HostName {s.host}\n    Port {s.port}\n"
              for name, s in servers.items()))


def test_proxy_jump(lab, server):
    """ssh -J through one alknet-server or two to an sshd behind them, and a command there."""
    config = jump_config(lab, first=server, second=lab.server(), inner=lab.sshd())
    for way in ("first", "first,second"):
        code, said = lab.run("ssh", ["ssh", "-F", config, "-J", way, "inner", "echo inside"])
        assert code == 0 and "inside" in said, said


def test_proxy_jump_to_alknet_while_rekeying(lab, server):
    config = jump_config(lab, outer=lab.sshd(), first=lab.server(), inner=server)
    exchange, entry = lab.exchange(8 << 20), lab.path("entry")
    ssh = lab.start("ssh", ["ssh", "-v", "-F", config, "-J", "outer,first", "-N", "-L",
                            f"{entry}:{exchange.spec}", "-o", "RekeyLimit=64K", "inner"])
    ssh.wait_for("Entering interactive session", count=3)
    check_exchange(connect(entry), exchange)


def test_stdio(lab, server):
    target = lab.serve(answer_after_end)
    data, digest = payload(1 << 20)
    ssh, s = lab.stdio("ssh", lab.ssh_argv(server, "-W", target.spec))
    s.sendall(data)
    s.shutdown(socket.SHUT_WR)
    assert read_all(s).decode() == digest
    assert ssh.wait() == 0


def test_remote_dynamic_forward(lab, server):
    """ssh -R 1080: a SOCKS proxy on the server's side that leaves through the client."""
    ssh = lab.ssh(server, "-R", "0")
    port = int(ssh.wait_for(r"Allocated port (\d+) for remote forward")[1])
    check_echo(lab.keep(through(("127.0.0.1", port), lab.echo())))


def test_keepalive(lab, server):
    """ServerAliveInterval gets its answers: with none it would end after the second."""
    ssh = lab.ssh(server, "-vv", "-o", "ServerAliveInterval=1", "-o", "ServerAliveCountMax=1")
    ssh.wait_for("receive packet: type 82", count=3)
    assert ssh.running()


def test_certificate(lab):
    """A certificate logs in, and the bare key does not."""
    ca, key, echo = lab.keys.make("authority"), lab.keys.make("certified"), lab.echo()
    authorities = lab.write("authorities", lab.keys.public("authority") + "\n")
    server = lab.server("--cert-authority", authorities, authorized=[])
    certificate = sign(ca, key + ".pub", "-n", "root")
    entry = lab.entry()
    argv = lab.ssh_argv(server, "-N", "-o", f"CertificateFile={certificate}", "-L",
                        f"{entry}:{echo.spec}")
    argv[argv.index("-i") + 1] = key
    ssh = lab.start("ssh", argv)
    ssh.wait_for("Entering interactive session")
    check_echo(lab.keep(connect(entry)))
    os.remove(certificate)
    bare = lab.ssh_argv(server, "-N")
    bare[bare.index("-i") + 1] = key
    code, said = lab.run("ssh", bare)
    assert code == 255 and "Permission denied" in said
