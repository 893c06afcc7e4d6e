"""The accounts of the rehearsed Hyperliquid: who they are and what they hold, summing to a stated share of open interest.

An account's positions change once an hour, with the coin's open interest and price; in between only the mark moves.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from liqscape.model import PositionSide
from liqscape.testing.exchange.listing import Listing, rounded
from liqscape.testing.exchange.world import Print, World
from liqscape.units import NS_PER_HOUR

# Of one-sided open interest: what the longs of the listed accounts sum to, and their shorts. The pool comes on top.
LONG_SHARE, SHORT_SHARE, POOL_SHARE = 0.40, 0.30, 0.10
ACCOUNTS = 60
SMALL = 400  # addresses that trade and hold nothing: whoever is liquidated is one of them
POOL = "0xdfc24b077bc1425ad1dea75bcb6f8158e10df303"
POOL_PARTS = ("0x2e3d94f0562703b25c83308a05046ddaf9a8dd14", "0xb0a55f13d22f66e6d495ac98113841b2326e9540")
MAX_LEVERAGE = {"BTC": 40, "ETH": 25, "SOL": 20}


def max_leverage(base: str) -> int:
    """Return the venue's highest leverage of a coin at small sizes."""
    return MAX_LEVERAGE.get(base, 10)


@dataclass(frozen=True)
class Holding:
    """One position.

    Parameters
    ----------
    size
        Coins, > 0 long, < 0 short.
    entry
        Average price of the openings.
    isolated
        True: it has its own margin; False: the account's.
    leverage
        That the user chose.
    """

    contract: Listing
    size: float
    entry: float
    isolated: bool
    leverage: int


@dataclass(frozen=True)
class Account:
    """An account with its positions; `cash` is what it put in, beside the margin of isolated positions."""

    address: str
    cash: float
    holdings: tuple[Holding, ...]


class Accounts:
    """All accounts of a world.

    Parameters
    ----------
    world, contracts
        The market, and the coins that accounts may hold.
    """

    def __init__(self, world: World, contracts: list[Listing]) -> None:
        self._world = world
        self._contracts = contracts
        self.listed = [self._address("account", k) for k in range(ACCOUNTS)]
        self.small = [self._address("small", k) for k in range(SMALL)]
        self._of_hour = lru_cache(maxsize=64)(self._accounts_of_hour)

    def _address(self, kind: str, number: int) -> str:
        return f"0x{self._world.draw('address', kind, number).getrandbits(160):040x}"

    def at(self, ts_ns: int) -> dict[str, Account]:
        """Return every account that holds something in the hour of `ts_ns`, by address."""
        return self._of_hour(ts_ns // NS_PER_HOUR)

    def _accounts_of_hour(self, hour: int) -> dict[str, Account]:
        held: dict[str, list[Holding]] = {address: [] for address in (*self.listed, POOL_PARTS[0])}
        at = hour * NS_PER_HOUR
        for contract in self._contracts:
            interest = self._world.open_interest(contract, at)
            price = self._world.ticker(contract, at).mark
            longs, shorts = self._sides(contract)
            for sign, share, owners in ((1, LONG_SHARE, longs), (-1, SHORT_SHARE, shorts)):
                parts = self._split(contract, share * interest, owners)
                for (address, size), leverage in zip(parts, self._choices(owners), strict=True):
                    if size > 0.0:
                        held[address].append(self._holding(contract, sign * size, price, address, leverage))
            pool = rounded(POOL_SHARE * interest, contract.step)
            held[POOL_PARTS[0]].append(Holding(contract, -pool, price, False, 5))
        return {address: self._account(address, holdings) for address, holdings in held.items() if holdings}

    def _sides(self, contract: Listing) -> tuple[list[str], list[str]]:
        """Return who is long and who is short; some accounts do not hold the coin."""
        draw = self._world.draw("sides", contract.symbol)
        longs: list[str] = []
        shorts: list[str] = []
        for address in self.listed:
            side = draw.random()
            if side < 0.45:
                longs.append(address)
            elif side < 0.85:
                shorts.append(address)
        return longs, shorts

    def _split(self, contract: Listing, total: float, owners: list[str]) -> list[tuple[str, float]]:
        """Deal out `total` with heavy tails, on the step; the sum is exact to a step per owner."""
        weights = [self._world.draw("weight", contract.symbol, address).paretovariate(1.1) for address in owners]
        whole = sum(weights)
        return [(a, rounded(total * w / whole, contract.step)) for a, w in zip(owners, weights, strict=True)]

    def _choices(self, owners: list[str]) -> list[int]:
        return [self._world.draw("leverage", address).choice((2, 3, 5, 10, 20)) for address in owners]

    def _holding(self, contract: Listing, size: float, price: float, address: str, leverage: int) -> Holding:
        draw = self._world.draw("holding", contract.symbol, address)
        # Entered up to 3 % away, on the side that keeps it alive through the moves of the market.
        entry = rounded(price * (1.0 - (1 if size > 0 else -1) * draw.uniform(0.0, 0.03)), contract.tick)
        isolated, most = draw.random() < 0.4, max_leverage(contract.base)
        return Holding(contract, size, entry, isolated, min(leverage, most))

    def _account(self, address: str, holdings: list[Holding]) -> Account:
        cross = sum(abs(h.size) * h.entry for h in holdings if not h.isolated)
        spare = self._world.draw("cash", address).uniform(0.15, 0.9)
        return Account(address, round(cross * spare + 1_000.0, 2), tuple(holdings))

    def of_trade(self, contract: Listing, p: Print) -> tuple[str, str]:
        """Return (buyer, seller) of a trade; a forced one has a small account on the side that is closed."""
        draw = self._world.draw("users", contract.symbol, p.number)
        one, other = draw.choice(self.listed), draw.choice(self.small)
        if p.bankruptcy is not None:
            return (one, other) if p.position_side is PositionSide.LONG else (other, one)
        return (one, other) if draw.random() < 0.5 else (other, one)


def maintenance_rate(contract: Listing) -> float:
    """Return half of the initial margin at the highest leverage."""
    return 1.0 / (2.0 * max_leverage(contract.base))


def isolated_margin(holding: Holding, mark: float) -> float:
    """Return an isolated position's own equity at the mark: what it was given, and what it has won."""
    return abs(holding.size) * holding.entry / holding.leverage + holding.size * (mark - holding.entry)


def liquidation_price(size: float, mark: float, margin: float, rate: float) -> float | None:
    """Return the mark at which `margin` (equity less what others need) meets the maintenance of a position; None if none does."""
    sign = 1.0 if size > 0 else -1.0
    free = margin - abs(size) * mark * rate
    price = mark - sign * free / abs(size) / (1.0 - rate * sign)
    return price if price > 0.0 else None
