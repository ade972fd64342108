"""Programs behind the tunnel, as threads of the test: echo, exchange, and badly behaved ones."""
import hashlib
import os
import random
import selectors
import socket
import threading

_block = os.urandom(64 << 20)


def payload(size):
    """size random bytes, the same ones all over the run; and their SHA-256."""
    data = memoryview(_block)[:size]
    return data, hashlib.sha256(data).hexdigest()


def loopback():
    """An address of 127/8 that nobody else on the machine is likely to use."""
    return f"127.{random.randint(1, 250)}.{random.randint(0, 250)}.{random.randint(2, 250)}"


def listen_on(address, port=0, backlog=1024):
    """A listening socket: a path, an IPv4 or an IPv6 address. Port 0: the kernel chooses."""
    if address.startswith("/"):
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(address)
    else:
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        listener = socket.socket(family)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((address, port))
    listener.listen(backlog)
    return listener


def free_port(address):
    """A port that is free now, for programs that cannot ask the kernel themselves. On an
    address of our own nobody takes it in between."""
    with listen_on(address) as listener:
        return listener.getsockname()[1]


class Target:
    """A listening socket whose connections are served by threads running serve(connection)."""

    def __init__(self, address=None, serve=None):
        self.address = address or loopback()
        self.listener = listen_on(self.address)
        self.is_path = self.address.startswith("/")
        self.port = 0 if self.is_path else self.listener.getsockname()[1]
        self.accepted = 0
        self.connections = []
        if serve is not None:
            self.serve = serve
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def spec(self):
        """As the right half of a forward."""
        if self.is_path:
            return self.address
        host = f"[{self.address}]" if ":" in self.address else self.address
        return f"{host}:{self.port}"

    def _accept(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            self.accepted += 1
            self.connections.append(connection)
            threading.Thread(target=self._run, args=(connection,), daemon=True).start()

    def _run(self, connection):
        try:
            self.serve(connection)
        except OSError:
            pass
        finally:
            connection.close()

    def close(self):
        for s in [self.listener] + self.connections:
            try:
                s.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            s.close()


class Echo(Target):
    """Sends everything back; thousands of connections on one thread."""

    def _accept(self):
        selector = selectors.DefaultSelector()
        self.listener.setblocking(False)
        selector.register(self.listener, selectors.EVENT_READ)
        while self.listener.fileno() >= 0:
            for key, _ in selector.select(1):
                if key.fileobj is self.listener:
                    self._take(selector)
                else:
                    self._answer(selector, key.fileobj)

    def _take(self, selector):
        try:
            while True:
                connection, _ = self.listener.accept()
                self.accepted += 1
                connection.settimeout(60)
                self.connections.append(connection)
                selector.register(connection, selectors.EVENT_READ)
        except BlockingIOError:
            pass
        except OSError:
            selector.unregister(self.listener)

    @staticmethod
    def _answer(selector, connection):
        try:
            data = connection.recv(65536)
            if data:
                connection.sendall(data)
                return
        except OSError:
            pass
        selector.unregister(connection)
        connection.close()


def exchange(connection, size, end_last=False):
    """Sends size bytes, then ends writing (end_last: not before the other side has), while it reads
    to the end; returns the SHA-256 of what came and its length. Both sides of a tunnel call this."""
    data, _ = payload(size)

    def send():
        try:
            connection.sendall(data)
            if not end_last:
                connection.shutdown(socket.SHUT_WR)
        except OSError:
            pass
    sender = threading.Thread(target=send, daemon=True)
    sender.start()
    digest, length = hashlib.sha256(), 0
    while True:
        piece = connection.recv(1 << 18)
        if not piece:
            break
        digest.update(piece)
        length += len(piece)
    sender.join()
    if end_last:
        connection.shutdown(socket.SHUT_WR)
    return digest.hexdigest(), length


class Exchange(Target):
    """Exchanges size bytes each way and remembers what came."""

    def __init__(self, size, address=None):
        self.size = size
        self.results = []
        super().__init__(address)

    def serve(self, connection):
        self.results.append(exchange(connection, self.size))


def push_for_ever(connection):
    """A source that never pauses."""
    data, _ = payload(1 << 20)
    while True:
        connection.sendall(data)


def answer_after_end(connection):
    """Reads to the end of the stream first and answers with its SHA-256 then."""
    digest = hashlib.sha256()
    while True:
        piece = connection.recv(1 << 18)
        if not piece:
            break
        digest.update(piece)
    connection.sendall(digest.hexdigest().encode())


def end_then_read(told):
    """Ends writing at once, and reads on; what came is appended to told."""
    def serve(connection):
        connection.sendall(b"bye")
        connection.shutdown(socket.SHUT_WR)
        told.append(read_all(connection))
    return serve


def read_all(connection):
    pieces = []
    while True:
        piece = connection.recv(1 << 18)
        if not piece:
            return b"".join(pieces)
        pieces.append(piece)
