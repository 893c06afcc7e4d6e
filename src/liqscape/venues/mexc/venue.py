"""MEXC: its addresses, limits, requests and streams. It publishes neither liquidations nor history of open interest."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from liqscape.model import Completeness, InstrumentSpec, Kind, PriceKind
from liqscape.units import NS_PER_S
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
    sockets,
)
from liqscape.venues.mexc import parse, payloads

_HEAD = wire.decoder(payloads.Head)
_REFUSAL = wire.decoder(payloads.Refusal)
_STATUS = wire.decoder(payloads.Status)
_SYMBOLS_PER_STREAM = 100
_FUNDING_ROWS = 100
_TOO_FREQUENT, _BUSY = 510, (500, 501, 503, 504)
# "20 requests in 2 seconds" for each endpoint; /detail one in 5 seconds.
_PER_ENDPOINT = Bucket(20, 2)


class _Talk(Session):
    def __init__(self, specs: Specs) -> None:
        self.specs = specs

    def opening(self) -> list[str]:
        return [
            msgspec.json.encode({"method": "sub.ticker", "param": {"symbol": symbol}, "gzip": False}).decode()
            for symbol in sorted(self.specs)
        ]

    def heartbeat(self) -> str:
        return '{"method":"ping"}'

    def receive(self, frame: str | bytes, recv_ns: int) -> Received:
        channel = wire.decode(_HEAD, frame, parse.VENUE, "frame").channel
        if channel == "push.ticker":
            return Received(parse.ticker(frame, self.specs, recv_ns), data=True)
        if channel == "rs.error":
            words = wire.decode(_REFUSAL, frame, parse.VENUE, channel).data
            return Received([], refused=str(words or "subscription refused"))
        return NOTHING


class Mexc(Venue):
    """MEXC perpetuals."""

    def __init__(self) -> None:
        self.facts = Facts(
            key="mexc",
            venue=parse.VENUE,
            title="MEXC",
            completeness=Completeness.UNKNOWN,
            completeness_note="publishes no liquidations: price and open interest only",
            streams=frozenset({Kind.TICKERS}),
            asks=frozenset({Kind.INSTRUMENTS, Kind.BARS, Kind.MARK_BARS, Kind.TICKERS, Kind.FUNDING, Kind.DEPTH, Kind.TIERS}),
            hosts={"rest": "https://contract.mexc.com", "ws": "wss://contract.mexc.com"},
            buckets={
                "detail": Bucket(1, 5),
                "kline": _PER_ENDPOINT,
                "ticker": _PER_ENDPOINT,
                "funding": _PER_ENDPOINT,
                "depth": _PER_ENDPOINT,
            },
            page={Kind.BARS: 2000, Kind.MARK_BARS: 2000, Kind.FUNDING: _FUNDING_ROWS},
            doubts=(
                Doubt("holdVol counts one side", "the documentation is silent; nothing on the wire would show it"),
                Doubt("a contract is funded each 8 hours", "the stamps of its history tell the interval of each rate"),
                Doubt("a tier's rate applies to the whole position", "no deduction is published"),
                Doubt(
                    "riskLimitCustom stands for the rule where the mode is CUSTOM", "each tier must end beyond the one before it"
                ),
                Doubt("a coin-margined contract's size is in dollars", "open interest far beyond the other venues'"),
                Doubt("depth without a limit is the whole book", "the depth profile would end early"),
            ),
        )

    def _ask(self, name: str, kind: Kind, path: str, params: Mapping[str, object], bucket: str, parser: wire.Parser) -> Ask:
        query = {key: str(value) for key, value in params.items()}
        return Ask(name, kind, Request("rest", f"/api/v1/contract/{path}", query, costs=((bucket, 1),)), parser)

    def ask_instruments(self) -> list[Ask]:
        return [self._ask("detail", Kind.INSTRUMENTS, "detail", {}, "detail", parse.instruments)]

    def ask_tiers(self, specs: Specs) -> list[Ask]:
        return [self._ask("detail", Kind.TIERS, "detail", {}, "detail", lambda b, t: parse.tiers(b, specs, t))]

    def ask_bars(self, spec: InstrumentSpec, price_kind: PriceKind, start_ns: int, end_ns: int) -> Ask:
        last = price_kind is PriceKind.LAST
        path = f"kline/{spec.id.symbol}" if last else f"kline/fair_price/{spec.id.symbol}"
        params = {"interval": "Min1", "start": start_ns // NS_PER_S, "end": end_ns // NS_PER_S - 1}
        kind = Kind.BARS if last else Kind.MARK_BARS

        def read(body: bytes, recv_ns: int) -> wire.Parsed:
            return wire.between(parse.bars(body, spec, price_kind, recv_ns), start_ns, end_ns)

        return self._ask(path, kind, path, params, "kline", read)

    def ask_tickers(self, specs: Specs) -> list[Ask]:
        return [self._ask("ticker", Kind.TICKERS, "ticker", {}, "ticker", lambda b, t: parse.tickers(b, specs, t))]

    def ask_funding(self, spec: InstrumentSpec, start_ns: int, end_ns: int) -> Ask:
        """Ask for pages from the newest back to `start_ns`: they are numbered, not cut by time."""
        return self._funding_page(spec, start_ns, end_ns, 1)

    def _funding_page(self, spec: InstrumentSpec, start_ns: int, end_ns: int, page: int) -> Ask:
        def more(body: bytes) -> Ask | None:
            following = parse.next_funding_page(body, start_ns)
            return None if following is None else self._funding_page(spec, start_ns, end_ns, following)

        params = {"symbol": spec.id.symbol, "page_num": page, "page_size": _FUNDING_ROWS}
        ask = self._ask(
            f"funding {spec.id.symbol}",
            Kind.FUNDING,
            "funding_rate/history",
            params,
            "funding",
            lambda b, t: parse.funding(b, spec, start_ns, end_ns, t),
        )
        return Ask(ask.name, ask.kind, ask.request, ask.parse, more)

    def ask_book(self, spec: InstrumentSpec) -> Ask:
        path = f"depth/{spec.id.symbol}"
        return self._ask(path, Kind.DEPTH, path, {}, "depth", lambda b, t: parse.book(b, spec, t))

    def streams(self, specs: Specs) -> list[Stream]:
        def stream(number: int, held: Specs) -> Stream:
            return Stream(
                name=f"tickers-{number}",
                host="ws",
                path="/edge",
                session=lambda: _Talk(held),
                kinds=(Kind.TICKERS,),
                instruments=tuple(spec.id for spec in held.values()),
                heartbeat_s=15.0,
                silence_s=45.0,
                data_silence_s=60.0,
                pause_s=0.02,
            )

        return sockets(specs, _SYMBOLS_PER_STREAM, stream)

    def judge(self, status: int, headers: Mapping[str, str], body: bytes) -> Judgement:
        """Refusals hide in `code`; 510 is too many requests, and HTTP 403 a ban of the address."""
        if status == 403:
            return Judgement(Answer.BANNED, None, body[:200].decode(errors="replace"))
        judged = judge_status(status, headers, body)
        if judged.answer is not Answer.FINE:
            return judged
        found = wire.decode(_STATUS, body, parse.VENUE, "answer")
        if found.success and found.code == 0:
            return judged
        words = f"{found.code} {found.message}".strip()
        if found.code == _TOO_FREQUENT:
            return Judgement(Answer.LIMITED, 5.0, words)
        return Judgement(Answer.BUSY if found.code in _BUSY else Answer.REFUSED, None, words)
