"""A whole exchange replayed from its records: trades and transfers in; positions, equity and calls for margin out.

Pure: arrays in, arrays out. An account is its cash and its signed sizes: a fill of `q` at `p` moves cash by `-q p`, so equity is
cash plus sizes at the marks, with no entry price to keep. Fees and funding that the records do not hold are not in it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from liqscape.errors import BadArgument
from liqscape.margin import TierTable, maintenance_margins
from liqscape.model.arrays import BoolArray, FloatArray, IntArray

FLAT_BASE = 1e-9  # a size smaller than this is rounding


@dataclass(frozen=True)
class ExchangeRecord:
    """Fills and transfers of an exchange, each in the order in which they happened.

    Parameters
    ----------
    fill_ns : int64[n], ns UTC, ascending
    account, coin : int64[n], numbered from 0
    signed_base : float64[n], base units, > 0 bought
    price : float64[n], quote per base
    forced : bool[n], fills of the account that is liquidated
    is_mark : bool[n], whether the price is one that people traded at; those of a liquidation, of both its sides, are not
    transfer_ns, transfer_account : int64[m], ascending
    transfer_usd : float64[m], > 0 deposited
    """

    fill_ns: IntArray
    account: IntArray
    coin: IntArray
    signed_base: FloatArray
    price: FloatArray
    forced: BoolArray
    is_mark: BoolArray
    transfer_ns: IntArray
    transfer_account: IntArray
    transfer_usd: FloatArray

    def __post_init__(self) -> None:
        if (np.diff(self.fill_ns) < 0).any() or (np.diff(self.transfer_ns) < 0).any():
            raise BadArgument(
                "exchange record: fills and transfers must be ascending in time", hint="Sort them, ties in file order."
            )
        if not ((self.price > 0.0) & np.isfinite(self.signed_base)).all():
            raise BadArgument("exchange record: a fill has a price that is not positive, or a size that is unknown")


@dataclass(frozen=True)
class Liquidated:
    """An account just before the first forced fill of its liquidation.

    Parameters
    ----------
    ts_ns, account
        As asked.
    size_base : float64[coins], signed
    mark : float64[coins], quote per base: last trade that is a mark, NaN if there was none
    equity_usd, notional_usd, maintenance_usd
        At those marks; a coin without one is valued at its last fill.
    forced_base : float64[coins], what the liquidation traded, signed
    """

    ts_ns: int
    account: int
    size_base: FloatArray
    mark: FloatArray
    equity_usd: float
    notional_usd: float
    maintenance_usd: float
    forced_base: FloatArray


@dataclass(frozen=True)
class Calls:
    """Stretches in which an account's equity did not exceed its maintenance.

    Parameters
    ----------
    account, from_ns, to_ns : int64[n]
        From the first to the last instant below; a stretch ends when equity exceeds maintenance again or nothing is held.
    """

    account: IntArray
    from_ns: IntArray
    to_ns: IntArray

    def __len__(self) -> int:
        return self.account.size


@dataclass(frozen=True)
class ReplayedExchange:
    """The end state, the accounts that were liquidated, and every call.

    Parameters
    ----------
    size_base : float64[accounts, coins], signed
    cash_usd : float64[accounts], transfers less cost of what is held
    mark : float64[coins], quote per base, NaN if a coin never traded
    """

    size_base: FloatArray
    cash_usd: FloatArray
    mark: FloatArray
    liquidated: tuple[Liquidated, ...]
    calls: Calls


def replay_exchange(
    record: ExchangeRecord,
    tiers: TierTable,
    *,
    accounts: int,
    coins: int,
    liquidated_ns: IntArray,
    liquidated_account: IntArray,
    slack: float = 0.0,
) -> ReplayedExchange:
    """Replay all accounts and judge each at every new mark.

    Parameters
    ----------
    record
        What happened. Transfers of an instant come before its fills.
    tiers
        Maintenance table of every coin, measured by notional.
    accounts, coins
        How many there are.
    liquidated_ns, liquidated_account : int64[k]
        Liquidations whose account is described as it stood before its first forced fill at that instant.
    slack
        A call needs equity below `(1 - slack) x maintenance`: trade prices are noisy marks.

    Notes
    -----
    The mark of a coin is its last trade that is one, which only a record without published marks needs.
    """
    state = _State(record, tiers, accounts, coins, slack)
    asked = {(int(t), int(a)): i for i, (t, a) in enumerate(zip(liquidated_ns, liquidated_account, strict=True))}
    found: dict[int, Liquidated] = {}
    transfer = 0
    for i in range(record.fill_ns.size):
        now, account = int(record.fill_ns[i]), int(record.account[i])
        while transfer < record.transfer_ns.size and record.transfer_ns[transfer] <= now:
            state.pay(int(record.transfer_account[transfer]), float(record.transfer_usd[transfer]))
            transfer += 1
        which = asked.get((now, account))
        if which is not None and which not in found and record.forced[i]:
            found[which] = state.describe(now, account)
        state.fill(i)
        if which is not None and record.forced[i]:
            found[which].forced_base[record.coin[i]] += record.signed_base[i]
        state.judge(now, int(record.coin[i]))
    for left in range(transfer, record.transfer_ns.size):
        state.pay(int(record.transfer_account[left]), float(record.transfer_usd[left]))
    return ReplayedExchange(state.size, state.cash, state.mark, tuple(found[i] for i in sorted(found)), state.closed_calls())


class _State:
    """Every account at one instant. Equity and maintenance are kept current for the coin that traded only."""

    def __init__(self, record: ExchangeRecord, tiers: TierTable, accounts: int, coins: int, slack: float) -> None:
        self.record, self.tiers, self.threshold = record, tiers, 1.0 - slack
        self.cash = np.zeros(accounts)
        self.size = np.zeros((accounts, coins))
        self.mark = np.full(coins, np.nan)
        self.value = np.zeros((accounts, coins))  # size at the mark
        self.asked = np.zeros((accounts, coins))  # maintenance at the mark
        self.since = np.full(accounts, -1, np.int64)
        self.last = np.zeros(accounts, np.int64)
        self.calls: list[tuple[int, int, int]] = []

    def pay(self, account: int, usd: float) -> None:
        """Deposit, or withdraw."""
        self.cash[account] += usd

    def fill(self, i: int) -> None:
        """Move a position, and the mark if the price is one."""
        account, coin, base = int(self.record.account[i]), int(self.record.coin[i]), float(self.record.signed_base[i])
        price = float(self.record.price[i])
        self.cash[account] -= base * price
        size = self.size[account, coin] + base
        self.size[account, coin] = 0.0 if abs(size) < FLAT_BASE else size
        if self.record.is_mark[i]:
            self.mark[coin] = price
        mark = self.mark[coin] if np.isfinite(self.mark[coin]) else price
        self.value[:, coin] = self.size[:, coin] * mark
        self.asked[:, coin] = maintenance_margins(np.abs(self.value[:, coin]), self.tiers)

    def judge(self, now: int, coin: int) -> None:
        """Open and close calls of everyone who holds the coin that traded, or was called."""
        looked = np.flatnonzero((self.size[:, coin] != 0.0) | (self.since >= 0))
        equity = self.cash[looked] + self.value[looked].sum(axis=1)
        asked = self.asked[looked].sum(axis=1)
        below = (equity <= self.threshold * asked) & (asked > 0.0)
        for account in looked[below]:
            if self.since[account] < 0:
                self.since[account] = now
            self.last[account] = now
        for account in looked[~below & (self.since[looked] >= 0)]:
            self._close(int(account))

    def _close(self, account: int) -> None:
        self.calls.append((account, int(self.since[account]), int(self.last[account])))
        self.since[account] = -1

    def describe(self, now: int, account: int) -> Liquidated:
        """Return an account as it stands."""
        value = self.value[account]
        return Liquidated(
            ts_ns=now,
            account=account,
            size_base=self.size[account].copy(),
            mark=self.mark.copy(),
            equity_usd=float(self.cash[account] + value.sum()),
            notional_usd=float(np.abs(value).sum()),
            maintenance_usd=float(self.asked[account].sum()),
            forced_base=np.zeros(self.mark.size),
        )

    def closed_calls(self) -> Calls:
        """Return every call; those that are open end where they were last seen."""
        for account in np.flatnonzero(self.since >= 0):
            self._close(int(account))
        rows = np.array(sorted(self.calls, key=lambda call: call[1]), np.int64).reshape(-1, 3)
        return Calls(rows[:, 0].copy(), rows[:, 1].copy(), rows[:, 2].copy())
