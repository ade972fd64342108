"""The local proxies of alknet-client: SOCKS5, SOCKS4a, HTTP CONNECT, and what they answer."""
import socket
import subprocess

from support.dial import (DENIED, REFUSED, SUCCEEDED, UNREACHABLE, UNSUPPORTED, check_echo, connect,
                          read_exactly, socks4a, socks5, through)
from support.program import path_of
from support.suite import both_engines
from support.targets import free_port, loopback, read_all


# a label of 64 bytes is no name: refused by the resolver itself, nothing is asked
NO_NAME = "n" * 64 + ".invalid"


@both_engines
def test_socks5_reaches_names_ipv4_and_ipv6(lab):
    client = lab.client(lab.server(), "-D", "127.0.0.1:0")
    check_echo(lab.keep(through(client.address, lab.echo())))
    check_echo(lab.keep(through(client.address, lab.echo("::1"))))
    s, code = socks5(client.address, "localhost", lab.echo("127.0.0.1").port, force_name=True)
    assert code == SUCCEEDED
    check_echo(lab.keep(s))


def test_socks4a(lab):
    client = lab.client(lab.server(), "-D", "127.0.0.1:0")
    s, code = socks4a(client.address, "localhost", lab.echo("127.0.0.1").port)
    assert code == 90
    check_echo(lab.keep(s))
    s, code = socks4a(client.address, "localhost", free_port("127.0.0.1"))
    assert code == 91
    s.close()


def test_socks5_reply_codes(lab):
    # only this much may be reached, so that "prohibited" can be told from the rest
    nobody, nobody_port = loopback(), 9
    permit = [f'permitopen="{nobody}:{nobody_port}"', f'permitopen="{NO_NAME}:80"']
    server = lab.server(authorized=[f"{','.join(permit)} {lab.keys.public('user')}"])
    client = lab.client(server, "-D", "127.0.0.1:0")
    lab.destination(nobody, NO_NAME)

    def code_of(host, port, **options):
        s, code = socks5(client.address, host, port, **options)
        assert s.recv(1) == b"", "after a refusal the proxy closes"
        s.close()
        return code
    got = {
        "refused": code_of(nobody, nobody_port),
        "unresolvable": code_of(NO_NAME, 80),
        "prohibited": code_of(lab.destination("127.1.2.3"), 80),
        "BIND": code_of(nobody, nobody_port, command=2),
        "UDP ASSOCIATE": code_of(nobody, nobody_port, command=3),
    }
    assert got == {"refused": REFUSED, "unresolvable": UNREACHABLE, "prohibited": DENIED,
                   "BIND": UNSUPPORTED, "UDP ASSOCIATE": UNSUPPORTED}


def test_socks5_unreachable_network(lab):
    client = lab.client(lab.server(), "-D", "127.0.0.1:0")
    # the kernel itself refuses to connect to a multicast address
    s, code = socks5(client.address, lab.destination("224.0.0.1"), 80)
    s.close()
    assert code == UNREACHABLE


def test_socks5_with_user_and_password(lab):
    password = lab.write("password", "correct horse\n")
    client = lab.client(lab.server(), "-D", "127.0.0.1:0", "--socks5-user", f"ann:{password}")
    echo = lab.echo()
    s, code = socks5(client.address, echo.address, echo.port, login=("ann", "correct horse"))
    assert code == SUCCEEDED
    check_echo(lab.keep(s))
    for login in (("ann", "wrong"), ("bob", "correct horse"), None):
        s, code = socks5(client.address, echo.address, echo.port, login=login)
        assert code in (-1, 0xff), f"expected {login} to be refused, got {code}"
        s.close()
    s = lab.keep(connect(client.address))  # SOCKS4 knows no password
    s.sendall(b"\x04\x01\x00\x50\x7f\x00\x00\x01me\x00")
    assert b"\x5a" != read_all(s)[1:2]
    assert "correct horse" not in client.log()
    assert echo.accepted == 1


def test_socks_request_in_single_bytes_and_data_behind_it(lab):
    client = lab.client(lab.server(), "-D", "127.0.0.1:0")
    echo = lab.echo()
    request = (b"\x05\x01\x00" + b"\x05\x01\x00\x01" + socket.inet_aton(echo.address) +
               echo.port.to_bytes(2, "big"))
    s = lab.keep(connect(client.address))
    s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    for i in range(len(request)):
        s.sendall(request[i:i + 1])
    assert read_exactly(s, 12)[:4] == b"\x05\x00\x05\x00"
    check_echo(s)
    s = lab.keep(connect(client.address))
    s.sendall(request + b"early")  # everything in one piece, the data too
    assert read_exactly(s, 17)[12:] == b"early"


def curl(proxy, url, *args):
    return subprocess.run(["curl", "-sS", "--max-time", "20", "--proxytunnel", "--proxy",
                           f"http://{proxy}", "-o", "-", "-w", "\n%{http_connect}", *args, url],
                          capture_output=True, text=True, timeout=60)


def answer_http(connection):
    request = b""
    while b"\r\n\r\n" not in request:
        request += connection.recv(4096)
    connection.sendall(b"HTTP/1.0 200 OK\r\nContent-Length: 3\r\n\r\nyes")


@both_engines
def test_http_connect_with_curl(lab):
    client = lab.client(lab.server(), "--http-proxy", "127.0.0.1:0")
    for address in (None, "::1"):
        web = lab.serve(answer_http, address)
        done = curl(client.address, f"http://{web.spec}/")
        assert done.stdout == "yes\n200", done
    web = lab.serve(answer_http, "127.0.0.1")
    assert curl(client.address, f"http://localhost:{web.port}/").stdout == "yes\n200"


def test_http_connect_refusals(lab):
    permit = f'permitopen="{loopback()}:9"'
    server = lab.server(authorized=[f"{permit} {lab.keys.public('user')}"])
    client = lab.client(server, "--http-proxy", "127.0.0.1:0")
    address = permit.split('"')[1]
    assert curl(client.address, f"http://{address}/").stdout.endswith("\n502")
    assert curl(client.address, "http://127.9.9.9:81/").stdout.endswith("\n403")
    s = lab.keep(connect(client.address))
    s.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    assert read_all(s).startswith(b"HTTP/1.1 405 ")


@both_engines
def test_ipv6_on_both_ends(lab):
    server = lab.server(listen=("[::1]:0",))
    echo = lab.echo("::1")
    port = free_port("::1")
    client = lab.client(server, "-L", f"[::1]:{port}:[::1]:{echo.port}", "-R",
                        f"[::1]:0:[::1]:{echo.port}", "-D", "[::1]:0")
    check_echo(lab.keep(connect(("::1", port))))
    check_echo(lab.keep(through(client.address, echo)))
    check_echo(lab.keep(connect(("::1", lab.remote_ports(client)[0]))))


def test_server_on_a_unix_socket_as_well(lab):
    path = lab.path("server")
    server = lab.server(listen=("127.0.0.1:0", f"unix:{path}"))
    assert connect(path).recv(4) == b"SSH-"
    client = lab.client(server, "-L", f"{lab.entry()}:{lab.echo().spec}")
    check_echo(lab.keep(connect(client.address)))


def test_version_and_help():
    for name in ("alknet-server", "alknet-client"):
        for option in ("--version", "--help"):
            done = subprocess.run([path_of(name), option], capture_output=True, text=True)
            assert (done.returncode, done.stderr) == (0, "")
            assert name in done.stdout
