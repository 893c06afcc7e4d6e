"""Closed minutes: asked for until they are there, holes repaired page by page, and told as gaps when the venue has none."""

from __future__ import annotations

import asyncio
import contextlib

import pytest

from liqscape.engine.recording.keeper import TRIES, BarKeeper
from liqscape.engine.recording.merger import Merger, key_of
from liqscape.engine.recording.repairs import Repairs
from liqscape.errors import Unreachable
from liqscape.model import (
    Bar,
    Completeness,
    ContractKind,
    Gap,
    InstrumentId,
    InstrumentSpec,
    Kind,
    Liquidation,
    LiquidationPriceKind,
    PositionSide,
    PriceKind,
)
from liqscape.testing.virtual import START_NS, run_virtual
from liqscape.units import NS_PER_MINUTE, NS_PER_S
from liqscape.venues.base import Ask, Facts, Request

SPEC = InstrumentSpec(id=InstrumentId("test", "BTCUSDT"), base="BTC", quote="USDT", kind=ContractKind.LINEAR, contract_size=1.0)
PAGE = 10


class Venue:
    """A venue that knows some minutes and prints."""

    def __init__(self, *, asks=(Kind.BARS, Kind.LIQUIDATIONS), history_ns=None) -> None:
        self.facts = Facts(
            key="test",
            venue="test",
            title="Test",
            completeness=Completeness.ALL,
            completeness_note="",
            streams=frozenset(),
            asks=frozenset(asks),
            hosts={},
            buckets={},
            page={Kind.BARS: PAGE},
            history_ns=history_ns or {},
        )
        self.absent: set[int] = set()
        self.prints: list[Liquidation] = []
        self.down = False
        self.asked: list[tuple[int, int]] = []

    def ask_bars(self, spec, price_kind, start_ns, end_ns) -> Ask:
        self.asked.append(((start_ns - START_NS) // NS_PER_MINUTE, (end_ns - START_NS) // NS_PER_MINUTE))

        def read(_: bytes, recv_ns: int):
            return [
                Bar(
                    instrument=spec.id, price_kind=price_kind, interval_ns=NS_PER_MINUTE, ts_venue=start, ts_recv=recv_ns,
                    open=1.0, high=1.0, low=1.0, close=1.0, volume_base=1.0, taker_buy_base=None,
                )
                for start in range(start_ns, end_ns, NS_PER_MINUTE)
                if (start - START_NS) // NS_PER_MINUTE not in self.absent
            ]  # fmt: skip

        return Ask("bars", Kind.BARS, Request("rest", "/"), read)

    def ask_liquidations(self, spec, start_ns, end_ns) -> Ask:
        return Ask("prints", Kind.LIQUIDATIONS, Request("rest", "/"), lambda _b, _t: list(self.prints))


class Client:
    """Answers at once, or not at all."""

    def __init__(self, venue: Venue) -> None:
        self.venue = venue

    async def run(self, ask: Ask, **_: object):
        await asyncio.sleep(0.01)
        if self.venue.down:
            raise Unreachable("no route")
        return ask.parse(b"", START_NS)


class Kept:
    """A keeper and what came of it, on a clock that is set by hand."""

    def __init__(self, venue: Venue, edge: int = 0, holes=(), now: float = 0.0) -> None:
        self.now_ns = START_NS + round(now * NS_PER_MINUTE)
        self.minutes: list[int] = []
        self.gaps: list[tuple[int, int, str]] = []
        key = (SPEC.id, PriceKind.LAST)
        self.keeper = BarKeeper(
            Client(venue),  # type: ignore[arg-type]
            {"BTCUSDT": SPEC},
            edges={key: START_NS + edge * NS_PER_MINUTE},
            holes={key: [(START_NS + a * NS_PER_MINUTE, START_NS + b * NS_PER_MINUTE) for a, b in holes]},
            keep=lambda bars: self.minutes.extend((bar.ts_venue - START_NS) // NS_PER_MINUTE for bar in bars),
            lost=lambda gap: self.gaps.append(
                ((gap.ts_venue - START_NS) // NS_PER_MINUTE, (gap.end_ns - START_NS) // NS_PER_MINUTE, gap.reason)
            ),
            now_ns=lambda: self.now_ns,
        )

    def at(self, minute: float, *, repair: bool = True) -> None:
        """A round."""
        self.now_ns = START_NS + round(minute * NS_PER_MINUTE)

        async def go(_loop) -> None:
            for one in self.keeper.behind():
                with contextlib.suppress(Unreachable):
                    await self.keeper.ask(one)
            if repair:
                for one in self.keeper.with_holes():
                    await self.keeper.repair(one)

        run_virtual(go)


def test_each_minute_is_asked_for_once():
    kept = Kept(Venue())
    for minute in (0.1, 1.1, 1.5, 2.1, 3.1):
        kept.at(minute)
    assert kept.minutes == [0, 1, 2]
    assert kept.keeper.late() == 0


def test_a_minute_that_is_late_is_asked_for_again():
    venue = Venue()
    kept = Kept(venue)
    venue.absent = {0}
    kept.at(1.1)
    assert kept.minutes == []
    assert kept.keeper.late() == 1
    venue.absent = set()
    kept.at(1.5)
    assert kept.minutes == [0]


def test_an_outage_is_caught_up_and_the_newest_page_comes_first():
    venue = Venue()
    kept = Kept(venue)
    venue.down = True
    kept.at(35.1, repair=False)
    venue.down = False
    kept.at(36.1, repair=False)
    assert kept.minutes == list(range(26, 36))
    for minute in (37, 38, 39, 40):
        kept.at(minute + 0.1)
    assert sorted(kept.minutes) == list(range(40))
    assert len(kept.minutes) == 40  # none twice
    assert kept.gaps == []


def test_a_minute_that_the_venue_does_not_have_is_a_gap_in_the_end():
    venue = Venue()
    venue.absent = {2}
    kept = Kept(venue)
    for minute in range(1, 5 + TRIES):
        kept.at(minute + 0.1)
    assert kept.minutes == [m for m in range(4 + TRIES) if m != 2]
    assert [(a, b) for a, b, _ in kept.gaps] == [(2, 3)]
    assert "tells no bar" in kept.gaps[0][2]


def test_holes_of_a_former_life_are_repaired():
    kept = Kept(Venue(), edge=30, holes=[(3, 5), (20, 21)], now=30.5)
    for minute in (31.1, 32.1, 33.1):
        kept.at(minute)
    assert sorted(kept.minutes) == [3, 4, 20, 30, 31, 32]
    assert kept.keeper.known()[1][SPEC.id, PriceKind.LAST] == []


def test_what_the_venue_does_not_keep_is_a_gap_at_once():
    kept = Kept(Venue(history_ns={Kind.BARS: 20 * NS_PER_MINUTE}), edge=0, now=100.0)
    kept.at(100.1)
    kept.at(101.1)
    assert [(a, b) for a, b, _ in kept.gaps] == [(0, 81)]
    assert sorted(kept.minutes) == list(range(81, 101))


def forced(at_s: float, base: float = 1.0) -> Liquidation:
    ts = START_NS + round(at_s * NS_PER_S)
    return Liquidation(
        instrument=SPEC.id,
        position_side=PositionSide.LONG,
        price=100.0,
        price_kind=LiquidationPriceKind.BANKRUPTCY,
        quantity_base=base,
        completeness=Completeness.ALL,
        ts_venue=ts,
        ts_recv=ts,
    )


def gap(start_s: float, end_s: float, kind: Kind = Kind.LIQUIDATIONS) -> Gap:
    return Gap(
        instrument=SPEC.id,
        kind=kind,
        ts_venue=START_NS + round(start_s * NS_PER_S),
        end_ns=START_NS + round(end_s * NS_PER_S),
        ts_recv=None,
        reason="no line was heard",
    )


def repaired(venue: Venue, gaps: list[Gap], *, minutes: float, back_after: float = 0.0, stored=()):
    """Take gaps and return (instants of prints that were kept, gaps that stayed, repairs still waiting)."""
    kept: list[float] = []
    lost: list[Gap] = []

    async def main(loop):
        merger = Merger(loop.now_ns())
        merger.offer(forced(1), "line", loop.now_ns())
        repairs = Repairs(
            Client(venue),  # type: ignore[arg-type]
            {SPEC.id: SPEC},
            merger,
            stored=lambda *_: list(stored),
            keep=lambda found, _: kept.append((found.ts_venue - START_NS) / NS_PER_S),
            lost=lost.append,
            settled=lambda _: None,
            now_ns=loop.now_ns,
        )
        task = asyncio.create_task(repairs.run())
        for one in gaps:
            repairs.take(one)
        await asyncio.sleep(back_after * 60)
        venue.down = False
        await asyncio.sleep((minutes - back_after) * 60)
        task.cancel()
        return len(repairs)

    waiting = run_virtual(main)
    return sorted(kept), lost, waiting


def test_a_gap_with_a_history_is_filled_and_not_told():
    venue = Venue()
    venue.prints = [forced(1), forced(2), forced(3)]
    assert repaired(venue, [gap(0, 10)], minutes=2) == ([2.0, 3.0], [], 0)


def test_a_gap_without_a_history_is_told_at_once():
    told = repaired(Venue(asks=(Kind.BARS,)), [gap(0, 10)], minutes=0.1)
    assert told == ([], [gap(0, 10)], 0)


def test_trades_are_not_stored_so_that_nothing_of_them_is_missing():
    assert repaired(Venue(), [gap(0, 10, Kind.TRADES)], minutes=1) == ([], [], 0)


def test_a_history_is_asked_for_until_the_venue_is_back():
    venue = Venue()
    venue.prints, venue.down = [forced(2)], True
    assert repaired(venue, [gap(0, 10)], minutes=20, back_after=10) == ([2.0], [], 0)


def test_a_history_that_cannot_be_had_is_a_gap_that_says_why():
    venue = Venue()
    venue.down = True
    kept, (lost,), waiting = repaired(venue, [gap(0, 10)], minutes=120, back_after=119)
    assert (kept, waiting) == ([], 0)
    assert "no route" in lost.reason


def test_what_is_older_than_the_history_is_told_and_the_rest_is_filled():
    venue = Venue(history_ns={Kind.LIQUIDATIONS: 3600 * NS_PER_S})
    venue.prints = [forced(-3000)]
    kept, (lost,), _ = repaired(venue, [gap(-7200, -1)], minutes=2)
    assert kept == [-3000.0]
    assert (lost.ts_venue, lost.end_ns) == (START_NS - 7200 * NS_PER_S, START_NS - 3600 * NS_PER_S)


def test_what_the_tables_hold_of_an_old_gap_is_not_kept_again():
    venue = Venue()
    venue.prints = [forced(-3000), forced(-2990)]
    kept, _, _ = repaired(venue, [gap(-3600, -1)], minutes=2, stored=[key_of(forced(-3000))])
    assert kept == [-2990.0]


@pytest.mark.parametrize("kind", [Kind.TICKERS])
def test_other_kinds_are_told(kind):
    assert repaired(Venue(), [gap(0, 10, kind)], minutes=0.1)[1] == [gap(0, 10, kind)]
