"""A contract as the rehearsal's venues list it, and numbers written with a venue's decimals."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

from liqscape.model import ContractKind

NS_PER_MS = 1_000_000
# Prices about which the well-known coins move; any other name gets its own from its letters.
KNOWN_PRICES = {"BTC": 65_000.0, "ETH": 3_500.0, "SOL": 150.0, "XRP": 0.6, "DOGE": 0.15, "BNB": 600.0}


@dataclass(frozen=True, eq=False)
class Listing:
    """One perpetual contract of one venue. Compared by identity: a dialect makes each once.

    Parameters
    ----------
    venue
        Name of the venue, such as `bybit`: the same coin differs a little between venues.
    symbol
        The venue's own symbol.
    base, quote
        Coin and currency in the house's capitals.
    contract_size
        What one unit of the venue's quantity is: base coins if linear, quote (USD) if inverse.
    step
        Smallest quantity, in the venue's unit.
    tick
        Smallest step of the price.
    funding_hours
        Hours between two payments of funding.
    market
        The venue's product line, where a dialect has several.
    """

    venue: str
    symbol: str
    base: str
    quote: str
    kind: ContractKind
    contract_size: float
    step: float
    tick: float
    funding_hours: int = 8
    market: str = ""

    def base_of(self, quantity: float, price: float) -> float:
        """Return a quantity of the venue in coins."""
        amount = quantity * self.contract_size
        return amount if self.kind is ContractKind.LINEAR else amount / price

    def quote_of(self, quantity: float, price: float) -> float:
        """Return a quantity of the venue in the quote currency."""
        amount = quantity * self.contract_size
        return amount * price if self.kind is ContractKind.LINEAR else amount

    def quantity_of(self, notional: float, price: float) -> float:
        """Return the quantity worth about `notional` in the quote currency, at least one step."""
        unit = self.contract_size * (price if self.kind is ContractKind.LINEAR else 1.0)
        return rounded(max(notional / unit, self.step), self.step)

    def price(self, value: float) -> str:
        """Write a price with the decimals of the tick."""
        return text(value, self.tick)

    def quantity(self, value: float) -> str:
        """Write a quantity with the decimals of the step."""
        return text(value, self.step)


@lru_cache(maxsize=256)
def decimals(step: float) -> int:
    """Return how many decimals a step needs, at most 12."""
    for places in range(13):
        if math.isclose(step * 10**places, round(step * 10**places), rel_tol=1e-9) and round(step * 10**places) > 0:
            return places
    return 12


def rounded(value: float, step: float) -> float:
    """Return the multiple of `step` nearest to `value`, as the float that its decimals spell."""
    return round(round(value / step) * step, decimals(step))


def text(value: float, step: float) -> str:
    """Write `value` with the decimals of `step`.

    Examples
    --------
    >>> text(65000.25, 0.1), text(12.0, 1.0)
    ('65000.2', '12')
    """
    return f"{value:.{decimals(step)}f}"


def usual_tick(price: float) -> float:
    """Return a tick of about a hundred-thousandth of the price, a power of ten."""
    return float(f"1e{math.floor(math.log10(price)) - 5}")


def usual_step(price: float) -> float:
    """Return a quantity step in coins worth ten to a hundred of the quote currency, a power of ten."""
    return float(f"1e{1 - math.floor(math.log10(price))}")
