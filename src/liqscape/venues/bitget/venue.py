"""Bitget: its addresses, limits, requests and streams. Streams speak v3 (only it has liquidations), most requests v2."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import msgspec

import liqscape.clock as clock
from liqscape.model import Completeness, FundingRate, InstrumentSpec, Kind, Liquidation, PriceKind
from liqscape.units import NS_PER_DAY
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
from liqscape.venues.bitget import parse, payloads
from liqscape.venues.wire import MS

_HEAD = wire.decoder(payloads.Head)
_STATUS = wire.decoder(payloads.Status)
_PRODUCT, _TYPE = "USDT-FUTURES", "usdt-futures"
# "Fewer than 50 channels per connection are recommended"; a message is at most 4,096 bytes, ten a second.
_SYMBOLS_PER_STREAM, _ARGS_PER_MESSAGE = 45, 25
# 1-minute candles reach back one month; older ones are in another archive. The margin covers a slow clock.
_RECENT_NS = 29 * NS_PER_DAY
_PAGE = 200
_FUNDING_PAGE = 100
# Codes that come with a body: too many requests; the venue's own troubles (upgrade, service errors).
_LIMITED, _BUSY = ("429", "30007"), ("40015", "40200", "40725")
_DOUBTS = (
    Doubt("open interest is one-sided", "compared with the other venues' by doctor; Bitget does not say"),
    Doubt("a liquidation's side is the position's", "sides against returns, hourly"),
    Doubt(
        "the liquidation feed shows the largest long and the largest short per pair and second",
        "cannot be seen from its prints; a third party says so",
    ),
    Doubt("what a liquidation's price is (bankruptcy, order or fill) is not documented", "price_kind is `unknown`"),
    Doubt("past liquidations come newest first", "paging ends at the first page whose oldest print is before the start"),
    Doubt("account-long-short gives at least the latest day", "rows outside of the stretch asked for are left out"),
)


class _Talk(Session):
    """Subscribes in parts, liquidations first; pings with a word."""

    def __init__(self, specs: Specs) -> None:
        self.specs = specs

    def opening(self) -> list[str]:
        args = [{"instType": _TYPE, "topic": "ticker", "symbol": symbol} for symbol in self.specs]
        asked = [[{"instType": _TYPE, "topic": "liquidation"}], *parts(args, _ARGS_PER_MESSAGE)]
        return [msgspec.json.encode({"op": "subscribe", "args": part}).decode() for part in asked]

    def heartbeat(self) -> str:
        return "ping"

    def receive(self, frame: str | bytes, recv_ns: int) -> Received:
        # The topic stands in the first part of a frame: busy ones are told without decoding twice.
        start = frame[:90] if isinstance(frame, str) else frame[:90].decode(errors="replace")
        if start.startswith('{"action":'):
            if '"topic":"ticker"' in start or '"channel":"ticker"' in start:
                return Received(parse.ticker(frame, self.specs, recv_ns), data=True)
            if '"topic":"liquidation"' in start:
                return Received(parse.liquidations(frame, self.specs, recv_ns), data=True)
            if '"topic":"publicTrade"' in start:
                return Received(parse.trades(frame, self.specs, recv_ns), data=True)
        elif start == "pong":
            return NOTHING
        head = wire.decode(_HEAD, frame, parse.VENUE, "frame")
        arg = head.arg or payloads.Arg()
        topic = arg.topic or arg.channel
        if head.event == "error":
            # A ticker that does not exist costs only itself; without liquidations the line is of no use.
            return NOTHING if topic == "ticker" else Received([], refused=f"{head.code} {head.msg}")
        reader = _READERS.get(topic) if head.event is None else None
        return NOTHING if reader is None else Received(reader(frame, self.specs, recv_ns), data=True)


_READERS: Mapping[str, Callable[[str | bytes, Specs, int], wire.Parsed]] = {
    "ticker": parse.ticker,
    "liquidation": parse.liquidations,
    "publicTrade": parse.trades,
    "trade": parse.old_trades,
}


class Bitget(Venue):
    """Bitget USDT-FUTURES.

    Parameters
    ----------
    now_ns
        Tells which of the two candle archives a bar is in.
    """

    def __init__(self, now_ns: Callable[[], int] = clock.now_ns) -> None:
        self._now_ns = now_ns
        self.facts = Facts(
            key="bitget",
            venue=parse.VENUE,
            title="Bitget USDT perpetuals",
            completeness=Completeness.THROTTLED,
            completeness_note="the largest long and the largest short per pair and second, says a third party",
            streams=frozenset({Kind.LIQUIDATIONS, Kind.TICKERS}),
            asks=frozenset(
                {
                    Kind.INSTRUMENTS,
                    Kind.BARS,
                    Kind.MARK_BARS,
                    Kind.TICKERS,
                    Kind.FUNDING,
                    Kind.RATIOS,
                    Kind.DEPTH,
                    Kind.TIERS,
                    Kind.LIQUIDATIONS,
                }
            ),
            hosts={"rest": "https://api.bitget.com", "ws": "wss://ws.bitget.com"},
            # 20 a second for each endpoint, shared here; ratios 1 and tiers 10 a second; all together 6,000 a minute.
            buckets={"ip": Bucket(6000, 60), "market": Bucket(20, 1), "ratios": Bucket(1, 1), "tiers": Bucket(10, 1)},
            history_ns={Kind.LIQUIDATIONS: 3 * NS_PER_DAY, Kind.RATIOS: NS_PER_DAY},
            page={Kind.BARS: _PAGE, Kind.MARK_BARS: _PAGE, Kind.LIQUIDATIONS: 100},
            late_s=25.0,
            ban_s=300.0,
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
        bucket: str = "market",
    ) -> Ask:
        query = {"productType": _PRODUCT, **{key: str(value) for key, value in params.items()}}
        return Ask(name, kind, Request("rest", f"/api/v2/mix/market/{path}", query, costs=((bucket, 1), ("ip", 1))), parser, more)

    def ask_instruments(self) -> list[Ask]:
        return [self._ask("contracts", Kind.INSTRUMENTS, "contracts", {}, parse.instruments)]

    def ask_bars(self, spec: InstrumentSpec, price_kind: PriceKind, start_ns: int, end_ns: int) -> Ask:
        recent = start_ns >= self._now_ns() - _RECENT_NS
        kind = Kind.BARS if price_kind is PriceKind.LAST else Kind.MARK_BARS
        params: dict[str, object] = {"symbol": spec.id.symbol, "granularity": "1m"}
        if recent:
            path = "candles"
            if price_kind is PriceKind.MARK:
                params["kLineType"] = "MARK"
        else:
            path = "history-candles" if price_kind is PriceKind.LAST else "history-mark-candles"
        params |= {"startTime": start_ns // MS, "endTime": end_ns // MS - 1, "limit": _PAGE}
        return self._ask(
            f"{path} {price_kind.value} {spec.id.symbol}",
            kind,
            path,
            params,
            lambda b, t: wire.between(parse.bars(b, spec, price_kind, t), start_ns, end_ns),
        )

    def ask_tickers(self, specs: Specs) -> list[Ask]:
        return [self._ask("tickers", Kind.TICKERS, "tickers", {}, lambda b, t: parse.tickers(b, specs, t))]

    def ask_funding(self, spec: InstrumentSpec, start_ns: int, end_ns: int) -> Ask:
        """Ask newest first, page by page until a stamp is older than `start_ns`: the endpoint knows pages, not times."""
        return self._funding(spec, start_ns, end_ns, 1)

    def _funding(self, spec: InstrumentSpec, start_ns: int, end_ns: int, page: int) -> Ask:
        def more(body: bytes) -> Ask | None:
            stamps = [r.ts_venue for r in parse.funding(body, spec, end_ns) if isinstance(r, FundingRate)]
            done = len(stamps) < _FUNDING_PAGE or min(stamps) <= start_ns
            return None if done else self._funding(spec, start_ns, end_ns, page + 1)

        params = {"symbol": spec.id.symbol, "pageSize": _FUNDING_PAGE, "pageNo": page}
        return self._ask(
            f"history-fund-rate {spec.id.symbol}",
            Kind.FUNDING,
            "history-fund-rate",
            params,
            lambda b, t: wire.between(parse.funding(b, spec, t), start_ns, end_ns),
            more,
        )

    def ask_ratios(self, spec: InstrumentSpec, start_ns: int, end_ns: int) -> list[Ask]:
        return [
            self._ask(
                f"account-long-short {spec.id.symbol}",
                Kind.RATIOS,
                "account-long-short",
                {"symbol": spec.id.symbol, "period": "5m"},
                lambda b, t: wire.between(parse.ratios(b, spec, t), start_ns, end_ns),
                bucket="ratios",
            )
        ]

    def ask_book(self, spec: InstrumentSpec) -> Ask:
        params = {"symbol": spec.id.symbol, "precision": "scale0", "limit": "max"}
        return self._ask(f"merge-depth {spec.id.symbol}", Kind.DEPTH, "merge-depth", params, lambda b, t: parse.book(b, spec, t))

    def ask_tiers(self, specs: Specs) -> list[Ask]:
        return [
            self._ask(
                f"query-position-lever {symbol}",
                Kind.TIERS,
                "query-position-lever",
                {"symbol": symbol},
                lambda b, t: parse.tiers(b, specs, t),
                bucket="tiers",
            )
            for symbol in specs
        ]

    def ask_liquidations(self, spec: InstrumentSpec, start_ns: int, end_ns: int) -> Ask:
        """Ask for the prints of the last three days; rows equal the stream's, so each is known again by its key."""
        return self._liquidations(spec, start_ns, end_ns, None)

    def _liquidations(self, spec: InstrumentSpec, start_ns: int, end_ns: int, cursor: str | None) -> Ask:
        specs = {spec.id.symbol: spec}

        def more(body: bytes) -> Ask | None:
            following = parse.cursor(body)
            found = [r.ts_venue for r in parse.past_liquidations(body, specs, end_ns) if isinstance(r, Liquidation)]
            if following is None or following == cursor or min(found, default=start_ns) < start_ns:
                return None
            return self._liquidations(spec, start_ns, end_ns, following)

        params = {"category": _PRODUCT, "symbol": spec.id.symbol, "limit": "100", **({"cursor": cursor} if cursor else {})}
        return Ask(
            f"liquidations {spec.id.symbol}",
            Kind.LIQUIDATIONS,
            Request("rest", "/api/v3/market/liquidations", params, costs=(("market", 1), ("ip", 1))),
            lambda b, t: wire.between(parse.past_liquidations(b, specs, t), start_ns, end_ns),
            more,
        )

    def streams(self, specs: Specs) -> list[Stream]:
        def stream(number: int, held: Specs) -> Stream:
            # One subscription brings the liquidations of all pairs: each socket takes it and keeps its own instruments'.
            return Stream(
                name=f"public-{number}",
                host="ws",
                path="/v3/ws/public",
                session=lambda: _Talk(held),
                kinds=(Kind.LIQUIDATIONS, Kind.TICKERS),
                instruments=tuple(spec.id for spec in held.values()),
                heartbeat_s=25.0,
                silence_s=60.0,
                data_silence_s=30.0,
                pause_s=0.15,
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
            return Judgement(Answer.LIMITED, 1.0, words)
        if found.code in _BUSY:
            return Judgement(Answer.BUSY, None, words)
        return judged if found.code == "00000" else Judgement(Answer.REFUSED, None, words)
