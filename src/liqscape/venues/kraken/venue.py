"""Kraken Futures: its addresses, limits, requests and streams. One adapter for both lines, which share every endpoint."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

import msgspec

from liqscape.model import Completeness, InstrumentSpec, Kind, PriceKind
from liqscape.units import NS_PER_DAY, NS_PER_S
from liqscape.venues import wire
from liqscape.venues.base import (
    NOTHING,
    Answer,
    Ask,
    Bucket,
    Doubt,
    Facts,
    Judgement,
    Received,
    Request,
    Session,
    Specs,
    Stream,
    Venue,
    judge_status,
    parts,
    sockets,
)
from liqscape.venues.kraken import parse, payloads

_MS = 1_000_000
_HEAD = wire.decoder(payloads.Head)
_STATUS = wire.decoder(payloads.Status)
_SYMBOLS_PER_STREAM = 100
_PRODUCTS_PER_MESSAGE = 50
_CANDLES_PER_PAGE = 2000
_FUNDING_ROWS = 50_000  # every answer holds the whole history, so that years are asked for at once
# The engine's own words for too many requests and for its troubles, which come with HTTP 200.
_LIMITED, _BUSY = ("apiLimitExceeded",), ("Server Error", "Unavailable", "marketUnavailable", "Bad Gateway")


class _Talk(Session):
    """Subscribes to trades and tickers; Kraken wants a message a minute, which the heartbeat's ping is."""

    def __init__(self, specs: Specs) -> None:
        self.specs = specs

    def opening(self) -> list[str]:
        products = sorted(self.specs)
        return [
            msgspec.json.encode({"event": "subscribe", "feed": feed, "product_ids": part}).decode()
            for part in parts(products, _PRODUCTS_PER_MESSAGE)
            for feed in ("ticker", "trade")
        ]

    def receive(self, frame: str | bytes, recv_ns: int) -> Received:
        head = wire.decode(_HEAD, frame, parse.VENUE, "frame")
        if head.event is None:
            if head.feed == "trade":
                return Received(parse.trade(frame, self.specs, recv_ns), data=True)
            if head.feed == "ticker":
                return Received(parse.ticker(frame, self.specs, recv_ns), data=True)
            if head.feed == "trade_snapshot":
                return Received(parse.snapshot(frame, self.specs, recv_ns), data=True)
        if head.event in ("error", "alert", "subscribed_failed"):
            return Received([], refused=head.message or "subscription refused")
        return NOTHING


