"""--stealth: to strangers the port is a web server like any other, to SSH clients it is SSH."""
import concurrent.futures
import os
import re
import socket
import ssl
import subprocess
import time

import pytest

from support import pki, web_requests
from support.dial import check_echo, connect, through
from support.program import path_of, wait_until
from support.targets import free_port, loopback

CROWD = ("--max-unauthenticated-per-ip", "1000", "--max-unauthenticated", "1000")


class Site:
    """One certificate for both servers."""

    def __init__(self, lab):
        self.lab = lab
        self.ca = pki.authority(lab.directory)
        self.identity = pki.issue("server", ("127.0.0.1",), self.ca).write(lab.directory, "tls")

    def server(self, *args, **options):
        self.ours = self.lab.server("--transport", "tls", "--tls-cert", self.identity.cert_path,
                                    "--tls-key", self.identity.key_path, "--stealth", *CROWD, *args,
                                    **options)
        return self.ours

    def client_argv(self):
        return ("--transport", "tls", "--tls-ca", self.ca.cert_path)

    def nginx(self, listen="ssl", root=None):
        """Debian's, with Debian's configuration: only where it listens and writes is ours."""
        lab = self.lab
        os.chmod(lab.directory, 0o755)
        address = loopback()
        port = free_port(address)
        where = root or lab.path("nothing")  # not even an empty folder: that would be a 403
        with open("/etc/nginx/nginx.conf") as f:
            config = f.read()
        site = f"""server {{ listen {address}:{port} {listen};
            ssl_certificate {self.identity.cert_path}; ssl_certificate_key {self.identity.key_path};
            root {where}; index index.html; server_name _; location / {{ try_files $uri $uri/ =404; }} }}"""
        config, count = re.subn(r"include /etc/nginx/sites-enabled/\*;", lambda m: site, config)
        assert count == 1
        config = re.sub(r"pid .*;", f"pid {lab.path(f'nginx{port}.pid')};", config)
        config = re.sub(r"(access|error)_log \S+;", lambda m: f"{m[1]}_log {lab.path('nginx.log')};",
                        config)
        path = lab.write(f"nginx{port}.conf", config)
        nginx = lab.start("nginx", ["nginx", "-c", path, "-g", "daemon off;"], ours=False)

        def accepts():
            try:
                connect((address, port)).close()
            except ConnectionRefusedError:
                return False
            return True
        wait_until(accepts, "nginx accepts connections")
        return address, port


@pytest.fixture
def site(lab):
    return Site(lab)


def tls(where, seconds=100):
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context.wrap_socket(connect(where, seconds))


def talk(where, parts, wait, secure=True):
    """(what came, whether the server closed, after how many seconds)."""
    s = tls(where) if secure else connect(where)
    begin, answer, closed = time.monotonic(), b"", False
    for i, part in enumerate(parts if isinstance(parts, list) else [parts]):
        if i:
            time.sleep(0.2)
        try:
            s.sendall(part)
        except OSError:  # it has closed already; what it said is still to be read
            break
    while not closed and (left := begin + wait - time.monotonic()) > 0:
        s.settimeout(left)
        try:
            piece = s.recv(65536)
        except TimeoutError:
            break
        except OSError:  # ssl's own errors too: nginx closes without a farewell at times
            piece = b""
        answer += piece
        closed = piece == b""
    seconds = time.monotonic() - begin
    s.close()
    return re.sub(rb"Date: \w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT", b"Date: *", answer), closed, seconds


def differ(ours, nginx):
    return ours[:2] != nginx[:2] or (ours[1] and abs(ours[2] - nginx[2]) > 1)


def compare(site, requests, wait, secure=True):
    """Both are asked at the same time. A case that differs is asked again with few others, for the
    sake of the clock."""
    real = site.nginx()
    said = talk(real, b"GET / HTTP/1.0\r\n\r\n", 20)[0]
    name = re.search(rb"Server: ([^\r]*)", said)[1].decode()
    ours = site.server("--stealth-server", name).address

    def ask(cases, together):
        with concurrent.futures.ThreadPoolExecutor(together) as pool:
            asked = {case: [pool.submit(talk, where, requests[case], wait, secure)
                            for where in (ours, real)] for case in cases}
            return {case: [f.result() for f in futures] for case, futures in asked.items()}
    got = ask(requests, 32)
    for _ in range(2):
        got.update(ask([case for case in got if differ(*got[case])], 4))
    wrong = [f"{case}: nginx {nginx}, we {ours}" for case, (ours, nginx) in got.items()
             if differ(ours, nginx)]
    assert not wrong, f"{len(wrong)} of {len(got)} differ:\n" + "\n".join(wrong)


def nginx_version():
    said = subprocess.run(["nginx", "-v"], capture_output=True, text=True, check=True).stderr
    return tuple(int(part) for part in re.search(r"nginx/(\d+)\.(\d+)", said).groups())


