"""paramiko as a client; see README."""
import argparse
import base64
import logging
import select
import socket
import sys
import threading

import paramiko


def send_all(channel, source):
    try:
        while data := source.recv(1 << 15):
            channel.sendall(data)
        channel.shutdown_write() if isinstance(channel, paramiko.Channel) else \
            channel.shutdown(socket.SHUT_WR)
    except OSError:
        channel.close()
        source.close()


def join(channel, s):
    """Carries both ways until both have ended."""
    up = threading.Thread(target=send_all, args=(channel, s), daemon=True)
    up.start()
    send_all(s, channel)
    up.join()
    channel.close()
    s.close()


def serve_local(transport, address, port, target):
    listener = socket.create_server((address, port), backlog=128)

    def serve(s):
        try:
            channel = transport.open_channel("direct-tcpip", target, s.getpeername())
        except paramiko.SSHException:
            s.close()
            return
        join(channel, s)

    def accept():
        while True:
            threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()
    threading.Thread(target=accept, daemon=True).start()


def serve_remote(transport, port, target):
    def accept(channel, origin, server):
        threading.Thread(target=lambda: join(channel, socket.create_connection(target)),
                         daemon=True).start()
    transport.request_port_forward("127.0.0.1", port, accept)


def run(o):
    transport = paramiko.Transport((o.host, o.port))
    if o.rekey:
        logging.basicConfig(level=logging.DEBUG)
        transport.packetizer.REKEY_BYTES = 1 << 20
    with open(o.host_key) as f:
        expected = paramiko.Ed25519Key(data=base64.b64decode(f.read().split()[1]))
    try:
        transport.connect(expected, o.user, pkey=paramiko.Ed25519Key.from_private_key_file(o.key))
    except paramiko.AuthenticationException:
        print("refused", file=sys.stderr)
        return 1
    for spec in o.L:
        address, port, host, target = spec.split(":")
        serve_local(transport, address, int(port), (host, int(target)))
    for spec in o.R:
        port, host, target = spec.split(":")
        serve_remote(transport, int(port), (host, int(target)))
    while transport.is_active():
        if select.select([sys.stdin], [], [], 1)[0]:
            break
    transport.close()
    return 0


parser = argparse.ArgumentParser()
parser.add_argument("--version", action="version", version=paramiko.__version__)
parser.add_argument("host")
parser.add_argument("port", type=int)
parser.add_argument("user")
parser.add_argument("key")
parser.add_argument("host_key")
parser.add_argument("-L", action="append", default=[])
parser.add_argument("-R", action="append", default=[])
parser.add_argument("--rekey", action="store_true")
sys.exit(run(parser.parse_args()))
