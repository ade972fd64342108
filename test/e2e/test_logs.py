"""No tunnel destination in any log. The laboratory checks this after every test, at debug level;
here every kind of destination is used on purpose, and the check itself is checked."""
import re

import pytest

from support.dial import check_echo, connect, socks4a, socks5, through
from support.lab import Lab
from support.targets import free_port


@pytest.mark.parametrize("level", ["error", "warn", "info", "debug"])
def test_no_destination_in_any_log(lab, level):
    lab.level = level
    server = lab.server()
    echo, path = lab.echo(), lab.echo(lab.path("destination-path"))
    client = lab.client(server, "-D", "127.0.0.1:0", "--http-proxy", "127.0.0.1:0",
                        "-L", f"{lab.entry()}:{echo.spec}", "-L", f"{lab.path('in')}:{path.address}",
                        "-R", f"0:{echo.spec}", "-R", f"{lab.path('listen')}:{path.address}")
    proxy, web, entry = client.addresses[:3]
    check_echo(lab.keep(through(proxy, echo)))
    check_echo(lab.keep(connect(entry)))
    check_echo(lab.keep(connect(lab.path("in"))))
    port = [p for p in lab.remote_ports(client, 2) if p][0]
    check_echo(lab.keep(connect(("127.0.0.1", port))))
    check_echo(lab.keep(connect(lab.path("listen"))))
    # failures of every kind
    name = lab.destination("unresolvable" * 6 + ".invalid")
    closed = free_port(echo.address)
    lab.destination(closed)
    for host, number in ((name, 80), (echo.address, closed), ("224.0.0.1", 81),
                         ("alknet-secret", 1)):
        lab.destination(host)
        socks5(proxy, host, number)[0].close()
        socks4a(proxy, host, number)[0].close()
        with connect(web) as s:
            s.sendall(f"CONNECT {host}:{number} HTTP/1.1\r\n\r\n".encode())
            assert s.recv(1000).startswith(b"HTTP/1.1 50") or host == "alknet-secret"
    lab.run("alknet-client", lab.client_argv(server, "-W", f"{name}:80"))
    lab.run("alknet-client", lab.client_argv(server, "-W", f"{echo.address}:{closed}"))
    if level != "debug":  # what follows takes 10 s
        return
    server.kill()
    socks5(proxy, echo.address, echo.port)[0].close()  # and while there is no server


def test_the_check_for_destinations_can_fail(keys):
    lab = Lab(keys)
    lab.destination("127.9.8.7", 12345)
    for text in ("level=debug msg=open host=127.9.8.7", "level=debug port=12345"):
        lab.start("alknet-talker", ["echo", text], ours=True).wait()
    quiet = lab.start("alknet-quiet", ["echo", "port=123456 127.9.8.70"], ours=True)
    quiet.wait()
    complaints = lab.finish()
    lab.remove()
    assert len(complaints) == 2 and all("logs the destination" in c for c in complaints)


def test_log_lines_are_logfmt(lab):
    server = lab.server()
    lab.client(server).stop()
    server.wait_for('msg="connection closed"')
    for line in server.log().splitlines():
        if line.startswith("alknet-server: listening on"):
            continue
        assert re.fullmatch(r'level=(error|warn|info|debug) msg=("[^"]*"|\S+)( [a-z_]+=("[^"]*"|\S+))*',
                            line), line
