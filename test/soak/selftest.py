"""The soak's own test: every kind of fault, made on purpose, must be noticed, and a sound tunnel
must not be complained of."""
import subprocess
import sys
import time

from support.dial import connect
from support.relay import Relay

from traffic import FAILED, HUNG, SHORT, WHOLE, WRONG, Data, Judge, Sink, Traffic
from watch import Watch

PATIENCE_S = 30


def traffic_through(until, damage=None, spoil=None, excused=False, patience=PATIENCE_S):
    """The judge of transfers through a relay that does that, again and again until(judge)."""
    judge = Judge(lambda begin, end: excused)
    data = Data(1)
    sink = Sink(data, judge, patience)
    relay = Relay(sink.spec, damage)
    traffic = Traffic({"relay": lambda seconds: connect(relay.address, seconds)}, data, judge, 1,
                      patience, workers=4, wait_s=0.01)
    traffic.go_on()
    deadline = time.monotonic() + 20
    while not until(judge) and time.monotonic() < deadline:
        if spoil:
            spoil(relay)
        time.sleep(0.02)
    ended = traffic.pause(2 * PATIENCE_S) and sink.rest(PATIENCE_S)
    traffic.end()
    sink.close()
    relay.close()
    assert ended, "the self-test's transfers end"
    return judge


def flip(direction, offset, data):
    """One byte of each stream, behind what tells the sizes."""
    at = 200 - offset
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1:] if 0 <= at < len(data) else data


def shorten(direction, offset, data):
    return data[:max(0, 200 - offset)] if direction == "down" else data


def must_notice(outcome, **options):
    def noticed(judge):
        return any(outcome in c for c in list(judge.complaints))
    judge = traffic_through(noticed, **options)
    assert noticed(judge), f"{outcome!r} must be noticed: {judge.counts}"


def watched(code):
    """The complaints about a program that runs this at each line of its input."""
    program = subprocess.Popen([sys.executable, "-c", f"import sys\nkept = []\nfor i, line in enumerate(sys.stdin):\n"
                                f"    {code}\n    print(flush=True)"],
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    watch = Watch("a program", program.pid)
    for _ in range(9):
        program.stdin.write(b"\n")
        program.stdin.flush()
        program.stdout.readline()
        watch.sample(seconds=0.01)
    program.communicate()
    return watch.complaints()


def run():
    sound = traffic_through(lambda judge: judge.counts.get(WHOLE, 0) > 50)
    assert not sound.complaints and sound.counts, sound.complaints
    must_notice(WRONG, damage=flip)
    must_notice(SHORT, damage=shorten)
    must_notice(HUNG, spoil=lambda relay: relay.stall(), patience=1)
    must_notice(FAILED, spoil=lambda relay: relay.cut(list(relay.sockets)))
    excused = traffic_through(lambda judge: FAILED in judge.counts, spoil=lambda relay: relay.cut(list(relay.sockets)), excused=True)
    assert not [c for c in excused.complaints if FAILED in c], excused.complaints
    assert not watched("pass")
    assert any("grew" in c for c in watched("kept.append(bytearray(b'x') * 900000)"))
    assert any("descriptors" in c for c in watched("kept.append(open('/dev/null'))"))
    print("soak: wrong bytes, short ends, hangs, failures, leaks of memory and descriptors are noticed")
