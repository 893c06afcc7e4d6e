"""A whole small exchange, end to end: Hyperliquid's closed alpha of 2023, every trade, transfer and liquidation of its users."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from liqscape.margin.hyperliquid import hyperliquid_tiers
from liqscape.model.arrays import FloatArray, IntArray
from liqscape.units import NS_PER_DAY, NS_PER_HOUR, NS_PER_S
from liqscape.validate.position_replay import ExchangeRecord, Liquidated, ReplayedExchange, replay_exchange

# Every coin could be levered 50 times, so maintenance, half of the initial margin, is 1 % of notional. No page of that time says
# so; all cross liquidations reported an equity below 1 % of notional and up to .9999 % of it.
TIERS = hyperliquid_tiers([(0.0, 50.0)], source="reported equity of the liquidations of 2023")
TOLERANCE = 0.10
EQUITY_TOLERANCE, EQUITY_CLOSE = 0.01, 0.001  # of notional
RATE = TIERS.tiers[0].maintenance_margin_rate
SOON_NS = NS_PER_HOUR


@dataclass(frozen=True)
class Reported:
    """What the exchange said of each liquidation: float64[k] USD; bool[k] whether of a cross account."""

    ts_ns: IntArray
    account: IntArray
    notional_usd: FloatArray
    equity_usd: FloatArray
    cross: np.ndarray


@dataclass(frozen=True)
class Verdict:
    """How the replay compares. Counts are of liquidations unless they say otherwise."""

    users: int
    fills: int
    liquidations: int
    cross: int
    closed_exactly: int  # what the liquidation traded is, coin by coin, what the replay held
    notional_within: int  # within 10 % of the reported, at the marks of the replay
    single: int  # cross, one coin: reported notional / size is the mark that the exchange used
    equity_within: int  # of those, replayed equity at that mark within 1 % of notional of the reported
    equity_close: int  # within 10 bp of notional
    called_at_mark: int  # of those within 1 %, replayed equity at that mark at or below maintenance
    cross_below_maintenance: int
    highest_ratio: float  # reported equity / notional of cross liquidations
    bankruptcy_median_bps: float
    called: int  # below maintenance by our marks within the hour before, or at that instant
    called_of_complete: int
    complete: int
    lead_median_s: float
    calls: int
    calls_hit: int  # the account was liquidated during the call or within an hour after its end
    calls_of_sound: int  # calls of accounts whose money is on record
    false_of_sound: int
    false_over_a_minute: int
    account_days: float


def load(folder: Path) -> tuple[ExchangeRecord, Reported, int, int]:
    """Read the three files; returns record, reports, number of accounts and of coins."""
    trades, forced, ledger = (
        pl.read_parquet(folder / f"{name}.parquet").sort("time", maintain_order=True)
        for name in ("non_mm_trades", "liquidations", "non_mm_ledger_updates")
    )
    users = pl.concat([frame["user"] for frame in (trades, forced, ledger)]).unique().sort().to_list()
    coins = trades["coin"].unique().sort().to_list()

    def account(frame: pl.DataFrame) -> IntArray:
        return np.searchsorted(np.array(users), frame["user"].to_numpy()).astype(np.int64)

    def instant(frame: pl.DataFrame) -> IntArray:
        return frame["time"].dt.epoch("ns").to_numpy()

    due = set(zip(instant(forced).tolist(), account(forced).tolist(), strict=True))
    at, who = instant(trades), account(trades)
    price, taken = trades["px"].to_numpy(), ~trades["crossed"].to_numpy()
    own = np.array([(t, a) in due for t, a in zip(at.tolist(), who.tolist(), strict=True)]) & taken
    coin = np.searchsorted(np.array(coins), trades["coin"].to_numpy()).astype(np.int64)
    # The engine's price is seen twice, once for each side of the fill.
    engine = set(zip(at[own].tolist(), coin[own].tolist(), price[own].tolist(), strict=True))
    is_mark = np.array([row not in engine for row in zip(at.tolist(), coin.tolist(), price.tolist(), strict=True)])
    record = ExchangeRecord(
        fill_ns=at,
        account=who,
        coin=coin,
        signed_base=trades["sz"].to_numpy() * np.where(trades["side"].to_numpy() == "Bid", 1.0, -1.0),
        price=price,
        forced=own,
        is_mark=is_mark,
        transfer_ns=instant(ledger),
        transfer_account=account(ledger),
        transfer_usd=ledger["delta_usd"].to_numpy(),
    )
    reported = Reported(
        ts_ns=instant(forced),
        account=account(forced),
        notional_usd=forced["liquidated_ntl_pos"].to_numpy(),
        equity_usd=forced["liquidated_account_value"].to_numpy(),
        cross=forced["leverage_type"].to_numpy() == "Cross",
    )
    return record, reported, len(users), len(coins)


def judged(record: ExchangeRecord, reported: Reported, accounts: int, coins: int) -> Verdict:
    """Replay and compare."""
    found = replay_exchange(
        record,
        TIERS,
        accounts=accounts,
        coins=coins,
        liquidated_ns=reported.ts_ns,
        liquidated_account=reported.account,
    )
    each = found.liquidated
    exact = np.array([np.allclose(one.size_base, -one.forced_base, rtol=1e-6, atol=1e-9) for one in each])
    ratio = np.array([one.notional_usd for one in each]) / reported.notional_usd
    single = np.array([np.count_nonzero(one.forced_base) == 1 for one in each]) & reported.cross & exact
    rows = [at_reported_mark(record, one, *pair) for one, pair in zip(each, reported_pairs(reported), strict=True)]
    difference = np.array([gap for gap, _ in rows])
    fitting = single & (np.abs(difference) <= EQUITY_TOLERANCE)
    leads = np.array([lead_s(found, one) for one in each])
    sound = sound_accounts(found, record, accounts)
    hit, brief = outcome_of_calls(found, reported)
    cross_ratio = (reported.equity_usd / reported.notional_usd)[reported.cross]
    return Verdict(
        users=int(np.unique(record.account).size),
        fills=record.fill_ns.size,
        liquidations=len(each),
        cross=int(reported.cross.sum()),
        closed_exactly=int(exact.sum()),
        notional_within=int((np.abs(ratio - 1.0) <= TOLERANCE).sum()),
        single=int(single.sum()),
        equity_within=int(fitting.sum()),
        equity_close=int((single & (np.abs(difference) <= EQUITY_CLOSE)).sum()),
        called_at_mark=int(((difference + reported.equity_usd / reported.notional_usd)[fitting] <= RATE).sum()),
        cross_below_maintenance=int((cross_ratio <= RATE).sum()),
        highest_ratio=float(cross_ratio.max()),
        bankruptcy_median_bps=float(np.median([bps for (_, bps), one in zip(rows, single, strict=True) if one])),
        called=int(np.isfinite(leads).sum()),
        called_of_complete=int(np.isfinite(leads[fitting]).sum()),
        complete=int(fitting.sum()),
        lead_median_s=float(np.median(leads[fitting & np.isfinite(leads)])),
        calls=len(found.calls),
        calls_hit=int(hit.sum()),
        calls_of_sound=int(sound[found.calls.account].sum()),
        false_of_sound=int((sound[found.calls.account] & ~hit).sum()),
        false_over_a_minute=int((sound[found.calls.account] & ~hit & ~brief).sum()),
        account_days=held_days(record, accounts),
    )


def reported_pairs(reported: Reported) -> list[tuple[float, float]]:
    """Return (notional, equity) of each liquidation."""
    return list(zip(reported.notional_usd.tolist(), reported.equity_usd.tolist(), strict=True))


def at_reported_mark(record: ExchangeRecord, one: Liquidated, notional_usd: float, equity_usd: float) -> tuple[float, float]:
    """Return (replayed less reported equity) / notional at the exchange's own mark, and how far off the print is, bp.

    Of one coin, reported notional / size is the mark. The print should be where the reported equity is gone:
    `mark - equity / size` with the sign of the position.
    """
    coin = int(np.argmax(np.abs(one.forced_base)))
    size = float(one.size_base[coin])
    if size == 0.0:
        return float("nan"), float("nan")
    mark = notional_usd / abs(size)
    equity = one.equity_usd + size * (mark - float(one.mark[coin]))
    fills = record.forced & (record.fill_ns == one.ts_ns) & (record.account == one.account) & (record.coin == coin)
    print_price = float(np.average(record.price[fills], weights=np.abs(record.signed_base[fills])))
    bankrupt = mark - equity_usd / size
    return (equity - equity_usd) / notional_usd, abs(print_price / bankrupt - 1.0) * 1e4


def lead_s(found: ReplayedExchange, one: Liquidated) -> float:
    """Return how long before its liquidation an account was first below maintenance in the hour before, seconds; NaN if never."""
    calls = found.calls
    mine = (calls.account == one.account) & (calls.from_ns <= one.ts_ns) & (calls.to_ns >= one.ts_ns - SOON_NS)
    if mine.any():
        return float((one.ts_ns - max(int(calls.from_ns[mine].min()), one.ts_ns - SOON_NS)) / NS_PER_S)
    return 0.0 if one.equity_usd <= one.maintenance_usd else float("nan")


def outcome_of_calls(found: ReplayedExchange, reported: Reported) -> tuple[np.ndarray, np.ndarray]:
    """bool[calls]: whether a liquidation came during it or within an hour, and whether it was brief."""
    calls = found.calls
    hit = np.zeros(len(calls), np.bool_)
    for t, account in zip(reported.ts_ns, reported.account, strict=True):
        hit |= (calls.account == account) & (calls.from_ns <= t) & (calls.to_ns >= t - SOON_NS)
    return hit, calls.to_ns - calls.from_ns < 60 * NS_PER_S


def sound_accounts(found: ReplayedExchange, record: ExchangeRecord, accounts: int) -> np.ndarray:
    """bool[accounts], whether the record explains the account: money came before its first trade, and it ends without a debt.

    Trades without a deposit, or a debt at the end, mean that a transfer is missing: the exchange lets nobody owe.
    """
    equity = found.cash_usd + np.nansum(found.size_base * np.nan_to_num(found.mark), axis=1)
    first_trade, first_money = (np.full(accounts, np.iinfo(np.int64).max) for _ in range(2))
    np.minimum.at(first_trade, record.account, record.fill_ns)
    paid = record.transfer_usd > 0.0
    np.minimum.at(first_money, record.transfer_account[paid], record.transfer_ns[paid])
    return (first_money < first_trade) & (first_trade < np.iinfo(np.int64).max) & (equity > -1.0)


def held_days(record: ExchangeRecord, accounts: int) -> float:
    """Return for how many days accounts held something, added up."""
    total = 0
    for account in range(accounts):
        rows = np.flatnonzero(record.account == account)
        sizes: dict[int, float] = {}
        since: int | None = None
        for i in rows:
            coin = int(record.coin[i])
            sizes[coin] = sizes.get(coin, 0.0) + float(record.signed_base[i])
            held = any(abs(size) > 1e-9 for size in sizes.values())
            if held and since is None:
                since = int(record.fill_ns[i])
            elif not held and since is not None:
                total += int(record.fill_ns[i]) - since
                since = None
        if since is not None:
            total += int(record.fill_ns[-1]) - since
    return total / NS_PER_DAY


def table(verdict: Verdict) -> str:
    """Return the comparison in Markdown."""
    v = verdict
    rows = [
        ("the liquidation trades exactly the position that the replay holds", f"{v.closed_exactly} of {v.liquidations}"),
        ("notional within 10 % of the reported, at the last trades as marks", f"{v.notional_within} of {v.liquidations}"),
        (
            "equity at the exchange's own mark within 1 % of notional of the reported (cross, one coin)",
            f"{v.equity_within} of {v.single}; {v.equity_close} within 0.1 %",
        ),
        ("of those within 1 %, liquidatable by our maths at that mark", f"{v.called_at_mark} of {v.equity_within}"),
        (
            "reported equity at or below 1 % of notional (cross): half of the initial margin at 50x",
            f"{v.cross_below_maintenance} of {v.cross}; highest {v.highest_ratio:.4%}",
        ),
        (
            "the print is at the price where the reported equity is gone",
            f"median {v.bankruptcy_median_bps:.2f} bp off ({v.single})",
        ),
        (
            "of the same, called within the hour before with the last trades as marks",
            f"{v.called_of_complete} of {v.complete}; median lead {v.lead_median_s:.0f} s",
        ),
        ("called so, all liquidations", f"{v.called} of {v.liquidations}"),
        ("calls in all, followed by a liquidation within an hour", f"{v.calls}, {v.calls_hit}"),
        (
            "calls of accounts whose money is on record; false; false for over a minute",
            f"{v.calls_of_sound}; {v.false_of_sound}; {v.false_over_a_minute} in {v.account_days:,.0f} account-days",
        ),
    ]
    about = f"{v.users} users, {v.fills:,} fills, {v.liquidations} liquidations ({v.cross} cross)."
    return "\n".join([about, "", "| check | result |", "|---|---:|", *(f"| {name} | {result} |" for name, result in rows)])
