"""asyncssh as a client; see README."""
import argparse
import asyncio
import logging
import sys

import asyncssh


async def run(o):
    with open(o.host_key) as f:
        known = f"[{o.host}]:{o.port} {f.read()}".encode()
    if o.rekey:
        logging.basicConfig(level=logging.DEBUG)
        asyncssh.set_debug_level(2)
    options = {"rekey_bytes": 1 << 20} if o.rekey else {}
    try:
        connection = await asyncssh.connect(
            o.host, o.port, username=o.user, client_keys=[o.key], known_hosts=known, config=None,
            agent_path=None, **options)
    except asyncssh.PermissionDenied:
        print("refused", file=sys.stderr)
        return 1
    async with connection:
        for spec in o.L:
            address, port, host, target = spec.split(":")
            await connection.forward_local_port(address, int(port), host, int(target))
        for spec in o.R:
            port, host, target = spec.split(":")
            await connection.forward_remote_port("127.0.0.1", int(port), host, int(target))
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    return 0


parser = argparse.ArgumentParser()
parser.add_argument("--version", action="version", version=asyncssh.__version__)
parser.add_argument("host")
parser.add_argument("port", type=int)
parser.add_argument("user")
parser.add_argument("key")
parser.add_argument("host_key")
parser.add_argument("-L", action="append", default=[])
parser.add_argument("-R", action="append", default=[])
parser.add_argument("--rekey", action="store_true")
sys.exit(asyncio.run(run(parser.parse_args())))
