"""asyncssh as a server that forwards and nothing else; see README."""
import asyncio
import logging
import sys

import asyncssh


class Server(asyncssh.SSHServer):
    def connection_requested(self, dest_host, dest_port, orig_host, orig_port):
        return True

    def server_requested(self, listen_host, listen_port):
        return True


async def run(address, port, host_key, user_key, *options):
    rekeying = {}
    if "--rekey" in options:
        logging.basicConfig(level=logging.DEBUG)
        asyncssh.set_debug_level(2)
        rekeying = {"rekey_bytes": 1 << 20}
    await asyncssh.create_server(Server, address, int(port), server_host_keys=[host_key],
                                 authorized_client_keys=user_key, reuse_address=True,
                                 **rekeying)
    print("listening", flush=True)
    await asyncio.Event().wait()


asyncio.run(run(*sys.argv[1:]))
