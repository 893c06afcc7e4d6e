"""What Gate v4 sends, as documented on https://www.gate.io/docs/developers/apiv4/en/ and .../futures/ws/en/ (read 2026-11).

Sizes are contracts, with the order's sign, as numbers or (since 2026, with fractions) as text. Times are seconds or milliseconds,
sometimes with a fraction; a value above 1e11 is milliseconds.
"""

from __future__ import annotations

from msgspec import Struct

Loose = str | float | None


class Row(Struct, gc=False):
    """One print of `futures.public_liquidates`: size is the signed CLOSING order, price the order's."""

    contract: str
    price: float
    size: float
    time: float = 0.0
    time_ms: float = 0.0


class Liquidations(Struct, gc=False):
    """`futures.public_liquidates`: a bare row until 2026-08-20, since then rows of several contracts."""

    result: list[Row] | Row


class PastRow(Struct, gc=False):
    """A row of /liq_orders: size is the signed POSITION; order_price the order's, fill_price the average of its fills."""

    contract: str
    size: float
    order_price: float
    time: float
    fill_price: Loose = None


class TradeRow(Struct, gc=False):
    """A row of `futures.trades`: the sign of size is the taker's; internal ones are takeovers by the insurance fund or ADL."""

    contract: str
    size: float
    price: float
    create_time: float
    create_time_ms: float = 0.0
    is_internal: bool = False


class Trades(Struct, gc=False):
    """`futures.trades`."""

    result: list[TradeRow]


class Fault(Struct, gc=False):
    """Why a subscription failed."""

    code: Loose = None
    message: str | None = None


class Head(Struct, gc=False):
    """What every frame tells about itself."""

    channel: str = ""
    event: str = ""
    error: Fault | None = None


class TickerRow(Struct, gc=False):
    """A row of `futures.tickers` and of /tickers; total_size is contracts."""

    contract: str
    mark_price: Loose = None
    index_price: Loose = None
    funding_rate: Loose = None
    total_size: Loose = None
    volume_24h_quote: Loose = None


class TickerFrame(Struct, gc=False):
    """`futures.tickers`: a row, rows, or (in 2021) a list in a list."""

    result: list[TickerRow | list[TickerRow]] | TickerRow
    time: float = 0.0
    time_ms: float = 0.0


class InstrumentRow(Struct):
    """A row of /contracts."""

    name: str
    quanto_multiplier: float
    order_price_round: float
    in_delisting: bool = False
    status: str = "trading"
    funding_interval: Loose = None  # seconds
    leverage_max: Loose = None


class CandleRow(Struct, gc=False):
    """A row of /candlesticks; v is contracts and absent from prefixed contracts."""

    t: float
    o: float
    h: float
    l: float  # noqa: E741
    c: float
    v: Loose = None


class StatsRow(Struct, gc=False):
    """A row of /contract_stats; ratios are longs per short, 0 where Gate has none."""

    time: float
    open_interest: Loose = None  # contracts
    lsr_account: Loose = None
    top_lsr_account: Loose = None
    top_lsr_size: Loose = None


class FundingRow(Struct):
    """A row of /funding_rate."""

    r: float
    t: float


class TierRow(Struct):
    """A row of /risk_limit_tiers; risk_limit is the tier's end in quote."""

    tier: float
    risk_limit: float
    maintenance_rate: float
    leverage_max: float
    deduction: Loose = None
    contract: str = ""


class Level(Struct, gc=False):
    """One level of a book."""

    p: float
    s: float


class BookData(Struct):
    """/order_book; times are seconds with a fraction."""

    asks: list[Level]
    bids: list[Level]
    current: float
    update: Loose = None
