"""What a live venue tells beside bars and prints: instruments, tickers, trades, books, ratios, tiers; and what we missed.

As in `records`, `ts_venue` is when the venue says it happened and `ts_recv` is when we learned it, both ns UTC.
"""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

from liqscape.model.accounts import AccountListing, AccountState
from liqscape.model.instruments import InstrumentId
from liqscape.model.records import Bar, FundingRate, Liquidation, OpenInterest
from liqscape.model.sides import ContractKind, TakerSide


class Kind(StrEnum):
    """The kinds of data that a venue may give."""

    INSTRUMENTS = "instruments"
    LIQUIDATIONS = "liquidations"
    TICKERS = "tickers"  # mark and index price, funding, open interest: what is true now
    TRADES = "trades"
    BARS = "bars"  # last price, with volume
    MARK_BARS = "mark_bars"
    OPEN_INTEREST = "open_interest"
    FUNDING = "funding"
    RATIOS = "ratios"
    DEPTH = "depth"
    TIERS = "tiers"
    POSITIONS = "positions"


class InstrumentSpec(Struct, frozen=True, kw_only=True):
    """A contract as its venue lists it.

    Parameters
    ----------
    base, quote
        In the house's capitals (BTC, not XBT); a scaled coin keeps its scale (1000PEPE), for its price has it too.
    contract_size
        What one unit of the venue's quantity is: base coins if linear, quote (USD) if inverse.
    tick_size
        Smallest step of the price, quote per base; None if the venue does not say.
    funding_interval_ns
        None if the venue lists none.
    perpetual, trading
        Only instruments that are both are recorded.
    market
        The venue's own product line, such as `usdm` or `inverse`.
    """

    id: InstrumentId
    base: str
    quote: str
    kind: ContractKind
    contract_size: float
    tick_size: float | None = None
    funding_interval_ns: int | None = None
    max_leverage: float | None = None
    perpetual: bool = True
    trading: bool = True
    market: str = ""


# What counts as a dollar where venues are joined on one grid of prices.
DOLLARS = frozenset({"USD", "USDT", "USDC", "USDE", "USD1", "FDUSD", "BUSD", "USDH"})
_LINEAR = ContractKind.LINEAR  # members of an enumeration are looked up slowly, and this is asked of every print


def quantity_base(spec: InstrumentSpec, quantity: float, price: float) -> float:
    """Return a venue's quantity in base units; `price` counts only for inverse contracts.

    Examples
    --------
    >>> inverse, btc = ContractKind.INVERSE, InstrumentId("bybit", "BTCUSD")
    >>> spec = InstrumentSpec(id=btc, base="BTC", quote="USD", kind=inverse, contract_size=1.0)
    >>> quantity_base(spec, 50_000.0, 100_000.0)
    0.5
    """
    amount = quantity * spec.contract_size
    return amount if spec.kind is _LINEAR else amount / price


class Ticker(Struct, frozen=True, kw_only=True, gc=False):
    """What is true of an instrument now; None is not told by this message, never zero."""

    instrument: InstrumentId
    ts_venue: int
    ts_recv: int | None
    mark_price: float | None = None
    index_price: float | None = None
    open_interest_base: float | None = None  # one side counted
    funding_rate: float | None = None  # predicted for the next stamp, fraction per interval
    next_funding_ns: int | None = None
    volume_24h_usd: float | None = None


class Trade(Struct, frozen=True, kw_only=True, gc=False):
    """One trade of the book; `accounts` (buyer, seller) where the venue is public about them."""

    instrument: InstrumentId
    taker_side: TakerSide
    price: float
    quantity_base: float  # > 0
    ts_venue: int
    ts_recv: int | None
    accounts: tuple[str, str] | None = None


class Book(Struct, frozen=True, kw_only=True):
    """An order book at one instant: (price, quantity in base units), best first."""

    instrument: InstrumentId
    ts_venue: int
    ts_recv: int | None
    bids: list[tuple[float, float]]
    asks: list[tuple[float, float]]


class Population(StrEnum):
    """Whose share a ratio counts."""

    ACCOUNTS = "accounts"
    TOP_ACCOUNTS = "top_accounts"
    TOP_POSITIONS = "top_positions"  # by size, not by head


class AccountRatio(Struct, frozen=True, kw_only=True, gc=False):
    """Which share of a population is long."""

    instrument: InstrumentId
    population: Population
    ts_venue: int  # start of the interval that the venue counts
    ts_recv: int | None
    long_share: float  # 0 to 1


class RiskTier(Struct, frozen=True, gc=False):
    """One row of a venue's margin table; what it says above `floor`."""

    floor: float
    maintenance_margin_rate: float
    deduction: float | None = None  # margin currency; None if the venue has none
    max_leverage: float | None = None


class RiskLadder(Struct, frozen=True, kw_only=True):
    """A venue's margin table of one instrument.

    Parameters
    ----------
    in_size
        False: floors are notionals in the margin currency (quote if linear, coin if inverse). True: the position's own unit
        (base if linear, USD if inverse); contracts are converted by the parser.
    known_to
        The largest floor's end, None if it is open.
    """

    instrument: InstrumentId
    tiers: tuple[RiskTier, ...]
    in_size: bool = False
    known_to: float | None = None
    ts_recv: int | None = None


class Gap(Struct, frozen=True, kw_only=True):
    """A stretch of time whose data of one kind cannot be had any more; what is stored of it may be incomplete."""

    instrument: InstrumentId
    kind: Kind
    ts_venue: int  # ns UTC, the last instant known to be complete
    end_ns: int  # ns UTC, the first instant that is complete again
    ts_recv: int | None
    reason: str


Record = (
    Bar
    | OpenInterest
    | Liquidation
    | FundingRate
    | Ticker
    | Trade
    | Book
    | AccountRatio
    | RiskLadder
    | InstrumentSpec
    | AccountState
    | AccountListing
    | Gap
)
