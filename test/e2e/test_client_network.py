"""How alknet-client reaches its server: from which address, over which family, and for how long."""
from support.dial import check_echo, connect
from support.suite import both_engines
from support.targets import loopback


def test_bind_address(lab):
    server, address = lab.server(), loopback()
    client = lab.client(server, "--bind-address", address, "-L", f"{lab.entry()}:{lab.echo().spec}")
    check_echo(lab.keep(connect(client.address)))
    server.wait_for(f'msg="connection opened" remote_addr={address} ')


def test_an_address_that_is_none(lab):
    code, said = lab.run("alknet-client", lab.client_argv(lab.server(), "--bind-address", "here"))
    assert code == 2 and "'here' is no address to connect from" in said


def test_family(lab):
    server = lab.server()
    lab.client(server, "--ipv4")
    code, said = lab.run("alknet-client", lab.client_argv(server, "--ipv6"))
    assert code == 1 and "no address of the family that was asked for" in said


@both_engines
def test_the_time_out_covers_the_login(lab):
    """Somebody accepts the connection and never says a word."""
    silent = lab.serve(lambda connection: connection.recv(1 << 16) and connection.recv(1))
    argv = lab.client_argv(lab.server(), "--connect-timeout", "1")
    argv[-1] = f"root@{silent.spec}"
    code, said = lab.run("alknet-client", argv)
    assert code == 1 and "the login was not finished in time" in said
