"""OKX: its addresses, limits, requests and streams. One adapter for linear and inverse swaps; they differ by instrument."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import msgspec

import liqscape.clock as clock
from liqscape.model import Completeness, InstrumentSpec, Kind, Liquidation, Population, PriceKind
from liqscape.units import NS_PER_DAY, NS_PER_MINUTE
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
    envelope,
    judge_status,
    parts,
    sockets,
)
from liqscape.venues.okx import parse, payloads
from liqscape.venues.wire import MS

_HEAD = wire.decoder(payloads.Head)
_STATUS = wire.decoder(payloads.Status)
# Four ticker channels per instrument; a message is at most 64 KB and a connection takes three of ours a second.
_SYMBOLS_PER_STREAM = 100
_ARGS_PER_MESSAGE = 100
_TICKER_CHANNELS = ("mark-price", "open-interest", "funding-rate", "index-tickers")
# Rubik and candles keep the latest 1,440 points; older candles are asked for elsewhere. The margin covers a slow clock.
_POINTS, _MARGIN = 1440, 10
_FAMILIES_PER_ASK = 5
# Codes that come with HTTP 200: 50011 and 50061 too many requests; 50001, 50013, 50026 the venue's own troubles.
_LIMITED, _BUSY = ("50011", "50061"), ("50001", "50013", "50026")
_RATIOS = {
    Population.ACCOUNTS: "long-short-account-ratio-contract",
    Population.TOP_ACCOUNTS: "long-short-account-ratio-contract-top-trader",
    Population.TOP_POSITIONS: "long-short-position-ratio-contract-top-trader",
}
_DOUBTS = (
    Doubt("open interest is one-sided", "compared with the other venues' by doctor; OKX does not say"),
    Doubt(
        "streams answer on port 443; the documentation names 8443, which was to retire on 2026-10-31",
        "a host that does not answer is unreachable: set venue_urls okx.ws to wss://ws.okx.com:8443",
    ),
    Doubt("/public/liquidation-orders still answers and reaches a day back", "it is only asked to fill gaps; doctor calls it"),
    Doubt("books-full gives up to 5,000 levels of price, contracts, orders", "a level with another width is corrupt"),
    Doubt("tiers of isolated margin hold for cross margin too", "both can be asked for; they are not compared"),
)


class _Talk(Session):
    """Subscribes in parts, liquidations first; pings with a word."""

    def __init__(self, specs: Specs) -> None:
        self.specs = specs

    def opening(self) -> list[str]:
        args: list[dict[str, str]] = []
        for symbol in self.specs:
            for channel in _TICKER_CHANNELS:
                name = symbol.removesuffix(parse.SUFFIX) if channel == "index-tickers" else symbol
                args.append({"channel": channel, "instId": name})
        asked = [[{"channel": "liquidation-orders", "instType": "SWAP"}], *parts(args, _ARGS_PER_MESSAGE)]
        return [msgspec.json.encode({"op": "subscribe", "args": part}).decode() for part in asked]

    def heartbeat(self) -> str:
        return "ping"

    def receive(self, frame: str | bytes, recv_ns: int) -> Received:
        # Frames begin with {"arg":{"channel":"..": the busy channels are told without decoding twice.
        start = frame[:60] if isinstance(frame, str) else frame[:60].decode(errors="replace")
        if start.startswith('{"arg":{"channel":"liquidation-orders"'):
            return Received(parse.liquidations(frame, self.specs, recv_ns), data=True)
        if start.startswith('{"arg":{"channel":"trades"'):
            return Received(parse.trades(frame, self.specs, recv_ns), data=True)
        if start == "pong":
            return NOTHING
        head = wire.decode(_HEAD, frame, parse.VENUE, "frame")
        channel = head.arg.channel if head.arg is not None else ""
        if head.event == "error":
            # An index or a mark price that does not exist costs only itself; without liquidations the line is of no use.
            words = f"{head.code} {head.msg}"
            return NOTHING if any(name in words for name in _TICKER_CHANNELS) else Received([], refused=words)
        if head.event is not None:
            return NOTHING
        if channel in _TICKER_CHANNELS:
            return Received(parse.tickers(frame, self.specs, recv_ns), data=True)
        if channel == "liquidation-orders":
            return Received(parse.liquidations(frame, self.specs, recv_ns), data=True)
        if channel == "trades":
            return Received(parse.trades(frame, self.specs, recv_ns), data=True)
        return NOTHING


class Okx(Venue):
    """OKX swaps.

    Parameters
    ----------
    now_ns
        Tells which of the two candle archives a bar is in.
    """

    def __init__(self, now_ns: Callable[[], int] = clock.now_ns) -> None:
        self._now_ns = now_ns
        latest = _POINTS * 5 * NS_PER_MINUTE
        self.facts = Facts(
            key="okx",
            venue=parse.VENUE,
            title="OKX swaps",
            completeness=Completeness.THROTTLED,
            completeness_note="at most one update a second and contract; OKX says that it is not the total",
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
            hosts={"rest": "https://www.okx.com", "ws": "wss://ws.okx.com"},
            # OKX limits each endpoint by itself, rubik's even each instrument; what shares a bucket here is held more strictly.
            buckets={
                "candles": Bucket(40, 2),
                "history": Bucket(20, 2),
                "mark_candles": Bucket(20, 2),
                "market": Bucket(20, 2),
                "public": Bucket(10, 2),
                "book": Bucket(10, 2),
                "open-interest-history": Bucket(10, 2),
                **{path: Bucket(5, 2) for path in _RATIOS.values()},
            },
            history_ns={
                Kind.OPEN_INTEREST: latest,
                Kind.RATIOS: latest,
                Kind.FUNDING: 90 * NS_PER_DAY,
                Kind.LIQUIDATIONS: NS_PER_DAY,
            },
            page={
                Kind.BARS: 100,
                Kind.MARK_BARS: 100,
                Kind.OPEN_INTEREST: 100,
                Kind.FUNDING: 100,
                Kind.RATIOS: 100,
                Kind.LIQUIDATIONS: 100,
            },
            open_interest_interval_ns=5 * NS_PER_MINUTE,
            doubts=_DOUBTS,
        )

    def _ask(self, name: str, kind: Kind, path: str, params: Mapping[str, object], bucket: str, parser: wire.Parser) -> Ask:
        query = {key: str(value) for key, value in params.items()}
        return Ask(name, kind, Request("rest", f"/api/v5/{path}", query, costs=((bucket, 1),)), parser)

    def ask_instruments(self) -> list[Ask]:
        query = {"instType": "SWAP"}
        return [self._ask("instruments", Kind.INSTRUMENTS, "public/instruments", query, "public", parse.instruments)]

    def ask_bars(self, spec: InstrumentSpec, price_kind: PriceKind, start_ns: int, end_ns: int) -> Ask:
        recent = start_ns >= self._now_ns() - (_POINTS - _MARGIN) * NS_PER_MINUTE
        if price_kind is PriceKind.LAST:
            kind, path, bucket = Kind.BARS, "candles" if recent else "history-candles", "candles" if recent else "history"
        else:
            kind, path, bucket = Kind.MARK_BARS, f"{'' if recent else 'history-'}mark-price-candles", "mark_candles"
        # `before` and `after` leave out the instants that they name.
        params = {"instId": spec.id.symbol, "bar": "1m", "before": start_ns // MS - 1, "after": end_ns // MS, "limit": 100}
        return self._ask(
            f"{path} {spec.id.symbol}",
            kind,
            f"market/{path}",
            params,
            bucket,
            lambda b, t: wire.between(parse.bars(b, spec, price_kind, t), start_ns, end_ns),
        )

    def ask_tickers(self, specs: Specs) -> list[Ask]:
        swap = {"instType": "SWAP"}
        asks = [
            ("public/open-interest", swap, "public"),
            ("public/mark-price", swap, "public"),
            ("public/funding-rate", {"instId": "ANY"}, "public"),
            ("market/tickers", swap, "market"),
        ]
        quotes = sorted({spec.quote for spec in specs.values()})
        asks += [("market/index-tickers", {"quoteCcy": quote}, "market") for quote in quotes]
        return [
            self._ask(path, Kind.TICKERS, path, params, bucket, lambda b, t: parse.tickers(b, specs, t))
            for path, params, bucket in asks
        ]

    def _rubik(self, path: str, kind: Kind, spec: InstrumentSpec, start_ns: int, end_ns: int, parser: wire.Parser) -> Ask:
        begin, end = start_ns // MS - 1, end_ns // MS
        params = {"instId": spec.id.symbol, "period": "5m", "begin": begin, "end": end, "limit": 100}
        return self._ask(
            f"{path} {spec.id.symbol}",
            kind,
            f"rubik/stat/contracts/{path}",
            params,
            path,
            lambda b, t: wire.between(parser(b, t), start_ns, end_ns),
        )

    def ask_open_interest(self, spec: InstrumentSpec, start_ns: int, end_ns: int) -> Ask:
        return self._rubik(
            "open-interest-history",
            Kind.OPEN_INTEREST,
            spec,
            start_ns,
            end_ns,
            lambda b, t: parse.open_interest(b, spec, t),
        )

    def ask_ratios(self, spec: InstrumentSpec, start_ns: int, end_ns: int) -> list[Ask]:
        def ask(population: Population, path: str) -> Ask:
            return self._rubik(path, Kind.RATIOS, spec, start_ns, end_ns, lambda b, t: parse.ratios(b, spec, population, t))

        return [ask(population, path) for population, path in _RATIOS.items()]

    def ask_funding(self, spec: InstrumentSpec, start_ns: int, end_ns: int) -> Ask:
        params = {"instId": spec.id.symbol, "before": start_ns // MS - 1, "after": end_ns // MS, "limit": 100}
        return self._ask(
            f"funding {spec.id.symbol}",
            Kind.FUNDING,
            "public/funding-rate-history",
            params,
            "public",
            lambda b, t: wire.between(parse.funding(b, spec, t), start_ns, end_ns),
        )

    def ask_book(self, spec: InstrumentSpec) -> Ask:
        params = {"instId": spec.id.symbol, "sz": 5000}
        return self._ask(
            f"books-full {spec.id.symbol}", Kind.DEPTH, "market/books-full", params, "book", lambda b, t: parse.book(b, spec, t)
        )

    def ask_tiers(self, specs: Specs) -> list[Ask]:
        families = [symbol.removesuffix(parse.SUFFIX) for symbol in sorted(specs)]

        def ask(part: Sequence[str]) -> Ask:
            params = {"instType": "SWAP", "tdMode": "isolated", "instFamily": ",".join(part)}
            name = f"position-tiers {part[0]}.."
            return self._ask(name, Kind.TIERS, "public/position-tiers", params, "public", lambda b, t: parse.tiers(b, specs, t))

        return [ask(part) for part in parts(families, _FAMILIES_PER_ASK)]

    def ask_liquidations(self, spec: InstrumentSpec, start_ns: int, end_ns: int) -> Ask:
        """Ask for prints newest first, page by page until one is older than `start_ns`."""
        symbol = spec.id.symbol

        def read(body: bytes, recv_ns: int) -> wire.Parsed:
            return parse.liquidations(body, {symbol: spec}, recv_ns)

        def more(body: bytes) -> Ask | None:
            oldest = min((r.ts_venue for r in read(body, end_ns) if isinstance(r, Liquidation)), default=start_ns)
            return self.ask_liquidations(spec, start_ns, oldest) if start_ns < oldest < end_ns else None

        params = {
            "instType": "SWAP",
            "instFamily": symbol.removesuffix(parse.SUFFIX),
            "state": "filled",
            "after": end_ns // MS,
            "limit": 100,
        }
        ask = self._ask(
            f"liquidation-orders {symbol}",
            Kind.LIQUIDATIONS,
            "public/liquidation-orders",
            params,
            "public",
            lambda b, t: wire.between(read(b, t), start_ns, end_ns),
        )
        return Ask(ask.name, ask.kind, ask.request, ask.parse, more)

    def streams(self, specs: Specs) -> list[Stream]:
        def stream(number: int, held: Specs) -> Stream:
            # One subscription brings the liquidations of all swaps: each socket takes it and keeps its own instruments'.
            return Stream(
                name=f"public-{number}",
                host="ws",
                path="/ws/v5/public",
                session=lambda: _Talk(held),
                kinds=(Kind.LIQUIDATIONS, Kind.TICKERS),
                instruments=tuple(spec.id for spec in held.values()),
                heartbeat_s=15.0,
                silence_s=35.0,
                data_silence_s=30.0,
                pause_s=0.4,
            )

        return sockets(specs, _SYMBOLS_PER_STREAM, stream)

    def judge(self, status: int, headers: Mapping[str, str], body: bytes) -> Judgement:
        """Refusals hide in `code`, with HTTP 200 or 400."""
        judged = judge_status(status, headers, body)
        found = envelope(judged, _STATUS, body, parse.VENUE)
        if found is None:
            return judged
        words = f"{found.code} {found.msg}"
        if found.code in _LIMITED:
            return Judgement(Answer.LIMITED, 2.0, words)
        if found.code in _BUSY:
            return Judgement(Answer.BUSY, None, words)
        return judged if found.code == "0" else Judgement(Answer.REFUSED, None, words)
