"""Lines on a virtual clock: silence of every kind, back-off, gaps only when no line was heard."""

import asyncio
import random

import pytest
from wires_scene import SPEC, Invented, ScriptedTransport

from liqscape.errors import Unreachable
from liqscape.model import Gap, Kind
from liqscape.testing.virtual import START_NS, run_virtual
from liqscape.venues.coverage import Coverage
from liqscape.venues.feed import Feed

S = 1_000_000_000


def listen(scripts, seconds, *, lines=1, venue=None, **options):
    """Run a feed for some virtual seconds; returns its batches, the transport and the feed."""
    transport = ScriptedTransport(scripts=scripts)

    async def main(loop):
        feed = Feed(
            venue or Invented(), {"BTCUSDT": SPEC}, transport, lines=lines, now_ns=loop.now_ns, chance=random.Random(1), **options
        )
        found = []

        async def read():
            async for batch in feed.batches():
                found.extend([batch])

        task = asyncio.ensure_future(read())
        await asyncio.sleep(seconds)
        health = feed.health()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        assert all(wire.closed for wire in transport.wires)
        return found, transport, feed, health

    return run_virtual(main)


async def busy(wire):
    """Data every second, for ever."""
    while True:
        wire.say("d")
        await asyncio.sleep(1.0)


def dies(after_s, last_words=None):
    async def script(wire):
        for _ in range(int(after_s)):
            wire.say("d")
            await asyncio.sleep(1.0)
        if last_words is not None:
            wire.say(last_words)
        wire.cut()
        await asyncio.sleep(1e6)

    return script


async def mute(wire):
    """Connects, acknowledges, and stays silent."""
    wire.say("ack")
    await asyncio.sleep(1e6)


def gaps_of(batches):
    return [r for batch in batches for r in batch.records if isinstance(r, Gap)]


def test_prints_arrive():
    async def script(wire):
        wire.say("p100")
        await asyncio.sleep(1e6)

    found, transport, _, (line,) = listen([script], 5)
    assert [r.price for batch in found for r in batch.records] == [100.0]
    assert transport.wires[0].said == ["subscribe"]
    assert (line.state, line.frames, line.corrupt, line.connects) == ("up", 1, 0, 1)


def test_a_path_that_connects_but_stays_silent_is_left():
    found, transport, _, _ = listen([mute, busy], 30)
    assert len(transport.wires) == 2
    assert gaps_of(found) == []  # it was never heard before: nothing is known to be lost


def test_quiet_is_normal_where_the_stream_says_so():
    venue = Invented(data_silence_s=None)
    _, transport, _, (line,) = listen([mute], 600, venue=venue)
    assert len(transport.wires) == 1
    assert line.state == "up"


def test_a_socket_without_pongs_is_dead_after_its_silence():
    async def half_open(wire):
        wire.pongs = False
        wire.say("ack")
        await asyncio.sleep(1e6)

    venue = Invented(data_silence_s=None)
    found, transport, _, _ = listen([half_open, mute], 60, venue=venue)
    assert len(transport.wires) == 2
    (gap,) = gaps_of(found)
    assert gap.kind is Kind.LIQUIDATIONS
    assert gap.instrument == SPEC.id
    assert gap.ts_venue == START_NS - 2 * S
    assert 40 * S <= gap.end_ns - START_NS <= 42 * S


def test_a_lost_connection_on_one_line_is_a_gap_from_the_last_frame():
    found, _, _, _ = listen([dies(5), busy], 20)
    (gap,) = gaps_of(found)
    assert gap.ts_venue == START_NS + 4 * S - 2 * S
    assert START_NS + 5 * S <= gap.end_ns <= START_NS + 6 * S


def test_two_lines_leave_no_gap_when_one_is_lost():
    found, transport, _, _ = listen([dies(30), busy, busy], 60, lines=2)
    assert len(transport.wires) == 3
    assert gaps_of(found) == []


