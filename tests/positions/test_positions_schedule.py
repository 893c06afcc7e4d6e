"""Whom to ask next: by hand, and the laws: nobody starves, order of importance, a full book forgets the least."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from liqscape.engine.positions.schedule import EMPTY_S, SHORTEST_S, Schedule, interval_s, urgency
from liqscape.model import AccountPosition, AccountState, InstrumentId, MarginMode

BTC, ETH = InstrumentId("hyperliquid", "BTC"), InstrumentId("hyperliquid", "ETH")


def position(instrument: InstrumentId, quantity: float, mark: float, liquidation: float | None) -> AccountPosition:
    return AccountPosition(
        instrument=instrument,
        quantity_base=quantity,
        entry_price=mark,
        mark_price=mark,
        margin_mode=MarginMode.CROSS,
        margin_usd=1.0,
        liquidation_price=liquidation,
    )


def account(*positions: AccountPosition) -> AccountState:
    return AccountState(venue="hyperliquid", account="0xa", ts_venue=1, ts_recv=1, cross_equity_usd=100.0, positions=positions)


def test_urgency_is_notional_over_distance_of_what_is_wanted():
    state = account(position(BTC, 2.0, 100.0, 90.0), position(ETH, -10.0, 10.0, 12.5))
    # 200 USD at 10 %; the other leg 100 USD at 25 %
    assert urgency(state, {}, [BTC]) == pytest.approx(2000.0)
    assert urgency(state, {}, [BTC, ETH]) == pytest.approx(2400.0)
    # the mark has fallen to 92: 184 USD at 2 / 92
    assert urgency(state, {BTC: 92.0}, [BTC]) == pytest.approx(184.0 / (2.0 / 92.0))
    assert urgency(account(position(ETH, 1.0, 10.0, 9.0)), {}, [BTC]) is None
    assert urgency(account(position(BTC, 1.0, 10.0, None)), {}, [BTC]) == 0.0


def test_a_level_that_was_passed_counts_as_very_near():
    assert urgency(account(position(BTC, 1.0, 100.0, 101.0)), {}, [BTC]) == pytest.approx(100.0 / 0.002)


def test_the_nearest_are_asked_first_and_the_empty_last():
    book = Schedule()
    for name in ("near", "far", "empty"):
        book.add(name, 0.0)
    book.next(0.0, 3)
    book.seen("near", 1e9, 1e7)
    book.seen("far", 1e6, 1e5)
    book.seen("empty", None, 0.0)
    assert book.next(10.0, 3) == []  # nobody twice within 20 s
    assert book.next(60.0, 1) == ["near"]
    assert book.next(90.0, 3) == ["near", "far", "empty"]


def test_who_trades_is_asked_sooner_the_more_he_trades():
    book = Schedule()
    for name in ("whale", "shrimp", "quiet"):
        book.add(name, 0.0)
    book.next(0.0, 3)
    for name in ("whale", "shrimp", "quiet"):
        book.seen(name, None, 0.0)
    book.traded("whale", 1.0, 1e7)
    book.traded("shrimp", 1.0, 100.0)
    assert book.next(60.0, 2) == ["whale", "shrimp"]
    book.seen("whale", None, 0.0)
    assert interval_s(100.0 * 1e7) < 60.0 < EMPTY_S


def test_the_venues_own_accounts_are_never_asked():
    book = Schedule()
    book.add("vault", 0.0)
    book.exclude(["vault", "child"])
    assert not book.add("child", 0.0)
    book.traded("vault", 0.0, 1e9)
    assert len(book) == 0
    assert book.next(1.0, 5) == []


def test_a_full_book_forgets_who_holds_least():
    book = Schedule(most=10)
    for i in range(10):
        book.add(f"{i}", 0.0)
    book.next(0.0, 10)
    for i in range(10):
        book.seen(f"{i}", float(i), float(i))
    book.add("new", 1.0, worth_usd=1e6)
    assert len(book) == 10
    assert "0" not in book
    assert "9" in book
    assert "new" in book


@settings(max_examples=40, deadline=None)
@given(
    urgencies=st.lists(st.one_of(st.none(), st.floats(0.0, 1e11)), min_size=2, max_size=80),
    per_s=st.floats(0.2, 5.0),
    seed=st.integers(0, 99),
)
def test_nobody_starves_and_nobody_important_waits_longer_than_somebody_less_so(urgencies, per_s, seed):
    book, chance = Schedule(), np.random.default_rng(seed)
    every = {f"{i}": EMPTY_S if u is None else interval_s(u) for i, u in enumerate(urgencies)}
    for name in every:
        book.add(name, 0.0)
    looks: dict[str, list[float]] = {name: [] for name in every}
    now, end = 0.0, 4 * EMPTY_S
    while now < end:
        for name in book.next(now, 1):
            looks[name].append(now)
            book.seen(name, urgencies[int(name)], 1.0)
        now += float(chance.exponential(1.0 / per_s)) + 1.0
    need = sum(1.0 / max(s, SHORTEST_S) for s in every.values()) * (1.0 + 1.0 / per_s)  # share of the budget that is asked for
    for name, times in looks.items():
        longest = max(np.diff([0.0, *times, end]))
        assert longest <= 2.0 * max(need, 1.0) * every[name] + 3.0 * len(every) * (1.0 + 1.0 / per_s) + 60.0
    assert book.lateness(end) < 3.0 * max(need, 1.0) + 10.0
