"""The parts of a recorder, one by one: prints counted once, seconds, sides, open interest, quarantine, rounds."""

from __future__ import annotations

import asyncio
import random
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from liqscape.engine.recording.market import Market
from liqscape.engine.recording.merger import HORIZON_NS, Merger, key_of
from liqscape.engine.recording.quarantine import Quarantine
from liqscape.engine.recording.rounds import Round, go_round
from liqscape.engine.recording.seconds import Seconds
from liqscape.engine.recording.selfcheck import EVENTS, Sides
from liqscape.engine.recording.wanted import Wanted, largest
from liqscape.engine.workspace import Workspace
from liqscape.errors import BadArgument, CorruptRecord, VenueError
from liqscape.model import (
    Bar,
    Completeness,
    ContractKind,
    InstrumentId,
    InstrumentSpec,
    Liquidation,
    LiquidationPriceKind,
    PositionSide,
    PriceKind,
    Ticker,
)
from liqscape.testing.virtual import START_NS, run_virtual
from liqscape.units import NS_PER_HOUR, NS_PER_MINUTE, NS_PER_S

BTC = InstrumentId("bybit", "BTCUSDT")
T = START_NS
HOUR = (T // NS_PER_HOUR + 1) * NS_PER_HOUR


def forced(at_s: float, price: float = 100.0, base: float = 1.0, side=PositionSide.LONG, name: str | None = None, **more):
    return Liquidation(
        instrument=more.get("instrument", BTC),
        position_side=side,
        price=price,
        price_kind=LiquidationPriceKind.BANKRUPTCY,
        quantity_base=base,
        completeness=Completeness.ALL,
        ts_venue=T + round(at_s * NS_PER_S),
        ts_recv=T + round(at_s * NS_PER_S),
        venue_id=name,
    )


def test_two_lines_tell_one_print():
    merger = Merger(T)
    assert merger.offer(forced(1), "line 0", T) == 0
    assert merger.offer(forced(1), "line 1", T) is None
    assert (merger.new, merger.repeated) == (1, 1)


def test_two_prints_alike_are_two_when_one_line_tells_both():
    merger = Merger(T)
    assert [merger.offer(forced(1), "line 0", T) for _ in range(2)] == [0, 1]
    assert [merger.offer(forced(1), "line 1", T) for _ in range(3)] == [None, None, 2]


def test_a_replay_after_a_reconnect_is_another_witness():
    merger = Merger(T)
    merger.offer(forced(1), ("public", 0, 1), T)
    assert merger.offer(forced(1), ("public", 0, 2), T + NS_PER_MINUTE) is None


@given(
    prints=st.lists(st.integers(0, 3), max_size=8),
    sightings=st.lists(st.tuples(st.integers(0, 2), st.integers(0, 7)), max_size=30),
    seed=st.integers(0, 9),
)
def test_the_count_of_each_print_is_the_largest_that_one_witness_tells(prints, sightings, seed):
    told = [(witness, prints[at % len(prints)]) for witness, at in sightings] if prints else []
    random.Random(seed).shuffle(told)
    merger, new = Merger(T), []
    for witness, which in told:
        occurrence = merger.offer(forced(which), witness, T)
        if occurrence is not None:
            new.append((which, occurrence))
    most = Counter()
    for (_, which), count in Counter(told).items():
        most[which] = max(most[which], count)
    assert sorted(new) == sorted((which, n) for which, count in most.items() for n in range(count))


def test_what_the_tables_hold_is_known_at_the_start():
    merger = Merger(T + NS_PER_MINUTE)
    merger.recall([key_of(forced(1)), key_of(forced(1))])
    assert [merger.offer(forced(1), "line 0", T + NS_PER_MINUTE) for _ in range(3)] == [None, None, 2]


def test_keys_are_forgotten_and_what_may_be_forgotten_is_a_replay():
    merger = Merger(T)
    merger.offer(forced(1), "line 0", T)
    later = T + 3 * HORIZON_NS
    for minutes in range(0, 90, 5):
        merger.offer(forced(60 * minutes, price=7), "line 0", T + minutes * NS_PER_MINUTE)
    before = merger.old
    assert merger.offer(forced(1), "line 1", later) is None
    assert merger.old == before + 1
    assert sum(len(one) for one in merger._counts) < 20


def test_memory_is_bounded_by_number_too():
    merger = Merger(T, most=100)
    for number in range(1000):
        merger.offer(forced(number / 100), "line 0", T + number * NS_PER_S // 100)
    assert sum(len(one) for one in merger._counts) <= 200
    assert merger.new == 1000


def test_a_print_with_a_name_is_known_by_it():
    merger = Merger(T)
    assert merger.offer(forced(1.0, name="a"), "line 0", T) == 0
    assert merger.offer(forced(1.3, base=0.4, name="a"), "line 1", T) is None
    assert merger.offer(forced(1.0, name="b"), "line 1", T) == 1


def test_an_open_order_that_was_stored_before_the_start_is_known_again_by_its_values():
    merger = Merger(T + NS_PER_MINUTE)
    merger.recall([key_of(forced(1))])
    assert merger.offer(forced(60, name="a"), "line 0", T + NS_PER_MINUTE) is None
    assert merger.offer(forced(60, name="b"), "line 0", T + NS_PER_MINUTE) == 0


def test_a_history_fills_what_the_stream_missed():
    merger = Merger(T)
    merger.offer(forced(1), "line 0", T)
    merger.offer(forced(2), "line 0", T)
    new = merger.settle([forced(1), forced(2), forced(2), forced(3)])
    assert [(found.ts_venue, occurrence) for found, occurrence in new] == [(T + 2 * NS_PER_S, 1), (T + 3 * NS_PER_S, 0)]
    assert merger.settle([forced(1), forced(2), forced(2), forced(3)]) == []


def test_a_history_in_whole_seconds_with_fill_prices_is_the_same_print():
    merger = Merger(T)
    merger.offer(forced(1.7, price=100.0), "line 0", T)
    assert merger.settle([forced(1.0, price=99.5)]) == []
    assert len(merger.settle([forced(1.0, price=99.5), forced(1.0, price=99.5)])) == 1


def test_an_old_history_is_compared_with_the_tables():
    merger = Merger(T + 3 * NS_PER_HOUR)
    stored = [key_of(forced(1))]
    assert [found.ts_venue for found, _ in merger.settle([forced(1), forced(2)], stored)] == [T + 2 * NS_PER_S]


def tick(at_s: float, price: float | None = None, interest: float | None = None) -> Ticker:
    ts = T + round(at_s * NS_PER_S)
    return Ticker(instrument=BTC, ts_venue=ts, ts_recv=ts + 1, mark_price=price, open_interest_base=interest)


def test_seconds_hold_every_move_between_ticks():
    seconds = Seconds()
    given = [(0.1, 100), (0.9, 101), (1.2, 99), (1.8, 100.5), (2.0, 103), (5.5, 104)]
    closed = [bar for at_s, price in given for bar in seconds.take(tick(at_s, price))]
    found = [(bar.ts_venue // NS_PER_S - T // NS_PER_S, bar.open, bar.high, bar.low, bar.close) for bar in closed]
    assert found == [
        (0, 100, 101, 100, 101),
        (1, 101, 101, 99, 100.5),
        (2, 100.5, 103, 100.5, 103),
        *((s, 103, 103, 103, 103) for s in (3, 4)),
    ]
    assert seconds.take(tick(4.0, 1.0)) == []  # too late
    assert seconds.take(tick(6.0)) == []  # tells no price
    (last,) = seconds.take(tick(60.0, 90.0))  # silence is not flat
    assert last.close == 104
    (after,) = seconds.take(tick(61.0, 91.0))
    assert (after.open, after.close) == (90.0, 90.0)


def _hour(sides: Sides, sign: int) -> None:
    """An hour of 60 minutes whose prints have a side that follows (sign 1) or opposes the return."""
    dice = random.Random(2)
    for minute in range(60):
        move = dice.choice((-0.01, 0.01))
        ts = HOUR + minute * NS_PER_MINUTE
        bar = Bar(
            instrument=BTC, price_kind=PriceKind.LAST, interval_ns=NS_PER_MINUTE, ts_venue=ts, ts_recv=ts,
            open=100.0, high=102.0, low=98.0, close=100.0 * (1 + move), volume_base=None, taker_buy_base=None,
        )  # fmt: skip
        sides.take_bar(bar)
        side = PositionSide.LONG if move * sign > 0 else PositionSide.SHORT
        for number in range(EVENTS // 60 + 1):
            sides.take_print(forced((ts - T) / NS_PER_S + number, side=side))


@pytest.mark.parametrize(("sign", "plausible"), [(-1, True), (1, False)])
def test_a_side_that_is_read_the_wrong_way_is_noticed(sign, plausible):
    sides = Sides()
    _hour(sides, sign)
    end = HOUR + NS_PER_HOUR
    assert sides.judge(end) is None  # bars of its last minute are on their way
    check = sides.judge(end + 6 * NS_PER_MINUTE)
    assert check is sides.last
    assert check.plausible is plausible
    assert abs(check.correlation) > 0.9
    assert (check.hour_ns, check.events, check.minutes) == (HOUR, 240, 60)
    assert sides.judge(end + 7 * NS_PER_MINUTE) is None  # once


def test_a_quiet_hour_says_nothing():
    sides = Sides()
    for minute in range(60):
        sides.take_print(forced(minute * 60))
    assert sides.judge(T + 3 * NS_PER_HOUR) is None
    assert sides.last is None


def test_open_interest_of_changes_stands_while_tickers_come():
    market = Market()
    market.take(tick(1, 100.0, 5.0), streamed=True)
    assert [(o.ts_venue, o.open_interest_base) for o in market.sample(T + 2 * NS_PER_S)] == [(T + NS_PER_S, 5.0)]
    assert market.sample(T + 3 * NS_PER_S) == []  # each instant once
    market.take(tick(50, 101.0), streamed=True)
    assert [o.ts_venue for o in market.sample(T + 60 * NS_PER_S)] == [T + 50 * NS_PER_S]
    assert market.sample(T + 10 * NS_PER_MINUTE) == []  # nobody was heard
    assert market.lacking([BTC], T + 10 * NS_PER_MINUTE) == {BTC}


def test_open_interest_that_was_asked_for_is_as_old_as_the_answer():
    market = Market()
    market.take(tick(1, None, 5.0), streamed=False)
    market.take(tick(30, 100.0), streamed=True)
    assert [o.ts_venue for o in market.sample(T + 31 * NS_PER_S)] == [T + NS_PER_S]
    market.take(tick(59, 100.0), streamed=True)
    assert market.sample(T + 60 * NS_PER_S) == []
    assert market.lacking([BTC], T + 60 * NS_PER_S) == {BTC}


def test_the_first_of_each_kind_is_kept_raw(tmp_path):
    quarantine = Quarantine(tmp_path / "quarantine", lambda: T)
    for number in range(5):
        error = CorruptRecord("bybit BTCUSDT: price", context={"what": f"kind {number % 2}", "field": "p"})
        quarantine.take("bybit_linear", "public-0", f'{{"p":"{number}"}}', error)
    assert quarantine.counts == {"bybit_linear": 5}
    kept = sorted(path.read_text() for path in (tmp_path / "quarantine").iterdir())
    assert len(kept) == 2
    assert any(text.endswith('{"p":"0"}') for text in kept)


def spec(symbol: str, base: str, quote: str = "USDT", **more) -> InstrumentSpec:
    return InstrumentSpec(
        id=InstrumentId("bybit", symbol), base=base, quote=quote, kind=ContractKind.LINEAR, contract_size=1.0, **more
    )


def test_wanted_names_bases_and_instruments():
    specs = [
        spec("BTCUSDT", "BTC"),
        spec("BTCUSDT-25DEC26", "BTC", perpetual=False),
        spec("BTCUSDC", "BTC", trading=False),
        spec("ETHUSDT", "ETH"),
        spec("SOLUSDT", "SOL"),
    ]
    assert list(Wanted(("btc", "bybit:SOLUSDT")).of(specs)) == ["BTCUSDT", "SOLUSDT"]
    assert list(Wanted(top=1).of(specs, frozenset({"ETH"}))) == ["ETHUSDT"]


def test_a_base_means_its_contracts_in_dollars():
    specs = [spec("BTCEUR", "BTC", "EUR"), spec("BTCUSDC", "BTC", "USDC")]
    assert list(Wanted(("BTC",)).of(specs)) == ["BTCUSDC"]
    assert list(Wanted(("bybit:BTCEUR",)).of(specs)) == ["BTCEUR"]


@pytest.mark.parametrize("given", [{}, {"names": ("BTC",), "top": 3}, {"top": 0}, {"names": (":",)}])
def test_wanted_refuses_what_means_nothing(given):
    with pytest.raises(BadArgument):
        Wanted(**given)


def test_the_largest_are_counted_in_dollars_over_venues():
    specs = {s.id: s for s in (spec("BTCUSDT", "BTC"), spec("BTCPERP", "BTC"), spec("ETHUSDT", "ETH"), spec("DOGE", "DOGE"))}
    given = (("BTCUSDT", 1.0, 100.0), ("BTCPERP", 1.0, 100.0), ("ETHUSDT", 15.0, 10.0), ("DOGE", 1e6, None))
    tickers = [
        Ticker(instrument=InstrumentId("bybit", s), ts_venue=T, ts_recv=T, open_interest_base=o, mark_price=p)
        for s, o, p in given
    ]
    assert largest(1, specs, tickers) == {"BTC"}
    assert largest(5, specs, tickers) == {"BTC", "ETH"}


def test_names_are_resolved_by_what_venues_said(tmp_path):
    workspace = Workspace(tmp_path)
    odd = InstrumentSpec(
        id=InstrumentId("kucoin", "XBTUSDTM"), base="BTC", quote="USDT", kind=ContractKind.LINEAR, contract_size=0.001
    )
    workspace.remember([odd])
    found = workspace.describe([odd.id, BTC])
    assert (found[odd.id].base, found[odd.id].kind) == ("BTC", ContractKind.LINEAR)
    assert found[BTC].base == "BTC"


def test_a_round_leaves_out_what_is_still_busy_and_survives_a_venue():
    done = Counter()

    async def main(loop):
        async def work(item: str) -> None:
            done[item] += 1
            if item == "slow":
                await asyncio.sleep(150)
            if item == "broken":
                raise VenueError("no")

        when = Round(60, 10, 20)
        task = asyncio.create_task(go_round(when, lambda: ["quick", "slow", "broken"], work, loop.now_ns))
        await asyncio.sleep(5 * 60)
        task.cancel()

    run_virtual(main)
    assert done == {"quick": 5, "slow": 2, "broken": 5}
