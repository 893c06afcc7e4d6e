"""Venues without an adapter, through ccxt: instruments, last prices, open interest and funding; never liquidations.

ccxt is an optional extra and is imported when the first venue is opened. It sends its own requests, so that neither `Client` nor
`Transport` is used; what it answers is judged here as harshly as an adapter judges a wire. What ccxt leaves open is not guessed:
its liquidations mean another side on every venue, its bars' volume is coins here and contracts there (left out), and a sum of
open interest is taken only where its unit can be told (`open_interest`). Inverse contracts are left out for the same reason.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from importlib import import_module
from types import MappingProxyType
from typing import Any, TypeVar, cast

from liqscape.clock import now_ns as wall_ns
from liqscape.errors import BadArgument, CorruptRecord, LiqscapeError, NoData, RateLimited, Unreachable, VenueError
from liqscape.model import (
    Bar,
    Completeness,
    ContractKind,
    FundingRate,
    InstrumentSpec,
    Kind,
    OpenInterest,
    PriceKind,
    Record,
)
from liqscape.units import NS_PER_HOUR, NS_PER_MINUTE
from liqscape.venues import wire
from liqscape.venues.base import Bucket, Doubt, Facts
from liqscape.venues.wire import MS

T = TypeVar("T")

# What the conformance list of adapters asks for and this does not give, with the reason.
EXCEPTIONS: Mapping[str, str] = MappingProxyType(
    {
        "asks": "ccxt builds and sends the requests itself: there is no Request to look at, and no payload to parse",
        "streams": "ccxt's sockets are not watched for silence by two lines; open interest and price are asked for",
        "liquidations": "the side, the price and the quantity of a liquidation mean something else on every venue of ccxt",
        "inverse": "ccxt does not say whether sums are dollars, coins or contracts",
        "volume": "ccxt does not say whether the volume of a bar is coins or contracts",
        "mark bars, books, tiers, ratios": "not needed for a map of price and open interest",
    }
)
_BARS_PER_PAGE = 500
_FUNDING_PER_PAGE = 100
_TICK_SIZE = 4  # ccxt.TICK_SIZE
# A sum of open interest in two units must tell one story: value / price and amount x contract size within so much.
_SAME = 0.05


def load(exchange_id: str) -> Any:
    """Return a new ccxt exchange that keeps to its own rate limit.

    Raises
    ------
    NoData
        If ccxt is not installed.
    BadArgument
        If ccxt knows no such exchange.
    """
    try:
        ccxt: Any = import_module("ccxt.async_support")
    except ImportError:
        raise NoData(
            f"venue {exchange_id}: it has no adapter and ccxt is not installed",
            hint="Install it with pip install 'liqscape[ccxt]'.",
        ) from None
    if exchange_id not in ccxt.exchanges:
        raise BadArgument(f"venue: ccxt knows no exchange {exchange_id!r}", hint="ccxt.exchanges lists them all.")
    exchange: Any = getattr(ccxt, exchange_id)({"enableRateLimit": True})
    exchange.has["fetchCurrencies"] = False  # a list of networks and fees that only spot markets and accounts need
    return exchange


class LongTail:
    """One venue through ccxt; its methods return records as `Client.run` does.

    Parameters
    ----------
    exchange_id
        ccxt's name of the exchange, such as `phemex`; the venue's name in instruments.
    exchange
        A ccxt exchange of `ccxt.async_support`; None loads it.
    urls
        Replacements of base addresses by `ccxt_<id>.<name>`, where the name is ccxt's own (`exchange.urls["api"]`), or
        `ccxt_<id>.rest` for all of them.
    on_corrupt
        Called with (key, what was asked, error) for every row that cannot be true.

    Raises
    ------
    NoData
        If ccxt is not installed.
    """

    def __init__(
        self,
        exchange_id: str,
        *,
        exchange: Any | None = None,
        urls: Mapping[str, str] | None = None,
        now_ns: Callable[[], int] = wall_ns,
        on_corrupt: Callable[[str, str, CorruptRecord], None] | None = None,
    ) -> None:
        self.venue = exchange_id.lower()
        self.exchange = load(exchange_id) if exchange is None else exchange
        self._now_ns = now_ns
        self._on_corrupt = on_corrupt
        self._symbols: dict[str, str] = {}  # ours -> ccxt's
        self.facts = self._facts()
        _redirect(self.exchange.urls, self.facts.key, urls or {})

    def _facts(self) -> Facts:
        has: Mapping[str, object] = self.exchange.has
        offers = {
            Kind.INSTRUMENTS: True,
            Kind.BARS: has.get("fetchOHLCV") is True,
            # Of now: Kind.OPEN_INTEREST is a history.
            Kind.TICKERS: has.get("fetchOpenInterest") is True,
            Kind.FUNDING: has.get("fetchFundingRateHistory") is True,
        }
        return Facts(
            key=f"ccxt_{self.venue}",
            venue=self.venue,
            title=f"{self.venue} (ccxt)",
            completeness=Completeness.UNKNOWN,
            completeness_note="no liquidations: " + EXCEPTIONS["liquidations"],
            streams=frozenset(),
            asks=frozenset(kind for kind, offered in offers.items() if offered),
            hosts=dict(_leaves(self.exchange.urls["api"])),
            # ccxt spaces its requests by itself: one unit each rateLimit milliseconds.
            buckets={"ccxt": Bucket(1, float(self.exchange.rateLimit) / 1000.0)},
            page={Kind.BARS: _BARS_PER_PAGE, Kind.FUNDING: _FUNDING_PER_PAGE},
            settle_s=5.0,
            doubts=(
                Doubt("open interest counts one side", "cannot be seen from outside"),
                Doubt("contract sizes are what ccxt says", "a sum told in two units must tell one story, else it is refused"),
            ),
        )

    @property
    def listed(self) -> bool:
        """Whether the instruments were asked for."""
        return bool(self._symbols)

    async def instruments(self) -> list[Record]:
        """Return the linear perpetuals of the venue, one per coin and currency of settlement."""
        async with self._asking("instruments"):
            markets: dict[str, dict[str, Any]] = await self.exchange.load_markets(True)
        found = [market for market in markets.values() if market.get("swap") and market.get("linear")]
        specs = self._rows("instruments", found, self._spec)
        kept: list[Record] = []
        self._symbols = {}
        for market, spec in zip(found, specs, strict=True):
            if isinstance(spec, InstrumentSpec) and spec.id.symbol not in self._symbols:
                self._symbols[spec.id.symbol] = market["symbol"]
                kept.append(spec)
        return kept

    def _spec(self, market: Mapping[str, Any]) -> InstrumentSpec:
        what = f"{market.get('symbol')} market"
        base, settle = str(market.get("base") or "").upper(), str(market.get("settle") or "").upper()
        leverage = _part(_part(market, "limits"), "leverage")
        # Where ccxt counts digits instead, a precision is no step of the price.
        steps = _part(market, "precision" if self.exchange.precisionMode == _TICK_SIZE else "")
        return InstrumentSpec(
            # A linear contract is named after the coin it settles in, which the house reads out of its symbol.
            id=wire.symbol_id(self.venue, f"{base}{settle}", what),
            base=base,
            quote=settle,
            kind=ContractKind.LINEAR,
            contract_size=wire.positive(self._number(market, "contractSize", what), self.venue, what, "contractSize"),
            tick_size=wire.optional_positive(steps.get("price"), self.venue, what, "precision.price"),
            max_leverage=wire.optional_positive(leverage.get("max"), self.venue, what, "limits.leverage.max"),
            trading=market.get("active") is not False,
            market="linear",
        )

    async def bars(self, spec: InstrumentSpec, start_ns: int, end_ns: int) -> list[Record]:
        """Return the closed 1-minute bars of the last price that start in [start_ns, end_ns), a page at most; no volume."""
        symbol, what = self._symbol(spec), f"bars {spec.id.symbol}"
        limit = min(_BARS_PER_PAGE, -(-(end_ns - start_ns) // NS_PER_MINUTE))
        async with self._asking(what):
            rows: list[list[float]] = await self.exchange.fetch_ohlcv(symbol, "1m", start_ns // MS, limit)
        recv_ns = self._now_ns()

        def read(row: list[float]) -> Bar | None:
            if len(row) < 5:
                raise wire.corrupt(self.venue, what, "row", "start, open, high, low, close", row)
            numbers = [self._number({"value": value}, "value", what) for value in row[:5]]
            start = wire.instant(numbers[0], MS, self.venue, what, "start")
            if not start_ns <= start < end_ns:
                return None
            return wire.bar(spec, PriceKind.LAST, start, (numbers[1], numbers[2], numbers[3], numbers[4]), None, None, recv_ns)

        bars: list[Bar] = self._only(Bar, self._rows(what, rows, read))
        bars.sort(key=lambda bar: bar.ts_venue)
        return [*bars]

    async def open_interest(self, spec: InstrumentSpec) -> list[Record]:
        """Return open interest now, in base coins; empty if its unit cannot be told.

        ccxt gives an amount (coins or contracts) or a value (quote) or both. A value is divided by the price; an amount counts
        where coins and contracts are the same, or where the value beside it tells which of both it is.
        """
        symbol, what = self._symbol(spec), f"open interest {spec.id.symbol}"
        async with self._asking(what):
            told: Mapping[str, Any] = await self.exchange.fetch_open_interest(symbol)
            valued = told.get("openInterestValue") is not None
            ticker: Mapping[str, Any] = await self.exchange.fetch_ticker(symbol) if valued else {}
        recv_ns = self._now_ns()

        def read(row: Mapping[str, Any]) -> OpenInterest | None:
            price = None
            if valued:
                shown = {"price": ticker.get("markPrice") or ticker.get("last")}
                price = wire.positive(self._number(shown, "price", what), self.venue, what, "price")
            base = self._base(spec, row, price, what)
            ts = row.get("timestamp")
            return (
                None
                if base is None
                else OpenInterest(
                    instrument=spec.id,
                    ts_venue=recv_ns
                    if ts is None
                    else wire.instant(self._number(row, "timestamp", what), MS, self.venue, what, "timestamp"),
                    ts_recv=recv_ns,
                    open_interest_base=base,
                )
            )

        return list(self._only(OpenInterest, self._rows(what, [told], read)))

    def _base(self, spec: InstrumentSpec, row: Mapping[str, Any], price: float | None, what: str) -> float | None:
        amount = wire.optional_not_negative(row.get("openInterestAmount"), self.venue, what, "openInterestAmount")
        value = wire.optional_not_negative(row.get("openInterestValue"), self.venue, what, "openInterestValue")
        by_value = (
            None if value is None or price is None else wire.not_negative(value / price, self.venue, what, "openInterestValue")
        )
        if amount is None or by_value == amount == 0.0:
            return by_value
        if by_value is None:
            return amount if spec.contract_size == 1.0 else None
        for base in (amount, amount * spec.contract_size):
            if base > 0.0 and abs(by_value / base - 1.0) <= _SAME:
                return base
        raise wire.corrupt(self.venue, what, "openInterestAmount", f"coins or contracts worth {value}", amount)

    async def funding(self, spec: InstrumentSpec, start_ns: int, end_ns: int) -> list[Record]:
        """Return what was paid in [start_ns, end_ns), a page at most; the interval is the distance of the stamps."""
        symbol, what = self._symbol(spec), f"funding {spec.id.symbol}"
        async with self._asking(what):
            rows: list[Mapping[str, Any]] = await self.exchange.fetch_funding_rate_history(
                symbol, start_ns // MS, _FUNDING_PER_PAGE
            )
        recv_ns = self._now_ns()

        def read(row: Mapping[str, Any]) -> FundingRate | None:
            ts = wire.instant(self._number(row, "timestamp", what), MS, self.venue, what, "timestamp")
            if not start_ns <= ts < end_ns:
                return None
            return FundingRate(
                instrument=spec.id,
                ts_venue=ts,
                ts_recv=recv_ns,
                rate=wire.finite(self._number(row, "fundingRate", what), self.venue, what, "fundingRate"),
                interval_ns=spec.funding_interval_ns or 8 * NS_PER_HOUR,
            )

        return list(
            self._only(FundingRate, wire.funding_spaced([row for row in self._rows(what, rows, read) if row is not None]))
        )

    async def close(self) -> None:
        """Close ccxt's connections."""
        await self.exchange.close()

    @staticmethod
    def _only(kind: type[T], rows: Iterable[object]) -> list[T]:
        return [row for row in rows if isinstance(row, kind)]

    def _symbol(self, spec: InstrumentSpec) -> str:
        try:
            return self._symbols[spec.id.symbol]
        except KeyError:
            raise BadArgument(f"{spec.id}: not listed by {self.venue}", hint="Ask for its instruments first.") from None

    def _number(self, row: Mapping[str, Any], field: str, what: str) -> float:
        value = row.get(field)
        if value is None or isinstance(value, bool) or not isinstance(value, (int, float, str)):
            raise wire.corrupt(self.venue, what, field, "a number", value)
        number = wire.optional(value, self.venue, what, field)
        if number is None:
            raise wire.corrupt(self.venue, what, field, "a number", value)
        return number

    def _rows(self, what: str, rows: Iterable[Any], read: Callable[[Any], Record | None]) -> list[Record | None]:
        """Read row by row; one that cannot be true is told and is None."""
        found: list[Record | None] = []
        for row in rows:
            try:
                found.append(read(row))
            except CorruptRecord as error:
                found.append(None)
                if self._on_corrupt is not None:
                    self._on_corrupt(self.facts.key, what, error)
        return found

    @asynccontextmanager
    async def _asking(self, what: str) -> AsyncGenerator[None]:
        """Turn ccxt's errors into the house's, which is known by their names: ccxt itself need not be imported for it."""
        try:
            yield
        except LiqscapeError:
            raise
        except Exception as error:
            names = {each.__name__ for each in type(error).__mro__}
            words = f"{self.facts.key} {what}: {type(error).__name__}: {str(error)[:200]}"
            if names & {"RateLimitExceeded", "DDoSProtection"}:
                raise RateLimited(words, context={"retry_after_s": self.facts.ban_s}) from None
            if "NetworkError" in names:
                raise Unreachable(words) from None
            if "BaseError" in names:
                raise VenueError(words) from None
            # Parsing a payload that ccxt did not expect ends in any error at all.
            raise wire.corrupt(self.venue, what, "answer", "what ccxt expects", f"{type(error).__name__}: {error}") from None


def _part(row: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """Return a part of one of ccxt's structures, which may be None."""
    part = row.get(name)
    return cast(Mapping[str, Any], part) if isinstance(part, Mapping) else {}


def _leaves(tree: object, path: str = "") -> list[tuple[str, str]]:
    """Return (dotted path, address) of ccxt's nested base addresses."""
    if isinstance(tree, str):
        return [(path or "rest", tree)]
    if not isinstance(tree, dict):
        return []
    nested = cast(dict[str, object], tree)
    return [leaf for name, value in nested.items() for leaf in _leaves(value, f"{path}.{name}" if path else name)]


def _redirect(urls: dict[str, Any], key: str, replacements: Mapping[str, str]) -> None:
    """Put other base addresses in place of ccxt's."""

    def moved(tree: object, path: str) -> object:
        if isinstance(tree, str):
            other = replacements.get(f"{key}.{path or 'rest'}") or replacements.get(f"{key}.rest")
            return tree if other is None else other
        if isinstance(tree, dict):
            nested = cast(dict[str, object], tree)
            return {name: moved(value, f"{path}.{name}" if path else name) for name, value in nested.items()}
        return tree

    urls["api"] = moved(urls["api"], "")
