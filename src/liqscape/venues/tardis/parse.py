"""Tardis CSV into liquidations, open interest, funding and mark bars. Pure: rows as text in, rows in the house's units out."""

from __future__ import annotations

import polars as pl

from liqscape.clock import parse_instant
from liqscape.errors import BadArgument
from liqscape.model import Completeness, ContractKind, InstrumentId, LiquidationPriceKind, PositionSide, describe
from liqscape.units import NS_PER_MINUTE, NS_PER_S
from liqscape.venues._columns import instant, number
from liqscape.venues.tardis.payloads import EXCHANGES

LIQUIDATION_WIRE = {
    "ts": "timestamp",
    "instrument": "symbol",
    "position_side": "side",
    "price": "price",
    "quantity_base": "amount",
}
TICKER_WIRE = {
    "ts": "timestamp",
    "instrument": "symbol",
    "funding_ts": "funding_timestamp",
    "funding_rate": "funding_rate",
    "open_interest_base": "open_interest",
    "mark_price": "mark_price",
}

_US = 1_000
# Bybit shows every liquidation since the topic allLiquidation (Bybit v5 docs, public/all-liquidation, 2025-02-25), before one
# per second and symbol; Binance shows at most one per second and symbol.
_BYBIT_ALL_SINCE = parse_instant("2025-02-26")
# A minute is a bar only if its ticks reach this close to both of its ends where the file begins or stops.
_EDGE_NS = 5 * NS_PER_S
# The rate that stood this shortly before a payment is the rate that was paid.
_PAID_WITHIN_NS = 60 * NS_PER_S


def _instruments(raw: pl.DataFrame) -> pl.DataFrame:
    """Return one row per (exchange, symbol): instrument, converts (amounts are base units), sides, problem."""
    rows: list[tuple[str | None, str | None, str | None, bool, int, str | None, str]] = []
    for exchange, symbol in raw.select("exchange", "symbol").unique().iter_rows():
        known = EXCHANGES.get(exchange or "")
        if known is None:
            rows.append((exchange, symbol, None, False, 1, "is no exchange that liqscape knows", "exchange"))
            continue
        try:
            identity = InstrumentId.parse(f"{known.venue}:{symbol}")
        except BadArgument:
            rows.append((exchange, symbol, None, False, 1, "is no symbol", "symbol"))
            continue
        converts = known.base_amounts and describe(identity).kind is ContractKind.LINEAR
        rows.append((exchange, symbol, str(identity), converts, known.sides, None, "symbol"))
    schema: dict[str, type[pl.DataType]] = {
        "exchange": pl.String,
        "symbol": pl.String,
        "instrument": pl.String,
        "converts": pl.Boolean,
        "sides": pl.Int64,
        "problem": pl.String,
        "problem_field": pl.String,
    }
    return pl.DataFrame(rows, schema=schema, orient="row")


def _joined(raw: pl.DataFrame) -> pl.DataFrame:
    return raw.join(_instruments(raw), on=["exchange", "symbol"], how="left", nulls_equal=True, maintain_order="left")


def unconverted_exchanges(raw: pl.DataFrame) -> list[str]:
    """Name the instruments of a block whose amounts are not in base units, sorted."""
    return sorted(_instruments(raw).filter(~pl.col("converts")).get_column("instrument").drop_nulls().to_list())


def parse_liquidations(raw: pl.DataFrame) -> pl.DataFrame:
    """Read one block of `liquidations`.

    `side` is the side of the closing order: buy closed a short, sell closed a long (docs.tardis.dev, data types, liquidations).
    Binance prices are average fills and amounts filled quantities (the `ap` and `z` of forceOrder); Bybit prices are the
    bankruptcy price. Amounts of contract-sized and inverse contracts are never converted: their rows carry a `problem`.

    Returns
    -------
    line, instrument, ts (ns UTC), id, position_side, price, price_kind, quantity_base, completeness, problem, problem_field.
    """
    side = pl.col("side").str.strip_chars().str.to_lowercase()
    contracts = pl.format("{} is not in base units and the file does not tell the contract size", "instrument")
    bybit = pl.col("exchange") == "bybit"
    text = pl.lit
    return _joined(raw).select(
        "line",
        "instrument",
        instant("timestamp", _US).alias("ts"),
        pl.col("id").cast(pl.String).alias("id"),
        pl.when(side == "buy")
        .then(text(PositionSide.SHORT.value))
        .when(side == "sell")
        .then(text(PositionSide.LONG.value))
        .alias("position_side"),
        number("price").alias("price"),
        pl.when(bybit)
        .then(text(LiquidationPriceKind.BANKRUPTCY.value))
        .otherwise(text(LiquidationPriceKind.AVERAGE_FILL.value))
        .alias("price_kind"),
        number("amount").alias("quantity_base"),
        pl.when(bybit & (instant("timestamp", _US) >= _BYBIT_ALL_SINCE))
        .then(text(Completeness.ALL.value))
        .otherwise(text(Completeness.THROTTLED.value))
        .alias("completeness"),
        pl.coalesce(
            "problem",
            pl.when(~pl.col("converts")).then(contracts),
            pl.when(~side.is_in(["buy", "sell"]) | side.is_null()).then(text("expected buy or sell")),
        ).alias("problem"),
        pl.when(pl.col("problem").is_not_null())
        .then(pl.col("problem_field"))
        .when(~pl.col("converts"))
        .then(text("amount"))
        .otherwise(text("side"))
        .alias("problem_field"),
    )


