"""BitMEX: its addresses, limits, requests and streams."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

import msgspec

from liqscape.model import Completeness, InstrumentSpec, Kind, PriceKind
from liqscape.units import NS_PER_MINUTE, NS_PER_S
from liqscape.venues import wire
from liqscape.venues.base import (
    NOTHING,
    Ask,
    Bucket,
    Doubt,
    Facts,
    Received,
    Request,
    Session,
    Specs,
    Stream,
    Venue,
    parts,
    sockets,
)
from liqscape.venues.bitmex import parse, payloads

_HEAD = wire.decoder(payloads.Head)
_SYMBOLS_PER_STREAM = 200
_TOPICS_PER_MESSAGE = 50
_BARS_PER_PAGE = 1000
_FUNDING_PER_PAGE = 500


class _Talk(Session):
    """Subscribes to the table of liquidations and to instruments; remembers orders and mark prices."""

    def __init__(self, specs: Specs) -> None:
        self.specs = specs
        self.orders = parse.Orders()
        self.marks: dict[str, float] = {}

    def opening(self) -> list[str]:
        topics = ["liquidation", *(f"instrument:{symbol}" for symbol in sorted(self.specs))]
        return [msgspec.json.encode({"op": "subscribe", "args": part}).decode() for part in parts(topics, _TOPICS_PER_MESSAGE)]

    def heartbeat(self) -> str:
        return "ping"

    def receive(self, frame: str | bytes, recv_ns: int) -> Received:
        if frame in ("pong", b"pong"):
            return NOTHING
        head = wire.decode(_HEAD, frame, parse.VENUE, "frame")
        if head.table == "liquidation":
            return Received(parse.liquidations(frame, self.specs, self.orders, recv_ns), data=True)
        if head.table == "instrument":
            return Received(parse.tickers(frame, self.specs, self.marks, recv_ns), data=True)
        if head.error is not None:
            return Received([], refused=head.error)
        return NOTHING


class Bitmex(Venue):
    """Perpetuals of BitMEX: inverse (XBTUSD) and linear (XBTUSDT and the like); quanto contracts are left out."""

    def __init__(self) -> None:
        asks = {Kind.INSTRUMENTS, Kind.BARS, Kind.TICKERS, Kind.FUNDING, Kind.DEPTH, Kind.TIERS}
        self.facts = Facts(
            key="bitmex",
            venue="bitmex",
            title="BitMEX",
            completeness=Completeness.ALL,
            completeness_note="every order of the engine, live only; an order that grows later is undercounted",
            streams=frozenset({Kind.LIQUIDATIONS, Kind.TICKERS}),
            asks=frozenset(asks),
            hosts={"rest": "https://www.bitmex.com/api/v1", "ws": "wss://ws.bitmex.com"},
            buckets={"requests": Bucket(30, 60), "burst": Bucket(10, 1)},
            page={Kind.BARS: _BARS_PER_PAGE, Kind.FUNDING: _FUNDING_PER_PAGE},
            # Buckets are written shortly after their end.
            settle_s=5.0,
            doubts=(
                Doubt("30 requests a minute without a key", "answers 429 are counted and their Retry-After is obeyed"),
                Doubt(
                    "a liquidation order brings its whole quantity when it is inserted",
                    "cannot be seen from the prints: orders that grow on update are undercounted",
                ),
                Doubt("the price of a liquidation order is about the bankruptcy price", "prices against the mark at arrival"),
                Doubt(
                    "a bucket's opening is the trade before it and may lie outside of its low and high",
                    "such openings are moved to the nearer end",
                ),
                Doubt("only the first margin tier is told: steps above riskLimit are not", "the ladder ends at riskLimit"),
            ),
        )

    def _ask(self, name: str, kind: Kind, path: str, params: Mapping[str, object], parser: wire.Parser) -> Ask:
        query = {key: str(value) for key, value in params.items()}
        return Ask(name, kind, Request("rest", path, query, costs=(("requests", 1), ("burst", 1))), parser)

    def ask_instruments(self) -> list[Ask]:
        return [self._ask("instruments", Kind.INSTRUMENTS, "/instrument/active", {}, parse.instruments)]

    def ask_tiers(self, specs: Specs) -> list[Ask]:
        return [self._ask("margins", Kind.TIERS, "/instrument/active", {}, lambda b, t: parse.tiers(b, specs, t))]

    def ask_tickers(self, specs: Specs) -> list[Ask]:
        return [self._ask("tickers", Kind.TICKERS, "/instrument/active", {}, lambda b, t: parse.active_tickers(b, specs, t))]

    def ask_bars(self, spec: InstrumentSpec, price_kind: PriceKind, start_ns: int, end_ns: int) -> Ask | None:
        if price_kind is PriceKind.MARK:
            return None
        # Buckets are stamped with their end, and both ends of the stretch are counted.
        params = {
            "symbol": spec.id.symbol,
            "binSize": "1m",
            "partial": "false",
            "count": _BARS_PER_PAGE,
            "startTime": _written(start_ns + NS_PER_MINUTE),
            "endTime": _written(end_ns),
        }
        return self._ask(f"bucketed {spec.id.symbol}", Kind.BARS, "/trade/bucketed", params, lambda b, t: parse.bars(b, spec, t))

    def ask_funding(self, spec: InstrumentSpec, start_ns: int, end_ns: int) -> Ask:
        params = {
            "symbol": spec.id.symbol,
            "count": _FUNDING_PER_PAGE,
            "startTime": _written(start_ns),
            "endTime": _written(end_ns - 1),
        }
        return self._ask(f"funding {spec.id.symbol}", Kind.FUNDING, "/funding", params, lambda b, t: parse.funding(b, spec, t))

    def ask_book(self, spec: InstrumentSpec) -> Ask:
        params = {"symbol": spec.id.symbol, "depth": 0}  # 0 is the whole book
        return self._ask(f"orderBook {spec.id.symbol}", Kind.DEPTH, "/orderBook/L2", params, lambda b, t: parse.book(b, spec, t))

    def streams(self, specs: Specs) -> list[Stream]:
        def stream(number: int, held: Specs) -> Stream:
            return Stream(
                name=f"realtime-{number}",
                host="ws",
                path="/realtime",
                session=lambda: _Talk(held),
                kinds=(Kind.LIQUIDATIONS, Kind.TICKERS),
                instruments=tuple(spec.id for spec in held.values()),
                heartbeat_s=5.0,
                silence_s=20.0,
                # The instrument table tells every new mark price, every few seconds.
                data_silence_s=60.0,
            )

        return sockets(specs, _SYMBOLS_PER_STREAM, stream)


def _written(ns: int) -> str:
    """Write an instant as BitMEX does, with milliseconds."""
    return datetime.fromtimestamp(ns // NS_PER_S, UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{ns % NS_PER_S // 1_000_000:03d}Z"
