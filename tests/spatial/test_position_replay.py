"""A whole exchange from its records: an account by hand, laws of money, and a real one where it is at hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from liqscape.errors import BadArgument
from liqscape.margin.hyperliquid import hyperliquid_tiers
from liqscape.validate.position_replay import ExchangeRecord, ReplayedExchange, replay_exchange

FOLDER = Path(__file__).parents[3] / "shared" / "data" / "hl_2023_closed_alpha"
TIERS = hyperliquid_tiers([(0, 50)])  # maintenance 1 %
FILL = tuple[int, int, int, float, float, bool]


def record(fills: list[FILL], transfers: list[tuple[int, int, float]]) -> ExchangeRecord:
    time, account, coin, base, price, forced = (np.array(column) for column in zip(*fills, strict=True))
    paid = np.array(transfers, np.float64).reshape(-1, 3).T
    whole = [column.astype(np.int64) for column in (time, account, coin)]
    forced = forced.astype(np.bool_)
    return ExchangeRecord(
        *whole,
        base.astype(np.float64),
        price.astype(np.float64),
        forced,
        ~forced,
        *(c.astype(np.int64) for c in paid[:2]),
        paid[2],
    )


def replayed(fills: list[FILL], transfers: list[tuple[int, int, float]], liquidated: list[tuple[int, int]]) -> ReplayedExchange:
    times, accounts = np.array(liquidated, np.int64).reshape(-1, 2).T
    return replay_exchange(record(fills, transfers), TIERS, accounts=3, coins=2, liquidated_ns=times, liquidated_account=accounts)


def test_a_long_by_hand() -> None:
    # 15 dollars behind 1 coin at 100. At 86 equity is 1 and maintenance .86; at 85.5 it is .5 against .855: called, and taken
    # over at 85, where the margin is gone.
    fills = [
        (10, 0, 0, 1.0, 100.0, False),
        (20, 1, 0, 0.1, 86.0, False),
        (30, 1, 0, 0.1, 85.5, False),
        (40, 0, 0, -1.0, 85.0, True),
    ]
    found = replayed(fills, [(5, 0, 15.0), (5, 1, 1000.0)], [(40, 0)])
    one = found.liquidated[0]
    assert (one.equity_usd, one.notional_usd, one.maintenance_usd) == pytest.approx((0.5, 85.5, 0.855))
    assert (one.size_base[0], one.forced_base[0]) == (1.0, -1.0)
    assert found.cash_usd[0] == pytest.approx(0.0)
    assert (found.calls.account.tolist(), found.calls.from_ns.tolist(), found.calls.to_ns.tolist()) == ([0], [30], [30])
    assert found.mark[0] == 85.5  # a price of the liquidation engine is no mark


def test_a_call_ends_when_price_or_money_comes_back() -> None:
    fills = [
        (10, 0, 0, -1.0, 100.0, False),
        (20, 1, 0, 0.1, 114.5, False),
        (30, 1, 0, 0.1, 114.6, False),
        (40, 1, 0, 0.1, 110.0, False),
        (50, 1, 0, 0.1, 114.5, False),
        (60, 1, 0, 0.1, 114.5, False),
    ]
    found = replayed(fills, [(5, 0, 15.0), (5, 1, 1000.0), (55, 0, 10.0)], [])
    assert found.calls.from_ns.tolist() == [20, 50]
    assert found.calls.to_ns.tolist() == [30, 50]


def test_legs_of_other_coins_hold_an_account_up() -> None:
    fills = [
        (10, 0, 0, 1.0, 100.0, False),
        (11, 0, 1, -1.0, 100.0, False),
        (20, 1, 1, 0.1, 80.0, False),  # the short gains 20
        (30, 1, 0, 0.1, 85.0, False),  # the long loses 15
    ]
    assert len(replayed(fills, [(5, 0, 10.0), (5, 1, 1000.0)], []).calls) == 0
    assert len(replayed([fills[0], fills[3]], [(5, 0, 10.0), (5, 1, 1000.0)], []).calls) == 1


def test_records_out_of_order_are_refused() -> None:
    with pytest.raises(BadArgument, match="ascending in time"):
        record([(20, 0, 0, 1.0, 100.0, False), (10, 0, 0, 1.0, 100.0, False)], [])
    with pytest.raises(BadArgument, match="price that is not positive"):
        record([(10, 0, 0, 1.0, 0.0, False)], [])


trades = st.lists(
    st.tuples(st.integers(0, 2), st.integers(0, 2), st.integers(0, 1), st.integers(1, 50), st.integers(50, 150)),
    min_size=1,
    max_size=30,
)


@given(trades)
def test_contracts_and_money_are_kept(rows: list[tuple[int, int, int, int, int]]) -> None:
    # every trade has a buyer and a seller at one price
    fills: list[FILL] = []
    for i, (buyer, seller, coin, size, price) in enumerate(rows):
        fills += [(i, buyer, coin, float(size), float(price), False), (i, seller, coin, -float(size), float(price), False)]
    found = replayed(fills, [(0, account, 100.0) for account in range(3)], [])
    assert found.size_base.sum(axis=0) == pytest.approx([0.0, 0.0], abs=1e-9)
    assert found.cash_usd.sum() == pytest.approx(300.0)
    equity = found.cash_usd + np.nansum(found.size_base * found.mark, axis=1)
    assert equity.sum() == pytest.approx(300.0)
    assert np.all(found.calls.from_ns <= found.calls.to_ns)


@pytest.mark.skipif(not FOLDER.is_dir(), reason="needs the shared data")
def test_the_closed_alpha_is_replayed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(Path(__file__).parents[2]))
    from benchmarks.closed_alpha import judged, load

    found = judged(*load(FOLDER))
    assert found.liquidations == 62
    assert found.closed_exactly >= 57  # what the liquidation traded is what we say the account held
    assert found.notional_within >= 60
    assert found.equity_close >= 18
    assert found.cross_below_maintenance == found.cross == 54  # reported equity under 1 % of notional, always
    assert found.bankruptcy_median_bps < 1.0  # taken over at the price where the reported equity is gone
