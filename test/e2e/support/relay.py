"""A wire between a client and a server that the test holds in its hand: it can stall, swallow,
record and damage what passes."""
import socket
import threading

from .dial import connect
from .targets import listen_on, loopback


class Relay:
    """Listens on .address and passes each connection on to address.

    damage(direction, offset, data) may return other bytes; direction is "up" towards the server
    or "down". Without it everything passes unchanged."""

    def __init__(self, address, damage=None):
        self.target = address
        self.damage = damage
        self.listener = listen_on(loopback())
        self.address = "{}:{}".format(*self.listener.getsockname())
        self.going = threading.Event()  # cleared: nothing is read
        self.going.set()
        self.swallowing = False
        self.recorded = {"up": bytearray(), "down": bytearray()}
        self.sockets = []
        threading.Thread(target=self._accept, daemon=True).start()

    def stall(self):
        """From now on nothing is read, so that both ends feel back-pressure."""
        self.going.clear()

    def swallow(self):
        """From now on what comes is thrown away, ends of streams too."""
        self.swallowing = True

    def pass_on(self):
        """New connections are passed on again; those that lost bytes stay dead."""
        self.swallowing = False

    def _accept(self):
        while True:
            try:
                near, _ = self.listener.accept()
            except OSError:
                return
            try:
                far = connect(self.target)
            except OSError:
                near.close()
                continue
            for s in (near, far):
                s.settimeout(None)
                s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.sockets += [near, far]
            for direction, source, sink in (("up", near, far), ("down", far, near)):
                threading.Thread(target=self._pump, args=(direction, source, sink),
                                 daemon=True).start()

    def _pump(self, direction, source, sink):
        offset, dead = 0, False
        try:
            while True:
                self.going.wait()
                data = source.recv(1 << 16)
                dead |= self.swallowing
                if dead:
                    if not data:
                        return
                    continue
                if not data:
                    sink.shutdown(socket.SHUT_WR)
                    return
                if offset < 1 << 20:
                    self.recorded[direction] += data
                if self.damage is not None:
                    sent = self.damage(direction, offset, data)
                else:
                    sent = data
                offset += len(data)
                sink.sendall(sent)
        except OSError:
            for s in (source, sink):
                try:
                    s.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass

    @staticmethod
    def cut(sockets):
        """Ends connections; sockets is a copy of .sockets, or part of it."""
        for s in sockets:
            try:
                s.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def close(self):
        self.going.set()
        self.cut([self.listener] + self.sockets)
        for s in [self.listener] + self.sockets:
            s.close()
