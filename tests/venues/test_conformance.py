"""The one list that every adapter passes: its own cases, the recorded payloads, damage of every kind, and honest facts."""

from __future__ import annotations

import importlib
import json
import random
from pathlib import Path

import pytest
from venue_case import RECV_NS, Case, VenueCases

from liqscape.errors import CorruptRecord
from liqscape.model import InstrumentSpec, Kind, Liquidation, PositionSide, PriceKind, describe
from liqscape.units import NS_PER_DAY, NS_PER_MINUTE
from liqscape.venues.registry import VENUES

FIXTURES = Path(__file__).parents[3] / "shared" / "reference" / "fixtures"
ALL: list[VenueCases] = [
    one for path in sorted(Path(__file__).parent.glob("cases_*.py")) for one in importlib.import_module(path.stem).VENUE_CASES
]
KEYS = [one.venue.facts.key for one in ALL]
CASES = [pytest.param(one, case, id=f"{one.venue.facts.key}: {case.name}") for one in ALL for case in one.cases]
venues = pytest.mark.parametrize("one", ALL, ids=KEYS)


def test_every_adapter_has_cases():
    assert sorted(KEYS) == sorted(VENUES)


@pytest.mark.parametrize(("one", "case"), CASES)
def test_a_payload_gives_its_records(one: VenueCases, case: Case):
    assert case.read(case.text.encode()) == case.expected


@venues
def test_every_kind_of_the_facts_has_a_case(one: VenueCases):
    shown = {type(record).__name__ for case in one.cases for record in case.expected}
    # Two adapters of one parser share cases: what the sibling shows counts too.
    shown |= {
        type(record).__name__
        for other in ALL
        if type(other.venue) is type(one.venue)
        for case in other.cases
        for record in case.expected
    }
    names = {
        Kind.INSTRUMENTS: "InstrumentSpec",
        Kind.LIQUIDATIONS: "Liquidation",
        Kind.TICKERS: "Ticker",
        Kind.TRADES: "Trade",
        Kind.BARS: "Bar",
        Kind.MARK_BARS: "Bar",
        Kind.OPEN_INTEREST: "OpenInterest",
        Kind.FUNDING: "FundingRate",
        Kind.RATIOS: "AccountRatio",
        Kind.DEPTH: "Book",
        Kind.TIERS: "RiskLadder",
    }
    facts = one.venue.facts
    missing = {kind for kind in facts.streams | facts.asks if kind in names and names[kind] not in shown}
    assert missing == set()


@venues
def test_both_sides_of_a_liquidation_are_settled(one: VenueCases):
    facts = one.venue.facts
    sides = {r.position_side for case in one.cases for r in case.expected if isinstance(r, Liquidation)}
    published = Kind.LIQUIDATIONS in facts.streams | facts.asks
    assert not published or sides == set(PositionSide)


@pytest.mark.parametrize(("one", "case"), CASES)
def test_unknown_fields_change_nothing(one: VenueCases, case: Case):
    def grow(node: object) -> object:
        if isinstance(node, dict):
            return {**{key: grow(value) for key, value in node.items()}, "brandNew": {"since": "tomorrow"}}
        return [grow(value) for value in node] if isinstance(node, list) else node

    assert case.read(json.dumps(grow(json.loads(case.text))).encode()) == case.expected


@pytest.mark.parametrize(("one", "case"), CASES)
def test_damage_gives_a_record_or_a_clear_error(one: VenueCases, case: Case):
    chance = random.Random(f"{one.venue.facts.key} {case.name}")
    for _ in range(300):
        try:
            found = case.read(damaged(case.text.encode(), chance))
        except CorruptRecord as error:
            found = [error]
        for record in found:
            if isinstance(record, CorruptRecord):
                assert {"venue", "field", "value"} <= set(record.context), record