@pytest.mark.slow
def test_the_decoy_answers_as_nginx_does(site):
    requests = {case: parts for case, parts in web_requests.REQUESTS.items()
                if case not in web_requests.LINGER}
    if nginx_version() < (1, 23):
        requests |= web_requests.UNTIL_1_23
    compare(site, requests, 1.5)


def test_the_decoy_waits_for_bodies_as_nginx_does(site):
    compare(site, {case: web_requests.REQUESTS[case] for case in web_requests.LINGER}, 6.5)


def test_without_tls_the_answer_is_that_of_nginx(site):
    compare(site, web_requests.PLAIN, 6.5, secure=False)


@pytest.mark.slow
def test_the_decoy_has_the_time_outs_of_nginx(site):
    """More than a minute: nginx's own."""
    compare(site, web_requests.SLOW, 80)


# ---- SSH ----

def test_clients_get_in(lab, site):
    site.server()
    client = lab.client(site.ours, "-D", "127.0.0.1:0", *site.client_argv())
    check_echo(lab.keep(through(client.address, lab.echo())))


def test_openssh_gets_in(lab, site):
    site.server()
    echo = lab.echo()
    proxy = f"openssl s_client -quiet -connect {site.ours.address}"
    program, s = lab.stdio("ssh", lab.ssh_argv(site.ours, "-o", f"ProxyCommand={proxy}", "-W",
                                               f"{echo.address}:{echo.port}"))
    check_echo(s)


@pytest.mark.parametrize("sizes", ([1] * 8, [3, 2], [8], [7, 1]))
def test_an_identification_in_pieces_is_understood(site, sizes):
    site.server()
    identification, s = b"SSH-2.0-test\r\n", tls(site.ours.address)
    for size in sizes:
        s.sendall(identification[:size])
        identification = identification[size:]
        if identification.startswith(b"SSH") or len(identification) > 6:
            s.settimeout(0.05)
            with pytest.raises(TimeoutError):  # nothing is said before it is sure
                s.recv(1)
    s.settimeout(30)
    s.sendall(identification)
    assert s.recv(8) == b"SSH-2.0-"
    s.close()


# ---- a web server behind ----

def test_the_backend_is_a_real_web_server(lab, site):
    root = lab.path("site")
    os.makedirs(root)
    page = os.urandom(1 << 20).hex()
    with open(os.path.join(root, "page.html"), "w") as f:
        f.write(page)
    address, port = site.nginx(listen="", root=root)
    site.server("--stealth-backend", f"{address}:{port}")
    got = subprocess.run(["curl", "-sS", "--cacert", site.ca.cert_path,
                          f"https://{site.ours.address}/page.html"], capture_output=True, text=True)
    assert got.stdout == page, got.stderr
    lab.client(site.ours, *site.client_argv())


def test_the_backend_sees_bytes_and_their_end(lab, site):
    got = []

    def serve(connection):
        while piece := connection.recv(1 << 16):
            got.append(piece)
        connection.sendall(b"answer after your end")
        connection.close()
    backend = lab.serve(serve)
    site.server("--stealth-backend", f"{backend.address}:{backend.port}")
    lab.destinations.clear()  # it is no tunnel's destination
    sent = bytes(range(256)) * 2000
    done = subprocess.run(["openssl", "s_client", "-quiet", "-no_ign_eof", "-connect",
                           site.ours.address], input=b"\0" + sent, capture_output=True, timeout=60)
    wait_until(lambda: sum(map(len, got)) == len(sent) + 1, "the backend has all")
    assert b"".join(got) == b"\0" + sent, done.stderr


def test_a_backend_that_is_down_closes(lab, site):
    nobody = loopback()
    site.server("--stealth-backend", f"{nobody}:{free_port(nobody)}")
    answer, closed, _ = talk(site.ours.address, b"GET / HTTP/1.0\r\n\r\n", 30)
    assert (answer, closed) == (b"", True)
    lab.client(site.ours, *site.client_argv())


# ---- wrong usage ----

def test_stealth_needs_tls(lab):
    argv = [path_of("alknet-server"), "--key", lab.keys.make("host"), "--authorized-keys",
            lab.write("keys", lab.keys.public("user") + "\n"), "--stealth", "--listen", "127.0.0.1:0"]
    code, said = lab.run("alknet-server", argv)
    assert code == 2 and "--stealth needs --transport tls" in said
    code, said = lab.run("alknet-server", [*(a for a in argv if a != "--stealth"), "--stealth-backend", "127.0.0.1:80"])
    assert code == 2 and "need --stealth" in said
    config = lab.write("server.conf", "[listener a]\nlisten = 127.0.0.1:0\nstealth = yes\n")
    code, said = lab.run("alknet-server", argv[:5] + ["--check", "--config", config])
    assert code != 0 and "stealth needs transport = tls" in said
