"""Random transfers whose every byte is compared with what was sent, at both ends of the tunnel."""
import random
import socket
import struct
import threading
import time

from support.targets import Target

from wire import reset

SIZE_MAX = 4 << 20
HEADER = struct.Struct(">IIIII")  # number, offset and size up, offset and size down

# How one end of a transfer came out. WHOLE is as it should be; FAILED is what a cut does;
# the others are never right.
WHOLE, FAILED, WRONG, SHORT, HUNG = "whole", "failed", "wrong bytes", "a clean end short of data", "hung"


class Bad(Exception):
    def __init__(self, outcome, detail=""):
        super().__init__(detail)
        self.outcome = outcome


class Judge:
    """Collects how transfers came out. excused(begin, end): was the tunnel down then?
    blunt: the programs tell a cut from an end by no reset, as OpenSSH's. Unix sockets know none."""

    def __init__(self, excused, blunt=False):
        self.excused = excused
        self.blunt = blunt
        self.lock = threading.Lock()
        self.counts, self.bytes, self.longest = {}, 0, 0
        self.complaints = []

    def take(self, what, outcome, begin, size, detail=""):
        end = time.monotonic()
        blunt = self.blunt or "unix" in what
        excused = outcome == FAILED or (outcome == SHORT and blunt)
        fault = outcome != WHOLE and not (excused and self.excused(begin, end))
        with self.lock:
            self.counts[outcome] = self.counts.get(outcome, 0) + 1
            self.longest = max(self.longest, end - begin)
            if outcome == WHOLE:
                self.bytes += size
            if fault:
                self.complaints.append(f"{what}: {outcome} after {end - begin:.1f} s: {detail}")


class Data:
    """Pseudo-random bytes that both ends know."""

    def __init__(self, seed):
        self.block = memoryview(random.Random(f"{seed}/data").randbytes(2 * SIZE_MAX))

    def part(self, offset, size):
        return self.block[offset:offset + size]


def send(s, data, rng):
    at = 0
    while at < len(data):
        n = min(rng.choice((1, 700, 1 << 14, 1 << 16, 1 << 18)), len(data) - at)
        s.sendall(data[at:at + n])
        at += n
        if rng.random() < 0.02:
            time.sleep(rng.uniform(0, 0.3))
    s.shutdown(socket.SHUT_WR)


def receive(s, expected, rng):
    at = 0
    while True:
        piece = s.recv(rng.choice((1000, 1 << 16, 1 << 18)))
        if not piece:
            break
        if piece != expected[at:at + len(piece)]:
            raise Bad(WRONG, f"at offset {at} of {len(expected)}, in {len(piece)} bytes")
        at += len(piece)
        if rng.random() < 0.02:
            time.sleep(rng.uniform(0, 0.3))
    if at < len(expected):
        raise Bad(SHORT, f"{at} of {len(expected)} bytes")


def was_reset(sender, trouble, patience):
    """The kernel tells of a reset once: when the sender hears of it, the receiver sees an end."""
    sender.join(patience)
    return any(isinstance(error, ConnectionResetError) for error in trouble)


def exchange(s, outgoing, incoming, rng, patience):
    """Sends and receives at once; (outcome, detail). Closes the connection."""
    s.settimeout(patience)
    trouble = []

    def sender(sender_rng):
        try:
            send(s, outgoing, sender_rng)
        except (OSError, ValueError) as error:
            trouble.append(error)
    thread = threading.Thread(target=sender, args=(random.Random(rng.random()),), daemon=True)
    thread.start()
    try:
        receive(s, incoming, rng)
        thread.join(patience)
        if thread.is_alive():
            raise Bad(HUNG, "it cannot be sent")
        if trouble:
            raise trouble[0]
        s.close()
        return WHOLE, ""
    except Bad as bad:
        if bad.outcome == SHORT and was_reset(thread, trouble, patience):
            bad.outcome = FAILED
        reset(s)
        return bad.outcome, str(bad)
    except socket.timeout:
        reset(s)
        return HUNG, "nothing moves"
    except (OSError, ValueError) as error:
        reset(s)
        return FAILED, str(error)


class Sink(Target):
    """The program behind the tunnel."""

    def __init__(self, data, judge, patience, address=None):
        self.data, self.judge, self.patience = data, judge, patience
        super().__init__(address)

    def serve(self, connection):
        try:
            self._serve(connection)
        finally:
            self.connections.remove(connection)

    def rest(self, seconds):
        """Waits until no connection is left; false when some are after so long."""
        deadline = time.monotonic() + seconds
        while self.connections and time.monotonic() < deadline:
            time.sleep(0.01)
        return not self.connections

    def _serve(self, connection):
        begin = time.monotonic()
        connection.settimeout(self.patience)
        try:
            head = connection.recv(HEADER.size, socket.MSG_WAITALL)
        except OSError:
            head = b""
        if len(head) < HEADER.size:  # the one who connected reports it
            reset(connection)
            return
        number, up_at, up, down_at, down = HEADER.unpack(head)
        outcome, detail = exchange(connection, self.data.part(down_at, down),
                                   self.data.part(up_at, up), random.Random(number), self.patience)
        self.judge.take(f"transfer {number}, upwards {up} bytes", outcome, begin, up, detail)


class Traffic:
    """Workers that make one transfer after another. routes: name -> function that connects."""

    def __init__(self, routes, data, judge, seed, patience, workers=12, wait_s=0.5):
        self.routes, self.data, self.judge = routes, data, judge
        self.seed, self.patience, self.wait_s = seed, patience, wait_s
        self.count, self.active = 0, 0
        self.lock = threading.Condition()
        self.allowed, self.over = False, False
        self.threads = [threading.Thread(target=self._work, args=(i,), daemon=True)
                        for i in range(workers)]
        for thread in self.threads:
            thread.start()

    def _work(self, index):
        rng = random.Random(f"{self.seed}/worker/{index}")
        while True:
            with self.lock:
                self.lock.wait_for(lambda: self.allowed or self.over)
                if self.over:
                    return
                self.count += 1
                number = self.count
                self.active += 1
            self._transfer(number, rng)
            with self.lock:
                self.active -= 1
                self.lock.notify_all()
            time.sleep(min(rng.expovariate(1 / self.wait_s), 5 * self.wait_s))

    def _transfer(self, number, rng):
        up, down = (int(SIZE_MAX ** rng.random()) - 1 for _ in range(2))
        up_at, down_at = rng.randrange(SIZE_MAX), rng.randrange(SIZE_MAX)
        route = rng.choice(sorted(self.routes))
        what = f"transfer {number} through {route}, downwards {down} bytes"
        begin = time.monotonic()
        try:
            s = self.routes[route](self.patience)
            s.settimeout(self.patience)
            s.sendall(HEADER.pack(number, up_at, up, down_at, down))
        except socket.timeout:
            self.judge.take(what, HUNG, begin, 0, "it does not begin")
            return
        except (OSError, AssertionError) as error:
            self.judge.take(what, FAILED, begin, 0, f"it does not begin: {error}")
            return
        outcome, detail = exchange(s, self.data.part(up_at, up), self.data.part(down_at, down),
                                   rng, self.patience)
        self.judge.take(what, outcome, begin, down, detail)

    def go_on(self):
        with self.lock:
            self.allowed = True
            self.lock.notify_all()

    def pause(self, seconds):
        """No new transfers; false when some do not end in time."""
        with self.lock:
            self.allowed = False
            return self.lock.wait_for(lambda: self.active == 0, seconds)

    def end(self):
        with self.lock:
            self.over = True
            self.lock.notify_all()
