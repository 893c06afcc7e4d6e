"""Bybit: its addresses, limits, requests and streams. Linear (USDT, USDC) and inverse contracts differ by one word."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from liqscape.model import Completeness, ContractKind, InstrumentSpec, Kind, PriceKind
from liqscape.units import NS_PER_MINUTE
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
from liqscape.venues.bybit import parse, payloads

_MS = 1_000_000
_HEAD = wire.decoder(payloads.Head)
_STATUS = wire.decoder(payloads.Status)
_CURSOR = wire.decoder(payloads.Paged)
# "args total <= 21,000 characters per connection"; a socket of its own per 150 symbols stays far below it.
_SYMBOLS_PER_STREAM = 150
_ARGS_PER_MESSAGE = 20
# Bybit answers 10006 for too many requests and 10018 for a banned address, both with HTTP 200.
_LIMITED, _BANNED = 10006, 10018


class _Talk(Session):
    """Subscribes in parts, answers nothing, pings with an op."""

    def __init__(self, specs: Specs, topics: Sequence[str]) -> None:
        self.specs, self.topics = specs, topics

    def opening(self) -> list[str]:
        return [msgspec.json.encode({"op": "subscribe", "args": part}).decode() for part in parts(self.topics, _ARGS_PER_MESSAGE)]

    def heartbeat(self) -> str:
        return '{"op":"ping"}'

    def receive(self, frame: str | bytes, recv_ns: int) -> Received:
        head = wire.decode(_HEAD, frame, parse.VENUE, "frame")
        topic = head.topic or ""
        if topic.startswith("tickers."):
            return Received(parse.ticker(frame, self.specs, recv_ns), data=True)
        if topic.startswith("allLiquidation."):
            return Received(parse.liquidations(frame, self.specs, recv_ns), data=True)
        if topic.startswith("publicTrade."):
            return Received(parse.trades(frame, self.specs, recv_ns), data=True)
        if topic.startswith("liquidation."):
            return Received(parse.old_liquidations(frame, self.specs, recv_ns), data=True)
        if head.op == "subscribe" and head.success is False:
            return Received([], refused=head.ret_msg or "subscription refused")
        return NOTHING


class Bybit(Venue):
    """One category of Bybit.

    Parameters
    ----------
    category
        `linear` or `inverse`.
    """

    def __init__(self, category: str) -> None:
        self.category = category
        asks = {Kind.INSTRUMENTS, Kind.BARS, Kind.MARK_BARS, Kind.TICKERS, Kind.FUNDING, Kind.RATIOS, Kind.DEPTH, Kind.TIERS}
        self.facts = Facts(
            key=f"bybit_{category}",
            venue="bybit",
            title=f"Bybit {category}",
            completeness=Completeness.ALL,
            completeness_note="every liquidation since 2025-02-25; before, at most one a second",
            streams=frozenset({Kind.LIQUIDATIONS, Kind.TICKERS}),
            # The history of inverse open interest is USD without a price: only the linear one is asked for.
            asks=frozenset(asks | ({Kind.OPEN_INTEREST} if category == "linear" else set())),
            hosts={"rest": "https://api.bybit.com", "ws": "wss://stream.bybit.com"},
            buckets={"ip": Bucket(600, 5)},
            page={Kind.BARS: 1000, Kind.MARK_BARS: 1000, Kind.OPEN_INTEREST: 200, Kind.FUNDING: 200, Kind.RATIOS: 500},
            open_interest_interval_ns=5 * NS_PER_MINUTE,
            ban_s=600.0,
            doubts=(
                Doubt("allLiquidation's side is the position's, as the documentation says", "sides against returns, hourly"),
                Doubt("maintenanceMargin may be a per cent", "rates at or above 1 / maxLeverage are divided by 100"),
            ),
        )

    def _ask(self, name: str, kind: Kind, path: str, params: Mapping[str, object], parser: wire.Parser) -> Ask:
        query = {"category": self.category, **{key: str(value) for key, value in params.items()}}
        return Ask(name, kind, Request("rest", f"/v5/market/{path}", query, costs=(("ip", 1),)), parser)

    def ask_instruments(self) -> list[Ask]:
        return [self._instruments("")]

    def _instruments(self, cursor: str) -> Ask:
        def more(body: bytes) -> Ask | None:
            following = wire.decode(_CURSOR, body, parse.VENUE, "instruments-info").result.nextPageCursor
            return self._instruments(following) if following else None

        params = {"limit": 1000, **({"cursor": cursor} if cursor else {})}
        request = self._ask(
            "instruments", Kind.INSTRUMENTS, "instruments-info", params, lambda b, t: parse.instruments(b, self.category, t)
        )
        return Ask(request.name, request.kind, request.request, request.parse, more)

    def ask_bars(self, spec: InstrumentSpec, price_kind: PriceKind, start_ns: int, end_ns: int) -> Ask:
        kind, path = (Kind.BARS, "kline") if price_kind is PriceKind.LAST else (Kind.MARK_BARS, "mark-price-kline")
        params = {"symbol": spec.id.symbol, "interval": 1, "start": start_ns // _MS, "end": end_ns // _MS - 1, "limit": 1000}
        return self._ask(f"{path} {spec.id.symbol}", kind, path, params, lambda b, t: parse.bars(b, spec, price_kind, t))

    def ask_tickers(self, specs: Specs) -> list[Ask]:
        return [self._ask("tickers", Kind.TICKERS, "tickers", {}, lambda b, t: parse.tickers(b, specs, t))]

    def ask_open_interest(self, spec: InstrumentSpec, start_ns: int, end_ns: int) -> Ask | None:
        if spec.kind is ContractKind.INVERSE:
            return None
        params = {
            "symbol": spec.id.symbol,
            "intervalTime": "5min",
            "startTime": start_ns // _MS,
            "endTime": end_ns // _MS - 1,
            "limit": 200,
        }
        return self._ask(
            f"open-interest {spec.id.symbol}",
            Kind.OPEN_INTEREST,
            "open-interest",
            params,
            lambda b, t: parse.open_interest(b, spec, t),
        )

    def ask_funding(self, spec: InstrumentSpec, start_ns: int, end_ns: int) -> Ask:
        params = {"symbol": spec.id.symbol, "startTime": start_ns // _MS, "endTime": end_ns // _MS - 1, "limit": 200}
        return self._ask(
            f"funding {spec.id.symbol}", Kind.FUNDING, "funding/history", params, lambda b, t: parse.funding(b, spec, t)
        )

    def ask_ratios(self, spec: InstrumentSpec, start_ns: int, end_ns: int) -> list[Ask]:
        params = {
            "symbol": spec.id.symbol,
            "period": "5min",
            "startTime": start_ns // _MS,
            "endTime": end_ns // _MS - 1,
            "limit": 500,
        }
        return [
            self._ask(
                f"account-ratio {spec.id.symbol}", Kind.RATIOS, "account-ratio", params, lambda b, t: parse.ratios(b, spec, t)
            )
        ]

    def ask_book(self, spec: InstrumentSpec) -> Ask:
        params = {"symbol": spec.id.symbol, "limit": 1000}
        return self._ask(f"orderbook {spec.id.symbol}", Kind.DEPTH, "orderbook", params, lambda b, t: parse.book(b, spec, t))

    def ask_tiers(self, specs: Specs) -> list[Ask]:
        return [
            self._ask(f"risk-limit {symbol}", Kind.TIERS, "risk-limit", {"symbol": symbol}, lambda b, t: parse.tiers(b, specs, t))
            for symbol in specs
        ]

    def streams(self, specs: Specs) -> list[Stream]:
        def stream(number: int, held: Specs) -> Stream:
            # Tickers ride on the same socket: they are never quiet, so silence of both means that liquidations are lost too.
            topics = [f"{topic}.{symbol}" for symbol in held for topic in ("tickers", "allLiquidation")]
            return Stream(
                name=f"public-{number}",
                host="ws",
                path=f"/v5/public/{self.category}",
                session=lambda: _Talk(held, topics),
                kinds=(Kind.LIQUIDATIONS, Kind.TICKERS),
                instruments=tuple(spec.id for spec in held.values()),
                heartbeat_s=20.0,
                silence_s=45.0,
                data_silence_s=30.0,
            )

        return sockets(specs, _SYMBOLS_PER_STREAM, stream)

    def judge(self, status: int, headers: Mapping[str, str], body: bytes) -> Judgement:
        """HTTP 403 is Bybit's ban of an address for ten minutes; other refusals hide in `retCode`."""
        if status == 403:
            return Judgement(Answer.BANNED, 600.0, body[:200].decode(errors="replace"))
        judged = judge_status(status, headers, body)
        if judged.answer is not Answer.FINE:
            return judged
        found = wire.decode(_STATUS, body, parse.VENUE, "answer")
        if found.retCode == 0:
            return judged
        if found.retCode == _LIMITED:
            return Judgement(Answer.LIMITED, 5.0, found.retMsg)
        return Judgement(Answer.BANNED if found.retCode == _BANNED else Answer.REFUSED, None, f"{found.retCode} {found.retMsg}")