def parse_tickers(raw: pl.DataFrame) -> pl.DataFrame:
    """Read one block of `derivative_ticker`.

    Open interest is null for contract-sized and inverse contracts (see `unconverted_exchanges`) and is halved where the venue
    counts both sides (Bybit).

    Returns
    -------
    line, instrument, ts (ns UTC), mark_price, open_interest_base, funding_rate, funding_ts (ns UTC), problem, problem_field.
    """
    open_interest = number("open_interest") / pl.col("sides")
    return _joined(raw).select(
        "line",
        "instrument",
        instant("timestamp", _US).alias("ts"),
        number("mark_price").alias("mark_price"),
        pl.when(pl.col("converts")).then(open_interest).alias("open_interest_base"),
        number("funding_rate").alias("funding_rate"),
        instant("funding_timestamp", _US).alias("funding_ts"),
        "problem",
        "problem_field",
    )


def open_interest_changes(ticks: pl.DataFrame) -> pl.DataFrame:
    """Keep of `ticks` the stamps at which open interest changed, the first one included.

    Of several ticks of one instant the last to arrive counts.

    Returns
    -------
    line, instrument, ts, open_interest_base.
    """
    known = ticks.filter(pl.col("open_interest_base").is_not_null()).sort("instrument", "ts", "line")
    last = known.unique(["instrument", "ts"], keep="last", maintain_order=True)
    changed = pl.col("open_interest_base").ne_missing(pl.col("open_interest_base").shift(1).over("instrument"))
    return last.filter(changed).select("line", "instrument", "ts", "open_interest_base")


def minute_bars(ticks: pl.DataFrame) -> pl.DataFrame:
    """Build 1-minute bars of the mark price: first, highest, lowest and last mark among the ticks of the minute.

    The first and the last minute of an instrument are left out unless ticks reach within 5 s of the minute's beginning and
    end: a file that begins or stops inside a minute would give a bar that a longer file contradicts. A minute without a tick
    has no bar.

    Returns
    -------
    line (of the first tick), instrument, ts (start of the minute), open, high, low, close.
    """
    known = ticks.filter(pl.col("mark_price").is_not_null()).sort("instrument", "ts", "line")
    bars = known.group_by("instrument", (pl.col("ts") // NS_PER_MINUTE * NS_PER_MINUTE).alias("minute"), maintain_order=True).agg(
        pl.col("line").first(),
        pl.col("ts").first().alias("first_tick"),
        pl.col("ts").last().alias("last_tick"),
        pl.col("mark_price").first().alias("open"),
        pl.col("mark_price").max().alias("high"),
        pl.col("mark_price").min().alias("low"),
        pl.col("mark_price").last().alias("close"),
    )
    first = pl.col("minute") == pl.col("minute").first().over("instrument")
    last = pl.col("minute") == pl.col("minute").last().over("instrument")
    late = pl.col("first_tick") - pl.col("minute") > _EDGE_NS
    early = pl.col("minute") + NS_PER_MINUTE - pl.col("last_tick") > _EDGE_NS
    whole = bars.filter(~((first & late) | (last & early)))
    return whole.select("line", "instrument", pl.col("minute").alias("ts"), "open", "high", "low", "close")


def funding_paid(ticks: pl.DataFrame) -> pl.DataFrame:
    """Find the rates that were paid: the last rate that stood within a minute before the payment it was announced for.

    The interval is the step between the payments that the file names; a file that names one payment only gives none.

    Returns
    -------
    line, instrument, ts (ns UTC of the payment), rate (fraction per interval), interval_ns.
    """
    known = ticks.filter(pl.col("funding_rate").is_not_null() & (pl.col("funding_ts") > 0)).sort("instrument", "ts", "line")
    ahead = known.filter(pl.col("ts") <= pl.col("funding_ts"))
    payments = ahead.group_by("instrument", "funding_ts", maintain_order=True).agg(
        pl.col("line").last(), pl.col("ts").last().alias("seen"), pl.col("funding_rate").last().alias("rate")
    )
    payments = payments.sort("instrument", "funding_ts").with_columns(
        pl.col("funding_ts").diff().over("instrument").min().over("instrument").alias("interval_ns")
    )
    paid = (pl.col("funding_ts") - pl.col("seen") <= _PAID_WITHIN_NS) & pl.col("interval_ns").is_not_null()
    return payments.filter(paid).select("line", "instrument", pl.col("funding_ts").alias("ts"), "rate", "interval_ns")
