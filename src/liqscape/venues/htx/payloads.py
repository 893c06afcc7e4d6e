"""What HTX sends of its linear swaps, as documented on https://www.htx.com/en-us/opend/newApiPages/ (read 2026-11).

Numbers come as numbers or as text. Open interest and volumes are sums of BOTH sides; `volume` and book sizes are contracts.
"""

from __future__ import annotations

from typing import Generic, TypeVar

from msgspec import UNSET, Raw, Struct, UnsetType, field

T = TypeVar("T")
Loose = str | float | None


class Row(Struct, gc=False):
    """One print of the notifications or of /linear-swap-api/v3/swap_liquidation_orders; direction is the CLOSING order's."""

    contract_code: str
    direction: str
    volume: float  # contracts
    price: float  # of bankruptcy
    created_at: float
    trade_turnover: Loose = None  # quote
    query_id: int | None = None


class Liquidations(Struct, gc=False):
    """Topic `public.*.liquidation_orders`, and the answer of the history."""

    data: list[Row]


class NewRow(Struct, gc=False):
    """One print of /v5/market/liquidation_orders; its `amount` repeats `volume`, contracts, and is not read."""

    contract_code: str
    position_side: str
    volume: float
    bankrupt_price: float
    liquidation_time: float
    trade_turnover: Loose = None


class FundingRow(Struct, gc=False):
    """A row of topic `public.*.funding_rate`, of swap_batch_funding_rate and of swap_historical_funding_rate."""

    contract_code: str
    funding_rate: Loose = None
    funding_time: Loose = None
    settlement_time: Loose = None
    realized_rate: Loose = None


class FundingFrame(Struct, gc=False):
    """Topic `public.*.funding_rate`."""

    data: list[FundingRow]
    ts: float


class TradeRow(Struct, gc=False):
    """A row of `market.{code}.trade.detail`: amount is contracts, quantity coins; direction the taker's, now and then empty."""

    price: float
    amount: float
    ts: float
    direction: str


class Tick(Struct, gc=False):
    """Trades of one instant."""

    data: list[TradeRow]


class Trades(Struct, gc=False):
    """`market.{code}.trade.detail`."""

    ch: str
    tick: Tick


class Head(Struct, gc=False):
    """What every frame tells about itself; pings are answered with their own stamp, number or text."""

    op: str = ""
    topic: str = ""
    ch: str = ""
    ts: Raw | UnsetType = UNSET
    ping: Raw | UnsetType = UNSET
    status: str = ""
    code: int | str | None = field(name="err-code", default=None)
    words: str | None = field(name="err-msg", default=None)


class Answer(Struct, Generic[T]):
    """Every REST answer: the older ones tell a status, the newer a code (200 is fine)."""

    data: T
    ts: Loose = None


class Status(Struct):
    """What every answer tells about itself."""

    status: str = "ok"
    code: int | str = 200
    err_code: int | str | None = None
    err_msg: str | None = None
    msg: str | None = None
    message: str | None = None


class OpenInterestRow(Struct, gc=False):
    """A row of swap_open_interest, both sides: amount is coins, trade_turnover 24 hours' quote."""

    contract_code: str
    amount: Loose = None
    trade_turnover: Loose = None


class IndexRow(Struct, gc=False):
    """A row of swap_index."""

    contract_code: str
    index_price: float
    index_ts: Loose = None


class PastOpenInterest(Struct, gc=False):
    """A tick of swap_his_open_interest, both sides: coins if amount_type is 2."""

    volume: float
    amount_type: int | str
    ts: float


class OpenInterestHistory(Struct):
    """The data of swap_his_open_interest."""

    tick: list[PastOpenInterest]


class InstrumentRow(Struct):
    """A row of swap_contract_info."""

    contract_code: str
    contract_size: float
    price_tick: float
    contract_status: int
    business_type: str = "swap"


class CandleRow(Struct, gc=False):
    """A row of history/kline or of the mark price's; id is its start in seconds, amount coins of both sides."""

    id: float
    open: float
    high: float
    low: float
    close: float
    amount: float = 0.0


class FundingPage(Struct):
    """The data of swap_historical_funding_rate."""

    data: list[FundingRow]
    total_page: int = 1
    current_page: int = 1


class RatioRow(Struct):
    """A row of swap_elite_account_ratio and swap_elite_position_ratio."""

    buy_ratio: Loose
    sell_ratio: Loose
    ts: float


class Ratios(Struct):
    """The data of the elite ratios."""

    rows: list[RatioRow] = field(name="list")


class Rung(Struct):
    """One rung of a ladder: from min_size contracts on."""

    min_size: float
    adjust_factor: float
    max_size: Loose = None


class Ladder(Struct):
    """The rungs of one leverage."""

    lever_rate: float
    ladders: list[Rung]


class TierRow(Struct):
    """A row of swap_cross_adjustfactor."""

    contract_code: str
    rows: list[Ladder] = field(name="list")


class BookTick(Struct):
    """The tick of market/depth: price, contracts."""

    ts: float
    asks: list[tuple[float, float]] | None = None
    bids: list[tuple[float, float]] | None = None


class BookAnswer(Struct):
    """/linear-swap-ex/market/depth."""

    tick: BookTick
