"""What each program is asked to do as a client of alknet-server, in the same words for all."""
import re
import subprocess

from support.program import Program, wait_until

NOBODY = "stranger"  # a key that no server of ours authorises


def output_of(argv):
    """What a program says, on whichever stream and with whichever exit status."""
    done = subprocess.run([str(a) for a in argv], capture_output=True, text=True, timeout=60)
    return done.stdout + done.stderr


def first_word(argv):
    """Of its standard output; Python's warnings are not for us."""
    done = subprocess.run([str(a) for a in argv], capture_output=True, text=True, timeout=60)
    return re.split(r"[\s/]", done.stdout)[0]


def version_in(argv, pattern):
    return re.search(pattern, output_of(argv))[1]


def is_listening(host, port):
    """Whether somebody listens there; asks the kernel, for a connection would be a visit."""
    with open("/proc/net/tcp") as table:
        text = table.read()
    wanted = "".join(f"{int(part):02X}" for part in reversed(host.split("."))) + f":{port:04X}"
    return re.search(rf"^\s*\d+: {wanted} \S+ 0A ", text, re.M) is not None


class ClientPeer:
    """One program. local is a list of (ADDR:PORT, target), remote of (port, target)."""

    name = ""
    package = ""          # for the page
    exchanged = ""        # what it says of each key exchange; "" when it cannot be asked for any
    refusal = ""          # what it says, or how it ends, when no key is accepted

    def version(self):
        raise NotImplementedError

    def argv(self, lab, server, key, local, remote, rekeying):
        raise NotImplementedError

    def environment(self, lab, server):
        return {}

    def start(self, lab, server, local=(), remote=(), rekeying=False):
        """Logs in and waits until all forwards can be used."""
        program = self.launch(lab, server, lab.keys.make("user"), local, remote, rekeying)
        places = [entry.rsplit(":", 1) for entry, _ in local] + [("127.0.0.1", p) for p, _ in remote]

        def is_up():
            assert program.running(), f"{self.name} ended with {program.wait()}: {program.log()}"
            return all(is_listening(host, int(port)) for host, port in places)
        wait_until(is_up, f"{self.name} has logged in and listens")
        return program

    def launch(self, lab, server, key, local=(), remote=(), rekeying=False) -> Program:
        return lab.start(self.name, self.argv(lab, server, key, local, remote, rekeying),
                         env=self.environment(lab, server), stdin=subprocess.PIPE)

    def end(self, program):
        """Asks it to leave in good order."""
        program.process.terminate()


class Tunnel(ClientPeer):
    """A library, with a small program of ours around it that takes the place of `ssh -N`: see
    tunnels/README."""

    def command(self):
        raise NotImplementedError

    def argv(self, lab, server, key, local, remote, rekeying):
        argv = [*self.command(), server.host, server.port, "root", key,
                lab.keys.make("host") + ".pub"]
        for entry, target in local:
            argv += ["-L", f"{entry}:{target.spec}"]
        for port, target in remote:
            argv += ["-R", f"{port}:{target.spec}"]
        return argv + (["--rekey"] if rekeying else [])

    def version(self):
        return first_word([*self.command(), "--version"])

    def end(self, program):
        program.process.stdin.close()
