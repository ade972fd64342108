"""The wire of the soak: a relay that delays, splits, stalls, slows down, cuts and falls silent,
as a seeded generator decides."""
import os
import random
import socket
import struct
import threading
import time

from support.dial import connect
from support.targets import listen_on, loopback

RESET = struct.pack("ii", 1, 0)
# what a stall may last: less than the keepalive needs to give a peer up
STALL_MAX = 3


def reset(s):
    """Closes with a reset: a cut must not look like an end."""
    try:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
    except OSError:
        pass
    s.close()


class Passage:
    """One connection through the wire."""

    def __init__(self, wire, number, near, far):
        self.wire = wire
        self.ends = (near, far)
        self.silent = False
        rng = random.Random(f"{wire.seed}/{number}")
        self.delay = rng.choice((0, 0, 0.001, 0.01))
        for s in self.ends:
            s.settimeout(None)
            s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for direction, (source, sink) in enumerate((self.ends, self.ends[::-1])):
            pump_rng = random.Random(f"{wire.seed}/{number}/{direction}")
            threading.Thread(target=self._pump, args=(source, sink, pump_rng), daemon=True).start()

    def _pump(self, source, sink, rng):
        try:
            while True:
                self.wire.going.wait()
                data = source.recv(rng.choice((1000, 1 << 16, 1 << 18)))
                if self.silent:
                    if not data:
                        return
                    continue
                if not data:
                    sink.shutdown(socket.SHUT_WR)
                    return
                self._pass_on(data, sink, rng)
        except OSError:
            self.cut(True)

    def _pass_on(self, data, sink, rng):
        while data:
            most = 500 if self.wire.slow else len(data)
            n = rng.randint(1, most) if rng.random() < 0.3 else most
            delay = self.delay + (0.002 if self.wire.slow else 0)
            if delay:
                time.sleep(delay)
            sink.sendall(data[:n])
            data = data[n:]
            self.wire.bytes += n

    def cut(self, with_reset):
        for s in self.ends:
            try:
                if with_reset:
                    s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
                s.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            if with_reset:
                s.close()


class Wire:
    """Listens on .address and passes each connection on to a server."""

    def __init__(self, address, seed):
        self.target = address
        self.seed = seed
        self.going = threading.Event()  # cleared: nothing is read
        self.going.set()
        self.slow = False
        self.bytes = 0
        self.passages = []
        self.listener = listen_on(loopback())
        self.address = "{}:{}".format(*self.listener.getsockname())
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        number = 0
        while True:
            try:
                near, _ = self.listener.accept()
                far = connect(self.target)
            except OSError:
                if self.listener.fileno() < 0:
                    return
                reset(near)
                continue
            number += 1
            self.passages = self.passages[-3:] + [Passage(self, number, near, far)]

    def cut(self, with_reset):
        for passage in self.passages:
            passage.cut(with_reset)

    def fall_silent(self):
        """What is connected now never says or hears anything again."""
        for passage in self.passages:
            passage.silent = True

    def close(self):
        self.going.set()
        self.listener.close()
        self.cut(True)


class Trouble:
    """Decides when the wire does what. outages: [begin, end] of every time when transfers may
    fail; the end is infinite until the tunnel is up again."""

    MEAN_S = 3

    def __init__(self, wire, seed, online, settle_s):
        self.wire = wire
        self.rng = random.Random(f"{seed}/trouble")
        self.online = online  # how often the tunnel has come up
        self.settle_s = settle_s  # until remote forwards are back after that
        self.outages = []
        self.counts = dict.fromkeys(("stall", "slow", "cut", "reset", "silence"), 0)
        self.allowed = threading.Event()
        self.idle = threading.Event()
        self.over = False
        self.idle.set()
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self):
        while not self.over:
            self.idle.set()
            self.allowed.wait()
            time.sleep(min(self.rng.expovariate(1 / self.MEAN_S), 4 * self.MEAN_S))
            kind = self.rng.choices(list(self.counts), (6, 4, 2, 2, 1))[0]
            seconds = self.rng.uniform(0.05, STALL_MAX)
            again = self.rng.random() < 0.3
            if self.over or not self.allowed.is_set():
                continue
            self.idle.clear()
            self.counts[kind] += 1
            getattr(self, "_" + kind)(seconds)
            if again and kind in ("cut", "reset"):
                time.sleep(self.rng.uniform(0, 1.5))  # perhaps into the next login
                self.counts[kind] += 1
                getattr(self, "_" + kind)(seconds)

    def _stall(self, seconds):
        self.wire.going.clear()
        time.sleep(seconds)
        self.wire.going.set()

    def _slow(self, seconds):
        self.wire.slow = True
        time.sleep(seconds)
        self.wire.slow = False

    def _outage(self, begin):
        """begin() breaks the tunnel; returns when it is up again."""
        ups, outage = self.online(), [time.monotonic(), float("inf")]
        self.outages.append(outage)
        begin()
        while not self.over and self.online() == ups:
            time.sleep(0.05)
        outage[1] = time.monotonic() + self.settle_s

    def _cut(self, _):
        self._outage(lambda: self.wire.cut(False))

    def _reset(self, _):
        self._outage(lambda: self.wire.cut(True))

    def _silence(self, _):
        self._outage(self.wire.fall_silent)

    def pause(self):
        """No more trouble; returns when the last is over."""
        self.allowed.clear()
        self.idle.wait()

    def go_on(self):
        self.allowed.set()

    def during(self, begin, end):
        """Was the tunnel down at some time between?"""
        return any(down <= end and begin <= up for down, up in self.outages)

    def end(self):
        self.over = True
        self.allowed.set()


def new_seed():
    return int.from_bytes(os.urandom(4), "big")