def test_two_lines_lost_together_are_a_gap():
    found, _, _, _ = listen([dies(30), dies(28), busy], 60, lines=2)
    (gap,) = gaps_of(found)
    assert gap.ts_venue == START_NS + 27 * S
    assert gap.end_ns > START_NS + 30 * S


def test_a_line_that_died_unseen_does_not_hide_a_gap():
    # Line 0 goes silent at 20 s, noticed 10 s later; line 1 was cut at 10 s and is back only at 22 s or later.
    async def falls_silent(wire):
        for _ in range(20):
            wire.say("d")
            await asyncio.sleep(1.0)
        await asyncio.sleep(1e6)

    refused = Unreachable("refused")
    found, _, _, _ = listen([falls_silent, dies(8), refused, refused, refused, refused, refused, refused, busy], 90, lines=2)
    (gap,) = gaps_of(found)
    assert gap.ts_venue == START_NS + 19 * S - 2 * S
    assert gap.end_ns > START_NS + 20 * S


def test_reconnects_back_off_up_to_a_limit():
    _, _transport, _, (line,) = listen([Unreachable("refused")], 600)
    assert line.state in ("connecting", "waiting")
    # 0.5 + 1 + 2 + ... seconds, then every 15 to 30 s: about 30 tries in ten minutes, not thousands.
    assert 20 <= line.connects <= 45
    assert line.last_error == "refused"


def test_a_refused_subscription_is_opened_anew_and_told():
    async def refuses(wire):
        wire.say("no")
        await asyncio.sleep(1e6)

    _, _, _, (line,) = listen([refuses], 5)
    assert line.connects > 1
    assert line.last_error == "subscription refused: no such topic"


def test_pings_of_the_venue_are_answered_and_corrupt_frames_cost_nothing():
    told = []

    async def script(wire):
        for frame in ("d", "!", "ping?", "p7"):
            wire.say(frame)
        await busy(wire)

    found, transport, _, (line,) = listen([script], 5, on_corrupt=lambda *a: told.append(a))
    assert transport.wires[0].said == ["subscribe", "pong!"]
    assert line.corrupt == 1
    assert line.connects == 1
    assert [r.price for batch in found for r in batch.records] == [7.0]
    assert told[0][:3] == ("invented", "prints", "!")


def test_frames_go_to_the_tape_as_they_came():
    taped = []
    listen([dies(2, "p1"), busy], 2.5, tape=lambda *a: taped.append(a))
    assert [(key, stream, line, frame) for key, stream, line, _, frame in taped[:3]] == [
        ("invented", "prints", 0, "d"),
        ("invented", "prints", 0, "d"),
        ("invented", "prints", 0, "p1"),
    ]


def test_a_bug_in_a_session_is_not_swallowed():
    venue = Invented()
    venue.streams = lambda specs, real=venue.streams: [
        type(stream)(**{**stream.__dict__, "session": Broken}) for stream in real(specs)
    ]

    async def main(loop):
        feed = Feed(venue, {"BTCUSDT": SPEC}, ScriptedTransport(scripts=[busy]), lines=1, now_ns=loop.now_ns)
        async for _ in feed.batches():
            pass

    with pytest.raises(ZeroDivisionError):
        run_virtual(main)


class Broken:
    def opening(self):
        return []

    def heartbeat(self):
        return None

    def receive(self, frame, recv_ns):
        raise ZeroDivisionError


def test_coverage_by_hand():
    heard = Coverage()
    heard.heard(0, 10)
    heard.heard(0, 20)
    heard.heard(1, 15)
    heard.lost(0)  # heard 10..20; line 1 is open since 15 and may still cover 20
    assert heard.gaps() == []
    heard.heard(1, 18)
    heard.lost(1)  # it did not: nobody was heard after 20
    assert heard.gaps() == []
    assert heard.covered_ns == 20
    heard.heard(0, 50)
    assert heard.gaps() == [(20, 50)]
    assert heard.gaps() == []
    heard.heard(0, 60)
    assert heard.gaps() == []
    assert heard.covered_ns == 60
