"""Gate: its addresses, limits, requests and streams, of the USDT market.

Which source the recorder uses for liquidations: the stream, live; /liq_orders fills what the stream missed. Both are read to one
key (see `parse`), so a print that both tell at the edge of a gap is counted once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import msgspec

import liqscape.clock as clock
from liqscape.model import Completeness, InstrumentSpec, Kind, Liquidation, PriceKind
from liqscape.units import NS_PER_DAY, NS_PER_MINUTE, NS_PER_S
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
from liqscape.venues.gate import parse, payloads

_HEAD = wire.decoder(payloads.Head)
_LIQUIDATIONS, _TICKERS, _TRADES = "futures.public_liquidates", "futures.tickers", "futures.trades"
_SYMBOLS_PER_STREAM, _SYMBOLS_PER_MESSAGE = 100, 20
# /candlesticks answers with at most 2,000 points, both ends counted, and only of the latest 10,000.
_CANDLES, _CANDLES_KEPT = 1999, 10_000
_STATS = 100
_WINDOW_NS, _PRINTS = 3600 * NS_PER_S, 1000
_MARKETS = 100  # per page of tiers
_DOUBTS = (
    Doubt("open interest is one-sided", "compared with the other venues' by doctor; Gate does not say"),
    Doubt("a negative size of public_liquidates sold, so it closed a long", "sides against returns, hourly"),
    Doubt("the second of a print is the same by stream and by liq_orders", "doctor compares one with the other"),
    Doubt(
        "without X-Gate-Size-Decimal the stream tells fractions of contracts too; a socket is opened without headers",
        "requests send the header: doctor compares sizes of both",
    ),
    Doubt("liq_orders reaches a day back and gives the newest 1,000 of an hour", "only gaps are asked for"),
    Doubt("200 requests in 10 s for each endpoint, as ccxt keeps it", "Gate answers 429 with the instant of its reset"),
    Doubt("1-minute candles reach 10,000 points back, as users report since 2026-02", "Gate refuses older ones in words"),
)


class _Talk(Session):
    """Subscribes liquidations of all contracts and tickers of its own; pings by channel."""

    def __init__(self, specs: Specs, now_ns: Callable[[], int]) -> None:
        self.specs, self._now_ns = specs, now_ns

    def _say(self, channel: str, **more: object) -> str:
        return msgspec.json.encode({"time": self._now_ns() // NS_PER_S, "channel": channel, **more}).decode()

    def opening(self) -> list[str]:
        # A message fails as a whole if Gate does not know one of its contracts: tickers are asked for in small parts.
        symbols = list(self.specs)
        tickers = [self._say(_TICKERS, event="subscribe", payload=part) for part in parts(symbols, _SYMBOLS_PER_MESSAGE)]
        return [self._say(_LIQUIDATIONS, event="subscribe", payload=["!all"]), *tickers]

    def heartbeat(self) -> str:
        return self._say("futures.ping")

    def receive(self, frame: str | bytes, recv_ns: int) -> Received:
        # Channel and event stand in the first part of a frame: busy ones are told without decoding twice.
        start = frame[:150] if isinstance(frame, str) else frame[:150].decode(errors="replace")
        if '"event":"update"' in start:
            if '"channel":"futures.tickers"' in start:
                return Received(parse.ticker(frame, self.specs, recv_ns), data=True)
            if '"channel":"futures.public_liquidates"' in start:
                return Received(parse.liquidations(frame, self.specs, recv_ns), data=True)
            if '"channel":"futures.trades"' in start:
                return Received(parse.trades(frame, self.specs, recv_ns), data=True)
        head = wire.decode(_HEAD, frame, parse.VENUE, "frame")
        if head.error is not None:
            # A ticker that does not exist costs only itself; without liquidations the line is of no use.
            words = f"{head.error.code} {head.error.message}"
            return NOTHING if head.channel == _TICKERS else Received([], refused=words)
        reader = _READERS.get(head.channel) if head.event == "update" else None
        return NOTHING if reader is None else Received(reader(frame, self.specs, recv_ns), data=True)


_READERS: Mapping[str, Callable[[str | bytes, Specs, int], wire.Parsed]] = {
    _TICKERS: parse.ticker,
    _LIQUIDATIONS: parse.liquidations,
    _TRADES: parse.trades,
}


class Gate(Venue):
    """Gate's USDT perpetuals.

    Parameters
    ----------
    now_ns
        Gate wants the time in every message, and tells the instant at which a limit is lifted.
    """

    def __init__(self, now_ns: Callable[[], int] = clock.now_ns) -> None:
        self._now_ns = now_ns
        kept = _CANDLES_KEPT * NS_PER_MINUTE
        self.facts = Facts(
            key="gate",
            venue=parse.VENUE,
            title="Gate USDT perpetuals",
            completeness=Completeness.ALL,
            completeness_note="every order since 2026-08-20; before, at most one a second and contract",
            streams=frozenset({Kind.LIQUIDATIONS, Kind.TICKERS}),
            asks=frozenset(
                {
                    Kind.INSTRUMENTS,
                    Kind.BARS,
                    Kind.MARK_BARS,
                    Kind.TICKERS,
                    Kind.OPEN_INTEREST,
                    Kind.FUNDING,
                    Kind.RATIOS,
                    Kind.DEPTH,
                    Kind.TIERS,
                    Kind.LIQUIDATIONS,
                }
            ),
            hosts={"rest": "https://api.gateio.ws", "ws": "wss://fx-ws.gateio.ws"},
            buckets={
                name: Bucket(200, 10)
                for name in (
                    "contracts",
                    "candlesticks",
                    "tickers",
                    "contract_stats",
                    "funding_rate",
                    "order_book",
                    "risk_limit_tiers",
                    "liq_orders",
                )
            },
            history_ns={Kind.BARS: kept, Kind.MARK_BARS: kept, Kind.LIQUIDATIONS: NS_PER_DAY},
            page={
                Kind.BARS: _CANDLES,
                Kind.MARK_BARS: _CANDLES,
                Kind.OPEN_INTEREST: _STATS,
                Kind.RATIOS: _STATS,
                Kind.FUNDING: 1000,
                Kind.LIQUIDATIONS: _PRINTS,
            },
            open_interest_interval_ns=5 * NS_PER_MINUTE,
            # Orders of one second are told together, and the key of a print is its second.
            late_s=3.0,
            doubts=_DOUBTS,
        )

    def _ask(
        self,
        name: str,
        kind: Kind,
        path: str,
        params: Mapping[str, object],
        parser: wire.Parser,
        more: Callable[[bytes], Ask | None] | None = None,
    ) -> Ask:
        query = {key: str(value) for key, value in params.items()}
        headers = {"x-gate-size-decimal": "1"}
        request = Request("rest", f"/api/v4/futures/usdt/{path}", query, headers=headers, costs=((path, 1),))
        return Ask(name, kind, request, parser, more)

    def ask_instruments(self) -> list[Ask]:
        return [self._ask("contracts", Kind.INSTRUMENTS, "contracts", {}, parse.instruments)]

    def ask_bars(self, spec: InstrumentSpec, price_kind: PriceKind, start_ns: int, end_ns: int) -> Ask:
        kind, prefix = (Kind.BARS, "") if price_kind is PriceKind.LAST else (Kind.MARK_BARS, "mark_")
        params = {"contract": prefix + spec.id.symbol, "interval": "1m", **_span(start_ns, end_ns)}
        return self._ask(
            f"candlesticks {prefix}{spec.id.symbol}",
            kind,
            "candlesticks",
            params,
            lambda b, t: wire.between(parse.bars(b, spec, price_kind, t), start_ns, end_ns),
        )

    def ask_tickers(self, specs: Specs) -> list[Ask]:
        return [self._ask("tickers", Kind.TICKERS, "tickers", {}, lambda b, t: parse.tickers(b, specs, t))]

    def _stats(self, kind: Kind, spec: InstrumentSpec, start_ns: int, end_ns: int, parser: wire.Parser) -> Ask:
        # `from` is the only edge that it knows; rows go on from there.
        params = {"contract": spec.id.symbol, "interval": "5m", "from": start_ns // NS_PER_S, "limit": _STATS}
        return self._ask(
            f"contract_stats {spec.id.symbol}",
            kind,
            "contract_stats",
            params,
            lambda b, t: wire.between(parser(b, t), start_ns, end_ns),
        )

    def ask_open_interest(self, spec: InstrumentSpec, start_ns: int, end_ns: int) -> Ask:
        return self._stats(Kind.OPEN_INTEREST, spec, start_ns, end_ns, lambda b, t: parse.open_interest(b, spec, t))

    def ask_ratios(self, spec: InstrumentSpec, start_ns: int, end_ns: int) -> list[Ask]:
        return [self._stats(Kind.RATIOS, spec, start_ns, end_ns, lambda b, t: parse.ratios(b, spec, t))]

    def ask_funding(self, spec: InstrumentSpec, start_ns: int, end_ns: int) -> Ask:
        params = {"contract": spec.id.symbol, **_span(start_ns, end_ns), "limit": 1000}
        return self._ask(
            f"funding_rate {spec.id.symbol}",
            Kind.FUNDING,
            "funding_rate",
            params,
            lambda b, t: wire.between(parse.funding(b, spec, t), start_ns, end_ns),
        )

    def ask_book(self, spec: InstrumentSpec) -> Ask:
        params = {"contract": spec.id.symbol, "interval": 0, "limit": 300}
        return self._ask(f"order_book {spec.id.symbol}", Kind.DEPTH, "order_book", params, lambda b, t: parse.book(b, spec, t))

    def ask_tiers(self, specs: Specs) -> list[Ask]:
        return [self._tiers(specs, 0)]

    def _tiers(self, specs: Specs, offset: int) -> Ask:
        def more(body: bytes) -> Ask | None:
            return self._tiers(specs, offset + _MARKETS) if parse.tier_markets(body) >= _MARKETS else None

        params = {"limit": _MARKETS, "offset": offset}
        return self._ask(
            f"risk_limit_tiers {offset}..",
            Kind.TIERS,
            "risk_limit_tiers",
            params,
            lambda b, t: parse.tiers(b, specs, t),
            more,
        )

    def ask_liquidations(self, spec: InstrumentSpec, start_ns: int, end_ns: int) -> Ask:
        """Ask for prints, the latest hour first, until `start_ns`; a full answer is gone on with from its oldest print."""
        specs = {spec.id.symbol: spec}
        # Prints are known by their second: the second that the stretch begins in belongs to it.
        start_ns -= start_ns % NS_PER_S
        first_ns = max(start_ns, end_ns - _WINDOW_NS)

        def more(body: bytes) -> Ask | None:
            found = [r.ts_venue for r in parse.past_liquidations(body, specs, end_ns) if isinstance(r, Liquidation)]
            before = min(found) if len(found) >= _PRINTS else first_ns
            return self.ask_liquidations(spec, start_ns, before) if start_ns < before < end_ns else None

        return self._ask(
            f"liq_orders {spec.id.symbol}",
            Kind.LIQUIDATIONS,
            "liq_orders",
            {"contract": spec.id.symbol, **_span(first_ns, end_ns), "limit": _PRINTS},
            lambda b, t: wire.between(parse.past_liquidations(b, specs, t), first_ns, end_ns),
            more,
        )

    def streams(self, specs: Specs) -> list[Stream]:
        def stream(number: int, held: Specs) -> Stream:
            # One subscription brings the liquidations of all contracts: each socket keeps its own instruments'.
            return Stream(
                name=f"public-{number}",
                host="ws",
                path="/v4/ws/usdt",
                session=lambda: _Talk(held, self._now_ns),
                kinds=(Kind.LIQUIDATIONS, Kind.TICKERS),
                instruments=tuple(spec.id for spec in held.values()),
                heartbeat_s=15.0,
                silence_s=35.0,
                data_silence_s=30.0,
            )

        return sockets(specs, _SYMBOLS_PER_STREAM, stream)

    def judge(self, status: int, headers: Mapping[str, str], body: bytes) -> Judgement:
        """A 429 tells the instant at which the limit is lifted; 403 keeps an address out for a while."""
        judged = judge_status(status, headers, body)
        if judged.answer is Answer.LIMITED and judged.wait_s is None:
            try:
                until_ns = int(float(headers["x-gate-ratelimit-reset-timestamp"]) * NS_PER_S)
            except (KeyError, ValueError, OverflowError):
                return judged
            return Judgement(Answer.LIMITED, min(60.0, max(0.0, (until_ns - self._now_ns()) / NS_PER_S)), judged.words)
        return Judgement(Answer.BANNED, None, judged.words) if status == 403 else judged


def _span(start_ns: int, end_ns: int) -> dict[str, int]:
    """Return [start, end) in whole seconds, both of which Gate counts in."""
    return {"from": start_ns // NS_PER_S, "to": (end_ns - 1) // NS_PER_S}