def damaged(body: bytes, chance: random.Random) -> bytes:
    """Cut, flip, double or replace a part of a payload."""
    kind = chance.randrange(6)
    at = chance.randrange(len(body) + 1)
    if kind == 0:
        return body[:at]
    if kind == 1:
        return body[:at] + bytes([chance.randrange(256)]) + body[at + 1 :]
    if kind == 2:
        return body[:at] + body[at + chance.randrange(8) :]
    values = [b'""', b"null", b"-1", b"NaN", b'"NaN"', b'"1e999"', b"[]", b"{}", b"true", b"1e30", b'"-"', b"0"]
    spots = [i for i, c in enumerate(body) if c in b":,["]
    spot = chance.choice(spots) + 1
    end = next((i for i in range(spot, len(body)) if body[i] in b",}]"), len(body))
    if kind == 3:
        return body[:spot] + body[end + 1 :]
    return body[:spot] + chance.choice(values) + body[end:]


@venues
def test_facts_and_requests_agree(one: VenueCases):
    venue, facts = one.venue, one.venue.facts
    spec: InstrumentSpec = next(iter(one.specs.values()))
    start, end = RECV_NS - NS_PER_DAY, RECV_NS
    by_kind = {
        Kind.INSTRUMENTS: venue.ask_instruments(),
        Kind.BARS: [venue.ask_bars(spec, PriceKind.LAST, start, start + NS_PER_MINUTE)],
        Kind.MARK_BARS: [venue.ask_bars(spec, PriceKind.MARK, start, start + NS_PER_MINUTE)],
        Kind.TICKERS: venue.ask_tickers(one.specs),
        Kind.OPEN_INTEREST: [venue.ask_open_interest(spec, start, end)],
        Kind.FUNDING: [venue.ask_funding(spec, start, end)],
        Kind.RATIOS: venue.ask_ratios(spec, start, end),
        Kind.DEPTH: [venue.ask_book(spec)],
        Kind.TIERS: venue.ask_tiers(one.specs),
        Kind.LIQUIDATIONS: [venue.ask_liquidations(spec, start, end)],
    }
    for kind, asks in by_kind.items():
        real = [ask for ask in asks if ask is not None]
        assert bool(real) == (kind in facts.asks), kind
        for ask in real:
            assert ask.kind is kind
            assert ask.request.host in facts.hosts
            assert ask.request.path.startswith("/")
            assert ask.request.costs, f"{ask.name} costs nothing"
            assert {name for name, _ in ask.request.costs} <= set(facts.buckets)
            assert all(0 < weight <= facts.buckets[name].capacity for name, weight in ask.request.costs)
    streams = venue.streams(one.specs)
    assert {kind for stream in streams for kind in stream.kinds} == set(facts.streams)
    assert len({stream.name for stream in streams}) == len(streams)
    for stream in streams:
        assert stream.host in facts.hosts
        assert stream.silence_s > (stream.heartbeat_s or 0.0)
        assert stream.session().opening is not None
        # Liquidations are quiet: a stream of nothing else must not be judged by its data.
        assert stream.kinds != (Kind.LIQUIDATIONS,) or stream.data_silence_s is None
        assert set(stream.instruments) <= {spec.id for spec in one.specs.values()}


@venues
def test_symbols_say_what_their_venue_says(one: VenueCases):
    for spec in one.specs.values():
        said = describe(spec.id)
        assert (said.base, said.kind) == (spec.base, spec.kind)
        assert said.quote in (spec.quote, None)
        assert spec.id.venue == one.venue.facts.venue


@venues
def test_recorded_payloads_are_read(one: VenueCases):
    if not FIXTURES.is_dir():
        pytest.skip("shared reference is not there")
    for name, read in one.fixtures.items():
        held = json.loads((FIXTURES / name).read_text(encoding="utf-8"))
        entries = held.items() if isinstance(held, dict) else ((str(i), entry) for i, entry in enumerate(held))
        found = [read(label, entry) for label, entry in entries]
        mine = [records for records in found if records is not None]
        assert mine, f"{name}: nothing in it was for this adapter"
        assert any(mine), f"{name}: no record came out"
        assert not [r for records in mine for r in records if isinstance(r, CorruptRecord)], name