class Kraken(Venue):
    """Perpetuals of Kraken Futures: PF_ (multi-collateral, linear) and PI_ (inverse)."""

    def __init__(self) -> None:
        asks = {
            Kind.INSTRUMENTS,
            Kind.BARS,
            Kind.MARK_BARS,
            Kind.TICKERS,
            Kind.FUNDING,
            Kind.DEPTH,
            Kind.TIERS,
            Kind.LIQUIDATIONS,
        }
        self.facts = Facts(
            key="kraken",
            venue="kraken",
            title="Kraken Futures",
            completeness=Completeness.ALL,
            completeness_note="liquidations are marked trades; live and 7 days back, or to the engine's last restart",
            streams=frozenset({Kind.LIQUIDATIONS, Kind.TICKERS, Kind.TRADES}),
            asks=frozenset(asks),
            hosts={
                "rest": "https://futures.kraken.com/derivatives/api/v3",
                "charts": "https://futures.kraken.com/api/charts/v1",
                "ws": "wss://futures.kraken.com",
            },
            buckets={"requests": Bucket(16, 10)},
            history_ns={Kind.LIQUIDATIONS: 7 * NS_PER_DAY},
            page={
                Kind.BARS: _CANDLES_PER_PAGE,
                Kind.MARK_BARS: _CANDLES_PER_PAGE,
                Kind.FUNDING: _FUNDING_ROWS,
                Kind.LIQUIDATIONS: parse.HISTORY_PAGE,
            },
            doubts=(
                Doubt(
                    "public endpoints have no published budget: 1.6 requests a second, as third parties keep to",
                    "refusals for too many requests are counted and waited for",
                ),
                Doubt("numNonContractUnits of the margin levels are USD of notional", "cannot be seen from outside"),
                Doubt("open interest counts one side", "cannot be seen from outside: the documentation is silent"),
                Doubt(
                    "next_funding_rate_time is an instant (frames) and not a length of time (documentation)",
                    "values below 2001 are taken as a length",
                ),
                Doubt(
                    "type and time of /history agree with the trade feed's",
                    "prints of a recovered gap would be stored twice: doctor compares the trades of the last minute",
                ),
            ),
        )

    def _ask(self, name: str, kind: Kind, request: tuple[str, str, Mapping[str, object]], parser: wire.Parser) -> Ask:
        host, path, params = request
        query = {key: str(value) for key, value in params.items()}
        return Ask(name, kind, Request(host, path, query, costs=(("requests", 1),)), parser)

    def ask_instruments(self) -> list[Ask]:
        return [self._ask("instruments", Kind.INSTRUMENTS, ("rest", "/instruments", {}), parse.instruments)]

    def ask_tiers(self, specs: Specs) -> list[Ask]:
        return [self._ask("margin levels", Kind.TIERS, ("rest", "/instruments", {}), lambda b, t: parse.tiers(b, specs, t))]

    def ask_bars(self, spec: InstrumentSpec, price_kind: PriceKind, start_ns: int, end_ns: int) -> Ask:
        kind, line = (Kind.BARS, "trade") if price_kind is PriceKind.LAST else (Kind.MARK_BARS, "mark")
        # Seconds, both ends counted.
        params = {"from": start_ns // NS_PER_S, "to": end_ns // NS_PER_S - 1}
        path = f"/{line}/{spec.id.symbol}/1m"
        return self._ask(
            f"{line} candles {spec.id.symbol}",
            kind,
            ("charts", path, params),
            lambda b, t: parse.bars(b, spec, price_kind, t),
        )

    def ask_tickers(self, specs: Specs) -> list[Ask]:
        return [self._ask("tickers", Kind.TICKERS, ("rest", "/tickers", {}), lambda b, t: parse.tickers(b, specs, t))]

    def ask_funding(self, spec: InstrumentSpec, start_ns: int, end_ns: int) -> Ask:
        return self._ask(
            f"funding {spec.id.symbol}",
            Kind.FUNDING,
            ("rest", "/historical-funding-rates", {"symbol": spec.id.symbol}),
            lambda b, t: parse.funding(b, spec, start_ns, end_ns, t),
        )

    def ask_book(self, spec: InstrumentSpec) -> Ask:
        return self._ask(
            f"orderbook {spec.id.symbol}",
            Kind.DEPTH,
            ("rest", "/orderbook", {"symbol": spec.id.symbol}),
            lambda b, t: parse.book(b, spec, t),
        )

    def ask_liquidations(self, spec: InstrumentSpec, start_ns: int, end_ns: int) -> Ask:
        return self._history(spec, end_ns, start_ns, end_ns, frozenset())

    def _history(self, spec: InstrumentSpec, before_ns: int, start_ns: int, end_ns: int, known: frozenset[str]) -> Ask:
        """Ask for the 100 trades before an instant; the page behind overlaps by that instant, without what this one had."""

        def more(body: bytes) -> Ask | None:
            rows = parse.history(body)
            if len(rows) < parse.HISTORY_PAGE:
                return None
            oldest_ns = min(parse.instant(row.time, f"{spec.id.symbol} history", "time") for row in rows)
            if oldest_ns < start_ns:
                return None
            # Whether `lastTime` itself is counted is not said: ask from just behind the oldest trade, and know this page again.
            following = min(oldest_ns + _MS, before_ns - _MS)
            return self._history(spec, following, start_ns, end_ns, frozenset(row.uid for row in rows))

        ask = self._ask(
            f"history {spec.id.symbol}",
            Kind.LIQUIDATIONS,
            ("rest", "/history", {"symbol": spec.id.symbol, "lastTime": _written(before_ns)}),
            lambda b, t: parse.liquidations(b, spec, (start_ns, end_ns), before_ns, known, t),
        )
        return Ask(ask.name, ask.kind, ask.request, ask.parse, more)

    def streams(self, specs: Specs) -> list[Stream]:
        def stream(number: int, held: Specs) -> Stream:
            return Stream(
                name=f"public-{number}",
                host="ws",
                path="/ws/v1",
                session=lambda: _Talk(held),
                kinds=(Kind.LIQUIDATIONS, Kind.TICKERS, Kind.TRADES),
                instruments=tuple(spec.id for spec in held.values()),
                heartbeat_s=20.0,
                silence_s=45.0,
                # Tickers come about once a second per product.
                data_silence_s=30.0,
            )

        return sockets(specs, _SYMBOLS_PER_STREAM, stream)

    def judge(self, status: int, headers: Mapping[str, str], body: bytes) -> Judgement:
        """Kraken says `result: error` in an answer that is fine by its status."""
        judged = judge_status(status, headers, body)
        if judged.answer is not Answer.FINE:
            return judged
        found = wire.decode(_STATUS, body, parse.VENUE, "answer")
        if found.result != "error":
            return judged
        words = found.error or "no words"
        if words in _LIMITED:
            return Judgement(Answer.LIMITED, 10.0, words)
        return Judgement(Answer.BUSY if words in _BUSY else Answer.REFUSED, None, words)


def _written(ns: int) -> str:
    """Write an instant as Kraken does, with milliseconds."""
    return datetime.fromtimestamp(ns // NS_PER_S, UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{ns % NS_PER_S // _MS:03d}Z"
