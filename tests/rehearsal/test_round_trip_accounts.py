"""What the accounts of the rehearsed Hyperliquid hold is what our adapter reads: positions, margins, lists, fills."""

from __future__ import annotations

from collections import Counter
from typing import cast

import pytest
from desk import DIALECTS, NOW_NS, WORLD, asked, specs_of

from liqscape.model import AccountListing, AccountState, Liquidation, MarginMode
from liqscape.testing.exchange.dialects.hyperliquid_accounts import (
    LONG_SHARE,
    POOL,
    POOL_PARTS,
    SHORT_SHARE,
    Account,
    Accounts,
    isolated_margin,
    maintenance_rate,
)
from liqscape.units import NS_PER_HOUR
from liqscape.venues.hyperliquid import Hyperliquid
from liqscape.venues.registry import VENUES

VENUE = cast(Hyperliquid, VENUES["hyperliquid"])
ACCOUNTS = cast(Accounts, DIALECTS["hyperliquid"].accounts)  # type: ignore[attr-defined]


def states() -> dict[str, AccountState]:
    found = [row for one in ACCOUNTS.listed for row in asked(VENUE, VENUE.ask_account(one))]
    return {row.account: row for row in found if isinstance(row, AccountState)}


def check(state: AccountState, account: Account) -> None:
    held = {h.contract.symbol: h for h in account.holdings}
    assert {p.instrument.symbol: p.quantity_base for p in state.positions} == pytest.approx({s: h.size for s, h in held.items()})
    for p in state.positions:
        h = held[p.instrument.symbol]
        mark = WORLD.ticker(h.contract, NOW_NS).mark
        assert (p.entry_price, p.mark_price) == pytest.approx((h.entry, mark), rel=1e-6)
        assert (p.margin_mode is MarginMode.ISOLATED) is h.isolated
        margin = isolated_margin(h, mark) if h.isolated else abs(h.size) * mark / h.leverage
        assert p.margin_usd == pytest.approx(margin, abs=1e-5)
        if h.isolated and p.liquidation_price is not None:
            # At the price that the venue names, what is left of the margin is what the position needs.
            level = p.liquidation_price
            left = margin + h.size * (level - mark)
            assert left == pytest.approx(abs(h.size) * level * maintenance_rate(h.contract), rel=1e-5)


def test_every_position_of_every_account():
    truth = ACCOUNTS.at(NOW_NS)
    read = states()
    assert set(read) == set(ACCOUNTS.listed)
    for address, state in read.items():
        check(state, truth.get(address, Account(address, 0.0, ())))


def test_longs_and_shorts_sum_to_the_stated_share_of_open_interest():
    read = states()
    hour = NOW_NS - NOW_NS % NS_PER_HOUR
    for symbol, contract in DIALECTS["hyperliquid"].contracts.items():
        sizes = [p.quantity_base for state in read.values() for p in state.positions if p.instrument.symbol == symbol]
        interest = WORLD.open_interest(contract, hour)
        assert sum(s for s in sizes if s > 0) == pytest.approx(LONG_SHARE * interest, rel=1e-3)
        assert -sum(s for s in sizes if s < 0) == pytest.approx(SHORT_SHARE * interest, rel=1e-3)


def test_many_accounts_at_once_are_the_same_as_one_by_one():
    wanted = ACCOUNTS.listed[:25]
    together = [row for row in asked(VENUE, VENUE.ask_accounts(wanted)) if isinstance(row, AccountState)]
    singly = states()
    assert [row.account for row in together] == wanted
    for row in together:
        assert row.positions == singly[row.account].positions


def test_the_leaderboard_lists_them_and_the_vault_its_children():
    listed = [row for row in asked(VENUE, VENUE.ask_leaderboard(1000)) if isinstance(row, AccountListing)]
    assert set(ACCOUNTS.listed) <= {row.account for row in listed}
    vault = {row.account for row in asked(VENUE, VENUE.ask_vault()) if isinstance(row, AccountListing)}
    assert vault == {POOL, *POOL_PARTS}


def test_fills_tell_a_liquidation_of_the_one_who_lost():
    specs = specs_of("hyperliquid")
    start = NOW_NS - NS_PER_HOUR
    contract = DIALECTS["hyperliquid"].contracts["BTC"]
    prints = WORLD.liquidations(contract, start, NOW_NS)
    assert prints
    for p in prints[:10]:
        buyer, seller = ACCOUNTS.of_trade(contract, p)
        loser, other = (seller, buyer) if p.position_side.value == "long" else (buyer, seller)
        rows = [row for row in asked(VENUE, VENUE.ask_fills(loser, specs, start, NOW_NS)) if isinstance(row, Liquidation)]
        mine = Counter((row.position_side, row.ts_venue, round(row.quantity_base, 8)) for row in rows)
        assert mine[p.position_side, p.ts_ns, round(p.quantity, 8)] >= 1
        others = [row for row in asked(VENUE, VENUE.ask_fills(other, specs, start, NOW_NS)) if isinstance(row, Liquidation)]
        assert not [row for row in others if row.ts_venue == p.ts_ns]
