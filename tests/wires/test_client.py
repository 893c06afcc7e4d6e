"""Asking on a virtual clock: budgets, back-off, bans, pages, corrupt answers."""

import asyncio
import random

import pytest
from wires_scene import SPEC, Answered, Invented, ScriptedTransport

from liqscape.errors import CorruptRecord, RateLimited, Unreachable, VenueError
from liqscape.testing.virtual import run_virtual
from liqscape.venues.base import Bucket
from liqscape.venues.budget import HEADROOM, Budget
from liqscape.venues.client import Client


def run(answers, job, *, venue=None, **options):
    """Run `job(client, transport)` on a virtual clock; returns its result, the transport and the virtual seconds it took."""
    venue = venue or Invented()
    transport = ScriptedTransport(answers)

    async def main(loop):
        client = Client(venue, transport, now_ns=loop.now_ns, chance=random.Random(1), **options)
        try:
            found = await job(client, venue)
        except Exception as error:
            found = error
        return found, transport, loop.time(), client

    return run_virtual(main)


def test_an_answer_is_parsed():
    found, transport, _, _ = run([Answered(body=b"a b")], lambda c, v: c.run(v.ask()))
    assert found == [SPEC, SPEC]
    assert len(transport.asked) == 1


def test_a_limit_is_waited_out_as_long_as_the_venue_says():
    found, transport, took, _ = run(
        [Answered(429, b"slow down", {"retry-after": "30"}), Answered(body=b"a")], lambda c, v: c.run(v.ask())
    )
    assert found == [SPEC]
    assert transport.asked[1] - transport.asked[0] >= 30.0
    assert took < 32.0


def test_a_ban_stops_every_request_of_the_venue():
    async def job(client, venue):
        async def late():
            await asyncio.sleep(10.0)
            return await client.run(venue.ask())

        return await asyncio.gather(client.run(venue.ask()), late())

    found, transport, _, _client = run([Answered(418, b"banned", {"retry-after": "120"}), Answered(body=b"a")], job)
    assert found == [[SPEC], [SPEC]]
    assert min(transport.asked[1:]) >= 120.0
    assert len(transport.asked) == 3


def test_a_ban_without_a_time_lasts_as_the_facts_say():
    _, transport, _, _ = run([Answered(418), Answered(body=b"a")], lambda c, v: c.run(v.ask()))
    assert transport.asked[1] >= 90.0


def test_a_ban_longer_than_patience_is_told_at_once():
    async def job(client, venue):
        assert client.budget_left() == {"ip": 1.0}
        await client.run(venue.ask(), patience_s=60.0)

    found, transport, took, _client = run([Answered(418, b"", {"retry-after": "3600"})], job)
    assert isinstance(found, RateLimited)
    assert 3590 < found.context["retry_after_s"] <= 3600
    assert len(transport.asked) == 1
    assert took < 2.0


def test_troubles_are_tried_again_with_growing_pauses():
    answers = [Answered(503), Unreachable("no route"), Answered(502), Answered(body=b"a")]
    found, transport, _, _ = run(answers, lambda c, v: c.run(v.ask()))
    assert found == [SPEC]
    pauses = [after - before - 0.1 for before, after in zip(transport.asked, transport.asked[1:], strict=False)]
    for pause, longest in zip(pauses, (0.5, 1.0, 2.0), strict=True):
        assert 0.5 * longest - 1e-6 <= pause <= longest + 1e-6


def test_tries_end():
    found, transport, _, client = run([Unreachable("no route")], lambda c, v: c.run(v.ask(), tries=3))
    assert isinstance(found, Unreachable)
    assert "invented things: no route" in found.message
    assert len(transport.asked) == 3
    assert client.last_error == found.message


def test_a_refusal_is_not_tried_again():
    found, transport, _, _ = run([Answered(400, b"unknown symbol")], lambda c, v: c.run(v.ask()))
    assert isinstance(found, VenueError)
    assert "HTTP 400: unknown symbol" in found.message
    assert len(transport.asked) == 1


def test_a_cut_answer_is_asked_for_again_and_told():
    told = []
    found, _transport, _, _ = run(
        [Answered(body=b"{cut"), Answered(body=b"a")], lambda c, v: c.run(v.ask()), on_corrupt=lambda *a: told.append(a)
    )
    assert found == [SPEC]
    assert [(key, name, body) for key, name, body, _ in told] == [("invented", "things", b"{cut")]


def test_a_corrupt_row_costs_no_other_row():
    told = []
    found, transport, _, _ = run(
        [Answered(body=b"a ! b")], lambda c, v: c.run(v.ask(), tries=2), on_corrupt=lambda *a: told.append(a)
    )
    assert found == [SPEC, SPEC]
    assert len(transport.asked) == len(told) == 2


def test_a_wholly_corrupt_answer_is_an_error_in_the_end():
    found, _, _, _ = run([Answered(body=b"{cut")], lambda c, v: c.run(v.ask(), tries=2))
    assert isinstance(found, CorruptRecord)


def test_pages_are_followed():
    async def job(client, venue):
        return await client.run(venue.ask(more=lambda body: venue.ask("second") if body == b"a" else None))

    found, transport, _, _ = run([Answered(body=b"a"), Answered(body=b"b c")], job)
    assert found == [SPEC] * 3
    assert len(transport.asked) == 2


def test_the_budget_holds_in_every_stretch():
    # 100 in 10 s, of which 90 are used: 300 requests need three pauses.
    async def job(client, venue):
        await asyncio.gather(*(client.run(venue.ask()) for _ in range(300)))

    _, transport, took, _ = run([Answered(body=b"a")], job)
    for at in transport.asked:
        assert sum(at <= other < at + 10.0 for other in transport.asked) <= 90
    assert 30.0 < took < 36.0


def test_a_budget_of_several_buckets_waits_for_the_fullest():
    async def main(loop):
        budget = Budget({"a": Bucket(10, 1.0), "b": Bucket(10, 60.0)})
        await budget.take([("a", 9), ("b", 9)])
        assert budget.left() == {"a": 0.0, "b": 0.0}
        await budget.take([("b", 1)])
        return loop.time()

    assert run_virtual(main) == pytest.approx(60.0, abs=0.1)
    assert HEADROOM == 0.9


def test_skew_is_our_clock_minus_theirs():
    from email.utils import formatdate

    from liqscape.testing.virtual import START_NS

    async def job(client, venue):
        for _ in range(5):
            await client.run(venue.ask())

    date = formatdate(START_NS / 1e9 - 20.0, usegmt=True)
    _, _, _, client = run([Answered(body=b"a", headers={"date": date})], job)
    assert client.skew_ns == pytest.approx(20e9, abs=1.5e9)
