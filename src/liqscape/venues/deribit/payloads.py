"""What Deribit's JSON-RPC sends, as documented on https://docs.deribit.com (read 2026-11).

`amount` and `open_interest` are USD for inverse contracts and base coins for linear ones; `contracts` counts lots and is
not read.
"""

from __future__ import annotations

from typing import Generic, TypeVar

from msgspec import Struct

T = TypeVar("T")
Loose = str | float | None


class HeadParams(Struct, gc=False):
    """Part of a notification: the channel of data, the type of a heartbeat."""

    channel: str | None = None
    type: str | None = None


class RpcError(Struct, gc=False):
    """Why a request was refused."""

    code: int = 0
    message: str = ""


class Head(Struct, gc=False):
    """What every frame tells about itself: a notification has a method, an answer has an id."""

    method: str | None = None
    params: HeadParams | None = None
    id: int | None = None
    error: RpcError | None = None


class Subscribed(Struct):
    """The answer to public/subscribe: the channels that were accepted."""

    result: list[str]


class TradeRow(Struct, gc=False):
    """One trade: direction is the taker's, liquidation tells whose order was forced (M maker, T taker, MT both)."""

    instrument_name: str
    timestamp: float
    direction: str
    price: float
    amount: float
    trade_id: str
    liquidation: str | None = None
    block_trade_id: str | None = None


class TradeParams(Struct, gc=False):
    """Part of a frame."""

    data: list[TradeRow]


class Trades(Struct, gc=False):
    """`trades.{instrument}.100ms`."""

    params: TradeParams


class Stats(Struct, gc=False):
    """Part of a ticker."""

    volume_usd: Loose = None


class TickerRow(Struct, gc=False):
    """`ticker.{instrument}.100ms`."""

    instrument_name: str
    timestamp: float
    mark_price: Loose = None
    index_price: Loose = None
    open_interest: Loose = None
    stats: Stats | None = None


class TickerParams(Struct, gc=False):
    """Part of a frame."""

    data: TickerRow


class TickerFrame(Struct, gc=False):
    """`ticker.{instrument}.100ms`."""

    params: TickerParams


class Answer(Struct, Generic[T]):
    """Every REST answer."""

    result: T


class TradePage(Struct):
    """public/get_last_trades_by_instrument_and_time."""

    trades: list[TradeRow]
    has_more: bool = False


class SummaryRow(Struct):
    """A row of public/get_book_summary_by_currency."""

    instrument_name: str
    creation_timestamp: float
    mark_price: Loose = None
    open_interest: Loose = None
    volume_usd: Loose = None


class InstrumentRow(Struct):
    """A row of public/get_instruments."""

    instrument_name: str
    kind: str
    base_currency: str
    quote_currency: str
    tick_size: float
    is_active: bool
    instrument_type: str | None = None  # reversed or linear
    future_type: str | None = None  # the older name of the same
    settlement_period: str | None = None
    max_leverage: Loose = None


class Chart(Struct):
    """public/get_tradingview_chart_data: columns, oldest first; ticks are starts, volume is base coins, cost quote."""

    status: str
    ticks: list[float] = []
    open: list[float] = []
    high: list[float] = []
    low: list[float] = []
    close: list[float] = []
    volume: list[float] = []


class FundingRow(Struct):
    """A row of public/get_funding_rate_history: the hour that ended at `timestamp`."""

    timestamp: float
    interest_1h: float


class Book(Struct):
    """public/get_order_book."""

    instrument_name: str
    timestamp: float
    bids: list[tuple[float, float]]
    asks: list[tuple[float, float]]
